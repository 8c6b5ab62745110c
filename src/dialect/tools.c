/* SPDX-License-Identifier: Apache-2.0 */
/* Names of tools: each dialect allows its own, so some are renamed on the way there and back. */
#include "base/hash.h"
#include "base/map.h"
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
    struct buf text;

    buf_init(&text, 128);
    for (size_t i = 0; i < name.n; i++) {
        if (text.n < 50) {
            bool ok = legal_byte((enum dialect)c->to, name.p[i], text.n);
            buf_add_byte(&text, ok ? name.p[i] : '_');
        }
    }
    buf_addf(&text, "_%08x", hash_fnv(HASH_FNV + salt, name));
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

/* ---- each is found by its names, of which the first tool keeps one that comes twice ---- */

static void put_first(struct map **m, struct str name, struct tool *t)
{
    *m = *m != NULL ? *m : map_new();
    if (map_get(*m, name) == NULL) {
        (void)map_put(*m, name, t);
    }
}

static struct tool *get(const struct map *m, struct str name)
{
    return m != NULL ? map_get(m, name) : NULL;
}

static void own_key(struct buf *key, struct str group, struct str name)
{
    buf_init(key, group.n + name.n + 1);
    buf_add(key, group);
    buf_add_byte(key, '\0');
    buf_add(key, name);
}

/* Those that have come since the last look. */
static void keep_names(struct conversion *c)
{
    struct tool_names *names = &c->names;
    struct tool *t = names->last != NULL ? names->last->next : c->ask.tools;

    for (; t != NULL; t = t->next) {
        struct buf key;
        own_key(&key, t->group, t->name);
        put_first(&names->own, buf_str(&key), t);
        put_first(&names->bare, t->name, t);
        names->last = t;
        buf_release(&key);
    }
}

struct tool *tool_find(struct conversion *c, struct str group, struct str name)
{
    struct buf key;

    keep_names(c);
    own_key(&key, group, name);
    struct tool *t = get(c->names.own, buf_str(&key));
    buf_release(&key);
    return t;
}

const struct tool *tool_by_wire_name(const struct conversion *c, struct str name)
{
    return get(c->names.wire, name);
}

static void set_wire_name(struct conversion *c, struct tool *t, struct str name)
{
    t->wire_name = name;
    put_first(&c->names.wire, name, t);
}

void tools_free(struct conversion *c)
{
    map_free(c->names.own);
    map_free(c->names.bare);
    map_free(c->names.wire);
    c->names = (struct tool_names){0};
}

/* Whether a call of it needs more on its way back than the name that the upstream gives. */
static bool is_called_otherwise(const struct tool *t)
{
    return t->kind != TOOL_FUNCTION || t->search || t->group.n > 0 ||
           !str_eq(t->name, t->wire_name);
}

void tools_keep(struct conversion *c, const struct tool *asked)
{
    tools_free(c);
    for (; asked != NULL && !c->refused; asked = asked->next) {
        if (!is_called_otherwise(asked)) {
            continue;
        }
        struct tool *t = tool_new(c, (enum tool_kind)asked->kind, NULL);
        t->search = asked->search;
        t->name = conversion_str(c, asked->name);
        t->group = asked->group.n > 0 ? conversion_str(c, asked->group) : STR("");
        set_wire_name(c, t, conversion_str(c, asked->wire_name));
    }
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

/* A choice must have something to choose. */
static void settle_choice(struct conversion *c)
{
    const struct tool_choice *choice = &c->ask.choice;

    if (choice->mode >= CHOICE_REQUIRED && c->ask.tools == NULL) {
        refuse(c, choice->from, "There is no tool that could be called.");
    }
    if (choice->mode == CHOICE_NAMED && get(c->names.bare, choice->name) == NULL) {
        refuse(c, choice->from, "There is no tool named '%.*s'.", STR_ARG(choice->name));
    }
    for (struct tool *t = c->ask.tools; t != NULL; t = t->next) {
        t->allowed = choice->allowed.first == NULL;
    }
    for (const struct part *p = choice->allowed.first; p != NULL; p = p->next) {
        struct tool *t = get(c->names.bare, p->text);
        if (t == NULL) {
            refuse(c, p->from, "There is no tool named '%.*s'.", STR_ARG(p->text));
            return;
        }
        t->allowed = true;
    }
}

static const struct place *name_place(struct conversion *c, const struct tool *t)
{
    struct str inside = t->kind == TOOL_CUSTOM ? STR("custom") : STR("function");

    return place_key(c, c->from == DIALECT_CHAT ? place_key(c, t->from, inside) : t->from,
                     STR("name"));
}

void tools_rename(struct conversion *c)
{
    for (struct tool *t = c->ask.tools; t != NULL && !c->refused; t = t->next) {
        struct str name = full_name(c, t->group, t->name);
        unsigned salt = 0;

        if (tool_find(c, t->group, t->name) != t) {
            refuse(c, t->from, "There are two tools named '%.*s'.", STR_ARG(t->name));
            return;
        }
        struct str wire = legal((enum dialect)c->to, name) ? name : made_legal(c, name, salt);
        while (tool_by_wire_name(c, wire) != NULL) {
            wire = made_legal(c, name, ++salt);
        }
        set_wire_name(c, t, wire);
        if (t->group.n > 0) {
            lose(c, FIELD_TOOL_GROUP, t->from);
        } else if (!str_eq(wire, t->name)) {
            lose(c, FIELD_TOOL_NAME, name_place(c, t));
        }
    }
    settle_choice(c);
}

struct str tool_wire_name(struct conversion *c, struct str group, struct str name)
{
    const struct tool *t = tool_find(c, group, name);

    if (t == NULL && group.n == 0) {
        t = get(c->names.bare, name); /* some name it without its group */
    }
    if (t != NULL) {
        return t->wire_name;
    }
    struct str full = full_name(c, group, name);
    return legal((enum dialect)c->to, full) ? full : made_legal(c, full, 0);
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
            if (p->kind != PART_CALL || tool_find(c, p->group, p->name) != NULL) {
                continue;
            }
            struct str wire = tool_wire_name(c, p->group, p->name);
            struct tool *t = tool_new(c, p->custom ? TOOL_CUSTOM : TOOL_FUNCTION, p->from);
            t->name = p->name;
            t->group = p->group;
            t->allowed = true;
            set_wire_name(c, t, wire);
            lose(c, FIELD_TOOL_DECLARED, p->from);
        }
    }
}
