# SPDX-License-Identifier: Apache-2.0
"""The base of the wire tests: one vendor and one station for each class, and customers."""
import itertools
import json
import signal
import threading
import unittest

from tests.peer import dialects, rawhttp, station
from tests.peer.ports import free_port
from tests.peer.vendor import Vendor
from tests.peer.wait import PATIENCE_S, until

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
GENERATE = "/v1beta/models/gem:generateContent"
STREAM = "/v1beta/models/gem:streamGenerateContent?alt=sse"
STREAM_ARRAY = "/v1beta/models/gem:streamGenerateContent"
DIALECT_PATHS = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES, "gemini": GENERATE}
JSON = ("Content-Type", "application/json")
NANO = 10**9
BYTES_PER_TOKEN = 3         # the hold's input estimate: bytes of the body by this, ...
EXTRA_TOKENS = 16           # ... and so many
LEAST_BYTES_PER_TOKEN = 8   # the lower bound of what was delivered, where usage is missing
HOLD_IN = 3125              # nano a token of input that is held: its dearest, a write to the cache
STEP_TOKENS = 2048          # the hold's output step for streams


def body_for(dialect, text="Hello there", stream=False, maximum=None, **more):
    """A small request in the dialect, for the models that StationCase sells."""
    if dialect == "chat":
        value = {"model": "gpt", "messages": [{"role": "user", "content": text}]}
        limit = "max_tokens"
    elif dialect == "responses":
        value, limit = {"model": "gpt", "input": text}, "max_output_tokens"
    elif dialect == "messages":
        value = {"model": "claude", "max_tokens": maximum or 64,
                 "messages": [{"role": "user", "content": text}]}
        limit = "max_tokens"
    else:
        value = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        if maximum:
            value["generationConfig"] = {"maxOutputTokens": maximum}
        return json.dumps({**value, **more}).encode()
    if maximum:
        value[limit] = maximum
    if stream:
        value["stream"] = True
    return json.dumps({**value, **more}).encode()


def path_for(dialect, stream=False):
    return STREAM if dialect == "gemini" and stream else DIALECT_PATHS[dialect]


class Customer:
    def __init__(self, case, name, key):
        self.case, self.name, self.key = case, name, key
        self.auth = ("Authorization", f"Bearer {key}")

    def request(self, path, body, headers=(), method="POST"):
        """The bytes of a request with this customer's key."""
        return rawhttp.request_bytes(method, path, [self.auth, JSON, *headers], body)

    def post(self, path, body, headers=(), timeout=PATIENCE_S):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        return self.case.station.ask("POST", path, [self.auth, JSON, *headers], body, timeout)

    def get(self, path, headers=()):
        return self.case.station.ask("GET", path, [self.auth, *headers])

    def open(self, path, body, headers=(), **options):
        """Send and return the open connection, for tests that read step by step."""
        raw = self.case.station.connect(**options)
        raw.send(self.request(path, body, headers))
        return raw

    @property
    def balance(self):
        return self.case.station.store.balance(self.name)


