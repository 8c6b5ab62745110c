# SPDX-License-Identifier: Apache-2.0
"""What an operator does, and does wrong: ports, signals, files, commands."""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import threading
import unittest

from tests.peer import station
from tests.peer.case import CHAT, NANO, StationCase, body_for
from tests.peer.rawhttp import Raw
from tests.peer.store import Store
from tests.peer.wait import PATIENCE_S


def entrepot(*words, cwd, env=None, timeout=PATIENCE_S):
    return subprocess.run([station.PROGRAM, *words], cwd=cwd, env=env, capture_output=True,
                          text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)


class Operator(StationCase):
    def test_a_port_belongs_to_one_station(self):
        second = station.Station(self.upstreams(), self.models(),
                                 listen=f"127.0.0.1:{self.station.port}")
        self.addCleanup(second.close)
        second.start(wait=False)
        self.assertEqual(second.process.wait(PATIENCE_S), 1)
        self.assertIn("already in use", second.log())

    def test_a_simulator_keeps_off_the_port(self):
        done = entrepot("sim", "--port", str(self.station.port), cwd=self.station.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("already in use", done.stderr)

    def test_administration_needs_no_vendors_secret_and_makes_no_store(self):
        with tempfile.TemporaryDirectory() as folder:
            done = entrepot("account", "list", cwd=folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no store", done.stderr)
            self.assertEqual(os.listdir(folder), [])
        with open(self.station.file, encoding="utf-8") as file:
            text = file.read()
        path = os.path.join(self.station.folder, "secret.yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.replace("sk-vendor-openai-1", "${NOT_SET_ANYWHERE}"))
        done = entrepot("account", "list", "--json", "-c", path, cwd=self.station.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(entrepot("check", "-c", path, cwd=self.station.folder).returncode, 1)

    def test_check_finds_what_serve_would_stumble_over(self):
        wrong = {"listen: localhost:99999": "no address", "listen: '8080'": "no address",
                 "tls: {cert: /nope.pem, key: /nope.key}": "cannot be read",
                 "admin: nowhere": "no address"}
        for line, words in wrong.items():
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "s.yaml"), "w", encoding="utf-8") as out:
                    out.write(line + "\nupstreams: []\nmodels: []\n")
                done = entrepot("check", "-c", "s.yaml", cwd=folder)
                self.assertEqual(done.returncode, 1, line)
                self.assertIn("s.yaml:1:", done.stderr)
                self.assertIn(words, done.stderr)

    def test_check_finds_a_station_that_sells_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "s.yaml"), "w", encoding="utf-8") as out:
                out.write("listen: 127.0.0.1:1\nupstreams: []\nmodels: []\n")
            done = entrepot("check", "-c", "s.yaml", cwd=folder)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("no models", done.stderr)

    def test_limits_of_nothing_are_refused(self):
        buyer = self.customer()
        for option in ("--budget", "--rpm", "--concurrency"):
            with self.assertRaises(station.CliError):
                self.station.cli("key", "create", buyer.name, option, "0", "--json")
        for name in ("a b", "a=b", "a:b", "a\"b", "a\u202eb", "a\u00a0b", "\u200b", "\ufeffa",
                     "a\u3000b", "\u2066a"):
            with self.assertRaises(station.CliError):
                self.station.create_account(name)

    def test_names_of_any_script_are_taken(self):
        for name in ("zo\u00eb", "\u4e0a\u6d77", "\u0645\u0631\u064a\u0645"):
            self.assertEqual(self.station.create_account(name)["account"], name)

    def test_what_is_not_there_is_said(self):
        for words, said in (
                (("upstream", "show", "nope"), "no upstream 'nope'"),
                (("voucher", "list", "99"), "no batch 99"),
                (("price", "history", "nope"), "no price of 'nope'"),
                (("statement", "owner", "--currency", "JPY"), "holds no JPY")):
            with self.assertRaises(station.CliError) as caught:
                self.station.cli(*words)
            self.assertIn(said, caught.exception.errors, words)
        for words in (("upstream", "show", self.station.cli("price", "show", "gpt", "--json")
                       ["routes"][0]["upstream"]), ("price", "history", "gpt"),
                      ("price", "history"), ("statement", "owner", "--currency", "USD")):
            self.station.cli(*words)

    def test_a_keys_scope_means_the_model_by_any_of_its_names(self):
        for listed in ("gpt", "gpt-alias"):
            buyer = self.customer(models=listed)
            for asked in ("gpt", "gpt-alias"):
                body = body_for("chat").replace(b'"gpt"', f'"{asked}"'.encode())
                self.assertEqual(buyer.post(CHAT, body).status, 200, (listed, asked))
            self.assertEqual(buyer.post("/v1/messages", body_for("messages")).status, 403)
            names = [row["id"] for row in buyer.get("/v1/models").json()["data"]]
            self.assertEqual(names, ["gpt"])

    def test_a_refusal_names_the_amounts(self):
        answer = self.customer("0.0001").post(CHAT, body_for("chat", maximum=1000))
        self.assertEqual(answer.status, 402)
        self.assertRegex(answer.body.decode(), r"needs a hold of 0\.01\d+ USD; .* has 0\.0001 left")
        poor = self.customer("5.00", budget="0.0001", period="day")
        answer = poor.post(CHAT, body_for("chat", maximum=1000))
        self.assertEqual(answer.status, 429)
        self.assertRegex(answer.body.decode(), r"budget .* has 0\.0001 left")

    def test_a_method_that_is_not_there_is_told_which_is(self):
        self.assertEqual(self.customer().get(CHAT).get("allow"), "POST")

    def test_what_a_reload_cannot_change_is_said(self):
        before = len(self.station.log_lines("needs_restart"))
        self.station.configure(lanes=station.LANES + 1)
        self.station.signal(signal.SIGHUP)
        self.assertIn("option=lanes", self.station.wait_log("needs_restart", before)[-1])
        self.station.configure(lanes=station.LANES)


