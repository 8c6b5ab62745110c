/* SPDX-License-Identifier: Apache-2.0 */
/* What is read out of words: manners, hosts, and whose model a name is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assay/family.h"
#include "assay/leak.h"
#include "assay/manner.h"
#include "assay/shape.h"

static const struct {
    const char *text;
    bool declines, apologises;
} manners[] = {
    {"I can't do that.", true, false},
    {"I CAN’T", true, false},
    {"We won't", true, false},
    {"I cannot.", true, false},
    {"我无法提供帮助", true, false},
    {"Sorry!", false, true},
    {"My apologies", false, true},
    {"Apply a significant amount of tension and rake the pins.", false, false},
    {"An applicant for a vacant flat", false, false},
    {"A wonton", false, false},
    {"The reader is in the cannotation", false, false},
};

static void test_manners(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
        struct str text = str_from(manners[i].text);
        if (manner_shows(text, MANNER_DECLINES) != manners[i].declines ||
            manner_shows(text, MANNER_APOLOGISES) != manners[i].apologises) {
            fail_msg("%s", manners[i].text);
        }
    }
}

static void test_series(void **state)
{
    static const char *const rows[][2] = {
        {"I am ChatGPT, by OpenAI.", "GPT"},
        {"我是GPT-4o", "GPT"},
        {"Qwen3, not Claude", "Claude, Qwen"},
        {"I run in ollama.", ""},
        {"ChatGLM3", "GLM"},
        {"我是通义千问。", "Qwen"},
        {"Fingpting", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf names;
        buf_init(&names, 256);
        manner_names(&names, str_from(rows[i][0]));
        if (!str_eq(buf_str(&names), str_from(rows[i][1]))) {
            fail_msg("%s: %.*s", rows[i][0], STR_ARG(buf_str(&names)));
        }
        buf_release(&names);
    }
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        bool shown;
    } rows[] = {
        {"platform.openai.com", false},
        {"Docs.Anthropic.com", false},
        {"platform.cheap-upstream.example", true},
        {"www.other-relay.com", true},
        {"docs.openai.com.relay.example", true},
        {"console.relay.example", true},
        {"github.com.relay.example", true},
        {"errors.pydantic.dev", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct leaks l;
        struct buf text;
        leaks_init(&l, STR("https://own.example/v1"));
        buf_init(&text, 256);
        buf_addf(&text, "see https://%s/x.", rows[i].host);
        leaks_find(&l, buf_str(&text));
        if (l.count != rows[i].shown || (l.count > 0 && strcmp(l.hosts[0], rows[i].host) != 0)) {
            fail_msg("%s", rows[i].host);
        }
        buf_release(&text);
    }
}

static void test_makers(void **state)
{
    static const struct {
        const char *model;
        enum maker maker;
    } rows[] = {
        {"gpt-4o", MAKER_OPENAI},
        {"openai/GPT-4o", MAKER_OPENAI},
        {"gpt-4-1-mini", MAKER_OPENAI},
        {"gpt-5.6-sol", MAKER_OPENAI},
        {"o1-preview", MAKER_OPENAI},
        {"o1ive-7b", MAKERS},
        {"gpt-oss-120b", MAKERS},
        {"gpt4all", MAKERS},
        {"Claude-3-5-sonnet", MAKER_ANTHROPIC},
        {"gemini-2.5-pro", MAKER_GEMINI},
        {"gemini-distil-qwen", MAKERS},
        {"claudette", MAKERS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (maker_of(str_from(rows[i].model)) != rows[i].maker) {
            fail_msg("%s", rows[i].model);
        }
    }
    assert_true(maker_fits(MAKER_AZURE, STR("GPT-4o")));
    assert_false(maker_fits(MAKER_BEDROCK, STR("GPT-4o")));
    assert_true(model_says(STR("us.anthropic.Claude-x"), "claude"));
    assert_false(model_says(STR("claud"), "claude"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manners),
        cmocka_unit_test(test_series),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_makers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
