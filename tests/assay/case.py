# SPDX-License-Identifier: Apache-2.0
"""The base of the assay's tests: runs the program on a folder of its own, and reads its report."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from tests.peer import station

KEY, REFERENCE_KEY = "sk-canary-target-5f1c", "sk-canary-reference-77aa"


class Done:
    def __init__(self, process, folder):
        self.status, self.out, self.errors = process.returncode, process.stdout, process.stderr
        self.folder = folder
        path = os.path.join(folder, "report.json")
        self.raw = b""
        if os.path.exists(path):
            with open(path, "rb") as file:
                self.raw = file.read()
        self.report = json.loads(self.raw) if self.raw else None

    def claim(self, name):
        return next(c for c in self.report["claims"] if c["claim"] == name)

    def states(self):
        return {c["claim"]: c["state"] for c in self.report["claims"]
                if c["state"] != "not tested"}

    def lines(self):
        with open(os.path.join(self.folder, "evidence", "calls.jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]


class AssayCase(unittest.TestCase):
    def setUp(self):
        if not station.available():
            self.skipTest(f"no program to test at {station.PROGRAM} (set ENTREPOT)")
        self.folder = tempfile.mkdtemp(prefix="assay-", dir=station.FOLDER)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.runs = 0

    def environment(self, **more):
        return {**{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")},
                "TARGET_KEY": KEY, "REFERENCE_KEY": REFERENCE_KEY, **more}

    def words(self, url, *options, model="gpt-4o", profile="quick", reference=None, only=None):
        """The command line, with a folder of its own for what it writes. `only`: the probes that
        ask, with those whose calls their judges look at, too; without it all of the profile do."""
        self.runs += 1
        folder = os.path.join(self.folder, str(self.runs))
        os.mkdir(folder)
        words = [station.PROGRAM, "assay", url, "--model", model, "--key-env", "TARGET_KEY",
                 "--profile", profile, "--json", os.path.join(folder, "report.json"),
                 "--evidence", os.path.join(folder, "evidence"), "-y", *options]
        if only:
            words += ["--only", only]
        if reference:
            words += ["--reference", reference, "--reference-key-env", "REFERENCE_KEY"]
        return words, folder

    def run_words(self, words, folder, environment=None):
        done = subprocess.run(words, env=environment or self.environment(), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=240)
        return Done(done, folder)

    def assay(self, url, *options, **more):
        return self.run_words(*self.words(url, *options, **more))
