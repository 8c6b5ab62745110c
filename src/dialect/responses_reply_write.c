/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reply in the Responses dialect, as events or whole. Source: OpenAI OpenAPI 2.3.0, Response and
 * ResponseStreamEvent; Open Responses 2026-04-24, whose responses always have all of their members.
 * One item is open at a time. Texts that follow each other are the contents of one message.
 */
#include "dialect/neutral.h"

/* ---- items ---- */

static bool is_content(const struct reply_part *p)
{
    return p->kind == PART_TEXT || p->kind == PART_REFUSAL;
}

static bool is_cut(const struct conversion *c)
{
    return c->reply.finish == FINISH_LENGTH || c->reply.finish == FINISH_CONTEXT ||
           c->reply.finish == FINISH_FILTER;
}

static struct str item_type(const struct reply_part *p)
{
    return p->kind == PART_REASONING ? STR("reasoning")
           : p->kind != PART_CALL    ? STR("message")
           : p->search               ? STR("tool_search_call")
           : p->custom               ? STR("custom_tool_call")
                                     : STR("function_call");
}

static void put_item_id(const struct conversion *c, struct buf *b, const struct reply_part *p,
                        unsigned item)
{
    struct str prefix = p->kind == PART_REASONING ? STR("\"rs_")
                        : p->kind != PART_CALL    ? STR("\"msg_")
                        : p->search               ? STR("\"tsc_")
                        : p->custom               ? STR("\"ctc_")
                                                  : STR("\"fc_");

    buf_cat(b, prefix, c->reply.id, STR("_"));
    buf_add_u64(b, item);
    buf_add_byte(b, '"');
}

static void put_citation(struct json_out *o, const struct reply_part *p,
                         const struct citation *what)
{
    json_open_typed(o, "url_citation");
    citation_write(o, p, what, 0);
    json_close(o, '}');
}

static void put_content(struct json_out *o, const struct reply_part *p, struct str text)
{
    json_open(o, '{');
    json_key(o, "type");
    if (p->kind == PART_REFUSAL) {
        json_put_str(o, STR("refusal"));
        json_key(o, "refusal");
    } else {
        json_put_str(o, STR("output_text"));
        json_key(o, "annotations");
        json_open(o, '[');
        for (const struct citation *at = p->citations; at != NULL; at = at->next) {
            put_citation(o, p, at);
        }
        json_close(o, ']');
        json_key(o, "logprobs");
        json_put_raw(o, STR("[]"));
        json_key(o, "text");
    }
    json_put_str(o, text);
    json_close(o, '}');
}

/* p is the first of the message; up to: the first that is not of it, or NULL. */
static void put_message(struct json_out *o, const struct reply_part *p, bool done,
                        const char *status)
{
    json_key(o, "status");
    json_put_str(o, str_from(status));
    json_key(o, "role");
    json_put_str(o, STR("assistant"));
    json_key(o, "content");
    json_open(o, '[');
    for (; done && p != NULL && is_content(p); p = p->next) {
        put_content(o, p, buf_str(&p->text));
    }
    json_close(o, ']');
}

static void put_summary(struct json_out *o, const struct reply_part *p)
{
    json_open(o, '{');
    json_key(o, "type");
    json_put_str(o, STR("summary_text"));
    json_key(o, "text");
    json_put_str(o, p != NULL ? buf_str(&p->text) : STR(""));
    json_close(o, '}');
}

/* Some clients return nothing but the encrypted content: without a state the text stands there. */
static void put_reasoning(struct conversion *c, struct json_out *o, const struct reply_part *p,
                          bool done)
{
    json_key(o, "summary");
    json_open(o, '[');
    if (done && p->text.n > 0) {
        put_summary(o, p);
    }
    json_close(o, ']');
    if (done) {
        json_key(o, "encrypted_content");
        json_put_str(o, p->opaque.n > 0 ? p->opaque
                                        : envelope_wrap(c, ENVELOPE_TEXT, buf_str(&p->text)));
    }
}

