/* SPDX-License-Identifier: Apache-2.0 */
/* Reads beside the ledger thread: what they see, what they hinder, how they end. */
#include "ledger_case.h"

/* A read that takes until the test lets it end. */
struct slow_read {
    atomic_bool began, may_end;
    int64_t before, after;
};

static int64_t read_balance(struct ledger_view *v)
{
    struct err e;
    struct statement *st =
        store_prepare(v->store, "SELECT balance FROM account WHERE name='alice'", &e);
    int64_t nano = st != NULL && store_step(st) == STEP_ROW ? store_i64(st, 0) : -1;

    store_drop(v->store, st);
    return nano;
}

static void read_slowly(struct ledger_view *v, void *ctx)
{
    struct slow_read *r = ctx;
    struct err e;

    if (view_begin(v, &e))
        r->before = read_balance(v);
    atomic_store(&r->began, true);
    while (!atomic_load(&r->may_end))
        usleep(1000);
    r->after = read_balance(v);
    view_end(v);
}

static void read_once(struct ledger_view *v, void *ctx)
{
    *(int64_t *)ctx = read_balance(v);
}

static void begin_slow_read(struct station *s, struct op *o, struct slow_read *r)
{
    *o = (struct op){.op = {.kind = LEDGER_REPORT, .read = read_slowly, .ctx = r}};
    submit(s, o);
    while (!atomic_load(&r->began))
        usleep(1000);
}

static void test_nothing_waits_for_a_report(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct slow_read r = {0};
    int64_t seen = 0;
    struct op report, read = {.op = {.kind = LEDGER_READ, .read = read_once, .ctx = &seen}};
    struct charge c;

    (void)state;
    begin_slow_read(s, &report, &r);
    hold(s, 100);
    assert_true(charge(s, &c, 1, 100, 70));
    assert_true(close_request(s, 1));
    assert_true(run(s, &read));
    assert_int_equal(seen, 930); /* what came back done is seen */
    atomic_store(&r.may_end, true);
    await(s, 1);
    assert_int_equal(r.before, 1000); /* and a snapshot stays as it was */
    assert_int_equal(r.after, 1000);
    assert_true(check(s));
    station_free(s);
}

static void test_waiting_reads_have_a_maximum(void **state)
{
    static struct op ops[LIMIT_READS + 1];
    static int64_t seen;
    struct station *s = station_new("customer", 1000, 0);
    struct slow_read r = {0};
    struct op report;

    (void)state;
    begin_slow_read(s, &report, &r);
    for (unsigned i = 0; i <= LIMIT_READS; i++)
        ops[i] = (struct op){.op = {.kind = LEDGER_REPORT, .read = read_once, .ctx = &seen}};
    for (unsigned i = 0; i < LIMIT_READS; i++)
        submit(s, &ops[i]);
    ops[LIMIT_READS].op.loop = s->loop;
    assert_false(ledger_submit(s->ledger, &ops[LIMIT_READS].op));
    atomic_store(&r.may_end, true);
    await(s, LIMIT_READS + 1);
    assert_int_equal(seen, 1000);
    station_free(s);
}

static void read_forever(struct ledger_view *v, void *ctx)
{
    struct slow_read *r = ctx;
    struct err e;
    struct statement *st =
        store_prepare(v->store,
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n)"
                      " SELECT MAX(i) FROM n",
                      &e);

    atomic_store(&r->began, true);
    r->before = st == NULL ? -1 : (int64_t)store_step(st);
    store_drop(v->store, st);
}

static void test_a_stop_cuts_reads_off(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct slow_read r = {0};
    int64_t seen = 0;
    struct op report = {.op = {.kind = LEDGER_REPORT, .read = read_forever, .ctx = &r}};
    struct op behind = {.op = {.kind = LEDGER_REPORT, .read = read_once, .ctx = &seen}};

    (void)state;
    submit(s, &report);
    submit(s, &behind);
    while (!atomic_load(&r.began))
        usleep(1000);
    ledger_close(s->ledger);
    await(s, 2);
    assert_int_equal(r.before, STEP_FAIL);
    assert_false(behind.op.ok); /* answered unread */
    assert_int_equal(seen, 0);
    open_ledger(s);
    station_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_waits_for_a_report),
        cmocka_unit_test(test_waiting_reads_have_a_maximum),
        cmocka_unit_test(test_a_stop_cuts_reads_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
