/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt: dial or reuse -> write -> head -> body -> end. The state moves only forward; a
 * failure at any point closes the connection. A connection goes back to the pool only after a
 * complete reply that allows it.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/sm.h"
#include "upstream/pool.h"

static const struct sm_state states[] = {
    [EX_IDLE] = {"idle", SM_BIT(EX_DIAL) | SM_BIT(EX_WRITE) | SM_BIT(EX_DONE)},
    [EX_DIAL] = {"dial", SM_BIT(EX_WRITE) | SM_BIT(EX_DONE)},
    [EX_WRITE] = {"write", SM_BIT(EX_HEAD) | SM_BIT(EX_DONE)},
    [EX_HEAD] = {"head", SM_BIT(EX_BODY) | SM_BIT(EX_DONE)},
    [EX_BODY] = {"body", SM_BIT(EX_DONE)},
    [EX_DONE] = {"done", SM_BIT(EX_IDLE)},
};

#define HEAD_READ 8192
#define READS_PER_TURN 8 /* one fast upstream may not starve the lane's other connections */

static void deadline(struct exchange *x, int64_t ms)
{
    wheel_set(loop_timers(pool_loop(x->pool)), &x->timer, loop_now_ms(pool_loop(x->pool)) + ms);
}

static void head_release(struct exchange *x)
{
    buf_release(&x->in);
    free(x->head);
    x->head = NULL;
    x->h1.head = NULL;
}

static void finish(struct exchange *x, bool keep)
{
    wheel_cancel(loop_timers(pool_loop(x->pool)), &x->timer);
    if (x->conn != NULL && keep) {
        pool_put(x->pool, x->upstream, x->conn);
    } else if (x->conn != NULL) {
        conn_close(x->conn);
    }
    x->conn = NULL;
    head_release(x);
    sm_move(states, &x->state, EX_DONE);
}

static void fail(struct exchange *x, enum failure f, const char *why)
{
    finish(x, false);
    x->events->fail(x->owner, f, why);
}

static void on_timer(struct timer *t)
{
    struct exchange *x = CONTAINER(t, struct exchange, timer);
    fail(x, FAILURE_SILENT, "no answer in time");
}

static void on_body(void *ctx, const char *p, size_t n)
{
    struct exchange *x = ctx;
    if (!x->aborted) {
        x->events->body(x->owner, p, n);
    }
}

/* surplus: bytes nobody asked for came after the reply, so the connection is not used again; nor is
 * one that still waits for the rest of this request, or the next one would become that rest. */
static void complete(struct exchange *x, bool surplus)
{
    bool written = x->out[0].iov_len + x->out[1].iov_len == 0;

    /* llhttp_should_keep_alive looks at the framing as well as at Connection. */
    finish(x, written && !surplus && llhttp_should_keep_alive(&x->h1.ll) != 0);
    x->events->end(x->owner);
}

/* Feeds n bytes; false when the exchange is over. */
static bool feed(struct exchange *x, const char *base, const char *p, size_t n)
{
    size_t used = 0;

    while (used < n || x->h1.state == H1_DONE) {
        uint8_t before = x->h1.state;
        if (before != H1_DONE) {
            used += h1_feed(&x->h1, base, p + used, n - used);
        }
        if (x->h1.state == H1_ERROR) {
            fail(x, FAILURE_BAD_REPLY, "not HTTP/1.1");
            return false;
        }
        if (x->state == EX_HEAD && x->h1.state != H1_HEAD) {
            sm_move(states, &x->state, EX_BODY);
            x->events->head(x->owner, x->head, base);
            if (x->aborted) {
                return false;
            }
            continue;
        }
        if (x->aborted) {
            return false;
        }
        if (x->h1.state == H1_DONE) {
            complete(x, used < n);
            return false;
        }
        if (x->h1.state == H1_HEAD && used == n) {
            return true;
        }
    }
    return true;
}

static void ended_by_peer(struct exchange *x, bool clean)
{
    if (clean && x->state == EX_BODY && h1_eof(&x->h1)) {
        finish(x, false);
        x->events->end(x->owner);
        return;
    }
    fail(x, FAILURE_CUT,
         x->answered ? "closed in the middle of the reply" : "closed before a reply");
}

/* One read; false when there is nothing more to do now. */
static bool read_once(struct exchange *x)
{
    bool in_head = x->state != EX_BODY;
    struct pool *pool = x->pool;
    char *from = pool_scratch(pool);
    ssize_t n = conn_read(x->conn, from, in_head ? HEAD_READ : POOL_SCRATCH);
    if (n == IO_AGAIN) {
        return false;
    }
    if (n <= 0) {
        ended_by_peer(x, n == IO_EOF);
        return false;
    }
    x->answered = true;
    deadline(x, LIMIT_EVENT_GAP_MS);
    if (in_head) { /* the head's bytes have to stay together */
        if (!buf_add(&x->in, str_slice(from, (size_t)n))) {
            fail(x, FAILURE_BAD_REPLY, "reply head too large");
            return false;
        }
        from = x->in.p + x->in.n - (size_t)n;
    }
    if (x->state == EX_WRITE) {
        /* A reply before the request is out: an early error. Stop writing, read it. */
        sm_move(states, &x->state, EX_HEAD);
    }
    x->feeding = true;
    bool more = feed(x, x->in.p, from, (size_t)n);
    x->feeding = false;
    explicit_bzero(pool_scratch(pool), (size_t)n);
    if (x->aborted) {
        finish(x, false);
        return false;
    }
    if (more && in_head && x->state == EX_BODY) {
        head_release(x);
    }
    return more;
}

