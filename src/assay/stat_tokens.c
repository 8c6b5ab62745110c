/* SPDX-License-Identifier: Apache-2.0 */
/* Which tokenizer counted, and by what factor. */
#include <math.h>

#include "assay/family.h"

/* Per repeat and over all seven strings: the two nearest families are 28 apart, and a tokenizer
 * that is in no row was never nearer than 45 to one. */
#define NEAR 15.0
/* A nonce of random length makes honest residuals up to 2.7. */
#define RESIDUAL_MOST 3.0
#define R2_LEAST 0.98
/* No tokenizer makes less of a line. */
#define SLOPE_LEAST 1.0
/* A factor that is the same for all strings. Rounding alone moves a string's ratio by 1 %. */
#define FACTOR_FROM 0.02
/* Of fewer strings, some factor brings some family near to anything. */
#define FACTOR_STRINGS 5

static const char *const string_names[] = {
#define STRING(id, name, text) name,
#define FAMILY(...)
#define TEMPLATE(...)
#include "assay/tokenizers.def"
};
static const char *const string_texts[] = {
#define STRING(id, name, text) text,
#define FAMILY(...)
#define TEMPLATE(...)
#include "assay/tokenizers.def"
};
static const struct stat_family_row families[] = {
#define STRING(...)
#define FAMILY(id, name, models, ...) {name, models, {__VA_ARGS__}},
#define TEMPLATE(...)
#include "assay/tokenizers.def"
};
static const struct stat_template templates[] = {
#define STRING(...)
#define FAMILY(...)
#define TEMPLATE(prefix, low, high, system) {prefix, low, high, system},
#include "assay/tokenizers.def"
};

const struct stat_family_row *stat_family(enum stat_family f)
{
    return &families[f];
}

const char *stat_string_name(enum stat_string s)
{
    return string_names[s];
}

const char *stat_string_text(enum stat_string s)
{
    return string_texts[s];
}

const struct stat_template *stat_template(struct str model)
{
    const struct stat_template *best = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
        size_t n = model_fits(model, templates[i].prefix);
        if (n > longest) {
            best = &templates[i];
            longest = n;
        }
    }
    return best;
}

/* What was measured: the slope of each string that was. */
struct measured {
    size_t n;
    enum stat_string string[STAT_STRINGS];
    double slope[STAT_STRINGS];
};

static double count_of(enum stat_family f, const struct measured *m, size_t i)
{
    return families[f].counts[m->string[i]];
}

static double factor_to(enum stat_family f, const struct measured *m)
{
    double ratios[STAT_STRINGS];

    for (size_t i = 0; i < m->n; i++) {
        ratios[i] = m->slope[i] / count_of(f, m, i);
    }
    return stat_median(ratios, m->n);
}

/* In tokens as the family counts them, so that a factor does not stretch the measure. */
static double distance_to(enum stat_family f, const struct measured *m, double factor)
{
    double sum = 0;

    for (size_t i = 0; i < m->n; i++) {
        sum += fabs(m->slope[i] / factor - count_of(f, m, i));
    }
    return sum;
}

/* A factor explains most of the distance, and better than what adds as much to each repeat, such
 * as "\r\n" for "\n". */
static bool is_factor(enum stat_family f, const struct measured *m, double factor)
{
    double more[STAT_STRINGS];
    double shifted = 0;

    for (size_t i = 0; i < m->n; i++) {
        more[i] = m->slope[i] - count_of(f, m, i);
    }
    double added = stat_median(more, m->n);
    for (size_t i = 0; i < m->n; i++) {
        shifted += fabs(more[i] - added);
    }
    double scaled = distance_to(f, m, factor);
    return scaled < shifted / factor && scaled < distance_to(f, m, 1) / 2;
}

/* How near is near enough: as for all strings, but never nearer to another family than to f. */
static double near_to(enum stat_family f, const struct measured *m)
{
    double near = NEAR * (double)m->n / STAT_STRINGS;

    for (enum stat_family g = 0; g < STAT_FAMILIES; g++) {
        double apart = 0;
        for (size_t i = 0; i < m->n; i++) {
            apart += fabs(count_of(f, m, i) - count_of(g, m, i));
        }
        if (g != f) {
            near = fmin(near, apart / 2);
        }
    }
    return near;
}

/* The nearest family when the slopes are taken as they are. */
static void find_nearest(const struct measured *m, struct stat_tokens *out)
{
    out->distance = INFINITY;
    out->next = INFINITY;
    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        double d = distance_to(f, m, 1);
        if (d < out->distance) {
            out->next = out->distance;
            out->distance = d;
            out->family = f;
        } else {
            out->next = fmin(out->next, d);
        }
    }
    out->multiplier = factor_to(out->family, m);
}

/* The claimed family where a factor brings it near; else the one that is nearest then. */
static bool find_multiplied(const struct measured *m, enum stat_family claimed,
                            struct stat_tokens *out)
{
    double best = INFINITY;
    enum stat_family found = STAT_FAMILIES;

    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        double factor = factor_to(f, m);
        double d = is_factor(f, m, factor) ? distance_to(f, m, factor) : INFINITY;
        bool taken = found != STAT_FAMILIES && found == claimed;
        if (d < near_to(f, m) && !taken && (d < best || f == claimed)) {
            best = d;
            found = f;
        }
    }
    if (found == STAT_FAMILIES) {
        return false;
    }
    out->state = STAT_TOKENS_MULTIPLIED;
    out->family = found;
    out->distance = best;
    out->multiplier = factor_to(found, m);
    return true;
}

static double least_slope(const struct measured *m)
{
    double least = INFINITY;
    for (size_t i = 0; i < m->n; i++) {
        least = fmin(least, m->slope[i]);
    }
    return least;
}

static void judge(const struct measured *m, enum stat_family claimed, struct stat_tokens *out)
{
    find_nearest(m, out);
    if (out->r2 < R2_LEAST || out->worst > RESIDUAL_MOST || least_slope(m) < SLOPE_LEAST) {
        out->state = STAT_TOKENS_CROOKED;
        return;
    }
    if (out->distance < near_to(out->family, m)) {
        out->state = STAT_TOKENS_FAMILY;
        /* 15 tokens of 130 hide a factor that is the same for all strings. */
        bool off = fabs(out->multiplier - 1) > FACTOR_FROM && m->n >= FACTOR_STRINGS;
        if (off && is_factor(out->family, m, out->multiplier)) {
            out->state = STAT_TOKENS_MULTIPLIED;
        }
        return;
    }
    if (m->n >= FACTOR_STRINGS && find_multiplied(m, claimed, out)) {
        return;
    }
    bool unclear = out->distance < NEAR * (double)m->n / STAT_STRINGS;
    out->state = unclear ? STAT_TOKENS_UNCLEAR : STAT_TOKENS_NONE;
}

bool stat_tokens_fit(const struct stat_counted *c, size_t n, enum stat_family claimed,
                     struct stat_tokens *out)
{
    struct measured m = {0};
    struct stat_tokens result = {.r2 = 1};
    double intercepts[STAT_STRINGS];

    if (n == 0 || n > STAT_STRINGS) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct stat_line *line = &result.line[i];
        if (!stat_fit(c[i].k, c[i].y, c[i].n, line, NULL)) {
            return false;
        }
        m.string[m.n] = c[i].string;
        m.slope[m.n++] = line->b;
        intercepts[i] = line->a;
        result.worst = fmax(result.worst, line->worst);
        result.r2 = fmin(result.r2, line->r2);
    }
    result.intercept = stat_median(intercepts, n);
    judge(&m, claimed, &result);
    *out = result;
    return true;
}
