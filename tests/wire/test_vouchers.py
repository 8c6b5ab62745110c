# SPDX-License-Identifier: Apache-2.0
"""Vouchers: made by the operator, redeemed once by whoever brings the code, and never lost."""
import datetime
import json
import os
import random
import threading
import time
import unittest

from tests.peer import station, voucher
from tests.peer.case import CHAT, NANO, StationCase, body_for
from tests.peer.rawhttp import request_bytes
from tests.peer.wait import PATIENCE_S, until, within_one

REDEEM = "/v1/redeem"


class VoucherCase(StationCase):
    def make(self, amount="2", *more):
        """The codes of a new batch, and its number."""
        made = self.station.cli("voucher", "create", amount, *more, "--json")
        return [row["code"] for row in made["vouchers"]], made["batch"]

    def batch(self, number):
        return [row for row in self.station.cli("voucher", "list", "--json")["batches"]
                if row["batch"] == number][0]

    def redeem(self, customer, code, status=200):
        answer = customer.post(REDEEM, {"code": code})
        self.assertEqual(answer.status, status, answer)
        return answer.json() if status == 200 else answer.json()["error"]

    def balances(self, customer):
        rows = customer.get("/v1/account").json()["balances"]
        return {row["currency"]: row["balance"] for row in rows}

    def fails(self, *words):
        with self.assertRaises(station.CliError) as caught:
            self.station.cli(*words)
        return caught.exception.errors


