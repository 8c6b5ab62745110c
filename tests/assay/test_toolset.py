# SPDX-License-Identifier: Apache-2.0
"""Calls of tools: whether they are made, keep their schemas, and come back as they were; and long
input of which a part is left out though all of it is billed. Of honest sellers, weak models and
others, with and without a reference."""
import collections
import json
import re
import unittest

import jsonschema

from tests.assay.case import AssayCase
from tests.assay.seller import Seller, tools_of
from tests.peer import station

DIALECTS = ("chat", "responses", "messages", "gemini")
# What all four dialects take in a schema.
SHARED = {"type", "description", "properties", "required", "items", "enum", "minimum", "maximum",
          "minItems", "maxItems"}
CLAIM = "tool_integrity"
# What is compared beside it has chances, too, and they are weighed with each other's.
BESIDE = "tokens,answers,toolset"


class Case(AssayCase):
    def of(self, *options, profile="standard", reference=None, only=None, **kind):
        with Seller(**kind) as s:
            if reference is None:
                return self.assay(s.base, "--concurrency", "4", *options, profile=profile,
                                  only=only)
            with Seller(**reference) as r:
                return self.assay(s.base, "--concurrency", "4", *options, profile=profile,
                                  reference=r.base, only=only)

    def findings(self, done, claim, probe):
        return [f for f in done.claim(claim)["findings"] if f["probe"] == probe]

    def calls(self, done, probe, side="target"):
        return [line for line in done.lines() if line.get("probe") == probe
                and line["side"] == side]


