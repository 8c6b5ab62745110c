/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Chat Completions dialect, but for its messages. Source: OpenAI OpenAPI 2.3.0,
 * CreateChatCompletion; and the fields that compatible vendors add to it. */
#include <stddef.h>

#include "dialect/chat.h"

/* ---- tools ---- */

static void read_parameters(struct conversion *c, const struct json *v, const struct place *at,
                            void *into)
{
    struct tool *t = into;

    if (!json_is_object(v)) {
        refuse(c, at, "It must be a JSON schema.");
    }
    t->schema = v;
}

static const struct key declaration_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct tool, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct tool, description)},
    {.name = "parameters", .take = TAKE_READ, .read = read_parameters},
    {.name = "strict", .take = TAKE_BOOL, .at = offsetof(struct tool, strict)},
    {.name = "format", .take = TAKE_JSON, .at = offsetof(struct tool, format)},
};

static void read_declaration(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    READ_OBJECT(c, v, at, NULL, declaration_keys, into);
}

static const struct key tool_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "function", .take = TAKE_READ, .read = read_declaration},
    {.name = "custom", .take = TAKE_READ, .read = read_declaration},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct tool, cache)},
};

static void read_tool_row(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct str type = read_word(v, "type");
    bool custom = str_eq(type, STR("custom"));

    (void)into;
    if (!custom && !str_eq(type, STR("function"))) {
        lose(c, FIELD_TOOL_HOSTED, at);
        return;
    }
    struct tool *t = tool_new(c, custom ? TOOL_CUSTOM : TOOL_FUNCTION, at);
    READ_OBJECT(c, v, at, NULL, tool_keys, t);
    t->strict = t->strict == UNSAID ? NO : t->strict; /* not strict, unless it is asked for */
    if (t->cache != NULL) {
        t->cache_from = place_key(c, at, STR("cache_control"));
    }
    if (t->name.n == 0) {
        refuse(c, at, "A tool needs a name.");
    }
}

static void read_tools(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    read_items(c, v, at, read_tool_row, into);
}

static void read_choice(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct tool_choice *choice = &c->ask.choice;
    struct str type = read_word(v, "type");
    struct str word = json_str(v);

    (void)into;
    choice->from = at;
    if (str_eq(type, STR("allowed_tools"))) {
        const struct json *allowed = json_get(v, "allowed_tools");
        word = read_word(allowed, "mode");
        choice->allowed = json_get(allowed, "tools");
        choice->allowed_from = place_key(c, at, STR("allowed_tools"));
    } else if (str_eq(type, STR("function")) || str_eq(type, STR("custom"))) {
        choice->mode = CHOICE_NAMED;
        choice->name = read_word(v, str_eq(type, STR("custom")) ? "custom.name" : "function.name");
        if (choice->name.n == 0) {
            refuse(c, at, "It names no tool.");
        }
        return;
    }
    choice->mode = str_eq(word, STR("auto"))       ? CHOICE_AUTO
                   : str_eq(word, STR("none"))     ? CHOICE_NONE
                   : str_eq(word, STR("required")) ? CHOICE_REQUIRED
                   : str_eq(word, STR("any"))      ? CHOICE_REQUIRED
                                                   : CHOICE_UNSAID;
    if (choice->mode == CHOICE_UNSAID) {
        refuse(c, at, "It must be auto, none, required, or name a tool.");
    }
}

/* ---- the rest ---- */

static void read_max(struct conversion *c, const struct json *v, const struct place *at, void *into)
{
    struct ask_neutral *ask = into;
    uint64_t n;

    if (!json_u64(v, &n)) {
        refuse(c, at, "It must be a non-negative integer.");
    }
    if (ask->max_output.v == NULL || str_eq(at->key, STR("max_completion_tokens"))) {
        ask->max_output = (struct value){v, at};
    }
}

static void read_stop(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct ask_neutral *ask = into;
    struct json_each it = json_each(v);

    if (json_is_string(v)) {
        part_text(c, &ask->stops, json_str(v), at);
        return;
    }
    if (!json_is_array(v)) {
        refuse(c, at, "It must be a string or an array of strings.");
    }
    while (!c->refused && json_next(&it)) {
        const struct place *here = place_item(c, at, it.index);
        if (!json_is_string(it.value)) {
            refuse(c, here, "It must be a string.");
            return;
        }
        part_text(c, &ask->stops, json_str(it.value), here);
    }
}

static void read_stream_options(struct conversion *c, const struct json *v, const struct place *at,
                                void *into)
{
    struct ask_neutral *ask = into;

    (void)c;
    (void)at;
    (void)json_bool(json_get(v, "include_usage"), &ask->stream_usage);
}

