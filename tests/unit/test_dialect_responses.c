/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the responses dialect, as what others become and what they become of others. */
#include "conversion_case.h"

#include <stdio.h>

/* ---- requests of the dialect ---- */

static void items_become_messages(void **state)
{
    (void)state;
    assert_request(
        DIALECT_RESPONSES, DIALECT_CHAT,
        "{\"input\":[{\"role\":\"user\",\"content\":\"Weather?\"},"
        "{\"type\":\"message\",\"id\":\"msg_1\",\"status\":\"completed\",\"role\":\"assistant\","
        "\"content\":[{\"type\":\"output_text\",\"text\":\"Let me see.\",\"annotations\":[]}]},"
        "{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"c1\",\"name\":\"see\","
        "\"arguments\":\"{\\\"n\\\":12345678901234567890}\"},"
        "{\"type\":\"function_call\",\"call_id\":\"c2\",\"name\":\"see\",\"arguments\":\"{}\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":\"rain\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c2\",\"output\":"
        "[{\"type\":\"input_text\",\"text\":\"sun\"}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"So?\"}]}],"
        "\"instructions\":\"Be short.\",\"model\":\"m\",\"max_output_tokens\":9,"
        "\"temperature\":0.50}",
        "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"developer\",\"content\":\"Be short.\"},"
        "{\"role\":\"user\",\"content\":\"Weather?\"},"
        "{\"role\":\"assistant\",\"content\":\"Let me see.\",\"tool_calls\":["
        "{\"type\":\"function\",\"id\":\"c1\",\"function\":{\"name\":\"see\",\"arguments\":"
        "\"{\\\"n\\\":12345678901234567890}\"}},"
        "{\"type\":\"function\",\"id\":\"c2\",\"function\":{\"name\":\"see\",\"arguments\":\"{}\"}}"
        "]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"rain\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"sun\"},"
        "{\"role\":\"user\",\"content\":\"So?\"}],"
        "\"max_completion_tokens\":9,\"temperature\":0.50}",
        "");
}

/* strict unless it says otherwise, where its schema allows that */
static const char tools_asked[] =
    "{\"input\":\"hi\",\"max_output_tokens\":20,\"tools\":["
    "{\"type\":\"function\",\"name\":\"closed\",\"parameters\":{\"type\":\"object\","
    "\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"],"
    "\"additionalProperties\":false}},"
    "{\"type\":\"function\",\"name\":\"open\",\"parameters\":{\"type\":\"object\","
    "\"properties\":{\"a\":{}}}},"
    "{\"type\":\"function\",\"name\":\"loose\",\"strict\":false,\"parameters\":null},"
    "{\"type\":\"custom\",\"name\":\"patch\",\"description\":\"Edits.\",\"format\":"
    "{\"type\":\"grammar\",\"syntax\":\"lark\",\"definition\":\"start: /x/\"}},"
    "{\"type\":\"namespace\",\"name\":\"crm\",\"description\":\"d\",\"tools\":["
    "{\"type\":\"function\",\"name\":\"find\",\"strict\":false,\"defer_loading\":true}]},"
    "{\"type\":\"tool_search\"}],"
    "\"parallel_tool_calls\":false,\"tool_choice\":\"required\"}";
static const char tools_written[] =
    "{\"model\":\"gpt-5\",\"max_tokens\":20,\"messages\":[{\"role\":\"user\",\"content\":["
    "{\"type\":\"text\",\"text\":\"hi\"}]}],\"tools\":["
    "{\"name\":\"closed\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"a\":{"
    "\"type\":\"string\"}},\"required\":[\"a\"],\"additionalProperties\":false},"
    "\"strict\":true},"
    "{\"name\":\"open\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"a\":{}}}},"
    "{\"name\":\"loose\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}},"
    "{\"name\":\"patch\",\"description\":\"Edits.\\n\\nThe whole input is one string. It must "
    "match this grammar:\\nstart: /x/\",\"input_schema\":{\"type\":\"object\",\"properties\":"
    "{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"],"
    "\"additionalProperties\":false}},"
    "{\"name\":\"crm__find\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}}],"
    "\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true}}";

