/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket of administration: reads a line, has the ledger run it, writes the answer, hangs up.
 */
#include "admin/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/commands.h"
#include "json/json.h"

#define CALLERS_MAX 16 /* people, not traffic */
#define ANSWER_MAX (16 << 20)
#define CALL_MS (60 * 1000)
#define COMMAND_MS (10 * 60 * 1000) /* a check or a backup of a large store */

struct admin_socket {
    struct loop *loop;
    struct station *station;
    struct listener *listener;
    struct list callers;
    unsigned count;
    takeover_fn *takeover;
    void *takeover_ctx;
    bool held;   /* no changes for now */
    bool closed; /* freed with the last command under way */
};

struct caller {
    struct list link;
    struct admin_socket *socket;
    struct conn *conn; /* NULL once it is gone */
    struct timer timer;
    struct buf in, out;
    size_t sent;
    struct json_doc *doc;
    struct str argv[COMMAND_ARGUMENTS];
    size_t argc;
    struct command_call call; /* slices of doc */
    struct ledger_op op;
    bool running;
};

void admin_write_answer(struct buf *out, bool ok, struct str result, const struct err *e)
{
    buf_add(out, ok ? STR("{\"ok\":true") : STR("{\"ok\":false"));
    if (!ok) {
        buf_add(out, STR(",\"error\":"));
        json_write_str(out, str_from(e->text));
    }
    if (result.n > 0) {
        buf_add(out, STR(",\"result\":"));
        buf_add(out, result);
    }
    buf_add(out, STR("}\n"));
}

static void socket_release(struct admin_socket *s)
{
    if (s->closed && s->count == 0) {
        free(s);
    }
}

static void caller_hang_up(struct caller *c)
{
    wheel_cancel(loop_timers(c->socket->loop), &c->timer);
    if (c->conn != NULL) {
        conn_close(c->conn);
        c->conn = NULL;
    }
    if (c->running) {
        return; /* the ledger still writes into it */
    }
    struct admin_socket *s = c->socket;
    list_remove(&c->link);
    s->count--;
    json_free(c->doc);
    buf_release(&c->in);
    buf_release(&c->out);
    free(c);
    socket_release(s);
}

static void caller_write(struct caller *c)
{
    while (c->sent < c->out.n) {
        struct iovec v = {c->out.p + c->sent, c->out.n - c->sent};
        ssize_t n = conn_write(c->conn, &v, 1);
        if (n == IO_AGAIN) {
            return;
        }
        if (n < 0) {
            break;
        }
        c->sent += (size_t)n;
    }
    caller_hang_up(c);
}

/* On the ledger thread or a reader's, which alone touches c->out until the operation is back. */
static void caller_run(struct caller *c)
{
    struct err e = {""};
    struct buf result;
    buf_init(&result, ANSWER_MAX / 2);
    struct config *config = station_config(c->socket->station);
    c->call.config = config;
    bool ok = c->call.command->run(&c->call, &result, &e);
    config_unref(config);
    if (result.overflow) {
        ok = err_set(&e, "the answer is too large");
        buf_clear(&result);
    }
    admin_write_answer(&c->out, ok, buf_str(&result), &e);
    buf_release(&result);
}

static void caller_change(struct ledger *l, void *ctx)
{
    struct caller *c = ctx;
    c->call.ledger = l;
    caller_run(c);
}

static void caller_see(struct ledger_view *v, void *ctx)
{
    struct caller *c = ctx;
    c->call.view = v;
    caller_run(c);
}

static void caller_done(struct task *t)
{
    struct caller *c = CONTAINER(t, struct caller, op.task);
    c->running = false;
    if (c->conn == NULL) {
        caller_hang_up(c);
        return;
    }
    if (!c->op.ok) {
        struct err e;
        err_set(&e, "the store failed, nothing was changed");
        buf_clear(&c->out);
        admin_write_answer(&c->out, false, STR(""), &e);
    }
    caller_write(c);
}

static void caller_refuse(struct caller *c, const char *why)
{
    struct err e;
    err_set(&e, "%s", why);
    admin_write_answer(&c->out, false, STR(""), &e);
    caller_write(c);
}

/* True: the connection is another's from now on. */
static bool caller_gives_away(struct caller *c)
{
    const struct json *line = json_root(c->doc);
    struct admin_socket *s = c->socket;
    struct conn *conn = c->conn;

    if (s->takeover == NULL || json_get(line, "takeover") == NULL) {
        return false;
    }
    c->conn = NULL;
    s->takeover(s->takeover_ctx, conn, line);
    caller_hang_up(c);
    return true;
}

static bool caller_parse(struct caller *c, struct err *e)
{
    const struct json *argv = json_get(json_root(c->doc), "argv");
    size_t n = json_is_array(argv) ? json_count(argv) : 0;
    if (n == 0 || n > COMMAND_ARGUMENTS) {
        return err_set(e, "argv must be a list of 1 to %d words", COMMAND_ARGUMENTS);
    }
    for (size_t i = 0; i < n; i++) {
        char path[24];
        snprintf(path, sizeof(path), "%zu", i);
        c->argv[i] = json_str(json_get(argv, path));
        if (c->argv[i].p == NULL) {
            return err_set(e, "argv must be a list of words");
        }
    }
    c->argc = n;
    return command_parse(c->argv, c->argc, &c->call, e);
}

