#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model vendor that holds the same conversations in all four dialects, for real clients.

The last word `scene:NAME` of the user chooses what is played; what has been answered to the tools
since then says how far it has got, so nothing is remembered between two requests. A scene that asks
for tools takes those which the client really offers, and its last answer quotes what it was given:
what is lost on the way is missing in the client's own output.

    python3 tests/clients/upstream.py --port 9000
"""
import argparse
import base64
import hashlib
import json
import os
import re
import sys
import threading

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.clients import strict  # noqa: E402
from tests.clients.speak import Call, Said, Think, sse_events, write  # noqa: E402
from tests.clients.talk import Talk, dialect_of  # noqa: E402
from tests.peer import dialects  # noqa: E402
from tests.peer.reply import Reply  # noqa: E402
from tests.peer.vendor import Vendor  # noqa: E402

HELLO = "Hello from the port: Grüße, 港口, \"quoted\" and a \\ backslash."
TITLE = "A title of the talk"
COUNTERS = ("/count_tokens", ":countTokens", "/input_tokens", "/embeddings", "/models",
            ":embedContent", ":batchEmbedContents")
SLOW_TEXT, SLOW_PAUSE_S = "slowly, " * 120, 0.05
CITY = "Łódź"       # an argument that is not ASCII


class Scene:
    """Where the conversation stands: what was said since the scene was named."""

    def __init__(self, talk):
        self.talk = talk
        self.name, self.words, self.said = "hello", {}, ""
        self.since = talk.items
        for n, item in enumerate(talk.items):
            found = item.kind == "text" and item.role == "user" and \
                re.findall(r"scene:(\w+)", item.text)
            if found:
                self.name, self.said, self.since = found[-1], item.text, talk.items[n:]
                self.words = dict(re.findall(r"\b(\w+)=(\w+)", item.text))
        self.results = [item for item in self.since if item.kind == "result"]
        self.calls = [item for item in self.since if item.kind == "call"]

    @property
    def files(self):
        return re.findall(r'\bfile:([^\s"]+)', self.said)

    def thoughts(self):
        """Of the vendor's earlier thoughts in this scene: how many came back with their proof."""
        ours = {self.seal(step) for step in range(10)}
        return len({item.seal for item in self.since} & ours)

    def seal(self, step):
        """A proof that only this vendor gives, for this step."""
        text = f"{self.talk.dialect}|{self.talk.model}|{self.name}|{step}"
        return base64.b64encode(f"sealed by the vendor: {text}".encode()).decode()

    def think(self, step):
        return Think(f"Step {step} of {self.name}: let me think, näive.", self.seal(step))

    def result_of(self, name):
        """The texts of what the tools of this name answered."""
        ids = {call.id for call in self.calls if call.name == name} - {""}
        return [r.text for r in self.results if r.id in ids or r.name == name]


def call(scene, name, args, **more):
    scene.made = getattr(scene, "made", len(scene.calls)) + 1
    style = "toolu_" if scene.talk.dialect == "messages" else "call_"
    return Call(name, args, f"{style}{scene.name}{scene.made}", **more)


def tool_named(talk, *names):
    """The first of these tools that the client offers."""
    return next((talk.tools[name] for name in names if name in talk.tools), None)


def fill(tool, value, *names, **others):
    """Arguments for a tool: value under the first of the names that its schema knows."""
    known = (tool.schema or {}).get("properties") or {}
    name = next((name for name in names if name in known), names[0])
    if (known.get(name) or {}).get("type") == "array":
        value = ["bash", "-c", value]
    return {name: value, **{key: text for key, text in others.items() if key in known}}


def read_call(scene, path):
    tool = tool_named(scene.talk, "Read", "read_file", "read")
    if tool:
        return call(scene, tool.name, fill(tool, path, "file_path", "filePath", "absolute_path"))
    return shell_call(scene, f"cat {path}")


def shell_call(scene, command):
    tool = tool_named(scene.talk, "Bash", "bash", "run_shell_command", "exec_command",
                      "shell_command", "shell")
    if not tool:
        return None
    return call(scene, tool.name, fill(tool, command, "command", "cmd", description="Shows it"),
                space=tool.space)


