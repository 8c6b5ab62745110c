# SPDX-License-Identifier: Apache-2.0
"""Compressed bodies as clients make them. zstd is written by hand, for Python has none: frames
whose blocks are raw, or one byte that is repeated."""
import gzip
import zlib

BLOCK = 128 * 1024      # the largest block of a frame
MAGIC = b"\x28\xb5\x2f\xfd"


def _block(kind, size, content, last):
    return (size << 3 | kind << 1 | last).to_bytes(3, "little") + content


def zstd(data, block=BLOCK):
    """One frame with a window of 2 MB."""
    pieces = [data[at:at + block] for at in range(0, len(data), block)] or [b""]
    return MAGIC + b"\0\x58" + b"".join(
        _block(0, len(piece), piece, i + 1 == len(pieces)) for i, piece in enumerate(pieces))


def zstd_repeated(byte, count):
    """`count` blocks of 128 KB that are all this byte: four bytes each."""
    return MAGIC + b"\0\x58" + b"".join(_block(1, BLOCK, byte, i + 1 == count)
                                        for i in range(count))


def gzip_repeated(byte, megabytes):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(byte * (1 << 20)) for _ in range(megabytes)) + packer.flush()


CODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd}
