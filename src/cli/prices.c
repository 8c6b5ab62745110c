/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prices.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/vendors.h"
#include "price/price.h"

#define FACTOR_DEN INT64_C(1000000) /* a factor is written with six digits at most */
#define SOURCE_WRITTEN "written out"

struct making {
    struct config *config;
    struct ledger *ledger; /* or NULL */
    struct buf *errors;
    int64_t now_us;
    const struct model *model;
    const struct prices **shared; /* by the rows of the book: costs that are nothing but theirs */
};

static bool complain(const struct making *m, const struct price_text *t, const char *why)
{
    buf_addf(m->errors, "%.*s: model %.*s: %s\n", STR_ARG(t->at), STR_ARG(m->model->name), why);
    return false;
}

/* What is written was found to be a decimal in range when the file was read. */
static bool factor(struct str text, struct ratio *out)
{
    *out = (struct ratio){1, FACTOR_DEN};
    return decimal_parse(text, 6, &out->num);
}

static bool set_services(const struct price_text *t, struct price *p)
{
    bool ok = true;

    for (unsigned i = 0; ok && i < CLI_SERVICES; i++) {
        struct str text = t->services[i];
        ok = text.n == 0 || ratio_parse(text, &p->service[CLI_SERVICE_FIRST + i]);
    }
    return ok;
}

/* A tier says what is other than in the tier before. */
static bool set_tier(const struct price_tier_text *t, struct str said[LEAF_COUNT],
                     struct price_tier *out)
{
    bool stated[LEAF_COUNT], ok = true;

    if (t->rates[CLI_RATE_CACHE_WRITE].n > 0) {
        said[LEAF_cache_write_5m] = t->rates[CLI_RATE_CACHE_WRITE];
        said[LEAF_cache_write_1h] = (struct str){NULL, 0};
    }
    for (enum leaf_number i = 0; ok && i < LEAF_COUNT; i++) {
        said[i] = t->rates[i].n > 0 ? t->rates[i] : said[i];
        stated[i] = said[i].n > 0;
        if (stated[i]) {
            unsigned digits = leaves[i].side == SIDE_COUNTER ? 12 : 6;
            ok = decimal_parse(said[i], digits, &out->rate[i]);
        }
    }
    if (ok) {
        price_fill(out, stated);
        out->min_input = t->min_input;
    }
    return ok;
}

static bool written_out(const struct price_text *t, struct price *p)
{
    struct str said[LEAF_COUNT] = {{NULL, 0}};
    bool ok = currency_parse(t->currency, &p->currency) &&
              (t->request.n == 0 || decimal_parse(t->request, 12, &p->request));

    for (unsigned i = 0; ok && i < t->tier_count; i++) {
        ok = set_tier(&t->tiers[i], said, &p->tiers[i]);
    }
    p->tier_count = t->tier_count;
    p->source = STR(SOURCE_WRITTEN);
    return ok;
}

/* One more price from a time on, with what is written beside where it comes from. */
static bool add_price(const struct making *m, const struct price_text *t, struct prices *all,
                      int64_t from_us, const struct price *p)
{
    struct price *kept = arena_alloc(&m->config->memory, sizeof(*kept));

    if (kept == NULL) {
        return complain(m, t, "the configuration is too large");
    }
    *kept = *p;
    kept->margin = (struct ratio){FACTOR_DEN, FACTOR_DEN};
    if (!set_services(t, kept) || (t->factor.n > 0 && !factor(t->factor, &kept->margin)) ||
        !price_valid(kept)) {
        return complain(m, t, "the price is out of range");
    }
    all->rows[all->count++] = (struct dated_price){.from_us = from_us, .price = kept};
    return true;
}

/* Rows of the operator's own book: as book_find, which looks into the built-in one. */
static size_t own_rows(const struct making *m, const struct price_text *t, struct str vendor,
                       struct str model, const struct book_entry **rows)
{
    struct str currency = t->currency;
    size_t n = 0;

