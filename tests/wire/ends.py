# SPDX-License-Identifier: Apache-2.0
"""One cause for every way a request can end: a function a row of src/relay/ends.def, by the row's
name. Each makes the station end a request so, and answers what the client got, or None where that
is no answer of the station's own.
"""
import os
import time

from tests.peer import voucher
from tests.peer.case import CHAT, JSON, MESSAGES, RESPONSES, Customer, body_for
from tests.peer.rawhttp import request_bytes
from tests.peer.reply import Reply, error, sse_events
from tests.peer.wait import until

CAUSES = {}
LONG = [("Retry-After", "300")]


def cause(function):
    CAUSES[function.__name__] = function
    return function


def whole(content, **more):
    message = {"role": "assistant", "content": content}
    return Reply.json({"model": "gpt", "choices": [
        {"index": 0, "finish_reason": "stop", "message": message}], **more})


def chat(t, model="gpt", **more):
    return t.buyer.post(CHAT, body_for("chat", model=model, **more))


def head_only(t, *headers):
    """The answer to a head whose body never comes."""
    with t.station.connect() as raw:
        raw.send(request_bytes("POST", CHAT, [t.buyer.auth, JSON, *headers]))
        return raw.response()


# What the vendor does

@cause
def complete(t):
    chat(t)


@cause
def free(t):
    t.buyer.post(MESSAGES + "/count_tokens", body_for("messages"))


