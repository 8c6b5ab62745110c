/* SPDX-License-Identifier: Apache-2.0 */
/* How an answer is worded, as people look at it: by words that stand in it. Pure. */
#ifndef ASSAY_MANNER_H
#define ASSAY_MANNER_H

#include "base/buf.h"

enum manner { MANNER_DECLINES, MANNER_APOLOGISES, MANNER_FLATTERS, MANNER_COUNT };
bool manner_shows(struct str text, enum manner m);
bool manner_emoji(struct str text);
/* The models that it names, by the names of their series: "GPT, Claude". False: none. */
bool manner_names(struct buf *out, struct str text);
/* A number that stands there as a whole: 77 is not in 177. */
bool manner_number(struct str text, struct str number);

#endif
