# SPDX-License-Identifier: BSD-3-Clause
"""The runner itself: that it can fail, says what differs, and knows which layers are ours."""

import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import minimise
import product
from comparison import Streams
from tshark import FLAGS, is_ours, stack_of

SOURCE = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
ORACLE = SOURCE / "scripts" / "oracle"
CAPTURE = SOURCE / "tests" / "captures" / "fast-retransmission.pcap"
# What tshark says of CAPTURE.
TRUTH = """8\tlost_segment
9\tduplicate_ack
11\tduplicate_ack
13\tduplicate_ack
14\tretransmission,fast_retransmission
"""


def run_oracle(*arguments):
    return subprocess.run([sys.executable, ORACLE, *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Canary(unittest.TestCase):
    """Programs that answer for tapwitness, rightly and wrongly."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def impostor(self, text, exit_code=0):
        program = self.folder / "impostor"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\nexit {exit_code}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    def test_equal_answers_agree(self):
        done = run_oracle("--binary", self.impostor(TRUTH), CAPTURE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("1 of 1 files agree", done.stdout)

    def test_a_missing_flag_is_a_difference(self):
        lame = TRUTH.replace("8\tlost_segment\n", "")
        done = run_oracle("--binary", self.impostor(lame), CAPTURE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("frame 8: tshark lost_segment | tapwitness none", done.stdout)

    def test_a_flag_too_many_is_a_difference(self):
        done = run_oracle("--binary", self.impostor("1\tzero_window\n" + TRUTH), CAPTURE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("frame 1: tshark none | tapwitness zero_window", done.stdout)

    def test_a_flag_beyond_the_last_frame_is_a_difference(self):
        done = run_oracle("--binary", self.impostor(TRUTH + "99\tzero_window\n"), CAPTURE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("frame 99", done.stdout)

    def test_a_refused_file_is_a_failure(self):
        done = run_oracle("--binary", self.impostor("", 2), CAPTURE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("tapwitness refuses the file", done.stdout)

    def test_a_crash_ends_the_run(self):
        done = run_oracle("--binary", self.impostor("", 139), CAPTURE)
        self.assertEqual(done.returncode, 3)
        self.assertIn("ended with 139", done.stderr)

    def test_minimise_keeps_what_differs(self):
        out = self.folder / "small.pcap"
        # Wrong about any frame that is a duplicate ACK: says nothing at all.
        done = run_oracle("--binary", self.impostor(""), "--minimise", out, CAPTURE)
        self.assertEqual(done.returncode, 1, done.stderr)
        pieces = minimise.CaptureFile(out).pieces
        self.assertEqual(sum(is_frame for is_frame, _ in pieces), 2)

    def test_wrong_arguments(self):
        self.assertEqual(run_oracle("/no/such/file").returncode, 2)
        self.assertEqual(run_oracle("--jobs", "0", CAPTURE).returncode, 2)
        self.assertEqual(run_oracle(self.folder).returncode, 2)  # a folder without captures


class Parsing(unittest.TestCase):
    def test_frames_must_be_in_order_and_named_in_order(self):
        good = product.parse_frames("3\tretransmission,fast_retransmission\n5\tlost_segment\n")
        self.assertEqual(good, {3: 3, 5: 1 << FLAGS.index("lost_segment")})
        for bad in ("5\tlost_segment\n3\tlost_segment\n", "1\tfast_retransmission,retransmission\n",
                    "1\tno_such_flag\n", "1\t\n", "x\tlost_segment\n", "1 lost_segment\n"):
            with self.subTest(bad), self.assertRaises(product.ProductError):
                product.parse_frames(bad)

    def test_stack_ends_at_the_last_tcp(self):
        self.assertEqual(stack_of("eth:ethertype:ip:tcp:data"), "eth:ethertype:ip:tcp")
        self.assertEqual(stack_of("eth:ethertype:ip:udp"), "")

    def test_a_stack_is_ours_only_if_every_step_is(self):
        for stack in ("eth:ethertype:ip:tcp", "sll:ethertype:ip:udp:gtp:ip:tcp", "raw:ipv6:tcp",
                      "eth:ethertype:ipv6:ipv6.hopopts:ipv6.dstopts:tcp", "null:ip:tcp",
                      "eth:ethertype:pppoes:ppp:ip:tcp", "eth:ethertype:ip:icmp:ip:tcp"):
            self.assertTrue(is_ours(stack), stack)
        for stack in ("ppp:ip:tcp", "eth:ethertype:ip:udp:ayiya:ipv6:tcp", "radiotap:wlan:ip:tcp",
                      "chdlc:ip:tcp", "eth:ethertype:ip:tcp:eth:ethertype:ip:tcp", ""):
            self.assertFalse(is_ours(stack), stack)

    def test_spans(self):
        self.assertEqual(minimise.spans([1, 2, 3, 7, 9, 10]), "1-3,7,9-10")

    def test_streams_that_differ_are_named(self):
        streams = Streams()
        streams.count = 2
        streams.completeness = {0: 7, 1: 31}
        said = list(streams.compare({0: {"completeness": 7, "initial_rtt": None},
                                     1: {"completeness": 30, "initial_rtt": None}}))
        self.assertEqual(len(said), 1)
        self.assertIn("stream 1: completeness 31 for tshark, 30 in the flow record", said[0])
        self.assertIn("2 streams for tshark, 0 flow records", list(streams.compare({}))[0])


if __name__ == "__main__":
    unittest.main()
