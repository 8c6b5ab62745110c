/* SPDX-License-Identifier: Apache-2.0 */
/* Prices of a configuration: from the book or as written, as rates, and as rows of the store. */
#ifndef CLI_PRICES_H
#define CLI_PRICES_H

#include "config/config.h"
#include "ledger/ledger.h"

/* Fills rates of every priced model; a line for each mistake in errors. l may be NULL (check only).
 */
bool prices_set(struct config *c, struct ledger *l, struct buf *errors);

#endif
