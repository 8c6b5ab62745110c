# SPDX-License-Identifier: Apache-2.0
"""A key is replaced by its holder: the same limits, counted together, and the old one ends."""
import datetime
import time
import unittest

from tests.peer import station
from tests.peer.case import CHAT, Customer, StationCase, body_for
from tests.peer.wait import until, within_one

ROTATE = "/v1/keys/rotate"
DAY = 86400


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


class Rotation(StationCase):
    def rotate(self, customer, body=None, status=200):
        answer = customer.post(ROTATE, {} if body is None else body)
        self.assertEqual(answer.status, status, answer)
        if status != 200:
            return answer.json()["error"]
        self.assertEqual(answer.get("cache-control"), "no-store")
        return answer.json()

    def holder(self, customer, said):
        return Customer(self, customer.name, said["new"]["key"])

    def ask(self, customer, model="gpt", maximum=100):
        return customer.post(CHAT, body_for("chat", model=model, maximum=maximum))

    def fails(self, *words):
        with self.assertRaises(station.CliError) as caught:
            self.station.cli(*words)
        return caught.exception.errors

    def test_both_work_for_the_overlap(self):
        old = self.customer(rpm=90, models="gpt", label="lap top")
        said = self.rotate(old)
        new = self.holder(old, said)
        self.assertTrue(said["new"]["key"].startswith("ek_"))
        self.assertNotIn("key", said["old"])
        for name in ("account", "label", "models", "rpm", "concurrency", "budget"):
            self.assertEqual(said["new"][name], said["old"][name], name)
        self.assertEqual((said["new"]["expires"], said["new"]["models"]), (None, "gpt"))
        self.assertAlmostEqual(seconds(said["old"]["expires"]), time.time() + DAY, delta=60)
        for key in (old, new):
            self.assertEqual(self.ask(key).status, 200)
            self.assertEqual(self.ask(key, "claude").status, 403)
        shown = new.get("/v1/account").json()["key"]
        self.assertEqual((shown["id"], shown["label"]), (said["new"]["id"], "lap top"))
        self.station.restart()
        for key in (old, new):
            self.assertEqual(self.ask(key).status, 200)

    def test_the_old_one_ends(self):
        old = self.customer()
        new = self.holder(old, self.rotate(old, {"overlap": "1s"}))
        self.assertEqual(self.ask(new).status, 200)
        until(lambda: self.ask(old).status == 401, "the old key has ended")
        self.assertEqual(self.ask(new).status, 200)
        third = self.holder(new, self.rotate(new, {"overlap": "0s"}))
        self.assertEqual((self.ask(new).status, self.ask(third).status), (401, 200))

    def test_a_replaced_key_makes_no_further_ones(self):
        old = self.customer()
        said = self.rotate(old)
        self.assertEqual(self.rotate(old, status=409)["code"], "key_replaced")
        self.assertIn("replaced already", self.fails("key", "rotate", said["old"]["id"]))
        self.station.cli("key", "revoke", said["new"]["id"])     # it was lost
        again = self.station.cli("key", "rotate", said["old"]["id"], "--overlap", "1h", "--json")
        self.assertAlmostEqual(seconds(again["old"]["expires"]), time.time() + 3600, delta=60)
        self.assertEqual(self.ask(self.holder(old, again)).status, 200)

    def test_requests_a_minute_are_those_of_both(self):
        def seven():
            old = self.customer(rpm=6)
            new = self.holder(old, self.rotate(old))       # the first of the six
            return [self.ask(key).status for key in (old, new) * 3]

        self.assertEqual(within_one(60, seven), [200] * 5 + [429])

    def test_requests_at_once_are_those_of_both(self):
        old = self.customer(concurrency=1)
        new = self.holder(old, self.rotate(old))
        gate = self.hold_streams()
        raw = old.open(CHAT, body_for("chat", stream=True))
        self.addCleanup(raw.close)
        answer = raw.head()
        self.assertEqual(self.ask(new).status, 429)
        gate.set()
        while raw.step(answer):
            pass
        until(lambda: self.ask(new).status == 200, "the place is free again")

    def test_a_budget_is_not_doubled(self):
        def spend():
            old = self.customer(budget="0.003", period="month")
            said = self.rotate(old)
            new = self.holder(old, said)
            paid = []
            for key in (old, new) * 10:
                answer = self.ask(key, maximum=16)
                if answer.status != 200:
                    self.assertEqual(answer.status, 429)
                    break
                paid.append(self.charge(answer)["nano"])
            self.assertGreater(len(paid), 2)
            self.assertLessEqual(sum(paid), 3 * 10**6)
            self.assertEqual([self.ask(key).status for key in (old, new)], [429, 429])
            left = [key.get("/v1/account").json()["key"]["budget_left"] for key in (old, new)]
            self.assertEqual(left[0], left[1])
            self.station.restart()      # what both have spent is counted again from the rows
            self.assertEqual([self.ask(key).status for key in (old, new)], [429, 429])
            self.assertEqual([key.get("/v1/account").json()["key"]["budget_left"]
                              for key in (old, new)], left)

        within_one(DAY, spend)

    def test_a_key_with_an_end_gets_none_later(self):
        old = self.customer(expires="1h")
        said = self.rotate(old, {"overlap": "30d"})
        self.assertEqual(said["new"]["expires"], said["old"]["expires"])
        self.assertAlmostEqual(seconds(said["new"]["expires"]), time.time() + 3600, delta=60)

    def test_a_house_owner_can_do_it_too(self):
        owner = self.customer(kind="house")
        self.assertEqual(self.ask(self.holder(owner, self.rotate(owner))).status, 200)

    def test_not_without_end(self):
        key = self.customer()
        for _ in range(10):
            key = self.holder(key, self.rotate(key, {"overlap": "0s"}))
        error = self.rotate(key, {"overlap": "0s"}, 429)
        self.assertIn("10 times a day", error["message"])
        self.assertEqual(self.ask(key).status, 200)

    def test_wrong_overlaps_are_told(self):
        key = self.customer()
        for overlap in ("31d", "1", "-1h", "1w", "x", "", "99999999h"):
            expected = "0s to 30d" if overlap else "needs a value"
            self.assertIn(expected, self.fails("key", "rotate", "1", "--overlap", overlap))
            error = self.rotate(key, {"overlap": overlap}, 400)
            self.assertEqual(error["param"], "overlap")
        for body in ({"overlap": 24}, {"models": "all"}, {"overlap": "1h", "budget": "100"}, []):
            self.assertEqual(self.rotate(key, body, 400)["param"], "overlap")
        self.assertIn("no key", self.fails("key", "rotate", "999"))
        self.rotate(key, b"")       # an empty body is one without wishes
        revoked = self.customer()
        number = revoked.get("/v1/account").json()["key"]["id"]
        self.station.cli("key", "revoke", number)
        self.assertEqual(revoked.post(ROTATE, {}).status, 401)
        self.assertIn("revoked", self.fails("key", "rotate", number))


if __name__ == "__main__":
    unittest.main()
