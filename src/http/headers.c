/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a parsed head. */
#include "http/http.h"

struct str head_target(const struct head *h, const char *base)
{
    return str_slice(base + h->target, h->target_n);
}

static bool named(const struct header *h, const char *base, struct str name)
{
    return h->name_n == name.n && ((base[h->name] ^ name.p[0]) & ~0x20) == 0 &&
           str_eq_nocase(str_slice(base + h->name, h->name_n), name);
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
    static const struct {
        unsigned status;
        const char *reason;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {424, "Failed Dependency"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {529, "Overloaded"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].status == status) {
            return rows[i].reason;
        }
    }
    return "Status";
}
