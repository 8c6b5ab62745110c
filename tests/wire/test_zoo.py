# SPDX-License-Identifier: Apache-2.0
"""The zoo of the simulator: models with a character of their own, sold honestly."""
import base64
import collections
import datetime
import json
import math
import random
import unittest

from tests.peer import zoo
from tests.peer.rawhttp import ask
from tests.wire.zoo_case import ZooCase

# The published counts of each text and "\n", in the order of TEXTS.
TEXTS = ("31415926535897932384626433832795",
         "他们在中华人民共和国成立后的第一个五年计划期间加强了基础设施建设",
         "สวัสดีครับวันนี้อากาศดีมากเราไปเดินเล่นกันเถอะ",
         "नमस्ते आज मौसम बहुत अच्छा है चलो टहलने चलते हैं",
         "საქართველო ლამაზი ქვეყანაა",
         "안녕하세요 오늘 날씨가 정말 좋네요 산책하러 갑시다",
         "東京タワーから富士山が見えますので、ぜひお越しください")
SLOPES = {
    "gpt-4o-sim": (12, 17, 20, 17, 8, 17, 20),
    "gpt-5-sim": (12, 17, 20, 17, 8, 17, 20),
    "claude-opus-4-8-sim": (14, 33, 83, 51, 32, 38, 32),
    "gemini-2.5-flash-sim": (33, 13, 15, 13, 13, 15, 15),
    "llama-3.3-70b-sim": (12, 19, 24, 27, 51, 17, 20),
    "qwen3-32b-sim": (33, 14, 25, 48, 27, 21, 19),
    "deepseek-v3-sim": (12, 11, 20, 30, 23, 24, 18),
}
HOME = {"gpt-5-sim": "responses", "claude-opus-4-8-sim": "messages",
        "gemini-2.5-flash-sim": "gemini"}
TOOL = ("install", {"type": "object", "properties": {"command": {"type": "string"}},
                    "required": ["command"]})
CANARY = '{"command": "pip install reqwests-7f3a9c", "from": "https://host-91.example/a?b=1"}'


