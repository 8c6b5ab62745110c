# SPDX-License-Identifier: Apache-2.0
"""Tricks to get an answer unmetered: odd answers of the vendor, and clients that leave.

Usage is what the dialect's exact path says, whatever the model was made to write; and an answer
that a client has is an answer that was charged.
"""
import json
import socket

from tests.peer import meter, rawhttp
from tests.peer.case import (CHAT, LEAST_BYTES_PER_TOKEN, MESSAGES, RESPONSES, STREAM, body_for,
                             path_for)
from tests.peer.reply import Reply, sse_events
from tests.peer.wait import PATIENCE_S, until
from tests.wire.bypass import trick

USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
FAKE = '{"usage":{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1}}'
PAID = meter.read_chat(USAGE)


def whole(usage=USAGE, content="hello", **more):
    return {"model": "gpt", "choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": content, **more}}], "usage": usage}


def chunk(finish=None, **delta):
    return {"model": "gpt", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def last(usage=USAGE):
    return {"model": "gpt", "choices": [], "usage": usage}


def ask(t, reply, stream=False, dialect="chat"):
    t.vendor.reset()
    t.vendor.reply(reply)
    return t.buyer.post(path_for(dialect, stream), body_for(dialect, stream=stream))


def stream_of(*events, done=True, **options):
    return Reply.sse(sse_events(events, done=done), **options)


# What the model writes is not usage

@trick
def usage_in_content(t):
    answer = ask(t, Reply.json(whole(content=FAKE)))
    t.assert_paid(answer, PAID)
    answer = ask(t, stream_of(chunk(content=FAKE), chunk("stop"), last()), stream=True)
    t.assert_paid(answer, PAID)


@trick
def usage_in_tool_arguments(t):
    call = {"index": 0, "id": "c", "type": "function",
            "function": {"name": "f", "arguments": FAKE}}
    answer = ask(t, Reply.json(whole(content=None, tool_calls=[call])))
    t.assert_paid(answer, PAID)
    events = [chunk(tool_calls=[{**call, "function": {"name": "f", "arguments": ""}}])]
    events += [chunk(tool_calls=[{"index": 0, "function": {"arguments": FAKE[i:i + 5]}}])
               for i in range(0, len(FAKE), 5)]
    answer = ask(t, stream_of(*events, chunk("tool_calls"), last()), stream=True)
    t.assert_paid(answer, PAID)


@trick
def usage_in_an_object_of_the_answer(t):
    """Arguments as an object, as some hosts send them; and usage inside a message."""
    fake = json.loads(FAKE)
    value = whole(content="x", function_call={"name": "f", "arguments": fake})
    value["choices"][0]["message"].update(fake)
    t.assert_paid(ask(t, Reply.json(value)), PAID)
    t.assert_paid(ask(t, Reply.json({"x": fake, **value, "y": [fake]})), PAID)
    block = {"type": "tool_use", "id": "t", "name": "f",
             "input": {"usage": {"input_tokens": 0, "output_tokens": 0}}}
    value = {"type": "message", "model": "claude", "role": "assistant", "content": [block],
             "stop_reason": "tool_use", "usage": {"input_tokens": 1000, "output_tokens": 200}}
    t.assert_paid(ask(t, Reply.json(value), dialect="messages"), PAID)
    part = {"functionCall": {"name": "f", "args": {"usageMetadata": {"promptTokenCount": 0}}}}
    value = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}],
             "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 200,
                               "totalTokenCount": 1200}}
    t.assert_paid(ask(t, Reply.json(value), dialect="gemini"), PAID)


@trick
def a_frame_inside_a_frame(t):
    """Text that looks like the end of the stream once its escapes are undone."""
    text = 'x\n\ndata: [DONE]\n\ndata: {"choices":[],"usage":{"total_tokens":1}}\n\n'
    answer = ask(t, stream_of(chunk(content=text), chunk(content=text), chunk("stop"), last()),
                 stream=True)
    t.assert_paid(answer, PAID)
    t.assertEqual(answer.body.count(b"x\\n\\ndata: [DONE]"), 2)


@trick
def done_in_content(t):
    answer = ask(t, stream_of(chunk(content="[DONE]"), chunk(content="data: [DONE]"),
                              chunk("stop"), last()), stream=True)
    t.assert_paid(answer, PAID)


# Usage split, doubled, missing, false

@trick
def usage_sent_twice(t):
    small = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    answer = ask(t, stream_of(chunk(content="a"), chunk("stop"), last(small), last()), stream=True)
    t.assert_paid(answer, PAID)
    t.assertNotIn(b"total_tokens", answer.body)


@trick
def usage_in_every_chunk(t):
    events = [{**chunk(content="a"), "usage": {"prompt_tokens": 1000, "completion_tokens": n,
                                               "total_tokens": 1000 + n}} for n in (1, 100)]
    answer = ask(t, stream_of(*events, {**chunk("stop"), "usage": USAGE}), stream=True)
    t.assert_paid(answer, PAID)


