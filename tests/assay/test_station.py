# SPDX-License-Identifier: Apache-2.0
"""An honest station that converts between dialects is not accused, and hides nothing of what its
upstream does: the assay goes through ours, with sellers behind it."""
import unittest

from tests.assay.case import AssayCase
from tests.assay.seller import Seller
from tests.peer import station

PRICE = {"currency": "USD", "input": "2.50", "output": "10.00"}


class ThroughOurs(AssayCase):
    def station(self, vendor, kind, model):
        base = vendor + station.BASES[kind]
        s = station.Station(
            upstreams=[{"name": "up", "vendor": kind, "base": base, "keys": ["sk-up"]}],
            models=[station.model(model, "up", price=PRICE)])
        s.start()
        self.addCleanup(s.close)
        s.create_account("alice")
        s.credit("alice", "50")
        return f"http://127.0.0.1:{s.port}/v1", s.create_key("alice")

    def through(self, vendor, kind, model, *options, **more):
        url, key = self.station(vendor, kind, model)
        words, folder = self.words(url, *options, model=model, **more)
        return self.run_words(words, folder, self.environment(TARGET_KEY=key))

    def test_converting_in_every_direction(self):
        """Of a seller that counts by a tokenizer: the simulator's plain models go by length."""
        for kind in ("openai", "anthropic", "gemini"):
            for dialect in ("chat", "responses", "messages", "gemini"):
                with Seller() as s:
                    done = self.through(s.base.removesuffix("/v1"), kind, "some-model",
                                        "--dialect", dialect, reference=s.base)
                self.assertEqual(done.status, 0, (kind, dialect, done.out, done.errors))
                for claim in ("identity", "prompt", "input_billing", "tool_integrity"):
                    self.assertEqual(done.states()[claim], "consistent",
                                     (kind, dialect, done.out))

    def test_what_an_upstream_does_is_seen(self):
        for cheat, claim in (({"hidden": 300}, "prompt"), ({"factor": 1.2}, "input_billing"),
                             ({"family": "qwen3"}, "identity")):
            with Seller(**cheat) as s:
                done = self.through(s.base.removesuffix("/v1"), "openai", "gpt-4o", "--dialect",
                                    "messages")
            self.assertEqual(done.states()[claim], "inconsistent", (cheat, done.out, done.errors))

    def test_its_own_count_is_no_accusation(self):
        """Behind a conversion it estimates what it is asked to count beforehand."""
        for dialect, kind in (("messages", "openai"), ("responses", "anthropic"),
                              ("gemini", "openai"), ("messages", "gemini")):
            for template in (7, 71):
                with Seller(template=template) as s:
                    done = self.through(s.base.removesuffix("/v1"), kind, "some-model",
                                        "--dialect", dialect)
                found = [f for c in done.report["claims"] for f in c["findings"]
                         if f["probe"] == "count"]
                self.assertTrue(found, (dialect, kind, done.out))
                self.assertNotIn("inconsistent", {f["state"] for f in found}, done.out)
                self.assertNotEqual(done.status, 3, done.out)

    def test_and_an_honest_one_is_not_accused(self):
        with Seller() as s:
            done = self.through(s.base.removesuffix("/v1"), "openai", "gpt-4o", "--dialect",
                                "messages", profile="standard")
        self.assertEqual(done.status, 0, (done.out, done.errors))


if __name__ == "__main__":
    unittest.main()
