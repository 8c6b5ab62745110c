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

void clock_write_utc(struct buf *b, int64_t wall_us)
{
    struct tm tm = civil(wall_us);
    buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_us / 1000 % 1000));
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
