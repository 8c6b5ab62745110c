/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of what has a name by its content, and a short sum where nobody gains by a collision.
 * Pure; the first by libsodium. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

#define HASH_HEX 64
/* 64 digits and a NUL. */
void hash_hex(char out[HASH_HEX + 1], struct str s);

#define HASH_FNV 2166136261U /* of nothing */
/* FNV-1a, piece by piece. */
uint32_t hash_fnv(uint32_t so_far, struct str s);

#endif
