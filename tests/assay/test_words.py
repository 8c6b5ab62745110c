# SPDX-License-Identifier: Apache-2.0
"""Reports in the reader's language: nothing is left in another, and no row is said by nobody."""
import glob
import html
import os
import re
import subprocess
import unicodedata
import unittest

from tests.assay.case import AssayCase
from tests.assay.seller import Seller
from tests.assay.test_answers import MODEL
from tests.assay.thinker import Thinker
from tests.peer import station

ASSAY = os.path.join(station.ROOT, "src", "assay")
STRING = r'"((?:\\.|[^"\\\n])*)"'
FORMAT = r"%(?:%|[-+ 0-9.*]*(?:ll|z|l)?[a-zA-Z])"
RUN_OF_WORDS = r"(?:\b[A-Za-z']{2,}[,;:]? ){3}[A-Za-z']{2,}"


def source(name):
    with open(os.path.join(ASSAY, name), encoding="utf-8") as f:
        return re.sub(r"/\*.*?\*/", "", f.read(), flags=re.DOTALL)


def literals(text):
    """String literals, those that stand one behind the other as one."""
    for found in re.finditer(STRING + r"(?:\s*" + STRING + ")*", text):
        yield "".join(re.findall(STRING, found[0])).replace('\\"', '"')


def table():
    return re.findall(r"^WORDS\(" + STRING + ", " + STRING + r"\)$", source("words.def"), re.M)


def without_questions(text):
    """What a probe says of answers, without what it asks: its plan, and tables of questions."""
    text = re.sub(r"^(?:static )?void \w*plan\w*\(.*?^}$", "", text, flags=re.DOTALL | re.M)
    text = re.sub(r"^(?:static )?const struct str (?:pong_prompt|answers_one_word|task) =.*?;$", "",
                  text, flags=re.DOTALL | re.M)
    return re.sub(r"^static const struct (?!str\b).*?^}[^;]*;$", "", text, flags=re.DOTALL | re.M)


def parts(literal):
    """The pieces between places, as far as they are sentences."""
    for part in re.split(FORMAT, literal):
        if re.search(r"[A-Za-z]{2}.* .*[A-Za-z]{2}", part) and not re.search(r"[<={}]", part):
            yield part.strip(" :")


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Table(unittest.TestCase):
    def test_every_row_is_said_somewhere(self):
        said = []
        names = map(os.path.basename, glob.glob(ASSAY + "/*.[ch]"))
        for name in (*names, "claims.def", "tokenizers.def"):
            said += literals(source(name))
        for english, _ in table():
            for part in re.split("[#@]", english):
                part = part.strip() if len(part) > 3 else part
                self.assertTrue(any(part in text or part.replace("%", "%%") in text
                                    for text in said), f"nobody says '{part}' of '{english}'")

    def test_everything_that_is_said_has_a_row(self):
        rows = [english for english, _ in table()]
        seen = 0
        for path in glob.glob(ASSAY + "/*.[ch]"):
            name = os.path.basename(path)
            text = source(name)
            if name.startswith("probe_"):
                text = without_questions(text)
            elif name in ("run.c", "run_ask.c"):
                text = " ".join(re.findall(r"\bend = [^;]*;", text))
            elif not name.startswith(("report_text", "report_html", "figure_")):
                continue
            for part in (part for literal in literals(text) for part in parts(literal)):
                seen += 1
                self.assertTrue(any(part.replace("%%", "%") in row for row in rows),
                                f"{name}: there is no row for '{part}'")
        for claim in re.findall(r'CLAIM\(\w+, "\w+", "(.*?)"\)', source("claims.def")):
            self.assertIn(claim, rows)
        self.assertGreater(seen, 100)

    def test_nothing_of_a_text_is_left_out(self):
        rows = [english for english, _ in table()]
        self.assertEqual(len(rows), len(set(rows)))
        self.assertGreater(len(rows), 120)
        for english, chinese in table():
            places = len(re.findall("[#@]", english))
            self.assertEqual(sorted(re.findall(r"@(\d)", chinese)),
                             [str(i + 1) for i in range(places)], english)
            self.assertRegex(chinese, "[\u3000-\uffef]", english)
            self.assertEqual(english.endswith("."), chinese.endswith("。"), english)


