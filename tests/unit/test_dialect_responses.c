/* SPDX-License-Identifier: Apache-2.0 */
/* The responses dialect in conversion: what its requests become and what it makes of others', its
 * replies read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dialect/convert.h"
#include "dialect/vendor.h"

#define OUT_MAX (4U << 20)

/* One conversion, and all that came of it. */
struct made {
    struct conversion *c;
    struct buf body, reply;
};

static const char *vendor = "openai";
static const char *model = "gpt-5";

static struct made make(enum dialect from, enum dialect to, bool stream, const char *body)
{
    struct made m;
    struct conversion_ask ask = {
        .from = from,
        .to = to,
        .vendor = vendor_find(str_from(vendor)),
        .model = str_from(model),
        .body = str_from(body),
        .reply_id = STR("1"),
        .created = 1700000000,
        .stream = stream,
        .framing = stream ? FRAMING_SSE : FRAMING_WHOLE,
        .max_output = 32000,
    };

    buf_init(&m.body, OUT_MAX);
    buf_init(&m.reply, OUT_MAX);
    m.c = conversion_new(&ask, &m.body);
    return m;
}

static void drop(struct made *m)
{
    conversion_free(m->c);
    buf_release(&m->body);
    buf_release(&m->reply);
}

static void assert_taken(const struct made *m)
{
    struct str where, why;

    if (conversion_refused(m->c, &where, &why)) {
        fail_msg("refused at '%.*s': %.*s", STR_ARG(where), STR_ARG(why));
    }
}

static void assert_text(struct str is, const char *should)
{
    if (!str_eq(is, str_from(should))) {
        fail_msg("\nis     %.*s\nshould %s", STR_ARG(is), should);
    }
}

/* The request as the upstream gets it, and what was lost on the way. */
static void assert_request(enum dialect from, enum dialect to, const char *body, const char *should,
                           const char *lossy)
{
    struct made m = make(from, to, false, body);

    assert_taken(&m);
    assert_text(buf_str(&m.body), should);
    assert_text(conversion_lossy(m.c), lossy);
    drop(&m);
}

static void assert_refused(enum dialect from, enum dialect to, const char *body, const char *where)
{
    struct made m = make(from, to, false, body);
    struct str at, why;

    if (!conversion_refused(m.c, &at, &why)) {
        fail_msg("not refused: %s", body);
    }
    assert_text(at, where);
    assert_true(why.n > 0);
    drop(&m);
}

static const struct usage used = {
    .state = USAGE_OK, .in = 7, .cache_read = 3, .out = 4, .reasoning = 1};

static void feed(struct made *m, const char *data)
{
    assert_true(conversion_event(m->c, str_from(data), &m->reply));
}

static void feed_all(struct made *m, const char *const *events)
{
    for (; *events != NULL; events++) {
        feed(m, *events);
    }
    assert_true(conversion_end(m->c, &used, &m->reply));
}

/* ---- events of a stream, one after the other ---- */

static struct str next_event(struct str *rest)
{
    size_t end = str_find(*rest, STR("\n\n"));
    struct str one = str_slice(rest->p, end);

    assert_true(end != SIZE_MAX);
    *rest = str_skip(*rest, end + 2);
    return one;
}

static struct json_doc *event_json(struct str event)
{
    size_t at = str_find(event, STR("data: "));
    struct json_doc *doc;

    assert_true(at != SIZE_MAX);
    doc = json_parse_exact(str_skip(event, at + 6), NULL);
    assert_non_null(doc);
    return doc;
}

/* Names that the events bear, each equal to its type, numbered from 0; the last event's document. */
static struct json_doc *assert_events(struct str stream, const char *const *names)
{
    struct json_doc *doc = NULL;
    uint64_t number, expected = 0;
    struct buf line;

    while (stream.n > 0) {
        struct str event = next_event(&stream);
        json_free(doc);
        doc = event_json(event);
        assert_non_null(*names);
        buf_init(&line, 4096);
        buf_cat(&line, STR("event: "), str_from(*names), STR("\n"));
        if (!str_starts(event, buf_str(&line))) {
            fail_msg("is %.60s, should be %s", event.p, *names);
        }
        assert_text(json_str(json_get(json_root(doc), "type")), *names);
        assert_true(json_u64(json_get(json_root(doc), "sequence_number"), &number));
        assert_int_equal(number, expected++);
        buf_release(&line);
        names++;
    }
    assert_null(*names);
    return doc;
}

static void assert_value(const struct json *root, const char *path, const char *should)
{
    struct buf text;
    const struct json *v = json_get(root, path);

    if (v == NULL) {
        fail_msg("%s is absent", path);
    }
    buf_init(&text, OUT_MAX);
    json_write_value(&text, v);
    assert_text(buf_str(&text), should);
    buf_release(&text);
}

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

