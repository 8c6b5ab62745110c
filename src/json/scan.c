/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds members of the top-level object by their bytes, and is as strict about everything it passes
 * as a parser (RFC 8259): most documents are never parsed at all. What it cannot judge by itself,
 * the size of a number, it says.
 */
#include "json/json.h"
#include "json/plain.h"

#define DEPTH_MAX 128

struct scan {
    const char *p, *end;
    bool doubt;
};

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
        s->p++;
    }
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = p[i] | 32;
        int d = p[i] >= '0' && p[i] <= '9' ? p[i] - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (d < 0) {
            return -1;
        }
        v = v * 16 + d;
    }
    return v;
}

/* From the backslash to behind the escape; of a surrogate pair, behind both. */
static bool skip_escape(struct scan *s)
{
    if (s->end - s->p < 2) {
        return false;
    }
    if (s->p[1] != 'u') {
        char c = s->p[1];
        s->p += 2;
        return c == 'n' || c == '"' || c == '\\' || c == 't' || c == '/' || c == 'r' || c == 'b' ||
               c == 'f';
    }
    int code = s->end - s->p < 6 ? -1 : hex4(s->p + 2);
    s->p += 6;
    if (code < 0xd800 || code > 0xdfff) {
        return code >= 0;
    }
    if (code > 0xdbff || s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u') {
        return false;
    }
    code = hex4(s->p + 2);
    s->p += 6;
    return code >= 0xdc00 && code <= 0xdfff;
}

/* One character outside ASCII (RFC 3629). */
static bool skip_wide(struct scan *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

    if (p[0] < 0xc2 || p[0] > 0xf4 || (size_t)(s->end - s->p) < n) {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    s->p += n;
    /* Overlong forms, surrogates, and what is above U+10FFFF. */
    return !(p[0] == 0xe0 && p[1] < 0xa0) && !(p[0] == 0xed && p[1] > 0x9f) &&
           !(p[0] == 0xf0 && p[1] < 0x90) && !(p[0] == 0xf4 && p[1] > 0x8f);
}

/* From behind the opening quote to behind the closing one. */
static bool skip_string(struct scan *s, bool *escaped)
{
    const char *p = s->p;

    for (;;) {
        p += json_plain_run(p, (size_t)(s->end - p));
        if (s->end - p >= 2 && *p == '\\' && (p[1] == 'n' || p[1] == '"' || p[1] == '\\')) {
            *escaped = true; /* by far the most frequent ones */
            p += 2;
            continue;
        }
        s->p = p;
        if (p == s->end) {
            return false;
        }
        if (*p == '"') {
            s->p++;
            return true;
        }
        if (*p == '\\') {
            *escaped = true;
            if (!skip_escape(s)) {
                return false;
            }
        } else if ((unsigned char)*p < 0x20 || !skip_wide(s)) {
            return false;
        }
        p = s->p;
    }
}

static bool skip_digits(struct scan *s)
{
    const char *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }
    return s->p > from;
}

