# SPDX-License-Identifier: BSD-3-Clause
"""189 crafted captures, one question each, with tshark 4.0.17's recorded answer for every frame.
They lie beside the project; without them the test is skipped, visibly."""

import unittest
from decimal import Decimal

import captures
import comparison
import product
from tshark import FLAG_BIT, Tshark

FOLDER = captures.shared_folder()


def rows(name):
    lines = (FOLDER / "wireshark-cases" / name).read_text().splitlines()
    header = lines[0].split("\t")
    return [dict(zip(header, line.split("\t"))) for line in lines[1:]]


def mask_of(text):
    # tfo_* are no sequence flags: Fast Open is not judged.
    return sum(FLAG_BIT[name] for name in text.split(",") if name and not name.startswith("tfo_"))


@unittest.skipUnless(FOLDER, "the captures beside the project are not there (shared/captures)")
class WiresharkCases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.index = rows("index.tsv")
        cls.expected = {}
        for row in rows("expected.tsv"):
            cls.expected.setdefault(row["case"], []).append(row)

    def test_all_cases_are_there(self):
        self.assertEqual(len(self.index), 189)
        self.assertEqual(len(self.expected), 189)

    def test_frames_equal_the_recorded_answers(self):
        for entry in self.index:
            if entry["tshark_options"]:
                continue  # recorded for other preferences: compared with tshark below
            with self.subTest(entry["file"], about=entry["about"]):
                self.check_recorded(entry["file"])

    def check_recorded(self, file):
        path = FOLDER / "wireshark-cases" / file
        reading = product.read(product.default_binary(), path, with_flows=True)
        recorded = self.expected[file.rsplit(".", 1)[0]]
        for row in recorded:
            frame = int(row["frame"])
            self.assertEqual(comparison.names(reading.masks.get(frame, 0)),
                             comparison.names(mask_of(row["flags"])), f"frame {frame}")
        streams = 1 + max(int(row["stream"]) for row in recorded if row["stream"])
        self.assertEqual(len(reading.flows), streams, "streams")
        for row in recorded:
            if row["irtt"]:
                self.assertEqual(reading.flows[int(row["stream"])]["initial_rtt"],
                                 Decimal(row["irtt"]), f"initial RTT, frame {row['frame']}")

    def test_every_case_equals_the_installed_tshark(self):
        # With our preferences, for all frames (expected.tsv leaves some out), with completeness.
        tshark = Tshark(cache=captures.cache_folder())
        for entry in self.index:
            with self.subTest(entry["file"], about=entry["about"]):
                result = comparison.compare(tshark, product.default_binary(),
                                            FOLDER / "wireshark-cases" / entry["file"],
                                            with_flows=True)
                self.assertEqual([str(d) for d in result.differences] + result.failures, [])


if __name__ == "__main__":
    unittest.main()
