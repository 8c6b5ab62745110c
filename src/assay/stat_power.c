/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two-sample test of stat_cells.c would catch, by doing it. Answers are drawn by the
 * shares that a model's counts tell: of c in m answers sqrt(c (c - 1) / m (m - 1)), whose square
 * is the unbiased chance that two answers are both this one. What then is left of 1 is answers that
 * were not seen, each a new one. (Plain shares make a model of few answers too sure of itself.)
 */
#include <math.h>

#include "assay/stat.h"
#include "base/arena.h"
#include "base/limits.h"

struct cell {
    double *reference, *other; /* shares, each with all before it; other NULL: not known */
    uint32_t *renamed;         /* of a model that is not known: which answer it gives instead */
    uint32_t *frequent;        /* the kinds that it renames */
    size_t frequents;
    uint32_t *x, *y;
    size_t kinds, room; /* that were seen; with those that may come new */
    size_t used;
    unsigned n, m;
};

static double *shares_of(const uint32_t *counts, size_t kinds, struct arena *arena)
{
    double *shares = arena_alloc(arena, kinds * sizeof(*shares));
    uint64_t n = 0;
    double sum = 0;

    for (size_t a = 0; a < kinds; a++) {
        n += counts[a];
    }
    if (shares == NULL || n == 0 || n > LIMIT_ASSAY_ANSWERS) {
        return NULL;
    }
    for (size_t a = 0; a < kinds; a++) {
        double c = counts[a];
        sum += c > 1 ? sqrt(c * (c - 1) / ((double)n * ((double)n - 1))) : 0;
        shares[a] = sum;
    }
    return shares;
}

static bool cell_fill(struct cell *c, const struct stat_power_cell *ask, struct arena *arena)
{
    if (ask->kinds > LIMIT_ASSAY_ANSWERS || ask->n > LIMIT_ASSAY_ANSWERS ||
        ask->m > LIMIT_ASSAY_ANSWERS || ask->n == 0 || ask->m == 0) {
        return false;
    }
    *c = (struct cell){.kinds = ask->kinds, .n = ask->n, .m = ask->m};
    c->room = ask->kinds + ask->n + ask->m;
    c->x = arena_alloc(arena, c->room * sizeof(*c->x));
    c->y = arena_alloc(arena, c->room * sizeof(*c->y));
    c->renamed = arena_alloc(arena, c->kinds * sizeof(*c->renamed));
    c->frequent = arena_alloc(arena, c->kinds * sizeof(*c->frequent));
    c->reference = shares_of(ask->reference, c->kinds, arena);
    c->other = ask->other == NULL ? NULL : shares_of(ask->other, c->kinds, arena);
    if (arena->overflow || c->reference == NULL || (ask->other != NULL && c->other == NULL)) {
        return false;
    }
    for (size_t a = 0; a < c->kinds; a++) {
        c->renamed[a] = (uint32_t)a;
        if (ask->reference[a] > 1) {
            c->frequent[c->frequents++] = (uint32_t)a;
        }
    }
    return true;
}

/* Answers that came more than once change places among themselves. */
static void rename_answers(struct cell *c, struct stat_random *r)
{
    for (size_t i = c->frequents; i > 1; i--) {
        uint32_t *mine = &c->renamed[c->frequent[i - 1]];
        uint32_t *other = &c->renamed[c->frequent[stat_below(r, (uint32_t)i)]];
        uint32_t name = *mine;
        *mine = *other;
        *other = name;
    }
}

/* The first kind whose share goes beyond a chance; a new one where none does. */
static size_t draw(struct cell *c, const double *shares, struct stat_random *r)
{
    double chance = stat_unit(r);
    size_t low = 0;
    size_t high = c->kinds;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (shares[middle] > chance) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < c->kinds ? low : c->used++;
}

static void simulate(struct cell *c, double mix, struct stat_random *r)
{
    bool known = c->other != NULL;

    memset(c->x, 0, c->room * sizeof(*c->x));
    memset(c->y, 0, c->room * sizeof(*c->y));
    c->used = c->kinds;
    if (!known) {
        rename_answers(c, r);
    }
    for (unsigned i = 0; i < c->n; i++) {
        bool other = stat_unit(r) < mix;
        size_t answer = draw(c, other && known ? c->other : c->reference, r);
        c->x[other && !known && answer < c->kinds ? c->renamed[answer] : answer]++;
    }
    for (unsigned i = 0; i < c->m; i++) {
        c->y[draw(c, c->reference, r)]++;
    }
}

static bool test(struct cell *cells, const struct stat_power_ask *ask, struct stat_random *r,
                 bool *caught)
{
    struct stat_cell drawn[LIMIT_ASSAY_CELLS];
    struct stat_two two;

    for (size_t i = 0; i < ask->count; i++) {
        simulate(&cells[i], ask->mix, r);
        drawn[i] = (struct stat_cell){cells[i].x, cells[i].y, cells[i].used};
    }
    if (!stat_two_sample(drawn, ask->count, ask->permutations, r, &two)) {
        return false;
    }
    *caught = two.p <= ask->level;
    return true;
}

bool stat_power(const struct stat_power_ask *ask, struct stat_random *r, struct stat_power *out)
{
    struct arena arena;
    struct cell cells[LIMIT_ASSAY_CELLS];
    struct stat_power result = {.runs = ask->runs};
    bool ok = false;
    bool caught;

    arena_init(&arena, LIMIT_ASSAY_MEMORY);
    if (ask->count > LIMIT_ASSAY_CELLS || ask->runs > LIMIT_ASSAY_RUNS) {
        goto out;
    }
    for (size_t i = 0; i < ask->count; i++) {
        if (!cell_fill(&cells[i], &ask->cells[i], &arena)) {
            goto out;
        }
    }
    for (unsigned i = 0; i < ask->runs; i++) {
        if (!test(cells, ask, r, &caught)) {
            goto out;
        }
        result.caught += caught;
    }
    ok = stat_clopper_pearson(result.caught, result.runs, 0.95, &result.share);
    if (ok) {
        *out = result;
    }
out:
    arena_release(&arena);
    return ok;
}
