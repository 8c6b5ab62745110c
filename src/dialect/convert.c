/* SPDX-License-Identifier: Apache-2.0 */
/* The door of conversion: one request there, its reply back. */
#include "dialect/convert.h"

#include <assert.h>
#include <stdlib.h>

#include "dialect/neutral.h"

#define ARENA_MAX (96U << 20) /* a body of 32 MB and what is made of it */

_Static_assert(FIELD_COUNT <= CONVERSION_FIELDS, "a bit for each field");

const struct spoken *spoken_of(enum dialect d)
{
    static const struct spoken *const all[SPOKEN] = {
        [DIALECT_CHAT] = &spoken_chat,
        [DIALECT_RESPONSES] = &spoken_responses,
        [DIALECT_MESSAGES] = &spoken_messages,
        [DIALECT_GEMINI] = &spoken_gemini,
    };
    return d < SPOKEN ? all[d] : NULL;
}

static bool is_embedding(enum dialect from, enum dialect to)
{
    return (from == DIALECT_EMBEDDINGS && to == DIALECT_GEMINI) ||
           (from == DIALECT_GEMINI && to == DIALECT_EMBEDDINGS);
}

/* Embeddings are told as the chat dialect tells things. */
static uint8_t teller(enum dialect d)
{
    return d == DIALECT_EMBEDDINGS ? DIALECT_CHAT : (uint8_t)d;
}

bool conversion_knows(enum dialect from, enum dialect to)
{
    if (is_embedding(from, to)) {
        return true;
    }
    return from != to && spoken_of(from) != NULL && spoken_of(to) != NULL;
}

void *conversion_alloc(struct conversion *c, size_t n)
{
    void *p = arena_alloc(&c->arena, n);

    if (p == NULL) { /* at the cap: what is made from now on is thrown away with the refusal */
        refuse(c, NULL, "The request is too large to be converted.");
        c->reply.broken = true;
        p = arena_alloc(&c->spare, n);
        assert(p != NULL);
    }
    return p;
}

struct str conversion_str(struct conversion *c, struct str s)
{
    char *p = conversion_alloc(c, s.n + 1);

    if (s.n > 0) {
        memcpy(p, s.p, s.n);
    }
    return str_slice(p, s.n);
}

struct str conversion_take(struct conversion *c, struct buf *b)
{
    struct str s = conversion_str(c, buf_str(b));

    if (b->overflow) {
        refuse(c, NULL, "The request is too large to be converted.");
        c->reply.broken = true;
    }
    buf_release(b);
    return s;
}

const struct json *conversion_parse(struct conversion *c, struct buf *text)
{
    struct made_doc *made = conversion_alloc(c, sizeof(*made));

    *made = (struct made_doc){c->made, json_parse_exact(buf_str(text), NULL)};
    c->made = made;
    if (text->overflow || made->doc == NULL) {
        refuse(c, NULL, "The request is too large to be converted.");
    }
    buf_release(text);
    return made->doc != NULL ? json_root(made->doc) : NULL;
}

static void convert_answer(struct conversion *c, const struct conversion_ask *ask,
                           struct json_out *o)
{
    if (ask->beta && c->from == DIALECT_MESSAGES) {
        lose(c, FIELD_BETA, NULL);
    }
    spoken_of((enum dialect)c->from)->read_ask(c, json_root(c->doc));
    if (!c->refused) {
        turns_settle(c);
        tools_rename(c);
    }
    if (!c->refused) {
        spoken_of((enum dialect)c->to)->write_ask(c, o);
        lose_unwritten(c);
    }
}

static void convert_ask(struct conversion *c, const struct conversion_ask *ask, struct buf *out)
{
    struct json_out o = {out, false};
    struct err e;

    c->doc = json_parse_exact(ask->body, &e);
    if (c->doc == NULL) {
        refuse(c, NULL, "The body is not valid JSON: %s", e.text);
        return;
    }
    if (c->embedding != NULL) {
        embeddings_read_ask(c, json_root(c->doc));
        embeddings_write_ask(c, &o);
    } else {
        convert_answer(c, ask, &o);
    }
    if (out->overflow) {
        refuse(c, NULL, "The request is too large to be converted.");
    }
}

/* A reply may take minutes: what it needs of the request moves to memory of its own, the rest is
 * wiped and goes. */
static void forget_ask(struct conversion *c)
{
    struct arena asked_in = c->arena;
    struct ask_neutral asked = c->ask;

    arena_init(&c->arena, ARENA_MAX);
    c->ask = (struct ask_neutral){.model = conversion_str(c, asked.model),
                                  .stream = asked.stream,
                                  .stream_usage = asked.stream_usage,
                                  .reasoning = {.show = asked.reasoning.show}};
    c->envelope_id = conversion_str(c, c->envelope_id);
    c->reply.id = conversion_str(c, c->reply.id);
    if (c->reply.settings.n > 0) {
        c->reply.settings = conversion_str(c, c->reply.settings);
    }
    if (c->embedding != NULL) {
        struct embedding *e = conversion_alloc(c, sizeof(*e));
        *e = (struct embedding){.count = c->embedding->count,
                                .single = c->embedding->single,
                                .base64 = c->embedding->base64};
        c->embedding = e;
    }
    tools_keep(c, asked.tools);
    json_free(c->doc);
    c->doc = NULL;
    for (struct made_doc *made = c->made; made != NULL; made = made->next) {
        json_free(made->doc);
    }
    c->made = NULL;
    arena_release(&asked_in);
    arena_release(&c->spare);
}

struct conversion *conversion_new(const struct conversion_ask *ask, struct buf *out)
{
    struct conversion *c = calloc(1, sizeof(*c));

