/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counter of tokens that is no tokenizer: exact for the texts of families.def, each on a line of
 * its own, and near for the rest. A number costs by its digits alone, and a letter one token.
 */
#include "sim/zoo.h"

enum text {
#define TEXT(id, text) TEXT_##id,
#define FAMILY(id, ...)
#include "sim/families.def"
    TEXTS
};

static const struct str texts[] = {
#define TEXT(id, text) STR_INIT(text),
#define FAMILY(id, ...)
#include "sim/families.def"
};

struct costs {
    uint8_t of[TEXTS];
    uint8_t digits; /* that 13 tokens hold */
};
static const struct costs families[] = {
#define TEXT(id, text)
#define FAMILY(id, a, b, c, d, e, f, g, digits) {{a, b, c, d, e, f, g}, digits},
#include "sim/families.def"
};

/* Which text shows what a script costs, and how many characters it has. */
static const struct {
    uint32_t first, last;
    uint8_t text, characters;
} scripts[] = {
    {0x0900, 0x097F, TEXT_HINDI, 47},    {0x0E00, 0x0E7F, TEXT_THAI, 46},
    {0x10A0, 0x10FF, TEXT_GEORGIAN, 26}, {0x3000, 0x30FF, TEXT_JAPANESE, 27},
    {0x3400, 0x9FFF, TEXT_CJK, 32},      {0xAC00, 0xD7AF, TEXT_KOREAN, 28},
};
#define SCRIPTS (sizeof(scripts) / sizeof(scripts[0]))

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The character at s, and its bytes. */
static uint32_t code_point(struct str s, size_t *n)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t want = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    if (want > s.n) {
        want = 1;
    }
    uint32_t code = want == 1 ? c : c & (0xFFU >> (want + 1));
    for (size_t i = 1; i < want; i++) {
        code = code << 6 | ((unsigned char)s.p[i] & 0x3FU);
    }
    *n = want;
    return code;
}

static size_t script_of(uint32_t code)
{
    for (size_t i = 0; i < SCRIPTS; i++) {
        if (code >= scripts[i].first && code <= scripts[i].last) {
            return i;
        }
    }
    return SCRIPTS;
}

/* A run of one script beyond ASCII, by the family's price of it. */
static size_t other_run(struct str s, enum family f, unsigned *tokens)
{
    size_t n = 0, bytes = 0, length = 0, script = SCRIPTS;

    while (bytes < s.n && (unsigned char)s.p[bytes] >= 0x80) {
        size_t own = script_of(code_point(str_skip(s, bytes), &n));
        if (length > 0 && own != script) {
            break;
        }
        script = own;
        bytes += n;
        length++;
    }
    size_t cost = script == SCRIPTS ? length
                                    : (length * (families[f].of[scripts[script].text] - 1U) +
                                       scripts[script].characters - 1) /
                                          scripts[script].characters;
    *tokens = cost > 0 ? (unsigned)cost : 1;
    return bytes;
}

/* A line that is one of the texts: its bytes, or 0. */
static size_t known_line(struct str s, enum family f, unsigned *tokens)
{
    for (size_t i = 0; i < TEXTS; i++) {
        size_t n = texts[i].n;
        if (!str_starts(s, texts[i])) {
            continue;
        }
        if (n < s.n && s.p[n] == '\n') {
            *tokens = families[f].of[i];
            return n + 1;
        }
        if (n == s.n || s.p[n] == TEXT_END) {
            *tokens = families[f].of[i] - 1U;
            return n;
        }
    }
    return 0;
}

static size_t ascii_run(struct str s, enum family f, unsigned *tokens)
{
    size_t n = s.p[0] == ' ' && s.n > 1 && is_letter(s.p[1]) ? 1 : 0, first = n;

    *tokens = 1;
    while (n < s.n && is_letter(s.p[n])) {
        n++;
    }
    if (n > first) {
        *tokens = n - first > 8 ? 1 + (unsigned)((n - first - 5) / 4) : 1;
        return n;
    }
    while (n < s.n && is_digit(s.p[n])) {
        n++;
    }
    if (n > 0) {
        *tokens = (unsigned)((n * 13 + families[f].digits - 1) / families[f].digits);
        return n;
    }
    if (s.p[0] == TEXT_END) {
        *tokens = 0;
        return 1;
    }
    while (n < s.n && s.p[n] == s.p[0] && (s.p[0] == '\n' || s.p[0] == ' ')) {
        n++;
    }
    return n > 0 ? n : 1;
}

struct str tokens_piece(struct str *rest, enum family f, unsigned *tokens)
{
    struct str s = *rest;
    size_t n = known_line(s, f, tokens);

    if (n == 0) {
        n = (unsigned char)s.p[0] >= 0x80 ? other_run(s, f, tokens) : ascii_run(s, f, tokens);
    }
    *rest = str_skip(s, n);
    return str_slice(s.p, n);
}

uint64_t tokens_count(struct str text, enum family f)
{
    uint64_t sum = 0;

    while (text.n > 0) {
        unsigned tokens;
        (void)tokens_piece(&text, f, &tokens);
        sum += tokens;
    }
    return sum;
}

size_t tokens_bytes(struct str text, enum family f, uint64_t tokens)
{
    struct str rest = text;

    while (rest.n > 0) {
        unsigned n;
        struct str piece = tokens_piece(&rest, f, &n);
        if (n > tokens) {
            /* A part of a long word: whole characters of it, and never more than fits. */
            size_t part = (size_t)(piece.n * tokens / n);
            while (part > 0 && ((unsigned char)piece.p[part] & 0xC0) == 0x80) {
                part--;
            }
            return (size_t)(piece.p - text.p) + part;
        }
        tokens -= n;
    }
    return text.n;
}
