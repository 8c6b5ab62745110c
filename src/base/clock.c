/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#define US INT64_C(1000000)
#define DAY_US (86400 * US)

int64_t clock_mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t clock_wall_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * US + t.tv_nsec / 1000;
}

static struct tm civil(int64_t wall_us)
{
    time_t s = (time_t)(wall_us / US);
    struct tm tm;
    gmtime_r(&s, &tm);
    return tm;
}

/* The digits of v in front of end, filled up with zeros. */
static void digits(char *end, int count, int v)
{
    for (; count > 0; count--, v /= 10) {
        *--end = (char)('0' + v % 10);
    }
}

void clock_write_utc(struct buf *b, int64_t wall_us)
{
    char text[] = "0000-00-00T00:00:00.000Z";
    struct tm tm = civil(wall_us);

    digits(text + 4, 4, tm.tm_year + 1900);
    digits(text + 7, 2, tm.tm_mon + 1);
    digits(text + 10, 2, tm.tm_mday);
    digits(text + 13, 2, tm.tm_hour);
    digits(text + 16, 2, tm.tm_min);
    digits(text + 19, 2, tm.tm_sec);
    digits(text + 23, 3, (int)(wall_us / 1000 % 1000));
    buf_add(b, str_slice(text, sizeof(text) - 1));
}

int64_t clock_day(int64_t wall_us)
{
    return wall_us / DAY_US;
}

int64_t clock_month_start_us(int64_t wall_us)
{
    struct tm tm = civil(wall_us);
    return (clock_day(wall_us) - (tm.tm_mday - 1)) * DAY_US;
}

int64_t clock_next_month_us(int64_t wall_us)
{
    /* The 1st plus 31 days is in the next month, whatever the month. */
    return clock_month_start_us(clock_month_start_us(wall_us) + 31 * DAY_US);
}

bool clock_span_parse(struct str text, int64_t *us)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t n;

    for (size_t i = 0; text.n > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.p[text.n - 1] == units[i].unit && str_to_u64(str_slice(text.p, text.n - 1), &n) &&
            n < 1000000) {
            *us = (int64_t)n * units[i].seconds * 1000000;
            return true;
        }
    }
    return false;
}

bool clock_parse_day(struct str text, int64_t *wall_us)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct str rest = text;
    uint64_t y, m, d;

    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' ||
        !str_to_u64(str_cut(&rest, '-'), &y) || !str_to_u64(str_cut(&rest, '-'), &m) ||
        !str_to_u64(rest, &d) || y < 1970 || m < 1 || m > 12 || d < 1) {
        return false;
    }
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > lengths[m - 1] + (unsigned)(leap && m == 2)) {
        return false;
    }
    /* Years that begin in March, so that the leap day is their last. */
    uint64_t year = y - (m <= 2);
    uint64_t of_year = (153 * (m + (m > 2 ? UINT64_C(0) - 3 : 9)) + 2) / 5 + d - 1;
    uint64_t day = 365 * year + year / 4 - year / 100 + year / 400 + of_year - 719468;
    *wall_us = (int64_t)day * INT64_C(86400000000);
    return true;
}
