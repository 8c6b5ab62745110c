/* SPDX-License-Identifier: Apache-2.0 */
/* A reply in the Anthropic Messages dialect, as events or whole. Source: Anthropic OpenAPI, Message
 * and MessageStreamEvent. */
#include "dialect/neutral.h"

static void put_id(struct conversion *c, struct json_out *o)
{
    struct buf id;

    buf_init(&id, 128);
    buf_cat(&id, STR("msg_"), c->reply.id);
    json_key(o, "id");
    json_put_str(o, buf_str(&id));
    buf_release(&id);
}

/* Of searches and fetches, which this dialect counts, too. */
static void put_tool_use(struct json_out *o, const struct usage *u)
{
    if (u->web_search == 0 && u->web_fetch == 0) {
        return;
    }
    json_key(o, "server_tool_use");
    json_open(o, '{');
    json_key(o, "web_search_requests");
    json_put_u64(o, u->web_search);
    json_key(o, "web_fetch_requests");
    json_put_u64(o, u->web_fetch);
    json_close(o, '}');
}

/* The ages are named where they are known: a total without them is of none. */
static void put_writes(struct json_out *o, const struct usage *u, uint64_t all)
{
    json_key(o, "cache_creation_input_tokens");
    json_put_u64(o, all);
    if (u->cache_write_5m + u->cache_write_1h == 0) {
        return;
    }
    json_key(o, "cache_creation");
    json_open(o, '{');
    json_key(o, "ephemeral_5m_input_tokens");
    json_put_u64(o, u->cache_write_5m);
    json_key(o, "ephemeral_1h_input_tokens");
    json_put_u64(o, u->cache_write_1h);
    json_close(o, '}');
}

/* langchain takes usage from the last event alone: all of it stands there. */
static void put_usage(const struct conversion *c, struct json_out *o)
{
    const struct usage *u = reply_usage(c);
    struct usage_sums s = usage_sums(u);

    json_key(o, "usage");
    json_open(o, '{');
    json_key(o, "input_tokens");
    json_put_u64(o, s.in - s.cache_read - s.cache_write);
    put_writes(o, u, s.cache_write);
    json_key(o, "cache_read_input_tokens");
    json_put_u64(o, s.cache_read);
    json_key(o, "output_tokens");
    json_put_u64(o, s.out);
    if (u->reasoning > 0) {
        json_key(o, "output_tokens_details");
        json_open(o, '{');
        json_key(o, "thinking_tokens");
        json_put_u64(o, u->reasoning);
        json_close(o, '}');
    }
    put_tool_use(o, u);
    json_close(o, '}');
}

static void begin(struct conversion *c, const char *type)
{
    buf_cat(c->out, STR("event: "), str_from(type), STR("\ndata: {\"type\":\""), str_from(type),
            STR("\""));
}

static void finish_event(struct conversion *c)
{
    buf_add(c->out, STR("}\n\n"));
}

static void start(struct conversion *c)
{
    struct json_out o = {c->out, true};

    begin(c, "message_start");
    json_key(&o, "message");
    json_open(&o, '{');
    put_id(c, &o);
    json_key(&o, "type");
    json_put_str(&o, STR("message"));
    json_key(&o, "role");
    json_put_str(&o, STR("assistant"));
    json_key(&o, "model");
    json_put_str(&o, c->reply.model);
    json_key(&o, "content");
    json_put_raw(&o, STR("[]"));
    json_key(&o, "stop_reason");
    json_put_raw(&o, STR("null"));
    json_key(&o, "stop_sequence");
    json_put_raw(&o, STR("null"));
    put_usage(c, &o);
    json_close(&o, '}');
    finish_event(c);
}

static bool redacted(const struct reply_part *p)
{
    return p->kind == PART_REASONING && p->withheld;
}

static void open_part(struct conversion *c, struct reply_part *p)
{
    struct json_out o = {c->out, true};

    begin(c, "content_block_start");
    buf_add(c->out, STR(",\"index\":"));
    buf_add_u64(c->out, p->number);
    json_key(&o, "content_block");
    json_open(&o, '{');
    json_key(&o, "type");
    if (redacted(p)) {
        json_put_str(&o, STR("redacted_thinking"));
        json_key(&o, "data");
        json_put_str(&o, p->opaque);
    } else if (p->kind == PART_REASONING) {
        json_put_str(&o, STR("thinking"));
        json_key(&o, "thinking");
        json_put_str(&o, STR(""));
        json_key(&o, "signature");
        json_put_str(&o, STR(""));
    } else if (p->kind == PART_CALL) {
        json_put_str(&o, STR("tool_use"));
        json_key(&o, "id");
        json_put_str(&o, p->id);
        json_key(&o, "name");
        json_put_str(&o, p->name);
        json_key(&o, "input");
        json_put_raw(&o, STR("{}"));
    } else {
        json_put_str(&o, STR("text"));
        json_key(&o, "text");
        json_put_str(&o, STR(""));
    }
    json_close(&o, '}');
    finish_event(c);
}

