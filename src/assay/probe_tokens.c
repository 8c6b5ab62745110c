/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokenizer, by what is billed: repeats of texts that tokenizers cut differently, behind a
 * nonce of constant cost. The slope over the repeats is the tokenizer's own count, times a factor
 * where one is added; what is left at no repeats stands around every message.
 */
#include <math.h>
#include <stdio.h>

#include "assay/counted.h"
#include "assay/family.h"
#include "assay/probe.h"
#include "assay/turns.h"

#define TEXT_MAX (64 << 10)

static void plan_text(struct plan *p, const struct probe *self, const char *cell, struct str repeat,
                      unsigned k)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    plan_nonce(p, &text);
    buf_add_byte(&text, '\n');
    for (unsigned i = 0; i < k; i++) {
        buf_cat(&text, repeat, STR("\n"));
    }
    /* Fewer than 16 are refused by some. */
    plan_add(p, self, cell, k, &(struct question){.text = buf_str(&text), .max_tokens = 16});
    buf_release(&text);
}

void tokens_plan(struct plan *p, const struct probe *self)
{
    static const unsigned repeats[] = {4, 8, 1, 2};
    bool quick = p->profile == PROFILE_QUICK;

    for (int i = 0; i < (quick ? 2 : 3); i++) {
        plan_text(p, self, "none", STR(""), 0);
    }
    for (enum stat_string s = 0; s < STAT_STRINGS; s++) {
        for (size_t i = 0; i < (quick ? 2 : 4); i++) {
            plan_text(p, self, stat_string_name(s), str_from(stat_string_text(s)), repeats[i]);
        }
    }
}

/* What is said of a number of tokens that stand around every message. */
struct around {
    double hidden; /* beyond what is expected; the nearest to 0 that can be meant */
    double clean;
    const char *against;
    unsigned calls;
    bool some; /* not around all of them */
};

static enum state judge_hidden(const struct around *a)
{
    double n = fabs(a->hidden);

    return n <= a->clean      ? STATE_CONSISTENT
           : n > COUNTED_SURE ? STATE_INCONSISTENT
                              : STATE_INCONCLUSIVE;
}

static void say_hidden(const struct evidence *e, struct verdicts *v, const struct around *a)
{
    struct buf text, numbers;
    struct finding f = {.claim = CLAIM_PROMPT,
                        .tier = TIER_ACCOUNTING,
                        .probe = "tokens",
                        .group = "usage",
                        .state = judge_hidden(a)};

    buf_init(&text, 4096);
    buf_init(&numbers, 1024);
    if (fabs(a->hidden) < 0.5) {
        buf_addf(&text,
                 a->some ? "One message of several is billed as many tokens as %s (%u calls)."
                         : "Each message is billed as many tokens as %s (%u calls).",
                 a->against, a->calls);
    } else {
        buf_addf(&text,
                 a->some ? "One message of several is billed %.0f tokens %s than %s (%u calls)."
                         : "Each message is billed %.0f tokens %s than %s (%u calls).",
                 fabs(a->hidden), a->hidden < 0 ? "less" : "more", a->against, a->calls);
    }
    buf_addf(&numbers, "\"hidden_tokens\":%.2f", a->hidden);
    if (f.state != STATE_CONSISTENT && a->hidden > 0 && e->head.currency.n > 0) {
        double money = a->hidden * (double)e->head.input_pico * 1e-6;
        buf_addf(&text, " At the list price that is %.2f %.*s for a million requests.", money,
                 STR_ARG(e->head.currency));
        buf_addf(&numbers, ",\"per_million_requests\":%.2f", money);
    }
    f.text = buf_str(&text);
    f.numbers = buf_str(&numbers);
    f.missed = STR("a prompt of fewer than 9 tokens, one in place of another as long, and any that "
                   "is taken out of the counts again");
    f.benign = f.state == STATE_CONSISTENT
                   ? STR("")
                   : STR("the vendor's own template or tools have changed; a date or a safety text "
                         "is set before each message; a plan that requires its client's prompt");
    verdicts_add(v, &f);
    buf_release(&text);
    buf_release(&numbers);
}

