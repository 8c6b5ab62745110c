# SPDX-License-Identifier: Apache-2.0
"""The base of the tests about conversions: a model for each dialect, and asking it in any other."""
import json

from tests.peer import grammar, station
from tests.peer.case import StationCase, body_for

DIALECTS = ("chat", "responses", "messages", "gemini")
PAIRS = [(client, upstream) for client in DIALECTS for upstream in DIALECTS if client != upstream]
VENDOR_OF = {"chat": "openai", "responses": "openai", "messages": "anthropic",
             "gemini": "gemini"}
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses",
         "messages": "/v1/messages"}


def path_to(client, model, stream=False):
    if client != "gemini":
        return PATHS[client]
    return f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else
                                         "generateContent")


class ConvertCase(StationCase):
    """A model for each dialect, of its name, whose upstream speaks that alone."""

    @classmethod
    def upstreams(cls):
        return [station.upstream(cls.vendor, VENDOR_OF[d], "up-" + d, dialects=[d],
                                 cooldown="0s") for d in DIALECTS]

    @classmethod
    def models(cls):
        return [station.model(d, ("up-" + d, "m-" + d)) for d in DIALECTS]

    def setUp(self):
        super().setUp()
        self.buyer = self.customer("50.00")

    @staticmethod
    def body(client, model, text="Hello there", stream=False, **more):
        value = json.loads(body_for(client, text, stream, **more))
        if client != "gemini":
            value["model"] = model
        if client == "chat" and stream:
            value["stream_options"] = {"include_usage": True}
        return json.dumps(value).encode()

    def ask(self, client, model, text="Hello there", stream=False, headers=(), buyer=None, **more):
        """What a client of one dialect gets of a model."""
        return (buyer or self.buyer).post(path_to(client, model, stream), self.body(
            client, model, text, stream, **more), headers)

    def assert_stream(self, client, answer):
        """A complete stream as its dialect has it."""
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.complete, answer)
        self.assertEqual(grammar.violations(client, answer.body, client == "chat"), [])

    def assert_failed_stream(self, client, answer):
        """A stream that says that it failed, and ends there; what it says."""
        self.assertEqual(answer.status, 200, answer)
        self.assertFalse(answer.complete, answer)
        found, failed = grammar.check(client, answer.body, client == "chat")
        self.assertEqual(found, [], answer.body)
        self.assertIsNotNone(failed, answer.body)
        return failed
