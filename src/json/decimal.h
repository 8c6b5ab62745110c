/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of JSON as they are written, of any size, without rounding. Pure. */
#ifndef JSON_DECIMAL_H
#define JSON_DECIMAL_H

#include "base/str.h"

/* Below 0, 0 or above it, as a is below b, the same amount, or above it. */
int decimal_compare(struct str a, struct str b);
/* It has nothing behind the point: 1, 1.0, 10e-1. */
bool decimal_whole(struct str s);

#endif
