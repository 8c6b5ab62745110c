/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of text that a stream came in: how they are cut, and when they were there. Pure. */
#ifndef ASSAY_SLICES_H
#define ASSAY_SLICES_H

#include "assay/evidence.h"

/* The text of an event; empty where it has none, or a thought. */
struct str slice_text(enum dialect d, const struct json *root);

#define SLICES_MAX 1024
struct slices {
    struct buf text;
    size_t n, end[SLICES_MAX];  /* each ends so many bytes into the text */
    uint64_t first_us, last_us; /* when the first and the last were there; 0: it is not known */
};
/* False where there are none, or too many. What was filled is released either way by the caller. */
bool slices_read(struct slices *s, const struct record *r);
void slices_release(struct slices *s);

/*
 * Cut by length alone: at least 20 of one length (but for the last), through words, and not the
 * same again and again. No tokenizer writes so.
 */
bool slices_even(const struct slices *s);

#endif
