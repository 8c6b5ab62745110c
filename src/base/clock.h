/* SPDX-License-Identifier: Apache-2.0 */
/* Time. Deadlines use the monotonic clock; the wall clock appears only in rows and logs. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

int64_t clock_mono_ns(void);
int64_t clock_wall_us(void);
/* "2026-11-24T08:16:15.123Z" of microseconds since the epoch. */
void clock_write_utc(struct buf *b, int64_t wall_us);
/* "2026-11-24" (day) as the number of days since the epoch, and back; the first day of its month.
 */
int64_t clock_day(int64_t wall_us);
int64_t clock_month_start_us(int64_t wall_us);
int64_t clock_next_month_us(int64_t wall_us);
/* "90s", "15m", "12h", "30d" in microseconds; a number below a million. */
bool clock_span_parse(struct str text, int64_t *us);

/* The begin (UTC) of "2026-11-24"; false where that is no day since 1970. */
bool clock_parse_day(struct str text, int64_t *wall_us);

#endif
