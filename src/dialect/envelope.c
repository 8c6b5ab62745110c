/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasoning models give state that only they can read and that must come back in the next turn. A
 * client of another dialect carries it for us in the slot its own vendor would use, and the station
 * keeps nothing: "rly1.VENDOR.MODEL-HASH.KIND" and the state in URL-safe base64.
 */
#include "base/base64.h"
#include "base/hash.h"
#include "dialect/neutral.h"

#define MARK "rly1."
#define STATE_MAX (4U << 20)

struct str envelope_id(struct conversion *c, struct str vendor, struct str model)
{
    struct buf text;

    buf_init(&text, LIMIT_NAME + 16);
    buf_cat(&text, vendor, STR("."));
    buf_add_hex(&text, hash_fnv(HASH_FNV, model));
    return conversion_take(c, &text);
}

struct str envelope_wrap(struct conversion *c, enum envelope_kind kind, struct str inside)
{
    struct buf text;

    buf_init(&text, STATE_MAX * 2);
    buf_cat(&text, STR(MARK), c->envelope_id, STR("."));
    buf_add_byte(&text, (char)kind);
    base64_write(&text, BASE64_URL, inside);
    return conversion_take(c, &text);
}

struct str envelope_bind(struct conversion *c, const struct bound *text, struct str inside)
{
    struct buf all;

    buf_init(&all, STATE_MAX);
    buf_add_u64(&all, text->n);
    buf_add_byte(&all, '.');
    buf_add_u64(&all, text->hash);
    buf_cat(&all, STR("."), inside);
    return envelope_wrap(c, ENVELOPE_BOUND, conversion_take(c, &all));
}

struct bound *envelope_unbind(struct conversion *c, struct str *inside)
{
    struct str n = str_cut(inside, '.'), hash = str_cut(inside, '.');
    uint64_t length = 0, sum = 0;

    bool ok = str_to_u64(n, &length) && str_to_u64(hash, &sum) && sum <= UINT32_MAX;
    struct bound *b = conversion_alloc(c, sizeof(*b));
    *b = (struct bound){ok ? length : 0, ok ? (uint32_t)sum : HASH_FNV};
    return b;
}

bool envelope_open(struct conversion *c, struct str slot, enum envelope_kind *kind, struct str *out)
{
    struct buf text;
    struct str id, state = slot;

    if (!str_starts(slot, STR(MARK))) {
        return false;
    }
    state = str_skip(state, sizeof(MARK) - 1);
    id.p = state.p;
    (void)str_cut(&state, '.');
    struct str hash = str_cut(&state, '.');
    id.n = (size_t)(hash.p + hash.n - id.p);
    if (state.n == 0 || strchr("ontb", state.p[0]) == NULL) {
        return false;
    }
    *kind = (enum envelope_kind)state.p[0];
    if (*kind != ENVELOPE_TEXT && !str_eq(id, c->envelope_id)) {
        return false;
    }
    buf_init(&text, STATE_MAX);
    bool ok = base64_read(&text, BASE64_URL, str_skip(state, 1));
    *out = conversion_take(c, &text);
    return ok;
}
