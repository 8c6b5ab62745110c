/* SPDX-License-Identifier: Apache-2.0 */
/* What a key and an account may spend in a day or month. */
#include "ledger_case.h"

static void test_budget(void **state)
{
    struct station *s = station_new("customer", 1000, 100);
    struct charge c;

    (void)state;
    assert_int_equal(try_hold(s, 101), HOLD_OVER_BUDGET);
    hold(s, 80);
    assert_int_equal(try_hold(s, 21), HOLD_OVER_BUDGET);
    assert_true(charge(s, &c, 1, 80, 60));
    assert_true(close_request(s, 1));
    assert_int_equal(try_hold(s, 41), HOLD_OVER_BUDGET);
    ledger_close(s->ledger);
    open_ledger(s);
    assert_int_equal(try_hold(s, 41), HOLD_OVER_BUDGET);
    hold(s, 40);
    station_free(s);
}

static void set_budget(struct station *s, int64_t nano, char period)
{
    struct buf out;
    struct err e;

    /* No operation is under way: the ledger thread sleeps. */
    buf_init(&out, 4096);
    if (!ledger_account_budget(s->ledger, STR("alice"), nano, period, &out, &e))
        fail_msg("%s", e.text);
    buf_release(&out);
}

static void test_account_budget(void **state)
{
    struct station *s = station_new("customer", 1000, 90);
    struct charge c;

    (void)state;
    hold(s, 30);
    assert_true(charge(s, &c, 1, 30, 20));
    assert_true(close_request(s, 1));
    set_budget(s, 100, 'm');                             /* what was spent before it counts */
    assert_int_equal(try_hold(s, 81), HOLD_OVER_BUDGET); /* the key's own */
    set_budget(s, 60, 'd');
    assert_int_equal(try_hold(s, 41), HOLD_OVER_ACCOUNT_BUDGET);
    hold(s, 40);
    assert_int_equal(try_hold(s, 1), HOLD_OVER_ACCOUNT_BUDGET);
    assert_int_equal(atomic_load(&s->key->budget.held), 40); /* a refusal leaves nothing */
    assert_true(charge(s, &c, 2, 40, 40));
    assert_int_equal(try_hold(s, 1), HOLD_OVER_ACCOUNT_BUDGET);
    assert_true(reverse(s, 2));
    hold(s, 40);
    release(s, 40);
    ledger_close(s->ledger);
    open_ledger(s);
    assert_int_equal(try_hold(s, 41), HOLD_OVER_ACCOUNT_BUDGET);
    hold(s, 40);
    set_budget(s, 0, 0); /* with a hold open */
    hold(s, 1);
    assert_true(charge(s, &c, 3, 41, 41));
    set_budget(s, 100, 0);
    assert_int_equal(atomic_load(&s->account->budget.spent), 61);
    assert_int_equal(atomic_load(&s->account->budget.held), 0);
    assert_int_equal(atomic_load(&s->account->budget.period), 'd');
    assert_true(check(s));
    station_free(s);
}

/* An answer may cost more than was held for it, but no budget is overspent by that. */
static void test_beyond_the_hold(void **state)
{
    struct station *s = station_new("customer", 1000, 100);
    struct charge c;

    (void)state;
    set_budget(s, 90, 'd');
    hold(s, 10);
    hold(s, 50); /* of another request */
    assert_true(charge(s, &c, 1, 10, 200));
    assert_int_equal(c.charged, 40); /* 90 - 50 */
    assert_int_equal(atomic_load(&s->account->budget.spent), 40);
    assert_int_equal(atomic_load(&s->account->budget.held), 50);
    assert_true(charge(s, &c, 2, 50, 60)); /* nothing is left beyond it */
    assert_int_equal(c.charged, 50);
    set_budget(s, 0, 0);
    hold(s, 5);
    assert_true(charge(s, &c, 3, 5, 30)); /* the key's own has 10 left */
    assert_int_equal(c.charged, 10);
    assert_int_equal(atomic_load(&s->key->budget.spent), 100);
    assert_int_equal(atomic_load(&s->key->budget.held), 0);
    assert_true(check(s));
    station_free(s);
}

/* By month and by day, a key with what replaced it, without what was reversed; of all the whole. */
static void test_a_start_counts_what_each_key_spent(void **state)
{
    struct station *s = station_new("customer", 1000, 300);
    int64_t day = budget_window_us('d', clock_wall_us());
    bool same_month = budget_window_us('m', day - 1) == budget_window_us('m', day);
    struct charge c;
    char text[700];

    (void)state;
    set_budget(s, 500, 'm');
    sql(s,
        "INSERT INTO key(id, hash, label, account, models, expires, rpm, concurrency, budget,"
        " budget_period, created, root) SELECT 2, zeroblob(32), '', account, '', 0, 0, 0, 0, 'd',"
        " 0, 1 FROM key; INSERT INTO key(id, hash, label, account, models, expires, rpm,"
        " concurrency, budget, budget_period, created) SELECT 3, randomblob(32), '', account, '',"
        " 0, 0, 0, 200, 'm', 0 FROM key WHERE id=1");
    for (uint8_t i = 1; i <= 5; i++) {
        hold(s, 10 * i);
        assert_true(charge(s, &c, i, 10 * i, 10 * i));
        if (i == 5)
            assert_true(reverse(s, i));
        else
            assert_true(close_request(s, i));
    }
    snprintf(text, sizeof text,
             "DROP TRIGGER charge_keep; UPDATE charge SET key=2 WHERE nano=20;"
             "UPDATE charge SET key=3 WHERE nano>=30; UPDATE charge SET ts=%lld WHERE nano=30",
             (long long)day - 1);
    sql(s, text);
    ledger_close(s->ledger);
    open_ledger(s);
    assert_int_equal(atomic_load(&s->key->budget.spent), 10 + 20);
    assert_int_equal(atomic_load(&key_by_id(s->ledger, 3)->budget.spent), same_month ? 70 : 40);
    assert_int_equal(atomic_load(&s->account->budget.spent), same_month ? 100 : 70);
    station_free(s);
}

static void test_house_takes_no_budget(void **state)
{
    struct station *s = station_new("house", 0, 0);
    struct buf out;
    struct err e;

    (void)state;
    buf_init(&out, 4096);
    assert_false(ledger_account_budget(s->ledger, STR("alice"), 1, 'd', &out, &e));
    assert_non_null(strstr(e.text, "takes no budget"));
    assert_false(ledger_account_budget(s->ledger, STR("nobody"), 1, 'd', &out, &e));
    buf_release(&out);
    station_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_account_budget),
        cmocka_unit_test(test_beyond_the_hold),
        cmocka_unit_test(test_house_takes_no_budget),
        cmocka_unit_test(test_a_start_counts_what_each_key_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
