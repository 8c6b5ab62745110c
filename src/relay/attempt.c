/* SPDX-License-Identifier: Apache-2.0 */
/* Each attempt at a channel, as the closing row's attempts tell it: with its times and its end; and
 * what follows where it fails. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "dialect/vendor.h"
#include "relay/relay_int.h"

static struct attempt *open_attempt(struct request *r)
{
    struct attempt *a = r->attempt_count > 0 ? &r->attempts[r->attempt_count - 1] : NULL;

    return a != NULL && a->end_us == 0 ? a : NULL;
}

void attempt_begin(struct request *r)
{
    assert(r->attempt_count < LIMIT_ATTEMPTS);
    struct attempt *a = &r->attempts[r->attempt_count++];
    *a = (struct attempt){
        .upstream = r->channel.upstream->name, .failure = "", .began_us = clock_wall_us()};
}

void attempt_head(struct request *r)
{
    struct attempt *a = open_attempt(r);

    if (a != NULL) {
        a->status = r->status;
        a->first_us = r->first_us;
    }
}

bool attempt_cost(const struct request *r, const struct usage *u, int64_t *nano,
                  struct currency *cur)
{
    const struct dated_price *cost = prices_at(r->channel.route->costs, r->ts_us);

    /* A part of what a plan costs only the ledger knows. */
    if (r->plan.budget.cost > 0 || cost == NULL || !price_cost_up(cost->price, u, nano)) {
        return false;
    }
    *cur = cost->price->currency;
    return true;
}

/* Known where its vendor has told its usage. */
static void note_cost(const struct request *r, struct attempt *a)
{
    if (!r->target.endpoint->metered || !r->meter.has_usage ||
        !attempt_cost(r, &r->meter.usage, &a->cost, &a->cost_currency)) {
        a->cost_currency = (struct currency){""};
    }
}

void attempt_end(struct request *r, const char *failure)
{
    struct attempt *a = open_attempt(r);

    if (a != NULL) {
        a->end_us = clock_wall_us();
        a->failure = failure;
        if (failure[0] != '\0') {
            note_cost(r, a);
        }
    }
}

void attempt_costs_settle(struct request *r)
{
    enum bearer bearer = (enum bearer)end_row((enum end)r->end)->bearer;

    if (r->attempt_count == 0) {
        return;
    }
    for (unsigned i = 0; i + 1 < r->attempt_count; i++) {
        r->attempts[i].cost_to = bearer_account(BEARER_FAILED);
    }
    struct attempt *last = &r->attempts[r->attempt_count - 1];
    if (r->durable) { /* the charge tells it */
        last->cost_currency.code[0] = '\0';
        return;
    }
    bool answered = last->failure[0] == '\0';
    if (answered) {
        note_cost(r, last);
    }
    /* Before a byte was sent it was an attempt that failed, however the request ended. */
    bool abandoned = strcmp(last->failure, ATTEMPT_ABANDONED) == 0;
    bool failed = !answered && ((!abandoned && !r->head_sent) || bearer == BEARER_NONE);
    last->cost_to = bearer_account(failed ? BEARER_FAILED : bearer);
}

/* An idle connection that the upstream had closed: which says nothing about its channel. */
static bool was_stale(const struct request *r, enum failure f)
{
    return f == FAILURE_CUT && r->exchange.reused && !r->exchange.answered;
}

void attempt_note(struct request *r, enum failure f, const char *why, unsigned status)
{
    const struct failure_row *row = failure_row(f);
    const struct upstream *u = r->channel.upstream;
    int64_t rest = r->rest_ms > 0 ? r->rest_ms : row->cooldown_ms;

    r->failure = (uint8_t)f;
    r->rest_ms = -1;
    attempt_end(r, row->name);
    if (f == FAILURE_DIAL) {
        budget_undo(r);
    }
    log_event(LOG_WARN, "attempt_failed",
              "id=%s upstream=%.*s failure=%s fault=%s status=%u why=\"%s\"", r->rid_text,
              STR_ARG(u->name), row->name, row->fault, status, why);
    if (row->cooldown_ms > 0 && u->cooldown_ms != 0 && !was_stale(r, f)) {
        rest = u->cooldown_ms > 0 ? u->cooldown_ms : rest;
        atomic_store(&r->channel.health->rest_until_ms, loop_now_ms(r->lane->loop) + rest);
    }
}

void attempt_fail(struct request *r, enum failure f, const char *why, unsigned status)
{
    const struct failure_row *row = failure_row(f);

    attempt_note(r, f, why, status);
    if (was_stale(r, f)) {
        r->stale_pool = true;
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

/* The vendor's type of what it sent under status 200 is not that of an error. */
static void retype(struct request *r)
{
    struct buf kept;
    struct str rest = buf_str(&r->extra);

    buf_init(&kept, LIMIT_HEAD_BYTES);
    buf_add(&kept, STR("content-type: application/json\r\n"));
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        struct str name = str_slice(line.p, str_find_byte(line, ':'));
        if (!str_eq_nocase(name, STR("content-type"))) {
            buf_cat(&kept, line, STR("\n"));
        }
    }
    buf_release(&r->extra);
    r->extra = kept;
}

void attempt_refused(struct request *r, const char *why)
{
    const struct vendor *v = vendor_find(r->channel.upstream->vendor);
    enum dialect client = (enum dialect)r->target.endpoint->dialect;
    struct vendor_words words;

    vendor_words_read(v, r->status, buf_str(&r->reply), client, &words);
    enum failure f = failure_of_reply(words.status, words.said);
    r->status = (uint16_t)words.status;
    r->rest_ms = words.retry_ms >= 0 ? words.retry_ms : r->rest_ms;
    if (r->conversion == NULL) { /* else it is read for its words once more */
        struct problem p = {words.status, words.code, words.text, NULL};
        buf_clear(&r->reply);
        problem_write(client, &p, str_from(r->rid_text), &r->reply);
        retype(r);
    }
    buf_release(&words.memory);
    attempt_fail(r, f, why, 200);
}
