# SPDX-License-Identifier: Apache-2.0
"""Conversations and answers that nobody thought of, through every pair: the same meaning on both
sides, streamed and whole. A failure names its seed; ENTREPOT_SEED runs others."""
import json
import os
import random
import unittest

from tests.convert import answers, judge, pairs
from tests.convert.answers import Answer
from tests.convert.fifty import FiftyCase, all_pairs
from tests.convert.harness import wire
from tests.convert.spices import SPICES
from tests.convert.test_fields import choose_some, with_effort, with_format
from tests.peer import meaning
from tests.peer.fold import fold
from tests.peer.recordings import CHAT, GEMINI, MESSAGES
from tests.peer.reply import Reply

SEED = int(os.environ.get("ENTREPOT_SEED", "1"))
ROUNDS = int(os.environ.get("ENTREPOT_ROUNDS", "25"))      # of each pair
WORDS = ["", " ", "a", "Hello ", "naïve ", "⚓", "\n", "\n\n", "\t", "\"", "\\", "{\"a\":1}", "</b>",
         "data: x\n\n", "[DONE]", "event: error\n", "\u2028", "\u0000x", "😀", "null", "x" * 3000]
VALUES = [1, 1.5, "Oslo", "", None, True, [], {}, [1, {"b": "ä\n\"\\"}], 12345678901234567890, -0.0,
          "\ud7ff", {"usage": {"prompt_tokens": 9}}, "\\u0041"]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def text(rng, least=1):
    """Some words, at least one letter among them."""
    while True:
        out = "".join(rng.choice(WORDS) for _ in range(rng.randint(least, 6)))
        if out.strip(" \n\t\u2028"):
            return out


def arguments(rng):
    keys = rng.sample(["a", "b", "input", "ü", "usage", "type", "error"], rng.randint(0, 4))
    return json.dumps({key: rng.choice(VALUES) for key in keys}, ensure_ascii=rng.random() < 0.5)


def parts(rng, upstream, turn=0):
    """An answer's parts, in an order that its vendor could give them."""
    out = []
    if rng.random() < 0.4:
        out.append(("reasoning", text(rng), "c2ln" + "QUFB" * rng.randint(0, 3)))
    for number in range(rng.randint(0 if out else 1, 4)):
        if rng.random() < 0.5:
            out.append(("text", text(rng)))
        else:
            out.append(("call", f"call_{turn}_{number}", rng.choice("fgh"), arguments(rng)))
    if upstream == CHAT:        # one message: its text stands before its calls
        out.sort(key=lambda part: ["reasoning", "text", "call"].index(part[0]))
    return out


def torn(rng, body):
    """The bytes in pieces that know nothing of lines or letters."""
    cuts = sorted({0, len(body), *(rng.randrange(len(body)) for _ in range(rng.randint(0, 12)))})
    return [body[a:b] for a, b in zip(cuts, cuts[1:])]


def conversation(rng, client):
    """A request with some turns behind it and some settings."""
    asked = answers.request(client, text(rng), maximum=rng.choice([100, 5000, 20000]),
                            system=text(rng) if rng.random() < 0.5 else None,
                            tools=[(name, SCHEMA) for name in "fgh"])
    for turn in range(rng.randint(0, 3)):
        # A turn that is not called is asked on; history of another vendor's reasoning goes.
        made = [p for p in parts(rng, client, turn) if p[0] != "reasoning"] or [("text", "Yes")]
        results = [text(rng) for p in made if p[0] == "call"]
        asked = answers.next_turn(client, asked, Answer(made).whole(client), results,
                                  text(rng) if not results or rng.random() < 0.3 else None)
    if rng.random() < 0.3:
        with_format(client, asked)
    if rng.random() < 0.3:
        with_effort(client, asked, rng.choice(["low", "medium", "high"]))
    if rng.random() < 0.2 and client != MESSAGES:
        choose_some(client, asked, ["f", "h"])
    holder = asked.setdefault("generationConfig", {}) if client == GEMINI else asked
    if rng.random() < 0.3:
        holder["temperature"] = rng.choice([0, 0.5, 1])
    return asked


class RandomTest(FiftyCase):

    def rng(self, client, upstream, number):
        return random.Random(f"{SEED} {client} {upstream} {number}")

    @all_pairs
    def test_answers(self, client, upstream):
        asked = answers.request(client, "Hi", tools=[(name, SCHEMA) for name in "fgh"])
        if client == GEMINI:
            asked["generationConfig"]["thinkingConfig"] = {"includeThoughts": True}
        for number in range(ROUNDS):
            rng = self.rng(client, upstream, number)
            answer = Answer(parts(rng, upstream), total_in=rng.randint(50, 999),
                            read=rng.randint(0, 20), out=rng.randint(20, 99),
                            reasoning=rng.randint(0, 20))
            read = []
            for stream in (False, True):
                given = answer.either(upstream, stream)
                vendor = meaning.reply(upstream, fold(upstream, given) if stream else given)
                sent = Reply.sse(torn(rng, wire(upstream, given).content())) if stream else given
                got = self.ask(client, upstream, asked, sent, stream)
                faults, whole = pairs.reply_of(client, got, stream)
                self.assertEqual([str(f) for f in faults], [], (number, answer.parts))
                read.append(meaning.reply(client, whole))
                faults = judge.compare_replies(vendor, read[-1])
                self.assertEqual([str(f) for f in faults], [], (number, stream, answer.parts))
            self.assertEqual(read[0].all("call"), read[1].all("call"))
            self.assertEqual((read[0].text, str(read[0].usage)), (read[1].text, str(read[1].usage)))

    @all_pairs
    def test_conversations(self, client, upstream):
        for number in range(ROUNDS):
            rng = self.rng(client, upstream, number)
            self.converse(client, upstream, number, conversation(rng, client))

    @all_pairs
    def test_conversations_with_all_that_clients_add(self, client, upstream):
        """Each is carried, or named, or refused by name, and never anything else."""
        refused = 0
        for number in range(2 * ROUNDS):
            rng = self.rng(client, upstream, f"spiced {number}")
            asked = conversation(rng, client)
            for spice in rng.sample(SPICES[client], rng.randint(1, 3)):
                spice(rng, asked)
            refused += self.converse(client, upstream, number, json.loads(json.dumps(asked)))
        self.assertLess(refused, 2 * ROUNDS, "every one was refused")

    def converse(self, client, upstream, number, asked):
        """One request, judged. Whether it was refused."""
        got = self.bench.ask(client, upstream, asked)
        given = meaning.request(client, asked)
        if got.status == 400:
            self.assertIsNone(got.received)
            faults = judge.judge_refusal(given, upstream, asked, got.response, client)
            self.assertEqual([str(f) for f in faults], [], (number, asked))
            return True
        self.assertEqual(got.status, 200, got.body)
        faults = pairs.request_faults(client, upstream, asked, got, stream=False)
        self.assertEqual([str(f) for f in faults], [], (number, json.dumps(asked)))
        return False


if __name__ == "__main__":
    unittest.main()
