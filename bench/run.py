#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The station against nginx as a plain proxy, over the same simulated vendor: CPU per request.

    bench/run.py --build DIR [--seconds N] [--connections N]

Both relay the same saturated load, interleaved, several rounds; the figure is the ratio of the
medians. The station authenticates, holds, meters, charges durably and logs; nginx does none of it.
"""
import argparse
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
TICKS = os.sysconf("SC_CLK_TCK")
NGINX = """worker_processes 1; daemon off; master_process off; pid {0}/nginx.pid;
error_log {0}/e warn;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; proxy_http_version 1.1;
 proxy_set_header Connection ""; client_body_temp_path {0}/b; proxy_temp_path {0}/p;
 fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
 upstream sim {{ server 127.0.0.1:{1}; keepalive 2048; keepalive_requests 1000000000; }}
 server {{ listen 127.0.0.1:{2}; location / {{ proxy_pass http://sim; }} }} }}
"""
CONFIG = """listen: 127.0.0.1:{2}
lanes: 1
store: sqlite:{0}/data/station.db
upstreams:
  - {{name: sim, vendor: sim, base: "http://127.0.0.1:{1}/v1", keys: []}}
models:
  - name: sim-small
    routes: [{{upstream: sim}}]
    price: {{currency: USD, input: "1", output: "4"}}
"""
LUA = """wrk.method = "POST"
wrk.body = '{"model":"sim-small","messages":[{"role":"user","content":"%s"}]}'
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer %s"
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def cpu(pid, thread=None):
    where = f"/proc/{pid}/task/{thread}/stat" if thread else f"/proc/{pid}/stat"
    fields = pathlib.Path(where).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busiest(pid):
    return max(os.listdir(f"/proc/{pid}/task"), key=lambda t: cpu(pid, t))


def load(port, script, options):
    out = subprocess.run(["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s",
                          script, f"http://127.0.0.1:{port}/v1/chat/completions"],
                         capture_output=True, text=True, timeout=120, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return int(re.search(r"(\d+) requests in", out)[1]), int(bad[1]) if bad else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    program = os.path.abspath(os.path.join(options.build, "entrepot"))
    sim_port, nginx_port, port = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as at:
        for name, text, own in (("nginx", NGINX, nginx_port), ("yaml", CONFIG, port)):
            pathlib.Path(at, name).write_text(text.format(at, sim_port, own))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started = [subprocess.Popen(words, **quiet) for words in (
            [program, "sim", "--port", str(sim_port)],
            ["nginx", "-c", f"{at}/nginx"], [program, "serve", "-c", f"{at}/yaml"])]
        try:
            time.sleep(2)
            key = pathlib.Path(at, "data/owner.key").read_text().strip()
            script = f"{at}/post.lua"
            pathlib.Path(script).write_text(LUA % ("x" * 900, key))
            nginx, station = started[1].pid, started[2].pid
            lanes, wholes, plains = [], [], []
            for _ in range(ROUNDS):
                before = cpu(nginx)
                count, _ = load(nginx_port, script, options)
                plains.append((cpu(nginx) - before) / count * 1e6)
                lane = busiest(station)
                before, lane_before = cpu(station), cpu(station, lane)
                count, bad = load(port, script, options)
                if bad:
                    sys.exit(f"{bad} of {count} requests through the station failed")
                wholes.append((cpu(station) - before) / count * 1e6)
                lane_after = max(cpu(station, t) for t in os.listdir(f"/proc/{station}/task"))
                lanes.append((lane_after - lane_before) / count * 1e6)
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait(10)
    plain, lane, whole = map(statistics.median, (plains, lanes, wholes))
    print(f"CPU a request, 1 KB, {options.connections} connections: nginx {plain:.1f} us, "
          f"station's lane {lane:.1f} us ({lane / plain:.2f} x nginx), "
          f"whole process {whole:.1f} us ({whole / plain:.2f} x)")


main()
