/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The begin of a stream. Nothing is sent before an event with content has come: until then a
 * failure becomes a real status, and another upstream may be tried. What has come waits meanwhile
 * and goes out with the head, in one piece. Behind the head: keep-alives while the upstream thinks.
 */
#include "relay/relay_int.h"

static void set_pulse(struct request *r, int64_t ms)
{
    wheel_set(loop_timers(r->lane->loop), &r->pulse, loop_now_ms(r->lane->loop) + ms);
}

/* A client who wants one answer gets nothing of a stream before its end. */
static bool streams_out(const struct request *r)
{
    return r->conversion == NULL || r->stream;
}

bool stream_owes(const struct request *r)
{
    return r->head_sent || (streams_out(r) && !r->refused);
}

void stream_begin(struct request *r)
{
    request_move(r, REQ_STREAM);
    r->streamed = true;
    r->stream = r->stream || r->conversion == NULL; /* it passes as it is */
    sse_init(&r->sse);
    array_init(&r->array);
    if (streams_out(r)) {
        set_pulse(r, LIMIT_OPENING_MS);
    }
}

void stream_forget(struct request *r)
{
    r->stream = r->target.stream || r->ask.stream;
    if (!r->streamed) {
        return;
    }
    wheel_cancel(loop_timers(r->lane->loop), &r->pulse);
    sse_release(&r->sse);
    array_release(&r->array);
    buf_release(&r->converted);
    buf_clear(&r->tail);
    r->run = STR("");
    r->in_array = r->terminal = r->upstream_done = false;
    r->streamed = r->begun = r->refused = false;
    r->open_block = -1;
    request_await_total(r); /* a vendor's last word may have shortened it */
}

void stream_open(struct request *r)
{
    struct buf head;

    drop_request_bytes(r);
    r->head_sent = true;
    if (r->session != NULL) {
        buf_init(&head, LIMIT_HEAD_BYTES * 2);
        session_cork(r->session);
        answer_head(r, r->status, r->conversion != NULL ? convert_type(r) : STR(""), -1,
                    buf_str(&r->extra), &head);
        session_send(r->session, buf_str(&head), STR(""), STR(""));
        buf_release(&head);
    }
    buf_release(&r->extra);
    stream_send(r, buf_str(&r->reply));
    buf_release(&r->reply);
    wheel_cancel(loop_timers(r->lane->loop), &r->pulse);
    if (r->conversion != NULL) {
        r->told_ms = loop_now_ms(r->lane->loop);
        set_pulse(r, LIMIT_SILENCE_MS);
    }
}

/* An event behind which vendors may still refuse: it says only that there will be an answer. */
static bool is_preface(struct request *r, struct str data)
{
    static const struct str prefaces[] = {
        STR_INIT("\"message_start\""), STR_INIT("\"ping\""), STR_INIT("\"response.created\""),
        STR_INIT("\"response.queued\""), STR_INIT("\"response.in_progress\"")};
    struct str begin = str_slice(data.p, data.n < 64 ? data.n : 64);

    if (data.n == 0 || data.p[0] != '{') {
        return true; /* a comment, or what nobody can read */
    }
    if (r->meter.text_bytes > 0) {
        return false;
    }
    if (r->meter.dialect == DIALECT_CHAT) { /* the first has the role alone, mostly */
        bool first = !r->begun && str_find(data, STR("\"tool_calls\"")) == SIZE_MAX;
        r->begun = true;
        return first;
    }
    for (size_t i = 0; i < sizeof(prefaces) / sizeof(prefaces[0]); i++) {
        if (str_find(begin, prefaces[i]) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

/* Codex looks for this one in the stream alone, and shortens its history. */
static bool is_told_inside(const struct request *r, struct str data)
{
    struct vendor_words words;

    if (r->target.endpoint->dialect != DIALECT_RESPONSES || !r->stream) {
        return false;
    }
    vendor_words_read(NULL, r->status, data, DIALECT_RESPONSES, &words);
    buf_release(&words.memory);
    return words.too_long;
}

bool stream_opening(struct request *r, const struct sse_event *ev, enum mark mark)
{
    if (mark == MARK_FAILED && !is_told_inside(r, ev->data)) {
        buf_clear(&r->reply);
        r->refused = buf_add(&r->reply, ev->data);
        return false;
    }
    if (streams_out(r) && (mark != MARK_PLAIN || !is_preface(r, ev->data))) {
        stream_open(r);
    }
    return true;
}

const char *stream_trouble(const struct request *r)
{
    return r->bad_reply ? "an event that cannot be converted" : "more than can be held";
}

/* Not from inside the reply's own bytes, which are still being read. */
static void refuse(struct task *t)
{
    struct request *r = CONTAINER(t, struct request, refuse_task);

    if (r->state != REQ_STREAM || r->session == NULL) {
        return; /* the client has left meanwhile, or the station stops */
    }
    if (r->refused) {
        attempt_refused(r, "an error at the begin of its stream");
    } else {
        attempt_fail(r, FAILURE_BAD_REPLY, stream_trouble(r), r->status);
    }
}

void stream_refuse(struct request *r)
{
    exchange_abort(&r->exchange);
    r->refuse_task.run = refuse;
    loop_defer(r->lane->loop, &r->refuse_task);
}

void stream_pulse(struct timer *t)
{
    struct request *r = CONTAINER(t, struct request, pulse);
    int64_t silent = loop_now_ms(r->lane->loop) - r->told_ms;

    if (r->state != REQ_STREAM || r->session == NULL || r->refused) {
        return;
    }
    if (!r->head_sent) {
        stream_open(r);
        stream_send(r, buf_str(&r->converted));
        buf_release(&r->converted);
        return;
    }
    if (r->session->out.n > 0) {
        silent = 0; /* it does not take what it has: its deadline must not move */
    } else if (silent >= LIMIT_SILENCE_MS) {
        conversion_ping(r->conversion, &r->converted);
        stream_send(r, buf_str(&r->converted));
        buf_release(&r->converted);
        silent = 0;
    }
    set_pulse(r, LIMIT_SILENCE_MS - silent);
}
