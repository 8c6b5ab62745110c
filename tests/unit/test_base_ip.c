/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/ip.h"

static struct ip ip(const char *text)
{
    struct ip a;
    if (!ip_parse(str_from(text), &a)) {
        fail_msg("%s is no address", text);
    }
    return a;
}

static void text_to_address_and_back(void **state)
{
    static const char *const same[] = {"0.0.0.0", "192.0.2.7",   "255.255.255.255",
                                       "::1",     "2001:db8::7", "fe80::1:2:3:4"};
    char text[IP_TEXT];
    struct ip a, none = {{0}};

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        a = ip(same[i]);
        assert_true(ip_known(&a));
        assert_string_equal(ip_text(text, &a), same[i]);
    }
    a = ip("::ffff:192.0.2.7");
    assert_string_equal(ip_text(text, &a), "192.0.2.7");
    assert_false(ip_known(&none));
    assert_string_equal(ip_text(text, &none), "-");
}

static void what_is_no_address(void **state)
{
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("1"),
        STR_INIT("1.2.3"),
        STR_INIT("1.2.3.4.5"),
        STR_INIT("1.2.3.04"),
        STR_INIT("1.2.3.256"),
        STR_INIT(" 1.2.3.4"),
        STR_INIT("1.2.3.4 "),
        STR_INIT("[::1]"),
        STR_INIT("1.2.3.4:80"),
        STR_INIT("unknown"),
        STR_INIT("::1%eth0"),
        STR_INIT("1.2.3.4\0x"),
        STR_INIT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001")};
    struct ip a;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (ip_parse(bad[i], &a)) {
            fail_msg("%.*s passed", STR_ARG(bad[i]));
        }
    }
}

static bool in(const char *address, const char *network)
{
    struct ip_network n;
    struct ip a = ip(address);
    if (!ip_network_parse(str_from(network), &n)) {
        fail_msg("%s is no network", network);
    }
    return ip_in(&a, &n, 1);
}

static void networks(void **state)
{
    (void)state;
    assert_true(in("10.255.0.1", "10.0.0.0/8"));
    assert_false(in("11.0.0.0", "10.0.0.0/8"));
    assert_true(in("192.0.2.127", "192.0.2.0/25"));
    assert_false(in("192.0.2.128", "192.0.2.0/25"));
    assert_true(in("192.0.2.7", "192.0.2.7"));
    assert_false(in("192.0.2.6", "192.0.2.7"));
    assert_true(in("192.0.2.7", "192.0.2.7/32"));
    assert_true(in("192.0.2.7", "0.0.0.0/0"));
    assert_false(in("2001:db8::7", "0.0.0.0/0"));
    assert_true(in("2001:db8:0:ffff::7", "2001:db8::/32"));
    assert_false(in("2001:db9::7", "2001:db8::/32"));
    assert_true(in("2001:db8::5", "2001:db8::4/127"));
    assert_false(in("2001:db8::6", "2001:db8::4/127"));
    assert_true(in("::ffff:10.0.0.1", "10.0.0.0/8"));
    assert_true(in("10.0.0.1", "::/0"));
    assert_false(in("::1", "::2"));
}

static void what_is_no_network(void **state)
{
    static const char *const bad[] = {"",           "10.0.0.0/",   "10.0.0.0/33", "10.0.0.0/-1",
                                      "10.0.0.1/8", "/8",          "::/129",      "2001:db8::1/32",
                                      "10/8",       "10.0.0.0/8 ", "localhost",   "10.0.0.0/8/8"};
    struct ip_network n;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (ip_network_parse(str_from(bad[i]), &n)) {
            fail_msg("%s passed", bad[i]);
        }
    }
}

static void sites(void **state)
{
    struct ip a = ip("2001:db8:1:2:3:4:5:6"), b = ip("192.0.2.7"), wanted = ip("2001:db8:1:2::");
    struct ip site = ip_site(&a);

    (void)state;
    assert_true(ip_equal(&site, &wanted));
    site = ip_site(&b);
    assert_true(ip_equal(&site, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_to_address_and_back),
        cmocka_unit_test(what_is_no_address),
        cmocka_unit_test(networks),
        cmocka_unit_test(what_is_no_network),
        cmocka_unit_test(sites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
