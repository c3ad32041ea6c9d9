# SPDX-License-Identifier: BSD-3-Clause
"""Captures of the simulator: flags and connections are tshark's, packet for packet, and its frames
are well-formed: lengths, checksums, options."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import captures
import comparison
import product
from tshark import Tshark

SOURCE = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("TAPWITNESS_BUILD", SOURCE / "build"))
SIMULATOR = BUILD / "tests" / "simulation" / "truth_sim"
# One of each profile, and some more of the mixtures.
SEEDS = range(2001, 2061 if os.environ.get("TAPWITNESS_FULL") else 2026)


class Simulation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tapwitness-simulation-")
        self.addCleanup(folder.cleanup)
        self.capture = Path(folder.name, "simulated.pcap")

    def play(self, seed):
        done = subprocess.run([SIMULATOR, "--seed", str(seed), "--pcap", self.capture],
                              stdout=subprocess.DEVNULL)
        # Verdicts are judged elsewhere: 1 means that one of them was wrong.
        self.assertIn(done.returncode, (0, 1), f"seed {seed}")

    def test_flags_are_those_of_tshark(self):
        tshark = Tshark(cache=captures.cache_folder())
        frames = 0
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.play(seed)
                result = comparison.compare(tshark, product.default_binary(), self.capture,
                                            with_flows=True)
                self.assertEqual([], [str(d) for d in result.differences] + result.failures)
                frames += result.compared
        self.assertGreater(frames, 3000)

    def test_checksums_and_lengths_are_right(self):
        right = "tcp.checksum.status == 1 && (ipv6 || ip.checksum.status == 1)"
        for seed in (2009, 2014):
            with self.subTest(seed=seed):
                self.play(seed)
                count = []
                for filter_text in ("tcp", right):
                    done = subprocess.run(
                        ["tshark", "-n", "-r", self.capture, "-o", "tcp.check_checksum:TRUE", "-o",
                         "ip.check_checksum:TRUE", "-Y", filter_text, "-T", "fields", "-e",
                         "frame.number"], check=True, capture_output=True, text=True)
                    count.append(len(done.stdout.split()))
                self.assertGreater(count[0], 20)
                self.assertEqual(count[0], count[1])


if __name__ == "__main__":
    unittest.main()
