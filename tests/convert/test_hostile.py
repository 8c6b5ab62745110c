# SPDX-License-Identifier: Apache-2.0
"""Requests and replies of very many small pieces: what each costs must not grow with their square.
The bound is generous: done the slow way each of these takes many times as long."""
import json
import time

from tests.convert import answers
from tests.convert.fifty import FiftyCase
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES

BOUND_S = 10
YES = answers.Answer([("text", "Yes")])


class Hostile(FiftyCase):

    def quick(self, client, upstream, request, **more):
        before = time.monotonic()
        got = self.ask(client, upstream, request, **more)
        self.assertLess(time.monotonic() - before, BOUND_S)
        return got

    def test_many_texts_of_both_sides(self):
        texts = [{"type": "text", "text": "t"}] * 40000
        self.quick(MESSAGES, GEMINI, {"max_tokens": 99, "messages": [
            {"role": "assistant", "content": texts}, {"role": "user", "content": texts}]},
            answer=YES.whole(GEMINI))

    def test_many_results_without_an_id(self):
        """Behind a turn of very many parts, in which each call is sought."""
        def request(texts, calls):
            return {"contents": [
                {"role": "user", "parts": [{"text": "q"}]},
                {"role": "model", "parts": [
                    *[{"text": "t"}] * texts, *[{"functionCall": {"name": "f"}}] * calls]},
                {"role": "user", "parts": [
                    {"functionResponse": {"name": "f", "response": {"output": str(n)}}}
                    for n in range(calls)]}]}
        got = self.quick(GEMINI, CHAT, request(150000, 8000),
                         answer=YES.whole(CHAT))
        said = [m["content"] for m in got.asked["messages"] if m["role"] == "tool"]
        self.assertEqual(said, [str(n) for n in range(8000)])

    def declaring(self, parameters):
        return {"contents": [{"role": "user", "parts": [{"text": "q"}]}],
                "tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]}

    def test_a_schema_of_many_keywords(self):
        """The same one again and again, since there are few that differ."""
        members = '"minItems": "1", ' * 60000 + '"type": "ARRAY", "nullable": true'
        target, body = self.bench.place(GEMINI, CHAT, self.declaring("HERE"), False)
        body = json.dumps(body).replace('"HERE"', "{" + members + "}").encode()
        before = time.monotonic()
        got = self.bench.send(target, body, YES.whole(CHAT), CHAT)
        self.assertLess(time.monotonic() - before, BOUND_S)
        self.assertEqual(got.status, 200, got.body[:400])
        schema = got.asked["tools"][0]["function"]["parameters"]
        self.assertEqual(schema, {"type": ["array", "null"], "minItems": 1})

    def test_an_order_of_many_names(self):
        names = [f"p{n}" for n in range(20000)]
        got = self.quick(GEMINI, CHAT, self.declaring(
            {"type": "OBJECT", "properties": {n: {"type": "STRING"} for n in names},
             "propertyOrdering": names[::-1]}),
            answer=YES.whole(CHAT))
        schema = got.asked["tools"][0]["function"]["parameters"]
        self.assertEqual(list(schema["properties"]), names[::-1])

    def test_a_large_tool_brought_again_and_again(self):
        def tool(parameters):
            return {"type": "function", "name": "f", "strict": False, "parameters": parameters}
        large = {"type": "object", "properties": {
            f"p{n}": {"type": "string"} for n in range(60000)}}
        got = self.quick(RESPONSES, CHAT, {"tools": [tool(large)], "input": [
            {"role": "user", "content": "q"},
            {"type": "additional_tools", "role": "developer",
             "tools": [tool({"type": "object"})] * 10000}]}, answer=YES.whole(CHAT))
        self.assertEqual([t["function"]["parameters"] for t in got.asked["tools"]], [large])
        self.assertIn("input[1].tools[0]", got.lossy)

    def test_very_many_citations(self):
        """Positions are counted from the begin of the text: once for each passage."""
        def grounded(text, chunks, supports):
            answer = answers.Answer([("text", text)]).whole(GEMINI)
            answer["candidates"][0]["groundingMetadata"] = {
                "groundingChunks": [{"web": {"uri": f"https://x.test/{n}", "title": "T"}}
                                    for n in range(chunks)], "groundingSupports": supports}
            return answer
        asked = answers.request(CHAT, "Hi")
        end = 2000000
        whole = {"segment": {"startIndex": end - 2, "endIndex": end}}
        for chunks, supports in ((2, [{**whole, "groundingChunkIndices": [0, 1] * 20000}]),
                                 (2, [{**whole, "groundingChunkIndices": [0]}] * 20000)):
            got = self.quick(CHAT, GEMINI, asked,
                             answer=grounded("x" * end, chunks, supports))
            cited = got.json()["choices"][0]["message"]["annotations"]
            self.assertEqual(cited[0]["url_citation"], {
                "start_index": end - 2, "end_index": end, "url": "https://x.test/0", "title": "T"})
            self.assertEqual(len(cited), len(set(supports[0]["groundingChunkIndices"])))
