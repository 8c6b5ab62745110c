# SPDX-License-Identifier: Apache-2.0
"""Looks at a picture by other means than the product's: PNG by zlib alone, digits by their holes
and where their ink lies."""
import struct
import zlib


def decode(png):
    """Rows of (red, green, blue). An indexed PNG without interlace, every checksum looked at."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, chunks = 8, {}
    while at < len(png):
        length, = struct.unpack(">I", png[at:at + 4])
        kind, data = png[at + 4:at + 8], png[at + 8:at + 8 + length]
        crc, = struct.unpack(">I", png[at + 8 + length:at + 12 + length])
        assert crc == zlib.crc32(kind + data), kind
        chunks[kind] = chunks.get(kind, b"") + data
        at += 12 + length
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (colour, interlace, list(chunks)[-1]) == (3, 0, b"IEND")
    palette = [tuple(chunks[b"PLTE"][i:i + 3]) for i in range(0, len(chunks[b"PLTE"]), 3)]
    raw, line, rows = zlib.decompress(chunks[b"IDAT"]), (width * depth + 7) // 8, []
    assert len(raw) == height * (line + 1)
    for y in range(height):
        assert raw[y * (line + 1)] == 0, "a filter that is not read here"
        row = raw[y * (line + 1) + 1:(y + 1) * (line + 1)]
        rows.append([palette[row[x * depth // 8] >> (8 - depth - x * depth % 8) & (1 << depth) - 1]
                     for x in range(width)])
    return rows


def figures(rows):
    """Dark figures from left to right, each as its own rows of True and False."""
    dark = [[max(p) < 100 for p in row] for row in rows]
    columns = [any(column) for column in zip(*dark)] + [False]
    out, start = [], None
    for x, ink in enumerate(columns):
        if ink and start is None:
            start = x
        elif not ink and start is not None:
            lines = [i for i, row in enumerate(dark) if any(row[start:x])]
            out.append([row[start:x] for row in dark[lines[0]:lines[-1] + 1]])
            start = None
    return out


def holes(figure):
    """(middle, height) of each, in shares of the figure's height."""
    h, w = len(figure), len(figure[0])
    seen, out = set(), []
    for y in range(-1, h + 1):
        for x in range(-1, w + 1):
            stack, part = [(y, x)], []
            while stack:
                b, a = stack.pop()
                inside = 0 <= b < h and 0 <= a < w
                if (b, a) in seen or not (-1 <= b <= h and -1 <= a <= w) or (
                        inside and figure[b][a]):
                    continue
                seen.add((b, a))
                part.append((b, a))
                stack += [(b + 1, a), (b - 1, a), (b, a + 1), (b, a - 1)]
            lines = [b for b, _ in part]
            if len(part) > 9 and min(lines) >= 0:
                out.append((sum(lines) / len(lines) / h, (max(lines) - min(lines) + 1) / h))
    return out


def digit(figure):
    h, w = len(figure), len(figure[0])
    found = holes(figure)
    if len(found) == 2:
        return "8"
    if found:
        middle, height = found[0]
        return "0" if height > 0.5 else "9" if middle < 0.37 else "4" if middle < 0.58 else "6"
    if w < h / 2:
        return "1"
    if all(figure[h - 5][3:-3]):
        return "2"
    wide = sum(any(column) for column in zip(*figure[h * 85 // 100:])) / w
    upper = figure[h * 20 // 100:h * 45 // 100]
    left = sum(any(row[:w // 4]) for row in upper) / len(upper)
    return "7" if wide < 0.5 else "5" if left > 0.6 else "3"


def read(png):
    """(the digits, the colour of what is neither dark nor grey)"""
    rows = decode(png)
    coloured = {p for row in rows for p in row if max(p) - min(p) > 60}
    assert len(coloured) == 1, coloured
    r, g, b = coloured.pop()
    colour = ("yellow" if r > 200 and g > 150 else "red" if r == max(r, g, b) else
              "green" if g == max(r, g, b) else "blue")
    return "".join(map(digit, figures(rows))), colour
