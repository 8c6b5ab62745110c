/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/counted.h"

#include <math.h>

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

static double length_of(enum stat_string s, bool characters)
{
    const char *text = stat_string_text(s);
    double n = 1; /* the line feed */

    for (; *text != '\0'; text++) {
        n += !characters || ((unsigned char)*text & 0xC0) != 0x80;
    }
    return n;
}

bool counted_by_length(const struct counted_set *s, const struct stat_tokens *t)
{
    for (int characters = 0; characters < 2; characters++) {
        double least = INFINITY, most = 0;
        for (size_t i = 0; i < s->strings; i++) {
            double ratio = t->line[i].b / length_of(s->c[i].string, characters == 1);
            least = fmin(least, ratio);
            most = fmax(most, ratio);
        }
        if (s->strings > 2 && least > 0 && most / least < 1.03) {
            return true;
        }
    }
    return false;
}

bool counted_compare(const struct counted_set *target, const struct counted_set *reference,
                     struct counted_ratio *out)
{
    double ratios[STAT_STRINGS], a[STAT_STRINGS], b[STAT_STRINGS];
    size_t n = 0;

    *out = (struct counted_ratio){.least = INFINITY};
    for (size_t i = 0; i < target->strings; i++) {
        for (size_t j = 0; j < reference->strings; j++) {
            const struct stat_counted *x = &target->c[i], *y = &reference->c[j];
            struct stat_line one, other;
            if (x->string != y->string || !stat_fit(x->k, x->y, x->n, &one, NULL) ||
                !stat_fit(y->k, y->y, y->n, &other, NULL) || other.b <= 0) {
                continue;
            }
            a[n] = one.a;
            b[n] = other.a;
            ratios[n] = one.b / other.b;
            out->worst_reference = fmax(out->worst_reference, other.worst);
            out->least = fmin(out->least, ratios[n]);
            out->most = fmax(out->most, ratios[n]);
            n++;
        }
    }
    if (n == 0) {
        return false;
    }
    out->spread = out->least > 0 ? out->most / out->least - 1 : INFINITY;
    out->factor = stat_median(ratios, n);
    /* Rounding alone is no factor. */
    double undone = fabs(out->factor - 1) > 0.02 ? out->factor : 1;
    out->around = stat_median(a, n) / undone - stat_median(b, n);
    return true;
}
