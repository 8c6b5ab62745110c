/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The assay's statistics, and its reading of signatures, for a judge in another language. A line of
 * input is a JSON object whose `do` names a row of the table at the end; a line of output is its
 * result, with the CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "assay/picture.h"
#include "assay/signature.h"
#include "assay/stat.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/limits.h"
#include "json/json.h"
#include "json/schema.h"

static struct arena memory; /* of one line */

static void *take(size_t n, size_t size)
{
    void *p = arena_alloc(&memory, n * size + 1);
    if (p == NULL) {
        fprintf(stderr, "stat_driver: out of memory\n");
        exit(1);
    }
    return p;
}

static double number(const struct json *v)
{
    struct str text = json_number(v);
    return text.p == NULL ? 0 : strtod(arena_str(&memory, text).p, NULL);
}

static double number_of(const struct json *v, const char *key)
{
    return number(json_get(v, key));
}

static unsigned count_of(const struct json *v, const char *key)
{
    return (unsigned)number_of(v, key);
}

static double *numbers(const struct json *v)
{
    double *out = take(json_count(v), sizeof(*out));
    struct json_each it = json_each(v);
    while (json_next(&it)) {
        out[it.index] = number(it.value);
    }
    return out;
}

static uint32_t *counts(const struct json *v)
{
    uint32_t *out = take(json_count(v), sizeof(*out));
    struct json_each it = json_each(v);
    while (json_next(&it)) {
        out[it.index] = (uint32_t)number(it.value);
    }
    return out;
}

static struct stat_random seeded(const struct json *v)
{
    struct stat_random r;
    struct str text = json_number(json_get(v, "seed"));
    stat_seed(&r, text.p == NULL ? 0 : strtoull(arena_str(&memory, text).p, NULL, 10));
    return r;
}

static void print_numbers(const char *name, const double *v, size_t n)
{
    printf("\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        printf("%s%.17g", i > 0 ? "," : "", v[i]);
    }
    printf("],");
}

static bool do_random(const struct json *v)
{
    struct stat_random r = seeded(v);
    unsigned below = count_of(v, "below");
    unsigned n = count_of(v, "n");

    printf("\"drawn\":[");
    for (unsigned i = 0; i < n; i++) {
        uint64_t drawn = below > 0 ? stat_below(&r, below) : stat_next(&r);
        printf("%s%llu", i > 0 ? "," : "", (unsigned long long)drawn);
    }
    printf("],");
    return true;
}

static bool do_fit(const struct json *v)
{
    const struct json *y = json_get(v, "y");
    size_t n = json_count(y);
    double *residuals = take(n, sizeof(*residuals));
    struct stat_line line;

    if (!stat_fit(numbers(json_get(v, "k")), numbers(y), n, &line, residuals)) {
        return false;
    }
    printf("\"a\":%.17g,\"b\":%.17g,\"r2\":%.17g,\"worst\":%.17g,", line.a, line.b, line.r2,
           line.worst);
    print_numbers("residuals", residuals, n);
    return true;
}

static enum stat_family family_named(struct str name)
{
    enum stat_family f = 0;
    while (f < STAT_FAMILIES && !str_eq(name, str_from(stat_family(f)->name))) {
        f++;
    }
    return f;
}

static bool do_tokens(const struct json *v)
{
    static const char *const states[] = {"family", "multiplied", "none", "unclear", "crooked"};
    struct stat_counted counted[STAT_STRINGS];
    struct stat_tokens t;
    double *k = numbers(json_get(v, "k"));
    size_t n = 0;

    for (enum stat_string s = 0; s < STAT_STRINGS; s++) {
        const struct json *y = json_get(json_get(v, "y"), stat_string_name(s));
        if (y != NULL) {
            counted[n++] = (struct stat_counted){s, k, numbers(y), json_count(y)};
        }
    }
    if (!stat_tokens_fit(counted, n, family_named(json_str(json_get(v, "claimed"))), &t)) {
        return false;
    }
    printf("\"state\":\"%s\",\"family\":\"%s\",\"distance\":%.17g,\"next\":%.17g,"
           "\"multiplier\":%.17g,\"intercept\":%.17g,\"worst\":%.17g,",
           states[t.state], stat_family(t.family)->name, t.distance, t.next, t.multiplier,
           t.intercept, t.worst);
    return true;
}

