/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vendors.h"

#include "dialect/convert.h"
#include "dialect/vendor.h"
#include "price/price.h"

#define VENDORS_MAX 32
#define MODELS_MAX 512

static struct config_vendor rows[VENDORS_MAX];
static struct config_known_model models[MODELS_MAX];
static const char *losses[CONVERSION_FIELDS];
static char rate_names[LEAF_COUNT][32];
static struct config_rate rates[LEAF_COUNT + 1];
static const char *services[CLI_SERVICES];
static struct config_vendors all = {.rows = rows,
                                    .models = models,
                                    .rates = rates,
                                    .rate_count = LEAF_COUNT + 1,
                                    .input = LEAF_in,
                                    .output = LEAF_out,
                                    .services = services,
                                    .service_count = CLI_SERVICES};
_Static_assert(LEAF_COUNT + 1 <= LIMIT_RATES && CLI_SERVICES <= LIMIT_SERVICES &&
                   PRICE_TIERS == LIMIT_PRICE_TIERS,
               "a configuration can say what a price can");

/* By the leaves, and all ages of cache writes under one name. */
static void set_rates(void)
{
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        struct buf name;
        buf_init(&name, sizeof(rate_names[i]) - 1);
        price_rate_name(i, &name);
        memcpy(rate_names[i], name.p, name.n);
        buf_release(&name);
        rates[i] = (struct config_rate){rate_names[i], leaves[i].side == SIDE_COUNTER};
    }
    for (size_t i = 0; i < CLI_SERVICES; i++) {
        services[i] = tier_name((enum tier)(CLI_SERVICE_FIRST + i));
    }
    rates[CLI_RATE_CACHE_WRITE] = (struct config_rate){"cache_write", false};
}

const struct config_vendors *cli_vendors(void)
{
    if (all.count > 0) {
        return &all;
    }
    for (size_t i = 0; i < vendor_count && i < VENDORS_MAX; i++) {
        const struct vendor *v = &vendors[i];
        rows[all.count++] =
            (struct config_vendor){v->name, v->env, vendor_base(v), v->keyless, vendor_dialects(v)};
    }
    for (size_t i = 0; i < price_book_count && i < MODELS_MAX; i++) {
        models[all.model_count++] =
            (struct config_known_model){price_book[i].vendor, price_book[i].model};
    }
    set_rates();
    all.losses = losses;
    all.loss_count = conversion_fields(losses);
    return &all;
}
