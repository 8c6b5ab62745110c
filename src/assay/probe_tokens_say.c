/* SPDX-License-Identifier: Apache-2.0 */
/* What the judges of tokens say in the same words, with a reference and without one. */
#include <math.h>
#include <stdio.h>

#include "assay/probe_tokens.h"

static enum state state_of_around(const struct tokens_around *a)
{
    if (fabs(a->hidden) <= TOKENS_CLEAN && !a->doubt) {
        return STATE_CONSISTENT;
    }
    /* Less is nothing that was added. */
    return a->hidden > COUNTED_SURE && !a->excused ? STATE_INCONSISTENT : STATE_INCONCLUSIVE;
}

static struct str benign_of_around(const struct tokens_around *a, enum state state)
{
    if (state == STATE_CONSISTENT) {
        return STR("");
    }
    return a->hidden < 0 ? STR("the reference adds a prompt of its own, or the template that is "
                               "known here has become shorter; the seller forgives what stands "
                               "around a message, or counts by itself")
                         : STR("the vendor's own template or tools have changed; a date or a "
                               "safety text is set before each message; a plan that requires its "
                               "client's prompt");
}

void tokens_say_around(const struct evidence *e, struct verdicts *v, const struct tokens_around *a)
{
    struct buf text, numbers;
    struct finding f = {.claim = CLAIM_PROMPT,
                        .tier = TIER_ACCOUNTING,
                        .probe = "tokens",
                        .group = "usage",
                        .state = state_of_around(a)};

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
    if (f.state != STATE_CONSISTENT && a->hidden >= 0.5 && e->head.currency.n > 0) {
        double money = a->hidden * (double)e->head.input_pico * 1e-6;
        buf_addf(&text, " At the list price that is %.2f %.*s for a million requests.", money,
                 STR_ARG(e->head.currency));
        buf_addf(&numbers, ",\"per_million_requests\":%.2f", money);
    }
    f.text = buf_str(&text);
    f.numbers = buf_str(&numbers);
    f.missed = STR("a prompt of fewer than 9 tokens, one in place of another as long, and any that "
                   "is taken out of the counts again");
    f.benign = benign_of_around(a, f.state);
    verdicts_add(v, &f);
    buf_release(&text);
    buf_release(&numbers);
}

/* Where nothing was counted, nothing that was added can be seen. */
void tokens_say_around_unknown(struct verdicts *v)
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

static void add(struct verdicts *v, struct finding *f, struct buf *text,
                const struct stat_tokens *t)
{
    char numbers[256];
    int n = snprintf(numbers, sizeof(numbers),
                     "\"multiplier\":%.4f,\"distance\":%.2f,\"intercept\":%.2f,\"r2\":%.6f",
                     t->multiplier, t->distance, t->intercept, t->r2);

    f->tier = TIER_ACCOUNTING;
    f->probe = "tokens";
    f->group = "usage";
    f->text = buf_str(text);
    f->numbers = str_slice(numbers, (size_t)n);
    verdicts_add(v, f);
    buf_clear(text);
}

void tokens_add(struct verdicts *v, enum claim claim, enum state state, struct buf *text,
                struct str missed, struct str benign, const struct stat_tokens *t)
{
    add(v, &(struct finding){.claim = claim, .state = state, .missed = missed, .benign = benign},
        text, t);
}

void tokens_add_open(struct verdicts *v, struct buf *text, struct str benign,
                     const struct stat_tokens *t)
{
    add(v,
        &(struct finding){.claim = CLAIM_IDENTITY,
                          .state = STATE_INCONCLUSIVE,
                          .unusual = true,
                          .benign = benign},
        text, t);
}

const struct str tokens_sister = STR_INIT(
    "another model with the same tokenizer; counts that were made up with the right tokenizer; "
    "requests of another kind served by another model");
const struct str tokens_recounted = STR_INIT(
    "the seller counts by itself, or by an estimate, where its vendor reported nothing; the name "
    "stands for a later model with a new tokenizer");
const struct str tokens_software = STR_INIT(
    "gateways count by themselves where their vendor reports nothing, and the libraries for that "
    "have this tokenizer, whatever the model is");
const struct str tokens_line_ends =
    STR_INIT("line ends that are changed on the way, such as CR LF for LF; a search result or a "
             "safety text of changing length before each message");
const struct str tokens_wavers = STR_INIT(
    "several machines behind one name, of which some have another template or were renewed "
    "meanwhile");

bool tokens_named(const struct stat_tokens *t)
{
    return t->state == STAT_TOKENS_FAMILY || t->state == STAT_TOKENS_MULTIPLIED;
}

static bool is_of_software(enum stat_family f)
{
    return f == STAT_FAMILY_CL100K || f == STAT_FAMILY_O200K;
}

