/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question whose answers were recorded of many models (snapshot.h), asked as it was then: which
 * of them answers so? Models drift, and one that is reached in another way answers otherwise, so
 * this accuses nobody.
 */
#include <stdlib.h>

#include "assay/probe.h"
#include "assay/snapshot.h"

#define TIMES 40
#define LEAST 30 /* numbers: below, too little is told */
#define KNOWS_ITSELF 0.5
#define NEAREST 0.95 /* of a model that was not recorded, to name another */

void snapshot_plan(struct plan *p, const struct probe *self)
{
    for (unsigned i = 0; i < TIMES; i++) {
        plan_add(
            p, self, "random", i,
            &(struct question){.text = snapshot_question, .temperature = "1", .max_tokens = 16});
    }
}

struct drawn {
    uint32_t numbers[SNAPSHOT_KINDS];
    unsigned asked, n; /* answers that came, and those that are a number */
    size_t claimed;
};

static void gather(const struct evidence *e, struct drawn *d)
{
    *d = (struct drawn){.claimed = snapshot_claimed(e->head.target.model)};
    for (unsigned i = 0; i < TIMES; i++) {
        const struct record *r = probe_find(e, "snapshot", "random", i);
        unsigned number = r != NULL ? snapshot_number(buf_str(&r->said.text)) : 0;
        d->asked += r != NULL;
        if (number > 0) {
            d->numbers[number - 1]++;
            d->n++;
        }
    }
}

struct words {
    struct buf text, missed, numbers;
};

static void add(struct verdicts *v, enum state state, const struct words *w)
{
    bool doubt = state == STATE_INCONCLUSIVE;

    verdicts_add(v, &(struct finding){.claim = CLAIM_IDENTITY,
                                      .tier = TIER_SNAPSHOT,
                                      .probe = "snapshot",
                                      .group = "snapshot",
                                      .state = state,
                                      .text = buf_str(&w->text),
                                      .missed = buf_str(&w->missed),
                                      .numbers = buf_str(&w->numbers),
                                      .benign = doubt ? STR("the model has changed since then; "
                                                            "another version, way to it, setting "
                                                            "or amount of thinking than was "
                                                            "recorded; answers that are kept and "
                                                            "given again; a near relative that "
                                                            "answers alike")
                                                      : STR("")});
}

static const char *name_of(size_t model)
{
    return model < snapshot_count ? snapshots[model].name : "none of these";
}

/* Of a model that was never recorded. */
static void say_nearest(struct verdicts *v, const struct evidence *e, const struct drawn *d,
                        const struct snapshot_match *m, struct words *w)
{
    buf_addf(&w->text, "It was never recorded here how %.*s answers. ",
             STR_ARG(e->head.target.model));
    if (m->best < snapshot_count && m->best_share >= NEAREST) {
        buf_addf(&w->text,
                 "Of %zu other models %s is the likeliest to give these %u random numbers, which "
                 "says little.",
                 snapshot_count, name_of(m->best), d->n);
    } else {
        buf_addf(&w->text, "None of %zu other models clearly gives such random numbers.",
                 snapshot_count);
    }
    add(v, STATE_NOT_TESTABLE, w);
}

/* A few hundred draws do not know more than that. */
static double percent(double share, double most)
{
    return 100 * share < most ? 100 * share : most;
}

static void say_limits(struct words *w, const struct snapshot_limits *l)
{
    buf_addf(&w->missed,
             "this run would have noticed another of these models with about %.0f %%, and one that "
             "gives a quarter of the answers with %.0f %%; numbers that are made up from published "
             "ones",
             percent(l->other, 99), percent(l->quarter, 99));
    if (l->near[0] < snapshot_count) {
        buf_addf(&w->missed, "; hardly told from it: %s", name_of(l->near[0]));
    }
    if (l->near[1] < snapshot_count) {
        buf_addf(&w->missed, ", %s", name_of(l->near[1]));
    }
    buf_addf(&w->numbers, ",\"knows_itself\":%.3f,\"catches_other\":%.3f,\"catches_quarter\":%.3f",
             l->itself, l->other, l->quarter);
}

