/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "assay/stat.h"
#include "base/limits.h"

#define HALVINGS 200

static double log_factorial(double n)
{
    int sign;
    return lgamma_r(n + 1, &sign);
}

/* P(X <= k) of n tries at p. */
static double at_most(unsigned k, unsigned n, double p)
{
    double sum = 0;

    if (p <= 0 || k >= n) {
        return 1;
    }
    if (p >= 1) {
        return 0;
    }
    for (unsigned i = 0; i <= k; i++) {
        sum += exp(log_factorial(n) - log_factorial(i) - log_factorial((double)(n - i)) +
                   i * log(p) + (double)(n - i) * log1p(-p));
    }
    return fmin(sum, 1);
}

/* The p at which k or less of n have this chance; it falls as p grows. */
static double share_at(unsigned k, unsigned n, double chance)
{
    double low = 0;
    double high = 1;

    for (int i = 0; i < HALVINGS && low < high; i++) {
        double p = (low + high) / 2;
        if (p <= low || p >= high) {
            break;
        }
        *(at_most(k, n, p) > chance ? &low : &high) = p;
    }
    return low;
}

static bool unusable(unsigned k, unsigned n, double confidence)
{
    return n == 0 || k > n || n > LIMIT_ASSAY_TRIES || !(confidence > 0 && confidence < 1);
}

bool stat_clopper_pearson(unsigned k, unsigned n, double confidence, struct stat_interval *out)
{
    double tail = (1 - confidence) / 2;

    if (unusable(k, n, confidence)) {
        return false;
    }
    /* P(X >= k) is that of n - k failures or less, whose share is the rest. */
    out->low = k == 0 ? 0 : 1 - share_at(n - k, n, tail);
    out->high = k == n ? 1 : share_at(k, n, tail);
    return true;
}

/* The normal deviate that leaves so much above it, up to a half. */
static double deviate(double tail)
{
    double low = 0;
    double high = 40;

    for (int i = 0; i < HALVINGS; i++) {
        double z = (low + high) / 2;
        *(erfc(z / sqrt(2)) / 2 > tail ? &low : &high) = z;
    }
    return low;
}

bool stat_wilson(unsigned k, unsigned n, double confidence, struct stat_interval *out)
{
    if (unusable(k, n, confidence)) {
        return false;
    }
    double z = deviate((1 - confidence) / 2);
    double share = (double)k / n;
    double middle = share + z * z / (2.0 * n);
    double half = z * sqrt(share * (1 - share) / n + z * z / (4.0 * n * n));
    double scale = 1 + z * z / n;
    *out = (struct stat_interval){
        .low = k == 0 ? 0 : (middle - half) / scale,
        .high = k == n ? 1 : (middle + half) / scale,
    };
    return true;
}

bool stat_mcnemar(unsigned b, unsigned c, double *p)
{
    if (b > LIMIT_ASSAY_TRIES || c > LIMIT_ASSAY_TRIES - b) {
        return false;
    }
    *p = fmin(1, 2 * at_most(b < c ? b : c, b + c, 0.5));
    return true;
}

bool stat_holm(double *p, size_t n)
{
    bool done[LIMIT_ASSAY_CLAIMS] = {false};
    double most = 0;

    if (n > LIMIT_ASSAY_CLAIMS) {
        return false;
    }
    for (size_t left = n; left > 0; left--) {
        size_t least = n;
        for (size_t i = 0; i < n; i++) {
            if (!done[i] && (least == n || p[i] < p[least])) {
                least = i;
            }
        }
        most = fmax(most, fmin(1, (double)left * p[least]));
        p[least] = most;
        done[least] = true;
    }
    return true;
}
