# SPDX-License-Identifier: BSD-3-Clause
"""Generated traffic, hostile and ordinary: no frame on which tapwitness and tshark differ.

TAPWITNESS_FULL=1: two million frames. TAPWITNESS_SEEDS="7 8 9": these seeds instead.
A difference prints its seed and leaves the few frames that show it in build/oracle-failures.
"""

import concurrent.futures
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import captures
import comparison
import minimise
import product
from tshark import FLAGS, Tshark

SOURCE = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("TAPWITNESS_BUILD", SOURCE / "build"))
GENERATOR = BUILD / "tests" / "support" / "generate_traffic"
FAILURES = BUILD / "oracle-failures"
FULL = bool(os.environ.get("TAPWITNESS_FULL"))
SEEDS = [int(seed) for seed in os.environ.get("TAPWITNESS_SEEDS", "").split()] or (
    list(range(1, 21)) if FULL else [1, 2])
FRAMES = 100_000


class RandomTraffic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tshark = Tshark(cache=captures.cache_folder())

    def check(self, name, *arguments):
        """Generates one capture and compares it; returns what was seen."""
        with tempfile.TemporaryDirectory(prefix="tapwitness-oracle-") as folder:
            path = Path(folder, f"{name}.pcap")
            subprocess.run([GENERATOR, "--out", path, *map(str, arguments)], check=True)
            result = comparison.compare(self.tshark, product.default_binary(), path,
                                        with_flows=True)
            problems = [str(d) for d in result.differences] + result.failures
            if result.differences:
                FAILURES.mkdir(parents=True, exist_ok=True)
                small = FAILURES / f"{name}.pcap"
                shrinker = minimise.Minimiser(Tshark(), product.default_binary(), path)
                problems.insert(0, shrinker.run(small))
        command = f"generate_traffic --out FILE {' '.join(map(str, arguments))}"
        self.assertEqual(problems, [], f"{result.differing} frames differ: {command}")
        return result

    def test_hostile_traffic(self):
        def one(seed):
            return self.check(f"hostile-{seed}", "--seed", seed, "--packets", FRAMES)

        total = comparison.Result()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for result in pool.map(one, SEEDS):
                total.add(result)
        print("\n".join("# " + line for line in comparison.summary(total).splitlines()))
        self.assertGreater(total.compared, 90_000 * len(SEEDS))
        rare = [name for index, name in enumerate(FLAGS) if total.both[index] < 50]
        self.assertEqual(rare, [], "flags that hardly happened: this run proves little about them")

    def test_hostile_multipath_traffic(self):
        self.check("multipath", "--mptcp", "--seed", 5, "--packets", FRAMES if FULL else 40_000)

    def test_more_unacknowledged_segments_than_tshark_keeps(self):
        self.check("flight", "--seed", 77, "--packets", 14_000, "--flood", 10_500,
                   "--connections", 4)

    def test_ordinary_traffic(self):
        self.check("ordinary", "--profile", "realistic", "--seed", 5, "--packets",
                   FRAMES if FULL else 30_000, "--connections", 300, "--loss", 100)

    def test_flood_of_new_connections(self):
        self.check("flood", "--profile", "flood", "--seed", 6, "--packets", 10_000)


if __name__ == "__main__":
    unittest.main()
