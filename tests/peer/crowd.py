# SPDX-License-Identifier: Apache-2.0
"""Thousands of clients that ask at the same moment, in one thread: each has its connection and all
of its request but the last byte there before any of them ends it.
"""
import collections
import resource
import select
import socket
import time

from tests.peer.wait import PATIENCE_S

WAVE = 500      # connections on their way at a time: less than any backlog
SPARE = 200     # descriptors for everything else


def room():
    """How many clients there can be: by the descriptors that a process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - SPARE


class Crowd:
    def __init__(self, port, request, count):
        self.last = request[-1:]
        self.epoll = select.epoll()
        self.sockets = {}
        self.answers = {}       # descriptor: bytes so far
        while len(self.sockets) < count:
            wave = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
                    for _ in range(min(WAVE, count - len(self.sockets)))]
            for one in wave:
                one.sendall(request[:-1])
                one.setblocking(False)
                self.sockets[one.fileno()] = one
                self.epoll.register(one.fileno(), select.EPOLLIN)

    def ask(self):
        """The last byte of every request."""
        for one in self.sockets.values():
            one.send(self.last)

    def read(self, enough, what):
        """Read what comes until enough(self)."""
        deadline = time.monotonic() + PATIENCE_S
        while not enough(self):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: {self.statuses()} of {len(self.sockets)}")
            for fd, _ in self.epoll.poll(0.05, 1024):
                data = self.sockets[fd].recv(65536)
                if not data:
                    self.epoll.unregister(fd)
                self.answers[fd] = self.answers.get(fd, b"") + data

    def statuses(self):
        """How many have been answered with what; an end without an answer is 0."""
        return collections.Counter(int(data[9:12] or 0) for data in self.answers.values())

    def close(self):
        self.epoll.close()
        for one in self.sockets.values():
            one.close()
