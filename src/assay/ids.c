/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/ids.h"

#include "base/base64.h"

#define OPENAI_EPOCH INT64_C(1576800000)

static int digit_of(char c, const char *alphabet)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

static bool all_of(struct str s, const char *alphabet)
{
    for (size_t i = 0; i < s.n; i++) {
        if (digit_of(s.p[i], alphabet) < 0) {
            return false;
        }
    }
    return true;
}

/* chatcmpl- and 29 letters and digits: the first five count seconds. */
static bool openai_chat(struct str s, int64_t *seconds)
{
    static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    int64_t n = 0;

    if (s.n != 29 || !all_of(s, base62)) {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        n = n * 62 + digit_of(s.p[i], base62);
    }
    *seconds = n + OPENAI_EPOCH;
    return true;
}

/* resp_ and 50 hexadecimal digits, with the time behind the first nine bytes; 48 with it at the
 * start. */
static bool openai_response(struct str s, int64_t *seconds)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = s.n == 50 ? 18 : 0;
    int64_t n = 0;

    if ((s.n != 50 && s.n != 48) || !all_of(s, hex) || (at > 0 && memcmp(s.p + 16, "00", 2) != 0)) {
        return false;
    }
    for (size_t i = 0; i < 8; i++) {
        n = n * 16 + digit_of(s.p[at + i], hex);
    }
    *seconds = n;
    return true;
}

/* msg_01 and 22 digits of base 58: a UUID of version 7, since July 2026. */
static bool anthropic(struct str s, int64_t *seconds)
{
    static const char base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    uint8_t big[17] = {0};
    int64_t ms = 0;

    if (s.n != 22 || !all_of(s, base58)) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned carry = (unsigned)digit_of(s.p[i], base58);
        for (size_t j = sizeof(big); j-- > 0;) {
            carry += big[j] * 58U;
            big[j] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    if (big[0] != 0 || big[7] >> 4 != 7) {
        return false;
    }
    for (size_t i = 1; i <= 6; i++) {
        ms = ms << 8 | big[i];
    }
    *seconds = ms / 1000;
    return true;
}

/* 16 or 17 bytes in base64url, the first four of which are the time. */
static bool gemini(struct str s, int64_t *seconds)
{
    char bytes[32];
    struct buf out = {.p = bytes, .cap = sizeof(bytes), .max = sizeof(bytes)};

    if (s.n < 22 || s.n > 23 || !base64_read(&out, BASE64_URL, s)) {
        return false;
    }
    *seconds = 0;
    for (size_t i = 4; i-- > 0;) {
        *seconds = *seconds << 8 | (uint8_t)bytes[i];
    }
    return true;
}

const char *id_time(struct str id, int64_t *seconds)
{
    static const struct {
        struct str prefix;
        const char *vendor;
        bool (*read)(struct str rest, int64_t *seconds);
    } shapes[] = {
        {STR_INIT("chatcmpl-"), "OpenAI", openai_chat},
        {STR_INIT("resp_"), "OpenAI", openai_response},
        {STR_INIT("msg_01"), "Anthropic", anthropic},
        {STR_INIT("req_01"), "Anthropic", anthropic},
        {STR_INIT(""), "Gemini", gemini},
    };

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (str_starts(id, shapes[i].prefix)) {
            struct str rest = str_skip(id, shapes[i].prefix.n);
            return shapes[i].read(rest, seconds) ? shapes[i].vendor : NULL;
        }
    }
    return NULL;
}
