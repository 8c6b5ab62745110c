/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model of the zoo answers: the question decides, by the rows of `habits`; the first that
 * knows an answer gives it. Then the request's stops and its limit cut it.
 */
#include "sim/zoo.h"

#define QUESTION_BYTES 2000
#define ANSWER_MAX 32768 /* bytes: as events of a token each it has to fit into a body */
#define WORDS_MAX 4000
#define THOUGHT_ASKED 90 /* words, of who thinks when asked */
#define THOUGHT_ALWAYS 24

/* The end of the last text, where a question stands. */
static struct str question(const struct exchange *x)
{
    struct str s = asked_last(&x->asked);

    while (s.n > 0 && s.p[s.n - 1] == TEXT_END) {
        s.n--;
    }
    return s.n > QUESTION_BYTES ? str_skip(s, s.n - QUESTION_BYTES) : s;
}

static bool habit_pong(struct exchange *x, struct buf *out)
{
    static const char *const makers[] = {"OpenAI", "Anthropic", "Google", "DeepSeek", "open"};

    if (str_find(buf_str(&x->asked.text), STR("'pong'")) == SIZE_MAX) {
        return false;
    }
    return buf_addf(out, "pong。我是 %s 系列模型 %s。", makers[x->served->make], x->served->name);
}

static bool habit_picture(struct exchange *x, struct buf *out)
{
    const struct asked *a = &x->asked;

    if (a->pictures == 0) {
        return false;
    }
    return (x->served->picture > 0 && picture_look(a->picture, out)) ||
           buf_add(out, STR("I see no picture here, only text."));
}

/* What is to be said or given as it stands: all that follows "exactly ... :". */
struct str mind_as_it_stands(struct str s)
{
    size_t at = str_find(s, STR("exactly"));

    if (at == SIZE_MAX) {
        return STR("");
    }
    s = str_skip(s, at);
    at = str_find_byte(s, ':');
    return at < s.n ? str_trim(str_skip(s, at + 1)) : STR("");
}

static bool habit_echo(struct exchange *x, struct buf *out)
{
    struct str s = asked_last(&x->asked);
    size_t at = str_find(s, STR("Repeat "));

    while (s.n > 0 && s.p[s.n - 1] == TEXT_END) {
        s.n--;
    }
    struct str text = at != SIZE_MAX ? mind_as_it_stands(str_skip(s, at)) : STR("");
    return text.n > 0 && buf_add(out, text);
}

static bool is_word(char c)
{
    return c > ' ' && c != '.' && c != ',' && c != '?' && c != TEXT_END;
}

struct str mind_word_at(struct str s)
{
    size_t n = 0;

    while (n < s.n && is_word(s.p[n])) {
        n++;
    }
    return str_slice(s.p, n);
}

/* The next "code of NAME" or "NAME code" in s: the name, and in *s what follows it. */
static bool next_code(struct str *s, struct str *name)
{
    struct str whole = *s;
    size_t at = str_find(whole, STR("code"));

    if (at == SIZE_MAX) {
        return false;
    }
    *s = str_skip(whole, at + 4);
    if (str_starts(*s, STR(" of "))) {
        *name = mind_word_at(str_skip(*s, 4));
        *s = str_skip(*s, 4 + name->n);
        return true;
    }
    size_t end = at > 0 ? at - 1 : 0, from = end;
    while (from > 0 && is_word(whole.p[from - 1])) {
        from--;
    }
    *name = str_slice(whole.p + from, end - from);
    return true;
}

/* "The code of NAME is VALUE" or "The NAME code is VALUE" anywhere: VALUE; else "unknown". */
static struct str needle(struct str all, struct str name)
{
    struct str own;

    while (next_code(&all, &own)) {
        if (str_eq(own, name) && str_starts(all, STR(" is "))) {
            return mind_word_at(str_skip(all, 4));
        }
    }
    return STR("unknown");
}

static bool habit_needles(struct exchange *x, struct buf *out)
{
    struct str s = question(x), name;
    bool found = false;

    while (next_code(&s, &name)) {
        if (name.n > 0 && !str_starts(s, STR(" is "))) {
            buf_cat(out, found ? STR("\n") : STR(""), needle(buf_str(&x->asked.text), name));
            found = true;
        }
    }
    return found;
}

/* "Count from 1 to 20". */
static bool habit_count(struct exchange *x, struct buf *out)
{
    struct str s = question(x), key = STR("Count from ");
    size_t at = str_find(s, key);
    uint64_t low, high;

    if (at == SIZE_MAX) {
        return false;
    }
    s = str_skip(s, at + key.n);
    if (!str_to_u64(str_cut(&s, ' '), &low) || !str_starts(s, STR("to ")) ||
        !str_to_u64(mind_word_at(str_skip(s, 3)), &high) || high - low > WORDS_MAX) {
        return false;
    }
    for (uint64_t i = 0; low <= high && i <= high - low; i++) {
        buf_addf(out, "%s%llu", i > 0 ? ", " : "", (unsigned long long)(low + i));
    }
    return true;
}

