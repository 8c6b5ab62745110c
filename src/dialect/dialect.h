/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four dialects as tables: endpoints, where usage stands, which stream event says what, shapes
 * of errors. The vendors are in vendor.h. Pure: bytes in, answers out.
 */
#ifndef DIALECT_DIALECT_H
#define DIALECT_DIALECT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "dialect/counts.h"
#include "price/price.h"
#include "json/json.h"

enum dialect {
    DIALECT_CHAT,
    DIALECT_RESPONSES,
    DIALECT_MESSAGES,
    DIALECT_GEMINI,
    DIALECT_EMBEDDINGS,
    DIALECT_OWN
};
/* ARRAY_START: an array of which nothing has been sent. */
enum framing { FRAMING_WHOLE, FRAMING_SSE, FRAMING_ARRAY, FRAMING_ARRAY_START };
#define DIALECT_BIT(d) (1U << (d))

/* OP_PUBLIC: ours, and needs no key. */
enum op { OP_GENERATE, OP_COUNT, OP_EMBED, OP_MODELS, OP_OWN, OP_PUBLIC };

struct endpoint {
    const char *name; /* for logs and rows: "chat.completions" */
    uint8_t dialect, op, method;
    bool model_in_path; /* Gemini: the model and the method are in the path */
    bool metered;       /* a hold, a charge; false: count_tokens, models */
};

struct target {
    const struct endpoint *endpoint; /* NULL: no such path */
    bool wrong_method;               /* the path exists, not with this method */
    struct str model;                /* from the path, still percent-encoded; else {NULL,0} */
    bool stream;                     /* Gemini: streamGenerateContent */
    uint8_t framing; /* of a Gemini stream: FRAMING_SSE with alt=sse, else FRAMING_ARRAY */
};
/* Accepts /v1, no prefix, doubled /v1/v1; /v1beta and /v1 for Gemini. */
void endpoint_find(unsigned method, struct str path, struct str query, struct target *out);

/* What the body asks for. */
struct ask {
    struct str model; /* without quotes; {NULL,0} when in the path */
    bool stream;
    bool include_usage;        /* chat: the client asked for the usage frame itself */
    struct str stream_options; /* raw value or p NULL */
    uint64_t choices;          /* answers asked for at once: n, candidateCount; at least 1 */
    uint64_t max_output;       /* 0: not given */
    struct str texts[2];       /* raw values of the fields that hold the content; or p NULL */
    bool service;              /* another tier of service than the standard may serve it */
    bool elsewhere;            /* it refers to content that is not in the body */
    unsigned images;           /* that it shows */
    bool broken;               /* the body is no JSON at all */
};
/* False with a text that names the field (duplicate or escaped keys, wrong types) in field and why.
 */
bool ask_read(const struct endpoint *ep, struct str body, struct ask *out, const char **field,
              struct err *why);

/* Of a body that is JSON: its images, and whether it refers to content elsewhere. */
void ask_refers(enum dialect d, struct str body, struct ask *out);
/* Tokens that the content asked about has at the very least; the body must still be there. */
uint64_t ask_input_floor(const struct ask *a);
/* Tokens of a request's input as the vendor of this model would count them, roughly; whatever it
 * holds, and in any dialect. False: it is no JSON. */
bool estimate_input(struct str body, struct str model, uint64_t *tokens) MUST_CHECK;
/* Tokens that the strings of a piece of JSON have at the very least. */
uint64_t text_tokens_floor(struct str json);
/* Bytes of generated text in a whole reply. */
uint64_t reply_text_bytes(enum dialect d, const struct json *root);

/* The endpoint at which this dialect's vendors do this; NULL: none. */
const struct endpoint *endpoint_of(enum op op, enum dialect d, bool stream);
/* Path for the upstream: base path is the vendor's; appended to out, e.g. "/chat/completions". */
bool upstream_path(const struct endpoint *ep, const struct target *t, struct str vendor_model,
                   struct buf *out);

/* Usage of a whole reply (or of one stream event's JSON). Missing when it is not at the exact path.
 */
void usage_read(enum dialect d, struct str vendor, const struct json *root, struct usage *out);
/* The model the reply names; copied into out, at most LIMIT_NAME bytes; false if none. */
bool seen_model(enum dialect d, const struct json *root, struct buf *out);

/* What one stream event (its data) means. */
enum mark {
    MARK_PLAIN,       /* pass it on */
    MARK_USAGE_FRAME, /* chat: the extra frame of include_usage, choices empty */
    MARK_TERMINAL,    /* from here on wait for the charge: [DONE], message_stop, response.completed,
                         Gemini's finishReason */
    MARK_FAILED,      /* the vendor's explicit failure in the stream */
};
/* How far an answer has come, by the vendor's own words; text behind them takes them back. */
enum stage {
    STAGE_OPEN,
    STAGE_TEXT_DONE, /* responses: a text is whole. Mostly its usage is near, but a call may follow
                      */
    STAGE_FINISHED,  /* it has said why it stopped: what is still to come are its usage and its end
                      */
    STAGE_ENDED,     /* the dialect's terminator: for good */
};
struct meter { /* running state of one stream */
    uint8_t dialect, stage;
    bool has_usage, has_model, failed;
    struct usage usage;
    struct counts counts;        /* that usage is made of */
    uint64_t text_bytes, deltas; /* of generated text, for the running count and the lower bound */
    char model[LIMIT_NAME];
    uint8_t model_n;
};
void meter_init(struct meter *m, enum dialect d);
enum mark meter_event(struct meter *m, struct str vendor, struct str name, struct str data);
/* Ends: complete when the dialect's terminator was seen; Gemini: a finishReason was. */
bool meter_complete(const struct meter *m);
/* Lower bound of output tokens from what was delivered. */
uint64_t meter_output_floor(const struct meter *m);

/* Our own error in the dialect's shape; type and code by status per dialect. param may be NULL. */
struct problem {
    unsigned status;
    const char *code; /* machine word: "model_not_found", "insufficient_quota", ... */
    struct str text;
    const char *param; /* the field, or NULL */
};
void problem_write(enum dialect d, const struct problem *p, struct str request_id,
                   struct buf *body);
/* The same as a failure inside a stream that has begun, framed as that dialect's explicit failure.
 */
void problem_write_event(enum dialect d, enum framing f, const struct problem *p, struct buf *out);

/* A vendor's error, as a client of another dialect is told it. The caller releases memory. */
struct vendor;
struct vendor_words {
    struct str text;
    struct str said;  /* the same with the vendor's own codes */
    const char *code; /* one that clients act on, or NULL */
    unsigned status;
    bool too_long;    /* the input: clients make their history shorter */
    int64_t retry_ms; /* as the body says it; -1: it does not */
    struct buf memory;
};
/* status: of the reply; below 400, what the body says stands for one. v may be NULL. */
void vendor_words_read(const struct vendor *v, unsigned status, struct str body,
                       enum dialect client, struct vendor_words *out);

/*
 * The length-like ending of a stream that the balance cannot pay any further, as the dialect's
 * own last events. block: the open content block of a messages stream, or -1.
 */
void limit_write_events(const struct meter *m, enum framing f, int block, struct buf *out);
/* What stands around one event of a Gemini stream; of an array, its last. */
struct str gemini_before(enum framing f);
struct str gemini_after(enum framing f);

#endif
