# SPDX-License-Identifier: Apache-2.0
"""A raw HTTP/1.1 client on one socket.

It sends whatever bytes a test asks for and reads answers strictly: every deviation from
RFC 9112 raises Malformed. It says how each answer ended, because "the last chunk came" and
"the connection was cut" are different promises.
"""
import json
import select
import socket
import ssl
import time

from tests.peer.wait import PATIENCE_S


class Malformed(Exception):
    """The peer sent something that is not strict HTTP/1.1."""


class Ended:
    """How a body ended. Only LAST_CHUNK, LENGTH and EMPTY are complete answers."""
    EMPTY = "empty"             # no body by rule (HEAD, 1xx, 204, 304) or Content-Length: 0
    LENGTH = "length"           # all of Content-Length arrived
    LAST_CHUNK = "last-chunk"   # the chunk of size 0 and its blank line arrived
    CLOSE = "close"             # close-delimited: complete as far as anyone can tell
    CUT = "cut"                 # FIN before the promised end
    RESET = "reset"             # RST before the promised end
    TIMEOUT = "timeout"         # nothing more came in time


class Response:
    def __init__(self, status, reason, headers, raw_head):
        self.status = status
        self.reason = reason
        self.headers = headers          # list of (name, value), as they came
        self.raw_head = raw_head
        self.interim = []               # statuses of the 1xx answers before this one
        self.chunks = []                # (arrival time, bytes), as chunked framing cut them
        self.trailers = []
        self.framing = None             # "length", "chunked", "close" or "none"
        self.length = 0
        self.got = 0                    # body bytes so far
        self.ended = None

    @property
    def body(self):
        return b"".join(data for _, data in self.chunks)

    @property
    def complete(self):
        return self.ended in (Ended.EMPTY, Ended.LENGTH, Ended.LAST_CHUNK)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def json(self):
        return json.loads(self.body)

    @property
    def request_id(self):
        return self.get("relay-request-id")

    @property
    def edits(self):
        text = self.get("relay-edits", "")
        return {name.strip() for name in text.split(",") if name.strip()}

    def __repr__(self):
        return f"<{self.status} {self.framing} {self.ended} {self.body[:300]!r}>"


