/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams from the upstream's bytes to the client's: event by event, up to the dialect's terminal
 * bytes, which wait in the tail until their charge is durable. How they begin is in opening.c.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "dialect/vendor.h"
#include "relay/relay_int.h"

#define TERMINAL_WAIT_MS 2000 /* a vendor that has said its last word but keeps the reply open */

void stream_send(struct request *r, struct str bytes)
{
    char room[24];
    struct buf size = {.p = room, .cap = sizeof(room), .max = sizeof(room)};

    if (bytes.n == 0) {
        return;
    }
    r->bytes_out += bytes.n;
    r->told_ms = loop_now_ms(r->lane->loop);
    if (r->session != NULL) {
        buf_add_hex(&size, bytes.n);
        buf_add(&size, STR("\r\n"));
        session_send(r->session, buf_str(&size), bytes, STR("\r\n"));
    }
}

static void flush_run(struct request *r)
{
    struct str run = r->run;

    r->run = STR("");
    stream_send(r, run);
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
    attempt_note(r, f, "an error in its stream", words.status);
    free(r->detail);
    r->detail = row->status != 0 ? strdup(row->text) : strndup(words.text.p, words.text.n);
    r->problem_code = row->status != 0 ? row->code : words.code;
    r->problem_status = row->status != 0 ? row->status : (uint16_t)words.status;
    buf_release(&words.memory);
}

bool stream_finished(const struct request *r)
{
    return r->conversion != NULL && r->meter.stage == STAGE_FINISHED;
}

/* False: it has failed, by the vendor's word or because it cannot be read or held. */
static bool converted_event(struct request *r, struct str data, enum mark mark, bool was_finished)
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
    } else if (stream_finished(r) && !was_finished) {
        await_terminal(r); /* for some say neither usage nor end */
    } else if (was_finished && !r->terminal && !stream_finished(r) && r->session != NULL) {
        request_await_total(r); /* it goes on all the same */
    }
    convert_event(r, data);
    return !r->bad_reply;
}

static bool on_event(void *ctx, const struct sse_event *ev)
{
    struct request *r = ctx;
    enum mark mark = MARK_PLAIN;
    bool was_finished = stream_finished(r);

    /* What follows the last word is no part of the answer; only Gemini counts up to the very end.
     */
    if (!r->terminal || r->meter.dialect == DIALECT_GEMINI) {
        mark = meter_event(&r->meter, r->channel.upstream->vendor, ev->name, ev->data);
    } else if (r->conversion != NULL) {
        return true;
    }
    if (!r->head_sent && !stream_opening(r, ev, mark)) {
        return false;
    }
    if (r->conversion != NULL) {
        return converted_event(r, ev->data, mark, was_finished);
    }
    if (!r->head_sent) {
        return buf_add(&r->reply, ev->raw);
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
        int64_t nano = request_cost_more(r, tokens);
        last = ledger_hold(&r->hold, r->key, nano);
        if (last == HOLD_HELD) {
            r->allot_waits = 0;
            return last;
        }
        if (last == HOLD_WAIT) {
            r->op.account = r->hold.from;
            r->op.nano = nano;
            return last;
        }
    }
    r->hold.asked = false; /* by the next time there may be more */
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
    if (!r->target.endpoint->metered || r->op_in_flight ||
        request_cost(r, in, soon) <= hold_total(&r->hold)) {
        return true;
    }
    enum hold_result more;
    do { /* one read may have brought several steps */
        more = hold_more(r);
    } while (more == HOLD_HELD && request_cost(r, in, soon) > hold_total(&r->hold));
    if (more == HOLD_HELD ||
        (more == HOLD_WAIT && r->allot_waits++ < 3 && step_ledger_ask(r, LEDGER_ALLOT))) {
        return true;
    }
    return request_cost(r, in, running) <= hold_total(&r->hold);
}

/* How an event of our own stands in this stream. */
static enum framing framing(const struct request *r)
{
    bool array = r->conversion != NULL ? r->target.framing == FRAMING_ARRAY : r->in_array;

    if (!array) {
        return FRAMING_SSE;
    }
    return r->bytes_out > 0 ? FRAMING_ARRAY : FRAMING_ARRAY_START;
}

