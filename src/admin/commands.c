/* SPDX-License-Identifier: Apache-2.0 */
/* The table of administration and what its rows do with accounts, keys and the store. */
#include "admin/admin_int.h"
#include "base/clock.h"

#include "ledger/statement.h"
#include "json/json.h"

#define USAGE_ROWS 100
#define STATEMENT_BYTES (LIMIT_STATEMENT_LINES * 4096)

static bool account_create(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str kind = argument(c, "--kind", "customer");
    struct str code = argument(c, "--currency", "USD");
    struct currency currency;
    int64_t budget = 0;
    char period = 'm';
    if (!str_eq(kind, STR("customer")) && !str_eq(kind, STR("house"))) {
        return err_set(e, "--kind is customer or house, not '%.*s'", STR_ARG(kind));
    }
    if (!currency_parse(code, &currency)) {
        return err_set(e, "--currency needs a code such as USD, not '%.*s'", STR_ARG(code));
    }
    if (!argument_budget(argument(c, "--budget", ""), &budget, e) ||
        !argument_period("--budget-period", argument(c, "--budget-period", "month"), &period, e)) {
        return false;
    }
    return ledger_account_create(c->ledger, c->operands[0], kind, currency, budget, period, out,
                                 e) &&
           warn_currency(c, currency, out, e);
}

static bool set_budget(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str amount = argument(c, "--budget", "");
    struct str period_text = argument(c, "--budget-period", "");
    int64_t budget = -1;
    char period = 0;
    if (str_eq(amount, STR("none"))) {
        budget = 0;
    } else if (amount.n > 0 && !argument_budget(amount, &budget, e)) {
        return false;
    }
    if (period_text.n > 0 && !argument_period("--budget-period", period_text, &period, e)) {
        return false;
    }
    return ledger_account_budget(c->ledger, c->operands[0], budget, period, out, e);
}

static bool set_limit(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str text = argument(c, "--credit-limit", "");
    int64_t limit = 0;
    if (!str_eq(text, STR("none")) && !argument_amount("--credit-limit", text, &limit, e)) {
        return false;
    }
    if (limit == 0 && !str_eq(text, STR("none"))) {
        return err_set(e, "--credit-limit is an amount above 0, or none for no limit");
    }
    return ledger_account_credit_limit(c->ledger, c->operands[0], limit, out, e);
}

static bool set_group(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str group = argument(c, "--group", "");
    group = str_eq(group, STR("none")) ? STR("") : group;
    if (!ledger_account_group(c->ledger, c->operands[0], group, out, e)) {
        return false;
    }
    if (group.n > 0 && !ledger_group_priced(c->ledger, group)) {
        warn(out, "the group \"%.*s\" has no factor: its accounts pay the price as it is",
             STR_ARG(group));
    }
    return true;
}

static bool set_factor(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str text = argument(c, "--factor", "");
    struct ratio ratio;
    if (str_eq(text, STR("none"))) {
        return ledger_factor_none(c->ledger, c->operands[0], out, e);
    }
    return argument_factor("--factor", text, &ratio, e) &&
           ledger_factor_set(c->ledger, false, c->operands[0], ratio, out, e);
}

static const struct {
    const char *option;
    command_fn *set;
} settings[] = {
    {"--budget", set_budget}, {"--budget-period", set_budget}, {"--credit-limit", set_limit},
    {"--group", set_group},   {"--factor", set_factor},
};

/* One thing at a time: each is a commit of its own, and half of a change is none. */
static bool account_set(const struct command_call *c, struct buf *out, struct err *e)
{
    command_fn *set = NULL;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (command_value(c, settings[i].option).p == NULL || settings[i].set == set) {
            continue;
        }
        if (set != NULL) {
            return err_set(e, "set one thing at a time: a budget, a limit, a group or a factor");
        }
        set = settings[i].set;
    }
    return set != NULL ? set(c, out, e)
                       : err_set(e, "nothing to set: give an option of account set");
}

