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

struct lane *lane_new(struct station *st, unsigned number, struct err *e)
{
    struct lane *l = calloc(1, sizeof(*l));
    struct config *c = atomic_load(&st->config);

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
    l->listener = listener_open(l->loop, c->listen, st->tls, session_accept, l, e);
    if (l->listener == NULL) {
        pool_free(l->pool);
        loop_free(l->loop);
        free(l);
        return NULL;
    }
    l->sweep.fire = on_sweep;
    wheel_set(loop_timers(l->loop), &l->sweep, loop_now_ms(l->loop) + SWEEP_MS);
    return l;
}

/* Sessions between two requests have nothing to finish. */
static void close_idle(struct lane *l)
{
    struct list *n = l->sessions.next;

    while (n != &l->sessions) {
        struct session *s = CONTAINER(n, struct session, link);
        n = n->next;
        if (s->req == NULL && s->out.n == 0) {
            session_abort(s);
        }
    }
}

void lane_run(struct lane *l)
{
    while (!atomic_load(&l->station->draining)) {
        loop_step(l->loop, 200);
    }
    listener_close(l->listener);
    l->listener = NULL;
    while (l->session_count > 0 || l->request_count > 0) {
        close_idle(l);
        loop_step(l->loop, 50);
    }
    loop_step(l->loop, 0);
}

void lane_free(struct lane *l)
{
    if (l->listener != NULL) {
        listener_close(l->listener);
    }
    wheel_cancel(loop_timers(l->loop), &l->sweep);
    pool_free(l->pool);
    loop_free(l->loop);
    free(l);
}

struct loop *lane_loop(struct lane *l)
{
    return l->loop;
}

unsigned lane_port(const struct lane *l)
{
    return listener_port(l->listener);
}
