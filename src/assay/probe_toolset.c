/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether tools are called where they should be, by their names, with arguments that keep the
 * schema that was offered. A weak model fails here and there, so that this alone accuses nobody;
 * beside a reference that is asked the same it does.
 */
#include <stdio.h>

#include "assay/probe.h"
#include "assay/toolset.h"
#include "json/schema.h"

#define SAMPLE 8 /* of each kind, where not all are asked */
#define DEEP_TIMES 3
#define REFUSED_LEAST 3
#define CALLS_LEAST 5 /* fewer tell nothing */
#define LOW_CALLS 0.7 /* what the share of calls that keep their schema must be above */
#define LOW_RIGHT 0.6
#define HIGH_CALLS 0.95
#define DOUBT 0.05 /* too little to accuse, and too much to vouch for it */
#define HOLM 4     /* tests of a report, about: what p has to stand */

static void plan_request(struct plan *p, const struct probe *self, const struct toolset_request *t)
{
    unsigned times = p->profile == PROFILE_DEEP && p->reference ? DEEP_TIMES : 1;

    for (unsigned i = 0; i < times; i++) {
        plan_add(p, self, t->name, i,
                 &(struct question){.text = str_from(t->text),
                                    .expect = t->kind == TOOLSET_TEXT ? STR("text") : STR("call"),
                                    .tools = t->tools,
                                    .tool_count = t->tool_count,
                                    .max_tokens = 300});
    }
}

void toolset_plan(struct plan *p, const struct probe *self)
{
    size_t left[TOOLSET_KINDS] = {0}, wanted[TOOLSET_KINDS];

    for (size_t i = 0; i < toolset_count; i++) {
        left[toolset_requests[i].kind]++;
    }
    for (enum toolset_kind k = 0; k < TOOLSET_KINDS; k++) {
        wanted[k] = p->profile == PROFILE_DEEP || left[k] < SAMPLE ? left[k] : SAMPLE;
    }
    for (size_t i = 0; i < toolset_count; i++) {
        const struct toolset_request *t = &toolset_requests[i];
        if (stat_below(&p->random, (uint32_t)left[t->kind]--) < wanted[t->kind]) {
            wanted[t->kind]--;
            plan_request(p, self, t);
        }
    }
}

/* The schema of the tool of that name that the request offered; NULL: it offered none. */
static const struct json *offered(const struct record *r, struct str name)
{
    static const struct {
        const char *list, *name, *schema;
    } places[] = {
        [DIALECT_CHAT] = {"request.tools", "function.name", "function.parameters"},
        [DIALECT_RESPONSES] = {"request.tools", "name", "parameters"},
        [DIALECT_MESSAGES] = {"request.tools", "name", "input_schema"},
        [DIALECT_GEMINI] = {"request.tools.0.functionDeclarations", "name", "parameters"},
    };
    struct json_each it = json_each(json_get(json_root(r->doc), places[r->dialect].list));

    while (json_next(&it)) {
        if (str_eq(json_str(json_get(it.value, places[r->dialect].name)), name)) {
            return json_get(it.value, places[r->dialect].schema);
        }
    }
    return NULL;
}

/* Its limit cut it, or a filter: it is no answer to what was asked. */
static bool is_cut(const struct said *s)
{
    static const char *const ends[] = {"length",     "max_tokens", "MAX_TOKENS",
                                       "incomplete", "SAFETY",     "content_filter"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (str_eq(s->finish, str_from(ends[i]))) {
            return true;
        }
    }
    return false;
}

struct outcome {
    bool seen;               /* it tells something */
    bool meant, called;      /* a call is what it should be; is what it was */
    unsigned calls, unknown; /* that were looked at; of no tool that was offered */
    unsigned broken;         /* arguments that are no JSON, or do not keep the schema */
};

static bool is_good(const struct outcome *o)
{
    return o->meant == o->called && o->unknown == 0 && o->broken == 0;
}

static struct outcome outcome_of(const struct record *r)
{
    struct outcome o = {.meant = str_eq(r->expect, STR("call"))};

