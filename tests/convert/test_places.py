# SPDX-License-Identifier: Apache-2.0
"""What stands late, or where nothing of its kind stands, does not vanish."""
from tests.convert import answers
from tests.convert.fifty import FiftyCase
from tests.convert.harness import Bench
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES


def call(call_id):
    return {"type": "tool_use", "id": call_id, "name": "weather", "input": {"n": call_id}}


def result(call_id, text):
    return {"type": "tool_result", "tool_use_id": call_id, "content": text}


TOOL = {"name": "weather", "input_schema": {"type": "object"}}


def messages(*turns):
    return {"max_tokens": 99, "tools": [TOOL],
            "messages": [{"role": role, "content": content} for role, content in turns]}


class Late(FiftyCase):

    def responses_to(self, request):
        sent = self.sent(MESSAGES, GEMINI, request)
        return [[p["functionResponse"]["response"]["output"] for p in c["parts"]
                 if "functionResponse" in p] for c in sent["contents"] if c["role"] == "user"]

    def test_a_result_behind_another_answer(self):
        self.assertEqual(self.responses_to(messages(
            ("user", "q"), ("assistant", [call("t1"), call("t2")]),
            ("user", [result("t1", "one")]), ("assistant", "One is there."),
            ("user", [result("t2", "two")]))), [[], ["one"], ["two"]])

    def test_in_the_order_of_their_calls(self):
        self.assertEqual(self.responses_to(messages(
            ("user", "q"), ("assistant", [call("t1"), call("t2"), call("t3")]),
            ("user", [result("t3", "three"), result("t1", "one"), result("t2", "two"),
                      result("t1", "one again")]))), [[], ["one", "one again", "two", "three"]])


IMAGE = "data:image/png;base64,iVBORw0KGgo="
IMAGE_OF = {
    CHAT: {"type": "image_url", "image_url": {"url": IMAGE}},
    RESPONSES: {"type": "input_image", "image_url": IMAGE},
    MESSAGES: {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                           "data": "iVBORw0KGgo="}},
    GEMINI: {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
}
HI = {"type": "text", "text": "Hi"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "x"}


class Misplaced(FiftyCase):
    """No writer has a place for it: it is refused by its path, toward every upstream."""

    def refused_by_all(self, client, request, path):
        for upstream in (CHAT, RESPONSES, MESSAGES, GEMINI):
            if upstream != client:
                with self.subTest(client=client, upstream=upstream):
                    self.refused(client, upstream, request, path)

    def test_an_image_in_system_text(self):
        user = {"role": "user", "content": "Hi"}
        self.refused_by_all(CHAT, {"messages": [
            {"role": "system", "content": [HI, IMAGE_OF[CHAT]]}, user]}, "messages[0].content[1]")
        self.refused_by_all(RESPONSES, {"input": [
            {"role": "developer", "content": [IMAGE_OF[RESPONSES]]}, user]},
            "input[0].content[0]")
        self.refused_by_all(MESSAGES, {"max_tokens": 9, "system": [HI, IMAGE_OF[MESSAGES]],
                                       "messages": [user]}, "system[1]")
        self.refused_by_all(GEMINI, {
            "systemInstruction": {"parts": [{"text": "Hi"}, IMAGE_OF[GEMINI]]},
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
            "systemInstruction.parts[1]")

    def test_calls_and_thoughts_of_the_user(self):
        for block in (call("t1"), THOUGHT):
            self.refused_by_all(MESSAGES, messages(("user", [HI, block])),
                                "messages[0].content[1]")
        self.refused_by_all(GEMINI, {"contents": [
            {"role": "user", "parts": [{"functionCall": {"name": "f", "args": {}}}]}]},
            "contents[0].parts[0].functionCall")

    def test_results_of_the_assistant(self):
        self.refused_by_all(MESSAGES, messages(
            ("user", "q"), ("assistant", [call("t1"), result("t1", "one")]), ("user", "so?")),
            "messages[1].content[1]")
        self.refused_by_all(GEMINI, {"contents": [
            {"role": "user", "parts": [{"text": "q"}]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "f", "args": {}}},
                {"functionResponse": {"name": "f", "response": {"output": "x"}}}]}]},
            "contents[1].parts[1].functionResponse")

    def test_calls_inside_a_result(self):
        for block in (call("t2"), result("t1", "one"), THOUGHT):
            self.refused_by_all(MESSAGES, messages(
                ("user", "q"), ("assistant", [call("t1")]),
                ("user", [result("t1", [HI, block])])), "messages[2].content[0].content[1]")


