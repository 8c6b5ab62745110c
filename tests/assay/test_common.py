# SPDX-License-Identifier: Apache-2.0
"""What answers to different requests have in common, what an endpoint says that sells nothing, and
when a run has decided something."""
import json
import unittest

from tests.assay.case import KEY, AssayCase
from tests.assay.seller import Seller
from tests.assay.test_answers import MODEL

FEW = ("--only", "tokens,folk,settings,context")


class Noted(Seller):
    def __init__(self, before="", behind="", **kind):
        super().__init__(**kind)
        self.around = before, behind

    def say(self, text, body):
        return self.around[0] + super().say(text, body) + self.around[1]


class Common(AssayCase):
    def of(self, seller, *options):
        with seller as s:
            return self.assay(s.base, "--concurrency", "4", "--dialect", "chat", *options,
                              profile="standard")

    def found(self, done):
        return [(c["claim"], f["state"], f["text"]) for c in done.report["claims"]
                for f in c["findings"] if f["probe"] == "common"]

    def test_a_note_around_each_answer(self):
        for before, behind, said in (
                ("", "\n\n[Reviewed by SafeGate.]", "same 0 bytes and end with the same 25"),
                ("Here you are: ", "", "same 14 bytes and end with the same 0")):
            done = self.of(Noted(before, behind), *FEW)
            (claim, state, text), = self.found(done)
            self.assertEqual((claim, state), ("provenance", "inconclusive"), text)
            self.assertIn(said, text)
            self.assertNotEqual(done.states()["provenance"], "consistent")
            self.assertEqual(done.status, 0)

    def test_a_note_is_no_other_model(self):
        """Beside a reference without it: the answers within are the same."""
        for before, behind in (("", "\n\n[Reviewed by SafeGate.]"), ("```\n", "\n```"),
                               ("<think>hm</think>", "")):
            with Noted(before, behind, choices=MODEL) as s, Seller(choices=MODEL) as r:
                done = self.assay(s.base, "--concurrency", "4", "--dialect", "chat", "--only",
                                  "tokens,answers,folk", profile="standard", reference=r.base)
            found, = (f for f in done.claim("identity")["findings"] if f["probe"] == "answers")
            self.assertNotEqual(found["state"], "inconsistent", done.out)

    def test_nothing_is_in_common(self):
        self.assertEqual(self.found(self.of(Seller(), *FEW)), [])

    def test_one_text_for_everything_and_none(self):
        class Const(Seller):
            def say(self, text, body):
                return self.answer
        for answer, said in (("As an assistant I say this.", "are the same"), ("", "are empty")):
            done = self.of(Const(answer=answer), *FEW)
            (claim, state, text), = self.found(done)
            self.assertEqual((claim, state), ("stability", "inconclusive"), text)
            self.assertIn(said, text)

    def test_who_sends_the_key_back(self):
        escaped = json.dumps(KEY).replace("-", "\\u002d")

        def before(n, *_):
            return (200, f'{{"choices":[{{"message":{{"content":{escaped}}}}}]}}'.encode()) \
                if n % 2 else None
        done = self.of(Seller(before=before), *FEW)
        self.assertIn("held the key and were removed", str(self.found(done)))

    def test_counts_that_cannot_be(self):
        for counts, told in (((0, 0), "that cannot be"),
                             ((9, 9223372036854775807), "counts of 0 of")):
            class Odd(Seller):
                def reply(self, dialect, body, counts=counts):
                    made = super().reply(dialect, body)
                    made["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), counts),
                                         total_tokens=sum(counts))
                    return made
            done = self.of(Odd(), "--only", "folk")
            said = [f["text"] for c in done.report["claims"] for f in c["findings"]
                    if f["probe"] == "arithmetic"]
            self.assertIn(told, str(said))
            self.assertNotIn("than it has bytes", str(said))

    def test_how_answers_look_decides_nothing(self):
        done = self.of(Seller(), "--only", "settings")
        self.assertEqual(done.states()["features"], "consistent", done.out)
        self.assertEqual(done.status, 2, done.out)


class Words(AssayCase):
    def test_the_endpoints_own_words(self):
        for answer, said in (
                ((404, {"error": {"message": "no such \x1b[31m model"}}), "no such"),
                ((200, b"<html>welcome</html>"), "in no dialect that is known here"),
                ((200, b"<html>welcome</html>"), "welcome"),
                ((400, {"error": {"message": "key " + KEY}}), "[key removed]"),
                ((302, b"", [("Location", "https://elsewhere.example/")]), "sends elsewhere")):
            with Seller(before=lambda *_, a=answer: a) as s:
                done = self.assay(s.base)
            self.assertEqual(done.status, 4, done.errors)
            self.assertIn(said, done.errors)
            self.assertNotIn(KEY, done.errors)
            self.assertNotIn("\x1b", done.errors)

    def test_what_it_was_billed_stands_in_the_head(self):
        with Seller() as s:
            done = self.assay(s.base)
        calls = done.report["calls"]
        self.assertIn(f"{calls['input_tokens']} tokens of input and {calls['output_tokens']} of "
                      "output are billed", " ".join(done.out.split()))
        self.assertIn("USD at the list price", " ".join(done.out.split()))

    def test_no_money_is_no_limit(self):
        done = self.assay("http://127.0.0.1:1/v1", "--max-cost", "0")
        self.assertEqual(done.status, 1)
        self.assertIn("--max-cost", done.errors)


if __name__ == "__main__":
    unittest.main()
