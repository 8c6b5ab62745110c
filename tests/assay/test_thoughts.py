# SPDX-License-Identifier: Apache-2.0
"""Signed thoughts: read as vendors really made them, given back, shown to a reference, and left
out. Honest sellers of all kinds are not accused."""
import base64
import collections
import json
import os
import random
import re
import subprocess
import unittest

from tests.assay import thinker
from tests.assay.case import AssayCase
from tests.assay.driver import PROGRAM, Driver
from tests.assay.seller import Seller
from tests.assay.thinker import Thinker, sign
from tests.peer import station

RECORDINGS = os.path.join(station.ROOT, "..", "shared", "recordings")
MODEL = "claude-opus-4-8"
ACCOUNT = "0193fe2a-6f5c-7d21-9a44-5c1e0e7b42aa"
KINDS = {"E": "claude", "R": "claude R", "C": "claude C"}


def recorded(name):
    """(signature, path) of all genuine ones, whatever they stand in."""
    found = {}
    for folder, _, files in os.walk(RECORDINGS):
        for file in files:
            path = os.path.join(folder, file)
            with open(path, encoding="utf-8", errors="replace") as f:
                text = f.read().replace('\\\\"', '"').replace('\\"', '"')
            for match in re.finditer(f'"{name}" ?: ?"([A-Za-z0-9+/_=-]{{40,}})"', text):
                found.setdefault(match[1], path)
    return found.items()


def coded(data):
    return base64.b64encode(data).decode()