    if (!r->answered || is_cut(&r->said)) {
        return o;
    }
    o.seen = true;
    o.called = r->said.call_count > 0;
    for (unsigned i = 0; i < r->said.call_count && i < SAID_CALLS; i++) {
        const struct said_call *c = &r->said.calls[i];
        const struct json *schema = offered(r, c->name);
        if (schema != NULL && !schema_usable(schema, NULL)) {
            o.seen = false; /* lines of another version */
        }
        o.calls++;
        o.unknown += schema == NULL;
        o.broken += schema != NULL && o.seen &&
                    (c->arguments == NULL || schema_broken(schema, c->arguments) != NULL);
    }
    return o;
}

static bool is_ours(const struct record *r, bool reference)
{
    return str_eq(r->probe, STR("toolset")) && r->reference == reference;
}

/* ---- Alone ---- */

struct alone {
    unsigned seen, right, meant, met; /* met: of those that need a tool, by a call */
    unsigned calls, kept, refused, asked;
};

static struct alone gather(const struct evidence *e)
{
    struct alone a = {0};

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (!is_ours(r, false)) {
            continue;
        }
        struct outcome o = outcome_of(r);
        a.asked++;
        a.refused += r->status == 400 || r->status == 404 || r->status == 422;
        if (o.seen) {
            a.seen++;
            a.right += o.meant == o.called;
            a.meant += o.meant;
            a.met += o.meant && o.called;
            a.calls += o.calls;
            a.kept += o.calls - o.unknown - o.broken;
        }
    }
    return a;
}

static void add(struct verdicts *v, enum state state, struct str text, struct str missed,
                struct str numbers)
{
    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_FEATURES,
                        .state = state,
                        .tier = TIER_SHAPE,
                        .probe = "toolset",
                        .group = "toolset",
                        .text = text,
                        .missed = state == STATE_CONSISTENT ? missed : STR(""),
                        .numbers = numbers,
                        .benign = state == STATE_CONSISTENT
                                      ? STR("")
                                      : STR("a model or a host that is weak at calling tools")});
}

static void judge_alone(const struct alone *a, struct verdicts *v)
{
    struct stat_interval right, kept, wide;
    char text[320], missed[160], numbers[160];

    if (!stat_wilson(a->right, a->seen, 0.95, &right) ||
        !stat_wilson(a->kept, a->calls, 0.95, &kept) ||
        !stat_clopper_pearson(a->kept, a->calls, 0.99, &wide)) {
        return;
    }
    bool good = a->calls >= CALLS_LEAST && kept.low >= LOW_CALLS && wide.high >= HIGH_CALLS &&
                right.low >= LOW_RIGHT;
    int n = snprintf(text, sizeof(text),
                     "Of %u everyday requests with tools %u were answered by a call or by text as "
                     "they should be; of %u calls %u keep the names and schemas that were offered "
                     "(95 %%: %.0f to %.0f %%).",
                     a->seen, a->right, a->calls, a->kept, 100 * kept.low, 100 * kept.high);
    int m = snprintf(missed, sizeof(missed),
                     "calls that break their schema less often than about %.0f times of a hundred; "
                     "arguments that are valid and wrong",
                     100 * (1 - kept.low));
    int k = snprintf(numbers, sizeof(numbers),
                     "\"requests\":%u,\"right\":%u,\"calls\":%u,\"kept\":%u,\"low\":%.4f,"
                     "\"high\":%.4f",
                     a->seen, a->right, a->calls, a->kept, kept.low, kept.high);
    add(v, good ? STATE_CONSISTENT : STATE_INCONCLUSIVE, str_slice(text, (size_t)n),
        str_slice(missed, (size_t)m), str_slice(numbers, (size_t)k));
}

