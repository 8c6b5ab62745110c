/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: whether their pieces come as they are made, end as they should, and cost what a whole
 * answer costs. That pieces come at once accuses nobody: proxies collect, too. Only where they are
 * cut by length alone as well, through words, was the answer whole before it was cut.
 */
#include <stdio.h>

#include "assay/probe.h"
#include "assay/slices.h"

#define STORIES 3
#define PAIRS 2
#define PIECES_LEAST 10
#define QUICK_US 300000 /* a stream that is over by then tells nothing */
#define SURE 2          /* streams that are cut evenly */
#define LONGER 2        /* a silence, than the stream of one word: it was not spent in a queue */

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

struct streams {
    unsigned asked, ended, live, at_once, quick, even, made_up;
    uint64_t word_us; /* how long the stream of one word took at least */
};

/* When the text of a stream began and ended, in microseconds since the request. */
static void look(const struct record *r, struct streams *s)
{
    struct slices pieces;
    bool read = slices_read(&pieces, r), even = read && slices_even(&pieces);
    bool long_enough = read && pieces.n >= PIECES_LEAST && pieces.last_us >= QUICK_US;
    bool at_once = long_enough && pieces.first_us * 10 >= pieces.last_us * 9;

    s->asked++;
    s->ended += r->said.complete;
    s->quick += !long_enough;
    s->at_once += at_once;
    s->live += long_enough && !at_once;
    s->even += even;
    s->made_up += even && at_once && s->word_us > 0 && pieces.first_us >= LONGER * s->word_us;
    slices_release(&pieces);
}

static uint64_t word_us(const struct evidence *e)
{
    uint64_t least = 0;

    for (unsigned i = 0; i < PAIRS; i++) {
        const struct record *r = probe_find(e, "stream", "pieces", i);
        struct slices pieces;
        if (r != NULL) {
            bool read = slices_read(&pieces, r);
            least = read && (least == 0 || pieces.last_us < least) ? pieces.last_us : least;
            slices_release(&pieces);
        }
    }
    return least;
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

static void say_even(struct verdicts *v, const struct streams *s)
{
    char text[320];
    bool made_up = s->made_up >= SURE;
    int n = snprintf(text, sizeof(text),
                     "In %u of %u streams all pieces are of one length, cut through words; %u of "
                     "these came at once after a silence as long as the whole answer takes.",
                     s->even, s->asked, s->made_up);

    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_STREAMING,
                        .tier = made_up ? TIER_ACCOUNTING : TIER_SHAPE,
                        .probe = "stream",
                        .group = "stream",
                        .state = made_up ? STATE_INCONSISTENT : STATE_INCONCLUSIVE,
                        .text = str_slice(text, (size_t)n),
                        .benign = made_up ? STR("a gateway whose vendor gives it no stream, and "
                                                "that says so; a filter that cuts anew what it has "
                                                "looked at, behind a proxy that collects")
                                          : STR("a gateway that cuts anew what it streams, as "
                                                "filters do")});
}

static void judge_pace(const struct evidence *e, struct verdicts *v)
{
    struct streams s = {.word_us = word_us(e)};

    for (unsigned i = 0; i < STORIES; i++) {
        const struct record *r = probe_find(e, "stream", "story", i);
        if (r != NULL) {
            look(r, &s);
        }
    }
    if (s.asked > 0) {
        say_pace(v, &s);
    }
    if (s.even >= SURE) {
        say_even(v, &s);
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
