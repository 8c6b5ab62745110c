# SPDX-License-Identifier: Apache-2.0
"""Accounts and keys: who may ask, for what, how often, for how much."""
import base64
import json
import threading
import time
import unittest

from tests.peer import station
from tests.peer.case import CHAT, JSON, NANO, StationCase, body_for, path_for
from tests.peer.wait import PATIENCE_S, until, within_one

DIALECTS = ("chat", "responses", "messages", "gemini")


class Keys(StationCase):
    def test_shape_and_storage(self):
        customer = self.customer()
        self.assertRegex(customer.key, r"^ek_[0-9A-Za-z_-]{40,}$")
        for suffix in ("", "-wal"):
            with open(self.station.store.path + suffix, "rb") as file:
                self.assertNotIn(customer.key.encode(), file.read())
        self.assertNotEqual(customer.key, self.station.create_key(customer.name))

    def test_every_place_for_a_key(self):
        customer = self.customer()
        for dialect in DIALECTS:
            path = path_for(dialect)
            for headers, query in ((("Authorization", f"Bearer {customer.key}"), ""),
                                   (("authorization", f"bearer {customer.key}"), ""),
                                   (("x-api-key", customer.key), ""),
                                   (("x-goog-api-key", customer.key), ""),
                                   (("X-None", "1"), f"?key={customer.key}")):
                answer = self.station.ask("POST", path + query, [headers, JSON],
                                          body_for(dialect))
                self.assertEqual(answer.status, 200, (dialect, headers[0], answer))

    def test_almost_the_key(self):
        key = self.customer().key
        for wrong in (key[:-1], key + "x", key.upper(), key[3:], "ek_", "", key[:-1] + "?",
                      key + "\t" + key):
            for name in ("x-api-key", "x-goog-api-key"):
                answer = self.station.ask("POST", CHAT, [(name, wrong), JSON], body_for("chat"))
                self.assertEqual(answer.status, 401, wrong)
        self.assertEqual(self.vendor.received, [])

    def test_new_keys_and_accounts_work_at_once(self):
        for _ in range(3):
            self.assertEqual(self.customer().post(CHAT, body_for("chat")).status, 200)

    def test_models_scope(self):
        customer = self.customer(models="gpt,gem")
        for dialect, status in (("chat", 200), ("gemini", 200), ("messages", 403)):
            answer = customer.post(path_for(dialect), body_for(dialect))
            self.assertEqual(answer.status, status, dialect)

    def test_expiry(self):
        lasting = self.customer(expires="1h")
        self.assertEqual(lasting.post(CHAT, body_for("chat")).status, 200)
        began = time.time()
        brief = self.customer(expires="2s")

        def refusal():
            answer = brief.post(CHAT, body_for("chat"))
            return answer if answer.status != 200 else None

        answer = until(refusal, "the key expires")
        self.assertGreaterEqual(time.time(), began + 2)
        self.assertIn("expired", self.assert_error(answer, 401)["message"])

    def test_requests_a_minute(self):
        def five():
            customer = self.customer(rpm=3)
            return [customer.post(CHAT, body_for("chat")) for _ in range(5)]

        answers = within_one(60, five)
        self.assertEqual([a.status for a in answers], [200, 200, 200, 429, 429])
        self.assertTrue(0 < int(answers[3].get("retry-after")) <= 60)
        self.assert_error(answers[3], 429)

    def test_concurrency(self):
        customer = self.customer(concurrency=2)
        gate = self.hold_streams()
        slow = body_for("chat", stream=True)
        held = [customer.open(CHAT, slow) for _ in range(2)]
        heads = [raw.head() for raw in held]
        self.assertEqual([h.status for h in heads], [200, 200])
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 429)
        gate.set()
        for raw, head in zip(held, heads):
            while raw.step(head):
                pass
            raw.close()
            self.row(head)      # behind it the slot is free again
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)

    def test_concurrency_is_given_back_when_clients_leave(self):
        customer = self.customer(concurrency=1)
        slow = body_for("chat", "x [[tokens=5 pause=0.05]]", stream=True)
        for _ in range(3):
            with customer.open(CHAT, slow) as raw:
                self.assertEqual(raw.head().status, 200)
            until(lambda: customer.post(CHAT, body_for("chat")).status != 429,
                  "the slot is given back", 2 * PATIENCE_S)

    def test_a_tag_is_recorded(self):
        answer = self.customer().post(CHAT, body_for("chat"), [("Relay-Tag", "team-7/build")])
        self.assertEqual(self.charge(answer)["tag"], "team-7/build")
        self.assertIsNone(self.vendor.last.get("relay-tag"))


