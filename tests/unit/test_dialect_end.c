/* SPDX-License-Identifier: Apache-2.0 */
/* Which replies are an answer, in a conversion: those that say how they ended, and can be read. */
#include <time.h>

#include "conversion_case.h"

#define CHUNK(delta, finish) \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{" delta "}," finish "}]}"
#define TEXT CHUNK("\"content\":\"Hi\"", "\"finish_reason\":null")
#define ASK "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define ASK_RESPONSES "{\"input\":\"hi\"}"
#define BEGIN "{\"type\":\"message_start\",\"message\":{\"id\":\"x\",\"model\":\"m\"}}"
#define STOP "{\"type\":\"message_stop\"}"

static const char *ask_of(enum dialect d)
{
    return d == DIALECT_RESPONSES ? ASK_RESPONSES : ASK;
}

static bool ends(struct made *m, const char *const *events)
{
    for (; *events != NULL; events++) {
        feed(m, *events);
    }
    return conversion_end(m->c, &used, &m->reply);
}

static void assert_says(const struct made *m, const char *text)
{
    if (str_find(buf_str(&m->reply), str_from(text)) == SIZE_MAX) {
        fail_msg("no %s in %.*s", text, STR_ARG(buf_str(&m->reply)));
    }
}

static void an_end_needs_a_reason(void **state)
{
    (void)state;
    static const struct {
        enum dialect from, to;
        const char *events[4];
        bool ended;
    } cases[] = {
        {DIALECT_MESSAGES, DIALECT_CHAT, {TEXT, "[DONE]"}, false},
        {DIALECT_MESSAGES, DIALECT_CHAT, {TEXT, CHUNK("", "\"x\":1"), "[DONE]"}, false},
        {DIALECT_MESSAGES,
         DIALECT_CHAT,
         {TEXT, CHUNK("", "\"finish_reason\":\"stop\""), "[DONE]"},
         true},
        /* Some hosts' words for any end. */
        {DIALECT_MESSAGES,
         DIALECT_CHAT,
         {TEXT, CHUNK("", "\"finish_reason\":\"\""), "[DONE]"},
         true},
        {DIALECT_CHAT, DIALECT_MESSAGES, {BEGIN, STOP}, false},
        {DIALECT_CHAT,
         DIALECT_MESSAGES,
         {BEGIN, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null}}", STOP},
         false},
        {DIALECT_CHAT,
         DIALECT_MESSAGES,
         {BEGIN, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"\"}}", STOP},
         true},
        {DIALECT_CHAT,
         DIALECT_MESSAGES,
         {BEGIN, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}", STOP},
         true},
    };
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        struct made m = make(cases[i / 2].from, cases[i / 2].to, i % 2 == 0, ASK);
        assert_int_equal(ends(&m, cases[i / 2].events), cases[i / 2].ended);
        assert_null(conversion_problem(m.c));
        drop(&m);
    }
}

static void an_empty_reason_takes_none_back(void **state)
{
    static const char *const events[] = {TEXT, CHUNK("", "\"finish_reason\":\"length\""),
                                         CHUNK("", "\"finish_reason\":\"\""), "[DONE]", NULL};
    struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, true, ASK);

    (void)state;
    assert_true(ends(&m, events));
    assert_says(&m, "\"max_tokens\"");
    drop(&m);
}

static void the_stations_own_limit_needs_none(void **state)
{
    struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, true, ASK);

    (void)state;
    feed(&m, TEXT);
    conversion_limit(m.c, &used, &m.reply);
    assert_says(&m, "\"stop_reason\":\"max_tokens\"");
    assert_says(&m, "message_stop");
    drop(&m);
}

static void what_is_no_json_is_not_passed_over(void **state)
{
    (void)state;
    static const char *const nothing[] = {"", "  ", "[DONE]", " [DONE]\n"};
    static const char *const broken[] = {"{\"choices\":[{\"delta\":{\"content\":\"lo", "lo",
                                         "\"lo\"", "null", "[]"};
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, true, ASK);
        feed(&m, nothing[i]);
        drop(&m);
    }
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, true, ASK);
        feed(&m, TEXT);
        assert_false(conversion_event(m.c, str_from(broken[i]), &m.reply));
        drop(&m);
    }
}

