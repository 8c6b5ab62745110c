/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Periods of upstreams' budgets. What a period costs is spread over its units: after n of N of them
 * floor(cost x n / N) is booked, so that all N cost exactly the whole, and never more. Where units
 * or cost are changed, what is not booked yet is spread over the units that are left. A request's
 * part is the charge's cost where it has one, else that of whoever bears it; what nobody used is a
 * loss when the period ends, and of its last moment.
 */
#include <stdio.h>

#include "ledger/ledger_int.h"

static const char *const units[] = {"", "requests", "tokens", "amount"};

int64_t plan_due(const struct plan_terms *t, int64_t booked)
{
    int64_t n = booked - t->base_booked, left = t->units - t->base_booked, part;

    if (n <= 0)
        return t->base_spent;
    bool some = n < left && money_part(&part, t->cost - t->base_spent, n, left);
    return some ? t->base_spent + part : t->cost;
}

/* A transaction may be open. */
static bool insert(struct ledger *l, const struct plan *p)
{
    struct statement *st = l->sql[SQL_INSERT_PLAN];

    store_bind_text(st, 1, p->upstream);
    store_bind_text(st, 2, str_from(units[p->budget.unit]));
    store_bind_i64(st, 3, p->budget.units);
    store_bind_i64(st, 4, p->budget.cost);
    store_bind_text(st, 5, str_from(p->budget.currency.code));
    store_bind_i64(st, 6, p->from_us);
    store_bind_i64(st, 7, p->until_us);
    return store_step(st) == STEP_DONE;
}

struct use {
    int64_t id, nano;
};

/* False: it failed; id 0: there is no row yet. */
static bool use_row(struct ledger *l, const struct plan *p, int64_t used, int64_t booked,
                    struct use *out)
{
    struct statement *st = l->sql[SQL_USE_PLAN];

    *out = (struct use){0, 0};
    store_bind_text(st, 1, p->upstream);
    store_bind_i64(st, 2, p->from_us);
    store_bind_text(st, 3, str_from(units[p->budget.unit]));
    store_bind_text(st, 4, str_from(p->budget.currency.code));
    store_bind_i64(st, 5, used);
    store_bind_i64(st, 6, booked);
    enum store_step step = store_step(st);
    if (step != STEP_ROW)
        return step == STEP_DONE;
    struct plan_terms terms = {store_i64(st, 1), store_i64(st, 2), store_i64(st, 6),
                               store_i64(st, 7)};
    bool closed = store_i64(st, 5) != 0; /* late: all of it was booked when the period ended */
    *out = (struct use){store_i64(st, 0),
                        closed ? 0 : plan_due(&terms, store_i64(st, 3)) - store_i64(st, 4)};
    return store_step(st) == STEP_DONE; /* the change itself ends with its last row */
}

bool plan_use(struct ledger *l, struct batch *b, const struct plan *p, int64_t used, int64_t booked,
              int64_t *id, int64_t *nano)
{
    struct use u;
    bool ok = use_row(l, p, used, booked, &u);

    if (ok && u.id == 0)
        ok = insert(l, p) && use_row(l, p, used, booked, &u) && u.id != 0;
    if (ok && u.nano > 0) {
        struct statement *st = l->sql[SQL_SPEND_PLAN];
        store_bind_i64(st, 1, u.nano);
        store_bind_i64(st, 2, u.id);
        ok = store_step(st) == STEP_DONE;
    }
    b->broken = b->broken || !ok;
    *id = u.id;
    *nano = u.nano;
    return ok;
}

