/* SPDX-License-Identifier: Apache-2.0 */
/* Names of Claude models, which sellers, clouds and aliases write in many ways. */
#include "assay/family.h"
#include "assay/signature.h"

#define NUMBERS 4
#define DATE_DIGITS 8

static const char *const lines[] = {"opus", "sonnet", "haiku", "instant", "fable", "mythos"};
#define LINES (sizeof(lines) / sizeof(lines[0]))

struct name {
    size_t line; /* LINES: none */
    uint64_t numbers[NUMBERS];
    size_t count;
};

/* The next word or number of *s; nothing is left: empty. */
static struct str next_part(struct str *s)
{
    size_t n = 0;

    while (s->n > 0 && (s->p[0] == '-' || s->p[0] == '.' || s->p[0] == '_')) {
        *s = str_skip(*s, 1);
    }
    while (n < s->n && s->p[n] != '-' && s->p[n] != '.' && s->p[n] != '_') {
        n++;
    }
    struct str part = str_slice(s->p, n);
    *s = str_skip(*s, n);
    return part;
}

/* "us.anthropic.claude-sonnet-4-5-20250929-v1:0" and "anthropic/claude-4.5-sonnet:thinking": a
 * line, and 4, 5. What follows '@' or ':' is a snapshot or a setting. */
static void read_name(struct name *n, struct str s)
{
    static const char ends[] = "@:[";
    struct str part;
    uint64_t number;

    *n = (struct name){.line = LINES};
    for (size_t i = 0; ends[i] != '\0'; i++) {
        s = str_slice(s.p, str_find_byte(s, ends[i]));
    }
    for (size_t slash; (slash = str_find_byte(s, '/')) < s.n;) {
        s = str_skip(s, slash + 1);
    }
    while ((part = next_part(&s)).n > 0) {
        for (size_t i = 0; i < LINES; i++) {
            n->line = str_eq_nocase(part, str_from(lines[i])) ? i : n->line;
        }
        if (part.n < DATE_DIGITS && n->count < NUMBERS && str_to_u64(part, &number)) {
            n->numbers[n->count++] = number;
        }
    }
    while (n->count > 1 && n->numbers[n->count - 1] == 0) {
        n->count--; /* "4-0" is called "4", too */
    }
}

enum signature_same signature_models(struct str a, struct str b)
{
    struct name n[2];

    read_name(&n[0], a);
    read_name(&n[1], b);
    if (n[0].line == LINES || n[1].line == LINES) {
        return SAME_UNKNOWN;
    }
    if (n[0].line != n[1].line) {
        return OTHER_MODEL;
    }
    if (n[0].count == 0 || n[1].count == 0) {
        return SAME_UNKNOWN;
    }
    size_t common = n[0].count < n[1].count ? n[0].count : n[1].count;
    if (memcmp(n[0].numbers, n[1].numbers, common * sizeof(n[0].numbers[0])) != 0) {
        return OTHER_MODEL;
    }
    return n[0].count == n[1].count ? SAME_MODEL : SAME_UNKNOWN; /* "4" may stand for any 4.x */
}

bool signature_says_claude(struct str model)
{
    return model_says(model, "claude");
}
