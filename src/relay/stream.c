/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the upstream's bytes to the client's: whole replies are kept until their charge is durable,
 * streams pass event by event up to the dialect's terminal bytes, which wait in the tail.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "dialect/refusal.h"
#include "relay/relay_int.h"

#define TERMINAL_WAIT_MS 2000 /* a vendor that has said its last word but keeps the reply open */

static void on_head(void *owner, const struct head *h, const char *base);
static void on_body(void *owner, const char *p, size_t n);
static void on_end(void *owner);
static void on_fail(void *owner, enum failure f, const char *why);

const struct exchange_events stream_events = {on_head, on_body, on_end, on_fail};

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

/* The request's bytes are of no more use once the reply has begun: wiped and freed. */
static void drop_request_bytes(struct request *r)
{
    if (r->target.endpoint->metered && !r->meter.has_usage) {
        r->input_floor = ask_input_floor(&r->ask);
    }
    buf_release(&r->body);
    buf_release(&r->upstream_head);
    buf_release(&r->upstream_body);
    free(r->head);
    r->head = NULL;
    (void)request_count_memory(r);
}

static void begin_stream(struct request *r)
{
    struct buf head;

    request_move(r, REQ_STREAM);
    drop_request_bytes(r);
    sse_init(&r->sse);
    array_init(&r->array);
    buf_init(&head, LIMIT_HEAD_BYTES * 2);
    session_cork(r->session);
    answer_head(r, r->status, r->conversion != NULL ? convert_type(r) : STR(""), -1,
                buf_str(&r->extra), &head);
    session_send(r->session, buf_str(&head), STR(""), STR(""));
    buf_release(&head);
    buf_release(&r->extra);
    r->head_sent = true;
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
    if (events && r->conversion != NULL && !r->stream) {
        r->bad_reply = true; /* a stream that nobody asked for */
    } else if (r->status < 400 && !r->bad_reply && events) {
        r->stream = true;
        begin_stream(r);
    }
}

static void flush_run(struct request *r)
{
    char room[24];
    struct buf size = {.p = room, .cap = sizeof(room), .max = sizeof(room)};
    struct str run = r->run;

    r->run = STR("");
    if (run.n == 0) {
        return;
    }
    r->bytes_out += run.n;
    if (r->session != NULL) {
        buf_add_hex(&size, run.n);
        buf_add(&size, STR("\r\n"));
        session_send(r->session, buf_str(&size), run, STR("\r\n"));
    }
}

static void note_block(struct request *r, const struct sse_event *ev)
{
    struct str rest = ev->data;
    size_t at = str_find(ev->data, STR("\"index\":"));
    uint64_t index;

    if (str_eq(ev->name, STR("content_block_stop"))) {
        r->open_block = -1;
    } else if (str_eq(ev->name, STR("content_block_start")) && at != SIZE_MAX) {
        rest = str_skip(ev->data, at + sizeof("\"index\":") - 1);
        rest = str_trim(str_slice(rest.p, str_find_byte(rest, ',')));
        r->open_block = str_to_u64(rest, &index) && index < INT16_MAX ? (int16_t)index : -1;
    }
}

/* These bytes move with the next feed. */
static bool waits_in(const struct buf *pending, const char *p)
{
    return pending->p != NULL && p >= pending->p && p < pending->p + pending->cap;
}

static void await_terminal(struct request *r)
{
    wheel_set(loop_timers(r->lane->loop), &r->timer, loop_now_ms(r->lane->loop) + TERMINAL_WAIT_MS);
}

