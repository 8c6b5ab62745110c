# SPDX-License-Identifier: Apache-2.0
"""A network of its own for a program and all it starts: loopback and nothing else.

`enter()` starts the program again inside; there, `Names` answers no name and remembers who asked,
so that a client that only tried to reach somebody is found, too.
"""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

INSIDE = "ENTREPOT_SANDBOX"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def possible():
    """The words that make a network without a way out, or None."""
    if shutil.which("unshare") is None:
        return None
    for words in (["unshare", "--net", "--mount"],
                  ["unshare", "--map-root-user", "--net", "--mount"]):
        if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return words
    return None


def enter():
    """Go inside, or say loudly that nobody watches."""
    if os.environ.get(INSIDE):
        _loopback_up()
        return
    words = possible()
    if words is None:
        sys.exit("clients: no network namespace can be made here (unshare --net), and outside of "
                 "one nothing would keep the clients from calling home")
    os.environ[INSIDE] = "1"
    os.execvp(words[0], [*words, sys.executable, *sys.argv])


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        name = struct.pack("16sh", b"lo", 0) + bytes(14)
        flags = struct.unpack("16sh", fcntl.ioctl(sock, SIOCGIFFLAGS, name)[:18])[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP) + bytes(14))


class Names:
    """A name server that knows nobody, at the only address that the sandbox knows."""

    def __init__(self):
        self.asked = []
        with tempfile.NamedTemporaryFile("w", prefix="resolv-", delete=False) as file:
            file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        # The mount is seen in this namespace alone, and goes with it.
        subprocess.run(["mount", "--bind", file.name, os.path.realpath("/etc/resolv.conf")],
                       check=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            asked, sender = self.sock.recvfrom(4096)
            name, at = [], 12
            while at < len(asked) and asked[at]:
                name.append(asked[at + 1:at + 1 + asked[at]].decode("latin-1"))
                at += asked[at] + 1
            self.asked.append(".".join(name))
            question = asked[12:at + 5]
            self.sock.sendto(asked[:2] + b"\x81\x83" + struct.pack(">HHHH", 1, 0, 0, 0) + question,
                             sender)

    def take(self):
        taken, self.asked = self.asked, []
        return sorted(set(taken))