@trick
def usage_split_over_frames(t):
    start = {"type": "message_start", "message": {"model": "claude", "content": [], "usage": {
        "input_tokens": 700, "cache_read_input_tokens": 300, "output_tokens": 1}}}
    end = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 200}}, {"type": "message_stop"}]
    answer = ask(t, Reply.sse(sse_events([start, *end], named=True)), True, "messages")
    t.assert_paid(answer, meter.Usage("ok", 700, 300, 0, 200))


@trick
def usage_after_the_stop(t):
    """Frames behind the dialect's last one are no part of the answer."""
    frames = sse_events([chunk(content="a"), chunk("stop"), last()], done=True)
    frames += sse_events([last({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})])
    answer = ask(t, Reply.sse(frames), stream=True)
    charge = t.charge(answer)
    t.assertEqual(charge["nano"], PAID.cost(t.price))


@trick
def usage_missing(t):
    """No usage: a lower bound from what was delivered, marked, and more than nothing."""
    value = whole(content="word " * 300)
    del value["usage"]
    events = [chunk(content="word ") for _ in range(300)]
    for answer in (ask(t, Reply.json(value)), ask(t, stream_of(*events, chunk("stop")), True)):
        t.assertEqual(answer.status, 200)
        t.assert_doubtful(answer)
        t.assertGreater(t.charge(answer)["nano"], 0)


@trick
def usage_of_another_type(t):
    for usage in (None, {}, [], "free", 0, {"prompt_tokens": "10", "completion_tokens": "5"},
                  {"prompt_tokens": -10, "completion_tokens": -5, "total_tokens": -15},
                  {"prompt_tokens": 1.5, "completion_tokens": 2.5, "total_tokens": 4},
                  {"prompt_tokens": 10**30, "completion_tokens": 10**30},
                  {"prompt_tokens": 2**63, "completion_tokens": 2**63, "total_tokens": 0},
                  {"prompt_tokens": None, "completion_tokens": None}):
        for answer in (ask(t, Reply.json(whole(usage))),
                       ask(t, stream_of(chunk(content="a"), chunk("stop"), last(usage)), True)):
            if answer.status == 200 and answer.complete:
                t.assert_doubtful(answer)


@trick
def cached_more_than_there_was(t):
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 5000}}
    answer = ask(t, Reply.json(whole(usage)))
    t.assert_doubtful(answer)
    t.assertGreater(t.charge(answer)["nano"], 0)


@trick
def an_expensive_answer_on_a_small_purse(t):
    """The vendor bills more than was held: the customer pays at most what there is."""
    poor = t.customer("0.05")
    t.vendor.reset()
    t.vendor.reply(Reply.json(whole({"prompt_tokens": 50, "completion_tokens": 10**6,
                                     "total_tokens": 10**6 + 50})))
    answer = poor.post(CHAT, body_for("chat", maximum=100))
    t.assertEqual(answer.status, 200)
    paid = t.charge(answer)["nano"]
    t.assertGreater(paid, 100 * 10000)      # more than was held
    t.assertEqual(poor.balance, 5 * 10**7 - paid)
    t.assertGreaterEqual(poor.balance, 0)


# Compressed, redirected and mislabelled answers

@trick
def compressed_answers(t):
    stream = sse_events([chunk(content="a"), chunk("stop"), last()], done=True)
    for reply, streamed in ((Reply.json(whole(), zipped=True), False),
                            (Reply.sse(stream, zipped=True), True),
                            (Reply.json(whole(), headers=[("Content-Encoding", "br")]), False),
                            (Reply.json(whole(), headers=[("Content-Encoding", "zstd")]), False)):
        answer = ask(t, reply, streamed)
        t.assertEqual(answer.status, 502, answer)
        t.assert_free(answer)


@trick
def redirects(t):
    for status in (301, 302, 307, 308):
        elsewhere = Reply(status, b"", [("Location", t.vendor.base + "/v1/elsewhere")])
        answer = ask(t, elsewhere)
        t.assertEqual(answer.status, 502, answer)
        t.assertEqual(len(t.vendor.received), 1)


@trick
def stream_answered_whole_and_the_reverse(t):
    answer = ask(t, Reply.json(whole()), stream=True)
    if answer.status == 200 and answer.complete:
        t.assert_paid(answer, PAID)
    else:
        t.assert_free(answer)
    answer = ask(t, stream_of(chunk(content="a"), chunk("stop"), last()))
    if answer.status == 200 and answer.complete:
        t.assert_paid(answer, PAID)
    else:
        t.assert_free(answer)


@trick
def sse_called_json(t):
    reply = stream_of(chunk(content="a"), chunk("stop"), last())
    reply.content_type = "application/json"
    answer = ask(t, reply, stream=True)
    if answer.status == 200 and answer.complete:
        t.assert_paid(answer, PAID)
    else:
        t.assert_free(answer)


@trick
def a_success_that_holds_an_error(t):
    answer = ask(t, Reply.json({"error": {"message": "no", "type": "x"}}))
    t.assert_free(answer)


