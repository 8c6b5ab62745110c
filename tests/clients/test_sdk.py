# SPDX-License-Identifier: Apache-2.0
"""The official SDKs against the station: chat, stream, tools, error, abort, models.

Needs the packages of requirements.txt (tools/test makes a virtual environment in build/venv).
"""
import importlib.util
import unittest

from tests.peer.case import StationCase
from tests.peer.wait import PATIENCE_S, until

TIME_LIMIT_S = 300
RETRIES = 0         # a hidden second request would hide an error, and be paid for
TOOL_TEXT = "What is the weather? [[tool=1]]"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def needs(package):
    name = package.replace("-", ".")
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        found = False
    return unittest.skipUnless(found, f"the package {package} is not installed")


class Sdk(StationCase):
    @classmethod
    def upstreams(cls):
        return [{**row, "cooldown": "0s"} for row in super().upstreams()]

    def setUp(self):
        super().setUp()
        self.buyer = self.customer("5.00")
        self.base = f"http://127.0.0.1:{self.station.port}"
        self.client = self.connect(self.buyer.key)

    def connect(self, key):
        raise NotImplementedError

    def assert_spent(self, requests=1):
        """The vendor had so many requests, and each was paid."""
        self.assertEqual(len(self.vendor.received), requests, self.vendor.received)
        until(lambda: self.charges() == requests, f"{requests} charges", 2 * PATIENCE_S)

    def charges(self):
        return self.station.store.sql(
            "SELECT count(*) AS n FROM charge c JOIN account a ON a.id = c.account "
            "WHERE a.name = ? AND c.nano > 0", self.buyer.name)[0]["n"]


@needs("openai")
class OpenAI(Sdk):
    def connect(self, key):
        import openai
        self.errors = openai
        client = openai.OpenAI(base_url=self.base + "/v1", api_key=key, max_retries=RETRIES)
        self.addCleanup(client.close)
        return client

    def chat(self, text="Hello [[tokens=5]]", **more):
        return self.client.chat.completions.create(
            model="gpt", messages=[{"role": "user", "content": text}], **more)

    def test_chat(self):
        answer = self.chat()
        self.assertEqual(answer.choices[0].message.content, "w0 w1 w2 w3 w4 ")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.completion_tokens, 5)
        self.assert_spent()

    def test_chat_stream(self):
        chunks = list(self.chat(stream=True))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertEqual(text, "w0 w1 w2 w3 w4 ")
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")
        self.assertTrue(all(c.choices for c in chunks), "a usage chunk that was not asked for")
        self.assert_spent()

    def test_chat_stream_with_usage(self):
        chunks = list(self.chat(stream=True, stream_options={"include_usage": True}))
        self.assertEqual(chunks[-1].usage.completion_tokens, 5)
        self.assertEqual(chunks[-1].choices, [])
        self.assert_spent()

    def test_chat_strict_helper(self):
        with self.client.chat.completions.stream(
                model="gpt", messages=[{"role": "user", "content": "Hi [[tokens=3]]"}]) as stream:
            for _ in stream:
                pass
            final = stream.get_final_completion()
        self.assertEqual(final.choices[0].message.content, "w0 w1 w2 ")
        self.assert_spent()

    def test_chat_tools(self):
        tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
        call = self.chat(TOOL_TEXT, tools=tools).choices[0].message.tool_calls[0]
        self.assertEqual((call.function.name, call.function.arguments),
                         ("weather", '{"city":"Paris"}'))
        parts = [c.choices[0].delta.tool_calls[0] for c in
                 self.chat(TOOL_TEXT, tools=tools, stream=True) if c.choices[0].delta.tool_calls]
        self.assertEqual(parts[0].function.name, "weather")
        self.assert_spent(2)

    def test_responses(self):
        answer = self.client.responses.create(model="gpt", input="Hello [[tokens=4]]")
        self.assertEqual((answer.output_text, answer.status), ("w0 w1 w2 w3 ", "completed"))
        self.assert_spent()

    def test_responses_stream(self):
        with self.client.responses.stream(model="gpt", input="Hello [[tokens=4]]") as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        self.assertEqual(final.output_text, "w0 w1 w2 w3 ")
        self.assertEqual(final.usage.output_tokens, 4)
        self.assertEqual(kinds[-1], "response.completed")
        self.assert_spent()

    def test_responses_tools(self):
        tools = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]
        answer = self.client.responses.create(model="gpt", input=TOOL_TEXT, tools=tools)
        self.assertEqual(answer.output[0].name, "weather")
        self.assert_spent()

    def test_embeddings(self):
        answer = self.client.embeddings.create(model="gpt", input=["a", "b"],
                                               encoding_format="float")
        self.assertEqual(len(answer.data), 2)
        self.assert_spent()

    def test_models(self):
        self.assertLessEqual({"gpt", "claude", "gem"}, {m.id for m in self.client.models.list()})

    def test_errors(self):
        with self.assertRaises(self.errors.NotFoundError) as caught:
            self.client.chat.completions.create(model="none", messages=[])
        self.assertEqual(caught.exception.code, "model_not_found")
        with self.assertRaises(self.errors.AuthenticationError):
            self.connect("ek_wrong").models.list()
        with self.assertRaises(self.errors.RateLimitError):
            self.chat("x [[error=429]]")
        with self.assertRaises(self.errors.InternalServerError):
            self.chat("x [[error=503]]")
        poor = self.connect(self.customer("0").key)
        with self.assertRaises(self.errors.APIStatusError) as caught:
            poor.chat.completions.create(model="gpt", messages=[])
        self.assertEqual(caught.exception.status_code, 402)
        self.assertEqual(self.buyer.balance, 5 * 10**9)

    def test_a_cut_stream_raises(self):
        for text, make in (("chat", lambda t: self.chat(t, stream=True)),
                           ("responses", lambda t: self.client.responses.create(
                               model="gpt", input=t, stream=True))):
            with self.subTest(text):
                try:
                    events = list(make("x [[tokens=30 cut=8]]"))
                except Exception:       # each SDK has its own word for it
                    continue
                self.assertEqual(events[-1].type, "response.failed")

    def test_abort(self):
        stream = self.chat("x [[tokens=400 pause=0.01]]", stream=True)
        for _, _chunk in zip(range(5), stream):
            pass
        stream.close()
        self.assertTrue(self.vendor.last.done.wait(PATIENCE_S))
        self.assert_spent()
        self.assertEqual(self.chat().choices[0].finish_reason, "stop")


