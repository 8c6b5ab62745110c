/* SPDX-License-Identifier: Apache-2.0 */
/* Gemini's dialect into and out of the others: requests, replies as streams and whole, and what a
 * client carries for the upstream between two of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dialect/convert.h"
#include "dialect/vendor.h"

#define MAX (1U << 20)

static struct conversion *begin(enum dialect from, enum dialect to, const char *model,
                                enum framing framing, struct str body, struct buf *out)
{
    static const char *const names[] = {"openai-compatible", "openai", "anthropic", "gemini"};
    struct conversion_ask ask = {
        .from = from,
        .to = to,
        .vendor = vendor_find(str_from(names[to])),
        .model = str_from(model),
        .body = body,
        .reply_id = STR("R1"),
        .created = 7,
        .stream = framing != FRAMING_WHOLE,
        .framing = framing,
        .max_output = 1000,
    };

    buf_init(out, MAX);
    return conversion_new(&ask, out);
}

static void check(struct str got, const char *want)
{
    if (!str_eq(got, str_from(want))) {
        fail_msg("\n got %.*s\nwant %s", STR_ARG(got), want);
    }
}

/* What the upstream is asked, and what is named as lost. */
static void asks(enum dialect from, enum dialect to, const char *model, const char *body,
                 const char *want, const char *lossy)
{
    struct buf out;
    struct str where, why;
    struct conversion *c = begin(from, to, model, FRAMING_WHOLE, str_from(body), &out);

    if (conversion_refused(c, &where, &why)) {
        fail_msg("refused at '%.*s': %.*s", STR_ARG(where), STR_ARG(why));
    }
    check(buf_str(&out), want);
    check(conversion_lossy(c), lossy);
    conversion_free(c);
    buf_release(&out);
}

static void refuses(enum dialect from, enum dialect to, const char *body, const char *at)
{
    struct buf out;
    struct str where, why;
    struct conversion *c = begin(from, to, "gemini-2.5-flash", FRAMING_WHOLE, str_from(body), &out);

    if (!conversion_refused(c, &where, &why)) {
        fail_msg("not refused: %s", body);
    }
    check(where, at);
    assert_true(why.n > 0);
    conversion_free(c);
    buf_release(&out);
}

static const struct usage some = {
    .state = USAGE_OK, .in = 6, .cache_read = 4, .out = 5, .reasoning = 3};

/* A stream of the upstream's events, or a whole reply, as the client gets it. */
static void answers(enum dialect from, enum dialect to, enum framing framing, const char *body,
                    const char *const *events, const char *want)
{
    struct buf out, got;
    struct conversion *c = begin(from, to, "m", framing, str_from(body), &out);

    buf_init(&got, MAX);
    if (framing == FRAMING_WHOLE) {
        assert_true(conversion_whole(c, str_from(events[0]), &some, &got));
    } else {
        for (size_t i = 0; events[i] != NULL; i++) {
            assert_true(conversion_event(c, str_from(events[i]), &got));
        }
        assert_true(conversion_end(c, &some, &got));
    }
    check(buf_str(&got), want);
    conversion_free(c);
    buf_release(&out);
    buf_release(&got);
}

/* ---- requests toward Gemini ---- */

