/* SPDX-License-Identifier: Apache-2.0 */
/* The budget of an upstream as written: how much of what, in which period, and what that costs. */
#include "base/clock.h"
#include "config/options.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DAY_US INT64_C(86400000000)
#define UNITS_MAX UINT64_C(1000000000000000)

struct budget_text {
    struct upstream_budget *budget;
    struct str amount, currency, cost, cost_currency;
    unsigned limits; /* how many were given */
};

static void read_units(struct loader *l, const char *what, yaml_node_t *node, void *target,
                       enum budget_unit unit)
{
    struct budget_text *t = target;
    struct str text;
    uint64_t n;

    t->limits++;
    if (!loader_text(l, what, node, &text)) {
        return;
    }
    if (!str_to_u64(text, &n) || n == 0 || n > UNITS_MAX) {
        loader_report(l, node->start_mark, "%s must be a whole number above 0, not '%.*s'", what,
                      STR_ARG(text));
        return;
    }
    t->budget->unit = (uint8_t)unit;
    t->budget->units = (int64_t)n;
}

static void read_requests(struct loader *l, yaml_node_t *node, void *target)
{
    read_units(l, "requests", node, target, BUDGET_REQUESTS);
}

static void read_tokens(struct loader *l, yaml_node_t *node, void *target)
{
    read_units(l, "tokens", node, target, BUDGET_TOKENS);
}

static bool read_nano(struct loader *l, yaml_node_t *node, struct str text, int64_t *out)
{
    if (decimal_parse(text, 9, out) && *out > 0) {
        return true;
    }
    loader_report(l, node->start_mark,
                  "amount must be above 0, with nine digits after the point at most, such as "
                  "\"7.90\", not '%.*s'",
                  STR_ARG(text));
    return false;
}

static void read_amount(struct loader *l, yaml_node_t *node, void *target)
{
    struct budget_text *t = target;

    t->limits++;
    if (loader_text(l, "amount", node, &t->amount) &&
        read_nano(l, node, t->amount, &t->budget->units)) {
        t->budget->unit = BUDGET_AMOUNT;
    }
}

static void read_code(struct loader *l, yaml_node_t *node, struct str *text, struct currency *out)
{
    if (loader_text(l, "currency", node, text) && !currency_parse(*text, out)) {
        loader_report(l, node->start_mark, "currency must be a code such as USD, not '%.*s'",
                      STR_ARG(*text));
    }
}

static void read_currency(struct loader *l, yaml_node_t *node, void *target)
{
    struct budget_text *t = target;
    read_code(l, node, &t->currency, &t->budget->currency);
}

static void read_period(struct loader *l, yaml_node_t *node, void *target)
{
    static const char *const periods[] = {"day", "week", "month", "none"};
    struct budget_text *t = target;
    int i = loader_word(l, node, "period", periods, COUNT(periods));

    t->budget->period = i < 0 || i == 3 ? 0 : periods[i][0];
}

/* The last day on which it may be used. */
static void read_expires(struct loader *l, yaml_node_t *node, void *target)
{
    struct budget_text *t = target;
    struct str text;
    int64_t day_us;

    if (!loader_text(l, "expires", node, &text)) {
        return;
    }
    if (!clock_parse_day(text, &day_us)) {
        loader_report(l, node->start_mark, "expires must be a day such as 2026-12-31, not '%.*s'",
                      STR_ARG(text));
        return;
    }
    t->budget->expires_us = day_us + DAY_US;
}

static void read_cost_amount(struct loader *l, yaml_node_t *node, void *target)
{
    struct budget_text *t = target;

    if (loader_text(l, "amount", node, &t->cost)) {
        (void)read_nano(l, node, t->cost, &t->budget->cost);
    }
}

static void read_cost_currency(struct loader *l, yaml_node_t *node, void *target)
{
    struct budget_text *t = target;
    read_code(l, node, &t->cost_currency, &t->budget->currency);
}

static const struct option cost_table[] = {
    {.name = "amount", .kind = OPTION_OTHER, .required = true, .read = read_cost_amount},
    {.name = "currency", .kind = OPTION_OTHER, .required = true, .read = read_cost_currency},
};
static const struct option_set cost_options = {"a budget's cost", cost_table, COUNT(cost_table)};

static const struct option budget_table[] = {
    {.name = "requests", .kind = OPTION_OTHER, .read = read_requests},
    {.name = "tokens", .kind = OPTION_OTHER, .read = read_tokens},
    {.name = "amount", .kind = OPTION_OTHER, .read = read_amount},
    {.name = "currency", .kind = OPTION_OTHER, .read = read_currency},
    {.name = "period", .kind = OPTION_OTHER, .required = true, .read = read_period},
    {.name = "expires", .kind = OPTION_OTHER, .read = read_expires},
    {.name = "cost", .kind = OPTION_SET, .set = &cost_options},
};
static const struct option_set budget_options = {"a budget", budget_table, COUNT(budget_table)};

void loader_read_budget(struct loader *l, yaml_node_t *node, void *target)
{
    struct upstream *u = target;
    struct budget_text t = {.budget = &u->budget};

    loader_read_set(l, &budget_options, node, &t);
    bool amount = t.amount.p != NULL;
    if (t.limits != 1) {
        loader_report(l, node->start_mark, "a budget needs one of requests, tokens and amount");
    } else if (amount != (t.currency.p != NULL)) {
        loader_report(l, node->start_mark,
                      amount ? "a budget's amount needs its currency"
                             : "only a budget's amount has a currency");
    } else if (amount && t.cost.p != NULL) {
        loader_report(l, node->start_mark,
                      "an amount is a cost already: cost is for requests and tokens");
    }
}
