/* SPDX-License-Identifier: Apache-2.0 */
/* Text forms of binary ids: hex and Crockford base32. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/str.h"

/* Writes 2n lower-case digits and a NUL. */
void hex_encode(char *out, const void *bytes, size_t n);
bool hex_decode(void *out, size_t n, struct str hex);

/* 128 bits that sort by time (48 bits of milliseconds, 80 random): the id of a request. */
struct rid {
    uint8_t b[16];
};
#define RID_TEXT 26

struct rid rid_new(int64_t wall_us);
/* 26 characters of Crockford base32 and a NUL. */
void rid_text(char out[RID_TEXT + 1], const struct rid *id);
bool rid_parse(struct str text, struct rid *out);

#endif
