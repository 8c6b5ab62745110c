/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer costs: its customer by the usage that its vendor told, or by the least that there
 * was; and its operator. Then its charge, on its way to the ledger and back.
 */
#include "base/clock.h"
#include "base/log.h"
#include "relay/relay_int.h"

/* Output of which at least this much has reached the client, who may have left some unread. */
static uint64_t delivered_floor(const struct request *r)
{
    uint64_t floor = meter_output_floor(&r->meter);

    if (r->undelivered == 0 || r->bytes_out == 0) {
        return floor;
    }
    uint64_t bytes = r->bytes_out > r->undelivered ? r->bytes_out - r->undelivered : 0;
    /* Rounded down a little more, so that the product stays far from 2^64. */
    return bytes >= r->bytes_out ? floor : floor * (bytes / 1024) / (r->bytes_out / 1024 + 1);
}

void step_floor_usage(struct request *r)
{
    if (!r->meter.has_usage) {
        r->meter.usage.state = USAGE_MISSING;
        r->meter.usage.in = r->input_floor;
        r->meter.usage.out = delivered_floor(r);
    }
}

static struct str seen_name(const struct request *r)
{
    struct str seen = str_slice(r->meter.model, r->meter.model_n);

    return str_starts(seen, STR("models/")) ? str_skip(seen, sizeof("models/") - 1) : seen;
}

bool request_mismatch(const struct request *r)
{
    struct str seen = seen_name(r);

    if (seen.n == 0 || r->channel.model.n == 0 || str_starts(seen, r->channel.model)) {
        return false;
    }
    /* The vendor says itself that another model answers to this name. */
    return !str_starts(seen, book_served(r->channel.upstream->vendor, r->channel.model));
}

/* The model that has answered instead may be sold here for less: then that is its price. */
static int64_t cheaper_of_both(struct request *r, int64_t nano)
{
    const struct model *m = config_model(r->config, seen_name(r));
    const struct dated_price *p = m == NULL ? NULL : prices_at(m->prices, r->ts_us);
    int64_t other;

    if (p != NULL && strcmp(p->price->currency.code, r->price->price->currency.code) == 0 &&
        price_cost(p->price, &r->meter.usage, r->ratios, r->ratio_count, &other) && other < nano) {
        r->price = p;
        return other;
    }
    return nano;
}

/* What the customer pays, by the end's row and the usage; fills usage for the lower bound. */
static int64_t charge_nano(struct request *r)
{
    struct usage *u = &r->meter.usage;
    int64_t nano;

    if (end_row(r->end)->pays == PAYS_NOBODY) {
        return 0;
    }
    step_floor_usage(r);
    if (!r->meter.has_usage) {
        r->end = r->end == END_COMPLETE ? END_UNPRICED_USAGE : r->end;
    } else if (end_row(r->end)->pays == PAYS_LOWER && usage_output(u) < delivered_floor(r)) {
        u->out += delivered_floor(r) - usage_output(u);
    }
    if (r->end == END_COMPLETE && r->target.endpoint->op == OP_GENERATE && usage_output(u) == 0 &&
        r->meter.text_bytes == 0) {
        r->end = END_ZERO;
        return 0;
    }
    if (!price_cost(r->price->price, u, r->ratios, r->ratio_count, &nano)) {
        /* more than int64 holds is not billed upward, and not given away either */
        nano = hold_total(&r->hold);
    } else if (request_mismatch(r)) {
        nano = cheaper_of_both(r, nano);
    }
    if (nano == 0 && r->end == END_COMPLETE) {
        r->end = END_ZERO; /* priced at nothing, or less than a nano */
    }
    return nano;
}

static void commit_deadline(struct request *r)
{
    wheel_set(loop_timers(r->lane->loop), &r->timer, loop_now_ms(r->lane->loop) + LIMIT_COMMIT_MS);
}

/* What this answer costs the operator, where that is known. Without usage: what the lower bound
 * costs, and beside it what twice as much would, four bytes for a token instead of eight. */
static void fill_cost(struct request *r)
{
    struct charge *c = &r->charge;
    const struct usage *u = &r->meter.usage;
    int64_t all;

    if (r->plan.budget.cost > 0) { /* its part of it, which the ledger knows */
        c->cost_currency = r->plan.budget.currency;
        return;
    }
    if (!attempt_cost(r, u, &c->cost, &c->cost_currency) || r->meter.has_usage) {
        return;
    }
    struct usage likely = {.in = 2 * u->in, .out = 2 * meter_output_floor(&r->meter)};
    if (attempt_cost(r, &likely, &all, &c->cost_currency) && all > c->cost) {
        c->beyond = all - c->cost;
    }
}

static void fill_charge(struct request *r, int64_t nano)
{
    struct charge *c = &r->charge;

    c->rid = r->rid;
    c->key = r->key;
    c->tag = str_from(r->tag);
    c->asked = str_from(r->asked);
    c->sent = r->channel.model;
    c->seen = str_slice(r->meter.model, r->meter.model_n);
    c->upstream = r->channel.upstream->name;
    c->price_id = r->price == NULL ? 0 : r->price->id;
    c->factor_id = r->factor != NULL ? r->factor->id : 0;
    c->rate_id = r->rate.id;
    c->usage = r->meter.usage;
    c->computed = nano;
    c->hold = r->hold;
    c->plan = r->plan.budget.unit != BUDGET_NONE ? &r->plan : NULL;
    fill_cost(r);
}

void step_charge(struct request *r)
{
    if (r->op_in_flight) { /* a stream's last allotment: the charge goes right behind it */
        commit_deadline(r);
        return;
    }
    int64_t nano = r->target.endpoint->metered ? charge_nano(r) : 0;

    /* The usage that it shows is the one that is charged. */
    if (r->session != NULL && r->streamed && r->conversion != NULL && !convert_end(r)) {
        stream_unended(r);
        return;
    }
    attempt_end(r, "");
    if (nano == 0) {
        stream_release_tail(r);
        return;
    }
    fill_charge(r, nano);
    r->op.charge = &r->charge;
    request_move(r, REQ_WAIT_COMMIT);
    if (!step_ledger_ask(r, LEDGER_CHARGE)) {
        r->end = END_LEDGER_LATE;
        stream_broken(r, END_LEDGER_LATE);
        request_move(r, REQ_CLOSE);
        return;
    }
    commit_deadline(r);
}

/* It is durable, or it failed, or it is too late and has to be reversed. */
void charge_done(struct request *r)
{
    if (r->op.ok) { /* a durable charge has used its hold up */
        r->durable = true;
        r->hold.promo = r->hold.paid = 0;
        budget_charged(r);
        if (!r->late && r->session == NULL && !r->head_sent && r->end != END_CLIENT_LEFT) {
            r->late = true; /* its client has left meanwhile, with nothing of a whole answer */
            r->end = END_CLIENT_GONE;
        }
    }
    if (r->late && r->op.ok) {
        if (step_ledger_ask(r, LEDGER_REVERSE)) {
            return;
        }
        /* Not taken: no closing row is written either, so the next start reverses it. */
        log_event(LOG_ERROR, "reversal_left_to_start", "request=%s", r->rid_text);
        r->unclosed = true;
    } else if (!r->op.ok && !r->late) {
        r->end = END_LEDGER_LATE;
        stream_broken(r, END_LEDGER_LATE);
    } else if (!r->late) {
        stream_release_tail(r);
        request_run(r);
        return;
    }
    request_move(r, REQ_CLOSE);
    request_run(r);
}
