/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real ledger behind a line protocol, for the auditor (auditor.py). A batch is lines of
 * "LANE VERB ARGUMENTS" and ends with "run" (or "flush": replies go out one by one); each line is
 * answered by "NUMBER REPLY" in any order, the batch by "done". Lane 0 alone runs by itself; with
 * more of them each is a thread of its own, so that their races are real. The time of day is what
 * the auditor says, and commits fail when it says so (both by the linker's --wrap).
 */
#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/model/driver.h"

#define LANES 8
#define WORDS 40
#define SLOTS 4096
#define PRICES 64
#define PLANS 1024

static atomic_int_fast64_t now_us;
static atomic_int commits_to_fail;

int64_t __wrap_clock_wall_us(void);
bool __wrap_store_commit(struct store *s, struct err *e);
bool __real_store_commit(struct store *s, struct err *e);

int64_t __wrap_clock_wall_us(void)
{
    return atomic_load(&now_us);
}

bool __wrap_store_commit(struct store *s, struct err *e)
{
    if (atomic_load(&commits_to_fail) == 0)
        return __real_store_commit(s, e);
    atomic_fetch_sub(&commits_to_fail, 1);
    store_rollback(s);
    return err_set(e, "the auditor lets it fail");
}

struct lane {
    int number;
    struct loop *loop;
    struct ledger_outbox box;
    unsigned waiting; /* operations that are not back yet */
    char **lines;
    int *numbers;
    int count, room;
    struct buf replies;
};

/* An operation of a lane and the line that it answers. */
struct pending {
    struct ledger_op op;
    struct lane *lane;
    struct slot *slot;
    int number;
};

/* A request and its money. */
struct slot {
    struct key *key;
    struct rid rid;
    struct hold hold;
    struct price price; /* as it was when the request began */
    int64_t price_id;
    struct ratio ratios[2];
    size_t ratio_count;
    int64_t factor_id, rate_id, ts_us;
    char upstream[64];
    struct charge charge;
    struct pending charging;
};

static struct ledger *ledger;
static const char *path;
static bool flushing, serving;
static struct lane lanes[LANES];
static struct slot slots[SLOTS];
static struct {
    struct price price;
    int64_t id;
} prices[PRICES];
static struct plan plans[PLANS];
static char plan_names[PLANS][32];

_Noreturn void die(const char *what)
{
    fprintf(stderr, "driver: %s\n", what);
    exit(2);
}

static void send_replies(struct lane *lane)
{
    struct str left = buf_str(&lane->replies);

    while (left.n > 0) {
        ssize_t n = write(STDOUT_FILENO, left.p, left.n);
        if (n <= 0)
            exit(0);
        left = str_skip(left, (size_t)n);
    }
    buf_clear(&lane->replies);
}

static void reply(struct lane *lane, int number, struct str text)
{
    buf_addf(&lane->replies, "%d %.*s\n", number, STR_ARG(text));
    if (flushing)
        send_replies(lane);
}

static void replyf(struct lane *lane, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void replyf(struct lane *lane, int number, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reply(lane, number, str_slice(text, (size_t)n));
}

int64_t number_of(const char *text)
{
    return strtoll(text, NULL, 10);
}

struct currency currency_of(const char *text)
{
    struct currency cur = {""};

    if (strcmp(text, "-") != 0 && !currency_parse(str_from(text), &cur))
        die("no currency");
    return cur;
}

static struct slot *slot_of(const char *text)
{
    int64_t n = number_of(text);

    if (n < 0 || n >= SLOTS)
        die("no such slot");
    return &slots[n];
}

/* Waits for the ledger. */

static void answered(struct task *t)
{
    struct pending *p = (struct pending *)(void *)t;
    const struct charge *c = &p->slot->charge;

    p->lane->waiting--;
    if (!p->op.ok)
        reply(p->lane, p->number, STR("refused"));
    else if (p->op.kind == LEDGER_CHARGE)
        replyf(p->lane, p->number, "ok %lld %lld %lld %lld", (long long)c->computed,
               (long long)c->charged, (long long)c->promo, (long long)c->cost);
    else
        reply(p->lane, p->number, STR("ok"));
    if (p->op.kind == LEDGER_REVERSE)
        free(p);
}

static void counted(struct task *t)
{
    ((struct pending *)(void *)t)->lane->waiting--;
}

static void gather(struct lane *lane, struct pending *p, void (*run)(struct task *))
{
    p->lane = lane;
    p->op.loop = lane->loop;
    p->op.task.run = run;
    lane->waiting++;
    if (!ledger_gather(ledger, &lane->box, &p->op))
        die("the queue is full");
}

static void wait_all(struct lane *lane)
{
    ledger_send(ledger, &lane->box);
    while (lane->waiting > 0)
        loop_step(lane->loop, 1000);
}

/* One operation by itself, while others may wait in the box. */
static bool ask(struct lane *lane, struct ledger_op op)
{
    struct pending p = {.op = op};
    struct ledger_outbox kept = lane->box;
    unsigned waiting = lane->waiting;

    lane->waiting = 0;
    lane->box = (struct ledger_outbox){NULL, NULL};
    gather(lane, &p, counted);
    wait_all(lane);
    lane->box = kept;
    lane->waiting = waiting;
    return p.op.ok;
}

/* Requests. Each verb answers one line. */

static void verb_open(struct lane *lane, int number, char **w, int n)
{
    struct slot *s = slot_of(w[0]);
    const struct factor *f;
    struct rate rate;

    (void)n;
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < sizeof s->rid.b; i++) {
        char pair[3] = {w[1][2 * i], w[1][2 * i + 1], '\0'};
        s->rid.b[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    s->key = key_by_id(ledger, number_of(w[2]));
    s->hold.from = directory_account(ledger->directory, str_from(w[3]));
    size_t price = (size_t)number_of(w[4]);
    if (s->key == NULL || s->hold.from == NULL || price >= PRICES)
        die("open: no such key, balance or price");
    s->price = prices[price].price;
    s->price_id = prices[price].id;
    s->ts_us = atomic_load(&now_us);
    f = atomic_load(&s->key->account->factor);
    if (f != NULL) {
        s->factor_id = f->id;
        s->ratios[s->ratio_count++] = f->ratio;
    }
    struct currency from = s->price.currency, to = s->hold.from->currency;
    if (strcmp(from.code, to.code) != 0) {
        if (!ledger_rate(ledger, from, to, s->ts_us, &rate)) {
            reply(lane, number, STR("none"));
            return;
        }
        s->rate_id = rate.id;
        s->ratios[s->ratio_count++] = rate.ratio;
    }
    replyf(lane, number, "ok %lld %lld", (long long)s->factor_id, (long long)s->rate_id);
}

static void verb_hold(struct lane *lane, int number, char **w, int n)
{
    static const char *const names[] = {[HOLD_NO_FUNDS] = "no_funds",
                                        [HOLD_OVER_BUDGET] = "budget",
                                        [HOLD_OVER_ACCOUNT_BUDGET] = "account_budget",
                                        [HOLD_WAIT] = "wait"};
    struct slot *s = slot_of(w[0]);
    int64_t nano = number_of(w[1]), promo = s->hold.promo, paid = s->hold.paid;
    enum hold_result r = ledger_hold(&s->hold, s->key, nano);

    (void)n;
    for (int i = 0; r == HOLD_WAIT && i < 3; i++) {
        (void)ask(lane,
                  (struct ledger_op){.kind = LEDGER_ALLOT, .account = s->hold.from, .nano = nano});
        r = ledger_hold(&s->hold, s->key, nano);
    }
    if (r == HOLD_HELD)
        replyf(lane, number, "held %lld %lld", (long long)(s->hold.promo - promo),
               (long long)(s->hold.paid - paid));
    else
        replyf(lane, number, "%s", names[r]);
}

static void verb_release(struct lane *lane, int number, char **w, int n)
{
    struct slot *s = slot_of(w[0]);

    (void)n;
    ledger_release(&s->hold, s->key);
    reply(lane, number, STR("ok"));
}

static const struct plan *plan_of(const char *text)
{
    int64_t n = number_of(text);

    if (n < 0 || n >= PLANS)
        die("no such plan");
    return &plans[n];
}

static void fill_cost(struct charge *c, const char *word)
{
    if (word[0] == 'p') {
        c->plan = plan_of(word + 1);
        c->cost_currency = c->plan->budget.currency;
    } else if (word[0] != '-') {
        const struct price *p = &prices[number_of(word)].price;
        c->cost_currency = p->currency;
        if (!price_cost_up(p, &c->usage, &c->cost))
            die("a cost beyond all numbers");
        const char *beyond = strchr(word, '+');
        c->beyond = beyond == NULL ? 0 : number_of(beyond + 1);
    }
}

static void read_usage(struct usage *u, const char *service, char **w, int n)
{
    enum tier tier;

    *u = (struct usage){.state = USAGE_OK};
    if (!tier_find(text_of(service), &tier))
        die("no such service");
    u->tier = (uint8_t)tier;
    for (int i = 0; i < n; i++) {
        struct str value = str_from(w[i]);
        struct str name = str_cut(&value, '=');
        for (size_t k = 0; k < LEAF_COUNT; k++)
            if (str_eq(name, str_from(leaves[k].name)))
                leaf_set(u, &leaves[k], (uint64_t)number_of(value.p));
    }
}

/* charge SLOT COST UPSTREAM SERVICE LEAF=N...: waits for "go". COST is the number of a
 * price, with + and an estimate beyond it, or p and the number of a plan. */
static void verb_charge(struct lane *lane, int number, char **w, int n)
{
    struct slot *s = slot_of(w[0]);
    struct charge *c = &s->charge;

    snprintf(s->upstream, sizeof s->upstream, "%s", w[2]);
    *c = (struct charge){.rid = s->rid,
                         .key = s->key,
                         .asked = STR("m"),
                         .sent = STR("m"),
                         .seen = STR("m"),
                         .upstream = str_from(s->upstream),
                         .price_id = s->price_id,
                         .factor_id = s->factor_id,
                         .rate_id = s->rate_id,
                         .hold = s->hold,
                         .ts_us = s->ts_us};
    read_usage(&c->usage, w[3], w + 4, n - 4);
    if (!price_cost(&s->price, &c->usage, s->ratios, s->ratio_count, &c->computed))
        die("a charge beyond all numbers");
    fill_cost(c, w[1]);
    s->charging =
        (struct pending){.op = {.kind = LEDGER_CHARGE, .charge = c}, .slot = s, .number = number};
    gather(lane, &s->charging, answered);
}

/* Any number of them may wait for one request. */
static void verb_reverse(struct lane *lane, int number, char **w, int n)
{
    struct slot *s = slot_of(w[0]);
    struct pending *p = calloc(1, sizeof *p);

    (void)n;
    if (p == NULL)
        die("out of memory");
    s->charge.rid = s->rid;
    *p = (struct pending){
        .op = {.kind = LEDGER_REVERSE, .charge = &s->charge}, .slot = s, .number = number};
    gather(lane, p, answered);
}

/* Nobody waits for a closing row: the ledger frees it. */
struct farewell {
    struct ledger_op op;
    struct closing closing;
    char end[32], bearer[64];
};

/* An attempt that failed: pPLAN, or NANO CURRENCY BEARER. */
static void fill_attempt(struct attempt *a, char bearer[64], char **w, int n)
{
    a->failure = "connect";
    a->cost_to = bearer;
    if (n < 3) {
        const struct plan *p = plan_of(w[0] + 1);
        snprintf(bearer, 64, "cogs:failed_attempts");
        a->upstream = p->upstream;
        a->counted = true;
        a->plan = *p;
        return;
    }
    snprintf(bearer, 64, "%s", w[2]);
    a->cost = number_of(w[0]);
    a->cost_currency = currency_of(w[1]);
}

static void verb_close(struct lane *lane, int number, char **w, int n)
{
    const struct slot *s = slot_of(w[0]);
    struct farewell *f = calloc(1, sizeof *f);

    if (f == NULL)
        die("out of memory");
    snprintf(f->end, sizeof f->end, "%s", w[1]);
    f->closing = (struct closing){.rid = s->rid,
                                  .account = s->key->account,
                                  .key = s->key,
                                  .asked = STR("m"),
                                  .upstream = STR("lab"),
                                  .endpoint = "chat",
                                  .end = f->end,
                                  .status = (unsigned)number_of(w[2]),
                                  .attempt_count = 1,
                                  .attempts = {{.upstream = STR("lab"), .failure = ""}},
                                  .ts_us = s->ts_us};
    if (n > 3)
        fill_attempt(&f->closing.attempts[0], f->bearer, w + 3, n - 3);
    f->op = (struct ledger_op){.kind = LEDGER_CLOSE, .closing = &f->closing};
    if (!ledger_gather(ledger, &lane->box, &f->op))
        die("the queue is full");
    reply(lane, number, STR("ok"));
}

/* Administration. */

/* price INDEX MODEL CURRENCY NUM DEN TERMS */
static void admin_price(struct ledger *l, struct words *a)
{
    int64_t at = number_of(a->w[0]);
    struct price p = {.currency = currency_of(a->w[2]), .margin = ratio_of(a->w + 3)};

    if (at < 0 || at >= PRICES)
        die("no such price");
    a->ok = price_terms_parse(str_from(a->w[5]), &p, &a->e) &&
            ledger_price_row(l, str_from(a->w[1]), &p, &a->id, &a->e);
    if (a->ok) {
        prices[at].price = p;
        prices[at].id = a->id;
    }
}

/* plan INDEX UPSTREAM REQUESTS COST CURRENCY FROM UNTIL */
static void admin_plan(struct ledger *l, struct words *a)
{
    int64_t n = number_of(a->w[0]);

    (void)l;
    (void)plan_of(a->w[0]);
    snprintf(plan_names[n], sizeof plan_names[n], "%s", a->w[1]);
    plans[n] = (struct plan){.upstream = str_from(plan_names[n]),
                             .budget = {.unit = BUDGET_REQUESTS,
                                        .period = 'd',
                                        .units = number_of(a->w[2]),
                                        .cost = number_of(a->w[3]),
                                        .currency = currency_of(a->w[4])},
                             .from_us = number_of(a->w[5]),
                             .until_us = number_of(a->w[6])};
    a->ok = true;
}

static void admin_periods(struct ledger *l, struct words *a)
{
    a->ok = ledger_plans_end(l, atomic_load(&now_us), &a->e);
}

static void admin_offer(struct ledger *l, struct words *a)
{
    a->ok = ledger_offer(l, str_from(a->w[0]), number_of(a->w[1]), number_of(a->w[2]),
                         number_of(a->w[3]), &a->e);
}

static void admin_check(struct ledger *l, struct words *a)
{
    a->ok = ledger_check(ledger_view(l), &a->out, &a->e);
    if (!a->ok)
        snprintf(a->e.text, sizeof a->e.text, "%.*s", 200, a->out.p);
}

static void admin_nothing(struct ledger *l, struct words *a)
{
    (void)l;
    a->ok = true;
}

static void call(struct ledger *l, void *ctx)
{
    struct words *a = ctx;

    a->run(l, a);
}

static void verb_admin(struct lane *lane, int number, void (*run)(struct ledger *, struct words *),
                       char **w)
{
    struct words a = {.w = w, .run = run};

    buf_init(&a.out, 1 << 20);
    if (serving)
        (void)ask(lane, (struct ledger_op){.kind = LEDGER_CALL, .call = call, .ctx = &a});
    else
        run(ledger, &a);
    if (a.verdict != NULL)
        reply(lane, number, str_from(a.verdict));
    else if (a.ok)
        replyf(lane, number, "ok %lld", (long long)a.id);
    else
        replyf(lane, number, "refused %s", a.e.text);
    buf_release(&a.out);
}

/* The state of memory: accounts and keys, in one line. */

static void tell_budget(struct buf *b, const struct budget *of)
{
    buf_addf(b, " %lld %c %lld %lld %lld", (long long)atomic_load(&of->limit),
             atomic_load(&of->period) == 'd' ? 'd' : 'm', (long long)atomic_load(&of->held),
             (long long)atomic_load(&of->spent), (long long)atomic_load(&of->spent_window));
}

static void tell_account(struct buf *b, const struct account *a)
{
    buf_addf(b, ";account %s %lld %lld %lld %lld %lld %d", a->name,
             (long long)atomic_load(&a->balance), (long long)atomic_load(&a->free),
             (long long)atomic_load(&a->held), (long long)atomic_load(&a->unallotted),
             (long long)atomic_load(&a->credit_limit), a->limited);
    tell_budget(b, &a->budget);
}

static void admin_state(struct ledger *l, struct words *a)
{
    struct str id;
    size_t at = 0;
    void *entry;

    while (map_next(l->accounts, &at, &id, &entry))
        tell_account(&a->out, &((struct purse *)entry)->account);
    at = 0;
    while (map_next(l->keys, &at, &id, &entry)) {
        struct key *k = entry;
        buf_addf(&a->out, ";key %lld", (long long)k->id);
        tell_budget(&a->out, key_budget(k)); /* of the first, where it replaced one */
    }
    a->ok = !a->out.overflow;
}

/* Then what nobody waits for is written, too: rows that were kept after a failed commit come behind
 * the first that succeeds. */
static void settle(struct lane *lane)
{
    struct account *house = directory_account(ledger->directory, STR("house"));
    struct words nothing = {.run = admin_nothing};

    (void)ask(lane, (struct ledger_op){.kind = LEDGER_ALLOT, .account = house});
    (void)ask(lane, (struct ledger_op){.kind = LEDGER_CALL, .call = call, .ctx = &nothing});
}

/* Everything gathered, in one piece, and closing rows are waited for, too; so many commits fail
 * then. */
static void verb_go(struct lane *lane, int number, char **w, int n)
{
    struct words nothing = {.run = admin_nothing};

    if (n > 0)
        atomic_store(&commits_to_fail, (int)number_of(w[0]));
    wait_all(lane);
    (void)ask(lane, (struct ledger_op){.kind = LEDGER_CALL, .call = call, .ctx = &nothing});
    if (n > 0)
        atomic_store(&commits_to_fail, 0);
    reply(lane, number, STR("ok"));
}

static void verb_settle(struct lane *lane, int number, char **w, int n)
{
    (void)w, (void)n;
    settle(lane);
    reply(lane, number, STR("ok"));
}

static void verb_state(struct lane *lane, int number, char **w, int n)
{
    struct words a = {.w = w, .run = admin_state};

    (void)n;
    buf_init(&a.out, 4 << 20);
    settle(lane);
    (void)ask(lane, (struct ledger_op){.kind = LEDGER_CALL, .call = call, .ctx = &a});
    assert(a.ok);
    reply(lane, number, buf_str(&a.out));
    buf_release(&a.out);
}

static void open_ledger(bool run)
{
    struct err e;

    ledger = ledger_open(path, run, &e);
    if (ledger == NULL)
        die(e.text);
    serving = run;
}

static void verb_restart(struct lane *lane, int number, bool run)
{
    ledger_close(ledger);
    open_ledger(run);
    reply(lane, number, STR("ok"));
}

static void verb_serve(struct lane *lane, int number)
{
    struct err e;

    serving = ledger_run(ledger, &e);
    if (!serving)
        die(e.text);
    reply(lane, number, STR("ok"));
}

static void verb_set(struct lane *lane, int number, const char *verb, const char *value)
{
    if (strcmp(verb, "clock") == 0)
        atomic_store(&now_us, number_of(value));
    else
        atomic_store(&commits_to_fail, (int)number_of(value));
    reply(lane, number, STR("ok"));
}

static const struct {
    const char *verb;
    int words; /* at least */
    void (*request)(struct lane *lane, int number, char **w, int n);
    void (*admin)(struct ledger *l, struct words *a);
} verbs[] = {
    {"open", 5, verb_open, NULL},       {"hold", 2, verb_hold, NULL},
    {"release", 1, verb_release, NULL}, {"charge", 4, verb_charge, NULL},
    {"reverse", 1, verb_reverse, NULL}, {"close", 3, verb_close, NULL},
    {"go", 0, verb_go, NULL},           {"account", 5, NULL, admin_account},
    {"key", 3, NULL, admin_key},        {"budget", 3, NULL, admin_budget},
    {"credit", 5, NULL, admin_credit},  {"debit", 5, NULL, admin_debit},
    {"limit", 2, NULL, admin_limit},    {"group", 2, NULL, admin_group},
    {"factor", 4, NULL, admin_factor},  {"rate", 6, NULL, admin_rate},
    {"price", 6, NULL, admin_price},    {"offer", 4, NULL, admin_offer},
    {"check", 0, NULL, admin_check},    {"voucher", 5, NULL, admin_voucher},
    {"redeem", 2, NULL, admin_redeem},  {"void", 2, NULL, admin_void},
    {"refund", 4, NULL, admin_refund},  {"end", 2, NULL, admin_refund_end},
    {"buy", 7, NULL, admin_buy},        {"writeoff", 4, NULL, admin_writeoff},
    {"plan", 7, NULL, admin_plan},      {"periods", 0, NULL, admin_periods},
    {"rotate", 2, NULL, admin_rotate},  {"settle", 0, verb_settle, NULL},
    {"state", 0, verb_state, NULL},
};

static void run_line(struct lane *lane, int number, char **w, int n)
{
    const char *verb = w[0];

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verb, verbs[i].verb) != 0)
            continue;
        if (n - 1 < verbs[i].words)
            die("too few words");
        if (verbs[i].admin != NULL)
            verb_admin(lane, number, verbs[i].admin, w + 1);
        else
            verbs[i].request(lane, number, w + 1, n - 1);
        return;
    }
    if (strcmp(verb, "restart") == 0 || strcmp(verb, "offline") == 0)
        verb_restart(lane, number, verb[0] == 'r');
    else if (strcmp(verb, "serve") == 0)
        verb_serve(lane, number);
    else if (n == 2)
        verb_set(lane, number, verb, w[1]);
    else
        die("no such verb");
}

