/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/claim.h"

#include <assert.h>

#include "assay/stat.h"

#define TEXTS_MAX (1 << 20)

static const char *const claim_names[] = {
#define CLAIM(ID, name, meaning) name,
#include "assay/claims.def"
};
static const char *const claim_meanings[] = {
#define CLAIM(ID, name, meaning) meaning,
#include "assay/claims.def"
};
static const char *const state_names[STATE_COUNT] = {
    [STATE_NOT_TESTED] = "not tested",     [STATE_NOT_TESTABLE] = "not testable",
    [STATE_INCONCLUSIVE] = "inconclusive", [STATE_CONSISTENT] = "consistent",
    [STATE_INCONSISTENT] = "inconsistent",
};

const char *claim_name(enum claim c)
{
    return claim_names[c];
}

const char *claim_meaning(enum claim c)
{
    return claim_meanings[c];
}

const char *state_name(enum state s)
{
    return state_names[s];
}

void verdicts_init(struct verdicts *v)
{
    v->count = 0;
    arena_init(&v->arena, TEXTS_MAX);
}

void verdicts_release(struct verdicts *v)
{
    arena_release(&v->arena);
}

/* A weak tier accuses nobody, whatever it found. */
static enum state allowed(enum state s, uint8_t tier)
{
    return s == STATE_INCONSISTENT && tier > TIER_LIVE ? STATE_INCONCLUSIVE : s;
}

void verdicts_add(struct verdicts *v, const struct finding *f)
{
    assert(v->count < FINDINGS_MAX);
    struct finding *to = &v->findings[v->count++];
    *to = *f;
    to->text = arena_str(&v->arena, f->text);
    to->missed = arena_str(&v->arena, f->missed);
    to->benign = arena_str(&v->arena, f->benign);
    to->numbers = arena_str(&v->arena, f->numbers);
    to->state = allowed(f->state, f->tier);
}

/* How much a finding has to say: the vendor first, then what contradicts, then what a test found
 * unusual. */
static unsigned weight(const struct finding *f)
{
    switch (f->state) {
    case STATE_CONSISTENT: return f->tier == TIER_ISSUER ? 5 : 2;
    case STATE_INCONSISTENT: return f->tier == TIER_ISSUER ? 5 : 4;
    case STATE_INCONCLUSIVE: return f->unusual || (f->has_p && f->p_adjusted <= P_UNUSUAL) ? 3 : 2;
    case STATE_NOT_TESTABLE: return 1;
    case STATE_NOT_TESTED:
    case STATE_COUNT: break;
    }
    return 0;
}

/* What approves of a part of a claim alone is no answer to doubts about the others. */
static unsigned tier(const struct finding *f)
{
    return f->part && f->state == STATE_CONSISTENT ? TIER_SHAPE : f->tier;
}

/* Of equal weight the stronger tier; within a tier doubt before approval. */
static bool outweighs(const struct finding *f, const struct finding *g)
{
    if (g == NULL || weight(f) != weight(g)) {
        return g == NULL || weight(f) > weight(g);
    }
    return tier(f) != tier(g) ? tier(f) < tier(g) : f->state < g->state;
}

void verdicts_settle(struct verdicts *v)
{
    double p[FINDINGS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < v->count; i++) {
        if (v->findings[i].has_p) {
            p[n++] = v->findings[i].p;
        }
    }
    if (n == 0 || !stat_holm(p, n)) {
        return;
    }
    n = 0;
    for (size_t i = 0; i < v->count; i++) {
        struct finding *f = &v->findings[i];
        if (f->has_p) {
            f->p_adjusted = p[n++];
            f->state = allowed(f->p_adjusted <= P_ACCUSES && !f->excused ? STATE_INCONSISTENT
                               : f->p_adjusted <= P_UNUSUAL || f->blind  ? STATE_INCONCLUSIVE
                                                                         : STATE_CONSISTENT,
                               f->tier);
        }
    }
}

bool finding_folk(const struct finding *f)
{
    return f->tier == TIER_CONTEXT && str_eq(str_from(f->probe), STR("folk"));
}

const struct finding *verdicts_decisive(const struct verdicts *v, enum claim c)
{
    const struct finding *best = NULL;

    for (size_t i = 0; i < v->count; i++) {
        const struct finding *f = &v->findings[i];
        if (f->claim == c && f->tier != TIER_CONTEXT && outweighs(f, best)) {
            best = f;
        }
    }
    return best;
}

enum state verdicts_state(const struct verdicts *v, enum claim c)
{
    const struct finding *f = verdicts_decisive(v, c);

    return f != NULL ? f->state : STATE_NOT_TESTED;
}

int verdicts_status(const struct verdicts *v)
{
    int status = 2;

    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        enum state s = verdicts_state(v, c);
        if (s == STATE_INCONSISTENT) {
            return 3;
        }
        /* How answers look decides nothing. */
        if (s == STATE_CONSISTENT && verdicts_decisive(v, c)->tier <= TIER_LIVE) {
            status = 0;
        }
    }
    return status;
}
