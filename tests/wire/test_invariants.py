# SPDX-License-Identifier: Apache-2.0
"""Rows broken on purpose, behind the station's back: the books say which, nothing new is admitted,
and it goes on once the row is mended and the books were checked again."""
import contextlib
import json
import shutil
import sqlite3
import unittest

from tests.peer import meter, station
from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.wait import PATIENCE_S, until

# Each invariant by its name: what breaks it, what mends it, and the row that is then named. Of the
# customer :name, whose request :rid has the charge :charge.
INVARIANTS = {
    "a transfer is between accounts of its kind": (
        "UPDATE transfer SET kind = 'gift' WHERE cause = :charge AND kind = 'charge'",
        "UPDATE transfer SET kind = 'charge' WHERE cause = :charge AND kind = 'gift'",
        "transfer "),
    "the transfers of a charge are between its accounts": (
        "UPDATE transfer SET debit = (SELECT id FROM account WHERE name = 'owner')"
        " WHERE cause = :charge AND kind = 'charge'",
        "UPDATE transfer SET debit = (SELECT id FROM account WHERE name = :name)"
        " WHERE cause = :charge AND kind = 'charge'",
        "charge {charge}: charge"),
    "balance is the sum of transfers": (
        "UPDATE account SET balance = balance + 7 WHERE name = :name",
        "UPDATE account SET balance = balance - 7 WHERE name = :name",
        "account {name}: balance"),
    "no customer is below zero": (
        "UPDATE account SET balance = balance - 1000000000000 WHERE name = :name",
        "UPDATE account SET balance = balance + 1000000000000 WHERE name = :name",
        "account {name}: balance -9"),
    "no house is further below zero than its limit": (
        "UPDATE account SET credit_limit = 1 WHERE name = 'owner';"
        "UPDATE account SET balance = balance - 7 WHERE name = 'owner'",
        "UPDATE account SET credit_limit = 0 WHERE name = 'owner';"
        "UPDATE account SET balance = balance + 7 WHERE name = 'owner'",
        "account owner: balance -7, limit 1"),
    "allotments are covered": (
        "UPDATE allotment SET nano = nano + 1000000000000"
        " WHERE account = (SELECT id FROM account WHERE name = :name)",
        "UPDATE allotment SET nano = nano - 1000000000000"
        " WHERE account = (SELECT id FROM account WHERE name = :name)",
        "account {name}: allotted 1"),
    "a charge is closed, reversed or of an epoch that runs": (
        "CREATE TABLE kept AS SELECT * FROM request WHERE rid = :rid;"
        "DELETE FROM request WHERE rid = :rid;"
        "UPDATE charge SET epoch = epoch - 1 WHERE id = :charge",
        "INSERT INTO request SELECT * FROM kept; DROP TABLE kept;"
        "UPDATE charge SET epoch = epoch + 1 WHERE id = :charge",
        "charge {charge}"),
    "a reversed charge is not of a complete request": (
        "INSERT INTO transfer(debit, credit, nano, kind, cause, ts)"
        " SELECT credit, debit, nano, 'reversal', cause, ts FROM transfer"
        " WHERE cause = :charge AND kind = 'charge'",
        "DELETE FROM transfer WHERE cause = :charge AND kind = 'reversal'",
        "charge {charge}"),
    "the transfers of a charge are what it says": (
        "UPDATE charge SET nano = nano - 1 WHERE id = :charge",
        "UPDATE charge SET nano = nano + 1 WHERE id = :charge",
        "charge {charge}: "),
    "currencies never mix": (
        "UPDATE account SET currency = 'CNY' WHERE name = :name",
        "UPDATE account SET currency = 'USD' WHERE name = :name",
        "charge {charge}"),
    "open vouchers are what the operator owes for them": (
        "UPDATE account SET balance = balance + 1 WHERE name = 'liab:voucher:USD'",
        "UPDATE account SET balance = balance - 1 WHERE name = 'liab:voucher:USD'",
        "account liab:voucher:USD: balance "),
    "a voucher ends by one transfer": (
        "UPDATE voucher SET transfer = transfer + 1 WHERE batch = :batch AND state = 'redeemed'",
        "UPDATE voucher SET transfer = transfer - 1 WHERE batch = :batch AND state = 'redeemed'",
        "voucher {voucher}: transfer "),
    "open refunds are what is on its way": (
        "UPDATE refund SET state = 'sent' WHERE id = :refund",
        "UPDATE refund SET state = 'requested' WHERE id = :refund",
        "account clear:refund:USD: balance "),
    "the transfers of a refund are what it says": (
        "UPDATE refund SET nano = nano + 1 WHERE id = :refund",
        "UPDATE refund SET nano = nano - 1 WHERE id = :refund",
        "refund r{refund}: requested "),
    "the transfers of a purchase are what it says": (
        "INSERT INTO purchase(id, kind, upstream, currency, nano, paid_currency, paid, spread,"
        " note, ts) VALUES(7777, 'buy', 'openai', 'USD', 5, 'USD', 5, 0, '', 0)",
        "DELETE FROM purchase WHERE id = 7777",
        "purchase 7777"),
    "money changes its currency in a purchase alone": (
        "UPDATE account SET name = 'fx:USD' WHERE name = 'funding:USD'",
        "UPDATE account SET name = 'funding:USD' WHERE name = 'fx:USD'",
        "transfer "),
    "a period's cost is spread over what was used of it": (
        "INSERT INTO plan(id, upstream, unit, units, cost, currency, from_, until, used, booked,"
        " spent) VALUES(7777, 'openai', 'requests', 3, 10, 'USD', 0, 9, 1, 1, 4)",
        "DELETE FROM plan WHERE id = 7777",
        "plan 7777"),
    "an attempt costs what its transfer says": (
        "INSERT INTO attempt(rid, n, upstream, status, failure, ts, cost, cost_currency, cost_to)"
        " VALUES(:rid, 7, 'openai', 200, 'cut', 1, 5, 'USD', 'loss:no_usage')",
        "DELETE FROM attempt WHERE rid = :rid AND n = 7",
        "attempt {hex}/7: 5"),
    "the cost of an answer is booked once": (
        "INSERT INTO attempt(rid, n, upstream, status, failure, ts, cost, cost_currency, cost_to)"
        " VALUES(:rid, 1, 'openai', 200, '', 1, 5, 'USD', '')",
        "DELETE FROM attempt WHERE rid = :rid AND n = 1",
        "attempt {hex}/1"),
    "every answer has a charge or an end that says why not": (
        "UPDATE request SET end = '' WHERE rid = :rid",
        "UPDATE request SET end = 'complete' WHERE rid = :rid",
        "request {rid}"),
    "a charge is price times usage": (
        "UPDATE charge SET in_ = in_ + 1000000 WHERE id = :charge",
        "UPDATE charge SET in_ = in_ - 1000000 WHERE id = :charge",
        "charge {charge}"),
}

