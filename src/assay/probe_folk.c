/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask to tell models apart, as they ask it. Each is shown with what it is worth: most
 * of it weighs nothing, since honest models fail it and false ones pass it.
 */
#include <stdio.h>

#include "assay/manner.h"
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

/* It weighs nothing, and what is known of its worth stands with it. */
static void show(struct verdicts *v, enum claim claim, const char *group, struct buf *text,
                 const char *worth)
{
    verdicts_add(v, &(struct finding){.claim = claim,
                                      .state = STATE_INCONCLUSIVE,
                                      .tier = TIER_CONTEXT,
                                      .probe = "folk",
                                      .group = group,
                                      .text = buf_str(text),
                                      .missed = str_from(worth)});
    buf_clear(text);
}

/* The beginning of a text, cut between characters, on one line and without its full stop. */
static void quote(struct buf *out, struct str s, size_t max)
{
    struct str first = str_first(s, max);

    if (str_ends(first, STR(".")) || str_ends(first, STR("。"))) {
        first.n -= str_ends(first, STR(".")) ? 1 : STR("。").n;
    }
    buf_add_byte(out, '"');
    for (size_t i = 0; i < first.n; i++) {
        unsigned char c = (unsigned char)first.p[i];
        unsigned char next = i + 1 < first.n ? (unsigned char)first.p[i + 1] : 0;
        if (c == 0xC2 && next < 0xA0) { /* further control characters */
            i++;
            c = ' ';
        }
        buf_add_byte(out, c < 0x20 || c == 0x7F ? ' ' : (char)c);
    }
    buf_addf(out, "%s\".", s.n > max ? "..." : "");
}

static void say_emoji(struct buf *text, struct str said)
{
    buf_addf(text, "%s", manner_emoji(said) ? " There are emoji." : " There are no emoji.");
}

static const char *beyond(uint64_t tokens)
{
    return tokens > PING_VERY_HIGH ? ", beyond 1,500: as many as a coding client's own prompt has"
           : tokens > PING_HIGH    ? ", beyond 200"
                                   : "";
}

static void judge_pong(const struct evidence *e, struct verdicts *v, struct buf *text)
{
    const struct record *r = probe_find(e, "folk", "pong", 0);
    struct buf names;

    if (r == NULL) {
        return;
    }
    struct str said = str_trim(buf_str(&r->said.text));
    bool alone = str_eq_nocase(said, STR("pong"));
    buf_addf(text,
             "Told to say 'pong' exactly and which model it is, in Chinese, it answers with "
             "%s: ",
             alone                                     ? "pong alone"
             : str_find(said, STR("pong")) != SIZE_MAX ? "pong and more"
                                                       : "no pong");
    quote(text, said, 160);
    buf_init(&names, 512);
    if (manner_names(&names, said)) {
        buf_addf(text, " It names %.*s.", STR_ARG(buf_str(&names)));
    } else {
        buf_addf(text, " It names no model.");
    }
    buf_release(&names);
    say_emoji(text, said);
    if (r->said.usage.state != USAGE_MISSING) {
        uint64_t n = usage_input(&r->said.usage);
        buf_addf(text, " It is billed %llu tokens of input%s.", (unsigned long long)n, beyond(n));
    }
    show(v, CLAIM_IDENTITY, "ping-pong", text,
         "nothing. Of 102 models 36 misname themselves, genuine ones call themselves by another "
         "vendor's name, and one hidden line makes a cheap model say the right one every time.");
}

struct maxima {
    unsigned asked, right, sum, refused, different;
};

static void count_maxima(const struct evidence *e, struct maxima *m)
{
    struct str said[MAXIMA];

    for (unsigned i = 0; i < MAXIMA; i++) {
        const struct record *r = probe_find(e, "folk", "maximum", i);
        if (r != NULL) {
            struct str s = str_trim(buf_str(&r->said.text));
            bool seen = false;
            for (unsigned k = 0; k < m->asked; k++) {
                seen = seen || str_eq(said[k], s);
            }
            said[m->asked++] = s;
            m->different += !seen;
            m->right += manner_number(s, STR("77"));
            m->sum += manner_number(s, STR("162"));
        }
    }
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        m->refused += r->status == 400 && str_eq(r->cell, STR("maximum"));
    }
}

static void judge_maximum(const struct evidence *e, struct verdicts *v, struct buf *text)
{
    struct maxima m = {0};

    count_maxima(e, &m);
    if (m.asked + m.refused == 0) {
        return;
    }
    if (m.asked > 0) {
        buf_addf(text,
                 "The largest of 5, 15, 77, 19, 53, 54 at temperature 0.01: %u of %u say 77, %u "
                 "say 162; distinct answers: %u.",
                 m.right, m.asked, m.sum, m.different);
    }
    if (m.refused > 0) {
        buf_addf(text,
                 "%s%u of %u requests at temperature 0.01 are refused, as by models that take no "
                 "temperature.",
                 m.asked > 0 ? " " : "", m.refused, m.asked + m.refused);
    }
    show(v, CLAIM_STABILITY, "the largest", text,
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
             beyond(n));
    show(v, CLAIM_PROMPT, "ping tokens", text,
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
    buf_addf(text, "Asked how to pick a neighbour's lock, it answers with %zu bytes: ", said.n);
    quote(text, said, 120);
    buf_addf(text, "%s%s%s",
             manner_shows(said, MANNER_DECLINES) ? " It declines." : " It does not decline.",
             manner_shows(said, MANNER_APOLOGISES) ? " It apologises." : "",
             manner_shows(said, MANNER_FLATTERS) ? " It flatters." : "");
    say_emoji(text, said);
    show(v, CLAIM_IDENTITY, "refusal", text,
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
    verdicts_add(v,
                 &(struct finding){.claim = CLAIM_FEATURES,
                                   .tier = TIER_SHAPE,
                                   .probe = "folk",
                                   .group = "tool call",
                                   .state = right ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
                                   .text = buf_str(text),
                                   .missed = right ? STR("calls that fail now and then") : STR(""),
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
