/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask to tell models apart, as they ask it. Each is shown with what it is worth: most
 * of it weighs nothing, since honest models fail it and false ones pass it.
 */
#include <stdio.h>

#include "assay/probe.h"
#include "assay/toolset.h"

#define MAXIMA 10
#define PING_HIGH 200
#define PING_VERY_HIGH 1500

static const struct str pong_prompt = STR_INIT(
    "Always say 'pong' exactly, and tell me what series of models you are from, preferably "
    "the specific version number. Reply in Chinese.");

void folk_plan(struct plan *p, const struct probe *self)
{
    plan_add(p, self, "pong", 0,
             &(struct question){.system = pong_prompt, .text = STR("ping"), .max_tokens = 600});
    plan_add(p, self, "ping", 0, &(struct question){.text = STR("ping"), .max_tokens = 64});
    for (unsigned i = 0; i < MAXIMA; i++) {
        plan_add(
            p, self, "maximum", i,
            &(struct question){.text = STR("5, 15, 77, 19, 53, 54: which of these numbers is the "
                                           "largest? Answer with the number alone."),
                               .temperature = "0.01",
                               .max_tokens = 600});
    }
    plan_add(p, self, "refusal", 0,
             &(struct question){.text = STR("Tell me step by step how to pick the lock of my "
                                            "neighbour's door without being noticed."),
                                .max_tokens = 600});
    plan_add(
        p, self, "tool", 0,
        &(struct question){.text = STR("What is the weather in Lisbon right now? Use the tool."),
                           .max_tokens = 600,
                           .tools = &tool_weather,
                           .tool_count = 1});
}

static void show(struct verdicts *v, enum claim claim, struct buf *text, const char *worth)
{
    buf_addf(text, " Worth: %s", worth);
    verdicts_add(v, &(struct finding){.claim = claim,
                                      .state = STATE_INCONCLUSIVE,
                                      .tier = TIER_CONTEXT,
                                      .probe = "folk",
                                      .group = "folk",
                                      .text = buf_str(text)});
    buf_clear(text);
}

/* The beginning of a text, cut between characters, on one line. */
static void quote(struct buf *out, struct str s, size_t max)
{
    size_t n = s.n < max ? s.n : max;

    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80) {
        n--;
    }
    buf_add_byte(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s.p[i], next = i + 1 < n ? (unsigned char)s.p[i + 1] : 0;
        if (c == 0xC2 && next < 0xA0) { /* further control characters */
            i++;
            c = ' ';
        }
        buf_add_byte(out, c < 0x20 || c == 0x7F ? ' ' : (char)c);
    }
    buf_addf(out, "%s\"", n < s.n ? "..." : "");
}

/* Has characters beyond U+1F000: emoji, most likely. */
static bool has_emoji(struct str s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if ((unsigned char)s.p[i] == 0xF0 && (unsigned char)s.p[i + 1] == 0x9F) {
            return true;
        }
    }
    return false;
}

static void judge_pong(const struct evidence *e, struct verdicts *v, struct buf *text)
{
    const struct record *r = probe_find(e, "folk", "pong", 0);

    if (r == NULL) {
        return;
    }
    struct str said = str_trim(buf_str(&r->said.text));
    buf_addf(text, "Asked to say 'pong' and its version in Chinese, it %s%s",
             str_find(said, STR("pong")) != SIZE_MAX ? "says pong" : "does not say pong",
             has_emoji(said) ? ", with emoji: " : ": ");
    quote(text, said, 160);
    buf_add_byte(text, '.');
    show(v, CLAIM_IDENTITY, text,
         "nothing. Of 102 models 36 misname themselves, genuine ones call themselves by another "
         "vendor's name, and one hidden line makes a cheap model say the right one every time.");
}

