/* SPDX-License-Identifier: Apache-2.0 */
/* Two prices side by side: each as lines "name value", the lines that differ. */
#include "price/price.h"

#define LINES_MAX 8192

static void add_line(struct buf *b, const char *prefix, struct str name, int64_t value,
                     unsigned digits)
{
    buf_addf(b, "%s%.*s ", prefix, STR_ARG(name));
    decimal_write(b, value, digits);
    buf_add_byte(b, '\n');
}

static void add_tier(struct buf *b, const struct price_tier *t)
{
    char prefix[40] = "";
    struct buf head = {.p = prefix, .cap = sizeof(prefix) - 1, .max = sizeof(prefix) - 1};

    if (t->min_input > 0) {
        buf_addf(&head, "from_%lld.", (long long)t->min_input);
    }
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        bool counter = leaves[i].side == SIDE_COUNTER;
        bool told = leaves[i].fallback != i ? t->rate[i] != t->rate[leaves[i].fallback]
                                            : !counter || t->rate[i] != 0;
        if (told) {
            char text[32];
            struct buf name = {.p = text, .cap = sizeof(text), .max = sizeof(text)};
            price_rate_name(i, &name);
            add_line(b, prefix, buf_str(&name), t->rate[i], counter ? 12 : 6);
        }
    }
}

static void add_ratio(struct buf *b, const char *prefix, const char *name, struct ratio r)
{
    if (r.num != r.den) {
        buf_addf(b, "%s%s %lld/%lld\n", prefix, name, (long long)r.num, (long long)r.den);
    }
}

/* A decimal where it is one, as it is written in a configuration. */
static void add_margin(struct buf *b, struct ratio r)
{
    if (r.num == r.den || 1000000 % r.den != 0) {
        add_ratio(b, "", "margin", r);
        return;
    }
    add_line(b, "", STR("margin"), r.num * (1000000 / r.den), 6);
}

static void add_lines(struct buf *b, const struct price *p)
{
    if (p == NULL) {
        return;
    }
    buf_addf(b, "currency %s\n", p->currency.code);
    for (unsigned i = 0; i < p->tier_count; i++) {
        add_tier(b, &p->tiers[i]);
    }
    if (p->request > 0) {
        add_line(b, "", STR("request"), p->request, 12);
    }
    for (unsigned i = 0; i < TIER_COUNT; i++) {
        add_ratio(b, "service_tiers.", tier_name((enum tier)i), p->service[i]);
    }
    add_margin(b, p->margin);
}

/* The value that the lines have for this name; empty: none. */
static struct str value_in(struct str lines, struct str name)
{
    while (lines.n > 0) {
        struct str value = str_cut(&lines, '\n');
        struct str found = str_cut(&value, ' ');
        if (str_eq(found, name)) {
            return value;
        }
    }
    return STR("");
}

/* Those of a, or of b that a has not. */
static unsigned tell(struct str a, struct str b, bool second, price_change_fn *each, void *ctx)
{
    struct str rest = second ? b : a;
    unsigned count = 0;

    while (rest.n > 0) {
        struct str value = str_cut(&rest, '\n');
        struct str name = str_cut(&value, ' ');
        struct str other = value_in(second ? a : b, name);
        bool differs = second ? other.n == 0 : !str_eq(value, other);
        if (differs) {
            count++;
            each(ctx, name, second ? STR("") : value, second ? value : other);
        }
    }
    return count;
}

unsigned price_compare(const struct price *a, const struct price *b, price_change_fn *each,
                       void *ctx)
{
    struct buf lines[2];

    buf_init(&lines[0], LINES_MAX);
    buf_init(&lines[1], LINES_MAX);
    add_lines(&lines[0], a);
    add_lines(&lines[1], b);
    unsigned count = tell(buf_str(&lines[0]), buf_str(&lines[1]), false, each, ctx) +
                     tell(buf_str(&lines[0]), buf_str(&lines[1]), true, each, ctx);
    buf_release(&lines[0]);
    buf_release(&lines[1]);
    return count;
}
