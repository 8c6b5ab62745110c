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

/* The leaves that are not zero, in their order: "in=3 out=5". */
static void check(struct usage u, enum usage_state state, const char *want)
{
    char got[512] = "";
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        uint64_t n = leaf_get(&u, &leaves[i]);
        size_t at = strlen(got);
        if (n > 0) {
            snprintf(got + at, sizeof(got) - at, "%s%s=%llu", at > 0 ? " " : "", leaves[i].name,
                     (unsigned long long)n);
        }
    }
    assert_string_equal(got, want);
    assert_int_equal(u.state, state);
}

static void chat_counts_are_made_disjoint(void **state)
{
    (void)state;
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":60,\"cache_write_tokens\":10},"
                  "\"completion_tokens_details\":{\"reasoning_tokens\":20}}}"),
          USAGE_OK, "in=30 cache_read=60 cache_write_other=10 out=30 reasoning=20");
    /* DeepSeek names the same hit twice. */
    check(read_as(DIALECT_CHAT, "deepseek",
                  "{\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":5,\"total_tokens\":105,"
                  "\"prompt_cache_hit_tokens\":64,\"prompt_cache_miss_tokens\":36,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":64}}}"),
          USAGE_OK, "in=36 cache_read=64 out=5");
    check(read_as(DIALECT_CHAT, "dashscope",
                  "{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10,"
                  "\"prompt_tokens_details\":{\"cache_creation_input_tokens\":4}}}"),
          USAGE_OK, "in=5 cache_write_other=4 out=1");
    /* xAI: reasoning stands beside the completion; the total says so. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":35,"
                  "\"completion_tokens_details\":{\"reasoning_tokens\":20}}}"),
          USAGE_OK, "in=10 out=5 reasoning=20");
}

static void usage_counts_at_its_place_only(void **state)
{
    (void)state;
    const char *inside = "{\"choices\":[{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
                         "\"cached_tokens\":2}}]}";
    check(read_as(DIALECT_CHAT, "moonshot", inside), USAGE_OK, "in=5 cache_read=2 out=3");
    check(read_as(DIALECT_CHAT, "openai", inside), USAGE_MISSING, "");
    check(read_as(DIALECT_CHAT, "openai", "{\"message\":{\"usage\":{\"prompt_tokens\":7}}}"),
          USAGE_MISSING, "");
    check(read_as(DIALECT_CHAT, "openai", "{\"usage\":null}"), USAGE_MISSING, "");
    check(read_as(DIALECT_CHAT, "openai", "{\"usage\":{}}"), USAGE_MISSING, "");
    check(read_as(DIALECT_CHAT, "openai", "[1]"), USAGE_MISSING, "");
}

static void contradictions_read_the_cheaper_way(void **state)
{
    (void)state;
    /* More cached than there was input. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":60}}}"),
          USAGE_INCONSISTENT, "cache_read=10 out=5");
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15,"
                  "\"completion_tokens_details\":{\"reasoning_tokens\":9}}}"),
          USAGE_INCONSISTENT, "in=10 reasoning=5");
    /* A total above the parts adds nothing; one below them takes from the dearer side. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":35,\"completion_tokens\":12,"
                  "\"total_tokens\":109}}"),
          USAGE_INCONSISTENT, "in=35 out=12");
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":35,\"completion_tokens\":12,"
                  "\"total_tokens\":40}}"),
          USAGE_INCONSISTENT, "in=35 out=5");
    /* Counts that are none. */
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":5}}"),
          USAGE_INCONSISTENT, "out=5");
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":\"9\",\"completion_tokens\":5.0}}"),
          USAGE_INCONSISTENT, "");
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1000000001}}"),
          USAGE_INCONSISTENT, "in=3");
    check(read_as(DIALECT_CHAT, "openai", "{\"usage\":{\"prompt_tokens\":3}}"), USAGE_INCONSISTENT,
          "in=3");
}

