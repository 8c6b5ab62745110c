# SPDX-License-Identifier: Apache-2.0
"""Runs recorded cases through a pair of dialects and judges both directions.

    for result in case_results(bench, client, upstream): ...
"""
import collections
import dataclasses
import json

from tests.convert import judge
from tests.convert.harness import SPOKEN, Bench
from tests.convert.judge import Fault
from tests.peer import cases, dialects, grammar, meaning, recordings, spec
from tests.peer.fold import Broken, fold
from tests.peer.recordings import CHAT, GEMINI, MESSAGES, RESPONSES
from tests.peer.reply import Reply

PAIRS = [(a, b) for a in SPOKEN for b in SPOKEN if a != b]
PASS, REFUSED, LOSSY, FAULT, OFF = "pass", "refused", "lossy", "fault", "off"
HELLO = {
    CHAT: {"messages": [{"role": "user", "content": "Hello"}]},
    RESPONSES: {"input": "Hello"},
    MESSAGES: {"max_tokens": 1024, "messages": [{"role": "user", "content": "Hello"}]},
    GEMINI: {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
             "generationConfig": {"thinkingConfig": {"includeThoughts": True}}},
}


@dataclasses.dataclass
class Result:
    client: str
    upstream: str
    case: str
    verdict: str
    faults: list
    lossy: list = dataclasses.field(default_factory=list)
    words: str = ""         # of a refusal

    def lines(self):
        """One line a fault, for people."""
        return [f"{self.client}->{self.upstream} {self.case}: {fault}" for fault in self.faults]


def bench(**options):
    """A bench whose models include those that the cases were recorded with."""
    names = {(case.dialect, case.model) for case in cases.every().values()}
    return Bench(names, **options)


def with_usage(answer, turn=1):
    """Chat streams as a vendor sends them when usage is asked for."""
    return recordings._with_usage(answer, turn) if answer and "choices" in answer[0] else answer


# The request

def request_faults(client, upstream, request, answer, stream):
    received = answer.received
    if received is None:
        return [Fault("nothing was sent to the vendor", "")]
    try:
        sent = received.json()
    except ValueError as why:
        return [Fault("the request is no JSON", "", str(why))]
    beta = bool(received.get("anthropic-beta"))
    faults = [Fault("request against the schema", problem)
              for problem in spec.validate(upstream, "request", sent, beta)]
    given = meaning.request(client, request)
    faults += judge.compare_requests(given, meaning.request(upstream, sent), answer.lossy, request)
    faults += _stream_asked(upstream, received, sent, stream)
    if upstream == MESSAGES and not received.get("anthropic-version"):
        faults.append(Fault("anthropic-version is missing", "headers"))
    return faults


def _stream_asked(upstream, received, sent, stream):
    if upstream == GEMINI:
        asked = ":streamGenerateContent" in received.target and "alt=sse" in received.target
    else:
        asked = bool(sent.get("stream"))
    if asked != stream:
        yield Fault("stream is not what the client asked", "stream", str(asked))
    if upstream == CHAT and stream and not (sent.get("stream_options") or {}).get("include_usage"):
        yield Fault("usage was not asked for", "stream_options")


# The answer

def unended(vendor):
    """A response that is not finished, or not an answer: no client may take it for one."""
    return isinstance(vendor, dict) and vendor.get("status") in (
        "failed", "cancelled", "in_progress", "queued")


def reply_of(client, answer, stream):
    """(faults, the whole answer that the client has or None)"""
    if not stream:
        try:
            whole = answer.json()
        except ValueError as why:
            return [Fault("the answer is no JSON", "", str(why))], None
        return [Fault("answer against the schema", problem)
                for problem in spec.validate(client, "reply", whole)], whole
    faults = [Fault("grammar", violation)
              for violation in grammar.violations(client, answer.body, asked_usage=True)]
    events = grammar.events(answer.body)
    problems = collections.OrderedDict()
    for event in events:
        for problem in spec.validate(client, "event", event):
            problems.setdefault(problem)
    faults += [Fault("event against the schema", problem) for problem in problems]
    try:
        return faults, fold(client, events)
    except (Broken, KeyError, IndexError, TypeError) as why:
        return faults + [Fault("the stream makes no whole", "", repr(why)[:120])], None


def whole_of(client, answer, stream):
    return fold(client, grammar.events(answer.body)) if stream else answer.json()


def answer_faults(client, upstream, request, answer, vendor_whole, stream):
    """(faults, the meaning of what the client has)"""
    faults, whole = reply_of(client, answer, stream)
    if whole is None:
        return faults, None
    got = meaning.reply(client, whole)
    if vendor_whole is not None:
        hidden = client == GEMINI and not meaning.request(client, request).get("summary")
        faults = faults + judge.compare_replies(meaning.reply(upstream, vendor_whole), got, hidden)
    return faults, got


