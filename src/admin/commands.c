/* SPDX-License-Identifier: Apache-2.0 */
/* The table of administration and what each of its rows does. */
#include "admin/commands.h"

#include "base/clock.h"

#define SECOND_US INT64_C(1000000)
#define USAGE_ROWS 100

struct command_option {
    struct str name, value;
};

struct command_call {
    struct ledger *ledger;    /* of commands that change something */
    struct ledger_view *view; /* of commands that read */
    struct str arguments[4];
    size_t argument_count;
    struct command_option options[COMMAND_ARGUMENTS];
    size_t option_count;
};

static struct str option(const struct command_call *c, const char *name, const char *otherwise)
{
    for (size_t i = 0; i < c->option_count; i++) {
        if (str_eq(c->options[i].name, str_from(name))) {
            return c->options[i].value;
        }
    }
    return str_from(otherwise);
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
    if (str_to_u64(text, &n) && n < INT32_MAX * UINT64_C(100)) {
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
    return ledger_account_create(c->ledger, c->arguments[0], kind, currency, budget, period, out,
                                 e);
}

static bool account_set(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str amount = option(c, "--budget", "");
    struct str period_text = option(c, "--budget-period", "");
    int64_t budget = -1;
    char period = 0;
    if (c->option_count == 0) {
        return err_set(e, "account set needs --budget or --budget-period");
    }
    if (str_eq(amount, STR("none"))) {
        budget = 0;
    } else if (amount.n > 0 && !budget_parse(amount, &budget, e)) {
        return false;
    }
    if (period_text.n > 0 && !period_parse("--budget-period", period_text, &period, e)) {
        return false;
    }
    return ledger_account_budget(c->ledger, c->arguments[0], budget, period, out, e);
}

static bool account_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_list(c->view, STR("accounts"), out, e);
}

static bool key_create(const struct command_call *c, struct buf *out, struct err *e)
{
    uint32_t rpm = 0, concurrency = 0;
    int64_t expires_us = 0, budget = 0;
    char period = 'm';
    if (!option_number(c, "--rpm", &rpm, e) ||
        !option_number(c, "--concurrency", &concurrency, e) ||
        !expires_parse(option(c, "--expires", ""), &expires_us, e) ||
        !budget_parse(option(c, "--budget", ""), &budget, e) ||
        !period_parse("--period", option(c, "--period", "month"), &period, e)) {
        return false;
    }
    return ledger_key_create(c->ledger, c->arguments[0], option(c, "--label", ""),
                             option(c, "--models", ""), expires_us, rpm, concurrency, budget,
                             period, out, e);
}

static bool key_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_list(c->view, STR("keys"), out, e);
}

static bool key_revoke(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_key_revoke(c->ledger, c->arguments[0], out, e);
}

static bool credit(const struct command_call *c, struct buf *out, struct err *e)
{
    int64_t nano;
    if (!amount_parse("credit", c->arguments[1], &nano, e)) {
        return false;
    }
    if (nano == 0) {
        return err_set(e, "a credit of nothing changes nothing");
    }
    return ledger_credit(c->ledger, c->arguments[0], nano, option(c, "--note", ""), out, e);
}

static bool usage(const struct command_call *c, struct buf *out, struct err *e)
{
    if (c->argument_count == 0) {
        return ledger_list(c->view, STR("accounts"), out, e);
    }
    return ledger_usage(c->view, c->arguments[0], USAGE_ROWS, out, e);
}

static bool check(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_check(c->view, out, e);
}

static bool backup(const struct command_call *c, struct buf *out, struct err *e)
{
    char path[1024];
    struct str file = c->arguments[0];
    if (file.n == 0 || file.n >= sizeof(path)) {
        return err_set(e, "the name of the file is too long");
    }
    memcpy(path, file.p, file.n);
    path[file.n] = '\0';
    return ledger_backup(c->view, path, out, e);
}