/* The attempt's row says why it failed, and its channel rests. */
static void note_failure(struct request *r, enum failure f, const char *why, unsigned status)
{
    const struct failure_row *row = failure_row(f);
    const struct upstream *u = r->channel.upstream;
    int64_t rest = r->rest_ms > 0 ? r->rest_ms : row->cooldown_ms;

    r->failure = (uint8_t)f;
    r->rest_ms = -1;
    attempt_end(r, row->name);
    log_event(LOG_WARN, "attempt_failed",
              "id=%s upstream=%.*s failure=%s fault=%s status=%u why=\"%s\"", r->rid_text,
              STR_ARG(u->name), row->name, row->fault, status, why);
    if (row->cooldown_ms > 0 && u->cooldown_ms != 0 && !(f == FAILURE_CUT && r->exchange.reused)) {
        rest = u->cooldown_ms > 0 ? u->cooldown_ms : rest;
        atomic_store(&r->channel.health->rest_until_ms, loop_now_ms(r->lane->loop) + rest);
    }
}

/* The vendor has said that it failed, in the middle of its answer: an attempt's failure like those
 * before it, and the client is told what the table says. */
static void failed_by_vendor(struct request *r, struct str data)
{
    const struct vendor *v = vendor_find(r->channel.upstream->vendor);
    struct vendor_words words;

    vendor_words_read(v, r->status, data, (enum dialect)r->target.endpoint->dialect, &words);
    enum failure f = failure_of_reply(words.status, words.said);
    const struct failure_row *row = failure_row(f);
    r->rest_ms = words.retry_ms;
    note_failure(r, f, "an error in its stream", words.status);
    free(r->detail);
    r->detail = row->status != 0 ? strdup(row->text) : strndup(words.text.p, words.text.n);
    r->problem_code = row->status != 0 ? row->code : words.code;
    r->problem_status = row->status != 0 ? row->status : (uint16_t)words.status;
    buf_release(&words.memory);
}

/* False: it has failed, by the vendor's word or because it cannot be held. */
static bool converted_event(struct request *r, struct str data, enum mark mark)
{
    if (mark == MARK_FAILED) {
        failed_by_vendor(r, data);
        return false;
    }
    if (mark == MARK_TERMINAL && !r->terminal) {
        r->terminal = true;
        if (r->meter.dialect != DIALECT_GEMINI) {
            await_terminal(r);
        }
    } else if (r->meter.finishing && !r->finishing) {
        r->finishing = true; /* a vendor that has said how it ended, but neither usage nor end */
        await_terminal(r);
    }
    convert_event(r, data);
    return !r->bad_reply;
}

static bool on_event(void *ctx, const struct sse_event *ev)
{
    struct request *r = ctx;
    enum mark mark = MARK_PLAIN;

    /* What follows the last word is no part of the answer; only Gemini counts up to the very end.
     */
    if (!r->terminal || r->meter.dialect == DIALECT_GEMINI) {
        mark = meter_event(&r->meter, r->channel.upstream->vendor, ev->name, ev->data);
    }
    if (r->conversion != NULL) {
        return converted_event(r, ev->data, mark);
    }
    if (r->meter.dialect == DIALECT_MESSAGES) {
        note_block(r, ev);
    }
    if (r->terminal || mark == MARK_TERMINAL) {
        flush_run(r);
        if (!r->terminal && r->meter.dialect != DIALECT_GEMINI) {
            await_terminal(r);
        }
        r->terminal = true;
        return buf_add(&r->tail, ev->raw);
    }
    if (mark == MARK_USAGE_FRAME && r->own_usage_frame) {
        flush_run(r);
        return true;
    }
    if (r->run.n > 0 && r->run.p + r->run.n == ev->raw.p) {
        r->run.n += ev->raw.n;
    } else {
        flush_run(r);
        r->run = ev->raw;
    }
    if (waits_in(&r->sse.pending, ev->raw.p) || waits_in(&r->array.pending, ev->raw.p)) {
        flush_run(r);
    }
    return true;
}

#define STEP_MIN 64 /* tokens; a smaller step is not worth its way */

/* Holds for another step, or as much of one as there is. WAIT: the ledger is asked for more. */
static enum hold_result hold_more(struct request *r)
{
    enum hold_result last = HOLD_NO_FUNDS;

