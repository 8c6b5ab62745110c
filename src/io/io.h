/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only room that touches the kernel. A loop belongs to one thread; everything made on a loop is
 * used on its thread, but loop_post, which any thread may call. Connections are plain or TLS behind
 * one type; reads and writes never block. A connection has one owner, told of events by one
 * callback: edge-triggered, so the owner reads until IO_AGAIN (or calls conn_again to continue next
 * turn), and pauses simply by not reading. Closing is deferred: the memory lives until the end of
 * the turn.
 */
#ifndef IO_IO_H
#define IO_IO_H

#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/str.h"
#include "base/wheel.h"

struct loop;
struct conn;
struct listener;
struct tls_server; /* certificate and key of a listener */
struct tls_client; /* trust, SNI name and sessions of one upstream */

/* A piece of work for a loop or a worker; embedded in its owner; in one queue at a time. */
struct task {
    struct task *next;
    void (*run)(struct task *t);
};

struct loop *loop_new(struct err *e);
void loop_free(struct loop *l);
/* One turn: waits at most wait_ms, then timers, events, posted tasks, deferred tasks and closes. */
void loop_step(struct loop *l, int wait_ms);
int64_t loop_now_ms(const struct loop *l);
struct wheel *loop_timers(struct loop *l);
void loop_post(struct loop *l, struct task *t); /* any thread; FIFO per thread */
/* first to last, linked by next, in one go: one wake for all. */
void loop_post_all(struct loop *l, struct task *first, struct task *last);
/* The loop's own thread: at the end of this turn, after everything else; wakes nobody. */
void loop_defer(struct loop *l, struct task *t);
/* The same, before those that loop_defer has or will have. */
void loop_defer_first(struct loop *l, struct task *t);

#define IO_EOF 0
#define IO_AGAIN (-1)
#define IO_FAIL (-2)

enum { IO_READABLE = 1, IO_WRITABLE = 2, IO_CONNECTED = 4, IO_FAILED = 8 };
typedef void conn_event_fn(void *owner, unsigned events);

void conn_own(struct conn *c, conn_event_fn *fn, void *owner);
ssize_t conn_read(struct conn *c, void *p, size_t n); /* > 0, IO_EOF, IO_AGAIN, IO_FAIL */
ssize_t conn_write(struct conn *c, const struct iovec *v,
                   int count);   /* >= 0 bytes taken, IO_AGAIN, IO_FAIL */
void conn_again(struct conn *c); /* IO_READABLE once more, next turn */
bool conn_quiet(
    struct conn *c); /* idle and alive: nothing to read, not hung up (asks the kernel) */
/* The same without asking: the last read emptied it and no hang-up has been heard of. */
bool conn_seems_quiet(const struct conn *c);
size_t
conn_unsent(const struct conn *c); /* bytes taken from us that the peer has not acknowledged */
void conn_close(struct conn *c);   /* closes; no callback follows */
/* A line with copies of descriptors, over a plain Unix connection; all of it or nothing. */
bool conn_pass(struct conn *c, struct str line, const int *fds, unsigned count);
struct str
conn_peer(struct conn *c); /* "192.0.2.7" of an accepted connection; lives as long as it */

/* "127.0.0.1:8080", "[::]:80", ":8080" or "unix:/path". Accept pauses at EMFILE and resumes by
 * itself. */
typedef void accept_fn(void *ctx, struct conn *c);
struct listener *listener_open(struct loop *l, struct str address, struct tls_server *tls,
                               accept_fn *fn, void *ctx, struct err *e);
/* False when somebody listens there already: listener_open itself shares a port with its like. */
bool listener_probe(struct str address, struct err *e);
bool listener_valid(struct str address);
void listener_close(struct listener *s);
/* One that listens already, on a descriptor of another process, which is its own from now on, also
 * on failure. */
struct listener *listener_adopt(struct loop *l, int fd, struct tls_server *tls, accept_fn *fn,
                                void *ctx, struct err *e);
int listener_fd(const struct listener *s);
/* Closes it here: another process goes on with it, and with who waits to be accepted. */
void listener_leave(struct listener *s);
unsigned listener_port(const struct listener *s);

/*
 * Resolves (answers kept 30 s, the old one used while the resolver fails; literals at once) and
 * connects, with TLS when tls != NULL. Always returns a conn; IO_CONNECTED or IO_FAILED follows
 * through the callback, within LIMIT_CONNECT_MS. host is copied.
 */
struct conn *conn_dial(struct loop *l, struct str host, unsigned port, struct tls_client *tls,
                       conn_event_fn *fn, void *owner);
const char *
conn_error(const struct conn *c); /* after IO_FAILED/IO_FAIL: "connection refused", static text */

struct tls_server *tls_server_new(const char *cert_path, const char *key_path, struct err *e);
void tls_server_free(struct tls_server *t);
/* ca_path NULL: the system's trust. Verification is always on. Threads may share it. */
struct tls_client *tls_client_new(struct str host, const char *ca_path, struct err *e);
void tls_client_free(struct tls_client *t);

/* At most LIMIT_WORKERS threads for slow work: run on a worker; the task posts its own answer back.
 */
bool workers_start(struct err *e);
void workers_stop(void);
void worker_run(struct task *t);

#endif
