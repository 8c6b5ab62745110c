/* SPDX-License-Identifier: Apache-2.0 */
/* System text and turns of an Anthropic Messages request. Source: Anthropic OpenAPI, InputMessage,
 * and what its betas add as Claude Code sends it. */
#include <stddef.h>

#include "dialect/messages.h"

/* ---- blocks ---- */

struct block {
    struct parts *list;
    struct str type, text, thinking, signature, data, id, name, call_id, title;
    uint8_t failed; /* tristate */
    const struct json *source, *input, *content, *cache;
};

static void read_citations(struct conversion *c, const struct json *v, const struct place *at,
                           void *into)
{
    bool on = false;

    (void)into;
    if (json_is_array(v)) {
        if (json_count(v) > 0) {
            lose(c, FIELD_MESSAGE_ANNOTATIONS, at);
        }
    } else if (json_bool(json_get(v, "enabled"), &on) && on) {
        lose(c, FIELD_FILE_CITATIONS, at);
    }
}

static const struct key block_keys[] = {
    {.name = "type", .take = TAKE_STR, .at = offsetof(struct block, type)},
    {.name = "text", .take = TAKE_STR, .at = offsetof(struct block, text)},
    {.name = "thinking", .take = TAKE_STR, .at = offsetof(struct block, thinking)},
    {.name = "signature", .take = TAKE_STR, .at = offsetof(struct block, signature)},
    {.name = "data", .take = TAKE_STR, .at = offsetof(struct block, data)},
    {.name = "id", .take = TAKE_STR, .at = offsetof(struct block, id)},
    {.name = "name", .take = TAKE_STR, .at = offsetof(struct block, name)},
    {.name = "tool_use_id", .take = TAKE_STR, .at = offsetof(struct block, call_id)},
    {.name = "is_error", .take = TAKE_BOOL, .at = offsetof(struct block, failed)},
    {.name = "title", .take = TAKE_STR, .at = offsetof(struct block, title)},
    {.name = "context", .take = TAKE_LOSS, .field = FIELD_FILE_TITLE},
    {.name = "caller", .take = TAKE_KNOWN},
    {.name = "citations", .take = TAKE_READ, .read = read_citations},
    {.name = "source", .take = TAKE_JSON, .at = offsetof(struct block, source)},
    {.name = "input", .take = TAKE_JSON, .at = offsetof(struct block, input)},
    {.name = "content", .take = TAKE_JSON, .at = offsetof(struct block, content)},
    {.name = "cache_control", .take = TAKE_JSON, .at = offsetof(struct block, cache)},
};

static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         struct parts *list);

struct source {
    struct str type, media_type, data, url, file_id;
    const struct json *content;
};

static const struct key source_keys[] = {
    {.name = "type", .take = TAKE_STR, .at = offsetof(struct source, type)},
    {.name = "media_type", .take = TAKE_STR, .at = offsetof(struct source, media_type)},
    {.name = "data", .take = TAKE_STR, .at = offsetof(struct source, data)},
    {.name = "url", .take = TAKE_STR, .at = offsetof(struct source, url)},
    {.name = "file_id", .take = TAKE_STR, .at = offsetof(struct source, file_id)},
    {.name = "content", .take = TAKE_JSON, .at = offsetof(struct source, content)},
};

static void read_media(struct conversion *c, const struct block *b, enum part_kind kind,
                       const struct place *at)
{
    struct source s = {0};
    const struct place *here = place_key(c, at, STR("source"));

    READ_OBJECT(c, b->source, here, NULL, source_keys, &s);
    if (c->refused) {
        return;
    }
    if (str_eq(s.type, STR("text"))) { /* a document of plain text is text */
        part_text(c, b->list, s.data, here);
        return;
    }
    if (str_eq(s.type, STR("content"))) {
        read_content(c, s.content, place_key(c, here, STR("content")), b->list);
        return;
    }
    struct part *p = part_new(c, b->list, kind, here);
    p->title = b->title;
    if (str_eq(s.type, STR("base64"))) {
        media_set_data(c, p, s.media_type, s.data);
    } else if (str_eq(s.type, STR("url"))) {
        p->url = s.url;
    } else if (str_eq(s.type, STR("file"))) {
        p->ref = s.file_id;
    } else {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, here, STR("type")));
    }
}

static void read_call(struct conversion *c, const struct block *b, const struct place *at)
{
    struct part *p = part_call(c, b->list, at);
    struct buf text;

    p->id = b->id;
    p->name = b->name;
    p->text_from = place_key(c, at, STR("input"));
    buf_init(&text, LIMIT_BODY_BYTES);
    if (b->input != NULL) {
        json_write_value(&text, b->input);
    }
    p->text = conversion_take(c, &text);
    if (b->name.n == 0) {
        refuse(c, place_key(c, at, STR("name")), "It is missing.");
    }
}

static void read_result(struct conversion *c, const struct block *b, const struct place *at)
{
    struct part *p = part_new(c, b->list, PART_RESULT, at);

    p->id = b->call_id;
    p->failed = b->failed == YES;
    read_content(c, b->content, place_key(c, at, STR("content")), &p->parts);
}

