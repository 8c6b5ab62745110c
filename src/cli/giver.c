/* SPDX-License-Identifier: Apache-2.0 */
/* The side that is taken over from. */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/takeover.h"
#include "io/unix.h"
#include "json/json.h"

#define READY_MS (120 * 1000) /* the other opens the store, and checks the books */

/* SHARING: the ledger thread has the operation. READY: the other may open the store. YIELDED: it
 * may take the lock. */
enum stage { STAGE_NONE, STAGE_SHARING, STAGE_READY, STAGE_YIELDED, STAGE_GONE };

/* To share the store, or not any more; on the ledger thread. */
struct sharing {
    struct giver *giver;
    struct ledger_op op;
    bool on, done;
    struct err e;
};

struct giver {
    struct loop *home;
    struct station *station;
    struct lane **lanes;
    unsigned lane_count;
    struct admin_socket **admin;
    const char *path;
    struct conn *conn; /* NULL: nobody asks */
    struct buf in;
    struct timer timer;
    enum stage stage;
    unsigned operations; /* under way */
    bool freed;
};

static void giver_event(void *owner, unsigned events);

static void refuse(struct conn *c, const char *why)
{
    struct buf line;
    struct err e;

    err_set(&e, "%s", why);
    buf_init(&line, 4096);
    admin_write_answer(&line, false, STR(""), &e);
    (void)conn_pass(c, buf_str(&line), NULL, 0);
    buf_release(&line);
    conn_close(c);
}

static void share_on_ledger(struct ledger *l, void *ctx)
{
    struct sharing *s = ctx;

    s->done = ledger_share(l, s->on, &s->e);
}

static void shared(struct giver *g, bool ok, const char *why);

static void share_done(struct task *t)
{
    struct ledger_op *op = CONTAINER(t, struct ledger_op, task);
    struct sharing *s = CONTAINER(op, struct sharing, op);
    struct giver *g = s->giver;

    g->operations--;
    if (g->freed && g->operations == 0) {
        free(g);
    } else if (!g->freed && s->on) {
        shared(g, s->done, s->e.text);
    }
    free(s);
}

/* False: the ledger's queue is full. */
static bool share(struct giver *g, bool on)
{
    struct sharing *s = calloc(1, sizeof(*s));

    assert(s != NULL);
    s->giver = g;
    s->on = on;
    s->op = (struct ledger_op){.task = {.run = share_done},
                               .kind = LEDGER_CALL,
                               .loop = g->home,
                               .call = share_on_ledger,
                               .ctx = s};
    if (!ledger_submit(g->station->ledger, &s->op)) {
        free(s);
        return false;
    }
    g->operations++;
    return true;
}

static void hang_up(struct giver *g)
{
    wheel_cancel(loop_timers(g->home), &g->timer);
    if (g->conn != NULL) {
        conn_close(g->conn);
        g->conn = NULL;
    }
    buf_release(&g->in);
}

/* It serves on as before. Whoever opened the store meanwhile is settled when it is dead. */
static void break_off(struct giver *g, const char *why)
{
    struct err e = {""};

    hang_up(g);
    log_event(LOG_WARN, "takeover_failed", "why=\"%s\"", why);
    if (g->stage == STAGE_YIELDED) { /* the socket's path may be gone */
        admin_socket_leave(*g->admin);
        *g->admin = admin_socket_open(g->home, g->station, str_from(g->path), &e);
        if (*g->admin == NULL) {
            log_event(LOG_ERROR, "admin_socket_lost", "error=\"%s\"", e.text);
        } else {
            giver_listen(g, g->admin, g->path);
        }
    } else {
        admin_socket_hold(*g->admin, false);
    }
    if (g->stage >= STAGE_SHARING && !share(g, false)) {
        log_event(LOG_WARN, "store_stays_shared", "why=\"the ledger is busy\"");
    }
    g->stage = STAGE_NONE;
}

/* The other is gone or silent: who has the lock serves. */
static void decide(struct giver *g, const char *why)
{
    struct err e;

    if (g->stage == STAGE_YIELDED && !ledger_lead(g->station->ledger, &e)) {
        hang_up(g);
        g->stage = STAGE_GONE;
    } else {
        break_off(g, why);
    }
}

static void late(struct timer *t)
{
    decide(CONTAINER(t, struct giver, timer), "the other process went silent");
}

static void set_timer(struct giver *g, int64_t ms)
{
    wheel_set(loop_timers(g->home), &g->timer, loop_now_ms(g->home) + ms);
}

