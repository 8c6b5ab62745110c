/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the probe `tokens`: what its judges say, with a reference and without one. */
#ifndef ASSAY_PROBE_TOKENS_H
#define ASSAY_PROBE_TOKENS_H

#include "assay/counted.h"
#include "assay/probe.h"
#include "assay/turns.h"

/* So many tokens around a message are nothing: what vendors may change in their templates. */
#define TOKENS_CLEAN 8
#define TOKENS_FACTOR_CLEAN 0.02

/* Tokens that stand around every message, or around some. */
struct tokens_around {
    double hidden; /* beyond what is expected; the nearest to 0 that can be meant */
    const char *against;
    unsigned calls;
    bool some;    /* not around all of them */
    bool doubt;   /* what they are measured against may bear something itself: never consistent */
    bool excused; /* no more than the reference bills at all */
};
void tokens_say_around(const struct evidence *e, struct verdicts *v, const struct tokens_around *a);
/* Where nothing was counted, nothing that was added can be seen. */
void tokens_say_around_unknown(struct verdicts *v);

/* The factor of input, and what is known beside it. */
struct tokens_factor {
    double factor;
    const char *against;
    bool added; /* the counts are no multiple; what is more is added to each line, or by chance */
    bool table; /* by the published counts of its tokenizer there is none */
};
void tokens_say_factor(struct verdicts *v, struct buf *text, const struct tokens_factor *f,
                       const struct stat_tokens *t);

/* What the name's tokenizer leaves open, and what else may explain counts that are not its own. */
extern const struct str tokens_sister, tokens_recounted, tokens_software, tokens_line_ends,
    tokens_wavers;

/* Adds the text as a finding, and empties it. */
void tokens_add(struct verdicts *v, enum claim claim, enum state state, struct buf *text,
                struct str missed, struct str benign, const struct stat_tokens *t);
/* The same of identity that is open, though an honest seller would hardly look so. */
void tokens_add_open(struct verdicts *v, struct buf *text, struct str benign,
                     const struct stat_tokens *t);
void tokens_say_estimate(struct verdicts *v, const struct counted_set *c,
                         const struct stat_tokens *t, struct buf *text);
void tokens_say_uneven(struct verdicts *v, const struct stat_tokens *t, struct buf *text);
/* Only some calls bear something more: the others are what it is measured against. */
void tokens_say_some(const struct evidence *e, struct verdicts *v, const struct turns *turns,
                     bool excused, const struct stat_tokens *t, struct buf *text);
/* Whether requests are counted to the token in two ways; then that is told. */
bool tokens_judge_turns(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                        enum stat_family claimed, const struct stat_tokens *t, struct buf *text);

/* They are those of t->family, of whatever factor. */
bool tokens_named(const struct stat_tokens *t);
/*
 * Counts of a tokenizer that libraries have, and not of the claimed: gateways count so whatever the
 * model is, where their vendor reports nothing. That accuses nobody.
 */
bool tokens_recount(const struct stat_tokens *t, enum stat_family claimed);
/* The text says how identity looks then. */
void tokens_say_recount(struct verdicts *v, const struct stat_tokens *t, struct buf *text);

/* Against what the reference bills for the same. */
void tokens_judge_live(const struct evidence *e, struct verdicts *v, const struct counted_set *c,
                       const struct counted_set *r, const struct stat_tokens *t, struct buf *text);

#endif
