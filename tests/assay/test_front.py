# SPDX-License-Identifier: Apache-2.0
"""The cheating seller that stands before real models: it changes what it is told, and no more."""
import json
import re
import unittest
import urllib.error
import urllib.request

from tests.assay.front import Front
from tests.assay.seller import Seller


class Fronts(unittest.TestCase):
    def asked(self, front, stream=False, system=None):
        body = {"model": "sold", "max_tokens": 9, "stream": stream,
                "messages": [{"role": "user", "content": "Write a story."}]}
        if system:
            body["messages"].insert(0, {"role": "system", "content": system})
        request = urllib.request.Request(front.base + "/v1/chat/completions",
                                         json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as got:
            return got.read().decode()

    def through(self, **options):
        with Seller(model="own", answer="a") as s, \
                Front(s.base.removesuffix("/v1"), **options) as f:
            whole = json.loads(self.asked(f, system="Be brief."))
            stream = self.asked(f, stream=True)
            return s.requests, whole, stream, f.names

    def test_nothing_but_the_name(self):
        requests, whole, stream, names = self.through()
        self.assertEqual([len(body["messages"]) for *_, body in requests], [2, 1])
        self.assertEqual((whole["model"], names), ("sold", {"own", "sold"}), "of a stream, too")
        self.assertTrue(stream.endswith("data: [DONE]\n\n"))
        self.assertIn('"content": "Ships "', stream)

    def test_what_it_is_told(self):
        _, honest, before, _ = self.through()
        requests, whole, stream, _ = self.through(prompt="Be loud.", factor=2,
                                                  settings={"temperature": 0.8},
                                                  defaults={"top_k": 40, "max_tokens": 5})
        first, second = (body for *_, body in requests)
        self.assertEqual(first["messages"][0]["content"], "Be loud.\n\nBe brief.")
        self.assertEqual(second["messages"][0], {"role": "system", "content": "Be loud."})
        self.assertEqual((first["temperature"], second["temperature"]), (0.8, 0.8))
        self.assertEqual((first["top_k"], first["max_tokens"]), (40, 9), "what is asked wins")
        self.assertGreater(whole["usage"]["prompt_tokens"],
                           2 * honest["usage"]["prompt_tokens"])
        self.assertEqual(whole["usage"]["total_tokens"], whole["usage"]["prompt_tokens"]
                         + whole["usage"]["completion_tokens"])
        written = [int(re.search(r'"completion_tokens": (\d+)', s)[1]) for s in (before, stream)]
        self.assertEqual(written[1], 2 * written[0])

    def test_what_is_no_chat(self):
        """It goes on as it is: that it is refused is the model's own affair."""
        def refuse(number, path, headers, body):
            return 400, {"error": {"message": f"{path} {body}"}}
        with Seller(before=refuse) as s, Front(s.base.removesuffix("/v1"), prompt="Be loud.") as f:
            for path, body in (("/v1/chat/completions", {"messages": []}), ("/v1/count", {"a": 1})):
                request = urllib.request.Request(f.base + path, json.dumps(body).encode())
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(request, timeout=30)
                self.assertEqual(json.load(refused.exception),
                                 {"error": {"message": f"{path} {body}"}})
            broken = urllib.request.Request(f.base + "/v1/chat/completions", b'{"a": ')
            self.assertEqual(f.changed(broken.data), (b'{"a": ', {}))

    def test_a_share_of_another_model(self):
        with Seller(model="one") as s, Seller(model="two") as t, \
                Front(s.base.removesuffix("/v1"), mix=(t.base.removesuffix("/v1"), 0.25)) as f:
            for _ in range(60):
                self.asked(f)
            self.assertEqual(f.names, {"one", "two"})
            self.assertEqual(len(s.requests) + len(t.requests), 60)
            self.assertLess(len(t.requests), len(s.requests))


if __name__ == "__main__":
    unittest.main()
