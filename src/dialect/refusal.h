/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vendor's failure whose HTTP status does not say so: {"error": ...} under 200, which any vendor
 * may send, and the shapes that its row names (enum reply_shape). Pure; any thread. The text points
 * into the JSON that was read.
 */
#ifndef DIALECT_REFUSAL_H
#define DIALECT_REFUSAL_H

#include "dialect/vendor.h"

struct refusal {
    unsigned status; /* what its HTTP status should have been; 502 where nothing tells */
    struct str text; /* the vendor's own words; may be empty */
    bool sure;       /* a failure even beside usage: without it, what has usage is an answer */
};

/* What a whole reply or one event of a stream says; false when it is no failure. v may be NULL. */
bool refusal_read(const struct vendor *v, const struct json *root, struct refusal *out);

#endif
