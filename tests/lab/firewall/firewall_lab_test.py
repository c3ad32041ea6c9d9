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
STORY = BY_NAME["eaten-answer"]


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
                    for one in {one.name: one for one in [*FAST, STORY]}.values()}
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
        wrong = {}
        for one in FAST:
            result = judge.judge(one, self.folder / one.name, self.folder / one.name)
            if result.wrong:
                # A machine that stood still meanwhile makes delays and doubts of its own.
                again = self.folder / "again" / one.name
                again.parent.mkdir(exist_ok=True)
                error, *_ = firewall_lab.happen(one.name, again)
                self.assertFalse(error, one.name)
                result = judge.judge(one, again, again)
            if result.wrong:
                wrong[one.name] = result.wrong
        self.assertEqual({}, wrong)

    def test_an_oracle_is_right_and_a_liar_is_found_out(self):
        scenario, folder = BY_NAME["random-loss"], self.folder / "random-loss"
        truth = packets.Truth(folder)
        said = oracle(truth)
        self.assertEqual([], judge.wrongs(scenario, said))
        score = judge.count_packets(truth, said)
        self.assertEqual((score.visible, 0), (score.proven, len(score.false_proven)))
        self.assertEqual([], score.not_told)
        innocent = next(one.frame for one in truth.captured["outside"]
                        if one not in truth.entered_only["outside"])
        said.facts[0] = fact("outside", innocent)
        score = judge.count_packets(truth, said)
        self.assertEqual((1, 1), (len(score.false_proven), len(score.not_told)))


def fact(side, frame):
    return {"kind": "lost_between", "grade": "proven", "proof": "left_later",
            "way": "inward" if side == "outside" else "outward", "flow": {"sport": 0},
            "packet": {"seq": 0},
            "cites": [{"tap": side, "frame": frame, "part": "subject"}]}


def oracle(truth, **report):
    """What a program that knows the truth about lost packets would say."""
    facts = [fact(side, one.frame) for side, one in truth.visible_drops()]
    return judge.Said({"findings": [{"behaviour": "packet_dropped", "grade": "proven"}],
                       "confidence": {"doubts": [], "trust": "good"}, "parameters": [],
                       "policy": [], **report}, facts, 0, "")


class Judge(unittest.TestCase):
    def said(self, **report):
        return judge.Said({"findings": [], "confidence": {"doubts": [], "trust": "good"},
                           "parameters": [], "policy": [], **report}, [], 0, "")

    def test_a_finding_too_few_too_many_and_too_bold_is_wrong(self):
        clean, lossy, shy = (BY_NAME[name] for name in ("clean", "random-loss", "both-miss"))
        dropped = {"behaviour": "packet_dropped", "grade": "proven"}
        self.assertEqual([], judge.wrongs(clean, self.said()))
        self.assertEqual(["packet_dropped is not said"], judge.wrongs(lossy, self.said()))
        self.assertEqual(["packet_dropped is said (proven), though it is not so"],
                         judge.wrongs(clean, self.said(findings=[dropped])))
        self.assertIn("packet_dropped is said (proven), though it is not so",
                      judge.wrongs(shy, self.said(findings=[dropped])))

    def test_a_bracket_must_contain_the_truth(self):
        idle = BY_NAME["idle-timeout"]
        found = [{"behaviour": "idle_timeout", "grade": "proven"}]
        for low, high, right in ((1.6, 2.5, True), (None, 2.5, True), (2.1, 2.5, False),
                                 (1.0, 1.9, False), (None, None, False)):
            row = {"name": "idle_timeout", "low": low, "high": high}
            said = self.said(findings=found, parameters=[row])
            self.assertEqual(right, not judge.wrongs(idle, said), (low, high))

    def test_the_policys_rows_and_exit_code_must_be_those_expected(self):
        good = BY_NAME["policy-good"]
        found = [{"behaviour": name, "grade": "proven"} for name in good.expect]
        rows = [{"name": name, "result": result, "limits": []}
                for name, result in good.rows.items()]
        self.assertEqual([], judge.wrongs(good, self.said(findings=found, policy=rows)))
        rows[0]["result"] = "inconclusive"
        self.assertEqual(1, len(judge.wrongs(good, self.said(findings=found, policy=rows))))


if __name__ == "__main__":
    unittest.main()
