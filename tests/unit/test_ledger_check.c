/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger that checks itself: a broken row stops admissions until a check finds it mended. */
#include "ledger_case.h"

static const char break_it[] = "UPDATE account SET balance=balance+1 WHERE name='alice'";
static const char mend_it[] = "UPDATE account SET balance=balance-1 WHERE name='alice'";

static void await_admissions(struct station *s, bool admits)
{
    for (int i = 0; i < 10000 && ledger_admits(s->ledger) != admits; i++)
        usleep(1000);
    assert_true(ledger_admits(s->ledger) == admits);
}

/* As if so much time had passed as there is between two checks. */
static void hurry(struct station *s, int64_t every_ms)
{
    struct reader *r = &s->ledger->readers[READER_LONG];

    pthread_mutex_lock(&r->mutex);
    r->check_every_ms = every_ms;
    r->check_at_ns = 0;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->mutex);
}

static void reopen(struct station *s)
{
    ledger_close(s->ledger);
    open_ledger(s);
}

static void test_a_command_stops_and_resumes(void **state)
{
    struct station *s = station_new("customer", 1000, 0);

    (void)state;
    sql(s, break_it);
    assert_true(ledger_admits(s->ledger)); /* nobody has looked yet */
    assert_false(check(s));
    assert_false(ledger_admits(s->ledger));
    sql(s, mend_it);
    assert_false(ledger_admits(s->ledger)); /* mended, but not checked */
    assert_true(check(s));
    assert_true(ledger_admits(s->ledger));
    station_free(s);
}

static void test_a_start_checks_before_it_admits(void **state)
{
    struct station *s = station_new("customer", 1000, 0);

    (void)state;
    sql(s, break_it);
    reopen(s);
    assert_false(ledger_admits(s->ledger));
    reopen(s);
    assert_false(ledger_admits(s->ledger));
    sql(s, mend_it);
    reopen(s);
    assert_true(ledger_admits(s->ledger));
    station_free(s);
}

static void test_it_is_checked_again_and_again(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct charge c;

    (void)state;
    hurry(s, 1);
    sql(s, break_it);
    await_admissions(s, false);
    hold(s, 100); /* what runs goes on: its charge is not in the way, nor is the check in its */
    assert_true(charge(s, &c, 1, 100, 70));
    assert_true(close_request(s, 1));
    sql(s, mend_it);
    await_admissions(s, true);
    station_free(s);
}

static void test_not_before_its_time(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct reader *r = &s->ledger->readers[READER_LONG];

    (void)state;
    pthread_mutex_lock(&r->mutex);
    assert_int_equal(r->check_every_ms, 3600 * 1000);
    int64_t left_ms = (r->check_at_ns - clock_mono_ns()) / 1000000;
    pthread_mutex_unlock(&r->mutex);
    assert_in_range(left_ms, 3500 * 1000, 3600 * 1000);
    sql(s, break_it);
    assert_true(ledger_admits(s->ledger));
    sql(s, mend_it);
    station_free(s);
}

static void test_rows_of_each_invariant_are_named(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    struct admin a = {0};
    struct op o = {.op = {.kind = LEDGER_REPORT, .read = do_check, .ctx = &a}};

    (void)state;
    /* More of the first than are named, and one of another. */
    sql(s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<30)"
           " INSERT INTO account(name, currency, kind, balance, created)"
           " SELECT 'wrong' || i, 'USD', 'system', 5, 0 FROM n");
    sql(s, "INSERT INTO request(rid, endpoint, asked, upstream, stream, end, status, attempts,"
           " edits, bytes_in, bytes_out, ts, first_us, end_us) VALUES(zeroblob(16), 'chat', 'm',"
           " 'lab', 0, 'complete', 200, 1, '', 0, 0, 0, 0, 0)");
    buf_init(&a.out, 1 << 20);
    run(s, &o);
    assert_false(a.ok);
    assert_true(str_find(buf_str(&a.out), STR("\"count\":31")) != SIZE_MAX);
    assert_true(str_find(buf_str(&a.out), STR("account wrong20:")) != SIZE_MAX);
    assert_true(str_find(buf_str(&a.out), STR("account wrong21:")) == SIZE_MAX);
    assert_true(str_find(buf_str(&a.out), STR("request 00000000")) != SIZE_MAX);
    buf_release(&a.out);
    station_free(s);
}

