/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed slice of bytes. It owns nothing: whoever made it says how long the bytes live. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

/* A literal as a slice; also usable in static tables. */
#define STR_INIT(lit) {"" lit, sizeof(lit) - 1}
#define STR(lit) ((struct str)STR_INIT(lit))
/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_from(const char *c_string)
{
    return (struct str){c_string, c_string == NULL ? 0 : strlen(c_string)};
}

static inline struct str str_slice(const char *p, size_t n)
{
    return (struct str){p, n};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0;
}

/* Its first bytes, at most so many, and no character of UTF-8 cut in two. */
struct str str_first(struct str s, size_t most);

static inline struct str str_skip(struct str s, size_t n)
{
    return n > 0 ? (struct str){s.p + n, s.n - n} : s; /* {NULL,0} has nowhere to go */
}

/* ASCII case-insensitive equality, as header names need it. */
bool str_eq_nocase(struct str a, struct str b);

/* Position of the first byte c, or s.n. */
size_t str_find_byte(struct str s, char c);

/* Position of needle, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle);

struct str str_trim(struct str s);

/* Splits off everything before sep (or all of it); *rest is what follows sep. */
struct str str_cut(struct str *rest, char sep);

/* Decimal digits only, no sign, no overflow; false otherwise. */
bool str_to_u64(struct str s, uint64_t *out);

/* Edit distance, bounded at 8: "the nearest valid name" of configuration errors. */
unsigned str_distance(struct str a, struct str b);

#endif