static const char tool_history[] =
    "{\"model\":\"x\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
    "{\"role\":\"user\",\"content\":\"hi\"},"
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
    "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
    "\"{\\\"a\\\":12345678901234567890}\"}},"
    "{\"id\":\"call_2\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"call_2\",\"content\":\"two\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"{\\\"x\\\":1}\"}]}";

#define CONTENTS(signature)                                                                        \
    "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]},{\"role\":\"model\","         \
    "\"parts\":[{\"functionCall\":{\"id\":\"call_1\",\"name\":\"f\",\"args\":"                     \
    "{\"a\":12345678901234567890}}" signature "},"                                                 \
    "{\"functionCall\":{\"id\":\"call_2\",\"name\":\"f\",\"args\":{}}}]},{\"role\":\"user\","      \
    "\"parts\":[{\"functionResponse\":{\"id\":\"call_1\",\"name\":\"f\",\"response\":{\"x\":1}}}," \
    "{\"functionResponse\":{\"id\":\"call_2\",\"name\":\"f\",\"response\":"                        \
    "{\"output\":\"two\"}}}]}]"
#define SYSTEM "\"systemInstruction\":{\"parts\":[{\"text\":\"Be brief.\"}]},"

static void results_stand_in_the_order_of_their_calls(void **state)
{
    (void)state;
    asks(DIALECT_CHAT, DIALECT_GEMINI, "gemini-2.5-pro", tool_history, "{" SYSTEM CONTENTS("") "}",
         "");
}

/* The first call of a step, where its state is not known; siblings have none. */
static void later_models_get_a_word_for_a_missing_signature(void **state)
{
    (void)state;
    asks(DIALECT_CHAT, DIALECT_GEMINI, "gemini-3-pro", tool_history,
         "{" SYSTEM CONTENTS(",\"thoughtSignature\":\"skip_thought_signature_validator\"") "}", "");
}

static void settings_go_into_generation_config(void **state)
{
    (void)state;
    asks(DIALECT_CHAT, DIALECT_GEMINI, "gemini-2.5-flash",
         "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.70,"
         "\"top_p\":1,\"seed\":3,\"stop\":\"z\",\"max_tokens\":50,\"n\":1,\"user\":\"u\","
         "\"frequency_penalty\":0.5,\"reasoning_effort\":\"high\",\"response_format\":"
         "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":"
         "{\"type\":\"object\",\"x-y\":[1.50]}}}}",
         "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}],\"generationConfig\":"
         "{\"maxOutputTokens\":50,\"stopSequences\":[\"z\"],\"responseMimeType\":"
         "\"application/json\",\"responseJsonSchema\":{\"type\":\"object\",\"x-y\":[1.50]},"
         "\"thinkingConfig\":{\"thinkingBudget\":16384,\"includeThoughts\":true},"
         "\"temperature\":0.70,\"topP\":1,\"frequencyPenalty\":0.5,\"seed\":3}}",
         "response_format.json_schema.name, reasoning_effort, user");
}

static void effort_is_a_level_or_a_budget(void **state)
{
    (void)state;
    static const struct {
        const char *model, *body, *config, *lossy;
    } cases[] = {
        {"gemini-3-flash", "\"reasoning_effort\":\"low\"",
         "\"thinkingLevel\":\"LOW\",\"includeThoughts\":true", ""},
        {"gemini-3-flash", "\"reasoning_effort\":\"xhigh\"",
         "\"thinkingLevel\":\"HIGH\",\"includeThoughts\":true", "reasoning_effort"},
        {"gemini-3-flash", "\"reasoning_effort\":\"none\"",
         "\"thinkingLevel\":\"MINIMAL\",\"includeThoughts\":false", "reasoning_effort"},
        {"gemini-2.5-flash", "\"reasoning_effort\":\"none\"",
         "\"thinkingBudget\":0,\"includeThoughts\":false", ""},
        {"gemini-2.5-flash", "\"reasoning_effort\":\"xhigh\"",
         "\"thinkingBudget\":24576,\"includeThoughts\":true", "reasoning_effort"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[256], want[512];
        (void)snprintf(body, sizeof(body),
                       "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],%s}", cases[i].body);
        (void)snprintf(want, sizeof(want),
                       "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}],"
                       "\"generationConfig\":{\"thinkingConfig\":{%s}}}",
                       cases[i].config);
        asks(DIALECT_CHAT, DIALECT_GEMINI, cases[i].model, body, want, cases[i].lossy);
    }
}

static void functions_keep_their_schemas(void **state)
{
    (void)state;
    asks(
        DIALECT_CHAT, DIALECT_GEMINI, "gemini-2.5-flash",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":["
        "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"strict\":true,"
        "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"const\":3}}}}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"1 g\"}}],"
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"1 g\"}}}",
        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}],\"tools\":["
        "{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"d\","
        "\"parametersJsonSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"const\":3}}}},"
        "{\"name\":\"__g_365a96e9\"}]}],\"toolConfig\":{\"functionCallingConfig\":"
        "{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"__g_365a96e9\"]}}}",
        "tools[1].function.name, tools[0].function.strict");
}

static void a_schema_that_is_wrong_is_not_left_out(void **state)
{
    (void)state;
    asks(DIALECT_CHAT, DIALECT_GEMINI, "gemini-2.5-flash",
         "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":["
         "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
         "\"properties\":7}}},{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":"
         "{\"type\":\"object\",\"required\":[\"a\"]}}},{\"type\":\"function\",\"function\":{"
         "\"name\":"
         "\"h\",\"parameters\":{\"type\":\"object\",\"properties\":{},\"required\":[]}}}]}",
         "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}],\"tools\":["
         "{\"functionDeclarations\":[{\"name\":\"f\",\"parametersJsonSchema\":{\"type\":\"object\","
         "\"properties\":7}},{\"name\":\"g\",\"parametersJsonSchema\":{\"type\":\"object\","
         "\"required\":[\"a\"],\"properties\":{}}},{\"name\":\"h\"}]}]}",
         "");
}

static void results_of_the_messages_dialect(void **state)
{
    (void)state;
    static const char body[] =
        "{\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\","
        "\"input\":{\"a\":1}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
        "\"tool_use_id\":\"t1\",\"is_error\":true,\"content\":[{\"type\":\"text\",\"text\":\"no\"},"
        "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\","
        "\"data\":\"AAAA\"}}]},{\"type\":\"text\",\"text\":\"so?\"}]}]}";
#define HEAD(signature)                                                                        \
    "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]},{\"role\":\"model\","    \
    "\"parts\":[{\"functionCall\":{\"id\":\"t1\",\"name\":\"f\",\"args\":{\"a\":1}}" signature \
    "}]},{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"t1\",\"name\":\"f\","   \
    "\"response\":{\"error\":\"no\"}"
#define BLOB "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}"
#define TAIL "{\"text\":\"so?\"}]}],\"generationConfig\":{\"maxOutputTokens\":9}}"
    asks(DIALECT_MESSAGES, DIALECT_GEMINI, "gemini-2.5-flash", body, HEAD("") "}}," BLOB "," TAIL,
         "");
    asks(DIALECT_MESSAGES, DIALECT_GEMINI, "gemini-3-flash", body,
         HEAD(",\"thoughtSignature\":\"skip_thought_signature_validator\"") ",\"parts\":[" BLOB
                                                                            "]}}," TAIL,
         "");
}

static void what_gemini_cannot_say_is_refused(void **state)
{
    (void)state;
#define USER "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
    refuses(DIALECT_CHAT, DIALECT_GEMINI,
            "{" USER ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
            "\"parallel_tool_calls\":false}",
            "parallel_tool_calls");
    refuses(DIALECT_CHAT, DIALECT_GEMINI,
            "{" USER ",\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}", "stop[5]");
    refuses(DIALECT_CHAT, DIALECT_GEMINI,
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"
            "{\"url\":\"https://example.com/a.png\"}}]}]}",
            "messages[0].content[0].image_url");
    refuses(DIALECT_CHAT, DIALECT_GEMINI, "{" USER ",\"logit_bias\":{\"1\":2}}", "logit_bias");
    refuses(DIALECT_CHAT, DIALECT_GEMINI,
            "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"}]}", "messages");
}

