/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door to yyjson, and scanners that keep bytes. Pure. Numbers are read as exact integers or not
 * at all. Documents are read-only and hold their own memory until json_free.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct json_doc;
struct json; /* a value inside a document */

/* Strict RFC 8259, depth at most 128. NULL with "line 1, column 17: ..." on failure. */
struct json_doc *json_parse(struct str text, struct err *e);
void json_free(struct json_doc *d); /* NULL is fine */
const struct json *json_root(const struct json_doc *d);
/* Path of keys and decimal indices separated by '.', e.g. "choices.0.finish_reason"; NULL if
 * absent. v may be NULL. */
const struct json *json_get(const struct json *v, const char *path);
bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_null(const struct json *v);
size_t json_count(const struct json *v);
struct str json_str(const struct json *v);          /* {NULL,0} unless a string */
bool json_u64(const struct json *v, uint64_t *out); /* false unless a non-negative integer */
bool json_bool(const struct json *v, bool *out);
bool json_is_string(const struct json *v);
/* Written alike by json_write_value. Costs no more than the smaller of the two. */
bool json_same(const struct json *a, const struct json *b);
/* Of a document of json_parse_exact: the number as it was written; {NULL,0} unless a number. */
struct str json_number(const struct json *v);

/* Strict as json_parse, and every number kept as it was written, however large. */
struct json_doc *json_parse_exact(struct str text, struct err *e);

/* The members of an object or the items of an array, in their order; of anything else none:
 *   struct json_each it = json_each(v);
 *   while (json_next(&it)) { it.key, it.value, it.index } */
struct json_each {
    struct str key; /* {NULL,0} in an array */
    const struct json *value;
    size_t index;
    const void *next_at; /* of this room alone */
    size_t left;
    bool object;
};
struct json_each json_each(const struct json *v);
bool json_next(struct json_each *it);

/* One member of the top-level object, found without building anything. */
struct json_member {
    struct str key;   /* in: the wanted name */
    struct str value; /* out: its raw bytes ("\"gpt\"", "true", "{...}"), p NULL when absent */
    unsigned count;   /* out: times seen */
    bool escaped;     /* out: the key was written with escapes at least once */
};
/* DOUBT: as OK, but for numbers that a parser may find too large. */
enum json_scan { JSON_SCAN_OK, JSON_SCAN_DOUBT, JSON_SCAN_NOT_OBJECT, JSON_SCAN_BROKEN };
enum json_scan json_scan_members(struct str text, struct json_member *m, size_t n);
/* The members are what the text says: OK, or DOUBT. */
static inline bool json_scan_found(enum json_scan s)
{
    return s == JSON_SCAN_OK || s == JSON_SCAN_DOUBT;
}

/* Replaces value (a slice of text) by other bytes: text with the splice, appended to out. */
bool json_splice(struct buf *out, struct str text, struct str value, struct str replacement);

/* Appends s as a JSON string with its quotes. */
bool json_write_str(struct buf *b, struct str s);
/* The inside of that string alone. */
bool json_write_inside(struct buf *b, struct str s);
/* Appends a value of a json_parse_exact document: without spaces, its members in their order, its
 * numbers as they were written. */
bool json_write_value(struct buf *b, const struct json *v);

/*
 * Writing piece by piece; commas are set here. json_key before each member, then its value by one
 * of the others. Whether all went well is the buffer's `overflow`.
 */
struct json_out {
    struct buf *b;
    bool comma;
};
void json_open(struct json_out *o, char bracket);  /* '{' or '[' */
void json_close(struct json_out *o, char bracket); /* '}' or ']' */
void json_open_typed(struct json_out *o,
                     const char *type); /* an object that begins with its type */
void json_key(struct json_out *o, const char *key);
void json_put_members(struct json_out *o, struct str text); /* "\"a\":1,\"b\":2", in an object */
void json_put_key(struct json_out *o, struct str key);
void json_put_str(struct json_out *o, struct str s);
void json_put_u64(struct json_out *o, uint64_t v);
void json_put_raw(struct json_out *o,
                  struct str text); /* "true", a number as written, a document */
void json_put_value(struct json_out *o, const struct json *v);
void json_put_bool(struct json_out *o, bool v);

#endif
