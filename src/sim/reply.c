/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of an answer: what was asked, how many tokens that is, and what is to come back. */
#include "sim/reply.h"

#include <stdio.h>

#define TOKENS_MAX 100000
#define DEPTH_MAX 8

static const struct {
    const char *model;
    struct sim_options o;
} models[] = {
    {"sim-small", {.tokens = 16}},
    {"sim-large", {.tokens = 200}},
    {"sim-reason", {.tokens = 16, .reasoning = 50}},
    {"sim-slow", {.tokens = 16, .delay_ms = 100}},
    {"sim-cut", {.tokens = 16, .cut = 3}},
    {"sim-limited", {.tokens = 16, .error = 429}},
    {"sim-broken", {.tokens = 16, .error = 500}},
    {"sim-tools", {.tokens = 4, .tools = 1}},
};
#define MODELS (sizeof(models) / sizeof(models[0]))

static const struct {
    struct str name;
    size_t offset;
    uint32_t max;
} fields[] = {
    {STR_INIT("tokens"), offsetof(struct sim_options, tokens), TOKENS_MAX},
    {STR_INIT("reasoning"), offsetof(struct sim_options, reasoning), TOKENS_MAX},
    {STR_INIT("delay"), offsetof(struct sim_options, delay_ms), 600000},
    {STR_INIT("error"), offsetof(struct sim_options, error), 599},
    {STR_INIT("cut"), offsetof(struct sim_options, cut), TOKENS_MAX},
    {STR_INIT("tools"), offsetof(struct sim_options, tools), 8},
    {STR_INIT("seed"), offsetof(struct sim_options, seed), UINT32_MAX},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static uint32_t *field_of(struct sim_options *o, size_t i)
{
    return (uint32_t *)(void *)((char *)o + fields[i].offset);
}

bool sim_options_read(struct sim_options *o, struct str words)
{
    bool found = false;
    while (words.n > 0) {
        struct str value = str_cut(&words, ' ');
        struct str name = str_cut(&value, '=');
        uint64_t n;
        if (str_ends(value, STR("ms"))) {
            value.n -= 2;
        }
        if (!str_to_u64(value, &n)) {
            continue;
        }
        for (size_t i = 0; i < FIELDS; i++) {
            if (str_eq(name, fields[i].name)) {
                *field_of(o, i) = n < fields[i].max ? (uint32_t)n : fields[i].max;
                o->given |= 1U << i;
                found = true;
            }
        }
    }
    return found;
}

struct texts {
    uint64_t bytes;
    struct str last;
};

/* All text below v: strings, lists of them, and what stands under text, content and parts. */
static void texts_add(struct texts *t, const struct json *v, unsigned depth)
{
    struct str s = json_str(v);
    if (v == NULL || depth > DEPTH_MAX) {
        return;
    }
    if (s.p != NULL) {
        t->bytes += s.n;
        t->last = s;
    } else if (json_is_array(v)) {
        size_t n = json_count(v);
        for (size_t i = 0; i < n; i++) {
            char path[24];
            snprintf(path, sizeof(path), "%zu", i);
            texts_add(t, json_get(v, path), depth + 1);
        }
    } else if (json_is_object(v)) {
        texts_add(t, json_get(v, "text"), depth + 1);
        texts_add(t, json_get(v, "content"), depth + 1);
        texts_add(t, json_get(v, "parts"), depth + 1);
    }
}

static void read_body(struct reply *r, const struct json *root)
{
    static const char *const places[] = {
        "system",   "instructions", "systemInstruction", "system_instruction", "messages", "input",
        "contents", "content",      "requests"};
    struct texts t = {0};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        texts_add(&t, json_get(root, places[i]), 0);
    }
    r->input_tokens = (t.bytes + 3) / 4;
    size_t at = str_find(t.last, STR("sim:"));
    if (at != SIZE_MAX) {
        struct str words = str_skip(t.last, at + 4);
        words.n = str_find_byte(words, '\n');
        (void)sim_options_read(&r->o, words);
    }
    const struct json *list =
        json_get(root, r->target.endpoint->dialect == DIALECT_GEMINI ? "requests" : "input");
    r->inputs = json_is_array(list) ? json_count(list) : 1;
}

static void plan_fail(struct reply *r, unsigned status, struct str text)
{
    r->status = status;
    r->error = text;
    r->stream = false;
}

