/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plans.h"

#include "base/clock.h"
#include "upstream/upstream.h"

#define GRACE_US (INT64_C(1000) * LIMIT_TOTAL_MS)

static bool expire(const struct upstream *u, struct ledger *l, struct err *e)
{
    struct plan p = {u->name, u->budget, 0, u->budget.expires_us};

    return ledger_plan_expire(l, &p, e);
}

static bool open_one(const struct upstream *u, struct spend_window w, struct ledger *l,
                     struct err *e)
{
    struct plan p = {u->name, u->budget, w.from_us, w.until_us};
    int64_t used;

    if (!ledger_plan_open(l, &p, &used, e)) {
        return false;
    }
    spend_load(u, p.from_us, used);
    return true;
}

bool plans_set(struct config *c, struct ledger *l, bool idle, struct err *e)
{
    int64_t now_us = clock_wall_us();
    struct spend_window w;
    bool ok = true;

    for (unsigned i = 0; ok && i < c->upstream_count; i++) {
        const struct upstream *u = &c->upstreams[i];
        bool expired = u->budget.unit != BUDGET_NONE && !spend_window(&u->budget, now_us, &w);
        ok = !expired || expire(u, l, e);
    }
    if (idle) {
        ok = ok && ledger_plans_lost(l, now_us, e);
    }
    ok = ok && ledger_plans_end(l, idle ? now_us : now_us - GRACE_US, e);
    spends_prepare(c);
    for (unsigned i = 0; ok && i < c->upstream_count; i++) {
        const struct upstream *u = &c->upstreams[i];
        ok = !spend_window(&u->budget, now_us, &w) || open_one(u, w, l, e);
    }
    return ok;
}
