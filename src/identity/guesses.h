/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses sent too many unknown keys within a minute. One thread: each lane has its own.
 * At most LIMIT_GUESSERS are remembered, the one known longest is forgotten first; they are kept in
 * memory alone. All time is the caller's.
 */
#ifndef IDENTITY_GUESSES_H
#define IDENTITY_GUESSES_H

#include "base/ip.h"

struct guesses;
struct guesses *guesses_new(void);
void guesses_free(struct guesses *g);
/* Seconds until this address may show a key again; 0: now. One that is not known always may. */
unsigned guesses_wait_s(const struct guesses *g, const struct ip *from, int64_t now_ms);
/* It has sent an unknown key. True, once a minute, when that was the last one it had. */
bool guesses_note(struct guesses *g, const struct ip *from, int64_t now_ms);

#endif
