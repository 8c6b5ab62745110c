# SPDX-License-Identifier: Apache-2.0
"""The vendors as the station meets them: where requests arrive in each dialect, with which key."""
import unittest

from tests.peer import station
from tests.peer.case import StationCase, body_for, path_for

BEARER, X_API_KEY, X_GOOG = "authorization", "x-api-key", "x-goog-api-key"
V1 = {"chat": "/v1", "responses": "/v1", "messages": "/v1", "embeddings": "/v1"}

# From the vendors' documents: by dialect, what stands before /chat/completions, /responses,
# /messages, /models/..., /embeddings. The first is the path of the vendor's base.
BASES = {
    "openai": {"chat": "/v1", "responses": "/v1", "embeddings": "/v1"},
    "anthropic": {"messages": "/v1"},
    "gemini": {"gemini": "/v1beta"},
    "deepseek": {"chat": "", "responses": "", "messages": "/anthropic/v1"},
    "dashscope": {"chat": "/compatible-mode/v1", "responses": "/compatible-mode/v1",
                  "messages": "/apps/anthropic/v1", "embeddings": "/compatible-mode/v1"},
    "dashscope-coding": {"chat": "/v1", "messages": "/apps/anthropic/v1"},
    "zai": {"chat": "/api/paas/v4", "messages": "/api/anthropic/v1"},
    "zai-coding": {"chat": "/api/coding/paas/v4", "messages": "/api/anthropic/v1"},
    "moonshot": {"chat": "/v1", "messages": "/anthropic/v1"},
    "kimi-coding": {"chat": "/coding/v1", "messages": "/coding/v1"},
    "minimax": {"chat": "/v1", "responses": "/v1", "messages": "/anthropic/v1"},
    "ark": {"chat": "/api/v3", "responses": "/api/v3", "embeddings": "/api/v3"},
    "ark-coding": {"chat": "/api/coding/v3", "messages": "/api/coding/v1"},
    "mistral": {"chat": "/v1", "embeddings": "/v1"},
    "xai": {"chat": "/v1", "responses": "/v1"},
    "openrouter": {"chat": "/api/v1", "responses": "/api/v1", "messages": "/api/v1"},
    "ollama": V1,
    "vllm": V1,
    "openai-compatible": {"chat": "/v1", "embeddings": "/v1"},
    "entrepot": {**V1, "gemini": "/v1beta"},
    "sim": {**V1, "gemini": "/v1"},
}
AUTH = {"anthropic": X_API_KEY, "gemini": X_GOOG}       # the others: BEARER
ENDPOINTS = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages",
             "gemini": "/models/seen:generateContent", "embeddings": "/embeddings"}


def ask(buyer, dialect, model):
    """One request in the dialect, for the model."""
    if dialect == "embeddings":
        return buyer.post("/v1/embeddings", {"model": model, "input": "x"})
    if dialect == "gemini":
        return buyer.post(f"/v1beta/models/{model}:generateContent", body_for("gemini"))
    return buyer.post(path_for(dialect), body_for(dialect).replace(
        b'"claude"' if dialect == "messages" else b'"gpt"', b'"%s"' % model.encode()))


class Paths(StationCase):
    """An upstream for each vendor, moved to the test's own host."""

    @classmethod
    def upstreams(cls):
        return [{"name": name, "vendor": name, "keys": [f"key-of-{name}"],
                 "base": cls.vendor.base + next(iter(bases.values()))}
                for name, bases in BASES.items()]

    @classmethod
    def models(cls):
        return [station.model(f"m-{name}", (name, "seen")) for name in BASES]

    def test_each_dialect_arrives_where_the_vendor_has_it(self):
        buyer = self.customer("50.00")
        for name, bases in BASES.items():
            for dialect, base in bases.items():
                with self.subTest(vendor=name, dialect=dialect):
                    self.vendor.reset()
                    answer = ask(buyer, dialect, f"m-{name}")
                    self.assertEqual(answer.status, 200, answer)
                    received = self.vendor.last
                    self.assertEqual(received.path, base + ENDPOINTS[dialect])
                    header = AUTH.get(name, BEARER)
                    word = "Bearer " if header == BEARER else ""
                    self.assertEqual(received.all(header), [f"{word}key-of-{name}"])
                    for other in {BEARER, X_API_KEY, X_GOOG} - {header}:
                        self.assertEqual(received.all(other), [])


class OwnBase(StationCase):
    """A base with a path that the vendor does not have stands for all its dialects."""

    @classmethod
    def upstreams(cls):
        return [{"name": "proxy", "vendor": "dashscope", "keys": ["k"],
                 "base": cls.vendor.base + "/proxy/v1"},
                {"name": "moved", "vendor": "dashscope", "keys": ["k"],
                 "base": cls.vendor.base + "/apps/anthropic/v1/"},
                {"name": "open", "vendor": "ollama", "keys": [], "base": cls.vendor.base + "/v1"}]

    @classmethod
    def models(cls):
        return [station.model(name, name) for name in ("proxy", "moved", "open")]

    def path(self, model, dialect):
        self.vendor.reset()
        self.assertEqual(ask(self.customer(), dialect, model).status, 200)
        return self.vendor.last.path

    def test_paths(self):
        for model, dialect, path in (
                ("proxy", "chat", "/proxy/v1/chat/completions"),
                ("proxy", "messages", "/proxy/v1/messages"),
                ("moved", "chat", "/compatible-mode/v1/chat/completions"),
                ("moved", "messages", "/apps/anthropic/v1/messages")):
            self.assertEqual(self.path(model, dialect), path)

    def test_no_key_no_header(self):
        self.path("open", "chat")
        for name in (BEARER, X_API_KEY, X_GOOG):
            self.assertEqual(self.vendor.last.all(name), [])


if __name__ == "__main__":
    unittest.main()
