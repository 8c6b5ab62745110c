/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/list.h"

#define FRESH_MS 100

struct idle {
    struct list link;
    struct pool_host *host;
    struct conn *conn;
    int64_t since_ms;
};

struct pool_host {
    struct list idle; /* newest last */
    unsigned count;
    struct tls_client *tls;
};

struct pool {
    struct loop *loop;
    struct pool_host **hosts; /* by number; NULL: not used yet */
    unsigned host_count;
    char scratch[POOL_SCRATCH];
};

struct pool *pool_new(struct loop *l)
{
    struct pool *p = calloc(1, sizeof(*p));

    assert(p != NULL);
    p->loop = l;
    return p;
}

static void make_room(struct pool *p, unsigned count)
{
    struct pool_host **hosts = calloc(count, sizeof(*hosts));

    assert(hosts != NULL);
    if (p->host_count > 0) {
        memcpy(hosts, p->hosts, p->host_count * sizeof(*hosts));
    }
    free(p->hosts);
    p->hosts = hosts;
    p->host_count = count;
}

static struct pool_host *host_of(struct pool *p, const struct upstream *u)
{
    if (u->host_number >= p->host_count) {
        make_room(p, u->host_number + 16);
    }
    struct pool_host *h = p->hosts[u->host_number];
    if (h == NULL) {
        h = calloc(1, sizeof(*h));
        assert(h != NULL);
        list_init(&h->idle);
        p->hosts[u->host_number] = h;
    }
    return h;
}

static void idle_end(struct idle *i, bool close)
{
    list_remove(&i->link);
    i->host->count--;
    if (close) {
        conn_close(i->conn);
    }
    free(i);
}

/* Whatever happens on an idle connection means that it is of no more use. */
static void idle_event(void *owner, unsigned events)
{
    (void)events;
    struct idle *i = owner;
    if (!conn_quiet(i->conn)) {
        idle_end(i, true);
    }
}

struct conn *pool_take(struct pool *p, const struct upstream *u)
{
    struct pool_host *h = host_of(p, u);

    while (!list_empty(&h->idle)) {
        struct idle *i = CONTAINER(h->idle.prev, struct idle, link);
        struct conn *c = i->conn;
        /* The kernel is not asked about what was put here a moment ago: of a close that is not
         * known yet the loop hears, and a request that meets one goes out once more. */
        bool fresh = loop_now_ms(p->loop) - i->since_ms < FRESH_MS;
        bool alive = (fresh && conn_seems_quiet(c)) || conn_quiet(c);

        idle_end(i, !alive);
        if (alive) {
            return c;
        }
    }
    return NULL;
}

void pool_put(struct pool *p, const struct upstream *u, struct conn *c)
{
    struct pool_host *h = host_of(p, u);
    struct idle *i = h->count < LIMIT_POOL_IDLE ? malloc(sizeof(*i)) : NULL;

    if (i == NULL) {
        conn_close(c);
        return;
    }
    *i = (struct idle){.host = h, .conn = c, .since_ms = loop_now_ms(p->loop)};
    list_init(&i->link);
    list_push(&h->idle, &i->link);
    h->count++;
    conn_own(c, idle_event, i);
}

/* Closes what has been idle since limit_ms or longer. */
static void close_idle(struct pool_host *h, int64_t limit_ms)
{
    while (!list_empty(&h->idle)) {
        struct idle *oldest = CONTAINER(h->idle.next, struct idle, link);
        if (oldest->since_ms > limit_ms) {
            return;
        }
        idle_end(oldest, true);
    }
}

void pool_sweep(struct pool *p)
{
    for (unsigned i = 0; i < p->host_count; i++) {
        if (p->hosts[i] != NULL) {
            close_idle(p->hosts[i], loop_now_ms(p->loop) - LIMIT_POOL_IDLE_MS);
        }
    }
}

void pool_free(struct pool *p)
{
    for (unsigned i = 0; i < p->host_count; i++) {
        if (p->hosts[i] != NULL) {
            close_idle(p->hosts[i], INT64_MAX);
            tls_client_free(p->hosts[i]->tls);
            free(p->hosts[i]);
        }
    }
    free(p->hosts);
    free(p);
}

struct tls_client *pool_tls(struct pool *p, const struct upstream *u, bool *failed)
{
    struct pool_host *h = host_of(p, u);
    char ca[1024];

    *failed = false;
    if (!u->tls || h->tls != NULL) {
        return u->tls ? h->tls : NULL;
    }
    *failed = u->ca.n >= sizeof(ca);
    if (!*failed) {
        memcpy(ca, u->ca.p != NULL ? u->ca.p : "", u->ca.n);
        ca[u->ca.n] = '\0';
        h->tls = tls_client_new(u->host, u->ca.n > 0 ? ca : NULL, NULL);
        *failed = h->tls == NULL;
    }
    return h->tls;
}

struct loop *pool_loop(struct pool *p)
{
    return p->loop;
}

char *pool_scratch(struct pool *p)
{
    return p->scratch;
}
