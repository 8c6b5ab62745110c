/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator books under a reference is booked once: the same asked again, after an answer
 * that was lost, is done already; another under the same one is refused. Each account and each
 * upstream has its own.
 */
#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define REFERENCE_BYTES 100

bool reference_check(struct str text, struct err *e)
{
    return (text.n <= REFERENCE_BYTES && text_is_printable(text)) ||
           err_set(e, "a reference is at most %d bytes of printable text", REFERENCE_BYTES);
}

static bool find(struct ledger *l, const struct reference *r, struct statement *st, bool *known,
                 struct err *e)
{
    store_bind_text(st, 1, r->scope);
    store_bind_text(st, 2, r->text);
    enum store_step step = store_step(st);
    *known = step == STEP_ROW;
    if (*known && !str_eq(store_text(st, 0), r->what))
        return err_set(e, "the reference \"%.*s\" is that of another booking: %.*s",
                       STR_ARG(r->text), STR_ARG(store_text(st, 0)));
    return step != STEP_FAIL || store_failed(l->store, e);
}

bool reference_known(struct ledger *l, const struct reference *r, bool *known, struct err *e)
{
    *known = false;
    if (r->text.n == 0)
        return true;
    struct statement *st =
        store_prepare(l->store, "SELECT what FROM reference WHERE scope=? AND reference=?", e);
    bool ok = st != NULL && find(l, r, st, known, e);
    store_drop(l->store, st);
    return ok;
}

bool reference_keep(struct ledger *l, void *ctx, int64_t transfer, struct err *e)
{
    const struct reference *r = ctx;

    if (r->text.n == 0)
        return true;
    struct statement *st = store_prepare(
        l->store, "INSERT INTO reference(scope, reference, what, transfer) VALUES(?,?,?,?)", e);
    if (st == NULL)
        return false;
    store_bind_text(st, 1, r->scope);
    store_bind_text(st, 2, r->text);
    store_bind_text(st, 3, r->what);
    store_bind_i64(st, 4, transfer);
    enum store_step step = store_step(st);
    store_drop(l->store, st);
    if (step == STEP_CONSTRAINT) /* by another process, just now */
        return err_set(e, "the reference \"%.*s\" was used meanwhile", STR_ARG(r->text));
    return step == STEP_DONE || store_failed(l->store, e);
}

void reference_what(struct buf *out, const char *kind, int64_t nano, struct currency cur)
{
    buf_addf(out, "%s ", kind);
    decimal_write(out, nano, 9);
    buf_addf(out, " %s", cur.code);
}
