/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <sodium.h>

void hash_hex(char out[HASH_HEX + 1], struct str s)
{
    unsigned char bytes[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(bytes, (const unsigned char *)s.p, s.n);
    sodium_bin2hex(out, HASH_HEX + 1, bytes, sizeof(bytes));
}

uint32_t hash_fnv(uint32_t so_far, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        so_far = (so_far ^ (unsigned char)s.p[i]) * 16777619U;
    }
    return so_far;
}
