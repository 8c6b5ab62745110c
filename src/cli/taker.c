/* SPDX-License-Identifier: Apache-2.0 */
/* The side that takes over: what it asks of the process that serves. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/takeover.h"
#include "io/unix.h"
#include "json/json.h"

#define PAUSE_NS 2000000

static bool ask_line(int fd, const struct config *c, struct err *e)
{
    struct buf line;

    buf_init(&line, LIMIT_SMALL_BODY_BYTES);
    buf_add(&line, STR("{\"takeover\":\"ask\",\"listen\":"));
    json_write_str(&line, c->listen);
    buf_add(&line, STR(",\"admin\":"));
    json_write_str(&line, c->admin);
    buf_add(&line, STR("}\n"));
    bool ok = unix_say(fd, buf_str(&line), e);
    buf_release(&line);
    return ok;
}

static bool is_true(const struct json *v)
{
    bool value = false;

    return json_bool(v, &value) && value;
}

/* The last of the descriptors is the admin listener's, where it has one. */
static bool read_answer(struct taker *t, struct str answer, const int *fds, unsigned count,
                        struct err *e)
{
    struct err why;
    struct json_doc *doc = json_parse(answer, &why);
    const struct json *root = doc != NULL ? json_root(doc) : NULL;
    struct str refusal = json_str(json_get(root, "error"));
    bool admin = is_true(json_get(root, "admin"));
    bool ok = is_true(json_get(root, "ok")) && count > (admin ? 1 : 0);

    if (!ok) {
        err_set(e, "the station that serves refused: %.*s",
                STR_ARG(refusal.n > 0 ? refusal : STR("it sent no listening sockets")));
    }
    t->sockets.admin = ok && admin ? fds[--count] : -1;
    for (unsigned i = 0; i < count; i++) {
        if (ok && t->sockets.listen_count < LIMIT_LANES) {
            t->sockets.listen[t->sockets.listen_count++] = fds[i];
        } else {
            close(fds[i]);
        }
    }
    json_free(doc);
    return ok;
}

static bool converse(struct taker *t, const struct config *c, struct err *e)
{
    struct buf answer;
    int fds[PASS_MAX];
    unsigned count = 0;

    buf_init(&answer, LIMIT_SMALL_BODY_BYTES);
    bool ok = ask_line(t->fd, c, e);
    if (ok && !unix_hear(t->fd, &answer, fds, &count, e)) {
        ok = err_set(e, "the station that serves did not answer within %d s: it was not taken over",
                     LIMIT_TAKEOVER_MS / 1000);
    }
    ok = ok && read_answer(t, buf_str(&answer), fds, count, e);
    buf_release(&answer);
    return ok;
}

bool taker_ask(struct taker *t, const struct config *c, const char *path, struct err *e)
{
    t->sockets = (struct sockets){.admin = -1};
    switch (unix_connect(path, LIMIT_TAKEOVER_MS / 1000, &t->fd, e)) {
    case UNIX_ANSWERED: return converse(t, c, e);
    case UNIX_NOBODY: t->fd = -1; return true;
    case UNIX_FAILED: t->fd = -1; break;
    }
    return false;
}

bool taker_lead(struct taker *t, struct ledger *l, struct err *e)
{
    int64_t until_ns = clock_mono_ns() + LIMIT_TAKEOVER_MS * INT64_C(1000000);

    /* Where it cannot be told any more it may have died: then the lock is there to be taken. */
    (void)unix_say(t->fd, STR("{\"takeover\":\"lead\"}\n"), e);
    while (!ledger_lead(l, e)) {
        if (clock_mono_ns() > until_ns) {
            return err_set(e,
                           "the station that serves did not give up its lock within %d s: it "
                           "was not taken over",
                           LIMIT_TAKEOVER_MS / 1000);
        }
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return true;
}

void taker_running(struct taker *t)
{
    struct err e;

    if (!unix_say(t->fd, STR("{\"takeover\":\"running\"}\n"), &e)) {
        log_event(LOG_WARN, "takeover_unsaid", "error=\"%s\"", e.text);
    }
}

void taker_end(struct taker *t)
{
    if (t->fd >= 0) {
        close(t->fd);
        t->fd = -1;
    }
}
