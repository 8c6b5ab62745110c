/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "price/price.h"

static const struct price plain = {
    .currency = {"USD"},
    .margin = {1, 1},
    .tier_count = 1,
    .tiers = {{.rate = {[LEAF_in] = 2500000,
                        [LEAF_out] = 15000000,
                        [LEAF_reasoning] = 15000000,
                        [LEAF_cache_read] = 250000,
                        [LEAF_cache_write_5m] = 3125000,
                        [LEAF_cache_write_1h] = 5000000}}},
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

/* Each leaf of a kind costs as the plain one of its side; tools without a price, nothing. */
static void leaves_fall_back(void **state)
{
    static const bool stated[LEAF_COUNT] = {[LEAF_in] = true,
                                            [LEAF_out] = true,
                                            [LEAF_cache_read] = true,
                                            [LEAF_cache_write_5m] = true,
                                            [LEAF_cache_write_1h] = true};
    struct price p = plain;

    (void)state;
    price_fill(&p.tiers[0], stated);
    for (size_t i = 0; i < LEAF_COUNT; i++) {
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
        assert_int_equal(cost(&p, &u), want);
        assert_int_equal(usage_input(&u), leaves[i].side == SIDE_INPUT ? 1000 : 0);
        assert_int_equal(usage_output(&u), leaves[i].side == SIDE_OUTPUT ? 1000 : 0);
    }
}

static void rounds_once_and_down(void **state)
{
    (void)state;
    struct price p = {
        .margin = {1, 1},
        .tier_count = 1,
        .tiers = {{.rate = {[LEAF_in] = 333, [LEAF_out] = 333, [LEAF_cache_read] = 333}}}};
    assert_int_equal(cost(&p, &(struct usage){.in = 3}), 0);
    /* Three leaves of 0.333 + 0.666 + 0.333 nano: rounded one by one they would be nothing. */
    assert_int_equal(cost(&p, &(struct usage){.in = 1, .out = 2, .cache_read = 1}), 1);
    p.margin = (struct ratio){21, 20};
    assert_int_equal(cost(&p, &(struct usage){.in = 1000}), 349);
}

static void refuses_what_is_out_of_range(void **state)
{
    (void)state;
    static const struct ratio bad[] = {
        {0, 1}, {1, 0}, {-1, 1}, {1, -1}, {RATIO_MAX + 1, 1}, {1, RATIO_MAX + 1}};
    const struct usage one = {.in = 1};
    int64_t nano;
    struct price p = plain;
    assert_false(price_cost(&p, &(struct usage){.in = USAGE_MAX + 1}, NULL, 0, &nano));
    p.tiers[0].rate[LEAF_in] = -1;
    assert_false(price_cost(&p, &one, NULL, 0, &nano));
    p = plain;
    p.request = -1;
    assert_false(price_cost(&p, &one, NULL, 0, &nano));
    p = plain;
    p.tier_count = 0;
    assert_false(price_cost(&p, &one, NULL, 0, &nano));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        p = plain;
        assert_false(price_cost(&p, &one, &bad[i], 1, &nano));
        p.margin = bad[i];
        assert_false(price_cost(&p, &one, NULL, 0, &nano));
        p = plain;
        p.service[TIER_FLEX] = bad[i];
        bool stated = bad[i].den != 0;
        assert_int_equal(
            price_cost(&p, &(struct usage){.in = 1, .tier = TIER_FLEX}, NULL, 0, &nano), !stated);
    }
}

static void only_what_int64_cannot_hold_is_too_much(void **state)
{
    (void)state;
    int64_t nano;
    struct price p = plain;
    p.tiers[0].rate[LEAF_in] = INT64_MAX;
    assert_true(price_cost(&p, &(struct usage){.in = 1000}, NULL, 0, &nano));
    assert_int_equal(nano, INT64_MAX);
    assert_false(price_cost(&p, &(struct usage){.in = 1001}, NULL, 0, &nano));
    /* Far beyond 128 bits on the way, and back. */
    const struct ratio there[PRICE_RATIOS] = {
        {RATIO_MAX, 1}, {RATIO_MAX, 1}, {1, RATIO_MAX}, {1, RATIO_MAX}};
    p.margin = (struct ratio){RATIO_MAX, RATIO_MAX};
    assert_true(price_cost(&p, &(struct usage){.in = 1000}, there, PRICE_RATIOS, &nano));
    assert_int_equal(nano, INT64_MAX);
}

