/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement is asked for: the period, and the place where a page goes on. */
#include "base/clock.h"
#include "ledger/statement.h"

#define DAY_US INT64_C(86400000000)
#define SECOND_US INT64_C(1000000)
#define CURSOR_MAX (UINT64_C(1) << 62) /* far from where sums would overflow */

/* Digits of s from at, below a bound. */
static bool number_at(struct str s, size_t at, size_t n, unsigned below, unsigned *out)
{
    uint64_t v;

    if (s.n < at + n || !str_to_u64(str_slice(s.p + at, n), &v) || v >= below)
        return false;
    *out = (unsigned)v;
    return true;
}

/* Days since the epoch, found among those of which the clock writes the text. */
static bool parse_day(struct str s, int64_t *us)
{
    unsigned y, m, d;
    char room[32];
    struct buf back = {.p = room, .cap = sizeof room, .max = sizeof room};

    if (s.n < 10 || s.p[4] != '-' || s.p[7] != '-' || !number_at(s, 0, 4, 3000, &y) || y < 1970 ||
        !number_at(s, 5, 2, 13, &m) || !number_at(s, 8, 2, 32, &d) || m == 0 || d == 0)
        return false;
    /* Years that begin in March: the leap day is their last. */
    int64_t year = (int64_t)y - (m <= 2);
    int64_t of_year = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d - 1;
    *us = (365 * year + year / 4 - year / 100 + year / 400 + of_year - 719468) * DAY_US;
    clock_write_utc(&back, *us);
    return memcmp(room, s.p, 10) == 0; /* the 31st of a month that has 30 days is another day */
}

/* ".123Z" or "Z", as our own times end. */
static bool parse_fraction(struct str s, int64_t *us)
{
    uint64_t n = 0;

    if (s.n < 1 || s.n > 8 || s.p[s.n - 1] != 'Z')
        return false;
    if (s.n == 1)
        return true;
    if (s.p[0] != '.' || !str_to_u64(str_slice(s.p + 1, s.n - 2), &n))
        return false;
    for (size_t digits = s.n - 2; digits < 6; digits++)
        n *= 10;
    *us += (int64_t)n;
    return true;
}

/* 2026-11-01, or 2026-11-01T08:30:00Z; UTC. */
static bool parse_time(struct str s, int64_t *us)
{
    unsigned h, m, sec;

    if (!parse_day(s, us))
        return false;
    if (s.n == 10)
        return true;
    if (s.n < 20 || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' ||
        !number_at(s, 11, 2, 24, &h) || !number_at(s, 14, 2, 60, &m) ||
        !number_at(s, 17, 2, 60, &sec))
        return false;
    *us += (int64_t)(h * 3600 + m * 60 + sec) * SECOND_US;
    return parse_fraction(str_skip(s, 19), us);
}

static bool take_i64(struct str *rest, char end, int64_t *out)
{
    struct str word = str_cut(rest, end);
    bool minus = word.n > 0 && word.p[0] == '-';
    uint64_t n;

    if (!str_to_u64(minus ? str_skip(word, 1) : word, &n) || n > CURSOR_MAX)
        return false;
    *out = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

/* TIME.RANK.ID~USD:BALANCE:PROMO~...: the last movement, and in nano what the balances then were.
 */
static bool parse_cursor(struct str s, struct statement_ask *a)
{
    struct str place = str_cut(&s, '~');

    if (!take_i64(&place, '.', &a->after.us) || !take_i64(&place, '.', &a->after.rank) ||
        !take_i64(&place, '.', &a->after.id))
        return false;
    while (s.n > 0 && a->sum_count < LIMIT_BALANCES) {
        struct str sum = str_cut(&s, '~');
        struct statement_sum *to = &a->sums[a->sum_count++];
        if (!currency_parse(str_cut(&sum, ':'), &to->currency) ||
            !take_i64(&sum, ':', &to->balance) || !take_i64(&sum, ':', &to->promo))
            return false;
    }
    a->goes_on = true;
    return s.n == 0;
}

static bool parse_limit(struct str s, unsigned *out)
{
    uint64_t n = LIMIT_STATEMENT_LINES;

    if (s.n > 0 && (!str_to_u64(s, &n) || n == 0 || n > LIMIT_STATEMENT_LINES))
        return false;
    *out = (unsigned)n;
    return true;
}

bool statement_parse(const struct statement_words *w, struct statement_ask *a, const char **field,
                     struct err *e)
{
    static const char time[] = "%s must be a day such as 2026-11-01, or 2026-11-01T08:30:00Z";
    int64_t now_us = clock_wall_us();

    *a = (struct statement_ask){.from_us = clock_month_start_us(now_us), .to_us = INT64_MAX};
    if (w->from.n > 0 && !parse_time(w->from, &a->from_us)) {
        *field = "from";
        return err_set(e, time, *field);
    }
    *field = "to";
    if (w->to.n > 0 && !parse_time(w->to, &a->to_us))
        return err_set(e, time, *field);
    if (a->to_us < a->from_us)
        return err_set(e, "to must not be before from");
    *field = "currency";
    if (w->currency.n > 0 && !currency_parse(w->currency, &a->currency))
        return err_set(e, "currency must be a code such as USD");
    *field = "format";
    a->csv = str_eq(w->format, STR("csv"));
    if (w->format.n > 0 && !a->csv && !str_eq(w->format, STR("json")))
        return err_set(e, "format must be json or csv");
    *field = "limit";
    if (!parse_limit(w->limit, &a->limit))
        return err_set(e, "limit must be a number of lines from 1 to %d", LIMIT_STATEMENT_LINES);
    *field = "cursor";
    if (w->cursor.n > 0 && !parse_cursor(w->cursor, a))
        return err_set(e, "cursor must be what an earlier page named as next");
    return true;
}
