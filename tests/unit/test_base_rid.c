/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rid.h"

static void an_id_has_one_text(void **state)
{
    (void)state;
    static const struct {
        struct rid id;
        const char *text;
    } cases[] = {
        {{{0}}, "00000000000000000000000000"},
        {{{[15] = 1}}, "00000000000000000000000001"},
        {{{[15] = 32}}, "00000000000000000000000010"},
        {{{[15] = 31}}, "0000000000000000000000000Z"},
        {{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
           0xff}},
         "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[RID_TEXT + 1];
        rid_text(text, &cases[i].id);
        assert_string_equal(text, cases[i].text);
    }
}

static void ids_sort_by_time_and_differ(void **state)
{
    (void)state;
    const int64_t us = 1795508175123456;
    char before[RID_TEXT + 1], after[RID_TEXT + 1], twin[RID_TEXT + 1];
    struct rid a = rid_new(us), b = rid_new(us + 1000), c = rid_new(us);
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++) {
        ms = ms << 8 | a.b[i];
    }
    assert_true(ms == (uint64_t)us / 1000);
    rid_text(before, &a);
    rid_text(after, &b);
    rid_text(twin, &c);
    assert_true(strcmp(before, after) < 0);
    assert_string_not_equal(before, twin);
    assert_memory_equal(before, twin, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_has_one_text),
        cmocka_unit_test(ids_sort_by_time_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
