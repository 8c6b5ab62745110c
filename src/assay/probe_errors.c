/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are wrong on purpose and cost nothing where they are refused: in whose words that
 * is, what the words give away, and whether it is done at all. Gateways have words of their own,
 * and some servers take what they do not understand: this accuses nobody.
 */
#include <stdio.h>

#include "assay/leak.h"
#include "assay/probe.h"
#include "assay/shape.h"

static const struct tool broken[] = {
    {"get_weather", "The weather in a city.", "{\"type\":\"object\",\"properties\":7}"}};

enum wrong { WRONG_MODEL, WRONG_LIMIT, WRONG_TEMPERATURE, WRONG_SCHEMA, WRONG_EMPTY, WRONG_JSON };
static const struct {
    const char *cell, *what;
    bool feature; /* that it is taken means that it is dropped, or made smaller */
} wrongs[] = {
    [WRONG_MODEL] = {"model", "Asked for a model of which there is none, it answers all the same.",
                     false},
    [WRONG_LIMIT] = {"limit", "A limit of a billion tokens is taken.", true},
    [WRONG_TEMPERATURE] = {"temperature", "A temperature of -1 is taken.", true},
    [WRONG_SCHEMA] = {"schema", "A tool is taken whose schema is none.", false},
    [WRONG_EMPTY] = {"empty", "A request without a message is answered.", false},
    [WRONG_JSON] = {"json", "JSON that breaks off is answered.", false},
};
#define WRONGS (sizeof(wrongs) / sizeof(wrongs[0]))

void errors_plan(struct plan *p, const struct probe *self)
{
    struct buf name;

    buf_init(&name, 64);
    buf_add(&name, STR("no-such-model-"));
    plan_nonce(p, &name);
    buf_add(&name, str_slice("", 1));
    struct str model = arena_str(&p->arena, buf_str(&name));
    for (enum wrong w = WRONG_MODEL; w <= WRONG_JSON; w++) {
        struct question q = {
            .text = STR("Say good morning in one word."), .max_tokens = 16, .wrong = true};
        switch (w) {
        case WRONG_MODEL: q.model = model.p; break;
        case WRONG_LIMIT: q.max_tokens = 1000000000; break;
        case WRONG_TEMPERATURE: q.temperature = "-1"; break;
        case WRONG_SCHEMA:
            q.tools = broken;
            q.tool_count = 1;
            break;
        case WRONG_EMPTY: q.silent = true; break;
        case WRONG_JSON:
            q.ask = ASK_RAW;
            q.text = STR("{\"model\":\"x\",\"messages\":[{");
            break;
        }
        plan_add(p, self, wrongs[w].cell, 0, &q);
    }
    buf_release(&name);
}

struct refusals {
    unsigned asked, refused;
    bool taken[WRONGS];
    unsigned by[MAKERS], known;
    struct leaks leaks;
};

/* Busy, or broken: that says nothing. */
static bool is_refusal(unsigned status)
{
    return status >= 400 && status < 500 && status != 401 && status != 403 && status != 408 &&
           status != 429;
}

static void look(const struct record *r, struct refusals *s)
{
    if (is_refusal(r->status)) {
        enum maker m = shape_refusal(r->body);
        s->asked++;
        s->refused++;
        if (m < MAKERS) {
            s->by[m]++;
            s->known++;
        }
    } else if (r->answered) {
        s->asked++;
        for (size_t i = 0; i < WRONGS; i++) {
            s->taken[i] |= str_eq(r->cell, str_from(wrongs[i].cell));
        }
    }
    if (r->status >= 400) {
        leaks_find(&s->leaks, r->body);
    }
}

static void add(struct verdicts *v, enum claim claim, enum tier_of_evidence tier, enum state state,
                struct buf *text, struct str missed, struct str benign)
{
    verdicts_add(v, &(struct finding){.claim = claim,
                                      .state = state,
                                      .tier = (uint8_t)tier,
                                      .probe = "errors",
                                      .group = "errors",
                                      .text = buf_str(text),
                                      .missed = missed,
                                      .benign = benign});
    buf_clear(text);
}

/* One alone may be chance, and OpenAI's words are copied by whoever speaks its dialect. */
static enum state state_of_words(const struct refusals *s, struct str model)
{
    bool fits = true, gateway = false;

    for (enum maker m = 0; m < MAKERS; m++) {
        fits = fits && (s->by[m] == 0 || maker_fits(m, model));
        gateway |= s->by[m] > 0 && maker_is_gateway(m);
    }
    if (!gateway && (s->known < 2 || (maker_of(model) == MAKERS && s->by[MAKER_OPENAI] > 0))) {
        return STATE_NOT_TESTABLE;
    }
    return fits ? STATE_CONSISTENT : STATE_INCONCLUSIVE;
}

