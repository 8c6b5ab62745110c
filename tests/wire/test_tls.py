# SPDX-License-Identifier: Apache-2.0
"""TLS on both sides: what is served, what is checked, what is refused."""
import ssl
import tempfile
import time
import unittest

from tests.peer import meter, station, tls
from tests.peer.case import CHAT, StationCase, body_for
from tests.peer.rawhttp import Raw
from tests.peer.vendor import Vendor
from tests.peer.wait import PATIENCE_S


class Tls(StationCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.authority = tls.Authority(folder.name)
        cert, key = cls.authority.issue("station")
        cls.certificate = cls.authority.issue("vendor")
        cls.settings = {"tls": {"cert": cert, "key": key}}
        cls.client_tls = tls.client_context(cls.authority.ca)
        cls.stranger = Vendor(certificate=cls.authority.issue("stranger", "DNS:elsewhere.test"))
        cls.addClassCleanup(cls.stranger.close)
        super().setUpClass()

    @classmethod
    def upstreams(cls):
        trusted = {"ca": cls.authority.ca}
        return [station.upstream(cls.vendor, "openai", **trusted),
                station.upstream(cls.vendor, "openai", name="no-authority"),
                station.upstream(cls.stranger, "openai", name="wrong-name", **trusted),
                station.upstream(cls.vendor, "anthropic", **trusted),
                station.upstream(cls.vendor, "gemini", **trusted)]

    @classmethod
    def models(cls):
        return [*super().models(), station.model("untrusted", "no-authority"),
                station.model("misnamed", "wrong-name")]

    def test_whole_and_stream(self):
        customer = self.customer()
        for stream in (False, True):
            answer = customer.post(CHAT, body_for("chat", stream=stream,
                                                  stream_options={"include_usage": True}
                                                  if stream else None))
            self.assertTrue(answer.complete, answer)
            self.assert_paid(answer, meter.read("chat", answer.body, stream))

    def test_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = tls.client_context(self.authority.ca, version)
            with Raw(self.station.port, tls=context) as raw:
                self.assertEqual(raw.sock.version(), version.name.replace("_", "."))
                raw.request("GET", "/healthz")
                self.assertEqual(raw.response().status, 200)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Raw(self.station.port, tls=old)

    def test_vendors_that_cannot_be_verified_get_nothing(self):
        customer = self.customer()
        for name in ("untrusted", "misnamed"):
            before = len(self.vendor.received) + len(self.stranger.received)
            answer = customer.post(CHAT, body_for("chat", model=name))
            self.assertIn(answer.status, (502, 503), answer)
            self.assert_free(answer)
            self.assertEqual(len(self.vendor.received) + len(self.stranger.received), before)

    def test_plain_http_on_the_tls_port(self):
        with Raw(self.station.port) as raw:
            raw.request("GET", "/healthz")
            try:
                raw._fill(time.monotonic() + PATIENCE_S)
            except TimeoutError:
                self.fail("a plain request must not hang")
            self.assertNotIn(b"200 OK", raw.buffer)

    def test_a_vendor_that_restarts(self):
        customer = self.customer()
        for _ in range(3):
            self.assertEqual(customer.post(CHAT, body_for("chat")).status, 200)
            self.vendor.drop_idle()


if __name__ == "__main__":
    unittest.main()
