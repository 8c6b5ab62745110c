/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a response says of the request that it answers. Open Responses 2026-04-24 wants all of it to
 * be there, with the vendor's defaults where the client was silent.
 */
#include "dialect/responses.h"

static const struct {
    const char *key, *unsaid;
} settings[] = {
    {"instructions", "null"},
    {"max_output_tokens", "null"},
    {"max_tool_calls", "null"},
    {"parallel_tool_calls", "true"},
    {"previous_response_id", "null"},
    {"prompt_cache_key", "null"},
    {"safety_identifier", "null"},
    {"user", "null"},
    {"metadata", "{}"},
    {"service_tier", "\"default\""},
    {"temperature", "1"},
    {"top_p", "1"},
    {"top_logprobs", "0"},
    {"frequency_penalty", "0"},
    {"presence_penalty", "0"},
    {"tool_choice", "\"auto\""},
    {"truncation", "\"disabled\""},
};

static const struct json *said(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    return v != NULL && !json_is_null(v) ? v : NULL;
}

/* The object as it came, and those of its members that have to be there. */
static void put_filled(struct json_out *o, const struct json *object, const char *const needed[][2])
{
    struct json_each it = json_each(object);

    json_open(o, '{');
    while (json_is_object(object) && json_next(&it)) {
        if (!json_is_null(it.value)) {
            json_put_key(o, it.key);
            json_put_value(o, it.value);
        }
    }
    for (size_t i = 0; needed[i][0] != NULL; i++) {
        if (said(object, needed[i][0]) == NULL) {
            json_key(o, needed[i][0]);
            json_put_raw(o, str_from(needed[i][1]));
        }
    }
    json_close(o, '}');
}

static void put_tools(struct json_out *o, const struct json *tools)
{
    static const char *const function[][2] = {
        {"description", "null"}, {"parameters", "null"}, {"strict", "true"}, {NULL, NULL}};
    struct json_each it = json_each(tools);

    json_open(o, '[');
    while (json_is_array(tools) && json_next(&it)) {
        if (str_eq(read_word(it.value, "type"), STR("function"))) {
            put_filled(o, it.value, function);
        } else {
            json_put_value(o, it.value);
        }
    }
    json_close(o, ']');
}

struct str responses_settings(struct conversion *c, const struct json *root)
{
    static const char *const text[][2] = {{"format", "{\"type\":\"text\"}"}, {NULL, NULL}};
    static const char *const reasoning[][2] = {
        {"effort", "null"}, {"summary", "null"}, {NULL, NULL}};
    struct buf b;
    struct json_out o = {&b, true};

    buf_init(&b, LIMIT_BODY_BYTES);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const struct json *v = said(root, settings[i].key);
        json_key(&o, settings[i].key);
        if (v != NULL) {
            json_put_value(&o, v);
        } else {
            json_put_raw(&o, str_from(settings[i].unsaid));
        }
    }
    json_key(&o, "tools");
    put_tools(&o, json_get(root, "tools"));
    json_key(&o, "text");
    put_filled(&o, json_get(root, "text"), text);
    json_key(&o, "reasoning");
    put_filled(&o, json_get(root, "reasoning"), reasoning);
    json_key(&o, "background");
    json_put_bool(&o, false);
    json_key(&o, "store"); /* whatever was asked for: nobody can fetch it later */
    json_put_bool(&o, false);
    return conversion_take(c, &b);
}
