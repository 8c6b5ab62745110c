/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "assay/family.h"
#include "assay/stat.h"
#include "base/limits.h"

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-9)) {
        print_error("%.12g is not %.12g\n", a, b);
    }
    assert_true(fabs(a - b) < 1e-9);
}

/* ---- Chance ---- */

static void a_seed_gives_the_same_numbers_everywhere(void **state)
{
    (void)state;
    struct stat_random r = {{1, 2, 3, 4}};
    assert_true(stat_next(&r) == 11520);
    assert_true(stat_next(&r) == 0);
    assert_true(stat_next(&r) == 1509978240);
    assert_true(stat_next(&r) == 1215971899390074240);
    stat_seed(&r, 1234567);
    assert_true(r.s[0] == 6457827717110365317);
    assert_true(r.s[1] == 3203168211198807973);
}

static void numbers_below_are_all_as_likely(void **state)
{
    (void)state;
    struct stat_random r;
    unsigned seen[7] = {0};
    stat_seed(&r, 1);
    for (int i = 0; i < 70000; i++) {
        seen[stat_below(&r, 7)]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(seen[i], 9600, 10400);
    }
    /* Of 2^32 + 2^31 products a third would fall on the low half twice, were none drawn again. */
    unsigned low = 0;
    for (int i = 0; i < 30000; i++) {
        low += stat_below(&r, UINT32_C(3) << 30) < UINT32_C(1) << 30;
        double u = stat_unit(&r);
        assert_true(u >= 0 && u < 1);
    }
    assert_in_range(low, 9600, 10400);
    assert_int_equal(stat_below(&r, 1), 0);
}

/* ---- Lines and tokenizers ---- */

static const double copies[] = {0, 1, 2, 4, 8};

static void a_line_is_fitted(void **state)
{
    (void)state;
    struct stat_line line;
    double residuals[5];
    assert_true(stat_fit(copies, (double[]){3, 5, 7, 11, 19}, 5, &line, residuals));
    assert_near(line.a, 3);
    assert_near(line.b, 2);
    assert_near(line.r2, 1);
    assert_near(line.worst, 0);
    assert_true(stat_fit((double[]){0, 1, 2}, (double[]){0, 0, 3}, 3, &line, residuals));
    assert_near(line.b, 1.5);
    assert_near(line.a, -0.5);
    assert_near(line.r2, 0.75);
    assert_near(line.worst, 1);
    assert_near(residuals[1], -1);
    assert_true(stat_fit(copies, (double[]){4, 4, 4, 4, 4}, 5, &line, NULL));
    assert_near(line.r2, 1);
    assert_false(stat_fit((double[]){2, 2}, (double[]){1, 5}, 2, &line, NULL));
    assert_false(stat_fit(copies, copies, 1, &line, NULL));
    assert_near(stat_median((double[]){5, 1, 3}, 3), 3);
    assert_near(stat_median((double[]){5, 1, 3, 4}, 4), 3.5);
}

/* What a family would count, times a factor, rounded as a bill would. */
static bool count(enum stat_family f, double factor, size_t strings, enum stat_family claimed,
                  struct stat_tokens *out)
{
    static double y[STAT_STRINGS][5];
    struct stat_counted c[STAT_STRINGS];
    for (size_t s = 0; s < strings; s++) {
        for (size_t i = 0; i < 5; i++) {
            y[s][i] = floor((17 + copies[i] * stat_family(f)->counts[s]) * factor);
        }
        c[s] = (struct stat_counted){(enum stat_string)s, copies, y[s], 5};
    }
    return stat_tokens_fit(c, strings, claimed, out);
}

static void every_family_is_known_from_its_counts(void **state)
{
    (void)state;
    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        struct stat_tokens t;
        assert_true(count(f, 1, STAT_STRINGS, STAT_FAMILIES, &t));
        assert_int_equal(t.state, STAT_TOKENS_FAMILY);
        assert_int_equal(t.family, f);
        assert_near(t.distance, 0);
        assert_true(t.next >= 28);
        assert_near(t.multiplier, 1);
        assert_near(t.intercept, 17);
    }
}

