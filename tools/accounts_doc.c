/* SPDX-License-Identifier: Apache-2.0 */
/* Writes docs/accounts.md from the rows that move money: `make docs`; a test keeps it current. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct account {
    const char *name, *nature, *what;
} accounts[] = {
#define ACCOUNT(name, nature, what) {name, nature, what},
#include "ledger/events.def"
};

static const struct leg {
    const char *event, *kind, *debit, *credit, *amount, *what;
} legs[] = {
#define X(event, kind, debit, credit, amount, what) {#event, kind, debit, credit, #amount, what},
#include "ledger/events.def"
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char head[] =
    "# Accounts and events\n\n"
    "This page is made of the table that moves money (`src/ledger/events.def`) by `make docs`; a\n"
    "test fails when it is not current. No code makes a transfer but by a row of it, with one\n"
    "exception: a *reversal* turns round what a charge has moved, but for its costs.\n\n"
    "Every transfer takes an amount above nothing from one account (debit) and gives it to "
    "another\n"
    "of the same currency (credit); all of an event are one commit. In the names, `{payer}` is a\n"
    "customer's or a house's balance and `{promo}` its promo, `{cur}` its currency, `{upstream}`\n"
    "the operator's account at a vendor and `{cost_cur}` the currency that is paid there, and\n"
    "`{bearer}` who bears that cost: `cogs:{upstream}`, or what [the policy](policy.md) says.\n"
    "No balance can be further from nothing than 9,223,372,036 of its currency: what would lead\n"
    "there is refused. So much can be credited to all customers together, as `funding:{cur}` has\n"
    "the other side of it.\n\n"
    "## Accounts\n\n| account | is | its balance |\n|---|---|---|\n";

static bool known(const char *name)
{
    for (size_t i = 0; i < COUNT(accounts); i++) {
        if (strcmp(accounts[i].name, name) == 0) {
            return true;
        }
    }
    fprintf(stderr, "events.def has no ACCOUNT row for %s\n", name);
    return false;
}

int main(void)
{
    bool ok = true;

    printf("%s", head);
    for (size_t i = 0; i < COUNT(accounts); i++) {
        printf("| `%s` | %s | %s |\n", accounts[i].name, accounts[i].nature, accounts[i].what);
    }
    printf("\n## Events\n\n| event | kind of transfer | from | to | amount | means |\n"
           "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < COUNT(legs); i++) {
        const struct leg *l = &legs[i];
        ok = known(l->debit) && known(l->credit) && ok;
        printf("| %s | `%s` | `%s` | `%s` | %s | %s |\n", l->event, l->kind, l->debit, l->credit,
               l->amount, l->what);
    }
    return ok ? 0 : 1;
}
