/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms: what a price says, as one canonical text:
 *   {"tiers":[{"min_input":0,"in":2500000,"cache_read":250000,"out":15000000}],"request":0,
 *    "service":{"batch":[1,2]}}
 * A rate is left out where it is the one that its leaf falls back to, a counter's, the request's
 * and a service's where they are nothing. So a price's text stays as it is when leaves are added.
 */
#include "price/price.h"
#include "json/json.h"

bool price_valid(const struct price *p)
{
    bool ok = p->tier_count >= 1 && p->tier_count <= PRICE_TIERS && p->tiers[0].min_input == 0 &&
              p->request >= 0;

    for (unsigned i = 0; ok && i < p->tier_count; i++) {
        ok = i == 0 || p->tiers[i].min_input > p->tiers[i - 1].min_input;
        for (enum leaf_number k = 0; k < LEAF_COUNT; k++) {
            ok = ok && p->tiers[i].rate[k] >= 0;
        }
    }
    for (unsigned i = 0; ok && i < TIER_COUNT; i++) {
        const struct ratio *r = &p->service[i];
        bool none = r->num == 0 && r->den == 0;
        ok = none || (r->num >= 1 && r->num <= RATIO_MAX && r->den >= 1 && r->den <= RATIO_MAX);
    }
    return ok;
}

/* A leaf may fall back to one that itself falls back: as often as there are leaves. */
void price_fill(struct price_tier *t, const bool stated[LEAF_COUNT])
{
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        enum leaf_number from = i;
        for (unsigned step = 0; step < LEAF_COUNT && !stated[from]; step++) {
            from = (enum leaf_number)leaves[from].fallback;
        }
        t->rate[i] = stated[from] ? t->rate[from] : 0;
    }
}

/* Tokens in and out are always told; they fall back to nothing. */
static bool told(const struct price_tier *t, enum leaf_number i)
{
    enum leaf_number fallback = (enum leaf_number)leaves[i].fallback;
    if (fallback != i) {
        return t->rate[i] != t->rate[fallback];
    }
    return leaves[i].side != SIDE_COUNTER || t->rate[i] != 0;
}

static void write_tier(struct buf *b, const struct price_tier *t)
{
    buf_addf(b, "{\"min_input\":%lld", (long long)t->min_input);
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        if (told(t, i)) {
            buf_addf(b, ",\"%s\":%lld", leaves[i].name, (long long)t->rate[i]);
        }
    }
    buf_add_byte(b, '}');
}

void price_terms_write(struct buf *b, const struct price *p)
{
    bool first = true;

    buf_add(b, STR("{\"tiers\":["));
    for (unsigned i = 0; i < p->tier_count; i++) {
        buf_add(b, i > 0 ? STR(",") : STR(""));
        write_tier(b, &p->tiers[i]);
    }
    buf_add_byte(b, ']');
    if (p->request > 0) {
        buf_addf(b, ",\"request\":%lld", (long long)p->request);
    }
    for (unsigned i = 0; i < TIER_COUNT; i++) {
        const struct ratio *r = &p->service[i];
        if (r->num != r->den) {
            buf_addf(b, "%s\"%s\":[%lld,%lld]", first ? ",\"service\":{" : ",",
                     tier_name((enum tier)i), (long long)r->num, (long long)r->den);
            first = false;
        }
    }
    buf_add(b, first ? STR("}") : STR("}}"));
}

static bool read_i64(const struct json *v, int64_t *out)
{
    uint64_t n;
    if (!json_u64(v, &n) || n > INT64_MAX) {
        return false;
    }
    *out = (int64_t)n;
    return true;
}

static bool leaf_named(struct str name, enum leaf_number *leaf)
{
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        if (str_eq(name, str_from(leaves[i].name))) {
            *leaf = i;
            return true;
        }
    }
    return false;
}

static bool read_tier(const struct json *v, struct price_tier *t)
{
    struct json_each it = json_each(v);
    bool stated[LEAF_COUNT] = {false};
    bool min = false, ok = json_is_object(v);

    while (ok && json_next(&it)) {
        enum leaf_number leaf;
        if (str_eq(it.key, STR("min_input"))) {
            ok = !min && read_i64(it.value, &t->min_input);
            min = true;
        } else {
            ok = leaf_named(it.key, &leaf) && !stated[leaf] && read_i64(it.value, &t->rate[leaf]);
            if (ok) {
                stated[leaf] = true;
            }
        }
    }
    ok = ok && min && stated[LEAF_in] && stated[LEAF_out];
    if (ok) {
        price_fill(t, stated);
    }
    return ok;
}

static bool read_tiers(const struct json *v, struct price *p)
{
    struct json_each it = json_each(v);
    bool ok = json_is_array(v) && json_count(v) <= PRICE_TIERS;

    while (ok && json_next(&it)) {
        ok = read_tier(it.value, &p->tiers[p->tier_count++]);
    }
    return ok;
}

static bool read_service(const struct json *v, struct price *p)
{
    struct json_each it = json_each(v);
    bool ok = json_is_object(v);

    while (ok && json_next(&it)) {
        enum tier tier;
        ok = it.key.n > 0 && tier_find(it.key, &tier) && json_is_array(it.value) &&
             json_count(it.value) == 2;
        struct ratio *r = ok ? &p->service[tier] : NULL;
        ok = ok && read_i64(json_get(it.value, "0"), &r->num) &&
             read_i64(json_get(it.value, "1"), &r->den) && r->den != 0;
    }
    return ok;
}

bool price_terms_parse(struct str text, struct price *p, struct err *e)
{
    struct json_doc *doc = text.n <= PRICE_TERMS_MAX ? json_parse(text, NULL) : NULL;
    const struct json *root = doc == NULL ? NULL : json_root(doc);
    struct json_each it = json_each(root);
    bool ok = root != NULL && json_is_object(root);

    p->tier_count = 0;
    p->request = 0;
    memset(p->tiers, 0, sizeof(p->tiers));
    memset(p->service, 0, sizeof(p->service));
    while (ok && json_next(&it)) {
        if (str_eq(it.key, STR("tiers"))) {
            ok = p->tier_count == 0 && read_tiers(it.value, p);
        } else if (str_eq(it.key, STR("request"))) {
            ok = read_i64(it.value, &p->request);
        } else {
            ok = str_eq(it.key, STR("service")) && read_service(it.value, p);
        }
    }
    json_free(doc);
    return (ok && price_valid(p)) || err_set(e, "these are no terms of a price");
}
