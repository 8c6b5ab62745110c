# SPDX-License-Identifier: Apache-2.0
"""Pages that are made of tables are current."""
import pathlib
import subprocess
import unittest

from tests.peer import station

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Docs(unittest.TestCase):
    def assert_current(self, page):
        program = pathlib.Path(station.PROGRAM).resolve().parent / f"{page}_doc"
        if not program.exists():
            self.skipTest(f"no {program}")
        made = subprocess.run([program], capture_output=True, check=True, text=True).stdout
        page = f"docs/{page}.md"
        self.assertEqual((ROOT / page).read_text(), made, f"{page} is old: make docs")

    def test_conversion_is_what_the_tables_say(self):
        self.assert_current("conversion")

    def test_the_policy_is_what_the_ends_say(self):
        self.assert_current("policy")

    def test_accounts_are_those_of_the_events(self):
        self.assert_current("accounts")


if __name__ == "__main__":
    unittest.main()
