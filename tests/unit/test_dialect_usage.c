/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dialect/dialect.h"

static struct usage read_as(enum dialect d, const char *vendor, const char *text)
{
    struct err e;
    struct json_doc *doc = json_parse(str_from(text), &e);
    if (doc == NULL) {
        fail_msg("%s: %s", e.text, text);
    }
    struct usage u;
    usage_read(d, str_from(vendor), json_root(doc), &u);
    json_free(doc);
    return u;
}

static void check(struct usage u, enum usage_state state, uint64_t in, uint64_t cache_read,
                  uint64_t write_5m, uint64_t write_1h, uint64_t out, uint64_t reasoning)
{
    assert_int_equal(u.state, state);
    assert_int_equal(u.in, in);
    assert_int_equal(u.cache_read, cache_read);
    assert_int_equal(u.cache_write_5m, write_5m);
    assert_int_equal(u.cache_write_1h, write_1h);
    assert_int_equal(u.out, out);
    assert_int_equal(u.reasoning, reasoning);
}

static void chat_counts_are_made_disjoint(void **state)
{
    (void)state;
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":60,\"cache_write_tokens\":10},"
                  "\"completion_tokens_details\":{\"reasoning_tokens\":20}}}"),
          USAGE_OK, 30, 60, 10, 0, 30, 20);
    /* DeepSeek names the same hit twice. */
    check(read_as(DIALECT_CHAT, "deepseek",
                  "{\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":5,\"total_tokens\":105,"
                  "\"prompt_cache_hit_tokens\":64,\"prompt_cache_miss_tokens\":36,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":64}}}"),
          USAGE_OK, 36, 64, 0, 0, 5, 0);
    check(read_as(DIALECT_CHAT, "dashscope",
                  "{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10,"
                  "\"prompt_tokens_details\":{\"cache_creation_input_tokens\":4}}}"),
          USAGE_OK, 5, 0, 4, 0, 1, 0);
    /* xAI: reasoning stands beside the completion; the total says so. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":35,"
                  "\"completion_tokens_details\":{\"reasoning_tokens\":20}}}"),
          USAGE_OK, 10, 0, 0, 0, 5, 20);
}

static void usage_counts_at_its_place_only(void **state)
{
    (void)state;
    const char *inside = "{\"choices\":[{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
                         "\"cached_tokens\":2}}]}";
    check(read_as(DIALECT_CHAT, "moonshot", inside), USAGE_OK, 5, 2, 0, 0, 3, 0);
    check(read_as(DIALECT_CHAT, "openai", inside), USAGE_MISSING, 0, 0, 0, 0, 0, 0);
    check(read_as(DIALECT_CHAT, "openai", "{\"message\":{\"usage\":{\"prompt_tokens\":7}}}"),
          USAGE_MISSING, 0, 0, 0, 0, 0, 0);
    check(read_as(DIALECT_CHAT, "openai", "{\"usage\":null}"), USAGE_MISSING, 0, 0, 0, 0, 0, 0);
    check(read_as(DIALECT_CHAT, "openai", "{\"usage\":{}}"), USAGE_MISSING, 0, 0, 0, 0, 0, 0);
    check(read_as(DIALECT_CHAT, "openai", "[1]"), USAGE_MISSING, 0, 0, 0, 0, 0, 0);
}

static void contradictions_read_the_cheaper_way(void **state)
{
    (void)state;
    /* More cached than there was input. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":60}}}"),
          USAGE_INCONSISTENT, 0, 10, 0, 0, 5, 0);
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15,"
                  "\"completion_tokens_details\":{\"reasoning_tokens\":9}}}"),
          USAGE_INCONSISTENT, 10, 0, 0, 0, 0, 5);
    /* A total above the parts adds nothing; one below them takes from the dearer side. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":35,\"completion_tokens\":12,"
                  "\"total_tokens\":109}}"),
          USAGE_INCONSISTENT, 35, 0, 0, 0, 12, 0);
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":35,\"completion_tokens\":12,"
                  "\"total_tokens\":40}}"),
          USAGE_INCONSISTENT, 35, 0, 0, 0, 5, 0);
    /* Counts that are none. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":5}}"),
          USAGE_INCONSISTENT, 0, 0, 0, 0, 5, 0);
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":\"9\",\"completion_tokens\":5.0}}"),
          USAGE_INCONSISTENT, 0, 0, 0, 0, 0, 0);
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1000000001}}"),
          USAGE_INCONSISTENT, 3, 0, 0, 0, 0, 0);
    check(read_as(DIALECT_CHAT, "openai", "{\"usage\":{\"prompt_tokens\":3}}"), USAGE_INCONSISTENT,
          3, 0, 0, 0, 0, 0);
}

static void responses_whole_and_in_an_event(void **state)
{
    (void)state;
    const char *usage = "{\"usage\":{\"input_tokens\":50,\"output_tokens\":9,\"total_tokens\":59,"
                        "\"input_tokens_details\":{\"cached_tokens\":40},"
                        "\"output_tokens_details\":{\"reasoning_tokens\":4}}}";
    check(read_as(DIALECT_RESPONSES, "openai", usage), USAGE_OK, 10, 40, 0, 0, 5, 4);
    char event[512];
    snprintf(event, sizeof(event), "{\"type\":\"response.completed\",\"response\":%s}", usage);
    check(read_as(DIALECT_RESPONSES, "openai", event), USAGE_OK, 10, 40, 0, 0, 5, 4);
}

static void messages_are_additive(void **state)
{
    (void)state;
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  "{\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":100,"
                  "\"cache_creation_input_tokens\":70,\"cache_creation\":"
                  "{\"ephemeral_5m_input_tokens\":10,\"ephemeral_1h_input_tokens\":50},"
                  "\"output_tokens\":8,\"output_tokens_details\":{\"thinking_tokens\":6}}}"),
          USAGE_OK, 3, 100, 20, 50, 2, 6);
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  "{\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":5,"
                  "\"cache_creation\":{\"ephemeral_1h_input_tokens\":9},\"output_tokens\":8}}"),
          USAGE_INCONSISTENT, 3, 0, 0, 5, 8, 0);
    check(read_as(DIALECT_MESSAGES, "anthropic", "{\"usage\":{\"output_tokens\":null}}"),
          USAGE_MISSING, 0, 0, 0, 0, 0, 0);
}

static void gemini_adds_tools_and_thoughts(void **state)
{
    (void)state;
    check(read_as(DIALECT_GEMINI, "gemini",
                  "{\"usageMetadata\":{\"promptTokenCount\":20,\"cachedContentTokenCount\":8,"
                  "\"toolUsePromptTokenCount\":5,\"candidatesTokenCount\":7,"
                  "\"thoughtsTokenCount\":30,\"totalTokenCount\":62}}"),
          USAGE_OK, 17, 8, 0, 0, 7, 30);
    check(read_as(DIALECT_GEMINI, "gemini",
                  "{\"usageMetadata\":{\"promptTokenCount\":20,\"totalTokenCount\":20}}"),
          USAGE_OK, 20, 0, 0, 0, 0, 0);
}

static void embeddings_have_input_only(void **state)
{
    (void)state;
    check(read_as(DIALECT_EMBEDDINGS, "openai",
                  "{\"usage\":{\"prompt_tokens\":6,\"total_tokens\":6}}"),
          USAGE_OK, 6, 0, 0, 0, 0, 0);
    check(read_as(DIALECT_EMBEDDINGS, "openai", "{\"usage\":{\"total_tokens\":4}}"), USAGE_OK, 4, 0,
          0, 0, 0, 0);
    check(read_as(DIALECT_EMBEDDINGS, "openai",
                  "{\"usage\":{\"prompt_tokens\":6,\"total_tokens\":9}}"),
          USAGE_INCONSISTENT, 6, 0, 0, 0, 0, 0);
}

static void check_model(enum dialect d, const char *text, const char *want)
{
    struct json_doc *doc = json_parse(str_from(text), NULL);
    assert_non_null(doc);
    struct buf b;
    buf_init(&b, LIMIT_NAME);
    assert_int_equal(seen_model(d, json_root(doc), &b), want != NULL);
    if (want != NULL) {
        assert_int_equal(b.n, strlen(want));
        assert_memory_equal(b.p, want, b.n);
    }
    buf_release(&b);
    json_free(doc);
}

static void model_as_the_reply_names_it(void **state)
{
    (void)state;
    check_model(DIALECT_CHAT, "{\"model\":\"a\"}", "a");
    check_model(DIALECT_RESPONSES, "{\"response\":{\"model\":\"b\"}}", "b");
    check_model(DIALECT_MESSAGES, "{\"message\":{\"model\":\"c\"}}", "c");
    check_model(DIALECT_MESSAGES, "{\"model\":\"c2\"}", "c2");
    check_model(DIALECT_GEMINI, "{\"modelVersion\":\"d\"}", "d");
    check_model(DIALECT_CHAT, "{\"model\":7}", NULL);
    check_model(DIALECT_GEMINI, "{\"model\":\"x\"}", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_counts_are_made_disjoint),
        cmocka_unit_test(usage_counts_at_its_place_only),
        cmocka_unit_test(contradictions_read_the_cheaper_way),
        cmocka_unit_test(responses_whole_and_in_an_event),
        cmocka_unit_test(messages_are_additive),
        cmocka_unit_test(gemini_adds_tools_and_thoughts),
        cmocka_unit_test(embeddings_have_input_only),
        cmocka_unit_test(model_as_the_reply_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
