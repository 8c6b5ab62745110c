/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was used and what it costs: disjoint leaf counters, price rows, one rounding per charge,
 * down. Pure integers. The built-in price book is a dated table (price/book.c) of list prices per
 * vendor model.
 */
#ifndef PRICE_PRICE_H
#define PRICE_PRICE_H

#include "base/money.h"
#include "base/str.h"

enum usage_state { USAGE_OK, USAGE_INCONSISTENT, USAGE_MISSING };

/* The vendor's word for how it served; NONE: it said nothing. */
enum tier {
    TIER_NONE,
#define TIER(NAME, name) TIER_##NAME,
#include "price/leaves.def"
    TIER_COUNT
};

/* Leaves, disjoint: those of a side add up to what the vendor counted there. */
struct usage {
#define LEAF(field, name, side, fallback) uint64_t field;
#include "price/leaves.def"
    uint8_t tier;  /* enum tier */
    uint8_t state; /* enum usage_state */
};
#define USAGE_MAX UINT64_C(1000000000) /* per leaf; more is inconsistent */

enum side { SIDE_INPUT, SIDE_OUTPUT, SIDE_COUNTER };
struct leaf {
    const char *name;
    uint8_t side;  /* enum side */
    size_t offset; /* in struct usage */
};
extern const struct leaf leaves[]; /* in the order of leaves.def */
extern const size_t leaf_count;
uint64_t leaf_get(const struct usage *u, const struct leaf *l);
void leaf_set(struct usage *u, const struct leaf *l, uint64_t n);
/* All tokens of that side. */
uint64_t usage_input(const struct usage *u);
uint64_t usage_output(const struct usage *u);
const char *tier_name(enum tier t); /* "": NONE */
bool tier_find(struct str name, enum tier *out);

struct price {
    struct currency currency;
    int64_t in, out, cache_read, cache_write_5m,
        cache_write_1h;             /* pico per token; other leaves by fallback */
    int64_t margin_num, margin_den; /* e.g. 21/20 */
};

/* floor(sum(leaf x pico) x num / den / 1000) in nano; false on overflow. */
bool price_cost(const struct price *p, const struct usage *u, const struct ratio *ratios, size_t n,
                int64_t *nano) MUST_CHECK;
/* The same rounded up: what the operator owes is never made smaller. */
bool price_cost_up(const struct price *p, const struct usage *u, int64_t *nano) MUST_CHECK;

struct book_row {
    const char *vendor, *model, *currency, *in, *out, *cache_read, *cache_write_5m, *cache_write_1h;
    unsigned max_output;          /* the model's ceiling of output tokens */
    const char *source, *checked; /* page and date */
};
extern const struct book_row price_book[];
extern const size_t price_book_count;
/* NULL when the book does not know it. A dated alias (-2025-08-07, -20250929) matches its base row.
 */
const struct book_row *book_find(struct str vendor, struct str model);
/* The row as a price with margin 1/1. */
void book_price(const struct book_row *r, struct price *out);

#endif
