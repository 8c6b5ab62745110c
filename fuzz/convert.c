/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every reader and writer of conversion. The first byte chooses the pair (from 16 on one of
 * embeddings), the second whether it is a stream; then comes the client's request, and behind each
 * zero byte an event of the upstream's (or the whole of its reply). What is written is JSON,
 * whatever was read, and so are a stream's events.
 */
#include <assert.h>
#include <stdlib.h>

#include "dialect/convert.h"
#include "dialect/vendor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct str text)
{
    struct err e;
    struct json_doc *d = json_parse(text, &e);
    assert(d != NULL);
    json_free(d);
}

/* Lines that begin with "data: " hold JSON, or are the end of a chat's stream. */
static void check_events(struct str text)
{
    while (text.n > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, STR("data: ")) && !str_eq(line, STR("data: [DONE]"))) {
            check_json(str_skip(line, 6));
        }
    }
}

static const struct vendor *some_vendor(enum dialect d, uint8_t which)
{
    for (size_t i = 0; i < vendor_count; i++) {
        const struct vendor *v = &vendors[(i + which) % vendor_count];
        if ((vendor_dialects(v) & DIALECT_BIT(d)) != 0) {
            return v;
        }
    }
    abort();
}

static void reply(struct conversion *c, struct str rest, bool stream)
{
    struct usage u = {.in = 3, .out = 5, .reasoning = 1};
    struct buf out;

    buf_init(&out, 64 << 20);
    if (!stream) {
        if (conversion_whole(c, rest, &u, &out)) {
            check_json(buf_str(&out));
        }
        buf_release(&out);
        return;
    }
    bool ok = true;
    while (ok && rest.n > 0) {
        ok = conversion_event(c, str_cut(&rest, '\0'), &out);
    }
    if (ok && conversion_end(c, &u, &out)) {
        check_events(buf_str(&out));
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str why, where;
    struct buf out;

    if (size < 4 || size > (256 << 10)) {
        return 0;
    }
    enum dialect from = (enum dialect)(data[0] & 3), to = (enum dialect)(data[0] >> 2 & 3);
    bool embeds = (data[0] & 16) != 0;
    if (embeds) {
        from = (data[0] & 1) != 0 ? DIALECT_GEMINI : DIALECT_EMBEDDINGS;
        to = (data[0] & 1) != 0 ? DIALECT_EMBEDDINGS : DIALECT_GEMINI;
    }
    if (!conversion_knows(from, to)) {
        return 0;
    }
    bool stream = !embeds && (data[1] & 1) != 0;
    struct str rest = {(const char *)data + 2, size - 2};
    struct str body = str_cut(&rest, '\0');
    struct conversion_ask ask = {.from = from,
                                 .to = to,
                                 .vendor = some_vendor(to, data[1] >> 1),
                                 .model = STR("some-model"),
                                 .body = body,
                                 .reply_id = STR("01ABC"),
                                 .created = 1,
                                 .stream = stream,
                                 .framing = FRAMING_SSE,
                                 .max_output = 4096};
    buf_init(&out, 64 << 20);
    struct conversion *c = conversion_new(&ask, &out);
    if (!conversion_refused(c, &where, &why)) {
        check_json(buf_str(&out));
        reply(c, rest, stream);
    } else {
        assert(why.n > 0);
    }
    conversion_free(c);
    buf_release(&out);
    return 0;
}
