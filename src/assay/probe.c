/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/probe.h"

#define QUICK PROFILE_BIT(PROFILE_QUICK)
#define STANDARD PROFILE_BIT(PROFILE_STANDARD)
#define DEEP PROFILE_BIT(PROFILE_DEEP)
#define FOLK PROFILE_BIT(PROFILE_FOLK)

const struct probe probes[] = {
    {"tokens", QUICK | STANDARD | DEEP, true,
     "which tokenizer counts, by what factor, and how much stands around a text", tokens_plan,
     tokens_judge, NULL, NULL},
    {"count", QUICK | STANDARD | DEEP, true,
     "whether what is billed is what the vendor's own path counts beforehand", count_plan,
     count_judge, NULL, "tokens"},
    {"arithmetic", QUICK | STANDARD | DEEP | FOLK, false, "whether the counts add up", NULL,
     arithmetic_judge, NULL, NULL},
    {"common", QUICK | STANDARD | DEEP | FOLK, false,
     "what answers to different requests have in common", NULL, common_judge, NULL, NULL},
    {"output", STANDARD | DEEP, false, "by what factor output is counted", output_plan,
     output_judge, NULL, "tokens"},
    {"ids", QUICK | STANDARD | DEEP | FOLK, false, "whether ids are a vendor's own", NULL,
     ids_judge, NULL, NULL},
    {"shape", QUICK | STANDARD | DEEP | FOLK, false,
     "whose answers, streams and headers these look like", NULL, shape_judge, NULL, NULL},
    {"errors", QUICK | STANDARD | DEEP, false,
     "whether what is wrong on purpose is refused, and in whose words", errors_plan, errors_judge,
     NULL, NULL},
    {"answers", STANDARD | DEEP, true, "whether a reference gives the same short answers as often",
     answers_plan, answers_judge, NULL, "starts"},
    {"starts", STANDARD | DEEP, true, "whether texts begin alike where nothing is left to chance",
     starts_plan, starts_judge, NULL, NULL},
    {"snapshot", STANDARD | DEEP, false, "which of the models that were once recorded answers so",
     snapshot_plan, snapshot_judge, NULL, NULL},
    {"texts", DEEP, true, "whether a reference continues texts alike", texts_plan, texts_judge,
     NULL, "starts"},
    {"logprobs", STANDARD | DEEP, true, "whether a reference finds the same words as likely",
     logprobs_plan, logprobs_judge, logprobs_follow, NULL},
    {"stream", STANDARD | DEEP, false, "whether streams come as they are made, and cost the same",
     stream_plan, stream_judge, NULL, NULL},
    {"again", STANDARD | DEEP, false, "whether an answer is sold twice", again_plan, again_judge,
     NULL, "tokens"},
    {"settings", STANDARD | DEEP, false,
     "whether stop, the limit of output and temperature are kept", settings_plan, settings_judge,
     NULL, NULL},
    {"toolset", STANDARD | DEEP, true, "whether tools are called when and as they should be",
     toolset_plan, toolset_judge, NULL, NULL},
    {"tools", QUICK | STANDARD | DEEP, false, "whether arguments of a call come back unchanged",
     tools_plan, tools_judge, tools_follow, NULL},
    {"vision", STANDARD | DEEP, false, "whether pictures are seen", vision_plan, vision_judge, NULL,
     NULL},
    {"thoughts", STANDARD | DEEP, false,
     "whose signature thoughts bear, and whether they are shown", thoughts_plan, thoughts_judge,
     thoughts_follow, NULL},
    {"cache", STANDARD | DEEP, false, "whether what is read from a cache is billed as such",
     cache_plan, cache_judge, NULL, "tokens"},
    {"context", STANDARD | DEEP | FOLK, false, "whether long input arrives whole", context_plan,
     context_judge, context_follow, NULL},
    {"folk", STANDARD | DEEP | FOLK, false,
     "what people ask to tell models apart, with what it is worth", folk_plan, folk_judge, NULL,
     NULL},
};
const size_t probe_count = sizeof(probes) / sizeof(probes[0]);

const struct record *probe_find(const struct evidence *e, const char *probe, const char *cell,
                                uint64_t k)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->answered && !r->reference && r->k == k && str_eq(r->probe, str_from(probe)) &&
            str_eq(r->cell, str_from(cell))) {
            return r;
        }
    }
    return NULL;
}

void probes_judge(const struct evidence *e, struct verdicts *v)
{
    for (size_t i = 0; i < probe_count; i++) {
        probes[i].judge(e, v);
    }
    verdicts_settle(v);
}
