/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connection: one request at a time. What follows a message waits unparsed until the
 * request has ended. Nothing here decides anything about a request.
 */
#include <assert.h>
#include <stdlib.h>

#include "relay/relay_int.h"

#define READ_BYTES 8192
#define READS_PER_TURN 8

static void set_timer(struct session *s, int64_t ms)
{
    wheel_set(loop_timers(s->lane->loop), &s->timer, loop_now_ms(s->lane->loop) + ms);
}

static void free_later(struct task *t)
{
    free(CONTAINER(t, struct session, free_task));
}

/* A client that does not take a large answer must not make room for the next one. */
static void count_out(struct session *s)
{
    size_t now = s->out.cap > LIMIT_HIGH_WATER ? s->out.cap : 0;

    if (now != s->memory_counted) {
        atomic_fetch_add(&s->lane->station->request_bytes, (long)now - (long)s->memory_counted);
        s->memory_counted = now;
    }
}

void session_close(struct session *s)
{
    struct request *r = s->req;

    if (s->dead) {
        return;
    }
    s->dead = true;
    wheel_cancel(loop_timers(s->lane->loop), &s->timer);
    uint64_t undelivered = s->out.n + conn_unsent(s->conn);
    conn_close(s->conn);
    list_remove(&s->link);
    s->lane->session_count--;
    s->req = NULL;
    if (r != NULL) {
        request_client_gone(r, undelivered);
    }
    buf_release(&s->in);
    buf_release(&s->out);
    count_out(s);
    s->free_task.run = free_later;
    loop_defer(s->lane->loop, &s->free_task);
}

static void flush(struct session *s)
{
    while (s->out.n > 0) {
        struct iovec v = {s->out.p, s->out.n};
        ssize_t n = conn_write(s->conn, &v, 1);

        if (n == IO_AGAIN) {
            return;
        }
        if (n < 0) {
            session_close(s);
            return;
        }
        buf_consume(&s->out, (size_t)n);
        set_timer(s, LIMIT_WRITE_MS);
    }
    buf_release(&s->out);
    buf_init(&s->out, 2 * LIMIT_BODY_BYTES);
    count_out(s);
    if (s->req != NULL && s->req->state <= REQ_BODY) {
        set_timer(s, s->req->config->body_ms); /* it was told to go on with its body */
    } else if (s->req != NULL) {
        wheel_cancel(loop_timers(s->lane->loop), &s->timer);
        request_drained(s->req);
    } else if (!s->closing) {
        set_timer(s, lane_config(s->lane)->idle_ms);
        conn_again(s->conn); /* the next request may wait already */
    } else if (s->drain) {
        set_timer(s, LIMIT_DRAIN_MS);
    } else {
        session_close(s);
    }
}

static void uncork(struct task *t)
{
    struct session *s = CONTAINER(t, struct session, uncork_task);

    s->corked = false;
    if (!s->dead && !s->broken && s->out.n > 0) {
        flush(s);
    }
}

void session_cork(struct session *s)
{
    if (!s->corked && s->out.n == 0) {
        s->corked = true;
        s->uncork_task.run = uncork;
        /* Before what goes to the ledger: a closing row says that its answer was handed out. */
        loop_defer_first(s->lane->loop, &s->uncork_task);
    }
}

void session_send(struct session *s, struct str a, struct str b, struct str c)
{
    struct str parts[3] = {a, b, c};
    struct iovec v[3];
    ssize_t sent = 0;

    if (s->broken || s->dead) {
        return;
    }
    if (s->out.n == 0 && !s->corked) {
        for (int i = 0; i < 3; i++) {
            v[i] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
        }
        sent = conn_write(s->conn, v, 3);
        if (sent == IO_AGAIN) {
            sent = 0;
        }
    }
    for (int i = 0; i < 3 && sent >= 0; i++) {
        size_t took = (size_t)sent < parts[i].n ? (size_t)sent : parts[i].n;
        sent -= (ssize_t)took;
        if (took < parts[i].n && !buf_add(&s->out, str_skip(parts[i], took))) {
            sent = IO_FAIL;
        }
    }
    count_out(s);
    if (sent < 0) {
        s->broken = true;
        conn_again(s->conn); /* closing here would pull the request from under its own step */
    } else if (s->out.n > 0) {
        set_timer(s, LIMIT_WRITE_MS);
    }
}

