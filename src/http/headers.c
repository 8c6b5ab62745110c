/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a parsed head. */
#include "http/http.h"

struct str head_target(const struct head *h, const char *base)
{
    return str_slice(base + h->target, h->target_n);
}

static bool named(const struct header *h, const char *base, struct str name)
{
    return h->name_n == name.n && str_eq_nocase(str_slice(base + h->name, h->name_n), name);
}

struct str head_get(const struct head *h, const char *base, struct str name)
{
    for (uint32_t i = 0; i < h->count; i++) {
        if (named(&h->h[i], base, name)) {
            return str_slice(base + h->h[i].value, h->h[i].value_n);
        }
    }
    return (struct str){NULL, 0};
}

unsigned head_count(const struct head *h, const char *base, struct str name)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        count += named(&h->h[i], base, name);
    }
    return count;
}

const char *http_reason(unsigned status)
{
    switch (status) {
#define REASON(num, name, string) \
    case num: \
        return #string;
        HTTP_STATUS_MAP(REASON)
#undef REASON
    default: return "Unknown";
    }
}
