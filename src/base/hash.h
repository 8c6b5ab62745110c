/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of what has a name by its content. Pure; by libsodium. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

#define HASH_HEX 64
/* 64 digits and a NUL. */
void hash_hex(char out[HASH_HEX + 1], struct str s);

#endif
