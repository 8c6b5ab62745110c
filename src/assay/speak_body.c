/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a question as a body of its dialect. */
#include "assay/speak.h"
#include "base/base64.h"

#define THINKING_BUDGET "1024"

static void put_text(struct json_out *o, const char *key, struct str text)
{
    json_key(o, key);
    json_put_str(o, text);
}

/* data:image/png;base64,..., or its last part alone. */
static void put_png(struct json_out *o, struct str png, bool address)
{
    buf_add(o->b, address ? STR("\"data:image/png;base64,") : STR("\""));
    base64_write(o->b, BASE64_STANDARD, png);
    buf_add_byte(o->b, '"');
    o->comma = true;
}

static void put_picture(struct json_out *o, enum dialect d, struct str png)
{
    if (d == DIALECT_GEMINI) {
        json_open(o, '{');
        json_key(o, "inlineData");
        json_open(o, '{');
        json_put_members(o, STR("\"mimeType\":\"image/png\""));
        json_key(o, "data");
        put_png(o, png, false);
        json_close(o, '}');
    } else if (d == DIALECT_MESSAGES) {
        json_open_typed(o, "image");
        json_key(o, "source");
        json_open_typed(o, "base64");
        json_put_members(o, STR("\"media_type\":\"image/png\""));
        json_key(o, "data");
        put_png(o, png, false);
        json_close(o, '}');
    } else if (d == DIALECT_CHAT) {
        json_open_typed(o, "image_url");
        json_key(o, "image_url");
        json_open(o, '{');
        json_key(o, "url");
        put_png(o, png, true);
        json_close(o, '}');
    } else {
        json_open_typed(o, "input_image");
        json_key(o, "image_url");
        put_png(o, png, true);
    }
    json_close(o, '}');
}

/* What somebody says: a text, or a picture and a text. */
static void put_content(struct json_out *o, enum dialect d, struct str text, struct str png)
{
    json_key(o, d == DIALECT_GEMINI ? "parts" : "content");
    if (png.n == 0 && d != DIALECT_GEMINI) {
        json_put_str(o, text);
        return;
    }
    json_open(o, '[');
    if (png.n > 0) {
        put_picture(o, d, png);
    }
    if (d == DIALECT_GEMINI) {
        json_open(o, '{');
    } else {
        json_open_typed(o, d == DIALECT_RESPONSES ? "input_text" : "text");
    }
    put_text(o, "text", text);
    json_close(o, '}');
    json_close(o, ']');
}

static void put_turn(struct json_out *o, enum dialect d, const char *role, struct str text,
                     struct str png)
{
    json_open(o, '{');
    if (role != NULL) {
        put_text(o, "role", str_from(role));
    }
    put_content(o, d, text, png);
    json_close(o, '}');
}

static void put_user(struct json_out *o, enum dialect d, const struct question *q)
{
    if (!q->silent) {
        put_turn(o, d, "user", q->text, q->png);
    }
}

static void put_temperature(struct json_out *o, const struct question *q)
{
    if (q->temperature != NULL) {
        json_key(o, "temperature");
        json_put_raw(o, str_from(q->temperature));
    }
    if (q->seed != NULL) {
        json_key(o, "seed");
        json_put_raw(o, str_from(q->seed));
    }
}

static void put_stop(struct json_out *o, const char *name, const struct question *q)
{
    if (q->stop != NULL) {
        json_key(o, name);
        json_open(o, '[');
        json_put_str(o, str_from(q->stop));
        json_close(o, ']');
    }
}

static void put_u64(struct json_out *o, const char *key, uint64_t v)
{
    json_key(o, key);
    json_put_u64(o, v);
}

/* How each dialect wraps a tool, and says that one must be called. */
static const struct tool_shape {
    const char *before, *schema_key, *behind, *must;
} tool_shapes[] = {
    [DIALECT_CHAT] = {"{\"type\":\"function\",\"function\":{", "parameters", "}}",
                      "\"tool_choice\":\"required\""},
    [DIALECT_RESPONSES] = {"{\"type\":\"function\",", "parameters", "}",
                           "\"tool_choice\":\"required\""},
    [DIALECT_MESSAGES] = {"{", "input_schema", "}", "\"tool_choice\":{\"type\":\"any\"}"},
    [DIALECT_GEMINI] = {"{", "parameters", "}",
                        "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\"}}"},
};

static void put_tools(struct json_out *o, enum dialect d, const struct question *q)
{
    const struct tool_shape *shape = &tool_shapes[d];

    if (q->tool_count == 0) {
        return;
    }
    json_key(o, "tools");
    buf_add(o->b, d == DIALECT_GEMINI ? STR("[{\"functionDeclarations\":[") : STR("["));
    for (unsigned i = 0; i < q->tool_count; i++) {
        const struct tool *t = &q->tools[i];
        buf_cat(o->b, i > 0 ? STR(",") : STR(""), str_from(shape->before));
        o->comma = false;
        put_text(o, "name", str_from(t->name));
        put_text(o, "description", str_from(t->description));
        json_key(o, shape->schema_key);
        json_put_raw(o, str_from(t->schema));
        buf_add(o->b, str_from(shape->behind));
    }
    buf_add(o->b, d == DIALECT_GEMINI ? STR("]}]") : STR("]"));
    o->comma = true;
    if (q->must_call) {
        json_put_members(o, str_from(shape->must));
    }
}

