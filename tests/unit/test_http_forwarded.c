/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/http.h"

/* Trusted: 10.0.0.0/8 and 2001:db8::/32. */
static void check(const char *peer, const char *headers, const char *wanted)
{
    struct ip_network trusted[2];
    struct h1 p;
    struct head head;
    char text[1024], got[IP_TEXT];
    struct ip from;

    assert_true(ip_network_parse(STR("10.0.0.0/8"), &trusted[0]) &&
                ip_network_parse(STR("2001:db8::/32"), &trusted[1]));
    assert_true(ip_parse(str_from(peer), &from));
    int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nhost: x\r\n%s\r\n", headers);
    h1_init(&p, true, &head, NULL, NULL);
    assert_int_equal(h1_feed(&p, text, text, (size_t)n), n);
    assert_int_equal(p.state, H1_DONE);
    struct ip client = forwarded_client(&head, text, from, trusted, 2);
    if (strcmp(ip_text(got, &client), wanted) != 0) {
        fail_msg("%s, %s: %s, wanted %s", peer, headers, got, wanted);
    }
}

#define XFF "X-Forwarded-For: "

static void only_who_is_trusted_is_believed(void **state)
{
    (void)state;
    check("192.0.2.1", "", "192.0.2.1");
    check("192.0.2.1", XFF "198.51.100.9\r\n", "192.0.2.1");
    check("10.0.0.1", "", "10.0.0.1");
    check("10.0.0.1", XFF "198.51.100.9\r\n", "198.51.100.9");
    check("10.0.0.1", XFF "1.1.1.1, 198.51.100.9\r\n", "198.51.100.9");
    check("10.0.0.1", XFF "1.1.1.1, 198.51.100.9, 10.0.0.2, 10.0.0.3\r\n", "198.51.100.9");
    check("10.0.0.1", XFF "10.0.0.9, 10.0.0.2\r\n", "10.0.0.9");
    check("2001:db8::1", "x-forwarded-for: 2001:db9::7\r\n", "2001:db9::7");
}

static void several_headers_are_one_list(void **state)
{
    (void)state;
    check("10.0.0.1", XFF "1.1.1.1\r\n" XFF "198.51.100.9\r\nother: 2.2.2.2\r\n", "198.51.100.9");
    check("10.0.0.1", XFF "1.1.1.1, 198.51.100.9\r\nother: 2.2.2.2\r\n" XFF "10.0.0.2\r\n",
          "198.51.100.9");
    check("10.0.0.1", XFF "\r\n", "10.0.0.1");
}

static void ports_and_brackets(void **state)
{
    (void)state;
    check("10.0.0.1", XFF "198.51.100.9:4711\r\n", "198.51.100.9");
    check("10.0.0.1", XFF "[2001:db9::7]:4711\r\n", "2001:db9::7");
    check("10.0.0.1", XFF "[2001:db9::7]\r\n", "2001:db9::7");
    check("10.0.0.1", XFF "2001:db9::7\r\n", "2001:db9::7");
    check("10.0.0.1", XFF "1.1.1.1 ,\t::ffff:198.51.100.9\r\n", "198.51.100.9");
}

static void what_is_no_address_ends_the_walk(void **state)
{
    static const char *const bad[] = {"unknown", "_hidden", "",          "198.51.100.9:",
                                      "[::1",    "::1]",    "[]",        "198.51.100.9:70000",
                                      ":80",     "[::1]x",  "1.1.1.1 2", "198.51.100.9:8x"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char headers[128];
        (void)snprintf(headers, sizeof(headers), XFF "1.1.1.1, %s, 10.0.0.2\r\n", bad[i]);
        check("10.0.0.1", headers, "10.0.0.2");
        (void)snprintf(headers, sizeof(headers), XFF "1.1.1.1, %s\r\n", bad[i]);
        check("10.0.0.1", headers, "10.0.0.1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_is_trusted_is_believed),
        cmocka_unit_test(several_headers_are_one_list),
        cmocka_unit_test(ports_and_brackets),
        cmocka_unit_test(what_is_no_address_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
