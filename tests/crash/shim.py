# SPDX-License-Identifier: Apache-2.0
"""shim.c around a station: a disk that fails and a clock that jumps, switched while it runs.

    shim = Shim()
    station.Station(..., environment=shim.environment)
    shim.set(sync_errno=errno.EIO)
    ...
    shim.clear()
"""
import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

# As struct control of shim.c has them: numbers of 64 bits.
FIELDS = ("sync_ms", "sync_errno", "write_errno", "write_room", "write_most", "clock_s", "hits")


def why_not():
    """Why no program can be run with the shim here; None when one can."""
    if not shutil.which("cc"):
        return "the shim needs a C compiler"
    if os.environ.get("ENTREPOT_SANITIZER"):
        return "sanitizers come first in LD_PRELOAD"
    return None


class Shim:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="entrepot-shim-")
        library = os.path.join(self.folder, "shim.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim.c")
        try:
            subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-o", library,
                            source, "-ldl"], check=True)
        except subprocess.CalledProcessError as broken:
            shutil.rmtree(self.folder)
            raise unittest.SkipTest("the shim does not compile") from broken
        path = os.path.join(self.folder, "control")
        with open(path, "wb+") as file:
            file.truncate(8 * len(FIELDS))
            self.map = mmap.mmap(file.fileno(), 8 * len(FIELDS))
        self.environment = {"LD_PRELOAD": library, "SHIM_CONTROL": path}

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("=q", self.map, 8 * FIELDS.index(name), value)

    def get(self, name):
        return struct.unpack_from("=q", self.map, 8 * FIELDS.index(name))[0]

    def clear(self):
        """All is well again; the clock, too. How often something was done stays known."""
        self.set(**{name: 0 for name in FIELDS if name != "hits"})

    def close(self):
        self.clear()
        self.map.close()
        shutil.rmtree(self.folder, ignore_errors=True)
