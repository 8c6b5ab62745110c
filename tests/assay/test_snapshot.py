# SPDX-License-Identifier: Apache-2.0
"""Random numbers against those that models were recorded to give."""
import os
import random
import re
import subprocess
import unittest

from tests.assay import pilot, snapshots
from tests.assay.case import AssayCase
from tests.assay.driver import Driver
from tests.assay.seller import Seller
from tests.peer import station

QUESTION = "请从1到355之间随机选择一个数字，只输出这个数字，不要有任何其他内容。"
ROWS = {s.name: s for s in snapshots.shipped()}


def weights(name):
    return [(str(n), times) for n, times in ROWS[name].counts.items()]


def one_off(name, n=snapshots.TIMES, seed=1):
    return snapshots.afresh(random.Random(seed), ROWS[name], n)


class Shipped(unittest.TestCase):
    def test_the_counts_are_complete(self):
        self.assertEqual(len(ROWS), 28)
        for row in ROWS.values():
            self.assertEqual(sum(row.counts.values()), row.answers, row.name)
            self.assertLessEqual(set(row.counts), set(range(1, 356)))
            self.assertEqual(row.way == "GATEWAY", "/" in row.model)

    @unittest.skipUnless(pilot.BASELINES.exists(), "the baselines (../shared/data) are not here")
    def test_they_are_what_the_tool_makes_of_the_baselines(self):
        made = subprocess.run([station.ROOT + "/tools/snapshots", pilot.BASELINES], check=True,
                              capture_output=True).stdout
        with open(snapshots.DEFINITIONS, "rb") as file:
            self.assertEqual(file.read(), made)
        for name, answers in pilot.baselines().items():
            if name in ROWS:
                self.assertEqual(snapshots.collections.Counter(answers), ROWS[name].counts, name)


