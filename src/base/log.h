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
/* A finished list of key=value pairs, for lines built by hand on the hot path. */
void log_line(enum log_level level, const char *event, struct str pairs);
/* Appends key=value, quoting the value where it needs it. */
void log_pair(struct buf *b, const char *key, struct str value);
void log_number(struct buf *b, const char *key, int64_t value);

#endif