/* Whatever was claimed, and whichever factor: never another family, never "as it should be". */
static void a_multiplier_is_no_other_family(void **state)
{
    (void)state;
    static const double factors[] = {0.5, 0.8, 1.05, 1.15, 1.3, 1.5, 2, 3};
    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
            for (int claim = 0; claim < 2; claim++) {
                struct stat_tokens t;
                assert_true(count(f, factors[i], STAT_STRINGS, claim ? f : STAT_FAMILIES, &t));
                assert_int_equal(t.state, STAT_TOKENS_MULTIPLIED);
                assert_int_equal(t.family, f);
                assert_true(fabs(t.multiplier / factors[i] - 1) < 0.02);
            }
        }
    }
}

/* Counts that are linear: intercept + slope for each copy. */
static bool count_slopes(const double *slopes, enum stat_family claimed, struct stat_tokens *out)
{
    static double y[STAT_STRINGS][5];
    struct stat_counted c[STAT_STRINGS];
    for (size_t s = 0; s < STAT_STRINGS; s++) {
        for (size_t i = 0; i < 5; i++) {
            y[s][i] = 30 + copies[i] * slopes[s];
        }
        c[s] = (struct stat_counted){(enum stat_string)s, copies, y[s], 5};
    }
    return stat_tokens_fit(c, STAT_STRINGS, claimed, out);
}

/* One more token for each line end is no factor. */
static void what_is_added_to_each_line_multiplies_nothing(void **state)
{
    (void)state;
    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        double slopes[STAT_STRINGS];
        struct stat_tokens t;
        for (size_t s = 0; s < STAT_STRINGS; s++) {
            slopes[s] = stat_family(f)->counts[s] + 1;
        }
        assert_true(count_slopes(slopes, f, &t));
        assert_int_equal(t.state, STAT_TOKENS_FAMILY);
        assert_int_equal(t.family, f);
    }
}

/* A vocabulary that was revised here and there is still its family. */
static void a_few_other_tokens_are_no_factor(void **state)
{
    (void)state;
    struct stat_tokens t;
    assert_true(count_slopes((double[]){12, 19, 21, 16, 8, 18, 22}, STAT_FAMILY_O200K, &t));
    assert_int_equal(t.state, STAT_TOKENS_FAMILY);
    assert_int_equal(t.family, STAT_FAMILY_O200K);
    assert_near(t.distance, 7);
}

/* A nonce that costs from four to nine tokens bends an honest line so much. */
static void a_line_may_be_bent_by_a_nonce_but_no_more(void **state)
{
    (void)state;
    double y[] = {39, 72, 104, 169, 301};
    struct stat_counted digits = {STAT_STRING_DIGITS, copies, y, 5};
    struct stat_tokens t;
    y[2] += 4;
    assert_true(stat_tokens_fit(&digits, 1, STAT_FAMILIES, &t));
    assert_true(t.worst > 2 && t.worst < 3);
    assert_int_not_equal(t.state, STAT_TOKENS_CROOKED);
    y[2] += 2;
    assert_true(stat_tokens_fit(&digits, 1, STAT_FAMILIES, &t));
    assert_int_equal(t.state, STAT_TOKENS_CROOKED);
    /* As little, on a line so short, is much. */
    digits = (struct stat_counted){STAT_STRING_DIGITS, copies, (double[]){0, 8, 10}, 3};
    assert_true(stat_tokens_fit(&digits, 1, STAT_FAMILIES, &t));
    assert_near(t.worst, 2);
    assert_int_equal(t.state, STAT_TOKENS_CROOKED);
}

static void counts_that_do_not_grow_are_crooked(void **state)
{
    (void)state;
    double slopes[STAT_STRINGS] = {0};
    struct stat_tokens t;
    assert_true(count_slopes(slopes, STAT_FAMILY_O200K, &t));
    assert_int_equal(t.state, STAT_TOKENS_CROOKED);
}

/* Another family stays itself when a third was claimed. */
static void a_claim_does_not_bend_the_counts(void **state)
{
    (void)state;
    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        for (enum stat_family claimed = 0; claimed < STAT_FAMILIES; claimed++) {
            struct stat_tokens t;
            assert_true(count(f, 1, STAT_STRINGS, claimed, &t));
            assert_int_equal(t.state, STAT_TOKENS_FAMILY);
            assert_int_equal(t.family, f);
        }
    }
}

