/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, keys, money by an operator's word, and what prices are multiplied with. */
#include "tests/model/driver.h"

#include <string.h>

struct str text_of(const char *word)
{
    return strcmp(word, "-") == 0 ? STR("") : str_from(word);
}

struct ratio ratio_of(char **w)
{
    return (struct ratio){number_of(w[0]), number_of(w[1])};
}

void admin_account(struct ledger *l, struct words *a)
{
    a->ok = ledger_account_create(l, str_from(a->w[0]), str_from(a->w[1]), currency_of(a->w[2]),
                                  number_of(a->w[3]), a->w[4][0], &a->out, &a->e);
}

void admin_key(struct ledger *l, struct words *a)
{
    a->ok = ledger_key_create(l, str_from(a->w[0]), STR("k"), STR(""), 0, 0, 0, number_of(a->w[1]),
                              a->w[2][0], &a->out, &a->e);
    size_t at = str_find(buf_str(&a->out), STR("\"id\":\""));
    a->id = a->ok ? number_of(a->out.p + at + 6) : 0;
}

void admin_budget(struct ledger *l, struct words *a)
{
    char period = a->w[2][0] == '-' ? '\0' : a->w[2][0];

    a->ok = ledger_account_budget(l, str_from(a->w[0]), number_of(a->w[1]), period, &a->out, &a->e);
}

void admin_credit(struct ledger *l, struct words *a)
{
    a->ok = ledger_credit(l, str_from(a->w[0]), currency_of(a->w[1]), a->w[2][0] == '1',
                          number_of(a->w[3]), str_from(a->w[4]), STR(""), &a->out, &a->e);
}

void admin_debit(struct ledger *l, struct words *a)
{
    a->ok = ledger_debit(l, str_from(a->w[0]), currency_of(a->w[1]), a->w[2][0] == '1',
                         number_of(a->w[3]), str_from(a->w[4]), STR(""), &a->out, &a->e);
}

void admin_limit(struct ledger *l, struct words *a)
{
    a->ok = ledger_account_credit_limit(l, str_from(a->w[0]), number_of(a->w[1]), &a->out, &a->e);
}

void admin_group(struct ledger *l, struct words *a)
{
    a->ok = ledger_account_group(l, str_from(a->w[0]), text_of(a->w[1]), &a->out, &a->e);
}

void admin_factor(struct ledger *l, struct words *a)
{
    a->ok = ledger_factor_set(l, strcmp(a->w[0], "group") == 0, str_from(a->w[1]),
                              ratio_of(a->w + 2), &a->out, &a->e);
    a->id = a->ok ? store_last_id(l->store) : 0;
}

void admin_rate(struct ledger *l, struct words *a)
{
    a->ok = ledger_rate_set(l, currency_of(a->w[0]), currency_of(a->w[1]), ratio_of(a->w + 2),
                            number_of(a->w[4]), str_from(a->w[5]), &a->out, &a->e);
    a->id = a->ok ? store_last_id(l->store) : 0;
}
