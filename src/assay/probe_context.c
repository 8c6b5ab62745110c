/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long input: first by the bill, which grows with each line that arrives and stops growing where
 * some are cut off; then by codes, from its beginning to its end, that have to be found. A weak
 * model forgets some of them, here and there; where something is cut out, the same ones are unknown
 * in each text. A model of a short memory looks like that, too: a reference that knows them all in
 * the same texts tells.
 */
#include <stdio.h>

#include "assay/probe.h"

#define TEXT_MAX (1 << 20)
#define TIMES 3
#define SHORT_LINES 25
#define MIDDLE_LINES 50
#define SLACK 0.5 /* steps from code to code by which bill and codes may differ */

static unsigned long_lines(enum profile p)
{
    return p == PROFILE_DEEP ? 2000 : 400;
}

static const char *const names[] = {"amber", "birch", "cedar", "dune",
                                    "ember", "flint", "grove", "heron"};
#define CODES (sizeof(names) / sizeof(names[0]))
#define CODE_BYTES 8 /* of each, as they are expected: with blanks between */
#define CODES_BYTES (CODES * (CODE_BYTES + 1) - 1)
static const char *const cells[TIMES] = {"long 1", "long 2", "long 3"};

static void plan_code(struct plan *p, size_t i, struct buf *text, struct buf *codes)
{
    if (codes->n > 0) {
        buf_add_byte(codes, ' ');
    }
    size_t at = codes->n;
    plan_nonce(p, codes);
    buf_addf(text, "The %s code is %.*s.\n", names[i],
             STR_ARG(str_slice(codes->p + at, codes->n - at)));
}

static void plan_lines(struct plan *p, const struct probe *self, const char *cell, unsigned lines,
                       unsigned repeat)
{
    struct buf text, codes;
    size_t next = 0;

    buf_init(&text, TEXT_MAX);
    buf_init(&codes, 128);
    for (unsigned i = 0; i < lines; i++) {
        if (i == next * lines / (CODES - 1)) {
            plan_code(p, next++, &text, &codes);
        }
        buf_add(&text, STR("Ships of every flag lie in the harbour and wait for the tide.\n"));
    }
    plan_code(p, next, &text, &codes);
    buf_add(&text, STR("Answer with "));
    for (size_t i = 0; i < CODES; i++) {
        buf_addf(&text, "%sthe %s code", i == 0 ? "" : i + 1 < CODES ? ", " : " and ", names[i]);
    }
    buf_add(&text, STR(", in this order, and nothing else. Write a dash for one that you do not "
                       "find."));
    plan_add(p, self, cell, lines,
             &(struct question){.text = buf_str(&text),
                                .expect = buf_str(&codes),
                                .max_tokens = 400,
                                .repeat = repeat});
    buf_release(&text);
    buf_release(&codes);
}

void context_plan(struct plan *p, const struct probe *self)
{
    plan_lines(p, self, "short", SHORT_LINES, 0);
    plan_lines(p, self, "middle", MIDDLE_LINES, 0);
    for (unsigned i = 0; i < TIMES; i++) {
        plan_lines(p, self, cells[i], long_lines(p->profile), p->reference);
    }
}

/* A bit for each code that an answer does not know. */
static unsigned lost_of(const struct said *s, struct str expect)
{
    unsigned lost = 0;

    for (size_t i = 0; i < CODES && expect.n == CODES_BYTES; i++) {
        struct str code = str_slice(expect.p + i * (CODE_BYTES + 1), CODE_BYTES);
        lost |= str_find(buf_str(&s->text), code) == SIZE_MAX ? 1U << i : 0;
    }
    return lost;
}

/* What is not known here the reference is asked, too. */
bool context_follow(struct follow *f)
{
    f->reference = true;
    return f->has_reference && f->said != NULL && lost_of(f->said, f->q.expect) != 0;
}