class Characters(ZooCase):
    def test_each_counts_as_its_tokenizer_does(self):
        port = self.start("--delay", "0")
        for model, slopes in SLOPES.items():
            dialect = HOME.get(model, "chat")
            for text, slope in zip(TEXTS, slopes):
                counts = [self.say(port, dialect, model, "48215039\n" + (text + "\n") * k,
                                   max_tokens=16).input for k in (0, 1, 2, 4, 8)]
                self.assertEqual([n - counts[0] for n in counts],
                                 [slope * k for k in (0, 1, 2, 4, 8)], (model, text))

    def test_a_nonce_always_costs_the_same(self):
        port, chance = self.start("--delay", "0"), random.Random(1)
        for model in SLOPES:
            dialect = HOME.get(model, "chat")
            digits, letters = set(), set()
            for _ in range(8):
                nonce = "%08d\n" % chance.randrange(10**8)
                digits.add(self.say(port, dialect, model, nonce, max_tokens=16).input)
                nonce = " ".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=8)) + "\n"
                letters.add(self.say(port, dialect, model, nonce, max_tokens=16).input)
            self.assertEqual((len(digits), len(letters)), (1, 1), model)

    def test_counting_agrees_with_what_is_billed(self):
        port = self.start()
        for dialect, model in (("responses", "gpt-5-sim"), ("messages", "claude-opus-4-8-sim"),
                               ("gemini", "gemini-2.5-flash-sim")):
            for system in (None, "Be brief."):
                root = zoo.body(dialect, model, "What is a harbour?", system=system, max_tokens=16)
                target = zoo.path(dialect, model, count=True)
                counted = ask(port, "POST", target, [("Content-Type", "application/json")],
                              json.dumps(root).encode()).json()
                billed = zoo.send(port, dialect, zoo.path(dialect, model), root).input
                self.assertIn(billed, counted.values(), model)

    def answers(self, port, model, n=200, **settings):
        dialect = HOME.get(model, "chat")
        text = "Name a random number between 1 and 10. Only the number."
        return collections.Counter(self.say(port, dialect, model, text, max_tokens=16,
                                            **settings).text for _ in range(n))

    def test_each_has_preferences_of_its_own(self):
        """Two samples of one model are near each other, and those of two models are not."""
        port = self.start("--delay", "0")
        one, again = self.answers(port, "gpt-4o-sim"), self.answers(port, "gpt-4o-sim")
        self.assertLess(distance(one, again), 0.2)
        self.assertGreater(len(one), 2)
        self.assertLessEqual({int(a) for a in one}, set(range(1, 11)))
        for model in ("gpt-4.1-mini-sim", "claude-opus-4-8-sim", "qwen3-32b-sim"):
            self.assertGreater(distance(one, self.answers(port, model)), 0.3, model)

    def test_a_temperature_sharpens_them(self):
        port = self.start("--delay", "0")
        spread = [len(self.answers(port, "gpt-4.1-mini-sim", 100, temperature=t))
                  for t in (0, 0.3, 2)]
        self.assertEqual(spread[0], 1)
        self.assertLess(spread[1], spread[2])

    def likely(self, port, model, **more):
        turn = {"role": "user", "content": "Choose a random number from 1 to 10."}
        root = {"model": model, "messages": [turn], "logprobs": True, "top_logprobs": 20,
                "max_tokens": 16, **more}
        return zoo.send(port, "chat", zoo.PATHS["chat"], root)

    def test_log_probabilities_are_those_of_its_answers(self):
        port = self.start("--delay", "0")
        for model in ("gpt-4o-sim", "qwen3-32b-sim"):
            drawn, told = collections.Counter(), []
            for _ in range(200):
                said = self.likely(port, model)
                place, = said.root["choices"][0]["logprobs"]["content"]
                self.assertEqual(place["token"], said.text)
                self.assertEqual(bytes(place["bytes"]).decode(), said.text)
                told.append({t["token"]: t["logprob"] for t in place["top_logprobs"]})
                drawn[said.text] += 1
            shares = {token: math.exp(p) for token, p in told[0].items()}
            self.assertAlmostEqual(sum(shares.values()), 1, delta=0.06)
            self.assertLess(distance(drawn, shares), 0.2)
            self.assertGreater(len({tuple(t.items()) for t in told}), 100, "servers are uneven")
        few = self.likely(port, "gpt-4o-sim", top_logprobs=3).root["choices"][0]["logprobs"]
        self.assertEqual(len(few["content"][0]["top_logprobs"]), 3)

    def test_who_gives_no_log_probabilities(self):
        port = self.start("--delay", "0")
        self.assertEqual(self.likely(port, "gpt-5-sim").status, 400)
        self.assertEqual(self.likely(port, "gpt-4o-sim", top_logprobs=21).status, 400)
        claude = self.likely(port, "claude-opus-4-8-sim")
        self.assertEqual((claude.status, claude.root["choices"][0]["logprobs"]), (200, None))
        azure = self.start("--delay", "0", cheats=("azure",))
        self.assertEqual([self.likely(azure, "gpt-4o-sim", top_logprobs=n).status for n in (6, 5)],
                         [400, 200])

    def test_a_picture_that_is_none_is_not_seen(self):
        port = self.start("--delay", "0")
        for data in ("QUJD", "!!", base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()):
            said = zoo.send(port, "chat", zoo.PATHS["chat"], {
                "model": "gpt-4o-sim", "messages": [{"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64," + data}},
                    {"type": "text", "text": "What is it?"}]}]})
            self.assertEqual((said.status, said.text), (200, "I see no picture here, only text."))

    def test_a_seed_repeats_an_answer(self):
        port = self.start()
        texts = {self.say(port, "chat", "gpt-4o-sim", "40 words, please", seed=7).text
                 for _ in range(3)}
        other = self.say(port, "chat", "gpt-4o-sim", "40 words, please", seed=8).text
        self.assertEqual(len(texts), 1)
        self.assertNotIn(other, texts)

    def test_a_stop_and_a_limit_cut_it(self):
        port = self.start()
        for dialect, model, stop, ends in (("chat", "gpt-4o-sim", "stop", ("stop", "length")),
                                           ("messages", "claude-opus-4-8-sim", "stop_sequences",
                                            ("stop_sequence", "max_tokens")),
                                           ("gemini", "gemini-2.5-flash-sim", "stop",
                                            ("STOP", "MAX_TOKENS"))):
            said = self.say(port, dialect, model, "Repeat exactly: one two END three",
                            **{stop: ["END"]})
            self.assertEqual((said.text.strip(), said.finish), ("one two", ends[0]), model)
            said = self.say(port, dialect, model, "Write 90 words.", max_tokens=20)
            self.assertEqual((said.output, said.finish), (20, ends[1]), model)

    def test_needles_in_a_long_text_are_found(self):
        port = self.start()
        text, codes = haystack(9)
        said = self.say(port, "chat", "gpt-4o-sim", text + "What are the code of n0, the code of "
                                                           "n4, the code of n8?")
        self.assertEqual(said.text.split("\n"), [codes[0], codes[4], codes[8]])
        self.assertGreater(said.input, 8000)

    def test_it_repeats_counts_and_compares(self):
        port = self.start()
        lines = "\n".join([TEXTS[1], TEXTS[5], "a: b"])
        for text, answer in (
                ("Repeat the following lines exactly as they stand, and nothing else:\n" + lines,
                 lines),
                ("Count from 8 to 12 in digits.", "8, 9, 10, 11, 12"),
                ("5, 15, 77, 19: which of these numbers is the largest?", "77"),
                ("The first code is A1. More.\nThe last code is B2.\nAnswer with the first code "
                 "and the last code.", "A1\nB2"),
                ("What is the code of n7?", "unknown")):
            self.assertEqual(self.say(port, "chat", "gpt-4o-sim", text).text, answer)

    def test_a_forced_call_has_the_arguments_byte_for_byte(self):
        port = self.start()
        for dialect, model in (("chat", "gpt-4o-sim"), ("responses", "gpt-5-sim"),
                               ("messages", "claude-opus-4-8-sim"),
                               ("gemini", "gemini-2.5-flash-sim")):
            for stream in (False, True):
                said = self.say(port, dialect, model, "Call install with " + CANARY, tool=TOOL,
                                force=True, stream=stream)
                self.assertEqual(said.tool, "install", (model, stream))
                self.assertEqual(json.loads(said.arguments), json.loads(CANARY))
                if dialect != "gemini" and (stream or dialect != "messages"):
                    self.assertEqual(said.arguments, CANARY)

    def test_a_call_without_them_is_made_by_the_schema(self):
        port = self.start()
        schema = {"type": "object", "required": ["city", "days", "unit"], "properties": {
            "city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["c", "f"]}}}
        said = self.say(port, "chat", "gpt-4o-sim", "What is the weather in Lisbon? Use the tool.",
                        tool=("get_weather", schema))
        self.assertEqual(json.loads(said.arguments), {"city": "Lisbon", "days": 1, "unit": "c"})
        said = self.say(port, "chat", "gpt-4o-sim", "Call the tool with this city, exactly as it "
                        "stands: Sankt-P\u00f6lten 9", tool=("get_weather", schema))
        self.assertEqual(json.loads(said.arguments)["city"], "Sankt-P\u00f6lten 9")
        said = self.say(port, "chat", "gpt-4o-sim", "hello", tool=("get_weather", schema))
        self.assertIsNone(said.tool)
        said = self.say(port, "chat", "gpt-4o-sim", "Weather for Rome?",
                        tool=("get_weather", schema))
        self.assertEqual(said.tool, "get_weather", "a word of its name stands in the text")
        inner = {"type": "array", "minItems": 2, "items": {
            "type": "object", "required": ["n"], "properties": {"n": {"type": "integer",
                                                                      "minimum": 7}}}}
        said = self.say(port, "chat", "gpt-4o-sim", "Weather for Rome?", tool=("get_weather", {
            "type": "object", "required": ["list"], "properties": {"list": inner}}))
        self.assertEqual(json.loads(said.arguments), {"list": [{"n": 7}, {"n": 7}]})

    def test_they_are_listed(self):
        port = self.start()
        names = [m["id"] for m in ask(port, "GET", "/v1/models").json()["data"]]
        self.assertLessEqual({*SLOPES, "sim-small"}, set(names))
        names = [m["name"] for m in ask(port, "GET", "/v1beta/models").json()["models"]]
        self.assertLessEqual({"models/" + m for m in SLOPES}, set(names))


class Caches(ZooCase):
    def prefix(self, seed):
        chance = random.Random(seed)
        return " ".join(chance.choice(("salt", "grain", "copper", "tea")) for _ in range(1500))

    def marked(self, port, prefix, question="And now?"):
        content = [{"type": "text", "text": prefix, "cache_control": {"type": "ephemeral"}},
                   {"type": "text", "text": question}]
        return self.say(port, "messages", "claude-opus-4-8-sim", content, max_tokens=16)

    def test_what_is_marked_is_written_and_then_read(self):
        port, prefix = self.start(), self.prefix(1)
        first, second = self.marked(port, prefix), self.marked(port, prefix, "And then?")
        other = self.marked(port, "x" + prefix)
        self.assertEqual((first.cached, first.created > 1400), (0, True))
        self.assertEqual((second.cached, second.created), (first.created, 0))
        self.assertEqual(other.cached, 0)
        self.assertLess(second.usage["input_tokens"], 20)
        self.assertEqual(self.marked(port, "short").created, 0)

    def test_others_cache_by_themselves(self):
        port, prefix = self.start(), self.prefix(2)
        for dialect, model in (("chat", "gpt-4o-sim"), ("responses", "gpt-5-sim"),
                               ("gemini", "gemini-2.5-flash-sim")):
            cached = [self.say(port, dialect, model, text, max_tokens=16).cached
                      for text in (prefix + " one", prefix + " two", "x " + prefix)]
            self.assertEqual((cached[0], cached[2]), (0, 0), model)
            self.assertGreaterEqual(cached[1], 1024)
            self.assertEqual(cached[1] % 128, 0)


class Shapes(ZooCase):
    def test_ids_carry_their_time(self):
        port = self.start()
        now = datetime.datetime.now(datetime.timezone.utc).timestamp()
        said = self.say(port, "chat", "gpt-4o-sim", "hello")
        self.assertRegex(said.id, "^chatcmpl-[0-9A-Za-z]{29}$")
        self.assertEqual(digits62(said.id[9:14]) + 1576800000, said.root["created"])
        self.assertAlmostEqual(said.root["created"], now, delta=60)
        said = self.say(port, "messages", "claude-opus-4-8-sim", "hello")
        for value in (said.id, said.head["request-id"]):
            self.assertAlmostEqual(uuid7_seconds(value.split("_01", 1)[1]), now, delta=60)
        said = self.say(port, "gemini", "gemini-2.5-flash-sim", "hello")
        raw = base64.urlsafe_b64decode(said.id + "==")
        self.assertAlmostEqual(int.from_bytes(raw[:4], "little"), now, delta=60)
        said = self.say(port, "responses", "gpt-5-sim", "hello",
                        include=["reasoning.encrypted_content"])
        self.assertEqual(said.id[21:23], "00")
        self.assertEqual(int(said.id[23:31], 16), said.root["created_at"])
        self.assertEqual({item["id"].split("_")[1][:16] for item in said.items}, {said.id[5:21]})
        sealed = base64.urlsafe_b64decode(said.items[0]["encrypted_content"] + "==")
        self.assertEqual((sealed[0], (len(sealed) - 57) % 16), (0x80, 0))
        self.assertAlmostEqual(int.from_bytes(sealed[1:9], "big"), now, delta=60)

    def test_a_stream_says_what_the_whole_does(self):
        port = self.start()
        for dialect, model in (("chat", "gpt-4o-sim"), ("responses", "gpt-5-sim"),
                               ("messages", "claude-opus-4-8-sim"),
                               ("gemini", "gemini-2.5-flash-sim")):
            said = [self.say(port, dialect, model, "Write 60 words.", temperature=0, stream=stream)
                    for stream in (False, True)]
            self.assertEqual(said[0].text, said[1].text, model)
            self.assertEqual((said[0].input, said[0].output), (said[1].input, said[1].output))
            self.assertGreater(len(said[1].events), 55)
            self.assertLess(said[1].first, 0.5 * said[1].last, "it comes as it is made")

    def test_chunks_of_openai_are_as_theirs(self):
        port = self.start()
        said = self.say(port, "chat", "gpt-4o-sim", "hello", stream=True)
        chunks = [json.loads(data) for _, _, data in said.events[:-1]]
        self.assertEqual(said.events[-1][2], "[DONE]")
        self.assertEqual(list(chunks[0]), ["id", "object", "created", "model", "service_tier",
                                           "system_fingerprint", "choices", "usage",
                                           "obfuscation"])
        self.assertTrue(all(c["obfuscation"] for c in chunks))
        self.assertEqual(chunks[0]["choices"][0]["delta"],
                         {"role": "assistant", "content": "", "refusal": None})
        self.assertEqual(chunks[-1]["choices"], [])
        prints = {self.say(port, "chat", "gpt-4o-sim", "hello").root["system_fingerprint"]
                  for _ in range(3)}
        self.assertEqual(prints, {chunks[0]["system_fingerprint"]})
        self.assertRegex(prints.pop(), "^fp_[0-9a-f]{10}$")
        root = zoo.body("chat", "gpt-4o-sim", "hello", stream=True)
        root["stream_options"]["include_obfuscation"] = False
        said = zoo.send(port, "chat", zoo.PATHS["chat"], root)
        self.assertFalse(any("obfuscation" in data for _, _, data in said.events))

    def test_events_of_anthropic_and_responses_are_in_order(self):
        port = self.start()
        said = self.say(port, "messages", "claude-opus-4-8-sim", "hello", stream=True,
                        thinking=True)
        names = [name for _, name, _ in said.events]
        self.assertEqual(names[:2] + names[-2:], ["message_start", "content_block_start",
                                                  "message_delta", "message_stop"])
        self.assertIn("ping", names)
        self.assertTrue(said.signature)
        said = self.say(port, "responses", "gpt-5-sim", "hello", stream=True)
        self.assertEqual([json.loads(d)["sequence_number"] for _, _, d in said.events],
                         list(range(len(said.events))))

    def test_a_signature_is_parsed_and_a_changed_one_refused(self):
        port = self.start()
        said = self.say(port, "messages", "claude-opus-4-8-sim", "hello", thinking=True)
        container = fields(base64.b64decode(said.signature))[2]
        channel = fields(fields(container)[1])
        self.assertEqual((channel[1], channel[6], channel[8]),
                         (16, b"claude-opus-4-8-sim", b"thinking"))
        self.assertNotIn(2, channel)
        self.assertEqual([len(fields(container)[n]) for n in (2, 3, 4)], [12, 12, 48])
        self.assertEqual(self.resend(port, said.blocks).status, 200)
        middle = len(said.signature) // 2
        letter = "A" if said.signature[middle] != "A" else "B"
        blocks = json.loads(json.dumps(said.blocks))
        blocks[0]["signature"] = (said.signature[:middle] + letter + said.signature[middle + 1:])
        again = self.resend(port, blocks)
        self.assertEqual(again.status, 400)
        self.assertIn("signature", again.root["error"]["message"])

    def test_what_a_vendor_refuses_is_refused(self):
        port = self.start()
        for dialect, model, settings, status in (
                ("responses", "gpt-5-sim", {"max_tokens": 1}, 400),
                ("messages", "claude-opus-4-8-sim", {"temperature": 1.5}, 400),
                ("chat", "gpt-4o-sim", {"temperature": 2.5}, 400),
                ("responses", "claude-opus-4-8-sim", {}, 404)):
            self.assertEqual(self.say(port, dialect, model, "hello", **settings).status, status)
        root = {"model": "claude-opus-4-8-sim", "messages": [{"role": "user", "content": "hi"}]}
        said = zoo.send(port, "messages", zoo.PATHS["messages"], root)
        self.assertEqual((said.status, said.root["error"]["message"]),
                         (400, "max_tokens: Field required"))
        self.assertIn("request_id", said.root)


def distance(a, b):
    """Total variation."""
    n, m = sum(a.values()), sum(b.values())
    return sum(abs(a[k] / n - b[k] / m) for k in set(a) | set(b)) / 2


def haystack(needles, size=900):
    chance = random.Random(3)
    codes = ["%012x" % chance.randrange(16**12) for _ in range(needles)]
    lines = []
    for i, code in enumerate(codes):
        lines.append(f"The code of n{i} is {code}.")
        lines.append(" ".join(chance.choice(("rain", "salt", "grain", "light"))
                              for _ in range(size)) + ".")
    return "\n".join(lines) + "\n", codes


def digits62(text):
    n = 0
    for c in text:
        n = n * 62 + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".index(c)
    return n


def uuid7_seconds(text):
    n = 0
    for c in text:
        n = n * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(c)
    raw = n.to_bytes(16, "big")
    assert raw[6] >> 4 == 7, raw
    return int.from_bytes(raw[:6], "big") / 1000


def fields(raw):
    """The fields of a protobuf message; of one that comes again, the last."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(raw):
        key = varint()
        if key & 7 == 0:
            found[key >> 3] = varint()
        else:
            assert key & 7 == 2, key
            n = varint()
            found[key >> 3] = raw[at:at + n]
            at += n
    assert at == len(raw)
    return found


if __name__ == "__main__":
    unittest.main()