#define TOOL(name, more) "{\"type\":\"function\",\"name\":\"" name "\"" more "}"

static void tools_of_all_kinds(void **state)
{
    (void)state;
    assert_request(DIALECT_RESPONSES, DIALECT_MESSAGES,
                   "{\"input\":\"hi\",\"max_output_tokens\":20,\"tools\":["
                   /* strict unless it says otherwise, where its schema allows that */
                   TOOL(
                       "closed", ",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{"
                                 "\"type\":"
                                 "\"string\"}},\"required\":[\"a\"],\"additionalProperties\":"
                                 "false}") "," TOOL("open",
                                                    ",\"parameters\":{\"type\":\"object\","
                                                    "\"properties\":{\"a\":{}}}") "," TOOL("loose",
                                                                                           ",\"stri"
                                                                                           "ct\":"
                                                                                           "false,"
                                                                                           "\"param"
                                                                                           "eters\""
                                                                                           ":null") ",{\"type\":\"custom\",\"name\":\"patch\",\"description\":\"Edits.\",\"format\":"
                                                                                                    "{\"type\":\"grammar\",\"syntax\":\"lark\",\"definition\":\"start: /x/\"}},"
                                                                                                    "{\"type\":\"namespace\",\"name\":\"crm\",\"description\":\"d\",\"tools\":[" TOOL(
                                                                                                        "find",
                                                                                                        ",\"strict\":false,\"defer_loading\":true") "]},"
                                                                                                                                                    "{\"type\":\"tool_search\"}],"
                                                                                                                                                    "\"parallel_tool_calls\":false,\"tool_choice\":\"required\"}",
                   "{\"model\":\"gpt-5\",\"max_tokens\":20,\"messages\":[{\"role\":\"user\","
                   "\"content\":["
                   "{\"type\":\"text\",\"text\":\"hi\"}]}],\"tools\":["
                   "{\"name\":\"closed\",\"input_schema\":{\"type\":\"object\",\"properties\":{"
                   "\"a\":{"
                   "\"type\":\"string\"}},\"required\":[\"a\"],\"additionalProperties\":false},"
                   "\"strict\":true},"
                   "{\"name\":\"open\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"a\":"
                   "{}}}},"
                   "{\"name\":\"loose\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}},"
                   "{\"name\":\"patch\",\"description\":\"Edits.\\n\\nThe whole input is one "
                   "string. It must "
                   "match this grammar:\\nstart: "
                   "/x/\",\"input_schema\":{\"type\":\"object\",\"properties\":"
                   "{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"],"
                   "\"additionalProperties\":false}},"
                   "{\"name\":\"crm__find\",\"input_schema\":{\"type\":\"object\",\"properties\":{}"
                   "}}],"
                   "\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true}}",
                   "tools[1], tools[4].tools[0].defer_loading, tools[5], tools[4].tools[0], "
                   "tools[3]");
}

/* What a search found is offered from the start, once, and the search itself is left out. */
static void searched_tools_are_offered(void **state)
{
    (void)state;
    assert_request(
        DIALECT_RESPONSES, DIALECT_CHAT,
        "{\"input\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"type\":\"tool_search_call\",\"call_id\":\"s\",\"execution\":\"client\","
        "\"arguments\":{}},"
        "{\"type\":\"tool_search_output\",\"call_id\":\"s\",\"tools\":[" TOOL("f", ",\"strict\":"
                                                                                   "false") "," TOOL(
            "g",
            ",\"strict\":false") "]},"
                                 "{\"type\":\"additional_tools\",\"role\":\"developer\",\"tools\":"
                                 "[" TOOL(
                                     "g",
                                     ",\"strict\":false") "]},"
                                                          "{\"role\":\"user\",\"content\":\"b\"}],"
                                                          "\"tools\":[" TOOL(
                                                              "f", ",\"strict\":false") "]}",
        "{\"model\":\"gpt-5\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"role\":\"user\",\"content\":\"b\"}],\"tools\":["
        "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{}}}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{\"type\":\"object\","
        "\"properties\":{}}}}]}",
        "input[1], input[2], input[3]");
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
        "input[1].phase, input[1].content[0].annotations, input[0].content[1], text.verbosity, "
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
        "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\"},"
        "\"strict\":false}],\"tool_choice\":\"auto\",\"parallel_tool_calls\":false,"
        "\"reasoning\":{\"effort\":\"medium\",\"summary\":\"auto\"},\"max_output_tokens\":100,"
        "\"store\":false}",
        "messages[1].content[0], messages[2].content[1], thinking");
    model = "gpt-5";
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

/* ---- replies written ---- */

