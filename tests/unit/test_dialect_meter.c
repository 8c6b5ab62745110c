/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "dialect/dialect.h"

static const char *vendor = "openai";

static enum mark feed(struct meter *m, const char *data)
{
    return meter_event(m, str_from(vendor), (struct str){NULL, 0}, str_from(data));
}

static struct meter start(enum dialect d)
{
    struct meter m;
    meter_init(&m, d);
    vendor = "openai";
    return m;
}

#define CHAT_TEXT(text)                                                                       \
    "{\"id\":\"x\",\"model\":\"gpt-x\",\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]," \
    "\"usage\":null}"

static void chat_from_text_to_done(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_CHAT);
    assert_int_equal(feed(&m, CHAT_TEXT("")), MARK_PLAIN);
    assert_int_equal(feed(&m, CHAT_TEXT("Hello, you")), MARK_PLAIN);
    assert_true(str_eq(str_slice(m.model, m.model_n), STR("gpt-x")));
    assert_int_equal(m.text_bytes, 10);
    assert_int_equal(m.deltas, 1);
    assert_int_equal(meter_output_floor(&m), 2);
    assert_false(m.has_usage);
    assert_int_equal(feed(&m, "{\"choices\":[],\"usage\":{\"prompt_tokens\":4,"
                              "\"completion_tokens\":3,\"total_tokens\":7}}"),
                     MARK_USAGE_FRAME);
    assert_true(m.has_usage);
    assert_int_equal(m.usage.in, 4);
    assert_false(meter_complete(&m));
    assert_int_equal(feed(&m, "[DONE]"), MARK_TERMINAL);
    assert_true(meter_complete(&m));
    assert_int_equal(feed(&m, CHAT_TEXT("more")), MARK_TERMINAL);
}

static void chat_usage_in_the_last_choice_or_everywhere(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_CHAT);
    assert_int_equal(feed(&m, "{\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":4,"
                              "\"completion_tokens\":1}}"),
                     MARK_PLAIN);
    assert_int_equal(feed(&m, "{\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":4,"
                              "\"completion_tokens\":9}}"),
                     MARK_PLAIN);
    assert_int_equal(m.usage.out, 9);
    m = start(DIALECT_CHAT);
    vendor = "moonshot";
    feed(&m, "{\"choices\":[{\"delta\":{},\"usage\":{\"prompt_tokens\":4,"
             "\"completion_tokens\":2}}]}");
    assert_int_equal(m.usage.out, 2);
    m = start(DIALECT_CHAT);
    assert_int_equal(feed(&m, "{\"choices\":[],\"prompt_filter_results\":[]}"), MARK_PLAIN);
}

static void chat_usage_is_not_spoofed(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_CHAT);
    feed(&m, "{\"model\":\"m\",\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{"
             "\"arguments\":\"{\\\"usage\\\":{\\\"prompt_tokens\\\":1,"
             "\\\"completion_tokens\\\":1}}\"}}]}}]}");
    feed(&m, "{\"model\":\"m\",\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{"
             "\"arguments\":{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1},"
             "\"error\":{\"message\":\"x\"}}}}]}}]}");
    assert_false(m.has_usage);
    assert_false(m.failed);
    assert_int_equal(feed(&m, CHAT_TEXT("[DONE]")), MARK_PLAIN);
    assert_int_equal(m.stage, STAGE_OPEN);
}

static void chat_errors_fail(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_CHAT);
    assert_int_equal(feed(&m, "{\"error\":{\"message\":\"overloaded\"}}"), MARK_FAILED);
    feed(&m, "[DONE]");
    assert_false(meter_complete(&m));
    m = start(DIALECT_CHAT);
    assert_int_equal(meter_event(&m, STR("openai"), STR("error"), STR("{\"x\":1}")), MARK_FAILED);
    m = start(DIALECT_CHAT);
    feed(&m, CHAT_TEXT("a"));
    assert_int_equal(feed(&m, "{\"choices\":[],\"error\":null}"), MARK_PLAIN);
    assert_int_equal(feed(&m, "not json"), MARK_PLAIN);
    assert_int_equal(meter_event(&m, STR("openai"), STR(""), (struct str){NULL, 0}), MARK_PLAIN);
}