    for (uint64_t tokens = LIMIT_OUTPUT_STEP; tokens >= STEP_MIN; tokens /= 2) {
        int64_t nano = request_cost(r, 0, tokens);
        last = ledger_hold(r->key->account, r->key, nano);
        if (last == HOLD_HELD) {
            r->held += nano;
            r->allot_waits = 0;
            return last;
        }
        if (last == HOLD_WAIT) {
            r->op.account = r->key->account;
            r->op.nano = nano;
            return last;
        }
    }
    return last;
}

/* Grows the hold ahead of the running count; false when that has used up all there is. */
static bool extend(struct request *r)
{
    uint64_t in = (uint64_t)r->estimate_in;
    uint64_t running = r->meter.text_bytes / 3; /* more than there are, mostly; never above all */
    uint64_t soon = running + LIMIT_OUTPUT_STEP / 2;

    running = running < r->ceiling ? running : r->ceiling;
    soon = soon < r->ceiling ? soon : r->ceiling;
    if (!r->target.endpoint->metered || r->op_in_flight || request_cost(r, in, soon) <= r->held) {
        return true;
    }
    enum hold_result more = hold_more(r);
    if (more == HOLD_HELD ||
        (more == HOLD_WAIT && r->allot_waits++ < 3 && step_ledger_ask(r, LEDGER_ALLOT))) {
        return true;
    }
    return request_cost(r, in, running) <= r->held;
}

/* How an event of our own stands in this stream. */
static enum framing framing(const struct request *r)
{
    bool array = r->in_array || (r->conversion != NULL && r->target.framing == FRAMING_ARRAY);

    if (!array) {
        return FRAMING_SSE;
    }
    return r->bytes_out > 0 ? FRAMING_ARRAY : FRAMING_ARRAY_START;
}

static void stream_bytes(struct request *r, struct str bytes)
{
    if (r->session != NULL) {
        session_cork(r->session);
    }
    bool ok = r->in_array ? array_feed(&r->array, bytes, on_event, r)
                          : sse_feed(&r->sse, bytes, on_event, r);

    ok = request_count_memory(r) && ok;
    if (r->converted.n > 0) {
        r->run = buf_str(&r->converted);
    }
    flush_run(r);
    buf_release(&r->converted); /* a stream that waits holds nothing */
    if (!ok) {
        bool told = r->conversion != NULL && r->meter.failed;
        exchange_abort(&r->exchange);
        if (!told) {
            note_failure(r, FAILURE_BAD_REPLY, "more than can be held", r->status);
        }
        stream_broken(r, told ? END_VENDOR_ERROR : END_UPSTREAM_BROKE);
        return;
    }
    if (r->session == NULL) {
        r->settle_bytes += bytes.n;
        if (r->settle_bytes > LIMIT_SETTLE_BYTES) {
            exchange_abort(&r->exchange);
            request_move(r, REQ_CHARGE);
            request_run(r);
        }
        return;
    }
    if (!r->terminal && !extend(r)) {
        exchange_abort(&r->exchange);
        if (r->conversion == NULL) { /* else its end is written with the charge */
            limit_write_events(&r->meter, framing(r), r->open_block, &r->tail);
        }
        r->end = END_LIMIT;
        request_move(r, REQ_CHARGE);
        request_run(r);
    } else if (r->session->out.n > LIMIT_HIGH_WATER) {
        exchange_pause(&r->exchange);
    }
}

/* A stream that does not come as events is one array, which its first byte tells. */
static void look_for_array(struct request *r)
{
    struct str s = str_trim(buf_str(&r->reply));

    if (r->target.stream && r->status < 400 && s.n > 0 && s.p[0] == '[') {
        struct buf begun = r->reply;
        buf_init(&r->reply, LIMIT_BODY_BYTES);
        r->in_array = true;
        begin_stream(r);
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
        look_for_array(r);
    }
}

