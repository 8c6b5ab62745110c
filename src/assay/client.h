/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls over HTTP, one after the other; each thread has a client of its own. The key goes to the
 * host that a call names and nowhere else: redirects are not followed. Answers that say nothing of
 * what is sold (429, 5xx, a broken connection) are asked for again, a few times.
 */
#ifndef ASSAY_CLIENT_H
#define ASSAY_CLIENT_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"

enum client_auth { CLIENT_BEARER, CLIENT_X_API_KEY, CLIENT_X_GOOG_API_KEY };

struct client_call {
    struct str url, body; /* a POST of JSON; without a body a GET */
    struct str key;       /* empty: none is sent */
    enum client_auth auth;
};

struct client_answer {
    unsigned status;     /* 0: none came, and then failure says why */
    const char *failure; /* constant text, or "" */
    unsigned tries;      /* requests that were sent */
    unsigned doubtful;   /* of them: nothing came of it that says whether an answer was made */
    struct buf head;     /* "name: value\n" of the headers that are kept */
    struct buf arrivals; /* "[us,bytes],...": when so much of the body was there */
    struct buf body;     /* at most LIMIT_ASSAY_BODY bytes */
    int64_t sent_us;     /* wall clock, of the last try */
    int64_t first_us;    /* from there to the first byte of the body */
    int64_t done_us;     /* and to the last */
};

struct client;
/* stop: calls and pauses end soon after it becomes other than 0. may_send(ctx) is asked before each
 * request, also before one that is sent again: false ends the call. NULL without memory. */
struct client *client_new(const atomic_int *stop, bool (*may_send)(void *ctx), void *ctx);
void client_free(struct client *c);

void client_answer_init(struct client_answer *a);
void client_answer_release(struct client_answer *a);
/* Fills a, which was initialised; always, whatever happens. */
void client_ask(struct client *c, const struct client_call *call, struct client_answer *a);

/* http or https, a host, nothing that would change the meaning of a path put behind it. */
bool client_url_valid(struct str url, struct err *e) MUST_CHECK;
/* Of a valid one: what is sent there can be read on the way, as it is not https and leaves this
 * machine. */
bool client_url_exposed(struct str url);
/* Once, before threads are made. */
bool client_start(struct err *e) MUST_CHECK;

#endif
