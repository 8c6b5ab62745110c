# SPDX-License-Identifier: Apache-2.0
"""The vendors as the station meets them: where requests arrive in each dialect, with which key."""
import glob
import json
import os
import subprocess
import unittest

from tests.peer import meter, recordings, station
from tests.peer.case import CHAT, StationCase, body_for, path_for
from tests.peer.rawhttp import Ended
from tests.peer.reply import Reply
from tests.peer.vendor import Vendor
from tests.peer.wait import PATIENCE_S

BEARER, X_API_KEY, X_GOOG = "authorization", "x-api-key", "x-goog-api-key"
V1 = {"chat": "/v1", "responses": "/v1", "messages": "/v1", "embeddings": "/v1"}

# From the vendors' documents: by dialect, what stands before /chat/completions, /responses,
# /messages, /models/..., /embeddings. The first is the path of the vendor's base.
BASES = {
    "openai": {"chat": "/v1", "responses": "/v1", "embeddings": "/v1"},
    "anthropic": {"messages": "/v1"},
    "gemini": {"gemini": "/v1beta"},
    "deepseek": {"chat": "", "responses": "", "messages": "/anthropic/v1"},
    "dashscope": {"chat": "/compatible-mode/v1", "responses": "/compatible-mode/v1",
                  "messages": "/apps/anthropic/v1", "embeddings": "/compatible-mode/v1"},
    "dashscope-coding": {"chat": "/v1", "messages": "/apps/anthropic/v1"},
    "zai": {"chat": "/api/paas/v4", "messages": "/api/anthropic/v1"},
    "zai-coding": {"chat": "/api/coding/paas/v4", "messages": "/api/anthropic/v1"},
    "moonshot": {"chat": "/v1", "messages": "/anthropic/v1"},
    "kimi-coding": {"chat": "/coding/v1", "messages": "/coding/v1"},
    "minimax": {"chat": "/v1", "responses": "/v1", "messages": "/anthropic/v1"},
    "ark": {"chat": "/api/v3", "responses": "/api/v3", "embeddings": "/api/v3"},
    "ark-coding": {"chat": "/api/coding/v3", "messages": "/api/coding/v1"},
    "mistral": {"chat": "/v1", "embeddings": "/v1"},
    "xai": {"chat": "/v1", "responses": "/v1"},
    "openrouter": {"chat": "/api/v1", "responses": "/api/v1", "messages": "/api/v1"},
    "ollama": V1,
    "vllm": V1,
    "openai-compatible": {"chat": "/v1", "embeddings": "/v1"},
    "entrepot": {**V1, "gemini": "/v1beta"},
    "sim": {**V1, "gemini": "/v1"},
}
AUTH = {"anthropic": X_API_KEY, "gemini": X_GOOG}       # the others: BEARER
ENDPOINTS = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages",
             "gemini": "/models/seen:generateContent", "embeddings": "/embeddings"}


def ask(buyer, dialect, model):
    """One request in the dialect, for the model."""
    if dialect == "embeddings":
        return buyer.post("/v1/embeddings", {"model": model, "input": "x"})
    if dialect == "gemini":
        return buyer.post(f"/v1beta/models/{model}:generateContent", body_for("gemini"))
    return buyer.post(path_for(dialect), body_for(dialect).replace(
        b'"claude"' if dialect == "messages" else b'"gpt"', b'"%s"' % model.encode()))