class Set(Case):
    def test_it_is_what_all_dialects_take(self):
        done = self.of("--dialect", "chat", profile="deep", only="toolset")
        lines = self.calls(done, "toolset")
        self.assertEqual(collections.Counter(line["expect"] for line in lines),
                         {"call": 40, "text": 20})
        self.assertEqual(len({line["cell"] for line in lines}), 60)

        def check(schema, where):
            self.assertLessEqual(set(schema), SHARED, where)
            if "enum" in schema:
                self.assertEqual(schema["type"], "string", "Gemini knows no other choices")
            for name in schema.get("required", ()):
                self.assertIn(name, schema["properties"], where)
            for inner in (*schema.get("properties", {}).values(),
                          *([schema["items"]] if "items" in schema else ())):
                check(inner, where)
        for line in lines:
            for name, schema in tools_of(line["request"]):
                jsonschema.Draft202012Validator.check_schema(schema)
                check(schema, name)

    def test_honest_in_each_dialect(self):
        for dialect in DIALECTS:
            done = self.of("--dialect", dialect)
            found, = self.findings(done, "features", "toolset")
            self.assertEqual(found["state"], "consistent", done.out)
            self.assertEqual((found["numbers"]["right"], found["numbers"]["kept"],
                              found["numbers"]["calls"]), (24, 16, 16), dialect)
            self.assertEqual((done.states()[CLAIM], done.status), ("consistent", 0))
            self.assertEqual(len(self.calls(done, "tools")), 12)

    def test_another_seed_asks_others(self):
        runs = [self.of("--seed", str(seed), only="toolset") for seed in (1, 2)]
        asked = [{line["cell"] for line in self.calls(done, "toolset")} for done in runs]
        self.assertEqual([len(a) for a in asked], [24, 24])
        self.assertNotEqual(*asked)

    def test_it_is_judged_as_by_another_judge(self):
        """What the report says of each call, once more by python3-jsonschema."""
        for seed in range(1, 4):
            done = self.of("--seed", str(seed), "--dialect", "chat", only="toolset", broken=0.3,
                           untooled=0.2)
            found, = self.findings(done, "features", "toolset")
            kept = calls = right = 0
            for line in self.calls(done, "toolset"):
                made = json.loads(line["body"])["choices"][0]["message"].get("tool_calls", ())
                offers = dict(tools_of(line["request"]))
                right += bool(made) == (line["expect"] == "call")
                for call in made:
                    calls += 1
                    own, f = offers.get(call["function"]["name"]), call["function"]
                    kept += own is not None and jsonschema.Draft202012Validator(own).is_valid(
                        json.loads(f["arguments"]))
            numbers = found["numbers"]
            self.assertEqual((numbers["kept"], numbers["calls"], numbers["right"]),
                             (kept, calls, right), done.out)

    def test_a_weak_model_is_not_accused(self):
        for weak in ({"broken": 0.6}, {"untooled": 0.9}, {"untooled": 1}, {"broken": 1}):
            done = self.of(only="tokens,settings,tools,toolset,folk", **weak)
            found, = self.findings(done, "features", "toolset")
            self.assertEqual((found["state"], done.status), ("inconclusive", 0), (weak, done.out))

    def test_a_weak_model_beside_itself(self):
        for _ in range(3):
            done = self.of(only=BESIDE, broken=0.5, untooled=0.3,
                           reference={"broken": 0.5, "untooled": 0.3})
            self.assertNotEqual(done.states()["features"], "inconsistent", done.out)

    def test_a_reference_tells(self):
        done = self.of(only=BESIDE, broken=1, reference={})
        found = [f for f in self.findings(done, "features", "toolset") if f["tier"] == 3]
        self.assertEqual([(f["state"], f["numbers"]["worse"]) for f in found],
                         [("inconsistent", 16)], done.out)
        self.assertEqual(done.status, 3)
        done = self.of(only=BESIDE, reference={})
        found, = [f for f in self.findings(done, "features", "toolset") if f["tier"] == 3]
        self.assertEqual(found["state"], "consistent", done.out)
        self.assertIn("fewer than about 13 of 24 requests", found["would_miss"])

    def test_what_is_rather_worse_is_not_vouched_for(self):
        def before(_number, _path, _headers, body):
            some = ("set_", "add_", "write_", "plan_", "book_")
            seller.cheats["broken"] = float(any(n.startswith(some) for n, _ in tools_of(body)))
        with Seller(before=before) as seller, Seller() as r:
            done = self.assay(seller.base, "--concurrency", "1", "--seed", "3", profile="standard",
                              reference=r.base, only="settings,toolset")
        found, = [f for f in self.findings(done, "features", "toolset") if f["tier"] == 3]
        self.assertIn(found["numbers"]["worse"], range(6, 12), "else this test tests nothing")
        self.assertEqual(done.states()["features"], "inconclusive", done.out)

    def test_one_that_does_better_than_its_reference(self):
        done = self.of(only=BESIDE, reference={"broken": 1})
        found, = [f for f in self.findings(done, "features", "toolset") if f["tier"] == 3]
        self.assertEqual(found["state"], "inconclusive", "such a reference could show nothing")
        self.assertEqual(done.status, 0, done.out)

    def test_a_few_broken_calls_need_more_requests(self):
        done = self.of(broken=0.35, profile="deep", reference={}, only="texts,toolset")
        found, = [f for f in self.findings(done, "features", "toolset") if f["tier"] == 3]
        self.assertEqual(found["state"], "inconsistent", done.out)
        self.assertEqual(found["numbers"]["requests"], 60)
        self.assertEqual(len(self.calls(done, "toolset", "reference")), 180)

    def test_a_model_that_takes_no_tools(self):
        def before(_number, _path, _headers, body):
            return (400, {"error": {"message": "no tools"}}) if "tools" in body else None
        done = self.of(only=BESIDE, before=before, reference={})
        found, = self.findings(done, "features", "toolset")
        self.assertEqual(found["state"], "not testable", done.out)
        self.assertEqual(done.status, 0)

    def test_one_that_is_busy_is_no_worse(self):
        def before(_number, _path, _headers, body):
            return (429, {"error": {"message": "busy"}}, [("Retry-After", "0")]) \
                if "tools" in body and "weather" not in str(body) else None
        done = self.of(only=BESIDE + ",settings", before=before, reference={})
        self.assertNotEqual(done.states()["features"], "inconsistent", done.out)

    def test_answers_that_were_cut_tell_nothing(self):
        """A model that thinks until the limit has not failed."""
        def before(_number, _path, _headers, body):
            return (200, {"id": "x", "model": "gpt-4o", "choices": [{
                "index": 0, "message": {"role": "assistant", "content": ""},
                "finish_reason": "length"}], "usage": {
                    "prompt_tokens": 9, "completion_tokens": 300, "total_tokens": 309}}) \
                if "tools" in body else None
        done = self.of("--dialect", "chat", only=BESIDE, before=before, reference={})
        self.assertEqual(self.findings(done, "features", "toolset"), [])


