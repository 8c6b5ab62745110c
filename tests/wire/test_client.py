# SPDX-License-Identifier: Apache-2.0
"""The client's address: who is believed about it, and how many bad keys it may show."""
import os
import unittest

from tests.peer.case import CHAT, GENERATE, JSON, MESSAGES, StationCase, body_for
from tests.peer.wait import until

BAD_KEYS = 30       # of one address, a minute and lane
MODELS = "/v1/models"
WRONG = ("Authorization", "Bearer ek_wrong")


def forwarded(*entries):
    return ("X-Forwarded-For", ", ".join(entries))


class ClientCase(StationCase):
    def ask(self, *headers, source="127.0.0.1", method="GET", path=MODELS, body=None):
        """On a connection of its own."""
        with self.station.connect(source=source) as raw:
            raw.request(method, path, list(headers), body)
            return raw.response(method)

    def client_of(self, answer):
        """As the request's log line has it."""
        lines = until(lambda: self.station.log_lines(answer.request_id), "the log line")
        return lines[0].split(" client=")[1].split()[0]

    def use_up(self, raw, *headers):
        """Shows bad keys until they are refused; one connection, so one lane."""
        for number in range(BAD_KEYS + 1):
            raw.request("GET", MODELS, [WRONG, *headers])
            answer = raw.response()
            self.assertEqual(answer.status, 401 if number < BAD_KEYS else 429, number)
        return answer

    def status(self, raw, *headers):
        raw.request("GET", MODELS, list(headers))
        return raw.response().status


class Direct(ClientCase):
    def test_the_peer_is_the_client(self):
        customer = self.customer()
        for source in ("127.0.0.1", "127.0.0.2"):
            answer = self.ask(customer.auth, forwarded("192.0.2.7"), source=source)
            self.assertEqual((answer.status, self.client_of(answer)), (200, source))

    def test_bad_keys_have_their_number(self):
        customer = self.customer()
        with self.station.connect(source="127.0.0.3") as raw:
            refused = self.use_up(raw)
            self.assert_error(refused, 429)
            self.assertTrue(1 <= int(refused.get("retry-after")) <= 60)
            # Whatever it shows now is not looked up.
            self.assertEqual(self.status(raw, customer.auth), 429)
            self.assertEqual(self.status(raw, customer.auth, forwarded("192.0.2.8")), 429)
            # What needs no key is answered, what shows none is told so.
            raw.request("GET", "/healthz")
            self.assertEqual(raw.response().status, 200)
            self.assertEqual(self.status(raw), 401)
            for path, dialect in ((MESSAGES, "messages"), (GENERATE, "gemini")):
                raw.request("POST", path, [WRONG, JSON], b"")
                self.assert_error(raw.response(), 429, dialect)
        self.assertEqual(self.ask(customer.auth, source="127.0.0.4").status, 200)

    def test_refusals_do_not_fill_the_log(self):
        with self.station.connect(source="127.0.0.5") as raw:
            refused = self.use_up(raw)
            for _ in range(50):
                self.assertEqual(self.status(raw, WRONG), 429)
            raw.request("GET", "/healthz")
            last = raw.response()
        self.assertEqual(self.client_of(last), "127.0.0.5")     # the log has come this far
        self.assertEqual(self.station.log_lines(refused.request_id), [])
        lines = self.station.log_lines("client=127.0.0.5")
        self.assertEqual(len([line for line in lines if "event=bad_keys" in line]), 1)
        self.assertEqual(len([line for line in lines if "end=bad_key " in line]), BAD_KEYS)


class Behind(ClientCase):
    settings = {"trusted_proxies": ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]}

    def test_what_a_proxy_says_is_believed(self):
        auth = self.customer().auth
        for entries, client in ((["192.0.2.7"], "192.0.2.7"),
                                (["1.2.3.4", "192.0.2.7"], "192.0.2.7"),
                                (["1.2.3.4", "192.0.2.7:4711", "10.1.2.3"], "192.0.2.7"),
                                (["1.2.3.4", "[2001:db9::7]:1", "2001:db8::1"], "2001:db9::7"),
                                (["1.2.3.4", "junk", "10.1.2.3"], "10.1.2.3"),
                                (["1.2.3.4", "junk"], "127.0.0.1")):
            answer = self.ask(auth, forwarded(*entries))
            self.assertEqual((answer.status, self.client_of(answer)), (200, client), entries)

    def test_what_others_say_is_not(self):
        answer = self.ask(self.customer().auth, forwarded("192.0.2.7"), source="127.0.0.2")
        self.assertEqual(self.client_of(answer), "127.0.0.2")

    def test_clients_behind_one_proxy_have_their_own_number(self):
        customer = self.customer()
        with self.station.connect() as raw:
            self.use_up(raw, forwarded("198.51.100.9"))
            self.assertEqual(self.status(raw, customer.auth, forwarded("198.51.100.9")), 429)
            self.assertEqual(self.status(raw, customer.auth, forwarded("198.51.100.8")), 200)
            self.assertEqual(self.status(raw, customer.auth), 200)
            # Nor does an invented entry in front help.
            self.assertEqual(self.status(raw, WRONG, forwarded("1.2.3.4", "198.51.100.9")), 429)

    def test_no_address_is_stored_or_passed_on(self):
        customer = self.customer()
        answer = customer.post(CHAT, body_for("chat"), [forwarded("203.0.113.77")])
        self.assertEqual(answer.status, 200)
        self.assertNotIn(b"203.0.113.77", self.vendor.last.head)
        self.row(answer)
        for name in os.listdir(self.station.data):
            path = os.path.join(self.station.data, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    self.assertNotIn(b"203.0.113.77", file.read(), name)


if __name__ == "__main__":
    unittest.main()