#define DELTA(inside) \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" inside "}}]}"
#define FINISH(word)                                                        \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{}," \
    "\"finish_reason\":\"" word "\"}]}"
#define ASK                                                                                        \
    "{\"model\":\"m\",\"input\":\"hi\",\"instructions\":\"i\",\"tools\":[" TOOL(                   \
        "f",                                                                                       \
        ",\"parameters\":{\"type\":\"object\"},\"strict\":false") ",{\"type\":\"custom\","         \
                                                                  "\"name\":\"p\"},{\"type\":"     \
                                                                  "\"namespace\",\"name\":\"ns\"," \
                                                                  "\"description\":\"d\","         \
                                                                  "\"tools\":[" TOOL(              \
                                                                      "g",                         \
                                                                      ",\"strict\":false") "]}]}"

static void a_stream_has_the_exact_events(void **state)
{
    static const char *const events[] = {
        DELTA("\"role\":\"assistant\",\"content\":\"\""),
        DELTA("\"reasoning_content\":\"h\""),
        DELTA("\"reasoning_content\":\"m\""),
        DELTA("\"content\":\"Hel\""),
        DELTA("\"content\":\"lo\""),
        DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"{\\\"a\\\":\"}}]"),
        DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]"),
        DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"p\","
              "\"arguments\":\"{\\\"input\\\":\\\"*** a\\\\nb\\\"}\"}}]"),
        DELTA("\"tool_calls\":[{\"index\":2,\"id\":\"c3\",\"function\":{\"name\":\"ns__g\","
              "\"arguments\":\"\"}}]"),
        FINISH("tool_calls"),
        "[DONE]",
        NULL,
    };
    static const char *const names[] = {
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
        NULL,
    };
    struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true, ASK);

    (void)state;
    assert_taken(&m);
    feed_all(&m, events);
    struct json_doc *doc = assert_events(buf_str(&m.reply), names);
    const struct json *response = json_get(json_root(doc), "response");
    assert_value(response, "status", "\"completed\"");
    assert_value(response, "output",
                 "[{\"id\":\"rs_1_0\",\"type\":\"reasoning\",\"summary\":[{\"type\":"
                 "\"summary_text\",\"text\":\"hm\"}],\"encrypted_content\":"
                 "\"rly1.openai.32c6158.taG0\"},"
                 "{\"id\":\"msg_1_1\",\"type\":\"message\",\"status\":\"completed\",\"role\":"
                 "\"assistant\",\"content\":[{\"type\":\"output_text\",\"annotations\":[],"
                 "\"logprobs\":[],\"text\":\"Hello\"}]},"
                 "{\"id\":\"fc_1_2\",\"type\":\"function_call\",\"status\":\"completed\","
                 "\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"},"
                 "{\"id\":\"ctc_1_3\",\"type\":\"custom_tool_call\",\"status\":\"completed\","
                 "\"call_id\":\"c2\",\"name\":\"p\",\"input\":\"*** a\\nb\"},"
                 "{\"id\":\"fc_1_4\",\"type\":\"function_call\",\"status\":\"completed\","
                 "\"call_id\":\"c3\",\"name\":\"g\",\"namespace\":\"ns\",\"arguments\":\"{}\"}]");
    assert_value(response, "usage",
                 "{\"input_tokens\":10,\"input_tokens_details\":{\"cached_tokens\":3,"
                 "\"cache_write_tokens\":0},\"output_tokens\":5,\"output_tokens_details\":{"
                 "\"reasoning_tokens\":1},\"total_tokens\":15}");
    json_free(doc);
    drop(&m);
}

static void an_event_says_which_item_it_is_of(void **state)
{
    struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true, "{\"input\":\"hi\"}");
    struct str rest;

    (void)state;
    feed(&m, DELTA("\"content\":\"\\\"x\""));
    rest = buf_str(&m.reply);
    (void)next_event(&rest);
    (void)next_event(&rest);
    assert_text(next_event(&rest),
                "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\","
                "\"sequence_number\":2,\"output_index\":0,\"item\":{\"id\":\"msg_1_0\",\"type\":"
                "\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}");
    assert_text(next_event(&rest),
                "event: response.content_part.added\ndata: {\"type\":\"response.content_part."
                "added\",\"sequence_number\":3,\"item_id\":\"msg_1_0\",\"output_index\":0,"
                "\"content_index\":0,\"part\":{\"type\":\"output_text\",\"annotations\":[],"
                "\"logprobs\":[],\"text\":\"\"}}");
    assert_text(next_event(&rest),
                "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
                "\"sequence_number\":4,\"item_id\":\"msg_1_0\",\"output_index\":0,"
                "\"content_index\":0,\"delta\":\"\\\"x\",\"logprobs\":[]}");
    assert_int_equal(rest.n, 0);
    drop(&m);
}

