/* SPDX-License-Identifier: Apache-2.0 */
/* A reply of the Chat Completions dialect, with what compatible vendors make of it. Source: OpenAI
 * OpenAPI 2.3.0; deviations as recorded. */
#include "dialect/neutral.h"

/* A call's key is its index, and above it how many calls came before it at that index. */
#define INDEX_MASK ((UINT64_C(1) << 32) - 1)
/* Keys of calls that came without a usable index, and of reasoning behind the first state. */
#define KEY_MADE (UINT64_C(1) << 63)
#define KEY_ONLY (KEY_MADE - 1) /* of the one call that the dialect once had room for */
#define UNNAMED_MAX 64          /* calls of one reply whose name comes late */

struct unnamed_call {
    struct unnamed_call *next;
    uint64_t key;
    struct str id, state, text;
};

/* The first state belongs to the text. Each further one is a part of its own, behind it, so that
 * all come back, in their order. */
static void read_state(struct conversion *c, const struct json *detail)
{
    uint64_t key = c->reply.states > 0 ? KEY_MADE + c->reply.states : 0;
    struct buf state;

    if (read_word(detail, "data").n == 0 && read_word(detail, "signature").n == 0) {
        return;
    }
    buf_init(&state, LIMIT_BODY_BYTES);
    json_write_value(&state, detail);
    reply_opaque(c, key, conversion_take(c, &state), key != 0);
    c->reply.states++;
}

static void read_reasoning(struct conversion *c, const struct json *from)
{
    struct str text = read_word(from, "reasoning_content");
    struct json_each it = json_each(json_get(from, "reasoning_details"));

    text = text.n > 0 ? text : read_word(from, "reasoning");
    reply_piece(c, PART_REASONING, 0, text);
    while (json_next(&it)) {
        if (text.n == 0) { /* most say it in both fields */
            struct str word = read_word(it.value, "text");
            reply_piece(c, PART_REASONING, 0, word.n > 0 ? word : read_word(it.value, "summary"));
        }
        read_state(c, it.value);
    }
}

/* Some send content as parts, thinking among them. */
static void read_content(struct conversion *c, const struct json *content)
{
    struct json_each it = json_each(content);

    reply_piece(c, PART_TEXT, 0, json_str(content));
    while (json_is_array(content) && json_next(&it)) {
        struct str type = read_word(it.value, "type");
        if (str_eq(type, STR("text"))) {
            reply_piece(c, PART_TEXT, 0, read_word(it.value, "text"));
        } else if (str_eq(type, STR("thinking"))) {
            struct json_each inner = json_each(json_get(it.value, "thinking"));
            while (json_next(&inner)) {
                reply_piece(c, PART_REASONING, 0, read_word(inner.value, "text"));
            }
        }
    }
}

static struct str arguments_of(struct conversion *c, const struct json *arguments)
{
    struct buf text;

    if (arguments == NULL || json_is_null(arguments) || json_is_string(arguments)) {
        return json_str(arguments);
    }
    buf_init(&text, LIMIT_BODY_BYTES); /* an object where text belongs */
    json_write_value(&text, arguments);
    return conversion_take(c, &text);
}

/* ---- calls ---- */

/* The last call at this index: a delta without an id goes on with it. */
static uint64_t latest_at(const struct conversion *c, uint64_t index)
{
    uint64_t key = index;

    if ((c->reply.last_call & (KEY_MADE | INDEX_MASK)) == index) {
        return c->reply.last_call;
    }
    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == PART_CALL && (p->key & (KEY_MADE | INDEX_MASK)) == index) {
            key = p->key;
        }
    }
    return key;
}

/* By its index; a new id or name at an index whose call is complete is another call. */
static uint64_t call_key(struct conversion *c, const struct json *call, struct str id,
                         struct str name)
{
    uint64_t index;
    bool indexed = json_u64(json_get(call, "index"), &index) && index <= INDEX_MASK;

    if (!indexed && id.n == 0 && name.n == 0) {
        return c->reply.last_call;
    }
    if (!indexed) {
        return KEY_MADE + c->reply.made;
    }
    uint64_t key = latest_at(c, index);
    return reply_is_other_call(c, key, id) ? key + INDEX_MASK + 1 : key;
}

static struct unnamed_call *unnamed_at(struct conversion *c, uint64_t key)
{
    struct unnamed_call *u = c->reply.unnamed;

    while (u != NULL && u->key != key) {
        u = u->next;
    }
    return u;
}

