/* SPDX-License-Identifier: Apache-2.0 */
/* Charges, reversals and closing rows: what a request leaves in the ledger. */
#include "ledger/ledger_int.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"

static struct event_facts facts_of(const struct charge *c, char room[LIMIT_NAME])
{
    return (struct event_facts){.payer = c->hold.from,
                                .upstream = c->upstream,
                                .cost_cur = c->cost_currency,
                                .bearer = event_bearer(NULL, c->upstream, room),
                                .amount = {[AMOUNT_PAID] = c->charged - c->promo,
                                           [AMOUNT_PROMO] = c->promo,
                                           [AMOUNT_OVERRUN] = c->computed - c->charged,
                                           [AMOUNT_COST] = c->cost,
                                           [AMOUNT_BEYOND] = c->beyond}};
}

static bool has_cost(const struct attempt *a)
{
    return a->cost_currency.code[0] != '\0' && a->cost > 0;
}

static bool attempt_prepare(struct ledger *l, const struct attempt *a, struct event_facts *facts,
                            struct event_purses *purses, char room[LIMIT_NAME])
{
    *facts = (struct event_facts){.upstream = a->upstream,
                                  .cost_cur = a->cost_currency,
                                  .bearer = event_bearer(a->cost_to, a->upstream, room),
                                  .amount = {[AMOUNT_COST] = a->cost}};
    return event_prepare(l, EVENT_ATTEMPT, facts, purses, NULL);
}

/* The accounts that costs of attempts go to are there before the transaction begins. */
static bool closing_prepare(struct ledger *l, const struct closing *c)
{
    struct event_facts facts;
    struct event_purses purses;
    char room[LIMIT_NAME];

    for (unsigned i = 0; i < c->attempt_count; i++)
        if (has_cost(&c->attempts[i]) &&
            !attempt_prepare(l, &c->attempts[i], &facts, &purses, room))
            return false;
    return true;
}

static bool reversal_prepare(struct ledger *l, struct item *it)
{
    char name[LIMIT_NAME];

    if (it->op->cost_currency.code[0] == '\0')
        return true; /* a charge without a cost, or none that we know of */
    snprintf(name, sizeof name, "loss:crash:%s", it->op->cost_currency.code);
    return system_account(l, name, it->op->cost_currency, NULL) != NULL;
}

bool charge_prepare(struct ledger *l, struct item *it)
{
    char bearer[LIMIT_NAME];

    if (it->op->kind == LEDGER_REVERSE)
        return reversal_prepare(l, it);
    if (it->op->kind == LEDGER_CLOSE)
        return closing_prepare(l, it->op->closing) && plan_close_prepare(l, it->op->closing);
    if (it->op->kind != LEDGER_CHARGE)
        return true;
    struct event_facts facts = facts_of(it->op->charge, bearer);
    if (it->op->charge->plan != NULL && it->op->charge->plan->budget.cost > 0)
        facts.amount[AMOUNT_COST] = 1; /* how much it is, the row of the plan will say */
    return event_prepare(l, EVENT_CHARGE, &facts, &it->purses, NULL);
}

static enum store_step insert_charge(struct ledger *l, const struct charge *c, int64_t plan)
{
    struct statement *st = l->sql[SQL_INSERT_CHARGE];
    char more[LIMIT_LEAVES];

    store_bind_blob(st, 1, c->rid.b, sizeof c->rid.b);
    store_bind_i64(st, 2, c->hold.from->id);
    store_bind_i64(st, 3, c->key->id);
    store_bind_text(st, 4, c->tag);
    store_bind_text(st, 5, c->asked);
    store_bind_text(st, 6, c->sent);
    store_bind_text(st, 7, c->seen);
    store_bind_text(st, 8, c->upstream);
    bind_row(st, 9, c->price_id);
    leaves_bind(st, 10, &c->usage);
    store_bind_i64(st, 17, c->cost);
    store_bind_text(st, 18, str_from(c->cost_currency.code));
    store_bind_i64(st, 19, c->computed);
    store_bind_i64(st, 20, c->charged);
    store_bind_i64(st, 21, l->epoch);
    store_bind_i64(st, 22, c->ts_us);
    store_bind_i64(st, 23, c->promo);
    bind_row(st, 24, c->factor_id);
    bind_row(st, 25, c->rate_id);
    leaves_bind_more(st, 26, &c->usage, more);
    bind_row(st, 28, plan);
    store_bind_i64(st, 29, c->beyond);
    return store_step(st);
}

