# SPDX-License-Identifier: Apache-2.0
"""One process takes over from another on the same store and address: no connection is refused, no
request is lost, and no money is spent twice."""
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from tests.crash.load import Books, Clients, VendorProcess, settings
from tests.peer import crowd, meter, station
from tests.peer.case import (BYTES_PER_TOKEN, CHAT, EXTRA_TOKENS, HOLD_IN, JSON, NANO,
                             STEP_TOKENS, StationCase, body_for)
from tests.peer.rawhttp import Raw, request_bytes
from tests.peer.wait import PATIENCE_S, until

OUT, IN = 10000, 2500       # nano a token, by station.PRICE


def amount(nano):
    return f"{nano // NANO}.{nano % NANO:09}"


def held(body, tokens):
    """What is held for a request, to the nano."""
    return (len(body) // BYTES_PER_TOKEN + EXTRA_TOKENS) * HOLD_IN + tokens * OUT


class Knocker(threading.Thread):
    """A connection for each request, one after the other: when each answer came, what failed."""

    def __init__(self, port, data):
        super().__init__(daemon=True)
        self.port, self.data = port, data
        self.times, self.faults = [], []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                with Raw(self.port) as raw:
                    answer = raw.send(self.data).response()
                if answer is None or answer.status != 200 or not answer.complete:
                    self.faults.append(repr(answer))
            except OSError as error:
                self.faults.append(repr(error))
            self.times.append(time.monotonic())

    def stop(self):
        self.stopping.set()
        self.join()
        return self

    def longest(self):
        """Seconds between two answers, at most."""
        return max(b - a for a, b in zip(self.times, self.times[1:]))


class Load(unittest.TestCase):
    """Clients of all kinds that go on while process follows process."""
    ROUNDS = 3

    def setUp(self):
        if not station.available():
            raise unittest.SkipTest(f"no station to test at {station.PROGRAM} (set ENTREPOT)")
        self.vendor = VendorProcess()
        self.addCleanup(self.vendor.close)
        upstreams, models = settings(self.vendor)
        self.station = station.Station(upstreams, models)
        self.addCleanup(self.station.close)
        self.station.start()
        self.names = ["one", "two"]
        for name in self.names:
            self.station.create_account(name)
            self.station.credit(name, "1000")
        self.keys = [self.station.create_key(name) for name in self.names]
        self.books = Books(self.station, self.names)

    def test_nobody_notices(self):
        clients = Clients(self.station.port, self.keys, 7, count=6).start()
        health = request_bytes("GET", "/readyz", [("Connection", "close")])
        knocker = Knocker(self.station.port, health)
        knocker.start()
        try:
            for _ in range(self.ROUNDS):
                before = len(clients.records)
                until(lambda: len(clients.records) > before + 150, "requests are answered")
                old = self.station.take_over()
                before = len(clients.records)
                until(lambda: len(clients.records) > before + 150, "requests are answered")
                self.assertEqual(old.wait(PATIENCE_S), 0)
        finally:
            clients.stop()
            knocker.stop()
        self.assertEqual(knocker.faults, [])
        lost = [r for r in clients.records if not r.complete]
        self.assertEqual([(r.path, r.status) for r in lost], [])
        self.station.store.wait_requests({r.rid for r in clients.records})
        self.books.take(clients.records)
        self.books.verify()
        self.assertEqual(self.station.store.sql(
            "SELECT 1 FROM transfer WHERE kind = 'reversal'"), [])
        epochs = {row["epoch"] for row in self.station.store.sql("SELECT epoch FROM charge")}
        self.assertEqual(len(epochs), self.ROUNDS + 1, "each process has charged")
        print(f"\n   takeover: {len(clients.records)} requests, {len(knocker.times)} connections,"
              f" longest wait between two {knocker.longest() * 1000:.1f} ms")


class Two(StationCase):
    """What two processes do with one customer's money. Each test ends with one, alone."""
    admin = True

    def setUp(self):
        super().setUp()
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            process.kill()
            process.wait()
        if self.station.process.poll() is not None:
            self.station.start()

    def take_over(self):
        self.processes.append(self.station.process)
        return self.station.take_over()

    def settled(self):
        """Once no process but the one that serves has anything in the books."""
        until(lambda: [row["state"] for row in self.station.store.sql(
            "SELECT state FROM epoch ORDER BY id DESC LIMIT 2")] == ["alone", "settled"],
            "the other is settled")
        self.station.ledger_check()

    def stream(self, customer, **options):
        """A stream that has begun; (connection, its answer so far)."""
        raw = customer.open(CHAT, body_for("chat", stream=True, **options))
        self.addCleanup(raw.close)
        answer = raw.head()
        self.assertTrue(raw.until(answer, b"w1 "))
        return raw, answer

    def end(self, raw, answer):
        while raw.step(answer):
            pass
        self.assertTrue(answer.complete, answer)
        self.assertTrue(answer.body.endswith(b"[DONE]\n\n"))
        self.station.store.wait_request(answer.request_id)
        return self.station.store.net(answer.request_id)

    def test_streams_end_where_they_began(self):
        customer = self.customer("100")
        gate = self.hold_streams()
        raw, answer = self.stream(customer)
        old = self.take_over()
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
        self.assertIsNone(old.poll(), "it waits for its stream")
        self.wait_metrics(lambda now: now["entrepot_charges_total"] == 1, "it has the admin's, too")
        gate.set()
        self.assertGreater(self.end(raw, answer), 0)
        # Nobody has told that client: its next request is answered, and says that it was the last.
        raw.send(customer.request(CHAT, body_for("chat")))
        last = raw.response()
        self.assertEqual((last.status, last.get("connection")), (200, "close"))
        self.assertTrue(raw.closed())
        self.assertEqual(old.wait(PATIENCE_S), 0)
        rows = self.station.store.sql("SELECT epoch FROM charge ORDER BY id DESC LIMIT 3")
        self.assertEqual(len({row["epoch"] for row in rows}), 2)
        self.settled()
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)

    def test_money_is_spent_once(self):
        body = body_for("chat", "x [[tokens=100]]", maximum=400)
        each, count = held(body, 400), 12
        stream = held(body_for("chat", stream=True, maximum=50), 50)
        customer = self.customer(amount(stream + each * count))
        gate = self.hold_streams()
        raw, answer = self.stream(customer, maximum=50)
        old = self.take_over()
        everybody = crowd.Crowd(self.station.port, customer.request(CHAT, body), 40)
        self.addCleanup(everybody.close)
        until(lambda: len(self.vendor.received) >= 1, "the stream is at the vendor")
        everybody.ask()
        everybody.read(lambda all_: len(all_.answers) >= 40, "everybody is answered")
        answered = everybody.statuses().get(200, 0)
        self.assertEqual(everybody.statuses(), {200: answered, 402: 40 - answered})
        self.assertGreaterEqual(answered, count)
        gate.set()
        paid = self.end(raw, answer)
        raw.close()
        self.assertEqual(old.wait(PATIENCE_S), 0)
        winners = [a for a in everybody.answers.values() if a[9:12] == b"200"]
        costs = [meter.read("chat", a.partition(b"\r\n\r\n")[2], False).cost(station.PRICE)
                 for a in winners]
        start = stream + each * count
        self.assertEqual(customer.balance, start - paid - sum(costs))
        self.assertGreaterEqual(customer.balance, 0)
        self.settled()
        left = customer.balance
        fitting = max(n for n in range(1, 30000)
                      if held(body_for("chat", "last", maximum=n), n) <= left)
        over = body_for("chat", "last", maximum=fitting + 1)
        self.assertEqual(customer.post(CHAT, over).status, 402)
        last = body_for("chat", "last", maximum=fitting)
        self.assertEqual(customer.post(CHAT, last).status, 200)

    def test_what_one_gives_back_the_other_may_spend_at_once(self):
        """Money for one request at a time, and a stream there that frees it here."""
        customer = self.customer(amount(held(body_for("chat", stream=True, maximum=300), 300)))
        gate = self.hold_streams()
        raw, answer = self.stream(customer, maximum=300)
        self.take_over()
        whole = body_for("chat", maximum=250)
        self.assertEqual(customer.post(CHAT, whole).status, 402)
        gate.set()
        while raw.step(answer):
            pass
        self.assertTrue(answer.complete)
        self.assertEqual(customer.post(CHAT, whole).status, 200, "no wait in between")
        raw.close()
        self.settled()

    def test_promo_and_credit_of_a_house(self):
        body = body_for("chat", maximum=100)
        each = held(body, 100)
        poor = self.customer(None)
        self.station.cli("promo", "grant", poor.name, amount(3 * each))
        self.station.create_account("lab7", kind="house")
        lab_key = self.station.create_key("lab7")
        gate = self.hold_streams()
        raw, answer = self.stream(poor, maximum=100)
        self.take_over()
        statuses = [poor.post(CHAT, body).status for _ in range(12)]
        self.assertIn(402, statuses)
        self.assertGreaterEqual(statuses.count(200), 1)
        gate.set()
        self.end(raw, answer)
        raw.close()
        spent = self.station.store.sql(
            "SELECT SUM(c.nano) AS n, SUM(c.promo) AS p FROM charge c JOIN account a"
            " ON a.id = c.account WHERE a.name = ?", poor.name)[0]
        self.assertEqual(spent["n"], spent["p"])
        self.assertEqual(self.station.store.balance(poor.name + ":USD:promo"),
                         3 * each - spent["p"])
        self.settled()
        # A house with a limit: set while nothing runs, spent from two sides.
        self.assertEqual(self.station.stop(), 0)
        self.station.cli("account", "set", "lab7", "--credit-limit", amount(3 * each))
        self.station.start()
        gate.clear()
        raw = self.station.connect()
        self.addCleanup(raw.close)
        auth = [("Authorization", f"Bearer {lab_key}"), JSON]
        raw.request("POST", CHAT, auth, body_for("chat", stream=True, maximum=100))
        answer = raw.head()
        self.assertTrue(raw.until(answer, b"w1 "))
        self.take_over()
        statuses = [self.station.ask("POST", CHAT, auth, body).status for _ in range(20)]
        self.assertIn(402, statuses)
        self.assertGreaterEqual(statuses.count(200), 2)
        gate.set()
        self.end(raw, answer)
        raw.close()
        self.assertGreaterEqual(self.station.store.balance("lab7"), -3 * each)
        self.settled()

    def test_budgets_count_what_the_other_charges(self):
        cost = held(body_for("chat", maximum=16), 16)
        customer = self.customer("100", budget=amount(4 * cost), period="day")
        gate = self.hold_streams()
        raw, answer = self.stream(customer, maximum=16)
        self.take_over()
        gate.set()
        paid = self.end(raw, answer)
        raw.close()
        while customer.post(CHAT, body_for("chat", maximum=16)).status == 200:
            pass
        spent = 100 * NANO - customer.balance
        self.assertLessEqual(spent, 4 * cost)
        self.assertGreater(spent, 3 * cost - paid)
        self.settled()

    def test_budgets_count_what_the_other_holds(self):
        one = held(body_for("chat", stream=True, maximum=200), 200)
        customer = self.customer("100", budget=amount(2 * one - 1), period="day")
        gate = self.hold_streams()
        raw, answer = self.stream(customer, maximum=200)
        self.take_over()
        wanted = body_for("chat", stream=True, maximum=200)
        self.assertEqual(customer.post(CHAT, wanted).status, 429)
        gate.set()
        self.end(raw, answer)
        raw.close()
        self.assertEqual(customer.post(CHAT, wanted).status, 200, "it was not charged so much")
        self.settled()

    def test_the_one_that_drains_is_killed(self):
        customer = self.customer(amount(held(body_for("chat", stream=True, maximum=300), 300)))
        self.hold_streams()
        raw, _ = self.stream(customer, maximum=300)
        before = customer.balance
        old = self.take_over()
        whole = body_for("chat", maximum=280)
        self.assertEqual(customer.post(CHAT, whole).status, 402)
        old.kill()
        old.wait()
        self.assertTrue(raw.closed() or raw.eof)
        self.settled()
        self.assertEqual(customer.balance, before)
        self.assertEqual(customer.post(CHAT, whole).status, 200)

    def test_the_new_one_is_killed(self):
        customer = self.customer("100")
        gate = self.hold_streams()
        raw, answer = self.stream(customer)
        old = self.take_over()
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
        before = len(self.station.log_lines("entrepot is at"))
        self.station.kill()
        self.station.credit(customer.name, "1")     # on the store, beside the one that drains
        self.station.start()
        self.station.wait_log("entrepot is at", before)     # the old one may have said "ready"
        self.assertIsNone(old.poll())
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
        self.station.ledger_check()
        gate.set()
        self.assertGreater(self.end(raw, answer), 0)
        raw.close()
        self.assertEqual(old.wait(PATIENCE_S), 0)
        self.settled()

    def test_a_key_that_is_revoked_counts_on_kept_connections_too(self):
        customer = self.customer("100")
        kept = [self.station.connect() for _ in range(20)]
        for raw in kept:
            self.addCleanup(raw.close)
            self.assertEqual(self.again(raw, customer), 200)
        self.take_over()
        row = self.station.store.sql("SELECT k.id FROM key k JOIN account a ON a.id = k.account"
                                     " WHERE a.name = ?", customer.name)[0]
        self.station.cli("key", "revoke", str(row["id"]))
        # The one that drains looks some times a second; each connection has one request more.
        until(lambda: self.again(kept.pop(), customer) == 401, "it knows, too")
        for raw in kept:
            self.assertEqual(self.again(raw, customer), 401)
        self.settled()

    @staticmethod
    def again(raw, customer):
        return raw.send(customer.request(CHAT, body_for("chat"))).response().status

    def test_twice_in_a_row(self):
        customer = self.customer("100")
        gate = self.hold_streams()
        streams, olds = [], []
        for _ in range(2):
            streams.append(self.stream(customer))
            olds.append(self.take_over())
        streams.append(self.stream(customer))
        self.station.ledger_check()
        self.assertEqual([old.poll() for old in olds], [None, None])
        gate.set()
        for raw, answer in streams:
            self.assertGreater(self.end(raw, answer), 0)
            raw.close()
        self.assertEqual([old.wait(PATIENCE_S) for old in olds], [0, 0])
        self.settled()

    def test_a_second_signal_to_the_one_that_drains(self):
        customer = self.customer("100")
        self.hold_streams()
        raw, answer = self.stream(customer)
        idle = self.station.connect()
        self.addCleanup(idle.close)
        until(lambda: idle.request("GET", "/healthz").response().status == 200, "it is accepted")
        old = self.take_over()
        old.send_signal(signal.SIGTERM)
        self.assertTrue(idle.closed(), "who waits for nothing is not waited for")
        self.assertIsNone(old.poll())
        old.send_signal(signal.SIGTERM)
        while raw.step(answer):
            pass
        self.assertFalse(answer.complete)
        self.assertEqual(old.wait(PATIENCE_S), 0)
        self.settled()

    # What does not come to pass

    def attempt(self, *words):
        return subprocess.run([station.PROGRAM, "serve", "-c", self.station.file, *words],
                              cwd=self.station.folder, env=self.station.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE_S, check=False)

    def serves_as_before(self, customer):
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
        until(lambda: self.station.store.sql(
            "SELECT state FROM epoch WHERE state <> 'settled'") == [{"state": "alone"}],
            "it is alone again")
        self.station.create_key(customer.name)
        self.station.ledger_check()
        done = self.attempt()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"is in use by process {self.station.process.pid}", done.stderr)

    def test_without_the_word_nobody_takes_over(self):
        self.serves_as_before(self.customer())

    def test_where_nobody_serves_it_is_a_start(self):
        customer = self.customer()
        self.assertEqual(self.station.stop(), 0)
        self.station.start(words=["--takeover"])
        self.serves_as_before(customer)

    def test_another_address_is_refused(self):
        customer = self.customer()
        port = self.station.settings["listen"]
        self.station.configure(listen="127.0.0.1:1")
        done = self.attempt("--takeover")
        self.station.configure(listen=port)
        self.assertEqual(done.returncode, 1)
        self.assertIn("listen: has to be the same", done.stderr)
        self.serves_as_before(customer)

    def test_one_that_is_stopped_is_left_alone(self):
        customer = self.customer()
        self.station.signal(signal.SIGSTOP)
        try:
            done = self.attempt("--takeover")
        finally:
            self.station.signal(signal.SIGCONT)
        self.assertEqual(done.returncode, 1)
        self.assertIn("did not answer within 10 s", done.stderr)
        self.serves_as_before(customer)

    def asks(self):
        """The first line of a takeover, said by hand; (socket, the answer)."""
        line = socket.socket(socket.AF_UNIX)
        self.addCleanup(line.close)
        line.settimeout(PATIENCE_S)
        line.connect(os.path.join(self.station.data, "admin.sock"))
        line.sendall(json.dumps({"takeover": "ask", "listen": self.station.settings["listen"],
                                 "admin": self.station.settings["admin"]}).encode() + b"\n")
        data, fds, _, _ = socket.recv_fds(line, 4096, 70)
        self.assertEqual(len(fds), station.LANES + 1)
        for fd in fds:
            os.close(fd)
        self.assertTrue(json.loads(data)["ok"])
        return line

    def test_one_that_breaks_off_before_it_leads(self):
        customer = self.customer()
        line = self.asks()
        with self.assertRaises(station.CliError) as refused:
            self.station.create_key(customer.name)
        self.assertIn("taking over", refused.exception.errors + refused.exception.output)
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
        line.close()
        self.station.wait_log("event=takeover_failed")
        self.serves_as_before(customer)

    def test_one_that_breaks_off_when_it_may_lead(self):
        customer = self.customer()
        before = len(self.station.log_lines("event=takeover_failed"))
        line = self.asks()
        line.sendall(b'{"takeover":"lead"}\n')
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
        os.unlink(os.path.join(self.station.data, "admin.sock"))
        line.close()
        self.station.wait_log("event=takeover_failed", before)
        self.serves_as_before(customer)

    def test_a_second_one_is_refused_meanwhile(self):
        customer = self.customer()
        line = self.asks()
        done = self.attempt("--takeover")
        self.assertEqual(done.returncode, 1)
        self.assertIn("taking over already", done.stderr)
        line.close()
        self.serves_as_before(customer)


if __name__ == "__main__":
    unittest.main()
