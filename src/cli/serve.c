/* SPDX-License-Identifier: Apache-2.0 */
/* entrepot serve: configuration, store, lanes, signals, drain. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/socket.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/plans.h"
#include "cli/prices.h"
#include "cli/takeover.h"
#include "cli/vendors.h"
#include "relay/relay.h"
#include "sim/sim.h"
#include "web_files.h"
#include "json/json.h"

struct serve {
    const char *config_path; /* NULL: the built-in default */
    struct station station;
    struct config *config; /* as at the start */
    struct ledger *ledger;
    struct lane *lanes[LIMIT_LANES];
    pthread_t threads[LIMIT_LANES];
    unsigned lane_count;
    struct loop *home; /* admin socket, signals and the simulator */
    struct admin_socket *admin;
    char admin_path[1100];
    struct giver *giver;
    bool take_over;
    struct taker taker;
    struct sim *sim;
    unsigned sim_port;
    int64_t plans_at_ns; /* when periods of budgets are looked at again */
    char owner_key[64];  /* on the very first start at a terminal, until it has been shown */
};

static volatile sig_atomic_t signalled_stop, signalled_reload; /* stop: how often */

static void on_signal(int number)
{
    if (number == SIGHUP) {
        signalled_reload = 1;
    } else {
        signalled_stop = signalled_stop < 2 ? signalled_stop + 1 : 2;
    }
}

static struct str page(void)
{
    return str_slice((const char *)web_files[0].data, web_files[0].size);
}

/* With its prices, which are in no store yet. */
static struct config *load(const struct serve *s, struct buf *errors)
{
    struct config *c = s->config_path != NULL ? config_load(s->config_path, cli_vendors(), errors)
                                              : config_default(s->sim_port, cli_vendors(), errors);

    if (c != NULL && !prices_set(c, NULL, errors)) {
        config_unref(c);
        c = NULL;
    }
    return c;
}

/* Runs on the ledger thread, where rows of prices and budgets may be written. */
struct errand {
    struct serve *serve;
    struct config *next; /* of a reload: its own */
    struct ledger_op op;
};

/* What only a new start can change. */
static void warn_unchanged(const struct config *old, const struct config *next)
{
    const struct {
        const char *name;
        bool same;
    } fixed[] = {
        {"listen", str_eq(old->listen, next->listen)},
        {"admin", str_eq(old->admin, next->admin)},
        {"store", str_eq(old->store_path, next->store_path)},
        {"tls", str_eq(old->tls_cert, next->tls_cert) && str_eq(old->tls_key, next->tls_key)},
        {"lanes", old->lanes == next->lanes},
    };

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (!fixed[i].same) {
            log_event(LOG_WARN, "needs_restart", "option=%s", fixed[i].name);
        }
    }
}

static void refuse_reload(struct str why)
{
    log_event(LOG_ERROR, "reload_refused", "kept=old why=\"%.*s\"", STR_ARG(str_trim(why)));
}

static void reload_on_ledger(struct ledger *l, void *ctx)
{
    struct errand *r = ctx;
    struct buf errors;
    struct err e = {""};

    buf_init(&errors, 64 * 1024);
    if (!prices_set(r->next, l, &errors) || !plans_set(r->next, l, false, &e)) {
        buf_add(&errors, str_from(e.text));
        refuse_reload(buf_str(&errors));
    } else {
        warn_unchanged(r->serve->config, r->next);
        station_reconfigure(&r->serve->station, r->next);
        log_event(LOG_INFO, "reloaded", "models=%u", r->next->model_count);
    }
    config_unref(r->next);
    buf_release(&errors);
}

static void errand_done(struct task *t)
{
    struct ledger_op *op = CONTAINER(t, struct ledger_op, task);
    free(CONTAINER(op, struct errand, op));
}

#define PLANS_NS (20 * INT64_C(1000000000))

static void plans_on_ledger(struct ledger *l, void *ctx)
{
    struct errand *r = ctx;
    struct config *c = station_config(&r->serve->station);
    struct err e;

    if (!plans_set(c, l, false, &e)) {
        log_event(LOG_ERROR, "plans_not_kept", "error=\"%s\"", e.text);
    }
    config_unref(c);
}

/* Has the ledger thread run a function of its own. False: it has no room, and `next` is still the
 * caller's. */
static bool have_run(struct serve *s, void (*call)(struct ledger *l, void *ctx),
                     struct config *next)
{
    struct errand *r = calloc(1, sizeof(*r));

    assert(r != NULL);
    r->serve = s;
    r->next = next;
    r->op.kind = LEDGER_CALL;
    r->op.loop = s->home;
    r->op.task.run = errand_done;
    r->op.call = call;
    r->op.ctx = r;
    if (!ledger_submit(s->ledger, &r->op)) {
        free(r);
        return false;
    }
    return true;
}

