/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of a converted reply, as the many hosts of the chat dialect write them. */
#include "conversion_case.h"

#define CHUNK(delta, finish) \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" delta "}" finish "}]}"
#define CALLS(calls) CHUNK("\"tool_calls\":[" calls "]", "")
#define END CHUNK("", ",\"finish_reason\":\"tool_calls\"")

static const char *const asks[] = {
    [DIALECT_RESPONSES] = "{\"input\":\"hi\",\"tools\":[{\"type\":\"tool_search\",\"execution\":"
                          "\"client\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}]"
                          "}",
    [DIALECT_MESSAGES] = "{\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
    [DIALECT_GEMINI] = "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}",
};

static void assert_says(const struct made *m, const char *text)
{
    if (str_find(buf_str(&m->reply), str_from(text)) == SIZE_MAX) {
        fail_msg("no %s in %.*s", text, STR_ARG(buf_str(&m->reply)));
    }
}

/* A stream of a chat upstream's, as this client gets it. */
static struct made streamed(enum dialect client, const char *const *events)
{
    struct made m = make(client, DIALECT_CHAT, true, asks[client]);

    assert_taken(&m);
    feed_all(&m, events);
    return m;
}

/* An event is of lines: what stands in it must not have any of its own. */
static void arguments_over_lines_stay_in_their_event(void **state)
{
    (void)state;
#define LINES "\"{\\n  \\\"q\\\": 1.50,\\n\\n  \\\"b\\\": \\\"x\\\"\\n}\""
    static const struct {
        enum dialect client;
        const char *events[3];
        const char *says;
    } cases[] = {
        {DIALECT_GEMINI,
         {CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":" LINES "}}"),
          END, NULL},
         "\"args\":{\"q\":1.50,\"b\":\"x\"}"},
        {DIALECT_RESPONSES,
         {CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"tool_search\",\"arguments"
                "\":" LINES "}}"),
          END, NULL},
         "\"arguments\":{\"q\":1.50,\"b\":\"x\"}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made m = streamed(cases[i].client, cases[i].events);
        assert_says(&m, cases[i].says);
        assert_int_equal(str_find(buf_str(&m.reply), STR("\n  ")), SIZE_MAX);
        drop(&m);
    }
}

/* Some count each call from 0 again. */
static void calls_at_one_index_are_told_apart(void **state)
{
    static const char *const events[] = {
        CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"p\\\":1}"
              "\"}}"),
        CALLS("{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\"{\\\"p\\\":\"}}"),
        CALLS("{\"index\":1,\"id\":\"c\",\"function\":{\"name\":\"h\",\"arguments\":\"{}\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\"2}\"}}"),
        END,
        NULL};
    struct made m = streamed(DIALECT_GEMINI, events);

    (void)state;
    assert_says(&m, "\"name\":\"f\",\"args\":{\"p\":1}");
    assert_says(&m, "\"name\":\"g\",\"args\":{\"p\":2}");
    assert_says(&m, "\"name\":\"h\",\"args\":{}");
    drop(&m);
}

static void a_name_may_come_late(void **state)
{
    static const char *const events[] = {
        CALLS("{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"arguments\":\"{"
              "\\\"p\\\"\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\":\"}}"),
        CALLS("{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"1\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\"}\"}}"),
        END,
        NULL};
    struct made m = streamed(DIALECT_GEMINI, events);

    (void)state;
    assert_says(&m, "{\"id\":\"a\",\"name\":\"f\",\"args\":{\"p\":1}");
    drop(&m);
}

/* Or never: arguments for nobody are no answer, while an empty delta is nothing. */
static void a_name_must_come(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, true, asks[DIALECT_MESSAGES]);
        feed(&m, CHUNK("\"content\":\"Hi\"", ""));
        feed(&m, i == 0 ? CALLS("{\"index\":0,\"function\":{\"arguments\":\"{}\"}}")
                        : CALLS("{\"index\":0,\"function\":{\"arguments\":\"\"}}"));
        feed(&m, END);
        assert_int_equal(conversion_end(m.c, &used, &m.reply), i == 1);
        assert_int_equal(conversion_problem(m.c) == NULL, i == 1);
        drop(&m);
    }
}

/* One rule for each client, streamed or whole. */
static void arguments_are_an_object(void **state)
{
#define ARGUMENTS(text) \
    CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"" text "\"}}")
#define MORE(text) CALLS("{\"index\":0,\"function\":{\"arguments\":\"" text "\"}}")
    static const struct {
        const char *events[5];
        const char *bare, *quoted;
    } cases[] = {
        {{ARGUMENTS(""), END, NULL}, "{}", "{}"},
        {{ARGUMENTS("null"), END, NULL}, "{}", "{}"},
        {{ARGUMENTS(" "), MORE("nu"), MORE("ll"), END, NULL}, "{}", "{}"},
        {{ARGUMENTS("\\\"abc"), MORE("\\\""), END, NULL},
         "{\"input\":\"\\\"abc\\\"\"}",
         "{\\\"input\\\":\\\"\\\\\\\"abc\\\\\\\"\\\"}"},
        {{ARGUMENTS("5"), END, NULL}, "{\"input\":\"5\"}", "{\\\"input\\\":\\\"5\\\"}"},
        {{ARGUMENTS("[1,"), MORE("{}]"), END, NULL},
         "{\"input\":\"[1,{}]\"}",
         "{\\\"input\\\":\\\"[1,{}]\\\"}"},
        {{ARGUMENTS(" "), MORE("{}"), END, NULL}, "{}", "{}"},
    };
    (void)state;
    for (size_t i = 0; i < 3 * sizeof(cases) / sizeof(cases[0]); i++) {
        static const enum dialect clients[] = {DIALECT_GEMINI, DIALECT_MESSAGES, DIALECT_RESPONSES};
        enum dialect client = clients[i % 3];
        struct made m = streamed(client, cases[i / 3].events);
        struct buf says;
        buf_init(&says, 4096);
        if (client == DIALECT_GEMINI) {
            buf_cat(&says, STR("\"args\":"), str_from(cases[i / 3].bare));
        } else if (client == DIALECT_RESPONSES) {
            buf_cat(&says, STR("\"arguments\":\""), str_from(cases[i / 3].quoted), STR("\""));
        } else {
            buf_cat(&says, STR("\"partial_json\":\""), str_from(cases[i / 3].quoted), STR("\""));
        }
        buf_add_byte(&says, '\0');
        assert_says(&m, says.p);
        buf_release(&says);
        drop(&m);
    }
}

