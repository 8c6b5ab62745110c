/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of upstreams between a configuration and the store. */
#ifndef CLI_PLANS_H
#define CLI_PLANS_H

#include "config/config.h"
#include "ledger/ledger.h"

/* Ends the periods that have ended, opens the present ones, and counts on from where the store is.
 * idle: no request is under way anywhere; else a period is ended only once the requests that began
 * in it have ended, too. Before ledger_run or on the ledger thread; again whenever a period may
 * have ended. */
bool plans_set(struct config *c, struct ledger *l, bool idle, struct err *e);

#endif
