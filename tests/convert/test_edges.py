# SPDX-License-Identifier: Apache-2.0
"""Rules 37 to 50 of test_fifty.py: odd arguments and ids, media, refusals, failures, framing."""
import base64
import copy
import json
import re
import unittest

from tests.convert import answers, judge
from tests.convert.answers import Answer
from tests.convert.fifty import (OTHER_CLAUDE, TOOLS, FiftyCase, all_pairs, clients_of, text_of,
                                 upstreams_of)
from tests.convert.harness import PATHS, wire
from tests.peer import grammar, meaning, rawhttp
from tests.peer.fold import fold
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply, sse_events

PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
AUDIO = base64.b64encode(b"ID3\x04").decode()
LONG = "call_" + "x" * 90


def calls_of(upstream, sent):
    return [i.value for i in meaning.request(upstream, sent).items if i.what == "call"]


def ids_of(upstream, sent):
    """(ids of the calls, ids of the results) of a request."""
    if upstream == CHAT:
        calls = [c["id"] for m in sent["messages"] for c in m.get("tool_calls") or []]
        return calls, [m["tool_call_id"] for m in sent["messages"] if m["role"] == "tool"]
    if upstream == RESPONSES:
        kinds = {"function_call": [], "function_call_output": []}
        for item in sent["input"]:
            kinds.get(item.get("type"), []).append(item.get("call_id"))
        return kinds["function_call"], kinds["function_call_output"]
    if upstream == MESSAGES:
        blocks = [b for m in sent["messages"] if isinstance(m["content"], list)
                  for b in m["content"]]
        return ([b["id"] for b in blocks if b["type"] == "tool_use"],
                [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"])
    parts = [p for c in sent["contents"] for p in c["parts"]]
    return ([p["functionCall"].get("id") for p in parts if "functionCall" in p],
            [p["functionResponse"].get("id") for p in parts if "functionResponse" in p])


def chat_call(index, call_id, name, arguments):
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not None}
    out = {"index": index, "function": function}
    if call_id is not None:
        out.update(id=call_id, type="function")
    return {"tool_calls": [out]}


class Edges(FiftyCase):

    # Arguments and ids

    @all_pairs
    def test_37_empty_arguments_are_an_empty_object(self, client, upstream):
        answer = Answer([("call", "call_1", "weather", "")])
        for _, read, _ in self.replies(client, upstream,
                                       answers.request(client, "Hi", tools=TOOLS), answer):
            self.assertEqual(read.all("call"), [["weather", {}]])
        if client not in (CHAT, RESPONSES):
            return
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                  answer.whole(client), ["rain"])
        self.assertEqual(calls_of(upstream, self.sent(client, upstream, asked)),
                         [["weather", {}]])

    @clients_of(CHAT)
    def test_37_pieces_of_arguments(self, client):
        """In the delta that names the call, alone behind it, or whole."""
        make = Answer([], finish="tool").chunk
        for deltas in (
                [chat_call(0, "c1", "weather", '{"city":"Oslo"}')],
                [chat_call(0, "c1", "weather", '{"ci'), chat_call(0, None, None, 'ty":"Oslo"}')],
                [chat_call(0, "c1", "weather", None), chat_call(0, None, None, '{"city":"Oslo"}'),
                 chat_call(0, None, None, "")]):
            events = [make({"role": "assistant", "content": None}), *(make(d) for d in deltas),
                      make({}, "tool_calls")]
            got = self.ask(client, CHAT, answers.request(client, "Hi", tools=TOOLS), events,
                           stream=True)
            read = meaning.reply(client, self.whole(client, got, True))
            self.assertEqual(read.all("call"), [["weather", {"city": "Oslo"}]])

    @upstreams_of(RESPONSES)
    def test_37_cut_arguments_are_incomplete(self, upstream):
        answer = Answer([("text", "I look"), ("call", "call_1", "weather", '{"city":"Os')],
                        finish="length")
        if upstream == GEMINI:
            return          # its calls come whole
        got = self.ask(RESPONSES, upstream, answers.request(RESPONSES, "Hi", tools=TOOLS),
                       answer.stream(upstream), stream=True)
        whole = self.whole(RESPONSES, got, True)
        self.assertEqual(whole["status"], "incomplete")
        self.assertEqual(whole["output"][-1]["status"], "incomplete")

    @upstreams_of(GEMINI)
    def test_37_gemini_clients_get_no_broken_call(self, upstream):
        answer = Answer([("call", "call_1", "weather", '{"city":"Os')])
        got = self.ask(GEMINI, upstream, answers.request(GEMINI, "Hi", tools=TOOLS),
                       answer.stream(upstream), stream=True)
        self.assertEqual(grammar.violations(GEMINI, got.body), [])
        end = grammar.events(got.body)[-1]["candidates"][0]
        self.assertEqual(end["finishReason"], "MALFORMED_FUNCTION_CALL")

    @all_pairs
    def test_37_broken_arguments_of_the_past_are_refused(self, client, upstream):
        if client not in (CHAT, RESPONSES) or upstream in (CHAT, RESPONSES):
            return          # text stays text between these two
        whole = Answer([("call", "call_1", "weather", '{"city":"Os')]).whole(client)
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS), whole,
                                  ["rain"])
        path = "messages[1].tool_calls[0].function.arguments" if client == CHAT \
            else "input[1].arguments"
        self.refused(client, upstream, asked, path)

    @upstreams_of(MESSAGES)
    def test_38_arguments_come_as_deltas(self, upstream):
        answer = Answer([("call", "call_1", "weather", '{"city":"Oslo"}')])
        got = self.ask(MESSAGES, upstream, answers.request(MESSAGES, "Hi", tools=TOOLS),
                       answer.stream(upstream), stream=True)
        events = self.events(got, MESSAGES)
        starts = [e["content_block"] for e in events if e["type"] == "content_block_start"]
        self.assertEqual([b["input"] for b in starts], [{}])
        self.assertEqual(fold(MESSAGES, events)["content"][0]["input"], {"city": "Oslo"})

    @all_pairs
    def test_39_illegal_ids_of_answers_are_made_legal(self, client, upstream):
        self.ids(client, upstream, ("call:1/é", "call 2"))

    @all_pairs
    def test_39_ids_of_answers_are_legal_and_unique(self, client, upstream):
        self.ids(client, upstream, (None, None), ("", ""), ("same", "same"), (LONG, LONG + "y"))

    def ids(self, client, upstream, *all_ids):
        if client == GEMINI:
            return
        for ids in all_ids:
            if upstream == MESSAGES and None in ids:
                continue
            answer = Answer([("call", i, "weather", json.dumps({"city": c}))
                             for i, c in zip(ids, "AB")])
            asked = answers.request(client, "Hi", tools=TOOLS)
            for whole, read, _ in self.replies(client, upstream, asked, answer):
                self.assertEqual(read.all("call"), [["weather", {"city": c}] for c in "AB"])
                sent = answers.next_turn(client, asked, whole, ["rain", "sun"])
                calls, results = ids_of(client, sent)
                self.assertEqual(calls, results)
                self.assertEqual(len(set(calls)), 2, calls)
                for one in calls:
                    self.assertRegex(one, {CHAT: r"^.+$", RESPONSES: r"^.{1,64}$",
                                           MESSAGES: r"^[A-Za-z0-9_-]+$"}[client])
                back = self.sent(client, upstream, sent)
                self.assertEqual([i.call for i in meaning.request(upstream, back).items
                                  if i.what == "result"], [0, 1])

    @all_pairs
    def test_39_ids_of_the_past_are_made_legal(self, client, upstream):
        for ids in ((LONG, LONG + "y"), ("call:1/é", "call.2")):
            whole = Answer([("call", i, "weather", json.dumps({"city": c}))
                            for i, c in zip(ids, "AB")]).whole(client)
            asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS), whole,
                                      ["rain", "sun"])
            sent = [self.sent(client, upstream, asked) for _ in range(2)]
            self.assertEqual(sent[0], sent[1])
            calls, results = ids_of(upstream, sent[0])
            self.assertEqual(calls, results)
            if upstream != GEMINI:
                self.assertEqual(len(set(calls)), 2)
            for one in calls:
                if upstream == MESSAGES:
                    self.assertRegex(one, r"^[A-Za-z0-9_-]+$")
                if upstream == RESPONSES:
                    self.assertLessEqual(len(one), 64)

    @all_pairs
    def test_39_calls_and_results_need_each_other(self, client, upstream):
        whole = Answer([("call", "call_1", "weather", '{"city":"Oslo"}')]).whole(client)
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS), whole,
                                  ["rain"])
        orphan = copy.deepcopy(asked)
        name = {CHAT: "messages", RESPONSES: "input", MESSAGES: "messages", GEMINI: "contents"}
        del orphan[name[client]][1]
        self.refused(client, upstream, orphan, f"{name[client]}[1]")

    # Order

    MIXED = Answer([("text", "One"), ("call", "call_1", "weather", '{"city":"A"}'),
                    ("text", "Two"), ("call", "call_2", "weather", '{"city":"B"}')])

    @all_pairs
    def test_40_order_of_text_and_calls(self, client, upstream):
        asked = answers.request(client, "Hi", tools=TOOLS)
        for whole, read, _ in self.replies(client, upstream, asked, self.MIXED):
            expected = ["text", "call", "text", "call"]
            if CHAT in (client, upstream):
                self.assertEqual(read.text, "OneTwo")
                if upstream == CHAT:
                    continue
                expected = ["text", "call"]
            self.assertEqual(read.order, expected)
            sent = self.sent(client, upstream, answers.next_turn(client, asked, whole,
                                                                 ["rain", "sun"]))
            items = [i.what for i in meaning.request(upstream, sent).items][1:]
            kinds = [k for n, k in enumerate(items) if n == 0 or items[n - 1] != k]
            self.assertEqual(kinds, expected + ["result"])

    def test_41_a_server_tool_and_a_call_in_one_turn(self):
        blocks = [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
                   "input": {"query": "x"}},
                  {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                  {"type": "text", "text": "Found"},
                  {"type": "tool_use", "id": "toolu_1", "name": "weather",
                   "input": {"city": "Oslo"}}]
        message = {**Answer([], finish="tool").whole(MESSAGES), "content": blocks}
        asked = answers.request(MESSAGES, "Hi", tools=TOOLS)
        later = answers.next_turn(MESSAGES, asked, message, ["rain"])
        self.assertEqual(self.ask(MESSAGES, MESSAGES, later).asked["messages"], later["messages"])
        for client in (CHAT, RESPONSES, GEMINI):
            if (client, MESSAGES) in self.sold:
                got = self.ask(client, MESSAGES, answers.request(client, "Hi", tools=TOOLS),
                               message)
                read = meaning.reply(client, self.whole(client, got))
                self.assertEqual((read.text, read.all("call"), read.finish),
                                 ("Found", [["weather", {"city": "Oslo"}]], "tool"))

    @clients_of(MESSAGES)
    def test_42_thinking_that_nobody_may_read(self, client):
        """redacted_thinking, and a thinking block of which only the signature came."""
        asked = answers.request(client, "Hi", tools=TOOLS)
        if client == GEMINI:
            asked["generationConfig"]["thinkingConfig"] = {"includeThoughts": True}
        call = ("call", "toolu_1", "weather", '{"city":"Oslo"}')
        for part, block in (
                (("redacted", "b3BhcXVl"), {"type": "redacted_thinking", "data": "b3BhcXVl"}),
                (("reasoning", "", "c2lnbmVk"), {"type": "thinking", "thinking": "",
                                                 "signature": "c2lnbmVk"})):
            for whole, read, _ in self.replies(client, MESSAGES, asked, Answer([part, call])):
                self.assertEqual(read.reasoning, "")
                later = answers.next_turn(client, asked, whole, ["rain"])
                sent = self.sent(client, MESSAGES, later)
                self.assertEqual(sent["messages"][1]["content"][0], block)
                sent = self.sent(client, MESSAGES, later, vendor_model=OTHER_CLAUDE)
                self.assertEqual([b["type"] for b in sent["messages"][1]["content"]], ["tool_use"])

    @upstreams_of(MESSAGES)
    def test_42_a_turn_of_foreign_state_alone_is_refused(self, upstream):
        asked = answers.request(MESSAGES, "Hi")
        asked["messages"] += [
            {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "b3BhcXVl"}]},
            {"role": "user", "content": "Go on"}]
        self.refused(MESSAGES, upstream, asked, "messages[1]")

    # Media

    def with_file(self, client, mime, data):
        asked = answers.request(client, "What is this?")
        if client == CHAT:
            part = {"type": "file", "file": {"filename": "a.pdf",
                                             "file_data": f"data:{mime};base64,{data}"}}
        elif client == RESPONSES:
            part = {"type": "input_file", "filename": "a.pdf",
                    "file_data": f"data:{mime};base64,{data}"}
        elif client == MESSAGES:
            part = {"type": "document", "title": "a.pdf", "source": {
                "type": "base64", "media_type": mime, "data": data}}
        else:
            asked["contents"][0]["parts"].append({"inlineData": {"mimeType": mime, "data": data}})
            return asked, "contents[0].parts[1]"
        place = "input" if client == RESPONSES else "messages"
        text = {"type": "input_text" if client == RESPONSES else "text", "text": "What is this?"}
        asked[place] = [{"role": "user", "content": [text, part]}]
        return asked, f"{place}[0].content[1]"

    @all_pairs
    def test_43_pdf(self, client, upstream):
        asked, _ = self.with_file(client, "application/pdf", PDF)
        sent = self.sent(client, upstream, asked)
        items = [i.value for i in meaning.request(upstream, sent).items if i.what == "file"]
        self.assertEqual(items, [["data", "application/pdf", PDF]])
        if upstream == CHAT:
            part = sent["messages"][0]["content"][1]["file"]
            self.assertTrue(part["file_data"].startswith("data:application/pdf;base64,"))
            self.assertTrue(part["filename"])

    @clients_of(CHAT, RESPONSES, GEMINI)
    def test_43_other_files_are_no_chat_files(self, client):
        asked, path = self.with_file(client, "application/zip", PDF)
        self.refused(client, CHAT, asked, path)

    @upstreams_of(MESSAGES)
    def test_43_files_by_id_belong_to_their_account(self, upstream):
        asked = answers.request(MESSAGES, "Hi")
        asked["messages"][0]["content"] = [
            {"type": "text", "text": "See"},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}}]
        self.refused(MESSAGES, upstream, asked, "messages[0].content[1]")

    @upstreams_of(MESSAGES, CHAT)
    def test_43_files_by_url_are_none_for_chat(self, upstream):
        asked = answers.request(MESSAGES, "Hi")
        asked["messages"][0]["content"] = [{"type": "document", "source": {
            "type": "url", "url": "https://example.com/a.pdf"}}]
        self.refused(MESSAGES, upstream, asked, "messages[0].content[0]")

    @clients_of(RESPONSES, CHAT, GEMINI)
    def test_43_audio_is_heard_by_some(self, client):
        asked = answers.request(client, "Hi")
        if client == CHAT:
            asked["messages"][0]["content"] = [{"type": "input_audio", "input_audio": {
                "data": AUDIO, "format": "mp3"}}]
            path = "messages[0].content[0]"
        else:
            asked["contents"][0]["parts"] = [{"inlineData": {"mimeType": "audio/mp3",
                                                             "data": AUDIO}}]
            path = "contents[0].parts[0]"
        self.refused(client, RESPONSES, asked, path)
        other = GEMINI if client == CHAT else CHAT
        if (client, other) in self.sold:
            sent = self.sent(client, other, asked)
            self.assertIn(AUDIO, text_of(sent))

    @upstreams_of(GEMINI)
    def test_43_urlsafe_base64_is_made_plain(self, upstream):
        """As one vendor's own SDK sends it."""
        data = base64.b64encode(b"\xfb\xff\xfe\xfb").decode()
        asked = answers.request(GEMINI, "Hi")
        asked["contents"][0]["parts"].append({"inlineData": {
            "mimeType": "image/png", "data": data.replace("+", "-").replace("/", "_")}})
        self.assertIn(data, text_of(self.sent(GEMINI, upstream, asked)))

    # Refusals

    @all_pairs
    def test_44_filtered_answers(self, client, upstream):
        answer = Answer([("text", "I can")], finish="filter")
        for _, read, _ in self.replies(client, upstream, answers.request(client, "Hi"), answer):
            self.assertEqual(read.finish, "filter")

    @clients_of(GEMINI)
    def test_44_blocked_prompts(self, client):
        blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "m",
                   "usageMetadata": answers.usage(GEMINI, out=0), "responseId": "r"}
        for stream in (False, True):
            got = self.ask(client, GEMINI, answers.request(client, "Hi"),
                           [blocked] if stream else blocked, stream)
            read = meaning.reply(client, self.whole(client, got, stream))
            self.assertEqual(read.finish, "filter")

    @all_pairs
    def test_44_refusals_are_told(self, client, upstream):
        if upstream not in (CHAT, RESPONSES):
            return
        answer = Answer([("refusal", "I may not.")])
        for _, read, _ in self.replies(client, upstream, answers.request(client, "Hi"), answer):
            self.assertIn("I may not.", read.text + "".join(read.all("refusal")))

    # Failures

    TOO_LONG = [
        (CHAT, 400, {"error": {"message": "This model's maximum context length is 8192 tokens.",
                               "type": "invalid_request_error", "param": "messages",
                               "code": "context_length_exceeded"}}),
        (CHAT, 400, {"error": {"message": "This endpoint's maximum context length is 200000 "
                               "tokens. However, you requested about 300000 tokens", "code": 400}}),
        (CHAT, 400, {"error": {"message": "prompt too long; exceeded max context length by 4 "
                               "tokens", "type": "api_error", "param": None, "code": None}}),
        (CHAT, 400, {"error": {"message": "too many tokens", "type": "too_many_prompt_tokens",
                               "code": 400}}),
        (RESPONSES, 400, {"error": {"message": "Your input exceeds the context window of this "
                                    "model.", "type": "invalid_request_error", "param": "input",
                                    "code": "context_length_exceeded"}}),
        (MESSAGES, 400, {"type": "error", "error": {
            "type": "invalid_request_error",
            "message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
        (GEMINI, 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message":
                                 "The input token count (1200000) exceeds the maximum number of "
                                 "tokens allowed (1048576)."}}),
    ]
    SAID = {CHAT: r'"context_length_exceeded"', RESPONSES: r'"context_length_exceeded"',
            MESSAGES: r"prompt is too long", GEMINI: r"exceeds the maximum number of tokens"}

    @all_pairs
    def test_45_prompts_that_are_too_long(self, client, upstream):
        for where, status, body in self.TOO_LONG:
            if where == upstream:
                got = self.ask(client, upstream, answers.request(client, "Hi"),
                               Reply.json(body, status), status=400)
                self.assertRegex(got.body.decode(), self.SAID[client])
                self.assert_shape(client, got)

    def assert_shape(self, client, got):
        self.assertEqual([str(f) for f in judge.error_shape(got.json(), client, got.status)], [])

    FAILED = {
        CHAT: lambda s, m: {"error": {"message": m, "type": "x", "param": None, "code": None}},
        RESPONSES: lambda s, m: {"error": {"message": m, "type": "x", "param": None,
                                           "code": None}},
        MESSAGES: lambda s, m: {"type": "error", "error": {
            "type": {429: "rate_limit_error", 529: "overloaded_error"}.get(s, "api_error"),
            "message": m}},
        GEMINI: lambda s, m: {"error": {"code": s, "message": m, "status": {
            429: "RESOURCE_EXHAUSTED"}.get(s, "UNAVAILABLE")}},
    }

    @all_pairs
    def test_46_busy_vendors(self, client, upstream):
        for status, words in ((429, {CHAT: "rate_limit", RESPONSES: "rate_limit",
                                     MESSAGES: "rate_limit_error", GEMINI: "RESOURCE_EXHAUSTED"}),
                              (503, {CHAT: "server_error", RESPONSES: "server_error",
                                     MESSAGES: "error", GEMINI: "UNAVAILABLE"}),
                              (529, {CHAT: "server_error", RESPONSES: "server_error",
                                     MESSAGES: "overloaded_error", GEMINI: "UNAVAILABLE"})):
            reply = Reply.json(self.FAILED[upstream](status, "busy now"), status,
                               [("Retry-After", "7")])
            got = self.bench.ask(client, upstream, answers.request(client, "Hi"), reply)
            expected = status if status != 529 or client == MESSAGES else 503
            self.assertEqual(got.status, expected, got.response)
            self.assertIn(words[client], got.body.decode())
            self.assertEqual(got.response.get("retry-after"), "7")
            self.assert_shape(client, got)

    @all_pairs
    def test_46_failures_under_status_200(self, client, upstream):
        body = self.FAILED[upstream](500, "it died inside")
        named = upstream in (RESPONSES, MESSAGES)
        if upstream == RESPONSES:
            streamed = {"type": "response.failed", "sequence_number": 0, "response": {
                "id": "r", "object": "response", "status": "failed", "output": [],
                "error": {"code": "server_error", "message": "it died inside"}}}
        else:
            streamed = body
        for reply, stream in ((Reply.json(body), False), (Reply.json(body), True), (Reply.sse(
                b"".join(sse_events([streamed], named=named))), True)):
            got = self.bench.ask(client, upstream, answers.request(client, "Hi"), reply, stream)
            self.assertGreaterEqual(got.status, 400, got.response)
            self.assert_shape(client, got)

    # Framing

    @upstreams_of(GEMINI)
    def test_48_gemini_without_sse_is_an_array(self, upstream):
        answer = Answer([("text", "Hello you"), ("call", "call_1", "weather", '{"city":"Oslo"}')])
        got = self.ask(GEMINI, upstream, answers.request(GEMINI, "Hi", tools=TOOLS),
                       answer.stream(upstream), stream=True, alt=None)
        self.assertEqual(grammar.violations("gemini array", got.body), [])
        read = meaning.reply(GEMINI, fold(GEMINI, json.loads(got.body)))
        self.assertEqual((read.text, read.finish), ("Hello you", "tool"))

    @upstreams_of(GEMINI)
    def test_48_gemini_keys_in_the_query(self, upstream):
        key = self.bench.auth[1].removeprefix("Bearer ")
        target, body = self.bench.place(GEMINI, upstream, answers.request(GEMINI, "Hi"), True)
        self.bench.vendor.reset()
        response = rawhttp.ask(self.bench.station.port, "POST", f"{target}&key={key}",
                               [("Content-Type", "application/json")], json.dumps(body).encode())
        self.assertEqual(response.status, 200)
        self.assertEqual(grammar.violations(GEMINI, response.body), [])
        self.assertNotIn(key, self.bench.vendor.last.target)

    @clients_of(CHAT)
    def test_48_gemini_arrays_are_not_asked_for(self, client):
        del client
        if (CHAT, GEMINI) in self.sold:
            got = self.ask(CHAT, GEMINI, answers.request(CHAT, "Hi"),
                           Answer([("text", "x")]).stream(GEMINI), stream=True)
            self.assertIn("alt=sse", got.received.target)

    @upstreams_of(CHAT)
    def test_49_foreign_shapes_on_chat(self, upstream):
        """Tools in another dialect's shape, or `input`: understood, or a 400 that says so."""
        claude = answers.request(CHAT, "Hi")
        claude["tools"] = [{"name": "weather", "description": "w", "input_schema": TOOLS[0][1]}]
        got = self.bench.ask(CHAT, upstream, claude)
        if got.status == 200:
            self.assertEqual([t.name for t in meaning.request(upstream, got.asked).tools],
                             ["weather"])
        else:
            self.refused(CHAT, upstream, claude, "tools[0]")
        body = {"model": upstream, "input": "Hello there"}
        got = self.bench.send(PATHS[CHAT], json.dumps(body).encode())
        if got.status == 200:
            self.assertIn("Hello there", text_of(got.asked))
        else:
            self.assertEqual(got.status, 400)
            self.assertRegex(got.json()["error"]["message"], r"input|messages")

    @all_pairs
    def test_50_any_split_is_the_same(self, client, upstream):
        answer = Answer([("reasoning", "Só I think"), ("text", "Hello ⚓ you"),
                         ("call", "call_1", "weather", '{"city":"Øslo"}')])
        asked = answers.request(client, "Hi", tools=TOOLS)
        plain = wire(upstream, answer.stream(upstream)).content()
        spellings = [plain, plain.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
                     b"\xef\xbb\xbf" + plain, b": comment\n\n" + plain,
                     plain.replace(b"data: ", b"data:"), re.sub(rb"}(\r?\n)", rb"}   \1", plain)]
        seen = {}
        for body in spellings:
            for split in (None, "byte", "utf8", "line"):
                if split and body is not plain:
                    continue
                reply = Reply.sse(split_body(body, split))
                got = self.ask(client, upstream, asked, reply, stream=True)
                seen.setdefault(without_ids(got.body), (split, body[:40]))
        self.assertEqual(len(seen), 1, list(seen.values()))

    @upstreams_of(CHAT)
    def test_50_one_line_of_five_megabytes(self, upstream):
        text = "x" * 5_000_000
        answer = Answer([("text", text)])
        got = self.ask(CHAT, upstream, answers.request(CHAT, "Hi"), answer.stream(upstream),
                       stream=True)
        self.assertEqual(meaning.reply(CHAT, fold(CHAT, grammar.events(got.body))).text, text)


def split_body(body, how):
    """The body as parts that become chunks of their own."""
    if how == "byte":
        return [body[n:n + 1] for n in range(len(body))]
    if how == "utf8":
        at = body.index("⚓".encode()) + 1 if "⚓".encode() in body else len(body) // 2
        return [body[:at], body[at:]]
    if how == "line":
        return [line for line in re.split(rb"(?<=\n)", body) if line]
    return body


def without_ids(body):
    """The bytes, but for ids and times that are the request's own."""
    body = re.sub(rb"[0-9A-HJKMNP-TV-Z]{26}", b"ID", body)
    return re.sub(rb'"(created|created_at|completed_at)":\d+', rb'"\1":0', body)


if __name__ == "__main__":
    unittest.main()
