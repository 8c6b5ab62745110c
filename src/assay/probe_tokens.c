/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokenizer, by what is billed: repeats of texts that tokenizers cut differently, behind a
 * nonce of constant cost. The slope over the repeats is the tokenizer's own count, times a factor
 * where one is added; what is left at no repeats stands around every message.
 */
#include "assay/probe_tokens.h"
#include "assay/family.h"

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

static void hidden_by_template(const struct evidence *e, struct verdicts *v,
                               const struct counted_set *c, const struct stat_tokens *t)
{
    const struct stat_template *known = stat_template(e->head.target.model);
    bool scaled = t->state == STAT_TOKENS_MULTIPLIED;
    struct family_range nonce = family_nonce(tokens_named(t) ? t->family : STAT_FAMILIES);
    double a = t->intercept / (scaled ? t->multiplier : 1);

    if (counted_how(c, t) != COUNTED_EVENLY || t->state == STAT_TOKENS_UNCLEAR) {
        tokens_say_around_unknown(v);
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
    struct tokens_around around = {.hidden = low > 0    ? low
                                             : high < 0 ? high
                                                        : 0,
                                   .calls = c->calls,
                                   .against = "the template of the model takes"};
    tokens_say_around(e, v, &around);
}

/* Counts of another tokenizer than the claimed, or of none that is known. */
static void say_other(struct verdicts *v, const struct counted_set *c, enum stat_family claimed,
                      const struct stat_tokens *t, struct buf *text)
{
    const struct stat_family_row *want = stat_family(claimed), *seen = stat_family(t->family);
    bool recount = tokens_recount(t, claimed);

    if (t->state == STAT_TOKENS_FAMILY || recount) {
        buf_addf(text,
                 "Tokens are counted as by %s, the tokenizer of %s, and not as by %s, that "
                 "of %s (%u calls).",
                 seen->name, seen->models, want->name, want->models, c->calls);
    } else {
        buf_addf(text,
                 "Tokens are not counted as by %s, the tokenizer of %s, nor as by any other "
                 "that is known here (%u calls; nearest: %s, %.0f tokens off).",
                 want->name, want->models, c->calls, seen->name, t->distance);
    }
    if (recount) {
        tokens_say_recount(v, t, text);
    } else {
        tokens_add(v, CLAIM_IDENTITY, STATE_INCONSISTENT, text, STR(""), tokens_recounted, t);
    }
}

/* Against published counts of the tokenizer that the name claims. */
static void judge_claimed(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                          enum stat_family claimed, const struct stat_tokens *t, struct buf *text)
{
    const struct stat_family_row *want = stat_family(claimed);

    if (counted_how(c, t) == COUNTED_BY_LENGTH) {
        tokens_say_estimate(v, c, t, text);
    } else if (tokens_named(t) && t->family == claimed) {
        buf_addf(text, "Tokens are counted as by %s, the tokenizer of %s (%u calls).", want->name,
                 want->models, c->calls);
        tokens_add(v, CLAIM_IDENTITY, STATE_CONSISTENT, text, tokens_sister, STR(""), t);
        tokens_say_factor(v, text,
                          &(struct tokens_factor){.factor = t->multiplier,
                                                  .against = "what that tokenizer counts",
                                                  .added = t->state != STAT_TOKENS_MULTIPLIED},
                          t);
    } else if (tokens_named(t) || t->state == STAT_TOKENS_NONE) {
        say_other(v, c, claimed, t, text);
    } else if (!tokens_judge_turns(e, v, c, claimed, t, text)) {
        tokens_say_uneven(v, t, text);
    }
}

/* Nothing is known of what the name claims: what was seen is told, and decides nothing. */
static void judge_unclaimed(const struct evidence *e, struct verdicts *v,
                            const struct stat_tokens *t, struct buf *text)
{
    buf_addf(text, "Which tokenizer %.*s has is not known here; a reference would tell. ",
             STR_ARG(e->head.target.model));
    if (tokens_named(t)) {
        buf_addf(text, "Its counts are those of %s (%s), times %.3f.", stat_family(t->family)->name,
                 stat_family(t->family)->models, t->multiplier);
    } else {
        buf_addf(text,
                 "Its counts are those of no tokenizer that is known here (nearest: %s, "
                 "%.0f tokens off).",
                 stat_family(t->family)->name, t->distance);
    }
    tokens_add(v, CLAIM_IDENTITY, STATE_NOT_TESTABLE, text, STR(""), STR(""), t);
    buf_addf(text, "Without its tokenizer the counts of %.*s cannot be checked.",
             STR_ARG(e->head.target.model));
    tokens_add(v, CLAIM_INPUT_BILLING, STATE_NOT_TESTABLE, text, STR(""), STR(""), t);
}

/* Two points make a line of any counts, and few texts are like those of many tokenizers. */
static void say_few(struct verdicts *v, const struct counted_set *c, const struct counted_set *r,
                    struct buf *text)
{
    buf_addf(text,
             "Only %u of the requests that are counted were answered here and %u at the "
             "reference: too few to tell anything from them.",
             c->calls, r->calls);
    verdicts_add(v, &(struct finding){.claim = CLAIM_IDENTITY,
                                      .state = STATE_INCONCLUSIVE,
                                      .tier = TIER_ACCOUNTING,
                                      .probe = "tokens",
                                      .group = "usage",
                                      .text = buf_str(text),
                                      .benign = STR("a run that broke off, or was limited; a "
                                                    "filter that refuses some requests")});
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
    if (!counted_enough(&target) || (reference.strings > 0 && !counted_enough(&reference))) {
        say_few(v, &target, &reference, &text);
    } else if (reference.strings > 0) {
        tokens_judge_live(e, v, &target, &reference, &t, &text);
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
