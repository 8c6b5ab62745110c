/* SPDX-License-Identifier: Apache-2.0 */
/* What all answers of one side have in common, such as a note that a gateway sets behind each.
 * Pure. */
#ifndef ASSAY_COMMON_H
#define ASSAY_COMMON_H

#include "assay/evidence.h"

struct common {
    size_t head, tail; /* bytes that all begin and end with; 0: nothing worth a word */
    unsigned answers;  /* texts that were looked at */
};
void common_find(const struct evidence *e, bool reference, struct common *out);
/* A text without that, and without thoughts that stand in <think> before it. */
struct str common_strip(const struct common *c, struct str said);

#endif
