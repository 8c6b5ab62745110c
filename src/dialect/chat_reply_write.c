/* SPDX-License-Identifier: Apache-2.0 */
/* A reply in the Chat Completions dialect, as chunks or whole. Source: OpenAI OpenAPI 2.3.0,
 * CreateChatCompletionStreamResponse and CreateChatCompletionResponse. */
#include "dialect/neutral.h"

static void put_identity(struct conversion *c, struct json_out *o, const char *object)
{
    struct buf id;

    buf_init(&id, 128);
    buf_cat(&id, STR("chatcmpl-"), c->reply.id);
    json_key(o, "id");
    json_put_str(o, buf_str(&id));
    buf_release(&id);
    json_key(o, "object");
    json_put_str(o, str_from(object));
    json_key(o, "created");
    json_put_u64(o, c->reply.created);
    json_key(o, "model");
    json_put_str(o, c->reply.model);
}

/* Every chunk begins alike: it is made once. */
static void open_delta(struct conversion *c)
{
    buf_add(c->out, c->reply.head);
}

static void close_delta(struct conversion *c)
{
    buf_add(c->out, c->ask.stream_usage ? STR("},\"finish_reason\":null}],\"usage\":null}\n\n")
                                        : STR("},\"finish_reason\":null}]}\n\n"));
}

static void start(struct conversion *c)
{
    struct buf head;
    struct json_out o = {&head, false};

    buf_init(&head, 1024);
    buf_add(&head, STR("data: "));
    json_open(&o, '{');
    put_identity(c, &o, "chat.completion.chunk");
    buf_add(&head, STR(",\"choices\":[{\"index\":0,\"delta\":{"));
    c->reply.head = conversion_take(c, &head);
    open_delta(c);
    buf_add(c->out, STR("\"role\":\"assistant\",\"content\":\"\""));
    close_delta(c);
}

static void open_call(struct conversion *c, const struct reply_part *p, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, "id");
    json_put_str(o, p->id);
    json_key(o, "type");
    json_put_str(o, p->custom ? STR("custom") : STR("function"));
    json_key(o, p->custom ? "custom" : "function");
    json_open(o, '{');
    json_key(o, "name");
    json_put_str(o, p->name);
    json_key(o, p->custom ? "input" : "arguments");
    json_put_str(o, c->whole ? buf_str(&p->text) : STR(""));
    json_close(o, '}');
    if (p->opaque.n > 0) {
        json_key(o, "extra_content");
        json_open(o, '{');
        json_key(o, "google");
        json_open(o, '{');
        json_key(o, "thought_signature");
        json_put_str(o, p->opaque);
        json_close(o, '}');
        json_close(o, '}');
    }
}

static void open_part(struct conversion *c, struct reply_part *p)
{
    struct json_out o = {c->out, false};

    if (p->kind != PART_CALL) {
        return; /* texts open with their first piece */
    }
    open_delta(c);
    buf_add(c->out, STR("\"tool_calls\":["));
    open_call(c, p, &o);
    json_key(&o, "index");
    json_put_u64(&o, p->call);
    json_close(&o, '}');
    buf_add_byte(c->out, ']');
    close_delta(c);
}

static void piece(struct conversion *c, struct reply_part *p, struct str text)
{
    open_delta(c);
    switch ((enum part_kind)p->kind) {
    case PART_REASONING: buf_add(c->out, STR("\"reasoning_content\":")); break;
    case PART_REFUSAL: buf_add(c->out, STR("\"refusal\":")); break;
    case PART_CALL:
        buf_add(c->out, STR("\"tool_calls\":[{\"index\":"));
        buf_add_u64(c->out, p->call);
        buf_add(c->out,
                p->custom ? STR(",\"custom\":{\"input\":") : STR(",\"function\":{\"arguments\":"));
        break;
    default: buf_add(c->out, STR("\"content\":")); break;
    }
    json_write_str(c->out, text);
    if (p->kind == PART_CALL) {
        buf_add(c->out, STR("}}]"));
    }
    close_delta(c);
}