/* ---- requests of Gemini's clients ---- */

static void both_spellings_and_lone_items_are_read(void **state)
{
    (void)state;
    asks(DIALECT_GEMINI, DIALECT_MESSAGES, "claude-opus-4-5",
         "{\"contents\":[{\"parts\":{\"text\":\"hi\"}},"
         "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1}}}]},"
         "{\"role\":\"model\",\"parts\":[{\"function_call\":{\"name\":\"f\",\"args\":{\"a\":2}}}]},"
         "{\"role\":\"user\",\"parts\":[{\"function_response\":{\"name\":\"f\",\"response\":"
         "{\"output\":\"one\"}}},{\"functionResponse\":{\"name\":\"f\",\"response\":{\"error\":"
         "\"bad\"}}},{\"inline_data\":{\"mime_type\":\"image/png\",\"data\":\"_-AA\"}}]}],"
         "\"system_instruction\":{\"parts\":{\"text\":\"Be brief.\"}},"
         "\"generation_config\":{\"max_output_tokens\":7,\"topK\":40.0,\"stop_sequences\":"
         "[\"z\"],\"responseModalities\":[\"TEXT\"]}}",
         "{\"model\":\"claude-opus-4-5\",\"max_tokens\":7,\"system\":[{\"type\":\"text\",\"text\":"
         "\"Be brief.\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
         "\"text\":\"hi\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":"
         "\"call_0\",\"name\":\"f\",\"input\":{\"a\":1}},{\"type\":\"tool_use\",\"id\":"
         "\"call_1\",\"name\":\"f\",\"input\":{\"a\":2}}]},{\"role\":\"user\",\"content\":["
         "{\"type\":\"tool_result\",\"tool_use_id\":\"call_0\",\"content\":[{\"type\":\"text\","
         "\"text\":\"one\"}]},{\"type\":\"tool_result\",\"tool_use_id\":\"call_1\",\"content\":["
         "{\"type\":\"text\",\"text\":\"bad\"}],\"is_error\":true},{\"type\":\"image\",\"source\":"
         "{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"/+AA\"}}]}],\"tools\":["
         "{\"name\":\"f\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}}],"
         "\"stop_sequences\":[\"z\"],\"top_k\":40}",
         "contents[1].parts[0].functionCall");
}

/* Clients that make up ids for calls that had none give them to the results alone. */
static void results_are_joined_by_id_or_by_name(void **state)
{
    (void)state;
    static const char *const ids[][3] = {
        {"", "", ""},
        {"", "\"id\":\"made-up-1\",", "\"id\":\"made-up-2\","},
        {"\"id\":\"call_0\",", "\"id\":\"call_0\",", ""},
    };
    for (size_t i = 0; i < 3; i++) {
        char body[1024];
        (void)snprintf(
            body, sizeof(body),
            "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]},{\"role\":\"model\",\"parts\":["
            "{\"functionCall\":{%s\"name\":\"f\"}},{\"functionCall\":{\"name\":\"f\"}}]},"
            "{\"parts\":[{\"functionResponse\":{%s\"name\":\"f\",\"response\":"
            "{\"output\":\"1\"}}},{\"functionResponse\":{%s\"name\":\"f\",\"response\":"
            "{\"output\":\"2\"}}}]}]}",
            ids[i][0], ids[i][1], ids[i][2]);
        asks(DIALECT_GEMINI, DIALECT_CHAT, "m", body,
             "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"
             "\"assistant\",\"content\":null,\"tool_calls\":[{\"type\":\"function\",\"id\":"
             "\"call_0\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"type\":"
             "\"function\",\"id\":\"call_1\",\"function\":{\"name\":\"f\",\"arguments\":"
             "\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_0\",\"content\":\"1\"},"
             "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"2\"}]}",
             "");
    }
    refuses(DIALECT_GEMINI, DIALECT_CHAT,
            "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]},{\"role\":\"model\",\"parts\":["
            "{\"functionCall\":{\"id\":\"a\",\"name\":\"f\"}}]},{\"parts\":[{\"functionResponse\":"
            "{\"id\":\"b\",\"name\":\"f\",\"response\":{}}}]}]}",
            "contents[2].parts[0].functionResponse");
}