    for (unsigned i = 0; i < m->config->book_count; i++) {
        const struct book_entry *b = &m->config->book[i];
        if (!str_eq(b->vendor, vendor) || !str_eq(b->model, model) ||
            (currency.n > 0 && !str_eq(currency, b->price->currency))) {
            continue;
        }
        currency = b->price->currency;
        n = b->from_us <= m->now_us ? 0 : n;
        if (n < LIMIT_PRICE_DATES) {
            rows[n++] = b;
        }
    }
    return n;
}

static bool by_own_book(const struct making *m, const struct price_text *t, struct prices *all,
                        const struct book_entry *const *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct price p = {0};
        if (!written_out(rows[i]->price, &p) || !set_services(rows[i]->price, &p)) {
            return complain(m, rows[i]->price, "the price is out of range");
        }
        p.source = rows[i]->source.n > 0 ? rows[i]->source : STR("price book of the operator");
        if (!add_price(m, t, all, rows[i]->from_us, &p)) {
            return false;
        }
    }
    return true;
}

static bool by_book(const struct making *m, const struct price_text *t, struct prices *all,
                    struct str vendor, struct str model, bool *found)
{
    const struct book_entry *own[LIMIT_PRICE_DATES];
    const struct book_row *rows[LIMIT_PRICE_DATES];
    size_t n = own_rows(m, t, vendor, book_served(vendor, model), own);

    *found = n > 0;
    if (n > 0) {
        return by_own_book(m, t, all, own, n);
    }
    n = book_find(vendor, model, t->currency, m->now_us, rows, LIMIT_PRICE_DATES);
    *found = n > 0;
    for (size_t i = 0; i < n; i++) {
        struct price p;
        char source[256];
        book_price(rows[i], &p);
        snprintf(source, sizeof(source), "price book, %s: %s", rows[i]->checked, rows[i]->source);
        p.source = arena_str(&m->config->memory, str_from(source));
        if (!add_price(m, t, all, book_from_us(rows[i]), &p)) {
            return false;
        }
    }
    return true;
}

/* By one vendor's row of the book, or as written. */
static bool make(const struct making *m, const struct price_text *t, const struct route *route,
                 struct prices *all, bool *found)
{
    struct price p = {0};

    *found = true;
    if (t->from_book) {
        return by_book(m, t, all, route->upstream->vendor, route->model, found);
    }
    return (written_out(t, &p) || complain(m, t, "the price is out of range")) &&
           add_price(m, t, all, 0, &p);
}

/* What the built-in book says, and nothing else: one for all routes that it is the cost of. */
static const struct prices **shared_cost(const struct making *m, const struct route *r,
                                         const struct price_text *t)
{
    const struct book_row *row;
    bool plain = t == NULL && m->config->book_count == 0 &&
                 book_find(r->upstream->vendor, r->model, STR(""), m->now_us, &row, 1) == 1;

    return plain ? &m->shared[row - price_book] : NULL;
}

static bool set_cost(const struct making *m, struct route *r)
{
    static const struct price_text by_default = {.from_book = true, .tier_count = 1};
    const struct price_text *t = r->cost != NULL ? r->cost : r->upstream->cost;
    const struct prices **shared = shared_cost(m, r, t);
    bool found = false;

    if (shared != NULL && *shared != NULL) {
        r->costs = *shared;
        return true;
    }
    struct prices *all = arena_alloc(&m->config->memory, sizeof(*all));
    t = t != NULL ? t : &by_default;
    if (all == NULL) {
        return complain(m, t, "the configuration is too large");
    }
    if (!make(m, t, r, all, &found)) {
        return false;
    }
    if (!found && r->cost != NULL) {
        return complain(m, t, "the price book has no cost of this route; write it out");
    }
    r->costs = found ? all : NULL;
    if (shared != NULL) {
        *shared = r->costs;
    }
    return true;
}

