/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator pays its vendors, and what has become of it. */
#include "admin/admin_int.h"

const struct command_option upstream_buy_options[] = {
    {"--paid", "AMOUNT CURRENCY", "what you paid for it, in another currency (the same)"},
    {"--spread", "AMOUNT", "the part of it that the exchange took (0)"},
    {"--note", "TEXT", "why; kept with the purchase"},
    {"--reference", "TEXT", "of the payment; with the same one nothing is booked twice"},
    {NULL, NULL, NULL},
};
const struct command_option upstream_writeoff_options[] = {
    {"--note", "TEXT", "why; kept with the transfer"},
    {NULL, NULL, NULL},
};

/* Where the configuration is known here: one that is not in it was misspelled. */
static bool upstream_known(const struct command_call *c, struct err *e)
{
    bool known = c->config == NULL;

    for (unsigned i = 0; !known && i < c->config->upstream_count; i++) {
        known = str_eq(c->config->upstreams[i].name, c->operands[0]);
    }
    return known || err_set(e, "no upstream '%.*s' is configured", STR_ARG(c->operands[0]));
}

/* A period is paid in the currency that its cost is in. */
static void warn_plan(const struct command_call *c, const struct purchase *p, struct buf *out)
{
    for (unsigned i = 0; c->config != NULL && i < c->config->upstream_count; i++) {
        const struct upstream *u = &c->config->upstreams[i];
        const char *code = u->budget.currency.code;
        if (str_eq(u->name, p->upstream) && u->budget.cost > 0 &&
            strcmp(code, p->currency.code) != 0) {
            warn(out, "its budget costs %s, which %s does not pay for", code, p->currency.code);
        }
    }
}

static bool currency_of(const char *what, struct str code, struct currency *out, struct err *e)
{
    return currency_parse(code, out) ||
           err_set(e, "%s needs a currency such as USD, not '%.*s'", what, STR_ARG(code));
}

bool command_upstream_buy(const struct command_call *c, struct buf *out, struct err *e)
{
    struct purchase p = {.upstream = c->operands[0],
                         .note = argument(c, "--note", ""),
                         .reference = argument(c, "--reference", "")};
    struct str paid = argument(c, "--paid", "");

    if (!upstream_known(c, e) || !argument_amount("upstream buy", c->operands[1], &p.nano, e) ||
        !currency_of("upstream buy", c->operands[2], &p.currency, e) ||
        !argument_amount("--spread", argument(c, "--spread", "0"), &p.spread, e)) {
        return false;
    }
    p.paid = p.nano;
    p.paid_currency = p.currency;
    if (paid.n > 0 && (!argument_amount("--paid", paid, &p.paid, e) ||
                       !currency_of("--paid", command_second(c, "--paid"), &p.paid_currency, e))) {
        return false;
    }
    if (!ledger_upstream_buy(c->ledger, &p, out, e)) {
        return false;
    }
    warn_plan(c, &p, out);
    return true;
}

bool command_upstream_writeoff(const struct command_call *c, struct buf *out, struct err *e)
{
    struct purchase p = {.upstream = c->operands[0], .note = argument(c, "--note", "")};

    if (!str_eq(c->operands[1], STR("all"))) {
        if (!argument_amount("upstream writeoff", c->operands[1], &p.nano, e)) {
            return false;
        }
        if (p.nano == 0) {
            return err_set(e, "a writeoff of nothing changes nothing");
        }
    }
    return currency_of("upstream writeoff", c->operands[2], &p.currency, e) &&
           ledger_upstream_writeoff(c->ledger, &p, out, e);
}

bool command_upstream_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_upstreams(c->view, STR(""), out, e);
}

bool command_upstream_show(const struct command_call *c, struct buf *out, struct err *e)
{
    if (!ledger_upstreams(c->view, c->operands[0], out, e)) {
        return false;
    }
    /* One that has left the configuration is shown as long as there is anything of it. */
    bool nothing = str_eq(buf_str(out), STR("{\"upstreams\":[],\"budgets\":[]}"));
    if (nothing && c->config == NULL) {
        return err_set(e, "there is nothing of an upstream '%.*s'", STR_ARG(c->operands[0]));
    }
    return !nothing || upstream_known(c, e);
}
