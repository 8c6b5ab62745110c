/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

static void is(const struct buf *b, struct str want)
{
    assert_int_equal(b->n, want.n);
    assert_memory_equal(b->p, want.p, want.n);
}

static void pieces_add_up(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_true(buf_add(&b, STR("a=")));
    assert_true(buf_add_u64(&b, UINT64_MAX));
    assert_true(buf_add_byte(&b, ' '));
    assert_true(buf_add_i64(&b, INT64_MIN));
    assert_true(buf_addf(&b, " %s:%d", "x", 7));
    assert_true(buf_add(&b, (struct str){NULL, 0}));
    is(&b, STR("a=18446744073709551615 -9223372036854775808 x:7"));
    assert_false(b.overflow);
    buf_consume(&b, 2);
    is(&b, STR("18446744073709551615 -9223372036854775808 x:7"));
    buf_consume(&b, b.n);
    assert_int_equal(b.n, 0);
    buf_release(&b);
}

static void grows_to_the_maximum_and_not_beyond(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_true(buf_add_byte(&b, (char)i));
    }
    assert_true(b.cap <= b.max);
    for (int i = 0; i < 1000; i++) {
        assert_true(b.p[i] == (char)i);
    }
    assert_false(b.overflow);
    assert_false(buf_add_byte(&b, 'x'));
    assert_true(b.overflow);
    assert_int_equal(b.n, 1000);
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_clear(&b);
    assert_false(b.overflow);
    assert_int_equal(b.n, 0);
    buf_release(&b);
    assert_null(b.p);
}

static void formatted_text_may_fill_it(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_true(buf_addf(&b, "%s", "0123456789"));
    is(&b, STR("0123456789"));
    assert_false(buf_addf(&b, "%d", 1));
    is(&b, STR("0123456789"));
    buf_release(&b);
}

static void a_failed_add_changes_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    assert_true(buf_add(&b, STR("abc")));
    assert_false(buf_add(&b, STR("def")));
    is(&b, STR("abc"));
    assert_false(buf_add_i64(&b, -12));
    is(&b, STR("abc"));
    assert_false(buf_add_u64(&b, 123));
    is(&b, STR("abc"));
    assert_false(buf_addf(&b, "%s", "def"));
    is(&b, STR("abc"));
    assert_true(b.overflow);
    assert_true(buf_add_i64(&b, -1));
    is(&b, STR("abc-1"));
    buf_release(&b);
}

static void what_is_dropped_is_wiped(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_true(buf_add(&b, STR("keepsecret")));
    char *memory = b.p;
    buf_consume(&b, 4);
    assert_memory_equal(memory, "secret\0\0\0\0", 10);
    buf_clear(&b);
    assert_memory_equal(memory, "\0\0\0\0\0\0", 6);
    assert_ptr_equal(b.p, memory);
    buf_release(&b);
}

static void an_arena_keeps_to_its_maximum(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 15, 16, 97, 100};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct arena a;
        size_t got = 0;
        arena_init(&a, 100);
        while (got <= 100 && arena_alloc(&a, sizes[i]) != NULL) {
            got += sizes[i];
        }
        assert_true(got <= 100);
        assert_true(a.used <= a.max);
        assert_true(a.overflow);
        arena_release(&a);
        assert_false(a.overflow);
    }
}

static void an_arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100000);
    for (size_t n = 1; n < 300; n++) {
        char *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(p[i], 0);
        }
        memset(p, 0xff, n);
    }
    struct str s = arena_str(&a, STR("text"));
    assert_string_equal(s.p, "text");
    s = arena_str(&a, (struct str){NULL, 0});
    assert_string_equal(s.p, "");
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, 100001));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_add_up),
        cmocka_unit_test(grows_to_the_maximum_and_not_beyond),
        cmocka_unit_test(formatted_text_may_fill_it),
        cmocka_unit_test(a_failed_add_changes_nothing),
        cmocka_unit_test(what_is_dropped_is_wiped),
        cmocka_unit_test(an_arena_keeps_to_its_maximum),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
