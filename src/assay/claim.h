/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found, by claim. Findings have a tier: what is stronger decides alone, and nothing is
 * ever averaged into a score. A consistent finding says what it would have missed, so it takes back
 * no inconsistent one, unless the vendor itself speaks. Pure.
 */
#ifndef ASSAY_CLAIM_H
#define ASSAY_CLAIM_H

#include "base/arena.h"
#include "base/buf.h"

enum claim {
#define CLAIM(ID, name, meaning) CLAIM_##ID,
#include "assay/claims.def"
    CLAIM_COUNT
};
const char *claim_name(enum claim c);
const char *claim_meaning(enum claim c);

enum state {
    STATE_NOT_TESTED,
    STATE_NOT_TESTABLE,
    STATE_INCONCLUSIVE,
    STATE_CONSISTENT,
    STATE_INCONSISTENT,
    STATE_COUNT
};
const char *state_name(enum state s);

/* The stronger, the smaller. */
enum tier_of_evidence {
    TIER_ISSUER = 1, /* the vendor accepts or refuses what came back */
    TIER_ACCOUNTING, /* exact arithmetic on what is billed */
    TIER_LIVE,       /* statistics against a live reference */
    TIER_SNAPSHOT,   /* statistics against what was recorded once; accuses nobody */
    TIER_SHAPE,      /* how answers look; accuses nobody */
    TIER_CONTEXT,    /* what a model says of itself: shown, weighs nothing */
};

struct finding {
    enum claim claim;
    enum state state;
    uint8_t tier;
    bool has_p;   /* a test made it: verdicts_settle sets its state */
    bool unusual; /* inconclusive, and not what an honest one is thought to give: as of a test */
    bool part;    /* of what the claim says it looks at one thing alone */
    bool excused; /* something that honest ones do explains it: it accuses nobody */
    bool blind;   /* that test could hardly have seen anything: it vouches for nothing */
    double p, p_adjusted;
    const char *probe, *group; /* findings of a group rest on the same calls */
    struct str text;           /* what was seen: a sentence with its numbers */
    struct str missed;         /* what this would not have noticed; or empty. Of TIER_CONTEXT: what
                                  is known of the worth of such a test */
    struct str benign;         /* what else may explain it; or empty */
    struct str numbers;        /* members of a JSON object; or empty */
};

#define FINDINGS_MAX 160 /* the probes of one report make half of that at most */
struct verdicts {
    struct arena arena;
    size_t count;
    struct finding findings[FINDINGS_MAX];
};
void verdicts_init(struct verdicts *v);
void verdicts_release(struct verdicts *v);
/* Copies its texts. A weak tier's STATE_INCONSISTENT becomes STATE_INCONCLUSIVE. */
void verdicts_add(struct verdicts *v, const struct finding *f);
/*
 * After all findings: Holm over those that a test made. A p that is small for the whole report
 * accuses; one that is only unusual asks for another run.
 */
#define P_ACCUSES 0.001
#define P_UNUSUAL 0.01
void verdicts_settle(struct verdicts *v);
/* What people usually ask: it has no state, and a name that they know (its group). */
bool finding_folk(const struct finding *f);
/* The finding that decides a claim; NULL: it was not tested. */
const struct finding *verdicts_decisive(const struct verdicts *v, enum claim c);
enum state verdicts_state(const struct verdicts *v, enum claim c);

/* 0: something is consistent by more than looks, and nothing inconsistent; 2: nothing was decided;
 * 3: something is inconsistent. */
int verdicts_status(const struct verdicts *v);

#endif
