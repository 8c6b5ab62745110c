/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/code.h"

#include "base/rid.h"

#define PAYLOAD RID_TEXT
#define CHECKS (CODE_SYMBOLS - PAYLOAD)
#define GROUP 5

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* In the field of 32 that x^5 + x^2 + 1 makes. */
static uint8_t multiply(uint8_t a, uint8_t b)
{
    unsigned product = 0;

    for (int bit = 4; bit >= 0; bit--) {
        product <<= 1;
        if ((product & 0x20) != 0)
            product ^= 0x25;
        if ((b >> bit & 1) != 0)
            product ^= a;
    }
    return (uint8_t)product;
}

/* What is left of the payload over (x - 2)(x - 4)(x - 8)(x - 16). */
static void remainder_of(const uint8_t payload[PAYLOAD], uint8_t out[CHECKS])
{
    static const uint8_t divisor[CHECKS] = {30, 6, 9, 17}; /* behind its leading 1 */

    memset(out, 0, CHECKS);
    for (int i = 0; i < PAYLOAD; i++) {
        uint8_t lead = payload[i] ^ out[0];
        for (int k = 0; k < CHECKS; k++)
            out[k] = (uint8_t)((k + 1 < CHECKS ? out[k + 1] : 0) ^ multiply(lead, divisor[k]));
    }
}

static int symbol_value(char c)
{
    char upper = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    char meant = upper == 'O' ? '0' : upper == 'I' || upper == 'L' ? '1' : upper;
    const char *at = meant == '\0' ? NULL : strchr(symbols, meant);

    return at != NULL ? (int)(at - symbols) : -1;
}

void code_write(char out[CODE_TEXT + 1], const struct voucher_code *code)
{
    struct rid bytes; /* the same symbols as a request's id, of as many bytes */
    char text[RID_TEXT + 1];
    uint8_t all[CODE_SYMBOLS];
    size_t n = 0;

    memcpy(bytes.b, code->b, sizeof bytes.b);
    rid_text(text, &bytes);
    for (int i = 0; i < PAYLOAD; i++)
        all[i] = (uint8_t)symbol_value(text[i]);
    remainder_of(all, all + PAYLOAD);
    for (int i = 0; i < CODE_SYMBOLS; i++) {
        if (i > 0 && i % GROUP == 0)
            out[n++] = '-';
        out[n++] = symbols[all[i]];
    }
    out[n] = '\0';
    explicit_bzero(&bytes, sizeof bytes);
    explicit_bzero(text, sizeof text);
    explicit_bzero(all, sizeof all);
}

/* The 128 bits out of 130; the first symbol has the two that are always 0. */
static void pack(const uint8_t payload[PAYLOAD], struct voucher_code *out)
{
    unsigned bits = 0;
    unsigned have = 3;
    size_t n = 0;

    bits = payload[0];
    for (int i = 1; i < PAYLOAD; i++) {
        bits = bits << 5 | payload[i];
        have += 5;
        if (have >= 8) {
            have -= 8;
            out->b[n++] = (uint8_t)(bits >> have);
            bits &= (1U << have) - 1;
        }
    }
}

enum code_fault code_parse(struct str text, struct voucher_code *out)
{
    uint8_t all[CODE_SYMBOLS], check[CHECKS];
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '-' || text.p[i] == ' ')
            continue;
        int value = symbol_value(text.p[i]);
        if (value < 0 || n == CODE_SYMBOLS)
            return CODE_SHAPE;
        all[n++] = (uint8_t)value;
    }
    if (n < CODE_SYMBOLS)
        return CODE_SHAPE;
    remainder_of(all, check);
    bool sound = memcmp(check, all + PAYLOAD, CHECKS) == 0 && all[0] < 8;
    if (sound)
        pack(all, out);
    explicit_bzero(all, sizeof all);
    return sound ? CODE_GOOD : CODE_TYPO;
}
