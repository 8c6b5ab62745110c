/* SPDX-License-Identifier: Apache-2.0 */
/* Each array is fed whole, cut in two at every byte, and byte by byte: always the same elements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/http.h"

struct noted {
    struct buf data, bytes; /* elements, each behind its raw length; and all raw bytes */
};

static bool note(void *ctx, const struct sse_event *ev)
{
    struct noted *n = ctx;
    assert_true(ev->name.n == 0 && ev->data.p + ev->data.n == ev->raw.p + ev->raw.n);
    return buf_addf(&n->data, "%zu:", ev->raw.n) && buf_add(&n->data, ev->data) &&
           buf_add_byte(&n->data, ';') && buf_add(&n->bytes, ev->raw);
}

/* False when the array is broken. */
static bool feed(struct str text, size_t cut, size_t step, struct noted *n, bool *closed)
{
    struct array a;
    array_init(&a);
    buf_init(&n->data, 1 << 20);
    buf_init(&n->bytes, 1 << 20);
    bool ok = array_feed(&a, str_slice(text.p, cut), note, n);
    for (size_t at = cut; ok && at < text.n; at += step) {
        size_t take = text.n - at < step ? text.n - at : step;
        ok = array_feed(&a, str_slice(text.p + at, take), note, n);
    }
    buf_add(&n->bytes, array_rest(&a));
    *closed = array_closed(&a);
    array_release(&a);
    return ok;
}

static void release(struct noted *n)
{
    buf_release(&n->data);
    buf_release(&n->bytes);
}

static void assert_fed(struct str text, size_t cut, size_t step, struct str wanted, bool whole)
{
    struct noted n;
    bool closed;
    assert_true(feed(text, cut, step, &n, &closed));
    if (!str_eq(buf_str(&n.data), wanted) || closed != whole) {
        fail_msg("cut %zu, step %zu: %.*s, wanted %.*s", cut, step, STR_ARG(buf_str(&n.data)),
                 STR_ARG(wanted));
    }
    assert_true(str_eq(buf_str(&n.bytes), text));
    release(&n);
}

static void assert_elements(struct str text, struct str wanted, bool whole)
{
    for (size_t cut = 0; cut <= text.n; cut++) {
        assert_fed(text, cut, SIZE_MAX / 2, wanted, whole);
    }
    assert_fed(text, 0, 1, wanted, whole);
}

static void elements(void **state)
{
    (void)state;
    assert_elements(STR("[{\"a\":1},{\"b\":2}]"), STR("8:{\"a\":1};8:{\"b\":2};"), true);
    assert_elements(STR("[{\n  \"a\": [1, {}]\n}\n,\r\n{}\n]\n"),
                    STR("19:{\n  \"a\": [1, {}]\n};6:{};"), true);
    assert_elements(STR(" [ {} , {} ] "), STR("5:{};5:{};"), true);
    assert_elements(STR("[]"), STR(""), true);
    assert_elements(STR("\r\n[\r\n]\r\n"), STR(""), true);
    assert_elements(STR(""), STR(""), false);
}

static void strings_hide_brackets(void **state)
{
    (void)state;
    assert_elements(STR("[{\"}]\":\"{[\"},{\"\\\"}\":\"\\\\\"},{\"\\\\\\\"]}\":\"\"}]"),
                    STR("12:{\"}]\":\"{[\"};13:{\"\\\"}\":\"\\\\\"};14:{\"\\\\\\\"]}\":\"\"};"),
                    true);
    assert_elements(STR("[{\"\xe4\xb8\x96\":\"\xf0\x9f\x98\x80\"}]"),
                    STR("15:{\"\xe4\xb8\x96\":\"\xf0\x9f\x98\x80\"};"), true);
}

/* An element is told at its last byte, before anybody knows what follows. */
static void what_is_cut_off(void **state)
{
    (void)state;
    assert_elements(STR("[{}"), STR("3:{};"), false);
    assert_elements(STR("[{},"), STR("3:{};"), false);
    assert_elements(STR("[{},\n{\"a\":\"}"), STR("3:{};"), false);
    assert_elements(STR("["), STR(""), false);
}

static void assert_broken(struct str text)
{
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct noted n;
        bool closed;
        if (feed(text, cut, cut % 2 == 0 ? 1 : SIZE_MAX / 2, &n, &closed)) {
            fail_msg("%.*s passed, cut at %zu", STR_ARG(text), cut);
        }
        release(&n);
    }
}

static void what_is_no_array_of_objects(void **state)
{
    static const struct str bad[] = {
        STR_INIT("{}"),     STR_INIT("[1]"),    STR_INIT("[[]]"),   STR_INIT("[\"a\"]"),
        STR_INIT("[{}{}]"), STR_INIT("[,{}]"),  STR_INIT("[{},]"),  STR_INIT("[{},,{}]"),
        STR_INIT("[{}]]"),  STR_INIT("[{}]{}"), STR_INIT("[{}],"),  STR_INIT("[{}]x"),
        STR_INIT("null"),   STR_INIT("data:"),  STR_INIT("[{}, 1"), STR_INIT("[{}}")};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_broken(bad[i]);
    }
}

static void depth_and_size_have_their_maximum(void **state)
{
    struct buf b;
    struct array a;
    struct noted n = {{0}, {0}};

    (void)state;
    for (unsigned depth = 127; depth <= 128; depth++) {
        buf_init(&b, 1024);
        buf_add(&b, STR("[{"));
        for (unsigned i = 0; i < depth; i++) {
            buf_add_byte(&b, '[');
        }
        array_init(&a);
        assert_int_equal(array_feed(&a, buf_str(&b), note, &n), depth == 127);
        array_release(&a);
        buf_release(&b);
    }
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < 1 << 20; i++) {
        buf_add_byte(&b, ' ');
    }
    array_init(&a);
    assert_true(array_feed(&a, STR("["), note, &n));
    for (size_t fed = 1 + b.n; fed <= LIMIT_EVENT_BYTES; fed += b.n) {
        assert_true(array_feed(&a, buf_str(&b), note, &n));
    }
    assert_false(array_feed(&a, buf_str(&b), note, &n));
    array_release(&a);
    buf_release(&b);
}

static bool stop(void *ctx, const struct sse_event *ev)
{
    (void)ev;
    return ++*(int *)ctx < 2;
}

static void the_receiver_may_stop_it(void **state)
{
    struct array a;
    int seen = 0;

    (void)state;
    array_init(&a);
    assert_false(array_feed(&a, STR("[{},{},{}]"), stop, &seen));
    assert_int_equal(seen, 2);
    array_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements),
        cmocka_unit_test(strings_hide_brackets),
        cmocka_unit_test(what_is_cut_off),
        cmocka_unit_test(what_is_no_array_of_objects),
        cmocka_unit_test(depth_and_size_have_their_maximum),
        cmocka_unit_test(the_receiver_may_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