/* Texts behind each other are one message's contents; a call between them makes two messages. */
static void texts_in_a_row_are_one_message(void **state)
{
    static const char *const events[] = {
        "{\"type\":\"message_start\",\"message\":{\"id\":\"x\",\"model\":\"m\"}}",
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
        "\"text\":\"\"}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
        "\"text\":\"a\"}}",
        "{\"type\":\"content_block_stop\",\"index\":0}",
        "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\","
        "\"text\":\"b\"}}",
        "{\"type\":\"content_block_stop\",\"index\":1}",
        "{\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\","
        "\"id\":\"t\",\"name\":\"f\",\"input\":{}}}",
        "{\"type\":\"content_block_stop\",\"index\":2}",
        "{\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":\"text_delta\","
        "\"text\":\"c\"}}",
        "{\"type\":\"content_block_stop\",\"index\":3}",
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}",
        "{\"type\":\"message_stop\"}",
        NULL,
    };
    static const char *const names[] = {
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
        NULL,
    };
    struct made m = make(DIALECT_RESPONSES, DIALECT_MESSAGES, true, ASK);

    (void)state;
    feed_all(&m, events);
    struct json_doc *doc = assert_events(buf_str(&m.reply), names);
    assert_value(json_root(doc), "response.output.0.content.1.text", "\"b\"");
    assert_value(json_root(doc), "response.output.1.arguments", "\"{}\"");
    assert_value(json_root(doc), "response.output.2.content.0.text", "\"c\"");
    assert_value(json_root(doc), "response.output.2.id", "\"msg_1_2\"");
    json_free(doc);
    drop(&m);
}

/* Every key that Open Responses demands of a response, whatever its value. */
static void a_response_has_all_of_its_members(void **state)
{
    static const char *const keys[] = {"id",
                                       "object",
                                       "created_at",
                                       "completed_at",
                                       "status",
                                       "incomplete_details",
                                       "model",
                                       "previous_response_id",
                                       "instructions",
                                       "output",
                                       "error",
                                       "tools",
                                       "tool_choice",
                                       "truncation",
                                       "parallel_tool_calls",
                                       "text",
                                       "top_p",
                                       "presence_penalty",
                                       "frequency_penalty",
                                       "top_logprobs",
                                       "temperature",
                                       "reasoning",
                                       "usage",
                                       "max_output_tokens",
                                       "max_tool_calls",
                                       "store",
                                       "background",
                                       "service_tier",
                                       "metadata",
                                       "safety_identifier",
                                       "prompt_cache_key"};
    struct made m =
        make(DIALECT_RESPONSES, DIALECT_CHAT, false,
             "{\"input\":\"hi\",\"instructions\":\"i\",\"temperature\":0.70,\"top_p\":null,"
             "\"store\":true,\"tool_choice\":\"auto\",\"metadata\":{\"a\":\"b\"},"
             "\"text\":{\"verbosity\":\"low\"},\"reasoning\":{\"effort\":\"low\"},"
             "\"parallel_tool_calls\":false,\"tools\":[" TOOL("f", "") "]}");

    (void)state;
    assert_taken(&m);
    assert_true(conversion_whole(m.c,
                                 STR("{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"message\":{"
                                     "\"content\":\"yes\"},\"finish_reason\":\"stop\"}]}"),
                                 &used, &m.reply));
    struct json_doc *doc = json_parse_exact(buf_str(&m.reply), NULL);
    const struct json *root = json_root(doc);
    assert_int_equal(sizeof(keys) / sizeof(keys[0]), 31);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (json_get(root, keys[i]) == NULL) {
            fail_msg("%s is missing", keys[i]);
        }
    }
    assert_value(root, "id", "\"resp_1\"");
    assert_value(root, "created_at", "1700000000");
    assert_value(root, "instructions", "\"i\"");
    assert_value(root, "temperature", "0.70");
    assert_value(root, "top_p", "1");
    assert_value(root, "store", "false");
    assert_value(root, "metadata", "{\"a\":\"b\"}");
    assert_value(root, "parallel_tool_calls", "false");
    assert_value(root, "text", "{\"verbosity\":\"low\",\"format\":{\"type\":\"text\"}}");
    assert_value(root, "reasoning", "{\"effort\":\"low\",\"summary\":null}");
    assert_value(root, "tools",
                 "[{\"type\":\"function\",\"name\":\"f\",\"description\":null,\"parameters\":null,"
                 "\"strict\":true}]");
    json_free(doc);
    drop(&m);
}