static void say_alone(const struct evidence *e, struct verdicts *v)
{
    struct alone a = gather(e);
    char text[160];

    if (a.calls > 0) {
        judge_alone(&a, v);
    } else if (a.refused >= REFUSED_LEAST && a.refused == a.asked) {
        add(v, STATE_NOT_TESTABLE,
            STR("Every request with tools is refused: the model takes none."), STR(""), STR(""));
    } else if (a.meant >= CALLS_LEAST) {
        int n = snprintf(text, sizeof(text),
                         "Of %u everyday requests that need a tool none was answered by a call.",
                         a.meant);
        add(v, STATE_INCONCLUSIVE, str_slice(text, (size_t)n), STR(""), STR(""));
    }
}

/* ---- Beside a reference ---- */

struct paired {
    unsigned requests;      /* that both were asked, and answered as often */
    unsigned worse, better; /* here, than at the reference */
    unsigned able;          /* where the reference has something to lose */
};

static const struct record *partner(const struct evidence *e, const struct record *r)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *s = &e->records[i];
        if (is_ours(s, true) && s->k == r->k && str_eq(s->cell, r->cell)) {
            return s;
        }
    }
    return NULL;
}

/* A request has one vote, however often it was asked: answers to the same are too much alike. */
static void add_request(const struct evidence *e, size_t first, struct paired *p)
{
    unsigned here = 0, there = 0, pairs = 0;

    for (size_t i = first; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (!is_ours(r, false) || !str_eq(r->cell, e->records[first].cell)) {
            continue;
        }
        const struct record *s = partner(e, r);
        struct outcome a = outcome_of(r), b = {0};
        if (s != NULL) {
            b = outcome_of(s);
        }
        if (a.seen && b.seen) {
            pairs++;
            here += is_good(&a);
            there += is_good(&b);
        }
    }
    p->requests += pairs > 0;
    p->worse += here < there;
    p->better += here > there;
    p->able += there > 0;
}

static bool is_first(const struct evidence *e, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_ours(&e->records[i], false) && str_eq(e->records[i].cell, e->records[at].cell)) {
            return false;
        }
    }
    return is_ours(&e->records[at], false);
}

/* How many requests must be worse here, and none better, for a p that accuses. */
static unsigned least_worse(void)
{
    unsigned n = 1;
    double p = 1;

    while (stat_mcnemar(0, n, &p) && p > P_ACCUSES / HOLM) {
        n++;
    }
    return n;
}

static void say_paired(struct verdicts *v, const struct paired *p)
{
    unsigned least = least_worse();
    char text[240], missed[160], numbers[120];
    double chance = 1;

    /* That the reference is the weaker one speaks against nobody. */
    if (p->worse > p->better && !stat_mcnemar(p->better, p->worse, &chance)) {
        return;
    }
    int n = snprintf(text, sizeof(text),
                     "Of %u requests with tools that both were asked %u went better at the "
                     "reference and %u better here.",
                     p->requests, p->worse, p->better);
    int m =
        snprintf(missed, sizeof(missed),
                 "calls that are worse at fewer than about %u of %u requests", least, p->requests);
    int k = snprintf(numbers, sizeof(numbers), "\"requests\":%u,\"worse\":%u,\"better\":%u",
                     p->requests, p->worse, p->better);
    verdicts_add(v, &(struct finding){.claim = CLAIM_FEATURES,
                                      .tier = TIER_LIVE,
                                      .probe = "toolset",
                                      .group = "toolset",
                                      .has_p = true,
                                      .part = true,
                                      .p = chance,
                                      .blind = p->able < least || chance <= DOUBT,
                                      .text = str_slice(text, (size_t)n),
                                      .missed = str_slice(missed, (size_t)m),
                                      .numbers = str_slice(numbers, (size_t)k),
                                      .benign = STR("a host that serves the same model with an "
                                                    "older template, or without calls of tools, "
                                                    "and says so")});
}

void toolset_judge(const struct evidence *e, struct verdicts *v)
{
    struct paired p = {0};

    say_alone(e, v);
    for (size_t i = 0; i < e->count; i++) {
        if (is_first(e, i)) {
            add_request(e, i, &p);
        }
    }
    if (p.requests > 0) {
        say_paired(v, &p);
    }
}
