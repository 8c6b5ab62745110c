/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of this room alone: the form between the dialects. A reader makes it of one dialect's JSON, a
 * writer makes another's JSON of it; four of each, and nothing knows two dialects. Everything lives
 * in the conversion's arena (strings in its document or its arena): what is made of the request
 * dies at the end of conversion_new, what is made of the reply with the conversion.
 *
 * 1. What a reader meets is taken, lost by name (lose), or refused (refuse); an unknown key is
 *    refused. After a refusal nothing that follows matters: readers stop at c->refused.
 * 2. Every part remembers its place in the client's JSON, so that a writer can name it.
 * 3. Reply parts never overlap when a writer sees them (reply.c sees to it).
 *
 * What is asked stands in neutral_ask.h, what is answered in neutral_reply.h; here is what holds
 * both.
 */
#ifndef DIALECT_NEUTRAL_H
#define DIALECT_NEUTRAL_H

#include "base/arena.h"
#include "dialect/convert.h"
#include "dialect/dialect.h"
#include "dialect/neutral_ask.h"
#include "dialect/neutral_reply.h"
#include "dialect/vendor.h"

#define LOSSY_MAX 4096 /* bytes of the names of what was lost: they go into one header */

/* ---- convert.c ---- */
struct made_doc {
    struct made_doc *next;
    struct json_doc *doc;
};
struct conversion {
    struct arena arena, spare; /* of the request, then of the reply; spare: at the cap */
    uint8_t from, to;          /* the client's dialect, the upstream's */
    bool refused;
    bool uncarried;  /* not for what is wrong in it, but for what the upstream's dialect lacks */
    bool unreadable; /* the upstream's reply is not what its dialect says */
    const struct vendor *vendor;
    uint64_t max_output;                      /* the model's ceiling */
    struct str envelope_id;                   /* vendor and model, as envelopes name them */
    uint64_t allowed[CONVERSION_FIELDS / 64]; /* bits of fields whose loss the route allows */
    struct json_doc *doc;                     /* the client's request, while it is converted */
    struct made_doc *made;                    /* what readers made of parts of it, as long */
    struct ask_neutral ask;
    struct tool_names { /* of tools.c: each tool by its names */
        struct map *own, *bare, *wire;
        struct tool *last; /* up to which they are in `own` and `bare` */
    } names;
    struct embedding *embedding;   /* embeddings are asked for; NULL: an answer is */
    struct buf lossy, why, why_at; /* texts: "a, b"; what was refused, and where */
    /* of the reply */
    struct buf *out; /* where writers write; set for each call */
    uint8_t framing;
    bool whole; /* the client gets one JSON document */
    struct reply reply;
};
/* Refuses the request: naming the place (NULL: the whole), why in words. The first one stands. */
void refuse(struct conversion *c, const struct place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What this row says of the target dialect: nothing (K), named in Relay-Lossy, or the request is
 * refused: who goes on behind it may look at c->refused. */
void lose(struct conversion *c, enum field f, const struct place *at);
void *conversion_alloc(struct conversion *c,
                       size_t n); /* zeroed; never NULL, a refusal at the cap */
struct str conversion_str(struct conversion *c, struct str s); /* a copy in the arena */
struct str conversion_take(struct conversion *c,
                           struct buf *b); /* the same of a buf; releases it */
/* A reader's own JSON as a value that lives as long as the request; releases text. */
const struct json *conversion_parse(struct conversion *c, struct buf *text);

/* ---- envelope.c: a vendor's opaque state in a client's opaque slot ---- */
enum envelope_kind {
    ENVELOPE_OPAQUE = 'o', /* of the part it stands in */
    ENVELOPE_NEXT = 'n',   /* of the part that follows: the slot stands in a part of its own */
    ENVELOPE_BOUND = 'b',  /* as OPAQUE, and which text the part had */
    ENVELOPE_TEXT = 't', /* no state: the reasoning's own text, for clients that return no other */
};
/* "VENDOR.MODEL-HASH"; in the arena. */
struct str envelope_id(struct conversion *c, struct str vendor, struct str model);
/* Wraps for the client; in the arena. */
struct str envelope_wrap(struct conversion *c, enum envelope_kind kind, struct str inside);
/* The same of a state that its text must come back with: BOUND. */
struct str envelope_bind(struct conversion *c, const struct bound *text, struct str inside);
/* Takes what envelope_bind put before the state off again; in the arena. */
struct bound *envelope_unbind(struct conversion *c, struct str *inside);
/*
 * Unwraps what a client returns: false when it is not ours, or not of this upstream and model
 * (then it is dropped: lose(FIELD_SIGNATURE)). TEXT is of any upstream.
 */
bool envelope_open(struct conversion *c, struct str slot, enum envelope_kind *kind,
                   struct str *out);

/* ---- one row a dialect ---- */
struct spoken {
    void (*read_ask)(struct conversion *c, const struct json *root);
    void (*write_ask)(struct conversion *c, struct json_out *o);
    void (*read_whole)(struct conversion *c, const struct json *root);
    void (*read_event)(struct conversion *c, const struct json *root);
    const struct reply_writer *writer;
};
void chat_write_ask(struct conversion *c, struct json_out *o);
void chat_read_whole(struct conversion *c, const struct json *root);
void chat_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer chat_writer;
void responses_write_ask(struct conversion *c, struct json_out *o);
void responses_read_whole(struct conversion *c, const struct json *root);
void responses_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer responses_writer;
void messages_write_ask(struct conversion *c, struct json_out *o);
void messages_read_whole(struct conversion *c, const struct json *root);
void messages_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer messages_writer;
void gemini_write_ask(struct conversion *c, struct json_out *o);
void gemini_read_whole(struct conversion *c, const struct json *root);
void gemini_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer gemini_writer;
extern const struct spoken spoken_chat, spoken_responses, spoken_messages, spoken_gemini;
const struct spoken *spoken_of(enum dialect d); /* NULL: it is not converted */

/* ---- embeddings_*.c: the chat dialect's sibling /embeddings, and Gemini's methods ---- */
struct embedding {
    struct parts inputs; /* TEXT */
    size_t count;
    struct value dimensions;
    bool single; /* gemini: of one content, not of a batch */
    bool base64; /* chat: vectors as base64 of their 32-bit floats */
};
/* from and to are DIALECT_CHAT and DIALECT_GEMINI then, in either order. */
void embeddings_read_ask(struct conversion *c, const struct json *root);
void embeddings_write_ask(struct conversion *c, struct json_out *o);
/* The upstream's reply as the client's; what cannot be read is c->unreadable. */
void embeddings_convert_reply(struct conversion *c, const struct json *root, const struct usage *u);

#endif
