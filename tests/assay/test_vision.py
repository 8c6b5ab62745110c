# SPDX-License-Identifier: Apache-2.0
"""Pictures: whether they are what they should be and can be read by strangers, and what is made of
sellers that see, and of others, in all dialects."""
import base64
import os
import shutil
import subprocess
import tempfile
import unittest

from tests.assay import picture
from tests.assay.case import AssayCase
from tests.assay.driver import Driver, PROGRAM
from tests.assay.seller import Seller, pictures_of

DIALECTS = ("chat", "responses", "messages", "gemini")
SEEDS = range(1, 41)


@unittest.skipUnless(PROGRAM.exists(), f"no driver at {PROGRAM}")
class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        driver = Driver()
        cls.made = [driver.ask("picture", seed=seed) for seed in SEEDS]
        cls.again = driver.ask("picture", seed=SEEDS[0])
        driver.close()

    def test_they_are_small_and_show_what_they_should(self):
        for made in self.made:
            png = base64.b64decode(made["png"])
            self.assertLess(len(png), 4096)
            rows = picture.decode(png)
            self.assertEqual({len(row) for row in rows}, {384})
            self.assertEqual(len(rows), 96)
            self.assertEqual(picture.read(png), (made["digits"], made["colour"]))
        self.assertEqual({made["colour"] for made in self.made},
                         {"red", "green", "blue", "yellow"})
        self.assertEqual(set("".join(made["digits"] for made in self.made)), set("0123456789"))

    def test_chance_makes_them(self):
        self.assertEqual(self.again["png"], self.made[0]["png"])
        self.assertEqual(len({made["png"] for made in self.made}), len(SEEDS))
        self.assertEqual(len({made["digits"] for made in self.made}), len(SEEDS))

    @unittest.skipUnless(shutil.which("tesseract"), "tesseract is not here (tools/setup test)")
    def test_a_stranger_reads_them(self):
        """A program that was made for print reads nine of ten, and the noise is no figure."""
        right = 0
        with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
            for made in self.made:
                path = os.path.join(folder, made["digits"] + ".png")
                with open(path, "wb") as file:
                    file.write(base64.b64decode(made["png"]))
                read = subprocess.run(
                    ["tesseract", path, "-", "--psm", "7", "-c",
                     "tessedit_char_whitelist=0123456789"], capture_output=True, text=True,
                    check=True, timeout=60, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
                right += made["digits"] in read.stdout
        self.assertGreaterEqual(right, 0.8 * len(self.made))


class Sight(AssayCase):
    def of(self, *options, model="gpt-4o", profile="standard", only="tokens,settings,vision",
           **kind):
        with Seller(**kind) as s:
            done = self.assay(s.base, "--concurrency", "4", *options, model=model, profile=profile,
                              only=only)
            self.pictures = [p for _, _, body in s.requests for p in pictures_of(body)]
        found = [f for f in done.claim("features")["findings"] if f["probe"] == "vision"]
        self.assertLessEqual(len(found), 1)
        return done, found[0] if found else None

    def test_who_sees_in_each_dialect(self):
        for dialect in DIALECTS:
            done, found = self.of("--dialect", dialect, only=None)
            self.assertEqual((done.status, found["state"]), (0, "consistent"), (dialect, found))
            self.assertEqual(found["numbers"], {"pictures": 3, "read": 3, "colours": 3,
                                                "picture_tokens": 255, "formula": 255})
            self.assertIn("another model", found["would_miss"])
            self.assertEqual(len(self.pictures), 3)
            self.assertEqual(len({picture.read(p)[0] for p in self.pictures}), 3)

    def test_deep_shows_more(self):
        self.assertEqual(self.of(profile="deep", only="vision")[1]["numbers"]["read"], 5)

    def test_who_does_not_see_is_not_accused(self):
        said = {"blind": "0 were refused, and of 3 nothing was seen",
                "refuses": "3 were refused, and of 0 nothing was seen",
                "misreads": "0 were read to the digit", "drops": "0 were read to the digit",
                "text": "3 were read to the digit, 0 of them with their colour"}
        for i, (sight, words) in enumerate(said.items()):
            for dialect in DIALECTS if sight == "refuses" else DIALECTS[i % 4:][:1]:
                done, found = self.of("--dialect", dialect, sight=sight)
                self.assertEqual((done.status, found["state"]), (0, "inconclusive"), (sight, found))
                self.assertIn(words, found["text"])
                self.assertEqual(done.states()["features"], "inconclusive")
                self.assertTrue(found["benign"])

    def test_a_model_that_nobody_says_can_see(self):
        for sight in ("blind", "refuses"):
            done, found = self.of(model="deepseek-v3", family="deepseek3", sight=sight)
            self.assertEqual(found["state"], "not testable", found)
            self.assertEqual(done.states()["features"], "consistent")

    def test_a_price_of_a_picture(self):
        _, found = self.of(picture_tokens=1105)
        self.assertIn("billed 1105 tokens of input beyond its text; the vendor's published formula "
                      "gives 255.", found["text"])
        _, found = self.of(model="vendor/gemini-2.5-flash", family="gemma3", picture_tokens=258)
        self.assertEqual(found["numbers"]["formula"], 258)
        _, found = self.of(silent=True)
        self.assertNotIn("picture_tokens", found["numbers"])

    def test_a_formula_is_of_one_version(self):
        """Nobody looked at that of a later one; a name's case says nothing."""
        for model, formula in (("GPT-4o", 255), ("gpt-4o-2024-11-20", 255), ("gpt-5", 210),
                               ("gpt-5.6-sol", None), ("gpt-4o1ive", None), ("o3", 225),
                               ("o3ver", None), ("Claude-3-5-sonnet", 50)):
            _, found = self.of("--only", "vision", "--dialect", "chat", model=model)
            self.assertEqual(found["numbers"].get("formula"), formula, model)

    def test_failures_that_do_not_speak_of_pictures_say_nothing(self):
        def before(_number, _path, _headers, body):
            return (400, {"error": {"message": "too long"}}) if pictures_of(body) else None
        self.assertIsNone(self.of(before=before)[1])


if __name__ == "__main__":
    unittest.main()
