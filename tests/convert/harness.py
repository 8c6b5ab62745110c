# SPDX-License-Identifier: Apache-2.0
"""One station and one vendor for every pair of dialects: ask in one, answer in another.

A model is named for the upstream that serves it: "chat", "responses", "messages", "gemini" for a
plain one, or `Bench.model(dialect, vendor's model name)`. An upstream is held to one dialect, so a
client of another is served by conversion.
"""
import json

from tests.peer import rawhttp, station
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply, sse_events
from tests.peer.vendor import Vendor
from tests.peer.wait import PATIENCE_S

SPOKEN = (CHAT, RESPONSES, MESSAGES, GEMINI)
VENDOR_OF = {CHAT: "openai", RESPONSES: "openai", MESSAGES: "anthropic", GEMINI: "gemini"}
PLAIN = {CHAT: "gpt-5.2", RESPONSES: "gpt-5.2", MESSAGES: "claude-opus-4-5",
         GEMINI: "gemini-2.5-flash"}
PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages"}
MAX_OUTPUT = 32000      # of every model here
PRICE = {"currency": "USD", "input": "0.001", "output": "0.001"}


def wire(dialect, answer):
    """A recorded answer as a vendor of the dialect sends it: whole, or a stream when a list."""
    if not isinstance(answer, list):
        return Reply.json(answer)
    return Reply.sse(b"".join(sse_events(answer, named=dialect in (RESPONSES, MESSAGES),
                                         done=dialect == CHAT,
                                         end="\r\n\r\n" if dialect == GEMINI else "\n\n")))


class Answer:
    """What the client got, and what the vendor had been asked (None: nothing)."""

    def __init__(self, response, received):
        self.response, self.received = response, received

    status = property(lambda self: self.response.status)
    body = property(lambda self: self.response.body)

    def json(self):
        return self.response.json()

    @property
    def asked(self):
        return self.received.json() if self.received else None

    @property
    def lossy(self):
        text = self.response.get("relay-lossy", "")
        return [path.strip() for path in text.split(",") if path.strip()]


class Bench:
    """Starts on entering. One connection, one request after the other.

    names    further (dialect, vendor's model name), beside the plain ones
    hosts    further {model: (vendor, dialect, path of its base)}: hosts with ways of their own
    lossy    what the operator allows to be lost, of every model
    """

    def __init__(self, names=(), hosts=None, lossy=()):
        self.vendor = Vendor()
        self.names = {(d, m): f"{d}-{number}" for number, (d, m) in enumerate(sorted(set(names)))}
        self.names.update({(d, PLAIN[d]): d for d in SPOKEN})
        upstreams = [station.upstream(self.vendor, VENDOR_OF[d], "up-" + d, dialects=[d],
                                      cooldown="0s") for d in SPOKEN]
        more = {"lossy": list(lossy)} if lossy else {}
        models = [station.model(name, {"upstream": "up-" + d, "model": m, **more},
                                price=PRICE, max_output=MAX_OUTPUT)
                  for (d, m), name in self.names.items()]
        for name, (vendor, dialect, path) in (hosts or {}).items():
            upstreams.append({"name": "up-" + name, "vendor": vendor, "keys": ["sk-other-1"],
                              "base": self.vendor.base + path, "dialects": [dialect]})
            models.append(station.model(name, {"upstream": "up-" + name, "model": name,
                                               **more},
                                        price=PRICE, max_output=MAX_OUTPUT))
        self.station = station.Station(upstreams, models, lanes=1)
        self.raw = None

    def __enter__(self):
        self.station.start()
        self.station.create_account("judge", "house")
        self.auth = ("Authorization", "Bearer " + self.station.create_key("judge"))
        return self

    def __exit__(self, *_):
        if self.raw:
            self.raw.close()
        self.station.close()
        self.vendor.close()

    def model(self, dialect, vendor_model=None):
        return self.names.get((dialect, vendor_model), dialect)

    def ask(self, client, upstream, request, answer=None, stream=False, vendor_model=None,
            headers=(), alt="sse", name=None):
        """One request of a client of one dialect, answered by an upstream of another."""
        target, body = self.place(client, name or self.model(upstream, vendor_model), request,
                                  stream, alt)
        return self.send(target, json.dumps(body).encode(), answer, upstream, headers)

    def open(self, client, upstream, request, answer, name=None):
        """A streamed request on a connection of its own, still open: (raw, response's head)."""
        target, body = self.place(client, name or upstream, request, True)
        self._program(answer, upstream)
        raw = self.station.connect()
        raw.send(self._bytes(target, json.dumps(body).encode()))
        return raw, raw.head("POST")

    @staticmethod
    def place(client, name, request, stream, alt="sse"):
        """(target, body) of a request for a model in the client's dialect."""
        body = dict(request)
        body.pop("stream", None)
        if client == GEMINI:
            body.pop("model", None)
            verb = "streamGenerateContent" + (f"?alt={alt}" if alt else "") if stream \
                else "generateContent"
            return f"/v1beta/models/{name}:{verb}", body
        body["model"] = name
        if stream:
            body["stream"] = True
            if client == CHAT:
                body.setdefault("stream_options", {"include_usage": True})
        return PATHS[client], body

    def send(self, target, body, answer=None, upstream=None, headers=()):
        self._program(answer, upstream)
        response = self._exchange(self._bytes(target, body, headers))
        received = self.vendor.received[-1] if self.vendor.received else None
        return Answer(response, received)

    def _bytes(self, target, body, headers=()):
        return rawhttp.request_bytes("POST", target, [
            self.auth, ("Content-Type", "application/json"), *headers], body)

    def _program(self, answer, upstream):
        self.vendor.reset()
        if callable(answer):
            self.vendor.script(answer)
        elif isinstance(answer, Reply):
            self.vendor.script(lambda _received: answer)
        elif answer is not None:
            self.vendor.script(lambda _received: wire(upstream, answer))

    def sold(self):
        """The pairs (client, upstream) that this station converts."""
        hello = {CHAT: {"messages": [{"role": "user", "content": "Hi"}]},
                 RESPONSES: {"input": "Hi"},
                 MESSAGES: {"max_tokens": 16, "messages": [{"role": "user", "content": "Hi"}]},
                 GEMINI: {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}}
        return {(a, b) for a in SPOKEN for b in SPOKEN
                if a != b and self.ask(a, b, hello[a]).status == 200}

    def _exchange(self, data):
        """On the kept connection; on another where the station has closed it in between."""
        for _ in range(2):
            fresh = self.raw is None
            self.raw = self.raw or rawhttp.Raw(self.station.port, timeout=PATIENCE_S)
            try:
                response = self.raw.send(data).response("POST")
            except (BrokenPipeError, ConnectionResetError):
                response = None
            closing = response is None or not response.complete \
                or (response.get("connection") or "").lower() == "close"
            if closing:
                self.raw.close()
                self.raw = None
            if response is not None or fresh:
                return response
        return response