class Budgets(StationCase):
    def spend_budget(self, period):
        """(a new customer, the first answer that is no success)"""
        customer = self.customer("5.00", budget="0.01", period=period)
        body = body_for("chat", "x [[tokens=100]]", maximum=100)
        answers = (customer.post(CHAT, body) for _ in range(40))
        return customer, next(answer for answer in answers if answer.status != 200)

    def test_a_spent_budget_is_429_until_its_reset(self):
        for period, longest in (("day", 86400), ("month", 31 * 86400)):
            customer, last = within_one(86400, lambda: self.spend_budget(period))
            self.assert_error(last, 429)
            self.assertTrue(0 < int(last.get("retry-after")) <= longest)
            self.assertEqual(last.get("x-should-retry"), "false")
            spent = 5 * NANO - customer.balance
            self.assertLessEqual(spent, NANO // 100, "more than the budget was spent")
            self.assertGreater(spent, 0)
            other = self.station.create_key(customer.name)
            answer = self.station.ask("POST", CHAT, [("x-api-key", other), JSON], body_for("chat"))
            self.assertEqual(answer.status, 200, "the budget is the key's, not the account's")

    def test_many_at_once_do_not_pass_a_budget(self):
        customer = self.customer("5.00", budget="0.01", period="day")
        body = body_for("messages", "x [[tokens=300]]", maximum=300)
        threads = [threading.Thread(target=customer.post, args=(path_for("messages"), body))
                   for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(5 * NANO - customer.balance, NANO // 100)

    def test_a_budget_survives_a_restart(self):
        body = body_for("messages", "x [[tokens=300]]", maximum=300)

        def spend_restart_and_ask():
            customer = self.customer("5.00", budget="0.01", period="month")
            while (answer := customer.post(path_for("messages"), body)).status == 200:
                self.row(answer)    # or the start would give its charge back
            self.station.restart()
            return customer.post(path_for("messages"), body).status

        self.assertEqual(within_one(86400, spend_restart_and_ask), 429)


class AccountBudgets(StationCase):
    BODY = body_for("chat", "x [[tokens=100]]", maximum=100)

    def set(self, name, *words):
        return self.station.cli("account", "set", name, *words, "--json")

    def spend(self, customer, keys):
        """Asks with the keys in turn until one is refused; the refusal."""
        for number in range(60):
            key = keys[number % len(keys)]
            answer = self.station.ask("POST", CHAT, [("x-api-key", key), JSON], self.BODY)
            if answer.status != 200:
                return answer
            self.row(answer)    # or a restart would give its charge back
        self.fail("nothing was ever refused")

    def test_all_keys_of_an_account_spend_one_budget(self):
        for period, longest in (("day", 86400), ("month", 31 * 86400)):
            customer = self.customer("5.00")
            keys = [customer.key, self.station.create_key(customer.name)]
            shown = self.set(customer.name, "--budget", "0.01", "--budget-period", period)
            self.assertEqual((shown["budget"], shown["budget_period"]), ("0.01", period))
            last = self.spend(customer, keys)
            self.assertIn("this account's budget", self.assert_error(last, 429)["message"])
            self.assertTrue(0 < int(last.get("retry-after")) <= longest)
            self.assertEqual(last.get("x-should-retry"), "false")
            self.assertEqual(self.row(last)["end"], "account_budget")
            self.assertTrue(0 < 5 * NANO - customer.balance <= NANO // 100)
            account = customer.get("/v1/account").json()
            self.assertEqual((account["budget"], account["budget_period"]), ("0.01", period))
            self.assertLess(float(account["budget_left"]), 0.01)

    def test_it_is_kept_over_a_restart_and_can_be_raised_and_cleared(self):
        name = f"budget{next(self.numbers)}"
        shown = self.station.cli("account", "create", name, "--budget", "0.01",
                                 "--budget-period", "day", "--json")
        self.assertEqual(shown["budget"], "0.01")
        self.station.credit(name, "5.00")
        key = self.station.create_key(name)
        last = self.spend(None, [key])
        self.assertEqual(last.status, 429)
        self.station.restart()
        ask = lambda: self.station.ask("POST", CHAT, [("x-api-key", key), JSON], self.BODY).status
        self.assertEqual(ask(), 429)
        self.set(name, "--budget", "1.00")
        self.assertEqual(ask(), 200)
        self.set(name, "--budget", "0.01")
        self.assertEqual(ask(), 429, "what was spent is still spent")
        self.set(name, "--budget-period", "month")
        self.assertEqual(ask(), 429, "and it was spent in this month, too")
        self.assertIsNone(self.set(name, "--budget", "none")["budget"])
        self.assertEqual(ask(), 200)

    def test_a_set_before_anything_was_counted_counts_what_was_spent(self):
        customer = self.customer("5.00")
        self.assertEqual(customer.post(CHAT, self.BODY).status, 200)
        spent = 5 * NANO - customer.balance
        self.set(customer.name, "--budget", f"{spent / NANO:.9f}")
        self.assertEqual(customer.post(CHAT, self.BODY).status, 429)
        self.assertEqual(customer.get("/v1/account").json()["budget_left"], "0")

    def test_what_is_no_budget(self):
        customer = self.customer()
        house = self.customer(kind="house")
        for name, *words in ((customer.name,), (customer.name, "--budget", "0"),
                             (customer.name, "--budget", "-1"), (house.name, "--budget", "1"),
                             (customer.name, "--budget-period", "week"),
                             ("nobody", "--budget", "1")):
            with self.assertRaises(station.CliError, msg=words):
                self.set(name, *words)


class HouseAccounts(StationCase):
    def test_a_house_account_is_metered_and_never_refused_for_money(self):
        house = self.customer(kind="house")
        for dialect in DIALECTS:
            answer = house.post(path_for(dialect), body_for(dialect))
            self.assertEqual(answer.status, 200, answer)
            self.assertGreater(self.charge(answer)["nano"], 0)


def web_token(payload):
    """A JSON Web Token that says this."""
    parts = [json.dumps({"alg": "RS256"}).encode(), json.dumps(payload).encode(), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class UpstreamKeys(unittest.TestCase):
    """Session tokens of consumer products are no API keys; nor are typing mistakes."""

    def setUp(self):
        if not station.available():
            self.skipTest(f"no station to test at {station.PROGRAM} (set ENTREPOT)")

    def said(self, upstream):
        """What `entrepot check` says of a file with this upstream; it must refuse it."""
        one = station.Station([upstream], [station.model("m", upstream["name"])])
        self.addCleanup(one.close)
        with self.assertRaises(station.CliError) as caught:
            one.command("check")
        return caught.exception.output + caught.exception.errors

    def test_session_tokens_are_refused_with_the_reason(self):
        tokens = {"anthropic": "sk-ant-oat01-" + "A" * 80, "gemini": "ya29." + "a" * 100,
                  "openai": web_token({"iss": "https://auth.openai.com", "sub": "u"})}
        for vendor, token in tokens.items():
            with self.subTest(vendor):
                text = self.said({"name": "x", "vendor": vendor, "keys": [token]})
                self.assertRegex(text.lower(), "session|oauth|subscription")
                self.assertNotIn(token, text)
                self.assertRegex(text, r"station\.yaml:\d+:\d+")

    def test_an_api_key_may_be_a_token(self):
        key = web_token({"GroupID": "1", "iss": "minimax"})
        row = {"name": "x", "vendor": "openai", "keys": [key]}
        one = station.Station([row], [station.model("m", "x")])
        self.addCleanup(one.close)
        self.assertIn("no mistakes", one.command("check"))

    def test_an_unset_variable_is_an_error(self):
        text = self.said({"name": "x", "vendor": "openai", "keys": ["${NOT_SET_ANYWHERE}"]})
        self.assertIn("NOT_SET_ANYWHERE", text)

    def test_a_mistyped_name_gets_the_nearest_valid_one(self):
        text = self.said({"name": "x", "vendor": "opneai", "keys": ["sk-1"]})
        self.assertIn("openai", text)
        text = self.said({"name": "x", "vendor": "openai", "kyes": ["sk-1"]})
        self.assertIn("keys", text)


if __name__ == "__main__":
    unittest.main()