/* Where nothing was counted, nothing that was added can be seen. */
static void say_hidden_unknown(struct verdicts *v)
{
    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_PROMPT,
                        .state = STATE_INCONCLUSIVE,
                        .tier = TIER_ACCOUNTING,
                        .probe = "tokens",
                        .group = "usage",
                        .text = STR("Counts that are estimated, or do not grow evenly with the "
                                    "text, do not tell what stands around each message.")});
}

static void hidden_by_template(const struct evidence *e, struct verdicts *v,
                               const struct counted_set *c, const struct stat_tokens *t)
{
    const struct stat_template *known = stat_template(e->head.target.model);
    bool scaled = t->state == STAT_TOKENS_MULTIPLIED;
    bool named = t->state == STAT_TOKENS_FAMILY || scaled;
    struct family_range nonce = family_nonce(named ? t->family : STAT_FAMILIES);
    double a = t->intercept / (scaled ? t->multiplier : 1);

    if (counted_how(c, t) != COUNTED_EVENLY || t->state == STAT_TOKENS_UNCLEAR) {
        say_hidden_unknown(v);
        return;
    }
    if (known == NULL) {
        struct buf text;
        buf_init(&text, 1024);
        buf_addf(&text,
                 "A message of one short line is billed %.0f tokens. What the template of "
                 "%.*s adds is not known here.",
                 t->intercept, STR_ARG(e->head.target.model));
        verdicts_add(v, &(struct finding){.claim = CLAIM_PROMPT,
                                          .state = STATE_NOT_TESTABLE,
                                          .tier = TIER_ACCOUNTING,
                                          .probe = "tokens",
                                          .group = "usage",
                                          .text = buf_str(&text)});
        buf_release(&text);
        return;
    }
    double low = a - known->high - nonce.high, high = a - known->low - nonce.low;
    struct around around = {.hidden = low > 0    ? low
                                      : high < 0 ? high
                                                 : 0,
                            .clean = 8,
                            .calls = c->calls,
                            .against = "the template of the model takes"};
    say_hidden(e, v, &around);
}

static void add(struct verdicts *v, enum claim claim, enum state state, struct buf *text,
                struct str missed, struct str benign, const struct stat_tokens *t)
{
    char numbers[256];
    int n = snprintf(numbers, sizeof(numbers),
                     "\"multiplier\":%.4f,\"distance\":%.2f,\"intercept\":%.2f,\"r2\":%.6f",
                     t->multiplier, t->distance, t->intercept, t->r2);

    verdicts_add(v, &(struct finding){.claim = claim,
                                      .state = state,
                                      .tier = TIER_ACCOUNTING,
                                      .probe = "tokens",
                                      .group = "usage",
                                      .text = buf_str(text),
                                      .missed = missed,
                                      .benign = benign,
                                      .numbers = str_slice(numbers, (size_t)n)});
    buf_clear(text);
}

static const struct str sister = STR_INIT(
    "another model with the same tokenizer; counts that were made up with the right tokenizer; "
    "requests of another kind served by another model");
static const struct str recounted = STR_INIT(
    "the seller counts by itself, or by an estimate, where its vendor reported nothing; the name "
    "stands for a later model with a new tokenizer");

static const struct str line_ends =
    STR_INIT("line ends that are changed on the way, such as CR LF for LF; a search result or a "
             "safety text of changing length before each message");

static const struct str wavers = STR_INIT(
    "several machines behind one name, of which some have another template or were renewed "
    "meanwhile");

/* Only some calls bear something more: the others are what it is measured against. */
static void say_some(const struct evidence *e, struct verdicts *v, const struct turns *turns,
                     const struct stat_tokens *t, struct buf *text)
{
    buf_addf(text,
             "Texts are cut into tokens as they should be, but %u of %u calls are billed %.0f "
             "tokens more than the others.",
             turns->more > 0 ? turns->others : turns->own, turns->own + turns->others,
             fabs(turns->more));
    add(v, CLAIM_IDENTITY, STATE_CONSISTENT, text, sister, STR(""), t);
    say_hidden(e, v,
               &(struct around){.hidden = fabs(turns->more),
                                .clean = 0, /* what the others bear is not known */
                                .calls = turns->own + turns->others,
                                .some = true,
                                .against = "others of the same endpoint"});
}