static void pair(struct str text, struct ratio *r)
{
    uint64_t num = 0, den = 0;
    struct str first = str_cut(&text, '/');
    assert_true(str_to_u64(first, &num) && str_to_u64(text, &den));
    *r = (struct ratio){(int64_t)num, (int64_t)den};
}

static void read_usage(struct str text, struct str service, struct usage *u)
{
    *u = (struct usage){0};
    while (text.n > 0) {
        struct str count = str_cut(&text, ',');
        struct str name = str_cut(&count, '=');
        uint64_t n;
        assert_true(str_to_u64(count, &n));
        bool found = false;
        for (size_t i = 0; i < LEAF_COUNT; i++) {
            if (str_eq(name, str_from(leaves[i].name))) {
                memcpy((char *)u + leaves[i].offset, &n, sizeof(n));
                found = true;
            }
        }
        assert_true(found);
    }
    enum tier tier;
    assert_true(tier_find(service, &tier));
    u->tier = (uint8_t)tier;
}

static void expect(struct str wanted, bool ok, int64_t nano, const char *line)
{
    uint64_t n;
    if (str_eq(wanted, STR("-"))) {
        if (ok) {
            fail_msg("%lld for what is too much: %s", (long long)nano, line);
        }
        return;
    }
    assert_true(str_to_u64(wanted, &n));
    if (!ok || nano != (int64_t)n) {
        fail_msg("%lld: %s", ok ? (long long)nano : -1, line);
    }
}

/* terms margin service usage ratios cost cost-rounded-up */
static void compute_line(const char *line)
{
    struct str rest = str_trim(str_from(line)), fields[7];
    struct price p;
    struct usage u;
    struct ratio ratios[PRICE_RATIOS];
    size_t n = 0;
    int64_t nano = 0;

    for (size_t i = 0; i < 7; i++) {
        fields[i] = str_cut(&rest, ' ');
    }
    assert_true(price_terms_parse(fields[0], &p, NULL));
    pair(fields[1], &p.margin);
    read_usage(fields[3], fields[2], &u);
    while (!str_eq(fields[4], STR("none")) && fields[4].n > 0) {
        pair(str_cut(&fields[4], ','), &ratios[n++]);
    }
    bool ok = price_cost(&p, &u, ratios, n, &nano);
    expect(fields[5], ok, nano, line);
    ok = price_cost_up(&p, &u, &nano);
    expect(fields[6], ok, nano, line);
}

/* Written by tests/peer/price.py, out of Python's integers. */
static void agrees_with_a_second_implementation(void **state)
{
    (void)state;
    static char line[4096];
    FILE *f = fopen("tests/fixtures/price_costs.txt", "re");
    unsigned lines = 0;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        compute_line(line);
        lines++;
    }
    fclose(f);
    assert_int_equal(lines, 600);
}

static void a_tier_begins_at_its_number(void **state)
{
    (void)state;
    struct price p = plain;
    p.tier_count = 2;
    p.tiers[1] = p.tiers[0];
    p.tiers[1].min_input = 200001;
    p.tiers[1].rate[LEAF_in] = 2 * p.tiers[0].rate[LEAF_in];
    assert_int_equal(cost(&p, &(struct usage){.in = 200000}), INT64_C(200000) * 2500);
    assert_int_equal(cost(&p, &(struct usage){.in = 200001}), INT64_C(200001) * 5000);
    /* All input counts, also what a cache had; the output does not. */
    assert_int_equal(cost(&p, &(struct usage){.in = 1, .cache_read = 199999, .out = 100}),
                     2500 + INT64_C(199999) * 250 + 100 * 15000);
    assert_int_equal(cost(&p, &(struct usage){.in = 1, .cache_read = 199999, .cache_write_1h = 1}),
                     5000 + INT64_C(199999) * 250 + 5000);
}

