/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/speak.h"

static const char *const names[] = {
    [DIALECT_CHAT] = "chat",
    [DIALECT_RESPONSES] = "responses",
    [DIALECT_MESSAGES] = "messages",
    [DIALECT_GEMINI] = "gemini",
};

#define TOOL_SCHEMA                                                                      \
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":" \
    "[\"city\"]}"
#define TOOL_NAME "\"name\":\"get_weather\",\"description\":\"Weather of a city\""

const char *speak_dialect_name(enum dialect d)
{
    return names[d];
}

bool speak_dialect_find(struct str name, enum dialect *out)
{
    for (enum dialect d = DIALECT_CHAT; d <= DIALECT_GEMINI; d++) {
        if (str_eq(name, str_from(names[d]))) {
            *out = d;
            return true;
        }
    }
    return false;
}

/* "v1", "v4", "v1beta". */
static bool is_version(struct str s)
{
    return s.n >= 2 && s.n <= 7 && s.p[0] == 'v' && s.p[1] >= '1' && s.p[1] <= '9';
}

bool speak_url(struct buf *out, struct str base, const struct speaker *s, bool stream)
{
    static const char *const paths[] = {
        [DIALECT_CHAT] = "/chat/completions",
        [DIALECT_RESPONSES] = "/responses",
        [DIALECT_MESSAGES] = "/messages",
    };

    while (base.n > 0 && base.p[base.n - 1] == '/') {
        base.n--;
    }
    size_t slash = base.n;
    while (slash > 0 && base.p[slash - 1] != '/') {
        slash--;
    }
    struct str last = str_skip(base, slash);
    bool beta = s->dialect == DIALECT_GEMINI;
    if (!is_version(last)) {
        buf_cat(out, base, beta ? STR("/v1beta") : STR("/v1"));
    } else if (beta && str_eq(last, STR("v1"))) {
        buf_cat(out, base, STR("beta"));
    } else if (!beta && str_eq(last, STR("v1beta"))) {
        buf_add(out, str_slice(base.p, base.n - 4));
    } else {
        buf_add(out, base);
    }
    if (beta) {
        return buf_cat(out, STR("/models/"), s->model,
                       stream ? STR(":streamGenerateContent?alt=sse") : STR(":generateContent"));
    }
    return buf_add(out, str_from(paths[s->dialect]));
}

static void put_turn(struct json_out *o, const char *role, const char *field, struct str text)
{
    json_open(o, '{');
    if (role != NULL) {
        json_key(o, "role");
        json_put_str(o, str_from(role));
    }
    json_key(o, field);
    if (str_eq(str_from(field), STR("parts"))) {
        json_open(o, '[');
        json_open(o, '{');
        json_key(o, "text");
        json_put_str(o, text);
        json_close(o, '}');
        json_close(o, ']');
    } else {
        json_put_str(o, text);
    }
    json_close(o, '}');
}

static void put_temperature(struct json_out *o, const struct question *q)
{
    if (q->temperature != NULL) {
        json_key(o, "temperature");
        json_put_raw(o, str_from(q->temperature));
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

static void write_chat(struct json_out *o, const struct speaker *s, const struct question *q)
{
    json_key(o, "messages");
    json_open(o, '[');
    if (q->system.n > 0) {
        put_turn(o, "system", "content", q->system);
    }
    put_turn(o, "user", "content", q->text);
    json_close(o, ']');
    json_key(o, s->completion_tokens ? "max_completion_tokens" : "max_tokens");
    json_put_u64(o, q->max_tokens);
    put_temperature(o, q);
    put_stop(o, "stop", q);
    if (q->tool) {
        json_put_members(o, STR("\"tools\":[{\"type\":\"function\",\"function\":{" TOOL_NAME
                                ",\"parameters\":" TOOL_SCHEMA "}}]"));
    }
}

static void write_responses(struct json_out *o, const struct question *q)
{
    if (q->system.n > 0) {
        json_key(o, "instructions");
        json_put_str(o, q->system);
    }
    json_key(o, "input");
    json_open(o, '[');
    put_turn(o, "user", "content", q->text);
    json_close(o, ']');
    json_key(o, "max_output_tokens");
    json_put_u64(o, q->max_tokens);
    json_key(o, "store");
    json_put_bool(o, false);
    put_temperature(o, q);
    if (q->tool) {
        json_put_members(o, STR("\"tools\":[{\"type\":\"function\"," TOOL_NAME
                                ",\"parameters\":" TOOL_SCHEMA "}]"));
    }
}

static void write_messages(struct json_out *o, const struct question *q)
{
    if (q->system.n > 0 && q->cache) {
        json_key(o, "system");
        json_open(o, '[');
        json_open_typed(o, "text");
        json_key(o, "text");
        json_put_str(o, q->system);
        json_put_members(o, STR("\"cache_control\":{\"type\":\"ephemeral\"}"));
        json_close(o, '}');
        json_close(o, ']');
    } else if (q->system.n > 0) {
        json_key(o, "system");
        json_put_str(o, q->system);
    }
    json_key(o, "messages");
    json_open(o, '[');
    put_turn(o, "user", "content", q->text);
    json_close(o, ']');
    json_key(o, "max_tokens");
    json_put_u64(o, q->max_tokens);
    put_temperature(o, q);
    put_stop(o, "stop_sequences", q);
    if (q->tool) {
        json_put_members(o, STR("\"tools\":[{" TOOL_NAME ",\"input_schema\":" TOOL_SCHEMA "}]"));
    }
}

static void write_gemini(struct json_out *o, const struct question *q)
{
    if (q->system.n > 0) {
        json_key(o, "systemInstruction");
        put_turn(o, NULL, "parts", q->system);
    }
    json_key(o, "contents");
    json_open(o, '[');
    put_turn(o, "user", "parts", q->text);
    json_close(o, ']');
    json_key(o, "generationConfig");
    json_open(o, '{');
    json_key(o, "maxOutputTokens");
    json_put_u64(o, q->max_tokens);
    put_temperature(o, q);
    put_stop(o, "stopSequences", q);
    json_close(o, '}');
    if (q->tool) {
        json_put_members(o, STR("\"tools\":[{\"functionDeclarations\":[{" TOOL_NAME
                                ",\"parameters\":" TOOL_SCHEMA "}]}]"));
    }
}

void speak_write(struct buf *out, const struct speaker *s, const struct question *q)
{
    struct json_out o = {out, false};

    json_open(&o, '{');
    if (s->dialect != DIALECT_GEMINI) {
        json_key(&o, "model");
        json_put_str(&o, s->model);
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
        json_key(&o, "stream");
        json_put_bool(&o, true);
    }
    if (q->stream && s->dialect == DIALECT_CHAT) {
        json_put_members(&o, STR("\"stream_options\":{\"include_usage\":true}"));
    }
    json_close(&o, '}');
}