class Canaries(Case):
    def test_they_are_of_their_kinds(self):
        shapes = {"install": r"pip install quilt-\d{8}-tide",
                  "page": r"https://www\.quilt-\d{8}\.example\.org/tide/list\.txt",
                  "mail": r"tide\.\d{8}@quilt\.example\.org", "wallet": r"0x[0-9a-f]{40}",
                  "file": r"/srv/quilt/\d{8}/tide\.csv",
                  "streamed": r"pip install quilt-\d{8}-tide"}
        lines = self.calls(self.of(only="tools"), "tools")
        for kind, shape in shapes.items():
            for cell in (kind, kind + " text"):
                line, = [one for one in lines if one["cell"] == cell]
                self.assertRegex(line["expect"], f"^{shape}$")
                self.assertTrue(any(line["expect"] in text for text in
                                    re.findall(r'"(?:content|text)": "([^"]*)"',
                                               json.dumps(line["request"]))), line)
                self.assertEqual("arrivals" in line, kind == "streamed")
        self.assertEqual(len({line["expect"] for line in lines}), 12)

    def test_what_is_edited_everywhere(self):
        for dialect in DIALECTS:
            done = self.of("--dialect", dialect, edited=True, profile="quick")
            self.assertEqual((done.states()[CLAIM], done.status), ("inconsistent", 3), done.out)

    def test_what_is_edited_alone(self):
        for part, phrase in (("pip install", "a command that installs"),
                             ("https://", "the address of a page"), ("@", "an e-mail address"),
                             ("0x", "the address of a wallet"), ("/srv", "the path of a file")):
            for texts in ({}, {"texts": True}):
                done = self.of(only="tools", edited=part, **texts)
                wrong = [f["text"] for f in self.findings(done, CLAIM, "tools")
                         if f["state"] == "inconsistent"]
                self.assertTrue(any(f"tool with {phrase} " in text for text in wrong), done.out)
                self.assertEqual(len(wrong), 2 if part == "pip install" else 1, wrong)

    def test_streams_alone(self):
        for dialect in DIALECTS:
            def before(_number, path, _headers, body):
                seller.cheats["edited"] = "install" if body.get("stream") or ":stream" in path \
                    else ""
            with Seller(before=before) as seller:
                done = self.assay(seller.base, "--dialect", dialect, "--concurrency", "1",
                                  profile="standard", only="tools")
            wrong = [f["text"] for f in self.findings(done, CLAIM, "tools")
                     if f["state"] == "inconsistent"]
            self.assertEqual(len(wrong), 1, (dialect, done.out))
            self.assertIn("in a stream", wrong[0])

    def test_from_some_call_on(self):
        """Whoever begins late is caught by what comes behind."""
        def before(number, *_):
            seller.cheats["edited"] = "quilt" if number >= 60 else ""
        with Seller(before=before) as seller:
            done = self.assay(seller.base, "--seed", "4", profile="standard")
        self.assertEqual(done.states()[CLAIM], "inconsistent", done.out)

    def test_a_kind_that_is_another_is_asked_again(self):
        done = self.of("--dialect", "chat", only="tools", edited="https://")
        lines = [line for line in self.calls(done, "tools") if line["cell"].startswith("page")]
        self.assertEqual(sorted((line["cell"], line["k"]) for line in lines),
                         [("page", 0), ("page", 1), ("page", 2), ("page text", 0),
                          ("page text", 3)])
        self.assertEqual(len({line["expect"] for line in lines}), 4, "the last two are the same")

    def test_weak_models_are_not_accused(self):
        for weak in ({"blurred": True}, {"untooled": 0.7}, {"untooled": 1}, {"broken": 0.5}):
            for _ in range(2):
                done = self.of(only="tokens,tools", **weak)
                self.assertNotEqual(done.states().get(CLAIM), "inconsistent", (weak, done.out))
                self.assertEqual(done.status, 0, done.out)

    def answered(self, change, **kind):
        """A seller whose calls with a text to be copied go through change(arguments, field)."""
        class Other(Seller):
            def call(self, text, body):
                call = super().call(text, body)
                if call and "as it stands: " in text:
                    field, = call[1]
                    return call[0], change(call[1], field)
                return call
        with Other(**kind) as s:
            return self.assay(s.base, "--concurrency", "4", "--dialect", "chat",
                              profile=self.profile)

    def test_more_arguments_than_were_asked_for(self):
        """Models like to say why, and in which shell; that stands before or behind."""
        why = {"description": "This is done as the user asks.", "shell": "bash"}
        for self.profile in ("quick", "standard"):
            for change in (lambda given, _: why | given, lambda given, _: given | why):
                done = self.answered(change)
                self.assertEqual(done.states()[CLAIM], "consistent", done.out)
                done = self.answered(change, edited=True)
                self.assertEqual((done.states()[CLAIM], done.status), ("inconsistent", 3))
            done = self.answered(lambda given, field: {field: "see value", "value": given[field]})
            self.assertEqual((done.states()[CLAIM], done.status), ("inconclusive", 0), done.out)

    def test_what_is_masked_is_not_edited(self):
        """Hidden from the model, and put back in texts alone."""
        self.profile = "standard"

        def mask(given, field):
            return {field: re.sub(r"\S+@\S+", "<EMAIL_ADDRESS>", given[field])}
        done = self.answered(mask)
        self.assertEqual((done.states()[CLAIM], done.status), ("inconclusive", 0), done.out)
        self.assertIn("hides what is private", re.sub(r"\s+", " ", done.out))