static bool do_two(const struct json *v)
{
    struct stat_cell cells[LIMIT_ASSAY_CELLS];
    struct stat_random r = seeded(v);
    struct stat_two two;
    struct json_each x = json_each(json_get(v, "x"));
    struct json_each y = json_each(json_get(v, "y"));
    size_t n = 0;

    while (n < LIMIT_ASSAY_CELLS && json_next(&x) && json_next(&y)) {
        cells[n++] = (struct stat_cell){counts(x.value), counts(y.value), json_count(x.value)};
    }
    if (!stat_two_sample(cells, n, count_of(v, "permutations"), &r, &two)) {
        return false;
    }
    printf("\"chi\":%.17g,\"u\":%.17g,\"z_chi\":%.17g,\"z_u\":%.17g,\"z\":%.17g,\"p\":%.17g,",
           two.chi, two.u, two.z_chi, two.z_u, two.z, two.p);
    return true;
}

static const struct str *texts(const struct json *v)
{
    struct str *out = take(json_count(v), sizeof(*out));
    struct json_each it = json_each(v);
    while (json_next(&it)) {
        out[it.index] = json_str(it.value);
    }
    return out;
}

static bool do_mmd(const struct json *v)
{
    struct stat_texts prompts[LIMIT_ASSAY_PROMPTS];
    struct stat_random r = seeded(v);
    struct stat_mmd mmd;
    struct json_each x = json_each(json_get(v, "x"));
    struct json_each y = json_each(json_get(v, "y"));
    bool hamming = str_eq(json_str(json_get(v, "kernel")), STR("hamming"));
    size_t n = 0;

    while (n < LIMIT_ASSAY_PROMPTS && json_next(&x) && json_next(&y)) {
        prompts[n++] = (struct stat_texts){texts(x.value), texts(y.value), json_count(x.value),
                                           json_count(y.value)};
    }
    if (!stat_mmd(prompts, n, hamming ? STAT_KERNEL_HAMMING : STAT_KERNEL_TRIGRAMS,
                  count_of(v, "permutations"), &r, &mmd)) {
        return false;
    }
    printf("\"mmd2\":%.17g,\"p\":%.17g,", mmd.mmd2, mmd.p);
    return true;
}

static bool do_identify(const struct json *v)
{
    const struct json *rows = json_get(v, "counts");
    size_t models = json_count(rows);
    size_t kinds = json_count(json_get(v, "answers"));
    uint32_t *all = take(models * kinds, sizeof(*all));
    double *posterior = take(models + 1, sizeof(*posterior));
    struct json_each it = json_each(rows);

    while (json_next(&it)) {
        memcpy(&all[it.index * kinds], counts(it.value), kinds * sizeof(*all));
    }
    struct stat_snapshots s = {all, models, kinds};
    if (!stat_identify(&s, counts(json_get(v, "answers")), posterior)) {
        return false;
    }
    print_numbers("posterior", posterior, models + 1);
    return true;
}

/* [[token, logprob], ...] */
static struct stat_row row_of(const struct json *v)
{
    size_t n = json_count(v);
    uint32_t *token = take(n, sizeof(*token));
    double *logprob = take(n, sizeof(*logprob));
    struct json_each it = json_each(v);

    while (json_next(&it)) {
        token[it.index] = count_of(it.value, "0");
        logprob[it.index] = number_of(it.value, "1");
    }
    return (struct stat_row){token, logprob, n};
}

static struct stat_row *rows_of(const struct json *v)
{
    struct stat_row *out = take(json_count(v), sizeof(*out));
    struct json_each it = json_each(v);
    while (json_next(&it)) {
        out[it.index] = row_of(it.value);
    }
    return out;
}

