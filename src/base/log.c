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

void log_line(enum log_level level, const char *event, struct str pairs)
{
    static const struct str levels[] = {STR_INIT(" level=error event="),
                                        STR_INIT(" level=warn event="),
                                        STR_INIT(" level=info event=")};
    struct buf line;

    buf_init(&line, 2 * LINE_MAX_BYTES);
    buf_add(&line, STR("ts="));
    clock_write_utc(&line, clock_wall_us());
    buf_cat(&line, levels[level], str_from(event), STR(" "), pairs, STR("\n"));
    hand_over(buf_str(&line));
    buf_release(&line);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char pairs[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(pairs, sizeof(pairs), format, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof(pairs) ? (size_t)n : sizeof(pairs) - 1;
    for (size_t i = 0; i < size; i++) {
        pairs[i] = pairs[i] == '\n' ? ' ' : pairs[i];
    }
    log_line(level, event, str_slice(pairs, size));
}

void log_number(struct buf *b, const char *key, int64_t value)
{
    buf_cat(b, b->n > 0 ? STR(" ") : STR(""), str_from(key), STR("="));
    buf_add_i64(b, value);
}

void log_pair(struct buf *b, const char *key, struct str value)
{
    bool plain = value.n > 0;

    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        plain = plain && c > ' ' && c != '"' && c != '=' && c < 127;
    }
    buf_cat(b, b->n > 0 ? STR(" ") : STR(""), str_from(key), STR("="));
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
