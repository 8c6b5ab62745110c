/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"

static bool write_escaped(struct buf *b, unsigned char c)
{
    static const char short_form[][3] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    if (c < sizeof(short_form) / sizeof(short_form[0]) && short_form[c][0] != '\0') {
        return buf_add(b, str_slice(short_form[c], 2));
    }
    return buf_addf(b, "\\u%04x", c);
}

bool json_write_str(struct buf *b, struct str s)
{
    size_t from = 0;
    bool ok = buf_add_byte(b, '"');

    for (size_t i = 0; i < s.n && ok; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            ok = buf_add(b, str_slice(s.p + from, i - from)) && write_escaped(b, c);
            from = i + 1;
        }
    }
    return ok && buf_add(b, str_slice(s.p + from, s.n - from)) && buf_add_byte(b, '"');
}
