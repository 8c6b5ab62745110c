/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/money.h"

static void adds_and_refuses_overflow(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(money_add(&v, INT64_MAX - 1, 1));
    assert_true(v == INT64_MAX);
    assert_false(money_add(&v, INT64_MAX, 1));
    assert_false(money_add(&v, INT64_MIN, -1));
    assert_true(money_sub(&v, INT64_MIN + 1, 1));
    assert_true(v == INT64_MIN);
    assert_false(money_sub(&v, INT64_MIN, 1));
    assert_false(money_sub(&v, 0, INT64_MIN));
}

static void reads_decimals(void **state)
{
    static const struct {
        const char *text;
        unsigned digits;
        int64_t value;
    } good[] = {
        {"0", 9, 0},
        {"12.5", 9, 12500000000},
        {"0.000000001", 9, 1},
        {"007", 2, 700},
        {"1.50", 2, 150},
        {"42", 0, 42},
        {"9223372036.854775807", 9, INT64_MAX},
        {"9223372036854775807", 0, INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t v = -1;
        assert_true(decimal_parse(str_from(good[i].text), good[i].digits, &v));
        assert_true(v == good[i].value);
    }
}

static void refuses_what_is_not_exact(void **state)
{
    static const char *const bad[] = {
        "",
        ".",
        ".5",
        "5.",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1e3",
        "1,5",
        "1.2.3",
        "0x1",
        "1.-1",
        "1.000",
        "9223372036854775808",
        "92233720368547758.08",
        "1000000000000000000",
        "20000000000000000000",
        "99999999999999999999",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t v = 77;
        if (decimal_parse(str_from(bad[i]), 2, &v)) {
            fail_msg("'%s' was read as a decimal", bad[i]);
        }
        assert_true(v == 77);
    }
    int64_t v;
    assert_false(decimal_parse((struct str){NULL, 0}, 2, &v));
    assert_false(decimal_parse(STR("1."), 0, &v));
    /* A NUL inside is not the end of the text. */
    assert_false(decimal_parse(STR("1\0"), 2, &v));
}

static void writes_the_shortest_exact_text(void **state)
{
    static const struct {
        int64_t value;
        unsigned digits;
        const char *text;
    } cases[] = {
        {0, 9, "0"},
        {1500000000, 9, "1.5"},
        {1, 9, "0.000000001"},
        {-1, 9, "-0.000000001"},
        {1000000000, 9, "1"},
        {-2050, 3, "-2.05"},
        {42, 0, "42"},
        {INT64_MAX, 9, "9223372036.854775807"},
        {INT64_MIN, 9, "-9223372036.854775808"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b;
        buf_init(&b, 64);
        decimal_write(&b, cases[i].value, cases[i].digits);
        assert_int_equal(b.n, strlen(cases[i].text));
        assert_memory_equal(b.p, cases[i].text, b.n);
        buf_release(&b);
    }
}

static void text_and_back(void **state)
{
    (void)state;
    for (int64_t v = 1; v < INT64_MAX / 7; v = v * 7 + 3) {
        struct buf b;
        int64_t back = -1;
        buf_init(&b, 64);
        decimal_write(&b, v, 9);
        assert_true(decimal_parse(buf_str(&b), 9, &back));
        assert_true(back == v);
        buf_release(&b);
    }
}

static void currencies_are_three_to_eight_capitals(void **state)
{
    (void)state;
    struct currency c;
    memset(&c, 'x', sizeof(c));
    assert_true(currency_parse(STR("USD"), &c));
    assert_memory_equal(c.code, "USD\0\0\0\0\0", sizeof(c.code));
    assert_true(currency_parse(STR("TOKEN123"), &c));
    assert_string_equal(c.code, "TOKEN123");
    assert_false(currency_parse(STR("US"), &c));
    assert_false(currency_parse(STR("TOKEN1234"), &c));
    assert_false(currency_parse(STR("usd"), &c));
    assert_false(currency_parse(STR("U D"), &c));
    assert_false(currency_parse(STR("US\0"), &c));
    assert_string_equal(c.code, "TOKEN123");
}

static void parts_are_exact_and_toward_zero(void **state)
{
    int64_t out;

    (void)state;
    assert_true(money_part(&out, 100, 2, 7));
    assert_int_equal(out, 28);
    assert_true(money_part(&out, -100, 2, 7));
    assert_int_equal(out, -28);
    assert_true(money_part(&out, INT64_MAX, INT64_MAX, INT64_MAX));
    assert_int_equal(out, INT64_MAX);
    assert_true(money_part(&out, INT64_MIN, 1, 1));
    assert_int_equal(out, INT64_MIN);
    assert_false(money_part(&out, INT64_MAX, 2, 1));
    assert_false(money_part(&out, INT64_MIN, 2, 1));
    /* All parts of a whole make the whole. */
    int64_t before = 0, sum = 0;
    for (int64_t n = 1; n <= 18000; n++) {
        assert_true(money_part(&out, INT64_C(7900000000), n, 18000));
        sum += out - before;
        before = out;
    }
    assert_int_equal(sum, INT64_C(7900000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_and_refuses_overflow),
        cmocka_unit_test(reads_decimals),
        cmocka_unit_test(refuses_what_is_not_exact),
        cmocka_unit_test(writes_the_shortest_exact_text),
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(currencies_are_three_to_eight_capitals),
        cmocka_unit_test(parts_are_exact_and_toward_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