static void a_factor_is_for_tokens(void **state)
{
    (void)state;
    struct price p = plain;
    p.service[TIER_BATCH] = (struct ratio){1, 2};
    p.request = 1000000; /* a thousand nano */
    assert_int_equal(cost(&p, &(struct usage){.in = 1000}), 2500000 + 1000);
    assert_int_equal(cost(&p, &(struct usage){.in = 1000, .tier = TIER_BATCH}), 1250000 + 1000);
    /* Without a factor of its own a tier costs as the standard. */
    assert_int_equal(cost(&p, &(struct usage){.in = 1000, .tier = TIER_PRIORITY}), 2500000 + 1000);
}

static void a_hold_is_of_the_dearest(void **state)
{
    (void)state;
    int64_t nano;
    struct price p = plain;
    p.tier_count = 3;
    p.tiers[0].rate[LEAF_cache_write_5m] = p.tiers[0].rate[LEAF_cache_write_1h] = 0;
    p.tiers[1] = p.tiers[2] = p.tiers[0];
    p.tiers[1].min_input = 1000;
    p.tiers[1].rate[LEAF_in] = 1; /* cheaper, so that the tier below it counts */
    p.tiers[2].min_input = 2000;
    p.tiers[2].rate[LEAF_in] = 5000000;
    assert_true(price_hold(
        &p, &(struct price_most){.in = 100, .reach = 999, .out = 0, .any_service = false}, NULL, 0,
        &nano));
    assert_int_equal(nano, 100 * 2500);
    assert_true(price_hold(
        &p, &(struct price_most){.in = 100, .reach = 1999, .out = 10, .any_service = false}, NULL,
        0, &nano));
    assert_int_equal(nano, 100 * 2500 + 10 * 15000);
    assert_true(price_hold(
        &p, &(struct price_most){.in = 100, .reach = 2000, .out = 10, .any_service = false}, NULL,
        0, &nano));
    assert_int_equal(nano, 100 * 5000 + 10 * 15000);
    p.tiers[1].rate[LEAF_cache_write_1h] = 6000000;
    p.tiers[1].rate[LEAF_out_audio] = 40000000;
    p.tiers[1].rate[LEAF_in_audio] = 30000000;
    struct price_most most = {.in = 100, .reach = 1000, .out = 10};
    assert_true(price_hold(&p, &most, NULL, 0, &nano));
    assert_int_equal(nano, 100 * 6000 + 10 * 40000);
    most.any_medium = true;
    assert_true(price_hold(&p, &most, NULL, 0, &nano));
    assert_int_equal(nano, 100 * 30000 + 10 * 40000);
    p.service[TIER_BATCH] = (struct ratio){1, 2};
    assert_true(
        price_hold(&p, &(struct price_most){.in = 100, .reach = 0, .out = 0, .any_service = true},
                   NULL, 0, &nano));
    assert_int_equal(nano, 100 * 2500);
    p.service[TIER_PRIORITY] = (struct ratio){7, 4};
    assert_true(
        price_hold(&p, &(struct price_most){.in = 100, .reach = 0, .out = 0, .any_service = false},
                   NULL, 0, &nano));
    assert_int_equal(nano, 100 * 2500);
    assert_true(
        price_hold(&p, &(struct price_most){.in = 100, .reach = 0, .out = 0, .any_service = true},
                   NULL, 0, &nano));
    assert_int_equal(nano, 100 * 4375);
    assert_true(
        price_hold(&p, &(struct price_most){.in = 100, .reach = 0, .out = 0, .any_service = false},
                   &(struct ratio){3, 1}, 1, &nano));
    assert_int_equal(nano, 100 * 7500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_leaf_has_its_rate),
        cmocka_unit_test(leaves_fall_back),
        cmocka_unit_test(rounds_once_and_down),
        cmocka_unit_test(refuses_what_is_out_of_range),
        cmocka_unit_test(only_what_int64_cannot_hold_is_too_much),
        cmocka_unit_test(agrees_with_a_second_implementation),
        cmocka_unit_test(a_tier_begins_at_its_number),
        cmocka_unit_test(a_factor_is_for_tokens),
        cmocka_unit_test(a_hold_is_of_the_dearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
