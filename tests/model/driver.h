/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the driver share: an operation of the operator, and its words. */
#ifndef TESTS_MODEL_DRIVER_H
#define TESTS_MODEL_DRIVER_H

#include "ledger/ledger_int.h"

/* Runs on the ledger thread; is answered "ok ID" (and what is in said), or "refused WHY". */
struct words {
    char **w;
    struct buf out;
    int64_t id;
    const char *verdict; /* instead of refused */
    bool ok;
    struct err e;
    void (*run)(struct ledger *l, struct words *a);
};

_Noreturn void die(const char *what);
int64_t number_of(const char *text);
struct currency currency_of(const char *text); /* "-": none */

/* admin.c */
struct str text_of(const char *word); /* "-": none */
struct ratio ratio_of(char **w);
void admin_account(struct ledger *l, struct words *a);
void admin_key(struct ledger *l, struct words *a);
void admin_budget(struct ledger *l, struct words *a);
void admin_credit(struct ledger *l, struct words *a);
void admin_debit(struct ledger *l, struct words *a);
void admin_limit(struct ledger *l, struct words *a);
void admin_group(struct ledger *l, struct words *a);
void admin_factor(struct ledger *l, struct words *a);
void admin_rate(struct ledger *l, struct words *a);

/* sales.c: vouchers, refunds, what is bought from vendors, keys that replace others */
void admin_voucher(struct ledger *l, struct words *a);
void admin_redeem(struct ledger *l, struct words *a);
void admin_void(struct ledger *l, struct words *a);
void admin_refund(struct ledger *l, struct words *a);
void admin_refund_end(struct ledger *l, struct words *a);
void admin_buy(struct ledger *l, struct words *a);
void admin_writeoff(struct ledger *l, struct words *a);
void admin_rotate(struct ledger *l, struct words *a);

#endif
