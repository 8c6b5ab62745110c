/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the Anthropic Messages dialect, but for its turns. Source: Anthropic OpenAPI,
 * CreateMessageParams. */
#include <stddef.h>

#include "dialect/messages.h"

/* ---- tools ---- */

static void read_schema(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct tool *t = into;

    if (!json_is_object(v)) {
        refuse(c, at, "It must be a JSON schema.");
    }
    t->schema = v;
}

static void read_defer(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    bool on = false;

    (void)into;
    if (json_bool(v, &on) && on) {
        lose(c, FIELD_TOOL_EXTRA, at);
    }
}

static const struct key tool_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct tool, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct tool, description)},
    {.name = "input_schema", .take = TAKE_READ, .read = read_schema},
    {.name = "strict", .take = TAKE_BOOL, .at = offsetof(struct tool, strict)},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct tool, cache)},
    {.name = "defer_loading", .take = TAKE_READ, .read = read_defer},
    {.name = "eager_input_streaming", .take = TAKE_READ, .read = read_defer},
    {.name = "input_examples", .take = TAKE_LOSS, .field = FIELD_TOOL_EXAMPLES},
    {.name = "allowed_callers", .take = TAKE_LOSS, .field = FIELD_TOOL_CALLERS},
};

static void read_tool(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct str type = read_word(v, "type");

    (void)into;
    if (str_starts(type, STR("tool_search_tool"))) {
        lose(c, FIELD_TOOL_SEARCH, at);
        return;
    }
    if (type.n > 0 && !str_eq(type, STR("custom"))) {
        lose(c, FIELD_TOOL_HOSTED, place_key(c, at, STR("type")));
        return;
    }
    struct tool *t = tool_new(c, TOOL_FUNCTION, at);
    READ_OBJECT(c, v, at, NULL, tool_keys, t);
    t->strict = t->strict == UNSAID ? NO : t->strict;
    if (t->cache != NULL) {
        t->cache_from = place_key(c, at, STR("cache_control"));
    }
    if (t->name.n == 0) {
        refuse(c, place_key(c, at, STR("name")), "It is missing.");
    }
}

static void read_tools(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    (void)into;
    read_items(c, v, at, read_tool, NULL);
}

static void read_alone(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    bool off = false;

    (void)into;
    if (!json_bool(v, &off)) {
        refuse(c, at, "It must be true or false.");
    } else if (off) {
        c->ask.parallel = NO;
        c->ask.parallel_from = at;
    }
}

enum { AUTO = 1, ANY = 2, NONE = 4, NAMED = 8 };

static const struct kind choice_kinds[] = {
    {"auto", AUTO}, {"any", ANY}, {"none", NONE}, {"tool", NAMED}};

static const struct key choice_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "name", .of = NAMED, .take = TAKE_STR, .at = offsetof(struct tool_choice, name)},
    {.name = "disable_parallel_tool_use",
     .of = AUTO | ANY | NAMED,
     .take = TAKE_READ,
     .read = read_alone},
};

