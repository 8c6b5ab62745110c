/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasoning models give state that only they can read and that must come back in the next turn. A
 * client of another dialect carries it for us in the slot its own vendor would use, and the station
 * keeps nothing: "rly1.VENDOR.MODEL-HASH.KIND" and the state in URL-safe base64.
 */
#include "base/base64.h"
#include "dialect/neutral.h"

#define MARK "rly1."
#define STATE_MAX (4U << 20)

struct str envelope_id(struct conversion *c, struct str vendor, struct str model)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    struct buf text;

    for (size_t i = 0; i < model.n; i++) {
        hash = (hash ^ (unsigned char)model.p[i]) * 16777619U;
    }
    buf_init(&text, LIMIT_NAME + 16);
    buf_cat(&text, vendor, STR("."));
    buf_add_hex(&text, hash);
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
    if (state.n == 0 || strchr("ont", state.p[0]) == NULL) {
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
