/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How texts begin at temperature 0, here and at the reference. Settings of sampling that a host has
 * of its own (top_p, top_k, ...) do not reach there: who begins most texts to the byte as the
 * reference does and answers at other frequencies serves the same model by other settings. Pure.
 */
#ifndef ASSAY_STARTS_H
#define ASSAY_STARTS_H

#include "assay/evidence.h"

struct starts {
    unsigned compared, same;
    bool alike; /* enough are compared, and half of them or more are the same */
};
void starts_compare(const struct evidence *e, struct starts *out);
/* Behind a p that is small: what speaks for other settings. */
void starts_say(const struct starts *s, double p, struct buf *text);

#endif
