/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply of the Responses dialect. Source: OpenAI OpenAPI 2.3.0, Response and ResponseStreamEvent.
 * Parts are keyed by their item's index and, in messages, their own. Hosts that stream no deltas
 * have the texts in their done events alone, and some nowhere but in the last event.
 */
#include "dialect/neutral.h"

static uint64_t part_key(uint64_t item, uint64_t content)
{
    return item << 16 | (content & 0xffff);
}

static uint64_t event_key(const struct json *root, bool with_content)
{
    uint64_t item = 0, content = 0;

    (void)json_u64(json_get(root, "output_index"), &item);
    (void)json_u64(json_get(root, "content_index"), &content);
    return part_key(item, with_content ? content : 0);
}

/* The whole of a text: nothing where its pieces came before. */
static void read_full(struct conversion *c, enum part_kind kind, uint64_t key, struct str text)
{
    if (!reply_seen(c, kind, key, true)) {
        reply_piece(c, kind, key, text);
    }
}

static void read_message(struct conversion *c, const struct json *item, uint64_t index)
{
    struct json_each it = json_each(json_get(item, "content"));

    while (json_next(&it)) {
        uint64_t key = part_key(index, it.index);
        bool refused = str_eq(read_word(it.value, "type"), STR("refusal"));
        enum part_kind kind = refused ? PART_REFUSAL : PART_TEXT;
        read_full(c, kind, key, read_word(it.value, refused ? "refusal" : "text"));
        cite_openai(c, key, json_get(it.value, "annotations"));
        reply_close(c, kind, key);
    }
}

static void open_call(struct conversion *c, const struct json *item, uint64_t index, bool custom)
{
    struct reply_call call = {
        .id = read_word(item, "call_id"), .name = read_word(item, "name"), .raw = custom};

    if (call.name.n > 0 && !reply_seen(c, PART_CALL, part_key(index, 0), false)) {
        reply_call(c, part_key(index, 0), &call);
    }
}

static void read_call(struct conversion *c, const struct json *item, uint64_t index, bool custom)
{
    open_call(c, item, index, custom);
    read_full(c, PART_CALL, part_key(index, 0), read_word(item, custom ? "input" : "arguments"));
    reply_close(c, PART_CALL, part_key(index, 0));
}

static void add_texts(const struct json *list, struct buf *text)
{
    struct json_each it = json_each(list);

    while (json_next(&it)) {
        buf_cat(text, it.index > 0 ? STR("\n\n") : STR(""), read_word(it.value, "text"));
    }
}

/* The state goes with the item's id: it is bound to it. */
static void read_state(struct conversion *c, const struct json *item, uint64_t key)
{
    struct str encrypted = read_word(item, "encrypted_content");
    struct buf state;

    if (encrypted.n == 0) {
        return;
    }
    buf_init(&state, LIMIT_BODY_BYTES);
    buf_cat(&state, read_word(item, "id"), STR(" "), encrypted);
    reply_opaque(c, key, buf_str(&state), !reply_seen(c, PART_REASONING, key, true));
    buf_release(&state);
}

static void read_reasoning(struct conversion *c, const struct json *item, uint64_t index)
{
    uint64_t key = part_key(index, 0);
    struct buf text;

    buf_init(&text, LIMIT_BODY_BYTES);
    add_texts(json_get(item, "summary"), &text);
    if (text.n == 0) {
        add_texts(json_get(item, "content"), &text);
    }
    read_full(c, PART_REASONING, key, buf_str(&text));
    buf_release(&text);
    read_state(c, item, key);
    reply_close(c, PART_REASONING, key);
}

static void read_item(struct conversion *c, const struct json *item, uint64_t index)
{
    struct str type = read_word(item, "type");

    if (str_eq(type, STR("message"))) {
        read_message(c, item, index);
    } else if (str_eq(type, STR("reasoning"))) {
        read_reasoning(c, item, index);
    } else if (str_eq(type, STR("function_call"))) {
        read_call(c, item, index, false);
    } else if (str_eq(type, STR("custom_tool_call"))) {
        read_call(c, item, index, true);
    }
}

