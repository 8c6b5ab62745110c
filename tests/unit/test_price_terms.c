/* SPDX-License-Identifier: Apache-2.0 */
/* Terms of prices as text, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "price/price.h"

static void expect_text(const struct price *p, const char *wanted)
{
    struct buf b;
    buf_init(&b, PRICE_TERMS_MAX);
    price_terms_write(&b, p);
    if (!str_eq(buf_str(&b), str_from(wanted))) {
        fail_msg("%.*s, not %s", STR_ARG(buf_str(&b)), wanted);
    }
    buf_release(&b);
}

static void comes_back(const char *text)
{
    struct price p;
    struct err e = {""};
    if (!price_terms_parse(str_from(text), &p, &e)) {
        fail_msg("%s: %s", e.text, text);
    }
    expect_text(&p, text);
}

static void texts_come_back(void **state)
{
    (void)state;
    comes_back("{\"tiers\":[{\"min_input\":0,\"in\":0,\"out\":0}]}");
    comes_back("{\"tiers\":[{\"min_input\":0,\"in\":2500000,\"cache_read\":250000,"
               "\"cache_write_5m\":3125000,\"cache_write_1h\":5000000,\"out\":15000000,"
               "\"reasoning\":1}]}");
    comes_back("{\"tiers\":[{\"min_input\":0,\"in\":1,\"out\":2},{\"min_input\":200001,\"in\":3,"
               "\"out\":4,\"reasoning\":5},{\"min_input\":9223372036854775807,\"in\":"
               "9223372036854775807,\"out\":4}],\"request\":10000000000,"
               "\"service\":{\"batch\":[1,2],\"priority\":[2,1]}}");
}

/* What falls back is not told, so that a leaf more changes no text. */
static void a_rate_that_falls_back_is_not_told(void **state)
{
    (void)state;
    struct price p;
    assert_true(price_terms_parse(STR("{\"service\":{\"flex\":[3,3],\"batch\":[1,2]},\"tiers\":"
                                      "[{\"out\":7,\"cache_write_5m\":5,\"cache_write_1h\":5,"
                                      "\"cache_read\":5,\"in\":5,\"min_input\":0}],\"request\":0}"),
                                  &p, NULL));
    expect_text(&p, "{\"tiers\":[{\"min_input\":0,\"in\":5,\"out\":7}],"
                    "\"service\":{\"batch\":[1,2]}}");
    assert_int_equal(p.tiers[0].rate[LEAF_reasoning], 7);
    assert_int_equal(p.tiers[0].rate[LEAF_cache_read], 5);
}

/* A whole chain of leaves: one hour as five minutes, five minutes as input. */
static void rates_fall_back_one_after_the_other(void **state)
{
    (void)state;
    struct price_tier t = {.rate = {[LEAF_in] = 3, [LEAF_out] = 9, [LEAF_cache_write_1h] = 77}};
    bool stated[LEAF_COUNT] = {[LEAF_in] = true, [LEAF_out] = true};
    price_fill(&t, stated);
    assert_int_equal(t.rate[LEAF_cache_write_1h], 3);
    t.rate[LEAF_cache_write_5m] = 4;
    stated[LEAF_cache_write_5m] = true;
    price_fill(&t, stated);
    assert_int_equal(t.rate[LEAF_cache_write_1h], 4);
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        assert_true(leaves[leaves[i].fallback].side == leaves[i].side);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
#define TIER "{\"min_input\":0,\"in\":1,\"out\":2}"
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"tiers\":[]}",
        "{\"tiers\":{}}",
        "{\"tiers\":[[]]}",
        "{\"tiers\":[{\"in\":1,\"out\":2}]}",
        "{\"tiers\":[{\"min_input\":0,\"out\":2}]}",
        "{\"tiers\":[{\"min_input\":0,\"in\":1}]}",
        "{\"tiers\":[{\"min_input\":1,\"in\":1,\"out\":2}]}",
        "{\"tiers\":[{\"min_input\":0,\"in\":1,\"in\":1,\"out\":2}]}",
        "{\"tiers\":[{\"min_input\":0,\"in\":1,\"out\":2,\"lunch\":3}]}",
        "{\"tiers\":[{\"min_input\":0,\"in\":-1,\"out\":2}]}",
        "{\"tiers\":[{\"min_input\":0,\"in\":1.0,\"out\":2}]}",
        "{\"tiers\":[{\"min_input\":0,\"in\":\"1\",\"out\":2}]}",
        "{\"tiers\":[{\"min_input\":0,\"in\":9223372036854775808,\"out\":2}]}",
        "{\"tiers\":[" TIER "," TIER "]}",
        "{\"tiers\":[" TIER "],\"tiers\":[" TIER "]}",
        "{\"tiers\":[" TIER ",{\"min_input\":1,\"in\":1,\"out\":2},{\"min_input\":2,\"in\":1,"
        "\"out\":2},{\"min_input\":3,\"in\":1,\"out\":2},{\"min_input\":4,\"in\":1,\"out\":2}]}",
        "{\"tiers\":[" TIER "],\"request\":-1}",
        "{\"tiers\":[" TIER "],\"request\":\"1\"}",
        "{\"tiers\":[" TIER "],\"margin\":1}",
        "{\"tiers\":[" TIER "],\"service\":[]}",
        "{\"tiers\":[" TIER "],\"service\":{\"lunch\":[1,2]}}",
        "{\"tiers\":[" TIER "],\"service\":{\"batch\":[1]}}",
        "{\"tiers\":[" TIER "],\"service\":{\"batch\":[1,0]}}",
        "{\"tiers\":[" TIER "],\"service\":{\"batch\":[0,1]}}",
        "{\"tiers\":[" TIER "],\"service\":{\"batch\":[1,1000000000001]}}",
        "{\"tiers\":[" TIER "]} x",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct price p;
        struct err e = {""};
        if (price_terms_parse(str_from(bad[i]), &p, &e)) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_true(e.text[0] != '\0');
    }
}

/* Any change of one byte is refused, or is a price whose text comes back. */
static void changed_bytes_are_a_price_or_none(void **state)
{
    (void)state;
    static const char text[] = "{\"tiers\":[{\"min_input\":0,\"in\":12,\"cache_read\":3,\"out\":4},"
                               "{\"min_input\":9,\"in\":3,\"out\":4}],\"request\":5,"
                               "\"service\":{\"batch\":[1,2]}}";
    static const char others[] = "0129-+eE.,:[]{}\"\\ \nxit\x80";
    unsigned taken = 0;
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        for (size_t k = 0; k + 1 < sizeof(others); k++) {
            char changed[sizeof(text)];
            struct price p, q;
            memcpy(changed, text, sizeof(text));
            changed[i] = others[k];
            if (!price_terms_parse(str_slice(changed, sizeof(text) - 1), &p, NULL)) {
                continue;
            }
            struct buf b;
            buf_init(&b, PRICE_TERMS_MAX);
            price_terms_write(&b, &p);
            assert_true(price_terms_parse(buf_str(&b), &q, NULL));
            assert_memory_equal(p.tiers, q.tiers, sizeof(p.tiers));
            assert_int_equal(p.request, q.request);
            buf_release(&b);
            taken++;
        }
    }
    assert_in_range(taken, 20, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(a_rate_that_falls_back_is_not_told),
        cmocka_unit_test(rates_fall_back_one_after_the_other),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(changed_bytes_are_a_price_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
