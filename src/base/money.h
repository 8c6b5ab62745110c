/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Money and decimals, integers only. nano = 1e-9 of a currency unit, in int64. Rates are
 * pico = 1e-12 of a currency unit per token (= decimal price per million tokens x 1e6).
 * Every operation that can overflow says so and must be checked.
 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define NANO_PER_UNIT INT64_C(1000000000)

/* ISO code or token name, 3 to 8 capitals or digits, NUL-terminated: USD, CNY, USDT. */
struct currency {
    char code[9];
};

/* A margin, a rate between currencies. */
struct ratio {
    int64_t num, den; /* each from 1 to RATIO_MAX */
};
#define RATIO_MAX INT64_C(1000000000000)
/* To its lowest terms, of numbers above 0; false where these are beyond RATIO_MAX. */
bool ratio_reduce(struct ratio *r) MUST_CHECK;

/* whole x n / of, rounded toward zero, for n >= 0 and of > 0; false on overflow. */
bool money_part(int64_t *out, int64_t whole, int64_t n, int64_t of) MUST_CHECK;
/* a + b and a - b; false on overflow. */
bool money_add(int64_t *out, int64_t a, int64_t b) MUST_CHECK;
bool money_sub(int64_t *out, int64_t a, int64_t b) MUST_CHECK;

/*
 * Decimal text ("12.5", no sign, no exponent) to an integer scaled by 10^digits. Refuses more
 * fraction digits than fit (no rounding of what somebody wrote), empty text and overflow.
 */
bool decimal_parse(struct str s, unsigned digits, int64_t *out) MUST_CHECK;
/* Shortest exact text of value / 10^digits, with a minus sign where negative: 1500000000,9 ->
 * "1.5". */
void decimal_write(struct buf *b, int64_t value, unsigned digits);

bool currency_parse(struct str s, struct currency *out) MUST_CHECK;

#endif
