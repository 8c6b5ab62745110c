/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that move money, and those that say what it is worth. */
#include "admin/admin_int.h"

bool argument_currency(const struct command_call *c, struct currency *out, struct err *e)
{
    struct str code = command_value(c, "--currency");

    *out = (struct currency){""};
    return code.n == 0 || currency_parse(code, out) ||
           err_set(e, "--currency needs a code such as USD, not '%.*s'", STR_ARG(code));
}

typedef bool move_fn(struct ledger *l, struct str account, struct currency cur, bool promo,
                     int64_t nano, struct str note, struct str reference, struct buf *out,
                     struct err *e);

static bool move(const struct command_call *c, move_fn *fn, bool promo, struct buf *out,
                 struct err *e)
{
    struct currency cur;
    int64_t nano;

    if (!argument_amount(c->command->words, c->operands[1], &nano, e)) {
        return false;
    }
    if (nano == 0) {
        return err_set(e, "a %s of nothing changes nothing", c->command->words);
    }
    if (!argument_currency(c, &cur, e) ||
        !fn(c->ledger, c->operands[0], cur, promo, nano, argument(c, "--note", ""),
            argument(c, "--reference", ""), out, e)) {
        return false;
    }
    return cur.code[0] == '\0' || fn != ledger_credit || warn_currency(c, cur, out, e);
}

bool command_credit(const struct command_call *c, struct buf *out, struct err *e)
{
    return move(c, ledger_credit, false, out, e);
}

bool command_debit(const struct command_call *c, struct buf *out, struct err *e)
{
    return move(c, ledger_debit, false, out, e);
}

bool command_promo_grant(const struct command_call *c, struct buf *out, struct err *e)
{
    return move(c, ledger_credit, true, out, e);
}

bool command_promo_lapse(const struct command_call *c, struct buf *out, struct err *e)
{
    return move(c, ledger_debit, true, out, e);
}

bool command_rate_set(const struct command_call *c, struct buf *out, struct err *e)
{
    struct currency base, quote;
    struct ratio ratio;
    int64_t from_us = 0;

    for (int i = 0; i < 2; i++) {
        if (!currency_parse(c->operands[i], i == 0 ? &base : &quote)) {
            return err_set(e, "a currency is a code such as USD, not '%.*s'",
                           STR_ARG(c->operands[i]));
        }
    }
    return argument_ratio("a rate", c->operands[2], &ratio, e) &&
           argument_time("--from", argument(c, "--from", ""), &from_us, e) &&
           ledger_rate_set(c->ledger, base, quote, ratio, from_us, argument(c, "--source", ""), out,
                           e);
}

bool command_rate_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_list(c->view, STR("rates"), out, e);
}

bool command_group_set(const struct command_call *c, struct buf *out, struct err *e)
{
    struct ratio ratio;

    if (str_eq(c->operands[0], STR("none"))) {
        return err_set(e, "\"none\" is no group: account set NAME --group none leaves one");
    }
    return argument_factor("a factor", c->operands[1], &ratio, e) &&
           ledger_factor_set(c->ledger, true, c->operands[0], ratio, out, e);
}

bool command_group_list(const struct command_call *c, struct buf *out, struct err *e)
{
    return ledger_list(c->view, STR("groups"), out, e);
}