class Paths(StationCase):
    """An upstream for each vendor, moved to the test's own host."""

    @classmethod
    def upstreams(cls):
        return [{"name": name, "vendor": name, "keys": [f"key-of-{name}"],
                 "base": cls.vendor.base + next(iter(bases.values()))}
                for name, bases in BASES.items()]

    @classmethod
    def models(cls):
        return [station.model(f"m-{name}", (name, "seen")) for name in BASES]

    def test_check_knows_them_all(self):
        done = subprocess.run([station.PROGRAM, "check", "-c", self.station.file], text=True,
                              capture_output=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{len(BASES)} upstreams", done.stdout)

    def test_each_dialect_arrives_where_the_vendor_has_it(self):
        buyer = self.customer("50.00")
        for name, bases in BASES.items():
            for dialect, base in bases.items():
                with self.subTest(vendor=name, dialect=dialect):
                    self.vendor.reset()
                    answer = ask(buyer, dialect, f"m-{name}")
                    self.assertEqual(answer.status, 200, answer)
                    received = self.vendor.last
                    self.assertEqual(received.path, base + ENDPOINTS[dialect])
                    header = AUTH.get(name, BEARER)
                    word = "Bearer " if header == BEARER else ""
                    self.assertEqual(received.all(header), [f"{word}key-of-{name}"])
                    for other in {BEARER, X_API_KEY, X_GOOG} - {header}:
                        self.assertEqual(received.all(other), [])


class OwnBase(StationCase):
    """A base with a path that the vendor does not have stands for all its dialects."""

    @classmethod
    def upstreams(cls):
        return [{"name": "proxy", "vendor": "dashscope", "keys": ["k"],
                 "base": cls.vendor.base + "/proxy/v1"},
                {"name": "moved", "vendor": "dashscope", "keys": ["k"],
                 "base": cls.vendor.base + "/apps/anthropic/v1/"},
                {"name": "open", "vendor": "ollama", "keys": [], "base": cls.vendor.base + "/v1"}]

    @classmethod
    def models(cls):
        return [station.model(name, name) for name in ("proxy", "moved", "open")]

    def path(self, model, dialect):
        self.vendor.reset()
        self.assertEqual(ask(self.customer(), dialect, model).status, 200)
        return self.vendor.last.path

    def test_paths(self):
        for model, dialect, path in (
                ("proxy", "chat", "/proxy/v1/chat/completions"),
                ("proxy", "messages", "/proxy/v1/messages"),
                ("moved", "chat", "/compatible-mode/v1/chat/completions"),
                ("moved", "messages", "/apps/anthropic/v1/messages")):
            self.assertEqual(self.path(model, dialect), path)

    def test_no_key_no_header(self):
        self.path("open", "chat")
        for name in (BEARER, X_API_KEY, X_GOOG):
            self.assertEqual(self.vendor.last.all(name), [])


FOLDER = os.path.join(station.ROOT, "tests", "fixtures")
FILES = sorted(glob.glob(os.path.join(FOLDER, "vendors", "*.jsonl")))


class Recorded(StationCase):
    """tests/fixtures/vendors/NAME.jsonl: what vendor NAME answered, played by a vendor of that
    name. `expect` in a row is the status that a client must get instead of the vendor's, or
    "broken" for a stream that must not end as a success; `says` is in the client's error."""

    @staticmethod
    def vendor_of(path):
        return os.path.basename(path).removesuffix(".jsonl")

    @classmethod
    def upstreams(cls):
        return [{"name": name, "vendor": name, "keys": [f"key-of-{name}"], "cooldown": "0s",
                 "base": cls.vendor.base + next(iter(BASES[name].values()))}
                for name in map(cls.vendor_of, FILES)]

    @classmethod
    def models(cls):
        return [station.model(f"{cls.vendor_of(path)}/{name}", (cls.vendor_of(path), name))
                for path in FILES
                for name in sorted({x.model for x in recordings.http_file(path)})]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.customer("1000.00")

    def play(self, vendor, row, exchange):
        request = {**row["request"], "model": f"{vendor}/{exchange.model}"}
        self.vendor.reset()
        self.vendor.reply(exchange.reply())
        with self.buyer.open(exchange.path, json.dumps(request).encode()) as raw:
            try:
                answer = raw.response()
            except Ended as ended:
                self.fail(f"no answer: {ended}")
        received = self.vendor.received[0]
        self.assertEqual(received.path, row["path"])
        self.assertEqual(received.json()["messages"], row["request"]["messages"])
        self.assertEqual(received.json()["model"], exchange.model)
        return answer

    def check(self, vendor, row, exchange):
        answer = self.play(vendor, row, exchange)
        expect = row.get("expect")
        if expect == "broken":
            self.assertEqual(answer.status, 200)
            self.assertFalse(answer.complete, answer)
            self.assert_free(answer)
        elif expect:
            error = self.assert_error(answer, expect, exchange.dialect)
            self.assertIn(row["says"], error["message"])
            self.assert_free(answer)
        else:
            self.assertEqual((answer.status, answer.body), (exchange.status, exchange.response))
            self.assertTrue(answer.complete)
            if exchange.status == 200:
                self.assert_paid(answer, meter.read(exchange.dialect, exchange.response,
                                                    exchange.stream))
            else:
                self.assert_free(answer)

    def test_recordings(self):
        self.assertTrue(FILES)
        for path in FILES:
            for row, exchange in recordings.http_rows(path):
                with self.subTest(exchange.name):
                    self.check(self.vendor_of(path), row, exchange)


class Failover(StationCase):
    """A failure under status 200 is a failed attempt like any other, and leaves nothing behind."""

    @classmethod
    def upstreams(cls):
        cls.second = Vendor()
        cls.addClassCleanup(cls.second.close)
        return [{"name": "first", "vendor": "minimax", "keys": ["k"], "cooldown": "0s",
                 "base": cls.vendor.base + "/v1"},
                {"name": "second", "vendor": "minimax", "keys": ["k"],
                 "base": cls.second.base + "/v1"}]

    @classmethod
    def models(cls):
        return [station.model("m", {"upstream": "first", "priority": 0},
                              {"upstream": "second", "priority": 1})]

    def test_the_next_attempt_begins_anew(self):
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        good = {"model": "m-2", "usage": usage, "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"content": "nine metres"}}]}
        for fault in ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"},
                       "usage": {**usage, "prompt_tokens": 900, "total_tokens": 903}},
                      {"error": {"message": "later", "code": 503}}):
            self.vendor.reply(Reply.json({"model": "other", **fault}))
            self.second.reply(Reply.json(good))
            answer = self.customer().post(CHAT, body_for("chat").replace(b'"gpt"', b'"m"'))
            self.assertEqual((answer.status, answer.json()), (200, good))
            charge = self.assert_paid(answer, meter.read("chat", answer.body, False))
            self.assertEqual(charge["seen"], "m-2")
            self.assertEqual(self.row(answer)["attempts"], 2)


