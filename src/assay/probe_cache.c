/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A long prompt that nobody has sent before, and the same again right behind it: at first nothing
 * of it can come out of a cache; then most of it may, and where the vendor bills that for less the
 * seller should, too. Vendors differ in when they keep a prompt: that accuses nobody. What does is
 * that most of each new prompt is billed as read at first sight, beyond all that stands before it.
 */
#include <stdio.h>

#include "assay/probe.h"
#include "base/clock.h"

#define TEXT_MAX (64 << 10)
#define PROMPTS 3
#define TEMPLATE_SHARE 50 /* one token of so many */
#define LINES 110         /* 2,000 tokens: vendors keep prompts from 1,024 on */

static const char *const cells[PROMPTS] = {"prompt 1", "prompt 2", "prompt 3"};

/*
 * Each line has a number of its own: some servers keep any stretch of a text, not its beginning
 * alone. The numbers are of the time and not of the seed, or a second run finds those of the first.
 */
static void plan_lines(struct stat_random *random, struct buf *text)
{
    for (unsigned k = 0; k < LINES; k++) {
        buf_addf(text, "%08u is the number of the cargo that is weighed at the gate again.\n",
                 stat_below(random, 100000000));
    }
}

void cache_plan(struct plan *p, const struct probe *self)
{
    struct stat_random random;
    struct buf text;

    stat_seed(&random, (uint64_t)clock_wall_us());
    buf_init(&text, TEXT_MAX);
    for (unsigned i = 0; i < PROMPTS; i++) {
        plan_lines(&random, &text);
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

static bool has_usage(const struct record *r)
{
    return r != NULL && r->said.usage.state != USAGE_MISSING;
}

static void judge_pairs(const struct evidence *e, struct verdicts *v)
{
    uint64_t input = 0, at_first = 0, again = 0;
    unsigned pairs = 0;
    char text[320];

    for (unsigned i = 0; i < PROMPTS; i++) {
        const struct record *a = probe_find(e, "cache", cells[i], 0);
        const struct record *b = probe_find(e, "cache", cells[i], 1);
        if (has_usage(a) && has_usage(b)) {
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

/* What stands around any text and before it, by short requests: as billed, and as read. */
struct common {
    uint64_t around, read;
    bool known;
};

static struct common common_of(const struct evidence *e)
{
    struct common c = {0};

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (!r->answered || r->reference || !str_eq(r->probe, STR("tokens")) || !has_usage(r)) {
            continue;
        }
        uint64_t input = usage_input(&r->said.usage);
        c.read = r->said.usage.cache_read > c.read ? r->said.usage.cache_read : c.read;
        if (r->k == 0) {
            c.around = input > c.around ? input : c.around;
            c.known = true;
        }
    }
    return c;
}

/*
 * Whether more was read than any request has in common with another: what is left is less than half
 * of the new text. Where short requests read anything nothing is said: some gateways do not count
 * what was read as input, and with a prompt of the seller's own the two do not go together then.
 */
static bool read_too_much(const struct record *r, const struct common *c)
{
    uint64_t input, read = has_usage(r) ? r->said.usage.cache_read : 0, tries = 0;

    if (read == 0 || c->read > 0 || (input = usage_input(&r->said.usage)) <= c->around) {
        return false;
    }
    /* Where this program itself had to ask twice, the first time counts. */
    json_u64(json_get(json_root(r->doc), "tries"), &tries);
    return tries == 1 && 2 * (input - read) < input - c->around;
}

static void judge_first_sight(const struct evidence *e, struct verdicts *v)
{
    struct common c = common_of(e);
    uint64_t input = 0, read = 0;
    char text[320];

    for (unsigned i = 0; i < PROMPTS; i++) {
        const struct record *r = probe_find(e, "cache", cells[i], 0);
        if (!c.known || r == NULL || !read_too_much(r, &c)) {
            return; /* once or twice it may be an accident, as of a request that was sent again */
        }
        input += usage_input(&r->said.usage);
        read += r->said.usage.cache_read;
    }
    int n = snprintf(text, sizeof(text),
                     "All %d prompts that nobody had sent before are billed as read from a cache "
                     "at first sight: %llu of %llu tokens, where requests have at most %llu in "
                     "common.",
                     PROMPTS, (unsigned long long)read, (unsigned long long)input,
                     (unsigned long long)(PROMPTS * c.around));
    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_CACHE_BILLING,
                        .tier = TIER_ACCOUNTING,
                        .probe = "cache",
                        .group = "cache",
                        .text = str_slice(text, (size_t)n),
                        .state = STATE_INCONSISTENT,
                        .benign = STR("a gateway that names what it writes into a cache as read; "
                                      "a seller that says that it sends each prompt twice")});
}

void cache_judge(const struct evidence *e, struct verdicts *v)
{
    judge_pairs(e, v);
    judge_first_sight(e, v);
}