static void tools_of_all_kinds(void **state)
{
    (void)state;
    assert_request(DIALECT_RESPONSES, DIALECT_MESSAGES, tools_asked, tools_written,
                   "tools[1], tools[4].description, tools[4].tools[0].defer_loading, tools[5], "
                   "tools[4].tools[0], tools[3]");
}

#define TOOL_F "{\"type\":\"function\",\"name\":\"f\",\"strict\":false}"
#define TOOL_G "{\"type\":\"function\",\"name\":\"g\",\"strict\":false}"

/* What the vendor's search found is offered from the start, once; the search is left out. */
static void searched_tools_are_offered(void **state)
{
    (void)state;
    assert_request(
        DIALECT_RESPONSES, DIALECT_CHAT,
        "{\"input\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"type\":\"tool_search_call\",\"execution\":\"server\",\"arguments\":{}},"
        "{\"type\":\"tool_search_output\",\"execution\":\"server\",\"tools\":[" TOOL_F "," TOOL_G
        "]},{\"type\":\"additional_tools\",\"role\":\"developer\",\"tools\":[" TOOL_G "]},"
        "{\"role\":\"user\",\"content\":\"b\"}],\"tools\":[" TOOL_F ",{\"type\":\"tool_search\"}]}",
        "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"role\":\"user\",\"content\":\"b\"}],\"tools\":["
        "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{}}}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{}}}}]}",
        "input[1], input[2], input[3], tools[1]");
}

/* A search of the client's own is a function. */
static void the_clients_search_is_called(void **state)
{
    (void)state;
    assert_request(
        DIALECT_RESPONSES, DIALECT_CHAT,
        "{\"input\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"type\":\"tool_search_call\",\"call_id\":\"s\",\"execution\":\"client\","
        "\"arguments\":{\"query\":\"q\"}},"
        "{\"type\":\"tool_search_output\",\"call_id\":\"s\",\"execution\":\"client\",\"tools\":["
        "{\"type\":\"namespace\",\"name\":\"n\",\"description\":\"d\",\"tools\":[" TOOL_F
        "]}," TOOL_G "]}],\"tools\":[{\"type\":\"tool_search\",\"execution\":\"client\","
        "\"description\":\"Finds.\",\"parameters\":{\"type\":\"object\"}}]}",
        "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"type\":\"function\",\"id\":"
        "\"s\",\"function\":{\"name\":\"tool_search\",\"arguments\":\"{\\\"query\\\":\\\"q\\\"}\""
        "}}]},{\"role\":\"tool\",\"tool_call_id\":\"s\",\"content\":\"n__f, g\"}],\"tools\":["
        "{\"type\":\"function\",\"function\":{\"name\":\"tool_search\",\"description\":"
        "\"Finds.\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"n__f\",\"parameters\":{\"type\":"
        "\"object\",\"properties\":{}}}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{\"type\":"
        "\"object\",\"properties\":{}}}}]}",
        "tools[0], input[2].tools[0].description, input[2].tools[0].tools[0]");
}

/* An image as sharp as it is, which chat cannot ask for. */
static void original_detail_is_high(void **state)
{
    (void)state;
    assert_request(
        DIALECT_RESPONSES, DIALECT_CHAT,
        "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"detail\":"
        "\"original\",\"image_url\":\"https://x/y.png\"}]}]}",
        "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
        "\"image_url\",\"image_url\":{\"url\":\"https://x/y.png\",\"detail\":\"high\"}}]}"
        "]}",
        "input[0].content[0].detail");
}

/* A tool may be named without its namespace; the search of the web goes where others stay. */
static void a_forced_tool_is_found_in_its_group(void **state)
{
    (void)state;
    assert_request(
        DIALECT_RESPONSES, DIALECT_CHAT,
        "{\"input\":\"a\",\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"description\":"
        "\"d\",\"tools\":[" TOOL_F "]},{\"type\":\"web_search\",\"search_context_size\":"
        "\"low\"}],\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"}}",
        "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":["
        "{\"type\":\"function\",\"function\":{\"name\":\"n__f\",\"parameters\":{\"type\":"
        "\"object\",\"properties\":{}}}}],\"tool_choice\":{\"type\":\"function\",\"function\":{"
        "\"name\":\"n__f\"}}}",
        "tools[0].description, tools[1].type, tools[0].tools[0]");
}