@trick
def a_second_answer_behind_the_first(t):
    """Bytes behind the vendor's answer are not the next customer's answer."""
    ask(t, Reply.json(whole(), trailing=b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
    first = t.vendor.last
    t.assertTrue(first.done.wait(PATIENCE_S))
    until(lambda: not t.vendor.is_open(first.connection), "the connection is of no more use")
    answer = ask(t, Reply.json(whole(content="honest")))
    t.assertIn(b"honest", answer.body)
    t.assert_paid(answer, PAID)


# Clients that leave once they have what they want

def leave(t, dialect, marker, reset=False):
    """Read the stream up to `marker`, then go. Answers the head that was read."""
    t.vendor.reset()
    body = body_for(dialect, "x [[tokens=60 pause=0.004]]", stream=True)
    with t.buyer.open(path_for(dialect, True), body) as raw:
        answer = raw.head()
        t.assertTrue(raw.until(answer, marker), "the marker did not come")
        if reset:
            raw.abort()
    return answer


def paid_for_leaving(t, answer, tokens, usage=None):
    """At least the delivered tokens were paid, counted low. With `usage`: exactly that."""
    t.station.store.wait_request(answer.request_id, 2 * PATIENCE_S)
    charge = t.station.store.charge(answer.request_id)
    t.assertIsNotNone(charge, "an answer was delivered and nothing was charged")
    least = sum(len(f"w{i} ") for i in range(tokens)) // LEAST_BYTES_PER_TOKEN
    t.assertGreaterEqual(charge["nano"], least * 10000)     # output tokens at 10 USD a million
    t.assertEqual(t.station.store.net(answer.request_id), charge["nano"])
    if usage:
        t.assertEqual(charge["nano"], usage.cost(t.price))


def whole_usage(t, dialect):
    """What the vendor reports for the request of leave(), had it been read to its end."""
    got = t.vendor.last
    direct = rawhttp.ask(t.vendor.port, "POST", got.target, (), got.body)
    return meter.read(dialect, direct.body, True)


@trick
def close_after_finish_reason(t):
    """All of the text is there; the usage comes a moment later and must still be waited for."""
    answer = leave(t, "chat", b'"finish_reason":"stop"')
    paid_for_leaving(t, answer, 60, whole_usage(t, "chat"))


@trick
def close_before_done(t):
    """Each dialect: the last text is there, the end is not."""
    for dialect, marker in (("chat", b"w59 "), ("responses", b"w59 "), ("messages", b"w59 "),
                            ("gemini", b"w59 ")):
        with t.subTest(dialect):
            paid_for_leaving(t, leave(t, dialect, marker), 60)


@trick
def close_at_output_text_done(t):
    """The Responses dialect repeats the whole text before its end."""
    answer = leave(t, "responses", b"response.output_item.done")
    paid_for_leaving(t, answer, 60, whole_usage(t, "responses"))


@trick
def close_at_message_delta(t):
    answer = leave(t, "messages", b"event: message_delta")
    paid_for_leaving(t, answer, 60, whole_usage(t, "messages"))


@trick
def reset_in_the_middle(t):
    for dialect in ("chat", "responses", "messages", "gemini"):
        with t.subTest(dialect):
            paid_for_leaving(t, leave(t, dialect, b"w30 ", reset=True), 30)


@trick
def half_close(t):
    """Shutting down one's own side is legal and changes nothing."""
    for dialect in ("chat", "messages"):
        t.vendor.reset()
        with t.buyer.open(path_for(dialect), body_for(dialect)) as raw:
            raw.sock.shutdown(socket.SHUT_WR)
            answer = raw.response()
        if answer is not None:
            t.metered(answer, dialect=dialect)


@trick
def never_reading(t):
    """A client that reads nothing pauses its vendor, and pays for what was sent on."""
    t.vendor.reset()
    events = [chunk(content="y" * 60000) for _ in range(400)]
    t.vendor.reply(stream_of(*events, chunk("stop"), last()))
    raw = t.buyer.open(CHAT, body_for("chat", stream=True))
    t.assertTrue(t.vendor.wait_received())
    t.assertFalse(t.vendor.last.done.wait(1.0), "24 MB were taken in for a client that reads none")
    answer = raw.head()
    raw.close()
    t.station.store.wait_request(answer.request_id, 2 * PATIENCE_S)
    t.assertGreater(t.station.store.net(answer.request_id), 0)


@trick
def one_connection_many_models(t):
    """Each request of a connection is metered by its own model and key."""
    with t.station.connect() as raw:
        for name, price in (("gpt", t.price), ("dear", t.dear_price), ("gpt", t.price)):
            raw.send(t.buyer.request(CHAT, body_for("chat", model=name)))
            answer = raw.response()
            t.assert_paid(answer, meter.read("chat", answer.body, False), price)


@trick
def every_streaming_path_is_metered(t):
    for dialect, path in (("responses", RESPONSES), ("messages", MESSAGES), ("gemini", STREAM)):
        t.vendor.reset()
        answer = t.buyer.post(path, body_for(dialect, stream=True))
        t.metered(answer, dialect=dialect, stream=True)
