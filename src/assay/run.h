/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying a plan out: first which dialect is spoken, then the calls, a few at a time. What was
 * gathered when it ends, for whatever reason, is evidence.
 */
#ifndef ASSAY_RUN_H
#define ASSAY_RUN_H

#include "assay/evidence.h"
#include "assay/plan.h"

struct run_side {
    struct str url, key;
    struct speaker speaker;
    bool found; /* the dialect is given, or was found */
};

struct run_price {
    bool known;
    struct price price;
};
/* The list price of a model, of whichever vendor made it. */
void run_price_find(struct run_price *p, struct str model, int64_t wall_us);
/* Of so many tokens, rounded up; false when it is not known. */
bool run_price_cost(const struct run_price *p, uint64_t input, uint64_t output, int64_t *nano);

struct run_progress {
    unsigned done, planned;
    uint64_t tokens;
    int64_t nano; /* what it cost so far, where the price is known */
};

struct run {
    struct plan *plan;
    struct run_side sides[2]; /* the reference's url empty: there is none */
    struct run_price price;
    unsigned threads;
    uint64_t max_calls; /* requests that are sent; 0: no limit */
    int64_t max_nano;   /* -1: no limit */
    const atomic_int *stop;
    void (*progress)(void *ctx, const struct run_progress *p); /* one at a time */
    void *ctx;
    int file;             /* where lines go as they come, too; -1: nowhere */
    struct buf *evidence; /* all lines */
};

/* What a run may come to: the plan, and the calls that find the dialects. */
void run_measure(const struct run *r, struct plan_size *out);

enum run_end { RUN_DONE, RUN_UNREACHABLE };
/* head is written with what was found. Why says what kept it from asking at all; of a run that is
 * done, what kept its last lines out of the file, or nothing. */
enum run_end run_execute(struct run *r, const struct evidence_head *head, struct err *why);

#endif
