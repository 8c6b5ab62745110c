/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices and costs as written. Which rates and tiers of service there are is known to the caller,
 * so the option tables are made here, of its names.
 */
#include <assert.h>
#include <stdio.h>

#include "config/options.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* A decimal up to this, scaled by 10^6: a million per million tokens. */
#define RATE_MAX INT64_C(1000000000000)
/* The same for one thing, scaled by 10^12: a million each. */
#define EACH_MAX INT64_C(1000000000000000000)
#define FACTOR_MAX INT64_C(1000000000) /* scaled by 10^6 */

#define SETTINGS 6

struct price_options {
    struct option price[SETTINGS + LIMIT_RATES], cost[SETTINGS + LIMIT_RATES];
    struct option tier[1 + LIMIT_RATES], service[LIMIT_SERVICES];
    struct option_set price_set, cost_set, tier_set, service_set;
};

static void read_from(struct loader *l, yaml_node_t *node, void *target)
{
    static const char *const sources[] = {"book"};
    struct price_text *t = target;
    t->from_book = loader_word(l, node, "price source", sources, COUNT(sources)) == 0;
}

static void read_currency(struct loader *l, yaml_node_t *node, void *target)
{
    struct price_text *t = target;
    struct currency currency;
    struct str text;
    if (!loader_text(l, "currency", node, &text)) {
        return;
    }
    if (!currency_parse(text, &currency)) {
        loader_report(l, node->start_mark, "currency must be a code such as USD, not '%.*s'",
                      STR_ARG(text));
        return;
    }
    t->currency = text;
}

static void read_tiers(struct loader *l, yaml_node_t *node, void *target)
{
    struct price_text *t = target;
    size_t n = loader_count(l, "tiers", node, LIMIT_PRICE_TIERS - 1);

    for (size_t i = 0; i < n; i++) {
        yaml_node_t *item = loader_item(l, node, i);
        struct price_tier_text *tier = &t->tiers[i + 1];
        loader_read_set(l, &l->prices->tier_set, item, tier);
        if (tier->min_input > 0 && tier->min_input <= t->tiers[i].min_input) {
            loader_report(l, item->start_mark, "tiers stand in the order of their min_input");
        }
    }
    t->tier_count = 1 + (unsigned)n;
}

static void read_services(struct loader *l, yaml_node_t *node, void *target)
{
    struct price_text *t = target;
    loader_read_set(l, &l->prices->service_set, node, t->services);
}

static struct option rate_option(const struct config_vendors *v, size_t i, size_t place)
{
    return (struct option){.name = v->rates[i].name,
                           .kind = v->rates[i].each ? OPTION_UNIT : OPTION_DECIMAL,
                           .offset = place + i * sizeof(struct str),
                           .max = v->rates[i].each ? EACH_MAX : RATE_MAX};
}

/* The settings of a price, or of a cost, which has a factor where the other has a margin. */
static struct option_set price_set(const struct config_vendors *v, const char *what,
                                   const char *factor, struct option *table)
{
    const struct option settings[SETTINGS] = {
        {.name = "from", .kind = OPTION_OTHER, .read = read_from},
        {.name = "currency", .kind = OPTION_OTHER, .read = read_currency},
        {.name = "tiers", .kind = OPTION_OTHER, .read = read_tiers},
        {.name = "service_tiers", .kind = OPTION_OTHER, .read = read_services},
        {.name = "request",
         .kind = OPTION_UNIT,
         .offset = offsetof(struct price_text, request),
         .max = EACH_MAX},
        {.name = factor,
         .kind = OPTION_DECIMAL,
         .offset = offsetof(struct price_text, factor),
         .min = 1,
         .max = FACTOR_MAX},
    };

    memcpy(table, settings, sizeof(settings));
    for (size_t i = 0; i < v->rate_count; i++) {
        table[SETTINGS + i] = rate_option(v, i, offsetof(struct price_text, tiers[0].rates));
    }
    return (struct option_set){what, table, SETTINGS + v->rate_count};
}

