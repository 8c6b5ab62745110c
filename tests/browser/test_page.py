# SPDX-License-Identifier: Apache-2.0
"""The page at /, driven in headless Chromium by a customer who made one request."""
import os
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

    def test_wrong_key(self):
        self.browser.script(SHOW, "ek_wrong")
        problem = until(lambda: self.browser.script(TEXT, "problem"), "the page says no")
        self.assertIn("not known", problem)
        self.assertEqual(self.browser.script('return sessionStorage.getItem("key");'), None)
