/* SPDX-License-Identifier: Apache-2.0 */
/* How the ledger writes its things as JSON: money as decimal text, times as UTC text. */
#ifndef LEDGER_TEXT_H
#define LEDGER_TEXT_H

#include "base/buf.h"
#include "ledger/ledger.h"

/* Valid UTF-8 without control characters. */
bool text_is_printable(struct str s);
/* That, and nothing in it that is not seen, or turns what is: a name. */
bool text_is_name(struct str s);

void text_string(struct buf *out, struct str s);
void text_money(struct buf *out, int64_t nano);   /* "1.5", quoted */
void text_time(struct buf *out, int64_t wall_us); /* quoted; null for 0 */
const char *text_usage_state(int64_t state);      /* "ok" */
void text_account(struct buf *out, const struct account *a, int64_t balance);
void text_rate(struct buf *out, const struct rate *r, struct str source);
void text_key(struct buf *out, const struct key *k, struct str raw); /* raw empty: left out */

#endif
