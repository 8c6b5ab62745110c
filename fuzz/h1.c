/* SPDX-License-Identifier: Apache-2.0 */
/* Fed whole and byte by byte, requests and replies end the same way with the same body. */
#include <assert.h>

#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_body(void *ctx, const char *p, size_t n)
{
    buf_add(ctx, str_slice(p, n));
}

static size_t run(struct h1 *p, struct head *head, struct buf *body, struct str s, size_t step)
{
    size_t used = 0;
    h1_init(p, (s.n & 1) == 0, head, on_body, body);
    while (used < s.n && p->state != H1_DONE && p->state != H1_ERROR) {
        used += h1_feed(p, s.p, s.p + used, s.n - used < step ? s.n - used : step);
    }
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head a = {0}, b = {0}; /* all of it is compared */
    struct h1 whole, split;
    struct buf body[2];
    struct str s = {(const char *)data, size};
    buf_init(&body[0], size);
    buf_init(&body[1], size);
    size_t n = run(&whole, &a, &body[0], s, SIZE_MAX);
    size_t m = run(&split, &b, &body[1], s, 1);
    assert(whole.state == split.state && whole.error == split.error);
    assert(str_eq(buf_str(&body[0]), buf_str(&body[1])));
    assert(whole.state == H1_ERROR || (n == m && memcmp(&a, &b, sizeof(a)) == 0));
    buf_release(&body[0]);
    buf_release(&body[1]);
    return 0;
}
