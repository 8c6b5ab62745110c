/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds members of the top-level object by their bytes. It checks strings and the balance of
 * brackets, not the grammar inside other members: whoever needs that parses as well.
 */
#include "json/json.h"

#define DEPTH_MAX 128

struct scan {
    const char *p, *end;
};

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
        s->p++;
    }
}

/* From behind the opening quote to behind the closing one. */
static bool skip_string(struct scan *s, bool *escaped)
{
    while (s->p < s->end) {
        const char *quote = memchr(s->p, '"', (size_t)(s->end - s->p));
        if (quote == NULL) {
            return false;
        }
        const char *slash = memchr(s->p, '\\', (size_t)(quote - s->p));
        if (slash == NULL) {
            s->p = quote + 1;
            return true;
        }
        *escaped = true;
        s->p = slash + 2;
    }
    return false;
}

static bool skip_container(struct scan *s)
{
    char open[DEPTH_MAX];
    unsigned depth = 0;
    bool escaped;

    while (s->p < s->end) {
        char c = *s->p++;
        if (c == '"') {
            if (!skip_string(s, &escaped)) {
                return false;
            }
        } else if (c == '{' || c == '[') {
            if (depth == DEPTH_MAX) {
                return false;
            }
            open[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (open[--depth] != c) {
                return false;
            }
            if (depth == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool skip_value(struct scan *s)
{
    bool escaped;

    if (s->p == s->end) {
        return false;
    }
    if (*s->p == '"') {
        s->p++;
        return skip_string(s, &escaped);
    }
    if (*s->p == '{' || *s->p == '[') {
        return skip_container(s);
    }
    const char *from = s->p;
    while (s->p < s->end && strchr(",}] \t\r\n", *s->p) == NULL) {
        s->p++;
    }
    return s->p > from;
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
            i++;
            c = i < key.n ? (unsigned char)key.p[i] : -1;
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

    if (s->p == s->end || *s->p != '"') {
        return false;
    }
    const char *key = ++s->p;
    if (!skip_string(s, &escaped)) {
        return false;
    }
    struct str name = str_slice(key, (size_t)(s->p - 1 - key));
    skip_blanks(s);
    if (s->p == s->end || *s->p++ != ':') {
        return false;
    }
    skip_blanks(s);
    const char *value = s->p;
    if (!skip_value(s)) {
        return false;
    }
    note(m, n, name, escaped, str_slice(value, (size_t)(s->p - value)));
    skip_blanks(s);
    return true;
}

enum json_scan json_scan_members(struct str text, struct json_member *m, size_t n)
{
    struct scan s = {text.p, text.p + text.n};

    for (size_t i = 0; i < n; i++) {
        m[i] = (struct json_member){.key = m[i].key};
    }
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
    return s.p == s.end ? JSON_SCAN_OK : JSON_SCAN_BROKEN;
}

bool json_splice(struct buf *out, struct str text, struct str value, struct str replacement)
{
    size_t at = (size_t)(value.p - text.p);

    return buf_add(out, str_slice(text.p, at)) && buf_add(out, replacement) &&
           buf_add(out, str_skip(text, at + value.n));
}