static void caller_line(struct caller *c, size_t length)
{
    struct err e;
    c->doc = json_parse(str_slice(c->in.p, length), &e);
    if (c->doc != NULL && caller_gives_away(c)) {
        return;
    }
    if (c->doc == NULL || !caller_parse(c, &e)) {
        caller_refuse(c, e.text);
        return;
    }
    if (c->socket->held && c->call.command->kind == LEDGER_CALL) {
        caller_refuse(c, "another process is taking over from this station, try again");
        return;
    }
    c->op = (struct ledger_op){.task = {.run = caller_done},
                               .kind = c->call.command->kind,
                               .loop = c->socket->loop,
                               .call = caller_change,
                               .read = caller_see,
                               .ctx = c};
    wheel_set(loop_timers(c->socket->loop), &c->timer, loop_now_ms(c->socket->loop) + COMMAND_MS);
    c->running = ledger_submit(c->socket->station->ledger, &c->op);
    if (!c->running) {
        caller_refuse(c, "the ledger is busy, try again");
    }
}

static void caller_read(struct caller *c)
{
    while (c->doc == NULL) {
        char *at = buf_reserve(&c->in, 4096);
        if (at == NULL) {
            caller_refuse(c, "the line is too long");
            return;
        }
        ssize_t n = conn_read(c->conn, at, 4096);
        if (n == IO_AGAIN) {
            return;
        }
        if (n <= 0) {
            caller_hang_up(c);
            return;
        }
        c->in.n += (size_t)n;
        size_t end = str_find_byte(buf_str(&c->in), '\n');
        if (end < c->in.n) {
            caller_line(c, end);
            return;
        }
    }
}

static void caller_event(void *owner, unsigned events)
{
    struct caller *c = owner;
    if (events & IO_FAILED) {
        caller_hang_up(c);
    } else if (c->running) {
        return;
    } else if (c->out.n > 0) {
        if (events & IO_WRITABLE) {
            caller_write(c);
        }
    } else if (events & IO_READABLE) {
        caller_read(c);
    }
}

static void caller_late(struct timer *t)
{
    caller_hang_up(CONTAINER(t, struct caller, timer));
}

static void socket_accept(void *ctx, struct conn *conn)
{
    struct admin_socket *s = ctx;
    struct caller *c = s->count < CALLERS_MAX ? calloc(1, sizeof(*c)) : NULL;
    if (c == NULL) {
        conn_close(conn);
        return;
    }
    c->socket = s;
    c->conn = conn;
    buf_init(&c->in, LIMIT_SMALL_BODY_BYTES);
    buf_init(&c->out, ANSWER_MAX);
    list_push(&s->callers, &c->link);
    s->count++;
    c->timer.fire = caller_late;
    wheel_set(loop_timers(s->loop), &c->timer, loop_now_ms(s->loop) + CALL_MS);
    conn_own(conn, caller_event, c);
    conn_again(conn);
}

struct admin_socket *admin_socket_open(struct loop *loop, struct station *station, struct str path,
                                       struct err *e)
{
    char name[128];
    /* The address of a Unix socket has 108 bytes. */
    if (path.n == 0 || path.n >= 108) {
        err_set(e, "the path of the administration socket is too long: %.*s", STR_ARG(path));
        return NULL;
    }
    struct admin_socket *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        abort();
    }
    s->loop = loop;
    s->station = station;
    list_init(&s->callers);
    int n = snprintf(name, sizeof(name), "unix:%.*s", STR_ARG(path));
    /* One that is there was left behind: the lock of the store says that nobody else serves. */
    unlink(name + 5);
    mode_t before = umask(077);
    s->listener = listener_open(loop, str_slice(name, (size_t)n), NULL, socket_accept, s, e);
    umask(before);
    if (s->listener == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void admin_socket_on_takeover(struct admin_socket *s, takeover_fn *fn, void *ctx)
{
    s->takeover = fn;
    s->takeover_ctx = ctx;
}

void admin_socket_hold(struct admin_socket *s, bool on)
{
    s->held = on;
}

static void end(struct admin_socket *s)
{
    s->closed = true;
    s->count++; /* held until all callers have been told */
    for (struct list *at = s->callers.next; at != &s->callers;) {
        struct list *next = at->next;
        caller_hang_up(CONTAINER(at, struct caller, link));
        at = next;
    }
    s->count--;
    socket_release(s);
}

void admin_socket_close(struct admin_socket *s)
{
    if (s != NULL) {
        listener_close(s->listener);
        end(s);
    }
}

void admin_socket_leave(struct admin_socket *s)
{
    if (s != NULL) {
        listener_leave(s->listener);
        end(s);
    }
}