static void schemas_become_json_schema(void **state)
{
    (void)state;
    asks(DIALECT_GEMINI, DIALECT_CHAT, "m",
         "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}],\"tools\":[{\"functionDeclarations\":["
         "{\"name\":\"f\",\"parameters\":{\"type\":\"OBJECT\",\"properties\":{\"any_of\":"
         "{\"type\":\"STRING\",\"nullable\":true,\"format\":\"enum\",\"enum\":[\"x\"]},"
         "\"b\":{\"any_of\":[{\"type\":\"INTEGER\"}],\"nullable\":true},"
         "\"c\":{\"type\":\"ARRAY\",\"minItems\":\"2\",\"items\":{\"type\":\"NUMBER\","
         "\"minimum\":0.50},\"example\":[1]}},\"propertyOrdering\":[\"c\",\"b\"],"
         "\"required\":[\"b\"]}},{\"name\":\"g\",\"parametersJsonSchema\":{\"type\":\"object\","
         "\"nullable\":7}}]}],\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\","
         "\"allowedFunctionNames\":[\"f\"]}}}",
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":["
         "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
         "\"properties\":{\"c\":{\"type\":\"array\",\"minItems\":2,\"items\":{\"type\":\"number\","
         "\"minimum\":0.50},\"examples\":[[1]]},\"b\":{\"anyOf\":[{\"type\":\"integer\"},"
         "{\"type\":\"null\"}]},\"any_of\":{\"type\":[\"string\",\"null\"],\"enum\":[\"x\",null]}"
         "},\"required\":[\"b\"]}}},{\"type\":\"function\",\"function\":{\"name\":\"g\","
         "\"parameters\":{\"type\":\"object\",\"nullable\":7,\"properties\":{}}}}],\"tool_choice\":"
         "{\"type\":"
         "\"function\",\"function\":{\"name\":\"f\"}}}",
         "");
}

static void objects_say_their_properties(void **state)
{
    (void)state;
    asks(DIALECT_GEMINI, DIALECT_CHAT, "m",
         "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}],\"tools\":{\"functionDeclarations\":["
         "{\"name\":\"f\",\"parameters\":{\"type\":\"OBJECT\",\"description\":\"d\"}},{\"name\":"
         "\"g\"}]}}",
         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":["
         "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
         "\"description\":\"d\",\"properties\":{}}}},{\"type\":\"function\",\"function\":{\"name\":"
         "\"g\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}]}",
         "");
}

static void what_only_gemini_says_is_refused_or_named(void **state)
{
    (void)state;
#define HI "\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]"
#define PLAIN "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
    static const struct {
        const char *body, *at;
    } refused[] = {
        {"{" HI ",\"tools\":[{\"google_search\":{}}]}", "tools[0].google_search"},
        {"{" HI ",\"generationConfig\":{\"topK\":3}}", "generationConfig.topK"},
        {"{" HI ",\"generationConfig\":{\"candidateCount\":2}}", "generationConfig.candidateCount"},
        {"{" HI ",\"safetySettings\":[{\"category\":\"C\",\"threshold\":\"BLOCK_LOW_AND_ABOVE\"}]}",
         "safetySettings[0]"},
        {"{" HI ",\"cachedContent\":\"cachedContents/1\"}", "cachedContent"},
        {"{" HI ",\"generationConfig.topP\":1}", "generationConfig.topP"},
        {"{" HI ",\"toolConfig\":{},\"tool_config\":{}}", "tool_config"},
        {"{\"contents\":[{\"parts\":[{\"executableCode\":{\"code\":\"1\"}}]}]}",
         "contents[0].parts[0].executableCode"},
        {"{\"contents\":[{\"parts\":[{\"fileData\":{\"fileUri\":\"https://youtu.be/x\"}}]}]}",
         "contents[0].parts[0].fileData"},
        {"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]},{\"role\":\"model\","
         "\"parts\":[{\"text\":\"pre\"}]}]}",
         "contents[1]"},
        {"{\"contents\":[{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{}}}]}]}",
         "contents[0].parts[0].functionResponse"},
        {"{\"contents\":[{\"role\":\"tool\",\"parts\":[]}]}", "contents[0].role"},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        refuses(DIALECT_GEMINI, DIALECT_CHAT, refused[i].body, refused[i].at);
    }
    asks(DIALECT_GEMINI, DIALECT_CHAT, "m",
         "{" HI ",\"safetySettings\":[{\"category\":\"C\",\"threshold\":\"OFF\"}],"
         "\"labels\":{\"a\":\"b\"},\"serviceTier\":\"standard\",\"store\":false}",
         PLAIN, "safetySettings[0], labels");
}