/* Beyond what is held: out of the purse, and then out of what no purse has. */
static int64_t reach(struct batch *b, struct account *a, struct share *share, int64_t nano)
{
    struct purse *p = (struct purse *)(void *)a;

    if (!share_refresh(b->ledger, p, NULL)) {
        b->broken = true;
        return nano;
    }
    share->taken = purse_take(a, nano);
    int64_t there = atomic_load(&a->unallotted) - p->given;
    share->given = there < nano - share->taken ? there : nano - share->taken;
    if (share->given > 0)
        batch_touch(b, p)->given += share->given;
    else
        share->given = 0;
    return nano - share->taken - share->given;
}

/* What lies beyond the hold and beyond what the budgets of its key have left. */
static int64_t over_budget(struct item *it, int64_t beyond)
{
    struct charge *c = it->op->charge;

    it->budgeted = 0;
    if (beyond <= 0 || c->hold.from != c->key->account)
        return 0;
    it->budgeted = key_budget_take(c->key, beyond, clock_wall_us());
    return beyond - it->budgeted;
}

/* Promo pays first, then the balance; what neither can pay, or no budget allows, is the
 * operator's. */
static void share_out(struct batch *b, struct item *it)
{
    struct charge *c = it->op->charge;
    struct account *promo = atomic_load(&c->hold.from->promo);
    int64_t due = c->computed - over_budget(it, c->computed - hold_total(&c->hold));
    int64_t lacking = due - hold_total(&c->hold);

    it->promo = (struct share){.held = c->hold.promo};
    it->own = (struct share){.held = c->hold.paid};
    if (lacking > 0 && promo != NULL)
        lacking = reach(b, promo, &it->promo, lacking);
    if (lacking > 0 && c->hold.from->limited)
        lacking = reach(b, c->hold.from, &it->own, lacking);
    int64_t promo_has = it->promo.held + it->promo.taken + it->promo.given;
    it->promo.paid = due < promo_has ? due : promo_has;
    it->own.paid = due - it->promo.paid;
    if (c->hold.from->limited && lacking > 0)
        it->own.paid -= lacking;
    c->promo = it->promo.paid;
    c->charged = it->promo.paid + it->own.paid;
}

/* Where others spend, too, what is left of a hold is theirs at once as well. */
static void count_spent(struct batch *b, struct account *a, struct share *share)
{
    if (a == NULL || !a->limited)
        return;
    struct purse *p = (struct purse *)(void *)a;
    if (share->paid > 0)
        batch_touch(b, p)->spent += share->paid;
    if (atomic_load(&b->ledger->shared)) {
        share->returned = share->held + share->taken + share->given - share->paid;
        batch_touch(b, p)->returned += share->returned;
    }
}

bool charge_write(struct ledger *l, struct batch *b, struct item *it)
{
    struct charge *c = it->op->charge;
    char bearer[LIMIT_NAME];
    struct plan_part part = {0};

    assert(c->computed >= 0 && c->hold.promo >= 0 && c->hold.paid >= 0 && c->cost >= 0 &&
           c->beyond >= 0);
    if (c->ts_us == 0)
        c->ts_us = clock_wall_us();
    share_out(b, it);
    it->key = c->key;
    it->ts_us = c->ts_us;
    if (c->plan != NULL && !plan_charge(l, b, c, &part))
        return false;
    enum store_step step = insert_charge(l, c, part.plan);
    if (step != STEP_DONE) {
        /* Charged before (one request id, one charge) or a price that is not there: only
         * this one fails. */
        b->broken = step != STEP_CONSTRAINT;
        if (!b->broken && part.plan != 0)
            plan_refuse(l, b, &part);
        return false;
    }
    struct event_facts facts = facts_of(c, bearer);
    if (c->hold.from == c->key->account && !holds_tell_less(l, c->key, hold_total(&c->hold))) {
        b->broken = true;
        return false;
    }
    count_spent(b, c->hold.from, &it->own);
    count_spent(b, atomic_load(&c->hold.from->promo), &it->promo);
    return event_post(l, b, EVENT_CHARGE, &facts, &it->purses, store_last_id(l->store), STR(""));
}

