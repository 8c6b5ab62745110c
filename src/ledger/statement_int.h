/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the statement: one line of it, and how it is written. */
#ifndef LEDGER_STATEMENT_INT_H
#define LEDGER_STATEMENT_INT_H

#include "ledger/ledger_int.h"
#include "ledger/statement.h"

/* Columns of the query of charges. */
enum charge_column {
    CHARGE_TS,
    CHARGE_ID,
    CHARGE_RID,
    CHARGE_ASKED,
    CHARGE_SENT,
    CHARGE_SEEN,
    CHARGE_END,
    CHARGE_KEY,
    CHARGE_LABEL,
    CHARGE_TAG,
    CHARGE_LEAVES,
    CHARGE_STATE = CHARGE_LEAVES + LEAF_COLUMNS,
    CHARGE_MORE,
    CHARGE_TIER,
    CHARGE_PRICE,
    CHARGE_FACTOR,
    CHARGE_RATE = CHARGE_FACTOR + 3,
    CHARGE_COMPUTED = CHARGE_RATE + 5,
    CHARGE_CHARGED,
    CHARGE_PROMO,
};

struct statement_line {
    int64_t us;
    struct str kind;
    struct statement *charge; /* its row, of a charge; NULL: another movement */
    struct str cause;         /* the bytes of the request's id whose charge it gives back */
    struct str note;
    const struct statement_sum *sum; /* as they are behind this line; NULL: only names of columns */
    bool moves;                      /* else it tells what the balance is */
    int64_t amount, promo_amount;
};

void statement_write_line(struct buf *out, bool csv, const struct statement_line *line);
void statement_write_header(struct buf *out); /* the names of the columns, CSV */

#endif
