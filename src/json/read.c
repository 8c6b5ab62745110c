/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, by yyjson. struct json is a yyjson_val seen from outside; struct json_doc a yyjson_doc.
 */
#include <stdlib.h>
#include <yyjson.h>

#include "json/json.h"
#include "json/plain.h"

#define DEPTH_MAX 128

static yyjson_val *raw(const struct json *v)
{
    return (yyjson_val *)(uintptr_t)(const void *)v;
}

/* yyjson reads without recursion, but nobody after us should have to meet deeper nesting. */
static bool shallow(struct str text)
{
    unsigned depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.n; i++) {
        i += quoted ? json_plain_run(text.p + i, text.n - i) : 0;
        char c = i < text.n ? text.p[i] : '\0';
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX) {
                return false;
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

/* yyjson's memory holds copies of bodies: each piece knows its size, so that it can be wiped. */
#define SIZE_ROOM 16

static void *wiping_malloc(void *ctx, size_t size)
{
    (void)ctx;
    char *p = size <= SIZE_MAX - SIZE_ROOM ? malloc(size + SIZE_ROOM) : NULL;

    if (p == NULL) {
        return NULL;
    }
    memcpy(p, &size, sizeof(size));
    return p + SIZE_ROOM;
}

static size_t size_of(const void *p)
{
    size_t size;
    memcpy(&size, (const char *)p - SIZE_ROOM, sizeof(size));
    return size;
}

static void wiping_free(void *ctx, void *p)
{
    (void)ctx;
    if (p != NULL) {
        explicit_bzero(p, size_of(p));
        free((char *)p - SIZE_ROOM);
    }
}

static void *wiping_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    void *next = wiping_malloc(ctx, size);

    if (next != NULL && p != NULL) {
        memcpy(next, p, old_size < size ? old_size : size);
        wiping_free(ctx, p);
    }
    return next;
}

static const yyjson_alc wiping = {wiping_malloc, wiping_realloc, wiping_free, NULL};

static struct json_doc *parse(struct str text, yyjson_read_flag flags, struct err *e)
{
    yyjson_read_err why = {0};
    yyjson_doc *doc;

    if (text.n == 0) {
        err_set(e, "it is empty");
        return NULL;
    }
    doc = yyjson_read_opts((char *)(uintptr_t)text.p, text.n, flags, &wiping, &why);
    if (doc == NULL) {
        size_t line = 1, column = 1;
        for (size_t i = 0; i < why.pos && i < text.n; i++) {
            column = text.p[i] == '\n' ? 1 : column + 1;
            line += text.p[i] == '\n';
        }
        err_set(e, "line %zu, column %zu: %s", line, column, why.msg);
    } else if (!shallow(text)) {
        yyjson_doc_free(doc);
        err_set(e, "it is nested deeper than %d levels", DEPTH_MAX);
        doc = NULL;
    }
    return (struct json_doc *)(void *)doc;
}

struct json_doc *json_parse(struct str text, struct err *e)
{
    return parse(text, YYJSON_READ_NOFLAG, e);
}

struct json_doc *json_parse_exact(struct str text, struct err *e)
{
    return parse(text, YYJSON_READ_NUMBER_AS_RAW, e);
}

void json_free(struct json_doc *d)
{
    yyjson_doc_free((yyjson_doc *)(void *)d);
}

const struct json *json_root(const struct json_doc *d)
{
    return (const struct json *)(void *)yyjson_doc_get_root(
        (yyjson_doc *)(uintptr_t)(const void *)d);
}

static yyjson_val *child(yyjson_val *v, struct str key)
{
    uint64_t at;

    if (yyjson_is_arr(v)) {
        return str_to_u64(key, &at) ? yyjson_arr_get(v, at) : NULL;
    }
    return yyjson_is_obj(v) ? yyjson_obj_getn(v, key.p, key.n) : NULL;
}