/* Memory only: gives back what was taken beyond the hold, or uses the hold up. */
static void settle_share(struct account *a, const struct share *share, bool done)
{
    int64_t gone = share->taken + (done ? share->held : 0);

    if (a == NULL)
        return;
    int_fast64_t before = atomic_fetch_sub(&a->held, gone);
    assert(before >= gone);
    if (a->limited)
        atomic_fetch_add(&a->free, done ? gone - share->paid - share->returned : gone);
}

static void settle_hold(struct item *it, bool done)
{
    struct charge *c = it->op->charge;

    settle_share(c->hold.from, &it->own, done);
    settle_share(atomic_load(&c->hold.from->promo), &it->promo, done);
    if (!done) {
        key_budget_release(c->key, it->budgeted);
        it->budgeted = 0;
        c->charged = c->promo = 0;
        return;
    }
    if (c->hold.from == c->key->account)
        key_budget_charge(c->key, hold_total(&c->hold) + it->budgeted, c->charged, c->ts_us);
}

void charge_settle(struct item *it, bool done)
{
    if (it->op->kind == LEDGER_CHARGE)
        settle_hold(it, done);
    else if (it->op->kind == LEDGER_REVERSE && done && it->key != NULL)
        key_budget_charge(it->key, 0, -it->refunded, it->ts_us);
}

/* The id of the charge if it stands, 0 if there is none or it was reversed before, -1 on failure.
 * */
static int64_t find_standing(struct ledger *l, const struct rid *rid, struct item *it)
{
    struct statement *st = l->sql[SQL_FIND_CHARGE];

    store_bind_blob(st, 1, rid->b, sizeof rid->b);
    enum store_step step = store_step(st);
    if (step != STEP_ROW)
        return step == STEP_DONE ? 0 : -1;
    int64_t id = store_i64(st, 0);
    it->key = key_by_id(l, store_i64(st, 1));
    it->refunded = store_i64(st, 2);
    it->ts_us = store_i64(st, 3);
    /* Budgets count what comes from the account's first balance. */
    if (it->key->account->id != store_i64(st, 4))
        it->key = NULL;
    store_reset(st);
    st = l->sql[SQL_REVERSED];
    store_bind_i64(st, 1, id);
    step = store_step(st);
    store_reset(st);
    if (step == STEP_DONE)
        return id;
    it->key = NULL;
    return step == STEP_ROW ? 0 : -1;
}

/* Who bore the cost of an answer bears it no more when nobody pays: the loss has its own name. */
static bool lose_cost(struct ledger *l, struct batch *b, struct purse *bearer, int64_t nano,
                      int64_t id, struct str reason)
{
    struct event_facts facts = {.cost_cur = bearer->account.currency,
                                .bearer = str_from(bearer->account.name),
                                .amount = {[AMOUNT_COST] = nano}};
    struct event_purses purses;

    /* The bearer's name ends with its currency, as {bearer}:{cost_cur} does. */
    facts.bearer.n -= str_from(facts.cost_cur.code).n + 1;
    if (!event_prepare(l, EVENT_LOST, &facts, &purses, NULL)) {
        b->broken = true;
        return false;
    }
    return event_post(l, b, EVENT_LOST, &facts, &purses, id, reason);
}

bool charge_reverse(struct ledger *l, struct batch *b, const struct rid *rid, struct str reason,
                    struct item *it)
{
    struct statement *st = l->sql[SQL_CHARGE_TRANSFERS];
    int64_t id = find_standing(l, rid, it);
    enum store_step step;
    bool ok = true;

    if (id <= 0) {
        b->broken = b->broken || id < 0;
        return id == 0;
    }
    store_bind_i64(st, 1, id);
    while (ok && (step = store_step(st)) == STEP_ROW) {
        struct purse *debit = purse_by_id(l, store_i64(st, 0));
        struct purse *credit = purse_by_id(l, store_i64(st, 1));
        int64_t nano = store_i64(st, 2);
        ok = str_eq(store_text(st, 3), STR("cost"))
                 ? lose_cost(l, b, debit, nano, id, reason)
                 : batch_transfer(l, b, credit, debit, nano, KIND_REVERSAL, id, reason);
    }
    if (!ok) {
        store_reset(st);
        return false;
    }
    b->broken = b->broken || step != STEP_DONE;
    return step == STEP_DONE;
}

