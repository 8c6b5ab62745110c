/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "assay/stat.h"

bool stat_fit(const double *k, const double *y, size_t n, struct stat_line *out, double *residuals)
{
    double mean_k = 0;
    double mean_y = 0;
    double kk = 0;
    double ky = 0;
    double yy = 0;
    double left = 0;

    for (size_t i = 0; i < n; i++) {
        mean_k += k[i] / (double)n;
        mean_y += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        kk += (k[i] - mean_k) * (k[i] - mean_k);
        ky += (k[i] - mean_k) * (y[i] - mean_y);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
    }
    if (!(kk > 0)) {
        return false;
    }
    *out = (struct stat_line){.b = ky / kk};
    out->a = mean_y - out->b * mean_k;
    for (size_t i = 0; i < n; i++) {
        double residual = y[i] - out->a - out->b * k[i];
        left += residual * residual;
        out->worst = fmax(out->worst, fabs(residual));
        if (residuals != NULL) {
            residuals[i] = residual;
        }
    }
    out->r2 = yy > 0 ? 1 - left / yy : 1;
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double stat_median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), compare);
    return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}
