/* SPDX-License-Identifier: Apache-2.0 */
/* The table of administration and what each of its rows does. */
#include "admin/commands.h"

#include "base/clock.h"

#define SECOND_US INT64_C(1000000)
#define USAGE_ROWS 100

static struct str option(const struct command_call *c, const char *name, const char *otherwise)
{
    struct str value = command_value(c, name);
    return value.p != NULL ? value : str_from(otherwise);
}

static bool option_number(const struct command_call *c, const char *name, uint32_t *out,
                          struct err *e)
{
    struct str text = option(c, name, "");
    uint64_t n = 0;
    if (text.n > 0 && (!str_to_u64(text, &n) || n == 0 || n > UINT32_MAX)) {
        return err_set(e, "%s needs a whole number above 0, not '%.*s'", name, STR_ARG(text));
    }
    *out = (uint32_t)n; /* 0: no limit */
    return true;
}

/* 30d, 12h, 15m, 90s from now, or the seconds of an epoch; empty: never. */
static bool expires_parse(struct str text, int64_t *us, struct err *e)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t n;
    *us = 0;
    if (text.n == 0) {
        return true;
    }
    if (str_to_u64(text, &n) && n > 0 && n < INT32_MAX * UINT64_C(100)) {
        *us = (int64_t)n * SECOND_US;
        return true;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.p[text.n - 1] == units[i].unit && str_to_u64(str_slice(text.p, text.n - 1), &n) &&
            n > 0 && n < 1000000) {
            *us = clock_wall_us() + (int64_t)n * units[i].seconds * SECOND_US;
            return true;
        }
    }
    return err_set(e, "--expires needs a time such as 12h or 30d, not '%.*s'", STR_ARG(text));
}

static bool amount_parse(const char *what, struct str text, int64_t *nano, struct err *e)
{
    if (!decimal_parse(text, 9, nano)) {
        return err_set(e, "%s needs an amount such as 12.50, not '%.*s'", what, STR_ARG(text));
    }
    return true;
}

static bool period_parse(const char *name, struct str text, char *period, struct err *e)
{
    if (!str_eq(text, STR("day")) && !str_eq(text, STR("month"))) {
        return err_set(e, "%s is day or month, not '%.*s'", name, STR_ARG(text));
    }
    *period = text.p[0];
    return true;
}

/* An amount above 0; empty text: none. */
static bool budget_parse(struct str text, int64_t *nano, struct err *e)
{
    *nano = 0;
    if (text.n == 0) {
        return true;
    }
    if (!amount_parse("--budget", text, nano, e)) {
        return false;
    }
    return *nano > 0 || err_set(e, "--budget 0 would refuse everything; leave it out for none");
}

static bool account_create(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str kind = option(c, "--kind", "customer");
    struct str code = option(c, "--currency", "USD");
    struct currency currency;
    int64_t budget = 0;
    char period = 'm';
    if (!str_eq(kind, STR("customer")) && !str_eq(kind, STR("house"))) {
        return err_set(e, "--kind is customer or house, not '%.*s'", STR_ARG(kind));
    }
    if (!currency_parse(code, &currency)) {
        return err_set(e, "--currency needs a code such as USD, not '%.*s'", STR_ARG(code));
    }
    if (!budget_parse(option(c, "--budget", ""), &budget, e) ||
        !period_parse("--budget-period", option(c, "--budget-period", "month"), &period, e)) {
        return false;
    }
    return ledger_account_create(c->ledger, c->operands[0], kind, currency, budget, period, out, e);
}

static bool account_set(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str amount = option(c, "--budget", "");
    struct str period_text = option(c, "--budget-period", "");
    int64_t budget = -1;
    char period = 0;
    if (c->option_count == 0) {
        return err_set(e, "nothing to set: give --budget or --budget-period");
    }
    if (str_eq(amount, STR("none"))) {
        budget = 0;
    } else if (amount.n > 0 && !budget_parse(amount, &budget, e)) {
        return false;
    }
    if (period_text.n > 0 && !period_parse("--budget-period", period_text, &period, e)) {
        return false;
    }
    return ledger_account_budget(c->ledger, c->operands[0], budget, period, out, e);
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
    if (!option_number(c, "--rpm", &rpm, e) ||
        !option_number(c, "--concurrency", &concurrency, e) ||
        !expires_parse(option(c, "--expires", ""), &expires_us, e) ||
        !models_known(c, option(c, "--models", ""), e) ||
        !budget_parse(option(c, "--budget", ""), &budget, e) ||
        !period_parse("--period", option(c, "--period", "month"), &period, e)) {
        return false;
    }
    return ledger_key_create(c->ledger, c->operands[0], option(c, "--label", ""),
                             option(c, "--models", ""), expires_us, rpm, concurrency, budget,
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

/* The operand of a movement of money. */
static bool moved_parse(const struct command_call *c, int64_t *nano, struct err *e)
{
    if (!amount_parse(c->command->words, c->operands[1], nano, e)) {
        return false;
    }
    return *nano > 0 || err_set(e, "a %s of nothing changes nothing", c->command->words);
}

static bool credit(const struct command_call *c, struct buf *out, struct err *e)
{
    int64_t nano;
    return moved_parse(c, &nano, e) &&
           ledger_credit(c->ledger, c->operands[0], nano, option(c, "--note", ""), out, e);
}

static bool debit(const struct command_call *c, struct buf *out, struct err *e)
{
    int64_t nano;
    return moved_parse(c, &nano, e) &&
           ledger_debit(c->ledger, c->operands[0], nano, option(c, "--note", ""), out, e);
}

static bool usage(const struct command_call *c, struct buf *out, struct err *e)
{
    if (c->operand_count == 0) {
        return ledger_list(c->view, STR("accounts"), out, e);
    }
    return ledger_usage(c->view, c->operands[0], USAGE_ROWS, out, e);
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
static const struct command_option note_options[] = {
    {"--note", "TEXT", "why; kept with the transfer"},
    {NULL, NULL, NULL},
};

const struct command commands[] = {
    {"account create", "NAME", "a new account", account_create_options, 1, 1, LEDGER_CALL,
     account_create},
    {"account set", "NAME", "what all keys of an account together may spend in a day or month",
     account_set_options, 1, 1, LEDGER_CALL, account_set},
    {"account list", "", "accounts and their balances", NULL, 0, 0, LEDGER_READ, account_list},
    {"key create", "ACCOUNT", "a new key, shown once", key_create_options, 1, 1, LEDGER_CALL,
     key_create},
    {"key list", "", "keys and their limits", NULL, 0, 0, LEDGER_READ, key_list},
    {"key revoke", "ID", "end a key", NULL, 1, 1, LEDGER_CALL, key_revoke},
    {"credit", "ACCOUNT AMOUNT", "add to an account's balance", note_options, 2, 2, LEDGER_CALL,
     credit},
    {"debit", "ACCOUNT AMOUNT", "take back from an account what no request under way holds",
     note_options, 2, 2, LEDGER_CALL, debit},
    {"usage", "[ACCOUNT]", "the last charges of an account, or what all accounts hold", NULL, 0, 1,
     LEDGER_READ, usage},
    {"ledger check", "", "check every rule of the books", NULL, 0, 0, LEDGER_REPORT, check},
    {"backup", "FILE", "a copy of the store, also while the station serves", NULL, 1, 1,
     LEDGER_REPORT, backup},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);