/* The file is read and judged here: charges do not wait for it. */
static void reload(struct serve *s)
{
    struct buf errors;

    buf_init(&errors, 64 * 1024);
    struct config *next = load(s, &errors);
    if (next == NULL) {
        refuse_reload(buf_str(&errors));
    } else if (!have_run(s, reload_on_ledger, next)) {
        refuse_reload(STR("the ledger is busy"));
        config_unref(next);
    }
    buf_release(&errors);
}

/* A period of a budget that has ended is told from the time of day alone, which may be set. */
static void keep_plans(struct serve *s)
{
    int64_t now_ns = clock_mono_ns();

    if (now_ns >= s->plans_at_ns) {
        (void)have_run(s, plans_on_ledger, NULL); /* else the next time */
        s->plans_at_ns = now_ns + PLANS_NS;
    }
}

static void *lane_thread(void *arg)
{
    lane_run(arg);
    return NULL;
}

/* The key of another store's owner is not written over: nobody could tell it any more. */
static bool owner_key_is_free(const char *dir, struct err *e)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/owner.key", dir);
    return access(path, F_OK) != 0 ||
           err_set(e, "%s is there already, and is the key of another store: move it away", path);
}

static bool write_owner_key(const char *dir, struct str key)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/owner.key", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool ok = write(fd, key.p, key.n) == (ssize_t)key.n && write(fd, "\n", 1) == 1;
    close(fd);
    if (ok) {
        fprintf(stderr, "owner key:  written to %s\n", path);
    }
    return ok;
}

/* The first start makes the owner; its key is shown to a terminal once, or goes to a private file.
 */
static bool first_start(struct serve *s, struct err *e)
{
    struct buf out;
    struct currency usd;
    struct str key = {NULL, 0};
    char dir[900];

    if (ledger_has_house(s->ledger)) {
        return true;
    }
    (void)snprintf(dir, sizeof(dir), "%.*s", STR_ARG(s->config->data_dir));
    if (!isatty(STDERR_FILENO) && !owner_key_is_free(dir, e)) {
        return false;
    }
    buf_init(&out, 4096);
    bool ok = currency_parse(STR("USD"), &usd) &&
              ledger_account_create(s->ledger, STR("owner"), STR("house"), usd, 0, 0, &out, e);
    buf_clear(&out);
    ok = ok && ledger_key_create(s->ledger, STR("owner"), STR("owner"), STR(""), 0, 0, 0, 0, 'm',
                                 &out, e);
    struct json_doc *doc = ok ? json_parse(buf_str(&out), e) : NULL;
    key = json_str(json_get(doc != NULL ? json_root(doc) : NULL, "key"));
    if (ok && isatty(STDERR_FILENO)) {
        fprintf(stderr, "owner key:  %.*s   (shown once)\n", STR_ARG(key));
        (void)snprintf(s->owner_key, sizeof(s->owner_key), "%.*s", STR_ARG(key));
    } else if (ok) {
        ok = write_owner_key(dir, key) || err_set(e, "cannot write owner.key: %s", strerror(errno));
    }
    json_free(doc);
    buf_release(&out);
    return ok;
}

static bool make_lanes(struct serve *s, struct err *e)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned want = s->config->lanes;

    if (want == 0) {
        want = cores > 2 ? (unsigned)cores - 1 : 1;
    }
    want = want < LIMIT_LANES ? want : LIMIT_LANES;
    s->station.lanes = want;
    s->station.inherited = s->taker.sockets;
    for (unsigned i = 0; i < want; i++) {
        s->lanes[i] = lane_new(&s->station, i, e);
        if (s->lanes[i] == NULL) {
            return false;
        }
        s->lane_count++;
    }
    return true;
}

static void run_lanes(struct serve *s)
{
    atomic_store(&s->station.lanes_running, s->lane_count);
    for (unsigned i = 0; i < s->lane_count; i++) {
        if (pthread_create(&s->threads[i], NULL, lane_thread, s->lanes[i]) != 0) {
            abort(); /* half a station is none */
        }
        char name[16];
        (void)snprintf(name, sizeof(name), "lane-%u", i);
        (void)pthread_setname_np(s->threads[i], name);
    }
}

/* The key as the shown command gets at it. */
static void key_words(const struct serve *s, char *out, size_t room)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%.*s/owner.key", STR_ARG(s->config->data_dir));
    if (s->owner_key[0] != '\0') {
        (void)snprintf(out, room, "%s", s->owner_key);
    } else if (access(path, R_OK) == 0) {
        (void)snprintf(out, room, "$(cat %s)", path);
    } else {
        (void)snprintf(out, room, "$KEY"); /* README's tour: a key of yours */
    }
}

