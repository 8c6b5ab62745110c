/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code of a voucher: 16 random bytes as 26 symbols of Crockford's base32, and 4 check symbols
 * behind them, in six groups of five. The check is a Reed-Solomon code over the 32 symbols: up to
 * four wrong ones, or two that changed places, are always told from a code that is not known.
 */
#ifndef LEDGER_CODE_H
#define LEDGER_CODE_H

#include "base/str.h"

#define CODE_BYTES 16
#define CODE_SYMBOLS 30
#define CODE_TEXT 35 /* with its hyphens */

struct voucher_code {
    uint8_t b[CODE_BYTES];
};

void code_write(char out[CODE_TEXT + 1], const struct voucher_code *code);

/* SHAPE: it has not so many symbols, or some that there are not. TYPO: symbols are wrong. */
enum code_fault { CODE_GOOD, CODE_SHAPE, CODE_TYPO };
/* In any case, with O for 0 and I or L for 1; hyphens and blanks do not matter. */
enum code_fault code_parse(struct str text, struct voucher_code *out);

#endif
