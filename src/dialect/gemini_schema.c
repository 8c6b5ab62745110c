/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Gemini dialect's own schemas are OpenAPI 3.0's: types in capitals, null by a flag, 64-bit
 * integers as strings, an order of properties beside them. Other dialects read JSON Schema.
 */
#include "base/map.h"
#include "dialect/gemini.h"

enum inside { INSIDE_SCHEMA, INSIDE_LIST, INSIDE_MAP, INSIDE_INTEGER, INSIDE_EXAMPLE, INSIDE_GONE };

static const struct keyword {
    const char *key, *name; /* here, and in JSON Schema */
    uint8_t inside;
} keywords[] = {
    {"properties", "properties", INSIDE_MAP},
    {"$defs", "$defs", INSIDE_MAP},
    {"defs", "$defs", INSIDE_MAP},
    {"items", "items", INSIDE_SCHEMA},
    {"additionalProperties", "additionalProperties", INSIDE_SCHEMA},
    {"not", "not", INSIDE_SCHEMA},
    {"anyOf", "anyOf", INSIDE_LIST},
    {"oneOf", "oneOf", INSIDE_LIST},
    {"allOf", "allOf", INSIDE_LIST},
    {"prefixItems", "prefixItems", INSIDE_LIST},
    {"minItems", "minItems", INSIDE_INTEGER},
    {"maxItems", "maxItems", INSIDE_INTEGER},
    {"minLength", "minLength", INSIDE_INTEGER},
    {"maxLength", "maxLength", INSIDE_INTEGER},
    {"minProperties", "minProperties", INSIDE_INTEGER},
    {"maxProperties", "maxProperties", INSIDE_INTEGER},
    {"ref", "$ref", INSIDE_INTEGER},
    {"example", "examples", INSIDE_EXAMPLE},
    {"type", NULL, INSIDE_GONE},
    {"nullable", NULL, INSIDE_GONE},
    {"propertyOrdering", NULL, INSIDE_GONE},
};

static const struct keyword *find_keyword(const struct conversion *c, struct str key)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (key_is(c, key, str_from(keywords[i].key))) {
            return &keywords[i];
        }
    }
    return NULL;
}

static void put_key(struct json_out *o, struct str key)
{
    json_put_str(o, key);
    buf_add_byte(o->b, ':');
    o->comma = false;
}

static void write_schema(const struct conversion *c, struct json_out *o, const struct json *schema);

/* ---- a type, and whether null is one, too ---- */

