# SPDX-License-Identifier: Apache-2.0
"""Thoughts of Claude in messages, signed: a vendor that knows its own, or somebody who sells them.
It stands before a Seller, which answers whatever asks for no thoughts:

    with Seller(before=Thinker(model="claude-opus-4-8")) as s: ...
"""
import base64
import hashlib
import hmac
import os
import time

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SECRET = b"the vendor's alone"
TEXT = ("The number leaves these remainders, so it is one of a row that goes up by ninety-one; "
        "counting down from the bound I try each in turn until both of them fit. ") * 4


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """{number: value} of a message; ValueError or IndexError where it is none."""
    at, found = 0, {}
    while at < len(data):
        key, at = read_varint(data, at)
        value, at = read_varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
            if at > len(data):
                raise ValueError("it ends too early")
        elif key & 7 != 0:
            raise ValueError(f"wire type {key & 7}")
        found[key >> 3] = value
    return found


def read(signature):
    """(container, channel) of a signature of any layout."""
    data = base64.b64decode(signature, validate=True)
    if signature[0] == "R":
        data = base64.b64decode(data, validate=True)
    container = fields(fields(data)[2])
    return container, fields(container[1])


def cipher_of(model, thinking, secret, n=240):
    seed = hmac.new(secret, f"{model} {thinking}".encode(), hashlib.sha256).digest()
    return (seed * (n // len(seed) + 1))[:n]


def sign(model, thinking, layout="E", infra=0, account=None, named=True, secret=SECRET):
    channel = field(1, 16) + (field(2, infra) if infra else b"") + field(3, 2)
    channel += field(5, os.urandom(64)) + (field(6, model) if named else b"")
    channel += field(7, 0) + field(8, "thinking") + (field(11, account) if account else b"")
    container = field(1, channel) + field(2, os.urandom(12)) + field(3, os.urandom(12))
    container += field(4, os.urandom(48)) + field(5, cipher_of(model, thinking, secret))
    top = field(2, container) + field(3, 1)
    data = base64.b64encode(field(1, 2) + top if layout == "C" else top)
    return (base64.b64encode(data) if layout == "R" else data).decode()


def uuid7_58(seconds):
    n = int(seconds * 1000) << 80 | 7 << 76 | int.from_bytes(os.urandom(9), "big")
    out = ""
    for _ in range(22):
        out, n = BASE58[n % 58] + out, n // 58
    return out


class Thinker:
    """`takes`: the kinds of thinking that do not get a 400. `checks`: thoughts that come back have
    to be signed with its secret, for one of `models`. `bound`: and for its own account. `signature`
    is sent instead of a signed one. `shows` "redacted": encrypted as a whole; "empty": its text is
    not shown; None: it is billed and left out. `converts`: ids and counts of a gateway's own."""

    def __init__(self, model="claude-opus-4-8", takes=("enabled", "adaptive"), checks=True,
                 models=None, bound=False, account=None, signature=None, shows="text", billed=300,
                 converts=False, secret=SECRET, lossy=False, **signed):
        self.model, self.takes, self.checks, self.bound = model, takes, checks, bound
        self.models, self.account, self.signature = models or (model,), account, signature
        self.shows, self.billed, self.converts, self.secret = shows, billed, converts, secret
        self.lossy, self.signed = lossy, signed

    def knows(self, block):
        if block["type"] == "redacted_thinking":
            return True
        try:
            container, channel = read(block["signature"])
            account = channel.get(11, b"").decode() or None
            return (any(container[5] == cipher_of(m, block["thinking"], self.secret)
                        for m in self.models) and not (self.bound and account != self.account))
        except (ValueError, IndexError, KeyError):
            return False

    def block(self):
        text = "" if self.shows == "empty" else TEXT
        signature = self.signature if self.signature is not None else sign(
            self.model, text, account=self.account, secret=self.secret, **self.signed)
        if self.shows == "redacted":
            return {"type": "redacted_thinking", "data": signature}
        return {"type": "thinking", "thinking": text, "signature": signature}

    def __call__(self, _number, path, _headers, body):
        if not path.endswith("/messages") or "thinking" not in body:
            return None
        kind = body["thinking"]["type"]
        if kind not in self.takes or (kind == "enabled" and not (
                1024 <= body["thinking"]["budget_tokens"] < body["max_tokens"])):
            return self.no(f"thinking.type: `{kind}` is not supported by this model")
        for message in body["messages"]:
            for block in message["content"] if isinstance(message["content"], list) else []:
                if self.checks and "thinking" in block["type"] and not self.knows(block):
                    return self.no("messages.1.content.0: Invalid `signature` in `thinking` block")
        return (200, self.answer(body), [("relay-lossy", "thinking")] if self.lossy else [])

    @staticmethod
    def no(why):
        return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": why}}

    def answer(self, body):
        usage = {"input_tokens": 60, "output_tokens": self.billed + 4}
        if not self.converts:
            usage |= {"cache_creation": {"ephemeral_5m_input_tokens": 0},
                      "service_tier": "standard"}
        number = os.urandom(12).hex() if self.converts else "01" + uuid7_58(time.time())
        blocks = [] if self.shows is None else [self.block()]
        return {"id": f"msg_{number}", "type": "message", "role": "assistant",
                "model": body["model"], "content": [*blocks, {"type": "text", "text": "5274"}],
                "stop_reason": "end_turn", "usage": usage}