@needs("anthropic")
class Anthropic(Sdk):
    def connect(self, key):
        import anthropic
        self.errors = anthropic
        client = anthropic.Anthropic(base_url=self.base, api_key=key, max_retries=RETRIES)
        self.addCleanup(client.close)
        return client

    def ask(self, text="Hello [[tokens=5]]", **more):
        return {"model": "claude", "max_tokens": 500,
                "messages": [{"role": "user", "content": text}], **more}

    def test_messages(self):
        answer = self.client.messages.create(**self.ask())
        self.assertEqual(answer.content[0].text, "w0 w1 w2 w3 w4 ")
        self.assertEqual((answer.stop_reason, answer.usage.output_tokens), ("end_turn", 5))
        self.assert_spent()

    def test_stream(self):
        with self.client.messages.stream(**self.ask()) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        self.assertEqual(text, "w0 w1 w2 w3 w4 ")
        self.assertEqual((final.stop_reason, final.usage.output_tokens), ("end_turn", 5))
        self.assert_spent()

    def test_tools(self):
        tools = [{"name": "weather", "input_schema": SCHEMA}]
        answer = self.client.messages.create(**self.ask(TOOL_TEXT, tools=tools))
        self.assertEqual((answer.stop_reason, answer.content[0].input),
                         ("tool_use", {"city": "Paris"}))
        with self.client.messages.stream(**self.ask(TOOL_TEXT, tools=tools)) as stream:
            final = stream.get_final_message()
        self.assertEqual(final.content[0].input, {"city": "Paris"})
        self.assert_spent(2)

    def test_count_tokens(self):
        said = [{"role": "user", "content": "Hello"}]
        counted = self.client.messages.count_tokens(model="claude", messages=said)
        self.assertEqual(counted.input_tokens, 2)
        self.assertEqual(self.buyer.balance, 5 * 10**9)

    def test_models(self):
        self.assertLessEqual({"gpt", "claude", "gem"}, {m.id for m in self.client.models.list()})

    def test_errors(self):
        with self.assertRaises(self.errors.NotFoundError):
            self.client.messages.create(**{**self.ask(), "model": "none"})
        with self.assertRaises(self.errors.AuthenticationError):
            self.connect("ek_wrong").messages.create(**self.ask())
        with self.assertRaises(self.errors.RateLimitError):
            self.client.messages.create(**self.ask("x [[error=429]]"))
        with self.assertRaises(self.errors.APIStatusError) as caught:
            self.client.messages.create(**self.ask("x [[error=529]]"))
        self.assertEqual(caught.exception.status_code, 529)
        with self.assertRaises(self.errors.APIStatusError) as caught:
            self.connect(self.customer("0").key).messages.create(**self.ask())
        self.assertEqual(caught.exception.status_code, 402)

    def test_a_cut_stream_raises(self):
        with self.assertRaises(Exception):
            with self.client.messages.stream(**self.ask("x [[tokens=30 cut=8]]")) as stream:
                stream.get_final_message()

    def test_abort(self):
        with self.client.messages.stream(**self.ask("x [[tokens=400 pause=0.01]]")) as stream:
            for _, _event in zip(range(8), stream):
                pass
        self.assertTrue(self.vendor.last.done.wait(PATIENCE_S))
        self.assert_spent()


