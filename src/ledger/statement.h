/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An account's statement: what its balances were, every movement of them in order, and what they
 * came to, a page at a time. Each page is of one snapshot of the books and says where the next one
 * goes on; a page's opening is the closing of the one before. The selling price is told by its row,
 * which anyone can ask for; what it costs the operator is not told.
 */
#ifndef LEDGER_STATEMENT_H
#define LEDGER_STATEMENT_H

#include "base/limits.h"
#include "ledger/ledger.h"

/* As a customer or an operator writes it; empty where it was left out. */
struct statement_words {
    struct str from, to, currency, format, limit, cursor;
};

struct statement_sum {
    int64_t id, promo_id; /* of the balance and its promo; 0: there is none */
    struct currency currency;
    int64_t balance, promo;
};

/* Movements are in the order of their time; at the same one, charges come first; then by id. */
struct statement_place {
    int64_t us, rank, id;
};

#define STATEMENT_CURSOR 1024
struct statement_ask {
    int64_t from_us, to_us;   /* to: exclusive; INT64_MAX: as far as there is anything */
    struct currency currency; /* none: all */
    bool csv, goes_on;
    bool stale; /* told by ledger_statement: its cursor does not fit the books */
    unsigned limit;
    struct statement_place after; /* where it goes on, with the sums there */
    struct statement_sum sums[LIMIT_BALANCES];
    unsigned sum_count;
    char next[STATEMENT_CURSOR]; /* filled by ledger_statement; empty: that was all */
};

/* False with the field at fault and a sentence. */
bool statement_parse(const struct statement_words *w, struct statement_ask *out, const char **field,
                     struct err *e) MUST_CHECK;
/* JSON, or CSV by RFC 4180 whose pages one behind the other are one table. */
bool ledger_statement(struct ledger_view *v, struct str account, struct statement_ask *ask,
                      struct buf *out, struct err *e) MUST_CHECK;

#endif
