/* SPDX-License-Identifier: Apache-2.0 */
/* The lock beside a store: flock on `<path>.lock`, which holds the pid of its owner. */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "base/err.h"

/* The descriptor that holds the lock, or -1. Closing it (or dying) gives the lock back. */
int lock_take(const char *path, struct err *e);

#endif
