/* SPDX-License-Identifier: Apache-2.0 */
/* The tokenizer against what a reference bills for the same texts, of which nothing is known. */
#include <math.h>
#include <stdio.h>

#include "assay/family.h"
#include "assay/probe_tokens.h"

/* By what is known of its name's tokenizer there is nothing wrong with the target. */
static bool is_by_table(const struct evidence *e, const struct stat_tokens *t)
{
    return t->state == STAT_TOKENS_FAMILY && t->family == family_claimed(e->head.target.model) &&
           fabs(t->multiplier - 1) <= TOKENS_FACTOR_CLEAN;
}

/* The target's counts are uneven beside a reference's that are not: whether in two exact ways. */
static void judge_uneven(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                         const struct counted_set *r, const struct stat_tokens *t, struct buf *text)
{
    enum stat_family claimed = family_claimed(e->head.target.model);
    struct turns turns;

    if (claimed != STAT_FAMILIES && turns_of_families(c, claimed, &turns) &&
        turns.other != claimed) {
        tokens_judge_turns(e, v, c, claimed, t, text);
    } else if (turns_of_prompts(c, r, &turns)) {
        /* Where some are forgiven what the reference bills, the others bear nothing more. */
        bool excused = fmax(turns.beyond, turns.beyond + turns.more) <= COUNTED_SURE;
        tokens_say_some(e, v, &turns, excused, t, text);
    } else if (turns.mostly) {
        buf_addf(text,
                 "Of %u calls %u are cut into tokens as at the reference, and the others not: too "
                 "few to tell why.",
                 turns.own + turns.others, turns.own);
        tokens_add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), tokens_wavers, t);
        tokens_say_around(e, v,
                          &(struct tokens_around){.hidden = turns.beyond,
                                                  .calls = turns.own,
                                                  .some = true,
                                                  .doubt = true,
                                                  .against = "the reference bills"});
    } else {
        tokens_say_uneven(v, t, text);
        tokens_say_around_unknown(v);
    }
}

static void say_cut_otherwise(const struct evidence *e, struct verdicts *v,
                              const struct stat_tokens *t, const struct stat_tokens *there,
                              struct buf *text)
{
    enum stat_family claimed = family_claimed(e->head.target.model);

    if (tokens_recount(t, claimed)) {
        buf_addf(text, " Its counts are those of %s (%s), times %.3f.",
                 stat_family(t->family)->name, stat_family(t->family)->models, t->multiplier);
        tokens_say_recount(v, t, text);
    } else if (tokens_recount(there, claimed) || is_by_table(e, t)) {
        buf_addf(text, " The reference's own counts are not those of the tokenizer that the name "
                       "stands for, as far as that is known here.");
        tokens_add_open(v, text, STR("the reference counts by itself, or is another model"), t);
    } else {
        tokens_add(v, CLAIM_IDENTITY, STATE_INCONSISTENT, text, STR(""), tokens_recounted, t);
    }
}

/* Where slopes differ from the reference's, of even counts on both sides. */
static void say_slopes_differ(const struct evidence *e, struct verdicts *v,
                              const struct counted_ratio *ratio, unsigned calls,
                              const struct stat_tokens *t, const struct stat_tokens *there,
                              struct buf *text)
{
    if (ratio->off > ratio->sure) {
        buf_addf(text,
                 "The same texts are cut into tokens differently than at the reference: "
                 "between %.2f and %.2f times as many (%u calls).",
                 ratio->least, ratio->most, calls);
        say_cut_otherwise(e, v, t, there, text);
        return;
    }
    buf_addf(
        text,
        "Texts are cut into tokens nearly as at the reference: %.1f tokens more for each line, "
        "and %.1f over all texts that this does not explain (%u calls).",
        ratio->added, ratio->off, calls);
    tokens_add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), tokens_line_ends, t);
}

/* False: the counts of the reference are none to compare with. */
static bool reference_counts(const struct evidence *e, struct verdicts *v,
                             const struct counted_set *r, const struct stat_tokens *t,
                             struct stat_tokens *there, struct buf *text)
{
    if (!stat_tokens_fit(r->c, r->strings, family_claimed(e->head.target.model), there)) {
        return false;
    }
    switch (counted_how(r, there)) {
    case COUNTED_EVENLY: return true;
    case COUNTED_UNEVENLY:
        buf_addf(text,
                 "The counts of the reference itself do not grow evenly with the text (largest "
                 "deviation %.1f tokens), so nothing can be told from them.",
                 there->worst);
        break;
    case COUNTED_BY_LENGTH:
        buf_addf(
            text,
            "The reference itself estimates tokens from the length of the text, or its words, so "
            "nothing can be told from them.");
        break;
    }
    tokens_add(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, text, STR(""), tokens_wavers, t);
    return false;
}

void tokens_judge_live(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                       const struct counted_set *r, const struct stat_tokens *t, struct buf *text)
{
    struct counted_ratio ratio;
    struct stat_tokens there;
    unsigned calls = c->calls + r->calls;
    enum counted_how how = counted_how(c, t);

    if (!reference_counts(e, v, r, t, &there, text)) {
        return;
    }
    if (how == COUNTED_BY_LENGTH) {
        tokens_say_estimate(v, c, t, text);
        tokens_say_around_unknown(v);
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
        say_slopes_differ(e, v, &ratio, calls, t, &there, text);
    } else {
        buf_addf(text, "All texts are cut into tokens as at the reference (%u calls).", calls);
        tokens_add(v, CLAIM_IDENTITY, STATE_CONSISTENT, text, tokens_sister, STR(""), t);
    }
    if (ratio.off > ratio.sure) {
        return; /* the texts around are another's, too */
    }
    struct tokens_factor factor = {.factor = ratio.factor,
                                   .against = "what the reference counts",
                                   .added =
                                       ratio.spread > COUNTED_SPREAD_SAME || fabs(ratio.added) > 0,
                                   .table = is_by_table(e, t)};
    tokens_say_factor(v, text, &factor, t);
    struct tokens_around around = {
        .hidden = ratio.around, .calls = calls, .against = "the reference bills"};
    tokens_say_around(e, v, &around);
}
