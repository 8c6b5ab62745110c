# SPDX-License-Identifier: Apache-2.0
"""The configuration is changed thirty times while customers are served: none of them notices."""
import os
import signal
import unittest

from tests.crash.load import Clients
from tests.peer import station
from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.wait import until

TIMES = 30


class Reload(StationCase):
    @classmethod
    def upstreams(cls):
        return [{**row, "cooldown": "0s"} for row in super().upstreams()]

    def setUp(self):
        super().setUp()
        self.addCleanup(self.configure)
        self.buyer = self.customer("100.00")

    def configure(self, *guests, text=None):
        """These models beside those that are always there, or another text; what the log says."""
        models = [*self.models(), *(station.model(name, ("openai", "gpt")) for name in guests)]
        self.station.configure(text, models=models)
        return self.station.reload("reload_refused" if text else "reloaded")

    def status(self, model):
        return self.buyer.post(CHAT, body_for("chat", model=model)).status

    def listed(self):
        return {row["id"] for row in self.buyer.get("/v1/models").json()["data"]}

    def check(self, *guests):
        here = {"gpt", "claude", "gem", *guests}
        self.assertEqual(self.listed(), here)
        for name in ("guest0", "guest1"):
            self.assertEqual(self.status(name), 200 if name in here else 404, name)

    def change(self, number):
        """One change, and what is sold after it."""
        guests = [f"guest{number % 2}"]
        if number % 5 == 4:
            said = self.configure(*guests)
            self.assertIn("models=4", said)
            broken = ("listen: [", "models: [{name: guest9}]\n", "upstraems: []\n")[number // 5 % 3]
            self.assertIn("kept=old", self.configure(text=broken))
        else:
            self.configure(*guests)
        self.check(*guests)

    def test_charges_do_not_wait_for_the_file(self):
        """A file that is not there yet: whoever opens it waits for its writer."""
        path = self.station.file
        with open(path, encoding="utf-8") as file:
            text = file.read()
        os.remove(path)
        os.mkfifo(path)
        self.addCleanup(self.plain, path, text)
        before = len(self.station.log_lines("event=reloaded"))
        self.station.signal(signal.SIGHUP)
        writer = until(lambda: self.writer(path), "the station opens the file")
        for _ in range(3):
            self.assertEqual(self.status("gpt"), 200)
        os.write(writer, text.encode())
        os.close(writer)
        self.station.wait_log("event=reloaded", before)

    @staticmethod
    def plain(path, text):
        os.remove(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def writer(path):
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:         # nobody reads it
            return None

    def test_thirty_changes_under_load(self):
        clients = Clients(self.station.port, [self.buyer.key], "reload", 4).start()
        try:
            for number in range(TIMES):
                asked = len(clients.records)
                self.change(number)
                until(lambda: len(clients.records) > asked, "the load goes on")
        finally:
            clients.stop()
        failed = [(r.path, r.status) for r in clients.records if not r.complete]
        self.assertEqual(failed, [], f"of {len(clients.records)}")
        self.station.store.wait_requests(r.rid for r in clients.records)
        nets = {r.rid: self.station.store.net(r.rid) for r in clients.records[-50:]}
        self.assertEqual(nets, {r.rid: r.nano for r in clients.records[-50:]})

    def test_a_stream_outlives_its_model(self):
        """What began under a configuration ends under it, whatever has come since."""
        self.configure("guest0")
        gate = self.hold_streams()
        with self.buyer.open(CHAT, body_for("chat", model="guest0", stream=True)) as raw:
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"w1 "))
            self.configure()
            self.assertEqual(self.status("guest0"), 404)
            gate.set()
            while raw.step(answer):
                pass
        self.assertTrue(answer.complete)
        self.assertGreater(self.charge(answer)["nano"], 0)
        self.assertEqual(self.charge(answer)["asked"], "guest0")


if __name__ == "__main__":
    unittest.main()
