#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model vendor that shares no code with the station: plain sockets, a thread a connection.

In a test:

    with Vendor() as v:
        v.reply(Reply.json({...}))          # the next answer; may be called several times
        v.script(lambda received: Reply(...))   # every further one
        ...
        v.received[0].headers

With nothing programmed it answers sensibly in all four dialects (dialects.py). As a program it
serves people and load: `python3 tests/peer/vendor.py --port 9000 [--recording FILE]`.
"""
import argparse
import collections
import json
import os
import select
import socket
import ssl
import sys
import threading
import time

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.peer import dialects, recordings, splits, tls  # noqa: E402
from tests.peer.reply import Reply  # noqa: E402
from tests.peer.wait import PATIENCE_S, until  # noqa: E402

RST = b"\1\0\0\0\0\0\0\0"       # struct linger {on, 0 seconds}
WAIT_MAX = 4 * PATIENCE_S       # no wait without its maximum


class Received:
    """One request as it came in."""

    def __init__(self, connection, head):
        self.connection = connection        # number of the connection, from 1
        self.head = head                    # raw, with the blank line
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = (lines[0].split(" ") + ["", ""])[:3]
        self.headers = [(n.strip(), v.strip()) for n, _, v in
                        (line.partition(":") for line in lines[1:] if line)]
        self.raw_body = b""                 # as framed
        self.body = b""                     # as meant
        self.at = time.monotonic()
        self.outcome = None                 # "sent", "cut" or "client left"
        self.done = threading.Event()

    @property
    def path(self):
        return self.target.partition("?")[0]

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.method} {self.target} conn {self.connection} {self.body[:200]!r}>"


class ClientLeft(Exception):
    pass


class Connection:
    """Reads requests from one socket and plays the answers."""

    def __init__(self, vendor, sock, number):
        self.vendor, self.sock, self.number = vendor, sock, number
        self.buffer = b""

    def _more(self):
        data = self.sock.recv(262144)
        if not data:
            raise ClientLeft
        self.buffer += data

    def _until(self, marker):
        while marker not in self.buffer:
            self._more()
        data, _, self.buffer = self.buffer.partition(marker)
        return data + marker

    def _exact(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _read_request(self):
        received = Received(self.number, self._until(b"\r\n\r\n"))
        if "chunked" in (received.get("transfer-encoding") or "").lower():
            self._read_chunks(received)
        else:
            received.body = received.raw_body = self._exact(int(received.get("content-length", 0)))
        return received

    def _read_chunks(self, received):
        while True:
            line = self._until(b"\r\n")
            size = int(line.split(b";")[0], 16)
            data = self._exact(size) + self._until(b"\r\n")
            received.raw_body += line + data
            received.body += data[:size]
            if size == 0:
                return

    def _wait(self, seconds):
        """Sleep, unless the client leaves."""
        ready = select.poll()       # select() takes no descriptor above 1023
        ready.register(self.sock, select.POLLIN)
        if not ready.poll(seconds * 1000):
            return
        if not isinstance(self.sock, ssl.SSLSocket) and not self.sock.recv(1, socket.MSG_PEEK):
            raise ClientLeft
        time.sleep(seconds)

    def _wait_event(self, event):
        end = time.monotonic() + WAIT_MAX
        while not event.is_set() and time.monotonic() < end:
            self._wait(0.005)

    def _play(self, steps):
        for step in steps:
            if isinstance(step, bytes):
                self.sock.sendall(step)
            elif isinstance(step, (int, float)):
                self._wait(step)
            else:
                self._wait_event(step)

    def _send(self, reply):
        """Play the answer. True when the connection may carry another."""
        if reply.delay:
            self._wait(reply.delay)
        if reply.raw is not None:
            self._play([reply.raw] if isinstance(reply.raw, bytes) else reply.raw)
            return not reply.close
        self._play(splits.pieces(reply.head_split, reply.head()))
        self._play(reply.steps())
        if reply.early:
            if reply.ending == "hang":
                self._wait_event(self.vendor.stopping)
            elif reply.ending == "rst":
                self._wait_event(reply.seen)    # the reset overtakes bytes that nobody has read
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
            return False
        if reply.trailing:
            self.sock.sendall(reply.trailing)
        return not reply.close

    def _serve_one(self):
        received = self._read_request()
        self.vendor.note(received)
        reply = self.vendor.choose(received)
        try:
            more = self._send(reply)
            received.outcome = "cut" if reply.early else "sent"
            return more
        except (ClientLeft, OSError):
            received.outcome = "client left"
            return False
        finally:
            received.done.set()

    def run(self):
        try:
            while self._serve_one():
                pass
        except (ClientLeft, OSError):
            pass
        finally:
            self.sock.close()
            self.vendor.forget(self)


class Vendor:
    def __init__(self, port=0, certificate=None, host="127.0.0.1", keep=True):
        self.tls = tls.server_context(*certificate) if certificate else None
        self.listener = socket.create_server((host, port), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.keep = keep                # False for load: what came in is not remembered
        self.received = []
        self.connections = 0            # ever accepted
        self.stopping = threading.Event()
        self._queue = collections.deque()
        self._script = None
        self._open = set()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def base(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    # Programming

    def reply(self, *replies):
        with self._lock:
            self._queue.extend(replies)
        return self

    def script(self, function):
        """`function` maps Received to Reply; a Reply stands for "always this"."""
        self._script = function if callable(function) else lambda _received: function
        return self

    def reset(self):
        """Forget everything programmed and received; connections stay open."""
        with self._lock:
            self._queue.clear()
            self._script = None
            self.received = []

    @property
    def last(self):
        return self.received[-1]

    def wait_received(self, count=1, timeout=PATIENCE_S):
        with self._changed:
            return self._changed.wait_for(lambda: len(self.received) >= count, timeout)

    # The server

    def note(self, received):
        if not self.keep:
            return
        with self._changed:
            self.received.append(received)
            self._changed.notify_all()

    def choose(self, received):
        with self._lock:
            if self._queue:
                return self._queue.popleft()
        if self._script:
            return self._script(received) or Reply.json({"error": {"message": "no answer"}}, 500)
        return dialects.answer(received)

    def forget(self, connection):
        with self._lock:
            self._open.discard(connection)

    @property
    def open_connections(self):
        with self._lock:
            return len(self._open)

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=(sock,), daemon=True).start()

    def _greet(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        with self._lock:
            self.connections += 1
            connection = Connection(self, sock, self.connections)
            self._open.add(connection)
        connection.run()

    def is_open(self, number):
        """Whether the connection of this number is still open on both sides."""
        with self._lock:
            return any(connection.number == number for connection in self._open)

    def drop_idle(self, how=socket.SHUT_RDWR):
        """Close every open connection, as a vendor that restarts does."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.sock.shutdown(how)
                except OSError:
                    pass

    def drop_idle_and_wait(self):
        """The same, until the peer has noticed and closed its side, too."""
        self.drop_idle(socket.SHUT_WR)
        until(lambda: self.open_connections == 0, "the peer closes what its vendor has closed")

    def close(self):
        self.stopping.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.drop_idle()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    parser = argparse.ArgumentParser(description="A model vendor for tests, people and load.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--recording", metavar="FILE", help="answer from this .jsonl of recordings")
    parser.add_argument("--cert", help="serve TLS with this certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    threading.stack_size(256 * 1024)
    vendor = Vendor(options.port, (options.cert, options.key) if options.cert else None,
                    keep=False)
    if options.recording:
        vendor.script(recordings.player(options.recording))
    print(vendor.base, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        vendor.close()


if __name__ == "__main__":
    main()