class Commands(StationCase):
    """Exit codes, help, failures as JSON."""

    def run_words(self, *words):
        return entrepot(*words, "-c", self.station.file, cwd=self.station.folder)

    def test_words_that_make_no_command_exit_2(self):
        for words in (("credit",), ("credit", "x"), ("account", "create"), ("account",),
                      ("account", "create", "a", "b"), ("account", "create", "a", "--nope", "1"),
                      ("key", "revoke"), ("backup",), ("nonsense",), ("credit", "x", "1", "--note"),
                      ("account", "create", "a", "--kind", "house", "--kind=house")):
            done = self.run_words(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertTrue(done.stderr.startswith("entrepot: "), words)
            done = self.run_words(*words, "--json")
            self.assertEqual((done.returncode, done.stderr), (2, ""), words)
            self.assertEqual(json.loads(done.stdout)["error"]["code"], "usage")

    def test_what_fails_exits_1(self):
        for words in (("credit", "nobody", "1"), ("key", "revoke", "99999"), ("usage", "nobody"),
                      ("credit", "owner", "none")):
            done = self.run_words(*words)
            self.assertEqual((done.returncode, done.stdout), (1, ""), words)
            done = self.run_words(*words, "--json")
            self.assertEqual((done.returncode, done.stderr), (1, ""), words)
            error = json.loads(done.stdout)["error"]
            self.assertEqual(error["code"], "failed")
            self.assertIn(words[-1].strip("1"), error["message"])

    def test_each_command_explains_itself(self):
        overview = entrepot("--help", cwd=self.station.folder).stdout
        for words in ("account create", "account set", "account list", "key create", "key list",
                      "key revoke", "credit", "debit", "usage", "ledger check", "backup"):
            self.assertIn(f"\n  {words}", overview)
            done = entrepot(*words.split(), "--help", cwd=self.station.folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertTrue(done.stdout.startswith(f"entrepot {words}"), done.stdout)
        self.assertIn("--models A,B", entrepot("key", "create", "--help",
                                               cwd=self.station.folder).stdout)
        both = entrepot("key", "-h", cwd=self.station.folder).stdout
        self.assertIn("entrepot key revoke", both)
        self.assertNotIn("entrepot account", both)
        for word, option in (("serve", "-c FILE"), ("check", "-c FILE"), ("sim", "--delay 20ms")):
            done = entrepot(word, "--help", cwd=self.station.folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""), word)
            self.assertIn(option, done.stdout)
        self.assertEqual(entrepot("nonsense", "--help", cwd=self.station.folder).returncode, 2)

    def test_help_by_any_name(self):
        overview = entrepot("--help", cwd=self.station.folder)
        asked = entrepot("help", cwd=self.station.folder)
        self.assertEqual((asked.returncode, asked.stdout), (0, overview.stdout))
        for word, both in (("upstream", ("entrepot upstream vendors",)),
                           ("price", ("entrepot price diff", "entrepot price list"))):
            done = entrepot(word, "--help", cwd=self.station.folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""), word)
            for words in both:
                self.assertIn(words, done.stdout)

    def test_usage_for_people_is_a_line_a_charge(self):
        buyer = self.customer("50.00")
        for _ in range(2):
            self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
        charges = self.station.command("usage", account=buyer.name)["charges"]
        rows = {row["model"]: row["price_row"]
                for row in self.station.cli("price", "list", "--json")["prices"]}
        self.assertEqual([c["price_row"] for c in charges], [rows["gpt"]] * 2)
        done = self.run_words("usage", buyer.name)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        at = lines.index("")
        self.assertEqual(lines[0], "account: " + buyer.name)
        self.assertEqual(lines[at + 1].split(),
                         ["time", "model", "end", "in", "out", "charged", "currency"])
        self.assertEqual(len(lines[at + 2:]), 2)
        for line, charge in zip(lines[at + 2:], charges):
            sides = [sum(n for leaf, n in charge["usage"].items() if leaf.startswith(names))
                     for names in (("in", "cache"), ("out", "reasoning"))]
            self.assertEqual(line.split(), [charge["time"], charge["model"], charge["end"],
                                            *map(str, sides), charge["charged"],
                                            charge["currency"]])
            self.assertEqual(line.index(" " + charge["currency"]),
                             lines[at + 1].index(" currency"))

    def test_an_amount_says_how_fine_it_may_be(self):
        done = self.run_words("credit", self.customer("1").name, "1.00000000001")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nine digits after the point", done.stderr)

    def test_a_debit_takes_a_mistaken_credit_back(self):
        buyer = self.customer("50.00")
        debit = lambda amount: self.station.cli("debit", buyer.name, amount, "--note",
                                                "typed twice", "--json")
        self.assertEqual(debit("45")["balance"], "5")
        self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)
        with self.assertRaises(station.CliError) as caught:
            debit("5")
        self.assertIn("not held", caught.exception.output)
        left = self.station.command("usage", account=buyer.name)["balance"]
        self.assertEqual(debit(left)["balance"], "0")
        self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 402)
        rows = self.station.store.sql("SELECT nano, note FROM transfer WHERE kind = 'debit' AND"
                                      " debit = (SELECT id FROM account WHERE name = ?)",
                                      buyer.name)
        self.assertEqual([row["note"] for row in rows], ["typed twice"] * 2)
        self.assertEqual(sum(row["nano"] for row in rows), 50 * NANO - sum(
            row["nano"] for row in self.station.store.sql(
                "SELECT c.nano FROM charge c JOIN account a ON a.id = c.account WHERE a.name = ?",
                buyer.name)))

    def test_a_key_is_for_models_that_there_are(self):
        name = self.customer().name
        for models in ("gtp", "gpt,claud", "gpt,,claude"):
            with self.assertRaises(station.CliError) as caught:
                self.station.create_key(name, models=models)
            self.assertIn("is configured", caught.exception.output)
        self.station.create_key(name, models="gpt-alias, claude")

    def test_without_a_station_the_file_tells_and_without_a_file_nobody(self):
        with tempfile.TemporaryDirectory() as folder:
            one = station.Station(self.upstreams(), self.models(), folder=folder)
            one.start()
            one.stop()
            one.create_account("bob")
            with self.assertRaises(station.CliError) as caught:
                one.create_key("bob", models="gtp")
            self.assertIn("is configured", caught.exception.output)
            one.create_key("bob", models="gpt")
            done = entrepot("key", "create", "bob", "--models", "gtp", "--json", cwd=one.folder)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("nobody knows", done.stderr)
            self.assertEqual(json.loads(done.stdout)["models"], "gtp")
            # What an unset variable of a script leaves must not make a key without a limit.
            for option in ("--models", "--budget", "--rpm", "--expires"):
                done = entrepot("key", "create", "bob", option, "", cwd=one.folder)
                self.assertEqual(done.returncode, 2, option)
                self.assertIn(f"{option} needs a value", done.stderr)
            self.assertEqual(entrepot("key", "create", "bob", "--expires", "0",
                                      cwd=one.folder).returncode, 1)


