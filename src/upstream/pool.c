/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/pool.h"

#include <assert.h>
#include <stdlib.h>

#include "base/list.h"

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
    struct map *hosts;
    char scratch[POOL_SCRATCH];
};

struct pool *pool_new(struct loop *l)
{
    struct pool *p = calloc(1, sizeof(*p));

    assert(p != NULL);
    p->loop = l;
    p->hosts = map_new();
    return p;
}

static struct pool_host *host_of(struct pool *p, const struct upstream *u)
{
    struct buf name;

    buf_init(&name, 2048);
    buf_addf(&name, "%.*s:%u %d %.*s", STR_ARG(u->host), u->port, u->tls, STR_ARG(u->ca));
    struct pool_host *h = map_get(p->hosts, buf_str(&name));
    if (h == NULL) {
        h = calloc(1, sizeof(*h));
        assert(h != NULL);
        list_init(&h->idle);
        map_put(p->hosts, buf_str(&name), h);
    }
    buf_release(&name);
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
        bool alive = conn_quiet(c);

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

void pool_sweep(struct pool *p)
{
    size_t at = 0;
    struct str name;
    void *value;
    int64_t limit = loop_now_ms(p->loop) - LIMIT_POOL_IDLE_MS;

    while (map_next(p->hosts, &at, &name, &value)) {
        struct pool_host *h = value;
        while (!list_empty(&h->idle) &&
               CONTAINER(h->idle.next, struct idle, link)->since_ms <= limit) {
            idle_end(CONTAINER(h->idle.next, struct idle, link), true);
        }
    }
}

void pool_free(struct pool *p)
{
    size_t at = 0;
    struct str name;
    void *value;

    while (map_next(p->hosts, &at, &name, &value)) {
        struct pool_host *h = value;
        while (!list_empty(&h->idle)) {
            idle_end(CONTAINER(h->idle.next, struct idle, link), true);
        }
        tls_client_free(h->tls);
        free(h);
    }
    map_free(p->hosts);
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
