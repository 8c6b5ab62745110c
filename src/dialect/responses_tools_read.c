/* SPDX-License-Identifier: Apache-2.0 */
/* The tools of a request of the Responses dialect, in groups and out of them, and which of them may
 * be called. Source: OpenAI OpenAPI 2.3.0, Tool and ToolChoiceParam; and what Codex sends. */
#include <stddef.h>

#include "base/map.h"
#include "dialect/responses.h"

static void read_schema(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    struct tool *t = into;

    if (!json_is_object(v)) {
        refuse(c, at, "It must be a JSON schema.");
    }
    t->schema = v;
}

static void read_hint(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    bool on = true;

    (void)into;
    if (!json_bool(v, &on) || on) {
        lose(c, FIELD_TOOL_EXTRA, at);
    }
}

enum { FUNCTION = 1, CUSTOM = 2, ALLOWED = 4 };

static const struct kind tool_kinds[] = {{"function", FUNCTION}, {"custom", CUSTOM}};

static const struct key tool_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct tool, name)},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct tool, description)},
    {.name = "parameters", .of = FUNCTION, .take = TAKE_READ, .read = read_schema},
    {.name = "strict", .of = FUNCTION, .take = TAKE_BOOL, .at = offsetof(struct tool, strict)},
    {.name = "format", .of = CUSTOM, .take = TAKE_JSON, .at = offsetof(struct tool, format)},
    {.name = "defer_loading", .take = TAKE_READ, .read = read_hint},
    {.name = "output_schema", .of = FUNCTION, .take = TAKE_READ, .read = read_hint},
    {.name = "allowed_callers", .take = TAKE_LOSS, .field = FIELD_TOOL_CALLERS},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct tool, cache)},
};

static bool all_required(const struct json *properties, const struct json *required)
{
    struct json_each it = json_each(required);
    struct json_each member = json_each(properties);
    struct map *names = map_new(); /* a schema may have very many */
    bool all = true;

    while (json_next(&it)) {
        (void)map_put(names, json_str(it.value), names);
    }
    while (all && json_next(&member)) {
        all = map_get(names, member.key) != NULL;
    }
    map_free(names);
    return all;
}

/* Whether strict mode takes it: every object is closed, and all of its members are required. */
static bool fits_strict(const struct json *schema)
{
    struct json_each it = json_each(schema);
    const struct json *properties = json_get(schema, "properties");
    bool open = true;

    if (json_is_object(schema) &&
        (str_eq(read_word(schema, "type"), STR("object")) || properties != NULL)) {
        if (!json_bool(json_get(schema, "additionalProperties"), &open) || open ||
            !all_required(properties, json_get(schema, "required"))) {
            return false;
        }
    }
    while (json_next(&it)) {
        if ((json_is_object(it.value) || json_is_array(it.value)) && !fits_strict(it.value)) {
            return false;
        }
    }
    return true;
}

/* Here alone a tool is strict unless it says otherwise. */
static void settle_strict(struct conversion *c, struct tool *t)
{
    if (t->strict != UNSAID || t->kind == TOOL_CUSTOM) {
        return;
    }
    t->strict = json_count(t->schema) > 0 && fits_strict(t->schema) ? YES : NO;
    if (t->strict == NO && t->schema != NULL) {
        lose(c, FIELD_TOOL_STRICT_UNSAID, t->from);
    }
}

struct tool_list {
    struct str group;
    bool again;   /* what a search found: it may be among the tools already */
    bool has_own; /* tools of the client's are among them */
};

/* Codex offers a search of the web with every turn, whatever the turn is about: beside tools of its
 * own it is left out by name. Alone it is what the client came for. */
static bool is_web_search(struct str type)
{
    return str_starts(type, STR("web_search"));
}

static bool is_own(struct str type)
{
    return str_eq(type, STR("function")) || str_eq(type, STR("custom")) ||
           str_eq(type, STR("namespace"));
}

static void read_tool(struct conversion *c, const struct json *v, const struct place *at,
                      void *into);

static const struct key group_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "name", .take = TAKE_KNOWN},
    {.name = "description", .take = TAKE_LOSS, .field = FIELD_TOOL_EXTRA},
    {.name = "tools", .take = TAKE_KNOWN},
};

static void read_group(struct conversion *c, const struct json *v, const struct place *at,
                       const struct tool_list *list)
{
    struct tool_list inner = {.group = read_word(v, "name"), .again = list->again};

    READ_OBJECT(c, v, at, NULL, group_keys, NULL);
    if (inner.group.n == 0 || list->group.n > 0) {
        refuse(c, at, "A namespace needs a name, and does not stand inside another.");
        return;
    }
    read_items(c, json_get(v, "tools"), place_key(c, at, STR("tools")), read_tool, &inner);
}

static const struct key search_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "execution", .take = TAKE_KNOWN},
    {.name = "description", .take = TAKE_STR, .at = offsetof(struct tool, description)},
    {.name = "parameters", .take = TAKE_READ, .read = read_schema},
};

/* A search that the client makes is a function to others; the vendor's own has nothing to find,
 * since all tools are offered at once. */
static void read_search(struct conversion *c, const struct json *v, const struct place *at)
{
    lose(c, FIELD_TOOL_SEARCH, at);
    if (str_eq(read_word(v, "execution"), STR("client"))) {
        struct tool *t = tool_new(c, TOOL_FUNCTION, at);
        READ_OBJECT(c, v, at, NULL, search_keys, t);
        t->name = STR(RESPONSES_SEARCH);
        t->strict = NO;
        t->search = true;
    }
}

