/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange with a model of the zoo, from the request to the script of its answer. */
#include <stdlib.h>

#include "base/clock.h"
#include "sim/zoo.h"

#define CACHE_SLOTS 65536
#define CACHE_MS (5 * 60 * 1000)
#define CACHE_LEAST 1024 /* tokens */
#define CACHE_STEP 128

#define KEPT_SLOTS 64
#define KEPT_BYTES 16

#define FIRST_MS 20 /* to the first event, and from one to the next */
#define EACH_MS 4

/* Prompts seen lately, by a hash of their beginning; a newer one takes the slot. */
struct seen {
    uint64_t hash;
    int64_t until_ms;
};

/* Of answers that are sold again: the number that the first began with. */
struct kept {
    uint64_t hash;
    char number[KEPT_BYTES];
    size_t n;
};

struct zoo {
    struct rand_weak rand;
    uint64_t calls;
    struct seen *seen;
    struct kept kept[KEPT_SLOTS];
};

struct zoo *zoo_new(uint64_t seed)
{
    struct zoo *z = calloc(1, sizeof(*z));

    if (z == NULL || (z->seen = calloc(CACHE_SLOTS, sizeof(*z->seen))) == NULL) {
        abort();
    }
    z->rand.state = seed > 0 ? seed : (uint64_t)clock_wall_us();
    return z;
}

void zoo_free(struct zoo *z)
{
    free(z->seen);
    free(z);
}

struct rand_weak *zoo_rand(struct zoo *z)
{
    return &z->rand;
}

uint64_t zoo_calls(const struct zoo *z)
{
    return z->calls;
}

struct str zoo_kept(struct zoo *z, uint64_t hash, struct str number)
{
    struct kept *k = &z->kept[hash % KEPT_SLOTS];

    if (k->hash != hash) {
        *k = (struct kept){.hash = hash, .n = number.n < KEPT_BYTES ? number.n : KEPT_BYTES};
        memcpy(k->number, number.p, k->n);
    }
    return str_slice(k->number, k->n);
}

/* Whether this beginning was seen within five minutes; from now on it was. */
static bool seen_before(struct zoo *z, uint64_t hash)
{
    struct seen *s = &z->seen[hash % CACHE_SLOTS];
    int64_t now = clock_mono_ns() / 1000000;
    bool found = s->hash == hash && s->until_ms > now;

    *s = (struct seen){hash, now + CACHE_MS};
    return found;
}

/* What is marked is kept, and read at the next time. */
static void cache_marked(struct exchange *x)
{
    struct str prefix = str_slice(x->asked.text.p, x->asked.marked);
    uint64_t n = tokens_count(prefix, (enum family)x->served->family) + x->asked.tool_bytes / 4;

    if (n < CACHE_LEAST) {
        return;
    }
    bool hit = seen_before(x->zoo, mark_hash(mark_hash(3, str_from(x->served->name)), prefix));
    *(hit || x->first_sight ? &x->answer.cached : &x->answer.created) = n;
}

/* The longest beginning that was seen, in steps, without being asked for. */
static void cache_automatic(struct exchange *x)
{
    struct str all = buf_str(&x->asked.text), rest = all;
    uint64_t n = 0, next = CACHE_LEAST, hash = mark_hash(5, str_from(x->served->name));
    const char *from = all.p;

    while (rest.n > 0) {
        unsigned tokens;
        (void)tokens_piece(&rest, (enum family)x->served->family, &tokens);
        n += tokens;
        for (; n >= next; next += CACHE_STEP) {
            hash = mark_hash(hash, str_slice(from, (size_t)(rest.p - from)));
            from = rest.p;
            if (seen_before(x->zoo, hash) || x->first_sight) {
                x->answer.cached = next;
            }
        }
    }
}

static void count(struct exchange *x)
{
    enum family f = (enum family)x->served->family;
    struct asked *a = &x->asked;
    struct answer *r = &x->answer;

    r->input = tokens_count(buf_str(&a->text), f) + x->served->around +
               (a->system ? x->served->system : 0U) + (a->turns > 1 ? 4 * (a->turns - 1) : 0) +
               a->tool_bytes / 4 + a->pictures * x->served->picture;
    if (x->billed > 0) {
        r->input += x->billed - tokens_count(buf_str(&a->text), f);
    }
    if (a->endpoint->op != OP_GENERATE) {
        return;
    }
    r->input += x->hidden;
    if (a->endpoint->dialect != DIALECT_MESSAGES) {
        cache_automatic(x);
    } else if (a->marked > 0) {
        cache_marked(x);
    }
    r->reasoning = tokens_count(buf_str(&r->thinking), f);
    r->output = tokens_count(buf_str(&r->text), f) + tokens_count(buf_str(&r->arguments), f) +
                (r->calls ? 8 : 0) + r->reasoning;
    r->output += r->output == 0;
    x->made = r->output;
}

