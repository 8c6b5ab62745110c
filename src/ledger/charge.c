/* SPDX-License-Identifier: Apache-2.0 */
/* Charges, reversals and closing rows: what a request leaves in the ledger. */
#include "ledger/ledger_int.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"

/* A name from config may be longer than what an account's name has room for. */
static const char *part_name(char out[LIMIT_NAME], enum part part, const struct charge *c)
{
    const char *own = c->account->currency.code;
    struct str upstream = str_slice(c->upstream.p, c->upstream.n < 100 ? c->upstream.n : 100);
    const char *theirs = c->cost_currency.code;

    switch (part) {
    case REVENUE: snprintf(out, LIMIT_NAME, "rev:usage:%s", own); break;
    case LOSS: snprintf(out, LIMIT_NAME, "loss:overrun:%s", own); break;
    case COGS: snprintf(out, LIMIT_NAME, "cogs:%.*s:%s", STR_ARG(upstream), theirs); break;
    case ASSET: snprintf(out, LIMIT_NAME, "asset:%.*s:%s", STR_ARG(upstream), theirs); break;
    }
    return out;
}

/* The system accounts that this charge needs, made before the batch begins. */
bool charge_prepare(struct ledger *l, struct item *it)
{
    const struct charge *c = it->op->charge;
    char name[LIMIT_NAME];

    for (enum part part = REVENUE; part <= (c->cost > 0 ? ASSET : LOSS); part++) {
        struct currency in = part <= LOSS ? c->account->currency : c->cost_currency;
        it->parts[part] = system_account(l, part_name(name, part, c), in, NULL);
        if (it->parts[part] == NULL)
            return false;
    }
    return true;
}

static void bind_usage(struct statement *st, int at, const struct usage *u)
{
    const uint64_t leaves[] = {u->in,  u->cache_read, u->cache_write_5m, u->cache_write_1h,
                               u->out, u->reasoning};

    for (int i = 0; i < 6; i++)
        store_bind_i64(st, at + i, (int64_t)leaves[i]);
    store_bind_i64(st, at + 6, u->state);
}

static enum store_step insert_charge(struct ledger *l, const struct charge *c)
{
    struct statement *st = l->sql[SQL_INSERT_CHARGE];

    store_bind_blob(st, 1, c->rid.b, sizeof c->rid.b);
    store_bind_i64(st, 2, c->account->id);
    store_bind_i64(st, 3, c->key->id);
    store_bind_text(st, 4, c->tag);
    store_bind_text(st, 5, c->asked);
    store_bind_text(st, 6, c->sent);
    store_bind_text(st, 7, c->seen);
    store_bind_text(st, 8, c->upstream);
    if (c->price_id == 0)
        store_bind_null(st, 9);
    else
        store_bind_i64(st, 9, c->price_id);
    bind_usage(st, 10, &c->usage);
    store_bind_i64(st, 17, c->cost);
    store_bind_text(st, 18, str_from(c->cost_currency.code));
    store_bind_i64(st, 19, c->computed);
    store_bind_i64(st, 20, c->charged);
    store_bind_i64(st, 21, l->epoch);
    store_bind_i64(st, 22, c->ts_us);
    return store_step(st);
}

static bool write_transfers(struct ledger *l, struct batch *b, const struct item *it, int64_t id)
{
    const struct charge *c = it->op->charge;
    struct purse *p = (struct purse *)(void *)c->account;
    struct purse *const *parts = it->parts;

    return batch_transfer(l, b, p, parts[REVENUE], c->charged, KIND_CHARGE, id, STR("")) &&
           batch_transfer(l, b, parts[LOSS], parts[REVENUE], c->computed - c->charged, KIND_OVERRUN,
                          id, STR("")) &&
           (c->cost == 0 ||
            batch_transfer(l, b, parts[COGS], parts[ASSET], c->cost, KIND_COST, id, STR("")));
}

/* What no purse has yet pays, too: at most all of it. */
static int64_t allot_shortfall(struct batch *b, struct purse *p, int64_t nano)
{
    int64_t there = atomic_load(&p->account.unallotted) - p->given;
    int64_t give = there < nano ? there : nano;

    if (give <= 0)
        return 0;
    batch_touch(b, p)->given += give;
    return give;
}

bool charge_write(struct ledger *l, struct batch *b, struct item *it)
{
    struct charge *c = it->op->charge;
    struct purse *p = (struct purse *)(void *)c->account;
    bool customer = c->account->kind == ACCOUNT_CUSTOMER;

    assert(c->computed >= 0 && c->held >= 0 && c->cost >= 0);
    if (c->ts_us == 0)
        c->ts_us = clock_wall_us();
    if (customer && c->computed > c->held)
        it->taken = purse_take(c->account, c->computed - c->held);
    c->charged = c->computed;
    if (customer && c->computed > c->held + it->taken)
        c->charged = c->held + it->taken + allot_shortfall(b, p, c->computed - c->held - it->taken);
    it->key = c->key;
    it->ts_us = c->ts_us;
    enum store_step step = insert_charge(l, c);
    if (step != STEP_DONE) {
        /* Charged before (one request id, one charge) or a price that is not there: only
         * this one fails. */
        b->broken = step != STEP_CONSTRAINT;
        return false;
    }
    if (customer)
        batch_touch(b, p)->spent += c->charged;
    return write_transfers(l, b, it, store_last_id(l->store));
}

/* Memory only: gives back what was taken beyond the hold, or uses the hold up. */
static void settle_hold(struct item *it, bool done)
{
    struct charge *c = it->op->charge;
    struct account *a = c->account;
    int64_t gone = it->taken + (done ? c->held : 0);
    int_fast64_t before = atomic_fetch_sub(&a->held, gone);

    assert(before >= gone);
    if (a->kind == ACCOUNT_CUSTOMER)
        atomic_fetch_add(&a->free, done ? gone - c->charged : gone);
    if (done)
        key_budget_charge(c->key, c->held, c->charged, c->ts_us);
    else
        c->charged = 0;
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

bool charge_reverse(struct ledger *l, struct batch *b, const struct rid *rid, struct str reason,
                    struct item *it)
{
    struct statement *st = l->sql[SQL_CHARGE_TRANSFERS];
    int64_t id = find_standing(l, rid, it);
    enum store_step step;

    if (id <= 0) {
        b->broken = b->broken || id < 0;
        return id == 0;
    }
    store_bind_i64(st, 1, id);
    while ((step = store_step(st)) == STEP_ROW) {
        struct purse *debit = purse_by_id(l, store_i64(st, 0));
        struct purse *credit = purse_by_id(l, store_i64(st, 1));
        if (!batch_transfer(l, b, credit, debit, store_i64(st, 2), KIND_REVERSAL, id, reason)) {
            store_reset(st);
            return false;
        }
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
    return store_step(st);
}

/* An only attempt that answered is the request's own row: most requests need no other. */
static bool told_by_request(const struct closing *c)
{
    return c->attempt_count == 1 && c->attempts[0].failure[0] == '\0';
}

bool closing_write(struct ledger *l, struct batch *b, const struct closing *c)
{
    enum store_step step = insert_request(l, c);

    for (unsigned i = 0; i < c->attempt_count && step == STEP_DONE && !told_by_request(c); i++)
        step = insert_attempt(l, c, i);
    b->broken = b->broken || step == STEP_FAIL;
    return step == STEP_DONE;
}
