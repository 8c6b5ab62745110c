/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of tokens out of evidence, by string and number of repeats. Pure. */
#ifndef ASSAY_COUNTED_H
#define ASSAY_COUNTED_H

#include "assay/evidence.h"
#include "assay/stat.h"

#define COUNTED_POINTS 24
#define COUNTED_SPREAD_SAME 0.04 /* rounding after a factor moves a ratio by 1 % */

struct counted_set {
    size_t strings; /* those with two different numbers of repeats */
    struct stat_counted c[STAT_STRINGS];
    double k[STAT_STRINGS][COUNTED_POINTS], y[STAT_STRINGS][COUNTED_POINTS];
    unsigned calls, silent; /* answers with a count, and without one */
};
void counted_collect(const struct evidence *e, const char *probe, bool reference,
                     struct counted_set *out);

/* The slopes go with the length of the strings in bytes, or in characters, and with nothing else.
 */
bool counted_by_length(const struct counted_set *s, const struct stat_tokens *t);

struct counted_ratio {
    double factor;              /* of the slopes: median over strings */
    double least, most, spread; /* most / least - 1 */
    double worst_reference;     /* how far its counts are off their lines */
    double around;              /* tokens around a text beyond the reference's, factor undone */
};
/* False when they have no string in common. */
bool counted_compare(const struct counted_set *target, const struct counted_set *reference,
                     struct counted_ratio *out);

#endif