/* A call that nobody can read is no answer, in any dialect; one that came whole is the client's. */
static void a_bad_call_is_no_answer(void **state)
{
    (void)state;
#define PARTS(parts, finish)                                                                 \
    "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" parts "]}," finish "}]," \
    "\"modelVersion\":\"g3\"}"
#define BAD "\"finishReason\":\"MALFORMED_FUNCTION_CALL\""
    static const char *const bad[] = {PARTS("{\"text\":\"Hi\"}", "\"index\":0"), PARTS("", BAD),
                                      NULL};
    static const char *const read[] = {PARTS("{\"functionCall\":{\"name\":\"f\"}}", "\"index\":0"),
                                       PARTS("", BAD), NULL};
    static const enum dialect clients[] = {DIALECT_CHAT, DIALECT_RESPONSES, DIALECT_MESSAGES};
    for (size_t i = 0; i < 6; i++) {
        enum dialect client = clients[i / 2];
        struct made m = make(client, DIALECT_GEMINI, i % 2 == 0, ask_of(client));
        assert_false(ends(&m, bad));
        assert_non_null(conversion_problem(m.c));
        assert_int_equal(str_find(buf_str(&m.reply), STR("error\":{")), SIZE_MAX);
        drop(&m);
        m = make(client, DIALECT_GEMINI, i % 2 == 0, ask_of(client));
        assert_true(ends(&m, read));
        assert_null(conversion_problem(m.c));
        drop(&m);
    }
}

/* So does one that comes whole: else half of it would be all. */
static void a_whole_needs_a_reason(void **state)
{
#define HI "\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"}"
#define RESPONSE(status) "{\"id\":\"x\",\"model\":\"m\",\"output\":[]" status "}"
#define PARTS_HI "\"content\":{\"parts\":[{\"text\":\"Hi\"}]}"
    static const struct {
        enum dialect to;
        const char *body;
        bool ended;
    } cases[] = {
        {DIALECT_CHAT, "{\"choices\":[{}]}", false},
        {DIALECT_CHAT, "{\"choices\":[{" HI ",\"finish_reason\":null}]}", false},
        {DIALECT_CHAT, "{\"choices\":[{" HI ",\"finish_reason\":\"\"}]}", true},
        {DIALECT_CHAT, "{\"choices\":[{" HI ",\"finish_reason\":\"stop\"}]}", true},
        {DIALECT_CHAT, "{\"choices\":[{" HI ",\"finish_reason\":\"error\"}]}", false},
        {DIALECT_GEMINI, "{\"candidates\":[{" PARTS_HI "}]}", false},
        {DIALECT_GEMINI, "{\"candidates\":[{" PARTS_HI ",\"finishReason\":\"STOP\"}]}", true},
        {DIALECT_GEMINI, "{\"promptFeedback\":{}}", false},
        {DIALECT_GEMINI, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", true},
        {DIALECT_RESPONSES, RESPONSE(",\"status\":\"in_progress\""), false},
        {DIALECT_RESPONSES, RESPONSE(",\"status\":\"queued\""), false},
        {DIALECT_RESPONSES, RESPONSE(",\"status\":\"failed\""), false},
        {DIALECT_RESPONSES, RESPONSE(",\"status\":\"cancelled\""), false},
        {DIALECT_RESPONSES, RESPONSE(",\"status\":\"completed\""), true},
        {DIALECT_RESPONSES, RESPONSE(",\"status\":\"incomplete\""), true},
        {DIALECT_RESPONSES, RESPONSE(""), true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made m = make(DIALECT_MESSAGES, cases[i].to, false, ASK);
        if (conversion_whole(m.c, str_from(cases[i].body), &used, &m.reply) != cases[i].ended) {
            fail_msg("%s is taken otherwise", cases[i].body);
        }
        drop(&m);
    }
}

/* An event's name does not outweigh what the response in it says. */
static void a_failed_response_does_not_end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct made m = make(DIALECT_MESSAGES, DIALECT_RESPONSES, true, ASK);
        feed(&m, i == 0 ? "{\"type\":\"response.completed\",\"response\":" RESPONSE(
                              ",\"status\":\"failed\"") "}"
                        : "{\"type\":\"response.completed\",\"response\":" RESPONSE(
                              ",\"status\":\"completed\"") "}");
        assert_int_equal(conversion_end(m.c, &used, &m.reply), i == 1);
        drop(&m);
    }
}