class Vouchers(VoucherCase):
    def test_what_is_made_is_redeemed_and_spent(self):
        customer = self.customer(None)
        (code,), number = self.make("2", "--note", "a shop")
        before = self.station.store.balance("liab:voucher:USD")
        said = self.redeem(customer, code)
        self.assertEqual((said["amount"], said["currency"]), ("2", "USD"))
        self.assertEqual(self.balances(customer), {"USD": "2"})
        self.assertEqual(self.station.store.balance("liab:voucher:USD"), before - 2 * NANO)
        self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
        row = self.batch(number)
        self.assertEqual((row["open"], row["redeemed"], row["void"], row["note"]),
                         (0, 1, 0, "a shop"))
        (listed,) = self.station.cli("voucher", "list", number, "--json")["vouchers"]
        self.assertEqual((listed["state"], listed["account"]), ("redeemed", customer.name))

    def test_only_the_hmac_is_kept(self):
        """Judged by a second implementation of codes and of what is stored of them."""
        codes, number = self.make("1", "--count", "20")
        (secret,) = self.station.store.sql("SELECT bytes FROM secret WHERE name='voucher'")
        rows = self.station.store.sql("SELECT hmac FROM voucher WHERE batch=? ORDER BY id", number)
        self.assertEqual([row["hmac"] for row in rows],
                         [voucher.hmac_of(secret["bytes"], code) for code in codes])
        self.assertEqual(len(set(codes)), 20)
        for code in codes:
            self.assertEqual(voucher.grouped(voucher.code_of(voucher.secret_bytes(code))), code)
        with open(self.station.store.path, "rb") as file:
            store = file.read()
        for code in codes:
            for form in (code, code.replace("-", ""), code.lower()):
                self.assertNotIn(form.encode(), store)
            self.assertNotIn(voucher.secret_bytes(code), store)
            self.assertNotIn(code, self.station.log())

    def test_however_it_is_typed(self):
        customer = self.customer(None)
        codes, _ = self.make("1", "--count", "4")
        forms = (str.lower, lambda c: c.replace("-", ""), lambda c: c.replace("-", " "),
                 lambda c: c.replace("0", "o").replace("1", "l"))
        for form, code in zip(forms, codes):
            self.redeem(customer, form(code))
        self.assertEqual(self.balances(customer), {"USD": "4"})

    def test_a_retry_answers_the_same_and_others_are_refused(self):
        one, other = self.customer(None), self.customer(None)
        (code,), _ = self.make()
        first = self.redeem(one, code)
        self.assertEqual(self.redeem(one, code), first)
        self.assertEqual(self.redeem(other, code, 409)["code"], "voucher_used")
        self.assertEqual((self.balances(one), self.balances(other)), ({"USD": "2"}, {"USD": "0"}))

    def test_a_statement_shows_it(self):
        customer = self.customer("1")
        self.redeem(customer, self.make("2")[0][0])
        refund = self.station.cli("refund", customer.name, "0.5", "--reference", "P-1", "--json")
        self.station.cli("refund", "cancel", refund["refund"])
        page = customer.get("/v1/statement").json()
        self.assertEqual([(row["kind"], row["amount"]) for row in page["movements"]],
                         [("credit", "1"), ("voucher", "2"), ("refund", "-0.5"),
                          ("refund_back", "0.5")])
        self.assertEqual(page["closing"][0]["balance"], "3")

    def test_it_makes_the_balance_of_its_currency(self):
        customer = self.customer("1")
        (code,), _ = self.make("7.25", "--currency", "CNY")
        self.redeem(customer, code)
        self.assertEqual(self.balances(customer), {"USD": "1", "CNY": "7.25"})

    def test_a_house_takes_its_own_currency_alone(self):
        house = self.customer(kind="house")
        usd, cny = self.make()[0][0], self.make("1", "--currency", "CNY")[0][0]
        self.redeem(house, usd)
        error = self.redeem(house, cny, 409)
        self.assertEqual(error["code"], "voucher_refused")
        self.assertIn("USD alone", error["message"])

    def test_expired_and_void_say_so(self):
        customer = self.customer(None)
        (late,), number = self.make("1", "--expires", "1s")
        codes, other = self.make("1", "--count", "3")
        self.station.cli("voucher", "void", codes[0])
        self.redeem(customer, codes[1])
        self.assertEqual(self.redeem(customer, codes[0], 410)["code"], "voucher_void")
        ended = self.station.cli("voucher", "void", other, "--json")
        self.assertEqual((ended["voided"], ended["amount"]), (1, "1"))
        self.assertEqual(self.redeem(customer, codes[2], 410)["code"], "voucher_void")
        self.redeem(customer, codes[1])     # what was redeemed stays so
        self.assertIn("open", self.fails("voucher", "void", other))
        self.assertIn("redeemed already", self.fails("voucher", "void", codes[1]))
        expires = datetime.datetime.fromisoformat(self.batch(number)["expires"]).timestamp()
        until(lambda: time.time() > expires + 0.01, "the voucher has expired")
        self.assertEqual(self.redeem(customer, late, 410)["code"], "voucher_expired")
        kept = self.station.store.sql("SELECT COALESCE(SUM(balance), 0) AS n FROM account"
                                      " WHERE name='rev:breakage:USD'")[0]["n"]
        self.assertEqual(kept, 0, "nothing is kept without a word")
        self.station.cli("voucher", "void", number, "--to", "breakage")
        self.assertEqual(self.station.store.balance("rev:breakage:USD"), NANO)
        self.assertIn("neither", self.fails("voucher", "void", "nothing"))

    def test_what_has_not_expired_is_not_kept(self):
        _, number = self.make("1", "--expires", "1h")
        self.assertIn("only what has expired",
                      self.fails("voucher", "void", number, "--to", "breakage"))

    def test_typos_are_told_from_codes_that_are_not_known(self):
        customer = self.customer(None)
        (code,), _ = self.make()
        wrong = ("A" if code[0] != "A" else "B") + code[1:]
        for text in (wrong, code[:7] + code[8] + code[7] + code[9:] if code[7] != code[8]
                     else wrong):
            error = self.redeem(customer, text, 400)
            self.assertIn("wrong", error["message"])
            self.assertEqual(error["param"], "code")
        for text in ("-", code[:-1], code + "0", code.replace(code[0], "U", 1)):
            self.assertIn("30 letters", self.redeem(customer, text, 400)["message"])
        unknown = voucher.code_of(random.Random(7).randbytes(16))
        self.assertEqual(self.redeem(customer, unknown, 404)["code"], "voucher_unknown")

    def test_bad_bodies_name_the_field(self):
        customer = self.customer(None)
        for body, part in ((b"{}", "missing"), (b"[]", "object"), (b'{"code":7}', "text"),
                           (b'{"code":""}', "short text"),
                           (b'{"code":"x","more":1}', "another field"),
                           (b'{"code":"x","code":"y"}', "twice"),
                           (json.dumps({"code": "x" * 200}).encode(), "short text")):
            error = self.assert_error(customer.post(REDEEM, body), 400, "chat")
            self.assertIn(part, error["message"])
            self.assertEqual(error["param"], "code")
        for body in (b"", b"{", b'{"code":'):
            self.assertEqual(self.assert_error(customer.post(REDEEM, body), 400)["code"],
                             "invalid_json")
        self.assertEqual(customer.post(REDEEM, b"{}", [("Content-Encoding", "br")]).status, 415)
        self.assertEqual(customer.get(REDEEM).status, 405)
        self.assertEqual(self.station.ask("POST", REDEEM, [], b"{}").status, 401)

    def test_a_body_is_small(self):
        customer = self.customer(None)
        large = json.dumps({"code": "x" * (64 << 10)}).encode()
        self.assertIn("64 KB", self.assert_error(customer.post(REDEEM, large), 413)["message"])
        pieces = b"".join(b"%x\r\n%s\r\n" % (4096, b" " * 4096) for _ in range(17)) + b"0\r\n\r\n"
        with self.station.connect() as raw:
            raw.send(request_bytes("POST", REDEEM, [customer.auth,
                                                    ("Transfer-Encoding", "chunked")]) + pieces)
            self.assert_error(raw.response(), 413)

    def test_wrong_words_are_told(self):
        for words, part in [(("0",), "positive"), (("-1",), "amount"), (("x",), "amount"),
                            (("1", "--count", "10001"), "1 to 10000"),
                            (("1", "--currency", "dollar"), "dollar"),
                            (("1", "--expires", "1000"), "future"),
                            (("9000000000", "--count", "10000"), "more than the ledger")]:
            self.assertIn(part, self.fails("voucher", "create", *words), words)

    def test_a_large_batch(self):
        codes, number = self.make("0.01", "--count", "10000")
        self.assertEqual((len(set(codes)), self.batch(number)["open"]), (10000, 10000))


