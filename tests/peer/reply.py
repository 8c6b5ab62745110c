# SPDX-License-Identifier: Apache-2.0
"""One answer of the vendor, said by what matters on the wire: framing, cuts, pauses, splits."""
import gzip
import json
import threading

from tests.peer import splits

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
           403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 413: "Too Large",
           429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout", 529: "Overloaded"}


class Reply:
    """
    body      bytes, or a list of parts: bytes are sent (one chunk each when chunked), a number
              is a pause in seconds, a threading.Event is waited for
    framing   "length", "chunked", "close" (until the connection ends), or "none"
    split     kind of boundary (splits.py) at which the body's wire bytes become own writes
    pause     seconds between these writes
    delay     seconds before the head
    cut       end early: after so many body bytes, or right behind these bytes
    wire_cut  end early: after so many bytes of the framed body (inside a chunk-size line, say)
    ending    what "end early" is: "fin", "rst" (once the Event `seen` is set: whoever has read the
              bytes before sets it), or "hang" (silence until the client leaves)
    trailing  bytes sent behind a complete answer, where the next one would begin
    raw       these bytes instead of everything above
    """

    def __init__(self, status=200, body=b"", headers=(), *, content_type="application/json",
                 framing="length", split=None, pause=0.0, delay=0.0, cut=None, wire_cut=None,
                 ending="fin", zipped=False, close=False, trailing=b"", raw=None, head_split=None):
        self.status = status
        self.headers = list(headers)
        self.content_type = content_type
        self.framing = framing
        self.split, self.head_split, self.pause, self.delay = split, head_split, pause, delay
        self.cut, self.wire_cut, self.ending = cut, wire_cut, ending
        self.seen = threading.Event()
        self.close = close or framing == "close"
        self.trailing, self.raw = trailing, raw
        self.parts = [body] if isinstance(body, bytes) else list(body)
        if zipped:
            self.parts = [gzip.compress(self.content())]
            self.headers.append(("Content-Encoding", "gzip"))

    @classmethod
    def json(cls, value, status=200, headers=(), **options):
        return cls(status, json.dumps(value, separators=(",", ":")).encode(), headers, **options)

    @classmethod
    def sse(cls, body, headers=(), **options):
        options.setdefault("framing", "chunked")
        return cls(200, body, headers, content_type="text/event-stream; charset=utf-8", **options)

    def content(self):
        return b"".join(part for part in self.parts if isinstance(part, bytes))

    @property
    def early(self):
        return self.cut is not None or self.wire_cut is not None

    def head(self, with_body=True):
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Other')}"]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.framing == "length":
            lines.append(f"Content-Length: {len(self.content())}")
        elif self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        if self.close:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def _kept_parts(self):
        """The parts up to the cut."""
        if self.cut is None:
            return self.parts
        limit = self.cut
        if isinstance(limit, bytes):
            limit = self.content().index(limit) + len(limit)
        kept = []
        for part in self.parts:
            if isinstance(part, bytes):
                part, limit = part[:limit], limit - len(part)
            kept.append(part)
            if limit <= 0:
                break
        return kept

    def _framed(self):
        for part in self._kept_parts():
            if not isinstance(part, bytes):
                yield part
            elif part and self.framing == "chunked":
                yield b"%x\r\n%s\r\n" % (len(part), part)
            elif part:
                yield part
        if self.framing == "chunked" and self.cut is None:
            yield b"0\r\n\r\n"

    def steps(self):
        """What to do after the head: bytes to write, and waits (numbers, Events) between them."""
        if self.split is None and self.wire_cut is None and not self.pause:
            yield from self._framed()
            return
        left = self.wire_cut
        parts = []
        for item in [*self._framed(), None]:
            if isinstance(item, bytes):
                parts.append(item)
                continue
            run, parts = b"".join(parts), []
            run, left = (run, None) if left is None else (run[:left], left - len(run))
            for piece in splits.pieces(self.split, run):
                yield piece
                if self.pause:
                    yield self.pause
            if left is not None and left <= 0:
                return
            if item is not None:
                yield item


def error(status, message="refused by the vendor", kind="invalid_request_error", headers=(),
          **options):
    """An error in OpenAI's shape; the other shapes are written by hand where a test needs them."""
    return Reply.json({"error": {"message": message, "type": kind, "param": None, "code": None}},
                      status, headers, **options)


def sse_events(events, named=False, end="\n\n", done=False):
    """Frames for a list of JSON events. `named` adds the `event:` line, as Anthropic does."""
    frames = []
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event, separators=(",", ":"))
        name = f"event: {event['type']}{end[:len(end) // 2]}" if named else ""
        frames.append(f"{name}data: {data}{end}".encode())
    if done:
        frames.append(b"data: [DONE]" + end.encode())
    return frames
