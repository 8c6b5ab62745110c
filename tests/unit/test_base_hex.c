/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"

static void bytes_to_text_and_back(void **state)
{
    (void)state;
    unsigned char bytes[256], back[256];
    char text[2 * sizeof(bytes) + 1];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)i;
    }
    hex_encode(text, bytes, sizeof(bytes));
    assert_int_equal(strlen(text), 2 * sizeof(bytes));
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + 2 * 0xfd, "fdfeff");
    assert_true(hex_decode(back, sizeof(back), str_from(text)));
    assert_memory_equal(back, bytes, sizeof(bytes));
    assert_true(hex_decode(back, 3, STR("aBCdEf")));
    assert_memory_equal(back, "\xab\xcd\xef", 3);
}

static void only_hex_of_the_right_length(void **state)
{
    (void)state;
    unsigned char out[4];
    assert_false(hex_decode(out, 2, STR("abc")));
    assert_false(hex_decode(out, 2, STR("abcde")));
    assert_false(hex_decode(out, 2, STR("")));
    for (int c = 0; c < 256; c++) {
        char text[4] = {'0', (char)c, (char)c, '0'};
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        assert_int_equal(hex_decode(out, 2, str_slice(text, 4)), digit);
    }
}

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
        struct rid back;
        rid_text(text, &cases[i].id);
        assert_string_equal(text, cases[i].text);
        assert_true(rid_parse(str_from(text), &back));
        assert_memory_equal(back.b, cases[i].id.b, sizeof(back.b));
    }
}

static void refuses_what_is_no_id(void **state)
{
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("0000000000000000000000000"),
        STR_INIT("000000000000000000000000000"),
        STR_INIT("80000000000000000000000000"),
        STR_INIT("Z0000000000000000000000000"),
        STR_INIT("0000000000000U000000000000"),
        STR_INIT("0000000000000-000000000000"),
        STR_INIT("0000000000000\0000000000000"),
        STR_INIT("0000000000000\xff"
                 "000000000000"),
    };
    struct rid out;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(rid_parse(bad[i], &out));
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
        cmocka_unit_test(bytes_to_text_and_back),
        cmocka_unit_test(only_hex_of_the_right_length),
        cmocka_unit_test(an_id_has_one_text),
        cmocka_unit_test(refuses_what_is_no_id),
        cmocka_unit_test(ids_sort_by_time_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
