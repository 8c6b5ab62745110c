/* SPDX-License-Identifier: Apache-2.0 */
/* Prices for the operator: what is sold, what was, and what of it is left. */
#include "admin/commands.h"

#include "base/clock.h"
#include "json/json.h"

__extension__ typedef __int128 wide;

/* Of one model, which has to have some. */
static bool prices_of(const struct command_call *c, enum ledger_prices which, struct str model,
                      struct buf *out, struct err *e)
{
    if (!ledger_prices(c->view, which, model, 0, out, e)) {
        return false;
    }
    return model.n == 0 || !str_ends(buf_str(out), STR("\"prices\":[]}")) ||
           err_set(e, "there is no price of '%.*s'", STR_ARG(model));
}

bool command_price_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_prices(c->view, PRICES_BRIEF, STR(""), 0, out, e);
}

bool command_price_history(const struct command_call *c, struct buf *out, struct err *e)
{
    return prices_of(c, PRICES_EVER, c->operand_count > 0 ? c->operands[0] : STR(""), out, e);
}

/* What of a rate of ours is left beside the vendor's, in percent, two digits, rounded down. */
static void write_left(struct buf *out, const char *name, enum leaf_number leaf,
                       const struct price *sold, const struct price *cost)
{
    wide ours = (wide)sold->tiers[0].rate[leaf] * sold->margin.num * cost->margin.den;
    wide theirs = (wide)cost->tiers[0].rate[leaf] * cost->margin.num * sold->margin.den;

    if (ours <= 0) {
        return;
    }
    wide left = (ours - theirs) * 10000;
    left = left / ours - (left % ours < 0);
    buf_addf(out, ",\"%s_left_percent\":\"", name);
    decimal_write(out, (int64_t)left, 2);
    buf_add_byte(out, '"');
}

static void write_route(struct buf *out, const struct route *r, const struct price *sold,
                        int64_t now_us)
{
    const struct dated_price *cost = prices_at(r->costs, now_us);

    buf_add(out, STR("{\"upstream\":"));
    json_write_str(out, r->upstream->name);
    buf_add(out, STR(",\"model\":"));
    json_write_str(out, r->model);
    if (cost == NULL) {
        buf_add(out, STR(",\"cost\":null}"));
        return;
    }
    if (sold != NULL && strcmp(sold->currency.code, cost->price->currency.code) == 0) {
        write_left(out, "input", LEAF_in, sold, cost->price);
        write_left(out, "output", LEAF_out, sold, cost->price);
    }
    buf_add(out, STR(",\"cost\":{"));
    price_write(out, cost->price);
    buf_add(out, STR(",\"source\":"));
    json_write_str(out, cost->price->source);
    buf_add(out, STR("}}"));
}

bool command_price_show(const struct command_call *c, struct buf *out, struct err *e)
{
    const struct model *m =
        c->config == NULL || c->operand_count == 0 ? NULL : config_model(c->config, c->operands[0]);
    int64_t now_us = clock_wall_us();

    if (c->operand_count == 0) {
        return ledger_prices(c->view, PRICES_SOLD, STR(""), 0, out, e);
    }
    if (c->config != NULL && m == NULL) {
        return err_set(e, "no model '%.*s' is configured", STR_ARG(c->operands[0]));
    }
    if (m == NULL) {
        return prices_of(c, PRICES_SOLD, c->operands[0], out, e);
    }
    if (!ledger_prices(c->view, PRICES_SOLD, m->name, 0, out, e)) {
        return false;
    }
    const struct dated_price *sold = prices_at(m->prices, now_us);
    out->n--; /* the object goes on */
    buf_add(out, STR(",\"routes\":["));
    for (unsigned i = 0; i < m->route_count; i++) {
        buf_add(out, i > 0 ? STR(",") : STR(""));
        write_route(out, &m->routes[i], sold == NULL ? NULL : sold->price, now_us);
    }
    buf_add(out, STR("]}"));
    return !out->overflow || err_set(e, "the list is too long");
}
