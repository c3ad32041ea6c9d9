# SPDX-License-Identifier: BSD-3-Clause
"""Some of the firewall lab's scenarios in every test run: what two taps say of a real firewall is
exactly what it did. The whole lab is `scripts/lab firewall`."""
import concurrent.futures
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import firewall_lab  # noqa: E402
import judge  # noqa: E402
import packets  # noqa: E402
from firewall_lab import BY_NAME, SCENARIOS  # noqa: E402

FAST = [one for one in SCENARIOS if one.fast]


class Table(unittest.TestCase):
    def test_every_section_has_what_raises_it_and_what_nearly_does(self):
        self.assertEqual([], list(firewall_lab.uncovered()))

    def test_names_are_unique_and_sources_exist(self):
        self.assertEqual(len(SCENARIOS), len(BY_NAME))
        for one in SCENARIOS:
            self.assertTrue(bool(one.setup) + bool(one.simulator) + bool(one.of) == 1, one.name)
            self.assertIn(one.of or one.name, BY_NAME)


@unittest.skipIf(firewall_lab.cannot_run(), firewall_lab.cannot_run())
class FastLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="tapwitness-lab-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        with concurrent.futures.ProcessPoolExecutor(firewall_lab.JOBS) as pool:
            runs = {one.name: pool.submit(firewall_lab.happen, one.name, cls.folder / one.name)
                    for one in FAST}
            cls.errors = {name: run.result()[0] for name, run in runs.items()}

    def test_each_run_did_what_its_scenario_says(self):
        self.assertEqual({}, {name: text for name, text in self.errors.items() if text})

    def test_the_taps_lack_what_the_firewalls_log_has(self):
        truth = packets.Truth(self.folder / "random-loss")
        self.assertGreaterEqual(len(truth.dropped), BY_NAME["random-loss"].drops)
        truth.dropped.pop()
        with self.assertRaises(packets.TruthError):
            truth.check_log(packets.ALIKE, False)

    def test_the_answer_of_1010_bytes_enters_inside_and_never_leaves(self):
        truth = packets.Truth(self.folder / "eaten-answer")
        self.assertEqual({1010}, {one.payload for one in truth.entered_only["inside"]})
        self.assertFalse(any(one.payload == 1010 for one in truth.captured["outside"]))

    def test_each_gives_exactly_its_expected_findings(self):
        if judge.cannot_judge():
            self.skipTest(judge.cannot_judge())
        wrong = {}
        for one in FAST:
            result = judge.judge(one, self.folder / one.name, self.folder / one.name)
            if result.wrong:
                wrong[one.name] = result.wrong
        self.assertEqual({}, wrong)


if __name__ == "__main__":
    unittest.main()
