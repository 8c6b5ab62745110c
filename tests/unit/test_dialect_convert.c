/* SPDX-License-Identifier: Apache-2.0 */
/* What a conversion holds while its reply is under way, and that nothing is missing then. */
#include "conversion_case.h"

#define KEPT_MAX 1152 /* bytes before anything of the reply has come, with one renamed tool */
#define TURNS 1500
#define TOOLS 100

/* A history of many short turns and many tools, of which one has a name that few dialects take. */
static void write_ask(struct buf *b, enum dialect d)
{
    bool chat = d == DIALECT_CHAT;

    buf_init(b, OUT_MAX);
    buf_add(b, STR("{\"model\":\"m\",\"max_tokens\":100,\"messages\":["));
    for (int i = 0; i < TURNS; i++) {
        buf_addf(b,
                 "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"say %d\"}]},"
                 "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"%d\"}]},",
                 i, i);
    }
    buf_add(b, STR("{\"role\":\"user\",\"content\":\"go on\"}],\"tools\":["));
    for (int i = 0; i < TOOLS; i++) {
        const char *dot = i == TOOLS - 1 ? "." : "_";
        buf_addf(b,
                 chat ? "%s{\"type\":\"function\",\"function\":{\"name\":\"tool%s%d\","
                        "\"parameters\":{\"type\":\"object\"}}}"
                      : "%s{\"name\":\"tool%s%d\",\"input_schema\":{\"type\":\"object\"}}",
                 i > 0 ? "," : "", dot, i);
    }
    buf_add(b, STR("]}"));
    buf_add_byte(b, '\0');
}

static void a_request_is_not_kept_for_its_reply(void **state)
{
    static const enum dialect pairs[][2] = {
        {DIALECT_CHAT, DIALECT_MESSAGES},      {DIALECT_CHAT, DIALECT_RESPONSES},
        {DIALECT_CHAT, DIALECT_GEMINI},        {DIALECT_MESSAGES, DIALECT_CHAT},
        {DIALECT_MESSAGES, DIALECT_RESPONSES}, {DIALECT_MESSAGES, DIALECT_GEMINI}};
    struct buf ask;

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        write_ask(&ask, pairs[i][0]);
        struct made m = make(pairs[i][0], pairs[i][1], true, ask.p);
        assert_taken(&m);
        assert_true(m.body.n > 64U << 10);
        assert_in_range(conversion_memory(m.c), 0, KEPT_MAX);
        drop(&m);
        buf_release(&ask);
    }
}

static void what_was_refused_keeps_no_more(void **state)
{
    struct buf ask;
    struct str where, why;

    (void)state;
    write_ask(&ask, DIALECT_CHAT);
    ask.n -= 2; /* the end of the object, and of the text */
    buf_add(&ask, STR(",\"none_such\":1}"));
    buf_add_byte(&ask, '\0');
    struct made m = make(DIALECT_CHAT, DIALECT_MESSAGES, true, ask.p);
    assert_true(conversion_refused(m.c, &where, &why));
    assert_text(where, "none_such");
    assert_in_range(conversion_memory(m.c), 0, KEPT_MAX);
    drop(&m);
    buf_release(&ask);
}

#define CALL(id, name)                                                                           \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{"       \
    "\"index\":0,\"id\":\"" id "\",\"function\":{\"name\":\"" name "\",\"arguments\":\"{}\"}}]}" \
    "}]}"

/* The one tool by its own name, which the upstream never saw; the others by theirs. */
static void calls_come_back_by_the_clients_names(void **state)
{
    struct buf ask;

    (void)state;
    write_ask(&ask, DIALECT_MESSAGES);
    struct made m = make(DIALECT_MESSAGES, DIALECT_CHAT, true, ask.p);
    assert_taken(&m);
    buf_add_byte(&m.body, '\0');
    const char *wire = strstr(m.body.p, "\"tool_99_");
    assert_non_null(wire);
    struct str name = str_slice(wire + 1, str_find_byte(str_from(wire + 1), '"'));
    struct buf event;
    buf_init(&event, 4096);
    buf_addf(&event, CALL("c1", "%.*s"), STR_ARG(name));
    assert_true(conversion_event(m.c, buf_str(&event), &m.reply));
    assert_true(conversion_event(m.c, STR(CALL("c2", "tool_7")), &m.reply));
    assert_true(str_find(buf_str(&m.reply), STR("\"name\":\"tool.99\"")) != SIZE_MAX);
    assert_true(str_find(buf_str(&m.reply), STR("\"name\":\"tool_7\"")) != SIZE_MAX);
    buf_release(&event);
    drop(&m);
    buf_release(&ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_not_kept_for_its_reply),
        cmocka_unit_test(what_was_refused_keeps_no_more),
        cmocka_unit_test(calls_come_back_by_the_clients_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
