/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts that are not even because requests are counted in two ways, in turn or from some call on:
 * by two tokenizers, or by one with something set before some requests alone. Pure.
 */
#ifndef ASSAY_TURNS_H
#define ASSAY_TURNS_H

#include "assay/counted.h"

struct turns {
    enum stat_family other; /* of what is counted otherwise */
    unsigned own, others;   /* calls */
    bool mostly;   /* all but a few calls fit the first, or all others bear one and the same more */
    double more;   /* tokens around the others beyond those around the first */
    double beyond; /* the same around the first, beyond those at the reference */
};
/*
 * True when some calls are counted to the token as by `claimed`, and all others as by one family
 * and no second one, each over texts enough. That one may be the claimed, with `more` around them.
 * Of the calls as by the claimed, or of those that bear less, a few are enough.
 */
bool turns_of_families(const struct counted_set *s, enum stat_family claimed, struct turns *out);
/* True when each text costs what it does at the reference, and some calls bear `more` beside. */
bool turns_of_prompts(const struct counted_set *s, const struct counted_set *reference,
                      struct turns *out);

#endif
