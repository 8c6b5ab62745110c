/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "json/json.h"

/* What a scan for "model" finds: verdict, value, count, escaped. */
static void assert_model(struct str text, struct str value, unsigned count, bool escaped)
{
    struct json_member m[] = {{.key = STR("other")}, {.key = STR("model")}};
    assert_int_equal(json_scan_members(text, m, 2), JSON_SCAN_OK);
    assert_int_equal(m[1].count, count);
    assert_int_equal(m[1].escaped, escaped);
    assert_int_equal(m[1].value.p == NULL, count == 0);
    assert_true(str_eq(m[1].value, value));
    assert_int_equal(m[0].count, 0);
}

#define MODEL(text, value, count, escaped) assert_model(STR(text), STR(value), count, escaped)

static void test_found(void **unused)
{
    (void)unused;
    MODEL("{\"model\":\"gpt\"}", "\"gpt\"", 1, false);
    MODEL(" \t\r\n{ \"a\" : 1 ,\n\"model\"\t: \"g\\\"}\" }\r\n", "\"g\\\"}\"", 1, false);
    MODEL("{\"model\":{\"a\":[1,{\"b\":\"]}\"}]},\"x\":true}", "{\"a\":[1,{\"b\":\"]}\"}]}", 1,
          false);
    MODEL("{\"model\":-1.5}", "-1.5", 1, false);
    MODEL("{\"model\":null }", "null", 1, false);
    MODEL("{}", "", 0, false);
    MODEL("{ }", "", 0, false);
    MODEL("{\"a\":{\"model\":1},\"b\":[\"model\"],\"c\":\"model\"}", "", 0, false);
    MODEL("{\"models\":1,\"mode\":2,\"Model\":3}", "", 0, false);
    MODEL("{\"a\":\"\\\\\",\"model\":1}", "1", 1, false);
    MODEL("{\"a\":\"\\\\\\\"\",\"model\":1}", "1", 1, false);
}

static void test_other_spellings(void **unused)
{
    (void)unused;
    MODEL("{\"\\u006dodel\":1}", "1", 1, true);
    MODEL("{\"mode\\u006C\":1}", "1", 1, true);
    MODEL("{\"\\u006d\\u006f\\u0064\\u0065\\u006c\":1}", "1", 1, true);
    MODEL("{\"mode\\u006d\":1,\"model\\u0000\":2,\"model\\\"\":3}", "", 0, false);
}

static void test_counted(void **unused)
{
    (void)unused;
    struct json_member m = {.key = STR("model")};
    assert_int_equal(json_scan_members(STR("{\"model\":1,\"mod\\u0065l\":2}"), &m, 1),
                     JSON_SCAN_OK);
    assert_int_equal(m.count, 2);
    assert_true(m.escaped);
    /* What an earlier scan found is forgotten. */
    assert_int_equal(json_scan_members(STR("{}"), &m, 1), JSON_SCAN_OK);
    assert_int_equal(m.count, 0);
    assert_null(m.value.p);
    assert_false(m.escaped);
}

static void test_refused(void **unused)
{
    (void)unused;
    static const struct str broken[] = {
        STR_INIT("{"),
        STR_INIT("{\"a\""),
        STR_INIT("{\"a\":"),
        STR_INIT("{\"a\":}"),
        STR_INIT("{\"a\":1"),
        STR_INIT("{\"a\":1,"),
        STR_INIT("{\"a\":1,}"),
        STR_INIT("{,}"),
        STR_INIT("{\"a\" 1}"),
        STR_INIT("{\"a\":1 2}"),
        STR_INIT("{a:1}"),
        STR_INIT("{\"a\":\"x}"),
        STR_INIT("{\"a\":\"x\\"),
        STR_INIT("{\"a\":[1}"),
        STR_INIT("{\"a\":[1}]}"),
        STR_INIT("{\"a\":{]}"),
        STR_INIT("{}x"),
        STR_INIT("{}{}"),
        STR_INIT("{} \0"),
        STR_INIT("{\"a\":1]"),
        STR_INIT("{\"a\":1}\""),
    };
    static const struct str other[] = {
        STR_INIT(""), STR_INIT("  "), STR_INIT("[]"), STR_INIT("\"a\""), STR_INIT("1"),
    };
    struct json_member m = {.key = STR("model")};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        if (json_scan_members(broken[i], &m, 1) != JSON_SCAN_BROKEN) {
            fail_msg("not broken: %.*s", STR_ARG(broken[i]));
        }
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        assert_int_equal(json_scan_members(other[i], &m, 1), JSON_SCAN_NOT_OBJECT);
    }
}

