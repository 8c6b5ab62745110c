/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two endpoints answer alike: questions with a few possible answers, asked many times of
 * both in turn, and the answers' frequencies compared by permutation. A few cells of few answers
 * see more than many of many.
 */
#include <stdlib.h>
#include <string.h>

#include "assay/answers.h"
#include "assay/common.h"
#include "assay/probe.h"
#include "assay/starts.h"
#include "base/hash.h"

#define PERMUTATIONS 9999
#define POWER_RUNS 200
#define POWER_LEVEL (P_ACCUSES / 2) /* Holm, over the set of tools as well */
#define POWER_PERMUTATIONS 1999
#define POWER_ANSWERS 100 /* of a cell and side, as a deep run has them: more take too long */
#define ANSWER_BYTES 48
#define BLIND_BELOW 80 /* % of swaps that the run would have caught */
#define COUNTED_MAX (LIMIT_ASSAY_CALLS * (ANSWER_BYTES + 40))
#define LEAST 6 /* answers of a cell and side: below, nothing can be seen */

static const struct cell {
    const char *name;
    struct str question;
} cells[ANSWERS_CELLS] = {
    {"coin", STR_INIT("Flip a coin.")},
    {"ten", STR_INIT("Choose a random number from 1 to 10.")},
    {"colour", STR_INIT("Name a random colour.")},
    {"city", STR_INIT("Name a random city.")},
};

const struct str answers_one_word =
    STR_INIT("Answer with a single word or a single number only. Output nothing else: no "
             "explanation, no punctuation, no quotation marks.");

void answers_plan(struct plan *p, const struct probe *self)
{
    unsigned each = p->profile == PROFILE_DEEP ? 100 : 25;

    for (size_t i = 0; i < ANSWERS_CELLS && p->reference; i++) {
        for (unsigned k = 0; k < each; k++) {
            plan_add(p, self, cells[i].name, k,
                     &(struct question){.system = answers_one_word,
                                        .text = cells[i].question,
                                        .temperature = "1",
                                        .or_own_temperature = true, /* hosts differ in their own */
                                        .max_tokens = 16});
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

static int by_bytes(struct str a, struct str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* Its place among those that were seen, which it gets where it is new. */
static size_t place_of(struct answers_cell *k, struct str said)
{
    size_t low = 0, high = k->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_bytes(k->text[middle], said) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == k->n || !str_eq(k->text[low], said)) {
        size_t behind = k->n - low;
        memmove(&k->text[low + 1], &k->text[low], behind * sizeof(k->text[0]));
        k->text[low] = said;
        for (size_t side = 0; side < 2; side++) {
            uint32_t *count = k->count[side];
            memmove(&count[low + 1], &count[low], behind * sizeof(count[0]));
            count[low] = 0;
        }
        k->n++;
    }
    return low;
}

static void take(struct answers_cell *k, const struct record *r, const struct common common[2])
{
    /* A note around each answer is no other model. */
    struct str said = common_strip(&common[r->reference], buf_str(&r->said.text));

    said = k->words ? first_word(said) : said;
    said.n = said.n < ANSWER_BYTES ? said.n : ANSWER_BYTES;
    if (said.n == 0) {
        k->silent[r->reference]++;
        return;
    }
    k->count[r->reference][place_of(k, said)]++;
    k->answers[r->reference]++;
}

static void take_all(const struct evidence *e, struct answers_cell *k,
                     const struct common common[2])
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->answered && str_eq(r->probe, STR("answers")) && str_eq(r->cell, str_from(k->name))) {
            take(k, r, common);
        }
    }
}

/*
 * A model that answers in sentences hardly ever says the same twice, and nothing can be counted:
 * then its first words are. Both sides' answers together decide that, so that it favours neither.
 */
static void gather_cell(const struct evidence *e, const char *name, struct answers_cell *k,
                        const struct common common[2])
{
    *k = (struct answers_cell){.name = name};
    take_all(e, k, common);
    if (k->n * 2 > k->answers[0] + k->answers[1]) {
        *k = (struct answers_cell){.name = name, .words = true};
        take_all(e, k, common);
    }
    k->tested = k->answers[0] >= LEAST && k->answers[1] >= LEAST;
}