/* Whether requests are counted to the token in two ways. */
static bool judge_turns(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                        enum stat_family claimed, const struct stat_tokens *t, struct buf *text)
{
    struct turns turns;

    if (!turns_of_families(c, claimed, &turns)) {
        return false;
    }
    const struct stat_family_row *want = stat_family(claimed), *seen = stat_family(turns.other);
    if (turns.other == claimed) {
        say_some(e, v, &turns, t, text);
        return true;
    }
    buf_addf(text,
             "Of %u calls %u are counted to the token as by %s, the tokenizer of %s, and the other "
             "%u as by %s, that of %s.",
             turns.own + turns.others, turns.own, want->name, want->models, turns.others,
             seen->name, seen->models);
    add(v, CLAIM_IDENTITY, STATE_INCONSISTENT, text, STR(""), recounted, t);
    buf_addf(text, "The counts do not grow evenly with the text.");
    add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, text, STR(""), recounted, t);
    return true;
}

static enum state state_of_factor(double factor)
{
    double off = fabs(factor - 1);

    return off <= 0.02 ? STATE_CONSISTENT : off <= 0.05 ? STATE_INCONCLUSIVE : STATE_INCONSISTENT;
}

/* added: the counts are no multiple; what there is more is added to each line, or by chance. */
static void say_factor(struct verdicts *v, struct buf *text, const char *against, double factor,
                       bool added, const struct stat_tokens *t)
{
    enum state state = state_of_factor(factor);
    bool clean = state == STATE_CONSISTENT;

    state = added && !clean ? STATE_INCONCLUSIVE : state;
    buf_addf(text, "Input is billed %.3f times %s.", factor, against);
    if (added && !clean) {
        buf_addf(text, " That need not be a factor: as much may be added to each line.");
    }
    add(v, CLAIM_INPUT_BILLING, state, text, STR("a factor below 1.02"),
        clean   ? STR("")
        : added ? line_ends
                : STR("a surcharge that the seller states as a factor on usage instead of the "
                      "price"),
        t);
}

/* Estimates are told as what they are. */
static void say_estimate(struct verdicts *v, const struct counted_set *c,
                         const struct stat_tokens *t, struct buf *text)
{
    buf_addf(text,
             "Tokens are not counted by a tokenizer but estimated from the length of "
             "the text (%u calls), so they tell nothing of the model.",
             c->calls);
    add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), recounted, t);
    buf_addf(text, "What is billed is an estimate from the length of the text, and no count.");
    add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, text, STR(""), recounted, t);
}

static void say_uneven(struct verdicts *v, const struct stat_tokens *t, struct buf *text)
{
    buf_addf(text,
             "The counts do not grow evenly with the text (largest deviation %.1f "
             "tokens), or too few of them came, to tell a tokenizer.",
             t->worst);
    add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), recounted, t);
    buf_addf(text, "The counts do not grow evenly with the text.");
    add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, text, STR(""), recounted, t);
}