static void test_a_charge_is_between_its_own_accounts(void **state)
{
    static const char *const changes[][2] = {{"upstream='other'", "upstream='lab'"},
                                             {"cost_to='loss:failed'", "cost_to=''"},
                                             {"cost_currency='EUR'", "cost_currency='CNY'"}};
    struct station *s = station_new("customer", 1000, 0);
    struct charge c;
    char text[80];

    (void)state;
    hold(s, 100);
    assert_true(charge(s, &c, 1, 100, 70));
    assert_true(close_request(s, 1));
    sql(s, "DROP TRIGGER charge_keep");
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        assert_true(check(s));
        snprintf(text, sizeof text, "UPDATE charge SET %s", changes[i][0]);
        sql(s, text);
        assert_false(check(s));
        snprintf(text, sizeof text, "UPDATE charge SET %s", changes[i][1]);
        sql(s, text);
    }
    assert_true(check(s));
    station_free(s);
}

/* A configuration could once have longer names of upstreams than accounts have room for: what was
 * written then is sound. */
static void test_long_names_of_upstreams_were_cut_by_bytes(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    char name[3 * 40 + 1] = "", text[1000];

    (void)state;
    for (int i = 0; i < 40; i++)
        memcpy(name + 3 * (size_t)i, "上", 4);
    snprintf(text, sizeof text,
             "INSERT INTO attempt(rid, n, upstream, status, failure, ts, cost, cost_currency)"
             " VALUES(zeroblob(16), 1, '%s', 200, 'cut', 1, 5, 'USD');"
             "INSERT INTO account(id, name, currency, kind, balance, created) VALUES"
             " (1001, 'cogs:%.100s:USD', 'USD', 'system', -5, 0),"
             " (1002, 'asset:%.100s:USD', 'USD', 'system', 5, 0);"
             "INSERT INTO transfer(debit, credit, nano, kind, note, ts)"
             " VALUES(1001, 1002, 5, 'attempt', '%032d/1', 1)",
             name, name, name, 0);
    sql(s, text);
    assert_true(check(s));
    station_free(s);
}

static void *run_three(void *ctx)
{
    struct station *s = ctx;
    struct ledger_op ops[3] = {{.kind = LEDGER_ALLOT, .account = s->account, .nano = 1},
                               {.kind = LEDGER_ALLOT, .account = s->account, .nano = 1},
                               {.kind = LEDGER_ALLOT, .account = s->account, .nano = 1}};
    struct item items[3] = {{.op = &ops[0]}, {.op = &ops[1]}, {.op = &ops[2]}};

    batch_run(s->ledger, items, 3);
    return ops[2].ok ? s : NULL;
}

/* Each try waits for the lock: nobody is let in while the operations of a batch are tried alone. */
static void test_a_locked_store_admits_nobody(void **state)
{
    struct station *s = station_new("customer", 1000, 0);
    char other[128], lock[160];
    struct err e;
    pthread_t thread;
    void *ok;

    (void)state;
    ledger_close(s->ledger);
    s->ledger = ledger_open(s->path, false, &e); /* the batch is this test's */
    assert_non_null(s->ledger);
    s->account = directory_account(s->ledger->directory, STR("alice"));
    snprintf(other, sizeof other, "%s/other.db", s->folder);
    snprintf(lock, sizeof lock, "%s.lock", other);
    assert_int_equal(symlink(s->path, other), 0); /* a store is one process's by its name */
    struct store *writer = store_open(other, &e);
    assert_non_null(writer);
    assert_true(store_begin(writer, &e));
    assert_int_equal(pthread_create(&thread, NULL, run_three, s), 0);
    await_admissions(s, false);
    store_close(writer);
    pthread_join(thread, &ok);
    assert_ptr_equal(ok, s);
    assert_true(ledger_admits(s->ledger));
    assert_int_equal(unlink(other) + unlink(lock), 0);
    station_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_stops_and_resumes),
        cmocka_unit_test(test_a_start_checks_before_it_admits),
        cmocka_unit_test(test_it_is_checked_again_and_again),
        cmocka_unit_test(test_not_before_its_time),
        cmocka_unit_test(test_a_locked_store_admits_nobody),
        cmocka_unit_test(test_rows_of_each_invariant_are_named),
        cmocka_unit_test(test_a_charge_is_between_its_own_accounts),
        cmocka_unit_test(test_long_names_of_upstreams_were_cut_by_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
