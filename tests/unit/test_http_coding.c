/* SPDX-License-Identifier: Apache-2.0 */
/* Each coded text is fed whole, cut in two at every byte, and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/coding.h"

#define MAX 1000

/* Written by Python's gzip and zlib, and by the zstd program. */
static const struct str text =
    STR_INIT("{\"model\":\"gpt\",\"messages\":[{\"role\":\"user\",\"content\":"
             "\"to be, or not to be, or to be\"}]}");
static const struct {
    enum coding_kind kind;
    struct str coded;
} whole[] = {
    {CODING_GZIP,
     STR_INIT("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x45\x89\xb9\x0d\xc0\x20\x0c\x45\x57\xb1"
              "\x7e\xcd\x04\xac\x12\xa5\xc8\xf1\x45\x03\x18\x61\xa7\x42\xec\x1e\x94\x26\xdd\x3b"
              "\x06\x8a\xde\xcc\x88\x48\xcd\x11\x50\x68\x76\x24\x1a\xe2\x36\xd0\x35\x73\x9d\xc7"
              "\xd8\xd7\xba\xb4\x3a\xab\xaf\xe0\x2a\x27\x83\x68\x97\xaa\x2e\xbf\x7d\x84\xb9\xcf"
              "\x17\x0c\x70\xd4\x69\x56\x00\x00\x00")},
    {CODING_DEFLATE,
     STR_INIT("\x78\xda\x45\x89\xb9\x0d\xc0\x20\x0c\x45\x57\xb1\x7e\xcd\x04\xac\x12\xa5\xc8\xf1"
              "\x45\x03\x18\x61\xa7\x42\xec\x1e\x94\x26\xdd\x3b\x06\x8a\xde\xcc\x88\x48\xcd\x11"
              "\x50\x68\x76\x24\x1a\xe2\x36\xd0\x35\x73\x9d\xc7\xd8\xd7\xba\xb4\x3a\xab\xaf\xe0"
              "\x2a\x27\x83\x68\x97\xaa\x2e\xbf\x7d\x84\xb9\xcf\x17\xd2\x4d\x1c\x4e")},
    {CODING_ZSTD,
     STR_INIT("\x28\xb5\x2f\xfd\x24\x56\x25\x02\x00\x72\x44\x0e\x12\xa0\xbb\x01\x05\xaf\x2e\xcb"
              "\xac\x2f\x1b\xb1\xfe\xe2\x6b\x91\xfd\x6f\x40\x4f\xbc\x63\xaf\x42\xb6\x08\x94\xe0"
              "\xf6\xf3\xad\xb4\xd5\x96\x83\x33\xe5\xf6\xbc\xa2\x65\x77\x21\xcf\x7a\x06\xb3\xa6"
              "\x83\xf7\x3a\xcf\x23\x35\x9b\xee\x02\x02\x00\x2d\x03\x86\x28\xa6\x19\x8e\x54\x0b"
              "\xdb")},
};
#define WHOLE (sizeof(whole) / sizeof(whole[0]))

struct fed {
    enum coding_result result;
    bool complete;
    struct buf out;
    char why[64];
};

/* Feeds coded[0..cut), then the rest in steps; stops at the first failure. */
static void feed(enum coding_kind kind, struct str coded, size_t cut, size_t step, size_t max,
                 struct fed *f)
{
    struct coding *c = coding_new(kind, max);

    assert_non_null(c);
    buf_init(&f->out, max + 1);
    f->result = coding_feed(c, str_slice(coded.p, cut), &f->out);
    for (size_t at = cut, n; at < coded.n && f->result == CODING_OK; at += n) {
        n = coded.n - at < step ? coded.n - at : step;
        f->result = coding_feed(c, str_slice(coded.p + at, n), &f->out);
    }
    f->complete = coding_complete(c);
    assert_true(coding_memory(c) > 0);
    (void)strncpy(f->why, coding_why(c), sizeof(f->why) - 1);
    f->why[sizeof(f->why) - 1] = '\0';
    coding_free(c);
}

static void assert_decodes(enum coding_kind kind, struct str coded, size_t cut, size_t step,
                           struct str wanted)
{
    struct fed f;

    feed(kind, coded, cut, step, MAX, &f);
    if (f.result != CODING_OK || !f.complete || !str_eq(buf_str(&f.out), wanted)) {
        fail_msg("coding %d, cut %zu, step %zu: result %d, %.*s", (int)kind, cut, step,
                 (int)f.result, STR_ARG(buf_str(&f.out)));
    }
    buf_release(&f.out);
}

static void at_any_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        for (size_t cut = 0; cut <= whole[i].coded.n; cut++) {
            assert_decodes(whole[i].kind, whole[i].coded, cut, SIZE_MAX / 2, text);
        }
        assert_decodes(whole[i].kind, whole[i].coded, 0, 1, text);
    }
}

static void an_early_end_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        for (size_t n = 0; n < whole[i].coded.n; n++) {
            struct fed f;
            feed(whole[i].kind, str_slice(whole[i].coded.p, n), n, 1, MAX, &f);
            assert_int_equal(f.result, CODING_OK);
            assert_false(f.complete);
            assert_string_equal(f.why, "it ends too early");
            buf_release(&f.out);
        }
    }
}

static void join(struct buf *b, struct str first, struct str second)
{
    buf_init(b, 64 * 1024);
    assert_true(buf_add(b, first) && buf_add(b, second));
}

static void assert_broken(enum coding_kind kind, struct str coded, const char *why)
{
    for (size_t step = 1; step <= coded.n; step = step == 1 ? coded.n : coded.n + 1) {
        struct fed f;
        feed(kind, coded, 0, step, MAX, &f);
        assert_int_equal(f.result, CODING_BROKEN);
        assert_string_equal(f.why, why);
        buf_release(&f.out);
    }
}

