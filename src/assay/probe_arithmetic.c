/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of the counts in any answer, whichever model gave it. It asks nothing itself.
 */
#include <stdio.h>

#include "assay/probe.h"

#define COUNT_MAX 100000000 /* tokens of one answer */

struct sums {
    unsigned answers, silent; /* with usage, without */
    unsigned sound;           /* neither */
    unsigned impossible;      /* no input, or more tokens than any model takes */
    unsigned wrong;           /* a total that is not the sum, or parts larger than their whole */
    unsigned long_out;        /* more output billed than was let, or than there is text */
    double bytes, tokens;     /* of visible output */
};

/* Bytes of what can be seen: no token is shorter than one. */
static uint64_t visible(const struct record *r)
{
    uint64_t calls = r->said.call_count > 0 ? 200 : 0;

    return r->said.text.n + calls;
}

static void add_up(const struct record *r, struct sums *s)
{
    const struct usage *u = &r->said.usage;

    if (u->state == USAGE_MISSING) {
        s->silent++;
        return;
    }
    s->answers++;
    bool possible = usage_input(u) > 0 && usage_input(u) < COUNT_MAX && usage_output(u) < COUNT_MAX;
    bool sums = r->said.total == 0 || r->said.total == usage_input(u) + usage_output(u);
    bool wrong = u->state == USAGE_INCONSISTENT || !sums;
    s->wrong += wrong;
    s->impossible += !possible;
    if (wrong || !possible) {
        return;
    }
    s->sound++;
    uint64_t spoken = usage_output(u) - u->reasoning;
    s->long_out += spoken > visible(r) + 16;
    if (r->said.text.n > 0 && u->reasoning == 0) {
        s->bytes += (double)visible(r);
        s->tokens += (double)spoken;
    }
}

static void say_impossible(struct verdicts *v, const struct sums *s)
{
    char text[256];
    int n = snprintf(text, sizeof(text),
                     "In %u of %u answers counts are billed that cannot be: no input, or more "
                     "tokens than any model takes.",
                     s->impossible, s->answers);

    verdicts_add(v, &(struct finding){.claim = CLAIM_INPUT_BILLING,
                                      .state = STATE_INCONCLUSIVE,
                                      .tier = TIER_SHAPE,
                                      .probe = "arithmetic",
                                      .group = "usage",
                                      .text = str_slice(text, (size_t)n),
                                      .benign = STR("a server that does not count, and says so "
                                                    "by noughts")});
}

static void say_input(struct verdicts *v, const struct sums *s)
{
    char text[256];
    int n = snprintf(text, sizeof(text),
                     "The counts of %u of %u answers add up: totals are the sum of their parts.",
                     s->answers - s->wrong, s->answers);
    /* That sums are right says nothing of what is summed, so it vouches for nothing. */
    verdicts_add(
        v, &(struct finding){
               .claim = CLAIM_INPUT_BILLING,
               .state = STATE_INCONCLUSIVE,
               .tier = TIER_SHAPE,
               .probe = "arithmetic",
               .group = "usage",
               .text = str_slice(text, (size_t)n),
               .missed = s->wrong > 0 ? STR("") : STR("counts that are too high: they add up, too"),
               .benign = s->wrong > 0 ? STR("vendors differ in whether reasoning is part "
                                            "of the output that they add up")
                                      : STR("")});
}

/* A bound that lets a bill be several times too high vouches for nothing, either. */
static void say_output(struct verdicts *v, const struct sums *s)
{
    char text[320], numbers[128];
    double per = s->tokens > 0 ? s->bytes / s->tokens : 0;
    int n = s->long_out > 0
                ? snprintf(text, sizeof(text),
                           "In %u of %u answers more tokens of output are billed than the answer "
                           "has bytes, and they are not named as reasoning.",
                           s->long_out, s->sound)
                : snprintf(text, sizeof(text),
                           "No answer of %u is billed more tokens of output than it has bytes; "
                           "%.1f bytes are billed as a token.",
                           s->sound, per);
    int k =
        snprintf(numbers, sizeof(numbers), "\"answers\":%u,\"over\":%u,\"bytes_per_token\":%.2f",
                 s->sound, s->long_out, per);

    verdicts_add(
        v, &(struct finding){
               .claim = CLAIM_OUTPUT_BILLING,
               .state = STATE_INCONCLUSIVE,
               .tier = TIER_SHAPE,
               .probe = "arithmetic",
               .group = "output",
               .text = str_slice(text, (size_t)n),
               .missed = s->long_out > 0 ? STR("")
                                         : STR("output that is billed up to some times too high"),
               .benign = s->long_out > 0 ? STR("reasoning that the vendor bills and does not show")
                                         : STR(""),
               .numbers = str_slice(numbers, (size_t)k)});
}

void arithmetic_judge(const struct evidence *e, struct verdicts *v)
{
    struct sums s = {0};

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        /* What thoughts that were asked for cost is judged where they are. */
        if (r->answered && !r->reference && !str_eq(r->probe, STR("thoughts"))) {
            add_up(r, &s);
        }
    }
    if (s.answers > 0) {
        say_input(v, &s);
        if (s.impossible > 0) {
            say_impossible(v, &s);
        }
        if (s.sound > 0) {
            say_output(v, &s);
        }
    }
}
