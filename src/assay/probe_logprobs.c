/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a reference finds the same words as likely, where both tell: the first place of answers
 * to a few questions, as log probabilities of the likeliest tokens. How far they may be apart is
 * measured between calls of the reference that came behind other calls: repeats of one call are
 * equal to the bit on many servers. It accuses nobody: of one and the same model a 4-bit
 * quantisation was 0.4 to 2.1 apart and a prompt of 300 tokens 0.4 to 1.0, so that no distance
 * means another model.
 */
#include <stdlib.h>

#include "assay/answers.h"
#include "assay/likely.h"
#include "assay/probe.h"

#define FEWER 5 /* tokens, where as many as any vendor gives are refused */
#define LEAST_CELLS 4
#define FLOOR_MOST 0.4 /* beyond, a reference is too uneven to vouch by */

static const struct cell {
    const char *name;
    struct str question;
} cells[] = {
    {"coin", STR_INIT("Flip a coin.")},
    {"ten", STR_INIT("Choose a random number from 1 to 10.")},
    {"hundred", STR_INIT("Choose a random number from 1 to 100.")},
    {"letter", STR_INIT("Choose a random letter.")},
    {"colour", STR_INIT("Name a random colour.")},
    {"animal", STR_INIT("Name a random animal.")},
    {"city", STR_INIT("Name a random city.")},
    {"word", STR_INIT("Say a random word.")},
};
#define CELLS (sizeof(cells) / sizeof(cells[0]))

void logprobs_plan(struct plan *p, const struct probe *self)
{
    unsigned times = p->profile == PROFILE_DEEP ? 3 : 2;

    /* Whatever stands between them in the plan's order is another neighbour each time. */
    for (size_t i = 0; i < CELLS && p->reference; i++) {
        for (unsigned k = 0; k < times; k++) {
            plan_add(p, self, cells[i].name, 2 * k,
                     &(struct question){.system = answers_one_word,
                                        .text = cells[i].question,
                                        .temperature = "0",
                                        .logprobs = LIKELY_TOKENS,
                                        .repeat = 1,
                                        .max_tokens = 16});
        }
    }
}

bool logprobs_follow(struct follow *f)
{
    bool refused = f->said == NULL;

    f->q.logprobs = FEWER;
    return refused;
}

struct gathered {
    struct likely cells[CELLS];
    struct arena arena;
    unsigned calls[2], refused[2], given[2];
};

static void take(struct gathered *g, struct likely *l, const struct record *r)
{
    g->calls[r->reference]++;
    g->refused[r->reference] += r->status >= 400 && r->status < 500 && r->status != 429;
    g->given[r->reference] += r->answered && likely_add(l, &g->arena, r);
}

static void gather(const struct evidence *e, struct gathered *g)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        for (size_t j = 0; j < CELLS && str_eq(r->probe, STR("logprobs")); j++) {
            if (str_eq(r->cell, str_from(cells[j].name))) {
                take(g, &g->cells[j], r);
            }
        }
    }
}

static void say_missing(struct verdicts *v, const struct gathered *g)
{
    struct buf text;

    buf_init(&text, 512);
    buf_addf(&text,
             "The reference gives log probabilities (%u of %u calls); of %u calls here %u were "
             "refused, and the others answered without them.",
             g->given[1], g->calls[1], g->calls[0], g->refused[0]);
    verdicts_add(v, &(struct finding){.claim = CLAIM_FEATURES,
                                      .state = STATE_INCONCLUSIVE,
                                      .tier = TIER_SHAPE,
                                      .probe = "logprobs",
                                      .group = "logprobs",
                                      .text = buf_str(&text),
                                      .benign = STR("a gateway between dialects has no place for "
                                                    "them; a host that does not offer them")});
    buf_release(&text);
}

static void say_nothing(struct verdicts *v)
{
    verdicts_add(v, &(struct finding){.claim = CLAIM_IDENTITY,
                                      .state = STATE_NOT_TESTABLE,
                                      .tier = TIER_LIVE,
                                      .probe = "logprobs",
                                      .group = "logprobs",
                                      .text = STR("Log probabilities are not given by both, or too "
                                                  "few of them to compare.")});
}

static void say_distance(struct verdicts *v, const struct gathered *g, size_t compared,
                         const struct stat_logprobs *l)
{
    bool near = l->far == 0 && !l->differs, even = l->floor <= FLOOR_MOST;
    struct buf text, numbers;

    buf_init(&text, 1024);
    buf_init(&numbers, 256);
    buf_addf(&text,
             "Log probabilities of the first word of answers to %zu questions (%u here, %u at the "
             "reference): half of the questions are at most %.3f apart, the reference from itself "
             "up to %.3f; %zu of %zu answers are beyond that noise.",
             compared, g->given[0], g->given[1], l->distance, l->floor, l->far, l->rows);
    buf_addf(&numbers, "\"distance\":%.4f,\"floor\":%.4f,\"rows\":%zu,\"far\":%zu", l->distance,
             l->floor, l->rows, l->far);
    bool same = near && even;
    struct str benign = near ? STR("the reference is too uneven to compare with")
                             : STR("another quantisation, a prompt that one of both sets before, "
                                   "another version of the server, or of the model under one name");
    verdicts_add(v, &(struct finding){.claim = CLAIM_IDENTITY,
                                      .state = same ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
                                      .unusual = !near,
                                      .tier = TIER_LIVE,
                                      .probe = "logprobs",
                                      .group = "logprobs",
                                      .text = buf_str(&text),
                                      .numbers = buf_str(&numbers),
                                      .missed = same ? STR("8-bit quantisation, which is as small "
                                                           "as the noise; temperature and other "
                                                           "settings of sampling; requests of "
                                                           "other kinds")
                                                     : STR(""),
                                      .benign = same ? STR("") : benign});
    buf_release(&text);
    buf_release(&numbers);
}

void logprobs_judge(const struct evidence *e, struct verdicts *v)
{
    struct stat_rows compared[CELLS];
    struct stat_logprobs l;
    struct gathered *g = calloc(1, sizeof(*g));
    size_t n = 0;

    if (g == NULL) {
        return;
    }
    arena_init(&g->arena, 1 << 20);
    gather(e, g);
    for (size_t i = 0; i < CELLS; i++) {
        n += likely_rows(&g->cells[i], &compared[n]);
    }
    if (g->calls[0] > 0 && g->given[0] == 0 && g->given[1] > 0) {
        say_missing(v, g);
    } else if (n >= LEAST_CELLS && stat_logprobs(compared, n, &l)) {
        say_distance(v, g, n, &l);
    } else if (g->calls[0] > 0) {
        say_nothing(v);
    }
    arena_release(&g->arena);
    free(g);
}