class Reports(StationCase):
    def test_what_was_answered_is_in_the_next_read(self):
        buyer = self.customer()
        for number in range(1, 6):
            answer = buyer.post(CHAT, body_for("chat"))
            self.assertEqual(answer.status, 200)
            shown = buyer.get("/v1/usage").json()
            self.assertEqual(len(shown["charges"]), number)
            spent = sum(round(float(row["charged"]) * NANO) for row in shown["charges"])
            self.assertEqual(round(float(shown["balance"]) * NANO), 5 * NANO - spent)
            self.assertEqual(buyer.get("/v1/account").json()["balance"], shown["balance"])

    def test_many_reads_in_one_turn_of_the_loop(self):
        buyer = self.customer()
        self.assertEqual(self.read_at_once(self.customer(None, kind="house"), 20), [200] * 20)
        self.assertEqual(buyer.post(CHAT, body_for("chat")).status, 200)

    def read_at_once(self, customer, count):
        with contextlib.ExitStack() as crowd:
            readers = [crowd.enter_context(self.station.connect()) for _ in range(count)]
            for _ in range(3):
                self.station.signal(signal.SIGSTOP)     # so that it finds all of them at once
                for raw in readers:
                    raw.request("GET", "/v1/usage", [customer.auth])
                self.station.signal(signal.SIGCONT)
                found = [raw.response().status for raw in readers]
        return found

    def test_one_customer_does_not_fill_the_queue_of_reads(self):
        buyer = self.customer()
        found = self.read_at_once(buyer, 40)
        self.assertEqual(set(found), {200, 429})
        self.assertGreaterEqual(found.count(200), 4)
        self.assertEqual(self.read_at_once(buyer, 4), [200] * 4)    # none is counted for ever

    def test_a_backup_of_a_serving_station_is_whole(self):
        buyer = self.customer()
        stop = threading.Event()

        def buy():
            while not stop.is_set():
                buyer.post(CHAT, body_for("chat"))

        thread = threading.Thread(target=buy)
        thread.start()
        try:
            for number in range(3):
                path = os.path.join(self.station.folder, f"backup{number}.db")
                done = self.station.cli("backup", path, "--json")
                self.assertEqual(done["backup"], path)
                self.station.ledger_check()
                copy = Store(path)
                self.assertEqual(copy.sql("PRAGMA integrity_check"), [{"integrity_check": "ok"}])
                # Of one moment: the balance and the transfers agree.
                self.assertEqual(copy.balance(buyer.name), copy.sql(
                    "SELECT sum(CASE credit WHEN a.id THEN nano ELSE -nano END) AS sum"
                    " FROM transfer JOIN account a ON a.id IN (debit, credit) WHERE a.name = ?",
                    buyer.name)[0]["sum"])
        finally:
            stop.set()
            thread.join()
        with self.assertRaises(station.CliError):
            self.station.cli("backup", path, "--json")      # it is there already

    def test_lists_are_in_the_order_of_creation(self):
        names = [self.customer().name for _ in range(3)]
        rows = self.station.cli("account", "list", "--json")["accounts"]
        accounts = [row["account"] for row in rows]
        self.assertEqual(accounts[0], "owner")
        self.assertEqual(accounts[-3:], names)
        keys = self.station.cli("key", "list", "--json")["keys"]
        self.assertEqual([row["account"] for row in keys[-3:]], names)


