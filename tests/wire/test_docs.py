# SPDX-License-Identifier: Apache-2.0
"""Pages that are made of tables are current."""
import pathlib
import subprocess
import unittest

from tests.peer import station

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Docs(unittest.TestCase):
    def test_conversion_is_what_the_tables_say(self):
        program = pathlib.Path(station.PROGRAM).resolve().parent / "conversion_doc"
        if not program.exists():
            self.skipTest(f"no {program}")
        made = subprocess.run([program], capture_output=True, check=True, text=True).stdout
        page = (ROOT / "docs" / "conversion.md").read_text()
        self.assertEqual(page, made, "docs/conversion.md is old: make docs")
