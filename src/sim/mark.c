/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids as vendors make them, with their time inside, and blobs that have the form of signed ones.
 * Nothing here is a secret: a signature is a hash of what it stands for, so that any change of it
 * is seen.
 */
#include <stdio.h>

#include "base/base64.h"
#include "base/hash.h"
#include "sim/zoo.h"

#define OPENAI_EPOCH 1576800000

__extension__ typedef unsigned __int128 wide;

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
static const char hex[] = "0123456789abcdef";

uint64_t mark_hash(uint64_t seed, struct str s)
{
    uint64_t h = 0xCBF29CE484222325U ^ (seed * 0x9E3779B97F4A7C15U);

    for (size_t i = 0; i < s.n; i++) {
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001B3U;
    }
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93U;
    return h ^ h >> 32;
}

static void add_random(struct exchange *x, const char *letters, size_t n, struct buf *out)
{
    size_t count = strlen(letters);

    for (size_t i = 0; i < n; i++) {
        buf_add_byte(out, letters[rand_weak_next(zoo_rand(x->zoo)) % count]);
    }
}

static uint64_t random64(struct exchange *x)
{
    return rand_weak_next(zoo_rand(x->zoo));
}

/* A number in so many digits of an alphabet, the highest first. */
static void add_digits(wide v, const char *letters, size_t n, struct buf *out)
{
    char text[32];
    size_t base = strlen(letters);

    for (size_t i = n; i > 0; i--) {
        text[i - 1] = letters[(size_t)(v % base)];
        v /= base;
    }
    buf_add(out, str_slice(text, n));
}

/* A UUID of version 7: milliseconds, then chance. */
static wide uuid7(struct exchange *x)
{
    uint64_t high = (uint64_t)(x->now_us / 1000) << 16 | 0x7000 | (random64(x) & 0xFFF);
    uint64_t low = 0x8000000000000000U | (random64(x) >> 2);

    return (wide)high << 64 | low;
}

static void add_gemini(struct exchange *x, struct buf *out)
{
    char bytes[16];
    uint64_t seconds = (uint64_t)(x->now_us / 1000000);

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i < 4 ? seconds >> (8 * i) : random64(x));
    }
    base64_write(out, BASE64_URL, str_slice(bytes, sizeof(bytes)));
}

static void add_uuid(struct exchange *x, struct buf *out)
{
    static const uint8_t groups[] = {8, 4, 3, 3, 12};

    for (size_t i = 0; i < sizeof(groups); i++) {
        buf_add(out, i == 0 ? STR("") : i == 2 ? STR("-4") : i == 3 ? STR("-a") : STR("-"));
        add_random(x, hex, groups[i], out);
    }
}

void mark_write(struct exchange *x, enum mark_kind kind, const char *prefix, struct buf *out)
{
    uint64_t seconds = (uint64_t)(x->now_us / 1000000);

    buf_add(out, str_from(prefix));
    switch (kind) {
    case MARK_CHAT:
        add_digits(seconds - OPENAI_EPOCH, base62, 5, out);
        add_random(x, base62, 24, out);
        break;
    case MARK_ANTHROPIC: add_digits(uuid7(x), base58, 22, out); break;
    case MARK_RANDOM58: add_random(x, base58, 22, out); break;
    case MARK_RANDOM62: add_random(x, base62, 24, out); break;
    case MARK_HEX: add_random(x, hex, 10, out); break;
    case MARK_UUID: add_uuid(x, out); break;
    case MARK_GEMINI: add_gemini(x, out); break;
    }
}

void mark_response(struct exchange *x, uint64_t stem, const char *prefix, struct buf *out)
{
    buf_addf(out, "%s%016llx00%08llx", prefix, (unsigned long long)stem,
             (unsigned long long)(x->now_us / 1000000));
    add_random(x, hex, 24, out);
}

void mark_sealed(struct exchange *x, struct buf *out)
{
    char bytes[57 + 16 * 12];
    uint64_t seconds = (uint64_t)(x->now_us / 1000000) + 1;

    bytes[0] = (char)0x80;
    for (size_t i = 1; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i < 9 ? seconds >> (8 * (8 - i)) : random64(x));
    }
    base64_write(out, BASE64_URL, str_slice(bytes, sizeof(bytes)));
}

/* So many bytes that depend on seed alone. */
static void add_hashed(const char *label, struct str seed, size_t n, struct buf *out)
{
    for (unsigned i = 0; n > 0; i++) {
        char text[HASH_HEX + 1];
        struct buf whole;
        buf_init(&whole, 4 << 20);
        buf_addf(&whole, "%s %u ", label, i);
        buf_add(&whole, seed);
        hash_hex(text, buf_str(&whole));
        buf_release(&whole);
        for (size_t k = 0; k < 64 && n > 0; k += 2, n--) {
            unsigned byte = 0;
            (void)sscanf(text + k, "%2x", &byte);
            buf_add_byte(out, (char)byte);
        }
    }
}

/* A field of protobuf: bytes with their length, at most two bytes of it. */
static void add_field(struct buf *out, unsigned number, struct str bytes)
{
    buf_add_byte(out, (char)(number << 3 | 2));
    if (bytes.n >= 128) {
        buf_add_byte(out, (char)(0x80 | (bytes.n & 0x7F)));
    }
    buf_add_byte(out, (char)(bytes.n >= 128 ? bytes.n >> 7 : bytes.n));
    buf_add(out, bytes);
}

static void add_hashed_field(struct buf *out, unsigned number, struct str seed, size_t n)
{
    struct buf bytes;
    char label[16];

    snprintf(label, sizeof(label), "%u", number);
    buf_init(&bytes, 4096);
    add_hashed(label, seed, n, &bytes);
    add_field(out, number, buf_str(&bytes));
    buf_release(&bytes);
}

static void add_channel(const struct character *c, enum cloud cloud, struct str seed,
                        struct buf *out)
{
    buf_add(out, STR("\x08\x10"));
    if (cloud == CLOUD_BEDROCK || cloud == CLOUD_VERTEX) {
        buf_add(out, cloud == CLOUD_BEDROCK ? STR("\x10\x01") : STR("\x10\x02"));
    }
    buf_add(out, STR("\x18\x02"));
    add_hashed_field(out, 5, seed, 64);
    add_field(out, 6, str_from(c->name));
    buf_add(out, str_slice("\x38\x00", 2));
    add_field(out, 8, STR("thinking"));
}

void mark_signature(const struct character *c, enum cloud cloud, struct str thinking,
                    struct buf *out)
{
    struct buf seed, channel, container, top;

    buf_init(&seed, 4 << 20);
    buf_init(&channel, 4096);
    buf_init(&container, 8192);
    buf_init(&top, 8192);
    buf_addf(&seed, "%s %d ", c->name, (int)cloud);
    buf_add(&seed, thinking);
    add_channel(c, cloud, buf_str(&seed), &channel);
    add_field(&container, 1, buf_str(&channel));
    add_hashed_field(&container, 2, buf_str(&seed), 12);
    add_hashed_field(&container, 3, buf_str(&seed), 12);
    add_hashed_field(&container, 4, buf_str(&seed), 48);
    add_hashed_field(&container, 5, buf_str(&seed), 64 + thinking.n % 64);
    add_field(&top, 2, buf_str(&container));
    buf_add(&top, STR("\x18\x01"));
    base64_write(out, BASE64_STANDARD, buf_str(&top));
    buf_release(&seed);
    buf_release(&channel);
    buf_release(&container);
    buf_release(&top);
}
