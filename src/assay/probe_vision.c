/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether pictures are seen: six digits that cannot be guessed, and a colour, which a program that
 * only looks for text would not name. What a picture is billed is shown beside it.
 */
#include "assay/family.h"
#include "assay/picture.h"
#include "assay/probe.h"

#define PICTURES 3
#define PICTURES_DEEP 5
#define TRIED 4 /* an answer with fewer digits does not try to read them */

static const struct str task =
    STR_INIT("The picture shows a coloured shape and six digits. Answer with the six digits and "
             "the colour of the shape, and nothing else, such as: 123456 white");

/* Models that see (model_fits, model_line), and the tokens that their vendor's published formula
 * gives for a picture of this size; 0: it is not known. As of November 2026. */
static const struct sight {
    const char *name;
    size_t (*fits)(struct str model, const char *name);
    unsigned tokens;
} sights[] = {
    {"gpt-4o", model_fits, 255},      {"gpt-4o-mini", model_fits, 8500},
    {"chatgpt-4o", model_fits, 255},  {"gpt-4.1", model_fits, 255},
    {"gpt-4.1-mini", model_fits, 59}, {"gpt-4.1-nano", model_fits, 89},
    {"gpt-5", model_fits, 210},       {"gpt-5-mini", model_fits, 0},
    {"gpt-5.1", model_fits, 0},       {"gpt-5.2", model_fits, 0},
    {"o3", model_fits, 225},          {"o4-mini", model_fits, 0},
    {"claude", model_line, 50},       {"gemini-1.5", model_fits, 258},
    {"gemini-2.0", model_fits, 258},  {"gemini-2.5", model_fits, 258},
    {"gemini-3", model_fits, 0},      {"gemini-3.1", model_fits, 0},
};

void vision_plan(struct plan *p, const struct probe *self)
{
    unsigned count = p->profile == PROFILE_DEEP ? PICTURES_DEEP : PICTURES;
    struct question q = {.text = task, .max_tokens = 300};
    struct picture seen;
    struct buf png, expect;

    buf_init(&png, 64 << 10);
    buf_init(&expect, 64);
    for (unsigned i = 0; i < count && picture_make(&png, &p->random, &seen); i++) {
        buf_addf(&expect, "%s %s", seen.digits, seen.colour);
        q.png = buf_str(&png);
        q.expect = buf_str(&expect);
        plan_add(p, self, "picture", i, &q);
        buf_clear(&png);
        buf_clear(&expect);
    }
    plan_add(p, self, "blank", 0, &(struct question){.text = task, .max_tokens = 64});
    buf_release(&png);
    buf_release(&expect);
}

static const struct sight *sight_of(struct str model)
{
    const struct sight *best = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
        size_t n = sights[i].fits(model, sights[i].name);
        if (n > longest) {
            longest = n;
            best = &sights[i];
        }
    }
    return best;
}

struct looks {
    unsigned pictures, read, named, blind, refused;
    uint64_t billed; /* of input, the least */
};

/* All digits of a text, in their order. */
static void digits_of(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9') {
            buf_add_byte(out, s.p[i]);
        }
    }
}

static bool speaks_of(struct str s, struct str word)
{
    for (size_t i = 0; i + word.n <= s.n; i++) {
        if (str_eq_nocase(str_slice(s.p + i, word.n), word)) {
            return true;
        }
    }
    return false;
}

static void take_answer(struct looks *l, const struct record *r)
{
    struct str said = buf_str(&r->said.text), colour = r->expect, digits = str_cut(&colour, ' ');
    struct buf found;

    buf_init(&found, said.n + 1);
    digits_of(said, &found);
    bool read = digits.n > 0 && str_find(buf_str(&found), digits) != SIZE_MAX;
    l->pictures++;
    l->read += read;
    l->named += read && colour.n > 0 && speaks_of(said, colour);
    l->blind += !read && said.n > 0 && found.n < TRIED;
    uint64_t billed = usage_input(&r->said.usage);
    if (r->said.usage.state != USAGE_MISSING && (l->billed == 0 || billed < l->billed)) {
        l->billed = billed;
    }
    buf_release(&found);
}

/* A refusal that gives the picture as its reason; another failure says nothing. */
static bool is_refusal(const struct record *r)
{
    static const char *const words[] = {"image", "picture", "vision", "modal", "图"};

    for (size_t i = 0; r->status >= 400 && r->status < 500 && r->status != 429 &&
                       i < sizeof(words) / sizeof(words[0]);
         i++) {
        if (speaks_of(r->body, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

static void gather(const struct evidence *e, struct looks *l)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (!str_eq(r->probe, STR("vision")) || !str_eq(r->cell, STR("picture"))) {
            continue;
        }
        if (r->answered) {
            take_answer(l, r);
        } else if (is_refusal(r)) {
            l->pictures++;
            l->refused++;
        }
    }
}

static void say_price(const struct evidence *e, const struct looks *l, const struct sight *s,
                      struct buf *text, struct buf *numbers)
{
    const struct record *blank = probe_find(e, "vision", "blank", 0);
    uint64_t around = blank != NULL ? usage_input(&blank->said.usage) : 0;

    if (around == 0 || l->billed <= around) {
        return;
    }
    unsigned long long tokens = l->billed - around;
    buf_addf(text, " A picture is billed %llu tokens of input beyond its text", tokens);
    buf_addf(numbers, ",\"picture_tokens\":%llu", tokens);
    if (s != NULL && s->tokens > 0) {
        buf_addf(text, "; the vendor's published formula gives %u", s->tokens);
        buf_addf(numbers, ",\"formula\":%u", s->tokens);
    }
    buf_add_byte(text, '.');
}

void vision_judge(const struct evidence *e, struct verdicts *v)
{
    const struct sight *s = sight_of(e->head.target.model);
    struct looks l = {0};
    struct buf text, numbers;

    gather(e, &l);
    if (l.pictures == 0) {
        return;
    }
    buf_init(&text, 1024);
    buf_init(&numbers, 256);
    buf_addf(&text,
             "Of %u pictures %u were read to the digit, %u of them with their colour; %u were "
             "refused, and of %u nothing was seen.",
             l.pictures, l.read, l.named, l.refused, l.blind);
    buf_addf(&numbers, "\"pictures\":%u,\"read\":%u,\"colours\":%u", l.pictures, l.read, l.named);
    say_price(e, &l, s, &text, &numbers);
    bool all = l.read == l.pictures && l.named > 0;
    bool none = l.refused + l.blind == l.pictures;
    verdicts_add(v, &(struct finding){
                        .claim = CLAIM_FEATURES,
                        .tier = TIER_SHAPE,
                        .probe = "vision",
                        .group = "vision",
                        /* Many models see nothing: only of those that are known to, it is odd. */
                        .state = all                 ? STATE_CONSISTENT
                                 : none && s == NULL ? STATE_NOT_TESTABLE
                                                     : STATE_INCONCLUSIVE,
                        .text = buf_str(&text),
                        .numbers = buf_str(&numbers),
                        .missed = all ? STR("pictures of other kinds, and pictures that are handed "
                                            "to another model")
                                      : STR(""),
                        .benign = all    ? STR("")
                                  : none ? STR("the model takes no pictures, or a gateway between "
                                               "dialects does not pass them on")
                                         : STR("a model that is weak at reading pictures, one that "
                                               "thinks until nothing is left to answer, or a "
                                               "program before it that reads text alone")});
    buf_release(&text);
    buf_release(&numbers);
}