static void read_all(struct exchange *x)
{
    for (int i = 0; i < READS_PER_TURN; i++) {
        if (x->paused || !read_once(x)) {
            return;
        }
    }
    conn_again(x->conn);
}

static void write_some(struct exchange *x)
{
    while (x->out[0].iov_len + x->out[1].iov_len > 0) {
        bool head_done = x->out[0].iov_len == 0;
        ssize_t n = conn_write(x->conn, head_done ? &x->out[1] : x->out, head_done ? 1 : 2);

        if (n == IO_AGAIN) {
            return;
        }
        if (n < 0) {
            /* The peer may have answered before it closed. */
            read_all(x);
            return;
        }
        for (int i = 0; i < 2 && n > 0; i++) {
            size_t took = (size_t)n < x->out[i].iov_len ? (size_t)n : x->out[i].iov_len;
            x->out[i].iov_base = (char *)x->out[i].iov_base + took;
            x->out[i].iov_len -= took;
            n -= (ssize_t)took;
        }
        deadline(x, LIMIT_WRITE_MS);
    }
    sm_move(states, &x->state, EX_HEAD);
    deadline(x, LIMIT_FIRST_BYTE_MS);
}

static void on_event(void *owner, unsigned events)
{
    struct exchange *x = owner;

    if ((events & IO_FAILED) != 0) {
        if (x->state == EX_DIAL) {
            fail(x, FAILURE_DIAL, conn_error(x->conn));
        } else {
            ended_by_peer(x, false);
        }
        return;
    }
    if ((events & IO_CONNECTED) != 0 && x->state == EX_DIAL) {
        sm_move(states, &x->state, EX_WRITE);
        deadline(x, LIMIT_WRITE_MS);
    }
    if (x->state == EX_WRITE) {
        write_some(x);
    }
    if ((events & IO_READABLE) != 0 &&
        (x->state == EX_WRITE || x->state == EX_HEAD || x->state == EX_BODY)) {
        read_all(x);
    }
}

void exchange_start(struct exchange *x, struct pool *p, const struct upstream *u, bool dial,
                    struct str head, struct str body, const struct exchange_events *events,
                    void *owner)
{
    bool no_trust;

    *x = (struct exchange){.pool = p, .upstream = u, .events = events, .owner = owner};
    x->timer.fire = on_timer;
    x->out[0] = (struct iovec){(void *)(uintptr_t)head.p, head.n};
    x->out[1] = (struct iovec){(void *)(uintptr_t)body.p, body.n};
    buf_init(&x->in, LIMIT_HEAD_BYTES + 8192);
    x->head = malloc(sizeof(*x->head));
    assert(x->head != NULL);
    h1_init(&x->h1, false, x->head, on_body, x);
    x->conn = dial ? NULL : pool_take(p, u);
    x->reused = x->conn != NULL;
    if (x->reused) {
        sm_move(states, &x->state, EX_WRITE);
        deadline(x, LIMIT_WRITE_MS);
        conn_own(x->conn, on_event, x);
        write_some(x);
        return;
    }
    struct tls_client *tls = pool_tls(p, u, &no_trust);
    sm_move(states, &x->state, EX_DIAL);
    if (no_trust) {
        fail(x, FAILURE_DIAL, "the CA file cannot be read");
        return;
    }
    x->conn = conn_dial(pool_loop(p), u->host, u->port, tls, on_event, x);
    deadline(x, LIMIT_CONNECT_MS + 1000);
}

void exchange_pause(struct exchange *x)
{
    x->paused = true;
    /* The silence is ours now, and the client's own deadline bounds it. */
    wheel_cancel(loop_timers(pool_loop(x->pool)), &x->timer);
}

void exchange_resume(struct exchange *x)
{
    if (x->paused && x->state == EX_BODY) {
        x->paused = false;
        deadline(x, LIMIT_EVENT_GAP_MS);
        if (x->conn != NULL && !x->feeding) {
            conn_again(x->conn);
        }
    }
}

void exchange_abort(struct exchange *x)
{
    if (x->state == EX_IDLE || x->state == EX_DONE) {
        return;
    }
    if (x->feeding) {
        x->aborted = true; /* read_once finishes it: the parser is on the stack */
        return;
    }
    finish(x, false);
}
