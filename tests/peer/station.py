# SPDX-License-Identifier: Apache-2.0
"""Runs the real `entrepot` for tests: writes its configuration, starts and stops it, signals it,
and administers it through its own command line.

    ENTREPOT              the program (default: build/entrepot under the repository)
    ENTREPOT_TEST_LANES   number of event loops (default 1)
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from tests.peer.ports import free_port
from tests.peer.rawhttp import Raw, ask
from tests.peer.store import Store
from tests.peer.wait import PATIENCE_S, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("ENTREPOT") or os.path.join(ROOT, "build", "entrepot"))
LANES = int(os.environ.get("ENTREPOT_TEST_LANES", "1"))
# Wire tests are about bytes, not about the disk: memory makes them fast. tests/crash uses a disk.
FOLDER = os.environ.get("ENTREPOT_TEST_DIR") or ("/dev/shm" if os.path.isdir("/dev/shm") else None)

# The command line, each word in this one place.
CLI = {
    "account": ["account", "create", "{name}", "--kind", "{kind}",
                "--currency", "{currency}", "--json"],
    "key": ["key", "create", "{account}", "--json"],
    "credit": ["credit", "{account}", "{amount}", "--json"],
    "ledger check": ["ledger", "check", "--json"],
    "usage": ["usage", "{account}", "--json"],
    "check": ["check"],
}
# Options of `key create`, by the names that tests use for them.
KEY_OPTIONS = {"models": "--models", "rpm": "--rpm", "concurrency": "--concurrency",
               "expires": "--expires", "budget": "--budget", "period": "--period",
               "label": "--label"}

# Where each vendor's API begins under an upstream's `base`, and the dialects it speaks.
BASES = {"openai": "/v1", "anthropic": "/v1", "gemini": "/v1beta"}
VENDOR_KEY = {"openai": "sk-vendor-openai-1", "anthropic": "sk-ant-api03-vendor-1",
              "gemini": "AIzaSyVendorGemini1"}
PRICE = {"currency": "USD", "input": "2.50", "output": "10.00", "cache_read": "0.25",
         "cache_write": "3.125"}

# Deadlines as the configuration names them; a test shortens those it waits for.
TIMEOUTS = ("head", "body", "idle", "total")


def timeouts(**seconds):
    """The `timeouts:` setting, from numbers of seconds."""
    assert set(seconds) <= set(TIMEOUTS), seconds
    return {name: f"{int(value * 1000)}ms" for name, value in seconds.items()}


def available():
    return os.access(PROGRAM, os.X_OK)


def upstream(vendor, kind, name=None, **more):
    """An upstream row that points at a test Vendor."""
    return {"name": name or kind, "vendor": kind, "base": vendor.base + BASES[kind],
            "keys": [VENDOR_KEY[kind]], **more}


def model(name, *routes, price=None, **more):
    """A model row. A route is an upstream's name, (upstream, vendor's model name), or a mapping."""
    rows = []
    for route in routes:
        if isinstance(route, str):
            route = (route, name)
        if isinstance(route, tuple):
            route = {"upstream": route[0], "model": route[1]}
        rows.append(route)
    return {"name": name, **more, "routes": rows, "price": price or PRICE}


def to_yaml(settings):
    """Block style for the top level, flow style (JSON) for what is in it."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, list):
            lines.append(f"{key}:")
            lines += [f"  - {json.dumps(item)}" for item in value]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


class CliError(Exception):
    def __init__(self, words, done):
        super().__init__(f"entrepot {' '.join(words)} exited {done.returncode}:\n"
                         f"{done.stdout}\n{done.stderr}")
        self.status, self.output, self.errors = done.returncode, done.stdout, done.stderr