static bool do_logprobs(const struct json *v)
{
    struct stat_rows cells[LIMIT_ASSAY_CELLS];
    struct stat_logprobs l;
    struct json_each it = json_each(json_get(v, "cells"));
    size_t n = 0;

    while (n < LIMIT_ASSAY_CELLS && json_next(&it)) {
        const struct json *target = json_get(it.value, "target");
        const struct json *reference = json_get(it.value, "reference");
        cells[n++] = (struct stat_rows){rows_of(target), rows_of(reference), json_count(target),
                                        json_count(reference)};
    }
    if (!stat_logprobs(cells, n, &l)) {
        return false;
    }
    printf("\"distance\":%.17g,\"floor\":%.17g,\"differs\":%s,\"rows\":%zu,\"far\":%zu,",
           l.distance, l.floor, l.differs ? "true" : "false", l.rows, l.far);
    return true;
}

static bool do_picture(const struct json *v)
{
    struct stat_random r;
    struct picture seen;
    struct buf png, text;

    buf_init(&png, 64 << 10);
    buf_init(&text, 64 << 10);
    stat_seed(&r, count_of(v, "seed"));
    bool ok = picture_make(&png, &r, &seen) && base64_write(&text, BASE64_STANDARD, buf_str(&png));
    if (ok) {
        printf("\"png\":\"%.*s\",\"digits\":\"%s\",\"colour\":\"%s\",", STR_ARG(buf_str(&text)),
               seen.digits, seen.colour);
    }
    buf_release(&png);
    buf_release(&text);
    return ok;
}

static bool do_share(const struct json *v)
{
    struct stat_interval exact;
    struct stat_interval wilson;
    unsigned k = count_of(v, "k");
    unsigned n = count_of(v, "n");
    double confidence = number_of(v, "confidence");

    if (!stat_clopper_pearson(k, n, confidence, &exact) ||
        !stat_wilson(k, n, confidence, &wilson)) {
        return false;
    }
    print_numbers("exact", (double[]){exact.low, exact.high}, 2);
    print_numbers("wilson", (double[]){wilson.low, wilson.high}, 2);
    return true;
}

static bool do_mcnemar(const struct json *v)
{
    double p;
    if (!stat_mcnemar(count_of(v, "b"), count_of(v, "c"), &p)) {
        return false;
    }
    print_numbers("p", &p, 1);
    return true;
}

static bool do_holm(const struct json *v)
{
    const struct json *p = json_get(v, "p");
    double *adjusted = numbers(p);
    if (!stat_holm(adjusted, json_count(p))) {
        return false;
    }
    print_numbers("p", adjusted, json_count(p));
    return true;
}

static bool do_power(const struct json *v)
{
    struct stat_power_cell cells[LIMIT_ASSAY_CELLS];
    struct stat_random r = seeded(v);
    struct stat_power power;
    struct stat_power_ask ask = {.cells = cells};
    const struct json *other = json_get(v, "other");
    struct json_each it = json_each(json_get(v, "reference"));

    while (ask.count < LIMIT_ASSAY_CELLS && json_next(&it)) {
        struct stat_power_cell *c = &cells[ask.count++];
        *c = (struct stat_power_cell){.reference = counts(it.value), .kinds = json_count(it.value)};
        c->n = count_of(v, "n");
        c->m = count_of(v, "m");
        struct json_each others = json_each(other);
        while (json_next(&others)) {
            if (others.index == it.index) {
                c->other = counts(others.value);
            }
        }
    }
    ask.mix = number_of(v, "mix");
    ask.level = number_of(v, "level");
    ask.runs = count_of(v, "runs");
    ask.permutations = count_of(v, "permutations");
    if (!stat_power(&ask, &r, &power)) {
        return false;
    }
    printf("\"caught\":%u,\"runs\":%u,", power.caught, power.runs);
    print_numbers("share", (double[]){power.share.low, power.share.high}, 2);
    return true;
}

