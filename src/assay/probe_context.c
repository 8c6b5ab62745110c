/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long input: first by the bill, which grows with each line that arrives and stops growing where
 * some are cut off; then by codes at its beginning, middle and end that have to be found.
 */
#include <stdio.h>

#include "assay/probe.h"

#define TEXT_MAX (1 << 20)
#define TIMES 2
#define SHORT_LINES 25
#define MIDDLE_LINES 50

static unsigned long_lines(enum profile p)
{
    return p == PROFILE_DEEP ? 2000 : 400;
}

enum place { PLACE_FIRST, PLACE_MIDDLE, PLACE_LAST, PLACES };
static const char *const places[PLACES] = {"first", "middle", "last"};
#define CODE_BYTES 8 /* of each, as they are expected: with blanks between */
#define CODES_BYTES (PLACES * (CODE_BYTES + 1) - 1)

static void plan_code(struct plan *p, enum place place, struct buf *text, struct buf *codes)
{
    if (codes->n > 0) {
        buf_add_byte(codes, ' ');
    }
    size_t at = codes->n;
    plan_nonce(p, codes);
    buf_addf(text, "The %s code is %.*s.\n", places[place],
             STR_ARG(str_slice(codes->p + at, codes->n - at)));
}

static void plan_lines(struct plan *p, const struct probe *self, const char *cell, unsigned lines)
{
    struct buf text, codes;

    buf_init(&text, TEXT_MAX);
    buf_init(&codes, 64);
    plan_code(p, PLACE_FIRST, &text, &codes);
    for (unsigned i = 0; i < lines; i++) {
        if (i == lines / 2) {
            plan_code(p, PLACE_MIDDLE, &text, &codes);
        }
        buf_add(&text, STR("Ships of every flag lie in the harbour and wait for the tide.\n"));
    }
    plan_code(p, PLACE_LAST, &text, &codes);
    buf_add(&text, STR("Answer with the first code, the middle code and the last code, and nothing "
                       "else."));
    plan_add(
        p, self, cell, lines,
        &(struct question){.text = buf_str(&text), .expect = buf_str(&codes), .max_tokens = 400});
    buf_release(&text);
    buf_release(&codes);
}

void context_plan(struct plan *p, const struct probe *self)
{
    static const char *const cells[TIMES] = {"long 1", "long 2"};

    plan_lines(p, self, "short", SHORT_LINES);
    plan_lines(p, self, "middle", MIDDLE_LINES);
    for (unsigned i = 0; i < TIMES; i++) {
        plan_lines(p, self, cells[i], long_lines(p->profile));
    }
}

struct arrived {
    unsigned answers, known[PLACES]; /* of the long ones; with the codes */
    double billed, expected;         /* of the long ones together */
    uint64_t tokens;                 /* of one */
};

static const struct record *any_k(const struct evidence *e, const char *cell)
{
    static const uint64_t lines[] = {SHORT_LINES, MIDDLE_LINES, 400, 2000};
    const struct record *r = NULL;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && r == NULL; i++) {
        r = probe_find(e, "context", cell, lines[i]);
    }
    return r != NULL && r->said.usage.state != USAGE_MISSING ? r : NULL;
}

static double input_of(const struct record *r)
{
    return (double)usage_input(&r->said.usage);
}

static void add_long(const struct record *r, const struct record *low, const struct record *middle,
                     struct arrived *a)
{
    double line = (input_of(middle) - input_of(low)) / (double)(middle->k - low->k);
    struct str said = buf_str(&r->said.text);

    a->answers++;
    a->billed += input_of(r);
    a->expected += input_of(middle) + line * (double)(r->k - middle->k);
    a->tokens = usage_input(&r->said.usage);
    for (enum place i = 0; i < PLACES; i++) {
        struct str code = str_slice(r->expect.p + i * (CODE_BYTES + 1), CODE_BYTES);
        a->known[i] += str_find(said, code) != SIZE_MAX;
    }
}

static enum state state_of(const struct arrived *a)
{
    double share = a->billed / a->expected;
    bool found = true;

    for (enum place i = 0; i < PLACES; i++) {
        found = found && a->known[i] == a->answers;
    }

    if (share >= 0.98 && found) {
        return STATE_CONSISTENT;
    }
    /* Fewer tokens than were sent, and something of it unknown: it did not arrive. */
    return share < 0.9 && !found ? STATE_INCONSISTENT : STATE_INCONCLUSIVE;
}

void context_judge(const struct evidence *e, struct verdicts *v)
{
    static const char *const cells[TIMES] = {"long 1", "long 2"};
    const struct record *low = any_k(e, "short"), *middle = any_k(e, "middle");
    struct arrived a = {0};
    char text[400], missed[120];

    for (unsigned i = 0; i < TIMES && low != NULL && middle != NULL; i++) {
        const struct record *r = any_k(e, cells[i]);
        if (r != NULL && r->expect.n == CODES_BYTES) {
            add_long(r, low, middle, &a);
        }
    }
    if (a.answers == 0 || a.expected <= 0) {
        return;
    }
    int n = snprintf(
        text, sizeof(text),
        "Long input is billed %.0f %% of what its length comes to by shorter input; of "
        "%u answers %u knew the code at its beginning, %u that in its middle and %u that at "
        "its end.",
        100 * a.billed / a.expected, a.answers, a.known[PLACE_FIRST], a.known[PLACE_MIDDLE],
        a.known[PLACE_LAST]);
    int m =
        snprintf(missed, sizeof(missed), "what happens beyond %llu tokens, and between the codes",
                 (unsigned long long)a.tokens);
    enum state state = state_of(&a);
    bool good = state == STATE_CONSISTENT;
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
}
