/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt at a channel, and everything that decides it. The choice is pure. Health is shared by
 * all lanes and kept by name, so that a reload keeps it. Pools and exchanges belong to one lane's
 * loop. An exchange is embedded in its request: exchange_start, then events, then exactly one of
 * end or fail (or exchange_abort by the owner, after which no event follows).
 */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include <stdatomic.h>

#include "config/config.h"
#include "http/http.h"
#include "io/io.h"

#define FAILURES(X) \
    X(NONE)         \
    X(REQUEST)      \
    X(KEY) X(QUOTA) X(RATE) X(MODEL) X(OVERLOAD) X(VENDOR) X(DIAL) X(CUT) X(SILENT) X(BAD_REPLY)
#define FAILURE_ENUM(name) FAILURE_##name,
enum failure { FAILURES(FAILURE_ENUM) FAILURE_COUNT };

/* The one table that attributes a failed attempt and alone decides what follows. */
struct failure_row {
    const char *name;
    const char *fault; /* whose: client, key, quota, model, channel, vendor, network */
    bool retry;        /* another channel may do better */
    int32_t
        cooldown_ms; /* how long the channel rests, unless Retry-After or cooldown: say otherwise */
    uint16_t status; /* what the client sees; 0: the vendor's own status and body */
    const char *code, *text;
};
const struct failure_row *failure_row(enum failure f);
/* Attributes a vendor's error reply by status and, where that is ambiguous, by the words of the
 * body. */
enum failure failure_of_reply(unsigned status, struct str body);
/* Retry-After in seconds or retry-after-ms, as milliseconds, capped; -1 when absent or not a
 * number. */
int64_t failure_retry_after_ms(const struct head *h, const char *base);

struct health {
    atomic_int_fast64_t rest_until_ms; /* monotonic */
    atomic_uint_fast64_t minute_count; /* of an upstream key's rpm: minute << 32 | requests in it */
};
/* Gives each route the health of its channels, which a reload keeps, and each upstream the
 * number of its host. Before the configuration is in force; any thread. */
void channels_prepare(struct config *c);

/*
 * What of an upstream's budget is used in the window that is open: by name, kept over reloads. A
 * window never goes back: after a clock was set back, what is used counts in the later one.
 */
struct spend_window {
    int64_t from_us, until_us; /* until_us: INT64_MAX where it has no end */
};
/* The window of that time; false: the budget has expired, or the upstream has none. */
bool spend_window(const struct upstream_budget *b, int64_t wall_us, struct spend_window *out);
#define SPEND_NEVER (-1)
/* Milliseconds until it may be used again; 0: now; SPEND_NEVER: not until its budget changes. */
int64_t spend_wait_ms(const struct upstream *u, int64_t wall_us);
/* A request goes to a vendor now, in the window that is open: never an earlier one than another was
 * in. One more of a budget of requests; false: nothing is left of it, or it has expired. */
bool spend_take(const struct upstream *u, int64_t wall_us, struct spend_window *out) MUST_CHECK;
/* Units more, or (negative) given back, of the window that began there. */
void spend_add(const struct upstream *u, int64_t from_us, int64_t units);
/* As the store has it, of a window that nobody counts in yet. */
void spend_load(const struct upstream *u, int64_t from_us, int64_t units);
/* Of the window of that time: ten-thousandths of the budget, at most INT32_MAX; and the highest
 * percentage that was warned of in it, or 0. */
unsigned spend_used(const struct upstream *u, int64_t wall_us, unsigned *warned);
/* Gives each upstream that has a budget its counter, once: before the configuration is in force. */
void spends_prepare(struct config *c);

struct channel {
    const struct route *route;
    const struct upstream *upstream;
    unsigned key;
    struct str model;
    struct health *health;
};
/* What a choice depends on, all of it. */
struct choice {
    const struct model *model;
    const uint32_t *dialects;    /* a mask per route */
    uint32_t own, others;        /* dialects that pass as they are; those that are converted to */
    const int64_t *spent_ms;     /* per route: not 0 where its upstream's budget is spent */
    struct health *const *tried; /* channels that are not to be chosen again */
    unsigned tried_count;
    int64_t now_ms;
    uint64_t random;
};
/*
 * Lowest priority first; at the same priority those that speak the client's own dialect; weight
 * within that. Tried and resting channels are left out, and routes whose budget is spent. False:
 * none; *rest_ms says when the first resting one is back (0: there is none at all).
 */
bool channel_choose(const struct choice *by, struct channel *out, int64_t *rest_ms);

/* An attempt goes out: counts it against the key's rpm. */
void channel_count(const struct channel *c, int64_t now_ms);

struct pool;
struct pool *pool_new(struct loop *l);
void pool_free(struct pool *p);
void pool_sweep(struct pool *p); /* closes what was idle for LIMIT_POOL_IDLE_MS */

struct exchange;
struct exchange_events {
    /* The reply's head; valid during the call. */
    void (*head)(void *owner, const struct head *h, const char *base);
    void (*body)(void *owner, const char *p, size_t n);
    void (*end)(void *owner);
    void (*fail)(void *owner, enum failure f, const char *why);
};

enum exchange_state { EX_IDLE, EX_DIAL, EX_WRITE, EX_HEAD, EX_BODY, EX_DONE };

struct exchange {
    struct pool *pool;
    struct conn *conn;
    const struct upstream *upstream;
    const struct exchange_events *events;
    void *owner;
    struct iovec out[2];
    struct h1 h1;
    struct head *head;
    struct buf in; /* the reply's head */
    struct timer timer;
    uint8_t state;
    bool reused, paused, feeding, aborted, answered;
};
/* head and body are borrowed until the reply's head arrives. dial: not over an idle connection. */
void exchange_start(struct exchange *x, struct pool *p, const struct upstream *u, bool dial,
                    struct str head, struct str body, const struct exchange_events *events,
                    void *owner);
void exchange_pause(struct exchange *x);
void exchange_resume(struct exchange *x);
void exchange_abort(struct exchange *x);

#endif
