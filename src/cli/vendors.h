/* SPDX-License-Identifier: Apache-2.0 */
/* The vendor and price tables in the form in which config/ takes them. Built once; static storage.
 */
#ifndef CLI_VENDORS_H
#define CLI_VENDORS_H

#include "config/config.h"
#include "price/price.h"

/* A rate's place in config_vendors.rates is its leaf's; behind them, that of all cache writes. */
#define CLI_RATE_CACHE_WRITE LEAF_COUNT
/* Tiers that a price may have factors for: these, config_vendors.services from the first on. */
#define CLI_SERVICE_FIRST TIER_BATCH
#define CLI_SERVICES (TIER_SCALE - TIER_BATCH + 1)

const struct config_vendors *cli_vendors(void);

#endif
