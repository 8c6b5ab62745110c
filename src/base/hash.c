/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <sodium.h>

void hash_hex(char out[HASH_HEX + 1], struct str s)
{
    unsigned char bytes[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(bytes, (const unsigned char *)s.p, s.n);
    sodium_bin2hex(out, HASH_HEX + 1, bytes, sizeof(bytes));
}
