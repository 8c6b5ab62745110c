/* SPDX-License-Identifier: Apache-2.0 */
/* The io room over real sockets of this machine: connections, dials, timers, posts, TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/io.h"

#define WAIT_MS 60000
#define BULK (1 << 20)

extern char **environ;

/* One end of a connection under test: keeps what came in and counts what was told. */
struct end {
    struct conn *conn;
    char *got;
    size_t n;
    bool echo, eof, failed, connected, dial_failed;
    bool close_at_once; /* closes inside its own callback */
    unsigned calls;
    char error[128];
};

struct bench {
    struct loop *loop;
    struct listener *listener;
    struct end server;
    struct end client;
};

static void end_write(struct end *d, const char *p, size_t n)
{
    struct iovec v[2] = {{(char *)(uintptr_t)p, n / 2}, {(char *)(uintptr_t)p + n / 2, n - n / 2}};
    assert_int_equal(conn_write(d->conn, v, 2), n);
}

static void end_event(void *owner, unsigned events)
{
    struct end *d = owner;

    d->calls++;
    d->connected |= (events & IO_CONNECTED) != 0;
    if ((events & IO_FAILED) != 0) {
        d->dial_failed = true;
        (void)snprintf(d->error, sizeof(d->error), "%s", conn_error(d->conn));
    }
    if (d->close_at_once) {
        conn_close(d->conn);
        d->conn = NULL;
        return;
    }
    while ((events & IO_READABLE) != 0) {
        ssize_t n = conn_read(d->conn, d->got + d->n, BULK - d->n);
        if (n <= 0) {
            d->eof |= n == IO_EOF;
            d->failed |= n == IO_FAIL;
            if (n == IO_FAIL) {
                (void)snprintf(d->error, sizeof(d->error), "%s", conn_error(d->conn));
            }
            break;
        }
        if (d->echo) {
            end_write(d, d->got + d->n, (size_t)n);
        }
        d->n += (size_t)n;
    }
}

static void on_accept(void *ctx, struct conn *c)
{
    struct bench *b = ctx;
    b->server.conn = c;
    conn_own(c, end_event, &b->server);
}

static void bench_open(struct bench *b, const char *address, struct tls_server *tls)
{
    struct err e;
    memset(b, 0, sizeof(*b));
    b->server.got = calloc(1, BULK + 1);
    b->client.got = calloc(1, BULK + 1);
    b->loop = loop_new(&e);
    assert_non_null(b->loop);
    b->listener = listener_open(b->loop, str_from(address), tls, on_accept, b, &e);
    assert_non_null(b->listener);
}

static void bench_close(struct bench *b)
{
    if (b->client.conn != NULL) {
        conn_close(b->client.conn);
    }
    if (b->server.conn != NULL) {
        conn_close(b->server.conn);
    }
    listener_close(b->listener);
    loop_free(b->loop);
    free(b->server.got);
    free(b->client.got);
}

static void bench_dial(struct bench *b, const char *host, struct tls_client *tls)
{
    b->client.conn =
        conn_dial(b->loop, str_from(host), listener_port(b->listener), tls, end_event, &b->client);
    assert_non_null(b->client.conn);
    assert_int_equal(b->client.calls, 0);
}

#define STEP_UNTIL(b, condition)                              \
    do {                                                      \
        int64_t until_ = clock_mono_ns() / 1000000 + WAIT_MS; \
        while (!(condition)) {                                \
            assert_true(clock_mono_ns() / 1000000 < until_);  \
            loop_step((b)->loop, 20);                         \
        }                                                     \
    } while (0)

/* A blocking socket outside the loop, for what conn cannot do: half closes, cut connections. */
static int raw_connect(const struct bench *b)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)listener_port(b->listener)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void echo_and_eof(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "127.0.0.1:0", NULL);
    b.server.echo = true;
    bench_dial(&b, "localhost", NULL);
    STEP_UNTIL(&b, b.client.connected && b.server.conn != NULL);
    struct str peer = conn_peer(b.server.conn);
    assert_true(str_eq(peer, STR("127.0.0.1")));
    end_write(&b.client, "hello", 5);
    STEP_UNTIL(&b, b.client.n == 5);
    assert_memory_equal(b.client.got, "hello", 5);
    assert_true(conn_quiet(b.client.conn));
    conn_close(b.server.conn);
    b.server.conn = NULL;
    STEP_UNTIL(&b, b.client.eof);
    assert_false(conn_quiet(b.client.conn));
    bench_close(&b);
}

