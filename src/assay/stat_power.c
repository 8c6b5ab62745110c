/* SPDX-License-Identifier: Apache-2.0 */
/* What the two-sample test of stat_cells.c would catch, by doing it. */
#include "assay/stat.h"
#include "base/arena.h"
#include "base/limits.h"

/* The answers that one model gives in one cell, one by one: a draw takes any. */
struct deck {
    uint32_t *answers;
    size_t n;
    const uint32_t *counts;
};

struct cell {
    struct deck reference, other;
    uint32_t *renamed;  /* of a model that is not known: which answer it gives instead */
    uint32_t *frequent; /* kinds that the reference gave more than once */
    size_t frequents;
    uint32_t *x, *y;
    size_t kinds, room; /* that are known; with those that may come new */
    size_t used;
    unsigned n, m;
};

static bool deck_fill(struct deck *d, const uint32_t *counts, size_t kinds, struct arena *arena)
{
    size_t n = 0;

    for (size_t a = 0; a < kinds; a++) {
        n += counts[a];
    }
    if (n == 0 || n > LIMIT_ASSAY_ANSWERS) {
        return false;
    }
    *d = (struct deck){.counts = counts, .answers = arena_alloc(arena, n * sizeof(*d->answers))};
    if (d->answers == NULL) {
        return false;
    }
    for (size_t a = 0; a < kinds; a++) {
        for (uint32_t i = 0; i < counts[a]; i++) {
            d->answers[d->n++] = (uint32_t)a;
        }
    }
    return true;
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
    if (arena->overflow) {
        return false;
    }
    for (size_t a = 0; a < c->kinds; a++) {
        c->renamed[a] = (uint32_t)a;
        if (ask->reference[a] > 1) {
            c->frequent[c->frequents++] = (uint32_t)a;
        }
    }
    return deck_fill(&c->reference, ask->reference, c->kinds, arena) &&
           (ask->other == NULL || deck_fill(&c->other, ask->other, c->kinds, arena));
}

/* Answers that the reference gave more than once change places among themselves. */
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

static size_t draw(struct cell *c, const struct deck *d, const uint32_t *renamed,
                   struct stat_random *r)
{
    uint32_t answer = d->answers[stat_below(r, (uint32_t)d->n)];

    if (d->counts[answer] < 2) {
        return c->used++;
    }
    return renamed == NULL ? answer : renamed[answer];
}

static void simulate(struct cell *c, double mix, struct stat_random *r)
{
    bool known = c->other.n > 0;

    memset(c->x, 0, c->room * sizeof(*c->x));
    memset(c->y, 0, c->room * sizeof(*c->y));
    c->used = c->kinds;
    if (!known) {
        rename_answers(c, r);
    }
    for (unsigned i = 0; i < c->n; i++) {
        bool other = stat_unit(r) < mix;
        const struct deck *d = other && known ? &c->other : &c->reference;
        c->x[draw(c, d, other && !known ? c->renamed : NULL, r)]++;
    }
    for (unsigned i = 0; i < c->m; i++) {
        c->y[draw(c, &c->reference, NULL, r)]++;
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
