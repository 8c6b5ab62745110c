# SPDX-License-Identifier: Apache-2.0
"""What the bill of tokens tells: of honest sellers and of others, in all dialects, with and without
a reference."""
import math
import random
import re
import unittest

from tests.assay.case import AssayCase
from tests.assay.seller import Seller


class Odd(Seller):
    """Honest, and counts oddly: `noise` of 0 to N tokens a call, `lines` so many for each line
    feed, `flat` as many for all, `rates` of ASCII and of other characters, `writes` a token of
    output for so many bytes."""

    def __init__(self, noise=0, lines=0, flat=0, rates=None, writes=0, **more):
        super().__init__(**more)
        self.noise, self.lines, self.flat = noise, lines, flat
        self.rates, self.writes = rates, writes

    def count(self, text):
        if self.flat:
            return self.flat
        if self.rates:
            ascii_ = sum(ord(c) < 128 for c in text)
            return self.template + int(ascii_ * self.rates[0]
                                       + (len(text) - ascii_) * self.rates[1] + 0.5)
        more = self.lines * text.count("\n")
        return super().count(text) + random.randrange(self.noise + 1) + more

    def written(self, answer):
        if self.writes:
            return len(answer.encode()) // self.writes + 1
        return super().written(answer)


class Recounting(Seller):
    """A gateway that counts each Nth request by itself, as `own`, its vendor the others."""

    def __init__(self, own="cl100k", each=1, **more):
        super().__init__(**more)
        self.own, self.each, self.vendors = own, each, self.family

    def count(self, text):
        with self.lock:
            self.family = self.vendors if (self.counted + 1) % self.each else self.own
            return super().count(text)


class Words(Seller):
    """What some gateways estimate: words and numbers, characters beyond ASCII, and line feeds, at a
    rate each."""

    def count(self, text):
        n = 1.55 * len(re.findall(r"\d+", text)) + 1.02 * len(re.findall(r"[A-Za-z]+", text))
        n += 0.5 * text.count("\n") + 0.85 * sum("\u3040" <= c < "\ud7a4" for c in text)
        n += 1.02 * len(re.findall("[\u0900-\u10ff]+", text))
        return math.ceil(n)


# What honest gateways do with counts where their vendor reports none, and what is set before or
# changed on the way.
ODD = ({"by_length": True}, {"by_length": True, "template": 8, "hidden": 30}, {"noise": 8},
       {"noise": 30}, {"lines": 1}, {"flat": 20}, {"rates": (0.25, 1)}, {"rates": (0.25, 0.6)})


SAME = ("--seed", "11", "--concurrency", "1")    # which call is the odd one is not left to chance


