# SPDX-License-Identifier: Apache-2.0
"""Embeddings of one kind at a vendor of the other."""
import base64
import json
import struct
import unittest

from tests.convert import harness
from tests.peer import station
from tests.peer.recordings import EMBEDDINGS, GEMINI
from tests.peer.reply import Reply
from tests.peer.vendor import Vendor

VECTORS = [[0.25, -0.5, 1e-3], [3, 4.5, -6]]


class EmbeddingBench(harness.Bench):
    """`large` stands at Google, `small` at OpenAI, `any` at Google where the task may be lost."""

    def __init__(self):
        self.vendor = Vendor()
        self.raw = None
        self.station = station.Station(
            [station.upstream(self.vendor, "gemini", "google", dialects=[GEMINI],
                              cooldown="0s"),
             station.upstream(self.vendor, "openai", "openai", dialects=[EMBEDDINGS],
                              cooldown="0s")],
            [station.model("large", ("google", "gemini-embedding-001"), price=harness.PRICE),
             station.model("small", ("openai", "text-embedding-3-small"), price=harness.PRICE),
             station.model("any", {"upstream": "openai", "model": "e-3", "lossy": ["taskType"]},
                           price=harness.PRICE)],
            lanes=1)

    def post(self, path, body, reply=None):
        return self.send(path, json.dumps(body).encode(), reply and Reply.json(reply))


@unittest.skipUnless(station.available(), f"no station to test at {station.PROGRAM}")
class EmbeddingsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.bench = cls.enterClassContext(EmbeddingBench())

    def google(self, *vectors):
        return {"embeddings": [{"values": vector} for vector in vectors],
                "usageMetadata": {"promptTokenCount": 7}}

    def test_sdks_of_openai_get_base64(self):
        answer = self.bench.post("/v1/embeddings", {
            "model": "large", "input": ["a", "b"], "dimensions": 3, "encoding_format": "base64"},
            self.google(*VECTORS))
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.received.target,
                         "/v1beta/models/gemini-embedding-001:batchEmbedContents")
        self.assertEqual(answer.asked, {"requests": [
            {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]},
             "outputDimensionality": 3} for text in "ab"]})
        whole = answer.json()
        self.assertEqual(whole["usage"], {"prompt_tokens": 7, "total_tokens": 7})
        self.assertEqual([row["index"] for row in whole["data"]], [0, 1])
        for row, vector in zip(whole["data"], VECTORS):
            got = struct.unpack("<3f", base64.b64decode(row["embedding"]))
            self.assertEqual(got, struct.unpack("<3f", struct.pack("<3f", *vector)))

    def test_numbers_are_as_the_vendor_wrote_them(self):
        answer = self.bench.send("/v1/embeddings", b'{"model":"large","input":"a"}', Reply(
            200, b'{"embeddings":[{"values":[0.10, 1e-3, -0]}],'
                 b'"usageMetadata":{"promptTokenCount":1}}'))
        self.assertIn(b'"embedding":[0.10,1e-3,-0]', answer.body)

    def test_gemini_clients_at_openai(self):
        data = {"object": "list", "model": "text-embedding-3-small",
                "data": [{"object": "embedding", "index": n, "embedding": VECTORS[n]}
                         for n in (1, 0)],
                "usage": {"prompt_tokens": 5, "total_tokens": 5}}
        content = {"parts": [{"text": "a"}]}
        answer = self.bench.post("/v1beta/models/small:batchEmbedContents", {"requests": [
            {"model": "models/small", "content": content, "outputDimensionality": 3},
            {"model": "models/small", "content": content}]}, data)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.received.target, "/v1/embeddings")
        self.assertEqual(answer.asked, {"model": "text-embedding-3-small", "input": ["a", "a"],
                                        "dimensions": 3})
        self.assertEqual(answer.json(), {
            "embeddings": [{"values": vector} for vector in VECTORS],
            "usageMetadata": {"promptTokenCount": 5}})
        one = dict(data, data=data["data"][1:])
        answer = self.bench.post("/v1/models/small:embedContent", {"content": content}, one)
        self.assertEqual(answer.json(), {"embedding": {"values": VECTORS[0]},
                                         "usageMetadata": {"promptTokenCount": 5}})

    def test_the_task_is_refused_by_its_path_or_lost_by_name(self):
        body = {"content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY"}
        answer = self.bench.post("/v1beta/models/small:embedContent", body)
        self.assertEqual((answer.status, answer.received), (400, None))
        self.assertIn("taskType", answer.json()["error"]["message"])
        self.assertEqual(answer.json()["error"]["status"], "INVALID_ARGUMENT")
        answer = self.bench.post("/v1beta/models/any:embedContent", body)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.lossy, ["taskType"])

    def test_tokens_are_refused(self):
        answer = self.bench.post("/v1/embeddings", {"model": "large", "input": [[1, 2], [3]]})
        self.assertEqual((answer.status, answer.received), (400, None))
        self.assertEqual(answer.json()["error"]["param"], "input[0]")

    def test_a_reply_of_too_few_vectors_is_a_failure(self):
        answer = self.bench.post("/v1/embeddings", {"model": "large", "input": ["a", "b"]},
                                 self.google(VECTORS[0]))
        self.assertEqual(answer.status, 502, answer.body)

    def test_what_the_vendor_refuses_is_told_in_the_clients_shape(self):
        refusal = Reply.json({"error": {"code": 400, "message": "too long",
                                        "status": "INVALID_ARGUMENT"}}, status=400)
        answer = self.bench.send("/v1/embeddings", b'{"model":"large","input":"a"}', refusal)
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.json()["error"]["message"], "too long")
        self.assertEqual(answer.json()["error"]["type"], "invalid_request_error")


if __name__ == "__main__":
    unittest.main()