/* In whose words it refuses. */
static void say_words(struct verdicts *v, const struct refusals *s, struct str model,
                      struct buf *text)
{
    enum state state = state_of_words(s, model);
    bool first = true;

    if (s->refused == 0) {
        return;
    }
    if (s->known == 0) {
        buf_addf(text,
                 "%u of %u requests that are wrong on purpose are refused, in words of nobody that "
                 "is known here.",
                 s->refused, s->asked);
        add(v, CLAIM_PROVENANCE, TIER_SHAPE, STATE_NOT_TESTABLE, text, STR(""), STR(""));
        return;
    }
    buf_addf(text, "%u of %u requests that are wrong on purpose are refused, in the words of ",
             s->refused, s->asked);
    for (enum maker m = 0; m < MAKERS; m++) {
        if (s->by[m] > 0) {
            buf_addf(text, "%s%s (%u)", first ? "" : ", ", maker_name(m), s->by[m]);
            first = false;
        }
    }
    buf_add_byte(text, '.');
    add(v, CLAIM_PROVENANCE, TIER_SHAPE, state, text,
        state == STATE_CONSISTENT
            ? STR("words that were copied; and it says nothing of which model answers")
            : STR(""),
        state == STATE_INCONCLUSIVE
            ? STR("a gateway has words of its own, and may be any vendor's customer")
            : STR(""));
}

/* Whether what is beyond all bounds is taken. */
static void say_taken(struct verdicts *v, const struct refusals *s, struct buf *text)
{
    bool feature = false, any = false;

    for (size_t i = 0; i < WRONGS; i++) {
        feature |= s->taken[i] && wrongs[i].feature;
        any |= s->taken[i] && i != WRONG_MODEL;
    }
    if (any) {
        for (enum wrong w = WRONG_LIMIT; w <= WRONG_JSON; w++) {
            if (s->taken[w]) {
                buf_addf(text, "%s%s", text->n > 0 ? " " : "", wrongs[w].what);
            }
        }
        /* That the others are taken drops nothing that anybody could have wanted. */
        add(v, CLAIM_FEATURES, feature ? TIER_SHAPE : TIER_CONTEXT, STATE_INCONCLUSIVE, text,
            STR(""),
            feature ? STR("a server that makes such a setting smaller, or takes none, and says so")
                    : STR("a server that does not look at what it does not use"));
    }
    if (s->taken[WRONG_MODEL]) {
        buf_add(text, str_from(wrongs[WRONG_MODEL].what));
        add(v, CLAIM_IDENTITY, TIER_SHAPE, STATE_INCONCLUSIVE, text, STR(""),
            STR("a server of one model, which does not look at the name; a gateway that says what "
                "it serves instead"));
    }
}

/* What the words give away; of a secret only that it is there. */
static void say_leaks(struct verdicts *v, const struct leaks *l, struct buf *text)
{
    if (l->count == 0 && !l->secret && !l->path) {
        return;
    }
    if (l->count > 0) {
        buf_addf(text, "Its refusals name other hosts: ");
        for (size_t i = 0; i < l->count; i++) {
            buf_addf(text, "%s%s", i == 0 ? "" : ", ", l->hosts[i]);
        }
        buf_add_byte(text, '.');
    }
    if (l->secret) {
        buf_addf(text, "%sThey hold what looks like a key.", text->n > 0 ? " " : "");
    }
    if (l->path) {
        buf_addf(text, "%sThey name a path of its files.", text->n > 0 ? " " : "");
    }
    verdicts_add(v, &(struct finding){.claim = CLAIM_PROVENANCE,
                                      .state = STATE_INCONCLUSIVE,
                                      .tier = TIER_CONTEXT,
                                      .probe = "errors",
                                      .group = "errors",
                                      .text = buf_str(text)});
    buf_clear(text);
}

void errors_judge(const struct evidence *e, struct verdicts *v)
{
    struct refusals s = {0};
    struct buf text;

    leaks_init(&s.leaks, e->head.target.url);
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (!r->reference && str_eq(r->probe, STR("errors"))) {
            look(r, &s);
        }
    }
    buf_init(&text, 4096);
    say_words(v, &s, e->head.target.model, &text);
    say_taken(v, &s, &text);
    say_leaks(v, &s.leaks, &text);
    buf_release(&text);
}
