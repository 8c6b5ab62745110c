# SPDX-License-Identifier: Apache-2.0
"""What is counted beforehand, in whose words requests are refused, and whose answers these look
like: of honest sellers and others, of hostile ones, and of real vendors' recordings."""
import collections
import json
import os
import subprocess
import tempfile
import unittest

from tests.assay import recorded
from tests.assay.case import AssayCase
from tests.assay.seller import Seller
from tests.peer import station

SECRET = "sk-proj-4f9aK2mQ8vTz1LxW7bRn"


class ShapeCase(AssayCase):
    def findings(self, done, probe, claim=None):
        return [f for c in done.report["claims"] if claim in (None, c["claim"])
                for f in c["findings"] if f["probe"] == probe]

    def one(self, done, probe, claim):
        found = self.findings(done, probe, claim)
        self.assertEqual(len(found), 1, done.out)
        return found[0]


class Count(ShapeCase):
    DIALECTS = ("responses", "messages", "gemini")

    def of(self, dialect, reference=None, model="some-model", **kind):
        with Seller(**kind) as s:
            if reference is None:
                return self.assay(s.base, "--dialect", dialect, model=model)
            with Seller(**reference) as r:
                return self.assay(s.base, "--dialect", dialect, model=model, reference=r.base)

    def test_honest_in_each_dialect_that_counts(self):
        for dialect in self.DIALECTS:
            done = self.of(dialect)
            for claim in ("prompt", "input_billing"):
                found = self.one(done, "count", claim)
                self.assertEqual((found["state"], found["numbers"]["most"]), ("consistent", 0))
                self.assertIn("before it is counted", found["would_miss"])
            lines = [line for line in done.lines() if line.get("probe") == "count"]
            self.assertEqual([line["ask"] for line in lines], ["count"] * 6)
            self.assertEqual(done.status, 0)

    def test_chat_has_no_such_path_and_is_not_asked(self):
        with Seller() as s:
            done = self.assay(s.base, "--dialect", "chat")
            self.assertFalse([p for p, _, _ in s.requests if "count" in p or "input_tokens" in p])
        self.assertEqual(self.findings(done, "count"), [])

    def test_what_is_set_before_texts_behind_the_count(self):
        for dialect in self.DIALECTS:
            done = self.of(dialect, hidden=300)
            found = self.one(done, "count", "prompt")
            self.assertEqual((found["state"], found["tier"]), ("inconsistent", 2), done.out)
            self.assertEqual((found["numbers"]["least"], found["numbers"]["most"]), (300, 300))
            self.assertEqual(done.status, 3, "though the template of the model is not known")

    def test_little_more_accuses_nobody(self):
        for hidden in (6, 60, 185):
            done = self.of("messages", hidden=hidden)
            found = self.one(done, "count", "prompt")
            self.assertEqual((found["state"], found["tier"]), ("inconclusive", 5), done.out)
            self.assertEqual(done.status, 0 if hidden < 9 else done.status)
            self.assertNotIn("inconsistent", done.states().values())

    def test_a_count_without_the_template(self):
        done = self.of("messages", counts="text", template=71)
        self.assertEqual(self.one(done, "count", "prompt")["state"], "inconclusive")
        self.assertNotIn("inconsistent", done.states().values(), done.out)

    def test_estimates_accuse_nobody(self):
        for counts, kind in (("bytes", {}), ("bytes", {"hidden": 300}), ("true", {"factor": 1.15}),
                             ("text", {"by_length": True, "hidden": 300})):
            done = self.of("messages", counts=counts, **kind)
            self.assertNotIn("inconsistent", {f["state"] for f in self.findings(done, "count")},
                             (counts, kind, done.out))

    def test_two_estimates_that_agree_vouch_for_nothing(self):
        done = self.of("messages", by_length=True, counts="billed")
        self.assertEqual({f["state"] for f in self.findings(done, "count")}, {"inconclusive"})

    def test_a_count_that_is_known_to_be_short_accuses_nobody(self):
        """The reference bills the same, so nothing is added: the count leaves something out."""
        done = self.of("messages", reference={"template": 307, "counts": None}, template=307,
                       counts="text")
        self.assertEqual(self.one(done, "count", "prompt")["state"], "inconclusive", done.out)
        self.assertEqual(done.status, 0)

    def test_no_such_path(self):
        done = self.of("messages", counts=None)
        found = self.one(done, "count", "prompt")
        self.assertEqual(found["state"], "not testable")
        self.assertIn("status 404", found["text"])
        for status in (400, 405, 501):
            def before(n, path, headers, body, status=status):
                return (status, {"error": "no"}, [("Retry-After", "0")]) \
                    if path.endswith("count_tokens") else None
            done = self.of("messages", before=before)
            self.assertEqual(done.report["calls"]["end"], "complete", done.out)
            self.assertEqual(self.one(done, "count", "prompt")["state"], "not testable")

    def test_what_the_reference_counts(self):
        """What is set before texts may be in its own count; in the issuer's it is not."""
        for hidden, state in ((60, "inconclusive"), (300, "inconsistent")):
            done = self.of("messages", reference={}, hidden=hidden, counts="billed")
            found = self.findings(done, "count", "prompt")
            self.assertEqual([f["state"] for f in found], ["consistent", state], done.out)
            self.assertIn("than the reference counts beforehand", found[1]["text"])
        done = self.of("messages", reference={})
        self.assertEqual({(f["state"], f["tier"]) for f in self.findings(done, "count")},
                         {("consistent", 5), ("consistent", 2)})

    def test_a_reference_that_only_estimates_is_not_asked_to_judge(self):
        for counts in ("bytes", "text"):
            done = self.of("messages", reference={"counts": counts}, hidden=60)
            self.assertFalse([f for f in self.findings(done, "count")
                              if "the reference" in f["text"]], done.out)

    def test_hostile_counts(self):
        for body in (b"", b"[]", b'{"input_tokens":-1}', b'{"input_tokens":"9"}',
                     b'{"input_tokens":1e400}', b'{"input_tokens":0}',
                     b'{"input_tokens":18446744073709551615}', b"{" * 5000):
            def before(n, path, headers, request, body=body):
                return (200, body) if path.endswith("count_tokens") else None
            done = self.of("messages", before=before)
            self.assertNotIn("inconsistent", done.states().values(), (body, done.out))
            self.assertEqual(done.report["calls"]["end"], "complete")


