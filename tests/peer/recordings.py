# SPDX-License-Identifier: Apache-2.0
"""Real vendor traffic from outside the tree, as (request bytes, answer bytes) pairs.

The folder is $ENTREPOT_SHARED, else ../shared beside the repository. Where it is absent,
`present()` says so and the tests that need it skip.
"""
import glob
import json
import os
import re

from tests.peer.reply import Reply, sse_events

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("ENTREPOT_SHARED") or os.path.join(ROOT, "..", "shared")
FOLDER = os.path.join(SHARED, "recordings")
ABSENT = "the recordings (../shared/recordings) are not here"

CHAT, RESPONSES, MESSAGES, GEMINI, EMBEDDINGS = (
    "chat", "responses", "messages", "gemini", "embeddings")


def present():
    return os.path.isdir(os.path.join(FOLDER, "http"))


class Exchange:
    """One recorded pair, addressed as a customer of the station would address it."""

    def __init__(self, name, dialect, path, model, request, response, *, stream,
                 status=200, content_type=None, frames=None):
        self.name, self.dialect, self.path, self.model = name, dialect, path, model
        self.request, self.response = request, response     # bytes
        self.stream, self.status = stream, status
        self.frames = frames                                # list of bytes, for streams
        self.content_type = content_type or (
            "text/event-stream; charset=utf-8" if stream else "application/json")

    @property
    def metered(self):
        """False for the calls that count tokens or list things."""
        return not re.search(r"countTokens|count_tokens|input_tokens|/models$", self.path)

    @property
    def finished(self):
        """True when a stream has its dialect's success ending and no failure before it."""
        return self.terminated and len(self.until_failure) == len(self.frames)

    @property
    def terminated(self):
        """True when the dialect's last event is there, whatever came before it."""
        words = {CHAT: rb"data: ?\[DONE\]", MESSAGES: rb"event: message_stop",
                 GEMINI: rb'"finishReason"',
                 RESPONSES: rb'"type": ?"response\.(completed|incomplete)"'}
        return re.search(words[self.dialect], self.response) is not None

    @property
    def until_failure(self):
        """The frames up to and with the first that says `error`; all, when none does."""
        for number, frame in enumerate(self.frames, 1):
            data = frame.partition(b"data:")[2].strip()
            if data.startswith(b"{") and b'"error"' in data and json.loads(data).get("error"):
                return self.frames[:number]
        return self.frames

    @property
    def asked_for_usage(self):
        return b'"include_usage": true' in self.request or b'"include_usage":true' in self.request

    def reply(self, **options):
        options.setdefault("framing", "chunked" if self.stream else "length")
        body = self.frames if self.stream else self.response
        return Reply(self.status, body, content_type=self.content_type, **options)

    def __repr__(self):
        return f"{self.name} ({self.path})"


def _spell(value, turn):
    """JSON in one of the spellings that vendors use."""
    if turn % 3 == 0:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    if turn % 3 == 1:
        return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
    return json.dumps(value).encode()


def split_frames(text):
    """Cut SSE text behind each blank line."""
    return [f for f in re.split(rb"(?<=\r\n\r\n)|(?<=\n\n)", text) if f]


def _gemini_path(model, stream, alt="sse"):
    if stream:
        return f"/v1beta/models/{model}:streamGenerateContent" + (f"?alt={alt}" if alt else "")
    return f"/v1beta/models/{model}:generateContent"


# http/*.jsonl

def _place(path):
    """(dialect, our path, model in the path or None) of a vendor's path; None: not a dialect."""
    bare = path.partition("?")[0]
    for ending, dialect in (("/chat/completions", CHAT), ("/responses", RESPONSES),
                            ("/responses/input_tokens", RESPONSES), ("/messages", MESSAGES),
                            ("/messages/count_tokens", MESSAGES), ("/embeddings", EMBEDDINGS)):
        if bare.endswith(ending):
            query = path[len(bare):] if dialect == MESSAGES else ""
            return dialect, "/v1" + ending + query, None
    found = re.search(r"/models/([^/:]+):(generateContent|streamGenerateContent|countTokens|"
                      r"embedContent|batchEmbedContents)(\?.*)?$", path)
    if found and "/anthropic/" not in path:
        return GEMINI, "/v1beta/models/" + path.split("/models/", 1)[1], found.group(1)
    return None


def _http_exchange(row, name, turn):
    place = _place(row["path"])
    if place is None or not isinstance(row["request"], dict):
        return None
    dialect, path, model = place
    model = model or row["request"].get("model")
    if not model:
        return None
    response = row["response"]
    stream = isinstance(response, str) and (row["content_type"] or "").startswith("text/event")
    raw = response.encode() if isinstance(response, str) else _spell(response, turn)
    return Exchange(name, dialect, path, model, _spell(row["request"], turn + 1), raw,
                    stream=stream, status=row["status"], content_type=row["content_type"],
                    frames=split_frames(raw) if stream else None)


def http_rows(path):
    """(the row as it stands in the file, its Exchange) of each that is in a dialect."""
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            found = _http_exchange(row, f"{os.path.basename(path)}:{number}", number)
            if found:
                yield row, found