static void read_choice(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct tool_choice *choice = &c->ask.choice;
    unsigned kind = kind_of(read_word(v, "type"), ROWS(choice_kinds));

    (void)into;
    READ_KIND(c, v, at, kind, choice_keys, choice);
    choice->from = at;
    choice->mode = kind == AUTO    ? CHOICE_AUTO
                   : kind == NONE  ? CHOICE_NONE
                   : kind == ANY   ? CHOICE_REQUIRED
                   : kind == NAMED ? CHOICE_NAMED
                                   : CHOICE_UNSAID;
    if (choice->mode == CHOICE_UNSAID || (choice->mode == CHOICE_NAMED && choice->name.n == 0)) {
        refuse(c, at, "It must be of type auto, none, any, or tool with a name.");
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
    ask->max_output = (struct value){v, at};
}

static void read_stop(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    struct ask_neutral *ask = into;

    if (!json_is_string(v)) {
        refuse(c, at, "It must be a string.");
        return;
    }
    part_text(c, &ask->stops, json_str(v), at);
}

static void read_stops(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    read_items(c, v, at, read_stop, into);
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

static void read_display(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct reasoning *r = into;

    if (str_eq(json_str(v), STR("omitted"))) {
        r->show = NO; /* which the station sees to */
    } else if (str_eq(json_str(v), STR("summarized"))) {
        r->show = YES;
        r->show_from = at;
    } else {
        refuse(c, at, "It must be summarized or omitted.");
    }
}

enum { DISABLED = 1, ADAPTIVE = 2, ENABLED = 4 };

static const struct kind thinking_kinds[] = {
    {"disabled", DISABLED}, {"adaptive", ADAPTIVE}, {"enabled", ENABLED}};

static const struct key thinking_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "budget_tokens", .of = ENABLED, .take = TAKE_READ, .read = read_budget},
    {.name = "display", .of = ADAPTIVE | ENABLED, .take = TAKE_READ, .read = read_display},
};

static void read_thinking(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct ask_neutral *ask = into;
    struct reasoning *r = &ask->reasoning;
    unsigned kind = kind_of(read_word(v, "type"), ROWS(thinking_kinds));

    READ_KIND(c, v, at, kind, thinking_keys, r);
    r->from = r->from != NULL ? r->from : at;
    if (kind == DISABLED) {
        r->effort = EFFORT_NONE;
        r->off = true;
    } else if (kind == ADAPTIVE) {
        r->adaptive = true;
    } else if (kind != ENABLED || !r->has_budget) {
        refuse(c, at, "It must be disabled, adaptive, or enabled with budget_tokens.");
    }
}

static const struct key format_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "schema", .take = TAKE_JSON, .at = offsetof(struct format, schema)},
};

static void read_format(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    (void)into;
    c->ask.format.kind = FORMAT_SCHEMA;
    c->ask.format.from = at;
    READ_OBJECT(c, v, at, NULL, format_keys, &c->ask.format);
}

static void read_effort(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    (void)into;
    messages_read_level(c, v, at);
}

static const struct key output_keys[] = {
    {.name = "effort", .take = TAKE_READ, .read = read_effort},
    {.name = "format", .take = TAKE_READ, .read = read_format},
};

static void read_output(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    (void)into;
    READ_OBJECT(c, v, at, NULL, output_keys, NULL);
}

static const struct key metadata_keys[] = {
    {.name = "user_id", .take = TAKE_FIELD, .field = FIELD_USER}};

static void read_metadata(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    (void)into;
    READ_OBJECT(c, v, at, NULL, metadata_keys, NULL);
}

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}

static const struct key ask_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    {.name = "stream", .take = TAKE_KNOWN},
    READ("system", messages_read_system),
    READ("messages", messages_read_turns),
    READ("tools", read_tools),
    READ("tool_choice", read_choice),
    READ("max_tokens", read_max),
    READ("stop_sequences", read_stops),
    READ("thinking", read_thinking),
    READ("output_config", read_output),
    READ("metadata", read_metadata),
    {.name = "cache_control", .take = TAKE_LOSS, .field = FIELD_CACHE_CONTROL},
    {.name = "service_tier", .take = TAKE_LOSS, .field = FIELD_SERVICE_TIER_DEFAULT},
    {.name = "mcp_servers", .take = TAKE_LOSS, .field = FIELD_TOOL_SERVERS},
};

static void read_ask(struct conversion *c, const struct json *root)
{
    READ_OBJECT(c, root, NULL, "", ask_keys, &c->ask);
    if (!c->refused && c->ask.turns == NULL) {
        refuse(c, place_key(c, NULL, STR("messages")), "There is none.");
    }
}

const struct spoken spoken_messages = {
    .read_ask = read_ask,
    .write_ask = messages_write_ask,
    .read_whole = messages_read_whole,
    .read_event = messages_read_event,
    .writer = &messages_writer,
};