static bool habit_largest(struct exchange *x, struct buf *out)
{
    struct str s = question(x);
    uint64_t best = 0;

    if (str_find(s, STR("largest")) == SIZE_MAX && str_find(s, STR("maximum")) == SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < s.n;) {
        uint64_t n = 0;
        size_t from = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') {
            i++;
        }
        if (i > from && str_to_u64(str_slice(s.p + from, i - from), &n) && n > best) {
            best = n;
        }
        i += i == from;
    }
    return buf_add_u64(out, best);
}

/* "Begin with the number above": the first of eight digits, or that of an answer that was kept. */
static void begin_with_number(struct exchange *x, struct buf *out)
{
    struct str s = asked_last(&x->asked), number = STR("");
    bool asked = str_find(s, STR("Begin with the number")) != SIZE_MAX;
    uint64_t n;

    while (asked && s.n > 0 && !(number.n == 8 && str_to_u64(number, &n))) {
        number = mind_word_at(s);
        s = str_skip(s, number.n + (number.n < s.n));
    }
    if (!asked || s.n == 0) {
        return;
    }
    if (x->canned) {
        number = zoo_kept(x->zoo, cheat_same(x), number);
    }
    buf_cat(out, number, STR(" "));
}

/* "300 words". */
static bool habit_words(struct exchange *x, struct buf *out)
{
    struct str s = question(x);
    size_t at = str_find(s, STR(" words")), from = at;
    uint64_t n;

    while (at != SIZE_MAX && from > 0 && s.p[from - 1] >= '0' && s.p[from - 1] <= '9') {
        from--;
    }
    if (at == SIZE_MAX || !str_to_u64(str_slice(s.p + from, at - from), &n)) {
        return false;
    }
    begin_with_number(x, out);
    draw_prose(x, n < WORDS_MAX ? (unsigned)n : WORDS_MAX, out);
    return true;
}

static bool habit_cell(struct exchange *x, struct buf *out)
{
    return draw_cell(x, question(x), out);
}

static bool habit_prose(struct exchange *x, struct buf *out)
{
    unsigned words = 20 + (unsigned)(draw_share(x) * 20);

    if ((x->o->given & SIM_GIVEN_TOKENS) != 0) {
        words = x->o->tokens < WORDS_MAX ? x->o->tokens : WORDS_MAX;
    }
    draw_prose(x, words, out);
    return true;
}

static bool (*const habits[])(struct exchange *x, struct buf *out) = {
    habit_picture, habit_pong,  habit_echo, habit_needles, habit_count,
    habit_largest, habit_words, habit_cell, habit_prose,
};

static void cut_answer(struct exchange *x)
{
    const struct asked *a = &x->asked;
    struct answer *r = &x->answer;

    for (size_t i = 0; i < a->stop_count; i++) {
        size_t at = str_find(buf_str(&r->text), a->stops[i]);
        if (at != SIZE_MAX) {
            r->text.n = at;
            r->finish = FINISH_SEQUENCE;
            r->sequence = a->stops[i];
        }
    }
    if (a->max_tokens > 0 && !r->calls) {
        size_t n = tokens_bytes(buf_str(&r->text), (enum family)x->served->family, a->max_tokens);
        if (n < r->text.n) {
            r->text.n = n;
            r->finish = FINISH_LENGTH;
        }
    }
}

static bool thinks(const struct exchange *x)
{
    const struct asked *a = &x->asked;

    /* With a limit this small nothing would be left for the answer. */
    bool room = a->max_tokens == 0 || a->max_tokens >= 64;
    return (x->served->think == THINK_ASKED && a->think) ||
           (x->served->think == THINK_HIDDEN && !a->no_think && room);
}

void mind_answer(struct exchange *x)
{
    struct answer *r = &x->answer;

    buf_init(&r->thinking, ANSWER_MAX);
    buf_init(&r->text, ANSWER_MAX);
    buf_init(&r->arguments, ANSWER_MAX);
    if (thinks(x)) {
        r->thought = !x->strip;
        draw_prose(x, x->served->think == THINK_ASKED ? THOUGHT_ASKED : THOUGHT_ALWAYS,
                   &r->thinking);
    }
    if (!mind_call(x, question(x))) {
        for (size_t i = 0; !habits[i](x, &r->text); i++) {
        }
    }
    cut_answer(x);
}