def judge_one(the_bench, client, upstream, name, request, reply=None, stream=False,
              vendor_model=None, requests=True, replies=True):
    """(Result, the meaning of the answer)"""
    sent = with_usage(reply) if isinstance(reply, list) and upstream == CHAT else reply
    answer = the_bench.ask(client, upstream, request, sent, stream, vendor_model)
    result = Result(client, upstream, name, PASS, [])
    if answer.response is None:
        result.faults.append(Fault("no answer", ""))
    elif answer.status == 400 and b"speaks this endpoint's dialect" in answer.body:
        result.verdict = OFF
        return result, None
    elif answer.status == 400 and answer.received is None:
        result.verdict = REFUSED
        result.words = ((answer.json().get("error") or {}).get("message") or "")[:200]
        given = meaning.request(client, request)
        result.faults += judge.judge_refusal(given, upstream, request, answer.response, client)
    elif unended(sent):
        if answer.status != 502:
            result.faults.append(Fault("a piece as an answer", str(answer.status)))
    elif answer.status != 200:
        result.faults.append(Fault("status", str(answer.status), f"{answer.body[:160]}"))
    got = None
    if answer.response is not None and answer.status == 200 and not unended(sent):
        result.lossy = answer.lossy
        result.verdict = LOSSY if answer.lossy else PASS
        if requests:
            result.faults += request_faults(client, upstream, request, answer, stream)
        if replies:
            vendor_whole = fold(upstream, sent) if isinstance(sent, list) else sent
            found, got = answer_faults(client, upstream, request, answer, vendor_whole,
                                       stream)
            result.faults += found
    if result.faults:
        result.verdict = FAULT
    return result, got


def case_results(the_bench, client, upstream):
    """Each case of the client's dialect: whole, streamed, and both of the same answer."""
    for (name, turn, dialect), case in cases.every().items():
        if dialect != client:
            continue
        other = cases.every().get((name, turn, upstream))
        model = other.model if other else None
        whole, stream = cases.answers(name, turn, client, upstream)
        label = str(case)
        result, _ = judge_one(the_bench, client, upstream, label, case.request, whole,
                              vendor_model=model, replies=whole is not None)
        yield result
        if result.verdict in (OFF, REFUSED):
            continue
        result, streamed = judge_one(the_bench, client, upstream, label + " streamed",
                                     case.request, stream, True, model,
                                     replies=True)
        yield result
        if stream:
            yield same_as_whole(the_bench, client, upstream, case, stream, model, streamed)


def same_as_whole(the_bench, client, upstream, case, stream, model, streamed):
    """The same answer not streamed must mean the same."""
    folded = fold(upstream, with_usage(stream) if upstream == CHAT else stream)
    result, got = judge_one(the_bench, client, upstream, f"{case} folded", case.request, folded,
                            vendor_model=model, requests=False)
    if got and streamed:
        for name in ("text", "reasoning", "finish", "model"):
            a, b = getattr(got, name), getattr(streamed, name)
            if a != b:
                result.faults.append(Fault("stream is not whole", name, f"{a!r:.50} {b!r:.50}"))
        if got.all("call") != streamed.all("call"):
            result.faults.append(Fault("stream is not whole", "calls"))
        if str(got.usage) != str(streamed.usage):
            result.faults.append(Fault("stream is not whole", "usage",
                                       f"{got.usage} {streamed.usage}"))
    if result.faults:
        result.verdict = FAULT
    return result


# Recorded exchanges that are no cases

def recorded_requests(the_bench, client, upstream):
    """What recorded clients asked, with an answer that the vendor makes up."""
    seen = set()
    for pair in cases.recorded():
        key = json.dumps(pair.request, sort_keys=True)
        if pair.dialect != client or key in seen:
            continue
        seen.add(key)
        request = {k: v for k, v in pair.request.items() if k not in ("stream", "stream_options")}
        yield judge_one(the_bench, client, upstream, pair.name, request, _made_up, replies=False)[0]


def _made_up(received):
    reply = dialects.answer(received)
    return reply if isinstance(reply, Reply) else None


def recorded_replies(the_bench, client, upstream):
    """What recorded vendors answered, to a client of another dialect."""
    for pair in cases.recorded():
        if pair.dialect != upstream:
            continue
        answer = pair.whole or pair.stream
        yield judge_one(the_bench, client, upstream, pair.name, HELLO[client], answer,
                        stream=pair.stream is not None, requests=False)[0]


def all_results(the_bench, client, upstream):
    yield from case_results(the_bench, client, upstream)
    yield from recorded_requests(the_bench, client, upstream)
    yield from recorded_replies(the_bench, client, upstream)

