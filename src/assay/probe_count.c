/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is billed against what is counted beforehand, for free, by the dialect's own path: here, and
 * at the reference. The bodies are those whose tokens the probe of that name compares. A path that
 * counts may well estimate, or leave a template out; so only what is beyond any template, and the
 * same around texts that tokenizers cut differently, says that something was set before them.
 */
#include <math.h>
#include <stdio.h>

#include "assay/counted.h"
#include "assay/family.h"
#include "assay/probe.h"

#define LEAST 4
#define APART 3.0    /* tokens: what rounding and a nonce may move */
#define TEMPLATE 8.0 /* what vendors may change in theirs */
#define LONGER 3.0   /* times the shortest: then a factor would be seen */

void count_plan(struct plan *p, const struct probe *self)
{
    static const struct {
        const char *cell;
        uint64_t k;
    } bodies[] = {{"none", 0}, {"digits", 4}, {"cjk", 8}, {"th", 4}, {"geor", 8}, {"ko", 8}};
    size_t planned = p->count;

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (size_t j = 0; j < planned; j++) {
            const struct planned *c = &p->calls[j];
            if (!c->reference && c->k == bodies[i].k &&
                str_eq(str_from(c->probe->name), STR("tokens")) &&
                str_eq(str_from(c->cell), str_from(bodies[i].cell))) {
                struct question q = c->q;
                q.ask = ASK_COUNT;
                plan_add(p, self, bodies[i].cell, bodies[i].k, &q);
                break;
            }
        }
    }
}

/* Of the same bodies: what is billed beyond what was counted. */
struct parity {
    unsigned n;
    double least, most; /* tokens more */
    double least_times, most_times;
    double shortest, longest; /* as counted */
};

static const struct record *billed(const struct evidence *e, const struct record *c, bool reference)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->answered && r->reference == reference && r->k == c->k &&
            str_eq(r->probe, STR("tokens")) && str_eq(r->cell, c->cell) &&
            r->said.usage.state != USAGE_MISSING) {
            return r;
        }
    }
    return NULL;
}

/* Counted by the one side and billed by the other, or the same. */
static struct parity compare(const struct evidence *e, bool counter, bool biller)
{
    struct parity p = {
        .least = INFINITY, .most = -INFINITY, .least_times = INFINITY, .shortest = INFINITY};

    for (size_t i = 0; i < e->count; i++) {
        const struct record *c = &e->records[i];
        bool one = c->answered && c->reference == counter && c->ask == ASK_COUNT &&
                   c->said.counted > 0 && str_eq(c->probe, STR("count"));
        const struct record *b = one ? billed(e, c, biller) : NULL;
        if (b != NULL) {
            double counted = (double)c->said.counted;
            double bill = (double)usage_input(&b->said.usage);
            p.n++;
            p.least = fmin(p.least, bill - counted);
            p.most = fmax(p.most, bill - counted);
            p.least_times = fmin(p.least_times, bill / counted);
            p.most_times = fmax(p.most_times, bill / counted);
            p.shortest = fmin(p.shortest, counted);
            p.longest = fmax(p.longest, counted);
        }
    }
    return p;
}

static bool is_even(const struct parity *p)
{
    return p->most - p->least <= APART;
}

/* So many more or less at most. */
static bool is_within(const struct parity *p, double tokens)
{
    return p->least >= -tokens && p->most <= tokens && is_even(p);
}

/* What is billed goes with the length of the text, or does not grow evenly: no count at all. */
static bool is_estimate(const struct evidence *e)
{
    struct counted_set set;
    struct stat_tokens t;

    counted_collect(e, "tokens", false, &set);
    return set.strings > 0 &&
           stat_tokens_fit(set.c, set.strings, family_claimed(e->head.target.model), &t) &&
           counted_how(&set, &t) != COUNTED_EVENLY;
}

/* Who counted, and how far that can be trusted. */
struct counter {
    const char *what;
    double clean, sure; /* tokens more */
    enum tier_of_evidence tier;
    bool estimate;
};

static void add(struct verdicts *v, enum claim claim, enum state state, enum tier_of_evidence tier,
                struct str text, const struct parity *p)
{
    char numbers[160];
    int n = snprintf(numbers, sizeof(numbers),
                     "\"requests\":%u,\"least\":%.0f,\"most\":%.0f,\"least_times\":%.4f,"
                     "\"most_times\":%.4f",
                     p->n, p->least, p->most, p->least_times, p->most_times);
    bool fits = state == STATE_CONSISTENT, sure = state == STATE_INCONSISTENT;

