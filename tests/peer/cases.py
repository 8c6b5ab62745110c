# SPDX-License-Identifier: Apache-2.0
"""The recorded cases that are written for several dialects, and recorded pairs of any dialect.

    every()      -> Case: one conversation in one dialect, with its vendor's own answers
    recorded()   -> Pair: one recorded request and its answer, of hosts that speak a dialect
"""
import dataclasses
import functools
import glob
import json
import os

from tests.peer import recordings
from tests.peer.recordings import CHAT, FOLDER, GEMINI, MESSAGES, RESPONSES
from tests.peer.grammar import events as sse_json

DIALECTS = (CHAT, RESPONSES, MESSAGES, GEMINI)
FOLDERS = {"chat-completions": CHAT, "responses": RESPONSES, "anthropic": MESSAGES,
           "google": GEMINI}
FOLDER_OF = {dialect: folder for folder, dialect in FOLDERS.items()}
ABSENT = recordings.ABSENT


def available():
    return os.path.isdir(os.path.join(FOLDER, "cases", "snapshots"))


def _load(*path):
    try:
        with open(os.path.join(*path), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def _answer(dialect, value):
    """The value when it is a success of its dialect; the folders also hold notes of errors."""
    return value if value is not None and recordings._is_answer(dialect, value) else None


@dataclasses.dataclass
class Case:
    """One request of a case in one dialect. `turn` is "" or "followup-"."""
    name: str
    dialect: str
    turn: str
    request: dict               # with its model, without `stream`
    model: str
    whole: dict = None          # its vendor's answers
    stream: list = None
    note: str = ""              # its vendor's refusal, where it refused

    def __str__(self):
        return f"{self.name}{'+' if self.turn else ''}"


def _case(name, folder, turn):
    place = os.path.join(FOLDER, "cases", "snapshots", name, folder)
    dialect = FOLDERS[folder]
    request = _load(place, turn + "request.json")
    if request is None:
        return None
    request.pop("stream", None)
    request.pop("stream_options", None)
    model = request.pop("model", None) or "case-" + dialect
    if dialect != GEMINI:
        request = {"model": model, **request}
    error = None if turn else _load(place, "error.json")
    return Case(name, dialect, turn, request, model,
                _answer(dialect, _load(place, turn + "response.json")),
                _answer(dialect, _load(place, turn + "response-streaming.json")),
                json.dumps(error) if error else "")


@functools.lru_cache(None)
def every():
    """All cases, by (name, turn, dialect)."""
    found = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "cases", "snapshots", "*", "*"))):
        name, folder = path.split(os.sep)[-2:]
        for turn in ("", "followup-"):
            case = folder in FOLDERS and _case(name, folder, turn)
            if case:
                found[name, turn, case.dialect] = case
    return found


def answers(name, turn, client, upstream):
    """(whole, chunks) that the upstream's vendor gave in this case: to its own request, or to the
    converted one; (None, None) when there is no recording."""
    case = every().get((name, turn, upstream))
    if case and (case.whole or case.stream):
        return case.whole, case.stream
    if turn:
        return None, None
    place = os.path.join(FOLDER, "cases", "transforms",
                         f"{FOLDER_OF[client]}_to_{FOLDER_OF[upstream]}")
    return (_answer(upstream, _load(place, name + ".json")),
            _answer(upstream, _load(place, name + "-streaming.json")))


@dataclasses.dataclass
class Pair:
    """A recorded exchange. Exactly one of whole and stream is there."""
    name: str
    dialect: str
    request: dict
    whole: dict = None
    stream: list = None         # of JSON events
    body: bytes = b""           # of the answer, as recorded

    def __str__(self):
        return self.name


def recorded():
    """What the recorded hosts were asked and answered, but for refusals and other endpoints."""
    for exchange in recordings.http():
        if exchange.dialect not in DIALECTS or not exchange.metered or exchange.status != 200 \
                or "mbedContent" in exchange.path:
            continue
        request = json.loads(exchange.request)
        if exchange.stream:
            stream = sse_json(exchange.response)
            if exchange.finished and _answer(exchange.dialect, stream):
                yield Pair(exchange.name, exchange.dialect, request, stream=stream,
                           body=exchange.response)
        else:
            whole = json.loads(exchange.response)
            if _answer(exchange.dialect, whole):
                yield Pair(exchange.name, exchange.dialect, request, whole=whole,
                           body=exchange.response)
