/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rid.h"

#include <sodium.h>

__extension__ typedef unsigned __int128 unsigned_128;

/* Ten bytes from the kernel at a time would be a system call for each request. */
static void random_bytes(void *to, size_t n)
{
    static _Thread_local unsigned char pool[500];
    static _Thread_local size_t left;

    if (left < n) {
        randombytes_buf(pool, sizeof(pool));
        left = sizeof(pool);
    }
    left -= n;
    memcpy(to, pool + left, n);
}

struct rid rid_new(int64_t wall_us)
{
    struct rid id;
    uint64_t ms = (uint64_t)wall_us / 1000;

    for (int i = 5; i >= 0; i--) {
        id.b[i] = (uint8_t)ms;
        ms >>= 8;
    }
    random_bytes(id.b + 6, 10);
    return id;
}

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void rid_text(char out[RID_TEXT + 1], const struct rid *id)
{
    unsigned_128 v = 0;

    for (int i = 0; i < 16; i++) {
        v = v << 8 | id->b[i];
    }
    for (int i = RID_TEXT - 1; i >= 0; i--) {
        out[i] = crockford[(unsigned)(v & 31)];
        v >>= 5;
    }
    out[RID_TEXT] = '\0';
}
