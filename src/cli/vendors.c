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
static struct config_vendors all = {.rows = rows, .models = models};

const struct config_vendors *cli_vendors(void)
{
    if (all.count > 0) {
        return &all;
    }
    for (size_t i = 0; i < vendor_count && i < VENDORS_MAX; i++) {
        const struct vendor *v = &vendors[i];
        rows[all.count++] = (struct config_vendor){v->name, v->env, vendor_base(v), v->keyless};
    }
    for (size_t i = 0; i < price_book_count && i < MODELS_MAX; i++) {
        models[all.model_count++] =
            (struct config_known_model){price_book[i].vendor, price_book[i].model};
    }
    all.losses = losses;
    all.loss_count = conversion_fields(losses);
    return &all;
}