    verdicts_add(
        v, &(struct finding){
               .claim = claim,
               .state = state,
               .tier = (uint8_t)tier,
               .probe = "count",
               .group = "usage",
               .text = text,
               .numbers = str_slice(numbers, (size_t)n),
               .missed = fits ? STR("what is added before it is counted, too; a count that is made "
                                    "up like the bill")
                              : STR(""),
               .benign = fits   ? STR("")
                         : sure ? STR("a plan that requires its client's prompt; a service that "
                                      "adds a search or tools of its own")
                                : STR("one of both is an estimate, as gateways make where their "
                                      "vendor counts nothing; a count without the template; a "
                                      "date or safety text")});
}

static void judge(struct verdicts *v, const struct parity *p, const struct counter *c)
{
    char text[320];
    bool even = is_even(p) && p->longest >= LONGER * p->shortest;
    int n;

    if (is_within(p, c->clean)) {
        n = snprintf(text, sizeof(text),
                     "Each of %u requests is billed what %s, within %.0f "
                     "tokens.",
                     p->n, c->what, fmax(fabs(p->least), fabs(p->most)));
        /* Two estimates agree whatever was set before. */
        enum state state = c->estimate ? STATE_INCONCLUSIVE : STATE_CONSISTENT;
        add(v, CLAIM_PROMPT, state, c->tier, str_slice(text, (size_t)n), p);
        add(v, CLAIM_INPUT_BILLING, state, c->tier, str_slice(text, (size_t)n), p);
        return;
    }
    if (even && p->least > 0) {
        n = p->most > p->least
                ? snprintf(text, sizeof(text),
                           "Each of %u requests of %.0f to %.0f tokens is billed %.0f to %.0f "
                           "tokens more than %s.",
                           p->n, p->shortest, p->longest, p->least, p->most, c->what)
                : snprintf(text, sizeof(text),
                           "Each of %u requests of %.0f to %.0f tokens is billed %.0f tokens more "
                           "than %s.",
                           p->n, p->shortest, p->longest, p->least, c->what);
        bool sure = p->least > c->sure && !c->estimate;
        add(v, CLAIM_PROMPT, sure ? STATE_INCONSISTENT : STATE_INCONCLUSIVE,
            sure ? TIER_ACCOUNTING : TIER_SHAPE, str_slice(text, (size_t)n), p);
        return;
    }
    n = snprintf(text, sizeof(text), "%u requests are billed between %.3f and %.3f times what %s.",
                 p->n, p->least_times, p->most_times, c->what);
    add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, TIER_SHAPE, str_slice(text, (size_t)n), p);
}

static void say_none(const struct evidence *e, struct verdicts *v)
{
    char text[160];

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (!r->reference && !r->answered && r->status >= 400 && str_eq(r->probe, STR("count"))) {
            int n = snprintf(text, sizeof(text),
                             "It does not count beforehand what a request would be billed "
                             "(status %u).",
                             r->status);
            verdicts_add(v, &(struct finding){.claim = CLAIM_PROMPT,
                                              .state = STATE_NOT_TESTABLE,
                                              .tier = TIER_SHAPE,
                                              .probe = "count",
                                              .group = "usage",
                                              .text = str_slice(text, (size_t)n)});
            return;
        }
    }
}

void count_judge(const struct evidence *e, struct verdicts *v)
{
    const struct finding *tokens = verdicts_decisive(v, CLAIM_PROMPT);
    /* By the template, or the reference's own bill, nothing is added: then the count is short. */
    bool clean = tokens != NULL && tokens->state == STATE_CONSISTENT;
    struct parity own = compare(e, false, false), issuer = compare(e, true, false),
                  its_own = compare(e, true, true);
    struct counter c = {.what = "the endpoint itself counts beforehand",
                        .clean = APART,
                        .sure = clean ? INFINITY : COUNTED_SURE,
                        .tier = TIER_SHAPE,
                        .estimate = is_estimate(e)};

    if (own.n >= LEAST) {
        judge(v, &own, &c);
    } else {
        say_none(e, v);
    }
    /* The reference's count is only worth what it is to the reference's own bill. */
    bool exact = its_own.n >= LEAST && is_within(&its_own, APART);
    if (issuer.n >= LEAST && exact) {
        c.what = "the reference counts beforehand";
        c.clean = TEMPLATE;
        c.sure = clean ? INFINITY : COUNTED_SURE;
        c.tier = TIER_ACCOUNTING;
        c.estimate = false; /* it is the issuer's */
        judge(v, &issuer, &c);
    }
}
