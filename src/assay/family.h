/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's name says of its tokenizer (models.def). Pure. */
#ifndef ASSAY_FAMILY_H
#define ASSAY_FAMILY_H

#include "assay/stat.h"

/* STAT_FAMILIES: nothing. */
enum stat_family family_claimed(struct str model);
/* What eight digits and a line feed cost; STAT_FAMILIES: in any tokenizer that was looked at. */
struct family_range {
    unsigned low, high;
};
struct family_range family_nonce(enum stat_family f);

#endif