static void responses_whole_and_in_an_event(void **state)
{
    (void)state;
    const char *usage = "{\"usage\":{\"input_tokens\":50,\"output_tokens\":9,\"total_tokens\":59,"
                        "\"input_tokens_details\":{\"cached_tokens\":40},"
                        "\"output_tokens_details\":{\"reasoning_tokens\":4}}}";
    check(read_as(DIALECT_RESPONSES, "openai", usage), USAGE_OK,
          "in=10 cache_read=40 out=5 reasoning=4");
    char event[512];
    snprintf(event, sizeof(event), "{\"type\":\"response.completed\",\"response\":%s}", usage);
    check(read_as(DIALECT_RESPONSES, "openai", event), USAGE_OK,
          "in=10 cache_read=40 out=5 reasoning=4");
}

static void messages_are_additive(void **state)
{
    (void)state;
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  "{\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":100,"
                  "\"cache_creation_input_tokens\":70,\"cache_creation\":"
                  "{\"ephemeral_5m_input_tokens\":10,\"ephemeral_1h_input_tokens\":50},"
                  "\"output_tokens\":8,\"output_tokens_details\":{\"thinking_tokens\":6}}}"),
          USAGE_OK,
          "in=3 cache_read=100 cache_write_5m=10 cache_write_1h=50 cache_write_other=10 out=2 "
          "reasoning=6");
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  "{\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":5,"
                  "\"cache_creation\":{\"ephemeral_1h_input_tokens\":9},\"output_tokens\":8}}"),
          USAGE_INCONSISTENT, "in=3 cache_write_other=5 out=8");
    check(read_as(DIALECT_MESSAGES, "anthropic", "{\"usage\":{\"output_tokens\":null}}"),
          USAGE_MISSING, "");
}

static void gemini_adds_tools_and_thoughts(void **state)
{
    (void)state;
    check(read_as(DIALECT_GEMINI, "gemini",
                  "{\"usageMetadata\":{\"promptTokenCount\":20,\"cachedContentTokenCount\":8,"
                  "\"toolUsePromptTokenCount\":5,\"candidatesTokenCount\":7,"
                  "\"thoughtsTokenCount\":30,\"totalTokenCount\":62}}"),
          USAGE_OK, "in=12 in_tool=5 cache_read=8 out=7 reasoning=30");
    check(read_as(DIALECT_GEMINI, "gemini",
                  "{\"usageMetadata\":{\"promptTokenCount\":20,\"totalTokenCount\":20}}"),
          USAGE_OK, "in=20");
}

static void embeddings_have_input_only(void **state)
{
    (void)state;
    check(read_as(DIALECT_EMBEDDINGS, "openai",
                  "{\"usage\":{\"prompt_tokens\":6,\"total_tokens\":6}}"),
          USAGE_OK, "in=6");
    check(read_as(DIALECT_EMBEDDINGS, "openai", "{\"usage\":{\"total_tokens\":4}}"), USAGE_OK,
          "in=4");
    check(read_as(DIALECT_EMBEDDINGS, "openai",
                  "{\"usage\":{\"prompt_tokens\":6,\"total_tokens\":9}}"),
          USAGE_INCONSISTENT, "in=6");
}