const struct json *json_get(const struct json *v, const char *path)
{
    yyjson_val *at = raw(v);

    while (at != NULL && *path != '\0') {
        size_t n = 0;
        while (path[n] != '.' && path[n] != '\0') {
            n++;
        }
        at = child(at, str_slice(path, n));
        path += n + (path[n] == '.');
    }
    return (const struct json *)(void *)at;
}

bool json_is_object(const struct json *v)
{
    return yyjson_is_obj(raw(v));
}

bool json_is_array(const struct json *v)
{
    return yyjson_is_arr(raw(v));
}

bool json_is_null(const struct json *v)
{
    return yyjson_is_null(raw(v));
}

size_t json_count(const struct json *v)
{
    return yyjson_is_arr(raw(v)) ? yyjson_arr_size(raw(v)) : yyjson_obj_size(raw(v));
}

struct str json_str(const struct json *v)
{
    if (v == NULL || !yyjson_is_str(raw(v))) {
        return (struct str){NULL, 0};
    }
    return str_slice(yyjson_get_str(raw(v)), yyjson_get_len(raw(v)));
}

bool json_is_string(const struct json *v)
{
    return yyjson_is_str(raw(v));
}

/* As deep as the documents, which are at most 128 levels. */
bool json_same(const struct json *a, const struct json *b)
{
    struct json_each x = json_each(a), y = json_each(b);

    if (a == NULL || b == NULL || yyjson_get_type(raw(a)) != yyjson_get_type(raw(b))) {
        return a == b;
    }
    if (!str_eq(json_str(a), json_str(b)) || !str_eq(json_number(a), json_number(b)) ||
        yyjson_get_bool(raw(a)) != yyjson_get_bool(raw(b)) || json_count(a) != json_count(b)) {
        return false;
    }
    while (json_next(&x) && json_next(&y)) {
        if (!str_eq(x.key, y.key) || !json_same(x.value, y.value)) {
            return false;
        }
    }
    return true;
}

struct str json_number(const struct json *v)
{
    if (v == NULL || !yyjson_is_raw(raw(v))) {
        return (struct str){NULL, 0};
    }
    return str_slice(yyjson_get_raw(raw(v)), yyjson_get_len(raw(v)));
}

bool json_u64(const struct json *v, uint64_t *out)
{
    if (v != NULL && yyjson_is_raw(raw(v))) {
        return str_to_u64(json_number(v), out);
    }
    if (v == NULL || !yyjson_is_uint(raw(v))) {
        return false;
    }
    *out = yyjson_get_uint(raw(v));
    return true;
}

bool json_bool(const struct json *v, bool *out)
{
    if (v == NULL || !yyjson_is_bool(raw(v))) {
        return false;
    }
    *out = yyjson_get_bool(raw(v));
    return true;
}

struct json_each json_each(const struct json *v)
{
    struct json_each it = {.object = json_is_object(v)};

    if (it.object) {
        yyjson_obj_iter at = yyjson_obj_iter_with(raw(v));
        it.next_at = at.cur;
        it.left = at.max;
    } else if (json_is_array(v)) {
        yyjson_arr_iter at = yyjson_arr_iter_with(raw(v));
        it.next_at = at.cur;
        it.left = at.max;
    }
    return it;
}

bool json_next(struct json_each *it)
{
    if (it->left == 0) {
        return false;
    }
    yyjson_val *at = raw(it->next_at);
    it->index = it->value == NULL ? 0 : it->index + 1;
    it->left--;
    if (it->object) {
        it->key = str_slice(yyjson_get_str(at), yyjson_get_len(at));
        at = at + 1; /* a member's value stands behind its key */
    }
    it->value = (const struct json *)(void *)at;
    yyjson_arr_iter step = {.idx = 0, .max = 2, .cur = at};
    (void)yyjson_arr_iter_next(&step);
    it->next_at = step.cur;
    return true;
}
