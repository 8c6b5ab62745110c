# SPDX-License-Identifier: Apache-2.0
"""Content leaves no trace: nothing that was asked, answered or used as a key is in any file."""
import os
import unittest

from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.reply import Reply
from tests.peer.station import VENDOR_KEY

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


if __name__ == "__main__":
    unittest.main()
