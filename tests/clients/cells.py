# SPDX-License-Identifier: Apache-2.0
"""Which scenes each client plays, what it has to say then, and what that may cost."""
import dataclasses
import re
import secrets
import signal
import struct
import time
import zlib

from tests.clients import agents
from tests.clients.upstream import HELLO
from tests.peer.wait import until

ABORT_LIMIT_S = 60


@dataclasses.dataclass
class Cell:
    name: str
    prompt: str
    expect: str         # found in what the client said
    requests: int       # that the vendor gets, exactly
    charges: int


@dataclasses.dataclass
class Outcome:
    text: str = ""
    trouble: str = ""
    differs: list = dataclasses.field(default_factory=list)


def png(side=32):
    """A small picture."""
    def chunk(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    rows = b"".join(b"\0" + bytes(x * 8 % 256 for x in range(side) for _ in range(3))
                    for _ in range(side))
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


# What a client does beyond one request a step: opencode asks for a title, too; and how often each
# asks again when the vendor is out of order (its own rule, which nothing here may make worse).
EXTRA = {"opencode": 1}


def extra(client):
    return next((n for name, n in EXTRA.items() if client.name.startswith(name)), 0)


class Agent:
    """Plays a cell with one of agents.py."""

    def __init__(self, agent):
        self.agent, self.name, self.dialect = agent, agent.name, agent.dialect

    def missing(self):
        program = self.agent.program
        return None if program.exists() else f"{program.name} is not installed"

    def close(self):
        pass

    def play(self, cell, house, key):
        run = agents.Run()
        try:
            return self._play(cell, house, key, run)
        finally:
            run.close()

    def _play(self, cell, house, key, run):
        marks = ["secret-" + secrets.token_hex(4) for _ in range(2)]
        for name, mark in zip("ab", marks):
            run.write(f"work/{name}.txt", mark + "\n")
        picture = run.write("work/picture.png", png())
        prompt = cell.prompt.replace("@", f"file:{run.work}/").replace("%", f"file:{picture}")
        if cell.name == "badkey":
            key = "ek_wrong"
        shown = picture if cell.name == "picture" else None
        self.agent.start(run, house.tap.base, key, prompt, shown)
        said = Outcome()
        if cell.name == "abort":
            self._abort(house, run, said)
        run.finish()
        said.text, said.trouble = run.out, run.err
        if cell.name.startswith("files") and not all(mark in run.out for mark in marks):
            said.differs.append(f"the tools' results did not come back: {run.out[-200:]!r} "
                                f"{run.err[-300:]!r}")
        if cell.name == "patch":
            made = run.work / "made.txt"
            text = made.read_text(encoding="utf-8") if made.exists() else None
            if text != "Made by a patch: \"é\" \\ 港\n":
                said.differs.append(f"the patch made {text!r}")
        return said

    def _abort(self, house, run, said):
        try:
            until(lambda: any(r.path and "slow" in house.upstream.played
                              for r in house.upstream.generations), "a stream", ABORT_LIMIT_S)
            time.sleep(1)       # some of the stream has come; how much does not matter
            run.end(signal.SIGINT)
            until(lambda: all(r.done.is_set() for r in house.upstream.vendor.received),
                  "the vendor's stream ends", ABORT_LIMIT_S)
        except AssertionError as error:
            said.differs.append(str(error))
        # With Gemini a cancelled request is paid all the same: its usage is waited for.
        if house.dialect != "gemini" and \
                house.upstream.vendor.received[-1].outcome != "client left":
            said.differs.append("the vendor had to write on for nobody")


def agent_cells(client):
    more = extra(client)
    name = client.name.split(",")[0]
    good = re.escape(HELLO)
    yield Cell("hello", "scene:hello", good, 1 + more, 1 + more)
    yield Cell("files", "scene:files @a.txt @b.txt", "secret-", 2 + more, 2 + more)
    yield Cell("files, one by one", "scene:files step=1 @a.txt @b.txt", "secret-", 3 + more,
               3 + more)
    if name in ("Claude Code", "Gemini CLI", "opencode"):
        yield Cell("read picture", "scene:image %", "I see 1 picture.*png|jpeg", 2 + more, 2 + more)
    if name != "Claude Code":
        yield Cell("picture", "scene:image", "I see 1 picture.*png|jpeg", 1 + more, 1 + more)
    if name == "Codex":
        yield Cell("patch", "scene:patch", "Success", 2, 2)
    yield Cell("abort", "scene:slow", "", 1 + more, 1 + more)


def clients():
    return [Agent(agent) for agent in agents.AGENTS]


def cells_of(client):
    return agent_cells(client)
