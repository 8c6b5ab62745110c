/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is behind the proxies. Each proxy adds the address it was called from at the end of
 * X-Forwarded-For, so the list is read from its end, and only as far as it was written by proxies
 * that are trusted: what stands further left, anybody may have sent.
 */
#include "http/http.h"

/* Some proxies add the port; an IPv6 address then stands in brackets. */
static struct str without_port(struct str s)
{
    size_t at = s.n;
    uint64_t port;

    while (at > 0 && s.p[at - 1] != ':') {
        at--;
    }
    struct str host = str_slice(s.p, at > 0 ? at - 1 : 0);
    bool alone = str_ends(host, STR("]")) || str_find_byte(host, ':') == host.n;
    return alone && str_to_u64(str_skip(s, at), &port) && port <= UINT16_MAX ? host : s;
}

static bool parse_entry(struct str entry, struct ip *out)
{
    struct str s = without_port(str_trim(entry));

    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') {
        s = str_slice(s.p + 1, s.n - 2);
    }
    return ip_parse(s, out);
}

/* Takes the last entry off the list. */
static struct str last_entry(struct str *list)
{
    size_t at = list->n;

    while (at > 0 && list->p[at - 1] != ',') {
        at--;
    }
    struct str entry = str_skip(*list, at);
    list->n = at > 0 ? at - 1 : 0;
    return entry;
}

struct ip forwarded_client(const struct head *h, const char *base, struct ip peer,
                           const struct ip_network *trusted, size_t count)
{
    struct ip client = peer;

    for (uint32_t i = h->count; i > 0; i--) {
        const struct header *header = &h->h[i - 1];
        struct str name = str_slice(base + header->name, header->name_n);
        struct str list = str_slice(base + header->value, header->value_n);
        if (!str_eq_nocase(name, STR("x-forwarded-for"))) {
            continue;
        }
        while (list.n > 0) {
            struct ip next;
            if (!ip_in(&client, trusted, count) || !parse_entry(last_entry(&list), &next)) {
                return client;
            }
            client = next;
        }
    }
    return client;
}
