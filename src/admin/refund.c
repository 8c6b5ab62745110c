/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about refunds. */
#include "admin/admin_int.h"

const struct command_option refund_options[] = {
    {"--currency", "CODE", "which of its balances (the account's own)"},
    {"--reference", "TEXT", "of the payment; with the same one nothing is refunded twice"},
    {NULL, NULL, NULL},
};

bool command_refund(const struct command_call *c, struct buf *out, struct err *e)
{
    struct currency cur;
    int64_t nano = 0;
    bool all = str_eq(c->operands[1], STR("all"));

    if (!all && !argument_amount("refund", c->operands[1], &nano, e)) {
        return false;
    }
    if (!all && nano == 0) {
        return err_set(e, "a refund of nothing changes nothing");
    }
    return argument_currency(c, &cur, e) && ledger_refund(c->ledger, c->operands[0], cur, nano,
                                                          argument(c, "--reference", ""), out, e);
}

bool command_refund_sent(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_refund_end(c->ledger, c->operands[0], true, out, e);
}

bool command_refund_cancel(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_refund_end(c->ledger, c->operands[0], false, out, e);
}

bool command_refund_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_refunds(c->view, c->operand_count > 0 ? c->operands[0] : STR(""), out, e);
}
