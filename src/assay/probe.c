/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/probe.h"

#define QUICK PROFILE_BIT(PROFILE_QUICK)
#define STANDARD PROFILE_BIT(PROFILE_STANDARD)
#define DEEP PROFILE_BIT(PROFILE_DEEP)
#define FOLK PROFILE_BIT(PROFILE_FOLK)

const struct probe probes[] = {
    {"tokens", QUICK | STANDARD | DEEP, true,
     "which tokenizer counts, by what factor, and how much stands around a text", tokens_plan,
     tokens_judge},
    {"arithmetic", QUICK | STANDARD | DEEP | FOLK, false, "whether the counts add up", NULL,
     arithmetic_judge},
    {"answers", STANDARD | DEEP, true, "whether a reference gives the same short answers as often",
     answers_plan, answers_judge},
    {"folk", STANDARD | DEEP | FOLK, false,
     "what people ask to tell models apart, with what it is worth", folk_plan, folk_judge},
};
const size_t probe_count = sizeof(probes) / sizeof(probes[0]);

void probes_judge(const struct evidence *e, struct verdicts *v)
{
    for (size_t i = 0; i < probe_count; i++) {
        probes[i].judge(e, v);
    }
    verdicts_settle(v);
}
