/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a model of the zoo calls a tool, which one, and with what. */
#include "sim/zoo.h"

#define WORD_LEAST 4 /* letters of a word that says which tool is meant */
#define ITEMS_MAX 8
#define ARGUMENTS_DEPTH 8

/* The JSON object that stands in the question, byte for byte; else {NULL,0}. */
static struct str given_arguments(struct str s)
{
    size_t from = str_find_byte(s, '{'), to = s.n;
    struct err why;

    while (from < s.n && to > from && s.p[to - 1] != '}') {
        to--;
    }
    if (from >= to) {
        return (struct str){NULL, 0};
    }
    struct str text = str_slice(s.p + from, to - from);
    struct json_doc *doc = json_parse(text, &why);
    json_free(doc);
    return doc != NULL ? text : (struct str){NULL, 0};
}

/* What a required string is: what stands behind "exactly", the word after "in", or ours. */
static struct str named_place(struct str s)
{
    struct str text = mind_as_it_stands(s);
    size_t at = str_find(s, STR(" in "));

    return text.n > 0 ? text : at != SIZE_MAX ? mind_word_at(str_skip(s, at + 4)) : STR("sample");
}

static const struct json *property(const struct json *schema, struct str name)
{
    struct json_each own = json_each(json_get(schema, "properties"));

    while (json_next(&own)) {
        if (str_eq(own.key, name)) {
            return own.value;
        }
    }
    return NULL;
}

/* A value that keeps the schema: of an object what is required, of a list as few as may be. */
static void make_value(struct json_out *o, const struct json *schema, struct str s, unsigned depth)
{
    struct str type = json_str(json_get(schema, "type"));
    const struct json *choice = json_get(schema, "enum.0"), *least = json_get(schema, "minimum");
    uint64_t items = 0;

    if (choice != NULL) {
        json_put_value(o, choice);
    } else if (str_eq_nocase(type, STR("object")) && depth > 0) {
        struct json_each it = json_each(json_get(schema, "required"));
        json_open(o, '{');
        while (json_next(&it)) {
            json_put_key(o, json_str(it.value));
            make_value(o, property(schema, json_str(it.value)), s, depth - 1);
        }
        json_close(o, '}');
    } else if (str_eq_nocase(type, STR("array")) && depth > 0) {
        (void)json_u64(json_get(schema, "minItems"), &items);
        json_open(o, '[');
        for (uint64_t i = 0; i < items && i < ITEMS_MAX; i++) {
            make_value(o, json_get(schema, "items"), s, depth - 1);
        }
        json_close(o, ']');
    } else if (str_eq_nocase(type, STR("string"))) {
        json_put_str(o, named_place(s));
    } else if (str_eq_nocase(type, STR("boolean"))) {
        json_put_bool(o, true);
    } else {
        json_put_raw(o, json_number(least).n > 0 ? json_number(least) : STR("1"));
    }
}

static void make_arguments(const struct json *schema, struct str s, struct buf *out)
{
    struct json_out o = {out, false};
    struct json_each it = json_each(json_get(schema, "required"));

    json_open(&o, '{');
    while (json_next(&it)) {
        json_put_key(&o, json_str(it.value));
        make_value(&o, property(schema, json_str(it.value)), s, ARGUMENTS_DEPTH);
    }
    json_close(&o, '}');
}

static bool has_word(struct str s, struct str word)
{
    for (size_t i = 0; i + word.n <= s.n; i++) {
        if (str_eq_nocase(str_slice(s.p + i, word.n), word)) {
            return true;
        }
    }
    return false;
}

/* The tool that the text names, or of whose name it has a word; NULL: it means none. */
static const struct asked_tool *tool_meant(const struct asked *a, struct str s)
{
    for (size_t i = 0; i < a->tool_count; i++) {
        if (str_find(s, a->tools[i].name) != SIZE_MAX) {
            return &a->tools[i];
        }
    }
    for (size_t i = 0; i < a->tool_count; i++) {
        struct str rest = a->tools[i].name;
        while (rest.n > 0) {
            struct str word = str_cut(&rest, '_');
            if (word.n >= WORD_LEAST && has_word(s, word)) {
                return &a->tools[i];
            }
        }
    }
    return NULL;
}

bool mind_call(struct exchange *x, struct str s)
{
    const struct asked *a = &x->asked;
    struct answer *r = &x->answer;
    struct str given = given_arguments(s);
    const struct asked_tool *tool = tool_meant(a, s);

    if (tool == NULL && (a->forced || given.n > 0 || str_find(s, STR("tool")) != SIZE_MAX)) {
        tool = &a->tools[0];
    }
    if (a->tool_count == 0 || a->forbidden || a->result || tool == NULL) {
        return false;
    }
    r->calls = true;
    r->tool = tool->name;
    r->finish = FINISH_TOOL;
    if (given.n > 0) {
        buf_add(&r->arguments, given);
    } else {
        make_arguments(tool->schema, s, &r->arguments);
    }
    return true;
}
