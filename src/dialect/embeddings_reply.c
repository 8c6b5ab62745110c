/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: OpenAI OpenAPI 2.3.0, CreateEmbeddingResponse; Google discovery document v1beta,
 * EmbedContentResponse and BatchEmbedContentsResponse. Numbers pass as they were written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "dialect/neutral.h"

#define NUMBER_MAX 64 /* digits of one; 32-bit floats need 16 */

_Static_assert(sizeof(float) == 4, "vectors in base64 are of 32-bit floats");

/* ---- a vector in two forms ---- */

static bool add_float(struct buf *bytes, const struct json *number)
{
    struct str text = json_number(number);
    char copy[NUMBER_MAX];
    uint32_t bits;

    if (text.n == 0 || text.n >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    float value = strtof(copy, NULL);
    memcpy(&bits, &value, sizeof(bits));
    for (unsigned shift = 0; shift < 32; shift += 8) { /* the least byte first */
        buf_add_byte(bytes, (char)(bits >> shift & 0xff));
    }
    return true;
}

static bool put_base64(struct json_out *o, const struct json *vector)
{
    struct json_each it = json_each(vector);
    struct buf bytes, coded;
    bool ok = json_is_array(vector);

    buf_init(&bytes, LIMIT_BODY_BYTES);
    buf_init(&coded, LIMIT_BODY_BYTES);
    while (ok && json_next(&it)) {
        ok = add_float(&bytes, it.value);
    }
    ok = ok && base64_write(&coded, BASE64_STANDARD, buf_str(&bytes));
    json_put_str(o, buf_str(&coded));
    buf_release(&bytes);
    buf_release(&coded);
    return ok;
}

/* Some vendors send base64 unasked. */
static bool put_floats(struct json_out *o, struct str coded)
{
    struct buf bytes;

    buf_init(&bytes, coded.n + 1);
    bool ok = base64_read(&bytes, BASE64_STANDARD, coded) && bytes.n % 4 == 0;
    json_open(o, '[');
    for (size_t i = 0; ok && i < bytes.n; i += 4) {
        uint32_t bits = 0;
        char text[NUMBER_MAX];
        float value;
        for (unsigned k = 0; k < 4; k++) {
            bits |= (uint32_t)(unsigned char)bytes.p[i + k] << (8 * k);
        }
        memcpy(&value, &bits, sizeof(value));
        ok = isfinite(value) != 0;
        (void)snprintf(text, sizeof(text), "%.9g", (double)value);
        json_put_raw(o, str_from(text));
    }
    json_close(o, ']');
    buf_release(&bytes);
    return ok;
}

static void put_vector(struct conversion *c, struct json_out *o, const struct json *vector)
{
    bool coded = vector != NULL && json_is_string(vector);
    bool ok = coded || json_is_array(vector);

    if (ok && coded == c->embedding->base64) {
        json_put_value(o, vector);
    } else if (ok) {
        ok = coded ? put_floats(o, json_str(vector)) : put_base64(o, vector);
    }
    c->unreadable = c->unreadable || !ok;
}

/* ---- toward chat's kind ---- */

static void write_list(struct conversion *c, struct json_out *o, const struct json *root,
                       const struct usage *u)
{
    const struct json *one = json_get(root, "embedding.values");
    struct json_each it = json_each(json_get(root, "embeddings"));
    size_t count = one != NULL ? 1 : json_count(json_get(root, "embeddings"));

    json_open(o, '{');
    json_key(o, "object");
    json_put_str(o, STR("list"));
    json_key(o, "data");
    json_open(o, '[');
    for (size_t i = 0; i < count; i++) {
        const struct json *vector = one;
        if (vector == NULL && json_next(&it)) {
            vector = json_get(it.value, "values");
        }
        json_open(o, '{');
        json_key(o, "object");
        json_put_str(o, STR("embedding"));
        json_key(o, "index");
        json_put_u64(o, i);
        json_key(o, "embedding");
        put_vector(c, o, vector);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_key(o, "model");
    json_put_str(o, c->ask.model);
    json_key(o, "usage");
    json_open(o, '{');
    json_key(o, "prompt_tokens");
    json_put_u64(o, usage_sums(u).in);
    json_key(o, "total_tokens");
    json_put_u64(o, usage_sums(u).in);
    json_close(o, '}');
    json_close(o, '}');
    c->unreadable = c->unreadable || count != c->embedding->count;
}

/* ---- toward Gemini's ---- */

/* Vectors by their own index, wherever they stand. */
static const struct json **by_index(struct conversion *c, const struct json *data)
{
    const struct json **vectors =
        conversion_alloc(c, (c->embedding->count + 1) * sizeof(const struct json *));
    struct json_each it = json_each(data);

    while (json_next(&it)) {
        uint64_t index = it.index;
        (void)json_u64(json_get(it.value, "index"), &index);
        if (index < c->embedding->count) {
            vectors[index] = json_get(it.value, "embedding");
        }
    }
    return vectors;
}

static void put_values(struct conversion *c, struct json_out *o, const struct json *vector)
{
    json_open(o, '{');
    json_key(o, "values");
    put_vector(c, o, vector);
    json_close(o, '}');
}

static void write_embeddings(struct conversion *c, struct json_out *o, const struct json *root,
                             const struct usage *u)
{
    const struct json **vectors = by_index(c, json_get(root, "data"));

    json_open(o, '{');
    if (c->embedding->single) {
        json_key(o, "embedding");
        put_values(c, o, vectors[0]);
    } else {
        json_key(o, "embeddings");
        json_open(o, '[');
        for (size_t i = 0; i < c->embedding->count; i++) {
            put_values(c, o, vectors[i]);
        }
        json_close(o, ']');
    }
    json_key(o, "usageMetadata");
    json_open(o, '{');
    json_key(o, "promptTokenCount");
    json_put_u64(o, usage_sums(u).in);
    json_close(o, '}');
    json_close(o, '}');
}

void embeddings_convert_reply(struct conversion *c, const struct json *root, const struct usage *u)
{
    struct json_out o = {c->out, false};

    if (c->from == DIALECT_CHAT) {
        write_list(c, &o, root, u);
    } else {
        write_embeddings(c, &o, root, u);
    }
}
