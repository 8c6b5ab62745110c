/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream's reply as it comes: its head, and one that is whole, which is kept until its charge
 * is durable. A stream goes on in opening.c and stream.c. */
#include <stdlib.h>

#include "base/clock.h"
#include "dialect/refusal.h"
#include "relay/relay_int.h"

static bool starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_slice(s.p, prefix.n), prefix);
}

/* Vendor headers that come back: its request ids and versions, not its quota with the operator. */
static void keep_headers(struct request *r, const struct head *h, const char *base)
{
    buf_clear(&r->extra);
    for (uint32_t i = 0; i < h->count; i++) {
        struct str name = str_slice(base + h->h[i].name, h->h[i].name_n);
        struct str value = str_slice(base + h->h[i].value, h->h[i].value_n);
        bool quota = starts_nocase(name, STR("anthropic-ratelimit"));
        bool vendor = starts_nocase(name, STR("openai-")) || starts_nocase(name, STR("anthropic-"));

        bool type = r->conversion == NULL && str_eq_nocase(name, STR("content-type"));
        vendor = vendor && r->conversion == NULL;

        if (type || str_eq_nocase(name, STR("x-request-id")) ||
            str_eq_nocase(name, STR("request-id")) || str_eq_nocase(name, STR("retry-after")) ||
            str_eq_nocase(name, STR("retry-after-ms")) ||
            str_eq_nocase(name, STR("x-should-retry")) ||
            (vendor && !quota && !str_eq_nocase(name, STR("openai-organization")))) {
            buf_cat(&r->extra, name, STR(": "), value, STR("\r\n"));
        }
    }
}

static void note_input_floor(struct request *r)
{
    if (r->target.endpoint->metered && !r->meter.has_usage) {
        r->input_floor = ask_input_floor(&r->ask);
    }
}

void drop_request_bytes(struct request *r)
{
    if (r->head == NULL) {
        return; /* they are gone */
    }
    note_input_floor(r);
    buf_release(&r->body);
    buf_release(&r->upstream_head);
    buf_release(&r->upstream_body);
    free(r->head);
    r->head = NULL;
    if (r->session != NULL) { /* it holds the head, and what of the body came with it */
        session_forget(r->session);
    }
    (void)request_count_memory(r);
}

static bool may_stream(const struct request *r)
{
    return r->conversion == NULL || r->target.endpoint->op == OP_GENERATE;
}

static void on_head(void *owner, const struct head *h, const char *base)
{
    struct request *r = owner;
    struct str coding = head_get(h, base, STR("content-encoding"));
    struct str type = head_get(h, base, STR("content-type"));

    r->status = h->status;
    r->first_us = clock_wall_us();
    attempt_head(r);
    r->bad_reply = coding.n > 0 && !str_eq_nocase(coding, STR("identity"));
    r->rest_ms = failure_retry_after_ms(h, base);
    buf_clear(&r->reply);
    keep_headers(r, h, base);
    bool events = starts_nocase(type, STR("text/event-stream"));
    if (events && !may_stream(r)) {
        r->bad_reply = true; /* a stream that nobody can have asked for */
    } else if (events && r->status < 400 && !r->bad_reply) {
        stream_begin(r);
    }
}

/* A stream that does not say in its head that it is one: an array, as Gemini has it without
 * alt=sse, or of events for a conversion, which reads whatever comes. */
static void look_for_stream(struct request *r)
{
    struct str s = str_trim(buf_str(&r->reply));
    bool array = (r->target.stream || r->conversion != NULL) && may_stream(r) &&
                 r->spoken == DIALECT_GEMINI && s.n > 0 && s.p[0] == '[';
    bool events =
        r->conversion != NULL && may_stream(r) &&
        (str_starts(s, STR("data:")) || str_starts(s, STR("event:")) || str_starts(s, STR(":")));

    if (r->status < 400 && (array || events)) {
        struct buf begun = r->reply;
        buf_init(&r->reply, LIMIT_BODY_BYTES);
        r->in_array = array;
        stream_begin(r);
        stream_bytes(r, buf_str(&begun));
        buf_release(&begun);
    }
}

static void on_body(void *owner, const char *p, size_t n)
{
    struct request *r = owner;

    if (r->state == REQ_STREAM) {
        stream_bytes(r, str_slice(p, n));
    } else if (!r->bad_reply && !(buf_add(&r->reply, str_slice(p, n)) && request_count_memory(r))) {
        r->bad_reply = true;
    } else if (!r->bad_reply) {
        look_for_stream(r);
    }
}

