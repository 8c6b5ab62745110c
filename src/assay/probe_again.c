/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request for a free text again, to the byte, and with another number in it each time: it is
 * never twice the same, unless the answer was kept and is sold again. A server may be
 * deterministic, and a small model deaf to a number, so that equal texts accuse nobody. What does:
 * an answer with the id of an earlier one, where others have ids of their own; one that holds the
 * number of another request, which nobody can guess; long ones that come faster than a short one.
 */
#include <stdio.h>

#include "assay/probe.h"

#define TIMES 4
#define LONG_ENOUGH 100 /* bytes: shorter texts may be the same by chance */
#define LONG_FRESH 400
#define OWN_IDS 8
#define FOREIGN 2      /* one may be an accident */
#define SHORT_LEAST 10 /* answers of a few tokens to measure others by */
#define FASTER 5       /* than the first: so much longer it took to make */

static void plan_fresh(struct plan *p, const struct probe *self, unsigned i)
{
    struct buf nonce, text;

    buf_init(&nonce, 16);
    buf_init(&text, 1024);
    plan_nonce(p, &nonce);
    buf_cat(&text, buf_str(&nonce),
            STR("\nWrite about 120 words that nobody has written before about a harbour at night. "
                "Begin with the number above."));
    plan_add(p, self, "fresh", i,
             &(struct question){.text = buf_str(&text),
                                .expect = buf_str(&nonce),
                                .temperature = "1",
                                .max_tokens = 240});
    buf_release(&nonce);
    buf_release(&text);
}

void again_plan(struct plan *p, const struct probe *self)
{
    struct buf text;

    buf_init(&text, 1024);
    plan_nonce(p, &text);
    buf_add(&text, STR("\nWrite four lines about the sea that nobody has written before."));
    for (unsigned i = 0; i < TIMES; i++) {
        plan_add(p, self, "lines", i,
                 &(struct question){.text = buf_str(&text), .max_tokens = 200});
        plan_fresh(p, self, i);
    }
    buf_release(&text);
}

/* Whether answers to other requests have ids of their own. */
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
            bool same = str_eq(s->probe, r->probe); /* may have asked the same twice */
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
    const struct record *r[TIMES];
    unsigned answers, same_text, same_id, foreign;
};

static void gather(const struct evidence *e, const char *cell, size_t least, struct repeats *out)
{
    *out = (struct repeats){0};
    for (unsigned i = 0; i < TIMES; i++) {
        const struct record *r = probe_find(e, "again", cell, i);
        if (r != NULL && r->said.text.n >= least) {
            out->r[out->answers++] = r;
        }
    }
}

static bool holds(const struct record *r, struct str number)
{
    return number.n > 0 && str_find(buf_str(&r->said.text), number) != SIZE_MAX;
}

/* The same text as one that was made for another number, and with that number. */
static bool is_foreign(const struct record *r, const struct record *other)
{
    return str_eq(buf_str(&r->said.text), buf_str(&other->said.text)) && holds(r, other->expect) &&
           !holds(r, r->expect);
}

static void compare(struct repeats *s)
{
    for (size_t i = 0; i < s->answers; i++) {
        bool text = false, id = false, foreign = false;
        for (size_t j = 0; j < s->answers; j++) {
            const struct record *a = s->r[i], *b = s->r[j];
            bool same = j < i && str_eq(buf_str(&a->said.text), buf_str(&b->said.text));
            text = text || same;
            id = id || (same && a->said.id.n > 0 && str_eq(a->said.id, b->said.id));
            foreign = foreign || is_foreign(a, b);
        }
        s->same_text += text;
        s->same_id += id;
        s->foreign += foreign;
    }
}