bool plan_charge(struct ledger *l, struct batch *b, struct charge *c, struct plan_part *out)
{
    const struct upstream_budget *budget = &c->plan->budget;
    int64_t tokens = (int64_t)(usage_input(&c->usage) + usage_output(&c->usage));
    int64_t used = 0, booked = 0;

    switch ((enum budget_unit)budget->unit) {
    case BUDGET_REQUESTS: booked = 1; break; /* it was counted when it was sent */
    case BUDGET_TOKENS: used = booked = tokens; break;
    case BUDGET_AMOUNT:
        used = strcmp(c->cost_currency.code, budget->currency.code) == 0 ? c->cost : 0;
        break;
    case BUDGET_NONE: break;
    }
    booked = budget->cost > 0 ? booked : 0;
    *out = (struct plan_part){.used = used, .booked = booked};
    if (!plan_use(l, b, c->plan, used, booked, &out->plan, &out->nano))
        return false;
    if (budget->cost > 0)
        c->cost = out->nano;
    return true;
}

void plan_refuse(struct ledger *l, struct batch *b, const struct plan_part *part)
{
    struct statement *st = l->sql[SQL_REFUSE_PLAN];

    store_bind_i64(st, 1, part->used);
    store_bind_i64(st, 2, part->booked);
    store_bind_i64(st, 3, part->nano);
    store_bind_i64(st, 4, part->plan);
    b->broken = b->broken || store_step(st) != STEP_DONE;
}

/* Who bears what an attempt without a charge costs. */
static void facts_of(const struct attempt *a, struct event_facts *out, char bearer[LIMIT_NAME])
{
    *out = (struct event_facts){.upstream = a->upstream,
                                .cost_cur = a->plan.budget.currency,
                                .bearer = event_bearer(a->cost_to, a->upstream, bearer),
                                .amount = {[AMOUNT_COST] = 1}};
}

static bool bears(const struct attempt *a)
{
    return a->counted && !a->charged && a->plan.budget.cost > 0;
}

bool plan_close_prepare(struct ledger *l, const struct closing *c)
{
    char bearer[LIMIT_NAME];
    struct event_facts facts;
    struct event_purses purses;

    for (unsigned i = 0; i < c->attempt_count; i++) {
        if (!bears(&c->attempts[i]))
            continue;
        facts_of(&c->attempts[i], &facts, bearer);
        if (!event_prepare(l, EVENT_PLAN, &facts, &purses, NULL))
            return false;
    }
    return true;
}

static bool post(struct ledger *l, struct batch *b, struct event_facts *facts, int64_t plan,
                 int64_t nano, struct str note)
{
    struct event_purses purses;

    facts->amount[AMOUNT_COST] = 1;
    if (!event_prepare(l, EVENT_PLAN, facts, &purses, NULL)) {
        b->broken = true;
        return false;
    }
    facts->amount[AMOUNT_COST] = nano;
    b->plan = plan;
    bool ok = event_post(l, b, EVENT_PLAN, facts, &purses, 0, note);
    b->plan = 0;
    return ok;
}

bool plan_close(struct ledger *l, struct batch *b, const struct closing *c)
{
    char bearer[LIMIT_NAME];
    struct event_facts facts;
    int64_t id, nano;

    for (unsigned i = 0; i < c->attempt_count; i++) {
        const struct attempt *a = &c->attempts[i];
        struct plan p = a->plan;
        if (!bears(a))
            continue;
        p.upstream = a->upstream; /* the configuration may be gone */
        facts_of(a, &facts, bearer);
        if (!plan_use(l, b, &p, 0, 1, &id, &nano) ||
            !post(l, b, &facts, id, nano, str_from(a->failure)))
            return false;
    }
    return true;
}

/* A change of the row that is open, if there is one. What a period costs is known when it begins,
 * and does not change in it (-1); without periods there is no other time. */
static bool change(struct ledger *l, const struct plan *p, const char *sql, struct err *e)
{
    struct statement *st = store_prepare(l->store, sql, e);

    if (st == NULL)
        return false;
    store_bind_text(st, 1, p->upstream);
    store_bind_text(st, 2, str_from(units[p->budget.unit]));
    store_bind_i64(st, 3, p->budget.units);
    store_bind_i64(st, 4, p->budget.period == 0 ? p->budget.cost : -1);
    store_bind_text(st, 5, str_from(p->budget.currency.code));
    store_bind_i64(st, 6, p->from_us);
    store_bind_i64(st, 7, p->until_us);
    bool ok = store_step(st) == STEP_DONE;
    store_drop(l->store, st);
    return ok || store_failed(l->store, e);
}

