/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of tokens out of evidence, by string and number of repeats. Pure. */
#ifndef ASSAY_COUNTED_H
#define ASSAY_COUNTED_H

#include "assay/evidence.h"
#include "assay/stat.h"

#define COUNTED_POINTS 24
/*
 * So many tokens too many are no template, with a reference or without one: honest hosts of one
 * model differ by up to 71 in their templates alone, and a date or a safety text comes on top.
 */
#define COUNTED_SURE 200
#define COUNTED_SPREAD_SAME 0.04 /* rounding after a factor moves a ratio by 1 % */
/* Tokens a repeat, over all seven texts, that are another tokenizer: the two nearest are 22 apart
 * whatever factor or constant is taken out, and counts that are 0 to 8 off by chance make 8. */
#define COUNTED_OFF_SURE 15.0

struct counted_set {
    size_t strings; /* those with two different numbers of repeats */
    struct stat_counted c[STAT_STRINGS];
    double k[STAT_STRINGS][COUNTED_POINTS], y[STAT_STRINGS][COUNTED_POINTS];
    unsigned calls, silent; /* answers with a count, and without one */
};
void counted_collect(const struct evidence *e, const char *probe, bool reference,
                     struct counted_set *out);

/* Whether texts and points enough came back that a line which is not straight would show. */
bool counted_enough(const struct counted_set *s);

enum counted_how {
    COUNTED_EVENLY,   /* as a tokenizer counts: each repeat of a text adds the same */
    COUNTED_UNEVENLY, /* off their lines, or flat: nothing is to be built on such slopes */
    COUNTED_BY_LENGTH /* by bytes or characters, ASCII and others at a rate each, or by words: no
                         tokenizer */
};
/* t: what stat_tokens_fit made of the same set. */
enum counted_how counted_how(const struct counted_set *s, const struct stat_tokens *t);

struct counted_ratio {
    double factor;              /* of the slopes: median over strings */
    double least, most, spread; /* most / least - 1 */
    double added;               /* to each repeat, where that explains the slopes and not a factor,
                                   such as "\r\n" for "\n"; else 0 */
    double off, sure;           /* tokens a repeat that neither explains, over all strings compared;
                                   beyond `sure` it is another tokenizer */
    double around;              /* tokens around a text beyond the reference's, factor undone */
};
/* False when they have no string in common. */
bool counted_compare(const struct counted_set *target, const struct counted_set *reference,
                     struct counted_ratio *out);

#endif
