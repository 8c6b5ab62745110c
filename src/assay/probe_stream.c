/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: whether their pieces come as they are made, end as they should, and cost what a whole
 * answer costs. That pieces come at once accuses nobody: proxies collect, too.
 */
#include <stdio.h>

#include "assay/probe.h"

#define STORIES 3
#define PAIRS 2
#define PIECES_LEAST 10
#define QUICK_US 300000 /* a stream that is over by then tells nothing */

void stream_plan(struct plan *p, const struct probe *self)
{
    struct buf text;

    buf_init(&text, 1024);
    for (unsigned i = 0; i < STORIES; i++) {
        plan_nonce(p, &text);
        buf_add(&text, STR("\nWrite a story of about 150 words about a harbour."));
        plan_add(p, self, "story", i,
                 &(struct question){.text = buf_str(&text), .max_tokens = 400, .stream = true});
        buf_clear(&text);
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        plan_nonce(p, &text);
        buf_add(&text, STR("\nSay good morning in one word."));
        struct question q = {.text = buf_str(&text), .max_tokens = 64};
        plan_add(p, self, "whole", i, &q);
        q.stream = true;
        plan_add(p, self, "pieces", i, &q);
        buf_clear(&text);
    }
    buf_release(&text);
}

/* Times of the first and last bytes, in microseconds since the request. */
static bool times(const struct record *r, uint64_t *first, uint64_t *last)
{
    size_t n = json_count(r->arrivals);
    char path[32];

    if (n == 0) {
        return false;
    }
    snprintf(path, sizeof(path), "%zu.0", n - 1);
    return json_u64(json_get(r->arrivals, "0.0"), first) &&
           json_u64(json_get(r->arrivals, path), last);
}

struct streams {
    unsigned asked, ended, live, at_once, quick;
};

static void look(const struct record *r, struct streams *s)
{
    uint64_t first = 0, last = 0;

    s->asked++;
    s->ended += r->said.complete;
    if (r->said.pieces < PIECES_LEAST || !times(r, &first, &last) || last < QUICK_US) {
        s->quick++;
    } else if (first * 10 >= last * 9) {
        s->at_once++;
    } else {
        s->live++;
    }
}

static void say_pace(struct verdicts *v, const struct streams *s)
{
    char text[320];
    bool live = s->live > 0 && s->at_once == 0 && s->ended == s->asked;
    int n = snprintf(text, sizeof(text),
                     "Of %u streams %u ended as they should; %u came piece by piece, %u almost at "
                     "once after a long silence, %u were too short or too quick to tell.",
                     s->asked, s->ended, s->live, s->at_once, s->quick);

    verdicts_add(
        v, &(struct finding){
               .claim = CLAIM_STREAMING,
               .tier = TIER_SHAPE,
               .probe = "stream",
               .group = "stream",
               .state = live ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
               .text = str_slice(text, (size_t)n),
               .missed = live ? STR("pieces that were made up with pauses between them") : STR(""),
               .benign = live ? STR("")
                              : STR("a proxy or content network that collects before it "
                                    "sends; a vendor that sends large pieces; thoughts "
                                    "that are not shown")});
}

static void judge_pace(const struct evidence *e, struct verdicts *v)
{
    struct streams s = {0};

    for (unsigned i = 0; i < STORIES; i++) {
        const struct record *r = probe_find(e, "stream", "story", i);
        if (r != NULL) {
            look(r, &s);
        }
    }
    if (s.asked > 0) {
        say_pace(v, &s);
    }
}

static void judge_pairs(const struct evidence *e, struct verdicts *v)
{
    uint64_t whole = 0, pieces = 0;
    unsigned pairs = 0;
    char text[256];

    for (unsigned i = 0; i < PAIRS; i++) {
        const struct record *a = probe_find(e, "stream", "whole", i);
        const struct record *b = probe_find(e, "stream", "pieces", i);
        if (a != NULL && b != NULL && a->said.usage.state != USAGE_MISSING &&
            b->said.usage.state != USAGE_MISSING) {
            whole += usage_input(&a->said.usage);
            pieces += usage_input(&b->said.usage);
            pairs++;
        }
    }
    if (pairs == 0) {
        return;
    }
    bool same = whole == pieces;
    int n = snprintf(text, sizeof(text),
                     "The same %u requests are billed %llu tokens of input as whole answers and "
                     "%llu as streams.",
                     pairs, (unsigned long long)whole, (unsigned long long)pieces);
    /* That both are the same says nothing of what they are. */
    verdicts_add(v, &(struct finding){.claim = CLAIM_INPUT_BILLING,
                                      .tier = TIER_SHAPE,
                                      .probe = "stream",
                                      .group = "usage",
                                      .state = STATE_INCONCLUSIVE,
                                      .text = str_slice(text, (size_t)n),
                                      .benign = same ? STR("")
                                                     : STR("the seller counts streams by itself "
                                                           "where its vendor does not")});
}

void stream_judge(const struct evidence *e, struct verdicts *v)
{
    judge_pace(e, v);
    judge_pairs(e, v);
}