static void only_its_like_may_follow(void **state)
{
    static const char *const why[] = {"the gzip data is damaged", "something follows its end",
                                      "the zstd data is damaged"};
    struct buf twice, b;

    (void)state;
    join(&twice, text, text);
    for (size_t i = 0; i < WHOLE; i++) {
        join(&b, whole[i].coded, STR("tail"));
        assert_broken(whole[i].kind, buf_str(&b), why[i]);
        buf_release(&b);
        join(&b, whole[i].coded, whole[i].coded);
        if (whole[i].kind == CODING_DEFLATE) {
            assert_broken(whole[i].kind, buf_str(&b), why[i]);
        } else {
            for (size_t cut = 0; cut <= b.n; cut++) {
                assert_decodes(whole[i].kind, buf_str(&b), cut, SIZE_MAX / 2, buf_str(&twice));
            }
        }
        buf_release(&b);
    }
    buf_release(&twice);
}

/* Each has a checksum over the text. */
static void damage_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        for (size_t at = 0; at < whole[i].coded.n; at++) {
            struct buf b;
            struct fed f;
            join(&b, whole[i].coded, STR(""));
            b.p[at] ^= 0x40;
            feed(whole[i].kind, buf_str(&b), b.n, 1, MAX, &f);
            assert_true(f.result != CODING_OK || !f.complete || str_eq(buf_str(&f.out), text));
            buf_release(&f.out);
            buf_release(&b);
        }
    }
}

/* A frame with a window of 2^window bytes, and blocks that say "this byte, size times". */
static void add_frame(struct buf *b, unsigned window, size_t blocks, size_t size)
{
    buf_add(b, STR("\x28\xb5\x2f\xfd"));
    buf_add_byte(b, '\0');
    buf_add_byte(b, (char)((window - 10) << 3));
    for (size_t i = 0; i < blocks; i++) {
        size_t head = size << 3 | 1 << 1 | (i + 1 == blocks);
        buf_add_byte(b, (char)(head & 0xff));
        buf_add_byte(b, (char)(head >> 8 & 0xff));
        buf_add_byte(b, (char)(head >> 16));
        buf_add_byte(b, ' ');
    }
}

static void bombs_cost_no_more_than_the_maximum(void **state)
{
    struct buf b;
    struct fed f;

    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        for (size_t max = 1; max < text.n; max++) {
            feed(whole[i].kind, whole[i].coded, 0, 1, max, &f);
            assert_int_equal(f.result, CODING_TOO_LARGE);
            assert_int_equal(f.out.n, max + 1);
            buf_release(&f.out);
        }
        feed(whole[i].kind, whole[i].coded, 0, 1, text.n, &f);
        assert_int_equal(f.result, CODING_OK);
        buf_release(&f.out);
    }
    buf_init(&b, 64 * 1024);
    add_frame(&b, 21, 8000, 128 * 1024); /* 32 KB that say a gigabyte */
    feed(CODING_ZSTD, buf_str(&b), b.n, 1, 1 << 20, &f);
    assert_int_equal(f.result, CODING_TOO_LARGE);
    assert_int_equal(f.out.n, (1 << 20) + 1);
    buf_release(&f.out);
    buf_release(&b);
}

static void windows_have_their_maximum(void **state)
{
    struct buf b;
    struct fed f;

    (void)state;
    buf_init(&b, 256);
    add_frame(&b, 23, 1, 64);
    feed(CODING_ZSTD, buf_str(&b), 0, b.n, MAX, &f);
    assert_int_equal(f.result, CODING_OK);
    assert_true(f.complete && f.out.n == 64);
    buf_release(&f.out);
    buf_clear(&b);
    add_frame(&b, 24, 1, 64);
    assert_broken(CODING_ZSTD, buf_str(&b), "its zstd window is larger than 8 MB");
    buf_release(&b);
}

static void only_todays_zstd_is_read(void **state)
{
    (void)state;
    assert_broken(CODING_ZSTD, STR("\x25\xb5\x2f\xfd\x00\x58\x01\x00\x00"),
                  "the zstd data is damaged"); /* its format 0.5 */
    assert_broken(CODING_ZSTD, STR("\x50\x2a\x4d\x18\x00\x00\x00\x00"),
                  "the zstd data is damaged"); /* a frame to be skipped */
    assert_broken(CODING_GZIP, STR("{\"model\":\"gpt\"}"), "the gzip data is damaged");
    assert_broken(CODING_DEFLATE, STR("{\"model\":\"gpt\"}"), "the deflate data is damaged");
}

static void names(void **state)
{
    (void)state;
    assert_int_equal(coding_find(STR("")), CODING_NONE);
    assert_int_equal(coding_find(STR("Identity")), CODING_NONE);
    assert_int_equal(coding_find(STR("GZip")), CODING_GZIP);
    assert_int_equal(coding_find(STR("x-gzip")), CODING_GZIP);
    assert_int_equal(coding_find(STR("deflate")), CODING_DEFLATE);
    assert_int_equal(coding_find(STR("zstd")), CODING_ZSTD);
    assert_int_equal(coding_find(STR("br")), CODING_OTHER);
    assert_int_equal(coding_find(STR("gzip, gzip")), CODING_OTHER);
    assert_int_equal(coding_find(STR("gzip;q=1")), CODING_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_any_split),
        cmocka_unit_test(an_early_end_is_known),
        cmocka_unit_test(only_its_like_may_follow),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(bombs_cost_no_more_than_the_maximum),
        cmocka_unit_test(windows_have_their_maximum),
        cmocka_unit_test(only_todays_zstd_is_read),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
