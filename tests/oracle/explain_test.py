# SPDX-License-Identifier: BSD-3-Clause
"""The numbers on a ladder are those people find in Wireshark: frames, relative sequence and ACK
numbers, lengths and flags, segment by segment, of every connection of the project's captures."""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

import captures
import product

SOURCE = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
FOLDER = SOURCE / "tests" / "captures"
FIELDS = ("frame.number", "tcp.stream", "tcp.seq", "tcp.ack", "tcp.len", "tcp.flags")
SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16
ROW = re.compile(r"^ *-?\d+\.\d{6} +(\d+) \|(.*)\|$")


def by_tshark(path):
    """{(stream, frame): (seq, ack, length, flags)} of plain segments."""
    command = ["tshark", "-n", "-r", str(path), "-o", "ip.defragment:FALSE", "-Y", "tcp",
               "-T", "fields", "-E", "occurrence=l"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout
    segments = {}
    for line in out.splitlines():
        frame, stream, seq, ack, length, flags = line.split("\t")
        if length:
            segments[int(stream), int(frame)] = (int(seq), int(ack), int(length), int(flags, 16))
    return segments


def run(*arguments):
    return subprocess.run([product.default_binary(), *arguments], capture_output=True, check=True,
                          text=True, timeout=120).stdout


def ladder(path, stream):
    """{frame: what stands on its line and the one below}."""
    lines = run("explain", str(path), "--stream", str(stream), "--all", "--ascii").splitlines()
    rows = {}
    for line, below in zip(lines, lines[1:] + [""]):
        if found := ROW.match(line):
            more = "" if ROW.match(below) else below
            rows[int(found[1])] = found[2] + " " + more
    return rows


class ExplainNumbers(unittest.TestCase):
    def check_segment(self, text, seq, ack, length, flags):
        def numbers(word):
            return [int(number) for number in re.findall(rf"\b{word} (\d+)", text)]

        self.assertEqual([word for word in ("SYN", "FIN", "RST", "PSH") if word in text.split()],
                         [word for word, bit in (("SYN", SYN), ("FIN", FIN), ("RST", RST),
                                                 ("PSH", PSH)) if flags & bit], text)
        if numbers("seq"):
            self.assertEqual(numbers("seq")[0], seq, text)
        else:  # a mere ACK
            self.assertEqual(length, 0, text)
        self.assertEqual(numbers("len")[:1], [length] if length else [], text)
        if numbers("ack"):
            self.assertTrue(flags & ACK, text)
            self.assertEqual(numbers("ack")[0], ack, text)

    def test_numbers_equal_wiresharks(self):
        compared = 0
        for path in captures.find([FOLDER]):
            truth = by_tshark(path)
            flows = run("read", str(path), "--flows", "-").splitlines()[1:]
            for flow in map(json.loads, flows):
                rows = ladder(path, flow["stream"])
                with self.subTest(f"{path.name} stream {flow['stream']}"):
                    for (stream, frame), answer in truth.items():
                        if stream == flow["stream"]:
                            self.assertIn(frame, rows)
                            if "fragment" not in rows[frame]:
                                self.check_segment(rows[frame], *answer)
                                compared += 1
        self.assertGreater(compared, 150)


if __name__ == "__main__":
    unittest.main()