#define WHOLE(message, finish)                                          \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"message\":{" message \
    "},\"finish_reason\":\"" finish "\"}]}"

/* Some still write the one call that there once was, some both forms; and pictures. */
static void an_older_form_is_read(void **state)
{
    (void)state;
#define OLD "\"function_call\":{\"name\":\"f\",\"arguments\":\"{\\\"p\\\":1}\"}"
#define NEW                                                                                    \
    "\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"p\\\":1}" \
    "\"}}]"
    static const char *const wholes[] = {WHOLE("\"content\":null," OLD, "function_call"),
                                         WHOLE("\"content\":null," NEW "," OLD, "tool_calls")};
    static const char *const events[] = {
        CHUNK("\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}", ""),
        CHUNK("\"function_call\":{\"arguments\":\"{\\\"p\\\":\"}", ""),
        CHUNK("\"function_call\":{\"arguments\":\"1}\"}", ""),
        CHUNK("", ",\"finish_reason\":\"function_call\""), NULL};
    struct made m;
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        m = make(DIALECT_MESSAGES, DIALECT_CHAT, false, asks[DIALECT_MESSAGES]);
        assert_true(conversion_whole(m.c, str_from(wholes[i]), &used, &m.reply));
        struct json_doc *doc = json_parse_exact(buf_str(&m.reply), NULL);
        assert_int_equal(json_count(json_get(json_root(doc), "content")), 1);
        assert_value(json_root(doc), "content.0.input", "{\"p\":1}");
        assert_value(json_root(doc), "stop_reason", "\"tool_use\"");
        json_free(doc);
        drop(&m);
    }
    m = streamed(DIALECT_GEMINI, events);
    assert_says(&m, "\"name\":\"f\",\"args\":{\"p\":1}");
    drop(&m);
    m = make(DIALECT_MESSAGES, DIALECT_CHAT, false, asks[DIALECT_MESSAGES]);
    assert_true(conversion_whole(m.c,
                                 STR(WHOLE("\"content\":\"Here: \",\"images\":[{\"type\":"
                                           "\"image_url\",\"image_url\":{\"url\":\"data:image/"
                                           "png;base64,AAAA\"}}]",
                                           "stop")),
                                 &used, &m.reply));
    assert_says(&m, "\"text\":\"Here: ![](data:image/png;base64,AAAA)\"");
    drop(&m);
}

/* As long as a reply may be, all of it or none. */
static void long_arguments_come_whole(void **state)
{
    static const struct {
        enum dialect to;
        const char *before, *after;
    } cases[] = {
        {DIALECT_CHAT,
         "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"finish_reason\":\"tool_calls\",\"message\":"
         "{\"tool_calls\":[{"
         "\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"p\":\"",
         "\",\"q\":1}}}]}}]}"},
        {DIALECT_MESSAGES,
         "{\"id\":\"x\",\"model\":\"m\",\"stop_reason\":\"tool_use\",\"content\":[{\"type\":\"tool_"
         "use\",\"id\":"
         "\"a\",\"name\":\"f\",\"input\":{\"p\":\"",
         "\",\"q\":1}}]}"},
        {DIALECT_GEMINI,
         "{\"responseId\":\"x\",\"candidates\":[{\"finishReason\":\"STOP\",\"content\":{\"parts\":["
         "{\"functionCall\":{"
         "\"name\":\"f\",\"args\":{\"p\":\"",
         "\",\"q\":1}}}]}}]}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made m = make(DIALECT_RESPONSES, cases[i].to, false, "{\"input\":\"hi\"}");
        struct buf body;
        assert_taken(&m);
        m.reply.max = LIMIT_BODY_BYTES;
        buf_init(&body, LIMIT_BODY_BYTES);
        buf_add(&body, str_from(cases[i].before));
        for (size_t n = 0; n < LIMIT_EVENT_BYTES + 1024; n++) {
            buf_add_byte(&body, 'x');
        }
        buf_add(&body, str_from(cases[i].after));
        assert_true(conversion_whole(m.c, buf_str(&body), &used, &m.reply));
        assert_says(&m, "xxx\\\",\\\"q\\\":1}");
        buf_release(&body);
        drop(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_over_lines_stay_in_their_event),
        cmocka_unit_test(calls_at_one_index_are_told_apart),
        cmocka_unit_test(a_name_may_come_late),
        cmocka_unit_test(a_name_must_come),
        cmocka_unit_test(arguments_are_an_object),
        cmocka_unit_test(an_older_form_is_read),
        cmocka_unit_test(long_arguments_come_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