static void kinds_have_their_own_leaves(void **state)
{
    (void)state;
    check(read_as(DIALECT_CHAT, "openai",
                  "{\"usage\":{\"prompt_tokens\":90,\"completion_tokens\":40,\"total_tokens\":130,"
                  "\"prompt_tokens_details\":{\"audio_tokens\":30,\"image_tokens\":20,"
                  "\"video_tokens\":10,\"cached_tokens\":5},\"completion_tokens_details\":"
                  "{\"audio_tokens\":12,\"rejected_prediction_tokens\":9}}}"),
          USAGE_OK, "in=25 in_audio=30 in_image=20 in_video=10 cache_read=5 out=28 out_audio=12");
    /* Of Gemini's arrays: a document is an image, a kind without a count is none. */
    check(read_as(DIALECT_GEMINI, "gemini",
                  "{\"usageMetadata\":{\"promptTokenCount\":100,\"cachedContentTokenCount\":40,"
                  "\"toolUsePromptTokenCount\":9,\"candidatesTokenCount\":20,"
                  "\"thoughtsTokenCount\":5,\"totalTokenCount\":134,\"promptTokensDetails\":["
                  "{\"modality\":\"TEXT\",\"tokenCount\":30},{\"modality\":\"AUDIO\","
                  "\"tokenCount\":40},{\"modality\":\"IMAGE\",\"tokenCount\":10},{\"modality\":"
                  "\"DOCUMENT\",\"tokenCount\":20},{\"modality\":\"VIDEO\"}],"
                  "\"cacheTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":25},"
                  "{\"modality\":\"DOCUMENT\",\"tokenCount\":5}],\"toolUsePromptTokensDetails\":"
                  "[{\"modality\":\"IMAGE\",\"tokenCount\":4}],\"candidatesTokensDetails\":"
                  "[{\"modality\":\"IMAGE\",\"tokenCount\":18}]}}"),
          USAGE_OK,
          "in=20 in_audio=15 in_image=29 in_tool=5 cache_read=10 cache_read_audio=25 "
          "cache_read_image=5 out=2 out_image=18 reasoning=5");
}

static void kinds_that_cannot_be_are_forgotten(void **state)
{
    (void)state;
    const char *const prompts[] = {
        "\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":101}]",
        "\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":61}]",
        "\"cacheTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":1}]",
        ("\"cacheTokensDetails\":[{\"modality\":\"VIDEO\",\"tokenCount\":41}],"
         "\"promptTokensDetails\":[{\"modality\":\"VIDEO\",\"tokenCount\":45}]"),
        "\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":-1}]",
        "\"toolUsePromptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":1}]",
    };
    for (size_t i = 0; i < sizeof(prompts) / sizeof(prompts[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "{\"usageMetadata\":{\"promptTokenCount\":100,\"cachedContentTokenCount\":40,"
                 "\"totalTokenCount\":100,%s}}",
                 prompts[i]);
        check(read_as(DIALECT_GEMINI, "gemini", text), USAGE_INCONSISTENT, "in=60 cache_read=40");
    }
    check(read_as(DIALECT_GEMINI, "gemini",
                  "{\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":7,"
                  "\"thoughtsTokenCount\":2,\"candidatesTokensDetails\":[{\"modality\":\"IMAGE\","
                  "\"tokenCount\":8}]}}"),
          USAGE_INCONSISTENT, "in=1 out=7 reasoning=2");
}

#define ROUND(type, in, out) \
    "{\"type\":\"" type "\",\"input_tokens\":" in ",\"output_tokens\":" out ",\"model\":\"m\"}"
#define ROUNDS(list) \
    "{\"usage\":{\"input_tokens\":30,\"output_tokens\":8,\"iterations\":[" list "]}}"

static void rounds_of_an_answer(void **state)
{
    (void)state;
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  ROUNDS(ROUND("compaction", "500", "60") "," ROUND("message", "10", "3") "," ROUND(
                      "message", "20", "5"))),
          USAGE_OK, "in=530 out=68");
    /* Another model's tokens have another price: they are left out, and that is said. */
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  ROUNDS(ROUND("message", "30", "8") "," ROUND("advisor_message", "900", "70"))),
          USAGE_INCONSISTENT, "in=30 out=8");
    check(read_as(DIALECT_MESSAGES, "anthropic", ROUNDS(ROUND("fallback_message", "30", "8"))),
          USAGE_INCONSISTENT, "in=30 out=8");
    check(read_as(DIALECT_MESSAGES, "anthropic", ROUNDS(ROUND("message", "29", "8"))),
          USAGE_INCONSISTENT, "in=30 out=8");
    check(read_as(DIALECT_MESSAGES, "anthropic", ROUNDS("")), USAGE_OK, "in=30 out=8");
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  ROUNDS(ROUND("compaction", "1000000000", "1") "," ROUND("message", "30", "8"))),
          USAGE_INCONSISTENT, "in=1000000000 out=9");
}

