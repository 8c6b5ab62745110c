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

static const struct book_row *find_at(const char *vendor, const char *model, const char *currency,
                                      int64_t wall_us)
{
    const struct book_row *row;
    size_t n = book_find(str_from(vendor), str_from(model), str_from(currency), wall_us, &row, 1);
    return n == 0 ? NULL : row;
}

static const struct book_row *find(const char *vendor, const char *model)
{
    return find_at(vendor, model, "", NOW_US);
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

static void a_vendor_may_answer_by_another_name(void **state)
{
    (void)state;
    assert_ptr_equal(find("deepseek", "deepseek-chat"), find("deepseek", "deepseek-flash"));
    assert_true(str_eq(book_served(STR("deepseek"), STR("deepseek-chat")), STR("deepseek-flash")));
    assert_true(str_eq(book_served(STR("openai"), STR("deepseek-chat")), STR("deepseek-chat")));
    for (size_t i = 0; i < price_alias_count; i++) {
        const struct book_alias *a = &price_aliases[i];
        assert_string_equal(find(a->vendor, a->name)->model, a->served);
        assert_int_equal(strlen(a->checked), 10);
        assert_true(str_starts(str_from(a->source), STR("https://")));
    }
}

static void a_row_counts_from_its_day(void **state)
{
    (void)state;
    const int64_t turn = INT64_C(20819) * DAY_US; /* 2027-01-01 */
    const struct book_row *rows[2];
    assert_int_equal(book_from_us(find_at("gemini", "gemini-3.7-flash", "", turn)), turn);
    assert_null(find_at("gemini", "gemini-3.7-flash", "", turn - 1)->from);
    assert_string_equal(find_at("gemini", "gemini-3.7-flash", "", turn)->from, "2027-01-01");
    assert_int_equal(book_find(STR("gemini"), STR("gemini-3.7-flash"), STR(""), turn - 1, rows, 2),
                     2);
    assert_null(rows[0]->from);
    assert_string_equal(rows[1]->from, "2027-01-01");
    assert_int_equal(book_find(STR("gemini"), STR("gemini-3.7-flash"), STR(""), turn, rows, 2), 1);
    /* A row whose day was before all that is asked about stands for earlier times, too. */
    assert_non_null(find_at("openai", "gpt-5.6-sol", "", 0));
}

static void days_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *date;
        int64_t day;
    } days[] = {{"1970-01-01", 0},     {"1970-03-01", 59},    {"2000-02-29", 11016},
                {"2000-03-01", 11017}, {"2026-12-31", 20818}, {"2027-01-01", 20819},
                {"2028-02-29", 21243}, {"2100-03-01", 47541}, {NULL, 0}};
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        assert_int_equal(book_from_us(&(struct book_row){.from = days[i].date}),
                         days[i].day * DAY_US);
    }
}

static void a_model_may_have_a_price_in_two_currencies(void **state)
{
    (void)state;
    struct price p;
    assert_string_equal(find("deepseek", "deepseek-v4-pro")->currency, "USD");
    book_price(find_at("deepseek", "deepseek-v4-pro", "CNY", NOW_US), &p);
    assert_string_equal(p.currency.code, "CNY");
    assert_int_equal(p.tiers[0].rate[LEAF_in], 4500000);
    assert_null(find_at("deepseek", "deepseek-v4-pro", "EUR", NOW_US));
}

static void rows_have_tiers_units_and_services(void **state)
{
    (void)state;
    struct price p;
    book_price(find("anthropic", "claude-sonnet-4-5"), &p);
    assert_int_equal(p.tier_count, 2);
    assert_int_equal(p.tiers[1].min_input, 200001);
    assert_int_equal(p.tiers[1].rate[LEAF_in], 6000000);
    assert_int_equal(p.tiers[1].rate[LEAF_cache_write_1h], 12000000);
    assert_int_equal(p.tiers[1].rate[LEAF_in_image], 6000000);
    assert_int_equal(p.tiers[1].rate[LEAF_web_search], INT64_C(10000000000)); /* a cent */
    assert_true(p.service[TIER_BATCH].num == 1 && p.service[TIER_BATCH].den == 2);
    assert_int_equal(p.service[TIER_PRIORITY].den, 0);
    book_price(find("gemini", "gemini-2.5-flash"), &p);
    assert_int_equal(p.tiers[0].rate[LEAF_in_audio], 1000000);
    assert_int_equal(p.tiers[0].rate[LEAF_cache_read_audio], 100000);
    assert_int_equal(p.tiers[0].rate[LEAF_in_video], 300000);
    book_price(find("openai", "gpt-5-mini"), &p);
    assert_true(p.service[TIER_PRIORITY].num == 9 && p.service[TIER_PRIORITY].den == 5);
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
        cmocka_unit_test(a_vendor_may_answer_by_another_name),
        cmocka_unit_test(a_row_counts_from_its_day),
        cmocka_unit_test(days_are_those_of_the_calendar),
        cmocka_unit_test(a_model_may_have_a_price_in_two_currencies),
        cmocka_unit_test(rows_have_tiers_units_and_services),
        cmocka_unit_test(book_rows_are_prices),
        cmocka_unit_test(book_price_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
