/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "price/price.h"

static const struct price plain = {
    .currency = {"USD"},
    .in = 2500000,
    .out = 15000000,
    .cache_read = 250000,
    .cache_write_5m = 3125000,
    .cache_write_1h = 5000000,
    .margin_num = 1,
    .margin_den = 1,
};

static int64_t cost(const struct price *p, const struct usage *u)
{
    int64_t nano = -1;
    assert_true(price_cost(p, u, NULL, 0, &nano));
    return nano;
}

static void each_leaf_has_its_rate(void **state)
{
    (void)state;
    assert_int_equal(cost(&plain, &(struct usage){0}), 0);
    assert_int_equal(cost(&plain, &(struct usage){.in = 1000}), 2500000);
    assert_int_equal(cost(&plain, &(struct usage){.cache_read = 1000}), 250000);
    assert_int_equal(cost(&plain, &(struct usage){.cache_write_5m = 1000}), 3125000);
    assert_int_equal(cost(&plain, &(struct usage){.cache_write_1h = 1000}), 5000000);
    assert_int_equal(cost(&plain, &(struct usage){.out = 1000}), 15000000);
    assert_int_equal(cost(&plain, &(struct usage){.reasoning = 1000}), 15000000);
    struct usage all = {.in = 1,
                        .cache_read = 10,
                        .cache_write_5m = 100,
                        .cache_write_1h = 1000,
                        .out = 10000,
                        .reasoning = 100000};
    assert_int_equal(cost(&plain, &all), 2500 + 2500 + 312500 + 5000000 + 150000000 + 1500000000);
}

/* Each leaf of a kind costs as the plain one of its side; calls of tools have no price yet. */
static void leaves_fall_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < leaf_count; i++) {
        struct usage u = {0};
        struct str name = str_from(leaves[i].name);
        int64_t want = leaves[i].side == SIDE_INPUT ? 2500000 : 15000000;
        if (leaves[i].side == SIDE_COUNTER) {
            want = 0;
        } else if (str_starts(name, STR("cache_read"))) {
            want = 250000;
        } else if (str_starts(name, STR("cache_write"))) {
            want = str_eq(name, STR("cache_write_1h")) ? 5000000 : 3125000;
        }
        leaf_set(&u, &leaves[i], 1000);
        assert_int_equal(leaf_get(&u, &leaves[i]), 1000);
        assert_int_equal(cost(&plain, &u), want);
        assert_int_equal(usage_input(&u), leaves[i].side == SIDE_INPUT ? 1000 : 0);
        assert_int_equal(usage_output(&u), leaves[i].side == SIDE_OUTPUT ? 1000 : 0);
    }
}

static void rounds_once_and_down(void **state)
{
    (void)state;
    struct price p = {.in = 333, .out = 333, .cache_read = 333, .margin_num = 1, .margin_den = 1};
    assert_int_equal(cost(&p, &(struct usage){.in = 3}), 0);
    /* Three leaves of 0.333 + 0.666 + 0.333 nano: rounded one by one they would be nothing. */
    assert_int_equal(cost(&p, &(struct usage){.in = 1, .out = 2, .cache_read = 1}), 1);
    p.margin_num = 21;
    p.margin_den = 20;
    assert_int_equal(cost(&p, &(struct usage){.in = 1000}), 349);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    int64_t nano;
    struct price p = plain;
    assert_false(price_cost(&p, &(struct usage){.in = USAGE_MAX + 1}, NULL, 0, &nano));
    p.in = -1;
    assert_false(price_cost(&p, &(struct usage){.in = 1}, NULL, 0, &nano));
    p.in = INT64_MAX;
    assert_false(price_cost(&p, &(struct usage){.in = USAGE_MAX}, NULL, 0, &nano));
    assert_true(price_cost(&p, &(struct usage){.in = 1000}, NULL, 0, &nano));
    assert_int_equal(nano, INT64_MAX);
    p.margin_num = INT64_MAX;
    assert_false(
        price_cost(&p, &(struct usage){.in = USAGE_MAX, .out = USAGE_MAX}, NULL, 0, &nano));
    p = plain;
    p.margin_den = 0;
    assert_false(price_cost(&p, &(struct usage){.in = 1}, NULL, 0, &nano));
}

static const struct book_row *find(const char *vendor, const char *model)
{
    return book_find(str_from(vendor), str_from(model));
}

static void book_knows_names_and_dated_aliases(void **state)
{
    (void)state;
    assert_string_equal(find("openai", "gpt-5.2")->in, "1.75");
    assert_ptr_equal(find("openai", "gpt-5-2025-08-07"), find("openai", "gpt-5"));
    assert_ptr_equal(find("anthropic", "claude-sonnet-4-5-20250929"),
                     find("anthropic", "claude-sonnet-4-5"));
    assert_null(find("anthropic", "gpt-5.2"));
    assert_null(find("openai", "gpt-5-2025-08-0"));
    assert_null(find("openai", "gpt-5-20250807x"));
    assert_null(find("openai", "-2025-08-07"));
    assert_null(find("openai", ""));
}

static void book_rows_are_prices(void **state)
{
    (void)state;
    assert_in_range(price_book_count, 40, 200);
    for (size_t i = 0; i < price_book_count; i++) {
        const struct book_row *r = &price_book[i];
        struct price p;
        book_price(r, &p);
        assert_true(p.in > 0);
        assert_true(p.cache_read > 0 && p.cache_read <= p.in);
        assert_true(p.cache_write_1h >= p.cache_write_5m);
        assert_true(p.out >= p.in || r->max_output == 0);
        assert_int_equal(p.margin_num, 1);
        assert_int_equal(p.margin_den, 1);
        assert_ptr_equal(find(r->vendor, r->model), r);
        assert_int_equal(strlen(r->checked), 10);
        assert_true(str_starts(str_from(r->source), STR("https://")));
    }
}

static void book_price_is_exact(void **state)
{
    (void)state;
    struct price p;
    book_price(find("anthropic", "claude-haiku-4-5"), &p);
    assert_string_equal(p.currency.code, "USD");
    assert_int_equal(p.in, 1000000);
    assert_int_equal(p.out, 5000000);
    assert_int_equal(p.cache_read, 100000);
    assert_int_equal(p.cache_write_5m, 1250000);
    assert_int_equal(p.cache_write_1h, 2000000);
    /* Without rates of its own, cached input costs as input. */
    book_price(find("openai", "text-embedding-3-small"), &p);
    assert_int_equal(p.cache_read, p.in);
    assert_int_equal(p.cache_write_1h, p.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_leaf_has_its_rate),
        cmocka_unit_test(leaves_fall_back),
        cmocka_unit_test(rounds_once_and_down),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(book_knows_names_and_dated_aliases),
        cmocka_unit_test(book_rows_are_prices),
        cmocka_unit_test(book_price_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
