# SPDX-License-Identifier: Apache-2.0
"""Short answers against a reference: the same model, another one behind the same tokenizer, and one
that serves a part of the requests."""
import json
import os
import random
import resource
import subprocess
import unittest

from tests.assay.case import AssayCase
from tests.assay.seller import Seller
from tests.peer import station

MODEL = {"coin": [("Heads", 80), ("Tails", 20)],
         "1 to 10": [("7", 75), ("3", 10), ("4", 10), ("8", 5)],
         "colour": [("Blue", 60), ("Teal", 30), ("Red", 10)],
         "city": [("Paris", 40), ("Tokyo", 40), ("Lisbon", 20)]}
OTHER = {"coin": [("heads", 100)], "1 to 10": [("4", 70), ("7", 30)],
         "colour": [("Azure", 80), ("Blue", 20)], "city": [("Kyoto", 90), ("Paris", 10)]}


# What is compared beside the answers: chances are weighed with each other's.
BESIDE = "tokens,answers,toolset"


class Answers(AssayCase):
    def against(self, *options, mix=0.0, choices=None, profile="standard", reference_too=False,
                only=BESIDE):
        with Seller(choices=choices or MODEL, mix=mix, others=OTHER) as s, \
                Seller(choices=choices if reference_too else MODEL) as r:
            done = self.assay(s.base, "--concurrency", "4", *options, profile=profile,
                              reference=r.base, only=only)
        found = [f for f in done.claim("identity")["findings"] if f["probe"] == "answers"]
        return done, found[0] if found else None

    def test_the_same_model(self):
        """0.001 is what an honest seller is accused at; with 0.01 it would be asked to repeat."""
        for only in (BESIDE, None):
            done, found = self.against(only=only)
            self.assertNotEqual(found["state"], "inconsistent", done.out)
            self.assertEqual(done.states()["identity"], "consistent", done.out)
        self.assertLess(found["numbers"]["catches_quarter"], 0.5, "it says what it can see")
        self.assertIn("would have caught another model", found["would_miss"])

    def test_another_model_with_the_same_tokenizer(self):
        done, found = self.against(mix=1.0)
        self.assertEqual(found["state"], "inconsistent", done.out)
        self.assertLessEqual(found["p_adjusted"], 0.001)
        self.assertEqual(done.states()["identity"], "inconsistent",
                         "the right tokenizer does not take it back")
        self.assertEqual(done.states()["input_billing"], "consistent", done.out)
        self.assertEqual(done.status, 3)

    def test_half_of_the_requests_in_a_deep_run(self):
        done, found = self.against(mix=0.5, profile="deep", only=None)
        self.assertEqual((found["state"], found["numbers"]["n"]), ("inconsistent", 400), done.out)
        texts = next(f for f in done.claim("identity")["findings"] if f["probe"] == "texts")
        self.assertEqual((texts["numbers"]["n"], texts["numbers"]["m"]), (100, 100))
        self.assertGreater(texts["p"], 0.0001, "both continue texts alike")
        self.weighed_together([f for c in done.report["claims"] for f in c["findings"]
                               if "p" in f])
        self.assertGreater(found["numbers"]["catches_swap"], 0.8, "more than a short run")

    def weighed_together(self, findings):
        """By Holm, once more."""
        self.assertEqual({f["probe"] for f in findings}, {"answers", "texts", "toolset"})
        least = 0
        for i, f in enumerate(sorted(findings, key=lambda f: f["p"])):
            least = max(least, min(1, f["p"] * (len(findings) - i)))
            self.assertAlmostEqual(f["p_adjusted"], least, delta=1e-6 + least / 100)

    def test_texts_that_another_model_continues(self):
        words = {"calm": "the boats and the water and the evening light on the quay".split(),
                 "loud": "iron smoke engines hammer bricks fire steel shouting crowds".split()}

        class Writer(Seller):
            voice = "calm"

            def say(self, text, body):
                if text.startswith("Continue the paragraph."):
                    return " ".join(random.choices(words[self.voice], k=20))
                return super().say(text, body)

        class Other(Writer):
            voice = "loud"
        for target, states in ((Other, ("inconsistent",)),
                               (Writer, ("consistent", "inconclusive"))):
            with target(choices=MODEL) as s, Writer(choices=MODEL) as r:
                done = self.assay(s.base, "--concurrency", "4", profile="deep", reference=r.base,
                                  only="texts,toolset")
            texts = next(f for f in done.claim("identity")["findings"] if f["probe"] == "texts")
            self.assertIn(texts["state"], states, done.out)

    def test_a_model_that_answers_in_sentences(self):
        """Whole answers never come twice; with which word they begin tells models apart."""
        class Talker(Seller):
            def say(self, text, body):
                said = super().say(text, body)
                return f"**{said}**, {random.random()} times" if "messages" in body and \
                    body["messages"][0]["role"] == "system" else said

        for choices, states in ((OTHER, ("inconsistent",)),
                                (MODEL, ("consistent", "inconclusive"))):
            with Talker(choices=choices) as s, Talker(choices=MODEL) as r:
                done = self.assay(s.base, "--concurrency", "4", "--dialect", "chat",
                                  profile="standard", reference=r.base, only=BESIDE)
            found = next(f for f in done.claim("identity")["findings"] if f["probe"] == "answers")
            self.assertIn(found["state"], states, done.out)
            self.assertGreater(found["numbers"]["catches_swap"], 0.3, done.out)
            self.assertIn("to 4 of them only the first word", found["text"])

    def test_a_host_with_a_temperature_of_its_own(self):
        """It serves the same model, more sure of itself unless it is told otherwise."""
        class Host(Seller):
            def say(self, text, body):
                own = self.temperature_of(body) is None
                self.choices = {p: a[:1] for p, a in MODEL.items()} if own else MODEL
                return super().say(text, body)

        def takes_none(_, path, headers, body):
            if "temperature" in str(body):
                return 400, {"error": {"message": "temperature is not supported"}}
        for target, reference in (({}, {}), ({"before": takes_none}, {"before": takes_none})):
            for dialect in ("chat", "gemini"):
                with Host(**target) as s, Host(**reference) as r, Seller(choices=MODEL) as plain:
                    other = r if reference else plain
                    done = self.assay(s.base, "--dialect", dialect, "--only", "answers",
                                      profile="standard", reference=other.base)
                    answered = [line for line in done.lines() if line.get("status") == 200
                                and line["probe"] == "answers"]
                self.assertEqual(len(answered), 200, (target, dialect))
                self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_a_host_that_draws_by_other_settings(self):
        """Its own top_k makes it surer; where nothing is drawn it says what the reference says."""
        class Host(Seller):
            first = "Lanterns"

            def say(self, text, body):
                if self.temperature_of(body) == 0:
                    return f"{self.first} over {text[:20]} burn until the morning comes again."
                return super().say(text, body)

        class Another(Host):
            first = "Bells"
        surer = {part: answers[:1] for part, answers in MODEL.items()}
        for target, states in ((Host, ("inconclusive",)), (Another, ("inconsistent",))):
            with target(choices=surer) as s, Host(choices=MODEL) as r:
                done = self.assay(s.base, "--only", "answers", profile="standard",
                                  reference=r.base)
            found = next(f for f in done.claim("identity")["findings"] if f["probe"] == "answers")
            self.assertLessEqual(found["p_adjusted"], 0.001)
            self.assertIn(found["state"], states, done.out)
            self.assertEqual("6 of 6 texts begin as" in found["text"], target is Host, done.out)

    def test_few_texts_vouch_for_nothing(self):
        """What a run that broke off has gathered: judged, but no approval."""
        class Writer(Seller):
            def say(self, text, body):
                if text.startswith("Continue the paragraph."):
                    return " ".join(random.choices("the calm sea and a boat of wood".split(), k=20))
                return super().say(text, body)
        with Writer(choices=MODEL) as s, Writer(choices=MODEL) as r:
            done = self.assay(s.base, "--concurrency", "4", profile="deep", reference=r.base,
                              only="texts")
        head, *calls, end = done.lines()
        calls = [c for c in calls if c["probe"] == "texts"]
        for prompts, each, expected in ((10, 10, "consistent"), (5, 9, "inconclusive"),
                                        (1, 10, "inconclusive"), (10, 5, None), (1, 2, None)):
            cells = sorted({c["cell"] for c in calls})[:prompts]
            kept = [c for c in calls if c["cell"] in cells and c["k"] < each]
            found = self.judged([head, *kept, end])
            if expected is None:
                self.assertIsNone(found)
                continue
            self.assertGreater(found["p"], 0.001, "both write alike")
            if found["p"] > 0.01:
                self.assertEqual(found["state"], expected, (prompts, each, found))
            self.assertIn(f"Continuations of {prompts} texts ({prompts * each} here, "
                          f"{prompts * each} at the reference)", found["text"])

    def test_neither_the_order_of_the_lines_nor_the_seed_decides(self):
        done, found = self.against(mix=0.4)
        head, *calls, end = done.lines()
        for seed in range(3):
            random.Random(seed).shuffle(calls)
            again = self.judged([{**head, "seed": seed}, *calls, end], "answers")
            self.assertEqual({k: again[k] for k in ("p", "numbers")},
                             {k: found[k] for k in ("p", "numbers")})

    def test_many_answers_take_little_longer_than_a_deep_run(self):
        done, _ = self.against()
        head, *calls, end = done.lines()
        calls = [c for c in calls if c["probe"] == "answers"]
        took = []
        for times in (4, 20):
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            found = self.judged([head, *calls * times, end], "answers")
            took.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
            self.assertEqual(found["numbers"]["n"], 100 * times)
        self.assertLess(took[1], 3 * took[0])

    def judged(self, lines, probe="texts"):
        folder = os.path.join(self.folder, "kept")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "calls.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        path = os.path.join(folder, "report.json")
        subprocess.run([station.PROGRAM, "assay", "--recompute", folder, "--json", path],
                       capture_output=True, timeout=60, check=False)
        with open(path, encoding="utf-8") as file:
            claims = json.load(file)["claims"]
        return next((f for c in claims for f in c["findings"] if f["probe"] == probe), None)

    def test_answers_that_are_never_the_same_vouch_for_nothing(self):
        done, found = self.against(choices={part: [(f"{n} {part}", 1) for n in range(5000)]
                                            for part in MODEL}, reference_too=True)
        self.assertEqual(found["state"], "inconclusive", done.out)
        self.assertLess(found["numbers"]["catches_swap"], 0.5)
        self.assertEqual(done.states()["identity"], "consistent", "by its tokenizer alone")

    def test_answers_that_stay_empty(self):
        done, found = self.against(choices={part: [("", 1)] for part in MODEL})
        self.assertEqual(found["state"], "not testable", done.out)
        self.assertEqual(done.states()["identity"], "consistent", "by its tokenizer")

    def test_without_a_reference_nothing_is_asked(self):
        with Seller(choices=MODEL) as s:
            done = self.assay(s.base, profile="standard", only="tokens,answers")
        self.assertNotIn("answers", {line["probe"] for line in done.lines()[1:-1]})
        self.assertTrue(os.path.exists(os.path.join(done.folder, "report.json")))


if __name__ == "__main__":
    unittest.main()
