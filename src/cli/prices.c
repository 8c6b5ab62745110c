/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prices.h"

#include "price/price.h"

#define RATE_DIGITS 6 /* decimals per million tokens x 1e6 = pico per token */

static bool rate(struct str text, int64_t fallback, int64_t *out)
{
    *out = fallback;
    return text.n == 0 || decimal_parse(text, RATE_DIGITS, out);
}

static bool margin(struct str text, int64_t *num, int64_t *den)
{
    *num = *den = INT64_C(1000000);
    return text.n == 0 || (decimal_parse(text, RATE_DIGITS, num) && *num > 0);
}

static bool from_book(const struct model *m, struct price *p)
{
    for (unsigned i = 0; i < m->route_count; i++) {
        const struct book_row *row = book_find(m->routes[i].upstream->vendor, m->routes[i].model);
        if (row != NULL) {
            book_price(row, p);
            return true;
        }
    }
    return false;
}

static bool as_written(const struct model *m, struct price *p)
{
    return currency_parse(m->currency.n > 0 ? m->currency : STR("USD"), &p->currency) &&
           rate(m->in, 0, &p->in) && rate(m->out, 0, &p->out) &&
           rate(m->cache_read, p->in, &p->cache_read) &&
           rate(m->cache_write, p->in, &p->cache_write_5m) &&
           rate(m->cache_write, p->in, &p->cache_write_1h);
}

static void set_costs(struct model *m)
{
    for (unsigned i = 0; i < m->route_count; i++) {
        struct route *r = &m->routes[i];
        const struct book_row *row = book_find(r->upstream->vendor, r->model);
        struct price p;

        r->costed = row != NULL;
        if (row != NULL) {
            book_price(row, &p);
            r->cost_in_currency = p.currency;
            r->cost_in = p.in;
            r->cost_out = p.out;
            r->cost_cache_read = p.cache_read;
            r->cost_cache_write_5m = p.cache_write_5m;
            r->cost_cache_write_1h = p.cache_write_1h;
        }
    }
}

static bool set_one(struct model *m, struct ledger *l, struct buf *errors)
{
    struct price p = {.margin_num = 1, .margin_den = 1};
    struct err e = {""};

    set_costs(m);
    if (!m->priced) {
        return true;
    }
    if (m->from_book ? !from_book(m, &p) : !as_written(m, &p)) {
        buf_addf(errors,
                 m->from_book
                     ? "model %.*s: the price book has no price for its routes; write price: "
                       "{currency: USD, input: \"2.50\", output: \"10.00\"}\n"
                     : "model %.*s: a price is a decimal with at most six digits after the point\n",
                 STR_ARG(m->name));
        return false;
    }
    if (!margin(m->margin, &p.margin_num, &p.margin_den)) {
        buf_addf(errors, "model %.*s: margin must be a positive decimal such as \"1.05\"\n",
                 STR_ARG(m->name));
        return false;
    }
    m->sold_in = p.currency;
    m->rate_in = p.in;
    m->rate_out = p.out;
    m->rate_cache_read = p.cache_read;
    m->rate_cache_write_5m = p.cache_write_5m;
    m->rate_cache_write_1h = p.cache_write_1h;
    m->margin_num = p.margin_num;
    m->margin_den = p.margin_den;
    if (l != NULL && !ledger_price_row(l, m->name, &p, &m->price_id, &e)) {
        buf_addf(errors, "model %.*s: %s\n", STR_ARG(m->name), e.text);
        return false;
    }
    return true;
}

bool prices_set(struct config *c, struct ledger *l, struct buf *errors)
{
    bool ok = true;

    for (unsigned i = 0; i < c->model_count; i++) {
        ok = set_one(&c->models[i], l, errors) && ok;
    }
    return ok;
}
