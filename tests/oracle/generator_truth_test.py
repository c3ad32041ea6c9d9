# SPDX-License-Identifier: BSD-3-Clause
"""The truth that traffic_source tells of its conversations is tshark's, and `read` finds it: what
scripts/soak and the smoke tests hold live runs against is proved here, on samples."""

import collections
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import captures
import product
from tshark import FLAGS, Tshark

SOURCE = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("TAPWITNESS_BUILD", SOURCE / "build"))
GENERATOR = BUILD / "tests" / "generator" / "traffic_source"
PACKETS = 200_000 if os.environ.get("TAPWITNESS_FULL") else 40_000
EVERY_FAULT = ("--faults", 25, "--fault", "fast-repeat=25", "--fault", "reset-in-hole=60",
               "--syn-flood", 20)


def by_name(masks):
    """How many frames carry each flag."""
    counts = collections.Counter()
    for mask in masks:
        for index, name in enumerate(FLAGS):
            counts[name] += mask >> index & 1
    return {name: counts[name] for name in FLAGS}


@unittest.skipUnless(os.environ.get("TAPWITNESS_LIVE", "1") == "1", "built without DPDK")
class Truth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tshark = Tshark(cache=captures.cache_folder())

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tapwitness-truth-")
        self.addCleanup(folder.cleanup)
        self.capture = Path(folder.name, "made.pcap")

    def make(self, *arguments):
        done = subprocess.run([GENERATOR, "--pcap", self.capture, "--truth", "-",
                               *map(str, arguments)], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def check(self, *arguments):
        """Makes a capture and holds tshark and `read` against its truth, which is returned."""
        truth = self.make(*arguments)
        problems = []
        answers = list(self.tshark.answers(self.capture, problems))
        self.assertEqual([], problems)
        self.assertEqual(truth["packets"], len(answers))
        self.assertEqual(truth["flags"], by_name(answer.mask for answer in answers), "tshark")
        streams = {stream for answer in answers for stream in answer.streams()}
        self.assertEqual(truth["connections"], len(streams))
        self.assertEqual(truth["flags"],
                         by_name(product.read(product.default_binary(), self.capture)
                                 .masks.values()), "tapwitness read")
        self.assertEqual(truth["missing_bytes"], self.missing_bytes())
        return truth

    def missing_bytes(self):
        done = subprocess.run([product.default_binary(), "read", self.capture, "--flows", "-"],
                              check=True, capture_output=True, text=True)
        flows = [json.loads(line) for line in done.stdout.splitlines()[1:]]
        return sum(sum(flow["missing_bytes"].values()) for flow in flows)

    def test_every_fault_among_many_connections(self):
        truth = self.check("--packets", PACKETS, "--connections", 500, "--seed", 1, *EVERY_FAULT)
        rare = [name for name, count in truth["scripts"].items() if count < 5]
        self.assertEqual([], rare, "scripts that hardly ran: this run proves little about them")
        self.assertEqual([], [name for name, count in truth["flags"].items() if count == 0])

    def test_one_connection_after_another_that_reuse_their_ports(self):
        truth = self.check("--packets", PACKETS, "--connections", 1, "--mix", "small", "--seed", 2,
                           "--faults", 70, "--fault", "port-reuse=500", "--fault", "copied-fin=200",
                           "--fault", "reset-in-hole=500", "--fault", "copied-syn=500")
        self.assertGreater(truth["flags"]["reused_ports"], 100)

    def test_patient_handshakes_leave_the_flags_as_they_are(self):
        self.check("--packets", PACKETS, "--connections", 200, "--seed", 3, "--mix", "large",
                   "--patience-ms", 3, "--fault", "reorder=400", "--rounds-max", 3,
                   "--fault", "copied-syn=300", "--ipv6", 1000)

    def test_nothing_scripted_nothing_flagged(self):
        truth = self.check("--packets", PACKETS // 2, "--seed", 4, "--connections", 1000)
        self.assertEqual({0}, set(truth["flags"].values()))
        self.assertEqual(0, truth["missing_bytes"])

    def test_checksums_and_lengths_are_right(self):
        truth = self.make("--packets", 5000, "--seed", 5, "--ipv6", 500, "--mix", "small",
                          *EVERY_FAULT)
        # Status 1 is "good"; IPv6 has no header checksum.
        right = "tcp.checksum.status == 1 && (ipv6 || ip.checksum.status == 1)"
        done = subprocess.run(
            ["tshark", "-n", "-r", self.capture, "-o", "tcp.check_checksum:TRUE", "-o",
             "ip.check_checksum:TRUE", "-Y", f"{right} && !_ws.malformed", "-T", "fields", "-e",
             "frame.number"], check=True, capture_output=True, text=True)
        self.assertEqual(truth["packets"], len(done.stdout.split()))

    def test_one_seed_one_capture(self):
        self.make("--packets", 3000, "--seed", 6, *EVERY_FAULT)
        first = self.capture.read_bytes()
        self.make("--packets", 3000, "--seed", 6, *EVERY_FAULT)
        self.assertEqual(first, self.capture.read_bytes())
        self.make("--packets", 3000, "--seed", 7, *EVERY_FAULT)
        self.assertNotEqual(first, self.capture.read_bytes())


if __name__ == "__main__":
    unittest.main()