def refusing(status, body):
    """A hook: what is wrong on purpose is answered so."""
    def before(n, path, headers, request):
        limit = str(request)
        wrong = (request == {} or "no-such-model" in limit + path or "1000000000" in limit or
                 "'temperature': -1" in limit or "'properties': 7" in limit or
                 not next((request[k] for k in ("messages", "input", "contents")
                           if k in request), True))
        return (status, body, [("Retry-After", "0")]) if wrong else None
    return before


class Errors(ShapeCase):
    def of(self, *options, dialect="chat", model="gpt-4o", **kind):
        with Seller(**kind) as s:
            return self.assay(s.base, "--dialect", dialect, *options, model=model)

    def refused(self, status, body, **more):
        return self.of(before=refusing(status, body), **more)

    def test_what_is_asked(self):
        done = self.of()
        cells = {line["cell"]: line for line in done.lines() if line.get("probe") == "errors"}
        self.assertEqual(set(cells), {"model", "limit", "temperature", "schema", "empty", "json"})
        self.assertEqual({line["status"] for line in cells.values()}, {400, 404})
        self.assertEqual(cells["json"]["ask"], "raw")
        self.assertEqual(cells["limit"]["request"]["max_tokens"], 10**9)
        self.assertEqual(cells["empty"]["request"]["messages"], [])
        self.assertTrue(cells["model"]["request"]["model"].startswith("no-such-model-"))
        self.assertEqual(self.findings(done, "errors", "features"), [])

    def test_they_are_planned_as_cheap(self):
        """A billion tokens are asked for, and none is to be paid."""
        with Seller() as s:
            done = self.assay(s.base, "--max-cost", "0.05")
        self.assertEqual(done.report["calls"]["end"], "complete", done.out)

    def test_each_dialect(self):
        for dialect in ("responses", "messages", "gemini"):
            done = self.of(dialect=dialect)
            lines = [line for line in done.lines() if line.get("probe") == "errors"]
            self.assertEqual(len(lines), 6)
            self.assertEqual({line["status"] for line in lines}, {400, 404}, dialect)

    def test_in_whose_words(self):
        openai = {"error": {"message": "The model `x` does not exist or you do not have access to "
                            "it.", "type": "invalid_request_error", "param": None,
                            "code": "model_not_found"}}
        groq = {"error": {k: v for k, v in openai["error"].items() if k != "param"}}
        for body, model, state, name in (
                (openai, "gpt-4o", "consistent", "OpenAI (6)"),
                (openai, "claude-opus-4-8", "inconclusive", "OpenAI (6)"),
                (openai, "qwen3-32b", "not testable", "OpenAI (6)"),
                (groq, "llama-3.3-70b", "consistent", "Groq (6)"),
                ({"error": {"message": "x", "type": "new_api_error", "code": "y"}}, "gpt-4o",
                 "inconclusive", "new-api (6)"),
                ({"error": {"message": "当前分组 default 下对于模型 x 无可用渠道", "type": "y"}},
                 "gpt-4o", "inconclusive", "new-api (6)"),
                ({"error": {"message": "x", "type": "one_api_error"}}, "gpt-4o", "inconclusive",
                 "one-api (6)"),
                ({"error": {"code": 400, "message": "x is not a valid model ID"},
                  "user_id": "user_1"}, "gpt-4o", "inconclusive", "OpenRouter (6)"),
                ({"error": {"code": "DeploymentNotFound", "message": "x"}}, "gpt-4o",
                 "consistent", "Azure (6)")):
            done = self.refused(404, body, model=model)
            found = self.one(done, "errors", "provenance")
            self.assertEqual((found["state"], found["tier"]), (state, 5), (body, found))
            self.assertIn("6 of 6 requests that are wrong on purpose are refused", found["text"])
            self.assertIn(name, found["text"])

    def test_busy_and_broken_say_nothing(self):
        for status in (401, 403, 429, 500, 503):
            done = self.refused(status, {"error": {"type": "new_api_error", "message": "x"}})
            self.assertEqual(self.findings(done, "errors"), [], (status, done.out))
            self.assertEqual(done.report["calls"]["end"], "complete", done.out)

    def test_what_is_wrong_is_answered(self):
        done = self.of("--seed", "5", lax=True)
        found = self.one(done, "errors", "features")
        self.assertEqual((found["state"], found["tier"]), ("inconclusive", 5))
        self.assertIn("A limit of a billion tokens is taken. A temperature of -1 is taken.",
                      found["text"])
        self.assertIn("Asked for a model of which there is none",
                      self.one(done, "errors", "identity")["text"])
        self.assertEqual(done.states()["identity"], "consistent", "by its tokenizer")
        self.assertEqual(done.status, 0)

    def test_what_nobody_could_want_weighs_nothing(self):
        class Careless(Seller):
            def wrong(self, path, body):
                return None if '"properties": 7' in json.dumps(body) else super().wrong(path, body)
        with Careless() as s:
            done = self.assay(s.base)
        found = self.one(done, "errors", "features")
        self.assertEqual((found["tier"], found["text"]),
                         (6, "A tool is taken whose schema is none."))
        self.assertNotIn("features", done.states(), done.out)

    def test_what_errors_give_away(self):
        body = {"error": {"message": "upstream https://proxy.up-stream.example:8443/v1/x said no "
                          f"to Bearer {SECRET} in /app/relay/channel.py, see "
                          "https://platform.openai.com/docs and https://127.0.0.1/x"}}
        done = self.refused(400, body)
        found = [f for f in self.findings(done, "errors", "provenance") if f["tier"] == 6]
        self.assertEqual([f["text"] for f in found], [
            "Its refusals name other hosts: proxy.up-stream.example. They hold what looks like a "
            "key. They name a path of its files."], done.out)
        self.assertNotIn(SECRET, done.out + json.dumps(done.report))

    def test_hostile_refusals(self):
        for body in (b"", b"\xff\xfe", b"[" * 200, b'{"error":[]}', b'{"error":{"code":{}}}',
                     b'{"message":7}', b"null", b'"' + b"a" * 100000 + b'"',
                     b'{"error":{"message":"://' + b"x." * 4000 + b'"}}',
                     b'{"error":{"message":"://<script>alert(1)</script>.evil"}}'):
            done = self.refused(400, body)
            self.assertNotIn("inconsistent", done.states().values(), (body[:40], done.out))
            self.assertNotIn("script>", done.out)