static void end_at_limit(struct request *r)
{
    exchange_abort(&r->exchange);
    if (r->conversion == NULL) { /* else its end is written with the charge */
        limit_write_events(&r->meter, framing(r), r->open_block, &r->tail);
    }
    r->end = END_LIMIT;
    request_move(r, REQ_CHARGE);
    request_run(r);
}

void stream_allotted(struct request *r)
{
    if (r->session != NULL && !r->terminal && !extend(r)) {
        end_at_limit(r);
    }
}

void stream_bytes(struct request *r, struct str bytes)
{
    if (r->session != NULL) {
        session_cork(r->session);
    }
    bool ok = r->in_array ? array_feed(&r->array, bytes, on_event, r)
                          : sse_feed(&r->sse, bytes, on_event, r);

    ok = request_count_memory(r) && ok;
    if (!r->head_sent && !ok) {
        stream_refuse(r);
        return;
    }
    if (r->head_sent && r->converted.n > 0) {
        r->run = buf_str(&r->converted);
    }
    flush_run(r);
    if (r->head_sent) {
        buf_release(&r->converted); /* a stream that waits holds nothing */
    }
    if (!ok) {
        bool told = r->conversion != NULL && r->meter.failed;
        exchange_abort(&r->exchange);
        if (!told) {
            attempt_note(r, FAILURE_BAD_REPLY, stream_trouble(r), r->status);
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
        end_at_limit(r);
    } else if (r->session->out.n > LIMIT_HIGH_WATER) {
        exchange_pause(&r->exchange);
    }
}

void stream_settle(struct request *r)
{
    drop_request_bytes(r);
    request_move(r, REQ_CHARGE);
    request_run(r);
}

void stream_cut(struct request *r, enum failure f, const char *why)
{
    if (!r->head_sent) {
        attempt_fail(r, f, why, r->status);
        return;
    }
    attempt_note(r, f, why, r->status);
    stream_broken(r, END_UPSTREAM_BROKE);
}

void stream_end(struct request *r)
{
    r->upstream_done = true;
    if (r->session == NULL) {
        r->end = END_CLIENT_LEFT;
    } else if ((!meter_complete(&r->meter) && !(r->meter.failed && r->terminal) &&
                !stream_finished(r)) ||
               (r->in_array && !array_closed(&r->array))) {
        stream_cut(r, FAILURE_CUT, "a stream without its end");
        return;
    } else {
        struct str rest = r->in_array ? array_rest(&r->array) : sse_rest(&r->sse);
        if (rest.n > 0 && r->conversion == NULL) {
            buf_add(&r->tail, rest);
        }
        /* A vendor that says what went wrong and then ends properly is passed on as it is. */
        r->end = r->meter.failed ? END_VENDOR_ERROR : END_COMPLETE;
    }
    stream_settle(r);
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

void stream_unended(struct request *r)
{
    const struct problem *why = conversion_problem(r->conversion);

    if (why == NULL) {
        attempt_note(r, FAILURE_BAD_REPLY, "not of its dialect", r->status);
        r->end = r->head_sent ? END_UPSTREAM_BROKE : END_UPSTREAM_FAILED;
    } else { /* the model's fault: its channel needs no rest */
        attempt_note(r, FAILURE_MODEL, "a bad tool call", r->status);
        free(r->detail);
        r->detail = strndup(why->text.p, why->text.n);
        r->problem_code = why->code;
        r->problem_status = (uint16_t)why->status;
        r->end = END_VENDOR_ERROR;
    }
    stream_broken(r, (enum end)r->end);
    request_move(r, REQ_CLOSE);
}

static void client_left(struct request *r)
{
    const struct vendor *v = vendor_find(r->channel.upstream->vendor);

    r->end = END_CLIENT_LEFT;
    if (!r->head_sent) {
        stream_open(r);
    }
    /* The text is out: its usage is a moment away and cheaper to wait for than to estimate. */
    if (r->meter.stage >= STAGE_TEXT_DONE && !r->upstream_done) {
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
    if (!r->head_sent && r->session != NULL) {
        exchange_abort(&r->exchange);
        request_fail(r, end);
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