def listing(*words, status=0):
    done = subprocess.run([station.PROGRAM, "upstream", "vendors", *words], capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != status:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def golden(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


@unittest.skipUnless(station.available(), "no station to test")
class Listing(unittest.TestCase):
    """entrepot upstream vendors, which asks nobody."""

    def test_the_table(self):
        self.assertEqual(listing().stdout, golden("vendors.txt"))

    def test_one_row(self):
        self.assertEqual(listing("dashscope").stdout, golden("vendors-dashscope.txt"))
        self.assertNotIn("chat", listing("anthropic").stdout)

    def test_json_has_the_same_rows(self):
        rows = json.loads(listing("--json").stdout)["vendors"]
        self.assertEqual([row["name"] for row in rows], list(BASES))
        for row in rows:
            self.assertEqual(json.loads(listing("--json", row["name"]).stdout), row)
            paths = {dialect: "/" + base.partition("//")[2].partition("/")[2]
                     if "//" in base else base for dialect, base in row["bases"].items()}
            self.assertEqual({d: p.rstrip("/") for d, p in paths.items()}, BASES[row["name"]])
            self.assertEqual(row["auth"], {BEARER: "bearer"}.get(AUTH.get(row["name"], BEARER),
                                                                 AUTH.get(row["name"])))
            self.assertEqual("chat" in row, "chat" in row["bases"])

    def test_mistakes(self):
        self.assertIn("no vendor 'zia'", listing("zia", status=1).stderr)
        failure = json.loads(listing("zia", "--json", status=1).stdout)["error"]
        self.assertEqual(failure["code"], "failed")
        for words in (["openai", "zai"], ["--all"], ["-c", "x"]):
            self.assertIn("usage:", listing(*words, status=2).stderr)
        failure = json.loads(listing("--json", "--all", status=2).stdout)["error"]
        self.assertEqual(failure["code"], "usage")

    def test_help(self):
        self.assertIn("[NAME] [--json]", listing("--help").stdout)
        for words in (["upstream"], ["upstream", "vendor"]):
            done = subprocess.run([station.PROGRAM, *words], capture_output=True, text=True,
                                  timeout=PATIENCE_S, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("no such command", done.stderr)

    @unittest.skipUnless(recordings.present(), recordings.ABSENT)
    def test_bases_are_those_of_real_traffic(self):
        bases = {}
        for row in json.loads(listing("--json").stdout)["vendors"]:
            for dialect, base in row["bases"].items():
                bases.setdefault((base.split("/")[2] if "//" in base else "", dialect),
                                 set()).add(base)
        seen = set()
        for path in glob.glob(os.path.join(recordings.FOLDER, "http", "*.jsonl")):
            for row, exchange in recordings.http_rows(path):
                known = bases.get((row["host"], exchange.dialect), ())
                tail = exchange.path.removeprefix("/v1beta").removeprefix("/v1")
                place = f"https://{row['host']}{row['path']}".removesuffix(tail)
                if known and "/openai" not in place and "/beta" not in place:
                    self.assertIn(place, known, exchange)
                    seen.add(row["host"])
        self.assertGreater(len(seen), 4, seen)


class Default(unittest.TestCase):
    def test_administration_is_not_told_what_serve_notes(self):
        """That a key is set for whose vendor the price book has no models."""
        if not station.available():
            self.skipTest("no station to test")
        one = station.Station(environment={"OPENROUTER_API_KEY": "sk-or-x"})
        self.addCleanup(one.close)
        done = subprocess.run([station.PROGRAM, "account", "list"], cwd=one.folder,
                              env=one.environment, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
        self.assertIn("no store", done.stderr)
        self.assertNotIn("OPENROUTER", done.stderr)


if __name__ == "__main__":
    unittest.main()
