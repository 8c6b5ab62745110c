/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "json/json.h"

static void test_values(void **unused)
{
    (void)unused;
    struct err e;
    uint64_t n;
    bool yes = false;
    struct json_doc *d = json_parse(
        STR("{\"s\":\"a\\u0000\\u00e9\",\"big\":18446744073709551615,\"neg\":-1,\"real\":1.0,"
            "\"over\":18446744073709551616,\"t\":true,\"z\":null,\"e\":\"\","
            "\"choices\":[{\"finish_reason\":\"stop\"},2]}"),
        &e);
    assert_non_null(d);
    const struct json *v = json_root(d);
    assert_true(json_is_object(v));
    assert_int_equal(json_count(v), 9);
    assert_true(str_eq(json_str(json_get(v, "s")), STR("a\0\xC3\xA9")));
    assert_true(json_u64(json_get(v, "big"), &n));
    assert_true(n == UINT64_MAX);
    assert_false(json_u64(json_get(v, "neg"), &n));
    assert_false(json_u64(json_get(v, "real"), &n));
    assert_false(json_u64(json_get(v, "over"), &n));
    assert_false(json_u64(json_get(v, "absent"), &n));
    assert_true(json_bool(json_get(v, "t"), &yes) && yes);
    assert_false(json_bool(json_get(v, "s"), &yes));
    assert_true(json_is_null(json_get(v, "z")));
    assert_false(json_is_null(json_get(v, "absent")));
    assert_non_null(json_str(json_get(v, "e")).p);
    assert_null(json_str(json_get(v, "big")).p);
    assert_true(json_is_array(json_get(v, "choices")));
    assert_int_equal(json_count(json_get(v, "choices")), 2);
    assert_true(str_eq(json_str(json_get(v, "choices.0.finish_reason")), STR("stop")));
    assert_null(json_get(v, "choices.2"));
    assert_null(json_get(v, "choices.x"));
    assert_null(json_get(v, "s.x"));
    assert_null(json_get(NULL, "s"));
    json_free(d);
    json_free(NULL);
}

static void assert_refused(struct str text)
{
    struct err e = {""};
    assert_null(json_parse(text, &e));
    assert_true(e.text[0] != '\0');
}

static void test_strict(void **unused)
{
    (void)unused;
    static const struct str bad[] = {
        STR_INIT(""),        STR_INIT("{"),        STR_INIT("{\"a\":1,}"), STR_INIT("{a:1}"),
        STR_INIT("[1]x"),    STR_INIT("[01]"),     STR_INIT("[NaN]"),      STR_INIT("// c\n1"),
        STR_INIT("\"\\x\""), STR_INIT("\"\xFF\""), STR_INIT("\"a\nb\""),   STR_INIT("\"\\ud800\""),
    };
    struct err e;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(bad[i]);
    }
    assert_null(json_parse(STR("{\n  \"a\": tru\n}"), &e));
    assert_non_null(strstr(e.text, "line 2, column "));
}

static void test_depth(void **unused)
{
    (void)unused;
    for (size_t depth = 128; depth <= 129; depth++) {
        char text[2 * 129];
        struct err e;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct json_doc *d = json_parse(str_slice(text, 2 * depth), &e);
        assert_int_equal(d != NULL, depth == 128);
        json_free(d);
    }
}

static void test_write(void **unused)
{
    (void)unused;
    struct buf b;
    struct err e;
    buf_init(&b, 4096);
    assert_true(json_write_str(&b, STR("a\"b\\c\n\r\t\x01\x1f\xC3\xA9/")));
    assert_true(str_eq(buf_str(&b), STR("\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\xC3\xA9/\"")));
    for (char c = 0; c < 127; c++) {
        buf_clear(&b);
        assert_true(json_write_str(&b, str_slice(&c, 1)));
        struct json_doc *d = json_parse(buf_str(&b), &e);
        assert_true(str_eq(json_str(json_root(d)), str_slice(&c, 1)));
        json_free(d);
    }
    buf_release(&b);
    buf_init(&b, 4);
    assert_false(json_write_str(&b, STR("too long")));
    buf_release(&b);
}

static bool same(const char *a, const char *b)
{
    struct json_doc *x = json_parse_exact(str_from(a), NULL);
    struct json_doc *y = json_parse_exact(str_from(b), NULL);
    bool same = json_same(json_root(x), json_root(y));

    assert_true(x != NULL && y != NULL && json_same(json_root(y), json_root(x)) == same);
    json_free(x);
    json_free(y);
    return same;
}

static void test_same(void **unused)
{
    static const char *const values[] = {
        "null",
        "true",
        "false",
        "1",
        "1.0",
        "\"1\"",
        "\"\"",
        "[]",
        "{}",
        "[1]",
        "[1,1]",
        "[[1]]",
        "{\"a\":1}",
        "{\"a\":true}",
        "{\"b\":1}",
        "[\"a\",1]",
        "{\"a\":1,\"b\":1}",
    };
    (void)unused;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            assert_int_equal(same(values[i], values[k]), i == k);
        }
    }
    assert_true(same("{ \"a\": [\"x\"] }", "{\"a\":[\"\\u0078\"]}"));
    assert_false(same("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}")); /* as it is written */
    assert_true(json_same(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_strict), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_write),  cmocka_unit_test(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