class GuessCase(VoucherCase):
    settings = {"lanes": 1}
    LIMIT = 10          # LIMIT_BAD_CODES

    def guess(self, customer):
        return customer.post(REDEEM, {"code": voucher.code_of(os.urandom(16))})


class GuessesOfAnAddress(GuessCase):
    ADDRESS_LIMIT = 30  # LIMIT_BAD_KEYS

    def test_it_waits_whatever_its_account_but_its_keys_are_known(self):
        other = self.customer()
        (code,), _ = self.make()
        guessers = [self.customer(None) for _ in range(self.ADDRESS_LIMIT // self.LIMIT)]

        def all_guess():
            return [self.guess(one).status for one in guessers for _ in range(self.LIMIT)]

        self.assertEqual(all_guess(), [404] * self.ADDRESS_LIMIT)
        answer = other.post(REDEEM, {"code": code})
        self.assertEqual(answer.status, 429, answer)
        self.assertTrue(0 < int(answer.get("retry-after")) <= 60)
        self.assertEqual(other.post(CHAT, body_for("chat")).status, 200)


class GuessesOfAnAccount(GuessCase):
    def test_an_account_that_guesses_waits(self):
        guesser, other = self.customer(None), self.customer(None)
        (code,), _ = self.make()

        def guess():
            return [self.guess(guesser) for _ in range(self.LIMIT + 1)]

        answers = within_one(60, guess)
        self.assertEqual([a.status for a in answers], [404] * self.LIMIT + [429])
        self.assertTrue(0 < int(answers[-1].get("retry-after")) <= 60)
        self.redeem(other, code)        # at the same address


class Races(VoucherCase):
    settings = {"lanes": 3}
    CROWD = 64

    def crowd(self):
        return [self.customer(None) for _ in range(self.CROWD)]

    def all_at_once(self, customers, code):
        """What each of them got, over a connection of its own."""
        body = json.dumps({"code": code}).encode()
        answers, gate = [None] * len(customers), threading.Barrier(len(customers))

        def one(number, customer):
            with self.station.connect() as raw:
                gate.wait(PATIENCE_S)
                raw.send(customer.request(REDEEM, body))
                answers[number] = raw.response()

        threads = [threading.Thread(target=one, args=row) for row in enumerate(customers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        return answers

    def test_of_many_who_bring_one_code_one_gets_it(self):
        customers = self.crowd()
        for _ in range(3):
            before = sum(c.balance for c in customers)
            (code,), number = self.make("3")
            statuses = sorted(a.status for a in self.all_at_once(customers, code))
            self.assertEqual(statuses, [200] + [409] * (self.CROWD - 1))
            self.assertEqual(sum(c.balance for c in customers) - before, 3 * NANO)
            self.assertEqual(self.batch(number)["redeemed"], 1)
        self.station.ledger_check()

    def test_one_account_that_asks_many_times_has_it_once(self):
        customer = self.customer(None)
        (code,), _ = self.make("3")
        answers = self.all_at_once([customer] * self.CROWD, code)
        self.assertEqual({a.body for a in answers}, {answers[0].body})
        self.assertEqual({a.status for a in answers}, {200})
        self.assertEqual(customer.balance, 3 * NANO)


class Crash(VoucherCase):
    settings = {"lanes": 3}
    COUNT = 200
    ROUNDS = 3

    def bring(self, customers, codes, kill_after):
        """Each brings its share of the codes until the station is gone; who was told yes."""
        done, lock, enough = {}, threading.Lock(), threading.Event()

        def one(customer, share):
            for code in share:
                try:
                    answer = customer.post(REDEEM, {"code": code})
                except (OSError, AttributeError):
                    return
                if answer is None or answer.status != 200:
                    return
                with lock:
                    done[code] = customer
                    if len(done) >= kill_after:
                        enough.set()

        threads = [threading.Thread(target=one, args=(c, codes[n::len(customers)]))
                   for n, c in enumerate(customers)]
        for thread in threads:
            thread.start()
        self.assertTrue(enough.wait(PATIENCE_S))
        self.station.kill()
        for thread in threads:
            thread.join(PATIENCE_S)
        return done

    def test_across_a_kill_the_money_is_there_once(self):
        for number in range(self.ROUNDS):
            customers = [self.customer(None) for _ in range(8)]
            codes, batch = self.make("1", "--count", str(self.COUNT))
            done = self.bring(customers, codes, 20 + 30 * number)
            self.station.start()
            self.assertGreaterEqual(self.batch(batch)["redeemed"], len(done))
            self.assertLess(len(done), self.COUNT)
            for code, customer in done.items():     # a retry after the crash answers the same
                self.redeem(customer, code)
            for n, code in enumerate(codes):
                self.redeem(customers[n % 8], code)
            self.assertEqual([c.balance for c in customers], [self.COUNT // 8 * NANO] * 8)
            row = self.batch(batch)
            self.assertEqual((row["open"], row["redeemed"]), (0, self.COUNT))
            self.station.ledger_check()


if __name__ == "__main__":
    unittest.main()
