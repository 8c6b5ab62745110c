/* SPDX-License-Identifier: Apache-2.0 */
#include "json/schema.h"

#include "json/decimal.h"

/* Of one object or list, in schemas and in values: members are looked for one by one. */
#define ITEMS_MAX 256

/* ---- Values ---- */

static bool is_number(const struct json *v)
{
    return json_number(v).n > 0;
}

static const struct json *member(const struct json *object, struct str key)
{
    struct json_each it = json_each(object);

    while (it.object && json_next(&it)) {
        if (str_eq(it.key, key)) {
            return it.value;
        }
    }
    return NULL;
}

static bool is_bool(const struct json *v)
{
    bool b;
    return json_bool(v, &b);
}

/* Equal as JSON Schema means it: 1 is 1.0, and members have no order. */
static bool same(const struct json *a, const struct json *b)
{
    struct json_each x = json_each(a), y = json_each(b);
    bool p = false, q = false;

    if (is_number(a) || is_number(b)) {
        return is_number(a) && is_number(b) && decimal_compare(json_number(a), json_number(b)) == 0;
    }
    if (json_is_object(a) != json_is_object(b) || json_is_array(a) != json_is_array(b) ||
        json_is_string(a) != json_is_string(b) || json_is_null(a) != json_is_null(b) ||
        json_bool(a, &p) != json_bool(b, &q) || p != q || x.left != y.left ||
        (x.object && x.left > ITEMS_MAX)) {
        return false;
    }
    while (json_next(&x)) {
        const struct json *other = x.object ? member(b, x.key) : json_next(&y) ? y.value : NULL;
        if (other == NULL || !same(x.value, other)) {
            return false;
        }
    }
    return str_eq(json_str(a), json_str(b));
}

static bool is_type(const struct json *v, struct str type)
{
    return str_eq(type, STR("object"))    ? json_is_object(v)
           : str_eq(type, STR("array"))   ? json_is_array(v)
           : str_eq(type, STR("string"))  ? json_is_string(v)
           : str_eq(type, STR("number"))  ? is_number(v)
           : str_eq(type, STR("integer")) ? (is_number(v) && decimal_whole(json_number(v)))
           : str_eq(type, STR("boolean")) ? is_bool(v)
                                          : json_is_null(v);
}

static size_t characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    }
    return n;
}

/* ---- What a keyword may hold ---- */

static bool holds_text(const struct json *v, struct err *why)
{
    (void)why;
    return json_is_string(v);
}

static bool holds_type(const struct json *v, struct err *why)
{
    static const char *const types[] = {"object",  "array",   "string", "number",
                                        "integer", "boolean", "null"};
    struct json_each it = json_each(v);
    bool ok = json_is_string(v) || (json_is_array(v) && it.left > 0);

    while (ok && json_is_array(v) && json_next(&it)) {
        ok = json_is_string(it.value) && holds_type(it.value, why);
    }
    for (size_t i = 0; json_is_string(v) && i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq(json_str(v), str_from(types[i]))) {
            return true;
        }
    }
    return ok && json_is_array(v);
}

static bool holds_names(const struct json *v, struct err *why)
{
    struct json_each it = json_each(v);
    bool ok = json_is_array(v);

    (void)why;
    while (ok && json_next(&it)) {
        ok = json_is_string(it.value);
    }
    return ok;
}

static bool holds_choice(const struct json *v, struct err *why)
{
    (void)why;
    return json_is_array(v) && json_count(v) > 0;
}

static bool holds_anything(const struct json *v, struct err *why)
{
    (void)why;
    return v != NULL;
}

static bool holds_number(const struct json *v, struct err *why)
{
    (void)why;
    return is_number(v);
}

static bool holds_count(const struct json *v, struct err *why)
{
    uint64_t n;

    (void)why;
    return json_u64(v, &n) && n <= INT64_MAX;
}

static bool holds_schemas(const struct json *v, struct err *why)
{
    struct json_each it = json_each(v);
    bool ok = json_is_object(v) || (json_is_array(v) && it.left > 0);

    while (ok && json_next(&it)) {
        ok = schema_usable(it.value, why);
    }
    return ok;
}

static bool holds_schema_by_name(const struct json *v, struct err *why)
{
    return json_is_object(v) && holds_schemas(v, why);
}

static bool holds_list_of_schemas(const struct json *v, struct err *why)
{
    return json_is_array(v) && holds_schemas(v, why);
}

static bool holds_rest(const struct json *v, struct err *why)
{
    return is_bool(v) || schema_usable(v, why);
}

/* ---- What a keyword wants of a value; what is of another type it does not look at ---- */

static const char type_name[] = "type", required_name[] = "required", enum_name[] = "enum",
                  rest_name[] = "additionalProperties", any_name[] = "anyOf";

struct wanted {
    const char *name;
    const struct json *schema, *it; /* it: what the keyword holds */
};

static const char *want_type(const struct wanted *w, const struct json *v)
{
    struct json_each it = json_each(w->it);
    bool found = json_is_string(w->it) && is_type(v, json_str(w->it));

    while (!found && json_next(&it)) {
        found = is_type(v, json_str(it.value));
    }
    return found ? NULL : type_name;
}

static const char *want_required(const struct wanted *w, const struct json *v)
{
    struct json_each it = json_each(w->it);

    while (json_is_object(v) && json_next(&it)) {
        if (member(v, json_str(it.value)) == NULL) {
            return required_name;
        }
    }
    return NULL;
}