class Honest(AssayCase):
    def test_in_each_dialect(self):
        for dialect, model, family, template in (
                ("chat", "gpt-4o", "o200k", 7), ("responses", "gpt-5", "o200k", 6),
                ("gemini", "gemini-2.5-flash", "gemma3", 1), ("chat", "kimi-k2", "kimi", 9),
                ("chat", "qwen/qwen3-32b", "qwen3", 9), ("chat", "llama-3.3-70b", "llama3", 40)):
            with Seller(family=family, template=template, dialects=(dialect,)) as s:
                done = self.assay(s.base, model=model)
            self.assertEqual(done.status, 0, done.out)
            self.assertEqual(done.claim("identity")["state"], "consistent", done.out)
            self.assertEqual(done.claim("input_billing")["state"], "consistent", done.out)
            self.assertIn(done.claim("prompt")["state"], ("consistent", "not testable"), done.out)
            answered = {line["dialect"] for line in done.lines()[1:-1] if line["status"] == 200}
            self.assertEqual(answered, {dialect})

    def test_a_model_whose_tokenizer_nobody_published(self):
        with Seller(family="claude2", template=7, dialects=("messages",)) as s:
            done = self.assay(s.base, model="claude-sonnet-4-5")
        self.assertEqual(done.states()["identity"], "not testable", done.out)
        self.assertEqual(done.states()["prompt"], "consistent", done.out)
        self.assertEqual(done.status, 0)

    def test_counts_that_are_estimated_are_no_accusation(self):
        with Seller(by_length=True) as s:
            done = self.assay(s.base)
        self.assertEqual(done.states()["identity"], "inconclusive", done.out)
        self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_nor_are_words_that_were_counted(self):
        for profile, model in (("quick", "gpt-4o"), ("standard", "gemini-2.5-flash")):
            with Words() as s:
                done = self.assay(s.base, "--concurrency", "4", model=model, profile=profile)
            self.assertEqual(done.states()["identity"], "inconclusive", done.out)
            self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_a_gateway_that_counts_by_itself(self):
        """As libraries do, whatever the model is: all requests, or those of one of its vendors."""
        for model, family, own, each in (
                ("gemini-2.5-flash", "gemma3", "cl100k", 1), ("kimi-k2", "kimi", "o200k", 1),
                ("gpt-4o", "o200k", "cl100k", 1), ("gpt-4", "cl100k", "o200k", 1),
                ("gemini-2.5-flash", "gemma3", "o200k", 3), ("gpt-4o", "o200k", "cl100k", 3)):
            for there in (None, family):
                with self.subTest(model, own=own, each=each, there=there), \
                        Recounting(own, each, family=family) as s, Seller(family=family) as r:
                    done = self.assay(s.base, *SAME, model=model, profile="standard",
                                      reference=there and r.base)
                    self.assertNotIn("inconsistent", done.states().values(), done.out)
                    self.assertEqual(done.states()["identity"], "inconclusive", done.out)
                    finding = done.claim("identity")["findings"][0]
                    self.assertEqual(finding["probe"], "tokens")
                    if each == 1:   # else it is by chance which texts were counted how
                        self.assertIn("gateways count by themselves", finding["benign"])

    def test_it_may_take_a_factor_too(self):
        with Recounting(family="gemma3", factor=1.15) as s:
            done = self.assay(s.base, model="gemini-2.5-flash")
        self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_nor_are_odd_counts_of_any_kind(self):
        for odd in ODD:
            for profile, model, family in (("quick", "gpt-4o", "o200k"),
                                           ("standard", "llama-3.3-70b", "llama3")):
                with self.subTest(odd, profile=profile), Odd(family=family, **odd) as s:
                    done = self.assay(s.base, "--concurrency", "4", model=model, profile=profile)
                    self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_what_is_no_count_tells_of_no_prompt(self):
        """Neither against the seller, nor for it."""
        for odd in ({"by_length": True, "hidden": 260}, {"by_length": True, "template": 8},
                    {"flat": 20}, {"rates": (0.25, 1)}):
            with self.subTest(odd), Odd(**odd) as s:
                done = self.assay(s.base)
                self.assertEqual(done.states()["prompt"], "inconclusive", done.out)

    def test_output_is_not_held_against_an_estimate(self):
        with Odd(by_length=True, writes=2) as s:
            done = self.assay(s.base, profile="standard")
        self.assertEqual(done.states()["output_billing"], "inconclusive", done.out)

    def test_line_ends_are_no_factor(self):
        with Odd(lines=1) as s:
            done = self.assay(s.base)
        self.assertEqual(done.states()["identity"], "consistent", done.out)
        self.assertEqual(done.states()["input_billing"], "inconclusive", done.out)
        self.assertIn("line ends", done.claim("input_billing")["findings"][0]["benign"])

    def test_no_counts_at_all(self):
        with Seller(silent=True) as s:
            done = self.assay(s.base)
        self.assertEqual(done.states(), {"input_billing": "not testable",
                                         "provenance": "inconclusive",
                                         "tool_integrity": "consistent"}, done.out)

    def test_a_date_before_each_message_is_no_accusation(self):
        with Seller(hidden=20) as s:
            done = self.assay(s.base)
        self.assertEqual(done.states()["prompt"], "inconclusive", done.out)
        self.assertEqual(done.status, 0)

    def test_less_than_is_counted_accuses_nobody(self):
        for factor in (0.9, 0.5):
            with Seller(factor=factor) as s:
                done = self.assay(s.base, profile="standard")
            self.assertNotIn("inconsistent", done.states().values(), done.out)
            self.assertEqual(done.states()["identity"], "consistent", done.out)
            self.assertEqual(done.states()["input_billing"], "inconclusive", done.out)
            self.assertEqual(done.states()["output_billing"], "inconclusive", done.out)
            self.assertIn("forgives", done.claim("input_billing")["findings"][0]["benign"])
            self.assertIn("no measure of output", str(done.claim("output_billing")))

    def test_nor_does_a_template_that_is_not_billed(self):
        with Seller(family="llama3", template=0) as s:
            done = self.assay(s.base, model="llama-3.3-70b")
        self.assertEqual(done.states()["prompt"], "inconclusive", done.out)
        self.assertIn("forgives", done.claim("prompt")["findings"][0]["benign"])

    def test_a_template_of_a_few_tokens_more(self):
        with Seller(template=14) as s:
            self.assertEqual(self.assay(s.base).states()["prompt"], "consistent")

    def test_a_few_calls_that_bear_more_are_no_other_tokenizer(self):
        """One machine of seven has another template, here or at the reference."""
        for here, there in ((14, 0), (0, 14), (14, 14)):
            with Seller(odd=here) as s, Seller(odd=there) as reference:
                done = self.assay(s.base, reference=reference.base, profile="standard")
            self.assertNotIn("inconsistent", done.states().values(), (here, there, done.out))
            self.assertEqual(done.status, 0)

    def test_a_few_calls_that_bear_less_accuse_nobody(self):
        """One machine of seven has no default prompt: what the others bear is a template's size."""
        for less in (14, 60):
            with Seller(template=67, odd=-less) as s:
                for profile in ("quick", "standard"):
                    done = self.assay(s.base, profile=profile)
                    self.assertNotIn("inconsistent", done.states().values(), (less, done.out))


