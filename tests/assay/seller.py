# SPDX-License-Identifier: Apache-2.0
"""A seller of models, honest or not, that shares nothing with the product: counts of tokens come
from tables of its own, by line of text. Its answers are short and made up.

    with Seller(family="o200k", hidden=300) as s:
        ... s.base, s.requests
"""
import json
import random
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORDER = ("o200k", "cl100k", "claude2", "gemma3", "gemma1", "llama3", "qwen3", "deepseek3", "kimi")
# Tokens of a line with its line feed, in that order.
LINES = {
    "31415926535897932384626433832795": (12, 12, 14, 33, 33, 12, 33, 12, 12),
    "他们在中华人民共和国成立后的第一个五年计划期间加强了基础设施建设":
        (17, 36, 33, 13, 14, 19, 14, 11, 10),
    "สวัสดีครับวันนี้อากาศดีมากเราไปเดินเล่นกันเถอะ": (20, 44, 83, 15, 19, 24, 25, 20, 38),
    "नमस्ते आज मौसम बहुत अच्छा है चलो टहलने चलते हैं": (17, 50, 51, 13, 20, 27, 48, 30, 30),
    "საქართველო ლამაზი ქვეყანაა": (8, 51, 32, 13, 23, 51, 27, 23, 23),
    "안녕하세요 오늘 날씨가 정말 좋네요 산책하러 갑시다": (17, 35, 38, 15, 22, 17, 21, 24, 33),
    "東京タワーから富士山が見えますので、ぜひお越しください": (20, 31, 32, 15, 13, 20, 19, 18, 21),
}
DIGITS_ALONE = ("gemma3", "gemma1", "qwen3")


def tokens_of(text, family):
    total = 0
    for line in text.split("\n"):
        if line in LINES:
            total += LINES[line][ORDER.index(family)]
        elif re.fullmatch(r"\d{8}", line):
            total += 9 if family in DIGITS_ALONE else 4
        else:
            total += -(-len(line.encode()) // 4)
    return total


def texts_of(value):
    """All text that a request holds, whatever the dialect."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [t for item in value for t in texts_of(item)]
    if isinstance(value, dict):
        return [t for key in ("system", "systemInstruction", "instructions", "messages", "input",
                              "contents", "content", "parts", "text") if key in value
                for t in texts_of(value[key])]
    return []


class Seller:
    def __init__(self, family="o200k", template=7, hidden=0, factor=1.0, model=None,
                 dialects=("chat", "responses", "messages", "gemini"), before=None, answer="pong",
                 by_length=False, silent=False, choices=None, mix=0.0, others=None):
        self.family, self.template, self.hidden, self.factor = family, template, hidden, factor
        self.model, self.dialects, self.before, self.answer = model, dialects, before, answer
        self.by_length, self.silent = by_length, silent
        # Short answers by question: {part of it: [(answer, weight)]}, and, for a share `mix` of
        # the requests, those of another model.
        self.choices, self.mix, self.others = choices or {}, mix, others or {}
        self.requests = []          # (path, headers, body)
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"seller": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def count(self, body):
        text = "\n".join(texts_of(body))
        own = -(-len(text.encode()) // 4) if self.by_length else tokens_of(text, self.family)
        return int((own + self.template + self.hidden) * self.factor + 0.5)

    def say(self, body):
        text = texts_of(body)[-1]
        choices = self.others if random.random() < self.mix else self.choices
        for part, answers in choices.items():
            if part in text:
                return random.choices(*zip(*answers))[0]
        return self.answer

    def reply(self, dialect, body):
        n, answer = self.count(body), self.say(body)
        name = self.model or body.get("model") or "gemini-2.5-flash"
        call = "tools" in body
        if dialect == "chat":
            message = {"role": "assistant", "content": None if call else answer}
            if call:
                message["tool_calls"] = [{"id": "c1", "type": "function", "function": {
                    "name": "get_weather", "arguments": '{"city":"Lisbon"}'}}]
            out = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": name,
                   "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                   "usage": {"prompt_tokens": n, "completion_tokens": 1, "total_tokens": n + 1}}
        elif dialect == "responses":
            item = {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": answer}]}
            out = {"id": "resp_1", "object": "response", "status": "completed", "model": name,
                   "output": [item],
                   "usage": {"input_tokens": n, "output_tokens": 1, "total_tokens": n + 1}}
        elif dialect == "messages":
            part = ({"type": "tool_use", "id": "t1", "name": "get_weather",
                     "input": {"city": "Lisbon"}} if call
                    else {"type": "text", "text": answer})
            out = {"id": "msg_1", "type": "message", "role": "assistant", "model": name,
                   "content": [part], "stop_reason": "end_turn",
                   "usage": {"input_tokens": n, "output_tokens": 1}}
        else:
            part = ({"functionCall": {"name": "get_weather", "args": {"city": "Lisbon"}}}
                    if call else {"text": answer})
            out = {"responseId": "r1", "modelVersion": name,
                   "candidates": [{"content": {"role": "model", "parts": [part]},
                                   "finishReason": "STOP"}],
                   "usageMetadata": {"promptTokenCount": n, "candidatesTokenCount": 1,
                                     "totalTokenCount": n + 1}}
        if self.silent:
            out.pop("usage", None)
            out.pop("usageMetadata", None)
        return out


def dialect_of(path):
    if path.endswith("/chat/completions"):
        return "chat"
    if path.endswith("/responses"):
        return "responses"
    if path.endswith("/messages"):
        return "messages"
    return "gemini" if ":generateContent" in path else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seller = None

    def log_message(self, *_):
        pass

    def do_POST(self):
        s = self.seller
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with s.lock:
            number = len(s.requests)
            s.requests.append((self.path, dict(self.headers), body))
        special = s.before(number, self.path, dict(self.headers), body) if s.before else None
        dialect = dialect_of(self.path)
        if special is not None:
            return self.send(*special)
        if dialect not in s.dialects:
            return self.send(404, {"error": {"message": "no such path"}})
        return self.send(200, s.reply(dialect, body))

    def send(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        try:
            self.end_headers()
            self.wfile.write(data)
        except OSError:     # the client has left
            self.close_connection = True
