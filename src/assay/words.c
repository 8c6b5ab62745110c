/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/words.h"

#define PLACES 8
#define DEPTH 3      /* words in the places of words */
#define SENTENCES 32 /* places where a text may be cut in two */

static const struct words {
    struct str english;
    const char *chinese;
} table[] = {
#define WORDS(english, chinese) {STR_INIT(english), chinese},
#include "assay/words.def"
};
#define COUNT (sizeof(table) / sizeof(table[0]))

bool words_lang(struct str name, enum lang *out)
{
    *out = str_eq(name, STR("zh")) ? LANG_ZH : LANG_EN;
    return *out == LANG_ZH || str_eq(name, STR("en"));
}

const char *words_tag(enum lang lang)
{
    return lang == LANG_ZH ? "zh-CN" : "en";
}

static bool is_digit(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

/* Bytes of the number that s begins with. */
static size_t number(struct str s)
{
    size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0;

    while (is_digit(s, i) || (i > 0 && i < s.n && s.p[i] == '.' && is_digit(s, i + 1))) {
        i++;
    }
    return is_digit(s, 0) || is_digit(s, 1) ? i : 0;
}

/* What stands before the next place. */
static struct str literal(struct str pattern)
{
    size_t n = 0;

    while (n < pattern.n && pattern.p[n] != '#' && pattern.p[n] != '@') {
        n++;
    }
    return str_slice(pattern.p, n);
}

/* Bytes of s in a place of any text: up to the first of what follows it, or, where nothing but that
 * follows, up to the end. */
static size_t anything(struct str s, struct str rest)
{
    struct str next = literal(rest);

    if (next.n == rest.n) {
        return str_ends(s, next) ? s.n - next.n : SIZE_MAX;
    }
    return str_find(s, next);
}

static bool matches(struct str pattern, struct str s, struct str got[PLACES])
{
    memset(got, 0, PLACES * sizeof(got[0]));
    for (size_t places = 0;;) {
        struct str own = literal(pattern);
        if (!str_starts(s, own)) {
            return false;
        }
        s = str_skip(s, own.n);
        pattern = str_skip(pattern, own.n);
        if (pattern.n == 0 || places == PLACES) {
            return s.n == 0 && pattern.n == 0;
        }
        bool digits = pattern.p[0] == '#';
        pattern = str_skip(pattern, 1);
        size_t n = digits ? number(s) : anything(s, pattern);
        if (n > s.n || (digits && n == 0)) {
            return false;
        }
        got[places++] = str_slice(s.p, n);
        s = str_skip(s, n);
    }
}

static bool translate(struct buf *out, struct str s, unsigned depth);

static void fill(struct buf *out, const char *text, const struct str got[PLACES], unsigned depth)
{
    for (; *text != '\0'; text++) {
        if (text[0] == '@' && text[1] >= '1' && text[1] <= '0' + PLACES) {
            struct str place = got[*++text - '1'];
            if (depth == 0 || !translate(out, place, depth - 1)) {
                buf_add(out, place);
            }
        } else {
            buf_add_byte(out, *text);
        }
    }
}

/* By the longest row that fits: a place of any text in a shorter one might hold the rest. */
static bool translate(struct buf *out, struct str s, unsigned depth)
{
    struct str best[PLACES], got[PLACES];
    const struct words *row = NULL;

    for (size_t i = 0; i < COUNT; i++) {
        if ((row == NULL || table[i].english.n > row->english.n) &&
            matches(table[i].english, s, got)) {
            row = &table[i];
            memcpy(best, got, sizeof(best));
        }
    }
    if (row != NULL) {
        fill(out, row->chinese, best, depth);
    }
    return row != NULL;
}

/* A text is a row of the table behind another text, or one row alone. What was quoted of a stranger
 * stands in the first part, and has no say in where it ends. False: it is in no table. */
static bool say(struct buf *out, struct str s, unsigned cuts)
{
    struct buf tail;
    bool known = false;

    buf_init(&tail, out->max);
    for (size_t i = s.n; i > 1 && cuts > 0 && !known; i--) {
        if (s.p[i - 1] == ' ' && s.p[i - 2] == '.') {
            cuts--;
            known = translate(&tail, str_skip(s, i), DEPTH);
            if (known && !say(out, str_slice(s.p, i - 1), cuts)) {
                buf_add_byte(out, ' ');
            }
        }
    }
    if (known) {
        buf_add(out, buf_str(&tail));
    } else {
        known = translate(out, s, DEPTH);
        buf_add(out, known ? STR("") : s);
    }
    buf_release(&tail);
    return known;
}

void words_say(struct buf *out, enum lang lang, struct str english)
{
    if (lang == LANG_EN) {
        buf_add(out, english);
    } else {
        say(out, english, SENTENCES);
    }
}
