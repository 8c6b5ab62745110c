/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bill of output, by having lines repeated whose cost as input the probe `tokens` has measured
 * at the same endpoint: what was written is known to the byte, and what it costs to the token.
 */
#include <math.h>
#include <stdio.h>

#include "assay/counted.h"
#include "assay/family.h"
#include "assay/probe.h"

#define LEAST 4         /* copies that were made rightly */
#define UNEVEN_MAX 1    /* tokens; a cost that was measured worse is none */
#define INPUT_FAIR 0.02 /* so far input may be off the measure that it is */

void output_plan(struct plan *p, const struct probe *self)
{
    struct buf text, lines;

    buf_init(&text, 16 << 10);
    buf_init(&lines, 16 << 10);
    for (enum stat_string s = 0; s < STAT_STRINGS; s++) {
        unsigned k = 1 + (unsigned)s; /* of different lengths */
        for (unsigned i = 0; i < k; i++) {
            buf_cat(&lines, i > 0 ? STR("\n") : STR(""), str_from(stat_string_text(s)));
        }
        buf_cat(&text,
                STR("Repeat the following lines exactly as they stand, each on a line of its "
                    "own, and say nothing else:\n"),
                buf_str(&lines));
        plan_add(p, self, stat_string_name(s), k,
                 &(struct question){
                     .text = buf_str(&text), .expect = buf_str(&lines), .max_tokens = 600});
        buf_clear(&text);
        buf_clear(&lines);
    }
    buf_release(&text);
    buf_release(&lines);
}

struct copied {
    unsigned asked, n;
    double expected[STAT_STRINGS], billed[STAT_STRINGS];
};

/* What a repeat of the string costs as input, where it was measured well: one call that bore more
 * than the others would make all output look dearer or cheaper. Else 0. */
static double cost_of(const struct counted_set *set, struct str name)
{
    struct stat_line line;

    for (size_t i = 0; i < set->strings; i++) {
        const struct stat_counted *c = &set->c[i];
        if (str_eq(name, str_from(stat_string_name(c->string))) &&
            stat_fit(c->k, c->y, c->n, &line, NULL) && line.worst <= UNEVEN_MAX) {
            return line.b;
        }
    }
    return 0;
}

static void gather(const struct evidence *e, const struct counted_set *set, struct copied *c)
{
    for (enum stat_string s = 0; s < STAT_STRINGS; s++) {
        const struct record *r = probe_find(e, "output", stat_string_name(s), 1 + (uint64_t)s);
        if (r == NULL) {
            continue;
        }
        const struct usage *u = &r->said.usage;
        double cost = cost_of(set, r->cell);
        c->asked++;
        if (cost > 0 && u->state != USAGE_MISSING &&
            str_eq(str_trim(buf_str(&r->said.text)), r->expect)) {
            c->expected[c->n] = cost * (double)r->k;
            c->billed[c->n++] = (double)(usage_output(u) - u->reasoning);
        }
    }
}

/*
 * By what factor input is billed: of the tokenizer's published counts, or of the reference's. NAN:
 * neither is known, or others count.
 */
static double factor_of_input(const struct evidence *e, const struct counted_set *set,
                              const struct stat_tokens *t)
{
    struct counted_set reference;
    struct counted_ratio ratio;

    if (t->state == STAT_TOKENS_FAMILY || t->state == STAT_TOKENS_MULTIPLIED) {
        if (t->family == family_claimed(e->head.target.model)) {
            return t->state == STAT_TOKENS_MULTIPLIED ? t->multiplier : 1;
        }
    }
    counted_collect(e, "tokens", true, &reference);
    bool same = counted_compare(set, &reference, &ratio) && ratio.off <= ratio.sure;
    return same ? (fabs(ratio.added) > 0 ? 1 : ratio.factor) : NAN;
}

/* Thoughts that are billed and not shown are no factor: they do not go with the length. */
static enum state state_of(const struct stat_line *line)
{
    double off = fabs(line->b - 1);
    bool straight = line->r2 > 0.999;

