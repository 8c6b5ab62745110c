/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/dialect.h"

static const struct problem not_found = {404, "model_not_found", STR_INIT("No \"gpt\"\nhere."),
                                         "model"};

static void check(struct buf *b, const char *want)
{
    assert_false(b->overflow);
    assert_int_equal(b->n, strlen(want));
    assert_memory_equal(b->p, want, b->n);
    buf_release(b);
}

static void check_body(enum dialect d, const struct problem *p, const char *want)
{
    struct buf b;
    buf_init(&b, 4096);
    problem_write(d, p, STR("req_1"), &b);
    check(&b, want);
}

static void bodies_have_the_dialects_shape(void **state)
{
    (void)state;
    check_body(DIALECT_CHAT, &not_found,
               "{\"error\":{\"message\":\"No \\\"gpt\\\"\\nhere.\",\"type\":"
               "\"invalid_request_error\",\"param\":\"model\",\"code\":\"model_not_found\"}}");
    check_body(DIALECT_MESSAGES, &not_found,
               "{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\",\"message\":"
               "\"No \\\"gpt\\\"\\nhere.\"},\"request_id\":\"req_1\"}");
    check_body(DIALECT_GEMINI, &not_found,
               "{\"error\":{\"code\":404,\"message\":\"No \\\"gpt\\\"\\nhere.\","
               "\"status\":\"NOT_FOUND\"}}");
}

static void statuses_have_their_words(void **state)
{
    (void)state;
    struct problem p = {402, "insufficient_quota", STR_INIT("x"), NULL};
    check_body(DIALECT_RESPONSES, &p,
               "{\"error\":{\"message\":\"x\",\"type\":\"insufficient_quota\",\"param\":null,"
               "\"code\":\"insufficient_quota\"}}");
    check_body(DIALECT_MESSAGES, &p,
               "{\"type\":\"error\",\"error\":{\"type\":\"billing_error\",\"message\":\"x\"},"
               "\"request_id\":\"req_1\"}");
    p = (struct problem){429, NULL, STR_INIT("x"), NULL};
    check_body(DIALECT_GEMINI, &p,
               "{\"error\":{\"code\":429,\"message\":\"x\",\"status\":\"RESOURCE_EXHAUSTED\"}}");
    /* Statuses without a row of their own. */
    p.status = 418;
    check_body(DIALECT_OWN, &p,
               "{\"error\":{\"message\":\"x\",\"type\":\"invalid_request_error\",\"param\":null,"
               "\"code\":null}}");
    p.status = 599;
    check_body(DIALECT_GEMINI, &p,
               "{\"error\":{\"code\":599,\"message\":\"x\",\"status\":\"INTERNAL\"}}");
}

static void check_event(enum dialect d, enum framing f, const char *want)
{
    static const struct problem cut = {502, "bad_upstream", STR_INIT("cut"), NULL};
    struct buf b;
    buf_init(&b, 4096);
    problem_write_event(d, f, &cut, &b);
    check(&b, want);
}

static void events_are_explicit_failures(void **state)
{
    (void)state;
    check_event(DIALECT_CHAT, FRAMING_SSE,
                "data: {\"error\":{\"message\":\"cut\",\"type\":\"server_error\",\"param\":null,"
                "\"code\":\"bad_upstream\"}}\n\n");
    check_event(DIALECT_MESSAGES, FRAMING_SSE,
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
                "\"message\":\"cut\"}}\n\n");
    check_event(DIALECT_GEMINI, FRAMING_SSE,
                "data: {\"error\":{\"code\":502,\"message\":\"cut\",\"status\":\"UNAVAILABLE\"}}"
                "\r\n\r\n");
    check_event(DIALECT_GEMINI, FRAMING_ARRAY,
                ",\r\n{\"error\":{\"code\":502,\"message\":\"cut\",\"status\":\"UNAVAILABLE\"}}"
                "\r\n]");
}

static void events_of_an_array_close_it(void **state)
{
    static const enum framing framings[] = {FRAMING_SSE, FRAMING_ARRAY, FRAMING_ARRAY_START};
    static const char *const before[] = {"data: ", ",\r\n", "["};
    static const char *const after[] = {"\r\n\r\n", "\r\n]", "\r\n]"};
    struct meter m;
    struct buf b;

    (void)state;
    meter_init(&m, DIALECT_GEMINI);
    check_event(DIALECT_GEMINI, FRAMING_ARRAY_START,
                "[{\"error\":{\"code\":502,\"message\":\"cut\",\"status\":\"UNAVAILABLE\"}}"
                "\r\n]");
    for (size_t i = 0; i < 3; i++) {
        buf_init(&b, 4096);
        limit_write_events(&m, framings[i], -1, &b);
        struct str text = buf_str(&b);
        assert_true(str_starts(text, str_from(before[i])) && str_ends(text, str_from(after[i])));
        size_t around = strlen(before[i]) + strlen(after[i]);
        struct json_doc *doc =
            json_parse(str_slice(text.p + strlen(before[i]), text.n - around), NULL);
        assert_true(str_eq(json_str(json_get(json_root(doc), "candidates.0.finishReason")),
                           STR("MAX_TOKENS")));
        json_free(doc);
        buf_release(&b);
    }
}

/* What we write as a failure, our own meter reads as one. */
static void meter_knows_our_failures(void **state)
{
    (void)state;
    static const enum dialect all[] = {DIALECT_CHAT, DIALECT_RESPONSES, DIALECT_MESSAGES,
                                       DIALECT_GEMINI};
    static const struct problem cut = {502, "bad_upstream", STR_INIT("cut"), NULL};
    for (size_t i = 0; i < 4; i++) {
        struct buf b;
        buf_init(&b, 4096);
        problem_write_event(all[i], FRAMING_SSE, &cut, &b);
        struct str text = buf_str(&b);
        size_t at = str_find(text, STR("data: "));
        assert_int_not_equal(at, SIZE_MAX);
        struct meter m;
        meter_init(&m, all[i]);
        struct str data = str_trim(str_skip(text, at + 6));
        assert_int_equal(meter_event(&m, STR("openai"), STR(""), data), MARK_FAILED);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_have_the_dialects_shape),
        cmocka_unit_test(statuses_have_their_words),
        cmocka_unit_test(events_are_explicit_failures),
        cmocka_unit_test(events_of_an_array_close_it),
        cmocka_unit_test(meter_knows_our_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
