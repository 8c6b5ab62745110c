# SPDX-License-Identifier: Apache-2.0
"""Content leaves no trace: nothing that was asked, answered or used as a key is in any file."""
import os
import pathlib
import re
import unittest

from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.reply import Reply
from tests.peer.station import VENDOR_KEY
from tests.wire.converting import DIALECTS, ConvertCase, path_to

ASKED = "canary-asked-4f7c1d"
ANSWERED = "canary-answered-93ab20"


class Canary(StationCase):
    def test_no_file_holds_it(self):
        buyer = self.customer("5.00")
        answer = {"model": "gpt", "choices": [{"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": ANSWERED}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
        self.vendor.reply(Reply.json(answer))
        got = buyer.post(CHAT, body_for("chat", ASKED))
        self.assertEqual(got.status, 200)
        self.assertIn(ANSWERED.encode(), got.body)
        answers = [got]
        self.vendor.reset()
        for body in ('{"model":"gpt","messages":"' + ASKED, '{"' + ASKED + '":1}'):
            answers.append(buyer.post(CHAT, body.encode()))
            self.assertEqual(answers[-1].status, 400)
        answers.append(buyer.post(CHAT, body_for("chat", ASKED, stream=True)))
        self.assertEqual(answers[-1].status, 200)
        for one in answers:     # what is written of them has been written
            self.row(one)
            self.station.wait_log(one.request_id)
        secrets = [ASKED, ANSWERED, buyer.key, VENDOR_KEY["openai"]]
        seen = 0
        for folder, _, names in os.walk(self.station.folder):
            for name in names:
                path = os.path.join(folder, name)
                if path == self.station.file or not os.path.isfile(path):
                    continue    # the configuration holds the vendor's key by its nature
                with open(path, "rb") as file:
                    data = file.read()
                seen += len(data)
                for secret in secrets:
                    self.assertNotIn(secret.encode(), data, path)
        self.assertGreater(seen, 10000, "the store and the log were looked at")


def memory_holds(pid, secret):
    """Whether it stands anywhere in what a process may write to."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw.. .*", line)
            if not found:
                continue
            begin, end = int(found[1], 16), int(found[2], 16)
            if end - begin > 1 << 30:
                continue    # a sanitizer's own
            memory.seek(begin)
            if secret in memory.read(end - begin):
                return True
    return False


@unittest.skipIf(os.geteuid() != 0, "only root may read the memory of a process without core dumps")
class Forgotten(ConvertCase):
    """From the first byte of a stream on, what was asked is not in the station's memory."""

    def test_no_memory_holds_it(self):
        for client in DIALECTS:
            for upstream in DIALECTS:
                with self.subTest(client=client, upstream=upstream):
                    secret = f"{ASKED}-{client}-{upstream}"
                    self.look(client, upstream, secret, (secret + " ") * 2000)

    def test_nor_what_a_conversion_made_of_it(self):
        for upstream in ("chat", "responses", "messages"):
            with self.subTest(upstream=upstream):
                secret = f"{ASKED}-args-{upstream}"
                said = {"q": secret + "\n"}
                self.look("gemini", upstream, secret, contents=[
                    {"role": "user", "parts": [{"text": "Find it."}]},
                    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": said}}]},
                    {"role": "user", "parts": [{"functionResponse": {"name": "f",
                                                                     "response": said}}]}],
                    tools=[{"functionDeclarations": [{"name": "f", "description": "Finds."}]}])

    def look(self, client, upstream, secret, text="", **more):
        gate = self.hold_streams(after=8)
        body = self.body(client, upstream, text, stream=True, **more)
        with self.buyer.open(path_to(client, upstream, True), body) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"w1 "), answer)
            pid = self.station.process.pid
            self.assertTrue(memory_holds(pid, self.buyer.name.encode()), "memory was looked at")
            self.assertFalse(memory_holds(pid, secret.encode()))
            gate.set()


if __name__ == "__main__":
    unittest.main()