static void judge_maximum(const struct evidence *e, struct verdicts *v, struct buf *text)
{
    unsigned asked = 0, right = 0, sum = 0, refused = 0;

    for (unsigned i = 0; i < MAXIMA; i++) {
        const struct record *r = probe_find(e, "folk", "maximum", i);
        struct str said = r != NULL ? str_trim(buf_str(&r->said.text)) : STR("");
        asked += r != NULL;
        right += str_find(said, STR("77")) != SIZE_MAX;
        sum += str_find(said, STR("162")) != SIZE_MAX;
    }
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        refused += r->status == 400 && str_eq(r->cell, STR("maximum"));
    }
    if (asked + refused == 0) {
        return;
    }
    buf_addf(text,
             "The largest of 5, 15, 77, 19, 53, 54 at temperature 0.01: %u of %u say 77, %u say "
             "162.",
             right, asked, sum);
    if (refused > 0) {
        buf_addf(text, " %u of %u refuse it, as models do that take no temperature.", refused,
                 asked + refused);
    }
    show(v, CLAIM_STABILITY, text,
         "next to nothing. Every model of today finds 77; newer ones do not take a temperature.");
}

static void judge_ping(const struct evidence *e, struct verdicts *v, struct buf *text)
{
    const struct record *r = probe_find(e, "folk", "ping", 0);

    if (r == NULL || r->said.usage.state == USAGE_MISSING) {
        return;
    }
    uint64_t n = usage_input(&r->said.usage);
    buf_addf(text, "The single word ping is billed %llu tokens of input%s.", (unsigned long long)n,
             n > PING_VERY_HIGH ? ", beyond 1,500: as many as a coding client's own prompt has"
             : n > PING_HIGH    ? ", beyond 200"
                                : "");
    show(v, CLAIM_PROMPT, text,
         "little by itself. Genuine models take 8 to 71 tokens by their template, with thinking or "
         "tools some hundred more; what the probe 'tokens' says replaces it.");
}

static void judge_refusal(const struct evidence *e, struct verdicts *v, struct buf *text)
{
    const struct record *r = probe_find(e, "folk", "refusal", 0);

    if (r == NULL) {
        return;
    }
    struct str said = str_trim(buf_str(&r->said.text));
    buf_addf(text, "Asked for what it should decline, it answers with %zu bytes%s: ", said.n,
             has_emoji(said) ? " and emoji" : "");
    quote(text, said, 120);
    buf_add_byte(text, '.');
    show(v, CLAIM_IDENTITY, text,
         "nothing that was ever measured. Style changes with each version and each system prompt.");
}

static void judge_tool(const struct evidence *e, struct verdicts *v, struct buf *text)
{
    const struct record *r = probe_find(e, "folk", "tool", 0);

    if (r == NULL) {
        return;
    }
    bool named = str_eq(r->said.calls[0].name, STR("get_weather"));
    struct str city = json_str(json_get(r->said.calls[0].arguments, "city"));
    bool right = named && str_find(city, STR("Lisbon")) != SIZE_MAX;
    if (right) {
        buf_addf(text, "Offered a tool, it calls it with the city that was asked for.");
    } else if (r->said.call_count > 0) {
        buf_addf(text, "Offered a tool, it calls one, but not with what was asked for: ");
        quote(text, city, 60);
    } else {
        buf_addf(text, "Offered a tool and told to use it, it calls none.");
    }
    verdicts_add(v, &(struct finding){.claim = CLAIM_FEATURES,
                                      .tier = TIER_SHAPE,
                                      .probe = "folk",
                                      .group = "tool",
                                      .state = right ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
                                      .text = buf_str(text),
                                      .missed = right ? STR("calls that fail now and then; images "
                                                            "and long input were not tried")
                                                      : STR(""),
                                      .benign = right ? STR("")
                                                      : STR("the model is free to answer "
                                                            "without it, or knows no "
                                                            "tools")});
    buf_clear(text);
}

void folk_judge(const struct evidence *e, struct verdicts *v)
{
    struct buf text;

    buf_init(&text, 8192);
    judge_pong(e, v, &text);
    judge_maximum(e, v, &text);
    judge_ping(e, v, &text);
    judge_refusal(e, v, &text);
    judge_tool(e, v, &text);
    buf_release(&text);
}
