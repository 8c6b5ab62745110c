/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.h"

#include <string.h>

bool money_add(int64_t *out, int64_t a, int64_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

bool money_sub(int64_t *out, int64_t a, int64_t b)
{
    return !__builtin_sub_overflow(a, b, out);
}

static bool digit_add(int64_t *v, char c)
{
    return c >= '0' && c <= '9' && !__builtin_mul_overflow(*v, 10, v) &&
           !__builtin_add_overflow(*v, (int64_t)(c - '0'), v);
}

bool decimal_parse(struct str s, unsigned digits, int64_t *out)
{
    struct str fraction = s;
    struct str whole = str_cut(&fraction, '.');
    int64_t v = 0;

    if (whole.n == 0 || (whole.n < s.n && fraction.n == 0) || fraction.n > digits) {
        return false;
    }
    for (size_t i = 0; i < whole.n; i++) {
        if (!digit_add(&v, whole.p[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < digits; i++) {
        if (!digit_add(&v, i < fraction.n ? fraction.p[i] : '0')) {
            return false;
        }
    }
    *out = v;
    return true;
}

void decimal_write(struct buf *b, int64_t value, unsigned digits)
{
    uint64_t v = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    uint64_t scale = 1;

    for (unsigned i = 0; i < digits; i++) {
        scale *= 10;
    }
    if (value < 0) {
        buf_add_byte(b, '-');
    }
    buf_add_u64(b, v / scale);
    v %= scale;
    if (v > 0) {
        buf_add_byte(b, '.');
    }
    while (v > 0) {
        scale /= 10;
        buf_add_byte(b, (char)('0' + v / scale));
        v %= scale;
    }
}

bool currency_parse(struct str s, struct currency *out)
{
    if (s.n < 3 || s.n >= sizeof(out->code)) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!(s.p[i] >= 'A' && s.p[i] <= 'Z') && !(s.p[i] >= '0' && s.p[i] <= '9')) {
            return false;
        }
    }
    memset(out->code, 0, sizeof(out->code));
    memcpy(out->code, s.p, s.n);
    return true;
}

bool ratio_reduce(struct ratio *r)
{
    int64_t a = r->num, b = r->den;

    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    r->num /= a;
    r->den /= a;
    return r->num <= RATIO_MAX && r->den <= RATIO_MAX;
}

bool money_part(int64_t *out, int64_t whole, int64_t n, int64_t of)
{
    __extension__ typedef __int128 wide;
    wide part = (wide)whole * n / of;

    *out = (int64_t)part;
    return part == *out;
}
