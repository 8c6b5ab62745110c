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

enum {
    A_TEXT = 1,
    A_IMAGE = 2,
    A_DOCUMENT = 4,
    A_CALL = 8,
    A_RESULT = 16,
    A_THINKING = 32,
    A_REDACTED = 64,
    A_SEARCH = 128,
    MARKED =
        A_TEXT | A_IMAGE | A_DOCUMENT | A_CALL | A_RESULT | A_SEARCH, /* may have a mark to cache */
};

static const struct kind block_kinds[] = {
    {"text", A_TEXT},         {"mid_conv_system", A_TEXT}, {"image", A_IMAGE},
    {"document", A_DOCUMENT}, {"tool_use", A_CALL},        {"tool_result", A_RESULT},
    {"thinking", A_THINKING}, {"search_result", A_SEARCH}, {"redacted_thinking", A_REDACTED},
};

#define WORD(key, kind, member) \
    {.name = key, .of = kind, .take = TAKE_STR, .at = offsetof(struct block, member)}
#define JSON(key, kind, member) \
    {.name = key, .of = kind, .take = TAKE_JSON, .at = offsetof(struct block, member)}

static const struct key block_keys[] = {
    WORD("type", 0, type),
    WORD("text", A_TEXT, text),
    WORD("thinking", A_THINKING, thinking),
    WORD("signature", A_THINKING, signature),
    WORD("data", A_REDACTED, data),
    WORD("id", A_CALL, id),
    WORD("name", A_CALL, name),
    WORD("tool_use_id", A_RESULT, call_id),
    {.name = "is_error", .of = A_RESULT, .take = TAKE_BOOL, .at = offsetof(struct block, failed)},
    WORD("title", A_DOCUMENT | A_SEARCH, title),
    {.name = "context", .of = A_DOCUMENT, .take = TAKE_LOSS, .field = FIELD_FILE_TITLE},
    {.name = "caller", .of = A_CALL, .take = TAKE_READ, .read = read_caller},
    {.name = "citations",
     .of = A_TEXT | A_DOCUMENT | A_SEARCH,
     .take = TAKE_READ,
     .read = read_citations},
    JSON("source", A_IMAGE | A_DOCUMENT | A_SEARCH, source),
    JSON("input", A_CALL, input),
    JSON("content", A_RESULT | A_SEARCH, content),
    JSON("cache_control", MARKED, cache),
};

static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         struct parts *list);

struct source {
    struct str media_type, data, url, file_id;
    const struct json *content;
};

enum { BASE64 = 1, URL = 2, FILE_SOURCE = 4, TEXT_SOURCE = 8, CONTENT = 16 };

static const struct kind source_kinds[] = {
    {"base64", BASE64},    {"url", URL},         {"file", FILE_SOURCE},
    {"text", TEXT_SOURCE}, {"content", CONTENT},
};

#define SOURCE(key, kind, member) \
    {.name = key, .of = kind, .take = TAKE_STR, .at = offsetof(struct source, member)}

static const struct key source_keys[] = {
    {.name = "type", .take = TAKE_KNOWN},
    SOURCE("media_type", BASE64 | TEXT_SOURCE, media_type),
    SOURCE("data", BASE64 | TEXT_SOURCE, data),
    SOURCE("url", URL, url),
    SOURCE("file_id", FILE_SOURCE, file_id),
    {.name = "content", .of = CONTENT, .take = TAKE_JSON, .at = offsetof(struct source, content)},
};

/* What becomes text has no title. */
static void lose_title(struct conversion *c, const struct block *b, const struct place *at)
{
    if (b->title.n > 0) {
        lose(c, FIELD_CONTENT_TITLE, place_key(c, at, STR("title")));
    }
}