#define CHOICE(inside) "{\"model\":\"m\",\"choices\":[{\"index\":0," inside "}]}"

/* Only a reason that is said, where it stands, and behind which no text comes. */
static void chat_finishes_by_a_word(void **state)
{
    (void)state;
    static const char *const others[] = {
        CHOICE("\"delta\":{\"content\":\"a\"},\"finish_reason\":null"),
        CHOICE("\"delta\":{\"content\":\"a\"},\"finish_reason\":\"\""),
        CHOICE("\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":"
               "{\"finish_reason\":\"stop\"}}}]}"),
        CHOICE("\"delta\":{\"content\":\"\\\"finish_reason\\\":\\\"stop\\\"\"}"),
    };
    struct meter m = start(DIALECT_CHAT);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        feed(&m, others[i]);
        assert_int_equal(m.stage, STAGE_OPEN);
    }
    feed(&m, CHOICE("\"delta\":{\"content\":\"a\"},\"finish_reason\":\"length\""));
    assert_int_equal(m.stage, STAGE_FINISHED);
    feed(&m, CHOICE("\"delta\":{\"content\":\"\"}"));
    feed(&m, "{\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":3}}");
    assert_int_equal(m.stage, STAGE_FINISHED);
    feed(&m, CHOICE("\"delta\":{\"content\":\"b\"}"));
    assert_int_equal(m.stage, STAGE_OPEN);
    feed(&m, "[DONE]");
    feed(&m, CHOICE("\"delta\":{\"content\":\"c\"}"));
    assert_int_equal(m.stage, STAGE_ENDED);
}

static void text_is_counted_decoded(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_CHAT);
    feed(&m, CHAT_TEXT("a\\n\\\"b\\u4e2d\\\\"));
    assert_int_equal(m.text_bytes, 7); /* a, newline, quote, b, two for the escape, backslash */
    m = start(DIALECT_CHAT);
    feed(&m, "{\"choices\":[{\"delta\":{\"content\": null , \"reasoning_content\" : \"abc\"}}]}");
    assert_int_equal(m.text_bytes, 3);
    feed(&m, "{\"choices\":[{\"delta\":{\"content\":\"cut\\");
    assert_int_equal(m.deltas, 2);
    m = start(DIALECT_CHAT);
    feed(&m, "{\"choices\":[{\"delta\":{\"content\":\"ab\",\"reasoning\":\"xyz\","
             "\"reasoning_content\":\"xyz\",\"annotations\":[{\"content\":\"a page\"}]}}]}");
    assert_int_equal(m.text_bytes, 5);
}

static void responses_ends_by_its_type(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_RESPONSES);
    assert_int_equal(feed(&m, "{\"type\":\"response.created\",\"response\":{\"model\":\"r\","
                              "\"usage\":null}}"),
                     MARK_PLAIN);
    assert_true(str_eq(str_slice(m.model, m.model_n), STR("r")));
    assert_int_equal(feed(&m, "{\"type\":\"response.output_text.delta\","
                              "\"delta\":\"response.completed\"}"),
                     MARK_PLAIN);
    assert_int_equal(m.text_bytes, 18);
    struct meter failed = m;
    const char *done = "{\"sequence_number\":3,\"response\":{\"type\":\"x\",\"usage\":"
                       "{\"input_tokens\":5,\"output_tokens\":6,\"total_tokens\":11}},"
                       "\"type\":\"response.incomplete\"}";
    assert_int_equal(feed(&m, done), MARK_TERMINAL);
    assert_int_equal(m.usage.out, 6);
    assert_true(meter_complete(&m));
    assert_int_equal(feed(&failed, "{\"type\":\"response.failed\",\"response\":{}}"), MARK_FAILED);
    assert_false(meter_complete(&failed));
    m = start(DIALECT_RESPONSES);
    assert_int_equal(feed(&m, "{\"type\":\"error\",\"message\":\"x\"}"), MARK_FAILED);
}

