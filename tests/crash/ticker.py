#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many slow streams, measured: each event carries the time at which it was sent.

As a program this is the vendor: `python3 tests/crash/ticker.py --interval 0.25 --events 40`. It
prints its base address. `measure()` is the client. Both are one asyncio loop, so that hundreds of
streams do not disturb one another.
"""
import argparse
import asyncio
import os
import random
import re
import sys
import time

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
EVENT = ('data: {"id":"t","object":"chat.completion.chunk","created":1,"model":"tick",'
         '"choices":[{"index":0,"delta":{"content":"at %d "},"finish_reason":null}]}\n\n')
END = (b'data: {"id":"t","object":"chat.completion.chunk","created":1,"model":"tick","choices":'
       b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
       b'data: {"id":"t","object":"chat.completion.chunk","created":1,"model":"tick","choices":[],'
       b'"usage":{"prompt_tokens":10,"completion_tokens":40,"total_tokens":50}}\n\n'
       b"data: [DONE]\n\n")
STAMP = re.compile(rb'"at (\d+) "')


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(options):
    async def stream(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: *(\d+)", head)
                await reader.readexactly(int(length.group(1)) if length else 0)
                writer.write(HEAD)
                due = time.monotonic() + random.random() * options.interval
                for _ in range(options.events):
                    await asyncio.sleep(max(0, due - time.monotonic()))
                    writer.write(chunk((EVENT % time.monotonic_ns()).encode()))
                    await writer.drain()
                    due += options.interval
                writer.write(chunk(END) + b"0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(stream, "127.0.0.1", options.port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def measure(port, request, count):
    """Run `count` streams at once. (lateness of each event in ms, streams that ended well)."""
    late, ended = [], []

    async def one():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        rest, whole = b"", False
        try:
            while data := await reader.read(65536):
                now = time.monotonic_ns()
                rest += data
                found = list(STAMP.finditer(rest))
                late.extend((now - int(m.group(1))) / 1e6 for m in found)
                rest = rest[found[-1].end():] if found else rest
                if rest.endswith(b"0\r\n\r\n"):
                    whole = b"data: [DONE]" in rest
                    break
        except ConnectionError:
            pass
        ended.append(whole)
        writer.close()

    await asyncio.gather(*(one() for _ in range(count)))
    return late, sum(ended)


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--interval", type=float, default=0.25)
    parser.add_argument("--events", type=int, default=40)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
