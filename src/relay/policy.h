/* SPDX-License-Identifier: Apache-2.0 */
/* Who pays for each end of a request, and who bears what it costs: ends.def as a table. */
#ifndef RELAY_POLICY_H
#define RELAY_POLICY_H

#include "base/buf.h"

enum end {
#define X(name, text, pays, cost_to, status, code, words) END_##name,
#include "relay/ends.def"
#undef X
    END_COUNT
};
enum pays { PAYS_NOBODY, PAYS_LOWER, PAYS_CUSTOMER };
enum bearer { BEARER_NONE, BEARER_COGS, BEARER_FAILED, BEARER_NO_USAGE, BEARER_ZERO, BEARER_CRASH };
struct end_row {
    const char *name;
    uint8_t pays, bearer;
    uint16_t status;
    const char *code, *text;
};
const struct end_row *end_row(enum end e);

/* "computed", "lower_bound", "nothing". */
const char *pays_name(enum pays p);
/* The account without its currency, which follows; NULL: cogs of the upstream, or none. */
const char *bearer_account(enum bearer b);

/* What holds for every end, in words. */
struct policy_rule {
    const char *name, *text;
};
extern const struct policy_rule policy_rules[];
extern const size_t policy_rule_count;

/* {"version": the SHA-256 of the policy's text, "policy": {...}}. */
void policy_write(struct buf *out);

#endif
