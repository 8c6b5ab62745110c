/* SPDX-License-Identifier: Apache-2.0 */
#include "dialect/glance.h"

#include "json/plain.h"

enum role {
    ROLE_NONE,
    ROLE_DELTA,  /* text counts from here on */
    ROLE_STOP,   /* and from here on no more: quotations from web pages are not generated */
    ROLE_TEXT,   /* generated text */
    ROLE_FIRST,  /* reasoning; hosts that send it under two names send it twice, */
    ROLE_SECOND, /* and then this one is not counted */
    ROLE_ASK,
    ROLE_WORD, /* asks where it is a word: some hosts have an empty one in every event */
};

struct row {
    struct str key;
    enum role role;
};

static const struct row chat[] = {
    {STR_INIT("delta"), ROLE_DELTA},        {STR_INIT("content"), ROLE_TEXT},
    {STR_INIT("arguments"), ROLE_TEXT},     {STR_INIT("refusal"), ROLE_TEXT},
    {STR_INIT("annotations"), ROLE_STOP},   {STR_INIT("reasoning_content"), ROLE_FIRST},
    {STR_INIT("reasoning"), ROLE_SECOND},   {STR_INIT("usage"), ROLE_ASK},
    {STR_INIT("error"), ROLE_ASK},          {STR_INIT("base_resp"), ROLE_ASK},
    {STR_INIT("finish_reason"), ROLE_WORD}, {STR_INIT(""), ROLE_NONE},
};
static const struct row responses[] = {{STR_INIT("delta"), ROLE_TEXT}, {STR_INIT(""), ROLE_NONE}};
static const struct row messages[] = {
    {STR_INIT("delta"), ROLE_DELTA},   {STR_INIT("text"), ROLE_TEXT},
    {STR_INIT("thinking"), ROLE_TEXT}, {STR_INIT("partial_json"), ROLE_TEXT},
    {STR_INIT(""), ROLE_NONE},
};
static const struct row gemini[] = {
    {STR_INIT("text"), ROLE_TEXT},        {STR_INIT("usageMetadata"), ROLE_ASK},
    {STR_INIT("finishReason"), ROLE_ASK}, {STR_INIT("promptFeedback"), ROLE_ASK},
    {STR_INIT("error"), ROLE_ASK},        {STR_INIT(""), ROLE_NONE},
};
static const struct row none[] = {{STR_INIT(""), ROLE_NONE}};

static const struct row *const tables[] = {
    [DIALECT_CHAT] = chat,     [DIALECT_RESPONSES] = responses, [DIALECT_MESSAGES] = messages,
    [DIALECT_GEMINI] = gemini, [DIALECT_EMBEDDINGS] = none,     [DIALECT_OWN] = none,
};

static enum role role_of(const struct row *rows, struct str key)
{
    while (rows->key.n > 0 && !(rows->key.n == key.n && rows->key.p[0] == key.p[0] &&
                                memcmp(rows->key.p, key.p, key.n) == 0)) {
        rows++;
    }
    return rows->role;
}

/* Behind the string whose inside starts at p; how many bytes it has once decoded. */
static const char *skip_string(const char *p, const char *end, uint64_t *bytes)
{
    uint64_t n = 0;

    while (p < end && *p != '"') {
        size_t run = json_plain_run(p, (size_t)(end - p));
        size_t step = run > 0 ? run : 1;
        n += step;
        if (run == 0 && *p == '\\' && end - p > 1) {
            bool unicode = p[1] == 'u';
            step = unicode ? 6 : 2;
            n += unicode ? 1 : 0;
        }
        p = (size_t)(end - p) > step ? p + step : end;
    }
    *bytes = n;
    return p < end ? p + 1 : end;
}

/* What the pass has met so far. */
struct pass {
    struct glance *out;
    bool counting, has_first;
    uint64_t second_bytes, second_texts;
};

static void take_text(struct pass *s, enum role role, uint64_t bytes)
{
    if (!s->counting || bytes == 0) {
        return;
    }
    *(role == ROLE_SECOND ? &s->second_bytes : &s->out->bytes) += bytes;
    *(role == ROLE_SECOND ? &s->second_texts : &s->out->texts) += 1;
}

/* A key with its value at v; bytes: of the value if it is a string. */
static void take(struct pass *s, enum role role, char v, uint64_t bytes)
{
    switch (role) {
    case ROLE_NONE: break;
    case ROLE_DELTA: s->counting = true; break;
    case ROLE_STOP: s->counting = false; break;
    case ROLE_FIRST:
        s->has_first = s->has_first || (s->counting && v != 'n');
        take_text(s, role, v == '"' ? bytes : 0);
        break;
    case ROLE_SECOND:
    case ROLE_TEXT: take_text(s, role, v == '"' ? bytes : 0); break;
    case ROLE_ASK: s->out->ask = s->out->ask || v != 'n'; break;
    case ROLE_WORD: s->out->ask = s->out->ask || (v == '"' && bytes > 0); break;
    }
}

void glance(enum dialect d, struct str data, struct glance *out)
{
    const struct row *rows = tables[d];
    struct pass s = {.out = out, .counting = d == DIALECT_RESPONSES || d == DIALECT_GEMINI};
    const char *end = data.p + data.n;
    const char *p = data.p;

    *out = (struct glance){0};
    while (p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
        uint64_t bytes;
        const char *key = p + 1;
        p = skip_string(key, end, &bytes);
        struct str name = {key, (size_t)(p - key) - (p > key && p[-1] == '"')};
        const char *v = glance_skip_space(p, end);
        if (v == end || *v != ':') {
            continue;
        }
        v = glance_skip_space(v + 1, end);
        if (v == end) {
            break;
        }
        p = *v == '"' ? skip_string(v + 1, end, &bytes) : v;
        take(&s, role_of(rows, name), *v, bytes);
    }
    if (!s.has_first) {
        out->bytes += s.second_bytes;
        out->texts += s.second_texts;
    }
}
