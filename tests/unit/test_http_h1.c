/* SPDX-License-Identifier: Apache-2.0 */
/* Every message is fed whole, and again one byte at a time out of a region that moves: same result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/http.h"

struct outcome {
    struct head head;
    struct buf body;
    size_t used;
    uint8_t state, error;
};

static void on_body(void *ctx, const char *p, size_t n)
{
    assert_true(buf_add(ctx, str_slice(p, n)));
}

/* Feeds the message in steps; each step from a fresh copy, so that a kept pointer would be found.
 */
static void run(struct outcome *o, bool request, struct str text, size_t step)
{
    struct h1 p;
    memset(o, 0, sizeof(*o));
    buf_init(&o->body, 1 << 20);
    h1_init(&p, request, &o->head, on_body, &o->body);
    while (p.state != H1_DONE && p.state != H1_ERROR && o->used < text.n) {
        size_t n = text.n - o->used < step ? text.n - o->used : step;
        char *copy = malloc(o->used + n);
        assert_non_null(copy);
        memcpy(copy, text.p, o->used + n);
        size_t used = h1_feed(&p, copy, copy + o->used, n);
        assert_true(used <= n);
        o->used += used;
        if (p.state == H1_BODY) {
            p.head = NULL;
        }
        free(copy);
    }
    o->state = p.state;
    o->error = p.error;
}

static void parse(struct outcome *o, bool request, struct str text)
{
    struct outcome slow;
    run(o, request, text, SIZE_MAX);
    run(&slow, request, text, 1);
    assert_int_equal(slow.state, o->state);
    assert_int_equal(slow.error, o->error);
    assert_true(str_eq(buf_str(&slow.body), buf_str(&o->body)));
    if (o->state != H1_ERROR) {
        assert_int_equal(slow.used, o->used);
        assert_memory_equal(&slow.head, &o->head, sizeof(slow.head));
    }
    buf_release(&slow.body);
}

static void assert_error(bool request, struct str text, enum h1_error error)
{
    struct outcome o;
    parse(&o, request, text);
    if (o.state != H1_ERROR || o.error != error) {
        fail_msg("state %d, error %d, wanted %d: %.*s", o.state, o.error, (int)error,
                 STR_ARG(text));
    }
    buf_release(&o.body);
}

#define REFUSED(lit, error) assert_error(true, STR(lit), error)
#define REPLY_REFUSED(lit, error) assert_error(false, STR(lit), error)

static void test_request(void **unused)
{
    (void)unused;
    static const char text[] =
        "POST /v1/x?a=b HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-Pad: \t v w \t\r\n"
        "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1";
    struct outcome o;
    parse(&o, true, str_from(text));
    assert_int_equal(o.state, H1_DONE);
    assert_int_equal(o.used, sizeof(text) - 1 - strlen("GET / HTTP/1.1"));
    assert_int_equal(o.head.method, HTTP_POST);
    assert_int_equal(o.head.minor, 1);
    assert_int_equal(o.head.count, 5);
    assert_int_equal(o.head.length, 5);
    assert_true(o.head.has_length && o.head.keep_alive && o.head.expect_continue);
    assert_false(o.head.chunked || o.head.upgrade);
    assert_true(str_eq(head_target(&o.head, text), STR("/v1/x?a=b")));
    assert_true(str_eq(head_get(&o.head, text, STR("x-pad")), STR("v w")));
    assert_int_equal(head_get(&o.head, text, STR("x-empty")).n, 0);
    assert_int_equal(head_count(&o.head, text, STR("HOST")), 1);
    assert_null(head_get(&o.head, text, STR("absent")).p);
    assert_true(str_eq(buf_str(&o.body), STR("hello")));
    buf_release(&o.body);
}

