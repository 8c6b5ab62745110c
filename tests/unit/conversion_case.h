/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions for tests: one is made, fed and looked at. Each helper fails the test where something
 * is not as it should be.
 */
#ifndef TESTS_CONVERSION_CASE_H
#define TESTS_CONVERSION_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/convert.h"
#include "dialect/vendor.h"

#define OUT_MAX (4U << 20)

/* One conversion, and all that came of it. */
struct made {
    struct conversion *c;
    struct buf body, reply;
};

static const char *vendor __attribute__((unused)) = "openai";
static const char *model __attribute__((unused)) = "gpt-5";

static inline struct made make(enum dialect from, enum dialect to, bool stream, const char *body)
{
    struct made m;
    struct conversion_ask ask = {
        .from = from,
        .to = to,
        .vendor = vendor_find(str_from(vendor)),
        .model = str_from(model),
        .body = str_from(body),
        .reply_id = STR("1"),
        .created = 1700000000,
        .stream = stream,
        .framing = stream ? FRAMING_SSE : FRAMING_WHOLE,
        .max_output = 32000,
    };

    buf_init(&m.body, OUT_MAX);
    buf_init(&m.reply, OUT_MAX);
    m.c = conversion_new(&ask, &m.body);
    return m;
}

static inline void drop(struct made *m)
{
    conversion_free(m->c);
    buf_release(&m->body);
    buf_release(&m->reply);
}

static inline void assert_taken(const struct made *m)
{
    struct str where, why;

    if (conversion_refused(m->c, &where, &why)) {
        fail_msg("refused at '%.*s': %.*s", STR_ARG(where), STR_ARG(why));
    }
}

static inline void assert_text(struct str is, const char *should)
{
    if (!str_eq(is, str_from(should))) {
        fail_msg("\nis     %.*s\nshould %s", STR_ARG(is), should);
    }
}

/* The request as the upstream gets it, and what was lost on the way. */
static inline void assert_request(enum dialect from, enum dialect to, const char *body,
                                  const char *should, const char *lossy)
{
    struct made m = make(from, to, false, body);

    assert_taken(&m);
    assert_text(buf_str(&m.body), should);
    assert_text(conversion_lossy(m.c), lossy);
    drop(&m);
}

static inline void assert_refused(enum dialect from, enum dialect to, const char *body,
                                  const char *where)
{
    struct made m = make(from, to, false, body);
    struct str at, why;

    if (!conversion_refused(m.c, &at, &why)) {
        fail_msg("not refused: %s", body);
    }
    assert_text(at, where);
    assert_true(why.n > 0);
    drop(&m);
}

static const struct usage used __attribute__((unused)) = {
    .state = USAGE_OK, .in = 7, .cache_read = 3, .out = 4, .reasoning = 1};

static inline void feed(struct made *m, const char *data)
{
    assert_true(conversion_event(m->c, str_from(data), &m->reply));
}

static inline void feed_all(struct made *m, const char *const *events)
{
    for (; *events != NULL; events++) {
        feed(m, *events);
    }
    assert_true(conversion_end(m->c, &used, &m->reply));
}

/* ---- events of a stream, one after the other ---- */

static inline struct str next_event(struct str *rest)
{
    size_t end = str_find(*rest, STR("\n\n"));
    struct str one = str_slice(rest->p, end);

    assert_true(end != SIZE_MAX);
    *rest = str_skip(*rest, end + 2);
    return one;
}

static inline struct json_doc *event_json(struct str event)
{
    size_t at = str_find(event, STR("data: "));
    struct json_doc *doc;

    assert_true(at != SIZE_MAX);
    doc = json_parse_exact(str_skip(event, at + 6), NULL);
    assert_non_null(doc);
    return doc;
}

/* The events have these names, which are their types, and numbers from 0; the last one's JSON. */
static inline struct json_doc *assert_events(struct str stream, const char *const *names)
{
    struct json_doc *doc = NULL;
    uint64_t number, expected = 0;
    struct buf line;

    while (stream.n > 0) {
        struct str event = next_event(&stream);
        json_free(doc);
        doc = event_json(event);
        assert_non_null(*names);
        buf_init(&line, 4096);
        buf_cat(&line, STR("event: "), str_from(*names), STR("\n"));
        if (!str_starts(event, buf_str(&line))) {
            fail_msg("is %.60s, should be %s", event.p, *names);
        }
        assert_text(json_str(json_get(json_root(doc), "type")), *names);
        assert_true(json_u64(json_get(json_root(doc), "sequence_number"), &number));
        assert_int_equal(number, expected++);
        buf_release(&line);
        names++;
    }
    assert_null(*names);
    return doc;
}

static inline void assert_value(const struct json *root, const char *path, const char *should)
{
    struct buf text;
    const struct json *v = json_get(root, path);

    if (v == NULL) {
        fail_msg("%s is absent", path);
    }
    buf_init(&text, OUT_MAX);
    json_write_value(&text, v);
    assert_text(buf_str(&text), should);
    buf_release(&text);
}

#endif
