/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be embedded: OpenAI OpenAPI 2.3.0, CreateEmbedding; Google discovery document v1beta,
 * EmbedContentRequest and BatchEmbedContentsRequest. */
#include <stddef.h>

#include "dialect/gemini.h"

#define BATCH_MAX 100 /* the API's own */

#define READ(key, function) {.name = key, .take = TAKE_READ, .read = function}
#define LOSS(key, row) {.name = key, .take = TAKE_LOSS, .field = FIELD_##row}

static void add_input(struct conversion *c, struct str text, const struct place *at)
{
    part_text(c, &c->embedding->inputs, text, at);
    c->embedding->count++;
    if (c->to == DIALECT_GEMINI && c->embedding->count > BATCH_MAX) {
        refuse(c, at, "This model's upstream embeds %d texts at once at most.", BATCH_MAX);
    }
}

/* ---- the chat dialect's kind ---- */

static void read_text(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    (void)into;
    if (!json_is_string(v)) {
        refuse(c, at, "It must be text: tokens are of one vendor's models alone.");
        return;
    }
    add_input(c, json_str(v), at);
}

static void read_input(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    if (json_is_array(v)) {
        read_items(c, v, at, read_text, into);
    } else {
        read_text(c, v, at, into);
    }
}

static void read_dimensions(struct conversion *c, const struct json *v, const struct place *at,
                            void *into)
{
    struct value *dimensions = &c->embedding->dimensions;
    uint64_t n, before;

    (void)into;
    if (!json_u64(v, &n)) {
        refuse(c, at, "It must be a non-negative integer.");
    } else if (json_u64(dimensions->v, &before) && n != before) {
        refuse(c, at, "It must be the same for all of a batch: the upstream has it once.");
    }
    *dimensions = (struct value){v, at};
}

static void read_encoding(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    (void)into;
    c->embedding->base64 = str_eq(json_str(v), STR("base64"));
    if (!c->embedding->base64 && !str_eq(json_str(v), STR("float"))) {
        refuse(c, at, "It must be float or base64.");
    }
}

static const struct key chat_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    READ("input", read_input),
    READ("dimensions", read_dimensions),
    READ("encoding_format", read_encoding),
    LOSS("user", USER),
};

/* ---- Gemini's ---- */

/* One content is one vector: its texts, a line each. */
static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct parts parts = {NULL, NULL};
    struct buf text;

    (void)into;
    gemini_read_parts(c, v, at, &parts);
    buf_init(&text, LIMIT_BODY_BYTES);
    for (const struct part *p = parts.first; p != NULL; p = p->next) {
        if (p->kind != PART_TEXT) {
            refuse(c, p->from, "This model's upstream embeds text alone.");
        }
        buf_cat(&text, p != parts.first ? STR("\n") : STR(""), p->text);
    }
    add_input(c, conversion_take(c, &text), at);
}

static const struct key config_keys[] = {
    READ("outputDimensionality", read_dimensions),
    LOSS("taskType", EMBED_TASK),
    LOSS("title", EMBED_TITLE),
    LOSS("autoTruncate", EMBED_TRUNCATE),
    LOSS("documentOcr", EMBED_TRUNCATE),
    LOSS("audioTrackExtraction", EMBED_TRUNCATE),
};

static void read_config(struct conversion *c, const struct json *v, const struct place *at,
                        void *into)
{
    READ_OBJECT(c, v, at, NULL, config_keys, into);
}

static const struct key content_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    READ("content", read_content),
    READ("outputDimensionality", read_dimensions),
    READ("embedContentConfig", read_config),
    LOSS("taskType", EMBED_TASK),
    LOSS("title", EMBED_TITLE),
};

static void read_one(struct conversion *c, const struct json *v, const struct place *at, void *into)
{
    size_t before = c->embedding->count;

    READ_OBJECT(c, v, at, NULL, content_keys, into);
    if (!c->refused && c->embedding->count == before) {
        refuse(c, place_key(c, at, STR("content")), "It is missing.");
    }
}

static void read_requests(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    gemini_read_list(c, v, at, read_one, into);
}

static const struct key batch_keys[] = {
    {.name = "model", .take = TAKE_KNOWN},
    READ("requests", read_requests),
};

void embeddings_read_ask(struct conversion *c, const struct json *root)
{
    bool chat = c->from == DIALECT_CHAT;

    if (chat) {
        READ_OBJECT(c, root, NULL, NULL, chat_keys, NULL);
    } else if (json_get(root, "requests") != NULL) {
        READ_OBJECT(c, root, NULL, NULL, batch_keys, NULL);
    } else {
        c->embedding->single = true;
        read_one(c, root, NULL, NULL);
    }
    if (c->embedding->count == 0) {
        refuse(c, place_key(c, NULL, chat ? STR("input") : STR("requests")), "There is none.");
    }
}

/* ---- toward the upstream ---- */

static void write_request(struct conversion *c, struct json_out *o, const struct part *input)
{
    bool whole = str_find_byte(c->ask.model, '/') < c->ask.model.n; /* with its collection */
    struct buf name;

    buf_init(&name, LIMIT_NAME * 2);
    buf_cat(&name, whole ? STR("") : STR("models/"), c->ask.model);
    json_open(o, '{');
    json_key(o, "model");
    json_put_str(o, buf_str(&name));
    json_key(o, "content");
    json_open(o, '{');
    json_key(o, "parts");
    json_open(o, '[');
    json_open(o, '{');
    json_key(o, "text");
    json_put_str(o, input->text);
    json_close(o, '}');
    json_close(o, ']');
    json_close(o, '}');
    if (c->embedding->dimensions.v != NULL) {
        json_key(o, "outputDimensionality");
        json_put_value(o, c->embedding->dimensions.v);
    }
    json_close(o, '}');
    buf_release(&name);
}

static void write_batch(struct conversion *c, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, "requests");
    json_open(o, '[');
    for (const struct part *p = c->embedding->inputs.first; p != NULL; p = p->next) {
        write_request(c, o, p);
    }
    json_close(o, ']');
    json_close(o, '}');
}

/* Vectors come as numbers, which every vendor has. */
void embeddings_write_ask(struct conversion *c, struct json_out *o)
{
    const struct embedding *e = c->embedding;

    if (c->to == DIALECT_GEMINI) {
        write_batch(c, o);
        return;
    }
    json_open(o, '{');
    json_key(o, "model");
    json_put_str(o, c->ask.model);
    json_key(o, "input");
    json_open(o, '[');
    for (const struct part *p = e->inputs.first; p != NULL; p = p->next) {
        json_put_str(o, p->text);
    }
    json_close(o, ']');
    if (e->dimensions.v != NULL) {
        json_key(o, "dimensions");
        json_put_value(o, e->dimensions.v);
    }
    json_close(o, '}');
}
