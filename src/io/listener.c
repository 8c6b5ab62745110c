/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting: TCP (one socket per lane, the kernel spreads the clients) or a path in the file
 * system. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "io/io_int.h"

#define BACKLOG 4096
#define ACCEPTS_PER_TURN 64 /* open connections get their turn, too */
#define PAUSE_MS 100

struct listener {
    struct watch watch;
    struct timer pause;
    struct loop *loop;
    struct tls_server *tls;
    accept_fn *fn;
    void *ctx;
    int fd;
    bool paused, starved; /* starved: since the last client it could take */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

static void listener_mask(struct listener *s, unsigned events)
{
    struct epoll_event ev = {.events = events, .data.ptr = &s->watch};
    (void)epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev);
}

static void listener_resume(struct timer *t)
{
    struct listener *s = CONTAINER(t, struct listener, pause);
    s->paused = false;
    listener_mask(s, EPOLLIN);
}

/* No descriptor or memory left: the client waits in the backlog until something was closed. */
static void listener_pause(struct listener *s, int number)
{
    if (!s->starved) {
        log_event(LOG_WARN, "accept_paused", "reason=\"%s\"", conn_errno_text(number));
    }
    s->paused = true;
    s->starved = true;
    listener_mask(s, 0);
    wheel_set(&s->loop->timers, &s->pause, s->loop->now_ms + PAUSE_MS);
}

static void peer_text(char out[INET6_ADDRSTRLEN], const union address *a)
{
    out[0] = '\0';
    if (a->any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &a->v4.sin_addr, out, INET6_ADDRSTRLEN);
    } else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
        (void)inet_ntop(AF_INET, &a->v6.sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
    } else if (a->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &a->v6.sin6_addr, out, INET6_ADDRSTRLEN);
    }
}

static void listener_take(struct listener *s, int fd, const union address *from)
{
    char peer[INET6_ADDRSTRLEN];

    if (s->path[0] == '\0') {
        conn_tune(fd);
    }
    peer_text(peer, from);
    struct conn *c = conn_new(s->loop, fd, peer);
    if (c == NULL) {
        close(fd);
    } else if (!conn_watch(c) || (s->tls != NULL && !tls_attach_server(c, s->tls))) {
        conn_close(c);
    } else {
        s->fn(s->ctx, c);
    }
}

static void listener_ready(struct watch *w, unsigned events)
{
    struct listener *s = CONTAINER(w, struct listener, watch);

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && w->ready != NULL && !s->paused; i++) {
        union address from = {.any.sa_family = AF_UNSPEC};
        socklen_t n = sizeof(from);
        int fd = accept4(s->fd, &from.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            s->starved = false;
            listener_take(s, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            listener_pause(s, errno);
        } else if (errno == EAGAIN) {
            return;
        } /* Anything else is the end of one client that did not wait. */
    }
}

/* "host:port", "[v6]:port" or ":port" (every address of the machine). */
static bool parse_tcp(struct str text, union address *out, bool *any)
{
    char host[HOST_MAX + 1] = "";
    struct addresses found;
    uint64_t port;
    size_t at = text.n;

    while (at > 0 && text.p[at - 1] != ':') {
        at--;
    }
    if (at == 0 || at - 1 > HOST_MAX || !str_to_u64(str_skip(text, at), &port) ||
        port > UINT16_MAX) {
        return false;
    }
    struct str name = str_slice(text.p, at - 1);
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']') {
        name = str_slice(name.p + 1, name.n - 2);
    }
    memcpy(host, name.p, name.n);
    *any = name.n == 0;
    if (!resolve_literal(*any ? "::" : host, &found)) {
        return false;
    }
    *out = found.at[0];
    address_set_port(out, (unsigned)port);
    return true;
}

static bool bind_tcp(struct listener *s, union address *a)
{
    s->fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return s->fd >= 0 && setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
           setsockopt(s->fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)) == 0 &&
           bind(s->fd, &a->any, address_size(a)) == 0 && listen(s->fd, BACKLOG) == 0;
}

static bool open_tcp(struct listener *s, struct str address, struct err *e)
{
    union address a;
    bool any;

    if (!parse_tcp(address, &a, &any)) {
        return err_set(e,
                       "%.*s is not an address to listen on; write 127.0.0.1:8080, [::]:8080, "
                       ":8080 or unix:/path",
                       STR_ARG(address));
    }
    if (bind_tcp(s, &a)) {
        return true;
    }
    if (any && errno == EAFNOSUPPORT) { /* a kernel without IPv6 */
        in_port_t port = a.v6.sin6_port;
        memset(&a, 0, sizeof(a));
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = port;
        if (bind_tcp(s, &a)) {
            return true;
        }
    }
    return err_set(e, "cannot listen on %.*s: %s", STR_ARG(address), conn_errno_text(errno));
}

