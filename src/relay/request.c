/* SPDX-License-Identifier: Apache-2.0 */
/* The diagram of a request as a table, and the driver. The steps themselves are in steps.c. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/sm.h"
#include "dialect/convert.h"
#include "relay/relay_int.h"

#define FAILED (SM_BIT(REQ_ANSWER) | SM_BIT(REQ_CLOSE))

const struct sm_state request_states[] = {
    [REQ_HEAD] = {"head", SM_BIT(REQ_BODY) | SM_BIT(REQ_PARSE) | FAILED},
    [REQ_BODY] = {"body", SM_BIT(REQ_PARSE) | FAILED},
    [REQ_PARSE] = {"parse", SM_BIT(REQ_ADMIT) | SM_BIT(REQ_WAIT_LEDGER) | FAILED},
    [REQ_ADMIT] = {"admit", SM_BIT(REQ_HOLD) | SM_BIT(REQ_SEND) | FAILED},
    [REQ_HOLD] = {"hold", SM_BIT(REQ_WAIT_LEDGER) | SM_BIT(REQ_SEND) | FAILED},
    [REQ_WAIT_LEDGER] = {"wait_ledger", SM_BIT(REQ_HOLD) | FAILED},
    [REQ_SEND] = {"send", SM_BIT(REQ_WAIT_REPLY) | FAILED},
    [REQ_WAIT_REPLY] = {"wait_reply",
                        SM_BIT(REQ_SEND) | SM_BIT(REQ_STREAM) | SM_BIT(REQ_CHARGE) | FAILED},
    [REQ_STREAM] = {"stream", SM_BIT(REQ_SEND) | SM_BIT(REQ_CHARGE) | FAILED},
    [REQ_CHARGE] = {"charge", SM_BIT(REQ_WAIT_COMMIT) | FAILED},
    [REQ_WAIT_COMMIT] = {"wait_commit", FAILED},
    [REQ_ANSWER] = {"answer", SM_BIT(REQ_CLOSE)},
    [REQ_CLOSE] = {"close", SM_BIT(REQ_DONE)},
    [REQ_DONE] = {"done", 0},
};

/* What to do on entering a state; states without a function wait for an event. */
static void (*const steps[])(struct request *) = {
    [REQ_PARSE] = step_parse, [REQ_ADMIT] = step_admit,   [REQ_HOLD] = step_hold,
    [REQ_SEND] = step_send,   [REQ_CHARGE] = step_charge, [REQ_ANSWER] = step_answer,
    [REQ_CLOSE] = step_close, [REQ_DONE] = NULL,
};

_Static_assert(END_COUNT <= sizeof(((struct station *)0)->ends) / sizeof(atomic_ullong),
               "every end has its counter");

void request_move(struct request *r, enum request_state to)
{
    sm_move(request_states, &r->state, (uint8_t)to);
}

void request_await_total(struct request *r)
{
    wheel_set(loop_timers(r->lane->loop), &r->timer, r->until_ms);
}

/* Steps move the state; a step that leaves it where it is waits. */
void request_run(struct request *r)
{
    uint8_t before;

    do {
        before = r->state;
        if (steps[before] != NULL) {
            steps[before](r);
        }
    } while (r->state != before && r->state != REQ_DONE);
}

void request_fail(struct request *r, enum end end)
{
    if (r->state >= REQ_ANSWER) {
        return;
    }
    r->end = (uint8_t)end;
    request_move(r, REQ_ANSWER);
    request_run(r);
}

void request_failf(struct request *r, enum end end, const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    free(r->detail);
    if (vasprintf(&r->detail, format, args) < 0) {
        r->detail = NULL; /* the end's own words do */
    }
    va_end(args);
    r->field = field;
    request_fail(r, end);
}

/* The longest a request may take, whatever it waits for. */
static void on_timer(struct timer *t)
{
    struct request *r = CONTAINER(t, struct request, timer);

    if (r->state == REQ_WAIT_COMMIT) {
        r->late = true;
        r->end = END_LEDGER_LATE;
        stream_broken(r, END_LEDGER_LATE);
    } else if (r->state == REQ_STREAM &&
               (r->session == NULL || stream_finished(r) ||
                (r->terminal && !r->in_array))) { /* an array must close */
        exchange_abort(&r->exchange);
        r->upstream_done = true;
        stream_settle(r);
    } else if (r->state == REQ_WAIT_REPLY) {
        exchange_abort(&r->exchange);
        r->problem_status = 504;
        request_failf(r, END_UPSTREAM_FAILED, NULL, "The upstream did not answer in time.");
    } else if (r->state == REQ_CHARGE) { /* the ledger is stuck, and no charge was made */
        r->end = END_LEDGER_LATE;
        stream_broken(r, END_LEDGER_LATE);
        request_move(r, REQ_CLOSE);
        request_run(r);
    } else if (r->state == REQ_WAIT_LEDGER) {
        request_fail(r, r->self != NULL ? END_STORE_FAILED : END_LEDGER_LATE);
    } else if (r->state < REQ_CHARGE) {
        exchange_abort(&r->exchange);
        stream_broken(r, END_TOTAL);
    }
}

struct request *request_new(struct session *s)
{
    struct request *r = calloc(1, sizeof(*r));

