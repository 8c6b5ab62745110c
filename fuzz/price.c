/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are terms of a price that comes back from its text, or none; or a list of prices. */
#include <assert.h>

#include "price/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void terms(struct str text)
{
    struct price p = {.margin = {1, 1}}, q = {.margin = {1, 1}};
    struct usage u = {.in = 3, .cache_read = 1000, .out = 7};
    int64_t a = 0, b = 0;
    struct buf out;

    if (!price_terms_parse(text, &p, NULL)) {
        return;
    }
    buf_init(&out, 4 * PRICE_TERMS_MAX);
    price_terms_write(&out, &p);
    bool ok = price_terms_parse(buf_str(&out), &q, NULL);
    assert(ok);
    assert(memcmp(p.tiers, q.tiers, sizeof(p.tiers)) == 0);
    ok = price_cost(&p, &u, NULL, 0, &a);
    assert(ok == price_cost(&q, &u, NULL, 0, &b) && a == b);
    buf_release(&out);
}

static void look(void *ctx, const struct import_model *m)
{
    (void)ctx;
    (void)import_names(m, STR("gpt-5"));
    for (unsigned i = 0; i < m->count; i++) {
        assert(price_valid(&m->rows[i].price));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct import i = {.each = look};

    terms(text);
    (void)!import_read(text, &i, NULL);
    return 0;
}
