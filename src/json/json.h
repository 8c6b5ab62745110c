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

#endif