static void print_text(const char *name, struct str s)
{
    struct buf quoted;
    buf_init(&quoted, 16 << 20);
    json_write_str(&quoted, s);
    printf("\"%s\":%.*s,", name, (int)quoted.n, quoted.p);
    buf_release(&quoted);
}

static bool do_signature(const struct json *v)
{
    static const char *const kinds[SIGNATURE_KINDS] = {"none",     "unknown",  "claude",
                                                       "claude R", "claude C", "kimi",
                                                       "fernet",   "gemini",   "unpadded"};
    struct str text = json_str(json_get(v, "text"));
    struct signature s;
    struct buf out;
    signature_read(&s, text);
    printf("\"channel\":%llu,\"infra\":%d,\"account\":%s,", (unsigned long long)s.channel,
           (int)s.infra, s.account ? "true" : "false");
    print_text("kind", str_from(kinds[s.kind]));
    print_text("model", str_from(s.model));
    print_text("use", str_from(s.use));
    buf_init(&out, 16 << 20);
    signature_alter(&out, text);
    print_text("altered", buf_str(&out));
    buf_clear(&out);
    signature_redact(&out, json_str(json_get(v, "within")));
    print_text("redacted", buf_str(&out));
    buf_release(&out);
    return true;
}

static bool do_models(const struct json *v)
{
    static const char *const same[] = {"unknown", "same", "other"};
    struct str a = json_str(json_get(v, "a")), b = json_str(json_get(v, "b"));
    print_text("same", str_from(same[signature_models(a, b)]));
    printf("\"claude\":%s,", signature_says_claude(a) ? "true" : "false");
    return true;
}

static bool do_schema(const struct json *v)
{
    const struct json *schema = json_get(v, "schema");
    struct json_each it = json_each(json_get(v, "values"));
    struct err why = {""};
    struct buf said;
    bool ok = schema_usable(schema, &why);

    buf_init(&said, 4096);
    json_write_str(&said, str_from(why.text));
    printf("\"why\":%.*s,\"broken\":[", STR_ARG(buf_str(&said)));
    buf_release(&said);
    while (ok && json_next(&it)) {
        const char *broken = schema_broken(schema, it.value);
        printf("%s\"%s\"", it.index > 0 ? "," : "", broken != NULL ? broken : "");
    }
    printf("],");
    return ok;
}

static const struct {
    const char *name;
    bool (*run)(const struct json *v);
} rows[] = {
    {"random", do_random},     {"fit", do_fit},         {"tokens", do_tokens},
    {"two", do_two},           {"mmd", do_mmd},         {"identify", do_identify},
    {"logprobs", do_logprobs}, {"share", do_share},     {"mcnemar", do_mcnemar},
    {"holm", do_holm},         {"power", do_power},     {"signature", do_signature},
    {"models", do_models},     {"picture", do_picture}, {"schema", do_schema},
};

static bool answer(const struct json *v)
{
    struct str wanted = json_str(json_get(v, "do"));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq(wanted, str_from(rows[i].name))) {
            clock_t began = clock();
            printf("{");
            bool ok = rows[i].run(v);
            printf("\"cpu\":%.6f,\"ok\":%s}\n", (double)(clock() - began) / CLOCKS_PER_SEC,
                   ok ? "true" : "false");
            fflush(stdout);
            return true;
        }
    }
    return false;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    arena_init(&memory, (size_t)LIMIT_ASSAY_MEMORY);
    while ((n = getline(&line, &room, stdin)) > 0) {
        struct err e = {"it names nothing to do"};
        struct json_doc *doc = json_parse_exact(str_slice(line, (size_t)n), &e);
        if (doc == NULL || !answer(json_root(doc))) {
            fprintf(stderr, "stat_driver: %s\n", e.text);
            return 1;
        }
        json_free(doc);
        arena_release(&memory);
    }
    free(line);
    return 0;
}