MOVED = "transfer WHERE cause = :charge AND kind = "
# More ways to break some of them; the store is thrown away then.
FURTHER = [
    ("a transfer is between accounts of its kind",
     "INSERT INTO transfer(debit, credit, nano, kind, ts) SELECT a.id, b.id, 5, 'credit', 1"
     " FROM account a, account b WHERE a.name = :name AND b.name = 'owner'"),
    ("a transfer is between accounts of its kind",
     "INSERT INTO transfer(debit, credit, nano, kind, ts)"
     f" SELECT debit, credit, nano, kind, ts FROM {MOVED}'charge'"),
    ("the transfers of a charge are between its accounts",
     "INSERT INTO transfer(debit, credit, nano, kind, cause, ts) SELECT credit, (SELECT id FROM"
     f" account WHERE name = 'owner'), nano, 'reversal', cause, ts FROM {MOVED}'charge'"),
    ("the transfers of a refund are what it says",
     "DELETE FROM transfer WHERE id = (SELECT transfer FROM refund WHERE id = :refund)"),
]


@contextlib.contextmanager
def unguarded(path):
    """The store without its guards: its triggers are gone meanwhile, its CHECKs do not count."""
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    try:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("BEGIN IMMEDIATE")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, text in triggers:
            connection.execute(text)
        connection.execute("COMMIT")
    finally:
        connection.close()


