/* SPDX-License-Identifier: Apache-2.0 */
/* Of this room alone: the steps of reading usage that a stream's meter needs one by one. */
#ifndef DIALECT_USAGE_H
#define DIALECT_USAGE_H

#include "dialect/dialect.h"

/* What this JSON says, on top of what c says already; u changes only when there is usage in it. */
void usage_take(enum dialect d, struct str vendor, const struct json *root, struct counts *c,
                struct usage *u);

/* counts.c */
/* The counters of a usage object: those that it names replace c's. */
void counts_read(enum dialect d, const struct json *usage, struct counts *c);
/* Disjoint and checked; MISSING when there is nothing to tell. */
void counts_settle(enum dialect d, const struct counts *c, struct usage *out);

#endif
