/* SPDX-License-Identifier: Apache-2.0 */
/* The charges of an account for a person: a line each, in columns. */
#include "cli/cli.h"
#include "price/price.h"
#include "json/json.h"

enum column { TIME, MODEL, END, IN, OUT, CHARGED, CURRENCY, COLUMNS };

static const struct {
    const char *head;
    const char *key; /* NULL: a sum of the usage */
    bool right;
} columns[COLUMNS] = {
    [TIME] = {"time", "time", false},
    [MODEL] = {"model", "model", false},
    [END] = {"end", "end", false},
    [IN] = {"in", NULL, true},
    [OUT] = {"out", NULL, true},
    [CHARGED] = {"charged", "charged", true},
    [CURRENCY] = {"currency", "currency", false},
};

#define CELL_MAX LIMIT_NAME

/* Tokens of one side. */
static uint64_t tokens(const struct json *usage, enum side side)
{
    uint64_t total = 0, n;

    for (size_t i = 0; i < LEAF_COUNT; i++) {
        total += leaves[i].side == side && json_u64(json_get(usage, leaves[i].name), &n) ? n : 0;
    }
    return total;
}

static void write_cell(const struct json *charge, enum column c, struct buf *out)
{
    bool reversed = false;

    if (columns[c].key == NULL) {
        buf_add_u64(out, tokens(json_get(charge, "usage"), c == IN ? SIDE_INPUT : SIDE_OUTPUT));
        return;
    }
    buf_add(out, json_str(json_get(charge, columns[c].key)));
    (void)json_bool(json_get(charge, "reversed"), &reversed);
    if (c == END && reversed) {
        buf_add(out, STR(" (reversed)"));
    }
}

static void pad(struct buf *out, size_t n)
{
    while (n-- > 0) {
        buf_add_byte(out, ' ');
    }
}

/* A line, in which the last column is not padded. */
static void write_line(const struct json *charge, const size_t widths[COLUMNS], struct buf *out)
{
    struct buf cell;

    buf_init(&cell, CELL_MAX);
    for (enum column c = TIME; c < COLUMNS; c++) {
        buf_clear(&cell);
        if (charge != NULL) {
            write_cell(charge, c, &cell);
        } else {
            buf_add(&cell, str_from(columns[c].head));
        }
        size_t room = cell.n < widths[c] ? widths[c] - cell.n : 0;
        pad(out, columns[c].right ? room : 0);
        buf_add(out, buf_str(&cell));
        pad(out, c + 1 == COLUMNS ? 0 : columns[c].right ? 2 : room + 2);
    }
    buf_release(&cell);
    buf_add_byte(out, '\n');
}

static void measure(const struct json *charges, size_t widths[COLUMNS])
{
    struct json_each it = json_each(charges);
    struct buf cell;

    buf_init(&cell, CELL_MAX);
    for (enum column c = TIME; c < COLUMNS; c++) {
        widths[c] = str_from(columns[c].head).n;
    }
    while (json_next(&it)) {
        for (enum column c = TIME; c < COLUMNS; c++) {
            buf_clear(&cell);
            write_cell(it.value, c, &cell);
            widths[c] = cell.n > widths[c] ? cell.n : widths[c];
        }
    }
    buf_release(&cell);
}

/* What it holds: a line for each currency. */
static void write_balances(const struct json *usage, struct buf *out)
{
    struct json_each it = json_each(json_get(usage, "balances"));

    buf_cat(out, STR("account: "), json_str(json_get(usage, "account")), STR("\n"));
    while (json_next(&it)) {
        struct str promo = json_str(json_get(it.value, "promo"));
        buf_cat(out, STR("balance: "), json_str(json_get(it.value, "balance")), STR(" "),
                json_str(json_get(it.value, "currency")));
        if (promo.n > 0 && !str_eq(promo, STR("0"))) {
            buf_cat(out, STR(", and promo "), promo);
        }
        buf_add_byte(out, '\n');
    }
}

bool cli_charges(struct buf *out, struct str json)
{
    struct json_doc *doc = json_parse(json, NULL);
    const struct json *root = doc != NULL ? json_root(doc) : NULL;
    const struct json *charges = json_get(root, "charges");
    struct json_each it = json_each(charges);
    size_t widths[COLUMNS];

    if (!json_is_array(charges)) {
        json_free(doc);
        return false;
    }
    write_balances(root, out);
    buf_add_byte(out, '\n');
    measure(charges, widths);
    write_line(NULL, widths, out);
    while (json_next(&it)) {
        write_line(it.value, widths, out);
    }
    json_free(doc);
    return true;
}