class Reading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise unittest.SkipTest(f"no program to test at {PROGRAM}")
        cls.driver = Driver()

    @classmethod
    def tearDownClass(cls):
        assert cls.driver.close() == 0

    def read(self, text, within=""):
        return self.driver.ask("signature", text=text, within=within)

    def test_genuine_ones(self):
        if not os.path.isdir(RECORDINGS):
            self.skipTest(f"no recordings at {RECORDINGS}")
        seen = collections.Counter()
        for text, path in recorded("signature"):
            _, channel = thinker.read(text)
            got = self.read(text)
            self.assertEqual(
                (got["kind"], got["model"], got["use"], got["infra"], got["channel"],
                 got["account"]),
                (KINDS[text[0]], channel.get(6, b"").decode(), channel.get(8, b"").decode(),
                 channel.get(2, 0), channel[1], 11 in channel), path)
            seen[got["kind"], got["infra"], got["account"]] += 1
        self.assertGreater(seen.total(), 40)
        self.assertLessEqual({("claude", 0, False), ("claude", 1, False), ("claude", 2, False),
                              ("claude", 0, True), ("claude C", 0, True)}, set(seen))

    def test_other_vendors_are_not_claude(self):
        if not os.path.isdir(RECORDINGS):
            self.skipTest(f"no recordings at {RECORDINGS}")
        seen = collections.Counter()
        for text, path in recorded("thoughtSignature"):
            kind = self.read(text)["kind"]
            self.assertIn(kind, ("gemini", "unknown", "unpadded"), path)
            seen[kind] += 1
        self.assertGreater(seen["gemini"], 20 * (seen["unknown"] + seen["unpadded"]))
        for text, path in recorded("encrypted_content"):
            if text.startswith("gAAAA"):
                self.assertEqual(self.read(text)["kind"], "fernet", path)

    def test_layouts(self):
        for layout, kind in KINDS.items():
            for infra in range(4):
                text = sign(MODEL, "x", layout, infra, ACCOUNT if infra else None)
                self.assertEqual(text[0], layout)
                got = self.read(text)
                self.assertEqual((got["kind"], got["infra"], got["account"], got["model"]),
                                 (kind, infra, infra > 0, MODEL))
        got = self.read(sign(MODEL, "x", named=False))
        self.assertEqual((got["kind"], got["model"]), ("claude", ""))
        for odd in ("a" * 64, "name with blanks", "\x1b[2J"):
            self.assertEqual(self.read(sign(odd, "x"))["model"], "", odd)

    def test_one_bit_of_what_is_encrypted_changes(self):
        for layout in KINDS:
            text = sign(MODEL, "x", layout)
            altered = self.read(text)["altered"]
            self.assertEqual(self.read(altered)["altered"], text)
            self.assertEqual(len(altered), len(text))
            before, after = thinker.read(text)[0], thinker.read(altered)[0]
            self.assertEqual({n for n in before if before[n] != after[n]}, {5})
            changed = [a ^ b for a, b in zip(before[5], after[5])]
            self.assertEqual([(i, x) for i, x in enumerate(changed) if x], [(120, 1)])
        self.assertEqual(self.read("AAAA" * 20)["altered"], "")

    def test_what_is_none(self):
        data = random.Random(3)
        for text, kind in (
                ("", "none"), ("x", "unknown"), ("A" * 12946, "kimi"), ("B" * 4340, "kimi"),
                ("gAAAAABqPVW8" + "x" * 88, "fernet"), ("A" * 41, "unpadded"),
                ("?" * 41, "unknown"), ("A" * 44, "unknown"),
                (coded(thinker.field(2, thinker.field(1, b"z" * 60))), "gemini"),
                (coded(thinker.field(1, b"z" * 60)), "gemini"),
                (coded(data.randbytes(300)), "unknown")):
            self.assertEqual(self.read(text)["kind"], kind, text[:20])

    def test_cut_and_changed_ones_are_unknown_or_read_alike(self):
        whole = sign(MODEL, "x", account=ACCOUNT)
        data = base64.b64decode(whole)
        for n in range(len(data)):
            got = self.read(coded(data[:n]))
            # The last field of all may be missing.
            self.assertEqual(got["kind"].startswith("claude"), n == len(data) - 2, n)
        chance = random.Random(5)
        for _ in range(2000):
            changed = bytearray(data)
            for _ in range(chance.randrange(1, 6)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            self.read(coded(changed))

    def test_accounts_are_taken_out_of_texts(self):
        for layout in KINDS:
            text, bare = sign(MODEL, "x", layout, 1, ACCOUNT), sign(MODEL, "x", layout, 1)
            for write in (lambda t: t, lambda t: t.replace("/", "\\/"),
                          lambda t: t.replace("+", "\\u002B").replace("=", "\\u003d")):
                within = '{"a":"' + write(text) + '","b":"' + write(bare) + '","c":"x y"}'
                got = json.loads(self.read("", within)["redacted"])
                self.assertEqual((got["b"], got["c"]), (bare, "x y"))
                container, channel = thinker.read(got["a"])
                self.assertEqual(channel[11], re.sub("[^-]", "0", ACCOUNT).encode())
                self.assertEqual({**channel, 11: 0}, {**thinker.read(text)[1], 11: 0})
                self.assertEqual({**container, 1: 0}, {**thinker.read(text)[0], 1: 0})
                self.assertEqual(self.read(got["a"])["account"], True)

    def test_names_of_models(self):
        for a, b, same in (
                ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "same"),
                ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "same"),
                ("anthropic/claude-4.5-sonnet:thinking", "claude-sonnet-4-5", "same"),
                ("claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001", "same"),
                ("claude-sonnet-4-0", "claude-sonnet-4-20250514", "same"),
                ("claude-opus-4-6[1m]", "claude-opus-4-6", "same"),
                ("Claude-Opus-5-thinking", "claude-opus-5", "same"),
                ("claude-opus-4-8", "claude-opus-4-6", "other"),
                ("claude-opus-4-8", "claude-haiku-4-5-20251001", "other"),
                ("claude-opus-latest", "claude-haiku-4-5-20251001", "other"),
                ("claude-opus-latest", "claude-opus-4-8", "unknown"),
                ("claude-opus-4", "claude-opus-4-8", "unknown"),
                ("my-model", "claude-opus-4-8", "unknown"), ("claude-opus-4-8", "", "unknown")):
            got = self.driver.ask("models", a=a, b=b)
            self.assertEqual((got["same"], got["claude"]), (same, "claude" in a.lower()), (a, b))
            self.assertEqual(self.driver.ask("models", a=b, b=a)["same"], same)


