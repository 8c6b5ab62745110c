/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for thoughts, and what follows their answers. */
#include "assay/thoughts.h"

#define ASKED_TOKENS 1280 /* more than the budget of thought, which may not be all */
#define FOLLOWED_TOKENS 1100
#define CHAIN 10 /* calls of one are numbered from its first */

const char *const thoughts_asks[] = {"ask 1", "ask 2", "ask 3"};
const char *const thoughts_adaptives[] = {"adaptive 1", "adaptive 2", "adaptive 3"};
const char *const thoughts_returned[] = {"returned 1", "returned 2"};
const char *const thoughts_altered = "altered 1";
const char *const thoughts_presented[] = {"presented 1", "presented 2"};
const char *const thoughts_altered_there = "altered-there";
const char *const thoughts_own = "own-ask";
const char *const thoughts_own_returned = "own-returned";
const char *const thoughts_own_name = "own-name";

enum act { ACT_ASK, ACT_ADAPT, ACT_RETURN, ACT_ALTER, ACT_PRESENT };

static const struct step {
    const char *cell;
    enum act act;
    bool paired;            /* only where there is a reference to show it to */
    bool reference;         /* who is asked */
    const char *good, *bad; /* what follows a signed thought, or what was accepted; or NULL */
} steps[] = {
    {"ask 1", ACT_ASK, false, false, "returned 1", "adaptive 1"},
    {"adaptive 1", ACT_ADAPT, false, false, "returned 1", NULL},
    {"returned 1", ACT_RETURN, false, false, "altered 1", "presented 1"},
    {"altered 1", ACT_ALTER, false, false, "presented 1", "presented 1"},
    {"presented 1", ACT_PRESENT, true, true, "altered-there", "own-ask"},
    {"altered-there", ACT_ALTER, true, true, "own-name", "own-name"},
    {"own-name", ACT_ASK, true, true, NULL, NULL},
    {"own-ask", ACT_ASK, true, true, "own-returned", NULL},
    {"own-returned", ACT_RETURN, true, true, NULL, NULL},
    {"ask 2", ACT_ASK, false, false, "returned 2", "adaptive 2"},
    {"adaptive 2", ACT_ADAPT, false, false, "returned 2", NULL},
    {"returned 2", ACT_RETURN, true, false, "presented 2", "presented 2"},
    {"presented 2", ACT_PRESENT, true, true, NULL, NULL},
    {"ask 3", ACT_ASK, false, false, NULL, "adaptive 3"},
    {"adaptive 3", ACT_ADAPT, false, false, NULL, NULL},
};

static const struct step *step_of(const char *cell)
{
    for (size_t i = 0; cell != NULL && i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (str_eq(str_from(cell), str_from(steps[i].cell))) {
            return &steps[i];
        }
    }
    return NULL;
}

/* A small one that no model answers from memory. */
static void plan_puzzle(struct plan *p, struct buf *out)
{
    buf_addf(out,
             "What is the largest number below %u that leaves %u when divided by 7 and %u when "
             "divided by 13? Answer with the number alone.",
             5000 + stat_below(&p->random, 4000), 1 + stat_below(&p->random, 6),
             1 + stat_below(&p->random, 12));
}

void thoughts_plan(struct plan *p, const struct probe *self)
{
    const unsigned repeats[2][3] = {{3, 1, 1}, {6, 3, 1}};
    struct buf text;

    buf_init(&text, 1024);
    for (unsigned i = 0; i < 3; i++) {
        plan_puzzle(p, &text);
        plan_add(p, self, thoughts_asks[i], (uint64_t)i * CHAIN,
                 &(struct question){.text = buf_str(&text),
                                    .max_tokens = ASKED_TOKENS,
                                    .repeat = repeats[p->reference][i],
                                    .thinking = true});
        buf_clear(&text);
    }
    buf_release(&text);
}

struct thought thought_of(const struct said *s, enum dialect d)
{
    const struct json *root = s->doc != NULL ? json_root(s->doc) : NULL;
    struct json_each it =
        json_each(json_get(root, d == DIALECT_GEMINI ? "candidates.0.content.parts" : "content"));
    struct thought t = {0};