static const char terms_sql[] =
    "UPDATE plan SET base_booked=booked, base_spent=spent, units=?3, until=?7,"
    " cost=CASE WHEN ?4<0 THEN cost ELSE MAX(?4, spent) END WHERE upstream=?1 AND from_=?6"
    " AND unit=?2 AND currency=?5 AND closed=0"
    " AND (units<>?3 OR (?4>=0 AND cost<>MAX(?4, spent)))";
static const char until_sql[] = "UPDATE plan SET until=?7 WHERE upstream=?1 AND from_=?6"
                                " AND unit=?2 AND currency=?5 AND closed=0 AND until<>?7";
static const char expire_sql[] =
    "UPDATE plan SET until=?7 WHERE upstream=?1 AND unit=?2 AND currency=?5 AND closed=0"
    " AND from_<?7 AND until>?7";

/* How much of it is used. What is bought once for all begins where the one before it ended. */
static bool find_open(struct ledger *l, struct plan *p, int64_t *used, struct err *e)
{
    struct statement *st =
        store_prepare(l->store,
                      "SELECT SUM(used), MIN(closed), MAX(until) FROM plan WHERE upstream=?"
                      " AND from_=? AND unit=? AND (unit<>'amount' OR currency=?)",
                      e);
    bool ok = st != NULL, over = ok;

    while (ok && over) {
        store_bind_text(st, 1, p->upstream);
        store_bind_i64(st, 2, p->from_us);
        store_bind_text(st, 3, str_from(units[p->budget.unit]));
        store_bind_text(st, 4, str_from(p->budget.currency.code));
        ok = store_step(st) == STEP_ROW || store_failed(l->store, e);
        if (!ok)
            break;
        *used = store_i64(st, 0); /* 0 where there is none */
        over = p->budget.period == 0 && store_i64(st, 1) != 0 && store_i64(st, 2) > p->from_us;
        p->from_us = over ? store_i64(st, 2) : p->from_us;
        store_reset(st);
    }
    store_drop(l->store, st);
    return ok;
}

bool ledger_plan_open(struct ledger *l, struct plan *p, int64_t *used, struct err *e)
{
    return find_open(l, p, used, e) && (insert(l, p) || store_failed(l->store, e)) &&
           change(l, p, terms_sql, e) && change(l, p, until_sql, e);
}

bool ledger_plan_expire(struct ledger *l, const struct plan *p, struct err *e)
{
    return change(l, p, expire_sql, e);
}

/* A period that has ended, or (until_us 0) of which requests are lost. */
struct ended {
    int64_t id, used, booked, spent, until_us;
    struct plan_terms terms;
    struct currency currency;
    char upstream[LIMIT_NAME];
};

#define ENDED_COLUMNS                                                                      \
    "SELECT id, units, cost, used, booked, spent, currency, upstream, until, base_booked," \
    " base_spent FROM plan WHERE closed=0 AND "
static const char over_sql[] = ENDED_COLUMNS "until<=? ORDER BY id LIMIT 1";
/* Tokens are counted with their charge: none is under way. */
static const char lost_sql[] = ENDED_COLUMNS "until>? AND unit='requests' AND cost>0"
                                             " AND used>booked ORDER BY id LIMIT 1";

static bool next_ended(struct ledger *l, int64_t wall_us, bool over, struct ended *out,
                       struct err *e)
{
    struct statement *st = store_prepare(l->store, over ? over_sql : lost_sql, e);

