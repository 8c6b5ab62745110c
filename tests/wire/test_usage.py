# SPDX-License-Identifier: Apache-2.0
"""Usage beyond plain tokens, from the vendor's reply to the bill."""
import sqlite3
import unittest

from tests.peer import station
from tests.peer.case import StationCase, body_for, path_for
from tests.peer.leaves import cost, leaves
from tests.peer.reply import Reply, sse_events
from tests.peer.store import rid_bytes

CHAT_REPLY = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5.2",
    "service_tier": "flex",
    "choices": [{"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": "Hi"}}],
    "usage": {"prompt_tokens": 900, "completion_tokens": 300, "total_tokens": 1200,
              "prompt_tokens_details": {"audio_tokens": 400, "cached_tokens": 100,
                                        "cache_write_tokens": 50},
              "completion_tokens_details": {"audio_tokens": 120, "reasoning_tokens": 30,
                                            "accepted_prediction_tokens": 9,
                                            "rejected_prediction_tokens": 7}}}
RESPONSES_REPLY = {
    "id": "r", "object": "response", "created_at": 1, "model": "gpt-5.2", "status": "completed",
    "service_tier": "default",
    "output": [{"type": "web_search_call", "id": "w1", "status": "completed",
                "action": {"type": "search", "query": "q"}},
               {"type": "web_search_call", "id": "w2", "status": "completed",
                "action": {"type": "open_page", "url": "https://example.com"}},
               {"type": "web_search_call", "id": "w3", "status": "failed",
                "action": {"type": "search", "query": "q"}},
               {"type": "file_search_call", "id": "f", "status": "completed", "queries": []},
               {"type": "code_interpreter_call", "id": "i", "status": "completed"},
               {"type": "image_generation_call", "id": "g", "status": "completed"},
               {"type": "message", "id": "m", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}],
    "usage": {"input_tokens": 40, "output_tokens": 20, "total_tokens": 60,
              "input_tokens_details": {"cached_tokens": 10},
              "output_tokens_details": {"reasoning_tokens": 5}}}
MESSAGES_REPLY = {
    "id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-5",
    "stop_reason": "end_turn", "stop_sequence": None, "content": [{"type": "text", "text": "Hi"}],
    "usage": {"input_tokens": 180, "output_tokens": 8, "cache_creation_input_tokens": 90,
              "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 40},
              "cache_read_input_tokens": 3, "service_tier": "priority", "speed": "standard",
              "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
              "iterations": [
                  {"type": "compaction", "input_tokens": 100, "output_tokens": 82,
                   "cache_creation_input_tokens": 5000, "cache_read_input_tokens": 7,
                   "cache_creation": {"ephemeral_5m_input_tokens": 5000}},
                  {"type": "message", "input_tokens": 180, "output_tokens": 8}]}}