def http_file(path):
    for _row, exchange in http_rows(path):
        yield exchange


def http():
    for path in sorted(glob.glob(os.path.join(FOLDER, "http", "*.jsonl"))):
        yield from http_file(path)


# cases/

CASE_DIALECTS = {"chat-completions": CHAT, "baseten": CHAT, "responses": RESPONSES,
                 "anthropic": MESSAGES, "vertex-anthropic": MESSAGES, "bedrock-anthropic": MESSAGES,
                 "google": GEMINI}
CASE_PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages"}
STOCK = {CHAT: {"messages": [{"role": "user", "content": "Hello"}]},
         RESPONSES: {"input": "Hello"},
         MESSAGES: {"max_tokens": 1024, "messages": [{"role": "user", "content": "Hello"}]},
         GEMINI: {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}}


def _is_answer(dialect, value):
    """True for a success of this dialect; the folder also holds error notes."""
    if isinstance(value, list):
        typed = dialect in (RESPONSES, MESSAGES)
        if not value or dialect == MESSAGES and value[0].get("type") != "message_start":
            return False
        return all(isinstance(v, dict) and "error" not in v and ("type" in v or not typed)
                   for v in value)
    key = {CHAT: "choices", RESPONSES: "output", MESSAGES: "content", GEMINI: "candidates"}
    return isinstance(value, dict) and key[dialect] in value


def _with_usage(answer, turn):
    """Chat chunks as a vendor sends them when usage is asked for. Most of these were recorded
    without; one in eight stays so, because such vendors exist too."""
    if any(chunk.get("usage") for chunk in answer) or turn % 8 == 0:
        return answer
    usage = {"prompt_tokens": 20 + turn, "completion_tokens": len(answer),
             "total_tokens": 20 + turn + len(answer)}
    return [*answer, {**answer[-1], "choices": [], "usage": usage}]


def _case(name, dialect, answer, request, turn):
    stream = isinstance(answer, list)
    if stream and dialect == CHAT:
        answer = _with_usage(answer, turn)
    request = dict(request)
    model = request.get("model") or "case-" + dialect
    path = CASE_PATHS.get(dialect) or _gemini_path(model, stream)
    if dialect != GEMINI:
        request["model"] = model
        request.pop("stream", None)
        if stream:
            request["stream"] = True
    else:
        request.pop("model", None)
    if not stream:
        return Exchange(name, dialect, path, model, _spell(request, turn), _spell(answer, turn + 1),
                        stream=False)
    frames = sse_events(answer, named=dialect in (RESPONSES, MESSAGES), done=dialect == CHAT,
                        end="\r\n\r\n" if dialect == GEMINI else "\n\n")
    return Exchange(name, dialect, path, model, _spell(request, turn), b"".join(frames),
                    stream=True, frames=frames)


def _load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def snapshots():
    pattern = os.path.join(FOLDER, "cases", "snapshots", "*", "*", "*response*.json")
    for turn, path in enumerate(sorted(glob.glob(pattern))):
        folder, leaf = os.path.split(path)
        dialect = CASE_DIALECTS.get(os.path.basename(folder))
        request = os.path.join(folder, "followup-request.json" if leaf.startswith("followup")
                               else "request.json")
        if dialect is None or not os.path.exists(request):
            continue
        answer = _load(path)
        if _is_answer(dialect, answer):
            yield _case(os.path.relpath(path, FOLDER), dialect, answer, _load(request), turn)


def transforms():
    pattern = os.path.join(FOLDER, "cases", "transforms", "*_to_*", "*.json")
    for turn, path in enumerate(sorted(glob.glob(pattern))):
        target = os.path.basename(os.path.dirname(path)).split("_to_")[1]
        dialect = CASE_DIALECTS.get(target)
        if dialect is None:
            continue
        answer = _load(path)
        if _is_answer(dialect, answer):
            yield _case(os.path.relpath(path, FOLDER), dialect, answer, STOCK[dialect], turn)


def everything():
    yield from http()
    yield from snapshots()
    yield from transforms()


def gemini_array(exchange):
    """The same Gemini stream as one JSON array, as it comes without alt=sse."""
    events = [f.split(b"data:", 1)[1].strip() for f in exchange.frames if b"data:" in f]
    frames = [(b"[" if i == 0 else b",\r\n") + e for i, e in enumerate(events)] + [b"]"]
    return Exchange(exchange.name + " as array", GEMINI, exchange.path.partition("?")[0],
                    exchange.model, exchange.request, b"".join(frames), stream=True,
                    content_type="application/json; charset=UTF-8", frames=frames)


def player(path):
    """A script for Vendor: the recorded answer whose request equals, else the next of its path."""
    known = list(http_file(path))
    turns = {}

    def play(received):
        same = [x for x in known if x.path.split("/")[-1] == received.target.split("/")[-1]]
        if not same:
            return Reply.json({"error": {"message": "nothing recorded for this path"}}, 404)
        body = json.loads(received.body or b"null")
        for exchange in same:
            if json.loads(exchange.request) == body:
                return exchange.reply()
        turns[received.path] = turns.get(received.path, -1) + 1
        return same[turns[received.path] % len(same)].reply()

    return play
