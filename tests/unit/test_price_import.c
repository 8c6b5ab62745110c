/* SPDX-License-Identifier: Apache-2.0 */
/* Price lists of others, and two prices side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "price/import.h"

#define DAY_US INT64_C(86400000000)

static struct buf told;

static void tell(void *ctx, const struct import_model *m)
{
    (void)ctx;
    for (unsigned i = 0; i < m->count; i++) {
        buf_addf(&told, "%s %.*s %lld ", m->vendor, STR_ARG(m->model),
                 (long long)(m->rows[i].from_us / DAY_US));
        price_terms_write(&told, &m->rows[i].price);
        buf_add_byte(&told, '\n');
    }
}

static void expect(const char *list, const char *wanted, unsigned left_out)
{
    struct import i = {.wall_us = 20000 * DAY_US, .each = tell};
    struct err e = {""};
    buf_init(&told, 1 << 16);
    if (!import_read(str_from(list), &i, &e)) {
        fail_msg("%s", e.text);
    }
    if (!str_eq(buf_str(&told), str_from(wanted))) {
        fail_msg("%.*s, not %s", STR_ARG(buf_str(&told)), wanted);
    }
    assert_int_equal(i.left_out, left_out);
    buf_release(&told);
}

#define GENAI(model) \
    "[{\"id\":\"openai\",\"models\":[" model "]},{\"id\":\"lunch\",\"models\":[7]}]"

static void decimals_are_read_digit_by_digit(void **state)
{
    (void)state;
    expect(GENAI("{\"id\":\"m\",\"prices\":{\"input_mtok\":0.1,\"output_mtok\":1.000001,"
                 "\"cache_read_mtok\":0.003625,\"web_searches_kcount\":10}}"),
           "openai m 0 {\"tiers\":[{\"min_input\":0,\"in\":100000,\"cache_read\":3625,"
           "\"out\":1000001,\"web_search\":10000000000}]}\n",
           0);
    /* What cannot be said to the last digit is not said. */
    expect(GENAI("{\"id\":\"m\",\"prices\":{\"input_mtok\":0.0000001,\"output_mtok\":1}},"
                 "{\"id\":\"n\",\"prices\":{\"input_mtok\":1e-3,\"output_mtok\":1}},"
                 "{\"id\":\"o\",\"prices\":{\"input_mtok\":\"1\",\"output_mtok\":1}},"
                 "{\"id\":\"p\",\"prices\":{\"input_mtok\":1,\"output_mtok\":1,\"lunch\":2}},"
                 "{\"id\":\"q\",\"prices\":{\"output_mtok\":1}}"),
           "", 5);
}

static void tiers_begin_above_their_start(void **state)
{
    (void)state;
    expect(
        GENAI("{\"id\":\"m\",\"prices\":{\"input_mtok\":{\"base\":1,\"tiers\":[{\"start\":200000,"
              "\"price\":2}]},\"cache_read_mtok\":0.5,\"output_mtok\":{\"base\":3,\"tiers\":"
              "[{\"start\":200000,\"price\":4},{\"start\":300000,\"price\":5}]}}}"),
        "openai m 0 {\"tiers\":[{\"min_input\":0,\"in\":1000000,\"cache_read\":500000,"
        "\"out\":3000000},{\"min_input\":200001,\"in\":2000000,\"cache_read\":500000,"
        "\"out\":4000000},{\"min_input\":300001,\"in\":2000000,\"cache_read\":500000,"
        "\"out\":5000000}]}\n",
        0);
}

static void what_has_gone_by_is_dropped(void **state)
{
    (void)state;
    expect(GENAI("{\"id\":\"m\",\"prices\":[{\"prices\":{\"input_mtok\":1}},"
                 "{\"constraint\":{\"start_date\":\"2024-10-04\"},\"prices\":{\"input_mtok\":2}},"
                 "{\"constraint\":{\"start_date\":\"2024-10-05\"},\"prices\":{\"input_mtok\":3}}]},"
                 "{\"id\":\"n\",\"prices\":[{\"prices\":{\"input_mtok\":1}},{\"constraint\":"
                 "{\"start_time\":\"00:30:00Z\"},\"prices\":{\"input_mtok\":2}}]}"),
           "openai m 20000 {\"tiers\":[{\"min_input\":0,\"in\":2000000,\"out\":0}]}\n"
           "openai m 20001 {\"tiers\":[{\"min_input\":0,\"in\":3000000,\"out\":0}]}\n",
           1);
}