class Thoughts(AssayCase):
    def of(self, target, reference=None, model=MODEL, only="thoughts", **more):
        more["only"] = only
        options = ("--dialect", "messages", "--concurrency", "4")
        with Seller(before=target) as s:
            if reference is None:
                return self.assay(s.base, *options, model=model, profile="standard", **more)
            with Seller(before=reference) as r:
                return self.assay(s.base, *options, model=model, profile="standard",
                                  reference=r.base, **more)

    def said(self, done):
        """[(claim, state, tier)] of this probe's findings."""
        return {(c["claim"], f["state"], f["tier"]) for c in done.report["claims"]
                for f in c["findings"] if f["probe"] == "thoughts"}

    def cells(self, done):
        return [(line["side"], line["cell"]) for line in done.lines()
                if line.get("probe") == "thoughts"]

    def accused(self, done):
        return {said[0] for said in self.said(done) if said[1] == "inconsistent"}

    def test_an_honest_one_alone(self):
        done = self.of(Thinker(), only=None)
        self.assertEqual(self.said(done), {("features", "consistent", 5),
                                           ("provenance", "consistent", 5)}, done.out)
        self.assertEqual(sorted(self.cells(done)), [("target", c) for c in (
            "altered 1", "ask 1", "ask 2", "ask 3", "returned 1")])
        self.assertIn("with one bit of its signature changed it is refused", str(done.report))
        asked = [line for line in done.lines() if line.get("cell") == "returned 1"]
        self.assertNotIn("temperature", asked[0]["request"])
        self.assertEqual(asked[0]["request"]["messages"][1]["content"][0]["thinking"],
                         thinker.TEXT)

    def test_newer_models_take_another_kind(self):
        done = self.of(Thinker(takes=("adaptive",)))
        self.assertEqual(self.said(done), {("features", "consistent", 5),
                                           ("provenance", "consistent", 5)}, done.out)
        self.assertEqual(len(self.cells(done)), 8)

    def test_the_reference_takes_what_its_vendor_made(self):
        for more in ({}, {"infra": 1}, {"infra": 2, "layout": "R"}, {"layout": "C"},
                     {"account": ACCOUNT}, {"shows": "empty"}, {"takes": ("adaptive",)}):
            done = self.of(Thinker(**more), Thinker(takes=more.get("takes", ("enabled",))),
                           only="thoughts" if more else None)
            self.assertIn(("provenance", "consistent", 1), self.said(done), (more, done.out))
            self.assertIn(("identity", "consistent", 2), self.said(done))
            self.assertEqual(self.accused(done), set())

    def test_what_the_reference_refuses(self):
        """The signature of another model, and one that is made up with the right name."""
        for target, tiers in ((Thinker(model="claude-haiku-4-5"), {1, 2}),
                              (Thinker(secret=b"the seller's own"), {1})):
            done = self.of(target, Thinker())
            self.assertEqual({said for said in self.said(done) if said[1] == "inconsistent"},
                             {("identity", "inconsistent", tier) for tier in tiers}, done.out)
            self.assertEqual(done.status, 3)
            cells = self.cells(done)
            for cell in ("presented 1", "presented 2", "own-ask", "own-returned"):
                self.assertIn(("reference", cell), cells)

    def test_what_may_have_another_reason_accuses_nobody(self):
        vendor = Thinker()
        for name, target, reference in (
                ("account", Thinker(account=ACCOUNT, secret=b"x"), vendor),
                ("cloud", Thinker(infra=1, secret=b"x"), vendor),
                ("no name", Thinker(named=False, secret=b"x"), vendor),
                ("snapshot", Thinker(model=MODEL + "-20260101"), vendor),
                ("wrapped", Thinker(signature="eyJ3cmFwcGVkIjoi" + "YWJj" * 40, checks=False),
                 vendor),
                ("nothing is checked", Thinker(secret=b"x", checks=False), vendor),
                ("the reference refuses its own", Thinker(secret=b"x"), Thinker(models=("none",))),
                ("the reference does not think", Thinker(secret=b"x"), Thinker(takes=())),
                ("the reference checks nothing", Thinker(secret=b"x"), Thinker(checks=False)),
                ("refused by both", Thinker(models=("none",), secret=b"x"), vendor)):
            done = self.of(target, reference)
            self.assertEqual(self.accused(done), set(), (name, done.out))
            self.assertNotIn(("provenance", "consistent", 1), self.said(done), name)

    def test_a_reference_of_another_version_accuses_nobody(self):
        """An alias that means one version here and the next one there; a reference that was asked
        for another than what is sold."""
        older, newer = "claude-sonnet-4-5", "claude-sonnet-4-6"
        for sold in ("claude-sonnet-latest", older):
            done = self.of(Thinker(model=older), Thinker(model=newer), model=sold)
            self.assertIn(("reference", "presented 2"), self.cells(done))
            self.assertEqual(self.accused(done), set(), (sold, done.out))
        done = self.of(Thinker(model=older), Thinker(model=newer), model=newer)
        self.assertIn(("identity", "inconsistent", 1), self.said(done), done.out)
        done = self.of(Thinker(model=older, secret=b"x"), Thinker(model=older), model=older)
        self.assertIn(("identity", "inconsistent", 1), self.said(done), "by the same name")

    def test_a_relay_that_leaves_thoughts_out_on_the_way_in(self):
        done = self.of(Thinker(checks=False))
        self.assertIn(("provenance", "inconclusive", 5), self.said(done))
        self.assertEqual(self.accused(done), set())
        done = self.of(Thinker(checks=False), Thinker(), only=None)
        self.assertEqual(done.states()["provenance"], "consistent", "its vendor says so")

    def test_another_name_without_a_reference_accuses_nobody(self):
        done = self.of(Thinker(model="claude-haiku-4-5-20251001"))
        self.assertIn(("identity", "inconclusive", 2), self.said(done))
        self.assertIn("claude-haiku-4-5-20251001", done.out)
        self.assertEqual(self.accused(done), set())

    def test_signatures_of_others(self):
        for text, name in (("A" * 12946, "Kimi"), ("A" * 4340, "Kimi"),
                           ("gAAAAABqPVW8" + "x" * 88, "OpenAI"), ("A" * 41, "Grok")):
            done = self.of(Thinker(signature=text, checks=False))
            self.assertIn(("identity", "inconclusive", 2), self.said(done), name)
            self.assertIn(f"signs its thoughts as {name} does", re.sub(r"\s+", " ", done.out))
        done = self.of(Thinker(signature="A" * 12946, checks=False), model="kimi-k2")
        self.assertEqual(self.said(done), {("features", "consistent", 5)})

    def test_hidden_thoughts_are_shown(self):
        for shows in ("empty", "redacted"):
            done = self.of(Thinker(shows=shows))
            self.assertIn(("features", "consistent", 5), self.said(done), done.out)
            self.assertEqual(self.accused(done), set())

    def test_thoughts_that_are_billed_and_left_out(self):
        done = self.of(Thinker(shows=None))
        self.assertEqual(self.said(done), {("features", "inconsistent", 2)}, done.out)
        self.assertEqual(done.status, 3)
        self.assertEqual(self.said(self.of(Thinker(shows=None, takes=("adaptive",)))),
                         {("features", "inconsistent", 2)})
        for name, target, model in (
                ("converts", Thinker(shows=None, converts=True), MODEL),
                ("says so", Thinker(shows=None, lossy=True), MODEL),
                ("another vendor", Thinker(shows=None), "deepseek-v3")):
            done = self.of(target, model=model)
            self.assertEqual(self.said(done), {("features", "inconclusive", 5)}, name)
        for billed in (0, 50):
            self.assertEqual(self.said(self.of(Thinker(shows=None, billed=billed))), set())
        self.assertEqual(self.said(self.of(Thinker(takes=()))), set(), "it does not think")

    def test_whose_account_it_was_is_nowhere(self):
        for layout in KINDS:
            done = self.of(Thinker(account=ACCOUNT, layout=layout), Thinker())
            with open(os.path.join(done.folder, "evidence", "calls.jsonl"), encoding="utf-8") as f:
                kept = f.read()
            self.assertGreater(kept.count('"signature'), 4)
            texts = re.findall(r"[A-Za-z0-9+/]{200,}=*", kept)
            self.assertGreater(len(texts), 4)
            for text in texts:
                _, channel = thinker.read(text)
                self.assertEqual(channel.get(11, b"0").replace(b"-", b"").strip(b"0"), b"")
            for words in (kept, done.out, done.raw.decode()):
                self.assertNotIn(ACCOUNT, words)
            again = self.recompute(done)
            self.assertEqual((again.stdout, again.returncode), (done.out, done.status))

    def recompute(self, done):
        return subprocess.run([station.PROGRAM, "assay", "--recompute",
                               os.path.join(done.folder, "evidence")], capture_output=True,
                              text=True, timeout=60)

    def test_other_dialects_are_left_alone(self):
        for dialect, calls in (("chat", 0), ("responses", 0), ("gemini", 3)):
            with Seller() as s:
                done = self.assay(s.base, "--dialect", dialect, "--concurrency", "4", model=MODEL,
                                  profile="standard", only="tokens,thoughts")
            self.assertEqual((self.said(done), len(self.cells(done))), (set(), calls))


if __name__ == "__main__":
    unittest.main()