/* The same reply streamed in pieces of every size, and whole: one response. */
static void pieces_make_no_difference(void **state)
{
    const char *arguments = "{\"a\":\"\\\"}{\",\"b\":[1,{}]}";
    struct made whole = make(DIALECT_RESPONSES, DIALECT_CHAT, false, ASK);
    struct buf body;
    struct json_out o = {&body, false};

    (void)state;
    buf_init(&body, OUT_MAX);
    buf_add(&body, STR("{\"model\":\"m\",\"choices\":[{\"message\":{\"reasoning_content\":\"hm\","
                       "\"content\":\"Hello\",\"tool_calls\":[{\"id\":\"c1\",\"function\":{"
                       "\"name\":\"f\",\"arguments\":"));
    json_put_str(&o, str_from(arguments));
    buf_add(&body, STR("}}]},\"finish_reason\":\"tool_calls\"}]}"));
    assert_true(conversion_whole(whole.c, buf_str(&body), &used, &whole.reply));
    for (size_t step = 1; step <= strlen(arguments); step++) {
        struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true, ASK);
        feed(&m, DELTA("\"reasoning_content\":\"hm\""));
        feed(&m, DELTA("\"content\":\"Hel\""));
        feed(&m, DELTA("\"content\":\"lo\""));
        feed(&m,
             DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\"}}]"));
        for (size_t at = 0; at < strlen(arguments); at += step) {
            struct str piece = str_skip(str_from(arguments), at);
            buf_clear(&body);
            buf_add(&body, STR("{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
                               "\"function\":{\"arguments\":"));
            json_write_str(&body, str_slice(piece.p, piece.n < step ? piece.n : step));
            buf_add(&body, STR("}}]}}]}"));
            assert_true(conversion_event(m.c, buf_str(&body), &m.reply));
        }
        feed(&m, FINISH("tool_calls"));
        assert_true(conversion_end(m.c, &used, &m.reply));
        size_t last = str_find(buf_str(&m.reply), STR("\"response.completed\""));
        assert_true(last != SIZE_MAX);
        struct str end = str_skip(buf_str(&m.reply), last);
        end = str_skip(end, str_find(end, STR("\"response\":{")) + sizeof("\"response\":") - 1);
        assert_true(str_starts(end, buf_str(&whole.reply)));
        assert_text(str_skip(end, whole.reply.n), "}\n\n");
        drop(&m);
    }
    buf_release(&body);
    drop(&whole);
}

static void what_was_cut_is_incomplete(void **state)
{
    static const char *const call[] = {
        DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"{\\\"a\\\":\"}}]"),
        FINISH("length"), NULL};
    static const char *const named[] = {
        DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"\"}}]"),
        FINISH("length"), NULL};
    static const char *const text[] = {DELTA("\"content\":\"a\""), FINISH("content_filter"), NULL};
    static const struct {
        const char *const *events;
        const char *reason;
    } cases[] = {{call, "\"max_output_tokens\""},
                 {named, "\"max_output_tokens\""},
                 {text, "\"content_filter\""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true, ASK);
        feed_all(&m, cases[i].events);
        size_t at = str_find(buf_str(&m.reply), STR("event: response.incomplete\n"));
        assert_true(at != SIZE_MAX);
        struct json_doc *doc = event_json(str_skip(buf_str(&m.reply), at));
        assert_value(json_root(doc), "response.status", "\"incomplete\"");
        assert_value(json_root(doc), "response.incomplete_details.reason", cases[i].reason);
        assert_value(json_root(doc), "response.output.0.status", "\"incomplete\"");
        json_free(doc);
        drop(&m);
    }
}

static void a_failure_bears_its_number_and_response(void **state)
{
    struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true, ASK);
    struct problem p = {502, "upstream_broke", STR("It broke."), NULL};

    (void)state;
    feed(&m, DELTA("\"content\":\"a\""));
    buf_clear(&m.reply);
    conversion_fail(m.c, FRAMING_SSE, &p, &m.reply);
    assert_true(str_starts(buf_str(&m.reply), STR("event: response.failed\n")));
    struct json_doc *doc = event_json(buf_str(&m.reply));
    assert_value(json_root(doc), "sequence_number", "5");
    assert_value(json_root(doc), "response.id", "\"resp_1\"");
    assert_value(json_root(doc), "response.status", "\"failed\"");
    assert_value(json_root(doc), "response.error",
                 "{\"code\":\"upstream_broke\",\"message\":\"It broke.\"}");
    json_free(doc);
    drop(&m);
}

/* ---- state that goes around ---- */

static struct str field_of(struct made *m, const char *path, struct json_doc **doc)
{
    *doc = json_parse_exact(buf_str(&m->reply), NULL);
    assert_non_null(*doc);
    return json_str(json_get(json_root(*doc), path));
}