static void put_call(struct json_out *o, const struct reply_part *p, bool done, const char *status)
{
    json_key(o, "status");
    json_put_str(o, str_from(status));
    json_key(o, "call_id");
    json_put_str(o, p->id);
    if (p->search) {
        json_key(o, "execution");
        json_put_str(o, STR("client"));
        json_key(o, "arguments");
        if (done) {
            reply_put_arguments(o, p);
        } else {
            json_put_raw(o, STR("{}"));
        }
        return;
    }
    json_key(o, "name");
    json_put_str(o, p->name);
    if (p->group.n > 0) {
        json_key(o, "namespace");
        json_put_str(o, p->group);
    }
    json_key(o, p->custom ? "input" : "arguments");
    json_put_str(o, done ? buf_str(&p->text) : STR(""));
}

static void put_item(struct conversion *c, struct json_out *o, const struct reply_part *p,
                     unsigned item, const char *status)
{
    bool done = strcmp(status, "in_progress") != 0;

    json_open(o, '{');
    json_key(o, "id");
    put_item_id(c, o->b, p, item);
    o->comma = true;
    json_key(o, "type");
    json_put_str(o, item_type(p));
    if (p->kind == PART_REASONING) {
        put_reasoning(c, o, p, done);
    } else if (p->kind == PART_CALL) {
        put_call(o, p, done, status);
    } else {
        put_message(o, p, done, status);
    }
    json_close(o, '}');
}

/* ---- the response ---- */

static void put_output(struct conversion *c, struct json_out *o)
{
    const struct reply_part *p = c->reply.parts;
    unsigned item = 0;

    json_key(o, "output");
    json_open(o, '[');
    while (p != NULL) {
        const struct reply_part *last = p;
        while (is_content(p) && last->next != NULL && is_content(last->next)) {
            last = last->next;
        }
        bool cut = p->cut || (is_content(p) && last->next == NULL && is_cut(c));
        put_item(c, o, p, item++, cut ? "incomplete" : "completed");
        p = last->next;
    }
    json_close(o, ']');
}

static void put_usage(const struct conversion *c, struct json_out *o)
{
    struct usage_sums u = usage_sums(reply_usage(c));

    json_key(o, "usage");
    json_open(o, '{');
    json_key(o, "input_tokens");
    json_put_u64(o, u.in);
    json_key(o, "input_tokens_details");
    json_open(o, '{');
    json_key(o, "cached_tokens");
    json_put_u64(o, u.cache_read);
    json_key(o, "cache_write_tokens");
    json_put_u64(o, u.cache_write);
    json_close(o, '}');
    json_key(o, "output_tokens");
    json_put_u64(o, u.out);
    json_key(o, "output_tokens_details");
    json_open(o, '{');
    json_key(o, "reasoning_tokens");
    json_put_u64(o, u.reasoning);
    json_close(o, '}');
    json_key(o, "total_tokens");
    json_put_u64(o, u.total);
    json_close(o, '}');
}

static void open_response(struct conversion *c, struct json_out *o, const char *status)
{
    json_open(o, '{');
    json_key(o, "id");
    buf_cat(o->b, STR("\"resp_"), c->reply.id, STR("\""));
    o->comma = true;
    json_key(o, "object");
    json_put_str(o, STR("response"));
    json_key(o, "created_at");
    json_put_u64(o, c->reply.created);
    json_key(o, "completed_at");
    json_put_raw(o, STR("null"));
    json_key(o, "status");
    json_put_str(o, str_from(status));
    json_key(o, "model");
    json_put_str(o, c->reply.model);
}

static void put_reason(struct json_out *o, struct str reason)
{
    json_key(o, "incomplete_details");
    if (reason.n == 0) {
        json_put_raw(o, STR("null"));
        return;
    }
    json_open(o, '{');
    json_key(o, "reason");
    json_put_str(o, reason);
    json_close(o, '}');
}

static void put_error(struct json_out *o, struct str code, struct str text)
{
    json_key(o, "error");
    if (text.n == 0) {
        json_put_raw(o, STR("null"));
        return;
    }
    json_open(o, '{');
    json_key(o, "code");
    json_put_str(o, code);
    json_key(o, "message");
    json_put_str(o, text);
    json_close(o, '}');
}

static void close_response(struct conversion *c, struct json_out *o)
{
    buf_add(o->b, c->reply.settings);
    json_close(o, '}');
}