/* ---- replies of Gemini's upstreams ---- */

#define CHUNK(parts, more)                                                                      \
    "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" parts "]},\"index\":0" more \
    "}],\"modelVersion\":\"g3\",\"responseId\":\"r\"}"

static const char *const gemini_stream[] = {
    CHUNK("{\"text\":\"hm\",\"thought\":true}", ""),
    CHUNK("{\"text\":\"Hel\"}", ""),
    CHUNK("{\"text\":\"lo\",\"thoughtSignature\":\"c2ln\"}", ""),
    CHUNK("{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1}},\"thoughtSignature\":\"c2ln\"}",
          ""),
    CHUNK("{\"functionCall\":{\"name\":\"f\"}}", ""),
    CHUNK("{\"text\":\"\"}", ",\"finishReason\":\"STOP\""),
    NULL,
};
static const char *const gemini_whole[] = {
    CHUNK("{\"text\":\"hm\",\"thought\":true},{\"text\":\"Hel\"},{\"text\":\"lo\","
          "\"thoughtSignature\":\"c2ln\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1}},"
          "\"thoughtSignature\":\"c2ln\"},{\"functionCall\":{\"name\":\"f\"}}",
          ",\"finishReason\":\"STOP\""),
};

/* Of vendor and model, as envelopes name them. */
#define OF_GEMINI "rly1.gemini.e80c2f78."

static void calls_and_their_end_may_stand_apart(void **state)
{
    (void)state;
#define DELTA(text)                                                                     \
    "data: {\"id\":\"chatcmpl-R1\",\"object\":\"chat.completion.chunk\",\"created\":7," \
    "\"model\":\"g3\",\"choices\":[{\"index\":0,\"delta\":{" text                       \
    "},\"finish_reason\":null}]}\n\n"
    answers(DIALECT_CHAT, DIALECT_GEMINI, FRAMING_SSE, "{" USER "}", gemini_stream,
            DELTA("\"role\":\"assistant\",\"content\":\"\"") DELTA("\"reasoning_content\":\"hm\"")
                DELTA("\"content\":\"Hel\"") DELTA("\"content\":\"lo\"") DELTA(
                    "\"tool_calls\":[{\"id\":\"call_R1_3\",\"type\":\"function\",\"function\":"
                    "{\"name\":\"f\",\"arguments\":\"\"},\"extra_content\":{\"google\":"
                    "{\"thought_signature\":\"" OF_GEMINI "oYzJsbg\"}},\"index\":0}]")
                    DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                          "\"{\\\"a\\\":1}\"}}]")
                        DELTA("\"tool_calls\":[{\"id\":\"call_R1_4\",\"type\":\"function\","
                              "\"function\":{\"name\":\"f\",\"arguments\":\"\"},\"index\":1}]")
                            DELTA("\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":"
                                  "\"{}\"}}]") "data: "
                                               "{\"id\":\"chatcmpl-R1\",\"object\":\"chat."
                                               "completion.chunk\",\"created\":7,"
                                               "\"model\":\"g3\",\"choices\":[{\"index\":0,"
                                               "\"delta\":{},\"finish_reason\":"
                                               "\"tool_calls\"}]}\n\ndata: [DONE]\n\n");
    answers(DIALECT_CHAT, DIALECT_GEMINI, FRAMING_WHOLE, "{" USER "}", gemini_whole,
            "{\"id\":\"chatcmpl-R1\",\"object\":\"chat.completion\",\"created\":7,\"model\":"
            "\"g3\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
            "\"Hello\",\"refusal\":null,\"reasoning_content\":\"hm\",\"tool_calls\":[{\"id\":"
            "\"call_R1_3\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
            "\"{\\\"a\\\":1}\"},\"extra_content\":{\"google\":{\"thought_signature\":\"" OF_GEMINI
            "oYzJsbg\"}}},{\"id\":\"call_R1_4\",\"type\":\"function\",\"function\":{\"name\":"
            "\"f\",\"arguments\":\"{}\"}}]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}],"
            "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":8,\"total_tokens\":18,"
            "\"prompt_tokens_details\":{\"cached_tokens\":4},\"completion_tokens_details\":"
            "{\"reasoning_tokens\":3}}}");
}

static void pictures_are_markdown(void **state)
{
    (void)state;
    answers(DIALECT_MESSAGES, DIALECT_GEMINI, FRAMING_WHOLE, "{\"max_tokens\":5," USER "}",
            (const char *const[]){
                CHUNK("{\"text\":\"See \"},{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
                      "\"AAAA\"}}",
                      ",\"finishReason\":\"STOP\"")},
            "{\"id\":\"msg_R1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"g3\","
            "\"content\":[{\"type\":\"text\",\"text\":\"See ![](data:image/png;base64,AAAA)\"}],"
            "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":6,"
            "\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":4,\"output_tokens\":8,"
            "\"output_tokens_details\":{\"thinking_tokens\":3}}}");
}

