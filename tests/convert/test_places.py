# SPDX-License-Identifier: Apache-2.0
"""What stands late, or where nothing of its kind stands, does not vanish."""
from tests.convert import answers
from tests.convert.fifty import FiftyCase, upstreams_of
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
