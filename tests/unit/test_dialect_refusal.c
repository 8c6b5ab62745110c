/* SPDX-License-Identifier: Apache-2.0 */
/* Failures that come under status 200: which they are, and what status they stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dialect/refusal.h"

/* The status that it stands for; 0: no failure. */
static unsigned status_of(const char *vendor, const char *text, const char *words, bool sure)
{
    struct refusal why;
    struct json_doc *doc = json_parse(str_from(text), NULL);
    assert_non_null(doc);
    bool refused = refusal_read(vendor_find(str_from(vendor)), json_root(doc), &why);
    if (refused) {
        if (!str_eq(why.text, str_from(words))) {
            fail_msg("got '%.*s', wanted '%s'", STR_ARG(why.text), words);
        }
        assert_int_equal(why.sure, sure);
    }
    json_free(doc);
    return refused ? why.status : 0;
}

static unsigned error(const char *vendor, const char *text)
{
    return status_of(vendor, text, "no", false);
}

static void reads_errors_of_all_vendors(void **state)
{
    (void)state;
    static const char *const all[] = {"openai", "gemini", "minimax", "openai-compatible", "nobody"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const char *v = all[i];
        assert_int_equal(error(v, "{\"error\":{\"message\":\"no\"}}"), 502);
        assert_int_equal(error(v, "{\"error\":\"no\"}"), 502);
        assert_int_equal(error(v, "[{\"error\":{\"code\":429,\"message\":\"no\"}}]"), 429);
        assert_int_equal(error(v, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                                  "\"message\":\"no\"}}"),
                         503);
        assert_int_equal(error(v, "{\"type\":\"response.failed\",\"response\":{\"error\":"
                                  "{\"code\":\"rate_limit_exceeded\",\"message\":\"no\"}}}"),
                         429);
        assert_int_equal(error(v, "{\"type\":\"error\",\"code\":\"invalid_prompt\","
                                  "\"message\":\"no\"}"),
                         400);
        assert_int_equal(error(v, "{\"type\":\"response.created\",\"response\":{\"error\":null}}"),
                         0);
        assert_int_equal(error(v, "{\"error\":null,\"choices\":[]}"), 0);
        assert_int_equal(error(v, "{\"error\":\"\"}"), 0);
        assert_int_equal(error(v, "{}"), 0);
        assert_int_equal(error(v, "[]"), 0);
        assert_int_equal(error(v, "7"), 0);
    }
}

static void tells_the_status_from_codes(void **state)
{
    (void)state;
    static const struct {
        const char *error;
        unsigned status;
    } cases[] = {
        {"\"code\":403,\"type\":\"x\"", 403},
        {"\"code\":\"401\"", 401},
        {"\"code\":200", 502},
        {"\"code\":600", 502},
        {"\"code\":\"1113\"", 402},
        {"\"code\":\"invalid_api_key\",\"type\":\"invalid_request_error\"", 401},
        {"\"code\":\"insufficient_quota\"", 429},
        {"\"code\":null,\"type\":\"insufficient_quota\"", 429},
        {"\"code\":\"context_length_exceeded\"", 400},
        {"\"code\":\"strange\",\"type\":\"rate_limit_error\"", 429},
        {"\"type\":\"authentication_error\"", 401},
        {"\"type\":\"invalid_request_error\"", 400},
        {"\"type\":\"\"", 502},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[160];
        snprintf(text, sizeof(text), "{\"error\":{%s,\"message\":\"no\"}}", cases[i].error);
        assert_int_equal(error("openai", text), cases[i].status);
    }
    assert_int_equal(error("xai", "{\"code\":\"invalid-argument\",\"error\":\"no\"}"), 400);
}

static void reads_codes_of_vendors_that_have_them(void **state)
{
    (void)state;
    const char *glm = "{\"code\":500,\"msg\":\"no\",\"success\":false}";
    assert_int_equal(error("zai", glm), 500);
    assert_int_equal(error("zai-coding", glm), 500);
    assert_int_equal(error("openai-compatible", glm), 500);
    assert_int_equal(error("openai", glm), 0);
    assert_int_equal(error("nobody", glm), 0);
    assert_int_equal(error("zai", "{\"code\":\"1302\",\"msg\":\"no\"}"), 429);
    assert_int_equal(error("zai", "{\"code\":1211,\"message\":\"no\",\"data\":null}"), 404);
    assert_int_equal(error("zai", "{\"code\":9,\"message\":\"no\"}"), 502);
    assert_int_equal(
        error("dashscope", "{\"code\":\"InvalidApiKey\",\"message\":\"no\",\"request_id\":\"r\"}"),
        401);
    assert_int_equal(error("dashscope", "{\"code\":\"Throttling.RateQuota\",\"message\":\"no\"}"),
                     429);
    /* No failures: a code of success, no words, an answer beside it. */
    assert_int_equal(error("zai", "{\"code\":0,\"msg\":\"ok\"}"), 0);
    assert_int_equal(error("zai", "{\"code\":\"200\",\"msg\":\"ok\"}"), 0);
    assert_int_equal(error("zai", "{\"code\":\"\",\"msg\":\"ok\"}"), 0);
    assert_int_equal(error("zai", "{\"code\":null,\"msg\":\"ok\"}"), 0);
    assert_int_equal(error("zai", "{\"msg\":\"ok\"}"), 0);
    assert_int_equal(error("zai", "{\"code\":500}"), 0);
    assert_int_equal(error("zai", "{\"code\":500,\"msg\":\"no\",\"choices\":[{}]}"), 0);
    assert_int_equal(error("zai", "{\"code\":500,\"msg\":\"no\",\"choices\":[]}"), 500);
}

static unsigned base_resp(const char *vendor, int code)
{
    char text[200];
    snprintf(text, sizeof(text),
             "{\"choices\":null,\"usage\":{\"total_tokens\":0},\"base_resp\":"
             "{\"status_code\":%d,\"status_msg\":\"no\"}}",
             code);
    return status_of(vendor, text, "no", true);
}

static void reads_base_resp(void **state)
{
    (void)state;
    static const struct {
        int code;
        unsigned status;
    } codes[] = {{0, 0},      {1000, 502}, {1001, 504}, {1002, 429}, {1004, 401}, {1008, 402},
                 {1026, 400}, {1027, 400}, {1039, 429}, {2013, 400}, {2049, 401}, {9999, 502}};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_int_equal(base_resp("minimax", codes[i].code), codes[i].status);
        assert_int_equal(base_resp("openai-compatible", codes[i].code), codes[i].status);
        assert_int_equal(base_resp("openai", codes[i].code), 0);
    }
    /* It speaks before an error of another shape, and nothing but a count is one. */
    assert_int_equal(status_of("minimax",
                               "{\"error\":{\"message\":\"x\"},\"base_resp\":{\"status_code\":"
                               "1008,\"status_msg\":\"no\"}}",
                               "no", true),
                     402);
    assert_int_equal(status_of("minimax", "{\"base_resp\":{\"status_code\":1008}}", "", true), 402);
    assert_int_equal(base_resp("minimax", -1), 0);
    assert_int_equal(error("minimax", "{\"base_resp\":null}"), 0);
    assert_int_equal(error("minimax", "{\"base_resp\":{\"status_code\":\"1008\"}}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_errors_of_all_vendors),
        cmocka_unit_test(tells_the_status_from_codes),
        cmocka_unit_test(reads_codes_of_vendors_that_have_them),
        cmocka_unit_test(reads_base_resp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
