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
#define WORD_LEAST 4 /* letters of a word that says which tool is meant */
#define ITEMS_MAX 8
#define ARGUMENTS_DEPTH 8

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
static struct str as_it_stands(struct str s)
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
    struct str text = at != SIZE_MAX ? as_it_stands(str_skip(s, at)) : STR("");
    return text.n > 0 && buf_add(out, text);
}

static bool is_word(char c)
{
    return c > ' ' && c != '.' && c != ',' && c != '?' && c != TEXT_END;
}

static struct str word_at(struct str s)
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
        *name = word_at(str_skip(*s, 4));
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
            return word_at(str_skip(all, 4));
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
        !str_to_u64(word_at(str_skip(s, 3)), &high) || high - low > WORDS_MAX) {
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
        number = word_at(s);
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

/* The JSON object that stands in the question, byte for byte; else {NULL,0}. */
static struct str given_arguments(struct str s)
{
    size_t from = str_find_byte(s, '{'), to = s.n;
    struct err why;

    while (from < s.n && to > from && s.p[to - 1] != '}') {
        to--;
    }
    if (from >= to) {
        return (struct str){NULL, 0};
    }
    struct str text = str_slice(s.p + from, to - from);
    struct json_doc *doc = json_parse(text, &why);
    json_free(doc);
    return doc != NULL ? text : (struct str){NULL, 0};
}

/* What a required string is: what stands behind "exactly", the word after "in", or ours. */
static struct str named_place(struct str s)
{
    struct str text = as_it_stands(s);
    size_t at = str_find(s, STR(" in "));

    return text.n > 0 ? text : at != SIZE_MAX ? word_at(str_skip(s, at + 4)) : STR("sample");
}

static const struct json *property(const struct json *schema, struct str name)
{
    struct json_each own = json_each(json_get(schema, "properties"));

    while (json_next(&own)) {
        if (str_eq(own.key, name)) {
            return own.value;
        }
    }
    return NULL;
}

/* A value that keeps the schema: of an object what is required, of a list as few as may be. */
static void make_value(struct json_out *o, const struct json *schema, struct str s, unsigned depth)
{
    struct str type = json_str(json_get(schema, "type"));
    const struct json *choice = json_get(schema, "enum.0"), *least = json_get(schema, "minimum");
    uint64_t items = 0;

    if (choice != NULL) {
        json_put_value(o, choice);
    } else if (str_eq_nocase(type, STR("object")) && depth > 0) {
        struct json_each it = json_each(json_get(schema, "required"));
        json_open(o, '{');
        while (json_next(&it)) {
            json_put_key(o, json_str(it.value));
            make_value(o, property(schema, json_str(it.value)), s, depth - 1);
        }
        json_close(o, '}');
    } else if (str_eq_nocase(type, STR("array")) && depth > 0) {
        (void)json_u64(json_get(schema, "minItems"), &items);
        json_open(o, '[');
        for (uint64_t i = 0; i < items && i < ITEMS_MAX; i++) {
            make_value(o, json_get(schema, "items"), s, depth - 1);
        }
        json_close(o, ']');
    } else if (str_eq_nocase(type, STR("string"))) {
        json_put_str(o, named_place(s));
    } else if (str_eq_nocase(type, STR("boolean"))) {
        json_put_bool(o, true);
    } else {
        json_put_raw(o, json_number(least).n > 0 ? json_number(least) : STR("1"));
    }
}

static void make_arguments(const struct json *schema, struct str s, struct buf *out)
{
    struct json_out o = {out, false};
    struct json_each it = json_each(json_get(schema, "required"));

    json_open(&o, '{');
    while (json_next(&it)) {
        json_put_key(&o, json_str(it.value));
        make_value(&o, property(schema, json_str(it.value)), s, ARGUMENTS_DEPTH);
    }
    json_close(&o, '}');
}

static bool has_word(struct str s, struct str word)
{
    for (size_t i = 0; i + word.n <= s.n; i++) {
        if (str_eq_nocase(str_slice(s.p + i, word.n), word)) {
            return true;
        }
    }
    return false;
}

/* The tool that the text names, or of whose name it has a word; NULL: it means none. */
static const struct asked_tool *tool_meant(const struct asked *a, struct str s)
{
    for (size_t i = 0; i < a->tool_count; i++) {
        if (str_find(s, a->tools[i].name) != SIZE_MAX) {
            return &a->tools[i];
        }
    }
    for (size_t i = 0; i < a->tool_count; i++) {
        struct str rest = a->tools[i].name;
        while (rest.n > 0) {
            struct str word = str_cut(&rest, '_');
            if (word.n >= WORD_LEAST && has_word(s, word)) {
                return &a->tools[i];
            }
        }
    }
    return NULL;
}

static bool call_tool(struct exchange *x)
{
    const struct asked *a = &x->asked;
    struct answer *r = &x->answer;
    struct str s = question(x), given = given_arguments(s);
    const struct asked_tool *tool = tool_meant(a, s);

    if (tool == NULL && (a->forced || given.n > 0 || str_find(s, STR("tool")) != SIZE_MAX)) {
        tool = &a->tools[0];
    }
    if (a->tool_count == 0 || a->forbidden || a->result || tool == NULL) {
        return false;
    }
    r->calls = true;
    r->tool = tool->name;
    r->finish = FINISH_TOOL;
    if (given.n > 0) {
        buf_add(&r->arguments, given);
    } else {
        make_arguments(tool->schema, s, &r->arguments);
    }
    return true;
}

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
    if (!call_tool(x)) {
        for (size_t i = 0; !habits[i](x, &r->text); i++) {
        }
    }
    cut_answer(x);
}
