# SPDX-License-Identifier: Apache-2.0
"""The report as a page: what it draws, that it loads and runs nothing, and how wide it is."""
import html.parser
import json
import os
import re
import subprocess
import unittest

from tests.assay.case import AssayCase
from tests.assay.seller import Seller
from tests.assay.test_answers import MODEL, OTHER
from tests.browser.webdriver import Browser, available
from tests.peer import station

ALONE = {"meta", "br", "line", "path", "circle", "rect"}
NASTY = "<script>alert('1')</script><img src=//x.example> & \"q\" \u202e\u2066\x1b[31m\x9b"


class Page(html.parser.HTMLParser):
    """The elements that are open, and all that was seen; a tag that does not fit is an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.figures, self.text = [], [], {}, ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "figure":
            self.figures[len(self.figures)] = []
        if "figure" in self.open:
            self.figures[len(self.figures) - 1].append((tag, dict(attrs)))
        if tag not in ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def count(self, tag, name):
        return sum(t == tag and a.get("class") == name for t, a in self.tags)


class Html(AssayCase):
    def page(self, url, *options, **more):
        path = os.path.join(self.folder, f"{self.runs}.html")
        done = self.assay(url, "--html", path, *options, **more)
        with open(path, "rb") as f:
            raw = f.read()
        return done, raw, Page(raw.decode())

    def recomputed(self, done):
        path = os.path.join(self.folder, "again.html")
        subprocess.run([station.PROGRAM, "assay", "--recompute",
                        os.path.join(done.folder, "evidence"), "--html", path],
                       capture_output=True, timeout=60, check=False)
        with open(path, "rb") as f:
            return f.read()

    def standard(self, **more):
        with Seller(choices=MODEL, mix=1.0, others=OTHER, hidden=300, pause=0.005, **more) as s, \
                Seller(choices=MODEL) as r:
            return self.page(s.base, "--concurrency", "4", profile="standard", reference=r.base)

    def test_it_says_what_the_other_report_says(self):
        done, raw, page = self.standard()
        self.assertEqual(raw, self.recomputed(done))
        text = " ".join(page.text.split())
        for claim in done.report["claims"]:
            self.assertIn(claim["meaning"], text)
            for found in claim["findings"]:
                self.assertIn(found["text"], text)
                if found["state"] != "consistent":
                    self.assertIn(found.get("benign", ""), text)
                if found["state"] != "inconsistent":
                    self.assertIn(found.get("would_miss", ""), text)
        self.assertIn("Something contradicts what is sold.", text)

    def test_drawings(self):
        done, raw, page = self.standard()
        tokens = [line for line in done.lines() if line.get("probe") == "tokens"]
        repeats = sum(line["cell"] != "none" for line in tokens if line["side"] == "target")
        nothing = sum(line["cell"] == "none" for line in tokens if line["side"] == "target")
        self.assertEqual(page.count("circle", "h"), repeats + 7 * nothing, "a point a call")
        self.assertEqual(page.count("circle", "o"), repeats + 7 * nothing, "of the reference, too")
        self.assertEqual((page.count("line", "lh"), page.count("line", "lt")), (7, 7))
        for n in (12, 17, 20, 8):
            self.assertIn(f"{n}.0 tokens each", page.text)
            self.assertIn(f"reference: {n}.0", page.text)
        answers = [line for line in done.lines() if line.get("probe") == "answers"]
        coins = [line for line in answers if line["cell"] == "coin" and line["side"] == "target"]
        self.assertEqual(len(coins), 25)
        self.assertIn("heads", page.text)
        self.assertIn("prompt 1", page.text)
        self.assertEqual(page.text.count("time 2: "), 3)
        self.assertEqual(page.text.count("first after "), 3)
        self.assertEqual(len(page.figures), 4)

    def test_bars_are_as_long_as_their_counts(self):
        with Seller(choices={**MODEL, "coin": [("Heads", 1)]}) as s, \
                Seller(choices={**MODEL, "coin": [("Tails", 1)]}) as r:
            done, raw, page = self.page(s.base, "--concurrency", "4", profile="standard",
                                        reference=r.base)
        coin = re.search(r">coin</text>(.*?)</svg>", raw.decode(), re.DOTALL)[1]
        bars = re.findall(r'class="([ht])" x="\d+" y="\d+" width="([\d.]+)"', coin)
        longest = max(float(width) for _, width in bars)
        self.assertEqual([(side, float(width) / longest) for side, width in bars],
                         [("h", 1.0), ("t", 0.0), ("h", 0.0), ("t", 1.0)])

    def test_bars_are_what_was_tested(self):
        """Long answers are one by their beginning, and a question of few answers is left out."""
        long = "a" * 60
        with Seller(choices={**MODEL, "coin": [(long + "1", 1), (long + "2", 1)]}) as s, \
                Seller(choices=MODEL) as r:
            done = self.assay(s.base, "--concurrency", "4", profile="standard", reference=r.base)
        path = os.path.join(done.folder, "evidence", "calls.jsonl")
        lines = [line for line in done.lines() if line.get("probe") != "answers"
                 or line["cell"] != "city" or line["k"] < 5]
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        page = os.path.join(done.folder, "again.html")
        again = subprocess.run(
            [station.PROGRAM, "assay", "--recompute", os.path.dirname(path), "--html", page],
            capture_output=True, text=True, timeout=60)
        self.assertIn("Short answers to 3 questions (75 here, 75 at the reference)",
                      " ".join(again.stdout.split()))
        with open(page, encoding="utf-8") as file:
            figure = re.search(r"<figure>(?:(?!<figure>).)*?>coin</text>.*?</figure>", file.read(),
                               re.DOTALL)[0]
        self.assertEqual(figure.count("<svg"), 3)
        self.assertNotIn(">city</text>", figure)
        coin = re.search(r">coin</text>(.*?)</svg>", figure, re.DOTALL)[1]
        counts = [int(n) for n in re.findall(r'font-size="9">(\d+)<', coin)]
        self.assertEqual((sum(counts), counts.count(25)), (50, 1), "both beginnings are one bar")

    def test_the_expected_line_without_a_reference(self):
        with Seller(family="qwen3") as s:
            done, raw, page = self.page(s.base)
        self.assertIn("33.0 tokens each", page.text)
        self.assertIn("o200k: 12", page.text)
        self.assertEqual(len(page.figures), 1, "the rest was not asked")

    def test_a_run_without_counts_draws_nothing_of_them(self):
        with Seller(silent=True) as s:
            done, raw, page = self.page(s.base)
        self.assertEqual(page.figures, {})

    def test_what_was_said_is_text(self):
        with Seller(answer=NASTY, choices={"coin": [(NASTY, 1)]}) as s, \
                Seller(choices={"coin": [(NASTY, 1)]}) as r:
            done, raw, page = self.page(s.base, "--concurrency", "4", profile="standard",
                                        reference=r.base)
        self.assertIn("<script>alert('1')", page.text)
        self.assertFalse({"script", "img", "link", "iframe", "object"}
                         & {tag for tag, _ in page.tags})
        for tag, attributes in page.tags:
            for name, value in attributes.items():
                self.assertFalse(name.startswith("on") or name in ("src", "style", "data"), name)
                if name == "href":
                    self.assertTrue(value.startswith("#"), value)
        self.assertNotIn("url(", raw.decode())
        self.assertNotIn("@import", raw.decode())
        self.assertFalse(set("\u202e\u2066\x1b\x9b") & set(raw.decode()))

    def test_evidence_of_somebody_who_plays_tricks(self):
        lines = [{"assay": 1, "version": "9", "seed": 1, "started_us": 1, "profile": NASTY,
                  "target": {"url": NASTY, "model": NASTY},
                  "reference": {"url": NASTY, "model": NASTY}}]
        for i, arrivals in enumerate(([], [["x"]], [[2**63, 1], [1, 1], []], {"0": 1})):
            lines.append({"seq": i, "status": 200, "dialect": "chat", "probe": "stream",
                          "cell": "story", "side": "target", "k": i, "arrivals": arrivals,
                          "body": 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'})
        usage = {"prompt_tokens": 2**62, "completion_tokens": 1,
                 "prompt_tokens_details": {"cached_tokens": 2**62}}
        for k in (0, 7, 8, 2**60):
            lines.append({"seq": k, "status": 200, "dialect": "chat", "probe": "cache",
                          "cell": NASTY, "side": "target", "k": k,
                          "body": json.dumps({"choices": [], "usage": usage})})
            lines.append({"seq": k, "status": 200, "dialect": "chat", "probe": "tokens",
                          "cell": "th", "side": "target", "k": k,
                          "body": json.dumps({"choices": [], "usage": usage})})
        lines.append({"end": NASTY})
        evidence = os.path.join(self.folder, "calls.jsonl")
        with open(evidence, "w", encoding="utf-8") as f:
            f.write("\n".join(json.dumps(line) for line in lines))
        path = os.path.join(self.folder, "page.html")
        done = subprocess.run([station.PROGRAM, "assay", "--recompute", self.folder,
                               "--html", path], text=True, capture_output=True, timeout=60)
        self.assertIn(done.returncode, (0, 2, 3), done.stderr)
        with open(path, encoding="utf-8") as f:
            page = Page(f.read())
        self.assertFalse({"script", "img"} & {tag for tag, _ in page.tags})
        self.assertIn("<script>alert('1')", page.text)
        for _, attributes in page.tags:
            for value in attributes.values():
                self.assertNotRegex(value or "", r"\b(nan|inf)\b")

    def test_to_standard_output(self):
        with Seller() as s:
            done = self.assay(s.base, "--html", "-")
        self.assertTrue(done.out.startswith("<!doctype html>"), done.out[:80])
        self.assertTrue(done.out.endswith("</html>\n"), done.out[-80:])

    @unittest.skipUnless(available(), "chromium and chromedriver are not installed")
    def test_in_a_browser(self):
        """Nothing stands out of a telephone's width, and both colour schemes can be read."""
        self.standard()
        browser = Browser()
        self.addCleanup(browser.close)
        browser.go("file://" + os.path.join(self.folder, "0.html"))
        seen = set()
        for scheme in ("light", "dark"):
            browser.devtools("Emulation.setEmulatedMedia",
                             features=[{"name": "prefers-color-scheme", "value": scheme}])
            for width in (360, 1100):
                browser.narrow(width, 900)
                wide = browser.script("return document.documentElement.scrollWidth")
                self.assertLessEqual(wide, width)
                if os.environ.get("ENTREPOT_SCREENSHOT"):
                    browser.screenshot(f"{os.environ['ENTREPOT_SCREENSHOT']}{scheme}{width}.png")
            seen.add(browser.script("""const s = getComputedStyle(document.body);
                return s.color + s.backgroundColor;"""))
        self.assertEqual(len(seen), 2)
        out = browser.script("""return [...document.querySelectorAll("svg text")].filter(t => {
            const b = t.getBoundingClientRect(), s = t.ownerSVGElement.getBoundingClientRect();
            return b.left < s.left - 1 || b.right > s.right + 1 || b.bottom > s.bottom + 1;
        }).map(t => t.textContent)""")
        self.assertEqual(out, [], "words that are cut off by their drawing")


if __name__ == "__main__":
    unittest.main()