/* Reads and drops; false when there is nothing more now. */
static bool drain_some(struct session *s)
{
    char scrap[READ_BYTES];
    ssize_t n = conn_read(s->conn, scrap, sizeof(scrap));

    explicit_bzero(scrap, sizeof(scrap));
    if (n == IO_AGAIN) {
        return false;
    }
    s->drained += n > 0 ? (size_t)n : 0;
    if (n <= 0 || s->drained > LIMIT_DRAIN_BYTES) {
        session_close(s);
        return false;
    }
    return true;
}

static bool read_in(struct session *s)
{
    char scrap[READ_BYTES]; /* most connections are silent, and most heads much shorter */

    if (s->in.n - s->fed >= LIMIT_HEAD_BYTES) {
        return false; /* enough waits already */
    }
    ssize_t n = conn_read(s->conn, scrap, sizeof(scrap));
    if (n == IO_AGAIN) {
        return false;
    }
    bool ok = n > 0 && buf_add(&s->in, str_slice(scrap, (size_t)n));
    explicit_bzero(scrap, n > 0 ? (size_t)n : 0);
    if (!ok) {
        session_close(s);
    }
    return ok;
}

static void begin_request(struct session *s)
{
    s->req = request_new(s);
    h1_init(&s->h1, true, s->req->head, body_take, s->req);
    set_timer(s, s->req->config->head_ms);
}

static void feed_in(struct session *s)
{
    struct request *r = s->req;
    bool in_head = r->state == REQ_HEAD;

    s->fed += h1_feed(&s->h1, s->in.p, s->in.p + s->fed, s->in.n - s->fed);
    r->head_base = s->in.p;
    if (s->h1.state == H1_ERROR) {
        static const enum end ends[] = {
            [H1_OK] = END_MALFORMED,
            [H1_MALFORMED] = END_MALFORMED,
            [H1_HEAD_TOO_LARGE] = END_HEAD_TOO_LARGE,
            [H1_VERSION] = END_VERSION,
            [H1_AMBIGUOUS_LENGTH] = END_MALFORMED,
        };
        request_fail(r, ends[s->h1.error]);
    } else if (in_head && s->h1.state != H1_HEAD) {
        set_timer(s, r->config->body_ms);
        request_head(r);
    } else if (!in_head) {
        (void)body_sound(r);
    }
}

static bool read_body(struct session *s)
{
    struct request *r = s->req;
    char coded[READ_BYTES * 2];
    size_t most = r->coding != NULL ? sizeof(coded) : 256 * 1024;
    uint64_t left = r->head->has_length ? r->head->length - r->wire_bytes : READ_BYTES * 2;
    size_t want = left < most ? (size_t)left : most;
    char *to = r->coding != NULL ? coded : buf_reserve(&r->body, want > 0 ? want : 1);

    if (to == NULL) {
        request_fail(r, END_BODY_TOO_LARGE);
        return true;
    }
    ssize_t n = conn_read(s->conn, to, want);
    if (n == IO_AGAIN) {
        return false;
    }
    if (n <= 0) {
        session_close(s);
        return false;
    }
    size_t used = h1_feed(&s->h1, NULL, to, (size_t)n);
    if (used < (size_t)n) {
        buf_add(&s->in, str_slice(to + used, (size_t)n - used));
        r->head_base = s->in.p; /* the head may have moved */
    }
    /* What did not become part of the body: coded bytes, or the frames of chunks. */
    char *rest = r->coding != NULL ? coded : r->body.p + r->body.n;
    explicit_bzero(rest, (size_t)(to + n - rest));
    if (s->h1.state == H1_ERROR) {
        request_fail(r, END_MALFORMED);
    } else {
        (void)body_sound(r);
    }
    return true;
}

