/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vendor of the benchmark: OpenAI chat, whole and streamed, as fast as one thread can. It
 * shares no line with the station, so that neither flatters the other.
 *
 *   mock PORT
 *
 * The model's name says what the answer is: m-EVENTS-BYTES-PACE_US-BURST. A whole answer has BYTES
 * of content. A stream has EVENTS events of BYTES bytes each, BURST of them at once every PACE_US
 * microseconds; with a pace of 0 all is written at once. Every answer is made once and then only
 * sent, and of a body only the beginning is looked at.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SEEN_BYTES 8192 /* of a request: its head, and the beginning of its body */
#define SMALL_BODY \
    4096 /* a body up to this is looked at as a whole, of others only the beginning */
#define LOOK_BYTES 512
#define PLANS 16
#define FDS 65536

struct text {
    char *p;
    size_t n;
};

/* An answer, ready to be sent: whole, or a stream's head, one burst and its two ends. */
struct plan {
    char model[64];
    unsigned events, bytes, pace_us, burst;
    struct text whole, head, beat, end, end_usage;
};

struct peer {
    int fd;
    size_t seen_n;
    uint64_t body_left; /* still to come, and dropped */
    struct text rest;   /* what the socket would not take */
    const struct plan *plan;
    uint64_t due_ns; /* of the next burst; 0: none */
    unsigned sent;   /* events of the stream under way */
    unsigned heap_at;
    bool usage, in_body, stream;
    char seen[SEEN_BYTES + 1];
};

static struct plan plans[PLANS];
static unsigned plan_count;
static int ep;
static struct peer *heap[FDS]; /* streams by the time of their next burst */
static unsigned heap_n;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void heap_put(struct peer *c, unsigned at)
{
    heap[at] = c;
    c->heap_at = at;
}