static void say_lines(struct verdicts *v, const struct repeats *s, bool sold_twice)
{
    char text[320];
    int n = snprintf(text, sizeof(text),
                     "A request for a free text was made %u times: %u answers were the same as an "
                     "earlier one to the byte, %u of them with its id.",
                     s->answers, s->same_text, s->same_id);

    verdicts_add(
        v, &(struct finding){.claim = CLAIM_STABILITY,
                             .probe = "again",
                             .group = "again",
                             .tier = TIER_ACCOUNTING,
                             .state = sold_twice          ? STATE_INCONSISTENT
                                      : s->same_text == 0 ? STATE_CONSISTENT
                                                          : STATE_INCONCLUSIVE,
                             .text = str_slice(text, (size_t)n),
                             .missed = s->same_text == 0
                                           ? STR("answers that are kept for longer or shorter than "
                                                 "this run, or only for other requests")
                                           : STR(""),
                             .benign = s->same_text == 0 ? STR("")
                                                         : STR("a server that always answers the "
                                                               "same to the same; a cache that the "
                                                               "seller announces")});
}

static uint64_t took(const struct record *r)
{
    uint64_t us = 0;

    json_u64(json_get(json_root(r->doc), "done_us"), &us);
    return us;
}

/* The least time in which this endpoint gave a few tokens; 0: not enough of them are known. */
static uint64_t fastest_short(const struct evidence *e)
{
    uint64_t least = UINT64_MAX;
    unsigned n = 0;

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        /* Those of cell "none" differ in their number alone: they may be kept, too. */
        if (r->answered && !r->reference && str_eq(r->probe, STR("tokens")) && r->k > 0) {
            least = took(r) < least ? took(r) : least;
            n++;
        }
    }
    return n >= SHORT_LEAST ? least : 0;
}

/* All the same, and all but the first, asked for when that was there, faster than any short one. */
static bool were_there(const struct evidence *e, const struct repeats *s)
{
    const struct record *first = s->r[0];
    uint64_t shortest = fastest_short(e);

    for (unsigned i = 1; i < s->answers; i++) {
        first = s->r[i]->sent_us < first->sent_us ? s->r[i] : first;
    }
    for (unsigned i = 0; i < s->answers; i++) {
        const struct record *r = s->r[i];
        if (r != first && (r->sent_us < first->sent_us + took(first) || took(r) >= shortest ||
                           took(r) * FASTER > took(first))) {
            return false;
        }
    }
    return s->answers == TIMES && s->same_text == TIMES - 1;
}

static void judge_fresh(const struct evidence *e, struct verdicts *v, bool own_ids)
{
    struct repeats s;
    char text[400];

    gather(e, "fresh", LONG_FRESH, &s);
    if (s.answers < 2) {
        return;
    }
    compare(&s);
    bool at_once = were_there(e, &s);
    bool kept = s.foreign >= FOREIGN || at_once || (s.same_id > 0 && own_ids);
    int n = snprintf(text, sizeof(text),
                     "A long free text was asked for %u times, each time to begin with another "
                     "number: %u answers were the same as an earlier one to the byte, %u of them "
                     "with its id, and %u hold the number of another request%s.",
                     s.answers, s.same_text, s.same_id, s.foreign,
                     at_once ? "; all but the first came faster than any short answer" : "");
    verdicts_add(v,
                 &(struct finding){
                     .claim = CLAIM_STABILITY,
                     .probe = "again",
                     .group = "again",
                     .tier = TIER_ACCOUNTING,
                     .state = kept               ? STATE_INCONSISTENT
                              : s.same_text == 0 ? STATE_CONSISTENT
                                                 : STATE_INCONCLUSIVE,
                     .text = str_slice(text, (size_t)n),
                     .missed = s.same_text == 0 ? STR("answers that are kept for requests that "
                                                      "are the same to the byte")
                                                : STR(""),
                     .benign = kept               ? STR("a cache that the seller announces")
                               : s.same_text == 0 ? STR("")
                                                  : STR("a server that always takes the likeliest "
                                                        "word, of a small model that does not "
                                                        "heed the number")});
}

void again_judge(const struct evidence *e, struct verdicts *v)
{
    struct repeats s;
    bool own_ids = ids_differ(e);

    gather(e, "lines", LONG_ENOUGH, &s);
    if (s.answers >= 2) {
        compare(&s);
        say_lines(v, &s, s.same_id > 0 && own_ids);
    }
    judge_fresh(e, v, own_ids);
}
