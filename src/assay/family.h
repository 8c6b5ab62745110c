/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's name says of its tokenizer (models.def). Pure. */
#ifndef ASSAY_FAMILY_H
#define ASSAY_FAMILY_H

#include "assay/stat.h"

/* Without who made or hosts it, before a '/'. */
struct str model_name(struct str model);
/*
 * How much of the name is that prefix, in any case; 0: it is another model's. A prefix ends where
 * the name does, or at '-', ':' or '@': "gpt-5" is neither "gpt-5o" nor "gpt-5.1", a later version
 * of which nothing may be known, nor "gpt-5-1": people write '-' for the '.' of versions. So does
 * what fits "gpt-5.1". A name that goes on with another family's is nobody's.
 */
size_t model_fits(struct str model, const char *prefix);
/* How much of the name is that line of models ("gpt", "claude"), whatever version of it follows; 0:
 * it is none of them, or goes on with another family's name. */
size_t model_line(struct str model, const char *line);
/* The word stands anywhere in it, in any case. */
bool model_says(struct str model, const char *word);
/* STAT_FAMILIES: nothing. */
enum stat_family family_claimed(struct str model);
/* What eight digits and a line feed cost; STAT_FAMILIES: in any tokenizer that was looked at. */
struct family_range {
    unsigned low, high;
};
struct family_range family_nonce(enum stat_family f);

#endif
