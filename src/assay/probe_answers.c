/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two endpoints answer alike: questions with a few possible answers, asked many times of
 * both in turn, and the answers' frequencies compared by permutation. A few cells of few answers
 * see more than many of many.
 */
#include <stdlib.h>
#include <string.h>

#include "assay/answers.h"
#include "assay/probe.h"

#define PERMUTATIONS 9999
#define POWER_RUNS 200
#define POWER_LEVEL (P_ACCUSES / 2) /* Holm, over the set of tools as well */
#define POWER_PERMUTATIONS 1999
#define ANSWER_BYTES 48
#define BLIND_BELOW 80 /* % of swaps that the run would have caught */
#define LEAST 6        /* answers of a cell and side: below, nothing can be seen */

static const struct cell {
    const char *name;
    struct str question;
} cells[ANSWERS_CELLS] = {
    {"coin", STR_INIT("Flip a coin.")},
    {"ten", STR_INIT("Choose a random number from 1 to 10.")},
    {"colour", STR_INIT("Name a random colour.")},
    {"city", STR_INIT("Name a random city.")},
};

static const struct str system_line =
    STR_INIT("Answer with a single word or a single number only. Output nothing else: no "
             "explanation, no punctuation, no quotation marks.");

void answers_plan(struct plan *p, const struct probe *self)
{
    unsigned each = p->profile == PROFILE_DEEP ? 100 : 25;

    for (size_t i = 0; i < ANSWERS_CELLS && p->reference; i++) {
        for (unsigned k = 0; k < each; k++) {
            plan_add(p, self, cells[i].name, k,
                     &(struct question){
                         .system = system_line, .text = cells[i].question, .max_tokens = 16});
        }
    }
}

static bool in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c & 0x80) != 0;
}

/* Without what stands before it; all of a text that has none. */
static struct str first_word(struct str s)
{
    size_t from = 0, to;

    while (from < s.n && !in_word(s.p[from])) {
        from++;
    }
    for (to = from; to < s.n && in_word(s.p[to]);) {
        to++;
    }
    return to > from ? str_slice(s.p + from, to - from) : s;
}

static void take(struct answers_cell *k, const struct record *r)
{
    struct str said = str_trim(buf_str(&r->said.text));
    size_t i = 0;

    said = k->words ? first_word(said) : said;
    said.n = said.n < ANSWER_BYTES ? said.n : ANSWER_BYTES;
    if (said.n == 0) {
        k->silent[r->reference]++;
        return;
    }
    while (i < k->n && !str_eq(k->text[i], said)) {
        i++;
    }
    if (i == k->n) {
        k->text[k->n++] = said;
    }
    k->count[r->reference][i]++;
    k->answers[r->reference]++;
}

static void take_all(const struct evidence *e, struct answers_cell *k)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->answered && str_eq(r->probe, STR("answers")) && str_eq(r->cell, str_from(k->name))) {
            take(k, r);
        }
    }
}

/*
 * A model that answers in sentences hardly ever says the same twice, and nothing can be counted:
 * then its first words are. Both sides' answers together decide that, so that it favours neither.
 */
static void gather_cell(const struct evidence *e, const char *name, struct answers_cell *k)
{
    *k = (struct answers_cell){.name = name};
    take_all(e, k);
    if (k->n * 2 > k->answers[0] + k->answers[1]) {
        *k = (struct answers_cell){.name = name, .words = true};
        take_all(e, k);
    }
    k->tested = k->answers[0] >= LEAST && k->answers[1] >= LEAST;
}

void answers_gather(const struct evidence *e, struct answers *out)
{
    for (size_t i = 0; i < ANSWERS_CELLS; i++) {
        gather_cell(e, cells[i].name, &out->cells[i]);
    }
}

struct comparison {
    struct answers all;
    struct stat_cell tested[ANSWERS_CELLS];
    struct stat_power_cell powers[ANSWERS_CELLS];
    size_t count; /* cells with enough answers on both sides */
    unsigned n, m, silent, words;
};