static void few_strings_do_not_tell_families_apart(void **state)
{
    (void)state;
    struct stat_tokens t;
    /* Six families make 12 tokens of the digits. */
    assert_true(count(STAT_FAMILY_KIMI, 1, 1, STAT_FAMILIES, &t));
    assert_int_equal(t.state, STAT_TOKENS_UNCLEAR);
    assert_true(count(STAT_FAMILY_KIMI, 1, 5, STAT_FAMILIES, &t));
    assert_int_equal(t.state, STAT_TOKENS_FAMILY);
    assert_int_equal(t.family, STAT_FAMILY_KIMI);
    /* In the middle between o200k and llama3. */
    struct stat_counted middle[] = {
        {STAT_STRING_DIGITS, copies, (double[]){0, 12, 24}, 3},
        {STAT_STRING_CJK, copies, (double[]){0, 18, 36}, 3},
        {STAT_STRING_THAI, copies, (double[]){0, 22, 44}, 3},
    };
    assert_true(stat_tokens_fit(middle, 3, STAT_FAMILIES, &t));
    assert_near(t.distance, 3);
    assert_near(t.next, 3);
    assert_int_equal(t.state, STAT_TOKENS_UNCLEAR);
}

static void counts_of_no_family_are_none(void **state)
{
    (void)state;
    static const double smol[] = {33, 55, 87, 59, 51, 64, 51};
    double y[STAT_STRINGS][5];
    struct stat_counted c[STAT_STRINGS];
    struct stat_tokens t;
    for (size_t s = 0; s < STAT_STRINGS; s++) {
        for (size_t i = 0; i < 5; i++) {
            y[s][i] = 30 + copies[i] * smol[s];
        }
        c[s] = (struct stat_counted){(enum stat_string)s, copies, y[s], 5};
    }
    for (enum stat_family claimed = 0; claimed <= STAT_FAMILIES; claimed++) {
        assert_true(stat_tokens_fit(c, STAT_STRINGS, claimed, &t));
        assert_int_equal(t.state, STAT_TOKENS_NONE);
        assert_int_equal(t.family, STAT_FAMILY_CLAUDE2);
        assert_near(t.distance, 117);
    }
    y[2][3] += 40;
    assert_true(stat_tokens_fit(c, STAT_STRINGS, STAT_FAMILIES, &t));
    assert_int_equal(t.state, STAT_TOKENS_CROOKED);
    assert_false(stat_tokens_fit(c, 0, STAT_FAMILIES, &t));
    c[1].n = 1;
    assert_false(stat_tokens_fit(c, STAT_STRINGS, STAT_FAMILIES, &t));
}

static void templates_are_found_by_the_longest_prefix(void **state)
{
    (void)state;
    assert_int_equal(stat_template(STR("gpt-5.6-sol"))->low, 6);
    assert_int_equal(stat_template(STR("openai/gpt-oss-120b"))->low, 67);
    assert_int_equal(stat_template(STR("openai/gpt-oss-120b"))->high, 71);
    assert_int_equal(stat_template(STR("gpt-4o-mini"))->system, 4);
    assert_int_equal(stat_template(STR("glm-5.3"))->high, 12);
    assert_null(stat_template(STR("glm-5")));
    assert_null(stat_template(STR("")));
    assert_int_equal(stat_template(STR("GPT-4o"))->low, 7);
    assert_int_equal(stat_template(STR("meta/Llama-3.3-70B-Instruct"))->high, 47);
    assert_null(stat_template(STR("o1ive-7b")));
}