class Judged(AssayCase):
    def test_each_model_is_itself_and_none_is_accused(self):
        """40 answers as each would give them again. GPT-4o's are nearly even."""
        itself = 0
        for name, kinds in snapshots.of_itself(2).items():
            self.assertLessEqual({state for _, state in kinds},
                                 {"consistent", "inconclusive", "not testable"}, name)
            itself += kinds["itself", "consistent"]
        self.assertGreater(itself, 0.9 * 2 * len(ROWS))

    def test_another_is_noticed_and_not_accused(self):
        for mix, least in ((1.0, 0.95), (0.25, 0.25)):
            made = snapshots.of_others(40, mix=mix)
            self.assertNotIn("inconsistent", {state for _, state in made})
            self.assertGreaterEqual(40 - made["itself", "consistent"], least * 40, made)

    def test_what_is_said_of_it(self):
        state, finding, status = snapshots.judged("claude-opus-4.8", one_off("Claude-Opus-4.8"))
        self.assertEqual((state, status, finding["tier"]), ("consistent", 2, 4))
        self.assertIn("Claude-Opus-4.8 (recorded 2026-07-22 through a gateway)", finding["text"])
        self.assertGreater(finding["numbers"]["catches_other"], 0.98)
        self.assertNotIn("hardly told", finding["would_miss"])
        state, finding, status = snapshots.judged("claude-opus-4.8", one_off("GLM-5"))
        self.assertEqual((state, status), ("inconclusive", 2))
        self.assertIn("far less likely those of Claude-Opus-4.8", finding["text"])
        self.assertIn("than those of GLM-5.", finding["text"])
        self.assertIn("has changed since then", finding["benign"])

    def test_near_relatives_are_named(self):
        """GPT-5.5 and GPT-5.6-Sol are the hardest pair that is published."""
        near = [snapshots.judged("gpt-5.5", one_off("GPT-5.5", seed=seed), seed)[1]
                for seed in range(3)]
        for finding in near:
            self.assertIn("hardly told from it: ", finding["would_miss"])
            self.assertIn("GPT-5.6-Sol", finding["would_miss"])
            self.assertLess(finding["numbers"]["knows_itself"], 0.95)

    def test_the_limits_are_what_happens(self):
        for name in ("Kimi-K3", "GPT-4.1", "Qwen3.7-Max"):
            chance, row, told = random.Random(3), ROWS[name], 0
            limits = snapshots.judged(row.model, one_off(name))[1]["numbers"]
            for run in range(20):
                kind, _ = snapshots.found(row.model, snapshots.afresh(chance, row), run)
                told += kind == "itself"
            self.assertAlmostEqual(told / 20, limits["knows_itself"], delta=0.3, msg=name)

    def test_names_that_mean_the_same(self):
        same = {"GPT-4o": ["gpt-4o", "openai/gpt-4o", "openai/gpt-4o-2024-08-06", "GPT-4o",
                           "gpt-4o-latest"],
                "Claude-Opus-4.8": ["claude-opus-4.8", "claude-opus-4-8",
                                    "anthropic/claude-opus-4-8-20260401",
                                    "us.anthropic.claude-opus-4-8-20260401-v1:0"],
                "Claude-Haiku-4.5": ["claude-haiku-4-5@20251001"],
                "Doubao-Pro-1.5": ["doubao-1.5-pro-32k", "doubao-1-5-pro-32k-250115"],
                "DeepSeek-V4-Flash": ["deepseek/deepseek-v4-flash:free"],
                "MiniMax-M3": ["minimax/minimax-m3"]}
        for name, models in same.items():
            for model in models:
                text = snapshots.judged(model, one_off("Qwen3.7-Max"))[1]["text"]
                self.assertIn(f"those of {name} (recorded", text, model)

    def test_names_that_do_not(self):
        for model in ("gpt-4o-audio-preview", "gpt-4o-sim", "gpt-4", "claude-opus-4", "gpt-5.5-pro",
                      "kimi-k2", "minimax-m2.7", "my-gpt-4o", "deepseek-v4-flash:thinking"):
            state, finding, status = snapshots.judged(model, one_off("Qwen3.7-Max"))
            self.assertEqual((state, status), ("not testable", 2), model)
            self.assertIn(f"never recorded here how {model} answers.", finding["text"])
            self.assertIn("Qwen3.7-Max is the likeliest", finding["text"])
            self.assertNotIn("benign", finding)

    def test_answers_that_are_no_numbers(self):
        good = one_off("Claude-Opus-4.8")
        for bad in ("", "pong", "356", "0", "随机数是 7", "3.5", "-7", "1" * 400):
            state, finding, _ = snapshots.judged("claude-opus-4.8", [bad] * 11 + good[11:])
            self.assertEqual(state, "not testable", bad)
            self.assertIn("Of 40 answers that should be a random number 29 are one",
                          finding["text"])
        dressed = [f" **{n}**。\n" if n % 2 else f'"{n}".' for n in good]
        self.assertEqual(snapshots.judged("claude-opus-4.8", dressed)[0], "consistent")

    def test_a_cache_accuses_nobody(self):
        for name, row in ROWS.items():
            likeliest = max(row.counts, key=row.counts.get)
            state, _, status = snapshots.judged(row.model, [likeliest] * 40)
            self.assertIn(state, ("consistent", "inconclusive", "not testable"), name)
            self.assertIn(status, (0, 2))

    def drawing(self, model, answers):
        folder = os.path.join(self.folder, model)
        os.mkdir(folder)
        with open(os.path.join(folder, "calls.jsonl"), "w", encoding="utf-8") as file:
            file.write(snapshots.evidence(model, answers))
        page = os.path.join(folder, "page.html")
        subprocess.run([station.PROGRAM, "assay", "--recompute", folder, "--html", page],
                       stdout=subprocess.DEVNULL, timeout=60)
        with open(page, encoding="utf-8") as file:
            return file.read().partition("<figure>")[2]

    def test_the_numbers_are_drawn_beside_those_that_were_recorded(self):
        drawn = self.drawing("claude-opus-4-8", [237] * 30 + [217] * 9 + ["no number"])
        bars = re.findall(r'<text class="e"[^>]*>(\d+)</text><rect class="h"[^>]*width="([\d.]+)"'
                          r'[^>]*/><text[^>]*>(\d+)</text><rect class="t"[^>]*width="([\d.]+)"'
                          r'[^>]*/><text[^>]*>(\d+)<', drawn)
        self.assertEqual({bar[0]: (int(bar[2]), int(bar[4])) for bar in bars},
                         {"237": (30, 194), "217": (9, 3), "227": (0, 1), "247": (0, 2)})
        self.assertEqual(bars[0][0], "237")
        for _, here, times, then, recorded in bars:     # in shares: of 39 here, of 200 then
            self.assertAlmostEqual(float(here) / (int(times) / 39 or 1),
                                   float(bars[0][3]) / 0.97 if int(times) else 0, delta=1)
            self.assertAlmostEqual(float(then), float(bars[0][3]) * int(recorded) / 194, delta=1)

    def test_nothing_is_drawn_of_what_was_not_recorded(self):
        self.assertEqual(self.drawing("nobody-1", [7] * 40), "")
        self.assertEqual(self.drawing("gpt-4o", ["pong"] * 40), "")


