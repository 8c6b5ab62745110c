# SPDX-License-Identifier: Apache-2.0
"""A station that has no file descriptor left: it says so once, serves whom it has, and goes on."""
import unittest

from tests.peer.case import CHAT, StationCase, body_for

FILES = 90


class Full(StationCase):
    settings = {"lanes": 1}     # each lane would have its own idle connections, and its own words
    # The program raises its soft limit to the hard one.
    wrapper = ["sh", "-c", f'ulimit -n {FILES} && exec "$@"', "sh"]

    def healthy(self, raw):
        raw.request("GET", "/healthz")
        answer = raw.response()
        return answer is not None and answer.status == 200

    def test_clients_wait_until_others_leave(self):
        buyer = self.customer()
        # It leaves a connection to the vendor, which the next request finds.
        self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
        first, *others, last = [self.station.connect() for _ in range(FILES + 10)]
        for raw in (first, *others, last):
            self.addCleanup(raw.close)
        self.station.wait_log("accept_paused")
        self.assertTrue(self.healthy(first))
        first.send(buyer.request(CHAT, body_for("chat")))
        self.assertEqual(first.response().status, 200)
        last.request("GET", "/healthz")
        self.assertTrue(last.silent(1.0), "there is no room for it")
        self.assertEqual(len(self.station.log_lines("accept_paused")), 1)
        for raw in others:
            raw.close()
        self.assertEqual(last.response().status, 200)
        self.assertTrue(self.healthy(first))
        self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
        self.assertIsNone(self.station.process.poll())

    def test_it_is_said_again_the_next_time(self):
        before = len(self.station.log_lines("accept_paused"))
        for round_ in (1, 2):
            crowd = [self.station.connect() for _ in range(FILES + 10)]
            found = self.station.wait_log("accept_paused", before + round_ - 1)
            self.assertEqual(len(found), before + round_)
            for raw in crowd:
                raw.close()
            self.assertEqual(self.station.ask("GET", "/healthz").status, 200)


if __name__ == "__main__":
    unittest.main()
