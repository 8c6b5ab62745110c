/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was asked and what came back, as lines of JSON: first what the run is, then a call a line,
 * then how it ended. All that a report says is a function of these lines, so that whoever has them
 * computes it again. Keys are in none of them.
 */
#ifndef ASSAY_EVIDENCE_H
#define ASSAY_EVIDENCE_H

#include "assay/client.h"
#include "assay/speak.h"
#include "base/hash.h"

struct evidence_side {
    struct str url, model;
};
struct evidence_head {
    struct evidence_side target, reference; /* reference.url empty: there is none */
    struct str profile, version;
    struct str only; /* the probes that asked; empty: all of the profile */
    uint64_t seed, started_us, planned;
    struct str currency;              /* empty: no price is known */
    uint64_t input_pico, output_pico; /* per token */
    struct str price_source;
};

struct record {
    uint64_t seq, k, max_tokens, sent_us;
    bool reference, stream;
    enum asking ask;
    struct str probe, cell;
    enum dialect dialect;
    unsigned status;
    struct str expect, failure, head, body;
    const struct json *arrivals; /* of a stream: [[us, bytes], ...] */
    bool answered;               /* read into said */
    struct said said;
    struct json_doc *doc;
};

struct evidence {
    struct evidence_head head;
    struct json_doc *head_doc, *end_doc;
    char sha256[HASH_HEX + 1]; /* of all lines, in hexadecimal digits */
    struct str end;            /* "complete", or why it ended before; empty: the lines break off */
    struct record *records;
    size_t count, room;
};

void evidence_init(struct evidence *e);
void evidence_release(struct evidence *e);
/* One line, without its line feed. */
bool evidence_add(struct evidence *e, struct str line, struct err *why) MUST_CHECK;
/* All lines of a text. One that breaks off, as whoever wrote it was killed, is none. */
bool evidence_read(struct evidence *e, struct str text, struct err *why) MUST_CHECK;

/* What stands for an answer that held a key. */
extern const struct str evidence_hidden;
/* s without keys; all of it is removed where it holds one in disguise. */
void evidence_clean(struct buf *out, struct str s, const struct str keys[2]);
/* Writing lines, each with its line feed. */
void evidence_write_head(struct buf *out, const struct evidence_head *h);
struct evidence_call {
    uint64_t seq, k, max_tokens;
    bool reference, stream;
    enum asking ask;
    const char *probe, *cell;
    enum dialect dialect;
    struct str url, request, expect;
    struct str said; /* of the answer: its text */
    const struct client_answer *answer;
    struct str keys[2]; /* what must not be kept, wherever it stands */
};
void evidence_write_call(struct buf *out, const struct evidence_call *c);
void evidence_write_end(struct buf *out, struct str end);

#endif
