/* SPDX-License-Identifier: Apache-2.0 */
/* Of this room alone: the steps of reading usage that a stream's meter needs one by one. */
#ifndef DIALECT_USAGE_H
#define DIALECT_USAGE_H

#include "dialect/dialect.h"

/* The usage object at the dialect's exact place, or NULL. */
const struct json *usage_find(enum dialect d, struct str vendor, const struct json *root);

/* Counters of this dialect's streams are cumulative: named ones replace, others stay. */
void usage_update_messages(const struct json *usage, struct usage *u);

#endif
