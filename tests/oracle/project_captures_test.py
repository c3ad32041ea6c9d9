# SPDX-License-Identifier: BSD-3-Clause
"""The project's own captures: tapwitness and tshark agree on every frame and connection, and the
stories give exactly the flags that tshark 4.0.17 printed when they were written."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import captures
import comparison
import product
from tshark import FLAGS, Tshark

SOURCE = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("TAPWITNESS_BUILD", SOURCE / "build"))
FOLDER = SOURCE / "tests" / "captures"

EXPECTED = {
    "story-firewall.pcap": {6: "lost_segment", 7: "duplicate_ack", 10: "retransmission"},
    "story-fin-overshoot.pcap": {8: "lost_segment", 9: "duplicate_ack", 10: "retransmission",
                                 11: "duplicate_ack"},
}


def texts(masks):
    return {frame: comparison.names(mask) for frame, mask in masks.items()}


class ProjectCaptures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tshark = Tshark(cache=captures.cache_folder())
        cls.files = captures.find([FOLDER])

    def test_every_frame_and_connection_equals_tshark(self):
        self.assertGreater(len(self.files), 10)
        for path in self.files:
            with self.subTest(path.name):
                result = comparison.compare(self.tshark, product.default_binary(), path,
                                            with_flows=True)
                self.assertEqual([str(d) for d in result.differences] + result.failures, [])
                self.assertFalse(result.unreadable)
                self.assertFalse(result.foreign)

    def test_each_flag_is_in_one_of_them(self):
        seen = comparison.Result()
        for path in self.files:
            seen.add(comparison.compare(self.tshark, product.default_binary(), path))
        missing = [name for index, name in enumerate(FLAGS) if seen.both[index] == 0]
        self.assertEqual(missing, [])

    def test_stories_give_their_flags(self):
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                by_tshark = {answer.frame: answer.mask
                             for answer in self.tshark.answers(FOLDER / name, []) if answer.mask}
                self.assertEqual(texts(by_tshark), expected)
                reading = product.read(product.default_binary(), FOLDER / name)
                self.assertEqual(texts(reading.masks), expected)

    def test_files_are_what_make_captures_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([BUILD / "tests" / "support" / "make_captures", folder], check=True)
            written = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
        committed = {path.name: path.read_bytes() for path in self.files}
        self.assertEqual(sorted(written), sorted(committed))
        for name, data in written.items():
            self.assertEqual(data, committed[name], name)


if __name__ == "__main__":
    unittest.main()
