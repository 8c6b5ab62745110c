/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements do not depend on where an array is cut, and their bytes together are the stream. Of what
 * is JSON, the parser and the splitter see the same elements.
 */
#include <assert.h>
#include <stdio.h>

#include "http/http.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct noted {
    struct buf bytes, data;
    size_t count;
};

static bool note(void *ctx, const struct sse_event *ev)
{
    struct noted *n = ctx;
    assert(ev->data.n >= 2 && ev->data.p[0] == '{' &&
           ev->data.p + ev->data.n == ev->raw.p + ev->raw.n);
    n->count++;
    return buf_add(&n->bytes, ev->raw) && buf_add(&n->data, ev->data) &&
           buf_add_byte(&n->data, '\0');
}

/* Returns whether it went well, to its end. */
static bool feed(struct str text, size_t step, struct noted *n)
{
    struct array a;
    bool ok = true;
    array_init(&a);
    buf_init(&n->bytes, 1 << 20);
    buf_init(&n->data, 2 << 20);
    for (size_t at = 0, took; at < text.n && ok; at += took) {
        took = text.n - at < step ? text.n - at : step;
        ok = array_feed(&a, str_slice(text.p + at, took), note, n);
    }
    assert(!ok || (buf_add(&n->bytes, array_rest(&a)) && str_eq(buf_str(&n->bytes), text)));
    ok = ok && array_closed(&a);
    array_release(&a);
    return ok;
}

static bool all_objects(const struct json *root)
{
    char path[24];
    for (size_t i = 0; i < json_count(root); i++) {
        snprintf(path, sizeof(path), "%zu", i);
        if (!json_is_object(json_get(root, path)))
            return false;
    }
    return json_is_array(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct noted whole = {.count = 0}, split = {.count = 0};
    if (size < 1)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    bool ok = feed(text, size, &whole);
    assert(ok == feed(text, data[0] % 16 + 1, &split));
    assert(str_eq(buf_str(&whole.data), buf_str(&split.data)));
    struct json_doc *doc = json_parse(text, NULL);
    if (doc != NULL) {
        assert(ok == all_objects(json_root(doc)));
        assert(!ok || whole.count == json_count(json_root(doc)));
    }
    json_free(doc);
    buf_release(&whole.bytes);
    buf_release(&whole.data);
    buf_release(&split.bytes);
    buf_release(&split.data);
    return 0;
}
