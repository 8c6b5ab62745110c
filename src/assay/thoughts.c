/* SPDX-License-Identifier: Apache-2.0 */
/* What came of the chains of the probe of thoughts. */
#include "assay/thoughts.h"

/* The call of that cell, whatever came. */
static const struct record *call_of(const struct evidence *e, const char *cell, bool reference)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->reference == reference && str_eq(r->probe, STR("thoughts")) &&
            str_eq(r->cell, str_from(cell))) {
            return r;
        }
    }
    return NULL;
}

bool thoughts_accepted(const struct record *r)
{
    return r != NULL && r->answered;
}

bool thoughts_refused(const struct record *r)
{
    return r != NULL && (r->status == 400 || r->status == 422);
}

static void gather_ask(struct facts *f, const struct evidence *e, const char *cell)
{
    const struct record *r = call_of(e, cell, false);

    if (!thoughts_accepted(r)) {
        return;
    }
    struct asked *a = &f->asks[f->n++];
    *a = (struct asked){.r = r, .thought = thought_of(&r->said, r->dialect)};
    f->shown += a->thought.shown;
    if (a->thought.signature.n > 0) {
        signature_read(&a->signature, a->thought.signature);
        enum signature_same same =
            signature_models(str_from(a->signature.model), e->head.target.model);
        f->is_signed++;
        f->claude += signature_is_claude(&a->signature);
        f->same += same == SAME_MODEL;
        f->other += same == OTHER_MODEL;
    }
}

static void gather_own(struct facts *f, const struct evidence *e, const char *cell)
{
    const struct record *r = call_of(e, cell, true);

    if (thoughts_accepted(r)) {
        signature_read(&f->own, thought_of(&r->said, r->dialect).signature);
    }
}

void thoughts_gather(struct facts *f, const struct evidence *e)
{
    *f = (struct facts){.says_claude = signature_says_claude(e->head.target.model),
                        .sold = e->head.target.model,
                        .own_model = e->head.reference.model};
    for (unsigned i = 0; i < 3; i++) {
        gather_ask(f, e, thoughts_asks[i]);
        gather_ask(f, e, thoughts_adaptives[i]);
    }
    for (unsigned i = 0; i < THOUGHTS_SIGNED; i++) {
        f->returned[i] = call_of(e, thoughts_returned[i], false);
        f->presented[i] = call_of(e, thoughts_presented[i], true);
    }
    f->altered = call_of(e, thoughts_altered, false);
    f->altered_there = call_of(e, thoughts_altered_there, true);
    f->own_returned = call_of(e, thoughts_own_returned, true);
    gather_own(f, e, thoughts_own);
    gather_own(f, e, thoughts_own_name);
}

void thoughts_say(struct verdicts *v, enum claim claim, enum state state, unsigned tier,
                  struct str text, struct str other)
{
    verdicts_add(v, &(struct finding){.claim = claim,
                                      .state = state,
                                      .tier = (uint8_t)tier,
                                      .probe = "thoughts",
                                      .group = "thoughts",
                                      .text = text,
                                      .missed = state == STATE_CONSISTENT ? other : STR(""),
                                      .benign = state == STATE_CONSISTENT ? STR("") : other});
}
