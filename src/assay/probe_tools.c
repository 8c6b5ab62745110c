/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canaries in the arguments of a tool's call: a name that cannot be guessed has to come back to the
 * byte. The same name is also to be repeated as text, to see whether the model can copy at all.
 */
#include <stdio.h>

#include "assay/probe.h"
#include "assay/toolset.h"

#define TIMES 3

void tools_plan(struct plan *p, const struct probe *self)
{
    struct buf name, text;

    buf_init(&name, 64);
    buf_init(&text, 1024);
    for (unsigned i = 0; i < 2 * TIMES; i++) {
        bool call = i % 2 == 0;
        buf_add(&name, STR("pkg-"));
        plan_nonce(p, &name);
        buf_add(&name, STR(".example.org/harbour"));
        buf_cat(&text,
                call ? STR("Call the tool get_weather with this city, exactly as it stands: ")
                     : STR("Repeat this, exactly as it stands, and say nothing else: "),
                buf_str(&name));
        plan_add(p, self, call ? "call" : "echo", i / 2,
                 &(struct question){.text = buf_str(&text),
                                    .expect = buf_str(&name),
                                    .max_tokens = 300,
                                    .tools = &tool_weather,
                                    .tool_count = call});
        buf_clear(&name);
        buf_clear(&text);
    }
    buf_release(&name);
    buf_release(&text);
}

struct copies {
    unsigned calls, right, changed; /* changed: something else stands in its place */
    unsigned echoes, echoed;
};

static void gather(const struct evidence *e, struct copies *c)
{
    for (unsigned i = 0; i < TIMES; i++) {
        const struct record *call = probe_find(e, "tools", "call", i);
        const struct record *echo = probe_find(e, "tools", "echo", i);
        struct str city =
            call != NULL ? json_str(json_get(call->said.calls[0].arguments, "city")) : STR("");
        if (city.n > 0) {
            c->calls++;
            c->right += str_eq(city, call->expect);
            c->changed += !str_eq(city, call->expect);
        }
        if (echo != NULL && echo->expect.n > 0) {
            c->echoes++;
            c->echoed += str_find(buf_str(&echo->said.text), echo->expect) != SIZE_MAX;
        }
    }
}

void tools_judge(const struct evidence *e, struct verdicts *v)
{
    struct copies c = {0};
    char text[320];

    gather(e, &c);
    if (c.calls == 0) {
        return;
    }
    /* Only who copies well as text, and never as an argument, is not just a weak model. */
    bool edited = c.changed == TIMES && c.echoed == TIMES;
    bool kept = c.right == TIMES;
    int n = snprintf(text, sizeof(text),
                     "Of %u calls of a tool %u had the argument that was asked for to the byte; as "
                     "text it was copied %u times of %u.",
                     c.calls, c.right, c.echoed, c.echoes);
    verdicts_add(v,
                 &(struct finding){
                     .claim = CLAIM_TOOLS,
                     .tier = TIER_ACCOUNTING,
                     .probe = "tools",
                     .group = "tools",
                     .text = str_slice(text, (size_t)n),
                     .state = kept     ? STATE_CONSISTENT
                              : edited ? STATE_INCONSISTENT
                                       : STATE_INCONCLUSIVE,
                     .missed = kept ? STR("changes to some arguments alone, such as commands, or "
                                          "only after many calls")
                                    : STR(""),
                     .benign = kept ? STR("") : STR("a model that is weak at calling tools")});
}
