/* SPDX-License-Identifier: Apache-2.0 */
/* The server of the simulated vendor: connections, requests one after the other, paced answers. */
#include "sim/sim.h"

#include <stdlib.h>

#include "http/http.h"
#include "sim/reply.h"

#define READ_BYTES (16 * 1024)
#define OUT_HIGH (64 * 1024) /* unsent bytes at which no further event is made */

struct sim {
    struct loop *loop;
    struct listener *listener;
    struct list peers;
    struct sim_options defaults;
    struct zoo *zoo;
};

enum peer_state { PEER_HEAD, PEER_BODY, PEER_DELAY, PEER_STREAM, PEER_FLUSH };

struct peer {
    struct list link;
    struct sim *sim;
    struct conn *conn;
    struct timer timer;
    struct h1 h1;
    struct head head;
    struct buf in, body, out;
    size_t fed; /* bytes of `in` that the parser has seen */
    size_t sent;
    struct reply reply;
    int64_t due_ms; /* when what comes next goes out */
    uint8_t state;
    bool keep, cut;
};

static void peer_take_body(void *ctx, const char *p, size_t n)
{
    struct peer *c = ctx;
    buf_add(&c->body, str_slice(p, n));
}

static void peer_next(struct peer *c)
{
    reply_release(&c->reply);
    buf_clear(&c->body);
    buf_clear(&c->out);
    c->sent = 0;
    c->fed = 0;
    c->cut = false;
    c->state = PEER_HEAD;
    c->head = (struct head){0};
    h1_init(&c->h1, true, &c->head, peer_take_body, c);
}

static void peer_free(struct peer *c)
{
    wheel_cancel(loop_timers(c->sim->loop), &c->timer);
    conn_close(c->conn);
    list_remove(&c->link);
    reply_release(&c->reply);
    buf_release(&c->in);
    buf_release(&c->body);
    buf_release(&c->out);
    free(c);
}

/* False when the connection is gone. */
static bool peer_write(struct peer *c)
{
    while (c->sent < c->out.n) {
        struct iovec v = {c->out.p + c->sent, c->out.n - c->sent};
        ssize_t n = conn_write(c->conn, &v, 1);
        if (n == IO_AGAIN) {
            return true;
        }
        if (n < 0) {
            peer_free(c);
            return false;
        }
        c->sent += (size_t)n;
    }
    buf_clear(&c->out);
    c->sent = 0;
    return true;
}

/* A script keeps to its times, however coarse the timers are; what has none paces itself. */
static void peer_wait(struct peer *c, bool first)
{
    int64_t now = loop_now_ms(c->sim->loop);

    c->due_ms = (first || c->reply.script == NULL ? now : c->due_ms) + reply_wait(&c->reply);
}

static void peer_sleep(struct peer *c)
{
    wheel_set(loop_timers(c->sim->loop), &c->timer, c->due_ms);
}

static void write_head(struct peer *c, size_t length)
{
    struct reply *r = &c->reply;
    buf_addf(&c->out, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\n", r->status, http_reason(r->status),
             reply_type(r));
    buf_add(&c->out, r->script != NULL ? buf_str(&r->script->head) : STR("x-request-id: sim\r\n"));
    if (r->script != NULL) {
        /* It has said all that a vendor says. */
    } else if (r->status == 429 || r->status == 503) {
        buf_add(&c->out, STR("Retry-After: 1\r\n"));
    }
    if (!c->keep) {
        buf_add(&c->out, STR("Connection: close\r\n"));
    }
    if (r->stream) {
        buf_add(&c->out, STR("Transfer-Encoding: chunked\r\n\r\n"));
    } else {
        buf_addf(&c->out, "Content-Length: %zu\r\n\r\n", length);
    }
}

/* One event as a chunk, or the last chunk; true when there is more to come. */
static bool stream_step(struct peer *c)
{
    struct buf event;
    buf_init(&event, 1 << 20);
    bool more = true;
    if (c->reply.o.cut > 0 && c->reply.events >= c->reply.o.cut) {
        c->cut = true;
        more = false;
    } else if (reply_event(&c->reply, &event)) {
        buf_addf(&c->out, "%zx\r\n", event.n);
        buf_add(&c->out, buf_str(&event));
        buf_add(&c->out, STR("\r\n"));
    } else {
        buf_add(&c->out, STR("0\r\n\r\n"));
        more = false;
    }
    buf_release(&event);
    return more;
}

static void write_whole(struct peer *c)
{
    struct buf body;
    buf_init(&body, 4 << 20);
    reply_whole(&c->reply, &body);
    write_head(c, body.n);
    c->cut = c->reply.status == 200 && c->reply.o.cut > 0;
    buf_add(&c->out, c->cut ? str_slice(body.p, body.n / 2) : buf_str(&body));
    buf_release(&body);
}

/* A timer says when its events go out. */
static bool paced(const struct peer *c)
{
    return c->reply.script != NULL || c->reply.o.delay_ms > 0;
}

