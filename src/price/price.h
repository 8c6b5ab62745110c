/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was used and what it costs: disjoint leaf counters (leaves.def), prices, one rounding per
 * charge, down. Pure integers. A price is immutable: `terms` is its canonical text, from which
 * anyone recomputes a bill. The built-in price book is a dated table (book.c) of list prices per
 * vendor model.
 */
#ifndef PRICE_PRICE_H
#define PRICE_PRICE_H

#include <stddef.h>

#include "base/money.h"
#include "base/str.h"

/* The vendor's word for how it served; NONE: it said nothing. */
enum tier {
    TIER_NONE,
#define TIER(NAME, name) TIER_##NAME,
#include "price/leaves.def"
    TIER_COUNT
};

enum leaf_number {
#define LEAF(field, name, side, fallback) LEAF_##field,
#include "price/leaves.def"
    LEAF_COUNT
};

enum usage_state { USAGE_OK, USAGE_INCONSISTENT, USAGE_MISSING };

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
    uint8_t side;     /* enum side */
    uint8_t fallback; /* enum leaf_number: itself where there is none */
    size_t offset;    /* in struct usage */
};
extern const struct leaf leaves[LEAF_COUNT]; /* in the order of leaves.def */
uint64_t leaf_get(const struct usage *u, const struct leaf *l);
void leaf_set(struct usage *u, const struct leaf *l, uint64_t n);
/* All tokens of that side. */
uint64_t usage_input(const struct usage *u);
uint64_t usage_output(const struct usage *u);
const char *tier_name(enum tier t); /* "": NONE */
bool tier_find(struct str name, enum tier *out);
/* As prices name a leaf: "input" for "in", "output_audio" for "out_audio", else its own name. */
void price_rate_name(enum leaf_number leaf, struct buf *out);

/* A decimal with at most six digits after the point, in lowest terms. */
bool ratio_parse(struct str decimal, struct ratio *out) MUST_CHECK;

#define PRICE_TIERS 4
#define PRICE_TERMS_MAX 4096 /* bytes of the longest terms */

struct price_tier {
    int64_t min_input;        /* tokens of all input leaves, inclusive; it counts for all tokens */
    int64_t rate[LEAF_COUNT]; /* pico per token, of a counter per unit */
};

struct price {
    struct currency currency;
    struct ratio margin; /* e.g. 21/20 */
    unsigned tier_count; /* at least one, the first from 0, rising */
    struct price_tier tiers[PRICE_TIERS];
    int64_t request;                  /* pico per request */
    struct ratio service[TIER_COUNT]; /* of tokens; 0/0: as the standard */
    struct str source;                /* who says so; borrowed */
};

/*
 * floor((tokens x pico x factor of the service + counters x pico + request) x margin x ratios /
 * 1000) in nano. Exact whatever the size; false for numbers out of range, or a result beyond int64.
 */
bool price_cost(const struct price *p, const struct usage *u, const struct ratio *ratios, size_t n,
                int64_t *nano) MUST_CHECK;
#define PRICE_RATIOS 4 /* n at most */
/* The same rounded up: what the operator owes is never made smaller. */
bool price_cost_up(const struct price *p, const struct usage *u, int64_t *nano) MUST_CHECK;
struct price_most {
    uint64_t in, out;
    uint64_t reach;   /* tokens of input that it may turn out to be */
    bool any_service; /* any may serve it */
    bool any_medium;  /* its input may be sound or video that `in` does not count by its bytes */
};
/* The most that this may cost: by the dearest tier until `reach`, and there by the dearest leaf of
 * each side; at the dearest service, where any may serve it. */
bool price_hold(const struct price *p, const struct price_most *most, const struct ratio *ratios,
                size_t n, int64_t *nano) MUST_CHECK;

/* Sets rates that `stated` does not name to those that they fall back to. */
void price_fill(struct price_tier *t, const bool stated[LEAF_COUNT]);
/* In range, tiers in order. */
bool price_valid(const struct price *p);
/* Tiers, rates, request and services as canonical JSON of integers; what parse refuses is no price.
 * Parsing leaves currency, margin and source alone. */
void price_terms_write(struct buf *b, const struct price *p);
bool price_terms_parse(struct str text, struct price *p, struct err *e) MUST_CHECK;

/* Members of a JSON object: currency, rates, tiers, request, service_tiers, margin, terms. Rates as
 * decimals per million tokens, or for one. */
void price_write(struct buf *out, const struct price *p);
/* The same for a list: what most requests pay, how many tiers there are, the margin. */
void price_write_brief(struct buf *out, const struct price *p);

/* Calls each difference by name ("from_200001.input"), with the values of both; an empty one: it
 * has none. How many there are. Either may be NULL. */
typedef void price_change_fn(void *ctx, struct str name, struct str before, struct str after);
unsigned price_compare(const struct price *a, const struct price *b, price_change_fn *each,
                       void *ctx);

struct book_row {
    const char *vendor, *model;
    const char *from; /* the first day (UTC) of this price; NULL: as long as is known */
    const char *currency;
    const char *rates;            /* "input=2.5 output=10", per million tokens */
    const char *beyond;           /* "200001 input=5": what differs from there on; or NULL */
    const char *services;         /* "batch=0.5": factors of service tiers; or NULL */
    unsigned max_output;          /* the model's ceiling of output tokens */
    const char *source, *checked; /* page and date */
};
extern const struct book_row price_book[];
extern const size_t price_book_count;
struct book_alias {
    const char *vendor, *name, *served, *source, *checked;
};
extern const struct book_alias price_aliases[];
extern const size_t price_alias_count;
/* The model that the vendor itself answers this name with: most often the same. */
struct str book_served(struct str vendor, struct str model);
/* The rows of a model that are in force at a time and, in order, later; how many, 0 when the book
 * does not know it. A dated alias (-2025-08-07, -20250929) matches its base row. No currency: that
 * of the first row. */
size_t book_find(struct str vendor, struct str model, struct str currency, int64_t wall_us,
                 const struct book_row **rows, size_t max);
int64_t book_from_us(const struct book_row *r);
/* The row as a price with margin 1/1. */
void book_price(const struct book_row *r, struct price *out);

#endif
