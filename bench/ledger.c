/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger by itself, on a real disk: no sockets, the room as the station has it.
 *
 *   bench_ledger FOLDER ACCOUNTS BATCH CHARGES
 *
 * Makes a store in FOLDER with so many accounts, each with its key, and charges them in turn,
 * BATCH operations a commit: first the charges, then their closing rows, as each answer has both.
 * Says one line of JSON: how long the commit of a batch of charges took (p50, p99), the CPU of the
 * ledger's thread for each charge and for each closing row, the bytes that both grew the store by;
 * how long a check of all the books took, and the commits beside it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"

#define TOKENS 700
#define EACH_NANO INT64_C(1000000000000)

static const struct price price = {
    .currency = {"USD"},
    .margin = {21, 20},
    .tier_count = 1,
    .tiers = {{.rate = {[LEAF_in] = 1000000, [LEAF_out] = 4000000}}},
};

struct work {
    struct ledger_op op;
    struct charge charge;
    struct closing closing;
};

static struct bench {
    char path[512];
    struct ledger *ledger;
    struct loop *loop;
    struct key **keys;
    size_t key_count, next_key;
    int64_t price_id;
    struct work work[LIMIT_BATCH];
    size_t batch, answered;
} bench;

static void fail(const char *what)
{
    fprintf(stderr, "bench_ledger: %s\n", what);
    exit(1);
}

static void answered(struct task *t)
{
    (void)t;
    bench.answered++;
}

static int64_t thread_ns(void)
{
    clockid_t clock;
    struct timespec t;

    pthread_getcpuclockid(bench.ledger->thread, &clock);
    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Hands the batch over in one piece and waits for it. Nanoseconds of the wait; *cpu grows. */
static int64_t run_batch(enum ledger_op_kind kind, int64_t *cpu)
{
    struct ledger_outbox box = {NULL, NULL};
    int64_t before = thread_ns();

    bench.answered = 0;
    for (size_t i = 0; i < bench.batch; i++) {
        struct ledger_op *op = &bench.work[i].op;
        op->kind = (uint8_t)kind;
        op->loop = bench.loop;
        op->task.run = answered;
        if (!ledger_gather(bench.ledger, &box, op))
            fail("the queue is full");
    }
    int64_t began = clock_mono_ns();
    ledger_send(bench.ledger, &box);
    while (bench.answered < bench.batch)
        loop_step(bench.loop, 1000);
    int64_t took = clock_mono_ns() - began;
    for (size_t i = 0; i < bench.batch; i++)
        if (!bench.work[i].op.ok)
            fail("an operation failed");
    *cpu += thread_ns() - before;
    return took;
}

/* The accounts in one transaction: each with its credit and a key. */
static void make_accounts(size_t count)
{
    struct err e = {""};
    char sql[2048];

    snprintf(sql, sizeof sql,
             "BEGIN; INSERT INTO account(name, currency, kind, created) VALUES('funding:USD',"
             " 'USD', 'system', 0);"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%zu)"
             " INSERT INTO account(name, currency, kind, balance, created)"
             " SELECT 'customer' || i, 'USD', 'customer', %lld, 0 FROM n;"
             "INSERT INTO transfer(debit, credit, nano, kind, ts) SELECT (SELECT id FROM account"
             " WHERE name='funding:USD'), id, balance, 'credit', 0 FROM account"
             " WHERE kind='customer';"
             "UPDATE account SET balance=-(SELECT SUM(nano) FROM transfer)"
             " WHERE name='funding:USD';"
             "INSERT INTO key(hash, label, account, models, expires, rpm, concurrency, budget,"
             " budget_period, created) SELECT randomblob(32), '', id, '', 0, 0, 0, 0, 'm', 0"
             " FROM account WHERE kind='customer'; COMMIT",
             count, (long long)EACH_NANO);
    if (!store_exec(bench.ledger->store, sql, &e) ||
        !ledger_price_row(bench.ledger, STR("m"), &price, &bench.price_id, &e))
        fail(e.text);
}

static void open_ledger(void)
{
    struct err e = {""};

    bench.ledger = ledger_open(bench.path, false, &e);
    if (bench.ledger == NULL)
        fail(e.text);
}

static void find_keys(void)
{
    size_t at = 0;
    struct str id;
    void *key;

    bench.keys = calloc(bench.key_count, sizeof(struct key *));
    assert(bench.keys != NULL);
    for (size_t i = 0; i < bench.key_count; i++) {
        bool there = map_next(bench.ledger->keys, &at, &id, &key);
        assert(there);
        bench.keys[i] = key;
    }
}

/* Every purse is filled, as it is after a customer's first request. */
static void fill_purses(void)
{
    size_t batch = bench.batch;
    int64_t cpu = 0;

    bench.batch = LIMIT_BATCH;
    for (size_t i = 0; i < bench.key_count;) {
        for (size_t k = 0; k < LIMIT_BATCH; k++, i++)
            bench.work[k].op = (struct ledger_op){
                .account = bench.keys[i % bench.key_count]->account, .nano = EACH_NANO / 2};
        (void)run_batch(LEDGER_ALLOT, &cpu);
    }
    bench.batch = batch;
}