static void put_begun(struct conversion *c, struct json_out *o)
{
    open_response(c, o, "in_progress");
    put_reason(o, STR(""));
    put_error(o, STR(""), STR(""));
    json_key(o, "output");
    json_put_raw(o, STR("[]"));
    json_key(o, "usage");
    json_put_raw(o, STR("null"));
    close_response(c, o);
}

static const char *final_status(const struct conversion *c)
{
    return is_cut(c) ? "incomplete" : "completed";
}

static void put_final(struct conversion *c, struct json_out *o)
{
    const char *reason = finish_word(DIALECT_RESPONSES, (enum finish)c->reply.finish);

    open_response(c, o, final_status(c));
    put_reason(o, is_cut(c) ? str_from(reason) : STR(""));
    put_error(o, STR(""), STR(""));
    put_output(c, o);
    put_usage(c, o);
    close_response(c, o);
}

/* ---- events ---- */

static void begin(struct conversion *c, const char *type)
{
    buf_cat(c->out, STR("event: "), str_from(type), STR("\ndata: {\"type\":\""), str_from(type),
            STR("\",\"sequence_number\":"));
    buf_add_u64(c->out, c->reply.sequence++);
}

static void finish_event(struct conversion *c)
{
    buf_add(c->out, STR("}\n\n"));
}

/* An event of the open item, which p is part of. */
static void begin_inside(struct conversion *c, const char *type, const struct reply_part *p)
{
    unsigned item = c->reply.items - 1;

    begin(c, type);
    buf_add(c->out, STR(",\"item_id\":"));
    put_item_id(c, c->out, p, item);
    buf_add(c->out, STR(",\"output_index\":"));
    buf_add_u64(c->out, item);
    if (is_content(p)) {
        buf_add(c->out, STR(",\"content_index\":"));
        buf_add_u64(c->out, c->reply.contents);
    } else if (p->kind == PART_REASONING) {
        buf_add(c->out, STR(",\"summary_index\":0"));
    }
}

static void say_item(struct conversion *c, const char *type, const struct reply_part *p,
                     const char *status)
{
    struct json_out o = {c->out, true};

    begin(c, type);
    json_key(&o, "output_index");
    json_put_u64(&o, c->reply.items - 1);
    json_key(&o, "item");
    put_item(c, &o, p, c->reply.items - 1, status);
    finish_event(c);
}

static void say_text(struct conversion *c, const char *type, const struct reply_part *p,
                     const char *key, struct str text)
{
    begin_inside(c, type, p);
    buf_cat(c->out, STR(",\""), str_from(key), STR("\":"));
    json_write_str(c->out, text);
    buf_add(c->out, p->kind == PART_TEXT ? STR(",\"logprobs\":[]}\n\n") : STR("}\n\n"));
}

static void start(struct conversion *c)
{
    static const char *const types[] = {"response.created", "response.in_progress"};
    struct json_out o = {c->out, true};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        begin(c, types[i]);
        json_key(&o, "response");
        put_begun(c, &o);
        finish_event(c);
    }
}

static void close_message(struct conversion *c, const char *status)
{
    if (c->reply.message != NULL) {
        say_item(c, "response.output_item.done", c->reply.message, status);
        c->reply.message = NULL;
    }
}

static void say_content(struct conversion *c, const char *type, const struct reply_part *p,
                        struct str text)
{
    struct json_out o = {c->out, true};

    begin_inside(c, type, p);
    json_key(&o, "part");
    put_content(&o, p, text);
    finish_event(c);
}

static void open_part(struct conversion *c, struct reply_part *p)
{
    if (!is_content(p)) {
        close_message(c, "completed");
    }
    if (c->reply.message == NULL) {
        c->reply.items++;
        say_item(c, "response.output_item.added", p, "in_progress");
    }
    if (is_content(p)) {
        c->reply.contents = c->reply.message == NULL ? 0 : c->reply.contents + 1;
        c->reply.message = c->reply.message == NULL ? p : c->reply.message;
        say_content(c, "response.content_part.added", p, STR(""));
    }
}