static const char *want_enum(const struct wanted *w, const struct json *v)
{
    struct json_each it = json_each(w->it);

    while (json_next(&it)) {
        if (same(it.value, v)) {
            return NULL;
        }
    }
    return enum_name;
}

static const char *want_const(const struct wanted *w, const struct json *v)
{
    return same(w->it, v) ? NULL : w->name;
}

static const char *want_properties(const struct wanted *w, const struct json *v)
{
    struct json_each it = json_each(v);
    const char *broken = NULL;

    while (it.object && broken == NULL && json_next(&it)) {
        const struct json *own = member(w->it, it.key);
        broken = own != NULL ? schema_broken(own, it.value) : NULL;
    }
    return broken;
}

static const char *want_rest(const struct wanted *w, const struct json *v)
{
    const struct json *named = json_get(w->schema, "properties");
    struct json_each it = json_each(v);
    const char *broken = NULL;
    bool allowed = false, is_switch = json_bool(w->it, &allowed);

    while (it.object && broken == NULL && json_next(&it)) {
        if (member(named, it.key) == NULL) {
            broken = !is_switch ? schema_broken(w->it, it.value) : allowed ? NULL : rest_name;
        }
    }
    return broken;
}

static const char *want_items(const struct wanted *w, const struct json *v)
{
    struct json_each it = json_each(v);
    const char *broken = NULL;

    while (json_is_array(v) && broken == NULL && json_next(&it)) {
        broken = schema_broken(w->it, it.value);
    }
    return broken;
}

static const char *want_any(const struct wanted *w, const struct json *v)
{
    struct json_each it = json_each(w->it);

    while (json_next(&it)) {
        if (schema_broken(it.value, v) == NULL) {
            return NULL;
        }
    }
    return any_name;
}

static bool is_least(const struct wanted *w)
{
    return w->name[1] == 'i'; /* min..., or max... */
}

static const char *want_number(const struct wanted *w, const struct json *v)
{
    int order = is_number(v) ? decimal_compare(json_number(v), json_number(w->it)) : 0;

    return (is_least(w) ? order < 0 : order > 0) ? w->name : NULL;
}

static const char *judge_count(const struct wanted *w, size_t n)
{
    uint64_t bound = 0;

    json_u64(w->it, &bound);
    return (is_least(w) ? n < bound : n > bound) ? w->name : NULL;
}

static const char *want_count(const struct wanted *w, const struct json *v)
{
    return json_is_array(v) ? judge_count(w, json_count(v)) : NULL;
}

static const char *want_length(const struct wanted *w, const struct json *v)
{
    return json_is_string(v) ? judge_count(w, characters(json_str(v))) : NULL;
}

static const char *want_nothing(const struct wanted *w, const struct json *v)
{
    (void)w;
    (void)v;
    return NULL;
}

static const struct keyword {
    const char *name;
    bool (*holds)(const struct json *v, struct err *why);
    const char *(*want)(const struct wanted *w, const struct json *v);
} keywords[] = {
    {"title", holds_text, want_nothing},
    {"description", holds_text, want_nothing},
    {type_name, holds_type, want_type},
    {enum_name, holds_choice, want_enum},
    {"const", holds_anything, want_const},
    {"properties", holds_schema_by_name, want_properties},
    {required_name, holds_names, want_required},
    {rest_name, holds_rest, want_rest},
    {"items", schema_usable, want_items},
    {any_name, holds_list_of_schemas, want_any},
    {"minimum", holds_number, want_number},
    {"maximum", holds_number, want_number},
    {"minItems", holds_count, want_count},
    {"maxItems", holds_count, want_count},
    {"minLength", holds_count, want_length},
    {"maxLength", holds_count, want_length},
};

static const struct keyword *keyword_find(struct str name)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (str_eq(name, str_from(keywords[i].name))) {
            return &keywords[i];
        }
    }
    return NULL;
}

bool schema_usable(const struct json *schema, struct err *why)
{
    struct json_each it = json_each(schema);
    struct err inner = {""};

    if (!json_is_object(schema)) {
        return err_set(why, "a schema is an object");
    }
    while (json_next(&it)) {
        if (json_count(it.value) > ITEMS_MAX) {
            return err_set(why, "a schema has lists of %d at most", ITEMS_MAX);
        }
        const struct keyword *k = keyword_find(it.key);
        if (k == NULL) {
            return err_set(why, "\"%.*s\" is no keyword of a schema that is known here",
                           (int)(it.key.n < 100 ? it.key.n : 100), it.key.p);
        }
        if (!k->holds(it.value, &inner)) {
            return inner.text[0] != '\0' ? err_set(why, "%s", inner.text)
                                         : err_set(why, "%s: it cannot hold that", k->name);
        }
    }
    return true;
}

const char *schema_broken(const struct json *schema, const struct json *value)
{
    struct json_each it = json_each(schema);
    const char *broken = json_is_object(value) && json_count(value) > ITEMS_MAX ? rest_name : NULL;

    while (broken == NULL && json_next(&it)) {
        const struct keyword *k = keyword_find(it.key);
        struct wanted w = {k != NULL ? k->name : "", schema, it.value};
        broken = k != NULL ? k->want(&w, value) : NULL;
    }
    return broken;
}
