# SPDX-License-Identifier: Apache-2.0
"""Where to cut a run of bytes: the kinds of boundaries that parsers get wrong.

Each kind is a function of the bytes as they go over the wire; it answers the offsets at which
a new write begins. `pieces` then cuts.
"""
import re


def whole(_wire):
    return []


def every(wire):
    return range(1, len(wire))


def crlf(wire):
    """Between CR and LF, and inside every blank line."""
    return [m.start() + 1 for m in re.finditer(rb"(?=\r\n|\n\r|\n\n|\r\r)", wire)]


def utf8(wire):
    """Inside every multi-byte character."""
    return [i for i, byte in enumerate(wire) if 0x80 <= byte < 0xC0]


def frame(wire):
    """Right before and right after the end of each event."""
    return sorted({at for m in re.finditer(rb"(?:\r\n\r\n|\n\n)", wire)
                   for at in (m.start(), m.end())})


def field(wire):
    """Inside `data:`, `event:` and before the space behind the colon."""
    cuts = set()
    for m in re.finditer(rb"(?:^|\n)(data|event):", wire):
        start = m.start(1)
        cuts |= {start + 1, start + 3, m.end() - 1, m.end(), m.end() + 1}
    return sorted(cuts)


def string(wire):
    """Inside the JSON words that a meter reads, and inside escapes."""
    words = rb"usage|finish_reason|finishReason|_tokens|TokenCount|\[DONE\]|message_stop|completed"
    cuts = {m.start() + (m.end() - m.start()) // 2 for m in re.finditer(words, wire)}
    cuts |= {m.start() + 1 for m in re.finditer(rb"\\.", wire)}
    cuts |= {m.start() + 4 for m in re.finditer(rb"\\u[0-9a-fA-F]{4}", wire)}
    return sorted(cuts)


def number(wire):
    """Inside every number of two digits or more behind a token count."""
    return [m.start(1) + 1 for m in re.finditer(rb"(?:_tokens|TokenCount)\"\s*:\s*(\d\d+)", wire)]


def chunk_size(wire):
    """Inside each chunk-size line, and around the CRLFs that belong to chunked framing."""
    cuts, at = set(), 0
    while (end := wire.find(b"\r\n", at)) >= 0:
        try:
            size = int(wire[at:end].split(b";")[0], 16)
        except ValueError:
            break
        cuts |= {at + 1, end, end + 1, end + 2}
        at = end + 2 + size
        cuts |= {at, at + 1, at + 2}
        at += 2
        if size == 0:
            break
    return sorted(cuts)


KINDS = {f.__name__: f for f in
         (whole, crlf, utf8, frame, field, string, number, chunk_size, every)}


def offsets(kind, wire):
    """`kind` is a name above, a list of offsets, a number (a cut each n bytes), or None."""
    if kind is None:
        return []
    if isinstance(kind, str):
        return KINDS[kind](wire)
    if isinstance(kind, int):
        return range(kind, len(wire), kind)
    return kind


def pieces(kind, wire):
    cuts = sorted({at for at in offsets(kind, wire) if 0 < at < len(wire)})
    edges = [0, *cuts, len(wire)]
    return [wire[a:b] for a, b in zip(edges, edges[1:])] if wire else []
