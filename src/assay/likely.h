/* SPDX-License-Identifier: Apache-2.0 */
/* The likeliest tokens of the first place of answers, out of evidence. Pure. */
#ifndef ASSAY_LIKELY_H
#define ASSAY_LIKELY_H

#include "assay/evidence.h"
#include "assay/stat.h"
#include "base/arena.h"

#define LIKELY_TOKENS 20 /* of a place: no vendor gives more */
#define LIKELY_ROWS 8    /* of a question and side */

struct likely_row {
    uint32_t token[LIKELY_TOKENS];
    double logprob[LIKELY_TOKENS]; /* the likeliest first */
    size_t n;
};
/* Of one question. All zero before the first answer. */
struct likely {
    struct str words[2 * LIKELY_ROWS * LIKELY_TOKENS]; /* tokens by their number */
    size_t word_count;
    struct likely_row rows[2][LIKELY_ROWS]; /* of the target, of the reference */
    size_t n[2];
    struct stat_row stat[2][LIKELY_ROWS];
};
/* False when the answer has none. */
bool likely_add(struct likely *l, struct arena *a, const struct record *r);
/* What is there of both, each as long as the shortest. False when that is too little. */
bool likely_rows(struct likely *l, struct stat_rows *out);

#endif
