/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/counted.h"

#include <math.h>

#define STRINGS_LEAST 6 /* of seven */
#define POINTS_LEAST 3  /* of each */

#define WORDS_MOST 5.0 /* tokens for 32 digits and a line feed */

static void add_point(struct counted_set *s, enum stat_string string, double k, double y)
{
    struct stat_counted *c = &s->c[string];

    if (c->n < COUNTED_POINTS) {
        s->k[string][c->n] = k;
        s->y[string][c->n] = y;
        c->n++;
    }
}

static bool has_two(const struct counted_set *s, enum stat_string string)
{
    const struct stat_counted *c = &s->c[string];

    for (size_t i = 1; i < c->n; i++) {
        if (s->k[string][i] > s->k[string][0] || s->k[string][i] < s->k[string][0]) {
            return true;
        }
    }
    return false;
}

/* Strings that can be fitted, one behind the other. */
static void settle(struct counted_set *s)
{
    for (enum stat_string i = 0; i < STAT_STRINGS; i++) {
        size_t n = s->c[i].n;
        if (has_two(s, i)) {
            s->c[s->strings++] = (struct stat_counted){i, s->k[i], s->y[i], n};
        }
    }
}

void counted_collect(const struct evidence *e, const char *probe, bool reference,
                     struct counted_set *out)
{
    *out = (struct counted_set){0};
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        bool none = str_eq(r->cell, STR("none"));
        if (!r->answered || r->reference != reference || !str_eq(r->probe, str_from(probe))) {
            continue;
        }
        if (r->said.usage.state == USAGE_MISSING) {
            out->silent++;
            continue;
        }
        out->calls++;
        for (enum stat_string s = 0; s < STAT_STRINGS; s++) {
            if (none || str_eq(r->cell, str_from(stat_string_name(s)))) {
                add_point(out, s, (double)r->k, (double)usage_input(&r->said.usage));
            }
        }
    }
    settle(out);
}

bool counted_enough(const struct counted_set *s)
{
    size_t good = 0;

    for (size_t i = 0; i < s->strings; i++) {
        good += s->c[i].n >= POINTS_LEAST;
    }
    return good >= STRINGS_LEAST;
}

/* How long a repeat is: in ASCII with its line feed, and in anything else. */
struct length {
    double ascii, other;
};

static struct length length_of(enum stat_string s, bool characters)
{
    struct length n = {.ascii = 1};

    for (const unsigned char *text = (const unsigned char *)stat_string_text(s); *text != 0;
         text++) {
        n.ascii += *text < 0x80;
        n.other += *text >= 0x80 && (!characters || (*text & 0xC0) != 0x80);
    }
    return n;
}

/* One rate for all of a text: of three strings no tokenizer is as near to that. */
static bool by_one_rate(const struct counted_set *s, const struct stat_tokens *t, bool characters)
{
    double least = INFINITY, most = 0;

    for (size_t i = 0; i < s->strings; i++) {
        struct length n = length_of(s->c[i].string, characters);
        double ratio = t->line[i].b / (n.ascii + n.other);
        least = fmin(least, ratio);
        most = fmax(most, ratio);
    }
    return s->strings >= 3 && least > 0 && most / least < 1.03;
}

/* A rate for ASCII and one for the rest: the tokenizers that are known here are 28 % off at
 * least. By least squares of what is left in shares of a slope. */
static bool by_two_rates(const struct counted_set *s, const struct stat_tokens *t, bool characters)
{
    double aa = 0, ab = 0, bb = 0, a = 0, b = 0, worst = 0;
    struct length n[STAT_STRINGS];

    for (size_t i = 0; i < s->strings; i++) {
        n[i] = length_of(s->c[i].string, characters);
        n[i].ascii /= t->line[i].b;
        n[i].other /= t->line[i].b;
        aa += n[i].ascii * n[i].ascii;
        ab += n[i].ascii * n[i].other;
        bb += n[i].other * n[i].other;
        a += n[i].ascii;
        b += n[i].other;
    }
    double d = aa * bb - ab * ab;
    double ascii = (a * bb - b * ab) / d, other = (aa * b - ab * a) / d;
    for (size_t i = 0; i < s->strings; i++) {
        worst = fmax(worst, fabs(ascii * n[i].ascii + other * n[i].other - 1));
    }
    return s->strings >= 5 && d > 0 && worst < 0.1;
}

