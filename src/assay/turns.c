/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/turns.h"

#include <math.h>

#define LEAST_CALLS 5
#define LEAST_STRINGS 3
#define FEW 5    /* one call of so many may be odd */
#define SAME 1.0 /* tokens: what rounding and a nonce may move */
#define POINTS (STAT_STRINGS * COUNTED_POINTS)

/* What is billed for one text, less its repeats as somebody counts them. */
struct point {
    enum stat_string string;
    double k, y;
    bool explained;
};
struct points {
    size_t n;
    struct point at[POINTS];
};

/* What stands without repeats is among those of each string: it is taken once. */
static void take(const struct counted_set *s, struct points *p)
{
    p->n = 0;
    for (size_t i = 0; i < s->strings; i++) {
        const struct stat_counted *c = &s->c[i];
        for (size_t j = 0; j < c->n; j++) {
            if (c->k[j] > 0 || i == 0) {
                p->at[p->n++] = (struct point){c->string, c->k[j], c->y[j], false};
            }
        }
    }
}

static double rest(const struct point *p, const double *slopes)
{
    return p->y - p->k * slopes[p->string];
}

/* How many that nothing explains yet leave the same rest; of the largest such group, its rest. */
static unsigned largest(const struct points *p, const double *slopes, double *around)
{
    unsigned most = 0;

    for (size_t i = 0; i < p->n; i++) {
        unsigned n = 0;
        double a = rest(&p->at[i], slopes);
        for (size_t j = 0; j < p->n && !p->at[i].explained; j++) {
            n += !p->at[j].explained && fabs(rest(&p->at[j], slopes) - a) <= SAME;
        }
        if (n > most) {
            most = n;
            *around = a;
        }
    }
    return most;
}

/* Enough calls, of texts enough, are explained, or are not. */
static bool enough(const struct points *p, bool explained, unsigned *calls)
{
    bool seen[STAT_STRINGS] = {false};
    unsigned strings = 0;

    *calls = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct point *q = &p->at[i];
        if (q->explained == explained) {
            strings += q->k > 0 && !seen[q->string];
            seen[q->string] = seen[q->string] || q->k > 0;
            *calls += 1;
        }
    }
    return *calls >= LEAST_CALLS && strings >= LEAST_STRINGS;
}

/* Splits the points into those that these slopes explain and the others. */
static bool split(struct points *p, const double *slopes, struct turns *out, double *around)
{
    *around = 0;
    largest(p, slopes, around);
    for (size_t i = 0; i < p->n; i++) {
        p->at[i].explained = fabs(rest(&p->at[i], slopes) - *around) <= SAME;
    }
    bool own = enough(p, true, &out->own);
    return enough(p, false, &out->others) && own;
}

static void slopes_of(enum stat_family f, double *slopes)
{
    for (enum stat_string s = 0; s < STAT_STRINGS; s++) {
        slopes[s] = stat_family(f)->counts[s];
    }
}

/* All but a few calls are counted as by one other family, and those few as by the claimed. */
static bool mostly_other(struct points *p, enum stat_family claimed, struct turns *out)
{
    double slopes[STAT_STRINGS], around = 0, own = 0;
    unsigned found = 0;

    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        struct turns t = {.other = f};
        for (size_t i = 0; i < p->n; i++) {
            p->at[i].explained = false;
        }
        slopes_of(f, slopes);
        largest(p, slopes, &around);
        for (size_t i = 0; i < p->n; i++) {
            p->at[i].explained = fabs(rest(&p->at[i], slopes) - around) <= SAME;
        }
        bool plenty = enough(p, true, &t.others);
        enough(p, false, &t.own);
        slopes_of(claimed, slopes);
        if (f != claimed && plenty && t.own > 0 && t.own * FEW <= t.own + t.others &&
            largest(p, slopes, &own) == t.own) {
            t.more = around - own;
            *out = t;
            found++;
        }
    }
    return found == 1;
}

/* All but a few calls bear the same more than those few; all are counted as by the claimed. */
static bool mostly_more(const struct points *p, enum stat_family claimed, double own,
                        struct turns *out)
{
    double slopes[STAT_STRINGS], around = 0;
    unsigned few = out->others;

    slopes_of(claimed, slopes);
    bool plenty = enough(p, true, &out->own);
    bool one = few >= 2 && few * FEW <= out->own + few && largest(p, slopes, &around) == few;
    out->other = claimed;
    out->more = around - own;
    return plenty && one && around >= 0 && around < own;
}

bool turns_of_families(const struct counted_set *s, enum stat_family claimed, struct turns *out)
{
    struct points p;
    double slopes[STAT_STRINGS], own = 0, around = 0;
    unsigned found = 0;

    *out = (struct turns){.other = STAT_FAMILIES};
    take(s, &p);
    slopes_of(claimed, slopes);
    if (!split(&p, slopes, out, &own)) {
        return mostly_more(&p, claimed, own, out) || mostly_other(&p, claimed, out);
    }
    for (enum stat_family f = 0; f < STAT_FAMILIES; f++) {
        slopes_of(f, slopes);
        if (largest(&p, slopes, &around) == out->others) {
            found++;
            out->other = f;
            out->more = around - own;
        }
    }
    return found == 1;
}

bool turns_of_prompts(const struct counted_set *s, const struct counted_set *reference,
                      struct turns *out)
{
    struct points p;
    double slopes[STAT_STRINGS] = {0}, own = 0, around = 0, expected = 0;
    struct stat_line line;

    *out = (struct turns){.other = STAT_FAMILIES};
    for (size_t i = 0; i < reference->strings; i++) {
        const struct stat_counted *c = &reference->c[i];
        if (!stat_fit(c->k, c->y, c->n, &line, NULL)) {
            return false;
        }
        slopes[c->string] = line.b;
    }
    if (reference->strings < STAT_STRINGS) {
        return false;
    }
    take(reference, &p);
    largest(&p, slopes, &expected);
    take(s, &p);
    bool both = split(&p, slopes, out, &own);
    bool one = largest(&p, slopes, &around) == out->others;
    out->more = around - own;
    out->beyond = own - expected;
    out->mostly = one || out->others * FEW <= out->own + out->others;
    return both && one;
}