static void check_tier(enum dialect d, const char *text, enum tier want)
{
    assert_string_equal(tier_name((enum tier)read_as(d, "openai", text).tier), tier_name(want));
}

static void tiers_in_the_words_of_each_vendor(void **state)
{
    (void)state;
    check_tier(DIALECT_CHAT, "{\"service_tier\":\"default\"}", TIER_STANDARD);
    check_tier(DIALECT_CHAT, "{\"service_tier\":\"auto\"}", TIER_NONE);
    check_tier(DIALECT_CHAT, "{\"service_tier\":null}", TIER_NONE);
    check_tier(DIALECT_CHAT, "{\"service_tier\":\"performance\"}", TIER_OTHER);
    check_tier(DIALECT_CHAT, "{\"service_tier\":\"on_demand\"}", TIER_STANDARD);
    check_tier(DIALECT_RESPONSES, "{\"response\":{\"service_tier\":\"flex\"}}", TIER_FLEX);
    check_tier(DIALECT_RESPONSES, "{\"service_tier\":\"scale\"}", TIER_SCALE);
    check_tier(DIALECT_MESSAGES, "{\"usage\":{\"service_tier\":\"batch\"}}", TIER_BATCH);
    check_tier(DIALECT_MESSAGES, "{\"usage\":{\"service_tier\":\"standard\",\"speed\":\"fast\"}}",
               TIER_FAST);
    check_tier(DIALECT_MESSAGES,
               "{\"usage\":{\"service_tier\":\"priority\",\"speed\":\"standard\"}}", TIER_PRIORITY);
    check_tier(DIALECT_MESSAGES, "{\"service_tier\":\"batch\",\"usage\":{}}", TIER_NONE);
    check_tier(DIALECT_GEMINI, "{\"usageMetadata\":{\"trafficType\":\"PROVISIONED_THROUGHPUT\"}}",
               TIER_PROVISIONED);
    check_tier(DIALECT_GEMINI,
               "{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\",\"serviceTier\":\"flex\"}}",
               TIER_FLEX);
}

static void calls_of_the_vendors_own_tools(void **state)
{
    (void)state;
    check(read_as(DIALECT_RESPONSES, "openai",
                  "{\"type\":\"response.completed\",\"response\":{\"output\":["
                  "{\"type\":\"web_search_call\",\"status\":\"completed\"},"
                  "{\"type\":\"web_search_call\",\"action\":{\"type\":\"search\"}},"
                  "{\"type\":\"web_search_call\",\"action\":{\"type\":\"find_in_page\"}},"
                  "{\"type\":\"web_search_call\",\"status\":\"failed\"},"
                  "{\"type\":\"function_call\",\"name\":\"web_search_call\"},"
                  "{\"type\":\"code_interpreter_call\"},{\"type\":\"file_search_call\"},"
                  "{\"type\":\"image_generation_call\"}],\"usage\":{\"input_tokens\":1,"
                  "\"output_tokens\":1,\"total_tokens\":2}}}"),
          USAGE_OK, "in=1 out=1 web_search=2 file_search=1 code=1 images=1");
    check(read_as(DIALECT_MESSAGES, "anthropic",
                  "{\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"server_tool_use\":"
                  "{\"web_search_requests\":2,\"web_fetch_requests\":3}}}"),
          USAGE_OK, "in=1 out=1 web_search=2 web_fetch=3");
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
        cmocka_unit_test(kinds_have_their_own_leaves),
        cmocka_unit_test(kinds_that_cannot_be_are_forgotten),
        cmocka_unit_test(rounds_of_an_answer),
        cmocka_unit_test(tiers_in_the_words_of_each_vendor),
        cmocka_unit_test(calls_of_the_vendors_own_tools),
        cmocka_unit_test(model_as_the_reply_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