    if (st == NULL)
        return false;
    store_bind_i64(st, 1, wall_us);
    enum store_step step = store_step(st);
    *out = (struct ended){0};
    if (step == STEP_ROW) {
        struct str name = store_text(st, 7);
        *out = (struct ended){
            .id = store_i64(st, 0),
            .used = store_i64(st, 3),
            .booked = store_i64(st, 4),
            .spent = store_i64(st, 5),
            .until_us = over ? store_i64(st, 8) : 0,
            .terms = {store_i64(st, 1), store_i64(st, 2), store_i64(st, 9), store_i64(st, 10)}};
        memcpy(out->upstream, name.p, name.n < LIMIT_NAME ? name.n : LIMIT_NAME - 1);
        if (out->terms.cost > 0 && !currency_parse(store_text(st, 6), &out->currency))
            step = STEP_FAIL;
    }
    store_drop(l->store, st);
    return step != STEP_FAIL || store_failed(l->store, e);
}

/* With the requests whose end nobody saw: they were lost with a process. */
static int64_t due_lost(const struct ended *p)
{
    return plan_due(&p->terms, p->used > p->booked ? p->used : p->booked);
}

/* These; the rest of what has ended was not used. */
static bool post_ended(struct ledger *l, struct batch *b, const struct ended *p)
{
    static const char *const bearers[] = {"loss:crash", "loss:unused_plan"};
    const int64_t upto[] = {due_lost(p), p->until_us > 0 ? p->terms.cost : 0};
    int64_t spent = p->spent;

    b->ts_us = p->until_us > 0 ? p->until_us - 1 : 0;
    for (int i = 0; i < 2; i++) {
        struct event_facts facts = {.upstream = str_from(p->upstream),
                                    .cost_cur = p->currency,
                                    .bearer = str_from(bearers[i])};
        if (upto[i] > spent && !post(l, b, &facts, p->id, upto[i] - spent, STR("period ended")))
            return false;
        spent = upto[i] > spent ? upto[i] : spent;
    }
    return true;
}

static bool prepare_ended(struct ledger *l, const struct ended *p, struct err *e)
{
    struct event_purses purses;
    struct event_facts facts = {.upstream = str_from(p->upstream),
                                .cost_cur = p->currency,
                                .bearer = STR("loss:unused_plan"),
                                .amount = {[AMOUNT_COST] = 1}};

    if (p->terms.cost == 0)
        return true;
    if (!event_prepare(l, EVENT_PLAN, &facts, &purses, e))
        return false;
    facts.bearer = STR("loss:crash");
    return event_prepare(l, EVENT_PLAN, &facts, &purses, e);
}

static bool end_one(struct ledger *l, const struct ended *p, struct err *e)
{
    struct batch b = {.ledger = l};
    char set[64], sql[240];

    snprintf(set, sizeof set, "booked=used, spent=%lld", (long long)due_lost(p));
    snprintf(sql, sizeof sql,
             "UPDATE plan SET %s WHERE id=%lld AND closed=0"
             " AND used=%lld AND booked=%lld AND spent=%lld",
             p->until_us > 0 ? "closed=1, spent=cost" : set, (long long)p->id, (long long)p->used,
             (long long)p->booked, (long long)p->spent);
    if (!prepare_ended(l, p, e) || !share_begin(l, e))
        return false;
    bool ok = post_ended(l, &b, p) && store_exec(l->store, sql, e);
    if (ok && store_changes(l->store) == 0) { /* another station was quicker: looked at again */
        store_rollback(l->store);
        batch_drop(&b);
        return true;
    }
    if (!ok || !batch_flush(l, &b)) {
        store_failed(l->store, e);
        store_rollback(l->store);
        batch_drop(&b);
        return false;
    }
    if (!store_commit(l->store, e)) {
        batch_drop(&b);
        return false;
    }
    batch_apply(&b);
    return true;
}

static bool end_all(struct ledger *l, int64_t wall_us, bool over, struct err *e)
{
    struct ended p;

    while (next_ended(l, wall_us, over, &p, e)) {
        if (p.id == 0)
            return true;
        if (!end_one(l, &p, e))
            return false;
    }
    return false;
}

bool ledger_plans_end(struct ledger *l, int64_t wall_us, struct err *e)
{
    return end_all(l, wall_us, true, e);
}

bool ledger_plans_lost(struct ledger *l, int64_t wall_us, struct err *e)
{
    return end_all(l, wall_us, false, e);
}
