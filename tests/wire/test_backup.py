# SPDX-License-Identifier: Apache-2.0
"""`entrepot backup` while customers are served: the copy is the store of one moment."""
import os
import subprocess
import threading
import unittest

from tests.peer import station
from tests.peer.case import CHAT, StationCase, body_for, path_for
from tests.peer.store import Store, rid_bytes
from tests.peer.wait import PATIENCE_S, until
from tests.wire.ends_ledger import flood

PAIRS, COPIES = 3, 4
CREDIT = 5 * 10**9


class Pair(threading.Thread):
    """Asks for its two accounts in turn, one request after the other. At every moment the first has
    paid for as many as the second, or for one more."""

    def __init__(self, case):
        super().__init__()
        self.customers = [case.customer("5.00") for _ in range(2)]
        self.answered = []              # request ids, in their order
        self.failed = []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            for customer in self.customers:
                answer = customer.post(CHAT, body_for("chat"))
                if answer.status == 200 and answer.complete:
                    self.answered.append(answer.request_id)
                else:
                    self.failed.append(answer)

    def stop(self):
        self.stopping.set()
        self.join()


class Backup(StationCase):
    def copy(self, number):
        path = os.path.join(self.station.folder, f"copy{number}.db")
        self.station.cli("backup", path, "--json")
        return path

    def ledger_check(self, path):
        """`ledger check` of the copy by its own configuration, in a folder of its own."""
        folder = path + ".d"
        os.mkdir(folder)
        file = os.path.join(folder, "copy.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(station.to_yaml({**self.station.settings, "store": f"sqlite:{path}"}))
        done = subprocess.run([station.PROGRAM, "ledger", "check", "-c", file], cwd=folder,
                              check=False, capture_output=True, text=True, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def paid(self, store, customer):
        """(how many requests, nano) of an account, by its charges."""
        row = store.sql("SELECT count(*) AS n, coalesce(sum(c.nano), 0) AS nano FROM charge c "
                        "JOIN account a ON a.id = c.account WHERE a.name = ?", customer.name)[0]
        return row["n"], row["nano"]

    def check(self, path, pairs, before):
        store = Store(path)
        self.assertEqual(store.sql("PRAGMA integrity_check")[0]["integrity_check"], "ok")
        self.assertGreater(store.sql("PRAGMA page_count")[0]["page_count"], 1024)
        self.assertLessEqual({rid_bytes(rid) for rid in before}, set(store.charges()),
                             "what was answered before the copy began is in it")
        for pair in pairs:
            counts = []
            for customer in pair.customers:
                count, nano = self.paid(store, customer)
                counts.append(count)
                self.assertEqual(store.balance(customer.name), CREDIT - nano)
            self.assertIn(counts[0] - counts[1], (0, 1), "not of one moment")
        self.ledger_check(path)
        return len(store.charges())

    def test_a_copy_is_of_one_moment(self):
        """Also of a store that is not copied in one go: it has thousands of pages."""
        self.buyer = self.customer()
        flood(self, 60000)
        pairs = [Pair(self) for _ in range(PAIRS)]
        for pair in pairs:
            self.addCleanup(pair.stop)
            pair.start()
        copies = []
        for number in range(COPIES):
            wanted = sum(len(p.answered) for p in pairs) + 20
            until(lambda: sum(len(p.answered) for p in pairs) > wanted, "requests are answered")
            before = [rid for p in pairs for rid in list(p.answered)]
            copies.append((self.copy(number), before))
        for pair in pairs:
            pair.stop()
            self.assertEqual(pair.failed, [])
        sizes = [self.check(path, pairs, before) for path, before in copies]
        self.assertEqual(sizes, sorted(set(sizes)), "each is later than the one before")
        self.assertLessEqual(sizes[-1], len(self.station.store.charges()))

    def test_a_station_starts_on_a_copy(self):
        buyer = self.customer("5.00")
        answer = buyer.post(CHAT, body_for("chat"))
        self.row(answer)        # without it the start would give the charge back
        path = self.copy("-start")
        self.assertEqual(buyer.post(path_for("messages"), body_for("messages")).status, 200)
        with station.Station(self.upstreams(), self.models(), store=f"sqlite:{path}") as other:
            balance = Store(path).balance(buyer.name)
            self.assertEqual(balance, CREDIT - self.charge(answer)["nano"])
            again = other.ask("POST", CHAT, [buyer.auth, ("Content-Type", "application/json")],
                              body_for("chat"))
            self.assertEqual(again.status, 200, again)
            other.ledger_check()


if __name__ == "__main__":
    unittest.main()
