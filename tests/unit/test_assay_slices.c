/* SPDX-License-Identifier: Apache-2.0 */
/* Which pieces of a text are cut by length alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "assay/slices.h"

#define PROSE                                                                                     \
    "The harbour lay quiet under a pale morning sky, and the first of the fishing boats came in " \
    "behind the breakwater with its lanterns still burning. Nobody on the quay had slept; they "  \
    "counted the masts, one by one, until somebody began to laugh and threw a rope."
#define FOREIGN                                                                               \
    "Le café déjà fermé, la mère Élise rêvait près de la fenêtre où la marée déposait ses "   \
    "algues, et l'été s'en allait sans bruit derrière les façades délavées du vieux port où " \
    "dormaient les derniers bâtiments à voiles que personne n'achèterait plus jamais."

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Whether slices of n characters, or of n bytes to the end of a character, are even. */
static bool even(const char *text, size_t n, bool bytes)
{
    struct slices s = {0};
    size_t length = strlen(text);

    buf_init(&s.text, 1 << 16);
    buf_add(&s.text, str_from(text));
    for (size_t at = 0, taken = 0; at < length;) {
        at++;
        while (continues(text[at])) {
            taken += bytes;
            at++;
        }
        if (++taken >= n || at == length) {
            s.end[s.n++] = at;
            taken = 0;
        }
    }
    bool found = slices_even(&s);
    slices_release(&s);
    return found;
}

static void test_of_one_length(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 11; n++) {
        assert_true(even(PROSE, n, false));
        assert_true(even(FOREIGN, n, false));
    }
    assert_true(even(FOREIGN, 9, true));
    assert_false(even(PROSE, 1, false));  /* some send a character at a time */
    assert_false(even(PROSE, 40, false)); /* too few to tell */
}

/* Words, some of them in pieces, as tokenizers make them. */
static void test_of_tokens(void **state)
{
    struct slices s = {0};

    (void)state;
    buf_init(&s.text, 1 << 16);
    buf_add(&s.text, STR(PROSE));
    for (size_t i = 1; i < s.text.n; i++) {
        if (s.text.p[i] == ' ' || i % 17 == 0) {
            s.end[s.n++] = i;
        }
    }
    s.end[s.n++] = s.text.n;
    assert_true(s.n > 40);
    assert_false(slices_even(&s));
    slices_release(&s);
}

static void test_of_the_same_again(void **state)
{
    char laughter[256] = {0}, words[256] = {0}, chinese[256] = {0};

    (void)state;
    for (size_t i = 0; i < 60; i++) {
        snprintf(laughter + strlen(laughter), 5, "haha");
        snprintf(words + strlen(words), 5, "%c%c. ", (char)('a' + i % 26), (char)('b' + i % 7));
        snprintf(chinese + strlen(chinese), 4, "%c%c%c", 0xE4, (char)(0xB8 + i / 16),
                 (char)(0x80 + i % 16));
    }
    assert_false(even(laughter, 4, false)); /* a small model that has lost its way */
    assert_false(even(words, 4, false));    /* of one length, and cut where they end */
    assert_false(even(chinese, 1, false));  /* a token is a character */
    assert_false(even(chinese, 2, false));  /* and between these there are no words to cut */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_one_length),
        cmocka_unit_test(test_of_tokens),
        cmocka_unit_test(test_of_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
