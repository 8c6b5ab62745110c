/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls cost at the list price: the seller's own may differ. */
#include "assay/family.h"
#include "assay/run.h"
#include "dialect/vendor.h"

void run_price_find(struct run_price *p, struct str model, int64_t wall_us)
{
    const struct book_row *row = NULL;

    p->known = false;
    model = model_name(model);
    for (size_t i = 0; i < vendor_count && row == NULL; i++) {
        if (book_find(str_from(vendors[i].name), model, STR(""), wall_us, &row, 1) == 0) {
            row = NULL;
        }
    }
    if (row != NULL) {
        book_price(row, &p->price);
        p->known = true;
    }
}

bool run_price_cost(const struct run_price *p, uint64_t input, uint64_t output, int64_t *nano)
{
    struct usage u = {.in = input, .out = output};

    return p->known && price_cost_up(&p->price, &u, nano);
}