static bool account_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_list(c->view, STR("accounts"), out, e);
}

/* A name that no model has would make a key that can do less than was meant. */
static bool models_known(const struct command_call *c, struct str list, struct err *e)
{
    while (c->config != NULL && list.n > 0) {
        struct str name = str_trim(str_cut(&list, ','));
        if (config_model(c->config, name) == NULL) {
            return err_set(e, "no model '%.*s' is configured", STR_ARG(name));
        }
    }
    return true;
}

static bool key_create(const struct command_call *c, struct buf *out, struct err *e)
{
    uint32_t rpm = 0, concurrency = 0;
    int64_t expires_us = 0, budget = 0;
    char period = 'm';
    if (!argument_number(c, "--rpm", &rpm, e) ||
        !argument_number(c, "--concurrency", &concurrency, e) ||
        !argument_time("--expires", argument(c, "--expires", ""), &expires_us, e) ||
        !models_known(c, argument(c, "--models", ""), e) ||
        !argument_budget(argument(c, "--budget", ""), &budget, e) ||
        !argument_period("--period", argument(c, "--period", "month"), &period, e)) {
        return false;
    }
    return ledger_key_create(c->ledger, c->operands[0], argument(c, "--label", ""),
                             argument(c, "--models", ""), expires_us, rpm, concurrency, budget,
                             period, out, e);
}

static bool key_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_list(c->view, STR("keys"), out, e);
}

static bool key_revoke(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_key_revoke(c->ledger, c->operands[0], out, e);
}

/* 0 as it is: the old key ends at once. */
static bool key_rotate(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str overlap = argument(c, "--overlap", "24h");
    int64_t us;
    if (!clock_span_parse(overlap, &us) || us > LIMIT_OVERLAP_DAYS * INT64_C(86400000000)) {
        return err_set(e, "--overlap is from 0s to %dd, such as 24h, not '%.*s'",
                       LIMIT_OVERLAP_DAYS, STR_ARG(overlap));
    }
    return ledger_key_rotate_id(c->ledger, c->operands[0], us, out, e);
}

static bool usage(const struct command_call *c, struct buf *out, struct err *e)
{
    if (c->operand_count == 0) {
        return ledger_list(c->view, STR("accounts"), out, e);
    }
    return ledger_usage(c->view, c->operands[0], USAGE_ROWS, out, e);
}

static bool statement(const struct command_call *c, struct buf *out, struct err *e)
{
    const struct statement_words words = {.from = argument(c, "--from", ""),
                                          .to = argument(c, "--to", ""),
                                          .currency = argument(c, "--currency", ""),
                                          .format = argument(c, "--format", ""),
                                          .limit = argument(c, "--limit", ""),
                                          .cursor = argument(c, "--cursor", "")};
    struct statement_ask ask;
    const char *field;
    if (!statement_parse(&words, &ask, &field, e) ||
        !ledger_has_balance(c->view, c->operands[0], ask.currency, e)) {
        return false;
    }
    if (!ask.csv) {
        return ledger_statement(c->view, c->operands[0], &ask, out, e);
    }
    struct buf csv;
    buf_init(&csv, STATEMENT_BYTES);
    bool ok = ledger_statement(c->view, c->operands[0], &ask, &csv, e);
    if (ok) {
        buf_add(out, STR("{\"csv\":"));
        json_write_str(out, buf_str(&csv));
        buf_add(out, STR(",\"next\":"));
        json_write_str(out, str_from(ask.next));
        buf_add(out, STR("}"));
    }
    buf_release(&csv);
    return ok;
}

static bool check(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_check(c->view, out, e);
}

static bool backup(const struct command_call *c, struct buf *out, struct err *e)
{
    char path[1024];
    struct str file = c->operands[0];
    if (file.n == 0 || file.n >= sizeof(path)) {
        return err_set(e, "the name of the file is too long");
    }
    memcpy(path, file.p, file.n);
    path[file.n] = '\0';
    return ledger_backup(c->view, path, out, e);
}