    if (off <= 0.03 && fabs(line->a) <= 8) {
        return STATE_CONSISTENT;
    }
    return straight && line->b > 1.05 && fabs(line->a) <= 8 ? STATE_INCONSISTENT
                                                            : STATE_INCONCLUSIVE;
}

/* known: input costs what it should, so that it is a measure of output. */
static void say(struct verdicts *v, const struct copied *c, const struct stat_line *line,
                bool known)
{
    char text[320], numbers[128];
    enum state seen = state_of(line);
    enum state state = seen == STATE_INCONSISTENT && !known ? STATE_INCONCLUSIVE : seen;
    bool good = state == STATE_CONSISTENT;
    int n = snprintf(text, sizeof(text),
                     "What it repeated to the byte (%u of %u texts) is billed as output %.3f times "
                     "what the same text is billed as input, and %.0f tokens more.",
                     c->n, c->asked, line->b, line->a);
    int m = snprintf(numbers, sizeof(numbers), "\"factor\":%.4f,\"around\":%.2f,\"r2\":%.6f",
                     line->b, line->a, line->r2);

    verdicts_add(v,
                 &(struct finding){
                     .claim = CLAIM_OUTPUT_BILLING,
                     .tier = TIER_ACCOUNTING,
                     .probe = "output",
                     .group = "output",
                     .state = state,
                     .text = str_slice(text, (size_t)n),
                     .numbers = str_slice(numbers, (size_t)m),
                     .missed = good ? STR("a factor below 1.03, or one that input has, too; long "
                                          "answers, and thoughts")
                                    : STR(""),
                     .benign = good ? STR("")
                               : seen != state
                                   ? STR("input that is billed at less than it counts, "
                                         "or is counted by the seller itself: its "
                                         "tokenizer is not known here")
                                   : STR("thoughts that are billed and not shown; a tokenizer "
                                         "that writes the same text in other pieces")});
}

/* Beside input that is billed by a factor, output seems to be by its inverse. */
static void say_nothing(struct verdicts *v, double factor)
{
    char text[160];
    int n = snprintf(text, sizeof(text),
                     "Input itself is billed %.3f times what is counted, so it is no measure of "
                     "output.",
                     factor);

    verdicts_add(v, &(struct finding){.claim = CLAIM_OUTPUT_BILLING,
                                      .probe = "output",
                                      .tier = TIER_ACCOUNTING,
                                      .group = "output",
                                      .state = STATE_INCONCLUSIVE,
                                      .text = str_slice(text, (size_t)n)});
}

void output_judge(const struct evidence *e, struct verdicts *v)
{
    struct counted_set set;
    struct copied c = {0};
    struct stat_line line;
    struct stat_tokens t;
    double factor = NAN;

    counted_collect(e, "tokens", false, &set);
    if (set.strings > 0 &&
        stat_tokens_fit(set.c, set.strings, family_claimed(e->head.target.model), &t)) {
        if (counted_how(&set, &t) == COUNTED_BY_LENGTH) {
            set.strings = 0; /* an estimate is no cost */
        }
        factor = factor_of_input(e, &set, &t);
    }
    gather(e, &set, &c);
    if (c.n >= LEAST && fabs(factor - 1) > INPUT_FAIR) {
        say_nothing(v, factor);
    } else if (c.n >= LEAST && stat_fit(c.expected, c.billed, c.n, &line, NULL)) {
        say(v, &c, &line, !isnan(factor));
    } else if (c.asked > 0) {
        char text[160];
        int n = snprintf(text, sizeof(text),
                         "Only %u of %u texts were repeated exactly and with a count: too few to "
                         "tell what output costs.",
                         c.n, c.asked);
        verdicts_add(v, &(struct finding){.claim = CLAIM_OUTPUT_BILLING,
                                          .probe = "output",
                                          .tier = TIER_ACCOUNTING,
                                          .group = "output",
                                          .state = STATE_INCONCLUSIVE,
                                          .text = str_slice(text, (size_t)n)});
    }
}
