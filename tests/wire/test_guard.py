# SPDX-License-Identifier: Apache-2.0
"""What may not happen, even to somebody who tries: bytes of one customer in another's request,
answers and prompts for nothing, charges for what was never delivered."""
import contextlib
import json
import os
import socket
import threading
import time
import unittest

from tests.peer import station
from tests.peer.case import CHAT, GENERATE, MESSAGES, StationCase, body_for
from tests.peer.rawhttp import chunked, request_bytes
from tests.peer.reply import Reply
from tests.peer.wait import PATIENCE_S

IN, OUT = 2500, 10000   # nano a token, of the harness's price
SETTLED_S = 2 * PATIENCE_S      # the station may read on for 30 s after a client that left


class Impatient(threading.Thread):
    """A vendor that refuses each request at its head and reads no body; keep-alive all the same."""

    def __init__(self):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.heads, self.kept = [], []
        self.start()

    def run(self):
        while True:
            try:
                conn, _ = self.server.accept()
            except OSError:
                return
            self.kept.append(conn)
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = conn.recv(4096)
            if not piece:
                return
            data += piece
        self.heads.append(data.split(b"\r\n")[0])
        conn.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 13\r\n\r\n{\"error\": {}}")

    def close(self):
        self.server.close()
        for conn in self.kept:
            conn.close()