bool listener_valid(struct str address)
{
    union address a;
    bool any;

    if (str_starts(address, STR("unix:"))) {
        return address.n > 5 && address.n - 5 < sizeof(((struct sockaddr_un *)NULL)->sun_path);
    }
    return parse_tcp(address, &a, &any);
}

bool listener_probe(struct str address, struct err *e)
{
    union address a;
    bool any;

    if (!parse_tcp(address, &a, &any)) {
        return true; /* a path, or what listener_open will refuse with its reason */
    }
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return true;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    bool ok = bind(fd, &a.any, address_size(&a)) == 0 || errno != EADDRINUSE;
    close(fd);
    return ok || err_set(e, "cannot listen on %.*s: address already in use", STR_ARG(address));
}

/* A socket file that nobody listens on any more is what a crash leaves. */
static void unlink_stale(const struct sockaddr_un *a)
{
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return;
    }
    if (lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno == ECONNREFUSED) {
        unlink(a->sun_path);
    }
    close(fd);
}

static bool open_unix(struct listener *s, struct str path, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (path.n == 0 || path.n >= sizeof(a.sun_path)) {
        return err_set(e, "the socket path %.*s is empty or too long (at most %zu bytes)",
                       STR_ARG(path), sizeof(a.sun_path) - 1);
    }
    memcpy(a.sun_path, path.p, path.n);
    unlink_stale(&a);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        return err_set(e, "cannot listen on %s: %s", a.sun_path, conn_errno_text(errno));
    }
    memcpy(s->path, a.sun_path, sizeof(s->path));
    /* Nobody can connect before listen, so there is no moment with wider rights. */
    if (chmod(s->path, 0600) < 0 || listen(s->fd, BACKLOG) < 0) {
        return err_set(e, "cannot listen on %s: %s", s->path, conn_errno_text(errno));
    }
    return true;
}

static struct listener *listener_new(struct loop *l, struct tls_server *tls, accept_fn *fn,
                                     void *ctx, struct err *e)
{
    struct listener *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        err_set(e, "no memory for a listener");
        return NULL;
    }
    list_init(&s->watch.link);
    s->watch.ready = listener_ready;
    s->pause.fire = listener_resume;
    s->loop = l;
    s->tls = tls;
    s->fn = fn;
    s->ctx = ctx;
    s->fd = -1;
    return s;
}

struct listener *listener_open(struct loop *l, struct str address, struct tls_server *tls,
                               accept_fn *fn, void *ctx, struct err *e)
{
    struct listener *s = listener_new(l, tls, fn, ctx, e);

    if (s == NULL) {
        return NULL;
    }
    bool open = str_starts(address, STR("unix:")) ? open_unix(s, str_skip(address, 5), e)
                                                  : open_tcp(s, address, e);
    if (open && !loop_watch(l, s->fd, &s->watch, EPOLLIN)) {
        open = err_set(e, "cannot listen on %.*s: %s", STR_ARG(address), conn_errno_text(errno));
    }
    if (!open) {
        listener_close(s);
        return NULL;
    }
    return s;
}

struct listener *listener_adopt(struct loop *l, int fd, struct tls_server *tls, accept_fn *fn,
                                void *ctx, struct err *e)
{
    struct listener *s = listener_new(l, tls, fn, ctx, e);
    struct sockaddr_un a = {.sun_family = AF_UNSPEC};
    socklen_t n = sizeof(a) - 1;

    if (s == NULL) {
        close(fd);
        return NULL;
    }
    s->fd = fd;
    if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 || !loop_watch(l, fd, &s->watch, EPOLLIN)) {
        err_set(e, "cannot listen on the other's socket: %s", conn_errno_text(errno));
        listener_leave(s);
        return NULL;
    }
    if (a.sun_family == AF_UNIX) {
        memcpy(s->path, a.sun_path, sizeof(s->path));
    }
    return s;
}

int listener_fd(const struct listener *s)
{
    return s->fd;
}

void listener_close(struct listener *s)
{
    if (s != NULL && s->path[0] != '\0') {
        unlink(s->path);
    }
    listener_leave(s);
}

void listener_leave(struct listener *s)
{
    if (s == NULL) {
        return;
    }
    wheel_cancel(&s->loop->timers, &s->pause);
    if (s->fd >= 0) {
        /* Where another process has it, too, closing takes it out of nothing. */
        (void)epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
        close(s->fd);
    }
    loop_bury(s->loop, &s->watch);
}

unsigned listener_port(const struct listener *s)
{
    union address a = {.any.sa_family = AF_UNSPEC};
    socklen_t n = sizeof(a);

    if (s->path[0] != '\0' || getsockname(s->fd, &a.any, &n) < 0) {
        return 0;
    }
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}