/* Tries another channel, or answers: with the vendor's own words where the table says so. */
static void fail_attempt(struct request *r, enum failure f, const char *why, unsigned status)
{
    const struct failure_row *row = failure_row(f);

    note_failure(r, f, why, status);
    if (f == FAILURE_CUT && r->exchange.reused) {
        r->stale_pool = true; /* which says nothing about its channel */
    } else {
        r->tried[r->tried_count++] = r->channel.health;
    }
    if (row->retry && r->attempt_count < LIMIT_ATTEMPTS && r->session != NULL) {
        request_move(r, REQ_SEND);
    } else {
        step_give_up(r);
    }
    request_run(r);
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
    if (m->usage.out + m->usage.reasoning == 0) { /* else nobody asks how much text there is */
        m->text_bytes += reply_text_bytes((enum dialect)m->dialect, part);
    }
}

static void read_whole(struct request *r, const struct json *root)
{
    if (!json_is_array(root)) {
        read_part(r, root);
        return;
    }
    for (size_t i = 0; i < json_count(root); i++) {
        char at[24];
        (void)snprintf(at, sizeof(at), "%zu", i);
        read_part(r, json_get(root, at));
    }
}

/* A failure that came as a success gets the status it stands for and the dialect's own shape. */
static void refuse_whole(struct request *r, const struct refusal *why)
{
    struct problem p = {.status = why->status, .text = why->text};
    struct buf body;

    if (p.text.n == 0) {
        p.text = STR("The vendor refused without a reason.");
    }
    if (r->conversion == NULL) { /* else it is read for its words */
        buf_init(&body, LIMIT_BODY_BYTES);
        problem_write((enum dialect)r->meter.dialect, &p, str_from(r->rid_text), &body);
        buf_release(&r->reply);
        r->reply = body;
    }
    r->status = (uint16_t)why->status;
    meter_init(&r->meter, (enum dialect)r->meter.dialect); /* another attempt begins anew */
    fail_attempt(r, failure_of_reply(r->status, buf_str(&r->reply)), "an error under status 200",
                 200);
}

static void whole_end(struct request *r)
{
    struct err e;
    struct refusal why;
    struct json_doc *doc = json_parse(buf_str(&r->reply), &e);

    if (doc == NULL) {
        fail_attempt(r, FAILURE_BAD_REPLY, "not JSON", r->status);
        return;
    }
    bool refused = refusal_read(vendor_find(r->channel.upstream->vendor), json_root(doc), &why);
    r->meter.text_bytes = 0;
    read_whole(r, json_root(doc));
    if (refused && (why.sure || !r->meter.has_usage)) {
        refuse_whole(r, &why);
        json_free(doc);
        return;
    }
    json_free(doc);
    if (r->conversion != NULL && !convert_whole(r)) {
        fail_attempt(r, FAILURE_BAD_REPLY, "not of its dialect", r->status);
        return;
    }
    drop_request_bytes(r);
    r->end = r->target.endpoint->metered ? END_COMPLETE : END_FREE;
    request_move(r, REQ_CHARGE);
    request_run(r);
}

static void stream_end(struct request *r)
{
    r->upstream_done = true;
    if (r->session == NULL) {
        r->end = END_CLIENT_LEFT;
    } else if ((!meter_complete(&r->meter) && !(r->meter.failed && r->terminal)) ||
               (r->in_array && !array_closed(&r->array))) {
        note_failure(r, FAILURE_CUT, "a stream without its end", r->status);
        stream_broken(r, END_UPSTREAM_BROKE);
        return;
    } else {
        struct str rest = r->in_array ? array_rest(&r->array) : sse_rest(&r->sse);
        if (rest.n > 0 && r->conversion == NULL) {
            buf_add(&r->tail, rest);
        }
        /* A vendor that says what went wrong and then ends properly is passed on as it is. */
        r->end = r->meter.failed ? END_VENDOR_ERROR : END_COMPLETE;
    }
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
        fail_attempt(r, failure_of_reply(r->status, buf_str(&r->reply)), "status", r->status);
    } else if (r->bad_reply) {
        fail_attempt(r, FAILURE_BAD_REPLY, "compressed or too large", r->status);
    } else {
        whole_end(r);
    }
}