static void read_effort(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;

    r->from = at;
    r->effort = (uint8_t)effort_read(json_str(v));
    if (r->effort == EFFORT_UNSAID) {
        refuse(c, at, "It must be one of none, minimal, low, medium, high, xhigh, max.");
    }
}

static void read_budget(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;
    uint64_t budget;

    if (!json_u64(v, &budget) || budget > USAGE_MAX) {
        refuse(c, at, "It must be a number of tokens.");
        return;
    }
    r->has_budget = true;
    r->budget = (int64_t)budget;
}

static void read_switch(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;
    bool on = str_eq(json_str(v), STR("enabled"));

    if (!json_bool(v, &on) && !on && !str_eq(json_str(v), STR("disabled"))) {
        refuse(c, at, "It must be true or false, enabled or disabled.");
        return;
    }
    r->adaptive = on;
    r->effort = on ? r->effort : EFFORT_NONE;
}

static void read_exclude(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct reasoning *r = into;
    bool on;

    if (!json_bool(v, &on)) {
        refuse(c, at, "It must be true or false.");
        return;
    }
    r->show = on ? NO : YES;
}

/* As compatible vendors ask for it, in objects of their own. */
static const struct key reasoning_keys[] = {
    {.name = "type", .take = TAKE_READ, .read = read_switch},
    {.name = "enabled", .take = TAKE_READ, .read = read_switch},
    {.name = "effort", .take = TAKE_READ, .read = read_effort},
    {.name = "max_tokens", .take = TAKE_READ, .read = read_budget},
    {.name = "budget_tokens", .take = TAKE_READ, .read = read_budget},
    {.name = "exclude", .take = TAKE_READ, .read = read_exclude},
    {.name = "clear_thinking", .take = TAKE_LOSS, .field = FIELD_REASONING_CONTEXT},
};

static void read_thinking(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct ask_neutral *ask = into;

    ask->reasoning.from = at;
    if (json_is_object(v)) {
        READ_OBJECT(c, v, at, NULL, reasoning_keys, &ask->reasoning);
    } else if (json_number(v).n > 0) {
        read_budget(c, v, at, &ask->reasoning);
    } else {
        read_switch(c, v, at, &ask->reasoning);
    }
}

static const struct key schema_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct format, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct format, description)},
    {.name = "schema", .take = TAKE_JSON, .at = offsetof(struct format, schema)},
    {.name = "strict", .take = TAKE_BOOL, .at = offsetof(struct format, strict)},
};

static void read_format(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct ask_neutral *ask = into;
    struct format *f = &ask->format;
    struct str type = read_word(v, "type");

    f->from = at;
    if (str_eq(type, STR("json_schema"))) {
        f->kind = FORMAT_SCHEMA;
        f->from = place_key(c, at, STR("json_schema"));
        READ_OBJECT(c, json_get(v, "json_schema"), f->from, NULL, schema_keys, f);
    } else if (str_eq(type, STR("json_object"))) {
        f->kind = FORMAT_JSON;
    } else if (!str_eq(type, STR("text"))) {
        refuse(c, place_key(c, at, STR("type")), "It must be text, json_object or json_schema.");
    }
}

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}

static void read_chat_effort(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    struct ask_neutral *ask = into;
    read_effort(c, v, at, &ask->reasoning);
}

static const struct key ask_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    {.name = "stream", .take = TAKE_KNOWN},
    READ("messages", chat_read_messages),
    READ("tools", read_tools),
    READ("tool_choice", read_choice),
    {.name = "parallel_tool_calls",
     .take = TAKE_BOOL,
     .at = offsetof(struct ask_neutral, parallel)},
    {.name = "web_search_options", .take = TAKE_LOSS, .field = FIELD_TOOL_HOSTED},
    READ("max_tokens", read_max),
    READ("max_completion_tokens", read_max),
    READ("stop", read_stop),
    READ("stream_options", read_stream_options),
    READ("reasoning_effort", read_chat_effort),
    READ("thinking", read_thinking),
    READ("enable_thinking", read_thinking),
    READ("thinking_budget", read_thinking),
    READ("reasoning", read_thinking),
    READ("response_format", read_format),
};

static void read_ask(struct conversion *c, const struct json *root)
{
    READ_OBJECT(c, root, NULL, "", ask_keys, &c->ask);
    if (!c->refused && c->ask.turns == NULL) {
        refuse(c, place_key(c, NULL, STR("messages")), "There is none.");
    }
}

const struct spoken spoken_chat = {
    .read_ask = read_ask,
    .write_ask = chat_write_ask,
    .read_whole = chat_read_whole,
    .read_event = chat_read_event,
    .writer = &chat_writer,
};