static void make_options(struct loader *l, yaml_mark_t mark)
{
    const struct config_vendors *v = l->vendors;
    struct price_options *o = l->prices;

    assert(v->rate_count <= LIMIT_RATES && v->service_count <= LIMIT_SERVICES);
    if (o == NULL) {
        o = l->prices = loader_alloc(l, mark, sizeof(*o));
    }
    if (o == NULL || o->price_set.count > 0) {
        return;
    }
    o->price_set = price_set(v, "a price", "margin", o->price);
    o->cost_set = price_set(v, "a cost", "factor", o->cost);
    o->tier[0] = (struct option){.name = "min_input",
                                 .kind = OPTION_NUMBER,
                                 .required = true,
                                 .offset = offsetof(struct price_tier_text, min_input),
                                 .min = 1,
                                 .max = INT32_MAX};
    for (size_t i = 0; i < v->rate_count; i++) {
        o->tier[1 + i] = rate_option(v, i, offsetof(struct price_tier_text, rates));
    }
    o->tier_set = (struct option_set){"a tier", o->tier, 1 + v->rate_count};
    for (size_t i = 0; i < v->service_count; i++) {
        o->service[i] = (struct option){.name = v->services[i],
                                        .kind = OPTION_DECIMAL,
                                        .offset = i * sizeof(struct str),
                                        .min = 1,
                                        .max = FACTOR_MAX};
    }
    o->service_set = (struct option_set){"service_tiers", o->service, v->service_count};
}

static void check_price(struct loader *l, yaml_node_t *node, const char *what,
                        const struct price_text *t)
{
    const struct config_vendors *v = l->vendors;
    bool written = t->request.n > 0 || t->tier_count > 1;

    for (size_t i = 0; i < v->rate_count; i++) {
        written = written || t->tiers[0].rates[i].n > 0;
    }
    if (t->from_book && written) {
        loader_report(l, node->start_mark, "%s is either from the book or written out", what);
    } else if (!t->from_book && (t->currency.n == 0 || t->tiers[0].rates[v->input].n == 0 ||
                                 t->tiers[0].rates[v->output].n == 0)) {
        loader_report(l, node->start_mark,
                      "%s needs 'from: book', or 'currency', 'input' and 'output'", what);
    }
}

static const struct price_text *read_set(struct loader *l, yaml_node_t *node, bool cost)
{
    struct price_text *t = loader_alloc(l, node->start_mark, sizeof(*t));
    char at[256];
    bool failed = l->failed;

    make_options(l, node->start_mark);
    if (t == NULL || l->prices == NULL) {
        return NULL;
    }
    snprintf(at, sizeof(at), "%s:%zu:%zu", l->name, node->start_mark.line + 1,
             node->start_mark.column + 1);
    t->at = arena_str(&l->config->memory, str_from(at));
    t->tier_count = 1;
    l->failed = false;
    loader_read_set(l, cost ? &l->prices->cost_set : &l->prices->price_set, node, t);
    if (!l->failed) {
        check_price(l, node, cost ? "a cost" : "a price", t);
    }
    l->failed = l->failed || failed;
    return t;
}

void loader_read_price(struct loader *l, yaml_node_t *node, void *target)
{
    struct model *m = target;
    m->price = read_set(l, node, false);
}

void loader_read_route_cost(struct loader *l, yaml_node_t *node, void *target)
{
    struct route *r = target;
    r->cost = read_set(l, node, true);
}

void loader_read_upstream_cost(struct loader *l, yaml_node_t *node, void *target)
{
    struct upstream *u = target;
    u->cost = read_set(l, node, true);
}

void loader_read_book_price(struct loader *l, yaml_node_t *node, void *target)
{
    struct book_entry *b = target;
    b->price = read_set(l, node, true);
    if (b->price != NULL && b->price->from_book) {
        loader_report(l, node->start_mark, "a row of a price book is written out");
    }
}