/* Writes what can be written; true when the answer is out and the connection goes on. */
static bool peer_flush(struct peer *c)
{
    while (c->state == PEER_STREAM) {
        if (paced(c)) {
            break;
        }
        while (c->state == PEER_STREAM && c->out.n < OUT_HIGH) {
            c->state = stream_step(c) ? PEER_STREAM : PEER_FLUSH;
        }
        if (!peer_write(c)) {
            return false;
        }
        if (c->out.n > 0) {
            return false;
        }
    }
    if (!peer_write(c) || c->out.n > 0 || c->state != PEER_FLUSH) {
        return false;
    }
    if (c->cut || !c->keep) {
        peer_free(c);
        return false;
    }
    peer_next(c);
    return true;
}

static void peer_late(struct timer *t)
{
    struct peer *c = CONTAINER(t, struct peer, timer);
    if (c->state == PEER_DELAY) {
        write_whole(c);
        c->state = PEER_FLUSH;
    } else {
        bool more = true;
        while (more && c->out.n < OUT_HIGH && c->due_ms <= loop_now_ms(c->sim->loop)) {
            more = stream_step(c);
            peer_wait(c, false);
        }
        if (more) {
            peer_sleep(c);
        } else {
            c->state = PEER_FLUSH;
        }
    }
    if (peer_flush(c)) {
        conn_again(c->conn);
    }
}

static void peer_answer(struct peer *c)
{
    /* The head's bytes stand at the start of `in`. */
    struct str target = head_target(&c->head, c->in.p);
    reply_plan(&c->reply, c->sim->zoo, c->head.method, target, buf_str(&c->body),
               &c->sim->defaults);
    c->keep = c->head.keep_alive;
    buf_consume(&c->in, c->fed);
    c->fed = 0;
    c->reply.target.model = STR("");
    if (c->reply.stream) {
        write_head(c, 0);
        c->state = PEER_STREAM;
    } else if (reply_wait(&c->reply) > 0) {
        c->state = PEER_DELAY;
    } else {
        write_whole(c);
        c->state = PEER_FLUSH;
    }
    if (paced(c) && c->state != PEER_FLUSH) {
        peer_wait(c, true);
        peer_sleep(c);
    }
}

/* Feeds what was read; true when a whole request is there. */
static bool peer_parse(struct peer *c)
{
    while (c->fed < c->in.n && c->h1.state != H1_DONE && c->h1.state != H1_ERROR) {
        size_t n = h1_feed(&c->h1, c->in.p, c->in.p + c->fed, c->in.n - c->fed);
        c->fed += n;
        if (n == 0) {
            break;
        }
        if (c->h1.state == H1_BODY && c->state == PEER_HEAD) {
            c->state = PEER_BODY;
            if (c->head.expect_continue) {
                buf_add(&c->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
            }
        }
    }
    return c->h1.state == H1_DONE;
}

static void peer_read(struct peer *c)
{
    while (c->state == PEER_HEAD || c->state == PEER_BODY) {
        if (peer_parse(c)) {
            peer_answer(c);
            if (!peer_flush(c)) {
                return;
            }
            continue;
        }
        if (c->out.n > 0 && !peer_write(c)) {
            return;
        }
        char *at = c->h1.state == H1_ERROR ? NULL : buf_reserve(&c->in, READ_BYTES);
        ssize_t n = at == NULL ? IO_FAIL : conn_read(c->conn, at, READ_BYTES);
        if (n == IO_AGAIN) {
            return;
        }
        if (n <= 0) {
            peer_free(c);
            return;
        }
        c->in.n += (size_t)n;
    }
}

static void peer_event(void *owner, unsigned events)
{
    struct peer *c = owner;
    if (events & IO_FAILED) {
        peer_free(c);
        return;
    }
    if (c->state >= PEER_STREAM && (events & IO_WRITABLE) && !peer_flush(c)) {
        return;
    }
    if ((c->state == PEER_HEAD || c->state == PEER_BODY)) {
        peer_read(c);
    }
}

static void sim_accept(void *ctx, struct conn *conn)
{
    struct sim *s = ctx;
    struct peer *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        conn_close(conn);
        return;
    }
    c->sim = s;
    c->conn = conn;
    c->timer.fire = peer_late;
    buf_init(&c->in, LIMIT_HEAD_BYTES + LIMIT_BODY_BYTES);
    buf_init(&c->body, LIMIT_BODY_BYTES);
    buf_init(&c->out, 8 << 20);
    list_push(&s->peers, &c->link);
    peer_next(c);
    conn_own(conn, peer_event, c);
    conn_again(conn);
}

struct sim *sim_start(struct loop *l, struct str address, const struct sim_options *o,
                      struct err *e)
{
    if (!listener_probe(address, e)) {
        return NULL;
    }
    struct sim *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        abort();
    }
    s->loop = l;
    s->defaults = o != NULL ? *o : (struct sim_options){.tokens = 16};
    s->zoo = zoo_new(s->defaults.seed);
    list_init(&s->peers);
    s->listener = listener_open(l, address, NULL, sim_accept, s, e);
    if (s->listener == NULL) {
        zoo_free(s->zoo);
        free(s);
        return NULL;
    }
    return s;
}

unsigned sim_port(const struct sim *s)
{
    return listener_port(s->listener);
}

void sim_stop(struct sim *s)
{
    listener_close(s->listener);
    while (!list_empty(&s->peers)) {
        peer_free(CONTAINER(s->peers.next, struct peer, link));
    }
    zoo_free(s->zoo);
    free(s);
}
