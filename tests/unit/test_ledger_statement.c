/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement may be asked for; its pages are judged by tests/wire/test_statement.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "ledger/statement.h"

#define DAY_US INT64_C(86400000000)

static bool from(const char *text, int64_t *us)
{
    struct statement_words w = {.from = str_from(text), .to = STR("2999-01-01")};
    struct statement_ask ask;
    const char *field = "";
    struct err e;

    bool ok = statement_parse(&w, &ask, &field, &e);
    *us = ask.from_us;
    return ok;
}

static void days(void **state)
{
    static const struct {
        const char *text;
        int64_t day;
    } good[] = {{"1970-01-01", 0},     {"1970-03-01", 59},    {"2000-02-29", 11016},
                {"2024-02-29", 19782}, {"2026-11-01", 20758}, {"2099-12-31", 47481}};
    static const char *const bad[] = {"1969-12-31",
                                      "2026-02-29",
                                      "2100-02-29",
                                      "2026-13-01",
                                      "2026-00-01",
                                      "2026-04-31",
                                      "2026-1-01",
                                      "2026-11-0x",
                                      "2026-11-01T",
                                      "2026-11-01T10:00:00",
                                      "2026-11-01T10:60:00Z",
                                      "2026-11-01T10:00:60Z",
                                      "2026-11-01T10:00:00.",
                                      "2026-11-01T10:00:0Z",
                                      "2026-11-01T10:00:00.1234567Z",
                                      "2026-11-01 10:00:00Z"};
    int64_t us;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(from(good[i].text, &us));
        assert_int_equal(us, good[i].day * DAY_US);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(from(bad[i], &us));
    }
}

static void times(void **state)
{
    int64_t us;

    (void)state;
    assert_true(from("1970-01-02T03:04:05Z", &us));
    assert_int_equal(us, DAY_US + INT64_C(11045000000));
    assert_true(from("1970-01-02T03:04:05.25Z", &us));
    assert_int_equal(us, DAY_US + INT64_C(11045250000));
    assert_true(from("1970-01-02T23:59:59.999999Z", &us));
    assert_int_equal(us, 2 * DAY_US - 1);
}

static bool cursor(const char *text, struct statement_ask *ask)
{
    struct statement_words w = {.cursor = str_from(text)};
    const char *field = "";
    struct err e;

    bool ok = statement_parse(&w, ask, &field, &e);
    assert_string_equal(field, "cursor");
    return ok;
}

static void cursors(void **state)
{
    static const char *const bad[] = {"1",
                                      "1.0",
                                      "1.0.x",
                                      "1.0.2~USD",
                                      "1.0.2~USD:1",
                                      "1.0.2~USD:1:",
                                      "1.0.2~usd:1:2",
                                      "1.0.2~USD:--1:2",
                                      "1.0.2~USD:9223372036854775807:0",
                                      "99999999999999999999.0.2"};
    struct statement_ask ask;
    struct buf many;

    (void)state;
    assert_true(cursor("17.1.23~USD:-5:6~CNY:7:0", &ask));
    assert_true(ask.goes_on);
    assert_int_equal(ask.after.us, 17);
    assert_int_equal(ask.after.rank, 1);
    assert_int_equal(ask.after.id, 23);
    assert_int_equal(ask.sum_count, 2);
    assert_int_equal(ask.sums[0].balance, -5);
    assert_int_equal(ask.sums[0].promo, 6);
    assert_string_equal(ask.sums[1].currency.code, "CNY");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(cursor(bad[i], &ask));
    }
    buf_init(&many, 1024);
    buf_add(&many, STR("1.0.2"));
    for (int i = 0; i <= LIMIT_BALANCES; i++) {
        buf_addf(&many, "~AA%c:1:2", 'A' + i);
    }
    buf_add_byte(&many, '\0');
    assert_false(cursor(many.p, &ask)); /* more than an account may have */
    buf_release(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(days), cmocka_unit_test(times),
                                       cmocka_unit_test(cursors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
