/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request and its reply from one dialect to another. One conversion serves one attempt: it reads
 * the client's request and writes the upstream's, then takes the reply's events (or the whole of
 * it) and writes the client's. Owned by its caller, one thread, no sockets, no clock. It holds
 * content, which conversion_free wipes.
 *
 * Nothing of a request is lost in silence: it is carried, or named in conversion_lossy, or refused.
 */
#ifndef DIALECT_CONVERT_H
#define DIALECT_CONVERT_H

#include "dialect/dialect.h"

struct conversion;

struct conversion_ask {
    enum dialect from, to; /* the client's, the upstream's */
    const struct vendor *vendor;
    struct str model;    /* the upstream's name of it */
    struct str body;     /* the client's request; must live through conversion_new only */
    struct str reply_id; /* for the reply's own id, without a prefix */
    uint64_t created;    /* seconds, for the reply */
    bool stream;
    enum framing framing;    /* of the reply toward the client: WHOLE, SSE, ARRAY_START */
    uint64_t max_output;     /* the model's ceiling, tokens */
    bool beta;               /* messages: its header asks for features by name */
    const uint64_t *allowed; /* bits of fields whose loss the route allows; or NULL */
};
/* Whether the two dialects can be converted at all. DIALECT_EMBEDDINGS with DIALECT_GEMINI, in
 * either order, are embeddings: their replies are whole. */
bool conversion_knows(enum dialect from, enum dialect to);
/* Never NULL. The upstream's body is appended to out, unless it is refused. */
struct conversion *conversion_new(const struct conversion_ask *ask, struct buf *out);
void conversion_free(struct conversion *c); /* NULL is fine */
/* True: nothing may be sent; where is the client's own path (may be empty), why is in words. */
bool conversion_refused(const struct conversion *c, struct str *where, struct str *why);
/* It was refused for what the upstream's dialect lacks; else there is something wrong in it. */
bool conversion_uncarried(const struct conversion *c);
/* "metadata, messages[0].name": what was lost; empty: nothing. */
struct str conversion_lossy(const struct conversion *c);

/* Bytes that it holds; of NULL 0. */
size_t conversion_memory(const struct conversion *c);

/* One event of the upstream's stream (its data). What the client gets is appended to out. False:
 * it cannot be read, or is more than can be held. */
bool conversion_event(struct conversion *c, struct str data, struct buf *out) MUST_CHECK;
/* The stream is complete: the client's last events, with this usage. False: it is no answer, for
 * its vendor has not said why it stopped, or see conversion_problem. */
bool conversion_end(struct conversion *c, const struct usage *u, struct buf *out) MUST_CHECK;
/* It ends here as one that reached max_tokens. */
void conversion_limit(struct conversion *c, const struct usage *u, struct buf *out);
/* Its stream fails: the client's last event says so. */
void conversion_fail(struct conversion *c, enum framing f, const struct problem *p,
                     struct buf *out);
/* What is written from here on waits; a failure will come instead of it, if at all. */
void conversion_hold(struct conversion *c);
/* A keep-alive, where the client's dialect has one. */
void conversion_ping(struct conversion *c, struct buf *out);
/* A whole reply; false: it is not what its dialect says. */
bool conversion_whole(struct conversion *c, struct str body, const struct usage *u,
                      struct buf *out);
/* What the model has done wrong, where its reply is no answer for that reason; else NULL. */
const struct problem *conversion_problem(const struct conversion *c);

#define CONVERSION_FIELDS 192 /* at most so many */
/* The names of what a route may allow to be lost, in the order of its bits; how many. */
size_t conversion_fields(const char *names[CONVERSION_FIELDS]);

#endif