/* A call opens by its name: what comes before it waits. */
static void keep_unnamed(struct conversion *c, const struct reply_call *call, struct str text)
{
    struct unnamed_call *u = unnamed_at(c, c->reply.last_call);
    struct buf all;

    if (u == NULL && c->reply.unnamed_made == UNNAMED_MAX) {
        c->reply.broken = true;
        return;
    }
    if (u == NULL) {
        u = conversion_alloc(c, sizeof(*u));
        *u = (struct unnamed_call){.next = c->reply.unnamed, .key = c->reply.last_call};
        c->reply.unnamed = u;
        c->reply.unnamed_made++;
    }
    u->id = u->id.n == 0 ? conversion_str(c, call->id) : u->id;
    u->state = u->state.n == 0 ? conversion_str(c, call->state) : u->state;
    if (text.n > 0) {
        c->reply.nameless += u->text.n == 0;
        buf_init(&all, LIMIT_BODY_BYTES);
        buf_cat(&all, u->text, text);
        u->text = conversion_take(c, &all);
    }
}

static void open_call(struct conversion *c, struct reply_call *call)
{
    struct unnamed_call *u = unnamed_at(c, c->reply.last_call);

    if (u == NULL) {
        reply_call(c, c->reply.last_call, call);
        return;
    }
    call->id = u->id.n > 0 ? u->id : call->id;
    call->state = u->state.n > 0 ? u->state : call->state;
    reply_call(c, c->reply.last_call, call);
    reply_piece(c, PART_CALL, c->reply.last_call, u->text);
    c->reply.nameless -= u->text.n > 0;
    *u = (struct unnamed_call){.next = u->next, .key = UINT64_MAX};
}

static void read_call(struct conversion *c, const struct json *call)
{
    bool custom = str_eq(read_word(call, "type"), STR("custom"));
    const struct json *function = json_get(call, custom ? "custom" : "function");
    struct reply_call opened = {
        .id = read_word(call, "id"), .name = read_word(function, "name"), .raw = custom};
    struct str text = arguments_of(c, json_get(function, custom ? "input" : "arguments"));

    if (function == NULL) {
        return;
    }
    opened.state = read_word(call, "extra_content.google.thought_signature");
    c->reply.last_call = call_key(c, call, opened.id, opened.name);
    if (opened.name.n > 0) {
        open_call(c, &opened);
    } else if (!reply_seen(c, PART_CALL, c->reply.last_call, false)) {
        keep_unnamed(c, &opened, text);
        return;
    }
    reply_piece(c, PART_CALL, c->reply.last_call, text);
}

/* The dialect's first form, which some still write: one call, without an id. */
static void read_only_call(struct conversion *c, const struct json *call)
{
    struct reply_call opened = {.name = read_word(call, "name")};
    struct str text = arguments_of(c, json_get(call, "arguments"));

    if (call == NULL || (c->reply.has_call && !reply_seen(c, PART_CALL, KEY_ONLY, false))) {
        return; /* some write both forms */
    }
    if (opened.name.n > 0) {
        reply_call(c, KEY_ONLY, &opened);
    }
    reply_piece(c, PART_CALL, KEY_ONLY, text);
}

/* As OpenRouter has them: no other dialect's answer holds a picture, but most clients show
 * markdown. */
static void read_images(struct conversion *c, const struct json *images)
{
    struct json_each it = json_each(images);
    struct buf text;

    while (json_next(&it)) {
        struct str url = read_word(it.value, "image_url.url");
        if (url.n > 0) {
            buf_init(&text, LIMIT_BODY_BYTES);
            buf_cat(&text, STR("![]("), url, STR(")"));
            reply_piece(c, PART_TEXT, 0, buf_str(&text));
            buf_release(&text);
        }
    }
}

static void read_message(struct conversion *c, const struct json *message)
{
    struct json_each it = json_each(json_get(message, "tool_calls"));

    read_reasoning(c, message);
    read_content(c, json_get(message, "content"));
    cite_openai(c, 0, json_get(message, "annotations"));
    reply_piece(c, PART_REFUSAL, 0, read_word(message, "refusal"));
    while (json_next(&it)) {
        read_call(c, it.value);
    }
    read_images(c, json_get(message, "images"));
    read_only_call(c, json_get(message, "function_call"));
}

static void read_choice(struct conversion *c, const struct json *choice, const char *what)
{
    struct str finish = read_word(choice, "finish_reason");

    read_message(c, json_get(choice, what));
    if (finish.n > 0) {
        reply_finish(c, finish_read(DIALECT_CHAT, finish), STR(""));
    } else if (finish.p != NULL) { /* an empty word: it counts if nothing else comes */
        c->reply.finished = true;
    }
}

void chat_read_whole(struct conversion *c, const struct json *root)
{
    const struct json *choice = json_get(root, "choices.0");

    c->unreadable = choice == NULL;
    reply_start(c, read_word(root, "id"), read_word(root, "model"));
    read_choice(c, choice, "message");
}

void chat_read_event(struct conversion *c, const struct json *root)
{
    reply_start(c, read_word(root, "id"), read_word(root, "model"));
    read_choice(c, json_get(root, "choices.0"), "delta");
}
