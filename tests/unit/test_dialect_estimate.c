/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates of input against what vendors' tokenizers make of the same strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/dialect.h"

static uint64_t estimate(const char *model, const char *line, unsigned times)
{
    struct buf b;
    uint64_t tokens = 0;

    buf_init(&b, 1 << 20);
    buf_add(&b, STR("{\"messages\":[{\"role\":\"user\",\"content\":\""));
    for (unsigned i = 0; i < times; i++) {
        buf_cat(&b, str_from(line), STR("\\n"));
    }
    buf_add(&b, STR("\"}]}"));
    assert_true(estimate_input(buf_str(&b), str_from(model), &tokens));
    buf_release(&b);
    return tokens;
}

/* Tokens of one line, as the slope over many of them. */
static uint64_t of_line(const char *model, const char *line)
{
    return (estimate(model, line, 101) - estimate(model, line, 1)) / 100;
}

static void test_scripts_cost_what_each_tokenizer_makes_of_them(void **state)
{
    static const char *const models[] = {"openai/gpt-5.2", "claude-opus-4-5", "gemini-2.5-flash",
                                         "Qwen/Qwen3-32B", "deepseek-chat",   "kimi-k2"};
    static const struct {
        const char *line;
        unsigned measured[6];
    } cases[] = {
        {"31415926535897932384626433832795", {12, 14, 33, 33, 12, 12}},
        {"他们在中华人民共和国成立后的第一个五年计划期间加强了基础设施建设",
         {17, 33, 13, 14, 11, 10}},
        {"สวัสดีครับวันนี้อากาศดีมากเราไปเดินเล่นกันเถอะ", {20, 83, 15, 25, 20, 38}},
        {"नमस्ते आज मौसम बहुत अच्छा है चलो टहलने चलते हैं", {17, 51, 13, 48, 30, 30}},
        {"საქართველო ლამაზი ქვეყანაა", {8, 32, 13, 27, 23, 23}},
        {"안녕하세요 오늘 날씨가 정말 좋네요 산책하러 갑시다", {17, 38, 15, 21, 24, 33}},
        {"東京タワーから富士山が見えますので、ぜひお越しください", {20, 32, 15, 19, 18, 21}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t m = 0; m < 6; m++) {
            uint64_t most = cases[i].measured[m] + 2, least = cases[i].measured[m] - 2;
            assert_in_range(of_line(models[m], cases[i].line), least, most);
        }
        /* A model that nobody knows: not less than any of them. */
        for (size_t m = 0; m < 6; m++) {
            assert_true(of_line("nobody-1", cases[i].line) + 1 >=
                        of_line(models[m], cases[i].line));
        }
    }
}

static void test_a_name_is_known_by_its_words(void **state)
{
    static const char line[] = "31415926535897932384626433832795";

    (void)state;
    assert_int_equal(of_line("vendor/o3-mini", line), of_line("gpt-4o", line));
    assert_int_equal(of_line("Claude-3", line), of_line("claude-3", line));
    assert_int_not_equal(of_line("solo3", line), of_line("o3", line));
}

static uint64_t whole(const char *body)
{
    uint64_t tokens = 0;

    assert_true(estimate_input(str_from(body), STR("gpt-5"), &tokens));
    return tokens;
}

static void test_what_is_no_text_has_its_own_cost(void **state)
{
    uint64_t plain = whole("{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}");
    char image[5000];

    (void)state;
    memset(image, 'A', sizeof(image));
    struct buf b;
    buf_init(&b, 8192);
    buf_addf(
        &b,
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"},"
        "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\","
        "\"data\":\"%.4900s\"}}]}]}",
        image);
    buf_add_byte(&b, '\0');
    assert_int_equal(whole(b.p), plain + 600);
    buf_release(&b);
    assert_int_equal(
        whole("{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hello\"},{\"inlineData\":"
              "{\"mimeType\":\"image/png\",\"data\":\"AAAAAAAAAAAAAAAAAAAAAA\"}}]}]}"),
        plain + 600);
    /* A document that is text is read. */
    assert_in_range(whole("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\","
                          "\"source\":{\"type\":\"text\",\"media_type\":\"text/plain\",\"data\":"
                          "\"Hello\"}}]}]}"),
                    plain, plain);
    /* Identifiers are not read, arguments are. */
    assert_in_range(whole("{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"},{\"role\":"
                          "\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_0123\","
                          "\"name\":\"find\",\"input\":{\"id\":\"a b c d\",\"type\":\"e\"}}]}]}"),
                    plain + 4 + 8, plain + 4 + 10);
}

static void test_tools_and_forms_count(void **state)
{
    uint64_t plain = whole("{\"input\":\"Hello\"}");
    uint64_t one =
        whole("{\"input\":\"Hello\",\"tools\":[{\"type\":\"function\",\"name\":\"find\","
              "\"description\":\"Looks for it\",\"parameters\":{\"type\":\"object\"}}]}");

    (void)state;
    assert_in_range(one, plain + 25, plain + 45);
    assert_true(whole("{\"input\":\"Hello\",\"text\":{\"format\":{\"type\":\"json_schema\","
                      "\"schema\":{\"type\":\"object\"}}}}") > plain);
    assert_int_equal(whole("{\"generateContentRequest\":{\"contents\":[{\"role\":\"user\","
                           "\"parts\":[{\"text\":\"Hello\"}]}]}}"),
                     plain);
}

static void test_only_json(void **state)
{
    uint64_t tokens;

    (void)state;
    assert_false(estimate_input(STR("{"), STR("gpt-5"), &tokens));
    assert_true(estimate_input(STR("[[[]]]"), STR("gpt-5"), &tokens));
    assert_true(
        estimate_input(STR("{\"messages\":7,\"tools\":[3,null,\"x\"]}"), STR("gpt-5"), &tokens));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts_cost_what_each_tokenizer_makes_of_them),
        cmocka_unit_test(test_a_name_is_known_by_its_words),
        cmocka_unit_test(test_what_is_no_text_has_its_own_cost),
        cmocka_unit_test(test_tools_and_forms_count),
        cmocka_unit_test(test_only_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
