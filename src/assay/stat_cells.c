/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are two sets of short answers drawn alike? Of each cell the smoothed chi-square
 *     sum over answers of (x - E)^2 / (E + 1),  E = n (x + y) / (n + m),
 * which sees mixes and answers that are more diverse than the reference's, and the unbiased
 * squared distance of the shares
 *     nm / (n + m) sum of x(x-1) / n(n-1) + y(y-1) / m(m-1) - 2xy / nm,
 * which sees those that are less diverse. Both are polynomials of x once the labels alone move,
 * so a permutation looks their values up.
 */
#include <math.h>

#include "assay/stat.h"
#include "base/arena.h"
#include "base/limits.h"

/* Sums that differ by less are the same sum, added in another order. */
#define SAME 1e-9

struct values {
    double chi, u;
};

/* The answers of one cell, both sides in one urn. */
struct urn {
    uint32_t *answers; /* kinds, in any order */
    uint32_t *drawn;   /* by kind */
    size_t *row;       /* by kind: where its values begin, one for each number drawn */
    struct values *values;
    size_t kinds, total;
    size_t draws; /* the smaller side is drawn */
    struct values seen;
};

static size_t sum_of(const uint32_t *counts, size_t kinds)
{
    size_t sum = 0;
    for (size_t a = 0; a < kinds; a++) {
        sum += counts[a];
    }
    return sum;
}

static struct values value_of(double x, double y, double n, double m)
{
    double expected = n * (x + y) / (n + m);
    struct values v = {.chi = (x - expected) * (x - expected) / (expected + 1)};

    if (n > 1 && m > 1) {
        v.u = x * (x - 1) / (n * (n - 1)) + y * (y - 1) / (m * (m - 1)) - 2 * x * y / (n * m);
        v.u *= n * m / (n + m);
    }
    return v;
}

static bool urn_fill(struct urn *u, const struct stat_cell *c, struct arena *arena)
{
    size_t n = sum_of(c->x, c->kinds);
    size_t m = sum_of(c->y, c->kinds);
    size_t filled = 0;
    size_t row = 0;

    if (n + m > LIMIT_ASSAY_ANSWERS || c->kinds > LIMIT_ASSAY_ANSWERS) {
        return false;
    }
    *u = (struct urn){.kinds = c->kinds, .total = n + m, .draws = n < m ? n : m};
    u->answers = arena_alloc(arena, u->total * sizeof(*u->answers));
    u->drawn = arena_alloc(arena, u->kinds * sizeof(*u->drawn));
    u->row = arena_alloc(arena, u->kinds * sizeof(*u->row));
    u->values = arena_alloc(arena, (u->total + u->kinds) * sizeof(*u->values));
    if (arena->overflow) {
        return false;
    }
    for (size_t a = 0; a < u->kinds; a++) {
        size_t both = (size_t)c->x[a] + c->y[a];
        u->row[a] = row;
        for (size_t k = 0; k <= both; k++) {
            double x = (double)(n <= m ? k : both - k);
            u->values[row++] = value_of(x, (double)both - x, (double)n, (double)m);
        }
        for (size_t k = 0; k < both; k++) {
            u->answers[filled++] = (uint32_t)a;
        }
        struct values seen = u->values[u->row[a] + (n <= m ? c->x[a] : c->y[a])];
        u->seen.chi += seen.chi;
        u->seen.u += seen.u;
    }
    return true;
}

/* Draws one side anew, without replacement. */
static struct values urn_draw(struct urn *u, struct stat_random *r)
{
    struct values sum = {0};

    for (size_t i = 0; i < u->draws; i++) {
        size_t at = i + stat_below(r, (uint32_t)(u->total - i));
        uint32_t answer = u->answers[at];
        u->answers[at] = u->answers[i];
        u->answers[i] = answer;
        u->drawn[answer]++;
    }
    for (size_t a = 0; a < u->kinds; a++) {
        const struct values *v = &u->values[u->row[a] + u->drawn[a]];
        sum.chi += v->chi;
        sum.u += v->u;
        u->drawn[a] = 0;
    }
    return sum;
}

/* The mean and deviation of what was seen and of all that was drawn: what was seen is one of them
 * under the hypothesis, and only a measure that treats all alike keeps p exact. */
static void moments(const struct values *all, size_t n, struct values *mean, struct values *sd)
{
    *mean = (struct values){0};
    *sd = (struct values){0};
    for (size_t i = 0; i < n; i++) {
        mean->chi += all[i].chi / (double)n;
        mean->u += all[i].u / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        sd->chi += (all[i].chi - mean->chi) * (all[i].chi - mean->chi) / (double)n;
        sd->u += (all[i].u - mean->u) * (all[i].u - mean->u) / (double)n;
    }
    *sd = (struct values){sqrt(sd->chi), sqrt(sd->u)};
}

/* Without any spread, nothing that could have come differs from what came. */
static double standard(double value, double mean, double sd)
{
    return sd > SAME * (1 + fabs(mean)) ? (value - mean) / sd : 0;
}

static void judge(const struct values *all, size_t permutations, struct stat_two *out)
{
    struct values mean;
    struct values sd;
    size_t as_far = 0;

    moments(all, permutations + 1, &mean, &sd);
    *out = (struct stat_two){.chi = all[0].chi, .u = all[0].u};
    out->z_chi = standard(all[0].chi, mean.chi, sd.chi);
    out->z_u = standard(all[0].u, mean.u, sd.u);
    out->z = fmax(out->z_chi, out->z_u);
    for (size_t i = 1; i <= permutations; i++) {
        double z = fmax(standard(all[i].chi, mean.chi, sd.chi), standard(all[i].u, mean.u, sd.u));
        as_far += z >= out->z - SAME * (1 + fabs(out->z));
    }
    out->p = (double)(1 + as_far) / (double)(1 + permutations);
}

bool stat_two_sample(const struct stat_cell *cells, size_t count, unsigned permutations,
                     struct stat_random *r, struct stat_two *out)
{
    struct arena arena;
    struct urn urns[LIMIT_ASSAY_CELLS];
    size_t used = 0;
    bool ok = false;

    arena_init(&arena, LIMIT_ASSAY_MEMORY);
    if (count > LIMIT_ASSAY_CELLS || permutations == 0 || permutations > LIMIT_ASSAY_PERMUTATIONS) {
        goto out;
    }
    for (size_t c = 0; c < count; c++) {
        if (!urn_fill(&urns[used], &cells[c], &arena)) {
            goto out;
        }
        used += urns[used].draws > 0;
    }
    struct values *all = arena_alloc(&arena, (permutations + 1) * sizeof(*all));
    if (used == 0 || all == NULL) {
        goto out;
    }
    for (size_t c = 0; c < used; c++) {
        all[0].chi += urns[c].seen.chi;
        all[0].u += urns[c].seen.u;
    }
    for (size_t i = 1; i <= permutations; i++) {
        for (size_t c = 0; c < used; c++) {
            struct values v = urn_draw(&urns[c], r);
            all[i].chi += v.chi;
            all[i].u += v.u;
        }
    }
    judge(all, permutations, out);
    ok = true;
out:
    arena_release(&arena);
    return ok;
}
