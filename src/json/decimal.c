/* SPDX-License-Identifier: Apache-2.0 */
#include "json/decimal.h"

struct decimal {
    bool negative;
    struct str whole, part; /* digits before and behind the point */
    size_t first, n;        /* of the digits that are not zeros around them; n 0: it is zero */
    int64_t point;          /* 0.DIGITS times ten to this */
};

#define EXPONENT_MAX 1000000000000 /* beyond all digits that a document can hold */

static char digit(const struct decimal *d, size_t i)
{
    return i < d->whole.n               ? d->whole.p[i]
           : i < d->whole.n + d->part.n ? d->part.p[i - d->whole.n]
                                        : '0';
}

static int64_t exponent_of(struct str s)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    int64_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9' && n < EXPONENT_MAX) {
            n = 10 * n + (s.p[i] - '0');
        }
    }
    return negative ? -n : n;
}

static struct decimal decimal_of(struct str s)
{
    struct decimal d = {.negative = s.n > 0 && s.p[0] == '-'};
    size_t at = 0;

    s = str_skip(s, d.negative);
    while (at < s.n && (s.p[at] | 0x20) != 'e') {
        at++;
    }
    d.point = exponent_of(str_skip(s, at + (at < s.n)));
    d.part = str_slice(s.p, at);
    d.whole = str_cut(&d.part, '.');
    size_t end = d.whole.n + d.part.n;
    while (d.first < end && digit(&d, d.first) == '0') {
        d.first++;
    }
    while (end > d.first && digit(&d, end - 1) == '0') {
        end--;
    }
    d.n = end - d.first;
    d.point += (int64_t)d.whole.n - (int64_t)d.first;
    return d;
}

/* Of the amounts, without their signs. */
static int compare_amounts(const struct decimal *a, const struct decimal *b)
{
    if (a->n == 0 || b->n == 0) {
        return (a->n > 0) - (b->n > 0);
    }
    if (a->point != b->point) {
        return a->point > b->point ? 1 : -1;
    }
    for (size_t i = 0; i < a->n || i < b->n; i++) {
        char x = i < a->n ? digit(a, a->first + i) : '0';
        char y = i < b->n ? digit(b, b->first + i) : '0';
        if (x != y) {
            return x > y ? 1 : -1;
        }
    }
    return 0;
}

int decimal_compare(struct str a, struct str b)
{
    struct decimal x = decimal_of(a), y = decimal_of(b);
    bool below = x.negative && x.n > 0, other = y.negative && y.n > 0;

    if (below != other) {
        return below ? -1 : 1;
    }
    return below ? compare_amounts(&y, &x) : compare_amounts(&x, &y);
}

bool decimal_whole(struct str s)
{
    struct decimal d = decimal_of(s);

    return d.n == 0 || d.point >= (int64_t)d.n;
}