static void heap_sift(struct peer *c, unsigned at)
{
    while (at > 0 && heap[(at - 1) / 2]->due_ns > c->due_ns) {
        heap_put(heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    for (unsigned child; (child = 2 * at + 1) < heap_n; at = child) {
        if (child + 1 < heap_n && heap[child + 1]->due_ns < heap[child]->due_ns)
            child++;
        if (heap[child]->due_ns >= c->due_ns)
            break;
        heap_put(heap[child], at);
    }
    heap_put(c, at);
}

static void set_due(struct peer *c, uint64_t due_ns)
{
    bool in = c->due_ns != 0;
    c->due_ns = due_ns;
    if (due_ns != 0) {
        heap_sift(c, in ? c->heap_at : heap_n++);
    } else if (in) {
        struct peer *last = heap[--heap_n];
        if (last != c)
            heap_sift(last, c->heap_at);
    }
}

static void add(struct text *t, const char *p, size_t n)
{
    t->p = realloc(t->p, t->n + n + 1);
    assert(t->p != NULL);
    memcpy(t->p + t->n, p, n);
    t->n += n;
}

static void add_text(struct text *t, const char *s)
{
    add(t, s, strlen(s));
}

/* A chunk of the stream; `content` is as long as makes the event `bytes` long, if that can be. */
static void add_event(struct text *t, const struct plan *p, const char *delta, const char *after,
                      size_t bytes)
{
    struct text e = {NULL, 0};
    char size[32];

    add_text(&e, "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\","
                 "\"created\":1700000000,\"model\":\"");
    add_text(&e, p->model);
    add_text(&e, "\",\"choices\":[");
    add_text(&e, delta);
    for (size_t fixed = e.n + strlen(after) + 3, n = fixed; n < bytes; n++)
        add(&e, &"lorem ipsum "[(n - fixed) % 12], 1);
    add_text(&e, after);
    add_text(&e, "}\n\n");
    (void)snprintf(size, sizeof(size), "%zx\r\n", e.n);
    add_text(t, size);
    add(t, e.p, e.n);
    add_text(t, "\r\n");
    free(e.p);
}

#define STOP "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}"
#define USAGE "\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":50,\"total_tokens\":250}"

static void make_whole(struct plan *p)
{
    struct text body = {NULL, 0};
    char head[128];

    add_text(&body,
             "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,"
             "\"model\":\"");
    add_text(&body, p->model);
    add_text(&body,
             "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
    for (unsigned i = 0; i < p->bytes; i++)
        add(&body, &"lorem ipsum "[i % 12], 1);
    add_text(&body, "\"},\"finish_reason\":\"stop\"}]," USAGE "}");
    (void)snprintf(
        head, sizeof(head),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body.n);
    add_text(&p->whole, head);
    add(&p->whole, body.p, body.n);
    free(body.p);
}

static void make_stream(struct plan *p)
{
    add_text(&p->head, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n");
    for (unsigned i = 0; i < p->burst; i++)
        add_event(&p->beat, p, "{\"index\":0,\"delta\":{\"content\":\"",
                  "\"},\"finish_reason\":null}]", p->bytes);
    add_event(&p->end, p, STOP, "]", 0);
    add_event(&p->end_usage, p, STOP, "]", 0);
    add_event(&p->end_usage, p, "", "]," USAGE, 0);
    add_text(&p->end, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    add_text(&p->end_usage, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
}

/* The plan of the model that the body names; NULL when it names none that is understood. */
static const struct plan *plan_of(const char *body)
{
    struct plan p = {.model = ""};
    const char *at = strstr(body, "\"model\":\"m-");

    if (at == NULL || sscanf(at + 9, "%63[a-z0-9-]", p.model) != 1)
        return NULL;
    for (unsigned i = 0; i < plan_count; i++) {
        if (strcmp(plans[i].model, p.model) == 0)
            return &plans[i];
    }
    if (plan_count == PLANS ||
        sscanf(p.model, "m-%u-%u-%u-%u", &p.events, &p.bytes, &p.pace_us, &p.burst) != 4 ||
        p.burst == 0 || p.events < p.burst)
        return NULL;
    make_whole(&p);
    make_stream(&p);
    plans[plan_count] = p;
    return &plans[plan_count++];
}

static void peer_free(struct peer *c)
{
    set_due(c, 0);
    close(c->fd);
    free(c->rest.p);
    free(c);
}

static void watch(struct peer *c, uint32_t events, int how)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    int rc = epoll_ctl(ep, how, c->fd, &e);
    assert(rc == 0);
}

/* What the socket does not take waits in `rest`. */
static void send_all(struct peer *c, struct iovec *v, int count)
{
    ssize_t n = c->rest.n > 0 ? 0 : writev(c->fd, v, count);
    size_t done = n > 0 ? (size_t)n : 0;
    bool waited = c->rest.n > 0;

    for (int i = 0; i < count; i++) {
        size_t skip = done < v[i].iov_len ? done : v[i].iov_len;
        done -= skip;
        if (skip < v[i].iov_len)
            add(&c->rest, (char *)v[i].iov_base + skip, v[i].iov_len - skip);
    }
    if (!waited && c->rest.n > 0)
        watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static struct iovec piece(struct text t)
{
    return (struct iovec){t.p, t.n};
}

/* The next burst, and the end when it was the last; without a pace all of them. */
static void beat(struct peer *c, bool first)
{
    struct iovec v[3];
    int n = 0;

    if (first)
        v[n++] = piece(c->plan->head);
    v[n++] = piece(c->plan->beat);
    c->sent += c->plan->burst;
    while (c->plan->pace_us == 0 && c->sent + c->plan->burst <= c->plan->events) {
        send_all(c, v, n);
        n = 0;
        v[n++] = piece(c->plan->beat);
        c->sent += c->plan->burst;
    }
    bool last = c->sent + c->plan->burst > c->plan->events;
    if (last)
        v[n++] = piece(c->usage ? c->plan->end_usage : c->plan->end);
    send_all(c, v, n);
    /* The first pause is any part of the pace, so that streams do not beat together. */
    uint64_t pace_ns = c->plan->pace_us * UINT64_C(1000);
    uint64_t pause = first && pace_ns > 0 ? 1 + (uint64_t)random() % pace_ns : pace_ns;
    set_due(c, last ? 0 : (first ? now_ns() : c->due_ns) + pause);
}

static void answer(struct peer *c)
{
    c->in_body = false;
    c->seen_n = 0;
    c->sent = 0;
    if (c->stream) {
        beat(c, true);
        return;
    }
    struct iovec v = piece(c->plan->whole);
    send_all(c, &v, 1);
}

/* The head is here; false: a request that this vendor does not understand. */
static bool head_done(struct peer *c, const char *body)
{
    static const char name[] = "content-length:";
    uint64_t length = 0, here = c->seen_n - (size_t)(body - c->seen);

    for (const char *line = strchr(c->seen, '\n'); line < body - 2; line = strchr(line + 1, '\n')) {
        if (strncasecmp(line + 1, name, sizeof(name) - 1) == 0)
            length = strtoull(line + sizeof(name), NULL, 10);
    }
    if (here < (length <= SMALL_BODY ? length : LOOK_BYTES))
        return c->seen_n < SEEN_BYTES;
    c->plan = plan_of(body);
    c->stream = strstr(body, "\"stream\":true") != NULL;
    c->usage = strstr(body, "\"include_usage\":true") != NULL;
    c->in_body = true;
    c->body_left = length - here;
    return c->plan != NULL && here <= length;
}

static bool readable(struct peer *c)
{
    ssize_t n;

    if (c->in_body) { /* MSG_TRUNC: dropped in the kernel, not copied */
        size_t most = c->body_left < (1U << 30) ? (size_t)c->body_left : 1U << 30;
        n = recv(c->fd, NULL, most, MSG_TRUNC);
        c->body_left -= n > 0 ? (uint64_t)n : 0;
    } else {
        n = recv(c->fd, c->seen + c->seen_n, SEEN_BYTES - c->seen_n, 0);
        c->seen_n += n > 0 ? (size_t)n : 0;
        c->seen[c->seen_n] = '\0';
        char *end = n > 0 ? strstr(c->seen, "\r\n\r\n") : NULL;
        if (end != NULL && !head_done(c, end + 4))
            return false;
    }
    if (n == 0 || (n < 0 && errno != EAGAIN))
        return false;
    if (c->in_body && c->body_left == 0)
        answer(c);
    return true;
}

static bool writable(struct peer *c)
{
    ssize_t n = send(c->fd, c->rest.p, c->rest.n, 0);

    if (n < 0)
        return errno == EAGAIN;
    c->rest.n -= (size_t)n;
    memmove(c->rest.p, c->rest.p + n, c->rest.n);
    if (c->rest.n == 0)
        watch(c, EPOLLIN, EPOLL_CTL_MOD);
    return true;
}

static void take(int listener)
{
    struct peer *c = calloc(1, sizeof(*c));
    int one = 1;

    assert(c != NULL);
    c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (c->fd < 0) {
        free(c);
        return;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
}

static int open_listener(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 4096) != 0) {
        perror("mock: cannot listen");
        exit(1);
    }
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    return fd;
}

static void turn(int listener)
{
    struct epoll_event events[256];
    uint64_t now = now_ns(), wait = 1000000000;

    if (heap_n > 0)
        wait = heap[0]->due_ns > now ? heap[0]->due_ns - now : 0;
    struct timespec t = {(time_t)(wait / 1000000000), (long)(wait % 1000000000)};
    int n = epoll_pwait2(ep, events, 256, &t, NULL);
    for (int i = 0; i < n; i++) {
        struct peer *c = events[i].data.ptr;
        if (c == NULL) {
            take(listener);
        } else if (((events[i].events & EPOLLOUT) && !writable(c)) ||
                   ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !readable(c))) {
            peer_free(c);
        }
    }
    for (now = now_ns(); heap_n > 0 && heap[0]->due_ns <= now;)
        beat(heap[0], false);
}

int main(int argc, char **argv)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1UL); /* else the kernel gathers what is due within 50 us */
    ep = epoll_create1(0);
    if (argc != 2 || ep < 0) {
        fputs("mock PORT\n", stderr);
        return 2;
    }
    int listener = open_listener((unsigned)strtoul(argv[1], NULL, 10));
    for (;;)
        turn(listener);
}