static void what_cannot_be_taken_is_refused_by_name(void **state)
{
    static const char *const cases[][2] = {
        {"{\"input\":\"a\",\"previous_response_id\":\"resp_1\"}", "previous_response_id"},
        {"{\"input\":\"a\",\"conversation\":\"conv_1\"}", "conversation"},
        {"{\"input\":\"a\",\"prompt\":{\"id\":\"p\"}}", "prompt"},
        {"{\"input\":\"a\",\"background\":true}", "background"},
        {"{\"input\":\"a\",\"truncation\":\"auto\"}", "truncation"},
        {"{\"input\":\"a\",\"surprise\":1}", "surprise"},
        {"{\"input\":\"a\",\"top_logprobs\":2}", "top_logprobs"},
        {"{\"input\":\"a\",\"include\":[\"message.output_text.logprobs\"]}", "include[0]"},
        {"{\"input\":\"a\",\"reasoning\":{\"mode\":\"pro\"}}", "reasoning.mode"},
        {"{\"input\":\"a\",\"reasoning\":{\"effort\":\"huge\"}}", "reasoning.effort"},
        {"{\"input\":\"a\",\"tools\":[{\"type\":\"web_search\"}]}", "tools[0].type"},
        {"{\"input\":\"a\",\"tool_choice\":{\"type\":\"web_search\"}}", "tool_choice.type"},
        {"{\"input\":\"a\",\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"strict\":false,"
         "\"allowed_callers\":[\"programmatic\"]}]}",
         "tools[0].allowed_callers"},
        {"{\"input\":\"a\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\"}}}",
         "text.format.schema"},
        {"{\"input\":[{\"type\":\"item_reference\",\"id\":\"x\"}]}", "input[0]"},
        {"{\"input\":[{\"id\":\"msg_1\"}]}", "input[0]"},
        {"{\"input\":[{\"type\":\"web_search_call\",\"id\":\"x\"}]}", "input[0].type"},
        {"{\"input\":[{\"type\":\"compaction\",\"encrypted_content\":\"x\"}]}", "input[0].type"},
        {"{\"input\":[{\"role\":\"judge\",\"content\":\"a\"}]}", "input[0].role"},
        {"{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]}",
         "input[0].content[0].type"},
        {"{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"file_id\":"
         "\"file-1\"}]}]}",
         "input[0].content[0]"},
        {"{\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"\"}]}",
         "input[0]"},
        {"{\"input\":[{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\"}]}",
         "input[0].arguments"},
        {"{\"input\":[]}", "input"},
        {"{}", "input"},
        {"{\"input\":\"a\",\"input\":\"b\"}", "input"},
        {"{\"input\":7}", "input"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_refused(DIALECT_RESPONSES, DIALECT_CHAT, cases[i][0], cases[i][1]);
    }
}

static void what_is_lost_is_named(void **state)
{
    (void)state;
    assert_request(
        DIALECT_RESPONSES, DIALECT_MESSAGES,
        "{\"model\":\"m\",\"stream\":false,\"max_output_tokens\":50,\"store\":false,"
        "\"truncation\":\"disabled\",\"service_tier\":\"auto\",\"background\":false,"
        "\"metadata\":{\"k\":\"v\"},\"client_metadata\":{\"x\":\"y\"},\"prompt_cache_key\":\"p\","
        "\"include\":[\"reasoning.encrypted_content\",\"file_search_call.results\"],"
        "\"reasoning\":{\"summary\":null,\"context\":\"auto\"},"
        "\"text\":{\"verbosity\":\"low\",\"format\":{\"type\":\"text\"}},\"user\":\"u\","
        "\"input\":[{\"type\":\"message\",\"role\":\"user\",\"content\":["
        "{\"type\":\"input_text\",\"text\":\"a\",\"prompt_cache_breakpoint\":{}},"
        "{\"type\":\"input_image\",\"image_url\":\"https://x/y.png\",\"detail\":\"high\"}]},"
        "{\"role\":\"assistant\",\"phase\":\"commentary\",\"content\":[{\"type\":\"output_text\","
        "\"text\":\"b\",\"annotations\":[{\"type\":\"url_citation\"}]}]},"
        "{\"role\":\"user\",\"content\":\"c\"}]}",
        "{\"model\":\"gpt-5\",\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":["
        "{\"type\":\"text\",\"text\":\"a\"},"
        "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://x/y.png\"}}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"c\"}]}],"
        "\"metadata\":{\"user_id\":\"u\"}}",
        "include[1], reasoning.context, input[0].content[0].prompt_cache_breakpoint, "
        "input[1].phase, input[1].content[0].annotations, input[0].content[1].detail, "
        "text.verbosity, "
        "metadata, client_metadata, prompt_cache_key");
}

/* ---- requests for the dialect ---- */

static void chat_becomes_items(void **state)
{
    (void)state;
    assert_request(
        DIALECT_CHAT, DIALECT_RESPONSES,
        "{\"messages\":[{\"role\":\"system\",\"content\":\"Be short.\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Look.\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA-_\"}},"
        "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":"
        "\"data:application/pdf;base64,JVBE\"}}]},"
        "{\"role\":\"assistant\",\"content\":\"Hm.\",\"tool_calls\":[{\"id\":\"c1\",\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}},"
        "{\"id\":\"c2\",\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"input\":\"raw\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"one\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"two\"},"
        "{\"role\":\"developer\",\"content\":\"Now loud.\"},{\"role\":\"user\",\"content\":\"?\"}],"
        "\"max_tokens\":3,\"reasoning_effort\":\"low\",\"verbosity\":\"high\",\"response_format\":"
        "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"}"
        ",\"strict\":true}},\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
        "{\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"description\":\"d\",\"format\":{"
        "\"type\":\"grammar\",\"grammar\":{\"syntax\":\"regex\",\"definition\":\"x+\"}}}}],"
        "\"tool_choice\":{\"type\":\"custom\",\"custom\":{\"name\":\"p\"}}}",
        "{\"model\":\"gpt-5\",\"instructions\":\"Be short.\",\"input\":["
        "{\"type\":\"message\",\"role\":\"user\",\"content\":["
        "{\"type\":\"input_text\",\"text\":\"Look.\"},"
        "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AA+/\","
        "\"detail\":\"auto\"},"
        "{\"type\":\"input_file\",\"filename\":\"a.pdf\",\"file_data\":"
        "\"data:application/pdf;base64,JVBE\"}]},"
        "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
        "\"annotations\":[],\"text\":\"Hm.\"}]},"
        "{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":\"{}\"},"
        "{\"type\":\"custom_tool_call\",\"call_id\":\"c2\",\"name\":\"p\",\"input\":\"raw\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":\"one\"},"
        "{\"type\":\"custom_tool_call_output\",\"call_id\":\"c2\",\"output\":\"two\"},"
        "{\"type\":\"message\",\"role\":\"developer\",\"content\":[{\"type\":\"input_text\","
        "\"text\":\"Now loud.\"}]},"
        "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
        "\"text\":\"?\"}]}],"
        "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{}},\"strict\":false},"
        "{\"type\":\"custom\",\"name\":\"p\",\"description\":\"d\",\"format\":{\"type\":"
        "\"grammar\",\"definition\":\"x+\",\"syntax\":\"regex\"}}],"
        "\"tool_choice\":{\"type\":\"custom\",\"name\":\"p\"},"
        "\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":{\"type\":"
        "\"object\"},\"strict\":true},\"verbosity\":\"high\"},"
        "\"reasoning\":{\"effort\":\"low\"},\"max_output_tokens\":16,\"store\":false,"
        "\"include\":[\"reasoning.encrypted_content\"]}",
        "max_tokens");
}

static void messages_become_items(void **state)
{
    (void)state;
    model = "gpt-4o"; /* it has no state to include */
    assert_request(
        DIALECT_MESSAGES, DIALECT_RESPONSES,
        "{\"max_tokens\":100,\"system\":[{\"type\":\"text\",\"text\":\"one\"},{\"type\":\"text\","
        "\"text\":\"two\"}],\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5000},"
        "\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\","
        "\"signature\":\"theirs\"},{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\","
        "\"input\":{\"b\":1,\"a\":2}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"behind\"},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"is_error\":true,\"content\":["
        "{\"type\":\"text\",\"text\":\"no\"},{\"type\":\"image\",\"source\":{\"type\":\"base64\","
        "\"media_type\":\"image/png\",\"data\":\"AAAA\"}}]}]}],"
        "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],"
        "\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}}",
        "{\"model\":\"gpt-4o\",\"input\":[{\"type\":\"message\",\"role\":\"developer\","
        "\"content\":[{\"type\":\"input_text\",\"text\":\"one\"},{\"type\":\"input_text\","
        "\"text\":\"two\"}]},"
        "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
        "\"text\":\"a\"}]},"
        "{\"type\":\"function_call\",\"call_id\":\"toolu_1\",\"name\":\"f\",\"arguments\":"
        "\"{\\\"b\\\":1,\\\"a\\\":2}\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"toolu_1\",\"output\":["
        "{\"type\":\"input_text\",\"text\":\"[tool error] no\"},"
        "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AAAA\",\"detail\":"
        "\"auto\"}]},"
        "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
        "\"text\":\"behind\"}]}],"
        "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{}},"
        "\"strict\":false}],\"tool_choice\":\"auto\",\"parallel_tool_calls\":false,"
        "\"reasoning\":{\"effort\":\"medium\",\"summary\":\"auto\"},\"max_output_tokens\":100,"
        "\"store\":false}",
        "messages[1].content[0].signature, messages[1].content[0], "
        "messages[2].content[1].is_error, "
        "thinking");
    model = "gpt-5";
}

/* Claude Code names its user in a piece of JSON. */
static void a_long_user_is_hashed(void **state)
{
    static const char asked[] =
        "{\"max_tokens\":20,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"metadata\":{"
        "\"user_id\":\"0123456789012345678901234567890123456789012345678901234567890123%s\"}}";
    char body[512];

    (void)state;
    (void)snprintf(body, sizeof(body), asked, "");
    struct made m = make(DIALECT_MESSAGES, DIALECT_RESPONSES, false, body);
    assert_true(str_find(buf_str(&m.body), STR("\"user\":\"0123")) != SIZE_MAX);
    assert_text(conversion_lossy(m.c), "");
    drop(&m);
    (void)snprintf(body, sizeof(body), asked, "4");
    m = make(DIALECT_MESSAGES, DIALECT_RESPONSES, false, body);
    size_t at = str_find(buf_str(&m.body), STR("\"user\":\""));
    assert_true(at != SIZE_MAX);
    struct str user = str_skip(buf_str(&m.body), at + sizeof("\"user\":\"") - 1);
    assert_int_equal(str_find_byte(user, '"'), 32);
    assert_text(conversion_lossy(m.c), "metadata.user_id");
    drop(&m);
}

static void what_the_dialect_lacks_is_refused(void **state)
{
    (void)state;
    assert_refused(DIALECT_CHAT, DIALECT_RESPONSES,
                   "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stop\":[\"x\"]}",
                   "stop");
    assert_refused(DIALECT_MESSAGES, DIALECT_RESPONSES,
                   "{\"max_tokens\":20,\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
                   "{\"role\":\"assistant\",\"content\":\"b\"}]}",
                   "messages[1]");
    assert_refused(DIALECT_MESSAGES, DIALECT_RESPONSES,
                   "{\"max_tokens\":20,\"top_k\":4,\"messages\":[{\"role\":\"user\",\"content\":"
                   "\"a\"}]}",
                   "top_k");
    assert_refused(DIALECT_CHAT, DIALECT_RESPONSES,
                   "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\","
                   "\"input_audio\":{\"data\":\"AAAA\",\"format\":\"wav\"}}]}]}",
                   "messages[0].content[0].input_audio");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_become_messages),
        cmocka_unit_test(tools_of_all_kinds),
        cmocka_unit_test(searched_tools_are_offered),
        cmocka_unit_test(the_clients_search_is_called),
        cmocka_unit_test(original_detail_is_high),
        cmocka_unit_test(a_forced_tool_is_found_in_its_group),
        cmocka_unit_test(what_cannot_be_taken_is_refused_by_name),
        cmocka_unit_test(what_is_lost_is_named),
        cmocka_unit_test(chat_becomes_items),
        cmocka_unit_test(messages_become_items),
        cmocka_unit_test(a_long_user_is_hashed),
        cmocka_unit_test(what_the_dialect_lacks_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
