/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a request: its row, its line, its counters, and everything it held goes back. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/edit.h"

static void count(struct request *r)
{
    struct station *st = r->lane->station;

    if (r->charge.charged > 0) {
        atomic_fetch_add_explicit(&st->charges, 1, memory_order_relaxed);
    }
    if (request_mismatch(r)) {
        atomic_fetch_add_explicit(&st->mismatches, 1, memory_order_relaxed);
    }
    /* Last, so that who sees a request counted as ended sees the rest of it, too. */
    atomic_fetch_add(&st->ends[r->end], 1);
}

static void log_request(struct request *r, int64_t end_us)
{
    char room[2048], client[IP_TEXT];
    struct buf b = {.p = room, .cap = sizeof(room) - 1, .max = sizeof(room) - 1};

    log_begin(&b, LOG_INFO, "request");
    log_pair(&b, "id", str_from(r->rid_text));
    log_pair(&b, "end", str_from(end_row(r->end)->name));
    log_number(&b, "status", r->status);
    log_number(&b, "ms", (end_us - r->ts_us) / 1000);
    log_pair(&b, "client", str_from(ip_text(client, &r->client)));
    log_pair(&b, "account", r->key != NULL ? str_from(r->key->account->name) : STR("-"));
    log_pair(&b, "endpoint", str_from(r->target.endpoint != NULL ? r->target.endpoint->name : "-"));
    log_pair(&b, "asked", str_from(r->asked));
    log_pair(&b, "sent", r->channel.model);
    log_pair(&b, "seen", str_slice(r->meter.model, r->meter.model_n));
    log_number(&b, "attempts", r->attempt_count);
    log_number(&b, "in", (int64_t)usage_input(&r->meter.usage));
    log_number(&b, "out", (int64_t)usage_output(&r->meter.usage));
    log_number(&b, "nano", r->charge.charged);
    if (request_mismatch(r)) {
        buf_add(&b, STR(" mismatch=yes"));
    }
    log_end(&b);
}

/* A row on its way to the ledger, which frees it by its first member. */
struct row {
    struct ledger_op op;
    struct closing closing;
    char text[];
};

/* The configuration may be gone when the row is written. */
static struct str keep(char **at, struct str s)
{
    struct str kept = {*at, s.n};

    if (s.n > 0) {
        memcpy(*at, s.p, s.n);
        *at += s.n;
    }
    return kept;
}

static void keep_texts(struct request *r, struct closing *c, char *at, struct str edits)
{
    c->asked = keep(&at, str_from(r->asked));
    c->edits = keep(&at, edits);
    c->lossy = keep(&at, str_from(r->lossy));
    c->upstream = STR("");
    for (unsigned i = 0; i < c->attempt_count; i++) {
        c->attempts[i] = r->attempts[i];
        c->attempts[i].upstream = keep(&at, r->attempts[i].upstream);
        c->upstream = c->attempts[i].upstream;
    }
}

static size_t text_size(const struct request *r, struct str edits)
{
    size_t n = str_from(r->asked).n + edits.n + str_from(r->lossy).n;

    for (unsigned i = 0; i < r->attempt_count; i++) {
        n += r->attempts[i].upstream.n;
    }
    return n;
}

static void write_row(struct request *r, int64_t end_us)
{
    char room[128];
    struct buf edits = {.p = room, .cap = sizeof(room), .max = sizeof(room)};

    attempt_end(r, ATTEMPT_ABANDONED);
    attempt_costs_settle(r);
    edit_names(r->edits, &edits);
    struct row *row = malloc(sizeof(*row) + text_size(r, buf_str(&edits)));
    assert(row != NULL);
    row->op = (struct ledger_op){.kind = LEDGER_CLOSE, .closing = &row->closing};
    row->closing = (struct closing){.rid = r->rid,
                                    .account = r->key->account,
                                    .key = r->key,
                                    .endpoint = r->target.endpoint->name,
                                    .end = end_row(r->end)->name,
                                    .status = r->status,
                                    .attempt_count = r->attempt_count,
                                    .stream = r->stream,
                                    .bytes_in = r->bytes_in,
                                    .bytes_out = r->bytes_out,
                                    .ts_us = r->ts_us,
                                    .first_us = r->first_us,
                                    .end_us = end_us};
    keep_texts(r, &row->closing, row->text, buf_str(&edits));
    if (!lane_submit(r->lane, &row->op)) {
        log_event(LOG_ERROR, "request_row_lost", "request=%s", r->rid_text);
        free(row);
    }
}

static void free_later(struct task *t)
{
    free(CONTAINER(t, struct request, free_task));
}

/* Everything a request holds goes back; the row and the line are written; nobody waits for them. */
void step_close(struct request *r)
{
    int64_t now_us = clock_wall_us();

    wheel_cancel(loop_timers(r->lane->loop), &r->timer);
    wheel_cancel(loop_timers(r->lane->loop), &r->pulse);
    exchange_abort(&r->exchange);
    if (r->op_in_flight) {
        return;
    }
    if (hold_total(&r->hold) > 0) {
        ledger_release(&r->hold, r->key);
    }
    own_read_ended(r);
    if (r->entered) {
        key_leave(r->key);
    }
    if (r->key != NULL && r->target.endpoint != NULL && r->target.endpoint->op < OP_MODELS &&
        !r->unclosed) {
        write_row(r, now_us);
    }
    if (r->end != END_BAD_KEYS) {
        log_request(r, now_us);
    }
    atomic_fetch_sub(&r->lane->station->request_bytes, (long)r->memory_counted);
    count(r);
    coding_free(r->coding);
    buf_release(&r->body);
    buf_release(&r->upstream_head);
    buf_release(&r->upstream_body);
    buf_release(&r->reply);
    buf_release(&r->tail);
    buf_release(&r->extra);
    sse_release(&r->sse);
    array_release(&r->array);
    convert_drop(r);
    free(r->head);
    free(r->refused_where);
    free(r->refused_why);
    free(r->lossy);
    free(r->asked);
    free(r->tag);
    free(r->detail);
    self_free(r);
    free(r->statement);
    free(r->margin);
    config_unref(r->config);
    r->lane->request_count--;
    request_move(r, REQ_DONE);
    r->free_task.run = free_later;
    loop_defer(r->lane->loop, &r->free_task);
}