static const struct command_option account_create_options[] = {
    {"--kind", "customer|house", "pays from its balance, or is only metered (customer)"},
    {"--currency", "CODE", "what it holds and is charged in (USD)"},
    {"--budget", "AMOUNT", "what all its keys together may spend in a period (no limit)"},
    {"--budget-period", "day|month", "of UTC (month)"},
    {NULL, NULL, NULL},
};
static const struct command_option account_set_options[] = {
    {"--group", "NAME|none", "its group, whose factor its prices are multiplied with"},
    {"--factor", "NUMBER|none", "a factor of its own, before its group's: 0.9, or 21/20"},
    {"--credit-limit", "AMOUNT|none", "how far below zero a house account may go"},
    {"--budget", "AMOUNT|none", "what all its keys together may spend in a period"},
    {"--budget-period", "day|month", "of UTC"},
    {NULL, NULL, NULL},
};
static const struct command_option key_create_options[] = {
    {"--label", "TEXT", "to know it again"},
    {"--models", "A,B", "only these models, by any of their names (all)"},
    {"--rpm", "N", "requests a minute (no limit)"},
    {"--concurrency", "N", "requests at once (no limit)"},
    {"--expires", "30d", "a time from now, in s, m, h or d, or the seconds of an epoch (never)"},
    {"--budget", "AMOUNT", "what it may spend in a period (no limit)"},
    {"--period", "day|month", "of its budget, of UTC (month)"},
    {NULL, NULL, NULL},
};
static const struct command_option key_rotate_options[] = {
    {"--overlap", "24h", "how long the old key goes on, at most 30d; 0s ends it at once (24h)"},
    {NULL, NULL, NULL},
};
static const struct command_option statement_options[] = {
    {"--from", "2026-11-01", "the first day (UTC), or a time such as 2026-11-01T08:30:00Z (month)"},
    {"--to", "2026-12-01", "the day or time before which it ends (all there is)"},
    {"--currency", "CODE", "one of its balances (all)"},
    {"--format", "json|csv", "csv: a table by RFC 4180"},
    {"--limit", "N", "lines of a page, all of which are fetched (1000)"},
    {"--cursor", "TEXT", "where it goes on, as a page names its next"},
    {NULL, NULL, NULL},
};
static const struct command_option money_options[] = {
    {"--currency", "CODE", "which of its balances; credit makes it (the account's own)"},
    {"--note", "TEXT", "why; kept with the transfer, and shown on the statement"},
    {"--reference", "TEXT", "of the payment; with the same one nothing is booked twice"},
    {NULL, NULL, NULL},
};

static const struct command_option rate_options[] = {
    {"--from", "30d", "later than now: in s, m, h or d, or the seconds of an epoch"},
    {"--source", "TEXT", "who says so; kept with the rate"},
    {NULL, NULL, NULL},
};