static void half_close_still_takes_an_answer(void **state)
{
    (void)state;
    struct bench b;
    char answer[4];
    bench_open(&b, "127.0.0.1:0", NULL);
    int fd = raw_connect(&b);
    assert_int_equal(write(fd, "ask", 3), 3);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    STEP_UNTIL(&b, b.server.eof);
    assert_memory_equal(b.server.got, "ask", 3);
    end_write(&b.server, "told", 4);
    assert_int_equal(recv(fd, answer, 4, MSG_WAITALL), 4);
    assert_memory_equal(answer, "told", 4);
    close(fd);
    bench_close(&b);
}

static void many_bytes_wait_for_the_reader(void **state)
{
    (void)state;
    struct bench b;
    char chunk[4096];
    size_t sent = 0;
    bench_open(&b, "127.0.0.1:0", NULL);
    int fd = raw_connect(&b);
    STEP_UNTIL(&b, b.server.conn != NULL);
    memset(chunk, 'x', sizeof(chunk));
    struct iovec v = {chunk, sizeof(chunk)};
    ssize_t n;
    while ((n = conn_write(b.server.conn, &v, 1)) == (ssize_t)sizeof(chunk)) {
        sent += (size_t)n;
        assert_true(sent < (64U << 20));
    }
    sent += n > 0 ? (size_t)n : 0;
    unsigned calls = b.server.calls;
    loop_step(b.loop, 0);
    while (sent > 0) {
        n = read(fd, chunk, sizeof(chunk));
        assert_true(n > 0);
        sent -= (size_t)n;
    }
    STEP_UNTIL(&b, b.server.calls > calls); /* IO_WRITABLE */
    close(fd);
    bench_close(&b);
}

static void refused(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "127.0.0.1:0", NULL);
    unsigned port = listener_port(b.listener);
    listener_close(b.listener);
    b.client.conn = conn_dial(b.loop, STR("127.0.0.1"), port, NULL, end_event, &b.client);
    STEP_UNTIL(&b, b.client.dial_failed);
    assert_string_equal(b.client.error, "connection refused");
    assert_false(b.client.connected);
    struct err e;
    b.listener = listener_open(b.loop, STR("127.0.0.1:0"), NULL, on_accept, &b, &e);
    assert_non_null(b.listener);
    bench_close(&b);
}

static void close_in_callback(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "127.0.0.1:0", NULL);
    b.server.close_at_once = true;
    bench_dial(&b, "127.0.0.1", NULL);
    STEP_UNTIL(&b, b.client.connected);
    end_write(&b.client, "x", 1);
    STEP_UNTIL(&b, b.client.eof || b.client.failed);
    assert_int_equal(b.server.calls, 1);
    bench_close(&b);
}

static void closed_while_name_is_asked(void **state)
{
    (void)state;
    struct bench b;
    struct err e;
    bench_open(&b, "127.0.0.1:0", NULL);
    bench_dial(&b, "nowhere.invalid", NULL);
    conn_close(b.client.conn);
    loop_step(b.loop, 0);
    assert_true(workers_start(&e)); /* only now does the resolver get the question */
    bench_dial(&b, "elsewhere.invalid", NULL);
    for (int i = 0; i < 3000 && !b.client.dial_failed; i++) {
        loop_step(b.loop, 20);
    }
    assert_true(b.client.dial_failed);
    assert_int_equal(b.client.calls, 1);
    assert_true(b.client.error[0] != '\0');
    workers_stop();
    bench_close(&b);
}

struct alarm {
    struct timer timer;
    int64_t fired_ms;
    struct loop *loop;
};

static void alarm_fire(struct timer *t)
{
    struct alarm *a = CONTAINER(t, struct alarm, timer);
    a->fired_ms = loop_now_ms(a->loop);
}

