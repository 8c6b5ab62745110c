# SPDX-License-Identifier: Apache-2.0
"""How an assay runs: what it refuses, how it ends, what it keeps, and that keys are nowhere."""
import json
import os
import pty
import resource
import select
import signal
import subprocess
import threading
import time
import unittest

from tests.assay.case import KEY, REFERENCE_KEY, AssayCase, Done
from tests.assay.schema import problems
from tests.assay.seller import Seller
from tests.peer import station
from tests.peer.ports import free_port
from tests.peer.wait import PATIENCE_S, until

try:
    import jsonschema
except ImportError:     # then the small judge judges alone
    jsonschema = None

SCHEMA = os.path.join(station.ROOT, "docs", "assay.schema.json")


def everything_under(folder):
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                yield name, file.read()


class Asked(AssayCase):
    def test_wrongly(self):
        good = ["http://127.0.0.1:1/v1", "--model", "m", "--key-env", "TARGET_KEY", "-y"]
        for words, part in (
                (good[:1], "--model"), (good[1:], "URL"), (["ftp://x", *good[1:]], "http"),
                (["http://a@b/v1", *good[1:]], "'@'"), (["https:///v1", *good[1:]], "no host"),
                ([*good, "--model"], "nothing behind"), ([*good, "--nonsense", "1"], "--nonsense"),
                ([*good, "second"], "second"), ([*good, "--profile", "huge"], "huge"),
                ([*good, "--only", "tokens,nonsense"], "they are: tokens count"),
                ([*good, "--only", ""], "they are: tokens count"),
                ([*good, "--profile", "folk", "--only", "tokens"], "they are: context folk"),
                ([*good, "--dialect", "latin"], "latin"), ([*good, "--seed", "x"], "--seed"),
                ([*good, "--seed", "0"], "--seed"), ([*good, "--max-calls", "0"], "--max-calls"),
                ([*good, "--concurrency", "5"], "--concurrency"),
                ([*good, "--max-cost", "1e3"], "--max-cost"),
                ([*good, "--max-cost", "1"], "not known"),
                ([*good, "--reference-model", "x"], "--reference"),
                ([*good, "--reference", "x"], "http"), ([*good, "--model", "a b"], "a b"),
                ([*good, "--model", "a" * 200], "--model"),
                ([*good, "--key-env", "NOT_THERE_AT_ALL"], "NOT_THERE_AT_ALL"),
                (["--recompute", self.folder, "http://x"], "URL"),
                ([*good, "--json", "-", "--html", "-"], "--html"),
                ([*good, "--lang", "la"], "--lang"),
                (["--recompute", self.folder], "calls.jsonl"),
                (good[:-1], "-y")):
            done = subprocess.run([station.PROGRAM, "assay", *words], env=self.environment(),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, start_new_session=True)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(part, done.stderr)

    def test_a_key_that_is_none(self):
        words, folder = self.words("http://127.0.0.1:1/v1")
        done = self.run_words(words, folder, self.environment(TARGET_KEY="a\r\nX-Evil: 1"))
        self.assertEqual(done.status, 1)

    def test_evidence_that_is_none(self):
        for text, part in (("", "nothing"), ("x", "line 1"), ('{"assay":2}', "later version"),
                           ('{"assay":1}', "seed"), ('{"seq":1}', "no evidence")):
            with open(os.path.join(self.folder, "calls.jsonl"), "w", encoding="utf-8") as f:
                f.write(text)
            done = subprocess.run([station.PROGRAM, "assay", "--recompute", self.folder], text=True,
                                  capture_output=True, timeout=60)
            self.assertEqual((done.returncode, part in done.stderr), (1, True), done.stderr)

    def test_evidence_of_somebody_who_plays_tricks(self):
        """Nothing in it reaches the terminal as more than text."""
        nasty = "m\x1b[2J\x9b1m\x07\u202e"
        lines = [{"assay": 1, "version": "9", "seed": 1, "started_us": 1, "profile": nasty,
                  "target": {"url": nasty, "model": nasty}},
                 {"end": nasty}]
        with open(os.path.join(self.folder, "calls.jsonl"), "w", encoding="utf-8") as f:
            f.write("\n".join(json.dumps(line) for line in lines))
        done = subprocess.run([station.PROGRAM, "assay", "--recompute", self.folder], text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("m?[2J?1m??", done.stdout)
        self.assertFalse(set("\x1b\x9b\x07\u202e") & set(done.stdout))

    def recompute(self, data):
        with open(os.path.join(self.folder, "calls.jsonl"), "wb") as f:
            f.write(data)
        return subprocess.run([station.PROGRAM, "assay", "--recompute", self.folder], text=True,
                              capture_output=True, timeout=60)

    def test_evidence_of_more_calls_than_there_can_be(self):
        head = {"assay": 1, "version": "9", "seed": 1, "started_us": 1,
                "target": {"url": "u", "model": "m"}}
        call = {"seq": 1, "status": 200, "dialect": "chat"}
        lines = [json.dumps(head)] + [json.dumps(call)] * 4097
        done = self.recompute("\n".join([*lines, ""]).encode())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("too many calls", done.stderr)

    def test_times_that_are_none(self):
        for when in (18446744073708553616, 9000000000000000000):
            done = self.recompute(json.dumps(
                {"assay": 1, "version": "9", "seed": 1, "started_us": when,
                 "target": {"url": "u", "model": "m"}}).encode() + b"\n")
            self.assertEqual(done.returncode, 1)
            self.assertIn("time", done.stderr)

    def test_lines_that_break_off(self):
        """Whoever wrote them was killed: what is whole counts."""
        with Seller() as s:
            done = self.assay(s.base)
        with open(os.path.join(done.folder, "evidence", "calls.jsonl"), "rb") as f:
            lines = f.read().split(b"\n")
        told = self.recompute(b"\n".join(lines[:-4]) + b"\n" + lines[-4][:-60])
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("it broke off", " ".join(told.stdout.split()))
        torn = self.recompute(b"\n".join([*lines[:5], lines[5][:-60], *lines[6:]]))
        self.assertEqual(torn.returncode, 1)
        self.assertIn("line 6", torn.stderr)

    def test_a_folder_with_evidence_is_not_added_to(self):
        with Seller() as s:
            words, folder = self.words(s.base)
            self.assertEqual(self.run_words(words, folder).status, 0)
            asked = len(s.requests)
            again = self.run_words(words, folder)
            self.assertEqual((again.status, len(s.requests)), (1, asked), again.errors)


class Ends(AssayCase):
    def test_nobody_there(self):
        done = self.assay(f"http://127.0.0.1:{free_port()}/v1", "--dialect", "chat")
        self.assertEqual(done.status, 4, done.errors)
        self.assertIn("cannot be reached", done.errors)

    def test_the_key_is_refused(self):
        with Seller(before=lambda *_: (401, {"error": {"message": "no"}})) as s:
            done = self.assay(s.base)
        self.assertEqual(done.status, 4)
        self.assertIn("refuses the key", done.errors)

    def test_it_stops_answering(self):
        def before(n, *_):
            return (403, {"error": {"message": "enough"}}) if n > 6 else None
        with Seller(before=before) as s:
            done = self.assay(s.base, "--concurrency", "1", profile="standard")
            self.assertLess(len(s.requests), 20)
        self.assertEqual(done.report["calls"]["end"], "the key is refused")

    def test_a_model_that_takes_no_temperature(self):
        def before(n, path, headers, body):
            return (400, {"error": {"message": "unsupported: temperature"}}) \
                if "temperature" in body else None
        with Seller(before=before) as s:
            done = self.assay(s.base, "--concurrency", "1", profile="folk")
        self.assertEqual(done.report["calls"], {**done.report["calls"], "end": "complete",
                                                "made": 20, "answered": 10}, done.out)
        self.assertIn("10 of 10 requests at temperature 0.01 are refused", done.out)

    def test_a_model_that_calls_its_limit_otherwise(self):
        def before(n, path, headers, body):
            return (400, {"error": {"message": "use max_completion_tokens"}}) \
                if "max_tokens" in body else None
        with Seller(before=before) as s:
            done = self.assay(s.base, "--dialect", "chat")
        self.assertEqual((done.status, done.report["calls"]["answered"]), (0, 23), done.out)

    def test_a_redirect_is_not_followed(self):
        with Seller() as other:
            def before(*_):
                return (307, {}, [("Location", other.base + "/chat/completions")])
            with Seller(before=before) as s:
                done = self.assay(s.base)
            self.assertEqual((done.status, other.requests), (4, []))

    def test_busy_is_no_evidence(self):
        """Every third request is refused for now, every fifth fails: what is found is the same."""
        def before(n, *_):
            if n % 3 == 1:
                return (429, {"error": {"message": "slow down"}}, [("Retry-After", "0")])
            return (502, b"<html>", [("Retry-After", "0")]) if n % 5 == 2 else None
        with Seller(before=before) as s:
            done = self.assay(s.base, "--concurrency", "1")
        self.assertEqual(done.status, 0, done.out)
        self.assertEqual(done.report["calls"]["answered"], 23, done.out)
        self.assertGreater(sum(line["tries"] for line in done.lines()[1:-1]), 23)

    def test_busy_for_ever_decides_nothing(self):
        def before(n, *_):
            return (429, {}, [("Retry-After", "0")]) if n > 0 else None
        with Seller(before=before) as s:
            done = self.assay(s.base, "--concurrency", "1")
        self.assertEqual(done.status, 2, done.out)
        self.assertNotIn("inconsistent", done.states().values())

    def test_limits(self):
        with Seller() as s:
            done = self.assay(s.base, "--max-calls", "5", "--concurrency", "1")
            self.assertEqual(len(s.requests), 5)
            self.assertEqual(done.report["calls"]["end"], "the limit of calls is reached")
        with Seller() as s:
            done = self.assay(s.base, "--max-cost", "0.02", "--concurrency", "1",
                              "--seed", "5")
            self.assertEqual(done.report["calls"]["end"], "the limit of cost is reached")
            calls = done.report["calls"]
            self.assertGreater(len(s.requests), 2)
            self.assertLessEqual(calls["input_tokens"] * 2.5e-6 + calls["output_tokens"] * 1e-5,
                                 0.02)

    def test_the_limit_of_calls_holds_for_calls_under_way_and_tries(self):
        def busy(n, *_):
            return (503, {"error": {"message": "busy"}}, [("Retry-After", "0")]) if n > 0 else None
        for before, most in ((None, 5), (busy, 3)):
            with Seller(before=before) as s:
                done = self.assay(s.base, "--max-calls", str(most), "--concurrency", "4",
                                  profile="standard")
                self.assertEqual(len(s.requests), most)
            self.assertEqual(done.report["calls"]["end"], "the limit of calls is reached")

    def test_a_run_that_was_limited_accuses_nobody(self):
        """Few texts and two points of each are like the counts of many tokenizers."""
        for most in (4, 6, 10, 13):
            for kind in ({"by_length": True}, {"odd": 30}, {"family": "llama3"}):
                with Seller(**kind) as s:
                    done = self.assay(s.base, "--max-calls", str(most), "--seed", str(most))
                self.assertNotIn("inconsistent", done.states().values(), (most, kind, done.out))

    def test_the_limit_of_cost_holds_where_nothing_is_reported(self):
        with Seller(silent=True) as s:
            done = self.assay(s.base, "--max-cost", "0.01", "--concurrency", "1",
                              profile="standard")
            self.assertLess(len(s.requests), 40)
        self.assertEqual(done.report["calls"]["end"], "the limit of cost is reached")

    def test_a_reference_that_stops_answering(self):
        def gone(n, *_):
            return (401, {"error": {"message": "no"}}) if n > 3 else None
        with Seller() as s, Seller(before=gone) as r:
            done = self.assay(s.base, "--concurrency", "1", profile="standard", reference=r.base)
            self.assertLess(len(s.requests), 100)
        self.assertEqual(done.report["calls"]["end"], "the reference stopped answering")

    def test_large_answers_lose_no_calls(self):
        """What does not fit is no answer; the file and the report are of the same calls."""
        large = json.dumps({"choices": [{"message": {"content": "x" * 3000000}}]}).encode()
        with Seller(before=lambda n, *_: (200, large) if n > 0 else None) as s:
            done = self.assay(s.base, "--concurrency", "1")
        self.assertEqual(done.report["calls"]["made"], len(done.lines()) - 2)
        self.assertTrue(any(line.get("failure") == "the answer is too large"
                            for line in done.lines()))

    def test_a_report_that_cannot_be_written_costs_nothing(self):
        with Seller() as s:
            words, folder = self.words(s.base)
            done = self.run_words([*words, "--html", "/nonexistent/x.html"], folder)
            self.assertEqual((done.status, len(s.requests)), (1, 0), done.errors)

    def test_a_disk_that_fills(self):
        """What is whole is reported and can be computed again; why it ends is said."""
        def small():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
        with Seller() as s:
            words, folder = self.words(s.base)
            done = subprocess.run(words, env=self.environment(), text=True, timeout=60,
                                  stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=small)
        self.assertIn("the folder of the evidence cannot be written to", done.stderr)
        again = subprocess.run([station.PROGRAM, "assay", "--recompute",
                                os.path.join(folder, "evidence")], capture_output=True, text=True,
                               timeout=60)
        self.assertEqual((again.stdout, again.returncode), (done.stdout, done.returncode))
        self.assertIn("it broke off", again.stdout)

    def test_a_terminal_that_takes_nothing(self):
        with Seller() as s:
            done = self.assay(s.base)
        with open("/dev/full", "wb") as full:
            again = subprocess.run([station.PROGRAM, "assay", "--recompute",
                                    os.path.join(done.folder, "evidence")], stdout=full, timeout=60)
        self.assertEqual(again.returncode, 1)

    def test_an_address_that_is_not_safe(self):
        warned = "the key can be read on the way"
        for host, warns in (("127.x.invalid", True), ("localhost.x.invalid", True),
                            ("x.invalid", True), ("127.0.0.1:1", False), ("localhost:1", False),
                            ("[::1]:1", False)):
            done = self.assay(f"http://{host}/v1", "--dialect", "chat", "--max-calls", "1")
            self.assertEqual(warned in done.errors, warns, host)

    def test_paths_of_other_vendors(self):
        with Seller() as s:
            self.assay(s.base.replace("/v1", "/v1beta/openai"), "--dialect", "chat")
            self.assertEqual(s.requests[0][0], "/v1beta/openai/chat/completions")

    def test_interrupted(self):
        """Ctrl-C keeps what was gathered, and reports it."""
        gate, reached = threading.Event(), threading.Event()

        def before(n, *_):
            if n == 12:
                reached.set()
                gate.wait(PATIENCE_S)
        with Seller(before=before) as s:
            words, folder = self.words(s.base, "--concurrency", "1", profile="standard")
            process = subprocess.Popen(words, env=self.environment(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertTrue(reached.wait(PATIENCE_S))
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=PATIENCE_S)
            gate.set()
        self.assertIn("interrupted", out, errors)
        self.assertIn(process.returncode, (0, 2))
        done = Done(subprocess.CompletedProcess([], process.returncode, out, errors), folder)
        self.assertEqual(done.report["calls"]["end"], "interrupted")
        self.assertEqual(done.report["calls"]["made"], 12)
        self.assertEqual(len(done.lines()), 14)


class Evidence(AssayCase):
    def test_the_same_report_comes_out_of_it(self):
        for kind, more in (({}, {}), ({"hidden": 300, "factor": 1.15}, {"profile": "standard"}),
                           ({"family": "qwen3", "answer": "ponǧ 😀 \x1b[31m\x9b"},
                            {"profile": "folk"})):
            with Seller(**kind) as s:
                done = self.assay(s.base, **more)
            again = os.path.join(done.folder, "again.json")
            computed = subprocess.run(
                [station.PROGRAM, "assay", "--recompute", os.path.join(done.folder, "evidence"),
                 "--json", again], capture_output=True, text=True, timeout=60)
            self.assertEqual(computed.stdout, done.out)
            self.assertEqual(computed.returncode, done.status)
            with open(again, "rb") as f:
                self.assertEqual(f.read(), done.raw)
            self.assertNotIn("\x1b", done.out)
            self.assertNotIn("\x9b", done.out)
            self.assertLessEqual(max(map(len, done.out.splitlines())), 80)

    def test_the_report_is_as_its_schema_says(self):
        with open(SCHEMA, encoding="utf-8") as f:
            schema = json.load(f)
        with Seller(hidden=300) as s, Seller() as r:
            for done in (self.assay(s.base, profile="standard"),
                         self.assay(s.base, reference=r.base)):
                self.assertEqual(list(problems(schema, done.report)), [])
                broken = {**done.report, "claims": done.report["claims"][1:], "score": 99}
                self.assertEqual(len(list(problems(schema, broken))), 2, "the judge judges")
                if jsonschema:
                    judge = jsonschema.Draft202012Validator(schema)
                    judge.check_schema(schema)
                    self.assertEqual(list(judge.iter_errors(done.report)), [])
                    self.assertEqual(len(list(judge.iter_errors(broken))), 2)

    def test_some_probes_alone(self):
        with Seller() as s:
            done = self.assay(s.base, "--only", "settings,tools", profile="standard")
        asked = {line["probe"] for line in done.lines()[1:-1]}
        self.assertEqual(asked, {"dialect", "settings", "tools"})
        self.assertEqual(done.report["only"], "settings,tools")
        self.assertIn("only          settings,tools", done.out)
        self.assertEqual(done.states()["tool_integrity"], "consistent", done.out)
        with open(SCHEMA, encoding="utf-8") as f:
            self.assertEqual(list(problems(json.load(f), done.report)), [])

    def test_a_probe_brings_what_it_needs(self):
        with Seller() as s:
            done = self.assay(s.base, "--only", "output", profile="standard")
        self.assertEqual(done.states()["output_billing"], "consistent", done.out)

    def test_a_seed_makes_the_same_calls(self):
        def asked(seed):
            with Seller() as s:
                self.assay(s.base, "--seed", seed, "--concurrency", "1")
                return [body for _, _, body in s.requests]
        first = asked("7")
        self.assertEqual(first, asked("7"))
        self.assertNotEqual(first, asked("8"))

    def test_an_answer_that_is_no_text(self):
        def before(n, *_):
            return (200, b"\xff\xfe\x00not json") if n == 5 else None
        with Seller(before=before) as s:
            done = self.assay(s.base, "--concurrency", "1")
        self.assertEqual(done.status, 0, done.out)
        self.assertEqual(sum("body_base64" in line for line in done.lines()), 1)


class Keys(AssayCase):
    def test_they_are_nowhere(self):
        """Not even where an endpoint sends them back, in its bodies and its headers."""
        seen = {}

        def before(n, path, headers, body):
            key = headers.get("Authorization", "").removeprefix("Bearer ")
            if n == 4:
                with open(f"/proc/{seen['pid']}/cmdline", "rb") as f:
                    seen["cmdline"] = f.read()
                try:
                    with open(f"/proc/{seen['pid']}/environ", "rb") as f:
                        seen["environ"] = f.read()
                except PermissionError:
                    seen["environ"] = b""
            if n == 6:
                return (200, {"choices": [{"message": {"content": f"{key} and {REFERENCE_KEY}"}}],
                              "model": key, "usage": {"prompt_tokens": 5, "completion_tokens": 9}},
                        [("x-request-id", key), ("set-cookie", key)])
            return (400, {"error": {"message": f"Incorrect key {key}"}}) if n == 7 else None
        with Seller(before=before) as s, Seller() as r:
            words, folder = self.words(s.base, "--concurrency", "1", "--dialect", "chat",
                                       profile="standard", reference=r.base)
            process = subprocess.Popen(words, env=self.environment(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            seen["pid"] = process.pid
            out, errors = process.communicate(timeout=PATIENCE_S)
            self.assertTrue(any(KEY in h.get("Authorization", "") for _, h, _ in s.requests))
            self.assertTrue(any(REFERENCE_KEY in h.get("Authorization", "")
                                for _, h, _ in r.requests))
            self.assertEqual({h["User-Agent"].split("/")[0] for _, h, _ in s.requests},
                             {"entrepot-assay"})
        places = [("stdout", out.encode()), ("stderr", errors.encode()),
                  ("cmdline", seen["cmdline"]), ("environ", seen["environ"]),
                  *everything_under(self.folder)]
        self.assertGreater(len(places), 5)
        for name, text in places:
            self.assertNotIn(KEY.encode(), text, name)
            self.assertNotIn(REFERENCE_KEY.encode(), text, name)
        self.assertIn(b"[key removed]", dict(places)["calls.jsonl"])

    def test_not_in_disguise(self):
        """Escaped as JSON may escape, and in pieces of a stream."""
        escaped = KEY.replace("-", "\\u002D").replace("a", "\\u0061")
        pieces = [KEY[:7], KEY[7:]]

        def before(n, path, headers, body):
            if body.get("stream"):
                events = [{"choices": [{"index": 0, "delta": {"content": p}}]} for p in pieces]
                return (200, "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode())
            text = f'{{"choices":[{{"message":{{"content":"it is {escaped}"}}}}]}}'
            return (200, text.encode()) if n % 3 == 0 and n > 0 else None
        with Seller(before=before) as s:
            done = self.assay(s.base, "--concurrency", "1", "--dialect", "chat",
                              profile="standard")
        for name, text in [("stdout", done.out.encode()), *everything_under(done.folder)]:
            plain = text.replace(b"\\u002D", b"-").replace(b"\\u0061", b"a")
            self.assertNotIn(KEY.encode(), plain, name)
            self.assertNotIn(pieces[1].encode(), text, name)

    def test_one_variable_for_both(self):
        with Seller() as s, Seller() as r:
            words, folder = self.words(s.base, reference=r.base)
            words[words.index("REFERENCE_KEY")] = "TARGET_KEY"
            done = self.run_words(words, folder)
        self.assertEqual(done.status, 0, done.errors)

    def test_asked_for_on_a_terminal_without_an_echo(self):
        with Seller() as s:
            words, folder = self.words(s.base)
            words = [w for w in words if w not in ("--key-env", "TARGET_KEY", "-y")]
            pid, terminal = pty.fork()
            if pid == 0:
                os.execve(words[0], words, self.environment())
            shown = b""

            def until_shown(part):
                nonlocal shown
                deadline = time.monotonic() + PATIENCE_S
                while part not in shown and time.monotonic() < deadline:
                    if select.select([terminal], [], [], 1)[0]:
                        try:
                            shown += os.read(terminal, 65536)
                        except OSError:
                            break
                self.assertIn(part, shown)
            until_shown(b"is not shown): ")
            os.write(terminal, KEY.encode() + b"\n")
            until_shown(b"Go on? [y/N] ")
            self.assertEqual(s.requests, [], "nothing before it was agreed to")
            os.write(terminal, b"y\n")
            until_shown(b"Nothing that was tested")
            self.assertIn(b"of 48 calls", shown, "the bar of progress")
            until_shown(b"weigh nothing")
            _, status = os.waitpid(pid, 0)
            os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(status), 0)
            self.assertNotIn(KEY.encode(), shown)
            self.assertIn(b"\x1b[32m", shown, "colour on a terminal")
            self.assertEqual(s.requests[0][1]["Authorization"], f"Bearer {KEY}")
        until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the process")

    def test_no_is_no(self):
        with Seller() as s:
            words, folder = self.words(s.base)
            words = [w for w in words if w != "-y"]
            leader, follower = pty.openpty()
            process = subprocess.Popen(words, env=self.environment(), stdin=follower,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            os.write(leader, b"n\n")
            process.communicate(timeout=PATIENCE_S)
            self.assertEqual((process.returncode, s.requests), (1, []))
            os.close(leader)
            os.close(follower)


if __name__ == "__main__":
    unittest.main()