class StationCase(unittest.TestCase):
    """Sells `gpt` (chat, responses, embeddings), `claude` (messages) and `gem` (Gemini)."""

    settings = {}               # further top-level settings for the class
    certificate = None          # (cert, key) with which the vendor serves TLS
    client_tls = None           # an SSLContext, when the station serves TLS
    admin = False               # whether the station has an admin listener
    wrapper = []                # words before the program
    numbers = itertools.count(1)

    @classmethod
    def upstreams(cls):
        return [station.upstream(cls.vendor, kind) for kind in ("openai", "anthropic", "gemini")]

    @classmethod
    def models(cls):
        return [station.model("gpt", "openai", aliases=["gpt-alias"]),
                station.model("claude", "anthropic", aliases=["claude-alias"]),
                station.model("gem", "gemini", aliases=["gem-alias"])]

    @classmethod
    def setUpClass(cls):
        if not station.available():
            raise unittest.SkipTest(f"no station to test at {station.PROGRAM} (set ENTREPOT)")
        cls.vendor = Vendor(certificate=cls.certificate)
        cls.addClassCleanup(cls.vendor.close)
        cls.admin_port = free_port()
        settings = {"admin": f"127.0.0.1:{cls.admin_port}"} if cls.admin else {}
        cls.station = station.Station(cls.upstreams(), cls.models(), client_tls=cls.client_tls,
                                      **settings, **cls.settings)
        cls.station.wrapper = cls.wrapper
        cls.addClassCleanup(cls.station.close)
        cls.station.start()

    @classmethod
    def tearDownClass(cls):
        """Whatever a class did, its books must be in order."""
        if cls.station.process.poll() is None:
            cls.station.signal(signal.SIGCONT)
            cls.station.ledger_check()

    def setUp(self):
        self.vendor.reset()

    def run(self, result=None):
        """Show the station's last words under a failed test."""
        before = len(result.failures) + len(result.errors) if result else 0
        result = super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            for line in self.station.log().splitlines()[-8:]:
                print("   station:", line[:300])
        return result

    def hold_streams(self, after=3):
        """The vendor's streams stop behind so many events, until the Event that this answers is
        set."""
        gate = threading.Event()
        self.addCleanup(gate.set)

        def script(received):
            reply = dialects.answer(received)
            if len(reply.parts) > after:
                reply.parts.insert(after, gate)
            return reply

        self.vendor.script(script)
        return gate

    # Customers

    @classmethod
    def customer(cls, amount="5.00", kind="customer", currency="USD", **key_options):
        name = f"customer{next(cls.numbers)}"
        cls.station.create_account(name, kind, currency)
        if float(amount or 0) > 0 and kind == "customer":
            cls.station.credit(name, amount)
        return Customer(cls, name, cls.station.create_key(name, **key_options))

    # What was counted and recorded

    def metrics(self):
        """The counters of the admin listener, by their names."""
        answer = rawhttp.ask(self.admin_port, "GET", "/metrics")
        self.assertEqual(answer.status, 200)
        lines = [line.split(" ") for line in answer.body.decode().splitlines()
                 if not line.startswith("#")]
        return {name: float(value) if "." in value else int(value) for name, value in lines}

    def wait_metrics(self, condition, what):
        """The counters once condition(counters) holds: they come a moment after an answer."""
        return until(lambda: (now := self.metrics()) and condition(now) and now, what)

    def charge(self, response):
        """The charge row of an answer, after its closing row has been written."""
        self.station.store.wait_request(response.request_id)
        return self.station.store.charge(response.request_id)

    def row(self, response):
        return self.station.store.wait_request(response.request_id)

    def assert_paid(self, response, usage, price=station.PRICE):
        """Exactly one charge, of exactly this usage."""
        charge = self.charge(response)
        self.assertIsNotNone(charge, "no charge was recorded")
        self.assertEqual(charge["nano"], usage.cost(price), f"usage {usage}")
        self.assertEqual(self.station.store.net(response.request_id), charge["nano"])
        return charge

    def assert_free(self, response):
        """Nobody paid: no charge, or one that was given back; and the closing row says why."""
        row = self.row(response)
        self.assertEqual(self.station.store.net(response.request_id), 0)
        self.assertTrue(row["end"] is not None)
        return row

    def assert_error(self, response, status, dialect="chat"):
        """One of the station's own errors: the status and the dialect's own shape."""
        self.assertIsNotNone(response, "the connection ended without an answer")
        self.assertEqual(response.status, status, response)
        self.assertTrue(response.complete, response)
        body = response.json()
        if dialect in ("chat", "responses", "embeddings"):
            self.assertEqual({"message", "type", "param", "code"}, set(body["error"]))
            self.assertTrue(body["error"]["message"])
        elif dialect == "messages":
            self.assertEqual(body["type"], "error")
            self.assertTrue({"type", "message"} <= set(body["error"]))
        else:
            self.assertEqual(body["error"]["code"], status)
            self.assertRegex(body["error"]["status"], "^[A-Z_]+$")
        return body["error"]
