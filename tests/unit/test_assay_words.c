/* SPDX-License-Identifier: Apache-2.0 */
/* Each row of words.def says the same in Chinese, and no other row takes its texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assay/words.h"

#define MAX 4096

static const char *const rows[][2] = {
#define WORDS(english, chinese) {english, chinese},
#include "assay/words.def"
};

static void say(struct buf *out, const char *english)
{
    buf_clear(out);
    words_say(out, LANG_ZH, str_from(english));
    buf_add_byte(out, '\0');
}

/* Numbers and words into the places; what stands there is told apart by its number. */
static void fill(struct buf *out, const char *pattern)
{
    unsigned place = 0;

    buf_clear(out);
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '#') {
            buf_addf(out, "-%u.5", ++place);
        } else if (*p == '@') {
            buf_addf(out, "<%u>", ++place);
        } else {
            buf_add_byte(out, *p);
        }
    }
    buf_add_byte(out, '\0');
}

static void expect(struct buf *out, const char *english, const char *chinese)
{
    const char *kinds[9] = {0};
    size_t n = 0;

    for (const char *p = english; *p != '\0'; p++) {
        if (*p == '#' || *p == '@') {
            kinds[n++] = p;
        }
    }
    buf_clear(out);
    for (const char *p = chinese; *p != '\0'; p++) {
        if (*p == '@') {
            unsigned place = (unsigned)(*++p - '0');
            assert_in_range(place, 1, n);
            buf_addf(out, *kinds[place - 1] == '#' ? "-%u.5" : "<%u>", place);
        } else {
            buf_add_byte(out, *p);
        }
    }
    buf_add_byte(out, '\0');
}

static void test_rows(void **state)
{
    struct buf english, wanted, said;

    (void)state;
    buf_init(&english, MAX);
    buf_init(&wanted, MAX);
    buf_init(&said, MAX);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fill(&english, rows[i][0]);
        expect(&wanted, rows[i][0], rows[i][1]);
        say(&said, english.p);
        assert_string_equal(said.p, wanted.p);
    }
    buf_release(&english);
    buf_release(&wanted);
    buf_release(&said);
}

static void check(const char *english, const char *chinese)
{
    struct buf said;

    buf_init(&said, MAX);
    say(&said, english);
    assert_string_equal(said.p, chinese);
    buf_release(&said);
}

static void test_texts(void **state)
{
    (void)state;
    check("complete", "全部完成");
    check("", "");
    check("nobody has said this", "nobody has said this");
    check("With at most 32 tokens of output asked for, x are billed.",
          "With at most 32 tokens of output asked for, x are billed.");
    check("Input is billed 1.148 times what the reference counts.",
          "输入的计费是对照接口计数的 1.148 倍。");
    check("Each message is billed 301 tokens more than the reference bills (62 calls). At the list "
          "price that is 752.12 USD for a million requests.",
          "每条消息比对照接口的计费多计 301 个 token（62 次调用）。按标价计算，每一百万次请求合 "
          "752.12 USD。");
    check("nobody knows. With at most 32 tokens of output asked for, 16 are billed.",
          "nobody knows. 要求最多输出 32 个 token，计费 16 个。");
}

static void test_english_and_names(void **state)
{
    struct buf out;
    enum lang lang;

    (void)state;
    buf_init(&out, MAX);
    words_say(&out, LANG_EN, STR("complete"));
    assert_true(str_eq(buf_str(&out), STR("complete")));
    buf_release(&out);
    assert_true(words_lang(STR("zh"), &lang) && lang == LANG_ZH);
    assert_true(words_lang(STR("en"), &lang) && lang == LANG_EN);
    assert_false(words_lang(STR("fr"), &lang));
    assert_string_equal(words_tag(LANG_ZH), "zh-CN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_english_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