struct arrived {
    unsigned answers, known[CODES], lost[TIMES]; /* of the long ones */
    unsigned of_reference;   /* of the same texts, all of whose codes the reference knows */
    unsigned lost_short;     /* in either of the short texts */
    bool again;              /* one of them was sent twice */
    double billed, expected; /* of the long ones together */
    uint64_t tokens;         /* of one */
};

static const uint64_t lengths[] = {SHORT_LINES, MIDDLE_LINES, 400, 2000};

static const struct record *any_k(const struct evidence *e, const char *cell)
{
    const struct record *r = NULL;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]) && r == NULL; i++) {
        r = probe_find(e, "context", cell, lengths[i]);
    }
    return r != NULL && r->said.usage.state != USAGE_MISSING && r->expect.n == CODES_BYTES ? r
                                                                                           : NULL;
}

/* The reference's answer to the same text. */
static const struct record *other_of(const struct evidence *e, const struct record *r)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *s = &e->records[i];
        if (s->reference && s->answered && str_eq(s->probe, r->probe) && str_eq(s->cell, r->cell) &&
            str_eq(s->expect, r->expect)) {
            return s;
        }
    }
    return NULL;
}

static double input_of(const struct record *r)
{
    return (double)usage_input(&r->said.usage);
}

static void add_long(const struct evidence *e, const struct record *r, const struct record *low,
                     const struct record *middle, struct arrived *a)
{
    double line = (input_of(middle) - input_of(low)) / (double)(middle->k - low->k);
    unsigned lost = lost_of(&r->said, r->expect);
    const struct record *other = other_of(e, r);

    uint64_t tries = 0;

    json_u64(json_get(json_root(r->doc), "tries"), &tries);
    a->again = a->again || tries != 1;
    a->lost[a->answers++] = lost;
    a->billed += input_of(r);
    a->expected += input_of(middle) + line * (double)(r->k - middle->k);
    a->tokens = usage_input(&r->said.usage);
    a->of_reference += other != NULL && lost_of(&other->said, other->expect) == 0;
    for (size_t i = 0; i < CODES; i++) {
        a->known[i] += (lost >> i & 1) == 0;
    }
}

/* The codes that are unknown in each text while all others are known in each, and that stand one
 * behind the other: from first on, up to before *end. False: there are none, or others. */
static bool has_run(const struct arrived *a, size_t *first, size_t *end)
{
    unsigned lost = a->lost[0];

    for (unsigned i = 1; i < a->answers; i++) {
        if (a->lost[i] != lost) {
            return false;
        }
    }
    for (*first = 0; *first < CODES && (lost >> *first & 1) == 0;) {
        ++*first;
    }
    for (*end = *first; *end < CODES && (lost >> *end & 1) != 0;) {
        ++*end;
    }
    return a->answers == TIMES && *end > *first && lost >> *end == 0;
}

/* Two or more, which are known in short texts. */
static bool has_gap(const struct arrived *a, size_t *first, size_t *end)
{
    return has_run(a, first, end) && a->lost_short == 0 && *end >= *first + 2 && *end < CODES;
}

/*
 * Something was cut off, at an end or within: the same codes are unknown in each text, and about as
 * much is missing from the bill as lies between the last that are known and the first. Tokens out
 * of a cache that are not counted are missing, too, and a model forgets.
 */
static bool is_cut(const struct arrived *a)
{
    double missing = (CODES - 1) * (1 - a->billed / a->expected); /* as steps from code to code */
    size_t first, end;

    if (a->again || !has_run(a, &first, &end) || (a->lost_short & a->lost[0]) != 0) {
        return false;
    }
    double n = (double)(end - first);
    bool at_end = first == 0 || end == CODES;
    return (at_end || n >= 2) && missing >= n - 1 - SLACK && missing <= n + 1 + SLACK;
}

static unsigned lost_in_all(const struct arrived *a)
{
    unsigned n = 0;

    for (size_t i = 0; i < CODES; i++) {
        n += a->answers - a->known[i];
    }
    return n;
}

