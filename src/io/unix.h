/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of a Unix socket for programs without a loop: one line there, one line back,
 * some more where the connection is kept. It blocks, at most the given time for each step.
 */
#ifndef IO_UNIX_H
#define IO_UNIX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define PASS_MAX (LIMIT_LANES + 1) /* descriptors with one line */

enum unix_result { UNIX_ANSWERED, UNIX_NOBODY, UNIX_FAILED };

/* line with its LF; the answer without. UNIX_NOBODY: nothing listens there. */
enum unix_result unix_ask(const char *path, struct str line, unsigned wait_s, struct buf *answer,
                          struct err *e);

/* The same in steps. *fd is to be closed after UNIX_ANSWERED, which means: connected. */
enum unix_result unix_connect(const char *path, unsigned wait_s, int *fd, struct err *e);
bool unix_say(int fd, struct str line, struct err *e);
/* The next line, and the descriptors that came with it: at most PASS_MAX, the caller's. */
bool unix_hear(int fd, struct buf *answer, int *fds, unsigned *count, struct err *e);

#endif
