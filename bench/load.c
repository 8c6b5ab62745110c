/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of the benchmark: one thread that sends the same request over many connections.
 *
 *   load -p PORT -b BODY_FILE [-k KEY] [-c CONNECTIONS] [-w WARM_S] [-d SECONDS] [-r RATE]
 *        [-n COUNT] [-H]
 *
 * Each connection sends its next request when the reply to the last is complete. With -r requests
 * are due at a fixed rate instead, and a latency counts from when its request was due. With -n it
 * ends after so many requests. With -H each connection sends one request and stays: a whole reply
 * is read, a stream goes on.
 *
 * Says "begin" when the time that counts begins (-H: when all connections have got there), then at
 * its end, or when the standard input ends, one line of JSON. What is under way is waited for.
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
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES 4096
#define READ_BYTES (256 * 1024)
#define RAMP 64 /* with -H so many connections are on their way at a time */
#define SAMPLES (1U << 20)
#define NS_S UINT64_C(1000000000)
#define DRAIN_NS (2 * NS_S) /* an endless stream is cut then */

enum stage { IDLE, SENDING, HEAD, BODY, SIZE, CHUNK, CHUNK_END, LAST_END };

struct client {
    int fd;
    enum stage stage;
    bool writing, arrived;
    char last; /* byte of the stream, for events cut in two */
    size_t sent, head_n, left;
    uint64_t due_ns;
    struct client *next_idle;
    char head[HEAD_BYTES + 1];
};

static struct {
    unsigned port, connections, rate, count;
    double warm_s, seconds;
    const char *body_file, *key, *path;
    bool hold;
} want = {
    .connections = 64, .warm_s = 1, .seconds = 3, .key = "none", .path = "/v1/chat/completions"};

static struct {
    uint64_t requests, bad, events, bytes;
} done;

static char *request, in[READ_BYTES];
static size_t request_n;
static int ep;
static struct client *idle_first, *idle_last;
static unsigned opened, arrived, active, started;
static bool counting, stopping, told_to_stop;
static uint32_t *samples;
static size_t sample_n;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_S + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(struct client *c, uint32_t events, int how)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(ep, how, c->fd, &e) != 0)
        die("load: epoll_ctl");
}

static void push_idle(struct client *c)
{
    c->stage = IDLE;
    c->next_idle = NULL;
    if (idle_first == NULL)
        idle_first = c;
    else
        idle_last->next_idle = c;
    idle_last = c;
}

static void send_on(struct client *c)
{
    ssize_t n = send(c->fd, request + c->sent, request_n - c->sent, MSG_DONTWAIT);

    if (n < 0 && errno != EAGAIN)
        die("load: send");
    c->sent += n > 0 ? (size_t)n : 0;
    bool writing = c->sent < request_n;
    if (writing != c->writing)
        watch(c, writing ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    c->writing = writing;
    if (!writing)
        c->stage = HEAD;
}

static void begin(struct client *c, uint64_t due_ns)
{
    c->stage = SENDING;
    c->sent = c->head_n = c->left = 0;
    c->due_ns = due_ns;
    active++;
    started++;
    send_on(c);
}

/* With -H: this one has got where it is to stay. */
static void stays(struct client *c)
{
    arrived += !c->arrived;
    c->arrived = true;
}

static void complete(struct client *c)
{
    active--;
    if (counting) {
        done.requests++;
        if (sample_n < SAMPLES)
            samples[sample_n++] = (uint32_t)((now_ns() - c->due_ns) / 100);
    }
    stays(c);
    if (stopping || want.hold || want.rate > 0 || started == want.count)
        push_idle(c);
    else
        begin(c, now_ns());
}

static void count_events(struct client *c, const char *p, size_t n)
{
    const char *end = p + n, *at = p;

    done.events += c->last == '\n' && *p == '\n';
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL && ++at < end)
        done.events += *at == '\n';
    c->last = p[n - 1];
}