static bool next_is(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

#define SURE_NUMBER_BYTES \
    64 /* longer ones may be too large for a double, as any with an exponent */

static bool skip_number(struct scan *s)
{
    const char *from = s->p;

    s->p += next_is(s, '-');
    if (next_is(s, '0')) {
        s->p++;
    } else if (!skip_digits(s)) {
        return false;
    }
    if (next_is(s, '.')) {
        s->p++;
        if (!skip_digits(s)) {
            return false;
        }
    }
    if (next_is(s, 'e') || next_is(s, 'E')) {
        s->doubt = true;
        s->p++;
        s->p += next_is(s, '+') || next_is(s, '-');
        if (!skip_digits(s)) {
            return false;
        }
    }
    s->doubt = s->doubt || s->p - from > SURE_NUMBER_BYTES;
    return true;
}

static bool skip_word(struct scan *s, struct str word)
{
    bool found = str_starts(str_slice(s->p, (size_t)(s->end - s->p)), word);

    s->p += found ? word.n : 0;
    return found;
}

static bool skip_scalar(struct scan *s)
{
    bool escaped;

    switch (s->p < s->end ? *s->p : '\0') {
    case '"': s->p++; return skip_string(s, &escaped);
    case 't': return skip_word(s, STR("true"));
    case 'f': return skip_word(s, STR("false"));
    case 'n': return skip_word(s, STR("null"));
    default: return skip_number(s);
    }
}

/* A key and its colon, up to the value. */
static bool skip_key(struct scan *s, bool *escaped)
{
    if (!next_is(s, '"')) {
        return false;
    }
    s->p++;
    if (!skip_string(s, escaped)) {
        return false;
    }
    skip_blanks(s);
    if (!next_is(s, ':')) {
        return false;
    }
    s->p++;
    skip_blanks(s);
    return true;
}

/* What is open inside a value, as the brackets that close it. */
struct nest {
    char close[DEPTH_MAX - 1];
    unsigned depth;
};

/* From behind a value to the next one, or to the end of them all (depth 0). */
static bool skip_after_value(struct scan *s, struct nest *open)
{
    while (open->depth > 0) {
        skip_blanks(s);
        if (s->p == s->end) {
            return false;
        }
        char c = *s->p++;
        if (c == ',') {
            skip_blanks(s);
            return true;
        }
        if (c != open->close[--open->depth]) {
            return false;
        }
    }
    return true;
}

/* Opens the container at hand; an empty one is closed at once. */
static bool skip_opening(struct scan *s, struct nest *open)
{
    if (open->depth == sizeof(open->close)) {
        return false;
    }
    open->close[open->depth++] = *s->p++ == '{' ? '}' : ']';
    skip_blanks(s);
    if (next_is(s, open->close[open->depth - 1])) {
        s->p++;
        open->depth--;
        return skip_after_value(s, open);
    }
    return true;
}

static bool skip_value(struct scan *s)
{
    struct nest open = {.depth = 0};
    bool escaped;

    do {
        if (open.depth > 0 && open.close[open.depth - 1] == '}' && !skip_key(s, &escaped)) {
            return false;
        }
        bool container = next_is(s, '{') || next_is(s, '[');
        if (container ? !skip_opening(s, &open) : !(skip_scalar(s) && skip_after_value(s, &open))) {
            return false;
        }
    } while (open.depth > 0);
    return true;
}

/* Is this escaped key another spelling of the wanted (ASCII) name? */
static bool spells(struct str key, struct str wanted)
{
    size_t at = 0;

    for (size_t i = 0; i < key.n; i++, at++) {
        int c = (unsigned char)key.p[i];
        if (c == '\\' && i + 5 < key.n && key.p[i + 1] == 'u') {
            c = hex4(key.p + i + 2);
            i += 5;
        } else if (c == '\\') {
            i++; /* those that stand for themselves; no wanted name has any of the others */
            c = i < key.n && memchr("\"\\/", key.p[i], 3) != NULL ? (unsigned char)key.p[i] : -1;
        }
        if (at >= wanted.n || c != (unsigned char)wanted.p[at]) {
            return false;
        }
    }
    return at == wanted.n;
}

static void note(struct json_member *m, size_t n, struct str key, bool escaped, struct str value)
{
    for (size_t i = 0; i < n; i++) {
        if (escaped ? spells(key, m[i].key) : str_eq(key, m[i].key)) {
            m[i].value = value;
            m[i].count++;
            m[i].escaped = m[i].escaped || escaped;
        }
    }
}

/* One "key": value; false when it is broken. */
static bool member(struct scan *s, struct json_member *m, size_t n)
{
    bool escaped = false;
    const char *key = s->p + 1;

    if (!skip_key(s, &escaped)) {
        return false;
    }
    const char *value = s->p;
    const char *quote = key;
    if (!skip_value(s)) {
        return false;
    }
    /* The key ends at its own quote: in front of it an escape hides any other. */
    while (*quote != '"') {
        quote += *quote == '\\' ? 2 : 1;
    }
    note(m, n, str_slice(key, (size_t)(quote - key)), escaped,
         str_slice(value, (size_t)(s->p - value)));
    skip_blanks(s);
    return true;
}

enum json_scan json_scan_members(struct str text, struct json_member *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = (struct json_member){.key = m[i].key};
    }
    if (text.n == 0) { /* and perhaps no pointer */
        return JSON_SCAN_NOT_OBJECT;
    }
    struct scan s = {text.p, text.p + text.n, false};
    skip_blanks(&s);
    if (s.p == s.end || *s.p != '{') {
        return JSON_SCAN_NOT_OBJECT;
    }
    s.p++;
    skip_blanks(&s);
    bool more = s.p < s.end && *s.p != '}';
    while (more) {
        skip_blanks(&s);
        if (!member(&s, m, n) || s.p == s.end || (*s.p != ',' && *s.p != '}')) {
            return JSON_SCAN_BROKEN;
        }
        more = *s.p == ',';
        s.p += more;
    }
    if (s.p == s.end) {
        return JSON_SCAN_BROKEN;
    }
    s.p++;
    skip_blanks(&s);
    if (s.p < s.end) {
        return JSON_SCAN_BROKEN;
    }
    return s.doubt ? JSON_SCAN_DOUBT : JSON_SCAN_OK;
}

bool json_splice(struct buf *out, struct str text, struct str value, struct str replacement)
{
    size_t at = (size_t)(value.p - text.p);

    return buf_add(out, str_slice(text.p, at)) && buf_add(out, replacement) &&
           buf_add(out, str_skip(text, at + value.n));
}
