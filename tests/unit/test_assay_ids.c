/* SPDX-License-Identifier: Apache-2.0 */
/* Times in ids, by ids that vendors gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assay/ids.h"

static const struct {
    const char *id, *vendor;
    int64_t seconds;
} rows[] = {
    {"chatcmpl-Dyln92ILj4hwfpf8pkB29u5SE8WQb", "OpenAI", 1783375763},
    {"resp_073d403c1ff1554a006a3d55ad216881a0ae3ed0e37cef1595", "OpenAI", 1782404525},
    {"resp_68c1fda6f11081a1b9fa80ae9122743506da9901a3d98ab7", "OpenAI", 1757543846},
    {"req_011CdufXo8Y2LVfY2veyuQWG", "Anthropic", 1786392160},
    {"mSEXaseKG-P51PIPwv66qQs", "Gemini", 1779900825},
};

static void test_of_vendors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds = 0;
        const char *vendor = id_time(str_from(rows[i].id), &seconds);
        assert_non_null(vendor);
        assert_string_equal(vendor, rows[i].vendor);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void test_of_others(void **state)
{
    static const char *const ids[] = {
        "",
        "chatcmpl-",
        "chatcmpl-Dyln92ILj4hwfpf8pkB29u5SE8WQ",
        "chatcmpl-Dyln92ILj4hwfpf8pkB29u5SE8W-b",
        "chatcmpl-0123456789abcdef0123456789abcdef",
        "resp_173d403c1ff1554a016a3d55ad216881a0ae3ed0e37cef1595",
        "resp_68C1fda6f11081a1b9fa80ae9122743506da9901a3d98ab7",
        "msg_01zzzzzzzzzzzzzzzzzzzzzz",
        "msg_0111111111111111111111111",
        "msg_bdrk_01Abcdefghijkmnopqrstuv",
        "mSEXaseKG+P51PIPwv66qQs",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        int64_t seconds = 0;
        assert_null(id_time(str_from(ids[i]), &seconds));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_vendors),
        cmocka_unit_test(test_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