static void put_recorded(struct buf *out, const struct snapshot *s)
{
    if (s->gateway) {
        buf_addf(out, "%s (recorded %s through a gateway)", s->name, s->day);
    } else {
        buf_addf(out, "%s (recorded %s)", s->name, s->day);
    }
}

static void say_match(struct buf *out, const struct drawn *d, const struct snapshot_match *m,
                      struct str model)
{
    switch (m->found) {
    case SNAPSHOT_SAME:
        buf_addf(out, "%u random numbers are most likely those of %.*s: %.1f %% among %zu models.",
                 d->n, STR_ARG(model), percent(m->claimed, 99.9), snapshot_count);
        break;
    case SNAPSHOT_UNCLEAR:
        buf_addf(out,
                 "%u random numbers are perhaps those of %.*s with %.1f %%, or of others (%s with "
                 "%.1f %%).",
                 d->n, STR_ARG(model), 100 * m->claimed, name_of(m->next), 100 * m->next_share);
        break;
    case SNAPSHOT_OTHER:
        buf_addf(out, "%u random numbers are far less likely those of %.*s than those of %s.", d->n,
                 STR_ARG(model), name_of(m->best));
        break;
    case SNAPSHOT_NONE:
        buf_addf(out,
                 "%u random numbers are like those of no model that was recorded, nor of %.*s.",
                 d->n, STR_ARG(model));
        break;
    }
}

static void say_claimed(struct verdicts *v, const struct drawn *d, const struct snapshot_match *m,
                        const struct snapshot_limits *l, struct words *w)
{
    bool same = m->found == SNAPSHOT_SAME, other = m->found == SNAPSHOT_OTHER;
    struct buf model;

    buf_init(&model, 256);
    put_recorded(&model, &snapshots[d->claimed]);
    if (!same && !other && l->itself < KNOWS_ITSELF) {
        buf_addf(&w->text,
                 "%.*s spreads its random numbers so widely that %u of them do not tell it from "
                 "others.",
                 STR_ARG(buf_str(&model)), d->n);
        add(v, STATE_NOT_TESTABLE, w);
    } else {
        say_match(&w->text, d, m, buf_str(&model));
        say_limits(w, l);
        add(v, same ? STATE_CONSISTENT : STATE_INCONCLUSIVE, w);
    }
    buf_release(&model);
}

static void judge(const struct evidence *e, struct verdicts *v, const struct drawn *d,
                  struct words *w, uint32_t *table)
{
    struct stat_random random;
    struct snapshot_match m;
    struct snapshot_limits l;

    if (!snapshot_match(table, d->numbers, d->claimed, &m)) {
        return;
    }
    buf_addf(&w->numbers, "\"n\":%u,\"posterior\":%.4f,\"best_posterior\":%.4f", d->n, m.claimed,
             m.best_share);
    stat_seed(&random, e->head.seed);
    if (d->claimed == snapshot_count) {
        say_nearest(v, e, d, &m, w);
    } else if (snapshot_limits(table, d->claimed, d->n, &random, &l)) {
        say_claimed(v, d, &m, &l, w);
    }
}

void snapshot_judge(const struct evidence *e, struct verdicts *v)
{
    struct drawn d;
    struct words w;
    uint32_t *table = snapshot_table();

    buf_init(&w.text, 2048);
    buf_init(&w.missed, 2048);
    buf_init(&w.numbers, 512);
    gather(e, &d);
    if (table != NULL && d.n >= LEAST) {
        judge(e, v, &d, &w, table);
    } else if (d.asked > 0) {
        buf_addf(&w.text,
                 "Of %u answers that should be a random number %u are one: too few to compare with "
                 "what was recorded.",
                 d.asked, d.n);
        add(v, STATE_NOT_TESTABLE, &w);
    }
    buf_release(&w.text);
    buf_release(&w.missed);
    buf_release(&w.numbers);
    free(table);
}