static void a_responses_text_is_not_the_answer(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_RESPONSES);
    static const char done[] = "{\"type\":\"response.output_text.done\",\"text\":\"a\"}";
    assert_int_equal(
        meter_event(&m, STR("openai"), STR("response.output_text.done"), str_from(done)),
        MARK_PLAIN);
    assert_int_equal(m.stage, STAGE_TEXT_DONE);
    feed(&m, "{\"type\":\"response.function_call_arguments.delta\",\"delta\":\"{\"}");
    assert_int_equal(m.stage, STAGE_OPEN);
    feed(&m, "{\"type\":\"response.completed\",\"response\":{}}");
    assert_int_equal(m.stage, STAGE_ENDED);
}

static void messages_counters_are_cumulative(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_MESSAGES);
    feed(&m, "{\"type\":\"message_start\",\"message\":{\"model\":\"claude\",\"usage\":{"
             "\"input_tokens\":10,\"cache_read_input_tokens\":20,"
             "\"cache_creation_input_tokens\":9,\"cache_creation\":"
             "{\"ephemeral_1h_input_tokens\":4},\"output_tokens\":1}}}");
    assert_true(m.has_usage);
    assert_int_equal(feed(&m, "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                              "{\"type\":\"text_delta\",\"text\":\"Hi\"}}"),
                     MARK_PLAIN);
    assert_int_equal(m.text_bytes, 2);
    feed(&m, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null}}");
    assert_int_equal(m.stage, STAGE_OPEN);
    assert_int_equal(feed(&m, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
                              "\"end_turn\"},\"usage\":{\"output_tokens\":77}  }"),
                     MARK_PLAIN);
    assert_int_equal(m.usage.state, USAGE_OK);
    assert_int_equal(m.usage.in, 10);
    assert_int_equal(m.usage.cache_read, 20);
    assert_int_equal(m.usage.cache_write_other, 5);
    assert_int_equal(m.usage.cache_write_1h, 4);
    assert_int_equal(m.usage.out, 77);
    assert_int_equal(m.stage, STAGE_FINISHED);
    assert_false(meter_complete(&m));
    assert_int_equal(feed(&m, "{\"type\":\"message_stop\"}"), MARK_TERMINAL);
    assert_true(meter_complete(&m));
    assert_true(str_eq(str_slice(m.model, m.model_n), STR("claude")));
    m = start(DIALECT_MESSAGES);
    assert_int_equal(feed(&m, "{\"type\": \"ping\"}"), MARK_PLAIN);
    assert_int_equal(feed(&m, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}"),
                     MARK_FAILED);
}

static void messages_remember_what_came_before(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_MESSAGES);
    feed(&m, "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,"
             "\"cache_creation_input_tokens\":9,\"cache_creation\":"
             "{\"ephemeral_5m_input_tokens\":5,\"ephemeral_1h_input_tokens\":4},"
             "\"service_tier\":\"priority\",\"output_tokens\":1}}}");
    feed(&m, "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":7,"
             "\"input_tokens\":10,\"cache_creation_input_tokens\":9,\"iterations\":["
             "{\"type\":\"compaction\",\"input_tokens\":100,\"output_tokens\":20},"
             "{\"type\":\"message\",\"input_tokens\":10,\"output_tokens\":7}]}}");
    feed(&m, "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":8,"
             "\"input_tokens\":null}}");
    assert_int_equal(m.usage.state, USAGE_OK);
    assert_int_equal(m.usage.in, 110);
    assert_int_equal(m.usage.cache_write_5m, 5);
    assert_int_equal(m.usage.cache_write_1h, 4);
    assert_int_equal(m.usage.cache_write_other, 0);
    assert_int_equal(m.usage.out, 28);
    assert_int_equal(m.usage.tier, TIER_PRIORITY);
}

#define SEARCH "{\"type\":\"web_search_call\",\"status\":\"completed\"}"
#define USED "\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"total_tokens\":2}"