/* Here and there one is forgotten, and none always. */
static bool is_found(const struct arrived *a)
{
    bool always = false;

    for (size_t i = 0; i < CODES; i++) {
        always = always || a->known[i] == 0;
    }
    return !always && lost_in_all(a) <= a->answers;
}

static enum state state_of(const struct arrived *a)
{
    double share = a->billed / a->expected;

    if (share >= 0.98 && is_found(a)) {
        return STATE_CONSISTENT;
    }
    return share < 0.9 && is_cut(a) ? STATE_INCONSISTENT : STATE_INCONCLUSIVE;
}

/* Three texts are too few to accuse by: all codes of one are one event, and a host that keeps its
 * memory in few bits may forget the same place in each. */
static void say_gap(const struct arrived *a, size_t first, size_t end, struct verdicts *v)
{
    char text[400];

    if (a->of_reference < a->answers) {
        return;
    }
    int n = snprintf(text, sizeof(text),
                     "The reference knows all codes of the same %u texts, while here the same %zu "
                     "of %zu, which stand one behind the other, are unknown in each.",
                     a->answers, end - first, CODES);
    verdicts_add(v, &(struct finding){.claim = CLAIM_CONTEXT,
                                      .tier = TIER_LIVE,
                                      .probe = "context",
                                      .group = "context",
                                      .state = STATE_INCONCLUSIVE,
                                      .unusual = true,
                                      .text = str_slice(text, (size_t)n),
                                      .benign = STR("a host that serves the model with a shorter "
                                                    "memory, or one that recalls the middle of "
                                                    "long texts badly")});
}

static void say(const struct arrived *a, struct verdicts *v)
{
    enum state state = state_of(a);
    bool good = state == STATE_CONSISTENT;
    size_t first, end;
    char text[600], missed[120];
    int n = snprintf(text, sizeof(text),
                     "Long input is billed %.0f %% of what its length comes to by shorter input; "
                     "of %zu codes in each of %u texts %u are unknown: %u of those at its "
                     "beginning, %u of those at its end.",
                     100 * a->billed / a->expected, CODES, a->answers, lost_in_all(a),
                     a->answers - a->known[0], a->answers - a->known[CODES - 1]);
    int m =
        snprintf(missed, sizeof(missed), "what happens beyond %llu tokens, and between the codes",
                 (unsigned long long)a->tokens);
    bool gap = has_gap(a, &first, &end);
    if (gap && n > 0 && (size_t)n < sizeof(text)) {
        n += snprintf(text + n, sizeof(text) - (size_t)n,
                      " They are the same ones in each text, one behind the other (from %zu %% to "
                      "%zu %% of its length), and short texts are known whole: it looks as if that "
                      "part had not arrived.",
                      100 * first / (CODES - 1), 100 * (end - 1) / (CODES - 1));
    }
    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_CONTEXT,
                        .tier = TIER_ACCOUNTING,
                        .probe = "context",
                        .group = "context",
                        .state = state,
                        .text = str_slice(text, (size_t)n),
                        .missed = good ? str_slice(missed, (size_t)m) : STR(""),
                        .benign = good ? STR("")
                                       : STR("a model of a short context; a small model that does "
                                             "not find what it has read; tokens out of a cache "
                                             "that are not counted")});
    if (gap) {
        say_gap(a, first, end, v);
    }
}

void context_judge(const struct evidence *e, struct verdicts *v)
{
    const struct record *low = any_k(e, "short"), *middle = any_k(e, "middle");
    struct arrived a = {0};

    if (low == NULL || middle == NULL || middle->k <= low->k) {
        return;
    }
    a.lost_short = lost_of(&low->said, low->expect) | lost_of(&middle->said, middle->expect);
    for (unsigned i = 0; i < TIMES; i++) {
        const struct record *r = any_k(e, cells[i]);
        if (r != NULL && r->k > middle->k) {
            add_long(e, r, low, middle, &a);
        }
    }
    if (a.answers > 0 && a.expected > 0) {
        say(&a, v);
    }
}