static enum store_step insert_request(struct ledger *l, const struct closing *c)
{
    struct statement *st = l->sql[SQL_INSERT_REQUEST];

    store_bind_blob(st, 1, c->rid.b, sizeof c->rid.b);
    if (c->account == NULL)
        store_bind_null(st, 2);
    else
        store_bind_i64(st, 2, c->account->id);
    if (c->key == NULL)
        store_bind_null(st, 3);
    else
        store_bind_i64(st, 3, c->key->id);
    store_bind_text(st, 4, str_from(c->endpoint));
    store_bind_text(st, 5, c->asked);
    store_bind_text(st, 6, c->upstream);
    store_bind_i64(st, 7, c->stream);
    store_bind_text(st, 8, str_from(c->end));
    store_bind_i64(st, 9, c->status);
    store_bind_i64(st, 10, c->attempt_count);
    store_bind_text(st, 11, c->edits);
    store_bind_i64(st, 12, (int64_t)c->bytes_in);
    store_bind_i64(st, 13, (int64_t)c->bytes_out);
    store_bind_i64(st, 14, c->ts_us);
    store_bind_i64(st, 15, c->first_us);
    store_bind_i64(st, 16, c->end_us);
    store_bind_text(st, 17, c->lossy);
    return store_step(st);
}

static enum store_step insert_attempt(struct ledger *l, const struct closing *c, unsigned i)
{
    struct statement *st = l->sql[SQL_INSERT_ATTEMPT];
    const struct attempt *a = &c->attempts[i];

    store_bind_blob(st, 1, c->rid.b, sizeof c->rid.b);
    store_bind_i64(st, 2, i + 1);
    store_bind_text(st, 3, a->upstream);
    store_bind_i64(st, 4, a->status);
    store_bind_text(st, 5, str_from(a->failure));
    store_bind_i64(st, 6, a->end_us);
    store_bind_i64(st, 7, a->began_us);
    store_bind_i64(st, 8, a->first_us);
    if (a->cost_currency.code[0] == '\0') {
        store_bind_null(st, 9);
        store_bind_null(st, 10);
    } else {
        store_bind_i64(st, 9, a->cost);
        store_bind_text(st, 10, str_from(a->cost_currency.code));
    }
    store_bind_text(st, 11, str_from(a->cost_to));
    return store_step(st);
}

/* An only attempt that answered is the request's own row: most requests need no other. */
static bool told_by_request(const struct closing *c)
{
    return c->attempt_count == 1 && c->attempts[0].failure[0] == '\0' &&
           c->attempts[0].cost_currency.code[0] == '\0';
}

/* "01f3...9c/2": the attempt of which a transfer tells. */
static struct str attempt_note(char room[48], const struct closing *c, unsigned i)
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;

    for (size_t k = 0; k < sizeof c->rid.b; k++) {
        room[n++] = hex[c->rid.b[k] >> 4];
        room[n++] = hex[c->rid.b[k] & 15];
    }
    n += (size_t)snprintf(room + n, 16, "/%u", i + 1);
    return str_slice(room, n);
}

static bool post_cost(struct ledger *l, struct batch *b, const struct closing *c, unsigned i)
{
    struct event_facts facts;
    struct event_purses purses;
    char bearer[LIMIT_NAME], note[48];

    return attempt_prepare(l, &c->attempts[i], &facts, &purses, bearer) &&
           event_post(l, b, EVENT_ATTEMPT, &facts, &purses, 0, attempt_note(note, c, i));
}

bool closing_write(struct ledger *l, struct batch *b, const struct closing *c)
{
    enum store_step step = insert_request(l, c);

    for (unsigned i = 0; i < c->attempt_count && step == STEP_DONE && !told_by_request(c); i++)
        step = insert_attempt(l, c, i);
    for (unsigned i = 0; i < c->attempt_count && step == STEP_DONE; i++)
        if (has_cost(&c->attempts[i]) && !post_cost(l, b, c, i))
            step = STEP_FAIL;
    b->broken = b->broken || step == STEP_FAIL;
    return step == STEP_DONE && plan_close(l, b, c);
}