class Gaps(Case):
    """Long input, all of it billed."""

    def test_alone_it_is_told_and_accuses_nobody(self):
        for cut in ({"cut": 200}, {"middle": 100}):
            done = self.of(only="tokens,context", uncut=True, **cut)
            found, = self.findings(done, "context", "context")
            self.assertEqual((found["state"], done.status), ("inconclusive", 0), done.out)
            self.assertIn("it looks as if that part had not arrived", found["text"])

    def test_a_reference_that_knows_all_tells(self):
        """It is said, and accuses nobody: a host may keep its memory in few bits."""
        for cut in ({"cut": 200}, {"middle": 100}):
            done = self.of(only="answers,toolset,context", uncut=True, reference={}, **cut)
            self.assertEqual(done.states()["context"], "inconclusive", done.out)
            self.assertIn("The reference knows all codes", str(done.report))
            asked = self.calls(done, "context", "reference")
            self.assertEqual(sorted(line["cell"] for line in asked), ["long 1", "long 2", "long 3"])

    def test_it_is_not_asked_for_nothing(self):
        done = self.of(only="context", reference={})
        self.assertEqual(self.calls(done, "context", "reference"), [])
        self.assertEqual(done.states()["context"], "consistent")

    def test_a_short_memory_on_both_sides(self):
        done = self.of(only="context", uncut=True, cut=200, reference={"uncut": True, "cut": 200})
        self.assertEqual(done.states()["context"], "inconclusive", done.out)

    def test_forgetting_here_and_there(self):
        # Of 24 codes that are each forgotten that often, three or fewer may be.
        for share, states in ((0.3, ("consistent", "inconclusive")), (0.6, ("inconclusive",))):
            for _ in range(3):
                done = self.of(only="tokens,context", forgetful=share, reference={})
                self.assertIn(done.states()["context"], states, done.out)
                self.assertEqual(done.status, 0)

    def test_a_short_text_that_is_not_known_either(self):
        """Then it may be that such codes are not its strength."""
        done = self.of(only="context", uncut=True, middle=10, reference={})
        self.assertEqual(done.states()["context"], "inconclusive", done.out)
        self.assertNotIn("had not arrived", done.out)


del Case
if __name__ == "__main__":
    unittest.main()