static void gather(const struct evidence *e, struct comparison *c)
{
    answers_gather(e, &c->all);
    for (size_t j = 0; j < ANSWERS_CELLS; j++) {
        const struct answers_cell *k = &c->all.cells[j];
        c->silent += k->silent[0] + k->silent[1];
        if (!k->tested) {
            continue;
        }
        c->tested[c->count] = (struct stat_cell){k->count[0], k->count[1], k->n};
        c->powers[c->count++] = (struct stat_power_cell){
            .reference = k->count[1], .kinds = k->n, .n = k->answers[0], .m = k->answers[1]};
        c->n += k->answers[0];
        c->m += k->answers[1];
        c->words += k->words;
    }
}

static double caught(const struct comparison *c, struct stat_random *r, double mix)
{
    struct stat_power power;
    struct stat_power_ask ask = {.cells = c->powers,
                                 .count = c->count,
                                 .mix = mix,
                                 .level = POWER_LEVEL,
                                 .runs = POWER_RUNS,
                                 .permutations = POWER_PERMUTATIONS};

    return stat_power(&ask, r, &power) ? 100.0 * power.caught / power.runs : 0;
}

static void compare(const struct evidence *e, struct verdicts *v, const struct comparison *c)
{
    struct stat_random random;
    struct stat_two two;
    struct buf text, missed, numbers;

    stat_seed(&random, e->head.seed);
    if (!stat_two_sample(c->tested, c->count, PERMUTATIONS, &random, &two)) {
        return;
    }
    double swap = caught(c, &random, 1), quarter = caught(c, &random, 0.25);
    buf_init(&text, 1024);
    buf_init(&missed, 1024);
    buf_init(&numbers, 512);
    buf_addf(&text,
             "Short answers to %zu questions (%u here, %u at the reference): differences as large "
             "as these come by chance with a probability of %.4f.",
             c->count, c->n, c->m, two.p);
    if (c->words > 0) {
        buf_addf(&text,
                 " Of the answers to %u of them only the first word is compared, as whole ones "
                 "hardly ever come twice.",
                 c->words);
    }
    buf_addf(&missed,
             "this run would have caught another model with about %.0f %%, and one that serves a "
             "quarter of the requests with %.0f %%; another quantisation mostly not",
             swap, quarter);
    buf_addf(&numbers,
             "\"n\":%u,\"m\":%u,\"z\":%.4f,\"catches_swap\":%.3f,\"catches_quarter\":%.3f", c->n,
             c->m, two.z, swap / 100, quarter / 100);
    verdicts_add(v, &(struct finding){.claim = CLAIM_IDENTITY,
                                      .tier = TIER_LIVE,
                                      .probe = "answers",
                                      .group = "answers",
                                      .has_p = true,
                                      .p = two.p,
                                      .blind = swap < BLIND_BELOW,
                                      .text = buf_str(&text),
                                      .missed = buf_str(&missed),
                                      .numbers = buf_str(&numbers),
                                      .benign = STR("other default settings, such as temperature; "
                                                    "a prompt that one of both sets before; the "
                                                    "vendor serves several versions under one "
                                                    "name")});
    buf_release(&text);
    buf_release(&missed);
    buf_release(&numbers);
}

void answers_judge(const struct evidence *e, struct verdicts *v)
{
    struct comparison *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return;
    }
    gather(e, c);
    if (c->count > 0) {
        compare(e, v, c);
    } else if (c->silent > 2 * LEAST) {
        verdicts_add(v, &(struct finding){.claim = CLAIM_IDENTITY,
                                          .state = STATE_NOT_TESTABLE,
                                          .tier = TIER_LIVE,
                                          .probe = "answers",
                                          .group = "answers",
                                          .text = STR("It thinks before it answers, so that short "
                                                      "answers stay empty and cannot be "
                                                      "compared.")});
    }
    free(c);
}