/* What a client of another dialect carries comes back as the vendor gave it. */
static void signatures_go_back_to_their_vendor(void **state)
{
    (void)state;
    asks(DIALECT_CHAT, DIALECT_GEMINI, "m",
         "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","
         "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
         "\"arguments\":\"{}\"},\"extra_content\":{\"google\":{\"thought_signature\":\"" OF_GEMINI
         "oYzJsbg\"}}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"ok\"}]}",
         "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]},{\"role\":\"model\","
         "\"parts\":[{\"functionCall\":{\"id\":\"c1\",\"name\":\"f\",\"args\":{}},"
         "\"thoughtSignature\":\"c2ln\"}]},{\"role\":\"user\",\"parts\":[{\"functionResponse\":"
         "{\"id\":\"c1\",\"name\":\"f\",\"response\":{\"output\":\"ok\"}}}]}]}",
         "");
}

/* Clients of the messages dialect have no slot on a call: it stands before it, in a block. Another
 * model's is of no use. */
static void signatures_go_back_from_a_block_before_the_call(void **state)
{
    (void)state;
    static const char *const slots[][3] = {
        {OF_GEMINI "nYzJsbg", ",\"thoughtSignature\":\"c2ln\"", ""},
        {"rly1.gemini.1.nYzJsbg", "", "messages[1].content[0].data"},
        {"EqQBCkYIARgCIkA", "", "messages[1].content[0].data"},
    };
    for (size_t i = 0; i < 3; i++) {
        char body[1024], want[1024];
        (void)snprintf(
            body, sizeof(body),
            "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"
            "\"assistant\",\"content\":[{\"type\":\"redacted_thinking\",\"data\":\"%s\"},"
            "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}},{\"type\":"
            "\"tool_use\",\"id\":\"u\",\"name\":\"f\",\"input\":{}}]},{\"role\":\"user\","
            "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"u\",\"content\":\"2\"},"
            "{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"1\"}]}]}",
            slots[i][0]);
        (void)snprintf(
            want, sizeof(want),
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]},{\"role\":"
            "\"model\",\"parts\":[{\"functionCall\":{\"id\":\"t\",\"name\":\"f\",\"args\":{}}"
            "%s},{\"functionCall\":{\"id\":\"u\",\"name\":\"f\",\"args\":{}}}]},{\"role\":"
            "\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"t\",\"name\":\"f\","
            "\"response\":{\"output\":\"1\"}}},{\"functionResponse\":{\"id\":\"u\",\"name\":"
            "\"f\",\"response\":{\"output\":\"2\"}}}]}],\"generationConfig\":"
            "{\"maxOutputTokens\":5}}",
            slots[i][1]);
        asks(DIALECT_MESSAGES, DIALECT_GEMINI, "m", body, want, slots[i][2]);
    }
}

static void ends_have_the_clients_words(void **state)
{
    (void)state;
    static const struct {
        const char *reply, *stop;
    } cases[] = {
        {CHUNK("{\"text\":\"a\"}", ",\"finishReason\":\"MAX_TOKENS\""), "length"},
        {CHUNK("{\"text\":\"a\"}", ",\"finishReason\":\"PROHIBITED_CONTENT\""), "content_filter"},
        {"{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"modelVersion\":\"g3\"}",
         "content_filter"},
        {CHUNK("{\"functionCall\":{\"name\":\"f\"}}", ",\"finishReason\":\"UNEXPECTED_TOOL_CALL\""),
         "tool_calls"},
        {CHUNK("{\"functionCall\":{\"name\":\"f\"}}", ",\"finishReason\":\"MAX_TOKENS\""),
         "length"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out, got;
        char want[64];
        struct conversion *c =
            begin(DIALECT_CHAT, DIALECT_GEMINI, "m", FRAMING_WHOLE, STR("{" USER "}"), &out);
        buf_init(&got, MAX);
        assert_true(conversion_whole(c, str_from(cases[i].reply), &some, &got));
        (void)snprintf(want, sizeof(want), "\"finish_reason\":\"%s\"", cases[i].stop);
        if (str_find(buf_str(&got), str_from(want)) == SIZE_MAX) {
            fail_msg("no %s in %.*s", want, STR_ARG(buf_str(&got)));
        }
        buf_release(&got);
        conversion_free(c);
        buf_release(&out);
    }
}

static void what_is_no_answer_is_a_failure(void **state)
{
    (void)state;
    static const char *const replies[] = {
        CHUNK("", ",\"finishReason\":\"MALFORMED_FUNCTION_CALL\""),
        "{\"other\":1}",
        "[]",
        "{",
    };
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct buf out, got;
        struct conversion *c =
            begin(DIALECT_CHAT, DIALECT_GEMINI, "m", FRAMING_WHOLE, STR("{" USER "}"), &out);
        buf_init(&got, MAX);
        assert_false(conversion_whole(c, str_from(replies[i]), &some, &got));
        conversion_free(c);
        buf_release(&got);
        buf_release(&out);
    }
}

