/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the JSON of a stream event: how much generated text there is, and whether anything
 * in it wants a parser. Most events are text deltas and are never parsed. Keys inside strings
 * cannot mislead it, since their quotes are escaped there. Inside the room only.
 */
#ifndef DIALECT_GLANCE_H
#define DIALECT_GLANCE_H

#include "dialect/dialect.h"

struct glance {
    uint64_t bytes, texts; /* of generated text, decoded (low for \u escapes), and its pieces */
    bool ask;              /* usage, an end or a failure may be in it: it has to be parsed */
};
void glance(enum dialect d, struct str data, struct glance *out);

/* First byte at or after p that is no blank, or end. */
static inline const char *glance_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }
    return p;
}

#endif
