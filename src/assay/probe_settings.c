/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what is asked beside the text is done: a stop sequence, a limit of output, a temperature,
 * a seed.
 * Answers at temperature 0 differ at honest servers, too, by what else is computed beside them, and
 * models that think do not take one: it accuses nobody.
 */
#include <stdio.h>

#include "assay/probe.h"

#define LIMIT_ASKED 32
#define SAMPLES 5
#define SAMPLES_LEAST 4
#define SEEDED 3
#define SPREAD 2 /* more different answers at 1 than at 0 */

static const char *const temperatures[] = {"0", "1"};
static const char *const cells[] = {"temperature 0", "temperature 1"};

void settings_plan(struct plan *p, const struct probe *self)
{
    plan_add(p, self, "stop", 0,
             &(struct question){.text = STR("Count from 1 to 20 in digits, with commas between."),
                                .stop = "7",
                                .max_tokens = 200});
    plan_add(p, self, "limit", 0,
             &(struct question){.text = STR("Count from 1 to 300 in digits, with commas between."),
                                .max_tokens = LIMIT_ASKED});
    for (unsigned i = 0; i < 2 * SAMPLES; i++) {
        plan_add(p, self, cells[i % 2], i / 2,
                 &(struct question){.text = STR("Write 12 words about a lighthouse at dawn."),
                                    .temperature = temperatures[i % 2],
                                    .max_tokens = LIMIT_ASKED});
    }
    for (unsigned i = 0; i < SEEDED; i++) {
        plan_add(p, self, "seed", i,
                 &(struct question){.text = STR("Write 12 words about a lighthouse at dawn."),
                                    .temperature = "1",
                                    .seed = "20110",
                                    .max_tokens = LIMIT_ASKED});
    }
}

static void say(struct verdicts *v, bool kept, struct str text)
{
    verdicts_add(
        v, &(struct finding){.claim = CLAIM_FEATURES,
                             .tier = TIER_SHAPE,
                             .probe = "settings",
                             .group = "settings",
                             .text = text,
                             .state = kept ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
                             .missed = kept ? STR("settings that were not tried") : STR(""),
                             .benign = kept ? STR("")
                                            : STR("the model does not take it; a gateway between "
                                                  "dialects that says so")});
}

enum kept { KEPT_UNKNOWN, KEPT, DROPPED };

static enum kept judge_stop(const struct evidence *e, struct verdicts *v)
{
    const struct record *r = probe_find(e, "settings", "stop", 0);
    struct str said = r != NULL ? buf_str(&r->said.text) : STR("");

    /* An answer that did not count as it was asked says nothing of the stop. */
    if (r == NULL || str_find(said, STR("6")) == SIZE_MAX) {
        return KEPT_UNKNOWN;
    }
    if (str_find(said, STR("7")) == SIZE_MAX) {
        say(v, true, STR("Counting stops where it was told to."));
        return KEPT;
    }
    say(v, false, STR("Counting goes on beyond the text that it was told to stop at."));
    return str_find(said, STR("20")) != SIZE_MAX ? DROPPED : KEPT_UNKNOWN;
}

static enum kept judge_limit(const struct evidence *e, struct verdicts *v)
{
    const struct record *r = probe_find(e, "settings", "limit", 0);
    char text[200];

    if (r == NULL || r->said.usage.state == USAGE_MISSING) {
        return KEPT_UNKNOWN;
    }
    uint64_t out = usage_output(&r->said.usage);
    int n =
        snprintf(text, sizeof(text), "With at most %d tokens of output asked for, %llu are billed.",
                 LIMIT_ASKED, (unsigned long long)out);
    bool kept = out <= LIMIT_ASKED + 2;
    say(v, kept, str_slice(text, (size_t)n));
    /* No tokenizer writes a hundred numbers in fewer tokens than there are numbers. */
    bool beyond = str_find(buf_str(&r->said.text), STR("98, 99, 100")) != SIZE_MAX;
    return kept ? KEPT : beyond && out >= 100 ? DROPPED : KEPT_UNKNOWN;
}