/* Tokenizers take three digits at a time at most, or not many more: who needs so few tokens for 32
 * of them counts a number as one word, as some gateways do. */
static bool by_words(const struct counted_set *s, const struct stat_tokens *t)
{
    for (size_t i = 0; i < s->strings; i++) {
        if (s->c[i].string == STAT_STRING_DIGITS) {
            return t->line[i].b < WORDS_MOST;
        }
    }
    return false;
}

enum counted_how counted_how(const struct counted_set *s, const struct stat_tokens *t)
{
    if (t->state == STAT_TOKENS_CROOKED) {
        return COUNTED_UNEVENLY; /* so that the slopes of others are 1 at least */
    }
    for (int characters = 0; characters < 2; characters++) {
        if (by_one_rate(s, t, characters == 1) || by_two_rates(s, t, characters == 1)) {
            return COUNTED_BY_LENGTH;
        }
    }
    return by_words(s, t) ? COUNTED_BY_LENGTH : COUNTED_EVENLY;
}

struct pairs {
    size_t n;
    double a[STAT_STRINGS], b[STAT_STRINGS];             /* of the target: around, and slope */
    double other_a[STAT_STRINGS], other_b[STAT_STRINGS]; /* of the reference */
};

/* The lines of strings that both have. */
static void pair_up(const struct counted_set *target, const struct counted_set *reference,
                    struct pairs *p)
{
    struct stat_line one, other;

    p->n = 0;
    for (size_t i = 0; i < target->strings; i++) {
        for (size_t j = 0; j < reference->strings; j++) {
            const struct stat_counted *x = &target->c[i], *y = &reference->c[j];
            if (x->string == y->string && stat_fit(x->k, x->y, x->n, &one, NULL) &&
                stat_fit(y->k, y->y, y->n, &other, NULL) && one.b > 0 && other.b > 0) {
                p->a[p->n] = one.a;
                p->b[p->n] = one.b;
                p->other_a[p->n] = other.a;
                p->other_b[p->n++] = other.b;
            }
        }
    }
}

/* A factor or a constant, whichever explains more of the slopes. */
static void explain(const struct pairs *p, struct counted_ratio *out)
{
    double ratios[STAT_STRINGS], more[STAT_STRINGS];
    double scaled = 0, shifted = 0;

    for (size_t i = 0; i < p->n; i++) {
        ratios[i] = p->b[i] / p->other_b[i];
        more[i] = p->b[i] - p->other_b[i];
        out->least = fmin(out->least, ratios[i]);
        out->most = fmax(out->most, ratios[i]);
    }
    out->spread = out->least > 0 ? out->most / out->least - 1 : INFINITY;
    out->factor = stat_median(ratios, p->n);
    double added = stat_median(more, p->n);
    for (size_t i = 0; i < p->n; i++) {
        scaled += fabs(p->b[i] / out->factor - p->other_b[i]);
        shifted += fabs(p->b[i] - added - p->other_b[i]) / out->factor;
    }
    bool factor = scaled < shifted;
    out->off = factor ? scaled : shifted;
    out->added = factor || fabs(added) < 0.5 ? 0 : added;
    out->sure = COUNTED_OFF_SURE * (double)p->n / STAT_STRINGS;
}

bool counted_compare(const struct counted_set *target, const struct counted_set *reference,
                     struct counted_ratio *out)
{
    struct pairs p;

    *out = (struct counted_ratio){.least = INFINITY};
    pair_up(target, reference, &p);
    if (p.n == 0) {
        return false;
    }
    explain(&p, out);
    /* Rounding alone is no factor, and what is added to each line multiplies nothing. */
    bool plain = fabs(out->factor - 1) <= 0.02 || fabs(out->added) > 0;
    out->around = stat_median(p.a, p.n) / (plain ? 1 : out->factor) - stat_median(p.other_a, p.n);
    return true;
}
