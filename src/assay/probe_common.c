/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers to different requests have in common: a text around each, the same text, none at
 * all. It asks nothing itself, and accuses nobody: weak models repeat themselves, and honest
 * gateways set notes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "assay/common.h"
#include "assay/probe.h"
#include "base/limits.h"

#define LEAST 8 /* different questions */

struct texts {
    struct str text[LIMIT_ASSAY_CALLS]; /* of the first answer to each question */
    unsigned n, empty, same;
};

/* Whether a call before it was of the same probe and cell. */
static bool asked_before(const struct evidence *e, size_t at)
{
    const struct record *r = &e->records[at];

    for (size_t i = 0; i < at; i++) {
        const struct record *s = &e->records[i];
        if (s->answered && !s->reference && str_eq(s->probe, r->probe) &&
            str_eq(s->cell, r->cell)) {
            return true;
        }
    }
    return false;
}

static void gather(const struct evidence *e, struct texts *t)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        bool passed = !r->answered || r->reference || r->ask != ASK_ANSWER ||
                      r->said.call_count > 0 || r->max_tokens < 16;
        passed = passed || str_eq(r->body, evidence_hidden);
        if (!passed && !asked_before(e, i)) {
            struct str said = str_trim(buf_str(&r->said.text));
            t->empty += said.n == 0;
            t->text[t->n++] = said;
        }
    }
    for (unsigned i = 0; i < t->n; i++) {
        unsigned alike = 0;
        for (unsigned k = 0; k < t->n && t->text[i].n > 0; k++) {
            alike += str_eq(t->text[i], t->text[k]);
        }
        t->same = alike > t->same ? alike : t->same;
    }
}

static void say(struct verdicts *v, enum claim claim, struct str text, struct str benign)
{
    verdicts_add(v, &(struct finding){.claim = claim,
                                      .state = STATE_INCONCLUSIVE,
                                      .tier = TIER_SHAPE,
                                      .probe = "common",
                                      .group = "common",
                                      .text = text,
                                      .benign = benign});
}

static void say_texts(struct verdicts *v, const struct texts *t)
{
    char text[200];
    int n;

    if (t->empty * 5 > t->n * 4) {
        n = snprintf(text, sizeof(text), "%u of %u answers to different requests are empty.",
                     t->empty, t->n);
        say(v, CLAIM_STABILITY, str_slice(text, (size_t)n),
            STR("a model that thinks longer than the limits of these requests let it; a filter"));
    }
    if (t->same * 5 > t->n * 4) {
        n = snprintf(text, sizeof(text), "%u of %u answers to different requests are the same.",
                     t->same, t->n);
        say(v, CLAIM_STABILITY, str_slice(text, (size_t)n),
            STR("a model that is too weak for them; a filter that answers in its place"));
    }
}

static void say_keys(const struct evidence *e, struct verdicts *v)
{
    unsigned keys = 0;
    char text[200];

    for (size_t i = 0; i < e->count; i++) {
        keys += !e->records[i].reference && str_eq(e->records[i].body, evidence_hidden);
    }
    if (keys > 0) {
        int n = snprintf(text, sizeof(text),
                         "%u answers held the key and were removed: whoever answers sends it back. "
                         "Replace it.",
                         keys);
        say(v, CLAIM_PROVENANCE, str_slice(text, (size_t)n),
            STR("a server for trying things, which sends back what it was sent"));
    }
}

void common_judge(const struct evidence *e, struct verdicts *v)
{
    struct texts *t = calloc(1, sizeof(*t));
    struct common common;
    char text[200];

    if (t == NULL) {
        return;
    }
    say_keys(e, v);
    gather(e, t);
    if (t->n >= LEAST) {
        say_texts(v, t);
    }
    free(t);
    common_find(e, false, &common);
    if (common.head + common.tail > 0) {
        int n = snprintf(text, sizeof(text),
                         "All %u answers begin with the same %zu bytes and end with the same %zu.",
                         common.answers, common.head, common.tail);
        say(v, CLAIM_PROVENANCE, str_slice(text, (size_t)n),
            STR("a gateway that announces the note which it sets around each answer; a model that "
                "always answers in one form"));
    }
}