/* Words for what is no answer; for one that has ended hosts have several, or none. */
static bool is_unended(struct str status)
{
    static const char *const words[] = {"failed", "cancelled", "in_progress", "queued"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq(status, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

static void read_end(struct conversion *c, const struct json *response)
{
    struct str reason = read_word(response, "incomplete_details.reason");
    struct str status = read_word(response, "status");
    bool cut = str_eq(status, STR("incomplete"));

    if (is_unended(status)) {
        return;
    }
    reply_finish(c,
                 !cut                                    ? FINISH_STOP
                 : str_eq(reason, STR("content_filter")) ? FINISH_FILTER
                                                         : FINISH_LENGTH,
                 STR(""));
}

void responses_read_whole(struct conversion *c, const struct json *root)
{
    struct json_each it = json_each(json_get(root, "output"));

    c->unreadable = !json_is_array(json_get(root, "output"));
    reply_start(c, read_word(root, "id"), read_word(root, "model"));
    while (json_next(&it)) {
        read_item(c, it.value, it.index);
    }
    read_end(c, root);
}

/* ---- events ---- */

static const struct {
    const char *type;
    uint8_t kind;
    const char *text; /* its key: the next piece, or where full all of it */
    bool full;
} texts[] = {
    {"response.output_text.delta", PART_TEXT, "delta", false},
    {"response.function_call_arguments.delta", PART_CALL, "delta", false},
    {"response.reasoning_summary_text.delta", PART_REASONING, "delta", false},
    {"response.reasoning_text.delta", PART_REASONING, "delta", false},
    {"response.custom_tool_call_input.delta", PART_CALL, "delta", false},
    {"response.refusal.delta", PART_REFUSAL, "delta", false},
    {"response.output_text.done", PART_TEXT, "text", true},
    {"response.refusal.done", PART_REFUSAL, "refusal", true},
    {"response.function_call_arguments.done", PART_CALL, "arguments", true},
    {"response.custom_tool_call_input.done", PART_CALL, "input", true},
};

static bool read_text_event(struct conversion *c, const struct json *root, struct str type)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!str_eq(type, str_from(texts[i].type))) {
            continue;
        }
        enum part_kind kind = (enum part_kind)texts[i].kind;
        uint64_t key = event_key(root, kind == PART_TEXT || kind == PART_REFUSAL);
        if (texts[i].full) {
            read_full(c, kind, key, read_word(root, texts[i].text));
        } else {
            reply_piece(c, kind, key, read_word(root, texts[i].text));
        }
        return true;
    }
    return false;
}

/* A further part of a summary stands behind a blank line. */
static void read_summary_part(struct conversion *c, const struct json *root)
{
    uint64_t key = event_key(root, false);

    if (reply_seen(c, PART_REASONING, key, true)) {
        reply_piece(c, PART_REASONING, key, STR("\n\n"));
    }
}

/* What has come before the last event: not all hosts number it as the list at the end does. */
struct came {
    bool any, text;
    struct reply_part *last;
};

static struct came what_came(const struct conversion *c)
{
    struct came came = {.any = c->reply.parts != NULL, .last = c->reply.last};

    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        came.text = came.text || p->kind == PART_TEXT || p->kind == PART_REFUSAL;
    }
    return came;
}

/* One of the calls until `last` has this id. */
static bool call_came(const struct conversion *c, struct str id, const struct reply_part *last)
{
    const struct reply_part *p = last != NULL ? c->reply.parts : NULL;

    while (p != NULL && !(p->kind == PART_CALL && str_eq(p->wire_id, id))) {
        p = p != last ? p->next : NULL;
    }
    return p != NULL;
}

/*
 * An item that stands in the last event alone. Said twice is worse than not said: a text counts
 * where none came, a call by its id, and reasoning where it would not stand behind what it led to.
 */
static bool is_new(const struct conversion *c, const struct json *item, const struct came *came)
{
    struct str type = read_word(item, "type");
    struct str id = read_word(item, "call_id");

    if (str_eq(type, STR("message"))) {
        return !came->text;
    }
    if (str_eq(type, STR("reasoning"))) {
        return !came->any;
    }
    return id.n > 0 ? !call_came(c, id, came->last) : !came->any;
}

static void read_last(struct conversion *c, const struct json *response)
{
    struct json_each it = json_each(json_get(response, "output"));
    struct came came = what_came(c);

    reply_start(c, read_word(response, "id"), read_word(response, "model"));
    while (json_next(&it)) {
        if (is_new(c, it.value, &came)) {
            read_item(c, it.value, it.index);
        }
    }
    read_end(c, response);
}

void responses_read_event(struct conversion *c, const struct json *root)
{
    struct str type = read_word(root, "type");
    const struct json *item = json_get(root, "item");
    uint64_t index = 0;

    (void)json_u64(json_get(root, "output_index"), &index);
    if (read_text_event(c, root, type)) {
        return;
    }
    if (str_eq(type, STR("response.output_item.added"))) {
        bool custom = str_eq(read_word(item, "type"), STR("custom_tool_call"));
        if (custom || str_eq(read_word(item, "type"), STR("function_call"))) {
            open_call(c, item, index, custom);
        }
    } else if (str_eq(type, STR("response.output_item.done"))) {
        read_item(c, item, index);
    } else if (str_eq(type, STR("response.reasoning_summary_part.added"))) {
        read_summary_part(c, root);
    } else if (str_eq(type, STR("response.created")) || str_eq(type, STR("response.in_progress"))) {
        reply_start(c, read_word(root, "response.id"), read_word(root, "response.model"));
    } else if (str_eq(type, STR("response.completed")) ||
               str_eq(type, STR("response.incomplete"))) {
        read_last(c, json_get(root, "response"));
    } else if (str_eq(type, STR("keepalive"))) {
        reply_ping(c);
    }
}
