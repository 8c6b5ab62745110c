/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of upstreams between a configuration and the store. */
#ifndef CLI_PLANS_H
#define CLI_PLANS_H

#include "config/config.h"
#include "ledger/ledger.h"

/* Ends the periods that have ended, opens the present ones, and counts on from where the store is.
 * Before ledger_run or on the ledger thread; again whenever a period may have ended. */
bool plans_set(struct config *c, struct ledger *l, struct err *e);

#endif
