/* SPDX-License-Identifier: Apache-2.0 */
/* The usage that a converted reply shows: read again, it is the one that is charged. */
#include "conversion_case.h"

static const char *const asks[] = {
    [DIALECT_CHAT] = "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
    [DIALECT_RESPONSES] = "{\"model\":\"x\",\"input\":\"hi\"}",
    [DIALECT_MESSAGES] = ("{\"model\":\"x\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\","
                          "\"content\":\"hi\"}]}"),
    [DIALECT_GEMINI] = "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}",
};

static const char chat_reply[] =
    "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{"
    "\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"a\"}"
    "}],\"usage\":{}}";
static const char messages_reply[] =
    "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[{"
    "\"type\":\"text\",\"text\":\"a\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
    "\"usage\":{}}";

static const struct usage all = {.in = 1,
                                 .in_audio = 2,
                                 .in_image = 4,
                                 .in_video = 8,
                                 .cache_read = 16,
                                 .cache_read_audio = 32,
                                 .cache_read_image = 64,
                                 .cache_read_video = 128,
                                 .cache_write_5m = 256,
                                 .cache_write_1h = 512,
                                 .cache_write_other = 1024,
                                 .out = 2048,
                                 .out_audio = 4096,
                                 .out_image = 8192,
                                 .out_video = 16384,
                                 .reasoning = 32768,
                                 .web_search = 3,
                                 .web_fetch = 5,
                                 .state = USAGE_OK};

/* What a client of this dialect reads in a reply from a vendor that speaks another. */
static struct usage shown(enum dialect from, const struct usage *charged)
{
    bool messages = from == DIALECT_CHAT;
    struct made m = make(from, messages ? DIALECT_MESSAGES : DIALECT_CHAT, false, asks[from]);
    struct usage u;

    assert_taken(&m);
    assert_true(
        conversion_whole(m.c, str_from(messages ? messages_reply : chat_reply), charged, &m.reply));
    struct json_doc *doc = json_parse(buf_str(&m.reply), NULL);
    assert_non_null(doc);
    usage_read(from, STR("openai"), json_root(doc), &u);
    json_free(doc);
    drop(&m);
    return u;
}

static void totals_are_those_that_are_charged(void **state)
{
    (void)state;
    for (enum dialect d = DIALECT_CHAT; d <= DIALECT_GEMINI; d++) {
        for (size_t i = 0; i < LEAF_COUNT; i++) {
            struct usage one = {.in = 7, .out = 9};
            leaf_set(&one, &leaves[i], 1000);
            struct usage u = shown(d, &one);
            assert_int_equal(u.state, USAGE_OK);
            assert_int_equal(usage_input(&u), usage_input(&one));
            assert_int_equal(usage_output(&u), usage_output(&one));
        }
        struct usage u = shown(d, &all);
        assert_int_equal(u.state, USAGE_OK);
        assert_int_equal(usage_input(&u), usage_input(&all));
        assert_int_equal(usage_output(&u), usage_output(&all));
        assert_int_equal(u.reasoning, all.reasoning);
    }
}

static void leaves_stand_where_a_dialect_has_a_place(void **state)
{
    (void)state;
    struct usage u = shown(DIALECT_CHAT, &(struct usage){.in = 3,
                                                         .in_audio = 20,
                                                         .cache_read = 5,
                                                         .cache_write_1h = 9,
                                                         .out = 4,
                                                         .out_audio = 30});
    assert_int_equal(u.in_audio, 20);
    assert_int_equal(u.cache_read, 5);
    assert_int_equal(u.cache_write_other, 9);
    assert_int_equal(u.out_audio, 30);
    u = shown(DIALECT_RESPONSES, &(struct usage){.in = 1, .cache_write_other = 9, .out = 4});
    assert_int_equal(u.cache_write_other, 9);
    u = shown(DIALECT_MESSAGES, &all);
    assert_int_equal(u.in, 1 + 2 + 4 + 8);
    assert_int_equal(u.cache_read, 16 + 32 + 64 + 128);
    assert_int_equal(u.cache_write_5m, 256);
    assert_int_equal(u.cache_write_1h, 512);
    assert_int_equal(u.cache_write_other, 1024);
    assert_int_equal(u.web_search, 3);
    assert_int_equal(u.web_fetch, 5);
    u = shown(DIALECT_GEMINI, &all);
    assert_int_equal(u.in_audio, 2);
    assert_int_equal(u.in_image, 4);
    assert_int_equal(u.in_video, 8);
    assert_int_equal(u.cache_read_audio, 32);
    assert_int_equal(u.cache_read_image, 64);
    assert_int_equal(u.cache_read_video, 128);
    assert_int_equal(u.out_audio, 4096);
    assert_int_equal(u.out_image, 8192);
    assert_int_equal(u.out_video, 16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_are_those_that_are_charged),
        cmocka_unit_test(leaves_stand_where_a_dialect_has_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
