/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a whole answer. */
#include "assay/said_int.h"

#define TEXT_MAX (1 << 20)

static bool has_type(const struct json *v, const char *type)
{
    return str_eq(json_str(json_get(v, "type")), str_from(type));
}

void said_add_call(struct said *s, const struct json *name, const struct json *arguments)
{
    if (s->call_count++ >= SAID_CALLS) {
        return;
    }
    struct said_call *c = &s->calls[s->call_count - 1];
    *c = (struct said_call){.name = json_str(name), .arguments = arguments};
    if (json_is_string(arguments)) {
        c->doc = json_parse_exact(json_str(arguments), NULL);
        c->arguments = c->doc != NULL ? json_root(c->doc) : NULL;
    }
}

static void read_chat(struct said *s, const struct json *root)
{
    const struct json *message = json_get(root, "choices.0.message");
    const struct json *content = json_get(message, "content");

    buf_add(&s->text, json_str(content));
    struct json_each parts = json_each(content);
    while (json_next(&parts)) {
        buf_add(&s->text, json_str(json_get(parts.value, "text")));
    }
    struct json_each calls = json_each(json_get(message, "tool_calls"));
    while (json_next(&calls)) {
        said_add_call(s, json_get(calls.value, "function.name"),
                      json_get(calls.value, "function.arguments"));
    }
    s->finish = json_str(json_get(root, "choices.0.finish_reason"));
    json_u64(json_get(root, "usage.total_tokens"), &s->total);
}

static void read_responses(struct said *s, const struct json *root)
{
    struct json_each items = json_each(json_get(root, "output"));

    while (json_next(&items)) {
        if (has_type(items.value, "function_call")) {
            said_add_call(s, json_get(items.value, "name"), json_get(items.value, "arguments"));
        }
        struct json_each parts = json_each(json_get(items.value, "content"));
        while (json_next(&parts)) {
            if (has_type(parts.value, "output_text")) {
                buf_add(&s->text, json_str(json_get(parts.value, "text")));
            }
        }
    }
    s->finish = json_str(json_get(root, "status"));
    json_u64(json_get(root, "usage.total_tokens"), &s->total);
}

static void read_messages(struct said *s, const struct json *root)
{
    struct json_each parts = json_each(json_get(root, "content"));

    while (json_next(&parts)) {
        if (has_type(parts.value, "text")) {
            buf_add(&s->text, json_str(json_get(parts.value, "text")));
        } else if (has_type(parts.value, "tool_use")) {
            said_add_call(s, json_get(parts.value, "name"), json_get(parts.value, "input"));
        }
    }
    s->finish = json_str(json_get(root, "stop_reason"));
}

static void read_gemini(struct said *s, const struct json *root)
{
    struct json_each parts = json_each(json_get(root, "candidates.0.content.parts"));

    while (json_next(&parts)) {
        bool thought = false;
        const struct json *call = json_get(parts.value, "functionCall");
        if (call != NULL) {
            said_add_call(s, json_get(call, "name"), json_get(call, "args"));
        } else if (!json_bool(json_get(parts.value, "thought"), &thought) || !thought) {
            buf_add(&s->text, json_str(json_get(parts.value, "text")));
        }
    }
    s->finish = json_str(json_get(root, "candidates.0.finishReason"));
    json_u64(json_get(root, "usageMetadata.totalTokenCount"), &s->total);
}

static const struct reader {
    const char *shape; /* what every answer has */
    const char *model, *id;
    void (*read)(struct said *s, const struct json *root);
} readers[] = {
    [DIALECT_CHAT] = {"choices", "model", "id", read_chat},
    [DIALECT_RESPONSES] = {"output", "model", "id", read_responses},
    [DIALECT_MESSAGES] = {"content", "model", "id", read_messages},
    [DIALECT_GEMINI] = {"candidates", "modelVersion", "responseId", read_gemini},
};

bool said_read(struct said *s, enum dialect d, struct str body)
{
    const struct reader *r = &readers[d];
    struct json_doc *doc = json_parse_exact(body, NULL);
    const struct json *root = doc != NULL ? json_root(doc) : NULL;

    if (root == NULL || !json_is_array(json_get(root, r->shape))) {
        json_free(doc);
        return false;
    }
    *s = (struct said){.doc = doc};
    buf_init(&s->text, TEXT_MAX);
    s->model = json_str(json_get(root, r->model));
    s->id = json_str(json_get(root, r->id));
    r->read(s, root);
    usage_read(d, STR(""), root, &s->usage);
    return true;
}

static bool read_count(struct said *s, enum dialect d, struct str body)
{
    struct json_doc *doc = json_parse_exact(body, NULL);
    const char *name = d == DIALECT_GEMINI ? "totalTokens" : "input_tokens";

    *s = (struct said){.doc = doc};
    buf_init(&s->text, TEXT_MAX);
    s->usage.state = USAGE_MISSING;
    if (doc == NULL || !json_u64(json_get(json_root(doc), name), &s->counted)) {
        said_release(s);
        return false;
    }
    return true;
}

bool said_take(struct said *s, enum dialect d, enum asking ask, bool stream, struct str body)
{
    return ask == ASK_COUNT ? read_count(s, d, body)
           : stream         ? said_read_stream(s, d, body)
                            : said_read(s, d, body);
}

void said_release(struct said *s)
{
    buf_release(&s->text);
    for (unsigned i = 0; i < s->call_count && i < SAID_CALLS; i++) {
        json_free(s->calls[i].doc);
    }
    json_free(s->streamed);
    json_free(s->doc);
}