static void send_sockets(struct giver *g)
{
    struct sockets s = {.admin = -1};
    int fds[PASS_MAX];
    unsigned n = 0;

    for (unsigned i = 0; i < g->lane_count; i++) {
        lane_sockets(g->lanes[i], &s);
    }
    for (unsigned i = 0; i < s.listen_count; i++) {
        fds[n++] = s.listen[i];
    }
    if (s.admin >= 0) {
        fds[n++] = s.admin;
    }
    struct str line = s.admin >= 0 ? STR("{\"ok\":true,\"admin\":true}\n") : STR("{\"ok\":true}\n");
    if (!conn_pass(g->conn, line, fds, n)) {
        break_off(g, "the other process hung up");
    }
}

static void shared(struct giver *g, bool ok, const char *why)
{
    if (g->stage != STAGE_SHARING) {
        return; /* broken off meanwhile */
    }
    if (!ok) {
        struct conn *c = g->conn;
        g->conn = NULL;
        refuse(c, why);
        break_off(g, why);
        return;
    }
    g->stage = STAGE_READY;
    set_timer(g, READY_MS);
    send_sockets(g);
}

static void heard(struct giver *g, struct str line)
{
    struct err e;
    struct json_doc *doc = json_parse(line, &e);
    struct str said = json_str(json_get(doc != NULL ? json_root(doc) : NULL, "takeover"));

    if (g->stage == STAGE_READY && str_eq(said, STR("lead"))) {
        g->stage = STAGE_YIELDED;
        set_timer(g, READY_MS);
        ledger_yield(g->station->ledger);
    } else if (g->stage == STAGE_YIELDED && str_eq(said, STR("running"))) {
        hang_up(g);
        g->stage = STAGE_GONE;
    } else {
        decide(g, "the other process said what was not expected");
    }
    json_free(doc);
}

static void giver_read(struct giver *g)
{
    while (g->conn != NULL) {
        char *at = buf_reserve(&g->in, 1024);
        ssize_t n = at == NULL ? IO_FAIL : conn_read(g->conn, at, 1024);
        if (n == IO_AGAIN) {
            return;
        }
        if (n <= 0) {
            decide(g, "the other process hung up");
            return;
        }
        g->in.n += (size_t)n;
        size_t end;
        while (g->conn != NULL && (end = str_find_byte(buf_str(&g->in), '\n')) < g->in.n) {
            struct str line = str_slice(g->in.p, end);
            heard(g, line);
            if (g->conn != NULL) {
                buf_consume(&g->in, end + 1);
            }
        }
    }
}

static void giver_event(void *owner, unsigned events)
{
    struct giver *g = owner;

    /* What it said before it hung up counts. */
    if (g->conn != NULL && (events & (IO_READABLE | IO_FAILED)) != 0) {
        giver_read(g);
    }
}

static const char *unlike(const struct config *c, const struct json *line)
{
    if (!str_eq(json_str(json_get(line, "listen")), c->listen)) {
        return "it listens on another address; listen: has to be the same";
    }
    return str_eq(json_str(json_get(line, "admin")), c->admin)
               ? NULL
               : "its admin listener has another address; admin: has to be the same";
}

static void asked(void *ctx, struct conn *conn, const struct json *line)
{
    struct giver *g = ctx;
    struct config *c = station_config(g->station);
    const char *why = unlike(c, line);

    config_unref(c);
    if (why == NULL && g->stage != STAGE_NONE) {
        why = "another process is taking over already";
    }
    if (why != NULL || !share(g, true)) {
        refuse(conn, why != NULL ? why : "the ledger is busy, try again");
        return;
    }
    log_event(LOG_INFO, "takeover_asked", "lanes=%u", g->lane_count);
    g->stage = STAGE_SHARING;
    g->conn = conn;
    buf_init(&g->in, 4096);
    set_timer(g, READY_MS);
    admin_socket_hold(*g->admin, true);
    conn_own(conn, giver_event, g);
    conn_again(conn);
}

struct giver *giver_new(struct loop *home, struct station *st, struct lane **lanes, unsigned count)
{
    struct giver *g = calloc(1, sizeof(*g));

    assert(g != NULL);
    g->home = home;
    g->station = st;
    g->lanes = lanes;
    g->lane_count = count;
    g->timer.fire = late;
    return g;
}

void giver_listen(struct giver *g, struct admin_socket **admin, const char *path)
{
    g->admin = admin;
    g->path = path;
    admin_socket_on_takeover(*admin, asked, g);
}

bool giver_busy(const struct giver *g)
{
    return g->stage != STAGE_NONE;
}

bool giver_gone(const struct giver *g)
{
    return g->stage == STAGE_GONE;
}

void giver_free(struct giver *g)
{
    hang_up(g);
    g->freed = true;
    if (g->operations == 0) {
        free(g);
    }
}
