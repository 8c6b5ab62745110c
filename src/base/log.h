/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structured log: logfmt lines to standard error, one event a line, never content or keys.
 * Any thread. Lines go into a bounded buffer that one writer thread empties, so that a stuck
 * terminal or pipe never holds up a request; lines that do not fit are counted and reported.
 * Before log_start and after log_stop lines are written directly.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO };

void log_start(void);
void log_stop(void);

/* log_event(LOG_WARN, "accept_paused", "reason=%s", ...): the format makes key=value pairs. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Lines built by hand, for the hot path, in a buffer of the caller's: what is too much for it is
 * left out. log_begin, then pairs, then log_end. */
void log_begin(struct buf *b, enum log_level level, const char *event);
void log_end(struct buf *b);
/* Appends key=value, quoting the value where it needs it. */
void log_pair(struct buf *b, const char *key, struct str value);
void log_number(struct buf *b, const char *key, int64_t value);

#endif
