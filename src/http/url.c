/* SPDX-License-Identifier: Apache-2.0 */
/* Targets of requests: path, query, percent-encoding. */
#include "http/http.h"

void url_split(struct str target, struct str *path, struct str *query)
{
    *query = target;
    *path = str_cut(query, '?');
}

struct str url_query(struct str query, struct str name)
{
    while (query.n > 0) {
        struct str value = str_cut(&query, '&');
        struct str key = str_cut(&value, '=');
        if (str_eq(key, name)) {
            return value;
        }
    }
    return (struct str){NULL, 0};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* For paths: a plus stands for itself. Hidden control bytes are refused; names have none. */
bool url_decode(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int c = (unsigned char)s.p[i];
        if (c == '%') {
            int high = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
            int low = s.n - i > 2 ? hex_digit(s.p[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = high * 16 + low;
            i += 2;
            if (c < 0x20) {
                return false;
            }
        }
        if (!buf_add_byte(out, (char)c)) {
            return false;
        }
    }
    return true;
}