class Invariants(StationCase):
    def setUp(self):
        super().setUp()
        self.buyer = self.customer()
        answer = self.ask()
        charge = self.assert_paid(answer, meter.read("chat", answer.body, False))
        self.row_of = {"name": self.buyer.name, "charge": charge["id"], "rid": charge["rid"]}
        self.row_of.update(self.voucher_and_refund())
        self.named = {**self.row_of, "rid": charge["rid"].hex().upper(),
                      "hex": charge["rid"].hex()}
        self.vendor.reset()

    def voucher_and_refund(self):
        """One of two vouchers is redeemed, and a refund is requested."""
        made = self.station.cli("voucher", "create", "1", "--count", "2", "--json")
        answer = self.buyer.post("/v1/redeem", {"code": made["vouchers"][0]["code"]})
        self.assertEqual(answer.status, 200, answer)
        refund = self.station.cli("refund", self.buyer.name, "0.5", "--json")["refund"]
        return {"batch": int(made["batch"]), "voucher": int(answer.json()["voucher"]),
                "refund": int(refund[1:])}

    def ask(self):
        return self.buyer.post(CHAT, body_for("chat", maximum=100))

    def tamper(self, script):
        with unguarded(self.station.store.path) as books:
            for statement in script.split(";"):
                wanted = {key: value for key, value in self.row_of.items()
                          if f":{key}" in statement}
                books.execute(statement, wanted)

    def assert_stopped(self):
        self.assertFalse(self.station.ready())
        answer = self.ask()
        self.assertEqual(self.assert_error(answer, 503)["code"], "ledger_unavailable")
        self.assertEqual(self.row(answer)["end"], "ledger_down")
        self.assertEqual(self.vendor.received, [])

    def assert_admits(self):
        self.assertTrue(self.station.ready())
        self.assertEqual(self.ask().status, 200)

    def broken_rows(self):
        try:
            self.station.ledger_check()
        except station.CliError:
            return self.broken()
        return []

    def broken(self):
        """[(invariant, row)] of a check that finds something."""
        with self.assertRaises(station.CliError) as caught:
            self.station.ledger_check()
        said = json.loads(caught.exception.output)["error"]["result"]
        self.assertIs(said["ok"], False)
        return [(fault["invariant"], fault["row"]) for fault in said["broken"]]

    def check_finds(self, invariant, row):
        found = [(name, text) for name, text in self.broken()
                 if name == invariant and text.startswith(row)]
        self.assertTrue(found, f"{row} of \"{invariant}\" is not named")
        self.station.wait_log(f'invariant="{invariant}" row="{row}')
        self.assert_stopped()

    def test_each_is_named_stops_admissions_and_can_be_mended(self):
        for invariant, (breaks, mends, row) in INVARIANTS.items():
            with self.subTest(invariant):
                self.tamper(breaks)
                try:
                    self.assertTrue(self.station.ready())   # nobody has looked yet
                    self.check_finds(invariant, row.format(**self.named))
                finally:
                    self.tamper(mends)
                self.assert_stopped()       # nobody has looked again
                self.station.ledger_check()
                self.assert_admits()
                self.vendor.reset()

    def test_further_ways_to_break_them_are_named(self):
        self.assertEqual(self.broken_rows(), [])
        self.station.stop()
        self.addCleanup(self.station.start)
        whole = self.station.store.path
        for invariant, breaks in FURTHER:
            with self.subTest(breaks):
                shutil.copy(whole, whole + ".whole")
                self.tamper(breaks)
                names = {name for name, _ in self.broken_rows()}
                shutil.move(whole + ".whole", whole)
                self.assertIn(invariant, names)

    def test_every_invariant_that_is_checked_is_broken_here(self):
        self.assertEqual(set(self.station.ledger_check()["checked"]), set(INVARIANTS))

    def test_a_start_finds_what_was_broken_while_nobody_served(self):
        breaks, mends, row = INVARIANTS["balance is the sum of transfers"]
        self.station.stop()
        self.tamper(breaks)
        self.station.start(wait=False)
        until(lambda: self.answers(), "it listens")
        self.assert_stopped()
        self.assertIn(row.format(**self.named),
                      self.station.wait_log("event=invariant_broken")[-1])
        self.station.stop()
        self.tamper(mends)
        self.station.start()
        self.assert_admits()

    def answers(self):
        try:
            return self.station.ask("GET", "/healthz", timeout=5).status == 200
        except OSError:
            return False

    def test_what_runs_ends_and_is_paid(self):
        gate = self.hold_streams()
        running = self.buyer.open(CHAT, body_for("chat", stream=True, maximum=100))
        self.addCleanup(running.close)
        answer = running.head()
        breaks, mends, _ = INVARIANTS["every answer has a charge or an end that says why not"]
        self.tamper(breaks)
        self.broken()
        gate.set()
        while running.step(answer):
            pass
        self.assertTrue(answer.complete)
        self.assertIn(b"[DONE]", answer.body)
        self.assertGreater(self.charge(answer)["nano"], 0)
        self.tamper(mends)
        self.station.ledger_check()
        self.assert_admits()


if __name__ == "__main__":
    unittest.main()