/* Words that some write where an answer broke off: its host's fault, and another may be asked. */
static void a_vendors_own_fault_is_no_answer(void **state)
{
    static const char *const words[] = {"error", "network_error", "insufficient_system_resource"};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(words) / sizeof(words[0]); i++) {
        struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, i % 2 == 0, ASK);
        struct buf last;
        buf_init(&last, 4096);
        buf_addf(&last, CHUNK("", "\"finish_reason\":\"%s\""), words[i / 2]);
        feed(&m, TEXT);
        assert_true(conversion_event(m.c, buf_str(&last), &m.reply));
        assert_false(conversion_end(m.c, &used, &m.reply));
        assert_null(conversion_problem(m.c));
        buf_release(&last);
        drop(&m);
    }
}

/* Why a model of Anthropic's refuses stands beside its answer; elsewhere it is the refusal. */
static void a_refusals_words_are_carried(void **state)
{
    (void)state;
#define REFUSED                                                                        \
    "\"stop_reason\":\"refusal\",\"stop_details\":{\"type\":\"refusal\",\"category\":" \
    "\"cyber\",\"explanation\":\"Not this.\"}"
    static const char *const events[] = {
        BEGIN, "{\"type\":\"message_delta\",\"delta\":{" REFUSED "}}", STOP, NULL};
    static const char whole[] = "{\"id\":\"x\",\"model\":\"m\",\"content\":[]," REFUSED "}";
    static const enum dialect clients[] = {DIALECT_CHAT, DIALECT_RESPONSES};
    for (size_t i = 0; i < 4; i++) {
        enum dialect client = clients[i / 2];
        struct made m = make(client, DIALECT_MESSAGES, i % 2 == 0, ask_of(client));
        if (i % 2 == 0) {
            feed_all(&m, events);
        } else {
            assert_true(conversion_whole(m.c, str_from(whole), &used, &m.reply));
        }
        assert_says(&m, "\"refusal\":\"Not this.\"");
        assert_says(&m, "content_filter\"");
        drop(&m);
    }
}

/* Of events that say nothing, behind so many calls: processor time. */
static clock_t time_of_nothing(unsigned calls)
{
    struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, true, ASK);
    struct buf event;
    clock_t begun;

    buf_init(&event, 1024);
    for (unsigned i = 0; i < calls; i++) {
        buf_clear(&event);
        buf_addf(&event,
                 CHUNK("\"tool_calls\":[{\"index\":%u,\"id\":\"c%u\",\"function\":{\"name\":\"f\","
                       "\"arguments\":\"{}\"}}]",
                       "\"x\":1"),
                 i, i);
        assert_true(conversion_event(m.c, buf_str(&event), &m.reply));
    }
    buf_release(&event);
    begun = clock();
    for (unsigned i = 0; i < 50000; i++) {
        feed(&m, CHUNK("\"content\":\"\",\"refusal\":null", "\"x\":1"));
    }
    begun = clock() - begun;
    drop(&m);
    return begun;
}

static void nothing_costs_the_same_behind_many_parts(void **state)
{
    (void)state;
    clock_t few = time_of_nothing(1), many = time_of_nothing(4000);

    if (many > 3 * few) {
        fail_msg("%ld behind one part, %ld behind many", (long)few, (long)many);
    }
}

static void a_text_is_whole_or_none(void **state)
{
    struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, false, ASK);
    struct buf event;
    unsigned n = 0;

    (void)state;
    buf_init(&event, 2U << 20);
    buf_add(&event, STR("{\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\""));
    for (size_t i = 0; i < 1U << 20; i++) {
        buf_add_byte(&event, 'x');
    }
    buf_add(&event, STR("\"}}]}"));
    while (n < 40 && conversion_event(m.c, buf_str(&event), &m.reply)) {
        n++;
    }
    assert_int_equal(n, LIMIT_BODY_BYTES >> 20);
    buf_release(&event);
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_needs_a_reason),
        cmocka_unit_test(an_empty_reason_takes_none_back),
        cmocka_unit_test(the_stations_own_limit_needs_none),
        cmocka_unit_test(what_is_no_json_is_not_passed_over),
        cmocka_unit_test(a_bad_call_is_no_answer),
        cmocka_unit_test(a_vendors_own_fault_is_no_answer),
        cmocka_unit_test(a_whole_needs_a_reason),
        cmocka_unit_test(a_failed_response_does_not_end),
        cmocka_unit_test(a_refusals_words_are_carried),
        cmocka_unit_test(nothing_costs_the_same_behind_many_parts),
        cmocka_unit_test(a_text_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
