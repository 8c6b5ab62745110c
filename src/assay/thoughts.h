/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of the probe of thoughts: the cells of its chains, and thoughts in answers. A chain asks, gives
 * the turn back as it came, once more with its signature altered, and then to the reference, which
 * has to take its own in the same way.
 */
#ifndef ASSAY_THOUGHTS_H
#define ASSAY_THOUGHTS_H

#include "assay/probe.h"
#include "assay/signature.h"

#define THOUGHTS_SIGNED 2 /* chains whose turns are given back */

extern const char *const thoughts_asks[3], *const thoughts_adaptives[3];
extern const char *const thoughts_returned[THOUGHTS_SIGNED],
    *const thoughts_altered, *const thoughts_presented[THOUGHTS_SIGNED],
                                 *const thoughts_altered_there, *const thoughts_own,
                                                                    *const thoughts_own_returned,
                                                                        *const thoughts_own_name;

struct thought {
    bool shown;           /* there is one, even if its text is hidden */
    struct str signature; /* of the first that has one; or empty */
};
/* Of a whole answer. */
struct thought thought_of(const struct said *s, enum dialect d);

#define THOUGHTS_ASKS 6
struct asked {
    const struct record *r;
    struct thought thought;
    struct signature signature;
};
/* What came of the chains. */
struct facts {
    struct asked asks[THOUGHTS_ASKS]; /* answered, of the target */
    unsigned n, shown, is_signed, claude;
    unsigned same, other; /* names in signatures, against what is sold */
    struct str sold, own_model;
    bool says_claude;
    const struct record *returned[THOUGHTS_SIGNED], *presented[THOUGHTS_SIGNED]; /* whatever came */
    const struct record *altered, *altered_there, *own_returned;
    struct signature own; /* of the reference; kind NONE: it gave none */
};
void thoughts_gather(struct facts *f, const struct evidence *e);
bool thoughts_accepted(const struct record *r);
/* By what the request is, whatever it says. */
bool thoughts_refused(const struct record *r);
void thoughts_say(struct verdicts *v, enum claim claim, enum state state, unsigned tier,
                  struct str text, struct str other);
/* Whether who signs takes it back: probe_issuer.c. */
void thoughts_judge_issuer(const struct facts *f, struct verdicts *v);

#endif