/* Against published counts of the tokenizer that the name claims. */
static void judge_claimed(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                          enum stat_family claimed, const struct stat_tokens *t, struct buf *text)
{
    const struct stat_family_row *want = stat_family(claimed), *seen = stat_family(t->family);
    bool named = t->state == STAT_TOKENS_FAMILY || t->state == STAT_TOKENS_MULTIPLIED;

    if (counted_how(c, t) == COUNTED_BY_LENGTH) {
        say_estimate(v, c, t, text);
    } else if (named && t->family == claimed) {
        buf_addf(text, "Tokens are counted as by %s, the tokenizer of %s (%u calls).", want->name,
                 want->models, c->calls);
        add(v, CLAIM_IDENTITY, STATE_CONSISTENT, text, sister, STR(""), t);
        say_factor(v, text, "what that tokenizer counts", t->multiplier,
                   t->state != STAT_TOKENS_MULTIPLIED, t);
    } else if (t->state == STAT_TOKENS_FAMILY) {
        buf_addf(text,
                 "Tokens are counted as by %s, the tokenizer of %s, and not as by %s, that "
                 "of %s (%u calls).",
                 seen->name, seen->models, want->name, want->models, c->calls);
        add(v, CLAIM_IDENTITY, STATE_INCONSISTENT, text, STR(""), recounted, t);
    } else if (named || t->state == STAT_TOKENS_NONE) {
        buf_addf(text,
                 "Tokens are not counted as by %s, the tokenizer of %s, nor as by any other "
                 "that is known here (%u calls; nearest: %s, %.0f tokens off).",
                 want->name, want->models, c->calls, seen->name, t->distance);
        add(v, CLAIM_IDENTITY, STATE_INCONSISTENT, text, STR(""), recounted, t);
    } else if (!judge_turns(e, v, c, claimed, t, text)) {
        say_uneven(v, t, text);
    }
}

/* Nothing is known of what the name claims: what was seen is told, and decides nothing. */
static void judge_unclaimed(const struct evidence *e, struct verdicts *v,
                            const struct stat_tokens *t, struct buf *text)
{
    bool named = t->state == STAT_TOKENS_FAMILY || t->state == STAT_TOKENS_MULTIPLIED;

    buf_addf(text, "Which tokenizer %.*s has is not known here; a reference would tell. ",
             STR_ARG(e->head.target.model));
    if (named) {
        buf_addf(text, "Its counts are those of %s (%s), times %.3f.", stat_family(t->family)->name,
                 stat_family(t->family)->models, t->multiplier);
    } else {
        buf_addf(text,
                 "Its counts are those of no tokenizer that is known here (nearest: %s, "
                 "%.0f tokens off).",
                 stat_family(t->family)->name, t->distance);
    }
    add(v, CLAIM_IDENTITY, STATE_NOT_TESTABLE, text, STR(""), STR(""), t);
    buf_addf(text, "Without its tokenizer the counts of %.*s cannot be checked.",
             STR_ARG(e->head.target.model));
    add(v, CLAIM_INPUT_BILLING, STATE_NOT_TESTABLE, text, STR(""), STR(""), t);
}

/* The target's counts are uneven beside a reference's that are not: whether in two exact ways. */
static void judge_uneven(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                         const struct counted_set *r, const struct stat_tokens *t, struct buf *text)
{
    enum stat_family claimed = family_claimed(e->head.target.model);
    struct turns turns;

    if (claimed != STAT_FAMILIES && turns_of_families(c, claimed, &turns) &&
        turns.other != claimed) {
        judge_turns(e, v, c, claimed, t, text);
    } else if (turns_of_prompts(c, r, &turns)) {
        say_some(e, v, &turns, t, text);
    } else if (turns.mostly) {
        buf_addf(text,
                 "Of %u calls %u are cut into tokens as at the reference, and the others not: too "
                 "few to tell why.",
                 turns.own + turns.others, turns.own);
        add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), wavers, t);
        say_hidden(e, v,
                   &(struct around){.hidden = turns.beyond,
                                    .clean = -1,
                                    .calls = turns.own,
                                    .some = true,
                                    .against = "the reference bills"});
    } else {
        say_uneven(v, t, text);
        say_hidden_unknown(v);
    }
}

/* Where slopes differ from the reference's, of even counts on both sides. */
static void say_slopes_differ(struct verdicts *v, const struct counted_ratio *ratio, unsigned calls,
                              const struct stat_tokens *t, struct buf *text)
{
    if (ratio->off > ratio->sure) {
        buf_addf(text,
                 "The same texts are cut into tokens differently than at the reference: "
                 "between %.2f and %.2f times as many (%u calls).",
                 ratio->least, ratio->most, calls);
        add(v, CLAIM_IDENTITY, STATE_INCONSISTENT, text, STR(""), recounted, t);
        return;
    }
    buf_addf(
        text,
        "Texts are cut into tokens nearly as at the reference: %.1f tokens more for each line, "
        "and %.1f over all texts that this does not explain (%u calls).",
        ratio->added, ratio->off, calls);
    add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), line_ends, t);
}

