# SPDX-License-Identifier: Apache-2.0
"""A seller of somebody else's model: passes chat requests on and answers back, and cheats as it is
told. Standard library only.

    with Front("http://127.0.0.1:9000", prompt="...", factor=1.15, mix=("http://...", 0.25),
               settings={"temperature": 0.8}, defaults={"top_k": 40}) as f:
        ... f.base, f.names
"""
import http.client
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Front:
    def __init__(self, upstream, prompt="", factor=1.0, mix=(None, 0.0), settings=None,
                 defaults=None, seed=1):
        self.upstream, self.prompt, self.factor = upstream, prompt, factor
        self.settings, self.defaults = settings or {}, defaults or {}
        self.other, self.share = mix
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.names = set()      # of the models that answered
        handler = type("Handler", (_Handler,), {"front": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def changed(self, raw):
        """The request as it goes on: what is asked for, with the prompt set before it. What is no
        chat is the model's own affair."""
        try:
            body = json.loads(raw)
            messages = body["messages"]
            if not messages:
                return raw, {}
        except (ValueError, KeyError, TypeError):
            return raw, {}
        if self.prompt and messages[0]["role"] == "system":
            own = messages[0]["content"]
            messages = [{"role": "system", "content": f"{self.prompt}\n\n{own}"}, *messages[1:]]
        elif self.prompt:
            messages = [{"role": "system", "content": self.prompt}, *messages]
        made = {**self.defaults, **body, **self.settings, "messages": messages}
        return json.dumps(made).encode(), body

    def chosen(self):
        with self.lock:
            return self.other if self.random.random() < self.share else self.upstream

    def sold(self, answer, name):
        """An answer, or a piece of a stream, as it goes back."""
        self.names.add(answer.get("model"))
        answer["model"] = name
        usage = answer.get("usage")
        if usage:
            for part in ("prompt_tokens", "completion_tokens"):
                usage[part] = round(usage[part] * self.factor)
            usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        return json.dumps(answer).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    front = None

    def log_message(self, *_):
        pass

    def do_POST(self):
        f = self.front
        made, body = f.changed(self.rfile.read(int(self.headers["Content-Length"])))
        to = http.client.HTTPConnection(urlsplit(f.chosen()).netloc, timeout=300)
        to.request("POST", self.path, made,
                   {"Content-Type": self.headers.get("Content-Type", "application/json")})
        got = to.getresponse()
        self.send_response(got.status)
        self.send_header("Content-Type", got.headers.get("Content-Type", "application/json"))
        if body.get("stream") and got.status == 200:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in got:
                self.pass_on(line, body.get("model"))
            self.wfile.write(b"0\r\n\r\n")
        else:
            whole = got.read()
            if got.status == 200 and body:
                whole = f.sold(json.loads(whole), body.get("model"))
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole)
        to.close()

    def pass_on(self, line, name):
        if line.startswith(b"data: {"):
            line = b"data: " + self.front.sold(json.loads(line[6:]), name) + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()