/* As a parser sees it, also inside of other members. */
static void test_strict(void **unused)
{
    (void)unused;
    static const struct str broken[] = {
        STR_INIT("{\"a\":01}"),
        STR_INIT("{\"a\":1.}"),
        STR_INIT("{\"a\":.5}"),
        STR_INIT("{\"a\":+1}"),
        STR_INIT("{\"a\":-}"),
        STR_INIT("{\"a\":1e}"),
        STR_INIT("{\"a\":nul}"),
        STR_INIT("{\"a\":True}"),
        STR_INIT("{\"a\":[1,]}"),
        STR_INIT("{\"a\":[,1]}"),
        STR_INIT("{\"a\":[1 2]}"),
        STR_INIT("{\"a\":{\"b\"}}"),
        STR_INIT("{\"a\":{\"b\":1,}}"),
        STR_INIT("{\"a\":{1:2}}"),
        STR_INIT("{\"a\":\"\n\"}"),
        STR_INIT("{\"a\":\"0123456789abcdef\x01\"}"),
        STR_INIT("{\"a\":\"\\x\"}"),
        STR_INIT("{\"a\":\"\\u12g4\"}"),
        STR_INIT("{\"a\":\"\\ud800\"}"),
        STR_INIT("{\"a\":\"\\udc00\"}"),
        STR_INIT("{\"a\":\"\\ud800\\u0041\"}"),
        STR_INIT("{\"a\":\"\x80\"}"),
        STR_INIT("{\"a\":\"\xc0\x80\"}"),
        STR_INIT("{\"a\":\"\xe2\x82\"}"),
        STR_INIT("{\"a\":\"\xed\xa0\x80\"}"),
        STR_INIT("{\"a\":\"\xf4\x90\x80\x80\"}"),
    };
    struct json_member m = {.key = STR("model")};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        if (json_scan_members(broken[i], &m, 1) != JSON_SCAN_BROKEN ||
            json_parse(broken[i], NULL) != NULL) {
            fail_msg("not broken: %.*s", STR_ARG(broken[i]));
        }
    }
}

static void test_doubtful_numbers(void **unused)
{
    (void)unused;
    struct json_member m = {.key = STR("model")};
    assert_int_equal(json_scan_members(STR("{\"model\":-1.5e3}"), &m, 1), JSON_SCAN_DOUBT);
    assert_true(str_eq(m.value, STR("-1.5e3")));
    assert_int_equal(json_scan_members(STR("{\"a\":[1E400]}"), &m, 1), JSON_SCAN_DOUBT);
}

/* Every depth a parser takes, and not one more. */
static void test_depth(void **unused)
{
    (void)unused;
    struct json_member m = {.key = STR("model")};
    for (size_t depth = 120; depth < 135; depth++) {
        char text[400] = "{\"a\":";
        size_t n = strlen(text);
        memset(text + n, '[', depth - 1);
        memset(text + n + depth - 1, ']', depth - 1);
        text[n + 2 * (depth - 1)] = '}';
        struct str s = str_from(text);
        struct json_doc *d = json_parse(s, NULL);
        assert_int_equal(json_scan_members(s, &m, 1), d != NULL ? JSON_SCAN_OK : JSON_SCAN_BROKEN);
        assert_true((d != NULL) == (depth <= 128));
        json_free(d);
    }
}

/* Cut anywhere it is broken, and reads nothing behind the cut. */
static void test_cut(void **unused)
{
    (void)unused;
    static const char text[] =
        "{\"a\\n\":[{\"b\":\"\\u0041\\\\\"},null],\"model\":\"x\",\"c\":1.5}";
    struct json_member m = {.key = STR("model")};
    for (size_t n = 1; n < sizeof(text) - 1; n++) {
        char *copy = test_malloc(n);
        memcpy(copy, text, n);
        assert_int_equal(json_scan_members(str_slice(copy, n), &m, 1), JSON_SCAN_BROKEN);
        test_free(copy);
    }
}

static void test_splice(void **unused)
{
    (void)unused;
    static const char text[] = "{ \"model\" : \"a\" , \"x\":1e2 }";
    struct json_member m = {.key = STR("model")};
    struct buf b;
    buf_init(&b, 64);
    assert_int_equal(json_scan_members(str_from(text), &m, 1), JSON_SCAN_DOUBT);
    assert_true(json_splice(&b, str_from(text), m.value, STR("\"longer\"")));
    assert_true(str_eq(buf_str(&b), STR("{ \"model\" : \"longer\" , \"x\":1e2 }")));
    buf_release(&b);
    buf_init(&b, 8);
    assert_false(json_splice(&b, str_from(text), m.value, STR("1")));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),   cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_counted), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_strict),  cmocka_unit_test(test_doubtful_numbers),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_cut),
        cmocka_unit_test(test_splice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