@cause
def zero_completion(t):
    t.vendor.reply(whole("", usage={"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}))
    chat(t)


@cause
def no_usage(t):
    t.vendor.reply(whole("word " * 100))
    chat(t)


@cause
def vendor_error(t):
    t.vendor.reply(error(400))
    chat(t)


@cause
def upstream_failed(t):
    t.vendor.reply(Reply(200, b"<html>", content_type="text/html"))
    return chat(t)


@cause
def upstream_broke(t):
    frames = sse_events([{"choices": [{"index": 0, "delta": {"content": "a"}}]}] * 2)
    t.vendor.reply(Reply.sse(frames, cut=len(frames[0])))
    chat(t, stream=True)


@cause
def no_channel(t):
    t.vendor.reply(error(429, headers=LONG))
    chat(t, "resting")
    return chat(t, "resting")


@cause
def upstream_spent(t):
    chat(t, "planned")
    return chat(t, "planned")


@cause
def wrong_dialect(t):
    return t.buyer.post("/v1/embeddings", b'{"model":"claude","input":"x"}')


@cause
def uncarried(t):
    body = body_for("chat", model="claude", logit_bias={"50256": -100})
    return t.buyer.post(CHAT, body)


# What the client does

@cause
def client_gone(t):
    t.vendor.reply(Reply(200, b"{}", delay=100.0))
    with t.buyer.open(CHAT, body_for("chat")):
        t.assertTrue(t.vendor.wait_received())


@cause
def client_left(t):
    t.hold_streams()
    with t.buyer.open(CHAT, body_for("chat", stream=True)) as raw:
        t.assertTrue(raw.until(raw.head(), b"w1 "))


@cause
def no_key(t):
    return t.station.ask("POST", CHAT, [JSON], body_for("chat"))


@cause
def bad_key(t):
    return t.station.ask("POST", CHAT, [JSON, ("x-api-key", "ek_none")], body_for("chat"))


@cause
def bad_keys(t):
    """From an address of its own: nobody else there is heard for a minute."""
    with t.station.connect(source="127.0.0.9") as raw:
        for _ in range(1000):
            raw.request("GET", "/v1/models", [("x-api-key", "ek_none")])
            answer = raw.response()
            if answer.status != 401:
                return answer


@cause
def forbidden(t):
    return t.customer(models="gem").post(CHAT, body_for("chat"))


@cause
def concurrency(t):
    one = t.customer(concurrency=1)
    gate = t.hold_streams()
    with one.open(CHAT, body_for("chat", stream=True)) as raw:
        answer = raw.head()
        refused = one.post(CHAT, body_for("chat"))
        gate.set()
        while raw.step(answer):
            pass
    return refused


@cause
def rate(t):
    one = t.customer(rpm=1)     # some minute has two of them
    return next(answer for answer in iter(lambda: one.post(CHAT, body_for("chat")), None)
                if answer.status != 200)


@cause
def malformed(t):
    with t.station.connect() as raw:
        raw.send(b"POST / HTTP/1.1\r\nbroken\r\n\r\n")
        return raw.response()


@cause
def version(t):
    with t.station.connect() as raw:
        raw.send(b"GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n")
        return raw.response()


@cause
def head_too_large(t):
    with t.station.connect() as raw:
        raw.send(request_bytes("GET", "/healthz", [("X-Long", "a" * 40000)]))
        return raw.response()


@cause
def body_too_large(t):
    return head_only(t, ("Content-Length", str(33 << 20)))


@cause
def timeout(t):
    return head_only(t, ("Content-Length", "9"))


@cause
def body_memory(t):
    """Bodies of 32 MB that are announced and do not come; above 512 MB the next one is refused."""
    open_bodies = []
    try:
        while len(open_bodies) < 20:
            raw = t.station.connect()
            open_bodies.append(raw)
            raw.send(request_bytes("POST", CHAT, [t.buyer.auth, JSON, (
                "Content-Length", str(32 << 20)), ("Expect", "100-continue")]))
            if raw.interim() != 100:        # the head of the refusal
                break
        t.assertIn(len(open_bodies), (16, 17))
    finally:
        for raw in open_bodies:
            raw.close()
    t.wait_metrics(lambda now: now["entrepot_request_bytes"] < 1 << 20, "the memory comes back")
    t.assertEqual(chat(t).status, 200)


@cause
def media(t):
    return t.buyer.post(CHAT, body_for("chat"), [("Content-Encoding", "br")])


@cause
def bad_json(t):
    return t.buyer.post(CHAT, b"{")


@cause
def bad_field(t):
    return chat(t, 7)


@cause
def no_route(t):
    return t.buyer.post("/v1/nothing", b"{}")


@cause
def method(t):
    return t.buyer.get(CHAT)


@cause
def websocket(t):
    return t.buyer.get(RESPONSES, [("Connection", "Upgrade"), ("Upgrade", "websocket")])


@cause
def no_model(t):
    return chat(t, "none")


@cause
def no_price(t):
    return chat(t, "unpriced")


# What customers change by themselves

def voucher_of(t, *more):
    return t.station.cli("voucher", "create", "1", *more, "--json")["vouchers"][0]["code"]


def redeem(t, code, buyer=None):
    return (buyer or t.buyer).post("/v1/redeem", {"code": code})


def guess(t):
    return redeem(t, voucher.code_of(os.urandom(16)))


@cause
def voucher_unknown(t):
    return guess(t)


@cause
def voucher_used(t):
    code = voucher_of(t)
    t.assertEqual(redeem(t, code, t.customer()).status, 200)
    return redeem(t, code)


@cause
def voucher_expired(t):
    code = voucher_of(t, "--expires", "1s")
    made = time.time()
    until(lambda: time.time() > made + 1, "the voucher has expired")
    return redeem(t, code)


@cause
def voucher_void(t):
    code = voucher_of(t)
    t.station.cli("voucher", "void", code)
    return redeem(t, code)


@cause
def voucher_refused(t):
    return redeem(t, voucher_of(t, "--currency", "CNY"), t.customer(kind="house"))


@cause
def voucher_guesses(t):
    return until(lambda: (answer := guess(t)).status == 429 and answer, "it has to wait")


def rotate(t, key):
    return key.post("/v1/keys/rotate", {"overlap": "1h"})


@cause
def rotate_refused(t):
    t.assertEqual(rotate(t, t.buyer).status, 200)
    return rotate(t, t.buyer)


@cause
def rotate_often(t):
    key, answer = t.buyer, rotate(t, t.buyer)
    while answer.status == 200:
        key = Customer(t, key.name, answer.json()["new"]["key"])
        answer = rotate(t, key)
    return answer


@cause
def own(t):
    t.station.ask("GET", "/healthz")