/* The reply's head; 0: not complete yet, else the bytes of it that stand in the new n at p. */
static size_t take_head(struct client *c, const char *p, size_t n)
{
    size_t before = c->head_n, most = HEAD_BYTES - before;

    memcpy(c->head + before, p, n < most ? n : most);
    c->head_n += n < most ? n : most;
    c->head[c->head_n] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (end == NULL)
        return 0;
    end[2] = '\0';
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 && done.bad++ == 0)
        fprintf(stderr, "load: %.*s\n", (int)strcspn(c->head, "\r\n"), c->head);
    c->left = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
    c->stage = length != NULL ? BODY : SIZE;
    c->last = '\0';
    return (size_t)(end + 4 - c->head) - before;
}

/* The line before a chunk. */
static size_t take_size(struct client *c, const char *p)
{
    if (*p != '\n') {
        int digit = *p >= '0' && *p <= '9' ? *p - '0'
                    : (*p | 32) >= 'a'     ? (*p | 32) - 'a' + 10
                                           : -1;
        c->left = digit >= 0 ? c->left * 16 + (size_t)digit : c->left;
    } else if (c->left > 0) {
        c->stage = CHUNK;
    } else {
        c->stage = LAST_END;
    }
    return 1;
}

/* Some of the n bytes at p, as the stage wants them. */
static size_t take_some(struct client *c, const char *p, size_t n)
{
    size_t some = n < c->left ? n : c->left;

    switch (c->stage) {
    case HEAD: some = take_head(c, p, n); return some > 0 ? some : n;
    case SIZE: return take_size(c, p);
    case CHUNK:
        count_events(c, p, some);
        stays(c);
        c->left -= some;
        c->stage = c->left > 0 ? CHUNK : CHUNK_END;
        return some;
    case CHUNK_END: c->stage = *p == '\n' ? SIZE : CHUNK_END; return 1;
    case BODY: c->left -= some; return some;
    case LAST_END:
        if (*p == '\n')
            complete(c);
        return 1;
    default: fputs("load: bytes that nobody asked for\n", stderr); exit(1);
    }
}

static void readable(struct client *c)
{
    ssize_t n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("load: the connection was closed");
    if (c->stage == SENDING)
        c->stage = HEAD; /* an answer before the request was out: an error, and seen as one */
    done.bytes += (uint64_t)n;
    for (size_t at = 0; at < (size_t)n;) {
        at += take_some(c, in + at, (size_t)n - at);
        if (c->stage == BODY && c->left == 0)
            complete(c);
    }
}

static struct client *connect_one(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)want.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct client *c = calloc(1, sizeof(*c));
    int one = 1;

    assert(c != NULL);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        die("load: connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
    return c;
}

/* Connects what may be connected by now: all at once, or with -H a few at a time. */
static void connect_more(void)
{
    while (opened < want.connections && (!want.hold || opened - arrived < RAMP)) {
        struct client *c = connect_one();
        opened++;
        if (want.rate > 0)
            push_idle(c);
        else
            begin(c, now_ns());
    }
}

/* Starts the requests that are due; *due_ns is the next one's time. */
static void start_due(uint64_t *due_ns)
{
    while (!stopping && idle_first != NULL && *due_ns <= now_ns()) {
        struct client *c = idle_first;
        idle_first = c->next_idle;
        begin(c, *due_ns);
        *due_ns += NS_S / want.rate;
    }
}

