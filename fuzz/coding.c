/* SPDX-License-Identifier: Apache-2.0 */
/* What is decoded does not depend on the split, and never passes its maximum. */
#include <assert.h>

#include "http/coding.h"

#define MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum coding_result feed(enum coding_kind kind, struct str coded, size_t step,
                               struct buf *out, bool *complete)
{
    struct coding *c = coding_new(kind, MAX);
    enum coding_result result = CODING_OK;
    assert(c != NULL);
    for (size_t at = 0, n; at < coded.n && result == CODING_OK; at += n) {
        n = coded.n - at < step ? coded.n - at : step;
        result = coding_feed(c, str_slice(coded.p + at, n), out);
    }
    assert(out->n <= MAX + 1 && (result == CODING_TOO_LARGE) == (out->n == MAX + 1));
    *complete = coding_complete(c);
    coding_free(c);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum coding_kind kinds[] = {CODING_GZIP, CODING_DEFLATE, CODING_ZSTD};
    struct buf whole, split;
    bool complete[2];
    if (size < 2)
        return 0;
    buf_init(&whole, MAX + 1);
    buf_init(&split, MAX + 1);
    struct str coded = {(const char *)data + 2, size - 2};
    enum coding_kind kind = kinds[data[0] % 3];
    enum coding_result a = feed(kind, coded, coded.n, &whole, &complete[0]);
    enum coding_result b = feed(kind, coded, data[1] + 1, &split, &complete[1]);
    assert(a == b);
    if (a == CODING_OK)
        assert(complete[0] == complete[1] && str_eq(buf_str(&whole), buf_str(&split)));
    buf_release(&whole);
    buf_release(&split);
    return 0;
}