static void *run_lane(void *ctx)
{
    struct lane *lane = ctx;

    for (int i = 0; i < lane->count; i++) {
        char *words[WORDS], *rest = lane->lines[i];
        int n = 0;
        while (n < WORDS && (words[n] = strsep(&rest, " ")) != NULL)
            n++;
        run_line(lane, lane->numbers[i], words, n);
        free(lane->lines[i]);
    }
    wait_all(lane);
    send_replies(lane);
    lane->count = 0;
    return NULL;
}

static void add_line(char *line, int number)
{
    struct lane *lane = &lanes[line[0] - '0'];

    if (line[0] < '0' || line[0] >= '0' + LANES || line[1] != ' ')
        die("no such lane");
    if (lane->count == lane->room) {
        lane->room = lane->room * 2 + 64;
        lane->lines = realloc(lane->lines, (size_t)lane->room * sizeof *lane->lines);
        lane->numbers = realloc(lane->numbers, (size_t)lane->room * sizeof *lane->numbers);
        if (lane->lines == NULL || lane->numbers == NULL)
            die("out of memory");
    }
    lane->lines[lane->count] = strdup(line + 2);
    lane->numbers[lane->count++] = number;
}

static void run_batch(void)
{
    pthread_t threads[LANES];
    bool started[LANES] = {false};

    for (int i = 1; i < LANES; i++) {
        started[i] = lanes[i].count > 0;
        if (started[i] && pthread_create(&threads[i], NULL, run_lane, &lanes[i]) != 0)
            die("no thread");
    }
    (void)run_lane(&lanes[0]);
    for (int i = 1; i < LANES; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
    if (write(STDOUT_FILENO, "done\n", 5) != 5)
        exit(0);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int number = 0;

    if (argc != 3)
        die("usage: model_driver STORE TIME_US");
    path = argv[1];
    atomic_store(&now_us, number_of(argv[2]));
    open_ledger(true);
    for (int i = 0; i < LANES; i++) {
        lanes[i].number = i;
        lanes[i].loop = loop_new(NULL);
        buf_init(&lanes[i].replies, 64 << 20);
    }
    while ((n = getline(&line, &room, stdin)) > 0) {
        line[n - 1] = '\0';
        flushing = strcmp(line, "flush") == 0;
        if (!flushing && strcmp(line, "run") != 0) {
            add_line(line, number++);
            continue;
        }
        run_batch();
        number = 0;
    }
    ledger_close(ledger);
    return 0;
}
