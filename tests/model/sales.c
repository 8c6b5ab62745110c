/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/driver.h"

#include <stdio.h>
#include <stdlib.h>

/* voucher CURRENCY NANO COUNT EXPIRES NOTE: the codes are the verdict. */
void admin_voucher(struct ledger *l, struct words *a)
{
    static _Thread_local char said[4096];
    struct buf codes = {.p = said, .cap = sizeof said - 1, .max = sizeof said - 1};

    a->ok = ledger_voucher_create(l, number_of(a->w[1]), currency_of(a->w[0]),
                                  (unsigned)number_of(a->w[2]), number_of(a->w[3]),
                                  str_from(a->w[4]), &a->out, &a->e);
    if (!a->ok)
        return;
    buf_add(&codes, STR("ok"));
    struct str rest = buf_str(&a->out);
    const struct str mark = STR("\"code\":\"");
    for (size_t at; (at = str_find(rest, mark)) != SIZE_MAX;) {
        rest = str_skip(rest, at + mark.n);
        buf_add(&codes, STR(" "));
        buf_add(&codes, str_cut(&rest, '"'));
    }
    said[codes.n] = '\0';
    a->verdict = said;
}

/* redeem ACCOUNT CODE */
void admin_redeem(struct ledger *l, struct words *a)
{
    static const char *const names[] = {
        [REDEEM_DONE] = "ok",         [REDEEM_UNKNOWN] = "unknown", [REDEEM_USED] = "used",
        [REDEEM_EXPIRED] = "expired", [REDEEM_VOID] = "void",       [REDEEM_REFUSED] = "refused",
        [REDEEM_FAILED] = "failed"};
    struct voucher_code code;

    if (code_parse(str_from(a->w[1]), &code) != CODE_GOOD)
        die("no code");
    a->verdict = names[ledger_redeem(l, directory_account(l->directory, str_from(a->w[0])), &code,
                                     &a->out, &a->e)];
}

void admin_void(struct ledger *l, struct words *a)
{
    a->ok = ledger_voucher_void(l, str_from(a->w[0]), a->w[1][0] == '1', &a->out, &a->e);
}

/* refund ACCOUNT CURRENCY NANO REFERENCE */
void admin_refund(struct ledger *l, struct words *a)
{
    a->ok = ledger_refund(l, str_from(a->w[0]), currency_of(a->w[1]), number_of(a->w[2]),
                          str_from(a->w[3]), &a->out, &a->e);
}

void admin_refund_end(struct ledger *l, struct words *a)
{
    a->ok = ledger_refund_end(l, str_from(a->w[0]), a->w[1][0] == '1', &a->out, &a->e);
}

/* rotate KEY OVERLAP_US */
void admin_rotate(struct ledger *l, struct words *a)
{
    a->ok = ledger_key_rotate_id(l, str_from(a->w[0]), number_of(a->w[1]), &a->out, &a->e);
    size_t at = str_find(buf_str(&a->out), STR("\"id\":\""));
    a->id = a->ok ? number_of(a->out.p + at + 6) : 0;
}

/* buy UPSTREAM CURRENCY NANO PAID_CURRENCY PAID SPREAD NOTE */
void admin_buy(struct ledger *l, struct words *a)
{
    const struct purchase p = {.upstream = str_from(a->w[0]),
                               .currency = currency_of(a->w[1]),
                               .nano = number_of(a->w[2]),
                               .paid_currency = currency_of(a->w[3]),
                               .paid = number_of(a->w[4]),
                               .spread = number_of(a->w[5]),
                               .note = str_from(a->w[6])};

    a->ok = ledger_upstream_buy(l, &p, &a->out, &a->e);
}

/* writeoff UPSTREAM CURRENCY NANO NOTE */
void admin_writeoff(struct ledger *l, struct words *a)
{
    const struct purchase p = {.upstream = str_from(a->w[0]),
                               .currency = currency_of(a->w[1]),
                               .nano = number_of(a->w[2]),
                               .note = str_from(a->w[3])};

    a->ok = ledger_upstream_writeoff(l, &p, &a->out, &a->e);
}