class Shapes(ShapeCase):
    def of(self, *options, dialect="chat", model="gpt-4o", profile="quick", **kind):
        with Seller(**kind) as s:
            return self.assay(s.base, "--dialect", dialect, *options, model=model,
                              profile=profile)

    def test_as_from_its_vendor(self):
        for dialect, model, name in (
                ("chat", "gpt-4o", "OpenAI"), ("responses", "gpt-5", "OpenAI"),
                ("messages", "claude-opus-4-8", "Anthropic"), ("gemini", "gemini-2.5-flash",
                                                               "Gemini")):
            done = self.of(dialect=dialect, model=model, genuine=True)
            found = self.one(done, "shape", "provenance")
            self.assertEqual(found["state"], "consistent", (dialect, found))
            self.assertIn(f"look as from {name} (", found["text"])
            self.assertIn("imitated", found["would_miss"])
            self.assertEqual(done.states()["provenance"], "consistent", done.out)

    def test_converted_accuses_nobody(self):
        done = self.of(dialect="messages", model="claude-opus-4-8")
        found = self.one(done, "shape", "provenance")
        self.assertEqual((found["state"], found["tier"]), ("inconclusive", 5))
        self.assertIn("has the marks that those of Anthropic have", found["text"])
        self.assertNotEqual(done.status, 3)

    def test_of_another_vendor(self):
        done = self.of(model="claude-opus-4-8", genuine=True)
        found = self.one(done, "shape", "provenance")
        self.assertEqual(found["state"], "inconclusive")
        self.assertIn("look as from OpenAI", found["text"])
        self.assertIn("claude-opus-4-8 is one of Anthropic", found["text"])

    def test_a_model_of_anybody(self):
        self.assertEqual(self.one(self.of(model="qwen3-32b"), "shape", "provenance")["state"],
                         "not testable")
        self.assertEqual(self.one(self.of(model="gpt-oss-120b", genuine=True), "shape",
                                  "provenance")["state"], "consistent")

    def test_the_software_of_a_relay_is_context(self):
        done = self.of(genuine=True, headers=[("X-Oneapi-Request-Id", "2026"),
                                              ("OpenAI-Organization", "org-secret"),
                                              ("Anthropic-Organization-Id", "org-secret")])
        found = self.findings(done, "shape", "provenance")
        self.assertEqual([f["tier"] for f in found], [5, 6])
        self.assertIn("software: new-api, one-api", found[1]["text"])
        self.assertEqual(done.states()["provenance"], "consistent")
        evidence = str(done.lines())
        self.assertIn("x-oneapi-request-id", evidence.lower())
        self.assertNotIn("org-secret", evidence, "accounts are not kept")

    def limits(self, done, moved):
        """The same evidence, over a minute."""
        lines = done.lines()
        for i, line in enumerate(lines[1:-1]):
            line["sent_us"] += i * moved
        with tempfile.TemporaryDirectory() as folder:
            return recompute(folder, lines)

    def test_limits_that_stand_still(self):
        still = [("anthropic-ratelimit-tokens-remaining", "299000"),
                 ("anthropic-ratelimit-tokens-reset", "2026-11-29T12:00:00Z")]

        def moving(n):
            return [still[0], (still[1][0], f"2026-11-29T12:00:{n:02}Z")]
        for headers, moved, told in ((still, 3000000, True), (still, 1, False),
                                     (moving, 3000000, False), (still[:1], 3000000, False)):
            report = self.limits(self.of(headers=headers), moved)
            texts = [f["text"] for c in report["claims"] for f in c["findings"]
                     if "headers of limits are the same" in f["text"]]
            self.assertEqual(len(texts), told, (headers, moved))


    def test_hostile_answers(self):
        """Evidence is a stranger's text: any of it is judged, and none of it accuses."""
        deep = b'{"id":' + b"[" * 100 + b"]" * 100 + b',"choices":[],"usage":7}'
        texts = ["", "data: {}\n\n", "data: [1,2]\n\ndata: [DONE]\n\n", deep.decode(),
                 f"data: {deep.decode()}\n\n", "event: ping\ndata: {\"type\":7}\n\n",
                 "data: " + json.dumps({"id": "chatcmpl-", "choices": [{"delta": []}]}) + "\n\n",
                 "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01\",\"usage\":"
                 "{\"input_tokens\":18446744073709551615,\"cache_read_input_tokens\":"
                 "18446744073709551615}}}\n\n", "data: {\"id\":\"gen-\"}\n\n" * 9000,
                 json.dumps({"id": "2026" + "\u0000" * 26, "choices": [], "content": [],
                             "output": [], "candidates": []})]
        seen = 0
        for dialect in ("chat", "responses", "messages", "gemini"):
            for stream in (False, True):
                lines = [recorded.line_of(i, dialect, {
                    "response": text, "status": 200, "headers": {"x" * 99: "", ":": ":"},
                    "stream": stream, "content_type": ""}) for i, text in enumerate(texts * 3)]
                with tempfile.TemporaryDirectory() as folder:
                    recorded.write(folder, "gpt-4o", lines)
                    with open(os.path.join(folder, "calls.jsonl"), encoding="utf-8") as file:
                        report = recompute(folder, [json.loads(line) for line in file])
                found = [f for c in report["claims"] for f in c["findings"]]
                self.assertNotIn("inconsistent", [f["state"] for f in found], (dialect, found))
                seen += any(f["probe"] == "shape" for f in found)
        self.assertGreater(seen, 4)