const struct command commands[] = {
    {"account create",
     "NAME [--kind customer|house] [--currency CODE]\n"
     "                        [--budget AMOUNT] [--budget-period day|month]",
     "a new account", "--kind --currency --budget --budget-period ", 1, 1, LEDGER_CALL,
     account_create},
    {"account set", "NAME [--budget AMOUNT|none] [--budget-period day|month]",
     "what all keys of an account together may spend in a day or month",
     "--budget --budget-period ", 1, 1, LEDGER_CALL, account_set},
    {"account list", "", "accounts and their balances", "", 0, 0, LEDGER_READ, account_list},
    {"key create",
     "ACCOUNT [--label TEXT] [--models A,B] [--rpm N] [--concurrency N] [--expires 30d]\n"
     "                        [--budget AMOUNT] [--period day|month]",
     "a new key, shown once", "--label --models --rpm --concurrency --expires --budget --period ",
     1, 1, LEDGER_CALL, key_create},
    {"key list", "", "keys and their limits", "", 0, 0, LEDGER_READ, key_list},
    {"key revoke", "ID", "end a key", "", 1, 1, LEDGER_CALL, key_revoke},
    {"credit", "ACCOUNT AMOUNT [--note TEXT]", "add to an account's balance", "--note ", 2, 2,
     LEDGER_CALL, credit},
    {"usage", "[ACCOUNT]", "the last charges of an account, or what all accounts hold", "", 0, 1,
     LEDGER_READ, usage},
    {"ledger check", "", "check every rule of the books", "", 0, 0, LEDGER_REPORT, check},
    {"backup", "FILE", "a copy of the store, also while the station serves", "", 1, 1,
     LEDGER_REPORT, backup},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const struct str *argv, size_t argc, size_t *words)
{
    for (size_t i = 0; i < command_count; i++) {
        struct str rest = str_from(commands[i].words);
        size_t n = 0;
        while (rest.n > 0 && n < argc && str_eq(str_cut(&rest, ' '), argv[n])) {
            n++;
            if (rest.n == 0) {
                *words = n;
                return &commands[i];
            }
        }
    }
    return NULL;
}

/* The name stands as a whole word in the list of the command's options. */
static bool option_known(const struct command *command, struct str name)
{
    struct str rest = str_from(command->options);
    while (rest.n > 0) {
        if (str_eq(str_cut(&rest, ' '), name)) {
            return true;
        }
    }
    return false;
}

bool command_run(struct ledger *l, struct ledger_view *v, const struct str *argv, size_t argc,
                 struct buf *out, struct err *e)
{
    struct command_call call = {.ledger = l, .view = v};
    size_t at = 0;
    const struct command *command = command_find(argv, argc, &at);
    if (command == NULL) {
        return err_set(e, "there is no such command");
    }
    for (; at < argc; at++) {
        if (str_starts(argv[at], STR("--"))) {
            struct str rest = argv[at];
            struct command_option o = {.name = str_cut(&rest, '=')};
            if (!option_known(command, o.name)) {
                return err_set(e, "%s has no option '%.*s'", command->words, STR_ARG(o.name));
            }
            if (o.name.n < argv[at].n) {
                o.value = rest;
            } else if (at + 1 < argc) {
                o.value = argv[++at];
            } else {
                return err_set(e, "%.*s needs a value", STR_ARG(o.name));
            }
            if (call.option_count == COMMAND_ARGUMENTS) {
                return err_set(e, "too many options");
            }
            call.options[call.option_count++] = o;
        } else if (call.argument_count < command->most) {
            call.arguments[call.argument_count++] = argv[at];
        } else {
            return err_set(e, "%s has no place for '%.*s'", command->words, STR_ARG(argv[at]));
        }
    }
    if (call.argument_count < command->least) {
        return err_set(e, "usage: entrepot %s %s", command->words, command->arguments);
    }
    return command->run(&call, out, e);
}
