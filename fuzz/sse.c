/* SPDX-License-Identifier: Apache-2.0 */
/* Events do not depend on where a stream is cut, and their bytes together are the stream. */
#include <assert.h>

#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool note(void *ctx, const struct sse_event *ev)
{
    struct buf *b = ctx;
    assert(ev->raw.n > 0 && ev->name.n + ev->data.n <= ev->raw.n);
    buf_add(&b[0], ev->raw);
    return buf_addf(&b[1], "%zu,%d,", ev->raw.n, ev->data.p != NULL) && buf_add(&b[1], ev->name) &&
           buf_add_byte(&b[1], '\0') && buf_add(&b[1], ev->data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t cut = size > 0 ? data[0] % size : 0;
    struct str text = {(const char *)data, size};
    struct buf b[3][2];
    for (size_t i = 0; i < 3; i++) {
        struct sse s;
        sse_init(&s);
        buf_init(&b[i][0], 1 << 20);
        buf_init(&b[i][1], 8 << 20);
        assert(sse_feed(&s, str_slice(text.p, i == 0 ? 0 : cut), note, b[i]));
        for (size_t at = i == 0 ? 0 : cut, n; at < size; at += n) {
            n = i == 2 ? 1 : size - at;
            assert(sse_feed(&s, str_slice(text.p + at, n), note, b[i]));
        }
        assert(str_eq(buf_str(&b[i][1]), buf_str(&b[0][1])));
        assert(buf_add(&b[i][0], sse_rest(&s)) && str_eq(buf_str(&b[i][0]), text));
        sse_release(&s);
    }
    for (size_t i = 0; i < 6; i++)
        buf_release(&b[i / 2][i % 2]);
    return 0;
}