static void say_summary(struct conversion *c, const char *type, const struct reply_part *p,
                        const struct reply_part *text)
{
    struct json_out o = {c->out, true};

    begin_inside(c, type, p);
    json_key(&o, "part");
    put_summary(&o, text);
    finish_event(c);
}

static void piece(struct conversion *c, struct reply_part *p, struct str text)
{
    switch ((enum part_kind)p->kind) {
    case PART_REASONING:
        if (p->text_n == text.n) { /* the first: what has no text has no summary */
            say_summary(c, "response.reasoning_summary_part.added", p, NULL);
        }
        say_text(c, "response.reasoning_summary_text.delta", p, "delta", text);
        break;
    case PART_REFUSAL: say_text(c, "response.refusal.delta", p, "delta", text); break;
    case PART_CALL:
        if (p->search) { /* its arguments are an object, which comes at once */
            break;
        }
        say_text(c,
                 p->custom ? "response.custom_tool_call_input.delta"
                           : "response.function_call_arguments.delta",
                 p, "delta", text);
        break;
    default: say_text(c, "response.output_text.delta", p, "delta", text); break;
    }
}

static void close_call(struct conversion *c, const struct reply_part *p)
{
    struct json_out o = {c->out, true};

    if (p->custom) {
        say_text(c, "response.custom_tool_call_input.done", p, "input", buf_str(&p->text));
        return;
    }
    begin_inside(c, "response.function_call_arguments.done", p);
    json_key(&o, "name");
    json_put_str(&o, p->name);
    json_key(&o, "arguments");
    json_put_str(&o, buf_str(&p->text));
    finish_event(c);
}

static void say_citations(struct conversion *c, const struct reply_part *p)
{
    struct json_out o = {c->out, true};
    uint64_t n = 0;

    for (const struct citation *at = p->citations; at != NULL; at = at->next) {
        begin_inside(c, "response.output_text.annotation.added", p);
        json_key(&o, "annotation_index");
        json_put_u64(&o, n++);
        json_key(&o, "annotation");
        put_citation(&o, p, at);
        finish_event(c);
    }
}

static void close_part(struct conversion *c, struct reply_part *p)
{
    struct str text = buf_str(&p->text);

    if (p->kind == PART_REFUSAL) {
        say_text(c, "response.refusal.done", p, "refusal", text);
    } else if (p->kind == PART_CALL && !p->search) {
        close_call(c, p);
    } else if (p->kind == PART_REASONING && text.n > 0) {
        say_text(c, "response.reasoning_summary_text.done", p, "text", text);
        say_summary(c, "response.reasoning_summary_part.done", p, p);
    } else if (p->kind == PART_TEXT) {
        say_citations(c, p);
        say_text(c, "response.output_text.done", p, "text", text);
    }
    if (is_content(p)) {
        say_content(c, "response.content_part.done", p, text);
    } else {
        say_item(c, "response.output_item.done", p, p->cut ? "incomplete" : "completed");
    }
}

static void end(struct conversion *c)
{
    struct json_out o = {c->out, true};

    close_message(c, final_status(c));
    begin(c, is_cut(c) ? "response.incomplete" : "response.completed");
    json_key(&o, "response");
    put_final(c, &o);
    finish_event(c);
}

static void fail(struct conversion *c, const struct problem *p)
{
    struct json_out o = {c->out, true};

    begin(c, "response.failed");
    json_key(&o, "response");
    open_response(c, &o, "failed");
    put_reason(&o, STR(""));
    put_error(&o, p->code != NULL ? str_from(p->code) : STR("server_error"), p->text);
    json_key(&o, "output");
    json_put_raw(&o, STR("[]"));
    json_key(&o, "usage");
    json_put_raw(&o, STR("null"));
    close_response(c, &o);
    finish_event(c);
}

static void ping(struct conversion *c)
{
    buf_add(c->out, STR(": keep-alive\n\n"));
}

static void whole(struct conversion *c)
{
    struct json_out o = {c->out, false};

    put_final(c, &o);
}

const struct reply_writer responses_writer = {.keeps_texts = true,
                                              .start = start,
                                              .open = open_part,
                                              .piece = piece,
                                              .close = close_part,
                                              .end = end,
                                              .fail = fail,
                                              .ping = ping,
                                              .whole = whole};
