/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of the responses dialect: written for its clients, read from its upstreams. */
#include "conversion_case.h"

/* ---- replies written ---- */

#define DELTA(inside) \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" inside "}}]}"
#define FINISH(word)                                                        \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{}," \
    "\"finish_reason\":\"" word "\"}]}"
#define ASK                                                                                   \
    "{\"model\":\"m\",\"input\":\"hi\",\"instructions\":\"i\",\"tools\":["                    \
    "{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\"},"             \
    "\"strict\":false},{\"type\":\"custom\",\"name\":\"p\"},{\"type\":\"namespace\","         \
    "\"name\":\"ns\",\"description\":\"d\",\"tools\":[{\"type\":\"function\",\"name\":\"g\"," \
    "\"strict\":false}]}]}"

static const char *const full_events[] = {
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
static const char *const full_names[] = {
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

static void a_stream_has_the_exact_events(void **state)
{
    struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true, ASK);

    (void)state;
    assert_taken(&m);
    feed_all(&m, full_events);
    struct json_doc *doc = assert_events(buf_str(&m.reply), full_names);
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
static const char *const needed[] = {"id",
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

static void a_response_has_all_of_its_members(void **state)
{
    struct made m =
        make(DIALECT_RESPONSES, DIALECT_CHAT, false,
             "{\"input\":\"hi\",\"instructions\":\"i\",\"temperature\":0.70,\"top_p\":null,"
             "\"store\":true,\"tool_choice\":\"auto\",\"metadata\":{\"a\":\"b\"},"
             "\"text\":{\"verbosity\":\"low\"},\"reasoning\":{\"effort\":\"low\"},"
             "\"parallel_tool_calls\":false,\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}");

    (void)state;
    assert_taken(&m);
    assert_true(conversion_whole(m.c,
                                 STR("{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"message\":{"
                                     "\"content\":\"yes\"},\"finish_reason\":\"stop\"}]}"),
                                 &used, &m.reply));
    struct json_doc *doc = json_parse_exact(buf_str(&m.reply), NULL);
    const struct json *root = json_root(doc);
    assert_int_equal(sizeof(needed) / sizeof(needed[0]), 31);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (json_get(root, needed[i]) == NULL) {
            fail_msg("%s is missing", needed[i]);
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

/* Nothing has come when it fails: the failure is the first event. */
static void a_failure_may_be_all_there_is(void **state)
{
    struct made m = make(DIALECT_RESPONSES, DIALECT_MESSAGES, true, ASK);
    struct problem p = {503, NULL, STR("Busy."), NULL};

    (void)state;
    conversion_fail(m.c, FRAMING_SSE, &p, &m.reply);
    struct json_doc *doc = event_json(buf_str(&m.reply));
    assert_value(json_root(doc), "sequence_number", "0");
    assert_value(json_root(doc), "response.id", "\"resp_1\"");
    assert_value(json_root(doc), "response.error.code", "\"server_error\"");
    json_free(doc);
    drop(&m);
}

/* The client makes the search: it finds it as the item that its own vendor would write. */
static void a_search_of_the_client_is_an_item_of_its_own(void **state)
{
    static const char *const events[] = {
        DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"s\",\"function\":{\"name\":\"tool_search\","
              "\"arguments\":\"{\\\"query\\\":\"}}]"),
        DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]"),
        FINISH("tool_calls"), NULL};
    static const char *const names[] = {"response.created",           "response.in_progress",
                                        "response.output_item.added", "response.output_item.done",
                                        "response.completed",         NULL};
    struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true,
                         "{\"input\":\"a\",\"tools\":[{\"type\":\"tool_search\",\"execution\":"
                         "\"client\"}]}");

    (void)state;
    feed_all(&m, events);
    struct json_doc *doc = assert_events(buf_str(&m.reply), names);
    assert_value(json_root(doc), "response.output",
                 "[{\"id\":\"tsc_1_0\",\"type\":\"tool_search_call\",\"status\":\"completed\","
                 "\"call_id\":\"s\",\"execution\":\"client\",\"arguments\":{\"query\":1}}]");
    json_free(doc);
    drop(&m);
}

/* Results are joined to their calls by id: each call has its own. */
static void ids_of_calls_are_unique(void **state)
{
    static const char *const events[] = {
        DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"same\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"{}\"}}]"),
        DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"same\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"{\\\"a\\\":1}\"}}]"),
        DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"same\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"\"}}]"),
        FINISH("tool_calls"), NULL};
    struct made m = make(DIALECT_RESPONSES, DIALECT_CHAT, true, ASK);

    (void)state;
    feed_all(&m, events);
    size_t at = str_find(buf_str(&m.reply), STR("event: response.completed"));
    assert_true(at != SIZE_MAX);
    struct json_doc *doc = event_json(str_skip(buf_str(&m.reply), at));
    const struct json *output = json_get(json_root(doc), "response.output");
    assert_int_equal(json_count(output), 2);
    assert_value(output, "0.call_id", "\"same\"");
    assert_value(output, "1.call_id", "\"call_1_2\"");
    assert_value(output, "1.arguments", "\"{\\\"a\\\":1}\"");
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
    assert_text(conversion_lossy(back.c),
                "messages[1].content[0].signature, messages[1].content[0]");
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
static const char *const thought_before[] = {BEGUN, ITEM_DONE("0", THOUGHT), ENDED, NULL};
static const char *const call_in_last[] = {
    BEGUN, ITEM_DONE("0", THOUGHT), ITEM_DONE("1", SAID), ITEM_DONE("2", CALLED), ENDED, NULL};

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
    static const char *const *const streams[] = {with_deltas, only_done, only_last, thought_before,
                                                 call_in_last};
    struct buf text;

    (void)state;
    buf_init(&text, OUT_MAX);
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
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
                    "rly1.openai.32c6158.bOC4yNjM2OTA1NjIzLnJzIHM");
        drop(&m);
    }
    buf_release(&text);
}