const struct command commands[] = {
    {"account create", "NAME", "a new account", account_create_options, 1, 1, LEDGER_CALL,
     account_create},
    {"account set", "NAME", "its budget, group, factor or limit of credit", account_set_options, 1,
     1, LEDGER_CALL, account_set},
    {"account list", "", "accounts and their balances", NULL, 0, 0, LEDGER_READ, account_list},
    {"key create", "ACCOUNT", "a new key, shown once", key_create_options, 1, 1, LEDGER_CALL,
     key_create},
    {"key list", "", "keys and their limits", NULL, 0, 0, LEDGER_READ, key_list},
    {"key revoke", "ID", "end a key", NULL, 1, 1, LEDGER_CALL, key_revoke},
    {"key rotate", "ID", "a new key in its place, shown once, with the same limits",
     key_rotate_options, 1, 1, LEDGER_CALL, key_rotate},
    {"group set", "NAME FACTOR", "what the prices of a group's accounts are multiplied with", NULL,
     2, 2, LEDGER_CALL, command_group_set},
    {"group list", "", "groups, what their prices are multiplied with, and how many they are", NULL,
     0, 0, LEDGER_READ, command_group_list},
    {"credit", "ACCOUNT AMOUNT", "add to an account's balance", money_options, 2, 2, LEDGER_CALL,
     command_credit},
    {"debit", "ACCOUNT AMOUNT", "take back from an account what no request under way holds",
     money_options, 2, 2, LEDGER_CALL, command_debit},
    {"promo grant", "ACCOUNT AMOUNT", "money that is spent first and never refunded", money_options,
     2, 2, LEDGER_CALL, command_promo_grant},
    {"promo lapse", "ACCOUNT AMOUNT", "take back promo that was not spent", money_options, 2, 2,
     LEDGER_CALL, command_promo_lapse},
    {"voucher create", "AMOUNT", "vouchers of this much each; their codes are shown once",
     voucher_create_options, 1, 1, LEDGER_CALL, command_voucher_create},
    {"voucher list", "[BATCH]", "all batches, or the vouchers of one", NULL, 0, 1, LEDGER_REPORT,
     command_voucher_list},
    {"voucher void", "BATCH|CODE", "end what is open of a batch, or one voucher",
     voucher_void_options, 1, 1, LEDGER_CALL, command_voucher_void},
    {"refund sent", "REFUND", "it has left, outside", NULL, 1, 1, LEDGER_CALL, command_refund_sent},
    {"refund cancel", "REFUND", "give it up: the money goes back to its balance", NULL, 1, 1,
     LEDGER_CALL, command_refund_cancel},
    {"refund list", "[ACCOUNT]", "refunds and how they stand", NULL, 0, 1, LEDGER_READ,
     command_refund_list},
    {"refund", "ACCOUNT AMOUNT|all",
     "take what was paid in and not used out of a balance, to be sent", refund_options, 2, 2,
     LEDGER_CALL, command_refund},
    {"rate set", "BASE QUOTE RATE", "1 BASE is so much QUOTE, from now on: 7.25, or 145/20",
     rate_options, 3, 3, LEDGER_CALL, command_rate_set},
    {"rate list", "", "all rates of exchange, with their dates", NULL, 0, 0, LEDGER_READ,
     command_rate_list},
    {"upstream buy", "NAME AMOUNT CURRENCY", "what you have paid in at a vendor",
     upstream_buy_options, 3, 3, LEDGER_CALL, command_upstream_buy},
    {"upstream writeoff", "NAME AMOUNT|all CURRENCY",
     "what is left there no more: it expired, or the vendor has gone", upstream_writeoff_options, 3,
     3, LEDGER_CALL, command_upstream_writeoff},
    {"upstream list", "", "what was bought, used and is left at each upstream", NULL, 0, 0,
     LEDGER_READ, command_upstream_list},
    {"upstream show", "NAME", "the same of one", NULL, 1, 1, LEDGER_READ, command_upstream_show},
    {"usage --margin", "", "revenue, cost, losses and what is left of it", margin_options, 0, 0,
     LEDGER_REPORT, command_margin},
    {"usage", "[ACCOUNT]", "the last charges of an account, or what all accounts hold", NULL, 0, 1,
     LEDGER_READ, usage},
    {"price list", "", "what is sold, at which row of the store and since when", NULL, 0, 0,
     LEDGER_READ, command_price_list},
    {"price show", "[MODEL]", "all of a price, what its routes cost and what is left of it", NULL,
     0, 1, LEDGER_READ, command_price_show},
    {"price history", "[MODEL]", "every price that was ever asked, from when until when", NULL, 0,
     1, LEDGER_READ, command_price_history},
    {"statement", "ACCOUNT", "every movement of an account's balances, and what they came to",
     statement_options, 1, 1, LEDGER_READ, statement},
    {"ledger check", "", "check every rule of the books", NULL, 0, 0, LEDGER_REPORT, check},
    {"backup", "FILE", "a copy of the store, also while the station serves", NULL, 1, 1,
     LEDGER_REPORT, backup},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);
