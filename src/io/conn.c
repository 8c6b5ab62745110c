/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: its events, its end, and the plain transport. */
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/io_int.h"
#include "io/unix.h"

#define GONE ((unsigned)(EPOLLRDHUP | EPOLLHUP | EPOLLERR))
#define IOV_AT_ONCE 64

const char *conn_errno_text(int number)
{
    switch (number) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET: return "connection reset by peer";
    case EPIPE: return "connection closed by peer";
    case ETIMEDOUT: return "connection timed out";
    case EHOSTUNREACH: return "no route to host";
    case ENETUNREACH: return "network unreachable";
    case EADDRINUSE: return "address already in use";
    case EADDRNOTAVAIL: return "address not available";
    case EACCES: return "permission denied";
    case EMFILE: return "too many open files in this process";
    case ENFILE: return "too many open files on this machine";
    case ENOMEM: return "out of memory";
    default: break;
    }
    const char *text = strerrordesc_np(number);
    return text != NULL ? text : "unknown error";
}

static ssize_t plain_failed(struct conn *c)
{
    if (errno == EAGAIN || errno == EINTR) {
        return IO_AGAIN;
    }
    c->error = conn_errno_text(errno);
    return IO_FAIL;
}

static ssize_t plain_read(struct conn *c, void *p, size_t n)
{
    ssize_t got;

    do {
        got = recv(c->fd, p, n, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return plain_failed(c);
    }
    /* A short read emptied the socket, and what comes later makes a new edge: saves a system call.
     */
    c->drained = got > 0 && (size_t)got < n && !c->hung_up;
    return got;
}

static ssize_t plain_write(struct conn *c, const struct iovec *v, int count)
{
    size_t want = 0;
    int parts = count < IOV_AT_ONCE ? count : IOV_AT_ONCE;
    ssize_t sent;

    for (int i = 0; i < count; i++) {
        want += v[i].iov_len;
    }
    if (want == 0) {
        return 0;
    }
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)parts};
    do {
        sent = sendmsg(c->fd, &m, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0 && (size_t)sent == want) {
        return sent;
    }
    if (sent >= 0 && parts < count) {
        size_t offered = 0;
        for (int i = 0; i < parts; i++) {
            offered += v[i].iov_len;
        }
        if ((size_t)sent == offered) {
            ssize_t more = plain_write(c, v + parts, count - parts);
            return more > 0 ? sent + more : sent;
        }
    }
    c->blocked = true;
    return sent >= 0 ? sent : plain_failed(c);
}

static bool plain_quiet(struct conn *c)
{
    char byte;
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static const struct transport plain = {plain_read, plain_write, plain_quiet, NULL};

static void conn_ready(struct watch *w, unsigned events)
{
    struct conn *c = CONTAINER(w, struct conn, watch);
    unsigned told = 0;

    if ((events & GONE) != 0) {
        c->hung_up = true;
    }
    if ((events & (EPOLLIN | GONE)) != 0) {
        c->drained = false;
    }
    if (c->dial != NULL) {
        dial_ready(c, events);
        return;
    }
    if ((events & (EPOLLIN | GONE)) != 0) {
        list_remove(&w->link); /* one IO_READABLE a turn is enough */
        told |= IO_READABLE;
        told |= c->write_wants_read ? (unsigned)IO_WRITABLE : 0;
        c->write_wants_read = false;
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        told |= c->blocked ? (unsigned)IO_WRITABLE : 0;
        told |= c->read_wants_write ? (unsigned)IO_READABLE : 0;
        c->blocked = false;
        c->read_wants_write = false;
    }
    if (told != 0 && c->fn != NULL) {
        c->fn(c->owner, told);
    }
}

struct conn *conn_new(struct loop *l, int fd, const char *peer)
{
    size_t n = strlen(peer) + 1;
    struct conn *c = calloc(1, sizeof(*c) + n);

    if (c == NULL) {
        return NULL;
    }
    list_init(&c->watch.link);
    c->watch.ready = conn_ready;
    c->via = &plain;
    c->loop = l;
    c->fd = fd;
    memcpy(c->peer, peer, n);
    return c;
}

bool conn_watch(struct conn *c)
{
    return loop_watch(c->loop, c->fd, &c->watch,
                      (unsigned)(EPOLLIN | EPOLLOUT | EPOLLRDHUP) | (unsigned)EPOLLET);
}

/* Answers are written in whole pieces; waiting for more would only delay tokens. */
void conn_tune(int fd)
{
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

void conn_own(struct conn *c, conn_event_fn *fn, void *owner)
{
    c->fn = fn;
    c->owner = owner;
}

ssize_t conn_read(struct conn *c, void *p, size_t n)
{
    assert(n > 0);
    return c->drained || c->fd < 0 ? IO_AGAIN : c->via->read(c, p, n);
}

ssize_t conn_write(struct conn *c, const struct iovec *v, int count)
{
    return c->fd < 0 ? IO_AGAIN : c->via->write(c, v, count);
}

void conn_again(struct conn *c)
{
    if (c->watch.ready != NULL && list_empty(&c->watch.link)) {
        list_push(&c->loop->again, &c->watch.link);
    }
}

void conn_continue(struct conn *c)
{
    if (c->dial != NULL) {
        dial_continue(c);
    } else if (c->fn != NULL) {
        c->fn(c->owner, IO_READABLE);
    }
}

bool conn_quiet(struct conn *c)
{
    return c->fd >= 0 && c->dial == NULL && !c->hung_up && c->via->quiet(c);
}

bool conn_seems_quiet(const struct conn *c)
{
    return c->fd >= 0 && c->dial == NULL && !c->hung_up && c->drained;
}

size_t conn_unsent(const struct conn *c)
{
    int n = 0;
    return ioctl(c->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

void conn_close(struct conn *c)
{
    if (c->watch.ready == NULL) {
        return;
    }
    if (c->dial != NULL) {
        dial_abandon(c);
    }
    if (c->via->end != NULL) {
        c->via->end(c);
    }
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    c->fn = NULL;
    loop_bury(c->loop, &c->watch);
}

struct str conn_peer(struct conn *c)
{
    return str_from(c->peer);
}

const char *conn_error(const struct conn *c)
{
    return c->error != NULL ? c->error : "";
}

bool conn_pass(struct conn *c, struct str line, const int *fds, unsigned count)
{
    struct iovec v = {(void *)(uintptr_t)line.p, line.n};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * PASS_MAX)];
    } control = {.room = {0}};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

    if (count > PASS_MAX) {
        return false;
    }
    if (count > 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(h), fds, sizeof(int) * count);
    }
    return sendmsg(c->fd, &m, MSG_NOSIGNAL) == (ssize_t)line.n;
}
