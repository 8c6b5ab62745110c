/* SPDX-License-Identifier: Apache-2.0 */
/* Outgoing connections: resolve, connect to one address after the other, then the TLS handshake. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/io_int.h"

enum dial_state { DIAL_ASKING, DIAL_CONNECTING, DIAL_SHAKING, DIAL_FAILED };

struct dial {
    struct task task; /* to a worker and back, while DIAL_ASKING */
    struct list link; /* in the loop's list `asking` meanwhile */
    struct timer timer;
    struct loop *loop;
    struct conn *conn; /* NULL: closed while a worker still had the task */
    struct tls_client *tls;
    const char *why; /* the worker's reason when it found nothing */
    int64_t deadline_ms;
    unsigned port;
    unsigned next; /* of the addresses */
    enum dial_state state;
    struct addresses addresses;
    char host[HOST_MAX + 1];
};

/* Takes the dial off its connection. A worker that still holds it gives it back later. */
void dial_abandon(struct conn *c)
{
    struct dial *d = c->dial;

    c->dial = NULL;
    wheel_cancel(&c->loop->timers, &d->timer);
    if (list_empty(&d->link)) {
        free(d);
    } else {
        d->conn = NULL;
    }
}

/* The workers are stopped by now, or never had the task. */
void dial_free_asking(struct loop *l)
{
    while (!list_empty(&l->asking)) {
        struct dial *d = CONTAINER(l->asking.next, struct dial, link);
        list_remove(&d->link);
        free(d);
    }
}

static void dial_hang_up(struct conn *c)
{
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    c->hung_up = false;
}

static void dial_end(struct conn *c, unsigned event)
{
    dial_abandon(c);
    if (c->fn != NULL) {
        c->fn(c->owner, event);
    }
}

/* Starts with the next address that lets itself be tried; false when there is none left. */
static bool dial_try(struct conn *c)
{
    struct dial *d = c->dial;

    dial_hang_up(c);
    d->state = DIAL_CONNECTING;
    while (d->next < d->addresses.count) {
        union address *a = &d->addresses.at[d->next++];
        int64_t left_ms = d->deadline_ms - c->loop->now_ms;
        int64_t share_ms = left_ms / (int64_t)(d->addresses.count - d->next + 1);

        address_set_port(a, d->port);
        c->fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (c->fd >= 0) {
            conn_tune(c->fd);
            if ((connect(c->fd, &a->any, address_size(a)) == 0 || errno == EINPROGRESS) &&
                conn_watch(c)) {
                wheel_set(&c->loop->timers, &d->timer, c->loop->now_ms + share_ms);
                return true;
            }
        }
        c->error = conn_errno_text(errno);
        dial_hang_up(c);
    }
    d->state = DIAL_FAILED;
    return false;
}

static void dial_try_or_fail(struct conn *c)
{
    if (!dial_try(c)) {
        dial_end(c, IO_FAILED);
    }
}

static void dial_late(struct timer *t)
{
    struct dial *d = CONTAINER(t, struct dial, timer);
    struct conn *c = d->conn;

    if (d->state == DIAL_SHAKING) {
        c->error = "TLS handshake timed out";
        dial_end(c, IO_FAILED);
    } else if (d->state == DIAL_ASKING) {
        c->error = "host name could not be resolved in time";
        dial_end(c, IO_FAILED);
    } else {
        c->error = conn_errno_text(ETIMEDOUT);
        dial_try_or_fail(c);
    }
}

static void dial_shake(struct conn *c)
{
    int done = tls_handshake(c);

    if (done < 0) {
        dial_end(c, IO_FAILED);
    } else if (done > 0) {
        /* Bytes behind the handshake may be in the SSL already; no edge will tell of them. */
        conn_again(c);
        dial_end(c, IO_CONNECTED);
    }
}

static void dial_connected(struct conn *c, unsigned events)
{
    struct dial *d = c->dial;

    if (d->tls == NULL) {
        /* The edge that brought the first bytes is this one. */
        if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) {
            conn_again(c);
        }
        dial_end(c, IO_CONNECTED);
        return;
    }
    if (!tls_attach_client(c, d->tls)) {
        c->error = "no memory for TLS";
        dial_end(c, IO_FAILED);
        return;
    }
    d->state = DIAL_SHAKING;
    wheel_set(&c->loop->timers, &d->timer, d->deadline_ms);
    dial_shake(c);
}

void dial_ready(struct conn *c, unsigned events)
{
    struct dial *d = c->dial;
    int number = 0;
    socklen_t n = sizeof(number);

    if (d->state == DIAL_SHAKING) {
        dial_shake(c);
        return;
    }
    if (d->state != DIAL_CONNECTING) {
        return;
    }
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &n) == 0 && number != 0) {
        c->error = conn_errno_text(number);
        dial_try_or_fail(c);
        return;
    }
    /* An event of the address before, given up by its timer in this same turn, says nothing. */
    union address peer;
    n = sizeof(peer);
    if (getpeername(c->fd, &peer.any, &n) == 0) {
        dial_connected(c, events);
    }
}

/* The next turn after a dial that failed at once: callbacks never come out of conn_dial itself. */
void dial_continue(struct conn *c)
{
    if (c->dial->state == DIAL_FAILED) {
        dial_end(c, IO_FAILED);
    }
}

static void dial_resolved(struct task *t)
{
    struct dial *d = CONTAINER(t, struct dial, task);
    struct conn *c = d->conn;

    list_remove(&d->link);
    if (c == NULL) {
        free(d);
        return;
    }
    c->error = d->why;
    dial_try_or_fail(c);
}

static void dial_resolve(struct task *t)
{
    struct dial *d = CONTAINER(t, struct dial, task);

    if (!resolve_slow(d->host, &d->addresses, &d->why)) {
        d->addresses.count = 0;
    }
    t->run = dial_resolved;
    loop_post(d->loop, t);
}

struct conn *conn_dial(struct loop *l, struct str host, unsigned port, struct tls_client *tls,
                       conn_event_fn *fn, void *owner)
{
    struct conn *c = conn_new(l, -1, "");
    struct dial *d = calloc(1, sizeof(*d));

    assert(c != NULL && d != NULL); /* a few hundred bytes; the contract has no way to say no */
    conn_own(c, fn, owner);
    c->dial = d;
    list_init(&d->link);
    d->timer.fire = dial_late;
    d->loop = l;
    d->conn = c;
    d->tls = tls;
    d->port = port;
    d->deadline_ms = l->now_ms + LIMIT_CONNECT_MS;
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        host = str_slice(host.p + 1, host.n - 2);
    }
    if (host.n == 0 || host.n > HOST_MAX || port == 0 || port > UINT16_MAX) {
        c->error = "not a host name and port";
        d->state = DIAL_FAILED;
        conn_again(c);
        return c;
    }
    memcpy(d->host, host.p, host.n);
    if (resolve_now(d->host, &d->addresses)) {
        if (!dial_try(c)) {
            conn_again(c);
        }
        return c;
    }
    d->state = DIAL_ASKING;
    wheel_set(&l->timers, &d->timer, d->deadline_ms);
    d->task.run = dial_resolve;
    list_push(&l->asking, &d->link);
    worker_run(&d->task);
    return c;
}