/* A message has one text, in which the texts of its parts follow each other. */
static uint64_t characters_before(const struct conversion *c, const struct reply_part *until)
{
    uint64_t n = 0;

    for (const struct reply_part *p = c->reply.parts; p != until; p = p->next) {
        n += p->kind == PART_TEXT ? p->characters : 0;
    }
    return n;
}

/* Clients put the lists of deltas together by their items' index, and some fail without one. */
static void put_index(const struct conversion *c, struct json_out *o, uint64_t index)
{
    if (!c->whole) {
        json_key(o, "index");
        json_put_u64(o, index);
    }
}

static bool has_detail(const struct reply_part *p)
{
    return p->kind == PART_REASONING && p->opaque.n > 0;
}

static void put_detail(const struct conversion *c, struct json_out *o, const struct reply_part *p)
{
    uint64_t index = 0;

    for (const struct reply_part *q = c->reply.parts; q != p; q = q->next) {
        index += has_detail(q);
    }
    json_open_typed(o, "reasoning.encrypted");
    json_key(o, "data");
    json_put_str(o, p->opaque);
    put_index(c, o, index);
    json_close(o, '}');
}

static uint64_t citations_before(const struct conversion *c, const struct reply_part *until)
{
    uint64_t n = 0;

    for (const struct reply_part *p = c->reply.parts; p != until; p = p->next) {
        for (const struct citation *at = p->citations; at != NULL; at = at->next) {
            n++;
        }
    }
    return n;
}

static void put_citations(const struct conversion *c, struct json_out *o,
                          const struct reply_part *p)
{
    uint64_t before = characters_before(c, p);
    uint64_t index = citations_before(c, p);

    for (const struct citation *at = p->citations; at != NULL; at = at->next) {
        json_open_typed(o, "url_citation");
        json_key(o, "url_citation");
        json_open(o, '{');
        citation_write(o, p, at, before);
        json_close(o, '}');
        put_index(c, o, index++);
        json_close(o, '}');
    }
}

static void close_part(struct conversion *c, struct reply_part *p)
{
    struct json_out o = {c->out, false};

    if (p->citations != NULL) {
        open_delta(c);
        json_key(&o, "annotations");
        json_open(&o, '[');
        put_citations(c, &o, p);
        json_close(&o, ']');
        close_delta(c);
        o.comma = false;
    }
    if (has_detail(p)) {
        open_delta(c);
        json_key(&o, "reasoning_details");
        json_open(&o, '[');
        put_detail(c, &o, p);
        json_close(&o, ']');
        close_delta(c);
    }
}

static void put_usage(const struct conversion *c, struct json_out *o)
{
    struct usage_sums u = usage_sums(reply_usage(c));

    json_key(o, "usage");
    json_open(o, '{');
    json_key(o, "prompt_tokens");
    json_put_u64(o, u.in);
    json_key(o, "completion_tokens");
    json_put_u64(o, u.out);
    json_key(o, "total_tokens");
    json_put_u64(o, u.total);
    json_key(o, "prompt_tokens_details");
    json_open(o, '{');
    json_key(o, "cached_tokens");
    json_put_u64(o, u.cache_read);
    if (u.cache_write > 0) {
        json_key(o, "cache_write_tokens");
        json_put_u64(o, u.cache_write);
    }
    if (reply_usage(c)->in_audio > 0) { /* what is in cached_tokens stands there alone */
        json_key(o, "audio_tokens");
        json_put_u64(o, reply_usage(c)->in_audio);
    }
    json_close(o, '}');
    json_key(o, "completion_tokens_details");
    json_open(o, '{');
    json_key(o, "reasoning_tokens");
    json_put_u64(o, u.reasoning);
    if (u.out_audio > 0) {
        json_key(o, "audio_tokens");
        json_put_u64(o, u.out_audio);
    }
    json_close(o, '}');
    json_close(o, '}');
}