@needs("google-genai")
class Google(Sdk):
    def connect(self, key):
        from google import genai
        self.errors = genai.errors
        return genai.Client(api_key=key, http_options={"base_url": self.base})

    def ask(self, text="Hello [[tokens=5]]", **config):
        return {"model": "gem", "contents": text, "config": config or None}

    def test_generate(self):
        answer = self.client.models.generate_content(**self.ask())
        self.assertEqual(answer.text, "w0 w1 w2 w3 w4 ")
        self.assertEqual(answer.usage_metadata.candidates_token_count, 5)
        self.assert_spent()

    def test_stream(self):
        chunks = list(self.client.models.generate_content_stream(**self.ask()))
        self.assertEqual("".join(c.text or "" for c in chunks), "w0 w1 w2 w3 w4 ")
        self.assertEqual(chunks[-1].candidates[0].finish_reason.name, "STOP")
        self.assert_spent()

    def test_tools(self):
        tools = [{"function_declarations": [{"name": "weather", "parameters": {
            "type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}]}]
        answer = self.client.models.generate_content(**self.ask(TOOL_TEXT, tools=tools))
        self.assertEqual(answer.function_calls[0].args, {"city": "Paris"})
        chunks = list(self.client.models.generate_content_stream(**self.ask(TOOL_TEXT,
                                                                            tools=tools)))
        calls = [call for chunk in chunks for call in chunk.function_calls or []]
        self.assertEqual([call.name for call in calls], ["weather"])
        self.assert_spent(2)

    def test_count_and_embed(self):
        counted = self.client.models.count_tokens(model="gem", contents="Hello")
        self.assertEqual(counted.total_tokens, 2)
        self.assertEqual(self.buyer.balance, 5 * 10**9)
        self.vendor.reset()
        answer = self.client.models.embed_content(model="gem", contents="Hello")
        self.assertEqual(answer.embeddings[0].values, [0.25, -0.5])
        self.assert_spent()

    def test_models(self):
        names = {m.name for m in self.client.models.list()}
        self.assertLessEqual({"models/gpt", "models/gem"}, names)

    def test_errors(self):
        for client, ask, code in (
                (self.client, {**self.ask(), "model": "none"}, 404),
                (self.connect("ek_wrong"), self.ask(), 401),
                (self.client, self.ask("x [[error=429]]"), 429),
                (self.client, self.ask("x [[error=503]]"), 503),
                (self.connect(self.customer("0").key), self.ask(), 402)):
            with self.assertRaises(self.errors.APIError) as caught:
                client.models.generate_content(**ask)
            self.assertEqual(caught.exception.code, code)

    def test_a_cut_stream_raises(self):
        with self.assertRaises(Exception):
            list(self.client.models.generate_content_stream(**self.ask("x [[tokens=30 cut=8]]")))

    def test_abort(self):
        stream = self.client.models.generate_content_stream(
            **self.ask("x [[tokens=400 pause=0.01]]"))
        for _, _chunk in zip(range(5), stream):
            pass
        stream.close()
        self.assertTrue(self.vendor.last.done.wait(PATIENCE_S))
        self.assert_spent()


if __name__ == "__main__":
    unittest.main()