static void a_name_claims_a_tokenizer_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum stat_family family;
    } rows[] = {
        {"gpt-4o", STAT_FAMILY_O200K},
        {"openai/GPT-4o-mini", STAT_FAMILY_O200K},
        {"gpt-4-turbo", STAT_FAMILY_CL100K},
        {"gpt-4.1:free", STAT_FAMILY_O200K},
        {"gpt-5.6-sol", STAT_FAMILY_O200K},
        {"o3", STAT_FAMILY_O200K},
        {"o3-mini@20250131", STAT_FAMILY_O200K},
        {"a/b/Qwen3-32B", STAT_FAMILY_QWEN3},
        {"deepseek/deepseek-r1-0528", STAT_FAMILY_DEEPSEEK3},
        {"meta-llama/Llama-3.3-70B-Instruct", STAT_FAMILY_LLAMA3},
        {"meta-llama/Meta-Llama-3.1-8B", STAT_FAMILY_LLAMA3},
        /* Another model of a name that begins so. */
        {"o1ive-7b", STAT_FAMILIES},
        {"o3000", STAT_FAMILIES},
        {"gpt-4omni", STAT_FAMILIES},
        {"qwen3.5-plus", STAT_FAMILIES},
        /* Later than the table. */
        {"gpt-5.9", STAT_FAMILIES},
        {"gpt-4.7", STAT_FAMILIES},
        {"gemini-3.7-flash", STAT_FAMILIES},
        {"llama-3.9", STAT_FAMILIES},
        {"deepseek-v3.9", STAT_FAMILIES},
        /* Trained on another's answers. */
        {"deepseek/deepseek-r1-0528-qwen3-8b", STAT_FAMILIES},
        {"DeepSeek-R1-Distill-Llama-70B", STAT_FAMILIES},
        {"qwen3-8b-gemini-2.5-pro-distill", STAT_FAMILIES},
        {"o1-distilled", STAT_FAMILIES},
        {"gpt-4/", STAT_FAMILIES},
        {"gpt", STAT_FAMILIES},
        {"", STAT_FAMILIES},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (family_claimed(str_from(rows[i].name)) != rows[i].family) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* ---- Two samples of answers ---- */

static void statistics_are_those_of_the_formulas(void **state)
{
    (void)state;
    struct stat_random r;
    struct stat_two two;
    uint32_t x[] = {3, 1};
    uint32_t y[] = {1, 3};
    stat_seed(&r, 1);
    assert_true(stat_two_sample(&(struct stat_cell){x, y, 2}, 1, 9999, &r, &two));
    /* E = 2 in both: 1/3 + 1/3. */
    assert_near(two.chi, 2.0 / 3);
    assert_near(two.u, (6.0 / 12 + 6.0 / 12 - 2 * 6.0 / 16) * 2);
    /* As far: x0 is 0, 1, 3 or 4 of the 70 ways to draw four of eight: 34. */
    assert_true(fabs(two.p - 34.0 / 70) < 0.03);
    assert_true(two.z == fmax(two.z_chi, two.z_u));
}

static void equal_samples_are_equal_and_others_are_not(void **state)
{
    (void)state;
    struct stat_random r;
    struct stat_two two;
    uint32_t x[] = {20, 0, 10, 0};
    uint32_t y[] = {0, 25, 0, 5};
    uint32_t none[] = {0, 0, 0, 0};
    struct stat_cell cells[] = {{x, y, 4}, {none, y, 4}, {x, y, 4}};
    stat_seed(&r, 1);
    assert_true(stat_two_sample(cells, 3, 999, &r, &two));
    assert_near(two.p, 0.001);
    assert_true(stat_two_sample(&(struct stat_cell){x, x, 4}, 1, 999, &r, &two));
    assert_near(two.p, 1);
    /* One answer alone leaves nothing to permute. */
    assert_true(stat_two_sample(&(struct stat_cell){x, x, 1}, 1, 99, &r, &two));
    assert_near(two.p, 1);
    assert_false(stat_two_sample(&cells[1], 1, 99, &r, &two));
    assert_false(stat_two_sample(cells, 0, 99, &r, &two));
    assert_false(stat_two_sample(cells, 3, 0, &r, &two));
    assert_false(stat_two_sample(cells, 3, LIMIT_ASSAY_PERMUTATIONS + 1, &r, &two));
    uint32_t many[] = {LIMIT_ASSAY_ANSWERS, 1, 0, 0};
    assert_false(stat_two_sample(&(struct stat_cell){many, y, 4}, 1, 99, &r, &two));
}

static void the_same_seed_gives_the_same_p(void **state)
{
    (void)state;
    struct stat_random r;
    struct stat_two a;
    struct stat_two b;
    uint32_t x[] = {5, 2, 3, 0};
    uint32_t y[] = {2, 6, 3, 4};
    stat_seed(&r, 7);
    assert_true(stat_two_sample(&(struct stat_cell){x, y, 4}, 1, 999, &r, &a));
    stat_seed(&r, 7);
    assert_true(stat_two_sample(&(struct stat_cell){x, y, 4}, 1, 999, &r, &b));
    assert_true(a.p == b.p && a.z == b.z);
    assert_true(a.p > 0.05 && a.p < 0.5);
}

/* ---- Texts ---- */

static void texts_are_compared_by_code_points(void **state)
{
    (void)state;
    struct stat_random r;
    struct stat_mmd mmd;
    struct str x[] = {STR("na\xc3\xafve"), STR("na\xc3\xafve")};
    struct str y[] = {STR("na\xc3\xafve"), STR("native")};
    stat_seed(&r, 1);
    /* x with itself 1; naïve and native share two of five and six places, and no gram. */
    struct stat_texts prompt = {x, y, 2, 2};
    assert_true(stat_mmd(&prompt, 1, STAT_KERNEL_HAMMING, 99, &r, &mmd));
    double k = 2 / sqrt(5 * 6);
    assert_near(mmd.mmd2, 1 - 2 * (1 + k) / 2 + k);
    assert_true(stat_mmd(&prompt, 1, STAT_KERNEL_TRIGRAMS, 99, &r, &mmd));
    assert_near(mmd.mmd2, 0);
    struct str grams[] = {STR("abcabc"), STR("abcd")};
    struct stat_texts other = {grams, x, 2, 2};
    /* abc twice, bca, cab; abc, bcd. */
    assert_true(stat_mmd(&other, 1, STAT_KERNEL_TRIGRAMS, 99, &r, &mmd));
    assert_near(mmd.mmd2, 2 / (sqrt(6) * sqrt(2)) + 1);
}

static void odd_texts_are_texts(void **state)
{
    (void)state;
    struct stat_random r;
    struct stat_mmd mmd;
    /* Empty, short, not UTF-8: equal to themselves, to nothing else. */
    struct str odd[] = {STR(""),        STR("a"),        STR("ab"),
                        STR("\xff"),    STR("\xe4\xb8"), STR("\xf4\x90\x80\x80"),
                        STR("\xc0\x80")};
    enum stat_kernel kernels[] = {STAT_KERNEL_TRIGRAMS, STAT_KERNEL_HAMMING};
    stat_seed(&r, 1);
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < 7; i++) {
            struct str x[] = {odd[i], odd[i]};
            struct str y[] = {STR("zzzz"), STR("zzzz")};
            struct stat_texts prompt = {x, y, 2, 2};
            assert_true(stat_mmd(&prompt, 1, kernels[k], 99, &r, &mmd));
            assert_near(mmd.mmd2, 2);
        }
    }
    /* An overlong NUL is none. */
    struct str x[] = {STR("\xc0\x80"), STR("\xc0\x80")};
    struct str nul[] = {STR("\0"), STR("\0")};
    struct stat_texts overlong = {x, nul, 2, 2};
    assert_true(stat_mmd(&overlong, 1, STAT_KERNEL_TRIGRAMS, 99, &r, &mmd));
    assert_near(mmd.mmd2, 2);
    struct stat_texts one = {odd, odd, 1, 7};
    assert_false(stat_mmd(&one, 1, STAT_KERNEL_HAMMING, 99, &r, &mmd));
}