static void write_count(struct exchange *x)
{
    unsigned long long n = x->answer.input;
    struct buf *b = event_open(x, NULL);

    if (x->asked.endpoint->dialect == DIALECT_GEMINI) {
        buf_addf(b, "{\"totalTokens\":%llu}", n);
    } else if (x->asked.endpoint->dialect == DIALECT_RESPONSES) {
        buf_addf(b, "{\"object\":\"response.input_tokens\",\"input_tokens\":%llu}", n);
    } else {
        buf_addf(b, "{\"input_tokens\":%llu}", n);
    }
    event_close(x, false);
}

static void write_answer(struct exchange *x)
{
    switch ((enum dialect)x->asked.endpoint->dialect) {
    case DIALECT_RESPONSES: shape_responses(x); break;
    case DIALECT_MESSAGES: shape_messages(x); break;
    case DIALECT_GEMINI: shape_gemini(x); break;
    default: shape_chat(x); break;
    }
}

/* Chance for this answer: by the request where it gives a seed, else new. */
static void seed(struct exchange *x)
{
    if (x->canned) {
        x->rand.state = cheat_same(x);
    } else {
        x->rand.state = x->asked.seeded ? mark_hash(x->asked.seed, buf_str(&x->asked.text))
                                        : rand_weak_next(&x->zoo->rand);
    }
    (void)rand_weak_next(&x->rand);
}

static void answer(struct exchange *x, struct str body)
{
    if (!asked_read(x, body)) {
        shape_error(x, 400, "invalid_json", "We could not parse the JSON body of your request.");
        return;
    }
    cheats_apply(x, WHEN_ASKED);
    if (x->status != 200) {
        shape_error(x, x->status, "rate_limit_exceeded", "Rate limit reached for requests");
    } else if ((character_dialects(x->claimed) & DIALECT_BIT(x->asked.endpoint->dialect)) == 0) {
        shape_error(x, 404, "model_not_found", "The model does not exist here.");
    } else if (x->asked.wrong == NULL && !asked_signed(x)) {
        shape_error(x, 400, "invalid_value", "messages: Invalid `signature` in `thinking` block");
    } else if (x->asked.wrong != NULL) {
        shape_error(x, 400, "invalid_value", x->asked.wrong);
    } else if (likely_wrong(x) != NULL) {
        shape_error(x, 400, "invalid_value", likely_wrong(x));
    } else if (x->asked.endpoint->op == OP_COUNT) {
        count(x);
        write_count(x);
    } else {
        seed(x);
        mind_answer(x);
        count(x);
        cheats_apply(x, WHEN_ANSWERED);
        write_answer(x);
    }
}

struct script *zoo_answer(struct zoo *z, const struct target *t, const struct ask *ask,
                          const struct sim_options *o, struct str body)
{
    struct str name = ask->model.n > 0 ? ask->model : t->model;
    const struct character *c = character_find(name);

    if (c == NULL || t->endpoint->op > OP_COUNT) {
        return NULL;
    }
    struct exchange x = {.zoo = z, .o = o, .claimed = c, .served = c, .status = 200};
    x.asked.endpoint = t->endpoint;
    x.asked.stream = t->endpoint->op == OP_GENERATE && (ask->stream || t->stream);
    x.asked.framing = x.asked.stream ? (t->stream ? t->framing : FRAMING_SSE) : FRAMING_WHOLE;
    x.asked.usage_wanted = ask->include_usage;
    x.first_ms = (o->given & SIM_GIVEN_DELAY) != 0 ? o->delay_ms : FIRST_MS;
    x.each_ms = (o->given & SIM_GIVEN_DELAY) != 0 ? o->delay_ms : EACH_MS;
    x.now_us = clock_wall_us();
    memcpy(x.model, name.p, name.n < LIMIT_NAME ? name.n : LIMIT_NAME);
    x.script = calloc(1, sizeof(*x.script));
    if (x.script == NULL) {
        abort();
    }
    buf_init(&x.script->head, LIMIT_HEAD_BYTES);
    buf_init(&x.script->bytes, LIMIT_BODY_BYTES);
    x.script->status = 200;
    x.script->type = x.asked.framing == FRAMING_SSE ? "text/event-stream" : "application/json";
    z->calls++;
    answer(&x, body);
    script_end(&x);
    shape_head(&x);
    json_free(x.asked.doc);
    buf_release(&x.asked.text);
    buf_release(&x.answer.thinking);
    buf_release(&x.answer.text);
    buf_release(&x.answer.arguments);
    return x.script;
}