IMAGE_REPLY = {     # a picture, and not a word
    "candidates": [{"index": 0, "finishReason": "STOP",
                    "content": {"role": "model", "parts": [
                        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}}],
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {"promptTokenCount": 300, "candidatesTokenCount": 1290,
                      "totalTokenCount": 1590, "trafficType": "ON_DEMAND_PRIORITY",
                      "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 42},
                                              {"modality": "DOCUMENT", "tokenCount": 258}],
                      "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}]}}
TOOLS = {"web_search": 1, "file_search": 1, "code": 1, "images": 1}

# Dialect, reply, its usage, what else is counted, and the tier.
REPLIES = {
    "chat": (CHAT_REPLY, CHAT_REPLY["usage"], {}, "flex"),
    "responses": (RESPONSES_REPLY, RESPONSES_REPLY["usage"], TOOLS, "standard"),
    "messages": (MESSAGES_REPLY, MESSAGES_REPLY["usage"], {}, "priority"),
    "gemini": (IMAGE_REPLY, IMAGE_REPLY["usageMetadata"], {}, "priority"),
}
COLUMNS = {"in": "in_", "cache_read": "cache_read", "cache_write_5m": "cache_write_5m",
           "cache_write_1h": "cache_write_1h", "out": "out", "reasoning": "reasoning"}
MORE = {
    "chat": "in_audio=400 cache_write_other=50 out_audio=120",
    "responses": "web_search=1 file_search=1 code=1 images=1",
    "messages": "cache_write_other=30 web_search=2 web_fetch=1",
    "gemini": "in_image=258 out_image=1290",
}


def stream_of(dialect, reply):
    """The same reply as a stream."""
    if dialect == "chat":
        head = {k: v for k, v in reply.items() if k not in ("choices", "usage")}
        return sse_events([{**head, "choices": [{"index": 0, "delta": {"content": "Hi"},
                                                 "finish_reason": "stop"}]},
                           {**head, "choices": [], "usage": reply["usage"]}],
                          named=False, done=True)
    if dialect == "responses":
        return sse_events([{"type": "response.created", "response": {"model": reply["model"]}},
                           {"type": "response.completed", "response": reply}],
                          named=True, done=False)
    if dialect == "gemini":
        return sse_events([reply], named=False, done=False, end="\r\n\r\n")
    usage = reply["usage"]
    begun = {**usage, "output_tokens": 1}
    del begun["iterations"]
    last = {k: v for k, v in usage.items() if k not in ("cache_creation", "service_tier", "speed")}
    return sse_events([
        {"type": "message_start", "message": {**reply, "content": [], "usage": begun}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last},
        {"type": "message_stop"}], named=True, done=False)


class Leaves(StationCase):
    maxDiff = None

    def check(self, dialect, customer, answer):
        _, usage, tools, tier = REPLIES[dialect]
        found, state = leaves(dialect, usage)
        self.assertEqual(state, "ok")
        found.update(tools)
        charge = self.charge(answer)
        self.assertEqual({leaf: charge[c] for leaf, c in COLUMNS.items()},
                         {leaf: found.get(leaf, 0) for leaf in COLUMNS})
        self.assertEqual((charge["more"], charge["tier"], charge["state"]),
                         (MORE[dialect], tier, 0))
        self.assertEqual(charge["nano"], cost(found, station.PRICE))
        shown = customer.get("/v1/usage").json()["charges"][0]
        self.assertEqual(shown["usage"], {**dict.fromkeys(COLUMNS, 0), **found})
        self.assertEqual((shown["tier"], shown["usage_state"]), (tier, "ok"))

    def test_from_reply_to_bill(self):
        for dialect, (reply, *_) in REPLIES.items():
            with self.subTest(dialect):
                customer = self.customer()
                self.vendor.reply(Reply.json(reply))
                answer = customer.post(path_for(dialect), body_for(dialect, maximum=20000))
                self.assertEqual(answer.status, 200, answer)
                self.check(dialect, customer, answer)
                self.vendor.reply(Reply.sse(b"".join(stream_of(dialect, reply))))
                answer = customer.post(path_for(dialect, True),
                                       body_for(dialect, stream=True, maximum=20000))
                self.assertTrue(answer.complete)
                self.check(dialect, customer, answer)
        self.station.ledger_check()

    def test_what_contradicts_itself_is_marked(self):
        """A part above its whole: the cheaper reading is charged, and the row says so."""
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                 "prompt_tokens_details": {"audio_tokens": 11, "cached_tokens": 2}}
        customer = self.customer()
        self.vendor.reply(Reply.json({**CHAT_REPLY, "usage": usage}))
        answer = customer.post(path_for("chat"), body_for("chat", maximum=100))
        charge = self.charge(answer)
        self.assertEqual((charge["state"], charge["more"]), (1, ""))
        self.assertEqual(charge["nano"], cost({"in": 8, "cache_read": 2, "out": 5},
                                              station.PRICE))

    def test_the_ledger_is_checked_by_all_leaves(self):
        """A charge whose further leaves were not what was charged is named."""
        customer = self.customer()
        self.vendor.reply(Reply.json(CHAT_REPLY))
        answer = customer.post(path_for("chat"), body_for("chat", maximum=20000))
        self.charge(answer)
        self.station.kill()
        self.addCleanup(self.station.start)
        database = sqlite3.connect(self.station.store.path)
        self.addCleanup(database.close)
        database.execute("DROP TRIGGER charge_keep")
        for more in ("in_audio=401 cache_write_other=50 out_audio=120", "in_audio", "x=1",
                     "out_audio=120 in_audio=400 cache_write_other=50", "in_audio=0",
                     "in_audio=400 cache_write_other=50 out_audio=120 "):
            with self.subTest(more):
                self.forge(database, answer, more)
                with self.assertRaises(station.CliError) as caught:
                    self.station.ledger_check()
                said = caught.exception.output + caught.exception.errors
                self.assertIn("price times usage", said)
        self.forge(database, answer, MORE["chat"])
        self.station.ledger_check()

    @staticmethod
    def forge(database, answer, more):
        database.execute("UPDATE charge SET more = ? WHERE rid = ?",
                         (more, rid_bytes(answer.request_id)))
        database.commit()


if __name__ == "__main__":
    unittest.main()
