/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locks beside a store, all on `<path>.lock`. Who leads has the file itself (flock) and has
 * written its pid into it: there is one. Each process that spends from the store has a seat there
 * besides, a byte of its own number, so that others can see whether it still lives: never by a pid.
 * Whatever is held goes with the descriptor.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdint.h>

#include "base/err.h"

int lock_open(const char *path, struct err *e); /* -1 on failure; nothing is locked */
bool lock_lead(int fd, const char *path, struct err *e);
void lock_yield(int fd);
bool lock_take_seat(int fd, int64_t number);  /* false: somebody has it */
bool lock_seat_taken(int fd, int64_t number); /* by another descriptor than this */
bool lock_any_seat_taken(int fd);

#endif
