/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leaves of a charge in its row. The six that most charges have are columns; the others are in
 * the column `more`, as "in_audio=12 web_search=1": those that are not zero, in the order of
 * price/leaves.def.
 */
#include "ledger/ledger_int.h"

#include <assert.h>

#include "base/limits.h"

static const size_t columns[LEAF_COLUMNS] = {
    offsetof(struct usage, in),
    offsetof(struct usage, cache_read),
    offsetof(struct usage, cache_write_5m),
    offsetof(struct usage, cache_write_1h),
    offsetof(struct usage, out),
    offsetof(struct usage, reasoning),
};

/* The column of a leaf, or LEAF_COLUMNS. */
static int column_of(const struct leaf *l)
{
    int i = 0;

    while (i < LEAF_COLUMNS && columns[i] != l->offset)
        i++;
    return i;
}

static void write_more(struct buf *b, const struct usage *u)
{
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        uint64_t n = leaf_get(u, &leaves[i]);
        if (column_of(&leaves[i]) == LEAF_COLUMNS && n > 0)
            buf_addf(b, "%s%s=%llu", b->n > 0 ? " " : "", leaves[i].name, (unsigned long long)n);
    }
}

/* Digits up to the end, or to a space with more behind it. */
static bool take_number(struct str *text, uint64_t *n)
{
    size_t end = str_find_byte(*text, ' ');

    *n = 0;
    for (size_t i = 0; i < end; i++) {
        if (text->p[i] < '0' || text->p[i] > '9' || *n > USAGE_MAX)
            return false;
        *n = *n * 10 + (uint64_t)(text->p[i] - '0');
    }
    bool ok = end > 0 && *n > 0 && end + 1 != text->n;
    *text = str_skip(*text, end < text->n ? end + 1 : end);
    return ok;
}

static bool read_more(struct str text, struct usage *u)
{
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        struct str name = str_from(leaves[i].name);
        uint64_t n;
        if (column_of(&leaves[i]) < LEAF_COLUMNS || !str_starts(text, name) || text.n == name.n ||
            text.p[name.n] != '=')
            continue;
        text = str_skip(text, name.n + 1);
        if (!take_number(&text, &n))
            return false;
        leaf_set(u, &leaves[i], n);
    }
    return text.n == 0;
}

void leaves_bind(struct statement *st, int at, const struct usage *u)
{
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        int column = column_of(&leaves[i]);
        if (column < LEAF_COLUMNS)
            store_bind_i64(st, at + column, (int64_t)leaf_get(u, &leaves[i]));
    }
    store_bind_i64(st, at + LEAF_COLUMNS, u->state);
}

void leaves_bind_more(struct statement *st, int at, const struct usage *u, char room[LIMIT_LEAVES])
{
    struct buf b = {.p = room, .cap = LIMIT_LEAVES, .max = LIMIT_LEAVES};

    write_more(&b, u);
    assert(!b.overflow);
    store_bind_text(st, at, buf_str(&b));
    store_bind_text(st, at + 1, str_from(tier_name((enum tier)u->tier)));
}

bool leaves_read(struct statement *row, int at, int more, struct usage *u)
{
    enum tier tier;

    *u = (struct usage){.state = USAGE_OK};
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        int column = column_of(&leaves[i]);
        if (column < LEAF_COLUMNS)
            leaf_set(u, &leaves[i], (uint64_t)store_i64(row, at + column));
    }
    if (!read_more(store_text(row, more), u) || !tier_find(store_text(row, more + 1), &tier))
        return false;
    u->tier = (uint8_t)tier;
    return true;
}

void leaves_text(struct buf *out, const struct usage *u)
{
    const char *comma = "";

    buf_add(out, STR("{"));
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        uint64_t n = leaf_get(u, &leaves[i]);
        if (n == 0 && column_of(&leaves[i]) == LEAF_COLUMNS)
            continue;
        buf_addf(out, "%s\"%s\":%llu", comma, leaves[i].name, (unsigned long long)n);
        comma = ",";
    }
    buf_add(out, STR("}"));
}