/* ---- replies to Gemini's clients ---- */

static const char *const messages_stream[] = {
    "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"c4\",\"content\":[]}}",
    "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\","
    "\"thinking\":\"\",\"signature\":\"\"}}",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\","
    "\"thinking\":\"h\"}}",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\","
    "\"thinking\":\"m\"}}",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\","
    "\"signature\":\"SIGN\"}}",
    "{\"type\":\"content_block_stop\",\"index\":0}",
    "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\","
    "\"text\":\"\"}}",
    "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":"
    "\"Hi\"}}",
    "{\"type\":\"content_block_stop\",\"index\":1}",
    "{\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\","
    "\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{}}}",
    "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\","
    "\"partial_json\":\"{\\\"a\\\":\"}}",
    "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\","
    "\"partial_json\":\"1}\"}}",
    "{\"type\":\"content_block_stop\",\"index\":2}",
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}",
    "{\"type\":\"message_stop\"}",
    NULL,
};
static const char *const messages_whole[] = {
    "{\"id\":\"msg_1\",\"model\":\"c4\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\","
    "\"signature\":\"SIGN\"},{\"type\":\"text\",\"text\":\"Hi\"},{\"type\":\"tool_use\",\"id\":"
    "\"toolu_1\",\"name\":\"f\",\"input\":{\"a\":1}}],\"stop_reason\":\"tool_use\"}"};

/* base64 of the envelopes: of "SIGN"; of a line of none, then those of "SIGN" and of "hm". */
#define OF_THOUGHT "cmx5MS5hbnRocm9waWMuZTgwYzJmNzgub1UwbEhUZw=="
#define OF_CALL \
    "CnJseTEuYW50aHJvcGljLmU4MGMyZjc4Lm9VMGxIVGcgcmx5MS5hbnRocm9waWMuZTgwYzJmNzgudGFHMA=="
#define EVENT(parts, more)                                                                     \
    "{\"modelVersion\":\"c4\",\"responseId\":\"R1\",\"candidates\":[{\"index\":0,\"content\":" \
    "{\"role\":\"model\",\"parts\":[" parts "]}" more
#define CALL                                                                    \
    "{\"functionCall\":{\"id\":\"toolu_1\",\"name\":\"f\",\"args\":{\"a\":1}}," \
    "\"thoughtSignature\":\"" OF_CALL "\"}"
#define USAGE                                                                \
    "\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":5," \
    "\"totalTokenCount\":18,\"cachedContentTokenCount\":4,\"thoughtsTokenCount\":3}"
#define LAST EVENT("{\"text\":\"\"}", ",\"finishReason\":\"STOP\"}]," USAGE "}")
#define SHOW "{" HI ",\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":true}}}"

static void thoughts_are_shown_to_those_who_ask(void **state)
{
    (void)state;
#define DATA(event) "data: " event "\r\n\r\n"
    answers(
        DIALECT_GEMINI, DIALECT_MESSAGES, FRAMING_SSE, SHOW, messages_stream,
        DATA(EVENT("{\"text\":\"h\",\"thought\":true}", "}]}"))
            DATA(EVENT("{\"text\":\"m\",\"thought\":true}", "}]}")) DATA(EVENT(
                "{\"text\":\"\",\"thought\":true,\"thoughtSignature\":\"" OF_THOUGHT "\"}", "}]}"))
                DATA(EVENT("{\"text\":\"Hi\"}", "}]}")) DATA(EVENT(CALL, "}]}")) DATA(LAST));
    answers(DIALECT_GEMINI, DIALECT_MESSAGES, FRAMING_SSE, "{" HI "}", messages_stream,
            DATA(EVENT("{\"text\":\"Hi\"}", "}]}")) DATA(EVENT(CALL, "}]}")) DATA(LAST));
}

static void an_array_begins_and_ends_once(void **state)
{
    (void)state;
    answers(DIALECT_GEMINI, DIALECT_MESSAGES, FRAMING_ARRAY_START, "{" HI "}", messages_stream,
            "[" EVENT("{\"text\":\"Hi\"}", "}]}") ",\r\n" EVENT(CALL, "}]}") ",\r\n" LAST "\r\n]");
    /* Nothing came: still an array, of an answer without text. */
    answers(
        DIALECT_GEMINI, DIALECT_MESSAGES, FRAMING_ARRAY_START, "{" HI "}",
        (const char *const[]){messages_stream[0], messages_stream[13], messages_stream[14], NULL},
        "[" LAST "\r\n]");
}

static void a_whole_reply_is_the_same(void **state)
{
    (void)state;
    answers(DIALECT_GEMINI, DIALECT_MESSAGES, FRAMING_WHOLE, SHOW, messages_whole,
            "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"hm\","
            "\"thought\":true,\"thoughtSignature\":\"" OF_THOUGHT "\"},{\"text\":\"Hi\"}," CALL
            "]},\"finishReason\":\"STOP\",\"index\":0}]," USAGE
            ",\"modelVersion\":\"c4\",\"responseId\":\"R1\"}");
}

