/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of requests. */
#ifndef BASE_RID_H
#define BASE_RID_H

#include "base/str.h"

/* 128 bits that sort by time (48 bits of milliseconds, 80 random): the id of a request. */
struct rid {
    uint8_t b[16];
};
#define RID_TEXT 26

struct rid rid_new(int64_t wall_us);
/* 26 characters of Crockford base32 and a NUL. */
void rid_text(char out[RID_TEXT + 1], const struct rid *id);

#endif
