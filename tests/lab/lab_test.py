# SPDX-License-Identifier: BSD-3-Clause
"""Some of the lab's scenarios in every test run: verdicts are true on Linux' own TCP. The whole lab
is `scripts/truth lab`."""
import collections
import pathlib
import tempfile
import unittest

import lab
import removal
import scenarios


@unittest.skipIf(lab.cannot_run(), lab.cannot_run())
class FastLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="tapwitness-lab-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.scores = {}
        for scenario in scenarios.SCENARIOS:
            if scenario.fast:
                _, cls.scores[scenario.name] = lab.happen(scenario, cls.folder / scenario.name)

    def rows(self, judgement):
        return [f"{name}: {row}" for name, score in self.scores.items() for row in score.rows
                if row.judgement == judgement]

    def test_no_proven_verdict_is_wrong(self):
        self.assertEqual([], self.rows("wrong proven"))

    def test_every_hole_and_every_repeat_has_its_event(self):
        self.assertEqual([], self.rows("not told"))

    def test_verdicts_are_right_as_often_as_promised(self):
        by_kind = collections.defaultdict(list)
        for scenario in scenarios.SCENARIOS:
            if scenario.fast:
                by_kind[scenario.kind] += self.scores[scenario.name].rows
        for kind, rows in by_kind.items():
            others = [str(row) for row in rows if row.judgement != "right"]
            self.assertGreaterEqual(lab.percent_right(rows), scenarios.GOALS[kind],
                                    "\n".join(others))

    def test_bytes_missed_by_the_capture_are_exact(self):
        for name, score in self.scores.items():
            self.assertTrue(score.missed_exact, f"{name}: {score.missed_told} told, "
                            f"{score.missed_least}..{score.missed_most} true")
        self.assertGreater(self.scores["mirror-loss"].missed_told, 0)

    def test_faults_happened(self):
        for scenario in scenarios.SCENARIOS:
            if scenario.fast and scenario.setup.faults:
                self.assertGreater(len(self.scores[scenario.name].rows), 10, scenario.name)

    def test_nothing_is_told_of_a_clean_run(self):
        self.assertEqual([], self.scores["clean"].rows)

    def test_acknowledged_segments_taken_out_are_missed_and_nothing_else(self):
        clean = self.folder / "clean"
        for seed in range(3):
            self.assertEqual("", removal.check(clean / "tap.pcap", clean, seed), f"seed {seed}")


if __name__ == "__main__":
    unittest.main()