/* One step of taking bytes; false: nothing to do before the next event. */
static bool take(struct session *s)
{
    struct request *r = s->req;

    if (s->drain) {
        return drain_some(s);
    }
    if (s->closing) {
        return false;
    }
    if (r == NULL && s->in.n > 0) {
        if (s->out.n > 0) {
            return false; /* who does not read is not answered further: flush goes on */
        }
        begin_request(s);
        return true;
    }
    if (r != NULL && r->state <= REQ_BODY) {
        if (s->fed < s->in.n && s->h1.state <= H1_BODY) {
            feed_in(s);
        } else if (r->state == REQ_BODY && s->h1.state == H1_BODY) {
            if (!read_body(s)) {
                return false;
            }
        } else if (r->state == REQ_HEAD) {
            return read_in(s);
        }
        if (!s->dead && s->req == r && r->state == REQ_BODY && s->h1.state == H1_DONE) {
            wheel_cancel(loop_timers(s->lane->loop), &s->timer);
            request_body_done(r);
        }
        return true;
    }
    return read_in(s);
}

void session_run(struct session *s)
{
    for (int i = 0; i < READS_PER_TURN; i++) {
        if (s->dead || !take(s)) {
            return;
        }
    }
    if (!s->dead) {
        conn_again(s->conn);
    }
}

static void on_event(void *owner, unsigned events)
{
    struct session *s = owner;

    if (s->dead) {
        return;
    }
    if (s->broken || (events & IO_FAILED) != 0) {
        session_close(s);
        return;
    }
    if ((events & IO_WRITABLE) != 0 && s->out.n > 0) {
        flush(s);
    }
    if ((events & IO_READABLE) != 0 && !s->dead) {
        session_run(s);
    }
}

static void on_timer(struct timer *t)
{
    struct session *s = CONTAINER(t, struct session, timer);

    if (s->req != NULL && s->req->state <= REQ_BODY) {
        request_fail(s->req, END_TIMEOUT);
    } else {
        session_close(s);
    }
}

void session_forget(struct session *s)
{
    buf_consume(&s->in, s->fed);
    s->fed = 0;
    if (s->in.n == 0) {
        buf_release(&s->in);
    }
}

void session_answered(struct session *s, bool keep)
{
    bool whole = s->h1.state == H1_DONE;

    s->req = NULL;
    session_forget(s);
    if (!keep || station_closes(s->lane->station)) {
        s->closing = true;
        s->drain = !whole && s->h1.state != H1_ERROR;
        set_timer(s, s->out.n > 0 ? LIMIT_WRITE_MS : LIMIT_DRAIN_MS);
        if (!s->drain && s->out.n == 0) {
            session_close(s);
            return;
        }
    } else if (s->out.n == 0) {
        set_timer(s, lane_config(s->lane)->idle_ms);
    }
    conn_again(s->conn);
}

static void accept_one(struct lane *l, struct conn *c, bool admin)
{
    struct session *s = l->session_count < LIMIT_SESSIONS ? calloc(1, sizeof(*s)) : NULL;

    if (s == NULL || station_closes(l->station)) {
        free(s);
        conn_close(c);
        return;
    }
    s->lane = l;
    s->conn = c;
    s->admin = admin;
    if (!ip_parse(conn_peer(c), &s->peer)) {
        s->peer = (struct ip){{0}}; /* over a path in the file system */
    }
    s->timer.fire = on_timer;
    list_init(&s->link);
    list_push(&l->sessions, &s->link);
    l->session_count++;
    buf_init(&s->in, 2 * LIMIT_HEAD_BYTES + READ_BYTES);
    buf_init(&s->out, 2 * LIMIT_BODY_BYTES);
    set_timer(s, lane_config(l)->idle_ms);
    conn_own(c, on_event, s);
    conn_again(c);
}

void session_accept(void *ctx, struct conn *c)
{
    accept_one(ctx, c, false);
}

void session_accept_admin(void *ctx, struct conn *c)
{
    accept_one(ctx, c, true);
}
