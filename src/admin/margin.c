/* SPDX-License-Identifier: Apache-2.0 */
/* usage --margin */
#include "admin/admin_int.h"
#include "base/clock.h"

#define DAY_US INT64_C(86400000000)

const struct command_option margin_options[] = {
    {"--by", "WHAT", "request, model, customer, group, upstream, key or day (the total alone)"},
    {"--from", "2026-11-01", "the first day, of UTC (ever since)"},
    {"--to", "2026-11-30", "the last day, which counts, too (until now)"},
    {"--currency", "CODE", "all in this one, by the rates of the time (each in its own)"},
    {NULL, NULL, NULL},
};

bool command_margin(const struct command_call *c, struct buf *out, struct err *e)
{
    struct margin_query q = {.to_us = INT64_MAX};
    struct str from = argument(c, "--from", ""), to = argument(c, "--to", "");
    struct str code = argument(c, "--currency", "");

    if (!margin_by_parse(argument(c, "--by", ""), &q.by, e)) {
        return false;
    }
    if (from.n > 0 && !clock_parse_day(from, &q.from_us)) {
        return err_set(e, "--from needs a day such as 2026-11-01, not '%.*s'", STR_ARG(from));
    }
    if (to.n > 0 && !clock_parse_day(to, &q.to_us)) {
        return err_set(e, "--to needs a day such as 2026-11-30, not '%.*s'", STR_ARG(to));
    }
    q.to_us += to.n > 0 ? DAY_US : 0;
    if (q.from_us >= q.to_us) {
        return err_set(e, "--to needs a day that is not before --from");
    }
    if (code.n > 0 && !currency_parse(code, &q.currency)) {
        return err_set(e, "--currency needs a code such as USD, not '%.*s'", STR_ARG(code));
    }
    return ledger_margin(c->view, &q, out, e);
}
