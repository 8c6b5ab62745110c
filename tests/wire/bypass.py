# SPDX-License-Identifier: Apache-2.0
"""Tricks to get an answer unmetered or unchecked: what a customer may send.

A trick is a function of the test; the decorator names it. Each asserts what the ledger recorded,
mostly by one of two verdicts:

    t.metered(answer)       it was answered, and its exact usage was charged
    t.refused(answer)       it was refused, the vendor heard nothing, nobody paid

The tricks that need an odd vendor or a client that leaves stand in bypass_answers.py.
"""
import gzip
import json
import threading

from tests.peer.case import CHAT, GENERATE, JSON, MESSAGES, RESPONSES, body_for
from tests.peer.coding import gzip_repeated, zstd
from tests.peer.rawhttp import chunked, request_bytes

TRICKS = {}


def trick(function):
    TRICKS[function.__name__] = function
    return function


def chat_with(extra):
    """A chat body with extra raw text right behind its first brace."""
    return b"{" + extra + b',"messages":[{"role":"user","content":"hello"}]}'


# Compressed requests

@trick
def gzip_request(t):
    answer = t.buyer.post(CHAT, gzip.compress(body_for("chat", stream=True)),
                          [("Content-Encoding", "gzip")])
    t.metered(answer, stream=True)


@trick
def gzip_hides_a_doubled_model(t):
    body = chat_with(b'"model":"gpt","model":"dear"')
    t.refused(t.buyer.post(CHAT, gzip.compress(body), [("Content-Encoding", "gzip")]), (400, 415))


@trick
def gzip_bomb(t):
    t.refused(t.buyer.post(CHAT, gzip_repeated(b" ", 200), [("Content-Encoding", "gzip")]),
              (400, 413, 415))


@trick
def gzip_with_a_tail(t):
    body = gzip.compress(body_for("chat")) + b"tail"
    t.refused(t.buyer.post(CHAT, body, [("Content-Encoding", "gzip")]), (400, 415))


@trick
def gzip_cut(t):
    body = gzip.compress(body_for("chat"))[:-9]
    t.refused(t.buyer.post(CHAT, body, [("Content-Encoding", "gzip")]), (400, 415))


@trick
def zstd_request(t):
    t.metered(t.buyer.post(CHAT, zstd(body_for("chat")), [("Content-Encoding", "zstd")]))


@trick
def other_codings(t):
    for coding in ("br", "deflate", "gzip, gzip", "GZIP;q=1", "identity, br"):
        t.refused(t.buyer.post(CHAT, body_for("chat"), [("Content-Encoding", coding)]),
                  (400, 415))


