/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in price book. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "price/price.h"

#define DAY_US INT64_C(86400000000)
#define NOW_US (INT64_C(20776) * DAY_US) /* 2026-11-19 */

static const struct book_row *find(const char *vendor, const char *model)
{
    const struct book_row *rows[2];
    size_t n = book_find(str_from(vendor), str_from(model), STR(""), NOW_US, rows, 2);
    return n == 0 ? NULL : rows[0];
}

static void book_knows_names_and_dated_aliases(void **state)
{
    (void)state;
    assert_string_equal(find("openai", "gpt-5.2")->rates, "input=1.75 output=14 cache_read=0.175");
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
        const int64_t *rate = p.tiers[0].rate;
        assert_true(rate[LEAF_in] > 0);
        assert_true(rate[LEAF_cache_read] > 0 && rate[LEAF_cache_read] <= rate[LEAF_in]);
        assert_true(rate[LEAF_cache_write_1h] >= rate[LEAF_cache_write_5m]);
        assert_true(rate[LEAF_out] >= rate[LEAF_in] || r->max_output == 0);
        for (unsigned k = 1; k < p.tier_count; k++) {
            assert_true(p.tiers[k].rate[LEAF_in] > rate[LEAF_in]);
            assert_true(p.tiers[k].rate[LEAF_out] >= rate[LEAF_out]);
        }
        assert_int_equal(p.margin.num, 1);
        assert_int_equal(p.margin.den, 1);
        assert_int_equal(strlen(r->checked), 10);
        assert_true(str_starts(str_from(r->source), STR("https://")));
    }
}

static void book_price_is_exact(void **state)
{
    (void)state;
    struct price p;
    book_price(find("anthropic", "claude-haiku-4-5"), &p);
    const int64_t *rate = p.tiers[0].rate;
    assert_string_equal(p.currency.code, "USD");
    assert_int_equal(rate[LEAF_in], 1000000);
    assert_int_equal(rate[LEAF_out], 5000000);
    assert_int_equal(rate[LEAF_reasoning], 5000000);
    assert_int_equal(rate[LEAF_cache_read], 100000);
    assert_int_equal(rate[LEAF_cache_write_5m], 1250000);
    assert_int_equal(rate[LEAF_cache_write_1h], 2000000);
    /* Without rates of its own, cached input costs as input. */
    book_price(find("openai", "text-embedding-3-small"), &p);
    assert_int_equal(rate[LEAF_cache_read], rate[LEAF_in]);
    assert_int_equal(rate[LEAF_cache_write_1h], rate[LEAF_in]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(book_knows_names_and_dated_aliases),
        cmocka_unit_test(book_rows_are_prices),
        cmocka_unit_test(book_price_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