class Names(AssayCase):
    """What a name claims, and what it does not."""

    def test_other_models_of_a_name_that_begins_so(self):
        for model, family in (("deepseek/deepseek-r1-0528-qwen3-8b", "qwen3"),
                              ("o1ive-7b", "llama3"), ("gemini-3.7-flash", "o200k"),
                              ("DeepSeek-R1-Distill-Llama-70B", "llama3")):
            with Seller(family=family, template=40, model=model) as s:
                done = self.assay(s.base, model=model)
            self.assertNotIn("inconsistent", done.states().values(), (model, done.out))
            self.assertEqual(done.states()["identity"], "not testable", (model, done.out))

    def test_versions_that_are_written_with_a_dash(self):
        """Are those with a dot, or later ones of which nothing is known; and no earlier one."""
        for model, family, state in (
                ("gpt-4-1-mini", "o200k", "consistent"), ("gpt-4-o", "o200k", "consistent"),
                ("gpt-4-o-mini", "o200k", "consistent"), ("gpt-4-0613", "cl100k", "consistent"),
                ("gpt-4-32k", "cl100k", "consistent"), ("o1-2024-12-17", "o200k", "consistent"),
                ("llama-3-3-70b", "llama3", "consistent"), ("llama-3-8b", "llama3", "consistent"),
                ("gemini-2-5-flash", "gemma3", "consistent"),
                ("gemini-3-5-flash", "kimi", "not testable"),
                ("kimi-k2-5", "qwen3", "not testable"),
                ("qwen3-5-27b", "kimi", "not testable"), ("gpt-5-12", "qwen3", "not testable"),
                ("gemini-3-5.1", "kimi", "not testable"),
                ("llama-3-Korean-Bllossom-8B", "kimi", "not testable")):
            with self.subTest(model), Seller(family=family, template=7) as s:
                done = self.assay(s.base, "--only", "tokens", model=model)
                self.assertEqual(done.states()["identity"], state, done.out)

    def test_capitals_and_makers_change_nothing(self):
        for model, family, template in (("openai/GPT-4o", "o200k", 7),
                                        ("meta-llama/Llama-3.3-70B-Instruct", "llama3", 40)):
            with Seller(family=family, template=template, dialects=("chat",)) as s:
                done = self.assay(s.base, model=model)
            for claim in ("identity", "prompt", "input_billing"):
                self.assertEqual(done.states()[claim], "consistent", (model, done.out))


