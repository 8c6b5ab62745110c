/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short answers by question, as they are tested and as they are drawn: whoever counts what is drawn
 * has what was tested. Pure.
 */
#ifndef ASSAY_ANSWERS_H
#define ASSAY_ANSWERS_H

#include "assay/evidence.h"
#include "base/limits.h"

#define ANSWERS_CELLS 4

/* Answers to one question by kind, in the order of their bytes, so that the order in which they
 * came decides nothing; [1]: of the reference. */
struct answers_cell {
    const char *name;
    struct str text[LIMIT_ASSAY_CALLS]; /* its beginning */
    uint32_t count[2][LIMIT_ASSAY_CALLS];
    size_t n;
    unsigned answers[2], silent[2];
    bool words;  /* only the first word of each is compared */
    bool tested; /* there are enough on both sides */
};
struct answers {
    struct answers_cell cells[ANSWERS_CELLS];
};
/* What is set before a question that wants one word for an answer. */
extern const struct str answers_one_word;
void answers_gather(const struct evidence *e, struct answers *out);

#endif