static void timers(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "127.0.0.1:0", NULL);
    struct alarm a = {.timer.fire = alarm_fire, .loop = b.loop};
    struct alarm never = {.timer.fire = alarm_fire, .loop = b.loop};
    int64_t at_ms = loop_now_ms(b.loop) + 50;
    wheel_set(loop_timers(b.loop), &a.timer, at_ms);
    wheel_set(loop_timers(b.loop), &never.timer, at_ms);
    wheel_cancel(loop_timers(b.loop), &never.timer);
    STEP_UNTIL(&b, a.fired_ms != 0);
    assert_true(a.fired_ms >= at_ms);
    assert_int_equal(never.fired_ms, 0);
    bench_close(&b);
}

#define POSTS 1000

struct post {
    struct task task;
    unsigned number;
    unsigned *next;
};

struct poster {
    struct loop *loop;
    struct post posts[POSTS];
};

static void post_run(struct task *t)
{
    struct post *p = CONTAINER(t, struct post, task);
    assert_int_equal(p->number, *p->next);
    (*p->next)++;
}

static void *poster_main(void *arg)
{
    struct poster *p = arg;
    for (unsigned i = 0; i < POSTS; i++) {
        loop_post(p->loop, &p->posts[i].task);
    }
    return NULL;
}

static void posts_arrive_in_order(void **state)
{
    (void)state;
    struct bench b;
    pthread_t thread;
    unsigned next = 0;
    struct poster *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    bench_open(&b, "127.0.0.1:0", NULL);
    p->loop = b.loop;
    for (unsigned i = 0; i < POSTS; i++) {
        p->posts[i] = (struct post){.task.run = post_run, .number = i, .next = &next};
    }
    assert_int_equal(pthread_create(&thread, NULL, poster_main, p), 0);
    STEP_UNTIL(&b, next == POSTS);
    pthread_join(thread, NULL);
    bench_close(&b);
    free(p);
}