/* Codex returns nothing of reasoning but its encrypted content: the text comes back out of it. */
static void thoughts_without_a_state_survive_their_client(void **state)
{
    struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, false, "{\"input\":\"hi\"}");
    struct json_doc *doc;
    struct buf next;

    (void)state;
    assert_true(conversion_whole(
        m.c,
        STR("{\"model\":\"m\",\"choices\":[{\"message\":{\"reasoning_content\":\"deep\","
            "\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
            "\"finish_reason\":\"tool_calls\"}]}"),
        &used, &m.reply));
    struct str envelope = field_of(&m, "output.0.encrypted_content", &doc);
    buf_init(&next, OUT_MAX);
    buf_cat(
        &next,
        STR("{\"input\":[{\"role\":\"user\",\"content\":\"hi\"},{\"type\":\"reasoning\","
            "\"summary\":[],\"encrypted_content\":\""),
        envelope,
        STR("\"},{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":"
            "\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"x\"}]}"));
    buf_add_byte(&next, '\0');
    vendor = "deepseek";
    struct made back = make(DIALECT_RESPONSES, DIALECT_CHAT, false, next.p);
    vendor = "openai";
    assert_taken(&back);
    assert_text(conversion_lossy(back.c), "");
    assert_true(str_find(buf_str(&back.body), STR("\"reasoning_content\":\"deep\"")) != SIZE_MAX);
    drop(&back);
    buf_release(&next);
    json_free(doc);
    drop(&m);
}

