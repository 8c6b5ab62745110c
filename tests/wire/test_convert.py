# SPDX-License-Identifier: Apache-2.0
"""What the station does around a conversion: which upstream is asked, what is told and charged,
and how each dialect ends when something goes wrong. What becomes of requests and answers
themselves is in tests/convert.
"""
import json
import unittest

from tests.peer import station
from tests.peer.case import body_for
from tests.wire.converting import ConvertCase

COUNT_PATHS = {"responses": "/v1/responses/input_tokens",
               "messages": "/v1/messages/count_tokens?beta=true",
               "gemini": "/v1beta/models/{}:countTokens"}
COUNT_SHAPES = {"responses": {"object", "input_tokens"}, "messages": {"input_tokens"},
                "gemini": {"totalTokens"}}


class Count(ConvertCase):
    TEXT = "The quick brown fox jumps over the lazy dog. " * 20     # 10 tokens a line

    @classmethod
    def models(cls):
        return [*super().models(), *(station.model(name, ("up-chat", name)) for name in (
            "gpt-5.2", "qwen3-max"))]

    def count(self, dialect, model, body):
        path = COUNT_PATHS[dialect].format(model)
        if dialect != "gemini":
            body = json.dumps({**json.loads(body), "model": model}).encode()
        return self.buyer.post(path, body)

    def tokens(self, dialect, model, body):
        answer = self.count(dialect, model, body)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.get("relay-estimated"), "input_tokens")
        value = answer.json()
        self.assertEqual(set(value), COUNT_SHAPES[dialect])
        self.assertEqual(self.assert_free(answer)["end"], "free")
        self.assertEqual(self.vendor.received, [])
        return value.get("input_tokens", value.get("totalTokens"))

    def test_each_dialect_is_told_an_estimate_in_its_shape(self):
        for dialect in COUNT_PATHS:
            with self.subTest(dialect=dialect):
                found = self.tokens(dialect, "gpt-5.2", body_for(dialect, self.TEXT))
                self.assertTrue(185 <= found <= 225, found)

    def test_the_model_behind_the_name_decides(self):
        digits = body_for("messages", "1234567890" * 50)
        self.assertGreater(self.tokens("messages", "qwen3-max", digits),
                           2 * self.tokens("messages", "gpt-5.2", digits))

    def test_tools_system_text_and_images_are_taken(self):
        tool = {"name": "find", "description": "Looks for a file by its name.",
                "input_schema": {"type": "object", "properties": {"name": {"type": "string"}}}}
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                             "data": "iVBORw0KGgo=" * 1000}}
        plain = self.tokens("messages", "gpt-5.2", body_for("messages", "Hello"))
        for more, least, most in (
                ({"tools": [tool, {"type": "web_search_20250305", "name": "web_search"}]}, 20, 90),
                ({"system": [{"type": "text", "text": self.TEXT}]}, 180, 220),
                ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"},
                                                            image]}]}, 200, 1500)):
            found = self.tokens("messages", "gpt-5.2", body_for("messages", "Hello", **more))
            self.assertTrue(least <= found - plain <= most, (found, plain, list(more)))

    def test_an_upstream_that_counts_is_asked(self):
        for dialect in ("responses", "messages", "gemini"):
            self.vendor.reset()
            answer = self.count(dialect, dialect, body_for(dialect, self.TEXT))
            self.assertEqual(answer.status, 200, answer)
            self.assertIsNone(answer.get("relay-estimated"))
            self.assertEqual(len(self.vendor.received), 1)

    def test_what_is_wrong_is_refused_as_ever(self):
        for dialect in COUNT_PATHS:
            path = COUNT_PATHS[dialect].format("gpt-5.2")
            self.assert_error(self.buyer.post(path, b'{"model":"gpt-5.2",'), 400, dialect)
            answer = self.count(dialect, "no-such", body_for(dialect))
            self.assert_error(answer, 404, dialect)
        nobody = self.station.ask("POST", COUNT_PATHS["messages"], [], body_for("messages"))
        self.assert_error(nobody, 401, "messages")


if __name__ == "__main__":
    unittest.main()
