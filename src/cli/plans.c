/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plans.h"

#include "base/clock.h"
#include "upstream/upstream.h"

bool plans_set(struct config *c, struct ledger *l, struct err *e)
{
    int64_t now_us = clock_wall_us();
    bool ok = ledger_plans_end(l, now_us, e);

    spends_prepare(c);
    for (unsigned i = 0; ok && i < c->upstream_count; i++) {
        const struct upstream *u = &c->upstreams[i];
        struct spend_window w;
        int64_t used;
        if (!spend_window(&u->budget, now_us, &w)) {
            continue;
        }
        struct plan p = {u->name, u->budget, w.from_us, w.until_us};
        ok = ledger_plan_open(l, &p, &used, e);
        if (ok) {
            spend_load(u, w.from_us, used);
        }
    }
    return ok;
}