/* What the model's name says, below what the program's options and the request's text say. */
static void plan_model(struct reply *r, struct str name)
{
    snprintf(r->model, sizeof(r->model), "%.*s", STR_ARG(name));
    for (size_t i = 0; i < MODELS; i++) {
        if (!str_eq(name, str_from(models[i].model))) {
            continue;
        }
        struct sim_options own = models[i].o;
        for (size_t k = 0; k < FIELDS; k++) {
            if ((r->o.given & 1U << k) == 0) {
                *field_of(&r->o, k) = *field_of(&own, k);
            }
        }
    }
}

static void plan_body(struct reply *r, struct zoo *zoo, struct str body)
{
    const char *field = NULL;
    struct err why;
    struct ask ask = {0};
    if (!ask_read(r->target.endpoint, body, &ask, &field, &why)) {
        plan_fail(r, 400, STR("the request is not what this endpoint takes"));
        return;
    }
    struct json_doc *doc = json_parse(body, &why);
    if (doc == NULL) {
        plan_fail(r, 400, STR("the body is no JSON"));
        return;
    }
    plan_model(r, ask.model.n > 0 ? ask.model : r->target.model);
    r->stream = r->target.endpoint->op == OP_GENERATE && (ask.stream || r->target.stream);
    r->include_usage = ask.include_usage;
    read_body(r, json_root(doc));
    json_free(doc);
    r->script = r->o.error >= 400 ? NULL : zoo_answer(zoo, &r->target, &ask, &r->o, body);
    if (r->script != NULL) {
        r->status = r->script->status;
        r->stream = r->stream && r->status == 200;
        return;
    }
    if (ask.max_output > 0 && r->o.tokens > ask.max_output) {
        r->o.tokens = (uint32_t)ask.max_output;
        r->limited = true;
    }
    if (r->o.error >= 400) {
        plan_fail(r, r->o.error, STR("the simulator was told to fail"));
    }
}

void reply_plan(struct reply *r, struct zoo *zoo, unsigned method, struct str target,
                struct str body, const struct sim_options *defaults)
{
    struct str query = target, path = str_cut(&query, '?');
    *r = (struct reply){.o = *defaults, .status = 200};
    endpoint_find(method, path, query, &r->target);
    if (r->target.endpoint == NULL || r->target.endpoint->op >= OP_OWN) {
        plan_fail(r, r->target.wrong_method ? 405 : 404, STR("there is nothing at this path"));
    } else if (r->target.endpoint->op != OP_MODELS) {
        plan_body(r, zoo, body);
    }
}

void reply_release(struct reply *r)
{
    script_free(r->script);
    r->script = NULL;
}

const char *reply_type(const struct reply *r)
{
    if (r->script != NULL) {
        return r->script->type;
    }
    return r->stream && !(r->target.stream && r->target.framing == FRAMING_ARRAY)
               ? "text/event-stream"
               : "application/json";
}

void reply_write_words(struct buf *out, uint32_t first, uint32_t count)
{
    static const char *const words[] = {"goods ", "are ",     "landed ", "weighed ",
                                        "and ",   "shipped ", "on ",     "again "};
    for (uint32_t i = 0; i < count; i++) {
        buf_add(out, str_from(words[(first + i) % 8]));
    }
}

void reply_write_model(const struct reply *r, struct buf *out)
{
    json_write_str(out, str_from(r->model));
}

