# SPDX-License-Identifier: Apache-2.0
"""Ports for programs that are told their port: nobody else gets them while this process lives.

The kernel's own choice (port 0) may go to somebody else, or to an outgoing connection, between the
choice and its use. These lie below the range of outgoing connections, and a bound socket that
does not listen keeps each: another process that looks for one finds it taken, while the program
under test, which like the holder sets SO_REUSEADDR, may listen there.
"""
import random
import socket

LOWEST, HIGHEST = 10000, 32000


def _listens(port):
    """Whether a program may listen beside the holder."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def free_port():
    while True:
        port = random.SystemRandom().randrange(LOWEST, HIGHEST)
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", port))    # without SO_REUSEADDR: taken is taken
        except OSError:
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if _listens(port):
            holder.detach()     # the descriptor stays until this process ends
        else:
            holder.close()      # a kernel with other rules: the range alone has to do
        return port
