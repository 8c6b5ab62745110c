# SPDX-License-Identifier: Apache-2.0
"""Clients under load that write down what they got, and the join of their record with the store.

The client's word is the measure: an answer is complete when it ended as its dialect and its
framing say. What the station believes is not asked.
"""
import json
import random
import subprocess
import sys
import threading
import time

from tests.peer import station
from tests.peer.case import CHAT, GENERATE, JSON, MESSAGES, RESPONSES, STREAM
from tests.peer.rawhttp import Malformed, Raw, request_bytes
from tests.peer.store import rid_bytes
from tests.peer.wait import PATIENCE_S

OUT, IN = 10000, 2500       # nano a token, by station.PRICE
ENDS = {CHAT: b"data: [DONE]", RESPONSES: b"response.completed", MESSAGES: b"event: message_stop",
        STREAM: b'"finishReason":"STOP"'}


class VendorProcess:
    """The vendor as a program of its own, which outlives every station."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "tests/peer/vendor.py"], text=True,
                                        cwd=station.ROOT, stdout=subprocess.PIPE)
        self.base = self.process.stdout.readline().strip()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def settings(vendor):
    """(upstreams, models) of a station that sells all four dialects from one vendor."""
    kinds = ("openai", "anthropic", "gemini")
    return ([station.upstream(vendor, kind, cooldown="0s") for kind in kinds],
            [station.model("gpt", "openai"), station.model("claude", "anthropic"),
             station.model("gem", "gemini")])


class Record:
    """What one client knows about one request."""
    __slots__ = ("rid", "path", "status", "complete", "nano", "at", "left")

    def __init__(self, path, nano):
        self.path, self.nano = path, nano
        self.rid = self.status = self.at = None
        self.complete = False
        self.left = False       # the client did, before the end


def make_request(rng, key):
    """(record, bytes) of one random request, with what it must cost when it is answered."""
    tokens = rng.choice((1, 5, 20, 60))
    stream = rng.random() < 0.5
    pause = rng.choice((0, 0, 0.001, 0.004)) if stream else 0
    text = f"load [[tokens={tokens} pause={pause}]]"
    said = [{"role": "user", "content": text}]
    path, body = rng.choice((
        (CHAT, {"model": "gpt", "messages": said, "max_tokens": 100, "stream": stream}),
        (RESPONSES, {"model": "gpt", "input": text, "stream": stream, "max_output_tokens": 100}),
        (MESSAGES, {"model": "claude", "max_tokens": 100, "messages": said, "stream": stream}),
        (STREAM if stream else GENERATE, {"contents": [{"parts": [{"text": text}]}],
                                          "generationConfig": {"maxOutputTokens": 100}})))
    record = Record(path, (len(text) // 4 + 1) * IN + tokens * OUT)
    headers = [("Authorization", f"Bearer {key}"), JSON]
    return record, request_bytes("POST", path, headers, json.dumps(body).encode()), stream


def is_complete(path, stream, answer):
    if answer.status != 200 or not answer.complete:
        return False
    if stream:
        return ENDS[path] in answer.body
    return answer.body.endswith(b"}") and b"sage" in answer.body     # whole, with its usage


class Clients:
    """Threads that ask until told to stop; they stay on while the station is away."""

    def __init__(self, port, keys, seed, count=8, leaving=0.0):
        self.port, self.keys, self.leaving = port, keys, leaving
        self.records = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(random.Random(f"{seed}/{n}"),),
                                         daemon=True) for n in range(count)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _run(self, rng):
        raw = None
        while not self.stopping.is_set():
            record, data, stream = make_request(rng, rng.choice(self.keys))
            try:
                raw = raw or Raw(self.port, timeout=2 * PATIENCE_S)
                raw.send(data)
                answer = raw.head()
                if answer is None:
                    raise ConnectionError
                record.rid, record.status = answer.request_id, answer.status
                record.left = rng.random() < self.leaving
                while not record.left and raw.step(answer):
                    pass
                record.complete = is_complete(record.path, stream, answer)
                record.at = time.monotonic()
                self.records.append(record)
                if not answer.complete or answer.get("connection", "") == "close":
                    raw.close()
                    raw = None
                if answer.status == 503:
                    time.sleep(0.005)
            except (OSError, Malformed):
                self.records.append(record)
                if raw:
                    raw.close()
                raw = None
                time.sleep(0.005)
        if raw:
            raw.close()


class Faults(Exception):
    """What the join found, a line each."""


class Books:
    """Every request of every round, joined with the store after each."""

    def __init__(self, one, accounts):
        self.station, self.accounts = one, accounts
        self.complete = {}              # rid: record
        self.left = set()               # rids of those whose client did not wait for the end
        self.given_away = set()         # complete, charged, and reversed by the start after a crash
        self.oldest = 0.0               # seconds: how long before its crash the oldest of them was
        self.asked = 0
        self.credit = {name: one.store.balance(name) for name in accounts}

    def take(self, records):
        self.asked += len(records)
        for record in records:
            if record.complete:
                self.complete[rid_bytes(record.rid)] = record
            elif record.left:
                self.left.add(rid_bytes(record.rid))

    def verify(self, killed_at=None, window=0.5):
        """Raises Faults. A complete answer may be given back only by a crash within `window`
        seconds after it: its closing row had not been written yet, and our crash is on us."""
        store, faults = self.station.store, []
        try:
            self.station.ledger_check()
        except station.CliError as error:
            faults.append(f"ledger check: {error}")
        charges, nets = store.charges(), store.nets()
        for rid, record in self.complete.items():
            if len(charges.get(rid, [])) != 1:
                faults.append(f"{record.rid}: complete, {len(charges.get(rid, []))} charges")
            elif nets[rid] == record.nano or rid in self.given_away:
                continue
            elif nets[rid] == 0 and killed_at and killed_at - record.at < window:
                self.given_away.add(rid)
                self.oldest = max(self.oldest, killed_at - record.at)
            else:
                faults.append(f"{record.rid}: complete, paid {nets[rid]} for {record.nano}")
        faults += self._paid_without_an_answer(nets)
        spent = sum(self.credit[name] - store.balance(name) for name in self.accounts)
        if spent != sum(nets.values()):
            faults.append(f"balances fell by {spent}, charges are {sum(nets.values())}")
        if faults:
            raise Faults("\n".join(faults[:20]))

    def _paid_without_an_answer(self, nets):
        """Who was not handed all of it pays only when it was he who left, as the row says."""
        for rid, nano in nets.items():
            if not nano or rid in self.complete:
                continue
            rows = self.station.store.sql("SELECT end FROM request WHERE rid = ?", rid)
            end = rows[0]["end"] if rows else "no row"
            if rid not in self.left or end not in ("client_left", "complete"):
                yield f"{rid.hex()}: not complete ({end}), but {nano} nano are gone"