/* False: the counts of the reference are none to compare with. */
static bool reference_counts(const struct evidence *e, struct verdicts *v,
                             const struct counted_set *r, const struct stat_tokens *t,
                             struct buf *text)
{
    struct stat_tokens there;

    if (!stat_tokens_fit(r->c, r->strings, family_claimed(e->head.target.model), &there)) {
        return false;
    }
    switch (counted_how(r, &there)) {
    case COUNTED_EVENLY: return true;
    case COUNTED_UNEVENLY:
        buf_addf(text,
                 "The counts of the reference itself do not grow evenly with the text (largest "
                 "deviation %.1f tokens), so nothing can be told from them.",
                 there.worst);
        break;
    case COUNTED_BY_LENGTH:
        buf_addf(text, "The reference itself estimates tokens from the length of the text, so "
                       "nothing can be told from them.");
        break;
    }
    add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), wavers, t);
    return false;
}

/* Against what the reference bills for the same. */
static void judge_live(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                       const struct counted_set *r, const struct stat_tokens *t, struct buf *text)
{
    struct counted_ratio ratio;
    unsigned calls = c->calls + r->calls;
    enum counted_how how = counted_how(c, t);

    if (!reference_counts(e, v, r, t, text)) {
        return;
    }
    if (how == COUNTED_BY_LENGTH) {
        say_estimate(v, c, t, text);
        say_hidden_unknown(v);
        return;
    }
    if (how == COUNTED_UNEVENLY) {
        judge_uneven(e, v, c, r, t, text);
        return;
    }
    if (!counted_compare(c, r, &ratio)) {
        return;
    }
    if (ratio.spread > COUNTED_SPREAD_SAME) {
        say_slopes_differ(v, &ratio, calls, t, text);
    } else {
        buf_addf(text, "All texts are cut into tokens as at the reference (%u calls).", calls);
        add(v, CLAIM_IDENTITY, STATE_CONSISTENT, text, sister, STR(""), t);
    }
    if (ratio.off > ratio.sure) {
        return; /* the texts around are another's, too */
    }
    bool added = ratio.spread > COUNTED_SPREAD_SAME || fabs(ratio.added) > 0;
    say_factor(v, text, "what the reference counts", ratio.factor, added, t);
    struct around around = {
        .hidden = ratio.around, .clean = 8, .calls = calls, .against = "the reference bills"};
    say_hidden(e, v, &around);
}

void tokens_judge(const struct evidence *e, struct verdicts *v)
{
    struct counted_set target, reference;
    struct stat_tokens t;
    struct buf text;
    enum stat_family claimed = family_claimed(e->head.target.model);

    counted_collect(e, "tokens", false, &target);
    counted_collect(e, "tokens", true, &reference);
    if (target.strings == 0 || !stat_tokens_fit(target.c, target.strings, claimed, &t)) {
        if (target.silent > 0) {
            verdicts_add(v, &(struct finding){.claim = CLAIM_INPUT_BILLING,
                                              .probe = "tokens",
                                              .state = STATE_NOT_TESTABLE,
                                              .group = "usage",
                                              .tier = TIER_ACCOUNTING,
                                              .text = STR("Answers do not say how many tokens of "
                                                          "input are billed.")});
        }
        return;
    }
    buf_init(&text, 4096);
    if (reference.strings > 0) {
        judge_live(e, v, &target, &reference, &t, &text);
    } else if (claimed == STAT_FAMILIES) {
        judge_unclaimed(e, v, &t, &text);
        hidden_by_template(e, v, &target, &t);
    } else {
        judge_claimed(e, v, &target, claimed, &t, &text);
        if (verdicts_decisive(v, CLAIM_PROMPT) == NULL) {
            hidden_by_template(e, v, &target, &t);
        }
    }
    buf_release(&text);
}
