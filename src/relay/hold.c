/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who pays, and whether it can: a balance of the account in the currency that the model is sold in,
 * else another of its balances for whose currency there is a rate. One request is paid by one
 * balance and its promo; factor and rate are those of its admission.
 */
#include "relay/relay_int.h"

static bool same(struct currency a, struct currency b)
{
    return strcmp(a.code, b.code) == 0;
}

/* Budgets are in the currency of the account's first balance: what has one pays from that alone. */
static bool has_budget(const struct request *r)
{
    return atomic_load(&key_budget(r->key)->limit) != 0 ||
           atomic_load(&r->key->account->budget.limit) != 0;
}

static bool may_pay(const struct request *r, const struct account *a, struct rate *rate)
{
    *rate = (struct rate){0};
    if (a != r->key->account && has_budget(r)) {
        return false;
    }
    return same(a->currency, r->price->price->currency) ||
           ledger_rate(r->lane->station->ledger, r->price->price->currency, a->currency, r->ts_us,
                       rate);
}

/* The balance to try after this one (NULL: the first of all) pays from now on; false: there is
 * none. */
static bool next_payer(struct request *r, struct account *after)
{
    struct account *owner = r->key->account;
    struct account *sold = ledger_balance_in(owner, r->price->price->currency);
    struct account *a = after == NULL ? sold : NULL;
    struct rate rate = {0};

    if (a == NULL || !may_pay(r, a, &rate)) {
        a = after == NULL || after == sold ? owner : atomic_load(&after->next);
        while (a != NULL && (a == sold || !may_pay(r, a, &rate))) {
            a = atomic_load(&a->next);
        }
    }
    if (a == NULL) {
        return false;
    }
    r->hold.from = a;
    r->hold.asked = false;
    r->rate = rate;
    r->factor = atomic_load(&owner->factor);
    r->ratio_count = 0;
    if (r->factor != NULL) {
        r->ratios[r->ratio_count++] = r->factor->ratio;
    }
    if (rate.id != 0) {
        r->ratios[r->ratio_count++] = rate.ratio;
    }
    return true;
}

/* The largest max_tokens that the purse would pay for, for the text of the 402. */
static uint64_t output_that_fits(const struct request *r)
{
    int64_t free = ledger_available(r->hold.from) - request_cost(r, (uint64_t)r->estimate_in, 0);
    int64_t per_million = request_cost_more(r, 1000000);

    if (free <= 0 || per_million <= 0) {
        return 0;
    }
    if (per_million > INT64_MAX / 1000000) {
        return (uint64_t)(free / (per_million / 1000000));
    }
    return (uint64_t)(free / per_million * 1000000 + free % per_million * 1000000 / per_million);
}

/* Why the money does not do, in amounts, and what would. */
static void refuse_money(struct request *r, enum end end, int64_t needed, int64_t there)
{
    uint64_t fits = end == END_NO_FUNDS ? output_that_fits(r) : 0;
    struct buf b;

    buf_init(&b, 480);
    buf_add(&b, STR("This request needs a hold of "));
    decimal_write(&b, needed, 9);
    buf_addf(&b, " %s; %s has ", r->hold.from->currency.code,
             end == END_NO_FUNDS ? "the balance"
             : end == END_BUDGET ? "this key's budget for the period"
                                 : "this account's budget for the period");
    decimal_write(&b, there > 0 ? there : 0, 9);
    buf_add(&b, STR(" left."));
    if (fits > 0) {
        buf_addf(&b, " max_tokens %llu or less would fit.", (unsigned long long)fits);
    }
    if (r->ask.elsewhere) {
        buf_addf(&b,
                 " It refers to content that is not in its body, which may fill the model's "
                 "context: it is held for as %llu tokens of input. Sent in the body, content is "
                 "held for by its size.",
                 (unsigned long long)request_context(r));
    }
    request_failf(r, end, NULL, "%.*s", STR_ARG(buf_str(&b)));
    buf_release(&b);
}

static void refuse_funds(struct request *r, int64_t needed)
{
    refuse_money(r, END_NO_FUNDS, needed, ledger_available(r->hold.from));
}

static void refuse_budget(struct request *r, enum end end, const struct budget *b, int64_t needed)
{
    r->retry_after_s = (unsigned)((budget_reset_us(b, r->ts_us) - r->ts_us + 999999) / 1000000);
    refuse_money(r, end, needed, budget_left(b, r->ts_us));
}

/* The worst case of a whole answer, or the input and one output step of a stream. */
static int64_t first_hold(const struct request *r)
{
    uint64_t step = r->stream && r->ceiling > LIMIT_OUTPUT_STEP ? LIMIT_OUTPUT_STEP : r->ceiling;

    return request_cost(r, (uint64_t)r->estimate_in, step);
}

/* False: this balance cannot pay. Else it holds, or waits, or the request is refused. */
static bool try_balance(struct request *r)
{
    int64_t nano = first_hold(r);

    if (nano == INT64_MAX) {
        request_failf(r, END_BAD_FIELD, NULL, "This request could cost more than can be counted.");
        return true;
    }
    switch (ledger_hold(&r->hold, r->key, nano)) {
    case HOLD_HELD: request_move(r, REQ_SEND); return true;
    case HOLD_NO_FUNDS: return false;
    case HOLD_OVER_BUDGET: refuse_budget(r, END_BUDGET, key_budget(r->key), nano); return true;
    case HOLD_OVER_ACCOUNT_BUDGET:
        refuse_budget(r, END_ACCOUNT_BUDGET, &r->key->account->budget, nano);
        return true;
    case HOLD_WAIT: break;
    }
    r->op.account = r->hold.from;
    r->op.nano = nano;
    if (r->allot_waits++ >= 3) {
        return false; /* others were quicker three times: there is not enough for all */
    }
    if (step_ledger_ask(r, LEDGER_ALLOT)) {
        request_move(r, REQ_WAIT_LEDGER);
    } else {
        request_fail(r, END_LEDGER_FULL);
    }
    return true;
}

void step_hold(struct request *r)
{
    if (r->hold.from == NULL && !next_payer(r, NULL)) {
        request_failf(r, END_FORBIDDEN, "model", "This model is sold in %s, the account holds %s.",
                      r->price->price->currency.code, r->key->account->currency.code);
        return;
    }
    while (!try_balance(r)) {
        r->allot_waits = 0;
        if (!next_payer(r, r->hold.from)) {
            (void)next_payer(r, NULL); /* the refusal speaks of the first */
            refuse_funds(r, first_hold(r));
            return;
        }
    }
}