static void greet(struct serve *s)
{
    unsigned port = lane_port(s->lanes[0]);
    struct str model = s->config->model_count > 0 ? s->config->models[0].name : STR("MODEL");
    char key[1100];

    key_words(s, key, sizeof(key));
    fprintf(stderr,
            "entrepot is at http://127.0.0.1:%u   (models: %u)\n"
            "try:  curl http://127.0.0.1:%u/v1/chat/completions -H \"authorization: Bearer %s\" "
            "-H 'content-type: application/json' "
            "-d '{\"model\":\"%.*s\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}'\n",
            port, s->config->model_count, port, key, STR_ARG(model));
    explicit_bzero(key, sizeof(key));
    explicit_bzero(s->owner_key, sizeof(s->owner_key));
}

/* Before anybody can see that the station runs: who sees it may send one at once. */
static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};

    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
}

/* They are the main thread's alone: blocked while the others are made, which keep it so. */
static void mask_signals(int how)
{
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    (void)pthread_sigmask(how, &ours, NULL);
}

static void wait_for_signals(struct serve *s)
{
    mask_signals(SIG_UNBLOCK);
    while (!signalled_stop && !giver_gone(s->giver)) {
        loop_step(s->home, 200);
        if (signalled_reload && !giver_busy(s->giver)) {
            signalled_reload = 0;
            reload(s);
        }
        keep_plans(s);
    }
}

/* Another process has the listeners, the lock and the socket's path by now. */
static void yield_station(struct serve *s)
{
    log_event(LOG_INFO, "taken_over", "lanes=%u", s->lane_count);
    atomic_store(&s->station.lingers, true);
    atomic_store(&s->station.yielded, true);
    admin_socket_leave(s->admin);
    s->admin = NULL;
}

/* Lets what runs end; the home loop goes on, for the simulator and the admin socket. */
static void drain(struct serve *s)
{
    int64_t until_ms = loop_now_ms(s->home) + LIMIT_STOP_MS;

    log_event(LOG_INFO, "draining", "lanes=%u seconds_max=%d", s->lane_count, LIMIT_STOP_MS / 1000);
    atomic_store(&s->station.draining, true);
    for (unsigned i = 0; i < s->lane_count; i++) {
        lane_wake(s->lanes[i]);
    }
    while (atomic_load(&s->station.lanes_running) > 0) {
        loop_step(s->home, 50);
        if (signalled_stop) {
            atomic_store(&s->station.lingers, false);
        }
        bool late = signalled_stop > 1 || loop_now_ms(s->home) > until_ms;
        if (late && !atomic_exchange(&s->station.hurried, true)) {
            log_event(LOG_WARN, "cut_off", "reason=\"%s\"",
                      signalled_stop > 1 ? "a second signal" : "draining took too long");
        }
    }
    for (unsigned i = 0; i < s->lane_count; i++) {
        pthread_join(s->threads[i], NULL);
    }
}

static bool start_simulator(struct serve *s, struct err *e)
{
    if (s->config_path != NULL || config_env_has_vendor(cli_vendors())) {
        return true;
    }
    s->sim = sim_start(s->home, STR("127.0.0.1:0"), NULL, e);
    s->sim_port = s->sim != NULL ? sim_port(s->sim) : 0;
    return s->sim != NULL;
}

static bool open_store(struct serve *s, struct err *e)
{
    char path[1024], dir[1024];

    (void)snprintf(path, sizeof(path), "%.*s", STR_ARG(s->config->store_path));
    (void)snprintf(dir, sizeof(dir), "%.*s", STR_ARG(s->config->data_dir));
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return err_set(e, "cannot make %s: %s", dir, strerror(errno));
    }
    (void)snprintf(s->admin_path, sizeof(s->admin_path), "%s/admin.sock", dir);
    if (s->take_over && !taker_ask(&s->taker, s->config, s->admin_path, e)) {
        return false;
    }
    s->ledger = s->taker.fd >= 0 ? ledger_open_beside(path, e) : ledger_open(path, false, e);
    return s->ledger != NULL;
}

/* The other shares as long as it lives, and so does this one. */
static bool lead(struct serve *s, struct err *e)
{
    return taker_lead(&s->taker, s->ledger, e) && ledger_share(s->ledger, false, e);
}