static void end(struct conversion *c)
{
    struct json_out o = {c->out, true};

    open_delta(c);
    buf_cat(c->out, STR("},\"finish_reason\":\""),
            str_from(finish_word(DIALECT_CHAT, (enum finish)c->reply.finish)), STR("\"}]"));
    buf_add(c->out, c->ask.stream_usage ? STR(",\"usage\":null}\n\n") : STR("}\n\n"));
    if (c->ask.stream_usage) {
        size_t choices = str_find(c->reply.head, STR(",\"choices\":["));
        buf_cat(c->out, str_slice(c->reply.head.p, choices), STR(",\"choices\":[]"));
        put_usage(c, &o);
        buf_add(c->out, STR("}\n\n"));
    }
    buf_add(c->out, STR("data: [DONE]\n\n"));
}

static void ping(struct conversion *c)
{
    buf_add(c->out, STR(": keep-alive\n\n"));
}

/* ---- whole ---- */

/* All parts of one kind as one text; absent: NULL is put. */
static void put_texts(const struct conversion *c, struct json_out *o, enum part_kind kind)
{
    bool any = false;

    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind != kind || p->text.n == 0) {
            continue;
        }
        if (!any) {
            json_put_raw(o, STR("\""));
        }
        any = true;
        json_write_inside(o->b, buf_str(&p->text));
    }
    if (any) {
        buf_add_byte(o->b, '"');
    } else {
        json_put_raw(o, STR("null"));
    }
}

static bool has_kind(const struct conversion *c, enum part_kind kind)
{
    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == kind) {
            return true;
        }
    }
    return false;
}

static void put_calls(struct conversion *c, struct json_out *o)
{
    json_key(o, "tool_calls");
    json_open(o, '[');
    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == PART_CALL) {
            open_call(c, p, o);
            json_close(o, '}');
        }
    }
    json_close(o, ']');
}

static void put_all_details(const struct conversion *c, struct json_out *o)
{
    bool any = false;

    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (!has_detail(p)) {
            continue;
        }
        if (!any) {
            json_key(o, "reasoning_details");
            json_open(o, '[');
        }
        any = true;
        put_detail(c, o, p);
    }
    if (any) {
        json_close(o, ']');
    }
}

static void put_all_citations(const struct conversion *c, struct json_out *o)
{
    bool any = false;

    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->citations != NULL && !any) {
            json_key(o, "annotations");
            json_open(o, '[');
            any = true;
        }
        if (p->citations != NULL) {
            put_citations(c, o, p);
        }
    }
    if (any) {
        json_close(o, ']');
    }
}

static void put_message(struct conversion *c, struct json_out *o)
{
    json_key(o, "message");
    json_open(o, '{');
    json_key(o, "role");
    json_put_str(o, STR("assistant"));
    json_key(o, "content");
    put_texts(c, o, PART_TEXT);
    json_key(o, "refusal");
    put_texts(c, o, PART_REFUSAL);
    put_all_citations(c, o);
    if (has_kind(c, PART_REASONING)) {
        json_key(o, "reasoning_content");
        put_texts(c, o, PART_REASONING);
        put_all_details(c, o);
    }
    if (c->reply.has_call) {
        put_calls(c, o);
    }
    json_close(o, '}');
}

static void whole(struct conversion *c)
{
    struct json_out o = {c->out, false};

    json_open(&o, '{');
    put_identity(c, &o, "chat.completion");
    json_key(&o, "choices");
    json_open(&o, '[');
    json_open(&o, '{');
    json_key(&o, "index");
    json_put_u64(&o, 0);
    put_message(c, &o);
    json_key(&o, "logprobs");
    json_put_raw(&o, STR("null"));
    json_key(&o, "finish_reason");
    json_put_str(&o, str_from(finish_word(DIALECT_CHAT, (enum finish)c->reply.finish)));
    json_close(&o, '}');
    json_close(&o, ']');
    put_usage(c, &o);
    json_close(&o, '}');
}

const struct reply_writer chat_writer = {.start = start,
                                         .open = open_part,
                                         .piece = piece,
                                         .close = close_part,
                                         .end = end,
                                         .ping = ping,
                                         .whole = whole};
