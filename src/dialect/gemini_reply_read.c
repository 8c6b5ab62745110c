/* SPDX-License-Identifier: Apache-2.0 */
/* A reply of the Gemini generateContent dialect, whole or an event of a stream: both are the same
 * object. Source: Google discovery document v1beta, GenerateContentResponse. */
#include "dialect/neutral.h"

/* A call comes whole, in one part; two may have the same name and no id, so each is its own. */
static void read_call(struct conversion *c, const struct json *call, struct str state)
{
    struct reply_call opened = {
        .id = read_word(call, "id"), .name = read_word(call, "name"), .state = state};
    const struct json *args = json_get(call, "args");
    uint64_t key = c->reply.made;
    struct buf text;

    reply_call(c, key, &opened);
    if (json_is_object(args)) {
        buf_init(&text, LIMIT_BODY_BYTES);
        json_write_value(&text, args);
        reply_piece(c, PART_CALL, key, conversion_take(c, &text));
    }
    reply_close(c, PART_CALL, key);
}

/* No other dialect's answer holds a picture, but most clients show markdown. */
static void read_blob(struct conversion *c, const struct json *blob)
{
    struct part image = {.mime = read_word(blob, "mimeType"), .data = read_word(blob, "data")};
    struct buf text;

    if (image.data.n == 0) {
        return;
    }
    buf_init(&text, LIMIT_BODY_BYTES);
    buf_add(&text, STR("![]("));
    media_to_url(&image, &text);
    buf_add(&text, STR(")"));
    reply_piece(c, PART_TEXT, 0, buf_str(&text));
    buf_release(&text);
}

/* The signature of a text is of no use to anyone: only calls must have theirs back. */
static void read_part(struct conversion *c, const struct json *part)
{
    const struct json *call = json_get(part, "functionCall");
    struct str state = read_word(part, "thoughtSignature");
    bool thought = false;

    (void)json_bool(json_get(part, "thought"), &thought);
    if (call != NULL) {
        read_call(c, call, state);
    } else if (thought) {
        reply_piece(c, PART_REASONING, 0, read_word(part, "text"));
        reply_opaque(c, 0, state, false);
    } else {
        reply_piece(c, PART_TEXT, 0, read_word(part, "text"));
        read_blob(c, json_get(part, "inlineData"));
    }
}

static void read_candidate(struct conversion *c, const struct json *candidate)
{
    struct json_each it = json_each(json_get(candidate, "content.parts"));
    struct str reason = read_word(candidate, "finishReason");

    while (json_next(&it)) {
        read_part(c, it.value);
    }
    cite_gemini(c, candidate);
    if (reason.n > 0 && !str_eq(reason, STR("FINISH_REASON_UNSPECIFIED"))) {
        reply_finish(c, finish_read(DIALECT_GEMINI, reason), STR(""));
    }
}

void gemini_read_event(struct conversion *c, const struct json *root)
{
    struct str block = read_word(root, "promptFeedback.blockReason");

    reply_start(c, read_word(root, "responseId"), read_word(root, "modelVersion"));
    read_candidate(c, json_get(root, "candidates.0"));
    if (block.n > 0) { /* there is no candidate then */
        reply_finish(c, FINISH_FILTER, STR(""));
    }
}

void gemini_read_whole(struct conversion *c, const struct json *root)
{
    c->unreadable = !json_is_object(json_get(root, "candidates.0")) &&
                    !json_is_object(json_get(root, "promptFeedback"));
    gemini_read_event(c, root);
}