@trick
def two_content_encodings(t):
    t.refused(t.buyer.post(CHAT, gzip.compress(body_for("chat")), [
        ("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]), (400, 415))


@trick
def accept_encoding_is_not_the_clients(t):
    answer = t.buyer.post(CHAT, body_for("chat"), [("Accept-Encoding", "br, zstd, gzip")])
    t.metered(answer)
    t.assertEqual(t.vendor.last.get("accept-encoding", "identity"), "identity")


# Keys that two JSON readers could read differently

@trick
def doubled_model(t):
    for body in (b'"model":"gpt","model":"dear"', b'"model":"dear","model":"gpt"',
                 b'"model":"gpt","model":"gpt"'):
        t.refused(t.buyer.post(CHAT, chat_with(body)), (400,))


@trick
def escaped_model_key(t):
    for body in (b'"mod\\u0065l":"dear"', b'"model":"gpt","mod\\u0065l":"dear"',
                 b'"\\u006dodel":"dear","model":"gpt"'):
        t.refused(t.buyer.post(CHAT, chat_with(body)), (400,))


@trick
def escaped_model_value(t):
    answer = t.buyer.post(CHAT, chat_with(b'"model":"g\\u0070t"'))
    t.metered_or_refused(answer, statuses=(400, 404))


@trick
def doubled_stream(t):
    for body in (b'"stream":false,"stream":true', b'"stream":true,"stream":false',
                 b'"stream":false,"str\\u0065am":true', b'"str\\u0065am":true'):
        t.refused(t.buyer.post(CHAT, chat_with(b'"model":"gpt",' + body)), (400,))


@trick
def stream_of_another_type(t):
    for value in (b'"true"', b"1", b"[true]", b"{}", b'"false"'):
        t.refused(t.buyer.post(CHAT, chat_with(b'"model":"gpt","stream":' + value)), (400,))
    answer = t.buyer.post(CHAT, chat_with(b'"model":"gpt","stream":null'))
    t.metered_or_refused(answer, statuses=(400,))


@trick
def model_of_another_type(t):
    for value in (b"null", b"7", b'["gpt"]', b'{"gpt":1}', b'""'):
        t.refused(t.buyer.post(CHAT, chat_with(b'"model":' + value)), (400, 404))


@trick
def model_spelled_oddly(t):
    for name in (" gpt", "gpt ", "GPT", "gpt\\u0000", "gpt\\n", "./gpt", "gpt?x", "x" * 5000):
        body = chat_with(b'"model":"%s"' % name.encode())
        t.refused(t.buyer.post(CHAT, body), (400, 404))


@trick
def model_deeper_down_is_not_the_model(t):
    body = (b'{"messages":[{"role":"user","content":"hi","model":"dear","stream":true}],'
            b'"metadata":{"model":"dear"},"model":"gpt"}')
    answer = t.buyer.post(CHAT, body)
    t.metered(answer)
    t.assertEqual(t.charge(answer)["asked"], "gpt")
    t.assertEqual(t.vendor.last.body, body)


# stream_options

@trick
def stream_options_null(t):
    answer = t.buyer.post(CHAT, body_for("chat", stream=True, stream_options=None))
    t.metered(answer, stream=True)
    t.assertNotIn(b"total_tokens", answer.body)


@trick
def include_usage_false(t):
    for options in ({"include_usage": False}, {"include_usage": None}, {}):
        answer = t.buyer.post(CHAT, body_for("chat", stream=True, stream_options=options))
        t.metered(answer, stream=True)
        t.assertNotIn(b"total_tokens", answer.body)


@trick
def include_usage_spelled_twice(t):
    for options in (b'{"include_usage":true,"include_usage":false}',
                    b'{"include_\\u0075sage":false}',
                    b'{"include_usage":true,"include_\\u0075sage":false}'):
        body = chat_with(b'"model":"gpt","stream":true,"stream_options":' + options)
        t.metered_or_refused(t.buyer.post(CHAT, body), stream=True, statuses=(400,))


@trick
def stream_options_spelled_twice(t):
    for pair in (b'"stream_options":{"include_usage":true},"stream_options":null',
                 b'"stream_options":{"include_usage":true},"stream_\\u006fptions":null',
                 b'"stream_\\u006fptions":{"include_usage":false}'):
        body = chat_with(b'"model":"gpt","stream":true,' + pair)
        t.metered_or_refused(t.buyer.post(CHAT, body), stream=True, statuses=(400,))


@trick
def stream_options_of_another_type(t):
    for value in ("x", [], 1, True):
        answer = t.buyer.post(CHAT, body_for("chat", stream=True, stream_options=value))
        t.metered_or_refused(answer, stream=True, statuses=(400,))


# Bodies and paths

@trick
def trailing_garbage(t):
    for tail in (b"x", b"}", b"\0", b'{"model":"dear"}', b"//", b"\xef\xbb\xbf"):
        t.refused(t.buyer.post(CHAT, body_for("chat") + tail), (400,))


@trick
def not_quite_json(t):
    for body in (b"\xef\xbb\xbf" + body_for("chat"), body_for("chat").decode().encode("utf-16"),
                 b"/**/" + body_for("chat"), chat_with(b'"model":"gpt","temperature":NaN'),
                 chat_with(b'"model":"gpt",'), chat_with(b"'model':'gpt'"),
                 chat_with(b'"model":"gpt","x":"\xff\xfe"')):
        t.refused(t.buyer.post(CHAT, body), (400,))


@trick
def other_methods(t):
    for method in ("HEAD", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        headers = [t.buyer.auth, JSON, ("X-HTTP-Method-Override", "POST")]
        answer = t.station.ask(method, CHAT, headers, body_for("chat"))
        t.assertIn(answer.status, (404, 405, 400, 200, 204) if method == "OPTIONS" else
                   (404, 405, 400))
    t.assertEqual(t.vendor.received, [])


@trick
def paths_in_disguise(t):
    for path in ("/v1//chat/completions", "/v1/./chat/completions", "/v1/chat%2Fcompletions",
                 "/v1/x/../chat/completions", "/V1/chat/completions", "/v1/chat/completions/",
                 "/v1/chat/completions;x", "http://station.test/v1/chat/completions"):
        answer = t.buyer.post(path, body_for("chat"))
        t.metered_or_refused(answer, statuses=(400, 404))


@trick
def gemini_paths_in_disguise(t):
    for path in ("gem%3AgenerateContent", "gem%2F..%2Fdear:generateContent",
                 "..%2Fgem:generateContent", "gem:generateContent:countTokens",
                 "gem:countTokens%00:generateContent", "gem:generateContent/countTokens",
                 "gem%3FgenerateContent:countTokens", "gem:countTokens/../gem:generateContent"):
        answer = t.buyer.post("/v1beta/models/" + path, body_for("gemini"))
        if answer.status == 200 and "candidates" in answer.json():
            t.metered(answer, dialect="gemini")
        else:
            t.assertIn(answer.status, (200, 400, 404, 405), path)
            t.assertEqual([r for r in t.vendor.received if "generateContent" in r.path], [])


@trick
def gemini_body_names_another_model(t):
    answer = t.buyer.post(GENERATE, body_for("gemini", model="models/dear"))
    if answer.status == 200:
        t.assertNotIn("dear", t.vendor.last.path)
    t.metered_or_refused(answer, dialect="gemini", statuses=(400,))


@trick
def alt_twice(t):
    path = GENERATE.replace("generate", "streamGenerate")
    for query in ("?alt=sse&alt=json", "?alt=json&alt=sse", "?alt=SSE", "?a%6ct=sse", "?alt=media"):
        answer = t.buyer.post(path + query, body_for("gemini"))
        t.metered_or_refused(answer, dialect="gemini", stream=True, statuses=(400,))


@trick
def answers_to_be_fetched_later(t):
    """A background response is answered before it has any usage."""
    answer = t.buyer.post(RESPONSES, body_for("responses", background=True))
    t.metered_or_refused(answer, dialect="responses", statuses=(400,))
    t.assertIn(t.buyer.get(RESPONSES + "/resp_1").status, (404, 405, 501))


# Framing

@trick
def smuggled_second_request(t):
    inner = t.buyer.request(CHAT, body_for("chat"))
    head = [t.buyer.auth, JSON, ("Content-Length", "4"), ("Transfer-Encoding", "chunked")]
    with t.station.connect() as raw:
        raw.send(request_bytes("POST", CHAT, head) + b"0\r\n\r\n" + inner)
        answer = raw.response()
        t.assertTrue(answer is None or answer.status == 400)
        t.assertTrue(raw.closed())
    t.assertEqual(t.vendor.received, [])


@trick
def credentials_in_trailers(t):
    body = chunked(body_for("chat"))[:-2] + b"Authorization: " + t.buyer.auth[1].encode()
    with t.station.connect() as raw:
        raw.send(request_bytes("POST", CHAT, [JSON, ("Transfer-Encoding", "chunked")])
                 + body + b"\r\n\r\n")
        t.assertIn(raw.response().status, (400, 401))
    t.assertEqual(t.vendor.received, [])


@trick
def upgrade_to_a_tunnel(t):
    answer = t.buyer.post(RESPONSES, body_for("responses"), [
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")])
    t.assertNotEqual(answer.status, 101)
    t.metered_or_refused(answer, dialect="responses", statuses=(400, 404, 405, 426, 501))


# Identity of requests and of customers

@trick
def own_request_id(t):
    ids = []
    for _ in range(2):
        answer = t.buyer.post(CHAT, body_for("chat"), [
            ("Relay-Request-Id", "00000000000000000000000000000001"), ("X-Request-Id", "same"),
            ("Idempotency-Key", "same"), ("X-Stainless-Retry-Count", "1")])
        t.metered(answer)
        ids.append(answer.request_id)
    t.assertNotEqual(*ids)


@trick
def two_keys_at_once(t):
    other = t.customer()
    for second in (("x-api-key", other.key), ("x-goog-api-key", "junk"), other.auth):
        before = t.buyer.balance + other.balance
        answer = t.buyer.post(CHAT, body_for("chat"), [second])
        if answer.status == 200:
            charge = t.charge(answer)
            t.assertEqual(before - charge["nano"], t.buyer.balance + other.balance)
        else:
            t.refused(answer, (400, 401))
        t.vendor.reset()


@trick
def keys_in_odd_queries(t):
    """However a key is spelled in the query, it does not travel on to the vendor."""
    key = t.buyer.key
    for query in (f"?%6Bey={key}", f"?KEY={key}", f"?key={key}&key={key}", f"?a=1&key={key}",
                  f"?key=junk&key={key}", f"?;key={key}"):
        t.vendor.reset()
        for path, body in ((CHAT, body_for("chat")), (GENERATE, body_for("gemini"))):
            answer = t.station.ask("POST", path + query, [JSON], body)
            t.assertIn(answer.status, (200, 401), query)
        for got in t.vendor.received:
            t.assertNotIn(key, got.target)


@trick
def scoped_key_and_an_alias(t):
    cheap = t.customer(models="gpt")
    for name in ("dear", "dear-alias"):
        t.refused(cheap.post(CHAT, body_for("chat", model=name)), (403,))


# Money

@trick
def odd_maxima(t):
    """A negative or huge maximum must not make room in the purse."""
    for value in (-1, -10**18, 10**18, 10**30, 1.5, "5", [], True):
        body = body_for("chat").replace(b"{", b'{"max_tokens":%s,' % json.dumps(value).encode(), 1)
        answer = t.customer("0.01").post(CHAT, body)
        t.metered_or_refused(answer, statuses=(400, 402))
        t.vendor.reset()


@trick
def many_at_once_with_money_for_few(t):
    poor = t.customer("0.02")
    answers = []

    def go():
        answers.append(poor.post(MESSAGES, body_for("messages", "x [[tokens=600]]", maximum=600)))

    threads = [threading.Thread(target=go) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = [a for a in answers if a.status == 200]
    paid = sum(t.charge(a)["nano"] for a in good)
    t.assertEqual({a.status for a in answers} - {200}, {402})
    t.assertLessEqual(len(good), 3)
    t.assertEqual(poor.balance, 2 * 10**7 - paid)
    t.assertGreaterEqual(poor.balance, 0)