/*
 * The next request, as clients send it: with the thoughts in pieces, without any, and with the
 * signature in the other alphabet. The vendor gets its block back, first and whole.
 */
static void thoughts_come_back_with_the_call(void **state)
{
    (void)state;
    static const char *const histories[] = {
        "{\"text\":\"h\",\"thought\":true},{\"text\":\"m\",\"thought\":true},{\"text\":\"\","
        "\"thought\":true,\"thoughtSignature\":\"" OF_THOUGHT "\"},{\"text\":\"Hi\"}," CALL,
        "{\"text\":\"Hi\"}," CALL,
        "{\"text\":\"h\",\"thought\":true},{\"text\":\"m\",\"thought\":true},{\"text\":\"\","
        "\"thought\":true,\"thoughtSignature\":\"cmx5MS5hbnRocm9waWMuZTgwYzJmNzgub1UwbEhUZw\"},"
        "{\"text\":\"Hi\"},{\"functionCall\":{\"id\":\"toolu_1\",\"name\":\"f\",\"args\":"
        "{\"a\":1}}}",
    };
    for (size_t i = 0; i < 3; i++) {
        char body[2048];
        (void)snprintf(body, sizeof(body),
                       "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]},{\"role\":\"model\","
                       "\"parts\":[%s]},{\"parts\":[{\"functionResponse\":{\"id\":\"toolu_1\","
                       "\"name\":\"f\",\"response\":{\"output\":\"ok\"}}}]}],\"tools\":["
                       "{\"functionDeclarations\":[{\"name\":\"f\"}]}]}",
                       histories[i]);
        asks(DIALECT_GEMINI, DIALECT_MESSAGES, "m", body,
             "{\"model\":\"m\",\"max_tokens\":1000,\"messages\":[{\"role\":\"user\",\"content\":["
             "{\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":\"assistant\",\"content\":["
             "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"SIGN\"},{\"type\":"
             "\"text\",\"text\":\"Hi\"},{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\","
             "\"input\":{\"a\":1}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
             "\"tool_use_id\":\"toolu_1\",\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}]}],"
             "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\",\"properties\":{}}"
             "}]}",
             "");
    }
}

/* Arguments that are no object cannot be written; one that the limit cut is no failure. */
static void bad_calls_are_the_end_of_the_answer(void **state)
{
    (void)state;
#define CHAT(delta, finish)                                                      \
    "{\"id\":\"x\",\"model\":\"c4\",\"choices\":[{\"index\":0,\"delta\":{" delta \
    "},\"finish_reason\":" finish "}]}"
    static const char *const cases[][3] = {
        {CHAT("\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"type\":\"function\",\"function\":"
              "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\"}}]",
              "null"),
         CHAT("", "\"tool_calls\""), "MALFORMED_FUNCTION_CALL"},
        {CHAT("\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"type\":\"function\",\"function\":"
              "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\"}}]",
              "null"),
         CHAT("", "\"length\""), "MAX_TOKENS"},
    };
    for (size_t i = 0; i < 2; i++) {
        char want[1024];
        const char *const events[] = {cases[i][0], cases[i][1], NULL};
        (void)snprintf(want, sizeof(want),
                       DATA(EVENT("{\"text\":\"\"}", ",\"finishReason\":\"%s\"}]," USAGE "}")),
                       cases[i][2]);
        answers(DIALECT_GEMINI, DIALECT_CHAT, FRAMING_SSE, "{" HI "}", events, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_stand_in_the_order_of_their_calls),
        cmocka_unit_test(later_models_get_a_word_for_a_missing_signature),
        cmocka_unit_test(settings_go_into_generation_config),
        cmocka_unit_test(effort_is_a_level_or_a_budget),
        cmocka_unit_test(functions_keep_their_schemas),
        cmocka_unit_test(a_schema_that_is_wrong_is_not_left_out),
        cmocka_unit_test(results_of_the_messages_dialect),
        cmocka_unit_test(what_gemini_cannot_say_is_refused),
        cmocka_unit_test(both_spellings_and_lone_items_are_read),
        cmocka_unit_test(results_are_joined_by_id_or_by_name),
        cmocka_unit_test(schemas_become_json_schema),
        cmocka_unit_test(objects_say_their_properties),
        cmocka_unit_test(what_only_gemini_says_is_refused_or_named),
        cmocka_unit_test(calls_and_their_end_may_stand_apart),
        cmocka_unit_test(pictures_are_markdown),
        cmocka_unit_test(signatures_go_back_to_their_vendor),
        cmocka_unit_test(signatures_go_back_from_a_block_before_the_call),
        cmocka_unit_test(ends_have_the_clients_words),
        cmocka_unit_test(what_is_no_answer_is_a_failure),
        cmocka_unit_test(thoughts_are_shown_to_those_who_ask),
        cmocka_unit_test(an_array_begins_and_ends_once),
        cmocka_unit_test(a_whole_reply_is_the_same),
        cmocka_unit_test(thoughts_come_back_with_the_call),
        cmocka_unit_test(bad_calls_are_the_end_of_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
