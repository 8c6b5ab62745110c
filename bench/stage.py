# SPDX-License-Identifier: Apache-2.0
"""What is measured and what is around it: the mock vendor, nginx, the station, and the load.

The relays run on one core, the mock and the load on another, so that the one relay that is under
load has a core to itself.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CORES = sorted(os.sched_getaffinity(0))
LOAD_CORE, RELAY_CORE = CORES[0], CORES[1 % len(CORES)]

NGINX = """worker_processes 1; daemon off; master_process off; pid {at}/nginx.pid;
error_log {at}/nginx.err warn; worker_rlimit_nofile 20000;
events {{ worker_connections 16000; use epoll; multi_accept on; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on;
 client_max_body_size 16m; client_body_buffer_size 2m; client_body_temp_path {at}/b;
 proxy_temp_path {at}/p; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
 proxy_http_version 1.1; proxy_set_header Connection ""; proxy_read_timeout 600s;
 proxy_set_header Authorization "Bearer sk-bench";
 upstream mock {{ server 127.0.0.1:{mock}; keepalive 8192; keepalive_requests 1000000000; }}
 server {{ listen 127.0.0.1:{nginx} backlog=4096; location / {{ proxy_pass http://mock; }} }}
 server {{ listen 127.0.0.1:{nginx_unbuffered} backlog=4096;
  location / {{ proxy_pass http://mock; proxy_buffering off; }} }} }}
"""
STATION = """listen: 127.0.0.1:{station}
lanes: 1
store: sqlite:{at}/data/station.db
upstreams:
  - {{name: mock, vendor: openai, base: "http://127.0.0.1:{mock}/v1", keys: ["sk-bench"],
     dialects: [chat]}}
models:
"""
MODEL = """  - name: {}
    routes: [{{upstream: mock}}]
    price: {{currency: USD, input: "1", output: "4"}}
"""


def free_ports(names):
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    ports = {name: s.getsockname()[1] for name, s in sockets.items()}
    for s in sockets.values():
        s.close()
    return ports


# As recorded conversations are: an escape every 60 bytes or so, and here and there a character that
# is not ASCII.
SAID = ('The lamps of the old town were lit at dusk, and he said: \\"It is late, and the caf\u00e9 '
        'on the corner has closed; we had better walk home along the river.\\"\\nShe did not '
        'answer at once. The water was high after the rain, and one of the boats had come loose; '
        'it turned slowly below the bridge. \\"Then we walk,\\" she said, and took up her bag.\\n')


MESSAGES = ("-a", "/v1/messages")     # for the load: asks in that dialect, and is converted


def body(model, size=1024, stream=False):
    """A conversation as JSON of about that size, which chat and messages read alike."""
    turns = max(1, size // 2000)
    each = max(0, size - 80 - 40 * turns) // turns
    said = (SAID * (each // len(SAID) + 1))[:each].rstrip("\\")
    messages = ",".join('{"role":"%s","content":"%s"}' % (("user", "assistant")[n % 2], said)
                        for n in range(turns))
    stream = '"stream":true,' if stream else ""
    text = '{"model":"%s",%s"max_tokens":400,"messages":[%s]}' % (model, stream, messages)
    json.loads(text)
    return text


def cpu_ns(pid, thread=None):
    """CPU time of a thread, or of all threads of a process."""
    at = f"/proc/{pid}/task"
    threads = [thread] if thread else os.listdir(at)
    return sum(int(pathlib.Path(at, t, "schedstat").read_text().split()[0]) for t in threads)


def core_ns(core):
    """CPU time that anybody has taken on that core."""
    row = re.search(rf"^cpu{core} (.*)", pathlib.Path("/proc/stat").read_text(), re.MULTILINE)
    user, nice, system, _, _, irq, softirq, *_ = map(int, row[1].split())
    return (user + nice + system + irq + softirq) * 10**9 // os.sysconf("SC_CLK_TCK")


def rss(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


class Stage:
    """Mock, nginx and station, running; use as a context. `models` are those that will be asked."""

    def __init__(self, build, models, under=()):
        self.build, self.models, self.under = pathlib.Path(build).resolve(), models, list(under)
        self.ports = free_ports(["mock", "nginx", "nginx_unbuffered", "station"])
        self.started = []

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="entrepot-bench-")
        self.at = pathlib.Path(self.folder.name)
        words = {"at": self.at, **self.ports}
        (self.at / "nginx.conf").write_text(NGINX.format(**words))
        (self.at / "station.yaml").write_text(
            STATION.format(**words) + "".join(MODEL.format(m) for m in self.models))
        try:
            self.mock = self.start(LOAD_CORE, self.build / "bench_mock", str(self.ports["mock"]))
            self.nginx = self.start(RELAY_CORE, "nginx", "-c", self.at / "nginx.conf")
            self.station = self.start(RELAY_CORE, *self.under, self.build / "entrepot", "serve",
                                      "-c", self.at / "station.yaml")
            for port in self.ports.values():
                self.wait_for(lambda s, port=port: s.connect_ex(("127.0.0.1", port)) == 0)
            self.wait_for(lambda _: (self.at / "data" / "admin.sock").exists())
            self.key = self.open_account()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.folder.cleanup()

    def start(self, core, *words):
        with open(self.at / "log", "ab") as log:
            process = subprocess.Popen(["taskset", "-c", str(core), *map(str, words)], stdout=log,
                                       stderr=log, stdin=subprocess.DEVNULL, cwd=self.at)
        self.started.append(process)
        return process

    def wait_for(self, there):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as s:
                if there(s):
                    return
            time.sleep(0.05)
        sys.exit((self.at / "log").read_text(errors="replace") + "\nbench: not everything started")

    def command(self, *words):
        """An administrator's command; its JSON."""
        done = subprocess.run([self.build / "entrepot", *words, "--json", "-c",
                               self.at / "station.yaml"], cwd=self.at, stdout=subprocess.PIPE,
                              check=True)
        return json.loads(done.stdout)

    def open_account(self):
        """A customer who pays, from a full purse: the owner would not be held to a balance."""
        self.command("account", "create", "bench")
        self.command("credit", "bench", "1000000")
        return self.command("key", "create", "bench")["key"]

    def thread(self, name):
        at = pathlib.Path(f"/proc/{self.station.pid}/task")
        return next(t.name for t in at.iterdir() if (t / "comm").read_text().strip() == name)

    def load(self, target, text, *options):
        """Begins to load that port; the time that counts begins before this returns."""
        name = self.at / "body.json"
        name.write_text(text)
        return Load(["taskset", "-c", str(LOAD_CORE), str(self.build / "bench_load"), "-p",
                     str(self.ports[target]), "-b", str(name), "-k", self.key, *map(str, options)])


class Load:
    def __init__(self, words):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        if self.process.stdout.readline() != "begin\n":
            sys.exit("bench: the load failed")

    def counted(self):
        """What was counted, at the moment when the time that counts has ended."""
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench: the load failed")
        figures = json.loads(line)
        if figures["bad"]:
            sys.exit(f"bench: {figures['bad']} of {figures['requests']} requests failed")
        return figures

    def stop(self):
        """Ends it early, if it has not ended."""
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait(60)
