/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and networks of IP, as values: 16 bytes, an IPv4 address as ::ffff:a.b.c.d, so that
 * both compare alike. All zero: not known.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/str.h"

struct ip {
    uint8_t b[16];
};
struct ip_network {
    struct ip ip;
    uint8_t bits; /* of 128 */
};
#define IP_TEXT 46

/* "192.0.2.7" or "2001:db8::7", nothing around it. */
bool ip_parse(struct str text, struct ip *out);
/* NUL-terminated; "-" when it is not known. */
const char *ip_text(char out[IP_TEXT], const struct ip *a);
bool ip_known(const struct ip *a);
bool ip_equal(const struct ip *a, const struct ip *b);
/* What one client has to itself: an IPv4 address, the 64 bits in front of an IPv6 one. */
struct ip ip_site(const struct ip *a);

/* "10.0.0.0/8", "2001:db8::/32" or one address; false also when bits behind the length are set. */
bool ip_network_parse(struct str text, struct ip_network *out);
bool ip_in(const struct ip *a, const struct ip_network *networks, size_t count);

#endif