    while (json_next(&it)) {
        struct str type = json_str(json_get(it.value, "type"));
        bool marked = false;
        if (d == DIALECT_GEMINI) {
            json_bool(json_get(it.value, "thought"), &marked);
        } else if (str_eq(type, STR("thinking"))) {
            marked = true;
            t.signature =
                t.signature.n > 0 ? t.signature : json_str(json_get(it.value, "signature"));
        } else {
            marked = str_eq(type, STR("redacted_thinking"));
        }
        t.shown = t.shown || marked;
    }
    return t;
}

/* The turn with the first signature in it altered: true when there is one of Claude's. */
static bool alter(struct follow *f)
{
    struct json_doc *doc = json_parse(f->q.turn, NULL);
    struct json_each it = json_each(doc != NULL ? json_root(doc) : NULL);
    struct str signature = STR("");
    struct buf other, turn;

    while (signature.n == 0 && json_next(&it)) {
        signature = json_str(json_get(it.value, "signature"));
    }
    buf_init(&other, f->q.turn.n * 2 + 64);
    buf_init(&turn, f->q.turn.n * 2 + 64);
    size_t at = signature.n > 0 ? str_find(f->q.turn, signature) : SIZE_MAX;
    bool altered = at != SIZE_MAX && signature_alter(&other, signature);
    if (altered) {
        buf_cat(&turn, str_slice(f->q.turn.p, at), buf_str(&other),
                str_skip(f->q.turn, at + signature.n));
        f->q.turn = arena_str(f->arena, buf_str(&turn));
    }
    buf_release(&other);
    buf_release(&turn);
    json_free(doc);
    return altered;
}

/* The answer as it came, and a question behind it. False: it is not one that can be given back. */
static bool take_turn(struct follow *f)
{
    struct buf turn;

    buf_init(&turn, 1 << 20);
    bool ok = json_write_value(&turn, json_get(json_root(f->said->doc), "content"));
    struct json_doc *doc = ok ? json_parse(buf_str(&turn), NULL) : NULL; /* numbers are not kept */
    f->q.turn = doc != NULL ? arena_str(f->arena, buf_str(&turn)) : STR("");
    json_free(doc);
    buf_release(&turn);
    return f->q.turn.n > 0;
}

static void plan_return(struct follow *f)
{
    f->q.before = f->q.text;
    f->q.text = STR("And what is that number plus one? Answer with the number alone.");
    f->q.max_tokens = FOLLOWED_TOKENS;
}

/* Makes the question of a step; false when it has none here. */
static bool make(struct follow *f, const struct step *next)
{
    switch (next->act) {
    case ACT_ASK:
        f->q.text = f->q.before;
        f->q.before = f->q.turn = STR("");
        f->q.max_tokens = ASKED_TOKENS;
        return true;
    case ACT_ADAPT: f->q.adaptive = true; return true;
    case ACT_RETURN:
        if (!take_turn(f)) {
            return false;
        }
        plan_return(f);
        return true;
    case ACT_ALTER: /* it is done */
    case ACT_PRESENT: break;
    }
    return true;
}

/* The step behind this answer, by what came; NULL: none. */
static const struct step *next_step(struct follow *f, const struct step *now)
{
    bool good = f->said != NULL;

    if (now->act == ACT_ASK || now->act == ACT_ADAPT) {
        struct thought t = good ? thought_of(f->said, DIALECT_MESSAGES) : (struct thought){0};
        if (t.shown && t.signature.n == 0) {
            return NULL;
        }
        good = t.shown;
    } else if (now->act == ACT_ALTER) {
        alter(f); /* back again */
    }
    const struct step *next = step_of(good ? now->good : now->bad);
    if (next != NULL && next->act == ACT_ALTER && !alter(f)) {
        next = step_of(next->good); /* in a form that is not known, it stays as it is */
    }
    return next;
}

bool thoughts_follow(struct follow *f)
{
    const struct step *now = step_of(f->cell);
    bool there = f->has_reference && f->other == DIALECT_MESSAGES;

    if (f->dialect != DIALECT_MESSAGES || now == NULL) {
        return false;
    }
    const struct step *next = next_step(f, now);
    if (next == NULL || (next->paired && !there) || !make(f, next)) {
        return false;
    }
    f->cell = next->cell;
    f->reference = next->reference;
    return true;
}