static void unix_path(void **state)
{
    (void)state;
    struct bench b;
    struct stat st;
    char address[64];
    (void)snprintf(address, sizeof(address), "unix:/tmp/test_io_conn.%d", (int)getpid());
    bench_open(&b, address, NULL);
    assert_int_equal(stat(address + 5, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, address + 5, strlen(address + 5));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(write(fd, "hi", 2), 2);
    STEP_UNTIL(&b, b.server.n == 2);
    close(fd);
    bench_close(&b);
    assert_int_equal(stat(address + 5, &st), -1);
}

static void bad_addresses(void **state)
{
    (void)state;
    struct err e;
    struct loop *l = loop_new(&e);
    const char *bad[] = {
        "", "8080", "127.0.0.1:", "127.0.0.1:99999", "unix:", "example.invalid:80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        e.text[0] = '\0';
        assert_null(listener_open(l, str_from(bad[i]), NULL, on_accept, NULL, &e));
        assert_true(e.text[0] != '\0');
    }
    loop_free(l);
}

/* TLS, with a certificate for localhost that the openssl command made. */
static char folder[] = "/tmp/test_io_conn.XXXXXX";
static char cert[64];
static char key[64];

static int make_certificate(void **state)
{
    (void)state;
    pid_t pid;
    int status;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
    (void)snprintf(key, sizeof(key), "%s/key.pem", folder);
    char *argv[] = {"openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    "/CN=localhost",
                    "-addext",
                    "subjectAltName=DNS:localhost",
                    "-keyout",
                    key,
                    "-out",
                    cert,
                    "-batch",
                    NULL};
    if (posix_spawnp(&pid, "openssl", NULL, NULL, argv, environ) != 0) {
        return -1;
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int remove_certificate(void **state)
{
    (void)state;
    unlink(cert);
    unlink(key);
    return rmdir(folder);
}

static void tls_echo(void **state)
{
    (void)state;
    struct bench b;
    struct err e;
    struct tls_server *ts = tls_server_new(cert, key, &e);
    struct tls_client *tc = tls_client_new(STR("localhost"), cert, &e);
    assert_non_null(ts);
    assert_non_null(tc);
    for (int round = 0; round < 2; round++) { /* the second offers the session of the first */
        bench_open(&b, "127.0.0.1:0", ts);
        b.server.echo = true;
        bench_dial(&b, "localhost", tc);
        STEP_UNTIL(&b, b.client.connected);
        char *bulk = calloc(1, 60000);
        memset(bulk, 'b', 60000);
        bulk[59999] = 'e';
        end_write(&b.client, bulk, 60000);
        STEP_UNTIL(&b, b.client.n == 60000);
        assert_memory_equal(b.client.got, bulk, 60000);
        free(bulk);
        loop_step(b.loop, 0);
        assert_true(conn_quiet(b.client.conn));
        conn_close(b.server.conn);
        b.server.conn = NULL;
        STEP_UNTIL(&b, b.client.eof || b.client.failed);
        assert_true(b.client.eof);
        assert_false(b.client.failed);
        bench_close(&b);
    }
    tls_client_free(tc);
    tls_server_free(ts);
}

static void tls_wrong_name_and_trust(void **state)
{
    (void)state;
    struct err e;
    struct tls_server *ts = tls_server_new(cert, key, &e);
    for (int i = 0; i < 2; i++) {
        struct bench b;
        struct tls_client *tc = i == 0 ? tls_client_new(STR("other.example"), cert, &e)
                                       : tls_client_new(STR("localhost"), NULL, &e);
        assert_non_null(tc);
        bench_open(&b, "127.0.0.1:0", ts);
        bench_dial(&b, "127.0.0.1", tc);
        STEP_UNTIL(&b, b.client.dial_failed);
        assert_false(b.client.connected);
        assert_string_equal(b.client.error,
                            i == 0 ? "hostname mismatch" : "self-signed certificate");
        bench_close(&b);
        tls_client_free(tc);
    }
    tls_server_free(ts);
}

/* A proxy that passes bytes on until it is told to drop the connection: TLS without its
 * close_notify. */
struct cutter {
    int listen_fd;
    unsigned to_port;
    int in, out;
    atomic_bool cut;
};

/* What has come on one side goes to the other; false at an end. */
static bool pass_on(int from, int to)
{
    char bytes[16384];
    ssize_t n = recv(from, bytes, sizeof(bytes), MSG_DONTWAIT);

    return n < 0 ? errno == EAGAIN : n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static void *cutter_main(void *arg)
{
    struct cutter *k = arg;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)k->to_port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    k->in = accept(k->listen_fd, NULL, NULL);
    k->out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)connect(k->out, (struct sockaddr *)&a, sizeof(a));
    while (!atomic_load(&k->cut) && pass_on(k->in, k->out) && pass_on(k->out, k->in)) {
        usleep(1000);
    }
    (void)shutdown(k->in, SHUT_WR); /* closing would reset what the client is still sending */
    return NULL;
}

static void tls_cut_off(void **state)
{
    (void)state;
    struct bench b;
    struct err e;
    pthread_t thread;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    struct tls_server *ts = tls_server_new(cert, key, &e);
    struct tls_client *tc = tls_client_new(STR("localhost"), cert, &e);
    bench_open(&b, "127.0.0.1:0", ts);
    struct cutter k = {.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       .to_port = listener_port(b.listener)};
    assert_int_equal(bind(k.listen_fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(k.listen_fd, 1), 0);
    assert_int_equal(getsockname(k.listen_fd, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(pthread_create(&thread, NULL, cutter_main, &k), 0);
    b.client.conn =
        conn_dial(b.loop, STR("localhost"), ntohs(a.sin_port), tc, end_event, &b.client);
    STEP_UNTIL(&b, b.client.connected);
    atomic_store(&k.cut, true);
    STEP_UNTIL(&b, b.client.failed || b.client.eof);
    assert_true(b.client.failed);
    assert_false(b.client.eof);
    assert_string_equal(b.client.error, "TLS connection cut off without its end");
    pthread_join(thread, NULL);
    close(k.in);
    close(k.out);
    close(k.listen_fd);
    bench_close(&b);
    tls_client_free(tc);
    tls_server_free(ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_and_eof),
        cmocka_unit_test(half_close_still_takes_an_answer),
        cmocka_unit_test(many_bytes_wait_for_the_reader),
        cmocka_unit_test(refused),
        cmocka_unit_test(close_in_callback),
        cmocka_unit_test(closed_while_name_is_asked),
        cmocka_unit_test(timers),
        cmocka_unit_test(posts_arrive_in_order),
        cmocka_unit_test(unix_path),
        cmocka_unit_test(bad_addresses),
        cmocka_unit_test(tls_echo),
        cmocka_unit_test(tls_wrong_name_and_trust),
        cmocka_unit_test(tls_cut_off),
    };
    return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
