/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "identity/guesses.h"

static struct ip ip(const char *text)
{
    struct ip a;
    assert_true(ip_parse(str_from(text), &a));
    return a;
}

/* All that it may send, at this time; the last one is told. */
static void use_up(struct guesses *g, const struct ip *a, int64_t now_ms)
{
    for (int i = 1; i <= LIMIT_BAD_KEYS; i++) {
        assert_int_equal(guesses_wait_s(g, a, now_ms), 0);
        assert_int_equal(guesses_note(g, a, now_ms), i == LIMIT_BAD_KEYS);
    }
}

static void so_many_a_minute(void **state)
{
    struct guesses *g = guesses_new();
    struct ip a = ip("192.0.2.7"), other = ip("192.0.2.8");

    (void)state;
    use_up(g, &a, 1000);
    assert_int_equal(guesses_wait_s(g, &a, 1000), 60);
    assert_int_equal(guesses_wait_s(g, &a, 31001), 30);
    assert_int_equal(guesses_wait_s(g, &a, 60999), 1);
    assert_int_equal(guesses_wait_s(g, &other, 1000), 0);
    assert_false(guesses_note(g, &a, 2000)); /* told once */
    use_up(g, &a, 61000);
    assert_int_equal(guesses_wait_s(g, &a, 61000), 60);
    guesses_free(g);
}

static void an_ipv6_client_has_a_network(void **state)
{
    struct guesses *g = guesses_new();
    struct ip a = ip("2001:db8:0:1::7"), same = ip("2001:db8:0:1:ffff::9"),
              other = ip("2001:db8:0:2::7");

    (void)state;
    use_up(g, &a, 0);
    assert_int_not_equal(guesses_wait_s(g, &same, 0), 0);
    assert_int_equal(guesses_wait_s(g, &other, 0), 0);
    guesses_free(g);
}

static void nobody_stands_for_all_the_unknown(void **state)
{
    struct guesses *g = guesses_new();
    struct ip none = {{0}};

    (void)state;
    for (int i = 0; i < 2 * LIMIT_BAD_KEYS; i++) {
        assert_false(guesses_note(g, &none, 0));
        assert_int_equal(guesses_wait_s(g, &none, 0), 0);
    }
    guesses_free(g);
}

static void the_oldest_is_forgotten(void **state)
{
    struct guesses *g = guesses_new();
    struct ip a = ip("192.0.2.7"), b = ip("192.0.2.8");

    (void)state;
    use_up(g, &a, 0);
    use_up(g, &b, 0);
    for (int i = 0; i < LIMIT_GUESSERS - 1; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 256, i % 256);
        struct ip many = ip(text);
        (void)guesses_note(g, &many, 1);
    }
    assert_int_equal(guesses_wait_s(g, &a, 1), 0);
    assert_int_not_equal(guesses_wait_s(g, &b, 1), 0);
    use_up(g, &a, 2);
    assert_int_equal(guesses_wait_s(g, &b, 2), 0);
    guesses_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_a_minute),
        cmocka_unit_test(an_ipv6_client_has_a_network),
        cmocka_unit_test(nobody_stands_for_all_the_unknown),
        cmocka_unit_test(the_oldest_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
