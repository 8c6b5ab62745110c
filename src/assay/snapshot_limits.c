/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run could tell by snapshots: answers are drawn out of the snapshots, each from its row
 * without putting it back, so that no model is tested by what it is known by.
 */
#include <stdlib.h>

#include "assay/snapshot.h"

#define RUNS 12 /* of each other model */
#define RUNS_ITSELF 100
#define NEAR 3 /* runs in which another may be the claimed, to be named */

struct draw {
    uint32_t *table;
    size_t claimed;
    unsigned n;
    struct stat_random *random;
};

/* One answer out of a row. */
static void draw_one(const struct draw *d, size_t model, uint32_t *answers)
{
    uint32_t *row = &d->table[model * SNAPSHOT_KINDS];
    uint32_t total = 0;

    for (size_t a = 0; a < SNAPSHOT_KINDS; a++) {
        total += row[a];
    }
    if (total == 0) {
        return;
    }
    uint32_t at = stat_below(d->random, total);
    size_t a = 0;
    while (at >= row[a]) {
        at -= row[a++];
    }
    row[a]--;
    answers[a]++;
}

/* What is found when another gives that share of the answers. */
static enum snapshot_found found(const struct draw *d, size_t other, double share)
{
    uint32_t answers[SNAPSHOT_KINDS] = {0};
    struct snapshot_match m;

    for (unsigned i = 0; i < d->n; i++) {
        draw_one(d, stat_unit(d->random) < share ? other : d->claimed, answers);
    }
    if (!snapshot_match(d->table, answers, d->claimed, &m)) {
        m.found = SNAPSHOT_UNCLEAR;
    }
    snapshot_numbers(other, &d->table[other * SNAPSHOT_KINDS]);
    snapshot_numbers(d->claimed, &d->table[d->claimed * SNAPSHOT_KINDS]);
    return m.found;
}

/* Keeps the two that may be it most often. */
static void keep_near(struct snapshot_limits *out, unsigned times[2], size_t model, unsigned alike)
{
    if (alike >= NEAR && alike > times[0]) {
        out->near[1] = out->near[0];
        times[1] = times[0];
        out->near[0] = model;
        times[0] = alike;
    } else if (alike >= NEAR && alike > times[1]) {
        out->near[1] = model;
        times[1] = alike;
    }
}

bool snapshot_limits(uint32_t *table, size_t claimed, unsigned n, struct stat_random *r,
                     struct snapshot_limits *out)
{
    struct draw d = {table, claimed, n, r};
    unsigned itself = 0, other = 0, quarter = 0, runs = 0, times[2] = {0, 0};

    *out = (struct snapshot_limits){.near = {snapshot_count, snapshot_count}};
    if (claimed >= snapshot_count || snapshot_count < 2) {
        return false;
    }
    for (unsigned i = 0; i < RUNS_ITSELF; i++) {
        itself += found(&d, claimed, 0) == SNAPSHOT_SAME;
    }
    for (size_t f = 0; f < snapshot_count; f++) {
        unsigned alike = 0;
        for (unsigned i = 0; i < RUNS && f != claimed; i++, runs++) {
            enum snapshot_found whole = found(&d, f, 1);
            alike += whole == SNAPSHOT_SAME || whole == SNAPSHOT_UNCLEAR;
            other += whole != SNAPSHOT_SAME;
            quarter += found(&d, f, 0.25) != SNAPSHOT_SAME;
        }
        keep_near(out, times, f, alike);
    }
    out->itself = (double)itself / RUNS_ITSELF;
    out->other = (double)other / runs;
    out->quarter = (double)quarter / runs;
    return true;
}
