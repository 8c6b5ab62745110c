/* SPDX-License-Identifier: Apache-2.0 */
/* One event loop, its listener and everything that lives on it. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "relay/relay_int.h"

#define SWEEP_MS 5000

static void on_sweep(struct timer *t)
{
    struct lane *l = CONTAINER(t, struct lane, sweep);

    pool_sweep(l->pool);
    wheel_set(loop_timers(l->loop), t, loop_now_ms(l->loop) + SWEEP_MS);
}

struct config *lane_config(struct lane *l)
{
    unsigned number = atomic_load(&l->station->config_number);

    if (l->config == NULL || l->config_number != number) {
        config_unref(l->config);
        l->config = station_config(l->station);
        l->config_number = number;
    }
    return l->config;
}

static void send_outbox(struct task *t)
{
    struct lane *l = CONTAINER(t, struct lane, send_outbox);
    ledger_send(l->station->ledger, &l->outbox);
}

bool lane_submit(struct lane *l, struct ledger_op *op)
{
    bool was_empty = l->outbox.first == NULL;
    bool taken = ledger_gather(l->station->ledger, &l->outbox, op);

    /* A read goes to its reader at once: what was taken need not be in the box. */
    if (was_empty && l->outbox.first != NULL) {
        loop_defer(l->loop, &l->send_outbox);
    }
    return taken;
}

static bool open_admin(struct lane *l, struct str address, struct err *e)
{
    int inherited = l->station->inherited.admin;

    if (l->station->inherited.listen_count > 0 && inherited >= 0) {
        l->admin = listener_adopt(l->loop, inherited, NULL, session_accept_admin, l, e);
    } else if (listener_probe(address, e)) {
        l->admin = listener_open(l->loop, address, NULL, session_accept_admin, l, e);
    }
    return l->admin != NULL;
}

static bool add_listener(struct lane *l, struct listener *s)
{
    l->listeners[l->listener_count] = s;
    l->listener_count += s != NULL;
    return s != NULL;
}

/* Who waits in the queue of a socket that nobody takes over would be lost: all are dealt out. */
static bool inherit_listeners(struct lane *l, unsigned number, struct err *e)
{
    const struct station *st = l->station;
    bool ok = true;

    for (unsigned i = number; ok && i < st->inherited.listen_count; i += st->lanes) {
        ok = add_listener(
            l, listener_adopt(l->loop, st->inherited.listen[i], st->tls, session_accept, l, e));
    }
    return ok;
}

/* The first lane makes sure that nobody else has the port: the lanes themselves share it. */
static bool open_listeners(struct lane *l, unsigned number, struct err *e)
{
    const struct config *c = lane_config(l);
    bool ok = inherit_listeners(l, number, e);

    if (ok && l->listener_count == 0) {
        ok = (number > 0 || listener_probe(c->listen, e)) &&
             add_listener(l,
                          listener_open(l->loop, c->listen, l->station->tls, session_accept, l, e));
    }
    if (ok && number == 0 && c->admin.n > 0) {
        ok = open_admin(l, c->admin, e);
    }
    return ok;
}

static void close_listeners(struct lane *l)
{
    bool leave = atomic_load(&l->station->yielded);
    void (*end)(struct listener *s) = leave ? listener_leave : listener_close;

    while (l->listener_count > 0) {
        end(l->listeners[--l->listener_count]);
    }
    end(l->admin);
    l->admin = NULL;
}

void lane_sockets(const struct lane *l, struct sockets *out)
{
    for (unsigned i = 0; i < l->listener_count && out->listen_count < LIMIT_LANES; i++) {
        out->listen[out->listen_count++] = listener_fd(l->listeners[i]);
    }
    if (l->admin != NULL) {
        out->admin = listener_fd(l->admin);
    }
}

struct lane *lane_new(struct station *st, unsigned number, struct err *e)
{
    struct lane *l = calloc(1, sizeof(*l));

    assert(l != NULL);
    l->station = st;
    list_init(&l->sessions);
    l->random.state = (uint64_t)clock_mono_ns() + number;
    l->loop = loop_new(e);
    if (l->loop == NULL) {
        free(l);
        return NULL;
    }
    l->pool = pool_new(l->loop);
    l->guesses = guesses_new();
    l->code_guesses = guesses_new();
    l->send_outbox.run = send_outbox;
    l->sweep.fire = on_sweep;
    wheel_set(loop_timers(l->loop), &l->sweep, loop_now_ms(l->loop) + SWEEP_MS);
    if (!open_listeners(l, number, e)) {
        lane_free(l);
        return NULL;
    }
    return l;
}

/* Sessions between two requests have nothing to finish; in a hurry nobody has. But a client that
 * was not told sends its next request any moment. */
static void close_sessions(struct lane *l, bool all)
{
    bool idle = !atomic_load(&l->station->lingers);

    struct list *n = l->sessions.next;

    while (n != &l->sessions) {
        struct session *s = CONTAINER(n, struct session, link);
        n = n->next;
        if (all && s->req != NULL) {
            request_stop(s->req);
        } else if (all || (idle && s->req == NULL && s->out.n == 0)) {
            session_close(s);
        }
    }
}

void lane_run(struct lane *l)
{
    while (!atomic_load(&l->station->draining)) {
        loop_step(l->loop, 200);
    }
    close_listeners(l);
    while (l->session_count > 0 || l->request_count > 0) {
        close_sessions(l, atomic_load(&l->station->hurried));
        loop_step(l->loop, 50);
    }
    loop_step(l->loop, 0);
    atomic_fetch_sub(&l->station->lanes_running, 1);
}

static void woken(struct task *t)
{
    (void)t;
}

void lane_wake(struct lane *l)
{
    l->wake.run = woken;
    loop_post(l->loop, &l->wake);
}

void lane_free(struct lane *l)
{
    close_listeners(l);
    wheel_cancel(loop_timers(l->loop), &l->sweep);
    pool_free(l->pool);
    guesses_free(l->guesses);
    guesses_free(l->code_guesses);
    config_unref(l->config);
    loop_free(l->loop);
    free(l);
}

unsigned lane_port(const struct lane *l)
{
    return listener_port(l->listeners[0]);
}