def request_bytes(method, target, headers=(), body=None, host="station.test"):
    """A plain request. Content-Length is added unless the headers frame the body themselves."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*pieces):
    """Chunked framing of the pieces, with the last chunk."""
    out = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p)
    return out + b"0\r\n\r\n"


class Raw:
    """One connection. Reading never waits longer than `timeout` for the next byte."""

    def __init__(self, port, host="127.0.0.1", timeout=PATIENCE_S, tls=None, source=None):
        self.sock = socket.create_connection((host, port), timeout=timeout,
                                             source_address=source and (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.timeout = timeout
        self.buffer = b""
        self.eof = None                 # None, Ended.CUT or Ended.RESET

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def abort(self):
        """Close with RST, as a killed client does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)
        return self

    def request(self, method, target, headers=(), body=None):
        return self.send(request_bytes(method, target, headers, body))

    # Bytes

    def _fill(self, deadline):
        """Read once. False at the end of the stream; raises TimeoutError past the deadline."""
        if self.eof:
            return False
        self.sock.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = self.sock.recv(262144)
        except (TimeoutError, ssl.SSLWantReadError):
            raise TimeoutError("nothing came in time") from None
        except (ConnectionResetError, BrokenPipeError):
            self.eof = Ended.RESET
            return False
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        if not data:
            self.eof = Ended.CUT
            return False
        self.buffer += data
        return True

    def _line(self, deadline):
        """One line without its CRLF, or None at the end of the stream."""
        while (at := self.buffer.find(b"\n")) < 0:
            if not self._fill(deadline):
                return None
        line, self.buffer = self.buffer[:at + 1], self.buffer[at + 1:]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise Malformed(f"bare CR or LF in {line!r}")
        return line[:-2]

    def _exact(self, count, response, deadline):
        """Pass `count` body bytes to the response. False when the stream ended before."""
        while count:
            if not self.buffer and not self._fill(deadline):
                return False
            piece, self.buffer = self.buffer[:count], self.buffer[count:]
            response.chunks.append((time.monotonic(), piece))
            response.got += len(piece)
            count -= len(piece)
        return True

    # Answers

    def _fields(self, deadline):
        fields, raw = [], b""
        while True:
            line = self._line(deadline)
            if line is None:
                return None, raw
            raw += line + b"\r\n"
            if not line:
                return fields, raw
            name, colon, value = line.partition(b":")
            if not colon or not name or name.strip() != name or line[:1] in b" \t":
                raise Malformed(f"bad header line {line!r}")
            fields.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))

    def _one_head(self, deadline):
        status_line = self._line(deadline)
        if status_line is None:
            return None
        parts = status_line.split(b" ", 2)
        if len(parts) < 3 or parts[0] != b"HTTP/1.1" or not (parts[1].isdigit()
                                                             and len(parts[1]) == 3):
            raise Malformed(f"bad status line {status_line!r}")
        fields, raw = self._fields(deadline)
        if fields is None:
            raise Malformed("the head was cut")
        return Response(int(parts[1]), parts[2].decode("latin-1"), fields,
                        status_line + b"\r\n" + raw)

    def interim(self, timeout=None):
        """Read one interim answer (1xx); its status. None when the connection ended first."""
        response = self._one_head(time.monotonic() + (timeout or self.timeout))
        return response and response.status

    def head(self, method="GET", timeout=None):
        """Read up to the blank line of the final answer. None when the connection ended first."""
        deadline = time.monotonic() + (timeout or self.timeout)
        interim = []
        while True:
            response = self._one_head(deadline)
            if response is None:
                return None
            if response.status >= 200:
                break
            interim.append(response.status)
        response.interim = interim
        self._frame(response, method)
        return response

    @staticmethod
    def _frame(response, method):
        lengths = response.all("content-length")
        codings = response.all("transfer-encoding")
        if len(lengths) > 1 or (lengths and not lengths[0].isdigit()):
            raise Malformed(f"Content-Length {lengths}")
        if lengths and codings:
            raise Malformed("Content-Length and Transfer-Encoding together")
        if codings and [c.lower() for c in codings] != ["chunked"]:
            raise Malformed(f"Transfer-Encoding {codings}")
        if method == "HEAD" or response.status in (204, 304):
            response.framing, response.ended = "none", Ended.EMPTY
        elif codings:
            response.framing = "chunked"
        elif lengths:
            response.framing, response.length = "length", int(lengths[0])
        else:
            response.framing = "close"

    def step(self, response, timeout=None):
        """Read one more piece of the body. False once response.ended is set."""
        if response.ended:
            return False
        deadline = time.monotonic() + (timeout or self.timeout)
        try:
            getattr(self, "_step_" + response.framing)(response, deadline)
        except TimeoutError:
            response.ended = Ended.TIMEOUT
        return response.ended is None

    def _step_length(self, response, deadline):
        left = response.length - response.got
        if left and not self.buffer and not self._fill(deadline):
            response.ended = self.eof
            return
        take = min(left, len(self.buffer))
        self._exact(take, response, deadline)
        if take == left:
            response.ended = Ended.LENGTH if response.length else Ended.EMPTY

    def _step_chunked(self, response, deadline):
        line = self._line(deadline)
        if line is None:
            response.ended = self.eof
            return
        digits = line.split(b";")[0]
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise Malformed(f"bad chunk size {line!r}")
        size = int(digits, 16)
        if size == 0:
            response.trailers, _ = self._fields(deadline)
            response.ended = self.eof if response.trailers is None else Ended.LAST_CHUNK
            return
        if not self._exact(size, response, deadline):
            response.ended = self.eof
            return
        line = self._line(deadline)
        if line is None:
            response.ended = self.eof
        elif line:
            raise Malformed(f"chunk data is longer than its size: {line!r}")

    def _step_close(self, response, deadline):
        if not self.buffer and not self._fill(deadline):
            response.ended = Ended.CLOSE if self.eof == Ended.CUT else Ended.RESET
            return
        self._exact(len(self.buffer), response, deadline)

    def response(self, method="GET", timeout=None):
        """The whole next answer; `timeout` counts for each piece. None if the peer hung up."""
        response = self.head(method, timeout)
        while response is not None and self.step(response, timeout):
            pass
        return response

    def until(self, response, marker, timeout=None):
        """Read the body until it holds `marker`. True when it does."""
        while marker not in response.body:
            if not self.step(response, timeout):
                return marker in response.body
        return True

    # The connection itself

    def closed(self, timeout=PATIENCE_S):
        """True when the peer closes within the time without sending anything more."""
        try:
            return not self.buffer and not self._fill(time.monotonic() + timeout)
        except TimeoutError:
            return False

    def silent(self, seconds=0.2):
        """True when for this long the peer neither sent nor closed."""
        if self.buffer or self.eof:
            return False
        return not select.select([self.sock], [], [], seconds)[0]


def ask(port, method, target, headers=(), body=None, timeout=PATIENCE_S, tls=None):
    """One request on its own connection."""
    with Raw(port, timeout=timeout, tls=tls) as raw:
        raw.request(method, target, list(headers) + [("Connection", "close")], body)
        return raw.response(method)