static void on_fail(void *owner, enum failure f, const char *why)
{
    struct request *r = owner;

    if (r->state == REQ_WAIT_REPLY) {
        r->rest_ms = -1;
        fail_attempt(r, f, why, 0);
    } else if (r->state == REQ_STREAM && (r->terminal || r->session == NULL)) {
        stream_end(r);
    } else if (r->state == REQ_STREAM) {
        note_failure(r, f, why, r->status);
        stream_broken(r, END_UPSTREAM_BROKE);
    }
}

/* The client is told that the answer is not complete: the dialect's failure, and no last chunk. */
static void tell_broken(struct request *r, enum end end)
{
    const struct end_row *row = end_row(end);
    bool by_vendor = end == END_VENDOR_ERROR; /* its words, or the table's for them */
    struct problem p = {by_vendor ? r->problem_status : row->status,
                        by_vendor ? r->problem_code : row->code,
                        str_from(r->detail != NULL ? r->detail : row->text), NULL};
    struct session *s = r->session;
    struct buf out;

    if (s == NULL) {
        return;
    }
    if (!r->head_sent) {
        r->end = (uint8_t)end;
        answer_problem(r);
        return;
    }
    buf_init(&out, LIMIT_BODY_BYTES); /* a response may repeat what was asked */
    if (r->conversion != NULL) {
        conversion_fail(r->conversion, framing(r), &p, &out);
    } else {
        problem_write_event((enum dialect)r->target.endpoint->dialect, framing(r), &p, &out);
    }
    r->run = buf_str(&out);
    flush_run(r);
    buf_release(&out);
    r->session = NULL;
    session_answered(s, false);
}

static void client_left(struct request *r)
{
    const struct vendor *v = vendor_find(r->channel.upstream->vendor);

    r->end = END_CLIENT_LEFT;
    /* The text is out: its usage is a moment away and cheaper to wait for than to estimate. */
    if (r->meter.finishing && !r->upstream_done) {
        await_terminal(r);
        exchange_resume(&r->exchange);
        return;
    }
    if ((v != NULL && v->cancel_stops_billing) || r->upstream_done) {
        exchange_abort(&r->exchange);
        request_move(r, REQ_CHARGE);
        request_run(r);
        return;
    }
    exchange_resume(&r->exchange);
    wheel_set(loop_timers(r->lane->loop), &r->timer, loop_now_ms(r->lane->loop) + LIMIT_SETTLE_MS);
}

void stream_broken(struct request *r, enum end end)
{
    if (r->state == REQ_CHARGE || r->state == REQ_WAIT_COMMIT) {
        tell_broken(r, end);
        return;
    }
    if (r->state != REQ_STREAM) {
        request_fail(r, end);
        return;
    }
    if (end == END_CLIENT_LEFT) {
        client_left(r);
        return;
    }
    r->end = r->session == NULL ? END_CLIENT_LEFT : (uint8_t)end;
    tell_broken(r, end);
    exchange_abort(&r->exchange);
    request_move(r, REQ_CHARGE);
    request_run(r);
}

void stream_release_tail(struct request *r)
{
    struct session *s = r->session;
    struct buf head;

    if (s != NULL && r->head_sent) {
        session_cork(s);
        r->run = buf_str(&r->tail);
        flush_run(r);
        /* The vendor's own failure is passed on, but no failed stream ends as a success. */
        r->keep = r->keep && !r->meter.failed;
        session_send(s, r->meter.failed ? STR("") : STR("0\r\n\r\n"), STR(""), STR(""));
    } else if (s != NULL) {
        buf_init(&head, LIMIT_HEAD_BYTES * 2);
        answer_head(r, r->status, r->conversion != NULL ? convert_type(r) : STR(""),
                    (int64_t)r->reply.n, buf_str(&r->extra), &head);
        session_send(s, buf_str(&head), buf_str(&r->reply), STR(""));
        r->bytes_out = r->reply.n;
        buf_release(&head);
    }
    if (s != NULL) {
        r->session = NULL;
        session_answered(s, r->keep);
    }
    request_move(r, REQ_CLOSE);
}