class Named(FiftyCase):
    """What is left out of a request is named by its path."""

    def test_marks_that_no_text_carries(self):
        mark = {"cache_control": {"type": "ephemeral"}}
        request = messages(
            ("user", [HI, {**IMAGE_OF[MESSAGES], **mark}]), ("assistant", [call("t1")]),
            ("user", [result("t1", [{**HI, **mark}, HI])]))
        got = self.ask(MESSAGES, CHAT, request)
        self.assertEqual(got.lossy, ["messages[0].content[1].cache_control",
                                     "messages[2].content[0].content[0].cache_control"])

    def test_the_title_of_a_file_by_url(self):
        got = self.ask(MESSAGES, RESPONSES, messages(("user", [
            {"type": "document", "title": "T",
             "source": {"type": "url", "url": "https://x.test/y.pdf"}}])))
        self.assertEqual(got.lossy, ["messages[0].content[0].title"])
        got = self.ask(GEMINI, RESPONSES, {"contents": [{"role": "user", "parts": [
            {"fileData": {"fileUri": "https://x.test/y.pdf", "mimeType": "application/pdf",
                          "displayName": "D"}}]}]})
        self.assertEqual(got.lossy, ["contents[0].parts[0].fileData.displayName"])

    def test_one_key_in_two_ways_of_writing(self):
        for first, second in (("max_outputTokens", "maxOutput_tokens"),
                              ("maxOutputTokens", "max_output_tokens"),
                              ("max_output_tokens", "maxOutputTokens")):
            self.refused(GEMINI, CHAT, {
                "contents": [{"role": "user", "parts": [{"text": "q"}]}],
                "generationConfig": {first: 7, second: 9}}, "generationConfig." + second)

    def test_words_of_the_client_are_not_cut_inside_a_character(self):
        for lead in ("", "x"):
            got = self.ask(CHAT, MESSAGES, {"messages": [
                {"role": lead + "\u00e9" * 300, "content": "q"}]}, status=400)
            self.assertIn("\u00e9" * 100, got.body.decode())

    def test_keys_of_the_clients_own_are_not_kept(self):
        """Paths of what was lost are kept with the request: what the client wrote is not."""
        secret = "my-diagnosis-is"
        for extra, path in (({secret: 1}, ""), ({"google": {secret: "x"}}, ".google")):
            got = self.ask(CHAT, MESSAGES, {"messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "tool_calls": [
                    {"id": "c1", "type": "function", "extra_content": extra,
                     "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "r"}]})
            self.assertIn("messages[1].tool_calls[0].extra_content" + path, got.lossy)
            self.assertNotIn(secret, got.response.get("relay-lossy"))
        request = {"contents": [{"role": "user", "parts": [{"text": "q"}]}]}
        with Bench(lossy=["hosted tools"]) as bench:
            for key, path in ((secret, "tools[0]"), ("google_search", "tools[0].google_search")):
                got = bench.ask(GEMINI, CHAT, {**request, "tools": [{key: {}}]})
                self.assertEqual((got.status, got.lossy), (200, [path]))


class Thought(FiftyCase):

    def test_a_state_before_its_text(self):
        """The block that it opens can hold no text any more."""
        def chunk(delta, finish=None):
            return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
        state = {"type": "reasoning.encrypted", "data": "abcd", "index": 0}
        got = self.ask(MESSAGES, CHAT, answers.request(MESSAGES, "Hi"), [
            chunk({"role": "assistant", "reasoning_details": [state]}),
            chunk({"reasoning": "Hmm."}), chunk({"content": "Yes"}),
            {**chunk({}, "stop"), "usage": usage}], stream=True)
        blocks = self.whole(MESSAGES, got, True)["content"]
        self.assertEqual([b["type"] for b in blocks], ["redacted_thinking", "thinking", "text"])
        self.assertEqual(blocks[1]["thinking"], "Hmm.")
