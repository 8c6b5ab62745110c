/* SPDX-License-Identifier: Apache-2.0 */
/* A price for people and programs outside: decimals, and the terms themselves. */
#include "price/price.h"

static void write_rate(struct buf *out, enum leaf_number leaf, const struct price_tier *t)
{
    buf_add(out, STR(",\""));
    price_rate_name(leaf, out);
    buf_add(out, STR("\":\""));
    decimal_write(out, t->rate[leaf], leaves[leaf].side == SIDE_COUNTER ? 12 : 6);
    buf_add_byte(out, '"');
}

static void write_rates(struct buf *out, const struct price_tier *t)
{
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        if (leaves[i].side != SIDE_COUNTER || t->rate[i] != 0) {
            write_rate(out, i, t);
        }
    }
}

static void write_tiers(struct buf *out, const struct price *p)
{
    buf_add(out, STR(",\"tiers\":["));
    for (unsigned i = 1; i < p->tier_count; i++) {
        buf_addf(out, "%s{\"min_input\":%lld", i > 1 ? "," : "", (long long)p->tiers[i].min_input);
        write_rates(out, &p->tiers[i]);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

static void write_services(struct buf *out, const struct price *p)
{
    bool first = true;

    buf_add(out, STR(",\"service_tiers\":{"));
    for (unsigned i = 0; i < TIER_COUNT; i++) {
        const struct ratio *r = &p->service[i];
        if (r->num != r->den) {
            buf_addf(out, "%s\"%s\":[%lld,%lld]", first ? "" : ",", tier_name((enum tier)i),
                     (long long)r->num, (long long)r->den);
            first = false;
        }
    }
    buf_add_byte(out, '}');
}

void price_write(struct buf *out, const struct price *p)
{
    buf_addf(out, "\"currency\":\"%s\"", p->currency.code);
    write_rates(out, &p->tiers[0]);
    write_tiers(out, p);
    buf_add(out, STR(",\"request\":\""));
    decimal_write(out, p->request, 12);
    buf_add_byte(out, '"');
    write_services(out, p);
    buf_addf(out, ",\"margin_num\":%lld,\"margin_den\":%lld,\"terms\":", (long long)p->margin.num,
             (long long)p->margin.den);
    price_terms_write(out, p);
}

void price_write_brief(struct buf *out, const struct price *p)
{
    const struct price_tier *t = &p->tiers[0];
    int64_t parts = p->margin.num * INT64_C(1000000);

    buf_addf(out, "\"currency\":\"%s\"", p->currency.code);
    write_rate(out, LEAF_in, t);
    write_rate(out, LEAF_cache_read, t);
    write_rate(out, LEAF_out, t);
    buf_addf(out, ",\"tiers\":%u,\"margin\":\"", p->tier_count);
    if (parts % p->margin.den == 0) {
        decimal_write(out, parts / p->margin.den, 6);
    } else {
        buf_addf(out, "%lld/%lld", (long long)p->margin.num, (long long)p->margin.den);
    }
    buf_add_byte(out, '"');
}