class Stopping(unittest.TestCase):
    """The program without a configuration: its simulator lives in the same process."""

    def test_streams_end_and_a_second_signal_ends_them(self):
        if not station.available():
            self.skipTest("no station to test")
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        for signals, whole in ((1, True), (2, False)):
            with tempfile.TemporaryDirectory() as folder:
                program = subprocess.Popen([station.PROGRAM, "serve"], cwd=folder, env=environment,
                                           stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                           stdout=subprocess.DEVNULL, text=True)
                self.addCleanup(program.stderr.close)
                try:
                    self.stop_while_it_streams(program, folder, signals, whole)
                finally:
                    program.kill()
                    program.wait()

    def said(self, program, words):
        """Reads on in what the program says until a line has the words; False at its end."""
        return any(words in line for line in program.stderr)

    def stop_while_it_streams(self, program, folder, signals, whole):
        if not self.said(program, "try:"):
            self.skipTest("port 8080 is taken on this machine")
        with open(os.path.join(folder, "data/owner.key"), encoding="utf-8") as file:
            key = file.read().strip()
        # The one ends soon, the other not while anybody waits for it.
        words = b"tokens=30 delay=30ms" if whole else b"tokens=3000 delay=60ms"
        body = (b'{"model":"sim-small","stream":true,"messages":[{"role":"user",'
                b'"content":"sim: %s"}]}' % words)
        with Raw(8080) as raw:
            raw.request("POST", CHAT, [("Authorization", f"Bearer {key}"),
                                       ("Content-Type", "application/json")], body)
            answer = raw.head()
            self.assertTrue(raw.until(answer, b"data:"))
            for number in range(signals):
                program.send_signal(signal.SIGTERM)
                self.assertTrue(self.said(program, ("draining", "cut_off")[number]))
            while raw.step(answer):
                pass
        self.assertEqual(program.wait(PATIENCE_S), 0)
        self.assertEqual(answer.complete, whole)
        with contextlib.closing(sqlite3.connect(os.path.join(folder, "data/station.db"))) as db:
            ends = db.execute("SELECT end FROM request").fetchall()
            charges = db.execute("SELECT nano FROM charge WHERE nano > 0").fetchall()
        self.assertEqual(ends, [("complete",) if whole else ("station_stopped",)])
        self.assertEqual(len(charges), 1 if whole else 0)


if __name__ == "__main__":
    unittest.main()
