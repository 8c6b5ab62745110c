/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attempt uses of its upstream's budget. A request counts when it is sent, in memory at
 * once and in the store a moment later, and no more when it did not reach the vendor; tokens and
 * amounts count with their charge.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/relay_int.h"

void budget_waits(struct request *r, const uint32_t *dialects, uint32_t wanted,
                  int64_t waits[LIMIT_ROUTES])
{
    int64_t now_us = clock_wall_us();

    r->spent_ms = 0;
    for (unsigned i = 0; i < r->model->route_count; i++) {
        waits[i] = spend_wait_ms(r->model->routes[i].upstream, now_us);
        if ((dialects[i] & wanted) == 0 || waits[i] == 0) {
            continue;
        }
        bool sooner = waits[i] > 0 && (r->spent_ms <= 0 || waits[i] < r->spent_ms);
        r->spent_ms = r->spent_ms == 0 || sooner ? waits[i] : r->spent_ms;
    }
}

bool budget_take(struct request *r)
{
    const struct upstream *u = r->channel.upstream;
    struct spend_window w;

    r->plan.budget.unit = BUDGET_NONE;
    if (u->spend == NULL) {
        return true;
    }
    bool ok = spend_take(u, clock_wall_us(), &w);
    if (ok) {
        r->plan = (struct plan){u->name, u->budget, w.from_us, w.until_us};
    }
    return ok;
}

void budget_give_back(struct request *r)
{
    if (r->plan.budget.unit == BUDGET_REQUESTS) {
        spend_add(r->channel.upstream, r->plan.from_us, -1);
    }
    r->plan.budget.unit = BUDGET_NONE;
}

/* On its way to the ledger, which frees it by its first member. */
struct use {
    struct ledger_op op;
    struct plan plan;
    char upstream[];
};

static bool tell(struct request *r, int64_t requests)
{
    struct str name = r->plan.upstream;
    struct use *u = calloc(1, sizeof(*u) + name.n);

    assert(u != NULL);
    memcpy(u->upstream, name.p, name.n);
    u->plan = r->plan;
    u->plan.upstream = str_slice(u->upstream, name.n);
    u->op = (struct ledger_op){.kind = LEDGER_USE, .nano = requests, .plan = &u->plan};
    if (lane_submit(r->lane, &u->op)) {
        return true;
    }
    free(u);
    return false;
}

bool budget_count(struct request *r)
{
    struct attempt *a = &r->attempts[r->attempt_count - 1];

    if (r->plan.budget.unit != BUDGET_REQUESTS) {
        return true;
    }
    a->counted = tell(r, 1);
    a->plan = r->plan;
    if (!a->counted) {
        budget_give_back(r);
    }
    return a->counted;
}

void budget_undo(struct request *r)
{
    struct attempt *a = &r->attempts[r->attempt_count - 1];

    if (!a->counted) {
        return;
    }
    a->counted = false;
    if (!tell(r, -1)) {
        log_event(LOG_WARN, "upstream_use_not_given_back", "id=%s", r->rid_text);
    }
    budget_give_back(r);
}

void budget_charged(struct request *r)
{
    const struct upstream_budget *b = &r->plan.budget;
    const struct charge *c = &r->charge;
    int64_t units = 0;

    r->attempts[r->attempt_count - 1].charged = true;
    if (b->unit == BUDGET_TOKENS) {
        units = (int64_t)(usage_input(&c->usage) + usage_output(&c->usage));
    } else if (b->unit == BUDGET_AMOUNT && strcmp(c->cost_currency.code, b->currency.code) == 0) {
        units = c->cost;
    }
    if (units > 0) {
        spend_add(r->channel.upstream, r->plan.from_us, units);
    }
}