static void the_other_kind_of_list(void **state)
{
    (void)state;
    expect(
        "{\"google\":{\"id\":\"google\",\"models\":{\"g\":{\"id\":\"g\",\"cost\":{\"input\":1.25,"
        "\"output\":10,\"cache_read\":0.31,\"input_audio\":1,\"context_over_200k\":{\"input\":2.5,"
        "\"output\":15}}},\"h\":{\"id\":\"h\"}}}}",
        "gemini g 0 {\"tiers\":[{\"min_input\":0,\"in\":1250000,\"in_audio\":1000000,"
        "\"cache_read\":310000,\"out\":10000000},{\"min_input\":200001,\"in\":2500000,"
        "\"in_audio\":1000000,\"cache_read\":310000,\"out\":15000000}]}\n",
        1);
}

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "7", "{}", "[]", "[{\"id\":\"openai\"}]", "[1,2", "{\"prices\":[]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct import import = {.each = tell};
        struct err e = {""};
        assert_false(import_read(str_from(bad[i]), &import, &e));
        assert_true(e.text[0] != '\0');
    }
}

static void names(void *ctx, const struct import_model *m)
{
    (void)ctx;
    static const struct {
        const char *name;
        bool meant;
    } cases[] = {{"claude-x", true},    {"own", true},
                 {"other", true},       {"claude-x-20250929", true},
                 {"claude-x-5", false}, {"claude-x@2025", true},
                 {"claude-", false},    {"claude-x-v", false},
                 {"", false},           {"ends", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (import_names(m, str_from(cases[i].name)) != cases[i].meant) {
            fail_msg("%s", cases[i].name);
        }
    }
}

static void a_date_behind_a_name_is_the_same_model(void **state)
{
    (void)state;
    struct import i = {.each = names};
    assert_true(import_read(
        STR(GENAI(
            "{\"id\":\"own\",\"match\":{\"or\":[{\"starts_with\":\"claude-x\"},"
            "{\"equals\":\"other\"},{\"contains\":\"end\"}]},\"prices\":{\"input_mtok\":1}}")),
        &i, NULL));
}

static void add_change(void *ctx, struct str name, struct str before, struct str after)
{
    buf_addf(ctx, "%.*s %.*s>%.*s\n", STR_ARG(name), STR_ARG(before), STR_ARG(after));
}

static void two_prices_are_compared(void **state)
{
    (void)state;
    struct price a = {.currency = {"USD"}, .margin = {1, 1}}, b = {.currency = {"EUR"}};
    struct buf out;
    buf_init(&out, 4096);
    assert_true(
        price_terms_parse(STR("{\"tiers\":[{\"min_input\":0,\"in\":1500000,\"cache_read\":5,"
                              "\"out\":2}],\"service\":{\"batch\":[1,2]}}"),
                          &a, NULL));
    assert_int_equal(price_compare(&a, &a, add_change, &out), 0);
    assert_true(price_terms_parse(STR("{\"tiers\":[{\"min_input\":0,\"in\":1500000,\"out\":3},"
                                      "{\"min_input\":9,\"in\":2,\"out\":3,\"web_search\":1}],"
                                      "\"request\":1000000000000}"),
                                  &b, NULL));
    b.margin = (struct ratio){21, 20};
    assert_int_equal(price_compare(&a, &b, add_change, &out), 9);
    assert_true(str_eq(buf_str(&out), STR("currency USD>EUR\n"
                                          "cache_read 0.000005>\n"
                                          "output 0.000002>0.000003\n"
                                          "service_tiers.batch 1/2>\n"
                                          "from_9.input >0.000002\n"
                                          "from_9.output >0.000003\n"
                                          "from_9.web_search >0.000000000001\n"
                                          "request >1\n"
                                          "margin >1.05\n")));
    buf_clear(&out);
    assert_int_equal(price_compare(NULL, &a, add_change, &out), 5);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_read_digit_by_digit),
        cmocka_unit_test(tiers_begin_above_their_start),
        cmocka_unit_test(what_has_gone_by_is_dropped),
        cmocka_unit_test(the_other_kind_of_list),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(a_date_behind_a_name_is_the_same_model),
        cmocka_unit_test(two_prices_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