static void other_texts_are_told_from_their_prompt(void **state)
{
    (void)state;
    struct stat_random r;
    struct stat_mmd mmd;
    struct str red[] = {STR("the red fox"), STR("a red fox"),   STR("red foxes"),
                        STR("red fox"),     STR("one red fox"), STR("no red fox")};
    struct str sea[] = {STR("blue seas"),     STR("the blue sea"), STR("a blue sea"),
                        STR("so blue a sea"), STR("blue sea"),     STR("that blue sea")};
    /* Prompts differ, sides do not: labels move within a prompt alone. */
    struct stat_texts alike[] = {{red, red + 3, 3, 3}, {sea, sea + 3, 3, 3}};
    struct stat_texts swapped[] = {{red, sea, 6, 4}};
    stat_seed(&r, 1);
    assert_true(stat_mmd(alike, 2, STAT_KERNEL_TRIGRAMS, 999, &r, &mmd));
    assert_true(mmd.p > 0.1);
    assert_true(stat_mmd(swapped, 1, STAT_KERNEL_TRIGRAMS, 999, &r, &mmd));
    assert_true(mmd.p < 0.02);
}

/* ---- Models, log probabilities ---- */

static void a_model_is_known_by_its_answers_or_is_none(void **state)
{
    (void)state;
    uint32_t counts[3 * 6] = {80, 10, 10, 0, 0, 0, 10, 80, 10, 0, 0, 0, 10, 10, 80, 0, 0, 0};
    struct stat_snapshots s = {counts, 3, 6};
    double posterior[4];
    assert_true(stat_identify(&s, (uint32_t[]){2, 16, 2, 0, 0, 0}, posterior));
    assert_true(posterior[1] > 0.99);
    assert_near(posterior[0] + posterior[1] + posterior[2] + posterior[3], 1);
    assert_true(stat_identify(&s, (uint32_t[]){0, 0, 0, 8, 4, 8}, posterior));
    assert_true(posterior[3] > 0.99);
    /* No answers, no knowledge. */
    assert_true(stat_identify(&s, (uint32_t[]){0, 0, 0, 0, 0, 0}, posterior));
    assert_near(posterior[0], 0.25);
    assert_near(posterior[3], 0.25);
    s.models = 0;
    assert_false(stat_identify(&s, counts, posterior));
}