static void test_chunked(void **unused)
{
    (void)unused;
    struct outcome o;
    parse(
        &o, true,
        STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer-X: y\r\n\r\n"));
    assert_int_equal(o.state, H1_DONE);
    assert_true(o.head.chunked);
    assert_false(o.head.keep_alive || o.head.has_length);
    assert_int_equal(o.head.count, 3);
    assert_true(str_eq(buf_str(&o.body), STR("abc0123456789")));
    buf_release(&o.body);
}

static void test_upgrade_is_ordinary(void **unused)
{
    (void)unused;
    struct outcome o;
    parse(&o, true,
          STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET"));
    assert_int_equal(o.state, H1_DONE);
    assert_true(o.head.upgrade);
    buf_release(&o.body);
    parse(&o, true,
          STR("POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              "Content-Length: 2\r\n\r\nhi"));
    assert_int_equal(o.state, H1_DONE);
    assert_true(str_eq(buf_str(&o.body), STR("hi")));
    buf_release(&o.body);
}

static void test_refused(void **unused)
{
    (void)unused;
    REFUSED("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            H1_AMBIGUOUS_LENGTH);
    REFUSED("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            H1_AMBIGUOUS_LENGTH);
    REFUSED("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            H1_AMBIGUOUS_LENGTH);
    REFUSED("POST / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\nabc", H1_MALFORMED);
    REFUSED("POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", H1_MALFORMED);
    REFUSED("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", H1_MALFORMED);
    REFUSED("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", H1_MALFORMED);
    REFUSED("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", H1_MALFORMED);
    REFUSED("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\nHost: h\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nHost: h\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nHost: h\r\n\n", H1_MALFORMED);
    REFUSED("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nA:\r\n c\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nA : b\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / RTSP/1.1\r\nA: b\r\n\r\n", H1_MALFORMED);
    REFUSED("DESCRIBE / RTSP/1.1\r\nA: b\r\n\r\n", H1_MALFORMED);
    REFUSED("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", H1_MALFORMED);
    REFUSED("FROB / HTTP/1.1\r\n\r\n", H1_MALFORMED);
    REFUSED("GET / HTTP/1.0\r\nHost: h\r\n\r\n", H1_VERSION);
    REFUSED("GET / HTTP/3.7\r\nHost: h\r\n\r\n", H1_VERSION);
    REFUSED("GET / HTTP/2.0\r\nHost: h\r\n\r\n", H1_VERSION);
    REFUSED("GET /\r\n\r\n", H1_VERSION);
    REFUSED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", H1_VERSION);
}

static void test_chunks_refused(void **unused)
{
    (void)unused;
#define CHUNKED "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    REFUSED(CHUNKED "3\nabc\r\n0\r\n\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "3\r\nabc\n0\r\n\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "3\r\nabcd\r\n0\r\n\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "0\r\n\n", H1_MALFORMED);
    REFUSED(CHUNKED "0\n\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "0\r\nA: b\n\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "3 \r\nabc\r\n0\r\n\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "g\r\n", H1_MALFORMED);
    REFUSED(CHUNKED "fffffffffffffffff\r\n", H1_MALFORMED);
}

static void test_sizes(void **unused)
{
    (void)unused;
    struct outcome o;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int over = 0; over <= 1; over++) {
        buf_clear(&b);
        buf_add(&b, STR("GET / HTTP/1.1\r\n"));
        for (int i = 0; i < LIMIT_HEADERS + over; i++) {
            buf_add(&b, STR("a: b\r\n"));
        }
        buf_add(&b, STR("\r\n"));
        parse(&o, true, buf_str(&b));
        assert_int_equal(o.state, over ? H1_ERROR : H1_DONE);
        assert_int_equal(o.error, over ? H1_HEAD_TOO_LARGE : H1_OK);
        buf_release(&o.body);

        buf_clear(&b);
        buf_add(&b, STR("GET / HTTP/1.1\r\na: "));
        while (b.n < (size_t)(LIMIT_HEAD_BYTES - 4 + over)) {
            buf_add_byte(&b, 'x');
        }
        buf_add(&b, STR("\r\n\r\n"));
        parse(&o, true, buf_str(&b));
        assert_int_equal(o.state, over ? H1_ERROR : H1_DONE);
        assert_int_equal(o.error, over ? H1_HEAD_TOO_LARGE : H1_OK);
        buf_release(&o.body);
    }
    buf_clear(&b);
    buf_add(&b, STR(CHUNKED "1;"));
    while (b.n < 2 * LIMIT_HEAD_BYTES) {
        buf_add_byte(&b, 'x');
    }
    assert_error(true, buf_str(&b), H1_HEAD_TOO_LARGE);
    buf_release(&b);
}

static void test_replies(void **unused)
{
    (void)unused;
    struct outcome o;
    parse(&o, false,
          STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP"));
    assert_int_equal(o.state, H1_DONE);
    assert_int_equal(o.head.status, 200);
    assert_int_equal(o.head.count, 1);
    assert_true(o.head.keep_alive);
    assert_true(str_eq(buf_str(&o.body), STR("ok")));
    buf_release(&o.body);
    parse(&o, false, STR("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nHT"));
    assert_int_equal(o.state, H1_DONE);
    assert_int_equal(o.body.n, 0);
    buf_release(&o.body);
    parse(&o, false, STR("HTTP/1.1 304 Not Modified\r\n\r\n"));
    assert_int_equal(o.state, H1_DONE);
    buf_release(&o.body);
    parse(&o, false, STR("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"));
    assert_int_equal(o.state, H1_DONE);
    assert_false(o.head.keep_alive);
    buf_release(&o.body);
    REPLY_REFUSED("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                  H1_MALFORMED);
    REPLY_REFUSED("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                  H1_AMBIGUOUS_LENGTH);
    REPLY_REFUSED("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", H1_MALFORMED);
    REPLY_REFUSED("HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\nx", H1_MALFORMED);
    REPLY_REFUSED("RTSP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", H1_MALFORMED);
}

static bool complete_at_eof(struct str text, size_t *body_n)
{
    struct head head;
    struct h1 p;
    struct buf body;
    buf_init(&body, 1 << 20);
    h1_init(&p, false, &head, on_body, &body);
    size_t used = h1_feed(&p, text.p, text.p, text.n);
    used += h1_feed(&p, text.p, text.p + used, text.n - used);
    assert_int_equal(used, text.n);
    *body_n = body.n;
    buf_release(&body);
    return h1_eof(&p);
}

static void test_eof(void **unused)
{
    (void)unused;
    size_t n;
    assert_true(complete_at_eof(STR("HTTP/1.1 200 OK\r\n\r\nabc"), &n));
    assert_int_equal(n, 3);
    assert_true(complete_at_eof(STR("HTTP/1.1 200 OK\r\n\r\n"), &n));
    assert_true(complete_at_eof(STR("HTTP/1.1 204 No\r\n\r\n"), &n));
    assert_false(complete_at_eof(STR("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), &n));
    assert_false(complete_at_eof(
        STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), &n));
    assert_false(complete_at_eof(STR("HTTP/1.1 200"), &n));
    assert_false(complete_at_eof(STR(""), &n));
}

static void test_url(void **unused)
{
    (void)unused;
    struct str path, query;
    struct buf b;
    url_split(STR("/a/b?x=1&key=a%2Fb&key=c"), &path, &query);
    assert_true(str_eq(path, STR("/a/b")));
    assert_true(str_eq(url_query(query, STR("key")), STR("a%2Fb")));
    assert_null(url_query(query, STR("ke")).p);
    url_split(STR("/a"), &path, &query);
    assert_int_equal(query.n, 0);
    buf_init(&b, 8);
    assert_true(url_decode(&b, STR("a+%2fb%C3")));
    assert_true(str_eq(buf_str(&b), STR("a+/b\xC3")));
    assert_false(url_decode(&b, STR("%2")));
    assert_false(url_decode(&b, STR("%zz")));
    assert_false(url_decode(&b, STR("%00")));
    assert_false(url_decode(&b, STR("more than fits")));
    buf_release(&b);
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(799), "Status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_upgrade_is_ordinary),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_chunks_refused),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_eof),
        cmocka_unit_test(test_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