static void put_type(struct json_out *o, struct str type)
{
    char word[16];

    for (size_t i = 0; i < type.n && i < sizeof(word); i++) {
        char ch = type.p[i];
        word[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
    }
    json_put_str(o, type.n <= sizeof(word) ? str_slice(word, type.n) : type);
}

/* What a schema says of the whole of it: looked up once, however many members it has. */
struct facts {
    const struct json *type, *order;
    bool nullable;
};

static struct facts facts_of(const struct json *schema)
{
    struct facts f = {json_get(schema, "type"), json_get(schema, "propertyOrdering"), false};

    f.order = f.order != NULL ? f.order : json_get(schema, "property_ordering");
    f.nullable = json_bool(json_get(schema, "nullable"), &f.nullable) && f.nullable;
    return f;
}

static void write_type(struct json_out *o, const struct facts *facts)
{
    const struct json *type = facts->type;
    struct json_each it = json_each(type);
    bool null = facts->nullable;

    if (type == NULL || str_eq(json_str(type), STR("TYPE_UNSPECIFIED"))) {
        return;
    }
    json_key(o, "type");
    if (json_is_string(type) && !null) {
        put_type(o, json_str(type));
        return;
    }
    json_open(o, '[');
    if (json_is_string(type)) {
        put_type(o, json_str(type));
    }
    while (json_next(&it)) {
        put_type(o, json_str(it.value));
    }
    if (null) {
        json_put_str(o, STR("null"));
    }
    json_close(o, ']');
}

/* ---- what stands inside ---- */

static void write_list(const struct conversion *c, struct json_out *o, const struct json *list,
                       bool null)
{
    struct json_each it = json_each(list);

    json_open(o, '[');
    while (json_next(&it)) {
        write_schema(c, o, it.value);
    }
    if (null) {
        json_put_raw(o, STR("{\"type\":\"null\"}"));
    }
    json_close(o, ']');
}

/* The order that the schema asks for first: models write properties in the order that they read. */
static void write_map(const struct conversion *c, struct json_out *o, const struct json *map,
                      const struct json *order)
{
    struct json_each it = json_each(map), first = json_each(order);
    struct map *rest = order != NULL ? map_new() : NULL; /* what is not written yet */

    while (order != NULL && json_next(&it)) {
        (void)map_put(rest, it.key, (void *)(uintptr_t)it.value);
    }
    json_open(o, '{');
    while (json_next(&first)) {
        const struct json *v = map_remove(rest, json_str(first.value));
        if (v != NULL) {
            put_key(o, json_str(first.value));
            write_schema(c, o, v);
        }
    }
    it = json_each(map);
    while (json_next(&it)) {
        if (order == NULL || map_get(rest, it.key) != NULL) {
            put_key(o, it.key);
            write_schema(c, o, it.value);
        }
    }
    json_close(o, '}');
    map_free(rest);
}

static void write_enum(struct json_out *o, const struct json *values)
{
    struct json_each it = json_each(values);

    json_open(o, '[');
    while (json_next(&it)) {
        json_put_value(o, it.value);
    }
    json_put_raw(o, STR("null"));
    json_close(o, ']');
}

static void write_keyword(const struct conversion *c, struct json_out *o, const struct facts *facts,
                          const struct keyword *k, const struct json *v)
{
    bool null = facts->nullable && facts->type == NULL;
    struct str digits = json_str(v);
    uint64_t n;

    json_key(o, k->name);
    switch ((enum inside)k->inside) {
    case INSIDE_SCHEMA: write_schema(c, o, v); break;
    case INSIDE_LIST: write_list(c, o, v, null && strcmp(k->name, "anyOf") == 0); break;
    case INSIDE_MAP:
        write_map(c, o, v, strcmp(k->name, "properties") == 0 ? facts->order : NULL);
        break;
    case INSIDE_EXAMPLE:
        json_open(o, '[');
        json_put_value(o, v);
        json_close(o, ']');
        break;
    case INSIDE_INTEGER:
        if (digits.n > 0 && str_to_u64(digits, &n)) {
            json_put_u64(o, n);
            break;
        }
        json_put_value(o, v);
        break;
    case INSIDE_GONE: break;
    }
}

static void write_schema(const struct conversion *c, struct json_out *o, const struct json *schema)
{
    struct json_each it = json_each(schema);
    struct facts facts = facts_of(schema);

    if (!json_is_object(schema)) { /* true and false are schemas, too */
        json_put_value(o, schema);
        return;
    }
    json_open(o, '{');
    write_type(o, &facts);
    while (json_next(&it)) {
        const struct keyword *k = find_keyword(c, it.key);
        bool values = str_eq(it.key, STR("enum")) && facts.nullable;
        bool gone = str_eq(it.key, STR("format")) && str_eq(json_str(it.value), STR("enum"));

        if (k != NULL && k->name != NULL) {
            write_keyword(c, o, &facts, k, it.value);
        } else if (k == NULL && !gone) {
            put_key(o, it.key);
            if (values) {
                write_enum(o, it.value);
            } else {
                json_put_value(o, it.value);
            }
        }
    }
    json_close(o, '}');
}

const struct json *gemini_schema(struct conversion *c, const struct json *schema)
{
    struct buf text;
    struct json_out o = {&text, false};

    buf_init(&text, LIMIT_BODY_BYTES);
    write_schema(c, &o, schema);
    return conversion_parse(c, &text);
}
