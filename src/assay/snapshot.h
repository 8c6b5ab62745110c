/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How models answered one question when they were recorded (snapshots.def), and which of them
 * answers as an endpoint does. Pure. Models change, and so do the ways to them: this accuses
 * nobody.
 */
#ifndef ASSAY_SNAPSHOT_H
#define ASSAY_SNAPSHOT_H

#include "assay/stat.h"

#define SNAPSHOT_KINDS 355 /* numbers from 1 on */

struct snapshot {
    const char *name, *model, *day;
    bool gateway; /* it was reached through one, and not at its vendor */
    unsigned answers;
    const char *numbers; /* as in snapshots.def */
};
extern const struct snapshot snapshots[];
extern const size_t snapshot_count;

/* The question that all were asked, at temperature 1. */
extern const struct str snapshot_question;
/* Which of them a model's name means: with or without a vendor before it and a date behind it.
 * snapshot_count: none. */
size_t snapshot_claimed(struct str model);
/* How often each number was given: place 0 is of 1. */
void snapshot_numbers(size_t i, uint32_t counts[SNAPSHOT_KINDS]);
/* What an answer says when it is a number alone; 0: it is not. */
unsigned snapshot_number(struct str said);

/* The table of all of them, snapshot_count rows of SNAPSHOT_KINDS. NULL without memory; free(). */
uint32_t *snapshot_table(void);

enum snapshot_found {
    SNAPSHOT_SAME,    /* the claimed one answers so */
    SNAPSHOT_UNCLEAR, /* it may, and others may */
    SNAPSHOT_OTHER,   /* one or more of the others, far more likely */
    SNAPSHOT_NONE,    /* none of them does */
};
struct snapshot_match {
    enum snapshot_found found;
    size_t best; /* the likeliest of all; snapshot_count: none of these */
    size_t next; /* the likeliest but for the claimed; it may be none of these */
    double claimed, best_share, next_share; /* posteriors */
};
/* claimed may be snapshot_count. */
bool snapshot_match(const uint32_t *table, const uint32_t *answers, size_t claimed,
                    struct snapshot_match *out) MUST_CHECK;

/* What n answers can tell, by draws from the snapshots themselves that no row then holds. */
struct snapshot_limits {
    double itself;         /* how often the claimed is found to be itself */
    double other, quarter; /* how often another, or one that gives a quarter, is not */
    size_t near[2];        /* those that are taken for it most often; snapshot_count: none */
};
bool snapshot_limits(uint32_t *table, size_t claimed, unsigned n, struct stat_random *r,
                     struct snapshot_limits *out) MUST_CHECK;

#endif
