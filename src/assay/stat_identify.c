/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which model of a list answers so? Of each the Dirichlet-multinomial predictive of the answers,
 * given its snapshot: counts + weight x base, where the base is half the mean of all snapshots and
 * half the same for every kind. The weight is what makes an answer new as often as Good and Turing
 * expect of that snapshot: the share of its answers that were given once. "None of these" is a
 * model of which nothing is known: the base alone, whose weight is not known either.
 */
#include <math.h>

#include "assay/stat.h"
#include "base/arena.h"
#include "base/limits.h"

#define LEAST_WEIGHT 3.0
#define MOST_WEIGHT 300.0
static const double unknown_weights[] = {3, 30, 300};
#define UNKNOWN_WEIGHTS (sizeof(unknown_weights) / sizeof(unknown_weights[0]))

/* log of a (a + 1) ... (a + n - 1) */
static double log_rising(double a, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += log(a + i);
    }
    return sum;
}

/* counts NULL: none. */
static double predictive(const uint32_t *counts, const double *base, double weight, size_t kinds,
                         const uint32_t *answers)
{
    double sum = 0;
    double total = weight;
    uint32_t n = 0;

    for (size_t a = 0; a < kinds; a++) {
        double seen = counts == NULL ? 0 : counts[a];
        sum += log_rising(seen + weight * base[a], answers[a]);
        total += seen;
        n += answers[a];
    }
    return sum - log_rising(total, n);
}

static double log_mean(const double *v, size_t n)
{
    double most = -INFINITY;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, v[i]);
    }
    for (size_t i = 0; i < n; i++) {
        sum += exp(v[i] - most) / (double)n;
    }
    return most + log(sum);
}

static double weight_of(const uint32_t *counts, size_t kinds)
{
    double seen = 0, once = 0;

    for (size_t a = 0; a < kinds; a++) {
        seen += counts[a];
        once += counts[a] == 1;
    }
    return once < seen ? fmin(fmax(once * seen / (seen - once), LEAST_WEIGHT), MOST_WEIGHT)
                       : MOST_WEIGHT;
}

static void base_of(const struct stat_snapshots *s, double *base)
{
    for (size_t f = 0; f < s->models; f++) {
        const uint32_t *counts = &s->counts[f * s->kinds];
        double n = 0;
        for (size_t a = 0; a < s->kinds; a++) {
            n += counts[a];
        }
        for (size_t a = 0; a < s->kinds && n > 0; a++) {
            base[a] += 0.5 * counts[a] / n / (double)s->models;
        }
    }
    for (size_t a = 0; a < s->kinds; a++) {
        base[a] += 0.5 / (double)s->kinds;
    }
}

bool stat_identify(const struct stat_snapshots *s, const uint32_t *answers, double *posterior)
{
    struct arena arena;
    double unknown[UNKNOWN_WEIGHTS];
    uint64_t n = 0;

    if (s->models == 0 || s->models > LIMIT_ASSAY_MODELS || s->kinds == 0 ||
        s->kinds > LIMIT_ASSAY_ANSWERS) {
        return false;
    }
    for (size_t a = 0; a < s->kinds; a++) {
        n += answers[a];
    }
    arena_init(&arena, LIMIT_ASSAY_MEMORY);
    double *base = arena_alloc(&arena, s->kinds * sizeof(*base));
    if (n > LIMIT_ASSAY_ANSWERS || base == NULL) {
        arena_release(&arena);
        return false;
    }
    base_of(s, base);
    for (size_t f = 0; f < s->models; f++) {
        const uint32_t *row = &s->counts[f * s->kinds];
        posterior[f] = predictive(row, base, weight_of(row, s->kinds), s->kinds, answers);
    }
    for (size_t i = 0; i < UNKNOWN_WEIGHTS; i++) {
        unknown[i] = predictive(NULL, base, unknown_weights[i], s->kinds, answers);
    }
    posterior[s->models] = log_mean(unknown, UNKNOWN_WEIGHTS);
    double evidence = log_mean(posterior, s->models + 1) + log((double)(s->models + 1));
    for (size_t f = 0; f <= s->models; f++) {
        posterior[f] = exp(posterior[f] - evidence);
    }
    arena_release(&arena);
    return true;
}