# The scenes: each answers (parts, end) or a Reply.

def hello(scene):
    return [scene.think(0), Said(HELLO)], "stop"


def files(scene):
    """Two files, one with each kind of tool, in one step or in two (`step=1`)."""
    first, second = scene.files
    plan = [read_call(scene, first), shell_call(scene, f"cat {second}")]
    if None in plan:
        return [Said(TITLE)], "stop"    # a side question without tools, such as a title
    steps = [[each] for each in plan] if scene.words.get("step") else [plan]
    done = len(scene.results)
    for number, step in enumerate(steps):
        if done < len(step):
            return [scene.think(number), Said(f"Looking, {number}. "), *step], "tool"
        done -= len(step)
    found = sorted(set(re.findall(r"secret-\w+", " ".join(r.text for r in scene.results))))
    return [scene.think(9), Said(f"The files say: {' '.join(found)}.")], "stop"


def patch(scene):
    """A file is made with the freeform tool of Codex, wherever the dialect has put it."""
    tool = tool_named(scene.talk, "apply_patch")
    if not tool:
        return [Said("There is no apply_patch.")], "stop"
    if not scene.results:
        text = ("*** Begin Patch\n*** Add File: made.txt\n+Made by a patch: \"é\" \\ 港\n"
                "*** End Patch\n")
        return [scene.think(0), call(scene, tool.name, {"input": text},
                                     custom=tool.kind == "custom")], "tool"
    return [Said("The tool said: " + scene.results[0].text[:200])], "stop"


def tools(scene):
    """Two calls at once, then one that depends on them, then the sum."""
    weather, clock = (tool_named(scene.talk, name) for name in ("weather", "clock"))
    if not weather or not clock:
        return [Said(f"tools offered: {sorted(scene.talk.tools)}")], "stop"
    if not scene.results:
        return [scene.think(0), call(scene, "weather", {"city": "Paris"}),
                call(scene, "clock", {})], "tool"
    if len(scene.results) < 3:
        return [scene.think(1), call(scene, "weather", {"city": CITY, "big": 1234567890123456})], \
            "tool"
    said = [*scene.result_of("weather"), *scene.result_of("clock")]
    marks = [re.search(r"\w+-\d+", text) for text in said]
    return [scene.think(2), Said("It is " + ", ".join(m[0] if m else "?" for m in marks) + ".")], \
        "stop"


def image(scene):
    """What pictures came, after looking for them with a tool if a file is named."""
    if scene.files and not scene.results:
        one = read_call(scene, scene.files[0])
        return ([scene.think(0), one], "tool") if one else ([Said(TITLE)], "stop")
    shown = []
    for item in scene.talk.items:
        if item.kind == "image":
            what = "png" if item.data.startswith(b"\x89PNG") else \
                "jpeg" if item.data.startswith(b"\xff\xd8") else repr(item.data[:30])
            shown.append(f"{what} {hashlib.sha256(item.data).hexdigest()[:12]}")
    return [Said(f"I see {len(shown)} picture(s): {'; '.join(shown) or 'none'}.")], "stop"


def slow(scene):
    return write(scene.talk, [scene.think(0), Said(SLOW_TEXT)], "stop", SLOW_PAUSE_S)


def length(scene):
    return [Said("Cut short by the lim")], "length"


def schema(scene):
    body = scene.talk.body
    wanted = {
        "chat": lambda: body["response_format"]["json_schema"]["schema"],
        "responses": lambda: body["text"]["format"]["schema"],
        "messages": lambda: body["output_config"]["format"]["schema"],
        "gemini": lambda: body["generationConfig"].get("responseJsonSchema")
        or body["generationConfig"]["responseSchema"]}[scene.talk.dialect]
    try:
        keys = sorted(wanted()["properties"])
    except (KeyError, TypeError):
        keys = []
    return [Said(json.dumps({"city": ",".join(keys) or "no schema", "count": len(keys)}))], "stop"


