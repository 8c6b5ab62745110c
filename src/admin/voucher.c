/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about vouchers. */
#include "admin/admin_int.h"

const struct command_option voucher_create_options[] = {
    {"--currency", "CODE", "of the balance that it goes to, which is made if need be (USD)"},
    {"--count", "N", "so many of them, at most 10000 (1)"},
    {"--expires", "90d", "a time from now, in s, m, h or d, or the seconds of an epoch (never)"},
    {"--note", "TEXT", "whom they were made for; kept with the batch"},
    {NULL, NULL, NULL},
};
const struct command_option voucher_void_options[] = {
    {"--to", "funding|breakage",
     "who has the money: paid back outside, or, of what has expired, kept as revenue (funding)"},
    {NULL, NULL, NULL},
};

bool command_voucher_create(const struct command_call *c, struct buf *out, struct err *e)
{
    struct currency cur;
    int64_t nano, expires_us;
    uint32_t count;

    if (!argument_amount("voucher create", c->operands[0], &nano, e) ||
        !argument_currency(c, &cur, e) || !argument_number(c, "--count", &count, e) ||
        !argument_time("--expires", argument(c, "--expires", ""), &expires_us, e)) {
        return false;
    }
    if (cur.code[0] == '\0') {
        cur = (struct currency){"USD"};
    }
    return ledger_voucher_create(c->ledger, nano, cur, count > 0 ? count : 1, expires_us,
                                 argument(c, "--note", ""), out, e);
}

bool command_voucher_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_vouchers(c->view, c->operand_count > 0 ? c->operands[0] : STR(""), out, e);
}

bool command_voucher_void(const struct command_call *c, struct buf *out, struct err *e)
{
    struct str to = argument(c, "--to", "funding");
    bool broken = str_eq(to, STR("breakage"));

    if (!broken && !str_eq(to, STR("funding"))) {
        return err_set(e, "--to is funding or breakage, not '%.*s'", STR_ARG(to));
    }
    return ledger_voucher_void(c->ledger, c->operands[0], broken, out, e);
}
