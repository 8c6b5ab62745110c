/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A long prompt that nobody has sent before, and the same again right behind it: at first nothing
 * of it can come out of a cache; then most of it may, and where the vendor bills that for less the
 * seller should, too. Vendors differ in when they keep a prompt: this accuses nobody.
 */
#include <stdio.h>

#include "assay/probe.h"

#define TEXT_MAX (64 << 10)
#define PROMPTS 2
#define TEMPLATE_SHARE 50 /* one token of so many */
#define LINES 150         /* 2,000 tokens: vendors keep prompts from 1,024 on */

static const char *const cells[PROMPTS] = {"prompt 1", "prompt 2"};

void cache_plan(struct plan *p, const struct probe *self)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    for (unsigned i = 0; i < PROMPTS; i++) {
        plan_nonce(p, &text);
        for (unsigned k = 0; k < LINES; k++) {
            buf_add(&text,
                    STR("\nCargo is weighed at the gate, and again when it leaves the port."));
        }
        plan_add(p, self, cells[i], 0,
                 &(struct question){.system = buf_str(&text),
                                    .text = STR("Say yes."),
                                    .max_tokens = 16,
                                    .repeat = 1,
                                    .cache = true});
        buf_clear(&text);
    }
    buf_release(&text);
}

void cache_judge(const struct evidence *e, struct verdicts *v)
{
    uint64_t input = 0, at_first = 0, again = 0;
    unsigned pairs = 0;
    char text[320];

    for (unsigned i = 0; i < PROMPTS; i++) {
        const struct record *a = probe_find(e, "cache", cells[i], 0);
        const struct record *b = probe_find(e, "cache", cells[i], 1);
        if (a != NULL && b != NULL && a->said.usage.state != USAGE_MISSING &&
            b->said.usage.state != USAGE_MISSING) {
            pairs++;
            input += usage_input(&b->said.usage);
            at_first += a->said.usage.cache_read;
            again += b->said.usage.cache_read;
        }
    }
    if (pairs == 0) {
        return;
    }
    /* Servers that keep what requests have in common keep a template's first tokens from others. */
    bool passed_on = at_first * TEMPLATE_SHARE <= input && again * 2 > input;
    int n = snprintf(text, sizeof(text),
                     "Of %u new prompts %llu tokens were billed as read from a cache at first "
                     "sight, and %llu of %llu right behind that.",
                     pairs, (unsigned long long)at_first, (unsigned long long)again,
                     (unsigned long long)input);
    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_CACHE_BILLING,
                        .tier = TIER_SHAPE,
                        .probe = "cache",
                        .group = "cache",
                        .text = str_slice(text, (size_t)n),
                        .state = passed_on ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
                        .missed = passed_on ? STR("what is really asked for such tokens; a cache "
                                                  "that is shared with strangers")
                                            : STR(""),
                        .benign = passed_on ? STR("")
                                            : STR("the vendor keeps no prompts of this length, or "
                                                  "two machines answered; a prompt of the seller's "
                                                  "own that stands first and is in the cache")});
}
