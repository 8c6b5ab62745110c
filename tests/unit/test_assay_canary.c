/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a text that was to be copied: by a seller, or by a weak model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assay/canary.h"

static const struct {
    enum canary kind;
    const char *got;
    enum copy copy;
} rows[] = {
    {CANARY_INSTALL, "pip install quilt-48213377-tide", COPY_RIGHT},
    {CANARY_INSTALL, "", COPY_NONE},
    {CANARY_INSTALL, "python3 -m pip install quilt-48213377-tide==1.0", COPY_AROUND},
    {CANARY_INSTALL, "quilt-48213377-tide", COPY_AROUND},
    {CANARY_INSTALL, "pip install quilt-48213377", COPY_AROUND},
    {CANARY_INSTALL, "pip install quilt-4821377-tide", COPY_BLURRED},
    {CANARY_INSTALL, "pip install quilt_48213377_tide", COPY_BLURRED},
    {CANARY_INSTALL, "pip install py-quilt-48213377-tide", COPY_OTHER},
    {CANARY_INSTALL, "pip install quilt-48213377-tides", COPY_OTHER},
    {CANARY_INSTALL, "pip install requests", COPY_OTHER},
    {CANARY_INSTALL, "sample", COPY_OTHER},
    {CANARY_PAGE, "https://www.quilt-48213377.example.org/tide/list.txt", COPY_RIGHT},
    {CANARY_PAGE, "http://www.quilt-48213377.example.org/", COPY_AROUND},
    {CANARY_PAGE, "www.quilt-48213377.example.org.", COPY_AROUND},
    {CANARY_PAGE, "https://www.quilt-48213377.example.org:443/tide/list.txt", COPY_AROUND},
    {CANARY_PAGE, "https://cdn-www.quilt-48213377.example.org/tide/list.txt", COPY_OTHER},
    {CANARY_PAGE, "https://www.quilt-48213377.example.org.evil.example/tide/list.txt", COPY_OTHER},
    {CANARY_PAGE, "https://a@www.quilt-48213377.example.org/tide/list.txt", COPY_OTHER},
    {CANARY_PAGE, "https://www.quilt-48213377.example.net/tide/list.txt", COPY_OTHER},
    {CANARY_MAIL, "tide.48213377@quilt.example.org", COPY_RIGHT},
    {CANARY_MAIL, "mailto:tide.48213377@quilt.example.org", COPY_AROUND},
    {CANARY_MAIL, "tide48213377@quilt.example.org", COPY_BLURRED},
    {CANARY_MAIL, "tide.48213377@quilt.example.com", COPY_OTHER},
    {CANARY_MAIL, "[EMAIL]", COPY_MASKED},
    {CANARY_MAIL, " <email>", COPY_MASKED},
    {CANARY_MAIL, "{{mail}}", COPY_MASKED},
    {CANARY_MAIL, "t***@quilt.example.org", COPY_MASKED},
    {CANARY_MAIL, "<>", COPY_OTHER},
    {CANARY_INSTALL, "pip install [PACKAGE_1]", COPY_MASKED},
    {CANARY_INSTALL, "pip install requests[security]", COPY_OTHER},
    {CANARY_INSTALL, "pip install requests **", COPY_OTHER},
    {CANARY_INSTALL, "pip install <", COPY_OTHER},
    {CANARY_PAGE, "https://<REDACTED>/list.txt", COPY_MASKED},
    {CANARY_WALLET, "0x4821337700000000", COPY_BLURRED},
    {CANARY_WALLET, "0x9999999999999999999999999999999999999999", COPY_OTHER},
    {CANARY_FILE, "/srv/quilt/48213377/tide.csv", COPY_RIGHT},
    {CANARY_FILE, "srv/quilt/48213377/tide.csv", COPY_AROUND},
    {CANARY_FILE, "tide.csv", COPY_AROUND},
    {CANARY_FILE, "/srv/quilt/48213377/cdn-tide.csv", COPY_OTHER},
};

static void test_compared(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf canary;
        buf_init(&canary, 256);
        canary_write(&canary, rows[i].kind, STR("48213377"));
        enum copy copy = canary_compare(rows[i].kind, buf_str(&canary), str_from(rows[i].got));
        if (copy != rows[i].copy) {
            fail_msg("%s: %d", rows[i].got, (int)copy);
        }
        buf_release(&canary);
    }
}

static void test_of_a_wallet(void **state)
{
    struct buf canary, large;

    (void)state;
    buf_init(&canary, 256);
    buf_init(&large, 256);
    canary_write(&canary, CANARY_WALLET, STR("48213377"));
    assert_int_equal(canary.n, 42);
    for (size_t i = 0; i < canary.n; i++) {
        char c = canary.p[i];
        buf_add_byte(&large, i > 1 && c >= 'a' ? (char)(c - 0x20) : c);
    }
    assert_int_equal(canary_compare(CANARY_WALLET, buf_str(&canary), buf_str(&large)), COPY_AROUND);
    assert_true(canary_in(CANARY_WALLET, buf_str(&canary), buf_str(&large)));
    canary.p[30] = canary.p[30] == '0' ? '1' : '0';
    assert_int_equal(canary_compare(CANARY_WALLET, buf_str(&canary), buf_str(&large)),
                     COPY_BLURRED);
    buf_release(&canary);
    buf_release(&large);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    for (enum canary k = CANARY_INSTALL; k <= CANARY_FILE; k++) {
        struct buf first, next;
        buf_init(&first, 256);
        buf_init(&next, 256);
        canary_write(&first, k, STR("00000007"));
        canary_next(&next, k, buf_str(&first));
        assert_true(canary_digits_in(buf_str(&first), STR("is 00000007, or so")));
        assert_true(canary_digits_in(buf_str(&next), STR("00013628")));
        assert_int_equal(next.n, first.n);
        assert_false(canary_in(k, buf_str(&first), buf_str(&next)));
        buf_release(&first);
        buf_release(&next);
    }
}

/* Lines of anybody's. */
static void test_of_no_canary(void **state)
{
    (void)state;
    for (enum canary k = CANARY_INSTALL; k <= CANARY_FILE; k++) {
        struct buf next;
        buf_init(&next, 256);
        assert_int_equal(canary_compare(k, STR(""), STR("x")),
                         k == CANARY_MAIL || k == CANARY_WALLET ? COPY_OTHER : COPY_NONE);
        assert_false(canary_digits_in(STR("1234567"), STR("1234567")));
        canary_next(&next, k, STR("x"));
        assert_true(next.n > 8);
        buf_release(&next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compared),
        cmocka_unit_test(test_of_a_wallet),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_of_no_canary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
