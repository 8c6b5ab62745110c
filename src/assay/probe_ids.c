/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether ids are a vendor's own: some hold the time at which they were made. It asks nothing
 * itself. A shape is cheap to imitate and honest gateways make ids of their own, so this accuses
 * nobody.
 */
#include <stdio.h>

#include "assay/ids.h"
#include "assay/probe.h"

#define LEAST 5
#define APART 900 /* seconds: this machine's clock may be wrong */

struct ids {
    unsigned seen, dated, right;
    const char *vendor;
};

static void look(const struct record *r, struct ids *s)
{
    int64_t made = 0, now = (int64_t)(r->sent_us / 1000000);
    const char *vendor = id_time(r->said.id, &made);

    s->seen++;
    if (vendor != NULL) {
        s->vendor = vendor;
        s->dated++;
        s->right += made > now - APART && made < now + APART;
    }
}

static void say(struct verdicts *v, const struct ids *s, struct str text)
{
    bool own = s->right == s->seen;

    verdicts_add(v,
                 &(struct finding){
                     .claim = CLAIM_PROVENANCE,
                     .tier = TIER_SHAPE,
                     .probe = "ids",
                     .group = "ids",
                     .state = s->dated == 0 ? STATE_NOT_TESTABLE
                              : own         ? STATE_CONSISTENT
                                            : STATE_INCONCLUSIVE,
                     .text = text,
                     .missed = own ? STR("ids that were imitated, which is easy; and it says "
                                         "nothing of which model answered")
                                   : STR(""),
                     .benign = own ? STR("")
                                   : STR("an honest gateway that converts between dialects makes "
                                         "ids of its own; most vendors' ids hold no time")});
}

void ids_judge(const struct evidence *e, struct verdicts *v)
{
    struct ids s = {0};
    char text[320];
    int n;

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        bool wrong = str_eq(r->probe, STR("errors")); /* of a model that was not asked for */
        if (r->answered && !r->reference && !wrong && r->said.id.n > 0) {
            look(r, &s);
        }
    }
    if (s.seen < LEAST) {
        return;
    }
    if (s.dated == 0) {
        n = snprintf(text, sizeof(text),
                     "None of %u ids is of a shape that holds the time at which it was made.",
                     s.seen);
    } else if (s.right == s.seen) {
        n = snprintf(text, sizeof(text),
                     "All %u ids are of the shape of %s, and the times in them are those of the "
                     "answers.",
                     s.seen, s.vendor);
    } else {
        n = snprintf(text, sizeof(text),
                     "Of %u ids %u are of the shape of %s, but only in %u is the time in them that "
                     "of the answer: the others were made by somebody else, or earlier.",
                     s.seen, s.dated, s.vendor, s.right);
    }
    say(v, &s, str_slice(text, (size_t)n));
}
