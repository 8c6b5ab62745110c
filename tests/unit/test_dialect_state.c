/* SPDX-License-Identifier: Apache-2.0 */
/* A signature goes back beside the text that it signs, or not at all. */
#include "conversion_case.h"

#define REPLY                                                                              \
    "{\"id\":\"x\",\"model\":\"m\",\"stop_reason\":\"end_turn\",\"content\":["             \
    "{\"type\":\"thinking\",\"thinking\":\"One. \",\"signature\":\"S1\"},"                 \
    "{\"type\":\"redacted_thinking\",\"data\":\"R\"},"                                     \
    "{\"type\":\"thinking\",\"thinking\":\"Tw\xc3\xb6.\",\"signature\":\"S2\"},{\"type\":" \
    "\"text\",\"text\":\"Hi\"}]}"
#define ASK "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

/* The details of the chat reply, as a client holds them. */
static void details_of(struct buf *out)
{
    struct made m = make(DIALECT_CHAT, DIALECT_MESSAGES, false, ASK);

    assert_taken(&m);
    assert_true(conversion_whole(m.c, STR(REPLY), &used, &m.reply));
    struct json_doc *doc = json_parse_exact(buf_str(&m.reply), NULL);
    assert_non_null(doc);
    assert_value(json_root(doc), "choices.0.message.reasoning_content", "\"One. Tw\xc3\xb6.\"");
    json_write_value(out, json_get(json_root(doc), "choices.0.message.reasoning_details"));
    json_free(doc);
    drop(&m);
}

static void a_signature_keeps_to_its_text(void **state)
{
    static const struct {
        const char *text, *content, *lossy;
    } cases[] = {
        {"\"One. Tw\xc3\xb6.\"",
         "[{\"type\":\"thinking\",\"thinking\":\"One. \",\"signature\":\"S1\"},"
         "{\"type\":\"redacted_thinking\",\"data\":\"R\"},"
         "{\"type\":\"thinking\",\"thinking\":\"Tw\xc3\xb6.\",\"signature\":\"S2\"},"
         "{\"type\":\"text\",\"text\":\"Hi\"}]",
         ""},
        /* Thoughts that are left out may stay so: the state has them. */
        {"\"\"",
         "[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"S1\"},"
         "{\"type\":\"redacted_thinking\",\"data\":\"R\"},"
         "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"S2\"},"
         "{\"type\":\"text\",\"text\":\"Hi\"}]",
         ""},
        {"\"\xc3\xb6.\"",
         "[{\"type\":\"redacted_thinking\",\"data\":\"R\"},{\"type\":\"text\",\"text\":\"Hi\"}]",
         "messages[1].reasoning_details[0], messages[1].reasoning_details[2]"},
        {"\"One. Tw\xc3\xb6! \"",
         "[{\"type\":\"redacted_thinking\",\"data\":\"R\"},{\"type\":\"text\",\"text\":\"Hi\"}]",
         "messages[1].reasoning_details[0], messages[1].reasoning_details[2]"},
    };
    struct buf details, ask;

    (void)state;
    vendor = "anthropic";
    model = "claude-sonnet-4-5";
    buf_init(&details, OUT_MAX);
    details_of(&details);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_init(&ask, OUT_MAX);
        buf_addf(&ask,
                 "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","
                 "\"content\":\"Hi\",\"reasoning_content\":%s,\"reasoning_details\":%.*s},{"
                 "\"role\":\"user\",\"content\":\"go on\"}]}",
                 cases[i].text, STR_ARG(buf_str(&details)));
        buf_add_byte(&ask, '\0');
        struct made m = make(DIALECT_CHAT, DIALECT_MESSAGES, false, ask.p);
        assert_taken(&m);
        struct json_doc *doc = json_parse_exact(buf_str(&m.body), NULL);
        assert_value(json_root(doc), "messages.1.content", cases[i].content);
        assert_text(conversion_lossy(m.c), cases[i].lossy);
        json_free(doc);
        drop(&m);
        buf_release(&ask);
    }
    buf_release(&details);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_keeps_to_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
