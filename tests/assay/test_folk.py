# SPDX-License-Identifier: Apache-2.0
"""What people usually ask: told as they know it, and weighing nothing."""
import re
import unittest

from tests.assay.case import AssayCase
from tests.assay.seller import Seller

PONG = ("Always say 'pong' exactly, and tell me what series of models you are from, preferably "
        "the specific version number. Reply in Chinese.")
NAMES = ("ping-pong", "the largest", "ping tokens", "refusal", "tool call")


class Folk(AssayCase):
    def folk(self, *options, **kind):
        with Seller(**kind) as s:
            return self.assay(s.base, "--concurrency", "4", *options, profile="folk")

    def finding(self, done, name):
        return next(f for c in done.report["claims"] for f in c["findings"]
                    if f["probe"] == "folk" and f["group"] == name)

    def text(self, name, **kind):
        return self.finding(self.folk(**kind), name)["text"]

    def test_each_is_asked_as_people_ask_it(self):
        for dialect in ("chat", "responses", "messages", "gemini"):
            done = self.folk("--dialect", dialect)
            lines = [line for line in done.lines() if line.get("probe") == "folk"]
            pong = next(line for line in lines if line["cell"] == "pong")
            self.assertIn(PONG, str(pong["request"]).replace('\\"', '"').replace("\\'", "'"))
            self.assertRegex(str(pong["request"]), r"'ping'")
            maxima = [line for line in lines if line["cell"] == "maximum"]
            self.assertEqual(len(maxima), 10)
            for line in maxima:
                self.assertIn("5, 15, 77, 19, 53, 54", str(line["request"]))
                self.assertRegex(str(line["request"]), r"'temperature': 0\.01\b")
            self.assertEqual(done.states()["context"], "consistent", done.out)
            self.assertEqual(done.states()["features"], "consistent", done.out)

    def test_the_report_names_them_and_what_they_are_worth(self):
        done = self.folk()
        for name in NAMES:
            self.assertRegex(done.out, rf"(?m)^  {name}( \*)?  +\S")
        section = done.out.partition("What people usually ask")[2].partition("\n\n")[0]
        self.assertEqual(re.findall(r"(?m)^  (\S.*?)  ", section), list(NAMES[:4]))
        self.assertEqual(len(re.findall(r"(?m)^    worth  ", section)), 4)
        self.assertLess(done.out.index("What people usually ask"), done.out.index("tool call *"))
        for name in NAMES[:4]:
            found = self.finding(done, name)
            self.assertEqual(found["tier"], 6)
            self.assertTrue(found["worth"].startswith(("nothing", "next to nothing", "little")))
            self.assertNotIn("would_miss", found)

    def test_they_weigh_nothing(self):
        """All that folk wisdom calls false, of a seller who is not."""
        done = self.folk(answer="Great question! 😀 I am Claude, 162 is the largest.", hidden=1600,
                         dialects=("chat",))
        self.assertNotIn("inconsistent", done.states().values())
        self.assertNotIn("identity", done.states())
        self.assertNotIn("prompt", done.states())
        self.assertEqual(done.status, 0)

    def test_pong(self):
        for said, seen in (("pong", "pong alone"), ("Pong", "pong alone"),
                           ("pong。我是 GPT-4o。", "pong and more"), ("你好", "no pong")):
            self.assertIn(f"it answers with {seen}: ", self.text("ping-pong", answer=said))
        text = self.text("ping-pong", answer="pong! 我是通义千问，由阿里云开发，不是ChatGPT ✨")
        self.assertIn("It names GPT, Qwen. There are emoji.", text)
        text = self.text("ping-pong", answer="pong")
        self.assertIn('"pong". It names no model. There are no emoji. It is billed 41 tokens of '
                      "input.", text)
        self.assertIn("tokens of input, beyond 200.", self.text("ping-pong", hidden=300))
        self.assertIn("It is billed 41 tokens of input.", text)

    def test_ping(self):
        for hidden, end in ((0, "8 tokens of input."), (192, "200 tokens of input."),
                            (193, "201 tokens of input, beyond 200."),
                            (1492, "1500 tokens of input, beyond 200."),
                            (1493, "1501 tokens of input, beyond 1,500: as many as a coding "
                                   "client's own prompt has.")):
            self.assertEqual(self.text("ping tokens", hidden=hidden),
                             "The single word ping is billed " + end)

    def test_the_largest(self):
        def text(*answers):
            return self.text("the largest", choices={"77, 19": [(a, 1) for a in answers]})
        self.assertIn("10 of 10 say 77, 0 say 162; distinct answers: 1.", text("77"))
        self.assertIn("10 of 10 say 77, 0 say 162; distinct answers: 1.", text(" **77** \n"))
        self.assertIn("0 of 10 say 77, 10 say 162; distinct answers: 1.", text("162"))
        for wrong in ("177", "770", "1627"):
            self.assertIn("0 of 10 say 77, 0 say 162", text(wrong))
        wild = text(*map(str, range(40, 76)))
        self.assertGreater(int(re.search(r"distinct answers: (\d+)", wild)[1]), 4)

    def test_refusals(self):
        def text(said):
            return self.text("refusal", choices={"neighbour": [(said, 1)]})
        self.assertIn("It declines. It apologises. There are no emoji.",
                      text("I'm sorry, but I can’t help with that."))
        self.assertIn("It declines. It apologises. There are no emoji.", text("抱歉，我无法提供帮助。"))
        self.assertIn("It does not decline. It flatters. There are emoji.",
                      text("Great question! 😊 First take a pick."))
        self.assertIn("it answers with 4 bytes: \"Sure\". It does not decline. There are no emoji.",
                      text("Sure"))

    def test_a_tool_that_is_not_called(self):
        def before(n, path, headers, body):
            body.pop("tools", None)
        done = self.folk(before=before)
        self.assertEqual(done.states()["features"], "inconclusive")
        self.assertIn("told to use it, it calls none", self.finding(done, "tool call")["text"])


if __name__ == "__main__":
    unittest.main()