/* A budget of money that no answer counts in would never be spent. */
static bool check_budget(const struct making *m, const struct route *r)
{
    const struct upstream_budget *b = &r->upstream->budget;
    const struct price_text *t = m->model->price;
    bool known = r->costs != NULL;

    for (unsigned i = 0; known && i < r->costs->count; i++) {
        known = strcmp(r->costs->rows[i].price->currency.code, b->currency.code) == 0;
    }
    if (b->unit != BUDGET_AMOUNT || known) {
        return true;
    }
    buf_addf(
        m->errors,
        "%.*s%smodel %.*s: the budget of upstream %.*s is in %s, and what this route costs in %s"
        " is not known; write its cost:\n",
        t != NULL ? (int)t->at.n : 0, t != NULL ? t->at.p : "", t != NULL ? ": " : "",
        STR_ARG(m->model->name), STR_ARG(r->upstream->name), b->currency.code, b->currency.code);
    return false;
}

static bool set_prices(const struct making *m, struct model *model)
{
    const struct price_text *t = model->price;
    struct prices *all = arena_alloc(&m->config->memory, sizeof(*all));
    bool found = false;

    if (all == NULL) {
        return complain(m, t, "the configuration is too large");
    }
    for (unsigned i = 0; i < model->route_count && !found; i++) {
        if (!make(m, t, &model->routes[i], all, &found)) {
            return false;
        }
    }
    if (!found && !t->from_book) {
        return complain(m, t, "it has a price, but no route");
    }
    model->prices = all;
    return found || complain(m, t,
                             "the price book has no price for its routes; write price: {currency: "
                             "USD, input: \"2.50\", output: \"10.00\"}");
}

/* The rows of the store; the second price, if any, is one to come. */
static bool record(const struct making *m, struct model *model)
{
    struct prices all = *model->prices;
    struct prices *kept = arena_alloc(&m->config->memory, sizeof(*kept));
    struct err e = {"the configuration is too large"};
    bool ok = kept != NULL;

    for (unsigned i = 0; ok && i < all.count; i++) {
        ok = ledger_price_row(m->ledger, model->name, all.rows[i].price, &all.rows[i].id, &e);
    }
    ok = ok &&
         ledger_offer(m->ledger, model->name, all.rows[0].id, all.count > 1 ? all.rows[1].id : 0,
                      all.count > 1 ? all.rows[1].from_us : 0, &e);
    if (!ok) {
        return complain(m, model->price, e.text);
    }
    *kept = all;
    model->prices = kept;
    return true;
}

static bool set_one(struct making *m, struct model *model)
{
    bool ok = true;

    m->model = model;
    for (unsigned i = 0; i < model->route_count; i++) {
        ok = set_cost(m, &model->routes[i]) && check_budget(m, &model->routes[i]) && ok;
    }
    return (model->price == NULL || set_prices(m, model)) && ok;
}

static bool set_all(struct making *m)
{
    struct config *c = m->config;
    bool ok = true;

    m->shared = calloc(price_book_count, sizeof(*m->shared));
    for (unsigned i = 0; m->shared != NULL && i < c->model_count; i++) {
        ok = set_one(m, &c->models[i]) && ok;
    }
    c->priced = ok && m->shared != NULL;
    free(m->shared);
    return c->priced;
}

static bool is_sold(void *ctx, struct str name)
{
    const struct config *c = ctx;
    const struct model *m = config_model(c, name);
    return m != NULL && str_eq(m->name, name) && m->price != NULL; /* no alias */
}

bool prices_set(struct config *c, struct ledger *l, struct buf *errors)
{
    struct making m = {.config = c, .ledger = l, .errors = errors, .now_us = clock_wall_us()};
    bool ok = c->priced || set_all(&m);
    struct err e = {""};

    /* Nothing of a configuration that is refused may stand in the store. */
    for (unsigned i = 0; ok && l != NULL && i < c->model_count; i++) {
        m.model = &c->models[i];
        ok = c->models[i].price == NULL || record(&m, &c->models[i]);
    }
    if (ok && l != NULL && !ledger_withdraw(l, is_sold, c, &e)) {
        buf_addf(errors, "%s\n", e.text);
        ok = false;
    }
    return ok;
}
