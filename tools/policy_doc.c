/* SPDX-License-Identifier: Apache-2.0 */
/* Writes docs/policy.md from the ends of requests: `make docs`; a test keeps it current. */
#include <stdio.h>

#include "relay/policy.h"

static const char head[] =
    "# Who pays\n\n"
    "This page is made of the table that the station goes by (`src/relay/ends.def`) by `make "
    "docs`;\n"
    "a test fails when it is not current. `GET /v1/policy` says the same to everyone, with the\n"
    "SHA-256 of the bytes of its member `policy` as its version.\n\n"
    "## What holds for every end\n\n";

static const char ends[] =
    "\n## Every end of a request\n\n"
    "The cost is what the vendor bills for the last attempt: with the charge, or where there is "
    "none\n"
    "with the attempt. Ends without a bearer have reached no vendor, or none that bills.\n\n"
    "| end | the customer pays | the operator's cost goes to | our own status | text |\n"
    "|---|---|---|---|---|\n";

static void print_end(const struct end_row *row)
{
    const char *account = bearer_account((enum bearer)row->bearer);

    if (account == NULL) {
        account = row->bearer == BEARER_COGS ? "cogs:{upstream}" : "";
    }
    printf("| %s | %s | %s%s%s | ", row->name, pays_name((enum pays)row->pays),
           account[0] != '\0' ? "`" : "", account, account[0] != '\0' ? "`" : "");
    if (row->status > 0) {
        printf("%u", row->status);
    }
    printf(" | %s |\n", row->text);
}

int main(void)
{
    printf("%s", head);
    for (size_t i = 0; i < policy_rule_count; i++) {
        printf("- **%s**: %s\n", policy_rules[i].name, policy_rules[i].text);
    }
    printf("%s", ends);
    for (enum end e = 0; e < END_COUNT; e++) {
        print_end(end_row(e));
    }
    return 0;
}