class Guard(StationCase):
    settings = {"environment": {"MALLOC_PERTURB_": "165"}}     # freed memory is filled

    @classmethod
    def upstreams(cls):
        cls.impatient = Impatient()
        cls.addClassCleanup(cls.impatient.close)
        return [*super().upstreams(), station.upstream(cls.impatient, "openai", "impatient")]

    @classmethod
    def models(cls):
        return [*super().models(), station.model("impatient", "impatient")]

    def test_a_half_written_request_is_nobody_elses_beginning(self):
        huge = body_for("chat", "x" * (20 << 20)).replace(b'"gpt"', b'"impatient"')
        small = body_for("chat", "y").replace(b'"gpt"', b'"impatient"')
        self.assertEqual(self.customer("100.00").post(CHAT, huge).status, 413)
        self.assertEqual(self.customer().post(CHAT, small).status, 413)
        self.assertEqual(len(self.impatient.heads), 2, "each request had its own connection")

    def test_a_head_behind_a_chunked_body_moves_nothing_that_is_read(self):
        buyer = self.customer()
        auth = [buyer.auth, ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
        next_head = request_bytes("GET", "/v1/account",
                                  [buyer.auth, ("X-Long", "z" * 12000)])
        for _ in range(5):
            with self.station.connect() as raw:
                head = request_bytes("POST", CHAT, auth)
                body = chunked(body_for("chat"))
                raw.send(head + body[:20])
                time.sleep(0.02)
                raw.send(body[20:] + next_head)
                self.assertEqual(raw.response().status, 200)
                self.assertEqual(raw.response().status, 200)

    def test_a_report_reads_nothing_of_the_connection_that_asked(self):
        """The connections' bytes move or go while many reports wait for their reader."""
        with open(f"{self.station.data}/owner.key", encoding="utf-8") as file:
            owner = ("Authorization", f"Bearer {file.read().strip()}")
        ask = request_bytes("GET", "/v1/margin?by=day&from=2020-01-01", [owner])
        more = b"GET /v1/account?" + b"x" * 12000
        for _ in range(5):
            with contextlib.ExitStack() as crowd:
                connections = [crowd.enter_context(self.station.connect()) for _ in range(100)]
                for raw in connections:
                    raw.send(ask)
                for raw in connections[::2]:
                    raw.send(more)
                for raw in connections[1::2]:
                    raw.close()
                for raw in connections[::2]:
                    self.assertEqual(raw.response().status, 200)

    def test_who_does_not_read_is_not_answered_for_ever(self):
        """Requests without an end, and nobody takes the answers: they wait with the client."""
        sanitized = bool(os.environ.get("ENTREPOT_SANITIZER"))      # keeps what was freed
        count = 5000 if sanitized else 60000
        before, most = self.resident(), 0
        with self.station.connect() as raw:
            sender = threading.Thread(target=raw.send, daemon=True,
                                      args=(request_bytes("GET", "/nope", []) * count,))
            sender.start()
            for _ in range(20):     # as long as an answer a turn would need for much more
                time.sleep(0.05)
                most = max(most, self.resident())
            for _ in range(count):
                self.assertEqual(raw.response().status, 404)
            sender.join()
        if not sanitized:
            self.assertLess(most - before, 12 << 20)

    def resident(self):
        with open(f"/proc/{self.station.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def test_every_choice_is_held_for(self):
        buyer = self.customer("0.05")
        for body in (body_for("chat", maximum=200, n=100),):
            self.assertEqual(buyer.post(CHAT, body).status, 402)
        self.assertEqual(buyer.post(CHAT, body_for("chat", maximum=200, n=0)).status, 400)
        gemini = json.loads(body_for("gemini", maximum=200))
        gemini["generationConfig"]["candidateCount"] = 100
        self.assertEqual(buyer.post(GENERATE, gemini).status, 402)
        self.assertEqual(self.vendor.received, [])

    def test_a_prompt_is_not_free_for_who_leaves_or_runs_dry(self):
        prompt = "word " * 20000 + "[[tokens=3000 pause=0.002]]"
        for amount, end in (("5.00", "client_left"), ("0.126", "limit")):
            buyer = self.customer(amount)
            with buyer.open(CHAT, body_for("chat", prompt, stream=True)) as raw:
                answer = raw.head()
                self.assertEqual(answer.status, 200)
                self.assertTrue(raw.until(answer, b"w9 "))
                while end == "limit" and raw.step(answer):
                    pass
            row = self.station.store.wait_request(answer.request_id, SETTLED_S)
            self.assertEqual(row["end"], end)
            self.assertGreaterEqual(self.station.store.net(answer.request_id), 19000 * IN)
            self.assertLessEqual(self.station.store.net(answer.request_id), 25100 * IN + 3000 * OUT)
            self.vendor.reset()

    def test_what_was_not_taken_is_not_paid(self):
        buyer = self.customer()
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.settimeout(PATIENCE_S)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", self.station.port))
        sock.sendall(buyer.request(CHAT, body_for("chat", "x [[tokens=60000]]", stream=True)))
        got = b""
        while len(got) < 20000:
            piece = sock.recv(2000)
            self.assertTrue(piece, "the stream ended")
            got += piece
        time.sleep(1.0)     # the station may fill what buffers there are
        rid = got.split(b"relay-request-id: ")[1].split(b"\r\n")[0].decode()
        sock.close()
        self.station.store.wait_request(rid, SETTLED_S)
        self.assertLess(self.station.store.net(rid), 2000 * OUT)

    def test_a_query_cannot_shape_the_vendors_answer(self):
        buyer = self.customer()
        for path, dialect in ((GENERATE, "gemini"), (MESSAGES, "messages")):
            query = "?fields=candidates&$alt=proto&beta=true&key=x"
            self.assertEqual(buyer.post(path + query, body_for(dialect)).status, 200)
            target = self.vendor.last.target
            self.assertNotIn("fields", target)
            self.assertNotIn("alt=proto", target)
            self.assertIn("beta=true", target)
            self.vendor.reset()

    def test_no_body_without_a_use_for_it(self):
        for path in ("/healthz", "/", "/v1/models"):
            for framing in (("Content-Length", "1000"), ("Transfer-Encoding", "chunked")):
                with self.station.connect() as raw:
                    raw.send(request_bytes("GET", path, [self.customer().auth, framing]))
                    self.assertEqual(raw.response().status, 413, path)

    def test_a_revoked_key_reads_nothing(self):
        buyer = self.customer()
        self.assertEqual(buyer.get("/v1/account").status, 200)
        keys = self.station.cli("key", "list", "--json")["keys"]
        mine = [key["id"] for key in keys if key["account"] == buyer.name]
        self.station.cli("key", "revoke", str(mine[0]), "--json")
        for path in ("/v1/account", "/v1/usage", "/v1/models", "/v1/prices"):
            self.assertEqual(buyer.get(path).status, 401, path)
        self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 401)

    def test_whole_answers_without_usage_or_without_words(self):
        def whole(content, usage):
            return Reply.json({"model": "gpt", "metadata": {"note": "m" * 4000}, "choices": [
                {"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": content}}], **usage})
        buyer = self.customer()
        self.vendor.reply(whole("Hi", {}))
        answer = buyer.post(CHAT, body_for("chat"))
        self.assertLessEqual(self.station.store.net(answer.request_id), OUT + 2 * IN)
        self.vendor.reset()
        self.vendor.reply(whole("", {"usage": {"prompt_tokens": 900, "completion_tokens": 0,
                                               "total_tokens": 900}}))
        answer = buyer.post(CHAT, body_for("chat"))
        self.assertEqual(answer.status, 200)
        row = self.station.store.wait_request(answer.request_id)
        self.assertEqual((row["end"], self.station.store.net(answer.request_id)),
                         ("zero_completion", 0))

    def test_an_answer_for_later_is_not_sold(self):
        body = body_for("responses", background=True)
        self.assertEqual(self.customer().post("/v1/responses", body).status, 400)


class Hurried(StationCase):
    settings = {"timeouts": station.timeouts(total=3.0)}

    def test_the_stations_own_deadline_is_no_gift(self):
        """1000 tokens at once, and then silence until the deadline."""
        self.hold_streams(1000)
        body = body_for("chat", "x [[tokens=4000]]", stream=True, maximum=5000)
        answer = self.customer().post(CHAT, body)
        self.assertFalse(answer.complete)
        row = self.station.store.wait_request(answer.request_id)
        self.assertEqual(row["end"], "total_time")
        self.assertGreater(self.station.store.net(answer.request_id), 100 * OUT)


if __name__ == "__main__":
    unittest.main()