static void read_part(struct request *r, const struct json *part)
{
    struct meter *m = &r->meter;
    struct buf model = {.p = m->model, .cap = sizeof(m->model), .max = sizeof(m->model)};
    struct usage u = {.state = USAGE_MISSING};

    usage_read(m->dialect, r->channel.upstream->vendor, part, &u);
    if (u.state != USAGE_MISSING) {
        m->usage = u;
        m->has_usage = true;
    }
    if (!m->has_model && seen_model(m->dialect, part, &model)) {
        m->has_model = true;
        m->model_n = (uint8_t)model.n;
    }
    if (usage_output(&m->usage) == 0) { /* else nobody asks how much text there is */
        m->text_bytes += reply_text_bytes((enum dialect)m->dialect, part);
    }
}

static void read_whole(struct request *r, const struct json *root)
{
    if (!json_is_array(root)) {
        read_part(r, root);
        return;
    }
    struct json_each it = json_each(root);
    while (json_next(&it)) {
        read_part(r, it.value);
    }
}

/* It is no answer: by the model's fault, which another attempt may well repeat, or its host's. */
static void whole_unread(struct request *r)
{
    const struct problem *why = conversion_problem(r->conversion);

    if (why == NULL) {
        attempt_fail(r, FAILURE_BAD_REPLY, "not of its dialect", r->status);
        return;
    }
    attempt_note(r, FAILURE_MODEL, "a bad tool call", r->status);
    r->problem_code = why->code;
    r->problem_status = (uint16_t)why->status;
    request_failf(r, END_VENDOR_ERROR, NULL, "%.*s", STR_ARG(why->text));
}

static void whole_end(struct request *r)
{
    struct err e;
    struct refusal why;
    struct json_doc *doc = json_parse(buf_str(&r->reply), &e);

    if (doc == NULL) {
        attempt_fail(r, FAILURE_BAD_REPLY, "not JSON", r->status);
        return;
    }
    bool refused = refusal_read(vendor_find(r->channel.upstream->vendor), json_root(doc), &why);
    r->meter.text_bytes = 0;
    read_whole(r, json_root(doc));
    if (refused && (why.sure || !r->meter.has_usage)) {
        json_free(doc);
        attempt_refused(r, "an error under status 200");
        return;
    }
    json_free(doc);
    if (r->conversion != NULL) {
        note_input_floor(r);
        step_floor_usage(r); /* the usage that it shows is the one that is charged */
        if (!convert_whole(r)) {
            whole_unread(r);
            return;
        }
    }
    drop_request_bytes(r);
    r->end = r->target.endpoint->metered ? END_COMPLETE : END_FREE;
    request_move(r, REQ_CHARGE);
    request_run(r);
}

/* Gemini says in the body how long its quota is used up. */
static void read_retry(struct request *r)
{
    struct vendor_words words;

    if (r->rest_ms < 0 && r->meter.dialect == DIALECT_GEMINI) {
        vendor_words_read(NULL, r->status, buf_str(&r->reply), DIALECT_GEMINI, &words);
        r->rest_ms = words.retry_ms;
        buf_release(&words.memory);
    }
}

static void on_end(void *owner)
{
    struct request *r = owner;

    if (r->state == REQ_STREAM) {
        stream_end(r);
    } else if (r->status >= 400 && !r->bad_reply) {
        read_retry(r);
        attempt_fail(r, failure_of_reply(r->status, buf_str(&r->reply)), "status", r->status);
    } else if (r->bad_reply) {
        attempt_fail(r, FAILURE_BAD_REPLY, "compressed or too large", r->status);
    } else {
        whole_end(r);
    }
}

static void on_fail(void *owner, enum failure f, const char *why)
{
    struct request *r = owner;

    if (r->state == REQ_WAIT_REPLY) {
        r->rest_ms = -1;
        attempt_fail(r, f, why, 0);
    } else if (r->state == REQ_STREAM && (r->terminal || r->session == NULL)) {
        stream_end(r);
    } else if (r->state == REQ_STREAM) {
        stream_cut(r, f, why);
    }
}

const struct exchange_events reply_events = {on_head, on_body, on_end, on_fail};