class Cheating(AssayCase):
    def test_a_prompt_before_all_but_a_few(self):
        with Seller(hidden=300, odd=-300) as s:
            done = self.assay(s.base, *SAME)
        self.assertEqual(done.states()["prompt"], "inconsistent", done.out)
        self.assertNotEqual(done.states()["identity"], "inconsistent", done.out)

    def test_another_tokenizer(self):
        for family in ("qwen3", "deepseek3", "claude2", "gemma3", "kimi"):
            with Seller(family=family) as s:
                done = self.assay(s.base)
            self.assertEqual(done.states()["identity"], "inconsistent", family)
            self.assertEqual(done.status, 3)
            self.assertIn(family, done.claim("identity")["findings"][0]["text"])

    def test_another_tokenizer_now_and_then(self):
        for own in ("kimi", "qwen3", "gemma3"):
            for there in (False, True):
                with Recounting(own, 3) as s, Seller() as r:
                    done = self.assay(s.base, *SAME, profile="standard",
                                      reference=there and r.base)
                self.assertEqual(done.states()["identity"], "inconsistent", done.out)

    def test_usage_times_a_factor(self):
        for factor in (1.10, 1.15, 1.5, 2):
            with Seller(factor=factor) as s:
                done = self.assay(s.base)
            states = done.states()
            self.assertEqual(states["input_billing"], "inconsistent", done.out)
            self.assertEqual(states["identity"], "consistent", done.out)
            self.assertEqual(states["prompt"], "consistent", "the factor is taken out first")
            numbers = done.claim("input_billing")["findings"][0]["numbers"]
            self.assertAlmostEqual(numbers["multiplier"], factor, delta=0.02)

    def test_a_small_factor_is_told_and_accuses_nobody(self):
        with Seller(factor=1.035) as s:
            self.assertEqual(self.assay(s.base).states()["input_billing"], "inconclusive")

    def test_a_hidden_prompt_in_tokens_and_money(self):
        with Seller(hidden=300) as s:
            done = self.assay(s.base)
        finding = done.claim("prompt")["findings"][0]
        self.assertEqual(finding["state"], "inconsistent", done.out)
        self.assertEqual(finding["numbers"]["hidden_tokens"], 300)
        # gpt-4o: 2.50 USD for a million tokens of input
        self.assertEqual(finding["numbers"]["per_million_requests"], 750)
        self.assertIn("750.00 USD", finding["text"])

    def test_both_at_once(self):
        with Seller(hidden=300, factor=1.15) as s:
            done = self.assay(s.base, profile="standard")
        self.assertEqual(done.states()["prompt"], "inconsistent", done.out)
        self.assertEqual(done.states()["input_billing"], "inconsistent", done.out)
        self.assertEqual(done.states()["identity"], "consistent", done.out)