class Station:
    """One station with its own folder and port: a context manager, or start() and close()."""

    def __init__(self, upstreams=(), models=(), environment=None, client_tls=None, folder=None,
                 **settings):
        self.folder = tempfile.mkdtemp(prefix="entrepot-", dir=folder or FOLDER)
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.data)
        self.file = os.path.join(self.folder, "station.yaml")
        self.log_path = os.path.join(self.folder, "station.log")
        self.port = free_port()
        self.settings = {"listen": f"127.0.0.1:{self.port}", "lanes": LANES,
                         "store": f"sqlite:{self.data}/station.db",
                         "upstreams": list(upstreams), "models": list(models), **settings}
        self.environment = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        self.environment.update(environment or {})
        self.client_tls = client_tls    # an SSLContext, when the station itself serves TLS
        self.wrapper = []               # words before the program
        self.process = None
        self.store = Store(os.path.join(self.data, "station.db"))
        self.configure()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # Configuration and processes

    def configure(self, text=None, **changes):
        """Write the file again, with other settings or as the literal text."""
        self.settings.update(changes)
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(text if text is not None else to_yaml(self.settings))

    def start(self, wait=True, words=()):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, PROGRAM, "serve", "-c", self.file, *words], cwd=self.folder,
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=PATIENCE_S):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the station exited {self.process.returncode}:\n{self.log()}")
            if self.ready():
                return
            time.sleep(0.02)
        raise AssertionError(f"the station was not ready after {timeout} s:\n{self.log()}")

    def ready(self):
        try:
            return self.ask("GET", "/readyz", timeout=5).status == 200
        except (OSError, AttributeError):
            return False

    def take_over(self):
        """A new process serves from now on; the old one, which lets its connections end."""
        old, before = self.process, len(self.log_lines("event=taken_over"))
        self.start(wait=False, words=["--takeover"])
        until(lambda: len(self.log_lines("event=taken_over")) > before
              or self.process.poll() is not None, "the old process yields")
        if self.process.poll() is not None:
            raise AssertionError(f"the new one exited {self.process.returncode}:\n{self.log()}")
        return old

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9, and wait until the process is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self, timeout=PATIENCE_S):
        """SIGTERM; the exit status. A station that does not leave in time fails the test."""
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def restart(self):
        """kill -9 and start on the same data."""
        self.kill()
        return self.start()

    def close(self):
        self.kill()
        if os.environ.get("ENTREPOT_KEEP"):
            print("kept:", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as text:
            return text.read()

    def log_lines(self, part):
        return [line for line in self.log().splitlines() if part in line]

    def wait_log(self, part, beyond=0):
        """The lines with this part, once there are more than `beyond`: the log's writer gathers
        lines, they come a moment after what they tell of."""
        return until(lambda: (found := self.log_lines(part))[beyond:] and found, f"log: {part}")

    def reload(self, event="reloaded"):
        """SIGHUP; the log's line of this event, once the reload has been done or refused."""
        before = len(self.log_lines("event=" + event))
        self.signal(signal.SIGHUP)
        return self.wait_log("event=" + event, before)[-1]

    # Administration

    def cli(self, *words, check=True):
        """Run a command; its JSON output (or text when it is none)."""
        done = subprocess.run([PROGRAM, *words, "-c", self.file], cwd=self.folder, text=True,
                              env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=2 * PATIENCE_S, check=False)
        if check and done.returncode:
            raise CliError(words, done)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def command(self, words, *more, **values):
        return self.cli(*[word.format(**values) for word in CLI[words]], *more)

    def create_account(self, name, kind="customer", currency="USD"):
        return self.command("account", name=name, kind=kind, currency=currency)

    def create_key(self, account, **options):
        """The key's text. Options as in KEY_OPTIONS."""
        words = []
        for option, value in options.items():
            words += [KEY_OPTIONS[option], str(value)]
        return self.command("key", *words, account=account)["key"]

    def credit(self, account, amount):
        return self.command("credit", account=account, amount=amount)

    def ledger_check(self):
        """What `ledger check` says; raises CliError with the named rows when it finds a fault."""
        return self.command("ledger check")

    # Requests

    def connect(self, **options):
        return Raw(self.port, tls=self.client_tls, **options)

    def ask(self, method, target, headers=(), body=None, timeout=PATIENCE_S):
        return ask(self.port, method, target, headers, body, timeout, tls=self.client_tls)
