# SPDX-License-Identifier: Apache-2.0
"""Refunds: of what was paid in and is neither spent, held nor of a voucher."""
import threading
import unittest

from tests.peer import station
from tests.peer.case import CHAT, NANO, StationCase, body_for


def nano(text):
    whole, _, rest = text.partition(".")
    return int(whole) * NANO + int(rest.ljust(9, "0"))



def refundable(store, name):
    """By a walk of its own over all transfers: a charge spends what came by vouchers first; what
    the operator takes back or refunds is of vouchers last; what was reversed never was."""
    (account,) = store.sql("SELECT id FROM account WHERE name=?", name)
    reversed_ = {row["cause"] for row in store.sql(
        "SELECT cause FROM transfer WHERE kind='reversal'")}
    paid = of_vouchers = 0
    for row in store.sql("SELECT * FROM transfer WHERE ? IN (debit, credit) ORDER BY id",
                         account["id"]):
        if row["cause"] in reversed_ and row["cause"] is not None:
            continue
        if row["credit"] == account["id"]:
            if row["kind"] == "voucher":
                of_vouchers += row["nano"]
            else:
                paid += row["nano"]
        elif row["kind"] == "charge":
            first = min(of_vouchers, row["nano"])
            of_vouchers -= first
            paid -= row["nano"] - first
        else:
            first = min(paid, row["nano"])
            paid -= first
            of_vouchers -= row["nano"] - first
    return paid


class RefundCase(StationCase):
    def refund(self, customer, what, *more):
        return self.station.cli("refund", customer.name, what, *more, "--json")

    def fails(self, *words):
        with self.assertRaises(station.CliError) as caught:
            self.station.cli(*words)
        return caught.exception.errors

    def redeem(self, customer, value):
        made = self.station.cli("voucher", "create", value, "--json")
        answer = customer.post("/v1/redeem", {"code": made["vouchers"][0]["code"]})
        self.assertEqual(answer.status, 200, answer)

    def spend(self, customer, tokens=100):
        answer = customer.post(CHAT, body_for("chat", f"x [[tokens={tokens}]]", maximum=tokens))
        self.assertEqual(answer.status, 200, answer)
        return self.charge(answer)["nano"]

    def most(self, customer):
        """All that can be refunded, by asking for it and giving it up again; by the judge, too."""
        judged = refundable(self.station.store, customer.name)
        if judged == 0:
            self.assertIn("only 0 USD", self.fails("refund", customer.name, "all"))
            return 0
        got = self.refund(customer, "all")
        self.station.cli("refund", "cancel", got["refund"])
        self.assertEqual(nano(got["amount"]), judged)
        return judged


