# SPDX-License-Identifier: Apache-2.0
"""Further rules of the matrix of fields, one test each: roles, parts, tools, hosts, errors."""
import copy
import json
import time
import unittest

from tests.convert import answers, judge
from tests.convert.answers import Answer
from tests.convert.fifty import (GEMINI_3, TOOLS, FiftyCase, all_pairs, clients_of, text_of,
                                 upstreams_of)
from tests.peer import grammar, meaning
from tests.peer.fold import fold
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply

HELLO = Answer([("text", "Hello")])
PNG = "iVBORw0KGgo="
CALL = Answer([("call", "call_1", "weather", '{"city":"Oslo"}')])


def items_of(upstream, sent):
    return meaning.request(upstream, sent).items


def with_image(client, url):
    """A request with an image by URL or data URL."""
    asked = answers.request(client, "See")
    if client == CHAT:
        asked["messages"][0]["content"] = [{"type": "image_url", "image_url": {"url": url}}]
        return asked, "messages[0].content[0]"
    if client == RESPONSES:
        asked["input"][0]["content"] = [{"type": "input_image", "image_url": url}]
        return asked, "input[0].content[0]"
    if client == MESSAGES:
        source = {"type": "url", "url": url}
        if url.startswith("data:"):
            mime, _, data = url[5:].partition(";base64,")
            source = {"type": "base64", "media_type": mime, "data": data}
        asked["messages"][0]["content"] = [{"type": "image", "source": source}]
        return asked, "messages[0].content[0]"
    mime, _, data = url[5:].partition(";base64,")
    asked["contents"][0]["parts"] = [{"inlineData": {"mimeType": mime, "data": data}}]
    return asked, "contents[0].parts[0]"


