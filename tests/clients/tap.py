# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and the station and keeps every byte: evidence for a cell that failed."""
import re
import socket
import threading


class Tap:
    def __init__(self, port):
        self.to = port
        self.lock = threading.Lock()
        self.log = []               # [connection, ">" or "<", bytes]
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        number = 0
        while True:
            client, _ = self.listener.accept()
            number += 1
            station = socket.create_connection(("127.0.0.1", self.to))
            for way, source, sink in ((">", client, station), ("<", station, client)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(number, way, source, sink),
                                 daemon=True).start()

    def _pump(self, number, way, source, sink):
        try:
            while data := source.recv(65536):
                with self.lock:
                    if self.log and self.log[-1][:2] == [number, way]:
                        self.log[-1][2] += data
                    else:
                        self.log.append([number, way, data])
                sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)     # the other pump ends, too
            except OSError:
                pass

    def take(self):
        with self.lock:
            taken, self.log = self.log, []
        return taken


def asked(log):
    """The first lines of the client's requests."""
    text = b"".join(data for _, way, data in log if way == ">")
    return [line.decode() for line in
            re.findall(rb"((?:GET|POST|HEAD|DELETE) /\S*) HTTP/1\.1\r\n", text)]


def answered(log, header):
    """The values of a header in the station's answers."""
    text = b"".join(data for _, way, data in log if way == "<")
    return [value.decode() for value in
            re.findall(rb"(?i)\r\n%s: *([^\r\n]*)" % header.encode(), text)]


def text(log):
    return b"".join(b"\n%s %d " % (way.encode() * 6, number) + data + b"\n"
                    for number, way, data in log)