static void responses_tools_are_counted_once(void **state)
{
    (void)state;
    static const char *const outputs[] = {"\"output\":[" SEARCH "," SEARCH "],", "\"output\":[],",
                                          ""};
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        struct meter m = start(DIALECT_RESPONSES);
        char done[256];
        for (int n = 0; n < 2; n++) {
            feed(&m, "{\"type\":\"response.output_item.added\",\"item\":" SEARCH "}");
            assert_int_equal(
                feed(&m, "{\"type\":\"response.output_item.done\",\"item\":" SEARCH "}"),
                MARK_PLAIN);
        }
        snprintf(done, sizeof(done), "{\"type\":\"response.completed\",\"response\":{%s" USED "}}",
                 outputs[i]);
        assert_int_equal(feed(&m, done), MARK_TERMINAL);
        assert_int_equal(m.usage.web_search, 2);
        assert_int_equal(m.usage.state, USAGE_OK);
    }
}

static void a_tier_comes_before_the_usage(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_CHAT);
    feed(&m, "{\"model\":\"m\",\"service_tier\":\"flex\",\"choices\":[]}");
    assert_false(m.has_usage);
    feed(&m, "{\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}");
    assert_true(m.has_usage);
    assert_int_equal(m.usage.tier, TIER_FLEX);
}

static void gemini_ends_with_a_reason(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_GEMINI);
    assert_int_equal(feed(&m, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hey\"}]}}],"
                              "\"usageMetadata\":{\"promptTokenCount\":3,\"totalTokenCount\":3},"
                              "\"modelVersion\":\"gem\"}"),
                     MARK_PLAIN);
    assert_int_equal(m.text_bytes, 3);
    assert_int_equal(feed(&m, "{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":"
                              "{\"promptTokenCount\":3,\"candidatesTokenCount\":2,"
                              "\"totalTokenCount\":5}}"),
                     MARK_TERMINAL);
    assert_true(meter_complete(&m));
    assert_int_equal(m.usage.out, 2);
    assert_int_equal(feed(&m, "{\"usageMetadata\":{\"promptTokenCount\":3,"
                              "\"candidatesTokenCount\":1,\"totalTokenCount\":4}}"),
                     MARK_TERMINAL);
    assert_int_equal(m.usage.out, 1);
    m = start(DIALECT_GEMINI);
    assert_int_equal(feed(&m, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}"), MARK_TERMINAL);
    m = start(DIALECT_GEMINI);
    assert_int_equal(feed(&m, "{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}"),
                     MARK_FAILED);
    assert_false(meter_complete(&m));
}

/* Each candidate is met once, however many a vendor sends: 100,000 are a matter of milliseconds. */
static void gemini_many_candidates(void **state)
{
    (void)state;
    struct meter m = start(DIALECT_GEMINI);
    struct buf text;

    buf_init(&text, 8U << 20);
    buf_add(&text, STR("{\"candidates\":["));
    for (unsigned i = 0; i < 100000; i++) {
        buf_add(&text, STR("{\"content\":{},\"finishReason\":\"\"},"));
    }
    buf_add(&text, STR("{\"finishReason\":\"STOP\"}]}"));
    clock_t before = clock();
    assert_int_equal(meter_event(&m, STR("gemini"), STR(""), buf_str(&text)), MARK_TERMINAL);
    assert_true(clock() - before < 3 * CLOCKS_PER_SEC);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_from_text_to_done),
        cmocka_unit_test(chat_usage_in_the_last_choice_or_everywhere),
        cmocka_unit_test(chat_usage_is_not_spoofed),
        cmocka_unit_test(chat_errors_fail),
        cmocka_unit_test(chat_finishes_by_a_word),
        cmocka_unit_test(text_is_counted_decoded),
        cmocka_unit_test(a_responses_text_is_not_the_answer),
        cmocka_unit_test(responses_ends_by_its_type),
        cmocka_unit_test(messages_counters_are_cumulative),
        cmocka_unit_test(messages_remember_what_came_before),
        cmocka_unit_test(responses_tools_are_counted_once),
        cmocka_unit_test(a_tier_comes_before_the_usage),
        cmocka_unit_test(gemini_ends_with_a_reason),
        cmocka_unit_test(gemini_many_candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