class Rules(FiftyCase):

    # Roles

    @all_pairs
    def test_system_in_the_middle_is_never_hoisted(self, client, upstream):
        if client in (MESSAGES, GEMINI):
            return          # the first is rule 11, the other cannot say it
        asked = answers.request(client, "One", system="First.")
        more = [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Two"},
                {"role": "developer", "content": "LATER"}, {"role": "user", "content": "Three"}]
        asked["messages" if client == CHAT else "input"] += more
        texts = [i.value for i in items_of(upstream, self.sent(client, upstream, asked))]
        at = next(n for n, text in enumerate(texts) if "LATER" in text)
        self.assertNotIn("LATER", texts[0])
        self.assertGreater(at, next(n for n, text in enumerate(texts) if "Two" in text) - 1)
        self.assertIn("Three", "".join(texts[at:]))

    @upstreams_of(MESSAGES, CHAT)
    def test_developer_is_a_role_of_openai_alone(self, upstream):
        asked = answers.request(MESSAGES, "Hi", system="Be brief.")
        for name, roles in ((None, ("developer", "system")), ("local", ("system",)),
                            ("deepseek-v4", ("system",)), ("kimi-k2", ("system",))):
            sent = self.ask(MESSAGES, upstream, asked, name=name).asked
            self.assertIn(sent["messages"][0]["role"], roles, name)

    @clients_of(CHAT, RESPONSES)
    def test_developer_of_a_responses_client_elsewhere(self, client):
        asked = answers.request(client, "Hi")
        asked["input"].insert(0, {"role": "developer", "content": "Be brief."})
        sent = self.ask(client, CHAT, asked, name="local").asked
        self.assertEqual(sent["messages"][0]["role"], "system")

    @clients_of(MESSAGES)
    def test_neighbours_of_a_role_are_merged(self, client):
        asked = answers.request(client, "One", "Two")
        sent = self.sent(client, MESSAGES, asked)
        roles = [m["role"] for m in sent["messages"]]
        self.assertEqual(roles, ["user"])
        self.assertEqual([i.value for i in items_of(MESSAGES, sent)], ["One", "Two"])

    @clients_of(GEMINI)
    def test_neighbours_of_a_role_are_merged_for_gemini(self, client):
        sent = self.sent(client, GEMINI, answers.request(client, "One", "Two"))
        self.assertEqual([c["role"] for c in sent["contents"]], ["user"])

    @clients_of(MESSAGES)
    def test_empty_texts_are_left_out(self, client):
        asked = answers.request(client, "Hi")
        if client == CHAT:
            asked["messages"][0]["content"] = [{"type": "text", "text": ""},
                                               {"type": "text", "text": "Hi"}]
        elif client == RESPONSES:
            asked["input"][0]["content"] = [{"type": "input_text", "text": ""},
                                            {"type": "input_text", "text": "Hi"}]
        else:
            asked["contents"][0]["parts"].insert(0, {"text": ""})
        sent = self.sent(client, MESSAGES, asked)
        self.assertNotIn('"text": ""', text_of(sent))
        self.assertEqual([i.value for i in items_of(MESSAGES, sent)], ["Hi"])

    @all_pairs
    def test_prefill_is_no_history_elsewhere(self, client, upstream):
        if client in (CHAT, RESPONSES) or upstream == GEMINI:
            return
        asked = answers.request(client, "Hi")
        if client == MESSAGES:
            asked["messages"].append({"role": "assistant", "content": "I think"})
            path = "messages[1]"
        else:
            asked["contents"].append({"role": "model", "parts": [{"text": "I think"}]})
            path = "contents[1]"
        if upstream in (CHAT, RESPONSES):
            self.refused(client, upstream, asked, path)
        else:
            sent = self.sent(client, upstream, asked)
            self.assertEqual(sent["messages"][-1]["role"], "assistant")

    @upstreams_of(MESSAGES)
    def test_the_line_for_anthropic_s_billing_stays_there(self, upstream):
        asked = answers.request(MESSAGES, "Hi")
        asked["system"] = [{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1;"},
                           {"type": "text", "text": "Be brief."}]
        sent = self.sent(MESSAGES, upstream, asked)
        self.assertNotIn("x-anthropic-billing-header", text_of(sent))
        self.assertEqual([i.value for i in items_of(upstream, sent)], ["Be brief.", "Hi"])

    # Parts

    @all_pairs
    def test_images(self, client, upstream):
        asked, _ = with_image(client, "data:image/png;base64," + PNG)
        images = [i.value for i in items_of(upstream, self.sent(client, upstream, asked))
                  if i.what == "image"]
        self.assertEqual(images, [["data", "image/png", PNG]])

    @all_pairs
    def test_images_by_url(self, client, upstream):
        if client == GEMINI:
            return
        asked, path = with_image(client, "https://example.com/a.png")
        if upstream == GEMINI:
            self.refused(client, upstream, asked, path)
            return
        images = [i.value for i in items_of(upstream, self.sent(client, upstream, asked))
                  if i.what == "image"]
        self.assertEqual(images, [["url", "https://example.com/a.png"]])

    @clients_of(MESSAGES)
    def test_images_that_messages_does_not_read(self, client):
        asked, path = with_image(client, "data:image/bmp;base64," + PNG)
        self.refused(client, MESSAGES, asked, path)

    @upstreams_of(RESPONSES)
    def test_roles_decide_the_type_of_a_text(self, upstream):
        del upstream
        for client in (CHAT, MESSAGES, GEMINI):
            if (client, RESPONSES) not in self.sold:
                continue
            asked = answers.next_turn(client, answers.request(client, "Hi"), HELLO.whole(client),
                                      text="More")
            types = [(i["role"], p["type"]) for i in self.sent(client, RESPONSES, asked)["input"]
                     for p in i["content"] if isinstance(i["content"], list)]
            self.assertIn(("assistant", "output_text"), types)
            self.assertNotIn(("assistant", "input_text"), types)
            self.assertNotIn(("user", "output_text"), types)

    # Tools

    @clients_of(MESSAGES, CHAT, RESPONSES, GEMINI)
    def test_calls_of_the_past_need_declarations(self, client):
        asked = answers.next_turn(client, answers.request(client, "Hi"), CALL.whole(client),
                                  ["rain"])
        got = self.ask(client, MESSAGES, asked)
        self.assertEqual([t["name"] for t in got.asked["tools"]], ["weather"])
        self.assertTrue(got.lossy)

    @clients_of(MESSAGES, CHAT, RESPONSES, GEMINI)
    def test_no_choice_still_sends_the_tools_of_the_past(self, client):
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                  CALL.whole(client), ["rain"])
        if client == GEMINI:
            asked["toolConfig"] = {"functionCallingConfig": {"mode": "NONE"}}
        else:
            asked["tool_choice"] = "none"
        sent = self.sent(client, MESSAGES, asked)
        self.assertEqual([t["name"] for t in sent["tools"]], ["weather"])
        self.assertEqual(sent["tool_choice"], {"type": "none"})

    @all_pairs
    def test_a_tool_without_parameters(self, client, upstream):
        asked = answers.request(client, "Hi", tools=[("ping", {"type": "object",
                                                               "properties": {}})])
        holder = asked["tools"][0].get("functionDeclarations", [asked["tools"][0]])[0]
        holder = holder.get("function", holder)
        for key in ("parameters", "parametersJsonSchema"):
            holder.pop(key, None)
        if client == RESPONSES:
            holder["parameters"] = None
        sent = self.sent(client, upstream, asked)
        if upstream == MESSAGES:
            self.assertEqual(sent["tools"][0]["input_schema"]["type"], "object")

    @all_pairs
    def test_names_out_of_range_come_back_as_they_were(self, client, upstream):
        """Two that would be one if they were cut."""
        if client not in (MESSAGES, GEMINI):
            return
        long = "a" * 70
        names = [long + "_one", long + "_two"]
        if client == GEMINI:
            names.append("math.add:v2")
        asked = answers.request(client, "Hi", tools=[(n, TOOLS[0][1]) for n in names])
        sent = self.sent(client, upstream, asked)
        there = [t.name for t in meaning.request(upstream, sent).tools]
        self.assertEqual(len(set(there)), len(names))
        limit = 64 if upstream in (CHAT, RESPONSES) else 128
        for name in there:
            self.assertRegex(name, r"^[A-Za-z0-9_.:-]{1,%d}$" % limit)
        answer = Answer([("call", f"call_{n}", name, "{}") for n, name in enumerate(there)])
        for _, read, _ in self.replies(client, upstream, asked, answer):
            self.assertEqual([name for name, _ in read.all("call")], names)

    @all_pairs
    def test_arguments_keep_their_spelling(self, client, upstream):
        """Big integers, order of keys and decimals survive; no double makes a round trip."""
        if GEMINI in (client, upstream) or MESSAGES in (client, upstream):
            wanted = '"n":12345678901234567890,"z":1.10,"a":1e-7'
        else:
            wanted = '"n":12345678901234567890, "z" : 1.10,"a":1e-7'
        raw = "{" + wanted + "}"
        asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                  Answer([("call", "call_1", "weather", "{}")]).whole(client),
                                  ["rain"])
        body = json.dumps(asked, separators=(",", ":"))
        if client in (CHAT, RESPONSES):
            body = body.replace('"arguments":"{}"', '"arguments":' + json.dumps(raw))
        elif client == MESSAGES:
            body = body.replace('"input":{}', '"input":' + raw)
        else:
            body = body.replace('"args":{}', '"args":' + raw)
        target, extra = self.bench.place(client, upstream, {}, False)
        if "model" in extra:
            body = body[:-1] + f',"model":"{extra["model"]}"' + "}"
        got = self.bench.send(target, body.encode())
        self.assertEqual(got.status, 200, got.body)
        sent = got.received.body.decode().replace('\\"', '"').replace(" ", "")
        self.assertIn(wanted.replace(" ", ""), sent)

    @clients_of(GEMINI)
    def test_results_are_objects_for_gemini(self, client):
        for text, wanted in (("rain", {"output": "rain"}), ('{"sky":"blue"}', None),
                             ("[1]", {"output": "[1]"})):
            asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                      CALL.whole(client), [text])
            sent = self.sent(client, GEMINI, asked)
            response = sent["contents"][-1]["parts"][0]["functionResponse"]
            self.assertEqual(response["name"], "weather")
            if wanted is None:
                self.assertIn(response["response"], ({"sky": "blue"}, {"output": text}))
            else:
                self.assertEqual(response["response"], wanted)

    @upstreams_of(MESSAGES)
    def test_results_that_failed(self, upstream):
        asked = answers.next_turn(MESSAGES, answers.request(MESSAGES, "Hi", tools=TOOLS),
                                  CALL.whole(MESSAGES), ["no such city"])
        asked["messages"][-1]["content"][0]["is_error"] = True
        got = self.ask(MESSAGES, upstream, asked)
        if upstream == GEMINI:
            part = got.asked["contents"][-1]["parts"][0]["functionResponse"]
            self.assertEqual(part["response"], {"error": "no such city"})
        else:
            self.assertIn("[tool error] no such city", text_of(got.asked))
            self.assertTrue(judge.is_declared("messages[2].content[0].is_error", got.lossy))

    @upstreams_of(GEMINI)
    def test_results_as_other_clients_of_gemini_wrap_them(self, upstream):
        asked = answers.next_turn(GEMINI, answers.request(GEMINI, "Hi", tools=TOOLS),
                                  CALL.whole(GEMINI), ["rain"])
        part = asked["contents"][-1]["parts"][0]["functionResponse"]
        part["response"] = {"name": "weather", "content": "rain"}
        sent = self.sent(GEMINI, upstream, asked)
        self.assertIn("rain", text_of(sent))

    @clients_of(CHAT)
    def test_hosts_that_force_no_tool(self, client):
        asked = answers.request(client, "Hi", tools=TOOLS)
        if client == MESSAGES:
            asked["tool_choice"] = {"type": "any"}
        elif client == GEMINI:
            asked["toolConfig"] = {"functionCallingConfig": {"mode": "ANY"}}
        else:
            asked["tool_choice"] = "required"
        path = "toolConfig.functionCallingConfig" if client == GEMINI else "tool_choice"
        self.refused(client, CHAT, asked, path, name="deepseek-v4")

    # Limits of dialects

    @clients_of(MESSAGES, CHAT, RESPONSES, GEMINI)
    def test_temperature_of_messages_ends_at_one(self, client):
        asked = answers.request(client, "Hi")
        holder = asked["generationConfig"] if client == GEMINI else asked
        holder["temperature"] = 1.0
        self.assertEqual(self.sent(client, MESSAGES, asked)["temperature"], 1.0)
        holder["temperature"] = 1.5
        path = "generationConfig.temperature" if client == GEMINI else "temperature"
        self.refused(client, MESSAGES, asked, path)

    @all_pairs
    def test_numbers_keep_their_text(self, client, upstream):
        asked = answers.request(client, "Hi")
        holder = asked["generationConfig"] if client == GEMINI else asked
        holder["temperature"] = "@"
        target, body = self.bench.place(client, upstream, asked, False)
        got = self.bench.send(target, json.dumps(body).replace('"@"', "0.30").encode())
        self.assertEqual(got.status, 200, got.body)
        self.assertRegex(got.received.body.decode(), r'"temperature": ?0\.30?[,}]')

    @upstreams_of(GEMINI)
    def test_stricter_safety_is_refused_and_laxer_is_not(self, upstream):
        asked = answers.request(GEMINI, "Hi", safetySettings=[
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}])
        self.sent(GEMINI, upstream, asked)
        asked["safetySettings"][0]["threshold"] = "BLOCK_LOW_AND_ABOVE"
        self.refused(GEMINI, upstream, asked, "safetySettings[0]")

    @all_pairs
    def test_other_vendors_tiers_are_refused(self, client, upstream):
        if {client, upstream} == {CHAT, RESPONSES}:
            return
        name = "serviceTier" if client == GEMINI else "service_tier"
        value = "standard_only" if client == MESSAGES else "flex"
        self.refused(client, upstream, answers.request(client, "Hi", **{name: value}), name)

    # State of one vendor in the hands of another

    @all_pairs
    def test_made_up_state_breaks_nothing(self, client, upstream):
        """Envelopes that are torn, forged or of another model are left out, not sent on."""
        for opaque in ("rly1.", "rly1.openai.00000000.!!!", "rly1.gemini.97a642ef." + "A" * 5000,
                       "rly1.x.y.z.w", "rly2.openai.e8927dd0.t"):
            history = Answer([("reasoning", "So", opaque),
                              ("call", "call_1", "weather", '{"city":"Oslo"}', opaque)])
            asked = answers.next_turn(client, answers.request(client, "Hi", tools=TOOLS),
                                      history.whole(client), ["rain"])
            sent = self.sent(client, upstream, asked, vendor_model=GEMINI_3
                             if upstream == GEMINI else None)
            self.assertNotIn("rly", text_of(sent))

    @upstreams_of(MESSAGES)
    def test_off_is_off_in_any_order(self, upstream):
        more = [("thinking", {"type": "disabled"}), ("output_config", {"effort": "high"})]
        for keys in (more, more[::-1]):
            asked = {**answers.request(MESSAGES, "Hi", maximum=20000), **dict(keys)}
            sent = meaning.request(upstream, self.sent(MESSAGES, upstream, asked))
            said = sent.get("effort") or ("none" if sent.get("budget") == 0 else None)
            self.assertIn(said, ("none", "minimal"), keys)

    @upstreams_of(MESSAGES)
    def test_thinking_that_the_client_wants_omitted(self, upstream):
        asked = answers.request(MESSAGES, "Hi", tools=TOOLS)
        asked["thinking"] = {"type": "adaptive", "display": "omitted"}
        answer = Answer([("reasoning", "UNSEEN", "b3A="),
                         ("call", "call_1", "weather", '{"city":"Oslo"}')])
        for whole, _, got in self.replies(MESSAGES, upstream, asked, answer):
            self.assertNotIn("UNSEEN", got.body.decode())
            self.assertEqual(whole["content"][0]["thinking"], "")
            self.assertTrue(whole["content"][0]["signature"])

    @upstreams_of(MESSAGES, CHAT)
    def test_omitted_thinking_still_comes_back_to_its_host(self, upstream):
        asked = answers.request(MESSAGES, "Hi", tools=TOOLS)
        asked["thinking"] = {"type": "adaptive", "display": "omitted"}
        answer = Answer([("reasoning", "UNSEEN"),
                         ("call", "call_1", "weather", '{"city":"Oslo"}')], model="deepseek-v4")
        got = self.ask(MESSAGES, upstream, asked, answer.stream(CHAT), stream=True,
                       name="deepseek-v4")
        whole = fold(MESSAGES, grammar.events(got.body))
        later = answers.next_turn(MESSAGES, asked, whole, ["rain"])
        sent = self.ask(MESSAGES, upstream, later, name="deepseek-v4").asked
        turn = next(m for m in sent["messages"] if m["role"] == "assistant")
        self.assertEqual(turn["reasoning_content"], "UNSEEN")

    @clients_of(CHAT, RESPONSES, MESSAGES, GEMINI)
    def test_all_states_of_a_thought_come_back(self, client):
        """In the vendor's order; a signature with the text that it signs, which a stream gives
        apart from it."""
        asked = answers.request(client, "Hi", tools=TOOLS)
        answer = Answer([("reasoning", "So it is"),
                         ("call", "call_1", "weather", '{"city":"Oslo"}')])
        signed = {"type": "reasoning.text", "text": "So it is", "signature": "s1", "index": 0}
        more = [{"type": "reasoning.encrypted", "data": f"d{n}", "id": "call_1", "index": n}
                for n in range(1, 4)]
        whole = answer.whole(CHAT)
        whole["choices"][0]["message"]["reasoning_details"] = [signed, *more]
        stream = answer.stream(CHAT)
        first = next(n for n, e in enumerate(stream) if "tool_calls" in text_of(e))
        for details in (more[2:], more[:2], [{**signed, "text": ""}]):
            event = copy.deepcopy(stream[first])
            event["choices"][0]["delta"] = {"reasoning_details": details}
            stream.insert(first, event)
        for vendor_answer in (whole, stream):
            got = self.ask(client, CHAT, asked, vendor_answer, vendor_answer is stream)
            had = self.whole(client, got, vendor_answer is stream)
            later = answers.next_turn(client, asked, had, ["rain"])
            sent = self.sent(client, CHAT, later, schema=False)
            turn = next(m for m in sent["messages"] if m["role"] == "assistant")
            self.assertEqual(turn["reasoning_details"], [signed, *more])

    @clients_of(CHAT, RESPONSES, MESSAGES, GEMINI)
    def test_thoughts_that_stand_in_details_alone(self, client):
        """As MiniMax gives them, and takes them back."""
        asked = answers.request(client, "Hi", tools=TOOLS)
        if client == GEMINI:
            asked["generationConfig"] = {"thinkingConfig": {"includeThoughts": True}}
        whole = Answer([("call", "call_1", "weather", '{"city":"Oslo"}')]).whole(CHAT)
        thought = {"type": "reasoning.text", "text": "So it is", "format": "unknown", "index": 0}
        whole["choices"][0]["message"]["reasoning_details"] = [thought]
        got = self.ask(client, CHAT, asked, whole, name="minimax-m2")
        self.assertEqual(meaning.reply(client, got.json()).reasoning, "So it is")
        later = answers.next_turn(client, asked, got.json(), ["rain"])
        sent = self.ask(client, CHAT, later, name="minimax-m2").asked
        turn = next(m for m in sent["messages"] if m["role"] == "assistant")
        self.assertEqual(turn["reasoning_details"],
                         [{"type": "reasoning.text", "text": "So it is"}])

    def test_a_state_whose_call_is_gone_is_named(self):
        asked = answers.request(MESSAGES, "Hi", tools=TOOLS)
        answer = Answer([("call", "call_1", "weather", '{"city":"Oslo"}', "c3RhdGU=")])
        whole = self.ask(MESSAGES, GEMINI, asked, answer.whole(GEMINI),
                         vendor_model=GEMINI_3).json()
        state, call = whole["content"]
        self.assertEqual((state["type"], call["type"]), ("redacted_thinking", "tool_use"))
        said = {"type": "text", "text": "Well."}
        for blocks, lossy in (([state, said], ["messages[1].content[0].data"]),
                              ([state, state, call], ["messages[1].content[0].data"]),
                              ([state, call], [])):
            later = answers.next_turn(MESSAGES, asked, {"content": blocks}, ["rain"], "Go on")
            got = self.ask(MESSAGES, GEMINI, later, vendor_model=GEMINI_3)
            self.assertEqual([path for path in got.lossy if path.endswith("data")], lossy)

    # What has its maximum

    def test_too_many_tools(self):
        asked = answers.request(CHAT, "Hi")
        asked["tools"] = [{"type": "function", "function": {"name": f"f{n}"}} for n in range(2100)]
        got = self.bench.ask(CHAT, MESSAGES, asked, HELLO.whole(MESSAGES))
        self.assertEqual(got.status, 400)
        self.assertIn("tools[2048]", got.body.decode())

    def assert_soon(self, client, upstream, asked):
        """One answer in a second or so: each piece was met once, not once for each other piece."""
        before = time.monotonic()
        self.ask(client, upstream, asked)
        self.assertLess(time.monotonic() - before, 10)

    def test_very_many_names_that_may_be_called(self):
        asked = answers.request(CHAT, "Hi")
        asked["tools"] = [{"type": "function", "function": {"name": f"f{n}"}} for n in range(2000)]
        names = [{"type": "function", "function": {"name": "f1999"}}] * 100000
        asked["tool_choice"] = {"type": "allowed_tools",
                                "allowed_tools": {"mode": "auto", "tools": names}}
        self.assert_soon(CHAT, MESSAGES, asked)

    def test_very_many_members_of_a_schema(self):
        names = [f"p{n}" for n in range(60000)]
        schema = {"type": "object", "properties": {name: {} for name in names},
                  "required": names[::-1], "additionalProperties": False}
        asked = answers.request(RESPONSES, "Hi")
        asked["tools"] = [{"type": "function", "name": "f", "parameters": schema}]
        self.assert_soon(RESPONSES, MESSAGES, asked)

    def test_more_is_lost_than_a_header_holds(self):
        asked = answers.request(CHAT, "Hi")
        asked["messages"] = [{"role": "user", "content": "x", "name": "n"}] * 5000
        got = self.bench.ask(CHAT, MESSAGES, asked, HELLO.whole(MESSAGES))
        self.assertEqual(got.status, 200)
        lossy = got.response.get("relay-lossy", "")
        self.assertTrue(lossy.endswith(", and more"), lossy[-60:])

    # Citations

    def cited(self, upstream):
        whole = Answer([("text", "Séé the news.")]).whole(upstream)
        if upstream == CHAT:
            whole["choices"][0]["message"]["annotations"] = [{"type": "url_citation",
                                                              "url_citation": CITATION}]
        elif upstream == RESPONSES:
            whole["output"][0]["content"][0]["annotations"] = [{"type": "url_citation",
                                                                **CITATION}]
        elif upstream == MESSAGES:
            whole["content"] = [{"type": "text", "text": "Séé "},
                                {"type": "text", "text": "the news.", "citations": [{
                                    "type": "web_search_result_location", "cited_text": "x",
                                    "url": CITATION["url"], "title": CITATION["title"],
                                    "encrypted_index": "abc"}]}]
        else:
            whole["candidates"][0]["groundingMetadata"] = {
                "groundingChunks": [{"web": {"uri": CITATION["url"], "title": CITATION["title"]}}],
                "groundingSupports": [{"segment": {"startIndex": 6, "endIndex": 15,
                                                   "text": "the news."},
                                       "groundingChunkIndices": [0]}]}
        return whole

    @all_pairs
    def test_citations(self, client, upstream):
        if client in (MESSAGES, GEMINI):
            return
        got = self.ask(client, upstream, answers.request(client, "Hi"), self.cited(upstream))
        whole = self.whole(client, got)
        if client == CHAT:
            found = [a["url_citation"] for a in whole["choices"][0]["message"]["annotations"]]
        else:
            found = [{k: v for k, v in a.items() if k != "type"}
                     for i in whole["output"] for p in i["content"] for a in p["annotations"]]
        self.assertEqual([f["url"] for f in found], [CITATION["url"]])
        if {client, upstream} == {CHAT, RESPONSES} or upstream == GEMINI:
            self.assertEqual(found, [CITATION])

    @clients_of(GEMINI)
    def test_images_of_an_answer_do_not_vanish(self, client):
        whole = HELLO.whole(GEMINI)
        whole["candidates"][0]["content"]["parts"].append(
            {"inlineData": {"mimeType": "image/png", "data": PNG}})
        got = self.bench.ask(client, GEMINI, answers.request(client, "Draw"), whole)
        self.assertTrue(got.status >= 400 or PNG in got.body.decode(), got.body)

    # Errors

    KINDS = {
        400: {CHAT: "invalid_request_error", MESSAGES: "invalid_request_error",
              GEMINI: "INVALID_ARGUMENT"},
        404: {CHAT: "", MESSAGES: "not_found_error", GEMINI: "NOT_FOUND"},
        413: {CHAT: "", MESSAGES: "request_too_large", GEMINI: "INVALID_ARGUMENT"},
        422: {CHAT: "invalid_request_error", MESSAGES: "invalid_request_error",
              GEMINI: "INVALID_ARGUMENT"},
    }

    @all_pairs
    def test_refusals_of_vendors_in_the_client_s_words(self, client, upstream):
        for status, kinds in self.KINDS.items():
            body = {CHAT: {"error": {"message": "this is why", "type": "x", "code": None}},
                    RESPONSES: {"error": {"message": "this is why", "type": "x", "code": None}},
                    MESSAGES: {"type": "error", "error": {"type": "x", "message": "this is why"}},
                    GEMINI: {"error": {"code": status, "message": "this is why",
                                       "status": "X"}}}[upstream]
            got = self.bench.ask(client, upstream, answers.request(client, "Hi"),
                                 Reply.json(body, status))
            self.assertEqual(got.status, status, got.body)
            faults = [str(f) for f in judge.error_shape(got.json(), client, status)]
            self.assertEqual(faults, [])
            self.assertIn("this is why", got.body.decode())
            self.assertIn(kinds[CHAT if client == RESPONSES else client], got.body.decode())

    @clients_of(CHAT)
    def test_errors_beside_every_dialect(self, client):
        for body in ({"code": "invalid-argument", "error": "this is why"},
                     {"detail": "this is why"}, {"id": "x", "message": "this is why"},
                     {"error": {"message": "this is why", "code": 400, "metadata": {"raw": "z"}}},
                     {"error": {"message": "this is why", "code": "DeploymentNotFound"}},
                     [{"error": {"code": 400, "message": "this is why",
                                 "status": "INVALID_ARGUMENT"}}]):
            got = self.bench.ask(client, CHAT, answers.request(client, "Hi"),
                                 Reply.json(body, 400))
            self.assertEqual(got.status, 400)
            self.assertIn("this is why", got.body.decode(), body)
            self.assertEqual(list(judge.error_shape(got.json(), client, 400)), [])
        page = Reply(502, b"<html><h1>Bad gateway</h1></html>", content_type="text/html")
        got = self.bench.ask(client, CHAT, answers.request(client, "Hi"), page)
        self.assertGreaterEqual(got.status, 500)
        self.assertEqual(list(judge.error_shape(got.json(), client, got.status)), [])

    # Counts that vendors get wrong

    @clients_of(CHAT)
    def test_counts_that_do_not_add_up(self, client):
        whole = HELLO.whole(CHAT)
        whole["usage"] = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20,
                          "completion_tokens_details": {"reasoning_tokens": 11}}
        got = self.ask(client, CHAT, answers.request(client, "Hi"), whole)
        usage = meaning.reply(client, self.whole(client, got)).usage
        self.assertEqual(usage.out + usage.reasoning, 10)
        self.assertEqual(usage.state, "ok")

    @all_pairs
    def test_an_answer_without_usage_still_has_numbers(self, client, upstream):
        whole = HELLO.whole(upstream)
        whole.pop("usage", None)
        whole.pop("usageMetadata", None)
        got = self.ask(client, upstream, answers.request(client, "Hi"), whole)
        self.assertIsNotNone(meaning.reply(client, self.whole(client, got)).usage)


CITATION = {"start_index": 4, "end_index": 13, "url": "https://example.org/a", "title": "A"}

if __name__ == "__main__":
    unittest.main()