static void turn(uint64_t until_ns)
{
    struct epoll_event events[256];
    uint64_t now = now_ns(), wait = until_ns > now ? until_ns - now : 0;
    struct timespec t = {(time_t)(wait / NS_S), (long)(wait % NS_S)};
    int n = epoll_pwait2(ep, events, 256, &t, NULL);

    for (int i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;
        if (c == NULL) {
            told_to_stop = true;
            epoll_ctl(ep, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
            continue;
        }
        if (events[i].events & EPOLLOUT)
            send_on(c);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            readable(c);
    }
}

/* Nothing is left of what -n asked for. */
static bool all_done(void)
{
    return want.count > 0 && started == want.count && active == 0;
}

/* Runs until that time, or with 0 until all connections have arrived. */
static void run_until(uint64_t end_ns)
{
    static uint64_t due_ns;
    uint64_t never = now_ns() + 3600 * NS_S;

    if (due_ns == 0)
        due_ns = now_ns();
    while (!told_to_stop && !all_done() &&
           (end_ns > 0 ? now_ns() < end_ns : arrived < want.connections)) {
        connect_more();
        uint64_t next_ns = end_ns > 0 ? end_ns : never;
        if (want.rate > 0) {
            start_due(&due_ns);
            if (idle_first != NULL && due_ns < next_ns)
                next_ns = due_ns;
        }
        turn(next_ns);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double latency_us(unsigned per_mille)
{
    return sample_n == 0 ? 0 : samples[sample_n * per_mille / 1000] / 10.0;
}

/* Its end says that it is enough. */
static void watch_stdin(void)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &e) != 0 && errno != EPERM)
        die("load: epoll_ctl");
}

static void run(void)
{
    watch_stdin();
    uint64_t begun = now_ns() + (uint64_t)(want.warm_s * (double)NS_S);
    run_until(want.hold ? 0 : begun);
    memset(&done, 0, sizeof(done));
    counting = true;
    begun = now_ns();
    puts("begin");
    fflush(stdout);
    run_until(want.hold ? begun + 3600 * NS_S : begun + (uint64_t)(want.seconds * (double)NS_S));
    double seconds = (double)(now_ns() - begun) / (double)NS_S;
    counting = false;
    stopping = true;
    qsort(samples, sample_n, sizeof(*samples), by_size);
    printf("{\"seconds\":%.6f,\"requests\":%lu,\"bad\":%lu,\"events\":%lu,\"bytes\":%lu,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
           seconds, done.requests, done.bad, done.events, done.bytes, latency_us(500),
           latency_us(990));
    fflush(stdout);
    for (uint64_t end = now_ns() + DRAIN_NS; !want.hold && active > 0 && now_ns() < end;)
        turn(end);
}

static void make_request(void)
{
    FILE *f = fopen(want.body_file, "rb");
    char head[1024];

    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        die(want.body_file);
    size_t n = (size_t)ftell(f);
    rewind(f);
    int head_n = snprintf(head, sizeof(head),
                          "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                          "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
                          "User-Agent: bench\r\nAccept: */*\r\nContent-Length: %zu\r\n\r\n",
                          want.path, want.port, want.key, n);
    request_n = (size_t)head_n + n;
    request = malloc(request_n);
    assert(request != NULL);
    memcpy(request, head, (size_t)head_n);
    if (fread(request + head_n, 1, n, f) != n)
        die(want.body_file);
    fclose(f);
}

static bool read_options(int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "a:p:b:k:c:w:d:r:n:H")) != -1;) {
        switch (o) {
        case 'a': want.path = optarg; break;
        case 'p': want.port = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'b': want.body_file = optarg; break;
        case 'k': want.key = optarg; break;
        case 'c': want.connections = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'w': want.warm_s = strtod(optarg, NULL); break;
        case 'd': want.seconds = strtod(optarg, NULL); break;
        case 'r': want.rate = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'n': want.count = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'H': want.hold = true; break;
        default: return false;
        }
    }
    return want.port > 0 && want.body_file != NULL;
}

int main(int argc, char **argv)
{
    struct rlimit files;

    if (!read_options(argc, argv)) {
        fputs("load -p PORT -b BODY_FILE [-a PATH] [-k KEY] [-c CONNECTIONS] [-w WARM_S] [-d "
              "SECONDS] "
              "[-r RATE] [-n COUNT] [-H]\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1UL); /* else the kernel gathers what is due within 50 us */
    ep = epoll_create1(0);
    samples = malloc(SAMPLES * sizeof(*samples));
    if (ep < 0 || samples == NULL)
        die("load");
    make_request();
    run();
    return 0;
}