static void fill_charge(struct work *w)
{
    struct key *key = bench.keys[bench.next_key++ % bench.key_count];
    struct charge *c = &w->charge;
    int64_t nano;

    memset(w, 0, sizeof *w);
    c->rid = rid_new(clock_wall_us());
    c->key = key;
    c->hold.from = key->account;
    c->asked = c->sent = c->seen = STR("a-model-of-some-vendor");
    c->upstream = STR("vendor");
    c->price_id = bench.price_id;
    c->usage = (struct usage){.in = TOKENS, .out = TOKENS};
    c->cost_currency = price.currency;
    if (!price_cost(&price, &c->usage, NULL, 0, &nano) ||
        ledger_hold(&c->hold, key, 2 * nano) != HOLD_HELD)
        fail("nothing was held");
    c->computed = c->cost = nano;
    w->op.charge = c;
    w->op.closing = &w->closing;
    w->closing = (struct closing){.rid = c->rid,
                                  .account = key->account,
                                  .key = key,
                                  .asked = c->asked,
                                  .upstream = c->upstream,
                                  .edits = STR("authorization"),
                                  .endpoint = "chat.completions",
                                  .end = "complete",
                                  .status = 200,
                                  .attempt_count = 1,
                                  .attempts = {{.upstream = c->upstream, .failure = ""}},
                                  .bytes_in = 1000,
                                  .bytes_out = 1000,
                                  .ts_us = clock_wall_us(),
                                  .first_us = clock_wall_us(),
                                  .end_us = clock_wall_us()};
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int64_t file_bytes(void)
{
    struct stat s;

    if (stat(bench.path, &s) != 0)
        fail("the store is gone");
    return s.st_size;
}

struct waits {
    int64_t *ns;
    size_t count, room;
};

static double percentile_us(struct waits *w, size_t percent)
{
    qsort(w->ns, w->count, sizeof *w->ns, by_size);
    return (double)w->ns[w->count * percent / 100] / 1e3;
}

static void charge_batch(struct waits *w, int64_t *cpu_charge, int64_t *cpu_close)
{
    for (size_t i = 0; i < bench.batch; i++)
        fill_charge(&bench.work[i]);
    int64_t took = run_batch(LEDGER_CHARGE, cpu_charge);
    if (w->count < w->room)
        w->ns[w->count++] = took;
    (void)run_batch(LEDGER_CLOSE, cpu_close);
}

static void measure(struct waits *w, size_t charges)
{
    int64_t cpu_charge = 0, cpu_close = 0;
    size_t rounds = charges / bench.batch;

    fill_purses();
    int64_t began = clock_mono_ns();
    for (size_t r = 0; r < rounds; r++)
        charge_batch(w, &cpu_charge, &cpu_close);
    double seconds = (double)(clock_mono_ns() - began) / 1e9, n = (double)(rounds * bench.batch);
    printf("{\"accounts\":%zu,\"batch\":%zu,\"charges\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
           "\"charge_us\":%.2f,\"close_us\":%.2f,\"per_second\":%.0f",
           bench.key_count, bench.batch, n, percentile_us(w, 50), percentile_us(w, 99),
           (double)cpu_charge / n / 1e3, (double)cpu_close / n / 1e3, n / seconds);
}

struct check {
    struct ledger_op op;
    atomic_bool done;
};

static void check(struct ledger_view *v, void *ctx)
{
    struct check *c = ctx;
    struct err e = {""};
    struct buf out;

    buf_init(&out, 1 << 20);
    if (!ledger_check(v, &out, &e))
        fail(e.text);
    buf_release(&out);
    atomic_store(&c->done, true);
}

static void checked(struct task *t)
{
    (void)t;
}

/* Charges go on until the check is done. */
static void measure_check(struct waits *w)
{
    static struct check c = {.op = {.kind = LEDGER_REPORT, .read = check, .ctx = &c}};
    int64_t began = clock_mono_ns(), cpu = 0;

    c.op.loop = bench.loop;
    c.op.task.run = checked;
    if (!ledger_submit(bench.ledger, &c.op))
        fail("no check was begun");
    w->count = 0;
    do
        charge_batch(w, &cpu, &cpu);
    while (!atomic_load(&c.done));
    printf(",\"check_s\":%.2f,\"beside_p50_us\":%.1f,\"beside_p99_us\":%.1f",
           (double)(clock_mono_ns() - began) / 1e9, percentile_us(w, 50), percentile_us(w, 99));
}

int main(int argc, char **argv)
{
    struct err e = {""};

    if (argc != 5)
        fail("bench_ledger FOLDER ACCOUNTS BATCH CHARGES");
    snprintf(bench.path, sizeof bench.path, "%s/station.db", argv[1]);
    bench.key_count = strtoul(argv[2], NULL, 10);
    bench.batch = strtoul(argv[3], NULL, 10);
    size_t charges = strtoul(argv[4], NULL, 10);
    if (bench.key_count == 0 || bench.batch == 0 || bench.batch > LIMIT_BATCH ||
        charges < bench.batch)
        fail("ACCOUNTS above 0, BATCH 1 to 256, CHARGES at least BATCH");
    open_ledger();
    make_accounts(bench.key_count);
    ledger_close(bench.ledger);
    int64_t before = file_bytes();
    bench.loop = loop_new(&e);
    open_ledger();
    find_keys();
    struct waits w = {.room = charges / bench.batch + 100000};
    w.ns = calloc(w.room, sizeof *w.ns);
    assert(w.ns != NULL);
    if (!ledger_run(bench.ledger, &e))
        fail(e.text);
    measure(&w, charges);
    measure_check(&w);
    ledger_close(bench.ledger);
    printf(",\"bytes\":%.1f}\n", (double)(file_bytes() - before) / (double)bench.next_key);
    loop_free(bench.loop);
    free(bench.keys);
    free(w.ns);
    return 0;
}