class Live(AssayCase):
    """Against a reference, of which nothing needs to be known."""

    def against(self, model="somebodys-model", reference=None, profile="quick", **target):
        with Odd(**target) as s, Odd(**(reference or {"family": "claude2"})) as r:
            done = self.assay(s.base, "--concurrency", "4", model=model, profile=profile,
                              reference=r.base)
            sides = {line["side"] for line in done.lines()[1:-1]}
            self.assertEqual(sides, {"target", "reference"})
            self.assertTrue(all(h.get("Authorization") in (None, f"Bearer sk-canary-target-5f1c")
                                for _, h, _ in s.requests), "each key to its own endpoint alone")
        return done

    def test_the_same(self):
        done = self.against(family="claude2")
        self.assertEqual(done.status, 0, done.out)
        for claim in ("identity", "prompt", "input_billing"):
            self.assertEqual(done.states()[claim], "consistent", done.out)

    def test_another_tokenizer(self):
        for family in ("kimi", "qwen3", "gemma3"):
            done = self.against(family=family)
            self.assertEqual(done.states()["identity"], "inconsistent", done.out)
            self.assertIn("cut into tokens differently",
                          done.claim("identity")["findings"][0]["text"])

    def test_odd_counts_are_no_accusation(self):
        """Here, at the reference, or at both; of a model that the table knows and of another."""
        for odd in ODD:
            for model, family in (("somebodys-model", "claude2"), ("gpt-4o", "o200k")):
                plain, strange = {"family": family}, {"family": family, **odd}
                for here, there in ((strange, plain), (plain, strange), (strange, strange)):
                    with self.subTest(odd, model=model, there=there is strange):
                        done = self.against(model, there, **here)
                        self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_nor_are_they_in_a_longer_run(self):
        for odd in ({"by_length": True}, {"noise": 8}, {"lines": 1}):
            with self.subTest(odd):
                done = self.against("gpt-4o", {"family": "o200k"}, "standard", **odd)
                self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_what_is_no_count_decides_nothing(self):
        for odd in ({"by_length": True}, {"flat": 20}, {"noise": 30}, {"rates": (0.25, 1)}):
            done = self.against(**odd)
            for claim in ("identity", "prompt"):
                self.assertEqual(done.states()[claim], "inconclusive", (odd, done.out))
            done = self.against(family="claude2", reference=odd)
            self.assertEqual(done.states()["identity"], "inconclusive", (odd, done.out))
            self.assertIn("reference itself", done.claim("identity")["findings"][0]["text"])

    def test_line_ends_are_no_factor_and_no_tokenizer(self):
        done = self.against(family="claude2", lines=1)
        self.assertEqual(done.states()["identity"], "inconclusive", done.out)
        self.assertEqual(done.states()["input_billing"], "inconclusive", done.out)
        self.assertEqual(done.states()["prompt"], "consistent", done.out)
        self.assertIn("1.0 tokens more for each line",
                      done.claim("identity")["findings"][0]["text"])

    def test_a_factor(self):
        done = self.against(family="claude2", factor=1.15)
        self.assertEqual(done.states()["input_billing"], "inconsistent", done.out)
        self.assertEqual(done.states()["identity"], "consistent", done.out)

    def test_a_hidden_prompt(self):
        for hidden, state in ((300, "inconsistent"), (60, "inconclusive"), (25, "inconclusive")):
            done = self.against(family="claude2", hidden=hidden)
            self.assertEqual(done.states()["prompt"], state, (hidden, done.out))

    def test_less_than_the_reference_accuses_nobody(self):
        """It is the reference that adds; or the seller forgives, which is no harm."""
        for template in (250, 60):
            done = self.against(family="claude2", template=0,
                                reference={"family": "claude2", "template": template})
            self.assertEqual(done.states()["prompt"], "inconclusive", (template, done.out))
            self.assertIn("the reference adds", done.claim("prompt")["findings"][0]["benign"])
            self.assertEqual(done.status, 0)
        for target, there in ((1, 1.15), (0.9, 1)):
            done = self.against(family="claude2", factor=target, profile="standard",
                                reference={"family": "claude2", "factor": there})
            self.assertNotIn("inconsistent", done.states().values(), done.out)
            self.assertEqual(done.states()["input_billing"], "inconclusive", done.out)
            self.assertIn("forgives", done.claim("input_billing")["findings"][0]["benign"])

    def test_nor_does_what_is_forgiven_now_and_then(self):
        done = self.against(family="claude2", template=7, odd=300, profile="standard",
                            reference={"family": "claude2", "template": 307})
        self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_a_reference_that_forgives(self):
        """Of a model whose tokenizer is known the target is right, whatever the reference takes."""
        done = self.against("gpt-4o", {"family": "o200k", "factor": 0.8}, family="o200k")
        self.assertEqual(done.states()["input_billing"], "inconclusive", done.out)
        self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_a_reference_that_counts_by_itself(self):
        for model, family, own in (("gemini-2.5-flash", "gemma3", "cl100k"),
                                   ("somebodys-model", "claude2", "o200k"),
                                   ("gpt-4o", "o200k", "kimi")):
            done = self.against(model, {"family": own}, family=family)
            self.assertEqual(done.states()["identity"], "inconclusive", done.out)
            self.assertIn("the reference counts by itself",
                          done.claim("identity")["findings"][0]["benign"])
        # It is the one that the name stands for.
        done = self.against("gpt-4o", {"family": "o200k"}, family="kimi")
        self.assertEqual(done.states()["identity"], "inconsistent", done.out)

    def test_output_needs_input_that_is_known(self):
        for reference, state in ((None, "inconclusive"), (True, "inconsistent")):
            with Seller(family="claude2", out_factor=1.3) as s, Seller(family="claude2") as r:
                done = self.assay(s.base, model="somebodys-model", profile="standard",
                                  reference=reference and r.base)
            self.assertEqual(done.states()["output_billing"], state, done.out)

    def test_another_template_and_a_date_are_no_accusation(self):
        """An honest host of gpt-oss takes 71 tokens more than one that leaves its preamble out."""
        for more in (36 + 19, 71 + 20):
            done = self.against(family="claude2", template=7 + more)
            self.assertEqual(done.states()["prompt"], "inconclusive", done.out)
            self.assertEqual(done.status, 0)

    def test_it_is_believed_more_than_the_table(self):
        """The name says gpt-4o; the vendor itself counts otherwise by now."""
        done = self.against(model="gpt-4o", family="kimi", reference={"family": "kimi"})
        self.assertEqual(done.states()["identity"], "consistent", done.out)


if __name__ == "__main__":
    unittest.main()