static void a_missing_log_probability_is_the_least_of_its_row(void **state)
{
    (void)state;
    struct stat_row a = {(uint32_t[]){1, 2, 3}, (double[]){-1, -2, -4}, 3};
    struct stat_row b = {(uint32_t[]){2, 5}, (double[]){-1.5, -3}, 2};
    double d;
    assert_true(stat_row_distance(&a, &b, &d));
    /* 1: -1 and -3; 2: -2 and -1.5; 3: -4 and -3; 5: -4 and -3. */
    assert_near(d, (2 + 0.5 + 1 + 1) / 4);
    double back;
    assert_true(stat_row_distance(&b, &a, &back));
    assert_near(back, d);
    assert_true(stat_row_distance(&a, &a, &d));
    assert_near(d, 0);
    assert_false(stat_row_distance(&a, &(struct stat_row){0}, &d));
}

static void logprobs_differ_only_well_above_the_floor(void **state)
{
    (void)state;
    uint32_t token[] = {1};
    struct stat_row reference[] = {{token, (double[]){-1}, 1}, {token, (double[]){-1.2}, 1}};
    struct stat_row near = {token, (double[]){-1.55}, 1};
    struct stat_row far = {token, (double[]){-1.65}, 1};
    struct stat_rows cell = {&near, reference, 1, 2};
    struct stat_logprobs l;
    assert_true(stat_logprobs(&cell, 1, &l));
    assert_near(l.floor, 0.2);
    assert_near(l.distance, 0.35);
    assert_false(l.differs);
    cell.target = &far;
    assert_true(stat_logprobs(&cell, 1, &l));
    assert_true(l.differs);
    /* Two equal references measure no noise: what another cache state makes is still allowed. */
    reference[0] = reference[1];
    cell.target = &(struct stat_row){token, (double[]){-1.39}, 1};
    assert_true(stat_logprobs(&cell, 1, &l));
    assert_near(l.floor, 0);
    assert_false(l.differs);
    cell.references = 1;
    assert_false(stat_logprobs(&cell, 1, &l));
}

/* ---- Shares ---- */

static void intervals_are_those_of_the_tables(void **state)
{
    (void)state;
    struct stat_interval i;
    assert_true(stat_clopper_pearson(0, 300, 0.9, &i));
    assert_near(i.low, 0);
    assert_near(i.high, 1 - pow(0.05, 1.0 / 300)); /* the rule of three */
    assert_true(stat_clopper_pearson(20, 20, 0.95, &i));
    assert_near(i.low, pow(0.025, 1.0 / 20));
    assert_near(i.high, 1);
    assert_true(stat_clopper_pearson(34, 100, 0.95, &i));
    assert_true(fabs(i.low - 0.2482) < 5e-5 && fabs(i.high - 0.4415) < 5e-5);
    assert_true(stat_wilson(34, 100, 0.95, &i));
    assert_true(fabs(i.low - 0.2546) < 5e-5 && fabs(i.high - 0.4372) < 5e-5);
    assert_false(stat_clopper_pearson(2, 1, 0.95, &i));
    assert_false(stat_clopper_pearson(0, 0, 0.95, &i));
    assert_false(stat_wilson(1, 2, 1, &i));
}

static void pairs_and_claims_are_counted_exactly(void **state)
{
    (void)state;
    double p;
    assert_true(stat_mcnemar(0, 0, &p));
    assert_near(p, 1);
    assert_true(stat_mcnemar(0, 8, &p));
    assert_near(p, 2.0 / 256);
    assert_true(stat_mcnemar(9, 3, &p));
    assert_near(p, 2 * (1 + 12 + 66 + 220) / 4096.0);
    assert_false(stat_mcnemar(LIMIT_ASSAY_TRIES, 1, &p));
    double claims[] = {0.01, 0.9, 0.003, 0.02};
    assert_true(stat_holm(claims, 4));
    assert_near(claims[2], 0.012);
    assert_near(claims[0], 0.03);
    assert_near(claims[3], 0.04);
    assert_near(claims[1], 0.9);
    double tied[] = {0.02, 0.011, 0.6, 0.6};
    assert_true(stat_holm(tied, 4));
    assert_near(tied[0], 0.06);
    assert_near(tied[1], 0.044);
    assert_near(tied[2], 1);
    assert_near(tied[3], 1);
}