bool tokens_recount(const struct stat_tokens *t, enum stat_family claimed)
{
    return tokens_named(t) && t->family != claimed && is_of_software(t->family);
}

void tokens_say_recount(struct verdicts *v, const struct stat_tokens *t, struct buf *text)
{
    tokens_add_open(v, text, tokens_software, t);
    buf_addf(text, "Input is billed as %s counts, which need not be as many as the model reads.",
             stat_family(t->family)->name);
    tokens_add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, text, STR(""), tokens_software, t);
}

void tokens_say_some(const struct evidence *e, struct verdicts *v, const struct turns *turns,
                     bool excused, const struct stat_tokens *t, struct buf *text)
{
    buf_addf(text,
             "Texts are cut into tokens as they should be, but %u of %u calls are billed %.0f "
             "tokens more than the others.",
             turns->more > 0 ? turns->others : turns->own, turns->own + turns->others,
             fabs(turns->more));
    tokens_add(v, CLAIM_IDENTITY, STATE_CONSISTENT, text, tokens_sister, STR(""), t);
    tokens_say_around(e, v,
                      &(struct tokens_around){.hidden = fabs(turns->more),
                                              .calls = turns->own + turns->others,
                                              .some = true,
                                              .doubt = true, /* what do the others bear? */
                                              .excused = excused,
                                              .against = "others of the same endpoint"});
}

bool tokens_judge_turns(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                        enum stat_family claimed, const struct stat_tokens *t, struct buf *text)
{
    struct turns turns;

    if (!turns_of_families(c, claimed, &turns)) {
        return false;
    }
    const struct stat_family_row *want = stat_family(claimed), *seen = stat_family(turns.other);
    if (turns.other == claimed) {
        tokens_say_some(e, v, &turns, false, t, text);
        return true;
    }
    bool software = is_of_software(turns.other);
    struct str benign = software ? tokens_software : tokens_recounted;
    buf_addf(text,
             "Of %u calls %u are counted to the token as by %s, the tokenizer of %s, and the other "
             "%u as by %s, that of %s.",
             turns.own + turns.others, turns.own, want->name, want->models, turns.others,
             seen->name, seen->models);
    if (software) {
        tokens_add_open(v, text, benign, t);
    } else {
        tokens_add(v, CLAIM_IDENTITY, STATE_INCONSISTENT, text, STR(""), benign, t);
    }
    buf_addf(text, "The counts do not grow evenly with the text.");
    tokens_add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, text, STR(""), benign, t);
    return true;
}

static enum state state_of_factor(const struct tokens_factor *f)
{
    if (fabs(f->factor - 1) <= TOKENS_FACTOR_CLEAN) {
        return STATE_CONSISTENT;
    }
    return f->factor > 1.05 && !f->added && !f->table ? STATE_INCONSISTENT : STATE_INCONCLUSIVE;
}

void tokens_say_factor(struct verdicts *v, struct buf *text, const struct tokens_factor *f,
                       const struct stat_tokens *t)
{
    enum state state = state_of_factor(f);
    struct str benign = STR("a surcharge that the seller states as a factor on usage instead of "
                            "the price");

    buf_addf(text, "Input is billed %.3f times %s.", f->factor, f->against);
    if (state == STATE_CONSISTENT) {
        benign = STR("");
    } else if (f->added) {
        buf_addf(text, " That need not be a factor: as much may be added to each line.");
        benign = tokens_line_ends;
    } else if (f->factor < 1) {
        benign = STR("the seller forgives a part of what is counted; the reference multiplies its "
                     "own counts");
    } else if (f->table) {
        buf_addf(text, " By the published counts of its tokenizer there is no factor.");
        benign = STR("the reference forgives a part of what is counted");
    }
    tokens_add(v, CLAIM_INPUT_BILLING, state, text, STR("a factor below 1.02"), benign, t);
}

void tokens_say_estimate(struct verdicts *v, const struct counted_set *c,
                         const struct stat_tokens *t, struct buf *text)
{
    buf_addf(text,
             "Tokens are not counted by a tokenizer but estimated from the length of "
             "the text, or its words (%u calls), so they tell nothing of the model.",
             c->calls);
    tokens_add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), tokens_recounted, t);
    buf_addf(
        text,
        "What is billed is an estimate from the length of the text, or its words, and no count.");
    tokens_add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, text, STR(""), tokens_recounted, t);
}

void tokens_say_uneven(struct verdicts *v, const struct stat_tokens *t, struct buf *text)
{
    buf_addf(text,
             "The counts do not grow evenly with the text (largest deviation %.1f "
             "tokens), or too few of them came, to tell a tokenizer.",
             t->worst);
    tokens_add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), tokens_recounted, t);
    buf_addf(text, "The counts do not grow evenly with the text.");
    tokens_add(v, CLAIM_INPUT_BILLING, STATE_INCONCLUSIVE, text, STR(""), tokens_recounted, t);
}