void answers_gather(const struct evidence *e, struct answers *out)
{
    struct common common[2];

    common_find(e, false, &common[0]);
    common_find(e, true, &common[1]);
    for (size_t i = 0; i < ANSWERS_CELLS; i++) {
        gather_cell(e, cells[i].name, &out->cells[i], common);
    }
}

struct comparison {
    struct answers all;
    struct stat_cell tested[ANSWERS_CELLS];
    struct stat_power_cell powers[ANSWERS_CELLS];
    size_t count; /* cells with enough answers on both sides */
    unsigned n, m, silent, words;
    struct starts starts;
};

static void gather(const struct evidence *e, struct comparison *c)
{
    starts_compare(e, &c->starts);
    answers_gather(e, &c->all);
    for (size_t j = 0; j < ANSWERS_CELLS; j++) {
        const struct answers_cell *k = &c->all.cells[j];
        c->silent += k->silent[0] + k->silent[1];
        if (!k->tested) {
            continue;
        }
        c->tested[c->count] = (struct stat_cell){k->count[0], k->count[1], k->n};
        c->powers[c->count++] = (struct stat_power_cell){
            .reference = k->count[1],
            .kinds = k->n,
            .n = k->answers[0] < POWER_ANSWERS ? k->answers[0] : POWER_ANSWERS,
            .m = k->answers[1] < POWER_ANSWERS ? k->answers[1] : POWER_ANSWERS};
        c->n += k->answers[0];
        c->m += k->answers[1];
        c->words += k->words;
    }
}

/* Out of the answers themselves: nobody can try seeds until one suits. */
static void seed_by(const struct comparison *c, struct stat_random *r)
{
    char hex[HASH_HEX + 1];
    struct buf counted;
    uint64_t seed = 0;

    buf_init(&counted, COUNTED_MAX);
    for (size_t j = 0; j < ANSWERS_CELLS; j++) {
        const struct answers_cell *k = &c->all.cells[j];
        for (size_t i = 0; k->tested && i < k->n; i++) {
            buf_addf(&counted, "%zu %u %u %.*s\n", j, k->count[0][i], k->count[1][i],
                     STR_ARG(k->text[i]));
        }
    }
    hash_hex(hex, buf_str(&counted));
    for (size_t i = 0; i < 16; i++) {
        unsigned digit = hex[i] <= '9' ? (unsigned)(hex[i] - '0') : (unsigned)(hex[i] - 'a') + 10;
        seed = seed << 4 | digit;
    }
    buf_release(&counted);
    stat_seed(r, seed);
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

static void say_difference(const struct comparison *c, double p, struct buf *text)
{
    buf_addf(text,
             "Short answers to %zu questions (%u here, %u at the reference): differences as large "
             "as these come by chance with a probability of %.4f.",
             c->count, c->n, c->m, p);
    if (c->words > 0) {
        buf_addf(text,
                 " Of the answers to %u of them only the first word is compared, as whole ones "
                 "hardly ever come twice.",
                 c->words);
    }
    starts_say(&c->starts, p, text);
}

static void compare(struct verdicts *v, const struct comparison *c)
{
    struct stat_random random;
    struct stat_two two;
    struct buf text, missed, numbers;

    seed_by(c, &random);
    if (!stat_two_sample(c->tested, c->count, PERMUTATIONS, &random, &two)) {
        return;
    }
    double swap = caught(c, &random, 1), quarter = caught(c, &random, 0.25);
    buf_init(&text, 1024);
    buf_init(&missed, 1024);
    buf_init(&numbers, 512);
    say_difference(c, two.p, &text);
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
                                      .excused = c->starts.alike,
                                      .blind = swap < BLIND_BELOW,
                                      .text = buf_str(&text),
                                      .missed = buf_str(&missed),
                                      .numbers = buf_str(&numbers),
                                      .benign = STR("other default settings, such as top_p; "
                                                    "a prompt that one of both sets before; the "
                                                    "vendor serves several versions under one "
                                                    "name; a cache that the seller announces")});
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
        compare(v, c);
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
