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

enum { FUNCTION = 1, CUSTOM = 2, ALLOWED = 4 };

static const struct kind tool_kinds[] = {{"function", FUNCTION}, {"custom", CUSTOM}};

static const struct key declaration_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct tool, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct tool, description)},
    {.name = "parameters", .of = FUNCTION, .take = TAKE_READ, .read = read_parameters},
    {.name = "strict", .of = FUNCTION, .take = TAKE_BOOL, .at = offsetof(struct tool, strict)},
    {.name = "format", .of = CUSTOM, .take = TAKE_JSON, .at = offsetof(struct tool, format)},
};

static void read_declaration(struct conversion *c, const struct json *v, const struct place *at,
                             void *into)
{
    const struct tool *t = into;
    READ_KIND(c, v, at, t->kind == TOOL_CUSTOM ? CUSTOM : FUNCTION, declaration_keys, into);
}

static const struct key tool_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "function", .of = FUNCTION, .take = TAKE_READ, .read = read_declaration},
    {.name = "custom", .of = CUSTOM, .take = TAKE_READ, .read = read_declaration},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct tool, cache)},
};

static void read_tool_row(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    unsigned kind = kind_of(read_word(v, "type"), ROWS(tool_kinds));

    (void)into;
    if (kind == 0) {
        lose(c, FIELD_TOOL_HOSTED, at);
        return;
    }
    struct tool *t = tool_new(c, kind == CUSTOM ? TOOL_CUSTOM : TOOL_FUNCTION, at);
    READ_KIND(c, v, at, kind, tool_keys, t);
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

static const struct key name_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct tool_choice, name)},
};

static void read_name(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    READ_OBJECT(c, v, at, NULL, name_keys, into);
}

static const struct key named_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "function", .of = FUNCTION, .take = TAKE_READ, .read = read_name},
    {.name = "custom", .of = CUSTOM, .take = TAKE_READ, .read = read_name},
};

static void read_allowed_tool(struct conversion *c, const struct json *v, const struct place *at,
                              void *into)
{
    struct tool_choice *choice = into, named = {0};
    unsigned kind = kind_of(read_word(v, "type"), ROWS(tool_kinds));

    if (kind == 0) {
        lose(c, FIELD_TOOL_HOSTED, at);
        return;
    }
    READ_KIND(c, v, at, kind, named_keys, &named);
    part_text(c, &choice->allowed, named.name, at);
}

static void read_mode(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct tool_choice *choice = into;
    struct str word = json_str(v);

    choice->mode = str_eq(word, STR("auto"))       ? CHOICE_AUTO
                   : str_eq(word, STR("none"))     ? CHOICE_NONE
                   : str_eq(word, STR("required")) ? CHOICE_REQUIRED
                   : str_eq(word, STR("any"))      ? CHOICE_REQUIRED
                                                   : CHOICE_UNSAID;
    if (choice->mode == CHOICE_UNSAID) {
        refuse(c, at, "It must be auto, none, required, or name a tool.");
    }
}

static void read_allowed_list(struct conversion *c, const struct json *v, const struct place *at,
                              void *into)
{
    struct tool_choice *choice = into;

    read_items(c, v, at, read_allowed_tool, choice);
    if (choice->allowed.first == NULL) {
        refuse(c, at, "It names no tool.");
    }
}

static const struct key allowed_keys[] = {
    {.name = "mode", .take = TAKE_READ, .read = read_mode},
    {.name = "tools", .take = TAKE_READ, .read = read_allowed_list},
};

static void read_allowed(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct tool_choice *choice = into;

    choice->allowed_from = at;
    READ_OBJECT(c, v, at, NULL, allowed_keys, choice);
}

static const struct kind choice_kinds[] = {
    {"function", FUNCTION}, {"custom", CUSTOM}, {"allowed_tools", ALLOWED}};

static const struct key choice_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "function", .of = FUNCTION, .take = TAKE_READ, .read = read_name},
    {.name = "custom", .of = CUSTOM, .take = TAKE_READ, .read = read_name},
    {.name = "allowed_tools", .of = ALLOWED, .take = TAKE_READ, .read = read_allowed},
};

static void read_choice(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct tool_choice *choice = &c->ask.choice;
    unsigned kind = kind_of(read_word(v, "type"), ROWS(choice_kinds));

    (void)into;
    choice->from = at;
    if (kind == 0) {
        read_mode(c, v, at, choice);
        return;
    }
    READ_KIND(c, v, at, kind, choice_keys, choice);
    if (kind == ALLOWED) {
        if (choice->mode == CHOICE_UNSAID) {
            refuse(c, at, "It must be auto, none, required, or name a tool.");
        }
        return;
    }
    choice->mode = CHOICE_NAMED;
    if (choice->name.n == 0) {
        refuse(c, at, "It names no tool.");
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
    if (ask->max_output.v != NULL && !str_eq(json_number(v), json_number(ask->max_output.v))) {
        refuse(c, at, "max_tokens and max_completion_tokens say two things.");
    }
    ask->max_output = (struct value){v, at};
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

static void read_usage_wish(struct conversion *c, const struct json *v, const struct place *at,
                            void *into)
{
    struct ask_neutral *ask = into;

    if (!json_bool(v, &ask->stream_usage)) {
        refuse(c, at, "It must be true or false.");
    }
}

static const struct key stream_keys[] = {
    {.name = "include_usage", .take = TAKE_READ, .read = read_usage_wish},
    {.name = "include_obfuscation", .take = TAKE_LOSS, .field = FIELD_STREAM_OBFUSCATION},
};

static void read_stream_options(struct conversion *c, const struct json *v, const struct place *at,
                                void *into)
{
    READ_OBJECT(c, v, at, NULL, stream_keys, into);
}

static void read_effort(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct reasoning *r = into;

    r->from = r->effort_from = at;
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
    r->budget_from = at;
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
    r->off = r->off || !on;
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

/* Off is off, and a level goes before a budget, in whatever order they stand. */
static void settle_reasoning(struct conversion *c)
{
    struct reasoning *r = &c->ask.reasoning;

    if (r->off) {
        if (r->effort > EFFORT_NONE) {
            lose(c, FIELD_REASONING_LEVEL, r->effort_from);
        }
        r->effort = EFFORT_NONE;
    }
    if (r->effort != EFFORT_UNSAID && r->has_budget) {
        lose(c, FIELD_REASONING_LEVEL, r->budget_from);
        r->has_budget = false;
    }
}

static const struct key schema_keys[] = {
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct format, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct format, description)},
    {.name = "schema", .take = TAKE_JSON, .at = offsetof(struct format, schema)},
    {.name = "strict", .take = TAKE_BOOL, .at = offsetof(struct format, strict)},
};

static const struct key format_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "json_schema", .of = 1, .take = TAKE_KNOWN},
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
    READ_KIND(c, v, at, f->kind == FORMAT_SCHEMA ? 1 : 2, format_keys, NULL);
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
    settle_reasoning(c);
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