/* A tool is offered once, as it was described first. */
static void lose_difference(struct conversion *c, const struct tool *first,
                            const struct tool *again, const struct place *at)
{
    if (!str_eq(first->description, again->description) ||
        !json_same(first->schema, again->schema) || !json_same(first->format, again->format)) {
        lose(c, FIELD_TOOL_SEARCH, at);
    }
}

static void read_tool(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    const struct tool_list *list = into;
    struct str type = read_word(v, "type");
    unsigned kind = kind_of(type, ROWS(tool_kinds));

    if (str_eq(type, STR("namespace"))) {
        read_group(c, v, at, list);
        return;
    }
    if (str_eq(type, STR("tool_search"))) {
        read_search(c, v, at);
        return;
    }
    if (kind == 0) {
        lose(c, is_web_search(type) && list->has_own ? FIELD_TOOL_WEB_SEARCH : FIELD_TOOL_HOSTED,
             place_key(c, at, STR("type")));
        return;
    }
    const struct tool *first = list->again ? tool_find(c, list->group, read_word(v, "name")) : NULL;
    if (first != NULL) {
        struct tool again = {0};
        READ_KIND(c, v, at, kind, tool_keys, &again);
        lose_difference(c, first, &again, at);
        return;
    }
    struct tool *t = tool_new(c, kind == CUSTOM ? TOOL_CUSTOM : TOOL_FUNCTION, at);
    READ_KIND(c, v, at, kind, tool_keys, t);
    t->group = list->group;
    if (t->cache != NULL) {
        t->cache_from = place_key(c, at, STR("cache_control"));
    }
    if (t->name.n == 0) {
        refuse(c, place_key(c, at, STR("name")), "It is missing.");
    }
    settle_strict(c, t);
}

void responses_read_tools(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct tool_list list = {.again = false};
    struct json_each it = json_each(v);

    (void)into;
    while (json_is_array(v) && json_next(&it)) {
        list.has_own = list.has_own || is_own(read_word(it.value, "type"));
    }
    read_items(c, v, at, read_tool, &list);
}

bool responses_brings_tools(struct str type)
{
    return str_eq(type, STR("additional_tools")) || str_eq(type, STR("tool_search_output"));
}

/* Tools that the conversation brought along are offered from its start. */
void responses_read_later_tools(struct conversion *c, const struct json *input)
{
    struct json_each it = json_each(input);
    const struct place *at = place_key(c, NULL, STR("input"));
    struct tool_list list = {.again = true, .has_own = true};

    while (json_is_array(input) && !c->refused && json_next(&it)) {
        const struct json *tools = json_get(it.value, "tools");
        if (tools != NULL && responses_brings_tools(read_word(it.value, "type"))) {
            const struct place *here = place_item(c, at, it.index);
            read_items(c, tools, place_key(c, here, STR("tools")), read_tool, &list);
        }
    }
}

static enum choice_mode choice_mode(struct str word)
{
    return str_eq(word, STR("auto"))       ? CHOICE_AUTO
           : str_eq(word, STR("none"))     ? CHOICE_NONE
           : str_eq(word, STR("required")) ? CHOICE_REQUIRED
                                           : CHOICE_UNSAID;
}

struct choice {
    struct str name, mode;
    struct parts *allowed;
};

static const struct key named_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct choice, name)},
};

static void read_allowed_tool(struct conversion *c, const struct json *v, const struct place *at,
                              void *into)
{
    struct choice *choice = into, named = {.name = {NULL, 0}};

    if (kind_of(read_word(v, "type"), ROWS(tool_kinds)) == 0) {
        lose(c, FIELD_TOOL_HOSTED, at);
        return;
    }
    READ_OBJECT(c, v, at, NULL, named_keys, &named);
    part_text(c, choice->allowed, named.name, at);
}

static void read_allowed(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct choice *choice = into;

    read_items(c, v, at, read_allowed_tool, choice);
    if (choice->allowed->first == NULL) {
        refuse(c, at, "It names no tool.");
    }
}

static const struct kind choice_kinds[] = {
    {"function", FUNCTION}, {"custom", CUSTOM}, {"allowed_tools", ALLOWED}};

static const struct key choice_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    {.name = "name",
     .of = FUNCTION | CUSTOM,
     .take = TAKE_STR,
     .at = offsetof(struct choice, name)},
    {.name = "mode", .of = ALLOWED, .take = TAKE_STR, .at = offsetof(struct choice, mode)},
    {.name = "tools", .of = ALLOWED, .take = TAKE_READ, .read = read_allowed},
};

void responses_read_choice(struct conversion *c, const struct json *v, const struct place *at,
                           void *into)
{
    struct tool_choice *choice = &c->ask.choice;
    struct choice in = {.mode = json_str(v), .allowed = &choice->allowed};
    struct str type = read_word(v, "type");
    unsigned kind = kind_of(type, ROWS(choice_kinds));

    (void)into;
    choice->from = choice->allowed_from = at;
    if (kind == 0 && type.n > 0) {
        lose(c, FIELD_TOOL_HOSTED, place_key(c, at, STR("type")));
        return;
    }
    if (kind != 0) {
        READ_KIND(c, v, at, kind, choice_keys, &in);
    }
    if (kind == FUNCTION || kind == CUSTOM) {
        choice->mode = CHOICE_NAMED;
        choice->name = in.name;
        if (choice->name.n == 0) {
            refuse(c, place_key(c, at, STR("name")), "It is missing.");
        }
        return;
    }
    choice->mode = (uint8_t)choice_mode(in.mode);
    if (choice->mode == CHOICE_UNSAID) {
        refuse(c, at, "It must be auto, none, required, or name a tool.");
    }
}
