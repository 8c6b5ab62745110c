/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a request is larger than its body: it refers to content that lies elsewhere, or has
 * images, whose tokens are not counted by their bytes. By the keys and words of its dialect alone;
 * nothing is built. Keys count however they are written: an escape hides nothing.
 */
#include "dialect/dialect.h"
#include "json/plain.h"

enum form {
    FORM_TOP,    /* a member of the request itself, anything but null */
    FORM_STRING, /* a string, anywhere */
    FORM_OBJECT,
    FORM_WORD,  /* this string */
    FORM_BEGIN, /* a string that begins so */
    FORM_NULL,
    FORM_ALONE, /* a string that is its object's only member */
};

enum what { WHAT_ELSEWHERE, WHAT_IMAGE, WHAT_DOCUMENT, WHAT_REMOTE, WHAT_COUNT };

struct sign {
    unsigned dialects;
    const char *key;
    enum form form;
    const char *word;
    enum what what;
};

#define CHAT DIALECT_BIT(DIALECT_CHAT)
#define RESPONSES DIALECT_BIT(DIALECT_RESPONSES)
#define MESSAGES DIALECT_BIT(DIALECT_MESSAGES)
#define GEMINI DIALECT_BIT(DIALECT_GEMINI)

static const struct sign signs[] = {
    {RESPONSES, "previous_response_id", FORM_TOP, NULL, WHAT_ELSEWHERE},
    {RESPONSES, "conversation", FORM_TOP, NULL, WHAT_ELSEWHERE},
    {RESPONSES, "prompt", FORM_TOP, NULL, WHAT_ELSEWHERE},
    {RESPONSES, "file_url", FORM_STRING, NULL, WHAT_ELSEWHERE},
    {RESPONSES, "type", FORM_WORD, "item_reference", WHAT_ELSEWHERE},
    {RESPONSES, "type", FORM_NULL, NULL, WHAT_ELSEWHERE}, /* also an item_reference */
    {RESPONSES, "id", FORM_ALONE, NULL, WHAT_ELSEWHERE},  /* and so is this */
    {RESPONSES, "type", FORM_WORD, "input_image", WHAT_IMAGE},
    {CHAT | RESPONSES, "file_id", FORM_STRING, NULL, WHAT_ELSEWHERE},
    {CHAT, "id", FORM_BEGIN, "audio_", WHAT_ELSEWHERE}, /* what the model has said before */
    {CHAT, "type", FORM_WORD, "video_url", WHAT_ELSEWHERE},
    {CHAT, "type", FORM_WORD, "file_url", WHAT_ELSEWHERE},
    {CHAT, "type", FORM_WORD, "image_url", WHAT_IMAGE},
    {MESSAGES, "type", FORM_WORD, "file", WHAT_ELSEWHERE},
    {MESSAGES, "type", FORM_WORD, "image", WHAT_IMAGE},
    {MESSAGES, "type", FORM_WORD, "document", WHAT_DOCUMENT},
    {MESSAGES, "type", FORM_WORD, "url", WHAT_REMOTE}, /* of an image or of a document */
    {GEMINI, "cachedContent", FORM_TOP, NULL, WHAT_ELSEWHERE},
    {GEMINI, "cached_content", FORM_TOP, NULL, WHAT_ELSEWHERE},
    {GEMINI, "fileUri", FORM_STRING, NULL, WHAT_ELSEWHERE},
    {GEMINI, "file_uri", FORM_STRING, NULL, WHAT_ELSEWHERE},
    {GEMINI, "inlineData", FORM_OBJECT, NULL, WHAT_IMAGE},
    {GEMINI, "inline_data", FORM_OBJECT, NULL, WHAT_IMAGE},
};

struct walk {
    const char *p, *end;
    unsigned depth;
    char before; /* the last of {}[], */
};

static void skip_blanks(struct walk *w)
{
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r')) {
        w->p++;
    }
}

static bool at(struct walk *w, char c)
{
    skip_blanks(w);
    return w->p < w->end && *w->p == c;
}

/* From its quote to behind the other one; what is between them. */
static struct str take_string(struct walk *w)
{
    const char *from = ++w->p;

    while (w->p < w->end) {
        w->p += json_plain_run(w->p, (size_t)(w->end - w->p));
        if (w->p < w->end && *w->p == '"') {
            w->p++;
            return str_slice(from, (size_t)(w->p - 1 - from));
        }
        w->p += w->p < w->end && *w->p == '\\' ? 2 : 1;
    }
    w->p = w->end;
    return str_slice(from, (size_t)(w->end - from));
}

static int hex_digit(char c)
{
    int lower = c | 32;
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

/* The next character, with its escape undone; -1 where it is none of a name. */
static int next_char(struct str *s)
{
    int c = (unsigned char)s->p[0];
    size_t n = 1;

    if (c == '\\' && s->n >= 6 && s->p[1] == 'u') {
        c = 0;
        for (n = 2; n < 6; n++) {
            c = c * 16 + hex_digit(s->p[n]);
        }
    } else if (c == '\\') {
        n = s->n < 2 ? 1 : 2;
        c = -1;
    }
    *s = str_skip(*s, n);
    return c;
}

static bool says(struct str raw, const char *word, bool whole)
{
    while (*word != '\0' && raw.n > 0 && next_char(&raw) == (unsigned char)*word) {
        word++;
    }
    return *word == '\0' && (!whole || raw.n == 0);
}

/* The walk stands at the value. */
static bool has_form(const struct sign *s, struct walk w, bool first)
{
    bool string = at(&w, '"');
    bool null = at(&w, 'n');

    switch (s->form) {
    case FORM_TOP: return w.depth == 1 && !null;
    case FORM_STRING: return string;
    case FORM_OBJECT: return at(&w, '{');
    case FORM_WORD: return string && says(take_string(&w), s->word, true);
    case FORM_BEGIN: return string && says(take_string(&w), s->word, false);
    case FORM_NULL: return null;
    case FORM_ALONE: return first && string && (take_string(&w), at(&w, '}'));
    }
    return false;
}

static void judge(enum dialect d, struct str key, struct walk *w, unsigned counts[WHAT_COUNT])
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        const struct sign *s = &signs[i];
        if ((s->dialects & DIALECT_BIT(d)) != 0 && says(key, s->key, true) &&
            has_form(s, *w, w->before == '{')) {
            counts[s->what]++;
        }
    }
}

void ask_refers(enum dialect d, struct str body, struct ask *out)
{
    struct walk w = {.p = body.p, .end = body.p + body.n};
    unsigned counts[WHAT_COUNT] = {0};

    while (w.p < w.end) {
        if (*w.p == '"') {
            struct str s = take_string(&w);
            if (at(&w, ':')) {
                w.p++;
                judge(d, s, &w, counts);
                w.before = ':';
            }
            continue;
        }
        w.depth += *w.p == '{' || *w.p == '[';
        w.depth -= *w.p == '}' || *w.p == ']';
        if (strchr("{}[],", *w.p) != NULL) {
            w.before = *w.p;
        }
        w.p++;
    }
    out->images = counts[WHAT_IMAGE];
    out->elsewhere =
        counts[WHAT_ELSEWHERE] > 0 || (counts[WHAT_DOCUMENT] > 0 && counts[WHAT_REMOTE] > 0);
}
