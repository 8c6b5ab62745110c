/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much text there is, read so that it is never too much: for bounds that are charged when the
 * vendor's own count did not arrive.
 */
#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "dialect/dialect.h"

#define PARTS_MAX 4096 /* of one list; more are not counted */

/* The state of counting: words that follow a blank, and bytes outside ASCII. */
struct words {
    uint64_t words, wide_bytes;
    bool blank;
};

/* As many blocks of a string as hold neither its end nor an escape; how many bytes they are. */
static size_t count_blocks(struct words *w, const char *p, size_t n)
{
    size_t i = 0;
#ifdef __SSE2__
    for (; n - i >= 16; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i end = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                   _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        if (_mm_movemask_epi8(end) != 0) {
            break;
        }
        unsigned blanks = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')));
        unsigned starts = ~blanks & (blanks << 1 | w->blank) & 0xffff;
        w->words += (unsigned)__builtin_popcount(starts);
        w->wide_bytes += (unsigned)__builtin_popcount((unsigned)_mm_movemask_epi8(v));
        w->blank = blanks >> 15;
    }
#else
    (void)w, (void)p, (void)n;
#endif
    return i;
}

/*
 * Tokens that a request's content has at the very least: a blank between two words inside a string
 * ends a token, and four characters outside ASCII are one or more. A long run without blanks (an
 * image in base64) counts as nothing.
 */
uint64_t text_tokens_floor(struct str json)
{
    struct words w = {0};
    bool quoted = false;

    for (size_t i = 0; i < json.n; i++) {
        i += quoted ? count_blocks(&w, json.p + i, json.n - i) : 0;
        unsigned char c = i < json.n ? (unsigned char)json.p[i] : '"';
        if (!quoted || c == '"') {
            quoted = !quoted && c == '"';
            w.blank = false; /* the first word is not counted: most strings are a single one */
        } else if (c == '\\') {
            i++;
            w.blank = w.blank || (i < json.n && (json.p[i] == 'n' || json.p[i] == 't'));
        } else if (c == ' ') {
            w.blank = true;
        } else {
            w.words += w.blank;
            w.blank = false;
            w.wide_bytes += c >= 0x80;
        }
    }
    return w.words + w.wide_bytes / 12;
}

static uint64_t at(const struct json *v, const char *path)
{
    return json_str(json_get(v, path)).n;
}

static const struct json *item(const struct json *list, size_t i)
{
    char path[24];

    (void)snprintf(path, sizeof(path), "%zu", i);
    return json_get(list, path);
}

static size_t items(const struct json *list)
{
    size_t n = json_is_array(list) ? json_count(list) : 0;
    return n < PARTS_MAX ? n : PARTS_MAX;
}

static bool filled(const struct json *v)
{
    return json_is_object(v) && json_count(v) > 0;
}

static uint64_t chat_text(const struct json *root)
{
    const struct json *choices = json_get(root, "choices");
    uint64_t n = 0;

    for (size_t i = 0; i < items(choices); i++) {
        const struct json *message = json_get(item(choices, i), "message");
        const struct json *calls = json_get(message, "tool_calls");
        n += at(message, "content") + at(message, "refusal") + at(message, "reasoning_content") +
             at(message, "function_call.arguments");
        for (size_t k = 0; k < items(calls); k++) {
            n += at(item(calls, k), "function.name") + at(item(calls, k), "function.arguments");
        }
    }
    return n;
}

static uint64_t parts_text(const struct json *parts)
{
    uint64_t n = 0;

    for (size_t i = 0; i < items(parts); i++) {
        const struct json *part = item(parts, i);
        n += at(part, "text") + at(part, "thinking") + at(part, "refusal") + at(part, "arguments");
        /* Arguments as an object have no bytes of their own here: the call counts as one. */
        n += filled(json_get(part, "input")) || filled(json_get(part, "functionCall"));
    }
    return n;
}

static uint64_t responses_text(const struct json *root)
{
    const struct json *output = json_get(root, "output");
    uint64_t n = parts_text(output);

    for (size_t i = 0; i < items(output); i++) {
        n += parts_text(json_get(item(output, i), "content")) + at(item(output, i), "input");
    }
    return n;
}

static uint64_t gemini_text(const struct json *root)
{
    const struct json *candidates = json_get(root, "candidates");
    uint64_t n = 0;

    for (size_t i = 0; i < items(candidates); i++) {
        n += parts_text(json_get(item(candidates, i), "content.parts"));
    }
    return n;
}

uint64_t reply_text_bytes(enum dialect d, const struct json *root)
{
    switch (d) {
    case DIALECT_CHAT: return chat_text(root);
    case DIALECT_RESPONSES: return responses_text(root);
    case DIALECT_MESSAGES: return parts_text(json_get(root, "content"));
    case DIALECT_GEMINI: return gemini_text(root);
    case DIALECT_EMBEDDINGS:
    case DIALECT_OWN: break;
    }
    return 0;
}