static void delta(struct conversion *c, const struct reply_part *p, const char *type,
                  const char *key, struct str text)
{
    begin(c, "content_block_delta");
    buf_add(c->out, STR(",\"index\":"));
    buf_add_u64(c->out, p->number);
    buf_cat(c->out, STR(",\"delta\":{\"type\":\""), str_from(type), STR("\",\""), str_from(key),
            STR("\":"));
    json_write_str(c->out, text);
    buf_add(c->out, STR("}}\n\n"));
}

static void piece(struct conversion *c, struct reply_part *p, struct str text)
{
    switch ((enum part_kind)p->kind) {
    case PART_REASONING: delta(c, p, "thinking_delta", "thinking", text); break;
    case PART_CALL: delta(c, p, "input_json_delta", "partial_json", text); break;
    default: delta(c, p, "text_delta", "text", text); break;
    }
}

/* Reasoning without a state of the upstream's has an envelope all the same: it must be there. */
static struct str signature(struct conversion *c, const struct reply_part *p)
{
    return p->opaque.n > 0 ? p->opaque : envelope_wrap(c, ENVELOPE_TEXT, STR(""));
}

static void close_part(struct conversion *c, struct reply_part *p)
{
    if (p->kind == PART_REASONING && !redacted(p)) {
        delta(c, p, "signature_delta", "signature", signature(c, p));
    }
    begin(c, "content_block_stop");
    buf_add(c->out, STR(",\"index\":"));
    buf_add_u64(c->out, p->number);
    finish_event(c);
}

/* A refusal is a text here, and how the answer ends. */
static enum finish finish(const struct conversion *c)
{
    enum finish f = (enum finish)c->reply.finish;

    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        f = p->kind == PART_REFUSAL && f == FINISH_STOP ? FINISH_FILTER : f;
    }
    return f;
}

static void put_stop(const struct conversion *c, struct json_out *o)
{
    json_key(o, "stop_reason");
    json_put_str(o, str_from(finish_word(DIALECT_MESSAGES, finish(c))));
    json_key(o, "stop_sequence");
    if (c->reply.finish == FINISH_STOP_SEQUENCE && c->reply.stop_sequence.n > 0) {
        json_put_str(o, c->reply.stop_sequence);
    } else {
        json_put_raw(o, STR("null"));
    }
}

static void end(struct conversion *c)
{
    struct json_out o = {c->out, true};

    begin(c, "message_delta");
    json_key(&o, "delta");
    json_open(&o, '{');
    put_stop(c, &o);
    json_close(&o, '}');
    put_usage(c, &o);
    finish_event(c);
    begin(c, "message_stop");
    finish_event(c);
}

static void ping(struct conversion *c)
{
    begin(c, "ping");
    finish_event(c);
}

/* ---- whole ---- */

static void put_block(struct conversion *c, struct json_out *o, const struct reply_part *p)
{
    json_open(o, '{');
    json_key(o, "type");
    if (redacted(p)) {
        json_put_str(o, STR("redacted_thinking"));
        json_key(o, "data");
        json_put_str(o, p->opaque);
    } else if (p->kind == PART_REASONING) {
        json_put_str(o, STR("thinking"));
        json_key(o, "thinking");
        json_put_str(o, buf_str(&p->text));
        json_key(o, "signature");
        json_put_str(o, signature(c, p));
    } else if (p->kind == PART_CALL) {
        json_put_str(o, STR("tool_use"));
        json_key(o, "id");
        json_put_str(o, p->id);
        json_key(o, "name");
        json_put_str(o, p->name);
        json_key(o, "input");
        reply_put_arguments(o, p);
    } else {
        json_put_str(o, STR("text"));
        json_key(o, "text");
        json_put_str(o, buf_str(&p->text));
    }
    json_close(o, '}');
}

static void whole(struct conversion *c)
{
    struct json_out o = {c->out, false};

    json_open(&o, '{');
    put_id(c, &o);
    json_key(&o, "type");
    json_put_str(&o, STR("message"));
    json_key(&o, "role");
    json_put_str(&o, STR("assistant"));
    json_key(&o, "model");
    json_put_str(&o, c->reply.model);
    json_key(&o, "content");
    json_open(&o, '[');
    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        put_block(c, &o, p);
    }
    json_close(&o, ']');
    put_stop(c, &o);
    put_usage(c, &o);
    json_close(&o, '}');
}

const struct reply_writer messages_writer = {.start = start,
                                             .open = open_part,
                                             .piece = piece,
                                             .close = close_part,
                                             .end = end,
                                             .ping = ping,
                                             .whole = whole};
