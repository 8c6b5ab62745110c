/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/slices.h"

#include "http/http.h"

#define TEXT_MAX (1 << 20)
#define EVEN_LEAST 20

/* Where the text of an event stands. */
static const char *const places[] = {
    [DIALECT_CHAT] = "choices.0.delta.content",
    [DIALECT_RESPONSES] = "delta",
    [DIALECT_MESSAGES] = "delta.text",
    [DIALECT_GEMINI] = "candidates.0.content.parts.0.text",
};

struct str slice_text(enum dialect d, const struct json *root)
{
    bool thought = false;

    if (d == DIALECT_RESPONSES &&
        !str_eq(json_str(json_get(root, "type")), STR("response.output_text.delta"))) {
        return STR("");
    }
    json_bool(json_get(root, "candidates.0.content.parts.0.thought"), &thought);
    return thought ? STR("") : json_str(json_get(root, places[d]));
}

struct reading {
    struct slices *s;
    enum dialect dialect;
};

static bool take(void *ctx, const struct sse_event *event)
{
    struct reading *r = ctx;
    struct slices *s = r->s;
    struct json_doc *doc = event->data.p != NULL ? json_parse(event->data, NULL) : NULL;

    if (doc == NULL) {
        return true;
    }
    struct str text = slice_text(r->dialect, json_root(doc));
    bool room = s->n < SLICES_MAX && buf_add(&s->text, text);
    if (room && text.n > 0) {
        s->end[s->n++] = s->text.n;
    }
    json_free(doc);
    return room;
}

/* As it arrived, step by step. False where the body is not the one whose arrivals were noted. */
static bool feed(struct sse *sse, const struct record *r, struct reading *to)
{
    struct json_each it = json_each(r->arrivals);
    uint64_t at = 0, us, bytes;

    while (json_next(&it)) {
        if (!json_u64(json_get(it.value, "0"), &us) || !json_u64(json_get(it.value, "1"), &bytes) ||
            bytes < at || bytes > r->body.n) {
            return false;
        }
        size_t before = to->s->n;
        if (!sse_feed(sse, str_slice(r->body.p + at, bytes - at), take, to)) {
            return false;
        }
        at = bytes;
        if (to->s->n > before) {
            to->s->first_us = before == 0 ? us : to->s->first_us;
            to->s->last_us = us;
        }
    }
    return at == r->body.n;
}

bool slices_read(struct slices *s, const struct record *r)
{
    struct sse sse;

    *s = (struct slices){0};
    buf_init(&s->text, TEXT_MAX);
    sse_init(&sse);
    bool read = feed(&sse, r, &(struct reading){s, r->dialect});
    sse_release(&sse);
    return read && s->n > 0 && s->n < SLICES_MAX;
}

void slices_release(struct slices *s)
{
    buf_release(&s->text);
}

static struct str slice(const struct slices *s, size_t i)
{
    size_t from = i > 0 ? s->end[i - 1] : 0;

    return str_slice(s->text.p + from, s->end[i] - from);
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static size_t characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        n += !continues(s.p[i]);
    }
    return n;
}

static bool one_length_in_characters(const struct slices *s)
{
    size_t n = characters(slice(s, 0));

    for (size_t i = 1; i + 1 < s->n; i++) {
        if (characters(slice(s, i)) != n) {
            return false;
        }
    }
    return characters(slice(s, s->n - 1)) <= n;
}

/* Of so many bytes, and to the end of the character that they cut. */
static bool one_length_in_bytes(const struct slices *s)
{
    size_t least = 0, most = SIZE_MAX; /* what it may be */

    for (size_t i = 0; i + 1 < s->n; i++) {
        struct str one = slice(s, i);
        size_t last = one.n - 1;
        while (last > 0 && continues(one.p[last])) {
            last--;
        }
        least = last + 1 > least ? last + 1 : least;
        most = one.n < most ? one.n : most;
    }
    return least <= most && slice(s, s->n - 1).n <= most;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* A third of the cuts, or more. */
static bool cut_through_words(const struct slices *s)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < s->n; i++) {
        n += is_letter(s->text.p[s->end[i] - 1]) && is_letter(s->text.p[s->end[i]]);
    }
    return 3 * n >= s->n - 1;
}

/* Half of them or more stand nowhere before. */
static bool are_many(const struct slices *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        bool before = false;
        for (size_t j = 0; j < i && !before; j++) {
            before = str_eq(slice(s, j), slice(s, i));
        }
        n += !before;
    }
    return 2 * n >= s->n;
}

bool slices_even(const struct slices *s)
{
    return s->n > EVEN_LEAST && (one_length_in_characters(s) || one_length_in_bytes(s)) &&
           cut_through_words(s) && are_many(s);
}
