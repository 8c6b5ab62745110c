/* SPDX-License-Identifier: Apache-2.0 */
/* Reasoning is asked for in levels by some dialects and in tokens by others: the table between. */
#include "dialect/neutral.h"

static const struct {
    const char *word;
    int64_t budget; /* what it is sent as */
    int64_t up_to;  /* the largest budget that reads as it */
} levels[] = {
    [EFFORT_UNSAID] = {"", 0, -2},
    [EFFORT_NONE] = {"none", 0, 0},
    [EFFORT_MINIMAL] = {"minimal", 1024, 0},
    [EFFORT_LOW] = {"low", 1024, 2047},
    [EFFORT_MEDIUM] = {"medium", 4096, 8191},
    [EFFORT_HIGH] = {"high", 16384, 24575},
    [EFFORT_XHIGH] = {"xhigh", 32768, INT64_MAX},
    [EFFORT_MAX] = {"max", 32768, INT64_MAX},
};

enum effort effort_read(struct str word)
{
    for (unsigned e = EFFORT_NONE; e <= EFFORT_MAX; e++) {
        if (str_eq_nocase(word, str_from(levels[e].word))) {
            return (enum effort)e;
        }
    }
    return EFFORT_UNSAID;
}

const char *effort_word(enum effort e)
{
    return levels[e].word;
}

int64_t effort_budget(enum effort e)
{
    return levels[e].budget;
}

enum effort budget_effort(int64_t tokens)
{
    unsigned e = EFFORT_NONE;

    while (tokens > levels[e].up_to) {
        e++;
    }
    return (enum effort)e;
}

enum effort reasoning_effort(const struct reasoning *r)
{
    if (r->effort != EFFORT_UNSAID || !r->has_budget || r->budget < 0) {
        return (enum effort)r->effort;
    }
    return budget_effort(r->budget);
}
