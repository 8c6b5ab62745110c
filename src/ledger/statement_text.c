/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a statement as JSON or CSV, and the names of its columns: all by one walk over its
 * fields, so that no two of them can disagree.
 */
#include "ledger/statement_int.h"
#include "ledger/text.h"

enum form { FORM_JSON, FORM_CSV, FORM_NAMES };

struct writer {
    struct buf *out;
    enum form form;
    bool first;
};

/* Numbers, times and names of our own need no quotes. */
static void plain(struct writer *w, const char *name, struct str value, bool quoted)
{
    const char *quote = quoted ? "\"" : "";

    if (w->form == FORM_JSON && value.p == NULL)
        return; /* what a line has not is left out */
    buf_add(w->out, w->first ? STR("") : STR(","));
    w->first = false;
    if (w->form == FORM_JSON)
        buf_cat(w->out, STR("\""), str_from(name), STR("\":"), str_from(quote), value,
                str_from(quote));
    else
        buf_add(w->out, w->form == FORM_NAMES ? str_from(name) : value);
}

/* Other people's words. A cell that a spreadsheet would take for a formula begins with an
 * apostrophe. */
static void text(struct writer *w, const char *name, struct str value)
{
    if (w->form != FORM_CSV) {
        struct buf quoted;
        buf_init(&quoted, 8 * LIMIT_NAME + 2);
        if (value.p != NULL)
            text_string(&quoted, value);
        plain(w, name, buf_str(&quoted), false);
        buf_release(&quoted);
        return;
    }
    buf_add(w->out, w->first ? STR("") : STR(","));
    w->first = false;
    if (value.n == 0)
        return;
    buf_add(w->out, strchr("=+-@\t\r\n", value.p[0]) != NULL ? STR("\"'") : STR("\""));
    for (size_t i = 0; i < value.n; i++) {
        buf_add_byte(w->out, value.p[i]);
        if (value.p[i] == '"')
            buf_add_byte(w->out, '"');
    }
    buf_add_byte(w->out, '"');
}

static void number(struct writer *w, const char *name, bool there, int64_t value)
{
    char room[24];
    struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

    buf_add_i64(&b, value);
    plain(w, name, there ? buf_str(&b) : (struct str){NULL, 0}, false);
}

static void money(struct writer *w, const char *name, bool there, int64_t nano)
{
    char room[32];
    struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

    decimal_write(&b, nano, 9);
    plain(w, name, there ? buf_str(&b) : (struct str){NULL, 0}, true);
}

static void moment(struct writer *w, const char *name, int64_t us)
{
    char room[32];
    struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

    text_time(&b, us);
    if (us == 0 || w->form == FORM_NAMES)
        plain(w, name, w->form == FORM_JSON ? STR("null") : STR(""), false);
    else
        plain(w, name, str_slice(room + 1, b.n - 2), true);
}

static struct str column(struct statement *row, int at)
{
    struct str s = {NULL, 0};
    return row == NULL || store_null(row, at) ? s : store_text(row, at);
}

/* So many numbers side by side of the row, where it has them. */
static void row_number(struct writer *w, const char *name, struct statement *row, int at)
{
    bool there = row != NULL && !store_null(row, at);
    number(w, name, there, there ? store_i64(row, at) : 0);
}

static void usage(struct writer *w, struct statement *row)
{
    struct usage u = {0};

    if (row != NULL)
        (void)leaves_read(row, CHARGE_LEAVES, CHARGE_MORE, &u); /* what is wrong, a check says */
    if (w->form == FORM_JSON) {
        if (row != NULL) {
            buf_add(w->out, STR(",\"usage\":"));
            leaves_text(w->out, &u);
        }
        return;
    }
    for (size_t i = 0; i < LEAF_COUNT; i++)
        number(w, leaves[i].name, row != NULL, (int64_t)leaf_get(&u, &leaves[i]));
}

static void request(struct writer *w, const struct statement_line *l)
{
    struct str bytes = l->charge == NULL ? l->cause : store_blob(l->charge, CHARGE_RID);
    struct rid rid;
    char id[RID_TEXT + 1] = "";

    if (bytes.n == sizeof rid.b) {
        memcpy(rid.b, bytes.p, bytes.n);
        rid_text(id, &rid);
    }
    plain(w, "request", id[0] == '\0' ? (struct str){NULL, 0} : str_from(id), true);
}

static void service(struct writer *w, struct statement *row)
{
    const char *state = row == NULL ? NULL : text_usage_state(store_i64(row, CHARGE_STATE));

    usage(w, row);
    text(w, "tier", column(row, CHARGE_TIER));
    plain(w, "usage_state", str_from(state), true);
}

static void price(struct writer *w, struct statement *row)
{
    row_number(w, "price_row", row, CHARGE_PRICE);
    row_number(w, "factor_row", row, CHARGE_FACTOR);
    row_number(w, "factor_num", row, CHARGE_FACTOR + 1);
    row_number(w, "factor_den", row, CHARGE_FACTOR + 2);
    row_number(w, "rate_row", row, CHARGE_RATE);
    plain(w, "rate_base", column(row, CHARGE_RATE + 1), true);
    plain(w, "rate_quote", column(row, CHARGE_RATE + 2), true);
    row_number(w, "rate_num", row, CHARGE_RATE + 3);
    row_number(w, "rate_den", row, CHARGE_RATE + 4);
    bool there = row != NULL;
    money(w, "computed", there, there ? store_i64(row, CHARGE_COMPUTED) : 0);
    money(w, "charged", there, there ? store_i64(row, CHARGE_CHARGED) : 0);
    money(w, "promo", there, there ? store_i64(row, CHARGE_PROMO) : 0);
}

static void walk(struct writer *w, const struct statement_line *l)
{
    struct statement *row = l->charge;

    w->first = true;
    moment(w, "time", l->us);
    plain(w, "kind", l->kind, true);
    request(w, l);
    text(w, "model", column(row, CHARGE_ASKED));
    text(w, "sent", column(row, CHARGE_SENT));
    text(w, "seen", column(row, CHARGE_SEEN));
    plain(w, "end", column(row, CHARGE_END), true);
    row_number(w, "key", row, CHARGE_KEY);
    text(w, "label", column(row, CHARGE_LABEL));
    text(w, "tag", column(row, CHARGE_TAG));
    service(w, row);
    price(w, row);
    bool told = l->sum != NULL;
    plain(w, "currency", told ? str_from(l->sum->currency.code) : STR(""), true);
    money(w, "amount", l->moves, l->amount);
    money(w, "promo_amount", l->moves, l->promo_amount);
    money(w, "balance", told, told ? l->sum->balance : 0);
    money(w, "promo_balance", told, told ? l->sum->promo : 0);
    text(w, "note", l->note);
}

void statement_write_line(struct buf *out, bool csv, const struct statement_line *line)
{
    struct writer w = {.out = out, .form = csv ? FORM_CSV : FORM_JSON};

    buf_add(out, csv ? STR("") : STR("{"));
    walk(&w, line);
    buf_add(out, csv ? STR("\r\n") : STR("}"));
}

void statement_write_header(struct buf *out)
{
    struct writer w = {.out = out, .form = FORM_NAMES};

    walk(&w, &(struct statement_line){0});
    buf_add(out, STR("\r\n"));
}
