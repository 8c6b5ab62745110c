/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct ip *a)
{
    return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool ip_parse(struct str text, struct ip *out)
{
    char s[IP_TEXT];

    if (text.n == 0 || text.n >= sizeof(s) || memchr(text.p, '\0', text.n) != NULL) {
        return false;
    }
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    memcpy(out->b, mapped, sizeof(mapped));
    return inet_pton(AF_INET, s, out->b + sizeof(mapped)) == 1 ||
           inet_pton(AF_INET6, s, out->b) == 1;
}

const char *ip_text(char out[IP_TEXT], const struct ip *a)
{
    const char *text = NULL;

    if (ip_known(a)) {
        text = is_v4(a) ? inet_ntop(AF_INET, a->b + sizeof(mapped), out, IP_TEXT)
                        : inet_ntop(AF_INET6, a->b, out, IP_TEXT);
    }
    return text != NULL ? text : "-";
}

bool ip_known(const struct ip *a)
{
    static const struct ip none;
    return !ip_equal(a, &none);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static struct ip first_bits(struct ip a, unsigned bits)
{
    for (unsigned i = 0; i < sizeof(a.b); i++) {
        unsigned keep = bits > i * 8 ? bits - i * 8 : 0;
        a.b[i] &= (uint8_t)(keep >= 8 ? 0xff : 0xff00 >> keep);
    }
    return a;
}

struct ip ip_site(const struct ip *a)
{
    return is_v4(a) ? *a : first_bits(*a, 64);
}

bool ip_network_parse(struct str text, struct ip_network *out)
{
    struct str bits = text;
    struct str address = str_cut(&bits, '/');
    uint64_t n;

    if (!ip_parse(address, &out->ip)) {
        return false;
    }
    unsigned before = str_find_byte(address, ':') == address.n ? 96 : 0;
    if (address.n == text.n) {
        n = 128 - before;
    } else if (!str_to_u64(bits, &n) || n > 128 - before) {
        return false;
    }
    out->bits = (uint8_t)(before + n);
    struct ip clean = first_bits(out->ip, out->bits);
    return ip_equal(&clean, &out->ip);
}

bool ip_in(const struct ip *a, const struct ip_network *networks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ip of = first_bits(*a, networks[i].bits);
        if (ip_equal(&of, &networks[i].ip)) {
            return true;
        }
    }
    return false;
}