    assert(r != NULL);
    r->lane = s->lane;
    r->session = s;
    r->config = config_ref(lane_config(s->lane));
    r->head = malloc(sizeof(*r->head));
    assert(r->head != NULL);
    r->client = s->peer;
    r->ts_us = clock_wall_us();
    r->rid = rid_new(r->ts_us);
    rid_text(r->rid_text, &r->rid);
    buf_init(&r->body, LIMIT_BODY_BYTES + 1);
    buf_init(&r->upstream_head, LIMIT_HEAD_BYTES * 2);
    buf_init(&r->upstream_body, LIMIT_BODY_BYTES + 4096);
    buf_init(&r->reply, LIMIT_BODY_BYTES);
    buf_init(&r->tail, LIMIT_EVENT_BYTES * 2);
    buf_init(&r->converted, LIMIT_EVENT_BYTES * 2);
    r->open_block = -1;
    buf_init(&r->extra, LIMIT_HEAD_BYTES);
    r->timer.fire = on_timer;
    r->pulse.fire = stream_pulse;
    r->op.task.run = step_ledger_done;
    r->until_ms = loop_now_ms(r->lane->loop) + r->config->total_ms;
    wheel_set(loop_timers(r->lane->loop), &r->timer, r->until_ms);
    r->lane->request_count++;
    return r;
}

bool request_count_memory(struct request *r)
{
    size_t now = r->body.cap + r->upstream_body.cap + r->reply.cap + r->tail.cap +
                 r->converted.cap + conversion_memory(r->conversion) + r->sse.pending.cap +
                 r->sse.joined.cap + r->array.pending.cap +
                 (r->coding != NULL ? coding_memory(r->coding) : 0);
    long grown = (long)now - (long)r->memory_counted;

    r->memory_counted = now;
    return grown == 0 ||
           atomic_fetch_add(&r->lane->station->request_bytes, grown) + grown <=
               LIMIT_REQUESTS_BYTES ||
           grown < 0;
}

/* Codex asks for a WebSocket first, and goes on with POST in the same turn when it hears 426. */
static enum end wrong_method(const struct request *r)
{
    struct str to = head_get(r->head, r->head_base, STR("upgrade"));

    if (r->target.endpoint->op == OP_MODELS) {
        return END_NO_ROUTE;
    }
    bool events = r->target.endpoint->dialect == DIALECT_RESPONSES &&
                  r->target.endpoint->op == OP_GENERATE && r->head->method == HTTP_GET;
    return events && str_eq_nocase(to, STR("websocket")) ? END_WEBSOCKET : END_METHOD;
}

static size_t most_of(const struct endpoint *ep)
{
    if (ep->method != HTTP_POST) {
        return 0;
    }
    return ep->op == OP_OWN ? LIMIT_SMALL_BODY_BYTES : LIMIT_BODY_BYTES;
}

void request_head(struct request *r)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct head *h = r->head;
    struct str path, query;

    r->head_only = h->method == HTTP_HEAD;
    if (r->config->trusted_count > 0) {
        r->client = forwarded_client(h, r->head_base, r->session->peer, r->config->trusted,
                                     r->config->trusted_count);
    }
    if (head_count(h, r->head_base, STR("host")) != 1) {
        request_fail(r, END_MALFORMED);
        return;
    }
    url_split(head_target(h, r->head_base), &path, &query);
    endpoint_find(h->method, path, query, &r->target);
    r->keep = h->keep_alive;
    if (r->target.endpoint == NULL || r->target.wrong_method) {
        request_fail(r, r->target.endpoint == NULL ? END_NO_ROUTE : wrong_method(r));
        return;
    }
    if (!step_authenticate(r)) {
        return;
    }
    r->body_most = most_of(r->target.endpoint);
    if (h->has_length ? h->length > r->body_most : h->chunked && r->body_most == 0) {
        body_too_large(r);
        return;
    }
    if (h->has_length && h->length > 0) {
        buf_reserve(&r->body, (size_t)h->length + 1);
    }
    body_begin(r);
    if (!body_sound(r)) {
        return;
    }
    request_move(r, REQ_BODY);
    if (h->expect_continue && r->session->h1.state == H1_BODY &&
        r->session->fed == r->session->in.n) {
        session_send(r->session, str_slice(go_on, sizeof(go_on) - 1), STR(""), STR(""));
    }
}

void request_body_done(struct request *r)
{
    if (!body_end(r)) {
        return;
    }
    r->bytes_in = r->body.n;
    request_move(r, REQ_PARSE);
    request_run(r);
}

/* Before the upstream has answered nobody pays; after that the rest is settled without the client.
 */
void request_client_gone(struct request *r, uint64_t undelivered)
{
    r->session = NULL;
    r->undelivered = undelivered;
    if (r->state == REQ_STREAM && stream_owes(r)) {
        stream_broken(r, END_CLIENT_LEFT);
    } else if (r->state < REQ_CHARGE && r->state != REQ_WAIT_LEDGER) {
        exchange_abort(&r->exchange);
        r->end = END_CLIENT_GONE;
        request_move(r, REQ_CLOSE);
        request_run(r);
    } /* else the ledger's answer comes back to this request */
}

void request_stop(struct request *r)
{
    if (r->state == REQ_STREAM) {
        stream_broken(r, END_STOPPED);
    } else if (r->state < REQ_STREAM) {
        request_fail(r, END_STOPPED);
    } /* else its charge is under way, and the answer's end follows it */
}

void request_drained(struct request *r)
{
    exchange_resume(&r->exchange);
}
