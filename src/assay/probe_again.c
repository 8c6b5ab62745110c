/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same request again: a free text is never twice the same, unless the answer was kept and is
 * sold again. A server may be deterministic, so that equal texts accuse nobody; an answer that also
 * has the same id, where other answers have ids of their own, was made once.
 */
#include <stdio.h>

#include "assay/probe.h"

#define TIMES 4
#define LONG_ENOUGH 100 /* bytes: shorter texts may be the same by chance */
#define OWN_IDS 8

void again_plan(struct plan *p, const struct probe *self)
{
    struct buf text;

    buf_init(&text, 1024);
    plan_nonce(p, &text);
    buf_add(&text, STR("\nWrite four lines about the sea that nobody has written before."));
    for (unsigned i = 0; i < TIMES; i++) {
        plan_add(p, self, "lines", i,
                 &(struct question){.text = buf_str(&text), .max_tokens = 200});
    }
    buf_release(&text);
}

/* Whether answers to other requests each have an id of their own. */
static bool ids_differ(const struct evidence *e)
{
    unsigned ids = 0;

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        /* The greeting is one of the folk tests, too. */
        bool passed = str_eq(r->probe, STR("again")) || str_eq(r->probe, STR("dialect"));
        if (!r->answered || r->reference || r->said.id.n == 0 || passed) {
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            const struct record *s = &e->records[j];
            bool same = str_eq(s->probe, r->probe) && str_eq(s->cell, r->cell);
            bool hello = str_eq(s->probe, STR("dialect"));
            if (!same && !hello && s->answered && !s->reference && str_eq(s->said.id, r->said.id)) {
                return false;
            }
        }
        ids++;
    }
    return ids >= OWN_IDS;
}

struct repeats {
    unsigned answers, same_text, same_id;
};

static void compare(const struct record *const *r, size_t n, struct repeats *out)
{
    for (size_t i = 0; i < n; i++) {
        bool text = false, id = false;
        for (size_t j = 0; j < i; j++) {
            bool same = str_eq(buf_str(&r[i]->said.text), buf_str(&r[j]->said.text));
            text = text || same;
            id = id || (same && r[i]->said.id.n > 0 && str_eq(r[i]->said.id, r[j]->said.id));
        }
        out->same_text += text;
        out->same_id += id;
    }
}

void again_judge(const struct evidence *e, struct verdicts *v)
{
    const struct record *found[TIMES];
    struct repeats s = {0};
    char text[320];

    for (unsigned i = 0; i < TIMES; i++) {
        const struct record *r = probe_find(e, "again", "lines", i);
        if (r != NULL && r->said.text.n >= LONG_ENOUGH) {
            found[s.answers++] = r;
        }
    }
    if (s.answers < 2) {
        return;
    }
    compare(found, s.answers, &s);
    bool sold_twice = s.same_id > 0 && ids_differ(e);
    int n = snprintf(text, sizeof(text),
                     "A request for a free text was made %u times: %u answers were the same as an "
                     "earlier one to the byte, %u of them with its id.",
                     s.answers, s.same_text, s.same_id);
    verdicts_add(
        v, &(struct finding){.claim = CLAIM_STABILITY,
                             .probe = "again",
                             .group = "again",
                             .tier = TIER_ACCOUNTING,
                             .state = sold_twice         ? STATE_INCONSISTENT
                                      : s.same_text == 0 ? STATE_CONSISTENT
                                                         : STATE_INCONCLUSIVE,
                             .text = str_slice(text, (size_t)n),
                             .missed = s.same_text == 0
                                           ? STR("answers that are kept for longer or shorter than "
                                                 "this run, or only for other requests")
                                           : STR(""),
                             .benign = s.same_text == 0 ? STR("")
                                                        : STR("a server that always answers the "
                                                              "same to the same; a cache that the "
                                                              "seller announces")});
}