static void write_chat(struct json_out *o, const struct speaker *s, const struct question *q)
{
    json_key(o, "messages");
    json_open(o, '[');
    if (q->system.n > 0) {
        put_turn(o, DIALECT_CHAT, "system", q->system, STR(""));
    }
    put_user(o, DIALECT_CHAT, q);
    json_close(o, ']');
    put_u64(o, s->completion_tokens ? "max_completion_tokens" : "max_tokens", q->max_tokens);
    put_temperature(o, q);
    put_stop(o, "stop", q);
    put_tools(o, DIALECT_CHAT, q);
    if (q->logprobs > 0) {
        json_put_members(o, STR("\"logprobs\":true"));
        put_u64(o, "top_logprobs", q->logprobs);
    }
}

static void write_responses(struct json_out *o, const struct question *q)
{
    if (q->system.n > 0) {
        put_text(o, "instructions", q->system);
    }
    json_key(o, "input");
    json_open(o, '[');
    put_user(o, DIALECT_RESPONSES, q);
    json_close(o, ']');
    put_tools(o, DIALECT_RESPONSES, q);
    if (q->ask == ASK_COUNT) {
        return;
    }
    put_u64(o, "max_output_tokens", q->max_tokens);
    json_put_members(o, STR("\"store\":false"));
    put_temperature(o, q);
    if (q->logprobs > 0) {
        json_put_members(o, STR("\"include\":[\"message.output_text.logprobs\"]"));
        put_u64(o, "top_logprobs", q->logprobs);
    }
}

static void put_system(struct json_out *o, const struct question *q)
{
    if (q->system.n > 0 && q->cache) {
        json_key(o, "system");
        json_open(o, '[');
        json_open_typed(o, "text");
        put_text(o, "text", q->system);
        json_put_members(o, STR("\"cache_control\":{\"type\":\"ephemeral\"}"));
        json_close(o, '}');
        json_close(o, ']');
    } else if (q->system.n > 0) {
        put_text(o, "system", q->system);
    }
}

static void write_messages(struct json_out *o, const struct question *q)
{
    put_system(o, q);
    json_key(o, "messages");
    json_open(o, '[');
    if (q->turn.n > 0) {
        put_turn(o, DIALECT_MESSAGES, "user", q->before, STR(""));
        json_open(o, '{');
        put_text(o, "role", STR("assistant"));
        json_key(o, "content");
        json_put_raw(o, q->turn);
        json_close(o, '}');
    }
    put_user(o, DIALECT_MESSAGES, q);
    json_close(o, ']');
    put_tools(o, DIALECT_MESSAGES, q);
    if (q->thinking && q->adaptive) {
        json_put_members(o, STR("\"thinking\":{\"type\":\"adaptive\"}"));
    } else if (q->thinking) {
        json_put_members(
            o, STR("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":" THINKING_BUDGET "}"));
    }
    if (q->ask == ASK_COUNT) {
        return;
    }
    put_u64(o, "max_tokens", q->max_tokens);
    put_temperature(o, q);
    put_stop(o, "stop_sequences", q);
}

static void write_gemini(struct json_out *o, const struct question *q)
{
    if (q->system.n > 0 && q->ask != ASK_COUNT) {
        json_key(o, "systemInstruction");
        put_turn(o, DIALECT_GEMINI, NULL, q->system, STR(""));
    }
    json_key(o, "contents");
    json_open(o, '[');
    put_user(o, DIALECT_GEMINI, q);
    json_close(o, ']');
    if (q->ask == ASK_COUNT) {
        return;
    }
    json_key(o, "generationConfig");
    json_open(o, '{');
    put_u64(o, "maxOutputTokens", q->max_tokens);
    put_temperature(o, q);
    put_stop(o, "stopSequences", q);
    if (q->logprobs > 0) {
        json_put_members(o, STR("\"responseLogprobs\":true"));
        put_u64(o, "logprobs", q->logprobs);
    }
    if (q->thinking) {
        json_put_members(o, STR("\"thinkingConfig\":{\"includeThoughts\":true}"));
    }
    json_close(o, '}');
    put_tools(o, DIALECT_GEMINI, q);
}

void speak_write(struct buf *out, const struct speaker *s, const struct question *q)
{
    struct json_out o = {out, false};

    if (q->ask == ASK_RAW) {
        buf_add(out, q->text);
        return;
    }
    json_open(&o, '{');
    if (s->dialect != DIALECT_GEMINI) {
        put_text(&o, "model", q->model != NULL ? str_from(q->model) : s->model);
    }
    switch (s->dialect) {
    case DIALECT_CHAT: write_chat(&o, s, q); break;
    case DIALECT_RESPONSES: write_responses(&o, q); break;
    case DIALECT_MESSAGES: write_messages(&o, q); break;
    case DIALECT_GEMINI: write_gemini(&o, q); break;
    case DIALECT_EMBEDDINGS:
    case DIALECT_OWN: break;
    }
    if (q->stream && s->dialect != DIALECT_GEMINI) {
        json_put_members(&o, STR("\"stream\":true"));
    }
    if (q->stream && s->dialect == DIALECT_CHAT) {
        json_put_members(&o, STR("\"stream_options\":{\"include_usage\":true}"));
    }
    json_close(&o, '}');
}