/* Not all hosts number what comes as the list at the end does. */
static void what_came_is_not_said_again(void **state)
{
    static const char *const events[] = {
        BEGUN,
        "{\"type\":\"response.output_text.delta\",\"delta\":\"Hello\"}",
        "{\"type\":\"response.refusal.delta\",\"delta\":\"No.\"}",
        "{\"type\":\"response.output_item.done\",\"item\":{" CALLED "}}",
        ENDED,
        NULL};
    struct made m = make(DIALECT_CHAT, DIALECT_RESPONSES, true, CHAT_ASK);
    struct buf text;

    (void)state;
    buf_init(&text, OUT_MAX);
    feed_all(&m, events);
    struct str stream = buf_str(&m.reply);
    assert_text(joined(stream, "choices.0.delta.content", &text), "Hello");
    assert_text(joined(stream, "choices.0.delta.refusal", &text), "No.");
    assert_text(joined(stream, "choices.0.delta.tool_calls.0.id", &text), "c1c2");
    assert_text(joined(stream, "choices.0.delta.tool_calls.0.function.arguments", &text),
                "{\"a\":1}");
    buf_release(&text);
    drop(&m);
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
        cmocka_unit_test(a_stream_has_the_exact_events),
        cmocka_unit_test(an_event_says_which_item_it_is_of),
        cmocka_unit_test(texts_in_a_row_are_one_message),
        cmocka_unit_test(a_response_has_all_of_its_members),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(what_was_cut_is_incomplete),
        cmocka_unit_test(a_failure_bears_its_number_and_response),
        cmocka_unit_test(a_failure_may_be_all_there_is),
        cmocka_unit_test(a_search_of_the_client_is_an_item_of_its_own),
        cmocka_unit_test(ids_of_calls_are_unique),
        cmocka_unit_test(thoughts_without_a_state_survive_their_client),
        cmocka_unit_test(the_state_of_an_item_comes_back_as_it_was),
        cmocka_unit_test(a_stream_is_read_with_and_without_deltas),
        cmocka_unit_test(what_came_is_not_said_again),
        cmocka_unit_test(a_whole_reply_is_read),
        cmocka_unit_test(a_failed_reply_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