static bool serve_on(struct serve *s, struct err *e)
{
    s->giver = giver_new(s->home, &s->station, s->lanes, s->lane_count);
    s->admin = admin_socket_open(s->home, &s->station, str_from(s->admin_path), e);
    if (s->admin == NULL) {
        return false;
    }
    giver_listen(s->giver, &s->admin, s->admin_path);
    run_lanes(s);
    if (s->taker.fd >= 0) {
        taker_running(&s->taker);
        taker_end(&s->taker);
    }
    return true;
}

/* Everything up to the running lanes; false with the reason. */
static bool start(struct serve *s, struct err *e)
{
    struct buf errors;

    buf_init(&errors, 64 * 1024);
    s->home = loop_new(e);
    if (s->home == NULL || !workers_start(e) || !start_simulator(s, e)) {
        return false;
    }
    s->config = load(s, &errors);
    fprintf(stderr, "%.*s", STR_ARG(buf_str(&errors))); /* mistakes, or notes */
    if (s->config == NULL) {
        return err_set(e, "the configuration was refused");
    }
    if (!open_store(s, e) || !first_start(s, e)) {
        return false;
    }
    station_init(&s->station, s->config);
    s->station.ledger = s->ledger;
    s->station.page = page;
    if (s->config->tls_cert.n > 0) {
        s->station.tls = tls_server_new(s->config->tls_cert.p, s->config->tls_key.p, e);
        if (s->station.tls == NULL) {
            return false;
        }
    }
    /* Until here nobody has seen anything of it; from here on it is the station. */
    if (!make_lanes(s, e) || (s->taker.fd >= 0 && !lead(s, e)) || !ledger_begin(s->ledger, e) ||
        !prices_set(s->config, s->ledger, &errors) || !ledger_commit(s->ledger, e) ||
        !plans_set(s->config, s->ledger, !ledger_shared(s->ledger), e) ||
        !ledger_run(s->ledger, e)) {
        return false;
    }
    buf_release(&errors);
    return serve_on(s, e);
}

/* What a start that failed had already made. */
static void undo(struct serve *s)
{
    taker_end(&s->taker);
    /* What it has of another station's listeners stays that one's. */
    atomic_store(&s->station.yielded, s->taker.sockets.listen_count > 0);
    for (unsigned i = 0; i < s->lane_count; i++) {
        lane_free(s->lanes[i]);
    }
    if (s->giver != NULL) {
        giver_free(s->giver);
    }
    if (s->ledger != NULL) {
        ledger_close(s->ledger);
    }
    workers_stop();
    if (s->sim != NULL) {
        sim_stop(s->sim);
    }
    if (s->home != NULL) {
        loop_free(s->home);
    }
    if (s->station.config != NULL) {
        station_release(&s->station);
    }
    if (s->config != NULL) {
        config_unref(s->config);
    }
    tls_server_free(s->station.tls);
}

/* What this process may take, and what it must not leave behind. */
static void set_limits(void)
{
    struct rlimit files;
    struct rlimit no_core = {0, 0}; /* bodies and keys never reach a core file */

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)setrlimit(RLIMIT_CORE, &no_core);
    /* The memory of one body is used for the next: giving it back to the system and having it
     * cleared anew costs more than the body itself. */
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
    signal(SIGPIPE, SIG_IGN);
    umask(0077);
}

static bool read_options(struct serve *s, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct str word = str_from(argv[i]);
        if (str_eq(word, STR("-c")) && i + 1 < argc) {
            s->config_path = argv[++i];
        } else if (str_eq(word, STR("--takeover"))) {
            s->take_over = true;
        } else {
            cli_fail(2, "usage: entrepot serve [-c FILE] [--takeover]");
            return false;
        }
    }
    return true;
}

int cli_serve(int argc, char **argv)
{
    struct serve s = {0};
    struct err e = {""};

    s.taker.fd = -1;
    if (!read_options(&s, argc, argv)) {
        return 2;
    }
    set_limits();
    catch_signals();
    mask_signals(SIG_BLOCK);
    if (!start(&s, &e)) {
        fprintf(stderr, "entrepot: %s\n", e.text);
        undo(&s);
        return 1;
    }
    log_start();
    greet(&s);
    wait_for_signals(&s);
    if (giver_gone(s.giver)) {
        yield_station(&s);
    }
    giver_free(s.giver);
    drain(&s);
    admin_socket_close(s.admin);
    ledger_close(s.ledger);
    workers_stop(); /* a worker may still have an answer for a loop */
    for (unsigned i = 0; i < s.lane_count; i++) {
        lane_free(s.lanes[i]);
    }
    if (s.sim != NULL) {
        sim_stop(s.sim);
    }
    loop_step(s.home, 0);
    loop_free(s.home);
    station_release(&s.station);
    config_unref(s.config);
    tls_server_free(s.station.tls);
    log_stop();
    return 0;
}
