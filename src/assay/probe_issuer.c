/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a signed thought is taken back: by who sold it, and by the reference. Where the reference
 * takes it, and refuses it altered, its vendor has made it. Where it does not, much may be the
 * reason, so that only what leaves none of them accuses.
 */
#include <stdio.h>

#include "assay/thoughts.h"

/* For the signature, and not for anything else in the request. */
static bool refused_signature(const struct record *r)
{
    return thoughts_refused(r) && str_find(r->body, STR("ignature")) != SIZE_MAX;
}

static void judge_returned(const struct facts *f, struct verdicts *v)
{
    if (thoughts_refused(f->returned[0])) {
        thoughts_say(v, CLAIM_PROVENANCE, STATE_INCONCLUSIVE, TIER_SHAPE,
                     STR("A thought that is given back as it came is refused."),
                     STR("several accounts or vendors behind one name; a gateway that changes "
                         "thoughts on their way"));
    } else if (thoughts_accepted(f->returned[0]) && thoughts_refused(f->altered)) {
        thoughts_say(v, CLAIM_PROVENANCE, STATE_CONSISTENT, TIER_SHAPE,
                     STR("A thought that is given back as it came is accepted, and with one bit "
                         "of its signature changed it is refused."),
                     STR("a seller that checks signatures of its own making"));
    } else if (thoughts_accepted(f->returned[0]) && thoughts_accepted(f->altered)) {
        thoughts_say(v, CLAIM_PROVENANCE, STATE_INCONCLUSIVE, TIER_SHAPE,
                     STR("A thought that is given back is accepted even with one bit of its "
                         "signature changed: nobody looks at it."),
                     STR("a relay that leaves out the thoughts that it is given, as some do by "
                         "design"));
    }
}

static void judge_accepted(const struct facts *f, struct verdicts *v)
{
    thoughts_say(v, CLAIM_PROVENANCE, STATE_CONSISTENT, TIER_ISSUER,
                 STR("The reference takes a thought that was made here as its vendor's own, and "
                     "refuses it with one bit of its signature changed."),
                 STR("requests without thoughts, which something else may answer; thoughts that "
                     "were copied from elsewhere"));
    /* Not the vendor's word on all requests: it must not take back what others show. */
    if (f->other == 0) {
        thoughts_say(v, CLAIM_IDENTITY, STATE_CONSISTENT, TIER_ACCOUNTING,
                     STR("Thoughts are signed by the vendor of the model, as the reference "
                         "confirms."),
                     STR("requests without thoughts, which something else may answer; another "
                         "model of the same vendor, if its signatures name none"));
    }
}

/* Two signatures that cannot differ by account, cloud or snapshot from what the reference signs.
 * Another model's only where the reference's own is what is sold: an alias may mean one model here
 * and another there, and a reference may have been asked for another version. */
static bool comparable(const struct facts *f, const struct signature *s)
{
    struct str named = str_from(s->model), own = str_from(f->own.model);
    bool other = signature_models(own, f->sold) == SAME_MODEL &&
                 signature_models(named, f->sold) == OTHER_MODEL;

    return signature_is_claude(s) && signature_is_claude(&f->own) && !s->account &&
           s->infra == f->own.infra && named.n > 0 && (str_eq(named, own) || other);
}

/* Of the chain with that number: the answer whose turn was given back. */
static const struct signature *signature_of(const struct facts *f, unsigned chain)
{
    const struct signature *s = NULL;

    for (unsigned i = 0; i < f->n; i++) {
        struct str cell = f->asks[i].r->cell;
        bool here = str_eq(cell, str_from(thoughts_asks[chain])) ||
                    str_eq(cell, str_from(thoughts_adaptives[chain]));
        s = here && f->asks[i].thought.signature.n > 0 ? &f->asks[i].signature : s;
    }
    return s;
}

static void judge_refused(const struct facts *f, struct verdicts *v)
{
    bool accuses = thoughts_refused(f->altered) && thoughts_accepted(f->own_returned);
    unsigned times = 0;

    for (unsigned i = 0; i < THOUGHTS_SIGNED; i++) {
        const struct signature *s = signature_of(f, i);
        times += refused_signature(f->presented[i]);
        accuses = accuses && refused_signature(f->presented[i]) &&
                  thoughts_accepted(f->returned[i]) && s != NULL && comparable(f, s);
    }
    if (accuses) {
        thoughts_say(v, CLAIM_IDENTITY, STATE_INCONSISTENT, TIER_ISSUER,
                     STR("The reference refuses the signatures of 2 thoughts of 2 that were made "
                         "here and that this endpoint takes back itself; what the reference "
                         "signs, it takes back."),
                     STR("a model that the seller says it takes in place of another; a vendor "
                         "that has begun to sign for each account alone"));
    } else if (times > 0 && thoughts_accepted(f->own_returned)) {
        thoughts_say(v, CLAIM_PROVENANCE, STATE_INCONCLUSIVE, TIER_SHAPE,
                     STR("The reference refuses the signature of a thought that was made here, "
                         "and takes back its own."),
                     STR("signatures that hold for one account, cloud or snapshot alone; a relay "
                         "that changes thoughts, or wraps what is signed"));
    }
}

void thoughts_judge_issuer(const struct facts *f, struct verdicts *v)
{
    judge_returned(f, v);
    if (thoughts_accepted(f->presented[0]) && refused_signature(f->altered_there)) {
        judge_accepted(f, v);
    } else {
        judge_refused(f, v);
    }
}
