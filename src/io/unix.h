/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of a Unix socket for programs without a loop: one line there, one line back. It
 * blocks, at most the given time for each step.
 */
#ifndef IO_UNIX_H
#define IO_UNIX_H

#include "base/buf.h"
#include "base/err.h"

enum unix_result { UNIX_ANSWERED, UNIX_NOBODY, UNIX_FAILED };

/* line with its LF; the answer without. UNIX_NOBODY: nothing listens there. */
enum unix_result unix_ask(const char *path, struct str line, unsigned wait_s, struct buf *answer,
                          struct err *e);

#endif
