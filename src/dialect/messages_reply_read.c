/* SPDX-License-Identifier: Apache-2.0 */
/* A reply of the Anthropic Messages dialect. Source: Anthropic OpenAPI, Message and the stream's
 * events. Blocks are keyed by their index. */
#include "dialect/neutral.h"

static void read_block(struct conversion *c, const struct json *block, uint64_t index)
{
    struct str type = read_word(block, "type");

    if (str_eq(type, STR("text"))) {
        reply_piece(c, PART_TEXT, index, read_word(block, "text"));
    } else if (str_eq(type, STR("thinking"))) {
        struct str text = read_word(block, "thinking");
        reply_piece(c, PART_REASONING, index, text);
        reply_opaque(c, index, read_word(block, "signature"), text.n == 0);
    } else if (str_eq(type, STR("redacted_thinking"))) {
        struct buf state;
        buf_init(&state, LIMIT_BODY_BYTES);
        buf_cat(&state, STR("redacted:"), read_word(block, "data"));
        reply_opaque(c, index, conversion_take(c, &state), true);
    } else if (str_eq(type, STR("tool_use"))) {
        struct reply_call call = {.id = read_word(block, "id"), .name = read_word(block, "name")};
        reply_call(c, index, &call);
    }
}

/* Whole blocks, and hosts that put everything into the start, have the input there. */
static void read_input(struct conversion *c, const struct json *block, uint64_t index)
{
    const struct json *input = json_get(block, "input");
    struct buf text;

    if (!str_eq(read_word(block, "type"), STR("tool_use")) || json_count(input) == 0) {
        return;
    }
    buf_init(&text, LIMIT_BODY_BYTES);
    json_write_value(&text, input);
    reply_piece(c, PART_CALL, index, conversion_take(c, &text));
}

static void close_block(struct conversion *c, uint64_t index)
{
    reply_close(c, PART_TEXT, index);
    reply_close(c, PART_REASONING, index);
    reply_close(c, PART_CALL, index);
}

static void read_stop(struct conversion *c, const struct json *from)
{
    struct str reason = read_word(from, "stop_reason");

    if (reason.n > 0) {
        reply_finish(c, finish_read(DIALECT_MESSAGES, reason), read_word(from, "stop_sequence"));
        if (str_eq(reason, STR("refusal"))) {
            reply_piece(c, PART_REFUSAL, 0, read_word(from, "stop_details.explanation"));
        }
    } else if (reason.p != NULL) { /* an empty word: it counts if nothing else comes */
        c->reply.finished = true;
    }
}

void messages_read_whole(struct conversion *c, const struct json *root)
{
    struct json_each it = json_each(json_get(root, "content"));

    c->unreadable = !json_is_array(json_get(root, "content"));
    reply_start(c, read_word(root, "id"), read_word(root, "model"));
    while (json_next(&it)) {
        read_block(c, it.value, it.index);
        read_input(c, it.value, it.index);
        struct json_each cited = json_each(json_get(it.value, "citations"));
        while (json_next(&cited)) {
            cite_messages(c, it.index, cited.value);
        }
        close_block(c, it.index);
    }
    read_stop(c, root);
}

static void read_delta(struct conversion *c, const struct json *delta, uint64_t index)
{
    struct str type = read_word(delta, "type");

    if (str_eq(type, STR("text_delta"))) {
        reply_piece(c, PART_TEXT, index, read_word(delta, "text"));
    } else if (str_eq(type, STR("input_json_delta"))) {
        reply_piece(c, PART_CALL, index, read_word(delta, "partial_json"));
    } else if (str_eq(type, STR("thinking_delta"))) {
        reply_piece(c, PART_REASONING, index, read_word(delta, "thinking"));
    } else if (str_eq(type, STR("citations_delta"))) {
        cite_messages(c, index, json_get(delta, "citation"));
    } else if (str_eq(type, STR("signature_delta"))) {
        reply_opaque(c, index, read_word(delta, "signature"), false);
    }
}

void messages_read_event(struct conversion *c, const struct json *root)
{
    struct str type = read_word(root, "type");
    uint64_t index = 0;

    (void)json_u64(json_get(root, "index"), &index);
    if (str_eq(type, STR("content_block_delta"))) {
        read_delta(c, json_get(root, "delta"), index);
    } else if (str_eq(type, STR("content_block_start"))) {
        read_block(c, json_get(root, "content_block"), index);
        read_input(c, json_get(root, "content_block"), index);
    } else if (str_eq(type, STR("content_block_stop"))) {
        close_block(c, index);
    } else if (str_eq(type, STR("message_start"))) {
        reply_start(c, read_word(root, "message.id"), read_word(root, "message.model"));
    } else if (str_eq(type, STR("message_delta"))) {
        read_stop(c, json_get(root, "delta"));
    } else if (str_eq(type, STR("ping"))) {
        reply_ping(c);
    }
}
