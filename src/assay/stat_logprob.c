/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "assay/stat.h"
#include "base/limits.h"

/* What another state of a server's prefix cache makes of the same model; less was not worth
 * believing. A 4-bit requantisation made 0.42 and more, an 8-bit one no more than the cache. */
#define FLOOR_LEAST 0.1
#define TIMES 2.0

static double least_of(const struct stat_row *r)
{
    double least = r->logprob[0];
    for (size_t i = 1; i < r->n; i++) {
        least = fmin(least, r->logprob[i]);
    }
    return least;
}

static double find(const struct stat_row *r, uint32_t token, double missing, bool *found)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->token[i] == token) {
            *found = true;
            return r->logprob[i];
        }
    }
    *found = false;
    return missing;
}

bool stat_row_distance(const struct stat_row *a, const struct stat_row *b, double *out)
{
    if (a->n == 0 || b->n == 0 || a->n > LIMIT_ASSAY_LOGPROBS || b->n > LIMIT_ASSAY_LOGPROBS) {
        return false;
    }
    double least_a = least_of(a);
    double least_b = least_of(b);
    double sum = 0;
    size_t tokens = a->n;
    bool found;

    for (size_t i = 0; i < a->n; i++) {
        sum += fabs(a->logprob[i] - find(b, a->token[i], least_b, &found));
    }
    for (size_t i = 0; i < b->n; i++) {
        find(a, b->token[i], least_a, &found);
        if (!found) {
            sum += fabs(b->logprob[i] - least_a);
            tokens++;
        }
    }
    *out = sum / (double)tokens;
    return true;
}

/* To the nearest row of the reference. */
static bool nearest(const struct stat_rows *c, const struct stat_row *target, double *out)
{
    double d;

    *out = INFINITY;
    for (size_t i = 0; i < c->references; i++) {
        if (!stat_row_distance(target, &c->reference[i], &d)) {
            return false;
        }
        *out = fmin(*out, d);
    }
    return true;
}

/* The least distance from a row of the target to one of the reference, and the largest between two
 * of the reference. */
static bool measure(const struct stat_rows *c, double *distance, double *floor)
{
    double d;

    *distance = INFINITY;
    for (size_t j = 0; j < c->targets; j++) {
        if (!nearest(c, &c->target[j], &d)) {
            return false;
        }
        *distance = fmin(*distance, d);
    }
    for (size_t i = 0; i < c->references; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!stat_row_distance(&c->reference[j], &c->reference[i], &d)) {
                return false;
            }
            *floor = fmax(*floor, d);
        }
    }
    return true;
}

static bool is_compared(const struct stat_rows *c)
{
    return c->targets > 0 && c->references >= 2;
}

bool stat_logprobs(const struct stat_rows *cells, size_t count, struct stat_logprobs *out)
{
    double distances[LIMIT_ASSAY_CELLS];
    double floor = 0, d;
    size_t n = 0;

    if (count > LIMIT_ASSAY_CELLS) {
        return false;
    }
    for (size_t c = 0; c < count; c++) {
        if (is_compared(&cells[c]) && !measure(&cells[c], &distances[n++], &floor)) {
            return false;
        }
    }
    if (n == 0) {
        return false;
    }
    double bound = TIMES * fmax(floor, FLOOR_LEAST);
    *out = (struct stat_logprobs){.distance = stat_median(distances, n), .floor = floor};
    out->differs = out->distance > bound;
    for (size_t c = 0; c < count; c++) {
        for (size_t j = 0; is_compared(&cells[c]) && j < cells[c].targets; j++) {
            out->rows++;
            out->far += nearest(&cells[c], &cells[c].target[j], &d) && d > bound;
        }
    }
    return true;
}