def recompute(folder, lines):
    with open(os.path.join(folder, "calls.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    path = os.path.join(folder, "report.json")
    subprocess.run([station.PROGRAM, "assay", "--recompute", folder, "--json", path],
                   capture_output=True, timeout=60, check=False)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


# Of all answers of a vendor, how many may be from before it took its shape.
MAKERS = {"openai": ("OpenAI", 0.06), "anthropic": ("Anthropic", 0.01), "gemini": ("Gemini", 0.02),
          "vertex": ("Gemini on Vertex", 0), "deepseek": ("DeepSeek", 0),
          "openrouter": ("OpenRouter", 0), "groq": ("Groq", 0), "cerebras": ("Cerebras", 0),
          "mistral": ("Mistral", 0), "zai": ("z.ai", 0), "huggingface": (None, 1)}


class Recorded(unittest.TestCase):
    """Real answers of vendors, each judged alone."""
    def setUp(self):
        if not station.available():
            self.skipTest(f"no program to test at {station.PROGRAM} (set ENTREPOT)")
        if not os.path.isdir(recorded.FOLDER):
            self.skipTest(f"no recordings at {recorded.FOLDER}")

    def judge(self, dialect, recording, probe="tokens"):
        with tempfile.TemporaryDirectory(dir=station.FOLDER) as folder:
            recorded.write(folder, "m", [recorded.line_of(i, dialect, recording, probe)
                                         for i in range(3)])
            path = os.path.join(folder, "report.json")
            subprocess.run([station.PROGRAM, "assay", "--recompute", folder, "--json", path],
                           capture_output=True, timeout=60, check=False)
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
        return [f for c in report["claims"] for f in c["findings"]]

    def test_each_vendor_is_known_as_itself_and_nobody_as_another(self):
        for vendor, (name, early) in MAKERS.items():
            seen = collections.Counter()
            answers = [(d, r) for d, r in recorded.read(vendor) if r["status"] == 200]
            for dialect, recording in answers[::max(1, len(answers) // 60)]:
                text = next(f["text"] for f in self.judge(dialect, recording)
                            if f["probe"] == "shape")
                as_from = text.partition("3 of 3 answers look as from ")[2].partition(" (")[0]
                seen[as_from or None] += 1
            total = sum(seen.values())
            if name is None:
                self.assertLessEqual(set(seen), {None, "vLLM"}, vendor)
            else:
                self.assertLessEqual(set(seen), {name, None}, vendor)
                self.assertGreaterEqual(seen[name], (1 - early) * total, (vendor, seen))

    def test_refusals(self):
        names = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini", "groq": "Groq",
                 "deepseek": "DeepSeek"}
        known = collections.Counter()
        for vendor, name in names.items():
            for dialect, r in recorded.read(vendor):
                if r["status"] in (400, 404):
                    text = next(f["text"] for f in self.judge(dialect, r, "errors")
                                if f["probe"] == "errors")
                    said = text.partition("in the words of ")[2].partition(" (")[0]
                    self.assertIn(said, ("", name), (vendor, r["response"]))
                    known[vendor] += said == name
        self.assertEqual(set(known), set(names))
        self.assertTrue(all(known.values()), known)


if __name__ == "__main__":
    unittest.main()
