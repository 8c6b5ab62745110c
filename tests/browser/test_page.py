# SPDX-License-Identifier: Apache-2.0
"""The page at /, driven in headless Chromium by a customer who made one request."""
import csv
import os
import shutil
import tempfile
import time
import unittest

from tests.browser.webdriver import Browser, available
from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.wait import until

SHOW = """document.getElementById("key").value = arguments[0];
document.querySelector("#login button").click();"""
TEXT = 'return document.getElementById(arguments[0]).innerText;'


@unittest.skipUnless(available(), "chromium and chromedriver are not installed")
class Page(StationCase):
    def setUp(self):
        self.buyer = self.customer("5.00")
        answer = self.buyer.post(CHAT, body_for("chat"))
        self.assertEqual(answer.status, 200)
        self.row(answer)        # from now on it is shown as complete
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.browser.go(f"http://127.0.0.1:{self.station.port}/")

    def test_balance_charges_and_settings(self):
        self.browser.script(SHOW, self.buyer.key)
        until(lambda: self.browser.script(TEXT, "settings"), "the page shows all of it")
        balance = self.browser.script(TEXT, "balance")
        self.assertTrue(balance.startswith("4.99"), balance)
        self.assertIn("complete", self.browser.script(TEXT, "rows"))
        self.assertIn("ANTHROPIC_BASE_URL", self.browser.script(TEXT, "settings"))
        self.assertGreater(self.browser.script(
            'return document.querySelectorAll("#chart rect").length;'), 0)
        if os.environ.get("ENTREPOT_SCREENSHOT"):
            self.browser.screenshot(os.environ["ENTREPOT_SCREENSHOT"])

    def show(self, buyer):
        self.browser.script(SHOW, buyer.key)
        until(lambda: self.browser.script(TEXT, "settings"), "the page shows all of it")

    def press(self, form, field, value, says):
        """Fills a form's field and sends it; what the page then says of it."""
        self.browser.script(f"""document.querySelector("details").open = true;
            document.getElementById("{says}").textContent = "";
            document.getElementById("{field}").value = arguments[0];
            document.querySelector("#{form} button").click();""", value)
        return until(lambda: self.browser.script(TEXT, says), f"{form} is answered")

    def shot(self, name):
        if os.environ.get("ENTREPOT_SCREENSHOT"):
            self.browser.screenshot(os.environ["ENTREPOT_SCREENSHOT"] + name)

    def test_the_margin_is_the_owners_to_see(self):
        hidden = 'return document.getElementById("margin").hidden;'
        self.show(self.buyer)
        self.assertTrue(self.browser.script(hidden))
        with open(f"{self.station.data}/owner.key", encoding="utf-8") as file:
            self.browser.script(SHOW, file.read().strip())
        until(lambda: not self.browser.script(hidden), "the owner sees the margin")
        report = self.station.cli("usage", "--margin", "--by", "model", "--json")
        self.assertEqual(self.browser.script(TEXT, "answer"), report["answer"])
        rows = self.browser.script(TEXT, "earned")
        for row in report["rows"]:
            self.assertIn(row["left"], rows)
        self.shot("margin")
        self.browser.script(SHOW, self.buyer.key)
        until(lambda: self.browser.script(hidden), "a customer sees it no more")
        self.assertEqual(self.browser.script(TEXT, "earned"), "")

    def test_a_voucher(self):
        buyer = self.customer(None)
        made = self.station.cli("voucher", "create", "7.5", "--currency", "CNY", "--json")
        code = made["vouchers"][0]["code"]
        self.show(buyer)
        self.assertIn("30 letters", self.press("redeem", "code", "hello", "redeemed"))
        said = self.press("redeem", "code", code.lower(), "redeemed")
        self.assertRegex(said, r"^7\.5 CNY of this voucher went to your balance at .*\d")
        self.assertEqual(self.browser.script(TEXT, "balances"), "7.5 CNY")
        self.assertEqual(self.press("redeem", "code", code, "redeemed"), said)   # and not once more
        self.assertEqual(self.browser.script(TEXT, "balances"), "7.5 CNY")

    def test_currencies_are_not_added_up(self):
        """A customer who has paid in two currencies: a chart of each, and charges say which."""
        buyer = self.customer(None)
        self.station.cli("rate", "set", "USD", "CNY", "7")
        for currency in ("CNY", "USD"):
            self.station.cli("credit", buyer.name, "50", "--currency", currency)
            answer = buyer.post(CHAT, body_for("chat"))
            self.assertEqual(answer.status, 200)
            self.row(answer)
        days = buyer.get("/v1/usage").json()["days"]
        self.assertEqual([row["currency"] for row in days], ["CNY", "USD"])
        self.show(buyer)
        until(lambda: "CNY" in self.browser.script(TEXT, "rows"), "both charges")
        self.assertIn("USD", self.browser.script(TEXT, "rows"))
        shown = self.browser.script("""return [...document.querySelectorAll("#chart svg")].map(
            (svg) => [svg.getAttribute("aria-label"), svg.querySelector("text").textContent]);""")
        self.assertEqual(shown, [[f"spend by day in {row['currency']}",
                                  f"{float(row['charged']):#.3g}"] for row in days])

    def test_promo_and_prices_as_this_customer_pays_them(self):
        self.station.cli("promo", "grant", self.buyer.name, "3.25")
        self.station.cli("account", "set", self.buyer.name, "--factor", "0.9")
        self.show(self.buyer)
        self.assertIn("3.25 USD promo", self.browser.script(TEXT, "balances"))
        # 2.50, 0.25 and 10.00 a million, times 0.9.
        self.assertIn("gpt\t2.25\t0.225\t9\tUSD", self.browser.script(TEXT, "prices"))
        self.station.cli("account", "set", self.buyer.name, "--factor", "1/3")
        self.show(self.buyer)
        until(lambda: "≈ 0.833334" in self.browser.script(TEXT, "prices"), "rounded and said so")

    def test_a_statement(self):
        """The file that is downloaded, of several pages."""
        folder = tempfile.mkdtemp(prefix="entrepot-download-")
        self.addCleanup(shutil.rmtree, folder)
        self.browser.download_to(folder)
        self.show(self.buyer)
        self.browser.script("""const ask = window.fetch; window.asked = 0;
            window.fetch = (path, how) => {
              asked += path.includes("format=csv");
              return ask(path.replace("format=csv", "format=csv&limit=1"), how);
            };""")
        month = time.strftime("%Y-%m", time.gmtime())
        name = f"statement-{month}.csv"
        self.assertIn(name, self.press("statement", "month", month, "stated"))
        until(lambda: name in os.listdir(folder), "the file is there")
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["kind"] for row in rows], ["opening", "credit", "charge", "closing"])
        self.assertEqual(self.browser.script("return window.asked;"), 2)
        self.assertFalse(self.browser.script("""const month = document.getElementById("month");
            month.value = "hello"; return month.checkValidity();"""))
        for month, fits in (("2026-13", False), ("2026-00", False), ("2026-12", True)):
            self.assertEqual(self.browser.script("""const month = document.getElementById("month");
                month.value = arguments[0]; return month.checkValidity();""", month), fits, month)

    def test_the_key_is_replaced(self):
        self.show(self.buyer)
        self.assertIn("without an end", self.browser.script(TEXT, "thiskey"))
        self.assertIn("new key", self.press("rotate", "overlap", "0s", "rotated"))
        new = self.browser.script(TEXT, "newkey")
        self.assertEqual(self.browser.script('return sessionStorage.getItem("key");'), new)
        self.assertEqual(self.buyer.get("/v1/account").status, 401)
        self.buyer.auth = ("Authorization", f"Bearer {new}")
        self.assertEqual(self.buyer.get("/v1/account").status, 200)
        self.browser.script('document.getElementById("prices").scrollIntoView();')
        self.shot("-key.png")

    def test_nothing_is_loaded_from_elsewhere(self):
        answer = self.station.ask("GET", "/")
        policy = answer.get("content-security-policy")
        for part in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"):
            self.assertIn(part, policy)
        self.browser.script("""window.refused = [];
            document.addEventListener("securitypolicyviolation",
                                      (e) => refused.push(e.violatedDirective));""")
        self.show(self.buyer)           # all of it works within the policy
        self.assertEqual(self.browser.script("return window.refused;"), [])
        self.browser.script("fetch('http://127.0.0.2/').catch(() => {});")
        until(lambda: self.browser.script("return window.refused;"), "another host is refused")

    def test_a_narrow_window(self):
        self.browser.close()
        self.browser = Browser(width=360, height=800)
        self.addCleanup(self.browser.close)
        self.browser.go(f"http://127.0.0.1:{self.station.port}/")
        self.browser.narrow(360, 800)
        self.show(self.buyer)
        wide = self.browser.script("return [document.documentElement.scrollWidth, innerWidth];")
        self.assertEqual(wide[1], 360)
        self.assertLessEqual(wide[0], 360)
        self.shot("-narrow.png")

    def test_wrong_key(self):
        self.browser.script(SHOW, "ek_wrong")
        problem = until(lambda: self.browser.script(TEXT, "problem"), "the page says no")
        self.assertIn("not known", problem)
        self.assertEqual(self.browser.script('return sessionStorage.getItem("key");'), None)
