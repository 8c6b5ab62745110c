# SPDX-License-Identifier: Apache-2.0
"""Every recorded case, request and answer through each pair of dialects that is converted."""
import os
import unittest

from tests.convert import pairs
from tests.peer import cases, spec, station

TIME_LIMIT_S = 300

# The pairs (client, upstream) that are sold. One that is not refuses by name.
SWITCHED_ON = pairs.PAIRS
SHOWN = 25      # faults of a pair in a failure's text
# Rules that the station does not keep yet; judged where ENTREPOT_STRICT is set.
WAITING = () if os.environ.get("ENTREPOT_STRICT") else ("citations lost", "images lost")


def setUpModule():
    if not station.available():
        raise unittest.SkipTest(f"no station to test at {station.PROGRAM} (set ENTREPOT)")
    if not spec.available():
        raise unittest.SkipTest(spec.ABSENT)
    if not cases.available():
        raise unittest.SkipTest(cases.ABSENT)


class CasesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.bench = cls.enterClassContext(pairs.bench())

    def judge(self, client, upstream):
        results = list(pairs.all_results(self.bench, client, upstream))
        lines = [line for result in results for line in result.lines()
                 if not any(rule in line for rule in WAITING)]
        self.assertEqual(lines, [], f"{len(lines)} faults:\n" + "\n".join(lines[:SHOWN]))
        kept = sum(r.verdict in (pairs.PASS, pairs.LOSSY) for r in results)
        self.assertGreater(kept, len(results) // 2, "more is refused than converted")

    def test_pairs_are_as_the_table_says(self):
        for client, upstream in pairs.PAIRS:
            result, _ = pairs.judge_one(self.bench, client, upstream, "hello",
                                        pairs.HELLO[client])
            expected = [pairs.PASS, pairs.LOSSY] if (client, upstream) in SWITCHED_ON \
                else [pairs.OFF]
            self.assertIn(result.verdict, expected, (client, upstream, result.lines()))


def _add(client, upstream):
    def test(self):
        self.judge(client, upstream)
    setattr(CasesTest, f"test_{client}_to_{upstream}", test)


for _client, _upstream in SWITCHED_ON:
    _add(_client, _upstream)

if __name__ == "__main__":
    unittest.main()
