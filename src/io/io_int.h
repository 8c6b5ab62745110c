/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of io/ share: the shape of a connection and of whatever epoll reports on. */
#ifndef IO_IO_INT_H
#define IO_IO_INT_H

#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>

#include "base/limits.h"
#include "base/list.h"
#include "io/io.h"

/* Something in the epoll set; the first member of its owner. ready == NULL: closed in this turn. */
struct watch {
    struct list link; /* in the loop's list `again` or `dead`, or lone */
    void (*ready)(struct watch *w, unsigned events);
};

struct loop {
    struct watch wake; /* first only so that it looks like every other watch */
    int epoll_fd;
    int wake_fd;
    int64_t now_ms;
    struct list again;    /* connections that asked for one more IO_READABLE */
    struct list dead;     /* closed; freed at the end of the turn */
    struct list asking;   /* dials that a worker resolves for */
    pthread_mutex_t lock; /* guards the posted tasks */
    struct task *posted;
    struct task **posted_end;
    struct task *deferred; /* for the turn's end, in order */
    struct task **deferred_end;
    struct wheel timers;
};

bool loop_watch(struct loop *l, int fd, struct watch *w, unsigned events);
/* The memory of w (from malloc) is freed at the end of the turn; no event reaches it any more. */
void loop_bury(struct loop *l, struct watch *w);

struct transport {
    ssize_t (*read)(struct conn *c, void *p, size_t n);
    ssize_t (*write)(struct conn *c, const struct iovec *v, int count);
    bool (*quiet)(struct conn *c);
    void (*end)(struct conn *c); /* before the descriptor is closed; may be NULL */
};

struct conn {
    struct watch watch;
    const struct transport *via;
    struct loop *loop;
    conn_event_fn *fn;
    void *owner;
    void *tls;         /* SSL of a TLS connection */
    struct dial *dial; /* until IO_CONNECTED or IO_FAILED was told */
    const char *error;
    int fd;
    bool drained : 1; /* the last read was short: nothing to read until the next edge */
    bool hung_up : 1; /* the edge that says so comes only once, so every read must ask */
    bool blocked : 1; /* a write was short: the owner wants to hear IO_WRITABLE */
    bool read_wants_write : 1;
    bool write_wants_read : 1;
    bool broken : 1; /* TLS only: nothing more may be asked of the SSL */
    char peer[];
};
_Static_assert(sizeof(struct conn) <= 128, "idle connections are many");

/* fd may be -1 (a dial); peer is copied. NULL without memory. */
struct conn *conn_new(struct loop *l, int fd, const char *peer);
bool conn_watch(struct conn *c);
void conn_tune(int fd);
/* The continuation that conn_again asked for. */
void conn_continue(struct conn *c);
const char *conn_errno_text(int number);

void dial_ready(struct conn *c, unsigned events);
void dial_continue(struct conn *c);
void dial_abandon(struct conn *c);
void dial_free_asking(struct loop *l);

/* Makes a connected plain conn a TLS one. */
bool tls_attach_server(struct conn *c, struct tls_server *t);
bool tls_attach_client(struct conn *c, struct tls_client *t);
/* 1: done, 0: wait for the next event, -1: failed, c->error says why. */
int tls_handshake(struct conn *c);

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct addresses {
    unsigned count;
    union address at[LIMIT_ADDRESSES];
};

#define HOST_MAX 255

socklen_t address_size(const union address *a);
void address_set_port(union address *a, unsigned port);
/* A literal or "localhost". */
bool resolve_literal(const char *host, struct addresses *out);
/* The above or a fresh answer; never waits for the network. */
bool resolve_now(const char *host, struct addresses *out);
/* On a worker. False: *why says so, as static text. */
bool resolve_slow(const char *host, struct addresses *out, const char **why);

#endif