static void read_media(struct conversion *c, const struct block *b, enum part_kind kind,
                       const struct place *at)
{
    struct source s = {0};
    const struct place *here = place_key(c, at, STR("source"));
    unsigned source = kind_of(read_word(b->source, "type"), ROWS(source_kinds));

    READ_KIND(c, b->source, here, source, source_keys, &s);
    if (c->refused) {
        return;
    }
    if (source == TEXT_SOURCE) { /* a document of plain text is text */
        lose_title(c, b, at);
        part_text(c, b->list, s.data, here);
        return;
    }
    if (source == CONTENT) {
        lose_title(c, b, at);
        read_content(c, s.content, place_key(c, here, STR("content")), b->list);
        return;
    }
    struct part *p = part_new(c, b->list, kind, here);
    p->title = b->title;
    if (source == BASE64) {
        media_set_data(c, p, s.media_type, s.data);
    } else if (source == URL) {
        p->url = s.url;
    } else if (source == FILE_SOURCE) {
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
    p->text_from = place_key(c, at, STR("is_error"));
    read_content(c, b->content, place_key(c, at, STR("content")), &p->parts);
}

/* A hit of a search that the client made itself: its words are what counts. */
static void read_search_result(struct conversion *c, const struct block *b, const struct place *at)
{
    struct str source = json_str(b->source);
    struct buf text;

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

    unsigned kind = kind_of(read_word(v, "type"), ROWS(block_kinds));

    READ_KIND(c, v, at, kind, block_keys, &b);
    if (c->refused) {
        return;
    }
    struct slot signature = {b.signature, place_key(c, at, STR("signature"))};
    struct slot data = {b.data, place_key(c, at, STR("data"))};
    switch (kind) {
    case A_TEXT:
        part_text(c, b.list, b.text, at);
        if (b.text.p == NULL) {
            refuse(c, place_key(c, at, STR("text")), "It is missing.");
        }
        break;
    case A_IMAGE: read_media(c, &b, PART_IMAGE, at); break;
    case A_DOCUMENT: read_media(c, &b, PART_FILE, at); break;
    case A_CALL: read_call(c, &b, at); break;
    case A_RESULT: read_result(c, &b, at); break;
    case A_THINKING: part_reasoning(c, b.list, b.thinking, signature, at); break;
    case A_REDACTED: part_reasoning(c, b.list, STR(""), data, at); break;
    case A_SEARCH: read_search_result(c, &b, at); break;
    default: lose(c, FIELD_PART_UNKNOWN, place_key(c, at, STR("type"))); return;
    }
    parts_mark(c, b.list, b.cache, place_key(c, at, STR("cache_control")));
}

static void read_content(struct conversion *c, const struct json *v, const struct place *at,
                         struct parts *list)
{
    if (v != NULL && json_is_string(v)) {
        part_text(c, list, json_str(v), at);
    } else if (v != NULL) {
        read_content_items(c, v, at, read_block, list);
    }
}

/* ---- messages ---- */

struct message {
    struct str role;
    const struct json *content;
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

static void read_level(struct conversion *c, const struct json *v, const struct place *at,
                       void *into)
{
    (void)into;
    messages_read_level(c, v, at);
    lose(c, FIELD_SYSTEM_EFFORT, at);
}

static const struct key wish_keys[] = {
    {.name = "effort", .take = TAKE_READ, .read = read_level},
};

static void read_wish(struct conversion *c, const struct json *v, const struct place *at,
                      void *into)
{
    READ_OBJECT(c, v, at, NULL, wish_keys, into);
}

static const struct key message_keys[] = {
    {.name = "role", .take = TAKE_STR, .at = offsetof(struct message, role)},
    {.name = "content", .take = TAKE_JSON, .at = offsetof(struct message, content)},
    {.name = "output_config", .take = TAKE_READ, .read = read_wish},
};

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
    struct turn *t = turn_new(c, role, at);
    read_content(c, m.content, place_key(c, at, STR("content")), &t->parts);
    need_parts(c, t, place_key(c, at, STR("content")));
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