/* Those for people, then the zoo's. */
static void write_models(const struct reply *r, struct buf *out)
{
    bool gemini = r->target.endpoint->dialect == DIALECT_GEMINI;
    buf_add(out, gemini ? STR("{\"models\":[") : STR("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < MODELS + character_count; i++) {
        const char *name = i < MODELS ? models[i].model : characters[i - MODELS].name;
        if (gemini) {
            buf_addf(out,
                     "%s{\"name\":\"models/%s\",\"displayName\":\"%s\","
                     "\"supportedGenerationMethods\":[\"generateContent\",\"countTokens\"]}",
                     i > 0 ? "," : "", name, name);
        } else {
            buf_addf(out,
                     "%s{\"id\":\"%s\",\"object\":\"model\",\"type\":\"model\","
                     "\"display_name\":\"%s\",\"created\":1764000000,"
                     "\"created_at\":\"2025-11-24T16:00:00Z\",\"owned_by\":\"sim\"}",
                     i > 0 ? "," : "", name, name);
        }
    }
    buf_add(out, gemini ? STR("]}") : STR("],\"has_more\":false}"));
}

static void write_count(const struct reply *r, struct buf *out)
{
    unsigned long long n = r->input_tokens;
    if (r->target.endpoint->dialect == DIALECT_GEMINI) {
        buf_addf(out, "{\"totalTokens\":%llu}", n);
    } else if (r->target.endpoint->dialect == DIALECT_RESPONSES) {
        buf_addf(out, "{\"object\":\"response.input_tokens\",\"input_tokens\":%llu}", n);
    } else {
        buf_addf(out, "{\"input_tokens\":%llu}", n);
    }
}

#define VECTOR "[0.5,-0.5,0.5,-0.5]"

static void write_embeddings(const struct reply *r, struct buf *out)
{
    unsigned long long n = r->input_tokens;
    if (r->target.endpoint->dialect == DIALECT_GEMINI) {
        bool batch = str_eq(str_from(r->target.endpoint->name), STR("gemini.batch_embed"));
        buf_add(out, batch ? STR("{\"embeddings\":[") : STR("{\"embedding\":"));
        for (size_t i = 0; i < (batch ? r->inputs : 1); i++) {
            buf_addf(out, "%s{\"values\":" VECTOR "}", i > 0 ? "," : "");
        }
        buf_addf(out, "%s,\"usageMetadata\":{\"promptTokenCount\":%llu,\"totalTokenCount\":%llu}}",
                 batch ? "]" : "", n, n);
        return;
    }
    buf_add(out, STR("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < r->inputs; i++) {
        buf_addf(out, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":" VECTOR "}",
                 i > 0 ? "," : "", i);
    }
    buf_add(out, STR("],\"model\":"));
    reply_write_model(r, out);
    buf_addf(out, ",\"usage\":{\"prompt_tokens\":%llu,\"total_tokens\":%llu}}", n, n);
}

void reply_whole(struct reply *r, struct buf *out)
{
    const struct endpoint *ep = r->target.endpoint;
    if (r->script != NULL) {
        buf_add(out, buf_str(&r->script->bytes));
    } else if (r->status != 200) {
        struct problem p = {.status = r->status, .code = "simulated", .text = r->error};
        problem_write(ep != NULL ? (enum dialect)ep->dialect : DIALECT_CHAT, &p, STR("sim"), out);
    } else if (ep->op == OP_MODELS) {
        write_models(r, out);
    } else if (ep->op == OP_COUNT) {
        write_count(r, out);
    } else if (ep->op == OP_EMBED) {
        write_embeddings(r, out);
    } else {
        reply_write_whole(r, out);
    }
}

/* How many events a phase has. */
static uint32_t phase_length(const struct reply *r)
{
    switch ((enum phase)r->phase) {
    case PHASE_THOUGHT: return r->o.reasoning;
    case PHASE_TEXT: return r->o.tokens;
    case PHASE_TOOL: return r->o.tools;
    case PHASE_USAGE:
    case PHASE_BEGIN:
    case PHASE_FINISH: return 1;
    case PHASE_END: break;
    }
    return 0;
}

uint32_t reply_wait(const struct reply *r)
{
    const struct script *s = r->script;

    if (s == NULL) {
        return r->o.delay_ms;
    }
    return s->at < s->count ? s->pieces[s->at].wait_ms : 0;
}

static bool script_event(struct script *s, struct buf *out)
{
    if (s->at == s->count) {
        return false;
    }
    size_t from = s->at > 0 ? s->pieces[s->at - 1].end : 0;
    return buf_add(out, str_slice(s->bytes.p + from, s->pieces[s->at++].end - from));
}

bool reply_event(struct reply *r, struct buf *out)
{
    if (r->script != NULL) {
        r->events++;
        return script_event(r->script, out);
    }
    static void (*const write[])(struct reply *, struct buf *) = {
        [DIALECT_CHAT] = reply_chat_event,
        [DIALECT_RESPONSES] = reply_responses_event,
        [DIALECT_MESSAGES] = reply_messages_event,
        [DIALECT_GEMINI] = reply_gemini_event,
    };
    size_t before = out->n;
    while (r->phase != PHASE_END && out->n == before) {
        if (r->at >= phase_length(r)) {
            r->phase++;
            r->at = 0;
            continue;
        }
        write[r->target.endpoint->dialect](r, out);
        r->at++;
    }
    r->events++;
    return out->n > before;
}
