/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question in each of the four dialects, and what came back. Pure. The assay writes its own
 * requests: nothing of the station's conversions is in its way.
 */
#ifndef ASSAY_SPEAK_H
#define ASSAY_SPEAK_H

#include "dialect/dialect.h"

enum asking {
    ASK_ANSWER,
    ASK_COUNT, /* not answered: how many tokens of input it would be, as the dialect's own path says
                  (messages, responses and gemini have one) */
    ASK_RAW,   /* text is the body, and may be no JSON */
};

struct tool {
    const char *name, *description;
    const char *schema; /* JSON Schema of its arguments */
};

struct question {
    enum asking ask;
    const char *model; /* another than the speaker's; NULL: that */
    struct str system; /* or empty */
    struct str text;
    struct str png; /* a picture before the text, or empty */
    /* The user's first text and what was answered, as JSON of the dialect (messages: the content);
     * then text follows. Or empty. */
    struct str before, turn;
    const char *temperature;  /* as it is written; NULL: the vendor's own */
    bool or_own_temperature;  /* where that is refused */
    const char *seed;         /* as it is written, or NULL; chat and gemini have one */
    struct str expect;        /* what the answer should hold; it is not sent */
    const char *stop;         /* a text that ends the answer, or NULL; responses have none */
    const struct tool *tools; /* constant */
    unsigned tool_count;
    unsigned max_tokens;
    unsigned logprobs; /* so many likeliest tokens at each place (all but messages) */
    unsigned repeat;   /* so many more at most, one right behind the other, as k = 1, 2, ...: see
                          struct follow */
    bool thinking;     /* its thoughts are to be shown (messages, gemini) */
    bool adaptive;     /* messages, with thinking: as models ask for that take no budget */
    bool cache;        /* messages: marks the system text as one to be kept */
    bool must_call;    /* one of the tools */
    bool stream;       /* the answer comes as events */
    bool silent;       /* nobody says anything: there are no turns */
    bool wrong;        /* on purpose: it is to be refused, and that shuts nothing */
};

struct speaker {
    enum dialect dialect;
    struct str model;
    bool completion_tokens; /* chat: the limit is called max_completion_tokens */
};

/* False when the dialect has no such thing: then it is not asked. */
bool speak_can(enum dialect d, const struct question *q);
/* Where this is asked under a base such as https://host/v1, with or without the version. */
bool speak_url(struct buf *out, struct str base, const struct speaker *s, const struct question *q);
void speak_write(struct buf *out, const struct speaker *s, const struct question *q);
const char *speak_ask_name(enum asking a);
bool speak_ask_find(struct str name, enum asking *out);
const char *speak_dialect_name(enum dialect d);
bool speak_dialect_find(struct str name, enum dialect *out);

#define SAID_CALLS 8
struct said_call {
    struct str name;
    const struct json *arguments; /* NULL: they are no JSON */
    struct json_doc *doc;         /* of arguments that came as text */
};

/* An answer. Slices live as long as it does. */
struct said {
    struct json_doc *doc;      /* the whole answer; NULL of a stream */
    struct json_doc *streamed; /* of a stream: what calls[] are slices of */
    struct buf text;
    struct usage usage; /* state MISSING: it says nothing */
    struct str model, id, finish;
    struct said_call calls[SAID_CALLS]; /* of tools: the first ones */
    unsigned call_count;                /* of all */
    uint64_t counted;                   /* of ASK_COUNT */
    uint64_t total;                     /* as the vendor adds up; 0: it does not say */
    unsigned pieces;                    /* of a stream: events with text */
    bool complete;                      /* of a stream: it ended as the dialect's streams end */
};
/* What came back to a question. False when it is no answer of that dialect; then there is nothing
 * to release. */
bool said_take(struct said *s, enum dialect d, enum asking ask, bool stream, struct str body);
/* A whole answer. */
bool said_read(struct said *s, enum dialect d, struct str body);
/* The same of a stream, of which text, calls and usage are read. */
bool said_read_stream(struct said *s, enum dialect d, struct str body);
void said_release(struct said *s);

#endif