    assert(c != NULL && conversion_knows(ask->from, ask->to) && ask->vendor != NULL);
    arena_init(&c->arena, ARENA_MAX);
    arena_init(&c->spare, SIZE_MAX);
    buf_init(&c->lossy, LOSSY_MAX);
    buf_init(&c->why, 1024);
    buf_init(&c->why_at, 1024);
    c->from = teller(ask->from);
    c->to = teller(ask->to);
    if (is_embedding(ask->from, ask->to)) {
        c->embedding = conversion_alloc(c, sizeof(*c->embedding));
    }
    c->vendor = ask->vendor;
    c->max_output = ask->max_output;
    if (ask->allowed != NULL) {
        memcpy(c->allowed, ask->allowed, sizeof(c->allowed));
    }
    c->framing = (uint8_t)ask->framing;
    c->whole = !ask->stream;
    c->ask.value = conversion_alloc(c, FIELD_COUNT * sizeof(*c->ask.value));
    c->ask.stream = ask->stream;
    c->ask.model = conversion_str(c, ask->model);
    c->envelope_id = envelope_id(c, str_from(ask->vendor->name), ask->model);
    c->reply.id = conversion_str(c, ask->reply_id);
    c->reply.created = ask->created;
    convert_ask(c, ask, out);
    forget_ask(c);
    return c;
}

void conversion_free(struct conversion *c)
{
    if (c == NULL) {
        return;
    }
    for (struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        buf_release(&p->text);
        buf_release(&p->waiting);
        buf_release(&p->kept);
    }
    tools_free(c);
    json_free(c->doc);
    buf_release(&c->lossy);
    buf_release(&c->why);
    buf_release(&c->why_at);
    arena_release(&c->arena);
    arena_release(&c->spare);
    free(c);
}

bool conversion_refused(const struct conversion *c, struct str *where, struct str *why)
{
    *where = buf_str(&c->why_at);
    *why = buf_str(&c->why);
    return c->refused;
}

bool conversion_uncarried(const struct conversion *c)
{
    return c->uncarried;
}

struct str conversion_lossy(const struct conversion *c)
{
    return buf_str(&c->lossy);
}

size_t conversion_memory(const struct conversion *c)
{
    size_t n = 0;

    if (c == NULL) {
        return 0;
    }
    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        n += p->text.cap + p->waiting.cap + p->kept.cap;
    }
    return n + sizeof(*c) + c->arena.used + c->spare.used;
}

/* Events without data, and a terminator that some hosts send in every dialect. */
static bool says_nothing(struct str data)
{
    struct str s = str_trim(data);
    return s.n == 0 || str_eq(s, STR("[DONE]"));
}

bool conversion_event(struct conversion *c, struct str data, struct buf *out)
{
    struct json_doc *doc = json_parse_exact(data, NULL);
    bool object = doc != NULL && json_is_object(json_root(doc));

    c->out = out;
    if (object && !c->reply.ended) {
        spoken_of((enum dialect)c->to)->read_event(c, json_root(doc));
    } else if (!object && !says_nothing(data)) { /* a piece of the answer may have been in it */
        c->reply.broken = true;
    }
    json_free(doc);
    return !c->reply.broken && !out->overflow;
}

bool conversion_end(struct conversion *c, const struct usage *u, struct buf *out)
{
    c->out = out;
    if (!c->reply.finished) {
        return false; /* a terminator alone does not say that the model was done */
    }
    reply_end(c, u);
    return !c->unreadable && !c->reply.broken && !out->overflow;
}

void conversion_limit(struct conversion *c, const struct usage *u, struct buf *out)
{
    c->out = out;
    reply_finish(c, FINISH_LENGTH, STR(""));
    reply_end(c, u);
}

void conversion_fail(struct conversion *c, enum framing f, const struct problem *p, struct buf *out)
{
    const struct reply_writer *w = spoken_of((enum dialect)c->from)->writer;

    c->out = out;
    c->reply.ended = true;
    c->reply.sequence = c->reply.held ? c->reply.sent : c->reply.sequence;
    if (w->fail != NULL) {
        w->fail(c, p);
    } else {
        problem_write_event((enum dialect)c->from, f, p, out);
    }
}

void conversion_hold(struct conversion *c)
{
    if (!c->reply.held) {
        c->reply.held = true;
        c->reply.sent = c->reply.sequence;
    }
}

void conversion_ping(struct conversion *c, struct buf *out)
{
    const struct reply_writer *w = spoken_of((enum dialect)c->from)->writer;

    c->out = out;
    if (w->ping != NULL && !c->whole && !c->reply.ended) {
        w->ping(c);
    }
}

bool conversion_whole(struct conversion *c, struct str body, const struct usage *u, struct buf *out)
{
    struct json_doc *doc = json_parse_exact(body, NULL);
    bool ok = doc != NULL && json_is_object(json_root(doc));

    c->out = out;
    if (ok && c->embedding != NULL) {
        embeddings_convert_reply(c, json_root(doc), u);
    } else if (ok) {
        spoken_of((enum dialect)c->to)->read_whole(c, json_root(doc));
        ok = c->reply.finished; /* as in a stream: who stopped says why */
    }
    if (ok && c->embedding == NULL) {
        reply_end(c, u);
    }
    json_free(doc);
    return ok && !c->unreadable && !c->reply.broken && !out->overflow;
}

const struct problem *conversion_problem(const struct conversion *c)
{
    static const struct problem bad_call = {
        502, "bad_upstream", STR_INIT("The model made a tool call that cannot be read."), NULL};

    return c->unreadable && c->reply.finish == FINISH_BAD_CALL ? &bad_call : NULL;
}

size_t conversion_fields(const char *names[CONVERSION_FIELDS])
{
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        names[f] = fields[f].name;
    }
    return FIELD_COUNT;
}