/* The id and the encrypted content of an item go around together, in a signature of Messages. */
static void the_state_of_an_item_comes_back_as_it_was(void **state)
{
    static const char whole[] =
        "{\"id\":\"resp_9\",\"model\":\"m\",\"status\":\"completed\",\"output\":["
        "{\"type\":\"reasoning\",\"id\":\"rs_9\",\"summary\":[{\"type\":\"summary_text\",\"text\":"
        "\"one\"},{\"type\":\"summary_text\",\"text\":\"two\"}],\"encrypted_content\":\"gAAA==\"},"
        "{\"type\":\"function_call\",\"id\":\"fc_9\",\"call_id\":\"c9\",\"name\":\"f\","
        "\"arguments\":\"{}\"}]}";
    struct made m =
        make(DIALECT_MESSAGES, DIALECT_RESPONSES, false,
             "{\"max_tokens\":99,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    struct json_doc *doc;
    struct buf next;

    (void)state;
    assert_true(conversion_whole(m.c, str_from(whole), &used, &m.reply));
    struct str envelope = field_of(&m, "content.0.signature", &doc);
    assert_value(json_root(doc), "content.0.thinking", "\"one\\n\\ntwo\"");
    assert_value(json_root(doc), "stop_reason", "\"tool_use\"");
    buf_init(&next, OUT_MAX);
    buf_cat(&next,
            STR("{\"max_tokens\":99,\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
                "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":"
                "\"one\\n\\ntwo\",\"signature\":\""),
            envelope,
            STR("\"},{\"type\":\"tool_use\",\"id\":\"c9\",\"name\":\"f\",\"input\":{}}]},"
                "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"c9\","
                "\"content\":\"x\"}]}]}"));
    buf_add_byte(&next, '\0');
    struct made back = make(DIALECT_MESSAGES, DIALECT_RESPONSES, false, next.p);
    assert_taken(&back);
    assert_true(str_find(buf_str(&back.body),
                         STR("{\"type\":\"reasoning\",\"id\":\"rs_9\",\"summary\":[{\"type\":"
                             "\"summary_text\",\"text\":\"one\\n\\ntwo\"}],\"encrypted_content\":"
                             "\"gAAA==\"},{\"type\":\"function_call\",")) != SIZE_MAX);
    drop(&back);
    model = "gpt-6"; /* another model cannot read it */
    back = make(DIALECT_MESSAGES, DIALECT_RESPONSES, false, next.p);
    model = "gpt-5";
    assert_taken(&back);
    assert_true(str_find(buf_str(&back.body), STR("rs_9")) == SIZE_MAX);
    assert_text(conversion_lossy(back.c), "messages[1].content[0]");
    drop(&back);
    buf_release(&next);
    json_free(doc);
    drop(&m);
}

/* ---- replies read ---- */

#define ITEM_ADDED(index, item) \
    "{\"type\":\"response.output_item.added\",\"output_index\":" index ",\"item\":{" item "}}"
#define ITEM_DONE(index, item) \
    "{\"type\":\"response.output_item.done\",\"output_index\":" index ",\"item\":{" item "}}"
#define THOUGHT                                                                     \
    "\"type\":\"reasoning\",\"id\":\"rs\",\"summary\":[{\"type\":\"summary_text\"," \
    "\"text\":\"one\"},{\"type\":\"summary_text\",\"text\":\"two\"}],"              \
    "\"encrypted_content\":\"s\""
#define SAID                                                                 \
    "\"type\":\"message\",\"id\":\"m\",\"role\":\"assistant\",\"content\":[" \
    "{\"type\":\"output_text\",\"text\":\"Hello\",\"annotations\":[]},"      \
    "{\"type\":\"refusal\",\"refusal\":\"No.\"}]"
#define CALLED                                                                    \
    "\"type\":\"function_call\",\"id\":\"fc\",\"call_id\":\"c1\",\"name\":\"f\"," \
    "\"arguments\":\"{\\\"a\\\":1}\""
#define CUSTOM                                                                        \
    "\"type\":\"custom_tool_call\",\"id\":\"ctc\",\"call_id\":\"c2\",\"name\":\"p\"," \
    "\"input\":\"*** x\""
#define BEGUN "{\"type\":\"response.created\",\"response\":{\"id\":\"resp\",\"model\":\"m\"}}"
#define ENDED                                                                         \
    "{\"type\":\"response.completed\",\"response\":{\"id\":\"resp\",\"model\":\"m\"," \
    "\"status\":\"completed\",\"output\":[{" THOUGHT "},{" SAID "},{" CALLED "},{" CUSTOM "}]}}"

static const char *const with_deltas[] = {
    BEGUN,
    ITEM_ADDED("0", "\"type\":\"reasoning\",\"id\":\"rs\",\"summary\":[],"
                    "\"encrypted_content\":\"early\""),
    "{\"type\":\"response.reasoning_summary_part.added\",\"output_index\":0,\"summary_index\":0}",
    "{\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":0,\"delta\":\"on\"}",
    "{\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":0,\"delta\":\"e\"}",
    "{\"type\":\"response.reasoning_summary_text.done\",\"output_index\":0,\"text\":\"one\"}",
    "{\"type\":\"response.reasoning_summary_part.added\",\"output_index\":0,\"summary_index\":1}",
    "{\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":0,\"delta\":\"two\"}",
    ITEM_DONE("0", THOUGHT),
    ITEM_ADDED("1", "\"type\":\"message\",\"id\":\"m\",\"content\":[]"),
    "{\"type\":\"response.output_text.delta\",\"output_index\":1,\"content_index\":0,\"delta\":"
    "\"Hel\",\"obfuscation\":\"xyz\"}",
    "{\"type\":\"response.output_text.delta\",\"output_index\":1,\"content_index\":0,\"delta\":"
    "\"lo\"}",
    "{\"type\":\"response.output_text.done\",\"output_index\":1,\"content_index\":0,\"text\":"
    "\"Hello\"}",
    "{\"type\":\"response.refusal.delta\",\"output_index\":1,\"content_index\":1,\"delta\":"
    "\"No.\"}",
    "{\"type\":\"response.refusal.done\",\"output_index\":1,\"content_index\":1,\"refusal\":"
    "\"No.\"}",
    ITEM_DONE("1", SAID),
    ITEM_ADDED("2", "\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\","
                    "\"arguments\":\"\""),
    "{\"type\":\"response.function_call_arguments.delta\",\"output_index\":2,\"delta\":"
    "\"{\\\"a\\\"\"}",
    "{\"type\":\"response.function_call_arguments.delta\",\"output_index\":2,\"delta\":\":1}\"}",
    "{\"type\":\"response.function_call_arguments.done\",\"output_index\":2,\"arguments\":"
    "\"{\\\"a\\\":1}\"}",
    ITEM_DONE("2", CALLED),
    ITEM_ADDED("3", "\"type\":\"custom_tool_call\",\"call_id\":\"c2\",\"name\":\"p\","
                    "\"input\":\"\""),
    "{\"type\":\"response.custom_tool_call_input.delta\",\"output_index\":3,\"delta\":\"*** \"}",
    "{\"type\":\"response.custom_tool_call_input.delta\",\"output_index\":3,\"delta\":\"x\"}",
    "{\"type\":\"response.custom_tool_call_input.done\",\"output_index\":3,\"input\":\"*** x\"}",
    ITEM_DONE("3", CUSTOM),
    ENDED,
    NULL,
};
static const char *const only_done[] = {
    BEGUN,
    ITEM_DONE("0", THOUGHT),
    ITEM_DONE("1", SAID),
    ITEM_DONE("2", CALLED),
    ITEM_DONE("3", CUSTOM),
    ENDED,
    NULL,
};
static const char *const only_last[] = {BEGUN, ENDED, NULL};

#define CHAT_ASK                                                                    \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{\"type\":"   \
    "\"function\",\"function\":{\"name\":\"f\"}},{\"type\":\"custom\",\"custom\":{" \
    "\"name\":\"p\"}}]}"

/* All texts of one member of the deltas, one behind the other. */
static struct str joined(struct str stream, const char *path, struct buf *out)
{
    buf_clear(out);
    while (stream.n > 0) {
        struct str event = next_event(&stream);
        if (str_ends(event, STR("[DONE]"))) {
            break;
        }
        struct json_doc *doc = event_json(event);
        buf_add(out, json_str(json_get(json_root(doc), path)));
        json_free(doc);
    }
    return buf_str(out);
}

static void a_stream_is_read_with_and_without_deltas(void **state)
{
    static const char *const *const streams[] = {with_deltas, only_done, only_last};
    struct buf text;

    (void)state;
    buf_init(&text, OUT_MAX);
    for (size_t i = 0; i < 3; i++) {
        struct made m = make(DIALECT_CHAT, DIALECT_RESPONSES, true, CHAT_ASK);
        assert_taken(&m);
        feed_all(&m, streams[i]);
        struct str stream = buf_str(&m.reply);
        assert_text(joined(stream, "choices.0.delta.reasoning_content", &text), "one\n\ntwo");
        assert_text(joined(stream, "choices.0.delta.content", &text), "Hello");
        assert_text(joined(stream, "choices.0.delta.refusal", &text), "No.");
        assert_text(joined(stream, "choices.0.delta.tool_calls.0.id", &text), "c1c2");
        assert_text(joined(stream, "choices.0.delta.tool_calls.0.function.name", &text), "f");
        assert_text(joined(stream, "choices.0.delta.tool_calls.0.function.arguments", &text),
                    "{\"a\":1}");
        assert_text(joined(stream, "choices.0.delta.tool_calls.0.custom.input", &text), "*** x");
        assert_text(joined(stream, "choices.0.finish_reason", &text), "tool_calls");
        assert_text(joined(stream, "choices.0.delta.reasoning_details.0.data", &text),
                    "rly1.openai.32c6158.ocnMgcw");
        drop(&m);
    }
    buf_release(&text);
}

static void a_whole_reply_is_read(void **state)
{
    struct made m = make(DIALECT_CHAT, DIALECT_RESPONSES, false, CHAT_ASK);
    struct json_doc *doc;

    (void)state;
    assert_true(conversion_whole(m.c,
                                 STR("{\"id\":\"resp\",\"model\":\"m\",\"status\":\"incomplete\","
                                     "\"incomplete_details\":{\"reason\":\"max_output_tokens\"},"
                                     "\"output\":[{" THOUGHT
                                     "},{\"type\":\"web_search_call\"},{" SAID "},{" CALLED "}]}"),
                                 &used, &m.reply));
    assert_text(field_of(&m, "choices.0.finish_reason", &doc), "length");
    assert_value(json_root(doc), "choices.0.message.content", "\"Hello\"");
    assert_value(json_root(doc), "choices.0.message.refusal", "\"No.\"");
    assert_value(json_root(doc), "choices.0.message.reasoning_content", "\"one\\n\\ntwo\"");
    assert_value(json_root(doc), "choices.0.message.tool_calls.0.function.arguments",
                 "\"{\\\"a\\\":1}\"");
    assert_value(json_root(doc), "usage.prompt_tokens", "10");
    json_free(doc);
    drop(&m);
}

static void a_failed_reply_is_none(void **state)
{
    static const char *const bodies[] = {
        "{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"x\"},\"output\":[]}",
        "{\"id\":\"r\",\"status\":\"completed\"}",
        "[]",
        "no",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct made m = make(DIALECT_CHAT, DIALECT_RESPONSES, false, CHAT_ASK);
        assert_false(conversion_whole(m.c, str_from(bodies[i]), &used, &m.reply));
        drop(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_become_messages),
        cmocka_unit_test(tools_of_all_kinds),
        cmocka_unit_test(searched_tools_are_offered),
        cmocka_unit_test(what_cannot_be_taken_is_refused_by_name),
        cmocka_unit_test(what_is_lost_is_named),
        cmocka_unit_test(chat_becomes_items),
        cmocka_unit_test(messages_become_items),
        cmocka_unit_test(what_the_dialect_lacks_is_refused),
        cmocka_unit_test(a_stream_has_the_exact_events),
        cmocka_unit_test(an_event_says_which_item_it_is_of),
        cmocka_unit_test(texts_in_a_row_are_one_message),
        cmocka_unit_test(a_response_has_all_of_its_members),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(what_was_cut_is_incomplete),
        cmocka_unit_test(a_failure_bears_its_number_and_response),
        cmocka_unit_test(thoughts_without_a_state_survive_their_client),
        cmocka_unit_test(the_state_of_an_item_comes_back_as_it_was),
        cmocka_unit_test(a_stream_is_read_with_and_without_deltas),
        cmocka_unit_test(a_whole_reply_is_read),
        cmocka_unit_test(a_failed_reply_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