class Asked(AssayCase):
    def test_in_each_dialect(self):
        """As it was asked when it was recorded, of the target alone."""
        for dialect in ("chat", "responses", "messages", "gemini"):
            with Seller(choices={"1到355": weights("GPT-4o-mini")}) as s, Seller() as r:
                done = self.assay(s.base, "--dialect", dialect, "--concurrency", "4",
                                  model="gpt-4o-mini", profile="standard",
                                  reference=r.base if dialect == "chat" else None,
                                  only="snapshot")
            finding = next(f for f in done.claim("identity")["findings"]
                           if f["probe"] == "snapshot")
            self.assertEqual(finding["state"], "consistent", (dialect, done.out))
            asked = [line for line in done.lines() if line.get("probe") == "snapshot"]
            self.assertEqual({line["side"] for line in asked}, {"target"})
            self.assertEqual(len(asked), 40)
            for line in asked:
                body = str(line["request"])
                self.assertIn(QUESTION, body)
                self.assertRegex(body, r"'temperature': 1\b")
                self.assertRegex(body, r"(?i)max_?(output_?)?tokens': 16\b")
                self.assertNotRegex(body, r"(?i)'(system|system_?instruction|instructions)'")

    def test_a_swap_is_seen_beside_the_tokenizer(self):
        """Another model with the same tokenizer: nobody is accused, and yet it is said."""
        with Seller(choices={"1到355": weights("GPT-4o-mini")}) as s:
            done = self.assay(s.base, "--concurrency", "4", model="gpt-4.1", profile="standard")
        self.assertNotIn("inconsistent", done.states().values())
        finding = next(f for f in done.claim("identity")["findings"] if f["probe"] == "snapshot")
        self.assertEqual(finding["state"], "inconclusive")
        self.assertIn("than those of GPT-4o-mini.", finding["text"])

    def test_a_model_that_thinks_first(self):
        with Seller(choices={"1到355": [("", 1)]}) as s:
            done = self.assay(s.base, "--concurrency", "4", model="gpt-5.5", profile="standard",
                              only="snapshot")
        finding = next(f for f in done.claim("identity")["findings"] if f["probe"] == "snapshot")
        self.assertEqual(finding["state"], "not testable")
        self.assertIn("a random number 0 are one", finding["text"])


@unittest.skipUnless(pilot.BASELINES.exists(), "the baselines (../shared/data) are not here")
class HeldOut(unittest.TestCase):
    def test_the_second_half_is_known_by_the_first(self):
        """Of each collection, 40 answers against a snapshot of its first half: .89 in the order of
        collection, in which two models drift, and .94 out of order."""
        driver = Driver()
        self.addCleanup(driver.close)
        for ordered, least in ((True, 0.82), (False, 0.88)):
            right, of, _ = snapshots.held_out(driver, 5, ordered=ordered)
            self.assertGreater(right / of, least)


if __name__ == "__main__":
    unittest.main()
