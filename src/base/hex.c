/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <sodium.h>

__extension__ typedef unsigned __int128 unsigned_128;

void hex_encode(char *out, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

static int value_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(void *out, size_t n, struct str hex)
{
    unsigned char *p = out;

    if (hex.n != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = value_of(hex.p[2 * i]);
        int low = value_of(hex.p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        p[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

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

bool rid_parse(struct str text, struct rid *out)
{
    unsigned_128 v = 0;

    if (text.n != RID_TEXT || text.p[0] > '7') {
        return false;
    }
    for (size_t i = 0; i < RID_TEXT; i++) {
        const char *at = text.p[i] != '\0' ? strchr(crockford, text.p[i]) : NULL;
        if (at == NULL) {
            return false;
        }
        v = v << 5 | (unsigned)(at - crockford);
    }
    for (int i = 15; i >= 0; i--) {
        out->b[i] = (uint8_t)v;
        v >>= 8;
    }
    return true;
}