struct samples {
    unsigned answers, different;
};

static struct samples sample(const struct evidence *e, const char *cell)
{
    struct samples s = {0};

    for (unsigned i = 0; i < SAMPLES; i++) {
        const struct record *r = probe_find(e, "settings", cell, i);
        bool before = false;
        if (r == NULL || r->said.text.n == 0) {
            continue;
        }
        for (unsigned j = 0; j < i && !before; j++) {
            const struct record *other = probe_find(e, "settings", cell, j);
            before = other != NULL && str_eq(buf_str(&other->said.text), buf_str(&r->said.text));
        }
        s.answers++;
        s.different += !before;
    }
    return s;
}

static void judge_temperature(const struct evidence *e, struct verdicts *v)
{
    struct samples cold = sample(e, cells[0]), warm = sample(e, cells[1]);
    bool enough = cold.answers >= SAMPLES_LEAST && warm.answers >= SAMPLES_LEAST;
    bool kept = enough && warm.different >= cold.different + SPREAD;
    bool none = enough && cold.different == cold.answers && warm.different == warm.answers;
    bool fixed = enough && cold.different == 1 && warm.different == 1;
    char text[200];

    if (cold.answers + warm.answers == 0) {
        return;
    }
    int n =
        snprintf(text, sizeof(text),
                 "Of answers at temperature 0, %u of %u are different; at temperature 1, %u of %u.",
                 cold.different, cold.answers, warm.different, warm.answers);
    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_FEATURES,
                        .tier = TIER_SHAPE,
                        .probe = "settings",
                        .group = "settings",
                        .text = str_slice(text, (size_t)n),
                        .state = kept            ? STATE_CONSISTENT
                                 : none || fixed ? STATE_INCONCLUSIVE
                                                 : STATE_NOT_TESTABLE,
                        .missed = kept ? STR("settings that were not tried") : STR(""),
                        .benign = none    ? STR("a model that takes no temperature; a server that "
                                                   "is never twice the same")
                                  : fixed ? STR("a server that always takes the likeliest word")
                                          : STR("")});
}

/* Vendors call it a best effort: that it is not kept is told, and no more. */
static void judge_seed(const struct evidence *e, struct verdicts *v)
{
    struct samples seeded = sample(e, "seed"), warm = sample(e, cells[1]);
    bool kept = seeded.different == 1 && warm.different > SPREAD;
    char text[200];

    if (seeded.answers < SEEDED) {
        return;
    }
    int n = snprintf(text, sizeof(text), "With one seed at temperature 1 %u of %u answers differ.",
                     seeded.different - 1, seeded.answers);
    verdicts_add(
        v, &(struct finding){.claim = CLAIM_FEATURES,
                             .tier = kept ? TIER_SHAPE : TIER_CONTEXT,
                             .probe = "settings",
                             .group = "settings",
                             .text = str_slice(text, (size_t)n),
                             .state = kept ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
                             .missed = kept ? STR("settings that were not tried") : STR(""),
                             .benign = kept ? STR("")
                                            : STR("vendors promise a seed as a best effort, and "
                                                  "some models take none")});
}

/* One may be what a model does not take; that all are dropped is seen in the text itself. */
void settings_judge(const struct evidence *e, struct verdicts *v)
{
    enum kept stop = judge_stop(e, v), limit = judge_limit(e, v);

    judge_temperature(e, v);
    judge_seed(e, v);
    if (stop == DROPPED && limit == DROPPED) {
        verdicts_add(
            v, &(struct finding){
                   .claim = CLAIM_FEATURES,
                   .state = STATE_INCONSISTENT,
                   .tier = TIER_ACCOUNTING,
                   .probe = "settings",
                   .group = "settings",
                   .text = STR("Settings are dropped: told to stop at 7 it counts to 20, and told "
                               "to write 32 tokens at most it counts beyond 100 and bills that."),
                   .benign = STR("a gateway that says that it takes no settings")});
    }
}
