/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/map.h"

#define KEYS 2000

static int values[KEYS];

static struct str key_of(char text[16], int i)
{
    return str_slice(text, (size_t)snprintf(text, 16, "k%d", i));
}

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct map *m = map_new();
    size_t at = 0;
    struct str key;
    void *value;
    assert_null(map_get(m, STR("a")));
    assert_null(map_remove(m, STR("a")));
    assert_false(map_next(m, &at, &key, &value));
    assert_int_equal(map_count(m), 0);
    map_free(m);
    map_free(NULL);
}

static void keys_are_bytes_and_copied(void **state)
{
    (void)state;
    struct map *m = map_new();
    char text[] = "one";
    assert_null(map_put(m, str_slice(text, 3), &values[1]));
    text[0] = 'X';
    assert_ptr_equal(map_get(m, STR("one")), &values[1]);
    assert_null(map_get(m, STR("Xne")));
    assert_null(map_put(m, STR("a\0b"), &values[2]));
    assert_null(map_get(m, STR("a")));
    assert_null(map_get(m, STR("a\0c")));
    assert_ptr_equal(map_get(m, STR("a\0b")), &values[2]);
    assert_null(map_put(m, (struct str){NULL, 0}, &values[3]));
    assert_ptr_equal(map_get(m, STR("")), &values[3]);
    assert_ptr_equal(map_put(m, STR("one"), &values[4]), &values[1]);
    assert_ptr_equal(map_get(m, STR("one")), &values[4]);
    assert_int_equal(map_count(m), 3);
    map_free(m);
}

static void many_keys_are_all_found(void **state)
{
    (void)state;
    struct map *m = map_new();
    char text[16];
    for (int i = 0; i < KEYS; i++) {
        assert_null(map_put(m, key_of(text, i), &values[i]));
    }
    for (int i = 0; i < KEYS; i += 2) {
        assert_ptr_equal(map_remove(m, key_of(text, i)), &values[i]);
        assert_null(map_remove(m, key_of(text, i)));
    }
    assert_int_equal(map_count(m), KEYS / 2);
    for (int i = 0; i < KEYS; i++) {
        void *want = i % 2 == 0 ? NULL : &values[i];
        assert_ptr_equal(map_get(m, key_of(text, i)), want);
    }
    map_free(m);
}

static void a_walk_meets_each_once(void **state)
{
    (void)state;
    struct map *m = map_new();
    char text[16];
    int seen[KEYS] = {0};
    for (int i = 0; i < KEYS; i++) {
        map_put(m, key_of(text, i), &values[i]);
    }
    map_remove(m, STR("k7"));
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(m, &at, &key, &value)) {
        int i = (int)((int *)value - values);
        assert_true(str_eq(key, key_of(text, i)));
        seen[i]++;
    }
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(seen[i], i == 7 ? 0 : 1);
    }
    map_free(m);
}

/* Removed keys leave marks behind: a search must still end, and the living survive the sweep. */
static void outlives_endless_coming_and_going(void **state)
{
    (void)state;
    struct map *m = map_new();
    char text[16];
    for (int i = 0; i < 10; i++) {
        map_put(m, key_of(text, i), &values[i]);
    }
    for (int i = 10; i < 50000; i++) {
        assert_null(map_put(m, key_of(text, i), &values[i % KEYS]));
        assert_ptr_equal(map_remove(m, key_of(text, i)), &values[i % KEYS]);
        assert_null(map_get(m, key_of(text, i)));
    }
    assert_int_equal(map_count(m), 10);
    for (int i = 0; i < 10; i++) {
        assert_ptr_equal(map_remove(m, key_of(text, i)), &values[i]);
    }
    for (int i = 0; i < 100; i++) {
        assert_null(map_put(m, key_of(text, i), &values[i]));
    }
    assert_int_equal(map_count(m), 100);
    assert_ptr_equal(map_get(m, STR("k99")), &values[99]);
    map_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(keys_are_bytes_and_copied),
        cmocka_unit_test(many_keys_are_all_found),
        cmocka_unit_test(a_walk_meets_each_once),
        cmocka_unit_test(outlives_endless_coming_and_going),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
