# SPDX-License-Identifier: Apache-2.0
"""Answers that real vendors gave (shared recordings, which are not part of this tree), as evidence
of an assay."""
import json
import os

from tests.peer import station

FOLDER = os.path.join(os.path.dirname(station.ROOT), "shared", "recordings", "http")
PATHS = (("/chat/completions", "chat"), ("/responses", "responses"), ("/messages", "messages"),
         (":generateContent", "gemini"), (":streamGenerateContent", "gemini"))


def dialect_of(path):
    path = path.partition("?")[0]
    return next((dialect for end, dialect in PATHS if path.endswith(end)), None)


def read(vendor):
    """(dialect, recording) of each request for an answer."""
    with open(os.path.join(FOLDER, vendor + ".jsonl"), encoding="utf-8") as file:
        for line in file:
            r = json.loads(line)
            if dialect_of(r["path"]):
                yield dialect_of(r["path"]), r


def line_of(seq, dialect, recording, probe="tokens", cell="recorded"):
    body = recording["response"]
    line = {"seq": seq, "side": "target", "probe": probe, "cell": cell, "k": 0, "max_tokens": 16,
            "dialect": dialect, "url": "https://api.example.com/v1", "request": {},
            "status": recording["status"], "failure": "", "tries": 1,
            "sent_us": 1790000000000000 + seq, "first_us": 1, "done_us": 2,
            "headers": "".join(f"{k}: {v}\n" for k, v in (recording["headers"] or {}).items()),
            "body": body if isinstance(body, str) else json.dumps(body)}
    if recording["stream"] or "event-stream" in recording["content_type"]:
        line["arrivals"] = [[1, 1]]
    return line


def write(folder, model, lines):
    head = {"assay": 1, "version": "0", "target": {"url": "https://api.example.com/v1",
                                                   "model": model},
            "profile": "quick", "seed": 1, "started_us": 1790000000000000, "planned": len(lines)}
    with open(os.path.join(folder, "calls.jsonl"), "w", encoding="utf-8") as file:
        for one in (head, *lines, {"end": "complete"}):
            file.write(json.dumps(one) + "\n")
