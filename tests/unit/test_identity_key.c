/* SPDX-License-Identifier: Apache-2.0 */
/* Keys' limits and the directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "identity/identity.h"

/* 2026-11-24T08:00:10Z */
#define NOW INT64_C(1795507210000000)
#define DAY INT64_C(86400000000)

static void test_revoked_and_expired(void **state)
{
    struct key k = {.expires_us = NOW};
    unsigned wait;

    (void)state;
    assert_int_equal(key_enter(&k, NOW - 1, &wait), KEY_OK);
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_EXPIRED);
    atomic_store(&k.revoked, true);
    assert_int_equal(key_enter(&k, NOW - 1, &wait), KEY_REVOKED);
    assert_int_equal(atomic_load(&k.running), 1);
}

static void test_rpm(void **state)
{
    struct key k = {.rpm = 2};
    unsigned wait;

    (void)state;
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_OK);
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_OK);
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_RPM);
    assert_int_equal(wait, 50);
    assert_int_equal(atomic_load(&k.running), 2);
    assert_int_equal(key_enter(&k, NOW + 50 * 1000000, &wait), KEY_OK);
}

static void test_an_older_minute_does_not_set_the_count_back(void **state)
{
    struct key k = {.rpm = 2};
    struct account a = {0};
    int64_t next = NOW + 50 * INT64_C(1000000);
    unsigned wait;

    (void)state;
    assert_int_equal(key_enter(&k, next, &wait), KEY_OK);
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_OK);
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_RPM);
    assert_int_equal(key_enter(&k, next, &wait), KEY_RPM);
    /* A clock that was set back makes nobody wait for it. */
    assert_int_equal(key_enter(&k, NOW - DAY, &wait), KEY_OK);
    for (unsigned i = 0; i < LIMIT_BAD_CODES; i++)
        account_bad_code(&a, next);
    account_bad_code(&a, NOW);
    assert_true(account_codes_wait_s(&a, next) > 0);
}

static void test_concurrency(void **state)
{
    struct key k = {.concurrency = 1};
    unsigned wait;

    (void)state;
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_OK);
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_CONCURRENCY);
    assert_true(wait > 0);
    key_leave(&k);
    assert_int_equal(key_enter(&k, NOW, &wait), KEY_OK);
}

/* What replaced a key is counted with it; each ends by itself. */
static void test_a_key_and_what_replaced_it(void **state)
{
    struct account a = {.kind = ACCOUNT_CUSTOMER};
    struct key first = {.account = &a, .rpm = 3, .concurrency = 2, .expires_us = NOW + 1};
    struct key next = {.account = &a, .root = &first, .rpm = 3, .concurrency = 2};
    unsigned wait;

    (void)state;
    assert_int_equal(key_enter(&first, NOW, &wait), KEY_OK);
    assert_int_equal(key_enter(&next, NOW, &wait), KEY_OK);
    assert_int_equal(key_enter(&next, NOW, &wait), KEY_CONCURRENCY);
    key_leave(&next);
    assert_int_equal(key_enter(&first, NOW, &wait), KEY_OK);
    key_leave(&first);
    assert_int_equal(key_enter(&next, NOW, &wait), KEY_RPM);
    assert_int_equal(atomic_load(&next.running), 0);
    budget_set(&first.budget, 100, 'd', 0, NOW);
    assert_true(budget_hold(key_budget(&next), 60, NOW));
    assert_false(budget_hold(key_budget(&first), 60, NOW));
    assert_false(key_valid(&first, NOW + 1));
    assert_true(key_valid(&next, NOW + 1));
}

static void test_unknown_codes_of_a_minute(void **state)
{
    struct account a = {.kind = ACCOUNT_CUSTOMER};

    (void)state;
    for (int i = 0; i < LIMIT_BAD_CODES; i++) {
        assert_int_equal(account_codes_wait_s(&a, NOW), 0);
        account_bad_code(&a, NOW);
    }
    assert_int_equal(account_codes_wait_s(&a, NOW), 50);
    assert_int_equal(account_codes_wait_s(&a, NOW + 50 * 1000000), 0);
}

static void test_budget(void **state)
{
    struct budget b = {.limit = 100, .period = 'd'};

    (void)state;
    assert_true(budget_hold(&b, 60, NOW));
    assert_false(budget_hold(&b, 41, NOW));
    budget_charge(&b, 60, 50, NOW);
    assert_false(budget_hold(&b, 51, NOW));
    assert_true(budget_hold(&b, 50, NOW));
    budget_release(&b, 50);
    assert_true(budget_hold(&b, 100, NOW + DAY));
    budget_release(&b, 100);
    budget_charge(&b, 0, -50, NOW);
    assert_true(budget_hold(&b, 100, NOW));
}

static void test_budget_of_a_month(void **state)
{
    struct budget b = {.limit = 100, .period = 'm'};
    const int64_t then = NOW - 61 * DAY; /* 24 September */

    (void)state;
    budget_charge(&b, 0, 100, then);
    assert_false(budget_hold(&b, 1, then + 6 * DAY)); /* 30 September */
    assert_true(budget_hold(&b, 1, then + 7 * DAY));  /* 1 October */
    /* A charge that arrives late for the old window, the clock long past it, does not spend the
     * new one. */
    budget_charge(&b, 0, 10, then + 7 * DAY);
    budget_charge(&b, 0, 100, then);
    assert_int_equal(atomic_load(&b.spent), 10);
}

static void test_a_budget_that_changes(void **state)
{
    struct budget b = {0};

    (void)state;
    assert_true(budget_hold(&b, 70, NOW)); /* none yet, but counted */
    budget_set(&b, 100, 'm', 20, NOW);
    assert_int_equal(budget_left(&b, NOW), 10);
    assert_false(budget_hold(&b, 11, NOW));
    budget_charge(&b, 70, 90, NOW); /* more than was held */
    assert_int_equal(budget_left(&b, NOW), 0);
    assert_int_equal(budget_left(&b, NOW + 7 * DAY), 100);
    assert_int_equal(budget_reset_us(&b, NOW), NOW - NOW % DAY + 7 * DAY);
    budget_set(&b, 0, 'd', 0, NOW);
    assert_true(budget_hold(&b, 1000, NOW));
    assert_int_equal(budget_reset_us(&b, NOW), NOW - NOW % DAY + DAY);
}

static void test_directory(void **state)
{
    enum { COUNT = 1000 };
    static struct key keys[COUNT];
    static struct account accounts[COUNT];
    struct directory *d = directory_new();

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        keys[i].hash[0] = 7; /* all in one chain */
        keys[i].hash[30] = (uint8_t)(i >> 8);
        keys[i].hash[31] = (uint8_t)i;
        snprintf(accounts[i].name, sizeof accounts[i].name, "account %u", i);
        assert_null(directory_key(d, keys[i].hash));
        assert_null(directory_account(d, str_from(accounts[i].name)));
        directory_add_key(d, &keys[i]);
        directory_add_account(d, &accounts[i]);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_ptr_equal(directory_key(d, keys[i].hash), &keys[i]);
        assert_ptr_equal(directory_account(d, str_from(accounts[i].name)), &accounts[i]);
    }
    directory_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revoked_and_expired),
        cmocka_unit_test(test_rpm),
        cmocka_unit_test(test_an_older_minute_does_not_set_the_count_back),
        cmocka_unit_test(test_concurrency),
        cmocka_unit_test(test_a_key_and_what_replaced_it),
        cmocka_unit_test(test_unknown_codes_of_a_minute),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_budget_of_a_month),
        cmocka_unit_test(test_a_budget_that_changes),
        cmocka_unit_test(test_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
