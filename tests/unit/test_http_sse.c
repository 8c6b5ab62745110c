/* SPDX-License-Identifier: Apache-2.0 */
/* Each stream is fed whole, cut in two at every byte, and byte by byte: always the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/http.h"

/* Events as text, "name|data|raw length;", a missing data as "-". */
static bool note(void *ctx, const struct sse_event *ev)
{
    struct buf *b = ctx;
    buf_add(b, ev->name);
    buf_add_byte(b, '|');
    buf_add(b, ev->data.p == NULL ? STR("-") : ev->data);
    return buf_addf(b, "|%zu;", ev->raw.n);
}

static bool join(void *ctx, const struct sse_event *ev)
{
    return buf_add(ctx, ev->raw);
}

static void feed(struct str text, size_t cut, size_t step, sse_fn *fn, struct buf *out, bool rest)
{
    struct sse s;
    sse_init(&s);
    assert_true(sse_feed(&s, str_slice(text.p, cut), fn, out));
    for (size_t at = cut; at < text.n; at += step) {
        size_t n = text.n - at < step ? text.n - at : step;
        assert_true(sse_feed(&s, str_slice(text.p + at, n), fn, out));
    }
    if (rest) {
        buf_add(out, sse_rest(&s));
    }
    sse_release(&s);
}

static void assert_fed(struct str text, size_t cut, size_t step, struct str wanted)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    feed(text, cut, step, note, &b, false);
    if (!str_eq(buf_str(&b), wanted)) {
        fail_msg("cut %zu, step %zu: %.*s, wanted %.*s", cut, step, STR_ARG(buf_str(&b)),
                 STR_ARG(wanted));
    }
    buf_clear(&b);
    feed(text, cut, step, join, &b, true);
    assert_true(str_eq(buf_str(&b), text));
    buf_release(&b);
}

static void assert_events(struct str text, struct str wanted)
{
    for (size_t cut = 0; cut <= text.n; cut++) {
        assert_fed(text, cut, SIZE_MAX / 2, wanted);
    }
    assert_fed(text, 0, 1, wanted);
}

#define EVENTS(text, wanted) assert_events(STR(text), STR(wanted))

static void test_line_ends(void **unused)
{
    (void)unused;
    EVENTS("data: a\n\ndata: b\n\n", "|a|9;|b|9;");
    EVENTS("data: a\r\n\r\ndata: b\r\n\r\n", "|a|11;|b|11;");
    EVENTS("data: a\r\rdata: b\r\rx", "|a|9;|b|9;");
    EVENTS("data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", "|a|10;|b|10;|c|10;");
    EVENTS("\n\ndata: a\n\n\n", "|-|1;|-|1;|a|9;|-|1;");
}

static void test_fields(void **unused)
{
    (void)unused;
    EVENTS("event: e\ndata: a\nid: 1\nretry: 2\nother\n\n", "e|a|39;");
    EVENTS(": ping\n\n:\ndata:x\n\n", "|-|8;|x|10;");
    EVENTS("data: a\ndata\ndata:  b\n\n", "|a\n\n b|23;");
    EVENTS("data\n\n", "||6;");
    EVENTS("data:\ndata:\n\n", "|\n|13;");
    EVENTS("event:a\nevent: b\ndata: {\"a\":\"b: c\"}\n\n", "b|{\"a\":\"b: c\"}|37;");
    EVENTS("Data: a\ndatax: b\n data: c\n\n", "|-|27;");
}

static void test_byte_order_mark(void **unused)
{
    (void)unused;
    EVENTS("\xEF\xBB\xBF"
           "data: a\n\n\xEF\xBB\xBF"
           "data: b\n\n",
           "|a|12;|-|12;");
    EVENTS("\xEF\xBB\xBF\ndata: a\n\n", "|-|4;|a|9;");
}

static void test_no_blank_line_at_the_end(void **unused)
{
    (void)unused;
    EVENTS("data: a\n\ndata: b\n", "|a|9;");
    EVENTS("data: a", "");
    EVENTS("data: a\r\n\r", "");
    EVENTS("", "");
}

static bool refuse(void *ctx, const struct sse_event *ev)
{
    (void)ev;
    return ++*(int *)ctx < 2;
}

static void test_stop(void **unused)
{
    (void)unused;
    struct sse s;
    int seen = 0;
    sse_init(&s);
    assert_false(sse_feed(&s, STR("data: a\n\ndata: b\n\ndata: c\n\n"), refuse, &seen));
    assert_int_equal(seen, 2);
    sse_release(&s);
}

/* An event of exactly the limit passes and one more byte does not, whole and in pieces. */
static void test_size(void **unused)
{
    (void)unused;
    struct buf text, out;
    buf_init(&text, LIMIT_EVENT_BYTES + 64);
    buf_init(&out, LIMIT_EVENT_BYTES + 64);
    for (size_t over = 0; over <= 1; over++) {
        buf_clear(&text);
        buf_add(&text, STR("data: "));
        size_t n = LIMIT_EVENT_BYTES - 8 + over;
        char *to = buf_reserve(&text, n);
        assert_non_null(to);
        memset(to, 'x', n);
        text.n += n;
        buf_add(&text, STR("\n\ndata: y\n\n"));
        static const size_t steps[] = {SIZE_MAX, 1 << 20, 16411};
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            struct sse s;
            bool ok = true;
            sse_init(&s);
            buf_clear(&out);
            for (size_t at = 0; at < text.n && ok;) {
                size_t some = text.n - at < steps[i] ? text.n - at : steps[i];
                ok = sse_feed(&s, str_slice(text.p + at, some), join, &out);
                at += some;
            }
            assert_int_equal(ok, over == 0);
            assert_int_equal(out.n, over == 0 ? text.n : 0);
            sse_release(&s);
        }
    }
    buf_release(&text);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_no_blank_line_at_the_end),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
