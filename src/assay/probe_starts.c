/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "assay/probe.h"
#include "assay/starts.h"

#define LEAST 4
#define BYTES 40 /* two models hardly begin a text of their own with the same ten words */

static const struct text {
    const char *name;
    struct str task;
} texts[] = {
    {"harbour", STR_INIT("Describe a harbour at night in one long sentence.")},
    {"key", STR_INIT("Tell the story of a lost key in one long sentence.")},
    {"clock", STR_INIT("Describe an old clock and its owner in one long sentence.")},
    {"letter", STR_INIT("Write the first sentence of a letter to a friend far away.")},
    {"garden", STR_INIT("Describe how a garden sounds after rain in one long sentence.")},
    {"market", STR_INIT("Tell in one long sentence what happens at a market at dawn.")},
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

void starts_plan(struct plan *p, const struct probe *self)
{
    for (size_t i = 0; i < TEXTS && p->reference; i++) {
        plan_add(p, self, texts[i].name, 0,
                 &(struct question){.text = texts[i].task, .temperature = "0", .max_tokens = 32});
    }
}

/* The beginning of what a side wrote; empty: too little. */
static struct str beginning(const struct evidence *e, const char *cell, bool reference)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->answered && r->reference == reference && str_eq(r->probe, STR("starts")) &&
            str_eq(r->cell, str_from(cell))) {
            struct str said = str_trim(buf_str(&r->said.text));
            return said.n >= BYTES ? str_slice(said.p, BYTES) : STR("");
        }
    }
    return STR("");
}

void starts_compare(const struct evidence *e, struct starts *out)
{
    *out = (struct starts){0};
    for (size_t i = 0; i < TEXTS; i++) {
        struct str here = beginning(e, texts[i].name, false);
        struct str there = beginning(e, texts[i].name, true);
        if (here.n > 0 && there.n > 0) {
            out->compared++;
            out->same += str_eq(here, there);
        }
    }
    out->alike = out->compared >= LEAST && 2 * out->same >= out->compared;
}

void starts_say(const struct starts *s, double p, struct buf *text)
{
    if (s->alike && p <= P_UNUSUAL) {
        buf_addf(text,
                 " But at temperature 0 %u of %u texts begin as at the reference: a host that "
                 "draws by other settings looks like that.",
                 s->same, s->compared);
    }
}

void starts_judge(const struct evidence *e, struct verdicts *v)
{
    struct starts s;
    char text[160];

    starts_compare(e, &s);
    if (s.compared == 0) {
        return;
    }
    int n = snprintf(text, sizeof(text),
                     "At temperature 0 %u of %u texts begin to the byte as at the reference.",
                     s.same, s.compared);
    verdicts_add(
        v, &(struct finding){
               .claim = CLAIM_IDENTITY,
               .tier = TIER_SHAPE,
               .probe = "starts",
               .group = "starts",
               .part = true,
               .state = s.alike ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
               .text = str_slice(text, (size_t)n),
               .missed = s.alike ? STR("another model that serves all but temperature 0") : STR(""),
               .benign = s.alike ? STR("")
                                 : STR("a server whose answers at temperature 0 go by "
                                       "what else it computes")});
}