class Refunds(RefundCase):
    def test_requested_then_sent(self):
        customer = self.customer("5")
        clear = lambda: self.station.store.sql(
            "SELECT COALESCE(SUM(balance), 0) AS n FROM account WHERE name='clear:refund:USD'"
            )[0]["n"]
        before, funding = clear(), self.station.store.balance("funding:USD")
        got = self.refund(customer, "2", "--reference", "payment 7")
        self.assertEqual((got["state"], got["amount"], got["reference"], got["ended"]),
                         ("requested", "2", "payment 7", None))
        self.assertEqual((customer.balance, clear()), (3 * NANO, before + 2 * NANO))
        sent = self.station.cli("refund", "sent", got["refund"], "--json")
        self.assertEqual(sent["state"], "sent")
        self.assertEqual((customer.balance, clear()), (3 * NANO, before))
        self.assertEqual(self.station.store.balance("funding:USD"), funding + 2 * NANO)
        for word in ("sent", "cancel"):
            self.assertIn("sent already", self.fails("refund", word, got["refund"]))
        (listed,) = self.station.cli("refund", "list", customer.name, "--json")["refunds"]
        self.assertEqual(listed, sent)

    def test_cancelled_it_comes_back(self):
        customer = self.customer("5")
        got = self.refund(customer, "all")
        self.assertEqual((got["amount"], customer.balance), ("5", 0))
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 402)
        self.station.cli("refund", "cancel", got["refund"])
        self.assertEqual(customer.balance, 5 * NANO)
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)

    def test_one_reference_is_refunded_once(self):
        customer, other = self.customer("5"), self.customer("5")
        got = self.refund(customer, "1", "--reference", "p")
        self.assertIn("\"p\"", self.fails("refund", customer.name, "1", "--reference", "p"))
        self.refund(other, "1", "--reference", "p")
        self.refund(other, "all", "--reference", "rest")    # and again, though nothing is left
        self.assertIn("\"rest\"", self.fails("refund", other.name, "all", "--reference", "rest"))
        self.assertEqual(customer.balance, 4 * NANO)
        self.station.cli("refund", "cancel", got["refund"])
        self.refund(customer, "1", "--reference", "p")

    def test_promo_is_never_refunded(self):
        customer = self.customer("1")
        self.station.cli("promo", "grant", customer.name, "3")
        self.assertIn("only 1 USD", self.fails("refund", customer.name, "1.5"))
        spent = self.spend(customer)        # of the promo
        self.assertGreater(spent, 0)
        self.assertEqual(self.most(customer), NANO)

    def test_vouchers_are_spent_first_and_not_refunded(self):
        customer = self.customer("1")
        self.redeem(customer, "1")
        self.assertEqual(self.most(customer), NANO)
        spent = self.spend(customer)
        self.assertEqual((customer.balance, self.most(customer)), (2 * NANO - spent, NANO))

    def test_what_was_spent_before_a_voucher_is_not_made_good_by_it(self):
        customer = self.customer("0.01")
        spent = self.spend(customer)
        self.redeem(customer, "1")
        self.assertEqual(self.most(customer), NANO // 100 - spent)

    def test_what_was_paid_after_a_voucher_was_spent_can_go_back(self):
        customer = self.customer(None)
        self.redeem(customer, "0.002")
        self.spend(customer)
        self.assertEqual(self.most(customer), 0)
        left = customer.balance
        self.station.credit(customer.name, "1")
        self.assertEqual((customer.balance, self.most(customer)), (NANO + left, NANO))

    def test_what_the_operator_took_back(self):
        customer = self.customer("1")
        self.redeem(customer, "1")
        self.station.cli("debit", customer.name, "1.5")     # also half of the voucher's
        self.assertEqual(self.most(customer), 0)
        self.station.credit(customer.name, "1")
        self.assertEqual(self.most(customer), NANO)

    def test_another_currency(self):
        customer = self.customer("1")
        self.station.cli("credit", customer.name, "9", "--currency", "CNY")
        got = self.refund(customer, "all", "--currency", "CNY")
        self.assertEqual((got["amount"], got["currency"]), ("9", "CNY"))
        self.assertEqual(got["account"], customer.name + ":CNY")
        self.assertEqual(customer.balance, NANO)
        listed = self.station.cli("refund", "list", customer.name, "--json")["refunds"]
        self.assertEqual([row["refund"] for row in listed], [got["refund"]])

    def test_it_survives_a_kill(self):
        customer = self.customer("5")
        got = self.refund(customer, "2")
        self.station.restart()
        self.assertEqual(customer.balance, 3 * NANO)
        self.station.cli("refund", "sent", got["refund"])
        self.station.ledger_check()

    def test_wrong_words_are_told(self):
        house, customer = self.customer(kind="house"), self.customer("1")
        for words, part in [((house.name, "1"), "house"), (("nobody", "1"), "no account"),
                            ((customer.name, "0"), "nothing"), ((customer.name, "1.1"), "only 1 "),
                            ((customer.name, "x"), "amount"), (("sent", "7"), "such as r7"),
                            (("sent", "r999"), "no refund r999"),
                            ((customer.name, "1", "--currency", "EUR"), "no EUR"),
                            (("list", "nobody"), "no account")]:
            self.assertIn(part, self.fails("refund", *words), words)


class Racing(RefundCase):
    settings = {"lanes": 3}

    def test_what_a_request_holds_stays(self):
        customer = self.customer("1")
        gate = self.hold_streams()
        raw = customer.open(CHAT, body_for("chat", stream=True, maximum=1000))
        self.addCleanup(raw.close)
        answer = raw.head()
        got = self.refund(customer, "all")
        self.assertLess(nano(got["amount"]), NANO - 9 * 10**6)      # about 1000 x 10 USD a million
        self.assertGreater(nano(got["amount"]), NANO - 12 * 10**6)
        gate.set()
        while raw.step(answer):
            pass
        paid = self.charge(answer)["nano"]
        self.assertGreater(paid, 0)
        self.assertEqual(customer.balance, NANO - nano(got["amount"]) - paid)

    def test_a_refund_that_races_spend_never_overspends(self):
        customer = self.customer("20")      # more than they can spend meanwhile
        stop, spent, lock = threading.Event(), [], threading.Lock()

        def buy():
            while not stop.is_set():
                answer = customer.post(CHAT, body_for("chat", "x [[tokens=50]]", maximum=60))
                if answer.status == 402:
                    return
                with lock:
                    spent.append(answer)

        buyers = [threading.Thread(target=buy) for _ in range(6)]
        for buyer in buyers:
            buyer.start()
        refunded = 0
        try:
            for part in (["0.05"] * 4 + ["all"]):
                refunded += nano(self.refund(customer, part)["amount"])
        finally:
            stop.set()
            for buyer in buyers:
                buyer.join()
        paid = sum(self.charge(answer)["nano"] for answer in spent)
        self.assertEqual(customer.balance, 20 * NANO - refunded - paid)
        self.assertGreater(len(spent), 0)
        self.station.ledger_check()


if __name__ == "__main__":
    unittest.main()