/* ---- Power ---- */

static unsigned caught(const uint32_t *other, double mix, unsigned n)
{
    static const uint32_t reference[] = {60, 20, 10, 5, 3, 2, 0, 0};
    struct stat_power_cell cell = {reference, other, 8, n, n};
    struct stat_power_ask ask = {&cell, 1, mix, 0.01, 200, 199};
    struct stat_random r;
    struct stat_power power;
    stat_seed(&r, 3);
    assert_true(stat_power(&ask, &r, &power));
    assert_int_equal(power.runs, 200);
    assert_true(power.share.low <= power.caught / 200.0 &&
                power.share.high >= power.caught / 200.0);
    return power.caught;
}

static void power_grows_with_answers_and_share(void **state)
{
    (void)state;
    static const uint32_t other[] = {0, 0, 0, 0, 0, 20, 40, 40};
    assert_true(caught(other, 0, 100) <= 8);
    assert_true(caught(other, 1, 50) >= 198);
    assert_true(caught(other, 1, 3) < 20);
    unsigned mixed = caught(other, 0.25, 50);
    assert_in_range(mixed, 30, 150);
    assert_true(caught(other, 0.25, 100) > mixed);
    assert_true(caught(NULL, 1, 50) > 100);
}

/* Answers that came once each could be of any model: no run tells it from another. */
static void answers_seen_once_promise_nothing(void **state)
{
    (void)state;
    uint32_t once[50];
    struct stat_power_cell cell = {once, NULL, 50, 50, 50};
    struct stat_power_ask ask = {&cell, 1, 1, 0.01, 100, 199};
    struct stat_random r;
    struct stat_power power;
    for (size_t i = 0; i < 50; i++) {
        once[i] = 1;
    }
    stat_seed(&r, 3);
    assert_true(stat_power(&ask, &r, &power));
    assert_true(power.caught <= 4);
    cell.n = 0;
    assert_false(stat_power(&ask, &r, &power));
    cell.n = 50;
    ask.runs = 0;
    assert_false(stat_power(&ask, &r, &power));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_numbers_everywhere),
        cmocka_unit_test(numbers_below_are_all_as_likely),
        cmocka_unit_test(a_line_is_fitted),
        cmocka_unit_test(every_family_is_known_from_its_counts),
        cmocka_unit_test(a_multiplier_is_no_other_family),
        cmocka_unit_test(what_is_added_to_each_line_multiplies_nothing),
        cmocka_unit_test(a_few_other_tokens_are_no_factor),
        cmocka_unit_test(a_line_may_be_bent_by_a_nonce_but_no_more),
        cmocka_unit_test(counts_that_do_not_grow_are_crooked),
        cmocka_unit_test(a_claim_does_not_bend_the_counts),
        cmocka_unit_test(few_strings_do_not_tell_families_apart),
        cmocka_unit_test(counts_of_no_family_are_none),
        cmocka_unit_test(templates_are_found_by_the_longest_prefix),
        cmocka_unit_test(a_name_claims_a_tokenizer_or_none),
        cmocka_unit_test(statistics_are_those_of_the_formulas),
        cmocka_unit_test(equal_samples_are_equal_and_others_are_not),
        cmocka_unit_test(the_same_seed_gives_the_same_p),
        cmocka_unit_test(texts_are_compared_by_code_points),
        cmocka_unit_test(odd_texts_are_texts),
        cmocka_unit_test(other_texts_are_told_from_their_prompt),
        cmocka_unit_test(a_model_is_known_by_its_answers_or_is_none),
        cmocka_unit_test(a_missing_log_probability_is_the_least_of_its_row),
        cmocka_unit_test(logprobs_differ_only_well_above_the_floor),
        cmocka_unit_test(intervals_are_those_of_the_tables),
        cmocka_unit_test(pairs_and_claims_are_counted_exactly),
        cmocka_unit_test(power_grows_with_answers_and_share),
        cmocka_unit_test(answers_seen_once_promise_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