def error(scene):
    return failure(scene.talk.dialect, int(scene.words["status"]))


def too_long(scene):
    return failure(scene.talk.dialect, 400, {
        "messages": "prompt is too long: 250000 tokens > 200000 maximum",
        "gemini": "The input token count (250000) exceeds the maximum number of tokens allowed "
                  "(200000).",
    }.get(scene.talk.dialect, "Your input exceeds the context window of this model. Please adjust "
                              "your input and try again."), "context_length_exceeded")


def midway(scene):
    """An answer that fails in its middle, said in the stream itself."""
    kept = write(scene.talk, [scene.think(0), Said("This will not ")], "stop")
    if not scene.talk.stream:
        return failure(scene.talk.dialect, 529 if scene.talk.dialect == "messages" else 503)
    what = "the vendor broke down midway"
    last = {"chat": [{"error": {"message": what, "type": "server_error", "param": None,
                                "code": None}}],
            "responses": [{"type": "response.failed", "sequence_number": 99, "response": {
                "id": "resp_1", "object": "response", "status": "failed", "output": [],
                "model": scene.talk.model, "created_at": 1767225600, "usage": None,
                "error": {"code": "server_error", "message": what}}}],
            "messages": [{"type": "error", "error": {"type": "overloaded_error",
                                                     "message": what}}],
            "gemini": [{"error": {"code": 503, "message": what, "status": "UNAVAILABLE"}}],
            }[scene.talk.dialect]
    cut = -2 if scene.talk.dialect != "responses" else -6
    end = "\r\n\r\n" if scene.talk.dialect == "gemini" else "\n\n"
    named = scene.talk.dialect in ("responses", "messages")
    return Reply.sse([*kept.parts[:cut], *sse_events(last, named=named, end=end)])


SCENES = {f.__name__: f for f in (hello, files, patch, tools, image, slow, length, schema, error,
                                  too_long, midway)}

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
         404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
CODES = {429: "rate_limit_exceeded", 401: "invalid_api_key"}
NAMES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED",
         404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


def failure(dialect, status, message="The vendor refuses, and says so.", code=None):
    headers = [("retry-after", "1")] if status == 429 else []
    if dialect == "messages":
        value = {"type": "error", "request_id": "req_1",
                 "error": {"type": TYPES.get(status, "api_error"), "message": message}}
    elif dialect == "gemini":
        value = {"error": {"code": status, "message": message,
                           "status": NAMES.get(status, "INTERNAL")}}
    else:
        value = {"error": {"message": message, "type": TYPES.get(status, "server_error"),
                           "param": None, "code": code or CODES.get(status)}}
    return Reply.json(value, status, headers)


class Upstream:
    """One vendor of one dialect (or of all, for people); keeps what it found wrong."""

    def __init__(self, dialect=None, port=0):
        self.dialect = dialect
        self.converted = False      # whether the station wrote what comes in
        self.vendor = Vendor(port)
        self.vendor.script(self.answer)
        self.reset()

    def reset(self):
        self.played = []        # the scene of each generation
        self.thoughts = 0       # the most that came back in one request
        self.complaints = []    # what a vendor would have refused
        self.vendor.received = []

    @property
    def generations(self):
        return [r for r in self.vendor.received if r.method == "POST"
                and not r.path.endswith(COUNTERS)]

    def answer(self, received):
        if received.path.endswith(COUNTERS):
            return dialects.answer(received)
        dialect = dialect_of(received.path)
        if dialect is None or self.dialect not in (None, dialect):
            self.complaints.append(f"{received.target} reached the vendor of {self.dialect}")
            return failure(self.dialect or "chat", 404)
        talk = Talk(received)
        scene = Scene(talk)
        self.played.append(scene.name)
        self.thoughts = max(self.thoughts, scene.thoughts())
        self.complaints += strict.complaints(talk, scene, self.converted)
        said = SCENES.get(scene.name, hello)(scene)
        return said if isinstance(said, Reply) else write(talk, *said)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port", type=int, default=0)
    upstream = Upstream(port=parser.parse_args().port)
    print(upstream.vendor.base, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
