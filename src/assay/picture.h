/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures to be looked at: six digits behind a coloured shape, over a little noise, as PNG. The
 * same chance makes the same picture. Pure.
 */
#ifndef ASSAY_PICTURE_H
#define ASSAY_PICTURE_H

#include "assay/stat.h"
#include "base/buf.h"

#define PICTURE_DIGITS 6
#define PICTURE_WIDTH 384 /* vendors that count by tiles count one, up to this */
#define PICTURE_HEIGHT 96
#define PICTURE_BYTES 4096 /* at most */

/* What is to be seen. */
struct picture {
    char digits[PICTURE_DIGITS + 1];
    const char *colour;
};
/* Appends the PNG. False without memory. */
bool picture_make(struct buf *png, struct stat_random *r, struct picture *out) MUST_CHECK;

#endif