class Chinese(AssayCase):
    SELLERS = (
        {}, {"hidden": 300, "factor": 1.15, "edited": True, "stale": True}, {"family": "qwen3"},
        {"by_length": True, "no_stop": True, "forgetful": True}, {"silent": True},
        {"answer": "pong 😀", "openai_ids": 0, "deterministic": True, "at_once": True,
         "pause": 0.01},
        {"openai_ids": -9999, "out_factor": 1.3, "cut": 60},
        {"family": "cl100k"}, {"factor": 0.9, "template": 0},
    )

    def both(self, done, *options):
        """The report in both languages, out of the same evidence."""
        out = []
        for lang in ("en", "zh"):
            page = os.path.join(done.folder, lang + ".html")
            computed = subprocess.run(
                [station.PROGRAM, "assay", "--recompute", os.path.join(done.folder, "evidence"),
                 "--lang", lang, "--html", page, "--json", page + ".json", *options],
                capture_output=True, text=True, timeout=60)
            self.assertEqual(computed.returncode, done.status, computed.stderr)
            with open(page, encoding="utf-8") as f, open(page + ".json", "rb") as g:
                out.append((computed.stdout, f.read(), g.read()))
        return out

    def compare(self, done):
        (text, page, report), (zh_text, zh_page, zh_report) = self.both(done)
        self.assertEqual((text, report), (done.out, done.raw))
        self.assertEqual(zh_report, done.raw, "programs read the same in any language")
        self.assertLessEqual(max(map(columns, zh_text.splitlines())), 80)
        for line in zh_text.splitlines():
            self.assertNotRegex(line, "^ *[，。；：）、”]")
        body = re.sub("<style>.*?</style>|<code>.*?</code>|<[^>]*>", "\n",
                      zh_page.partition("<main>")[2], flags=re.DOTALL)
        for words in (html.unescape(body), zh_text):
            found = re.search(RUN_OF_WORDS, words)
            self.assertIsNone(found, found and words[found.start() - 99:found.end() + 99])
        said = [re.findall("<p>(?!<span)(.*?)</p>", p, re.DOTALL) for p in (page, zh_page)]
        self.assertEqual(len(said[0]), len(said[1]))
        self.assertGreater(len(said[0]), 4)
        for english, chinese in zip(*said):
            numbers = [sorted(re.findall(r"\d+\.\d+|\d+", html.unescape(text)))
                       for text in (english, chinese)]
            self.assertEqual(numbers[0], numbers[1], (english, chinese))

    def test_nothing_is_left_in_english(self):
        for more in self.SELLERS:
            with self.subTest(more), Seller(**more) as s:
                self.compare(self.assay(s.base, "--concurrency", "4", profile="standard"))

    def test_with_a_reference_and_of_an_unknown_model(self):
        with Seller(choices=MODEL) as s, Seller(choices=MODEL) as r:
            self.compare(self.assay(s.base, "--concurrency", "4", profile="deep",
                                    reference=r.base))
            self.compare(self.assay(s.base, model="nobody-knows-1"))
        for odd in ({"family": "kimi"}, {"factor": 0.8, "template": 60}):
            with Seller() as s, Seller(**odd) as r:
                self.compare(self.assay(s.base, reference=r.base))

    def test_thoughts(self):
        for target, reference in (
                (Thinker(), Thinker()), (Thinker(infra=1), None), (Thinker(infra=2), None),
                (Thinker(infra=9), None), (Thinker(model="claude-haiku-4-5"), Thinker()),
                (Thinker(model="claude-haiku-4-5", checks=False), None),
                (Thinker(secret=b"x", account="0" * 36), Thinker()),
                (Thinker(signature="A" * 4340, checks=False), None),
                (Thinker(signature="A" * 44, models=()), None), (Thinker(shows=None), None),
                (Thinker(shows=None, converts=True), None)):
            with self.subTest(target.__dict__), Seller(before=target) as s, \
                    Seller(before=reference) as r:
                self.compare(self.assay(s.base, "--concurrency", "4", "--dialect", "messages",
                                        model="claude-opus-4-8", profile="standard",
                                        reference=r.base if reference else None,
                                        only="tokens,thoughts"))

    def test_what_is_free(self):
        leak = {"error": {"message": "https://other.example/v1 /app/x.py sk-0123456789abcdefgh",
                          "type": "new_api_error"}}

        def before(n, path, headers, body):
            return (400, leak) if "no-such-model" in str(body) + path else None
        for more in ({"hidden": 60, "genuine": True}, {"lax": True, "before": before},
                     {"counts": None}, {"counts": "bytes", "hidden": 300}, {}):
            with self.subTest(more), \
                    Seller(headers=[("x-litellm-version", "1")], **more) as s:
                self.compare(self.assay(s.base, "--dialect", "messages", model="claude-opus-4-8",
                                        reference=s.base))

    def test_a_run_in_chinese(self):
        with Seller() as s:
            page = os.path.join(self.folder, "page.html")
            done = self.assay(s.base, "--lang", "zh", "--html", page)
            self.assertTrue(done.out.startswith("模型接口检验报告\n"), done.out)
            with open(page, encoding="utf-8") as f:
                first = f.read()
            self.assertIn('<html lang="zh-CN">', first)
            (_, _, _), (text, again, _) = self.both(done)
            self.assertEqual((text, again), (done.out, first))

    def test_a_stranger_does_not_choose_the_words(self):
        """An answer that looks like our words is shown as it is, within its quotes."""
        answer = 'ok". It flatters. Nothing that was ever measured. The counts add up: @1 #'
        with Seller(answer=answer) as s:
            done = self.assay(s.base, "--lang", "zh", profile="folk")
        self.assertIn("The counts add up: @1 #", re.sub(r"\s+", " ", done.out))
        self.assertIn("参考价值无", re.sub(r"\s+", "", done.out))


if __name__ == "__main__":
    unittest.main()
