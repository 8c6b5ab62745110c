# SPDX-License-Identifier: Apache-2.0
"""docs/operator.md as it stands: its shell blocks run one after the other, on ports of the test's
own, and each prints what the page shows behind it. In what is shown, … stands for anything."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from tests.peer import station
from tests.peer.ports import free_port
from tests.peer.wait import PATIENCE_S

PAGE = pathlib.Path(station.ROOT) / "docs" / "operator.md"
BLOCK = re.compile(r"```(sh|text)\n(.*?)```\n", re.DOTALL)
PORTS = ("8080", "8081", "9000")        # as the page has them
MARK = "==== end of a block ===="


def blocks(text):
    """[(what is run, what it shows)] in their order."""
    found = []
    for kind, body in BLOCK.findall(text):
        if kind == "sh":
            found.append([body, None])
        else:
            assert found and found[-1][1] is None, f"no block runs for: {body[:60]}"
            found[-1][1] = body
    return found


def pattern(shown):
    return re.compile(".*".join(re.escape(part) for part in shown.strip().split("…")), re.DOTALL)


class Story(unittest.TestCase):
    def run_all(self, scripts):
        """What each prints, all in one shell, which is then gone with all that it has started."""
        folder = tempfile.mkdtemp(prefix="entrepot-story-", dir=station.FOLDER)
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        environment["PATH"] = f"{os.path.dirname(station.PROGRAM)}:{environment['PATH']}"
        os.symlink(f"{station.ROOT}/tools", f"{folder}/tools")  # it runs beside the source
        text = "".join(f"{script}\necho '{MARK}'\n" for script in scripts)
        for port in PORTS:
            text = re.sub(rf"\b{port}\b", str(free_port()), text)
        log = os.path.join(folder, "log")
        with open(log, "wb") as errors:
            shell = subprocess.Popen(["bash", "-c", text], cwd=folder, env=environment,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=errors, start_new_session=True)
            self.addCleanup(subprocess.run, ["rm", "-rf", folder], check=True)
            self.addCleanup(self.end, shell)
            said = b""
            while said.count(MARK.encode()) < len(scripts):
                piece = os.read(shell.stdout.fileno(), 65536)
                if not piece:
                    break
                said += piece
        with open(log, encoding="utf-8") as errors:
            self.errors = [line for line in errors.read().splitlines() if "event=" not in line]
        return said.decode().split(MARK + "\n")[:-1]

    def end(self, shell):
        shell.stdout.close()
        os.killpg(shell.pid, signal.SIGTERM)
        try:
            shell.wait(PATIENCE_S)
        finally:
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def test_what_it_shows_is_what_happens(self):
        page = blocks(PAGE.read_text(encoding="utf-8"))
        self.assertGreater(len(page), 5)
        said = self.run_all([script for script, _ in page])
        self.assertEqual(len(said), len(page), self.errors)
        for (script, shown), text in zip(page, said):
            with self.subTest(script.splitlines()[0]):
                self.assertIsNotNone(shown, "each block shows what it prints")
                self.assertRegex(text.strip(), "^" + pattern(shown).pattern + "$", self.errors)
                if os.environ.get("ENTREPOT_SHOW"):
                    print(text)


if __name__ == "__main__":
    unittest.main()
