/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PENDING_MAX (1 << 20)
#define GATHER_NS 5000000 /* longer than a busy millisecond, shorter than anybody waits */
#define LINE_MAX_BYTES 4096

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    struct buf pending;
    uint64_t dropped;
    bool running, stop;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .pending = {.max = PENDING_MAX}};

static void write_all(struct str s)
{
    while (s.n > 0) {
        ssize_t n = write(STDERR_FILENO, s.p, s.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; /* nobody reads the log any more */
        }
        s = str_skip(s, (size_t)n);
    }
}

static void *writer(void *unused)
{
    struct buf batch;

    (void)unused;
    pthread_mutex_lock(&sink.lock);
    while (!sink.stop || sink.pending.n > 0) {
        if (sink.pending.n == 0) {
            pthread_cond_wait(&sink.wake, &sink.lock);
            continue;
        }
        batch = sink.pending;
        buf_init(&sink.pending, PENDING_MAX);
        uint64_t dropped = sink.dropped;
        sink.dropped = 0;
        pthread_mutex_unlock(&sink.lock);
        write_all(buf_str(&batch));
        buf_release(&batch);
        if (dropped > 0) {
            log_event(LOG_WARN, "log_lines_dropped", "count=%llu", (unsigned long long)dropped);
        }
        /* Lines that come meanwhile wake nobody: under load one write takes many of them. */
        (void)nanosleep(&(struct timespec){.tv_nsec = GATHER_NS}, NULL);
        pthread_mutex_lock(&sink.lock);
    }
    pthread_mutex_unlock(&sink.lock);
    return NULL;
}

void log_start(void)
{
    pthread_mutex_lock(&sink.lock);
    sink.stop = false;
    sink.running = pthread_create(&sink.thread, NULL, writer, NULL) == 0;
    pthread_mutex_unlock(&sink.lock);
}

void log_stop(void)
{
    pthread_mutex_lock(&sink.lock);
    bool running = sink.running;
    sink.running = false; /* lines are written directly from here: none waits for a gone writer */
    sink.stop = true;
    pthread_cond_signal(&sink.wake);
    pthread_mutex_unlock(&sink.lock);
    if (running) {
        pthread_join(sink.thread, NULL);
    }
}

static void hand_over(struct str line)
{
    pthread_mutex_lock(&sink.lock);
    if (!sink.running) {
        pthread_mutex_unlock(&sink.lock);
        write_all(line);
        return;
    }
    if (!buf_add(&sink.pending, line)) {
        sink.dropped++;
    }
    pthread_cond_signal(&sink.wake);
    pthread_mutex_unlock(&sink.lock);
}

void log_begin(struct buf *b, enum log_level level, const char *event)
{
    static const struct str levels[] = {STR_INIT(" level=error event="),
                                        STR_INIT(" level=warn event="),
                                        STR_INIT(" level=info event=")};
    buf_add(b, STR("ts="));
    clock_write_utc(b, clock_wall_us());
    buf_cat(b, levels[level], str_from(event));
}

void log_end(struct buf *b)
{
    if (!buf_add_byte(b, '\n')) {
        b->p[b->n - 1] = '\n';
    }
    hand_over(buf_str(b));
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char room[LINE_MAX_BYTES];
    struct buf b = {.p = room, .cap = sizeof(room) - 1, .max = sizeof(room) - 1};
    va_list args;

    log_begin(&b, level, event);
    buf_add_byte(&b, ' ');
    va_start(args, format);
    int n = vsnprintf(b.p + b.n, b.cap - b.n, format, args);
    va_end(args);
    size_t left = b.cap - b.n - 1;
    size_t size = n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
    for (size_t i = 0; i < size; i++) {
        b.p[b.n + i] = b.p[b.n + i] == '\n' ? ' ' : b.p[b.n + i];
    }
    b.n += size;
    log_end(&b);
}

static bool bare(char c)
{
    return c > ' ' && c != '"' && c != '=' && c < 127;
}

void log_number(struct buf *b, const char *key, int64_t value)
{
    buf_cat(b, STR(" "), str_from(key), STR("="));
    buf_add_i64(b, value);
}

void log_pair(struct buf *b, const char *key, struct str value)
{
    size_t at = 0;

    while (at < value.n && bare(value.p[at])) {
        at++;
    }
    bool plain = value.n > 0 && at == value.n;
    buf_cat(b, STR(" "), str_from(key), STR("="));
    if (plain) {
        buf_add(b, value);
        return;
    }
    buf_add_byte(b, '"');
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '"' || c == '\\') {
            buf_add_byte(b, '\\');
        }
        buf_add_byte(b, c >= ' ' && c != 127 ? c : '?');
    }
    buf_add_byte(b, '"');
}
