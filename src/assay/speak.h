/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question in each of the four dialects, and what came back. Pure. The assay writes its own
 * requests: nothing of the station's conversions is in its way.
 */
#ifndef ASSAY_SPEAK_H
#define ASSAY_SPEAK_H

#include "dialect/dialect.h"

struct question {
    struct str system; /* or empty */
    struct str text;
    const char *temperature; /* as it is written; NULL: the vendor's own */
    struct str expect;       /* what the answer should hold; it is not sent */
    const char *stop;        /* a text that ends the answer, or NULL; responses have none */
    unsigned max_tokens;
    unsigned repeat; /* so many times more, one right behind the other, as k = 1, 2, ... */
    bool cache;      /* messages: marks the system text as one to be kept */
    bool tool;       /* offers get_weather(city) */
    bool stream;     /* the answer comes as events */
};

struct speaker {
    enum dialect dialect;
    struct str model;
    bool completion_tokens; /* chat: the limit is called max_completion_tokens */
};

/* Where this dialect is under a base such as https://host/v1, with or without the version. */
bool speak_url(struct buf *out, struct str base, const struct speaker *s, bool stream);
void speak_write(struct buf *out, const struct speaker *s, const struct question *q);
const char *speak_dialect_name(enum dialect d);
bool speak_dialect_find(struct str name, enum dialect *out);

/* An answer. Slices live as long as it does. */
struct said {
    struct json_doc *doc, *arguments_doc;
    struct buf text;
    struct usage usage; /* state MISSING: it says nothing */
    struct str model, id, finish;
    struct str tool; /* name of the first call of a tool, or empty */
    const struct json *arguments;
    uint64_t total;  /* as the vendor adds up; 0: it does not say */
    unsigned pieces; /* of a stream: events with text */
    bool complete;   /* of a stream: it ended as the dialect's streams end */
};
/* False when it is no answer of that dialect; then there is nothing to release. */
bool said_read(struct said *s, enum dialect d, struct str body);
/* The same of a stream, whose text and usage alone are read. */
bool said_read_stream(struct said *s, enum dialect d, struct str body);
void said_release(struct said *s);

#endif
