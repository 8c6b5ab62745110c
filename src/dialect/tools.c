/* SPDX-License-Identifier: Apache-2.0 */
/* Names of tools: each dialect allows its own, so some are renamed on the way there and back. */
#include "dialect/neutral.h"

static bool legal_byte(enum dialect to, char ch, size_t at)
{
    bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';

    if (to == DIALECT_GEMINI && at == 0) {
        return letter;
    }
    return letter || ch == '-' || (ch >= '0' && ch <= '9') ||
           (to == DIALECT_GEMINI && (ch == '.' || ch == ':'));
}

static bool legal(enum dialect to, struct str name)
{
    size_t max = to == DIALECT_CHAT || to == DIALECT_RESPONSES ? 64 : 128;

    for (size_t i = 0; i < name.n; i++) {
        if (!legal_byte(to, name.p[i], i)) {
            return false;
        }
    }
    return name.n > 0 && name.n <= max;
}

/* What can stay of it, and a hash of the whole, so that two long names stay two. */
static struct str made_legal(struct conversion *c, struct str name, unsigned salt)
{
    uint32_t hash = 2166136261U + salt;
    struct buf text;

    buf_init(&text, 128);
    for (size_t i = 0; i < name.n; i++) {
        hash = (hash ^ (unsigned char)name.p[i]) * 16777619U;
        if (text.n < 50) {
            bool ok = legal_byte((enum dialect)c->to, name.p[i], text.n);
            buf_add_byte(&text, ok ? name.p[i] : '_');
        }
    }
    buf_addf(&text, "_%08x", hash);
    return conversion_take(c, &text);
}

static struct str full_name(struct conversion *c, struct str group, struct str name)
{
    struct buf text;

    if (group.n == 0) {
        return name;
    }
    buf_init(&text, group.n + name.n + 2);
    buf_cat(&text, group, STR("__"), name);
    return conversion_take(c, &text);
}

static struct tool *find(const struct conversion *c, struct str group, struct str name)
{
    for (struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (str_eq(t->name, name) && str_eq(t->group, group)) {
            return t;
        }
    }
    return NULL;
}

const struct tool *tool_by_wire_name(const struct conversion *c, struct str name)
{
    for (const struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        if (str_eq(t->wire_name, name)) {
            return t;
        }
    }
    return NULL;
}

struct tool *tool_new(struct conversion *c, enum tool_kind kind, const struct place *from)
{
    struct tool *t = conversion_alloc(c, sizeof(*t));

    *t = (struct tool){.kind = (uint8_t)kind, .from = from};
    if (c->ask.last_tool != NULL) {
        c->ask.last_tool->next = t;
    } else {
        c->ask.tools = t;
    }
    c->ask.last_tool = t;
    if (++c->ask.tool_count > TOOLS_MAX) {
        refuse(c, from, "More than %d tools cannot be converted.", TOOLS_MAX);
    }
    return t;
}

void tools_rename(struct conversion *c)
{
    for (struct tool *t = c->ask.tools; t != NULL && !c->refused; t = t->next) {
        struct str name = full_name(c, t->group, t->name);
        unsigned salt = 0;

        if (find(c, t->group, t->name) != t) {
            refuse(c, t->from, "There are two tools named '%.*s'.", STR_ARG(t->name));
            return;
        }
        struct str wire = legal((enum dialect)c->to, name) ? name : made_legal(c, name, salt);
        while (tool_by_wire_name(c, wire) != NULL) {
            wire = made_legal(c, name, ++salt);
        }
        t->wire_name = wire;
        if (t->group.n > 0) {
            lose(c, FIELD_TOOL_GROUP, t->from);
        } else if (!str_eq(wire, t->name)) {
            lose(c, FIELD_TOOL_NAME, t->from);
        }
    }
}

struct str tool_wire_name(struct conversion *c, struct str group, struct str name)
{
    const struct tool *t = find(c, group, name);
    struct str full = full_name(c, group, name);

    for (const struct tool *any = c->ask.tools; t == NULL && group.n == 0 && any != NULL;
         any = any->next) {
        t = str_eq(any->name, name) ? any : NULL; /* some name it without its group */
    }
    if (t != NULL) {
        return t->wire_name;
    }
    return legal((enum dialect)c->to, full) ? full : made_legal(c, full, 0);
}

bool tool_is_allowed(const struct conversion *c, const struct tool *t)
{
    struct json_each it = json_each(c->ask.choice.allowed);

    if (c->ask.choice.allowed == NULL) {
        return true;
    }
    while (json_next(&it)) { /* names, or objects that name one */
        struct str name = json_str(it.value);
        name = name.p != NULL ? name : read_word(it.value, "name");
        name = name.p != NULL ? name : read_word(it.value, "function.name");
        if (str_eq(name, t->name)) {
            return true;
        }
    }
    return false;
}

/* ---- as they are written in any dialect ---- */

void tool_write_description(struct conversion *c, struct json_out *o, const struct tool *t)
{
    struct str grammar = read_word(t->format, "grammar.definition");
    struct buf text;

    if (t->kind != TOOL_CUSTOM) {
        if (t->description.n > 0) {
            json_key(o, "description");
            json_put_str(o, t->description);
        }
        return;
    }
    lose(c, FIELD_TOOL_CUSTOM, t->from);
    grammar = grammar.n > 0 ? grammar : read_word(t->format, "definition");
    buf_init(&text, LIMIT_BODY_BYTES);
    buf_cat(&text, t->description, t->description.n > 0 ? STR("\n\n") : STR(""),
            STR("The whole input is one string."));
    if (grammar.n > 0) {
        buf_cat(&text, STR(" It must match this grammar:\n"), grammar);
    }
    json_key(o, "description");
    json_put_str(o, buf_str(&text));
    buf_release(&text);
}

/* OpenAI refuses an object that does not say its properties, also where it has none. */
static void write_bare_object(struct json_out *o, const struct json *schema)
{
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    json_write_value(&text, schema);
    json_put_raw(o, str_slice(text.p, text.n - 1));
    buf_add(o->b, STR(",\"properties\":{}}"));
    buf_release(&text);
}

void tool_write_schema(struct json_out *o, const struct tool *t)
{
    bool object = str_eq(read_word(t->schema, "type"), STR("object"));

    if (t->kind == TOOL_CUSTOM) {
        json_put_raw(o, STR("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
                            "\"required\":[\"input\"],\"additionalProperties\":false}"));
    } else if (object && json_get(t->schema, "properties") == NULL) {
        write_bare_object(o, t->schema);
    } else if (t->schema != NULL && json_count(t->schema) > 0) {
        json_put_value(o, t->schema);
    } else {
        json_put_raw(o, STR("{\"type\":\"object\",\"properties\":{}}"));
    }
}

void tools_declare_history(struct conversion *c)
{
    if (c->ask.tools != NULL) {
        return;
    }
    for (const struct turn *turn = c->ask.turns; turn != NULL; turn = turn->next) {
        for (const struct part *p = turn->parts.first; p != NULL; p = p->next) {
            if (p->kind != PART_CALL || find(c, p->group, p->name) != NULL) {
                continue;
            }
            struct str wire = tool_wire_name(c, p->group, p->name);
            struct tool *t = tool_new(c, p->custom ? TOOL_CUSTOM : TOOL_FUNCTION, p->from);
            t->name = p->name;
            t->group = p->group;
            t->wire_name = wire;
            lose(c, FIELD_TOOL_DECLARED, p->from);
        }
    }
}