/* A hit of a search that the client made itself: its words are what counts. */
static void read_search_result(struct conversion *c, const struct block *b, const struct json *v,
                               const struct place *at)
{
    struct str source = json_str(b->source);
    struct buf text;

    (void)v;
    lose(c, FIELD_SEARCH_RESULT, at);
    buf_init(&text, LIMIT_BODY_BYTES);
    buf_cat(&text, b->title, STR("\n"), source);
    part_text(c, b->list, conversion_take(c, &text), at);
    read_content(c, b->content, place_key(c, at, STR("content")), b->list);
}

static void read_block(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    struct block b = {.list = into};

    READ_OBJECT(c, v, at, NULL, block_keys, &b);
    if (c->refused) {
        return;
    }
    if (str_eq(b.type, STR("text")) || str_eq(b.type, STR("mid_conv_system"))) {
        part_text(c, b.list, b.text, at);
    } else if (str_eq(b.type, STR("image"))) {
        read_media(c, &b, PART_IMAGE, at);
    } else if (str_eq(b.type, STR("document"))) {
        read_media(c, &b, PART_FILE, at);
    } else if (str_eq(b.type, STR("tool_use"))) {
        read_call(c, &b, at);
    } else if (str_eq(b.type, STR("tool_result"))) {
        read_result(c, &b, at);
    } else if (str_eq(b.type, STR("thinking"))) {
        part_reasoning(c, b.list, b.thinking, b.signature, at);
    } else if (str_eq(b.type, STR("redacted_thinking"))) {
        part_reasoning(c, b.list, STR(""), b.data, at);
    } else if (str_eq(b.type, STR("search_result"))) {
        read_search_result(c, &b, v, at);
    } else {
        lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type")));
    }
    if (b.cache != NULL && b.list->last != NULL) {
        b.list->last->cache = b.cache;
        b.list->last->cache_from = place_key(c, at, STR("cache_control"));
    }
}

static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         struct parts *list)
{
    if (v != NULL && json_is_string(v)) {
        part_text(c, list, json_str(v), at);
    } else if (v != NULL) {
        read_items(c, v, at, read_block, list);
    }
}

/* ---- messages ---- */

struct message {
    struct str role;
    const struct json *content, *output_config;
};

static const struct key message_keys[] = {
    {.name = "role", .take = TAKE_STR, .at = offsetof(struct message, role)},
    {.name = "content", .take = TAKE_JSON, .at = offsetof(struct message, content)},
    {.name = "output_config", .take = TAKE_JSON, .at = offsetof(struct message, output_config)},
};

void messages_read_level(struct conversion *c, const struct json *v, const struct place *at)
{
    struct reasoning *r = &c->ask.reasoning;
    enum effort effort = effort_read(json_str(v));

    if (effort == EFFORT_UNSAID) {
        refuse(c, at, "It must be one of low, medium, high, xhigh, max.");
        return;
    }
    r->effort = (uint8_t)(r->off ? EFFORT_NONE : effort);
    r->from = at;
}

static void read_message(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    struct message m = {0};
    enum role role = ROLE_USER;

    (void)into;
    READ_OBJECT(c, v, at, NULL, message_keys, &m);
    if (c->refused) {
        return;
    }
    if (str_eq(m.role, STR("assistant"))) {
        role = ROLE_ASSISTANT;
    } else if (str_eq(m.role, STR("system"))) {
        role = ROLE_SYSTEM;
    } else if (!str_eq(m.role, STR("user"))) {
        refuse(c, place_key(c, at, STR("role")),
               "There is no role '%.*s': user, assistant, system.", STR_ARG(m.role));
        return;
    }
    if (json_get(m.output_config, "effort") != NULL) {
        const struct place *here =
            place_key(c, place_key(c, at, STR("output_config")), STR("effort"));
        messages_read_level(c, json_get(m.output_config, "effort"), here);
        lose(c, FIELD_SYSTEM_EFFORT, here);
    }
    struct turn *t = turn_new(c, role, at);
    read_content(c, m.content, place_key(c, at, STR("content")), &t->parts);
}

void messages_read_turns(struct conversion *c, const struct json *v, const struct place *at,
                         void *into)
{
    (void)into;
    read_items(c, v, at, read_message, NULL);
}

/* It stands first, wherever the key does. Claude Code's billing line means nothing elsewhere, and
 * changes with every version. */
void messages_read_system(struct conversion *c, const struct json *v, const struct place *at,
                          void *into)
{
    struct turn *rest = c->ask.turns, *rest_last = c->ask.last_turn;
    struct parts kept = {NULL, NULL};

    (void)into;
    c->ask.turns = c->ask.last_turn = NULL;
    struct turn *t = turn_new(c, ROLE_SYSTEM, at);
    read_content(c, v, at, &t->parts);
    for (struct part *p = t->parts.first, *next; p != NULL; p = next) {
        next = p->next;
        if (str_starts(p->text, STR("x-anthropic-billing-header:"))) {
            lose(c, FIELD_SYSTEM_BILLING, p->from);
        } else {
            parts_add(&kept, p);
        }
    }
    t->parts = kept;
    t->next = rest;
    c->ask.last_turn = rest != NULL ? rest_last : t;
    if (kept.first == NULL) {
        c->ask.turns = rest;
        c->ask.last_turn = rest_last;
    }
}
