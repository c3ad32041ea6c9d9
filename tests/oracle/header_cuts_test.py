# SPDX-License-Identifier: BSD-3-Clause
"""TCP options that are cut by the capture, by the IP length or by an ICMP quote, and SACK options
without a block. tshark reads options one by one and prints nothing about a segment on which it
fails; where exactly it fails is measured here, against the installed tshark, option by option."""

import random
import struct
import tempfile
import unittest
from pathlib import Path

import captures
import comparison
import product
from tshark import Tshark

ACK, SYN, PSH = 0x10, 0x02, 0x08
PEER_BASE = 9000
# Kinds and the length each should have; 97 is unassigned.
LENGTHS = {2: 4, 3: 3, 4: 2, 5: 10, 6: 6, 7: 6, 8: 10, 11: 6, 12: 6, 13: 6, 19: 18, 28: 4, 34: 10,
           97: 5}


def packet(pair, client, seq, ack, flags, window=8192, options=b""):
    """One IPv4 packet; `options` are padded to whole words with end-of-list bytes."""
    options += b"\0" * (-len(options) % 4)
    source, destination = (struct.pack(">BBH", 10, side, pair) for side in ((1, 2) if client
                                                                            else (2, 1)))
    ports = (1000, 2000) if client else (2000, 1000)
    header = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                         5 + len(options) // 4 << 4, flags, window, 0, 0)
    return struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(options), 1, 0, 64, 6, 0) + source + \
        destination + header + options


def quoted(inner):
    return struct.pack(">BBHHHBBHII", 0x45, 0, 28 + len(inner), 1, 0, 64, 1, 0, 0xC0000263,
                       0xC0000262) + struct.pack(">BBHI", 3, 1, 0, 0) + inner


class CaptureBuilder:
    def __init__(self):
        self.frames = []

    def add(self, ip, captured=None):
        frame = bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip
        kept = frame if captured is None else frame[:captured]
        stamp = struct.pack("<IIII", 1_700_000_000, len(self.frames) * 1000, len(kept), len(frame))
        self.frames.append(stamp + kept)

    def write(self, path):
        head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
        Path(path).write_bytes(head + b"".join(self.frames))


class HeaderCuts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tshark = Tshark(cache=captures.cache_folder())

    def check(self, capture):
        with tempfile.TemporaryDirectory(prefix="tapwitness-oracle-") as folder:
            path = Path(folder, "cuts.pcap")
            capture.write(path)
            result = comparison.compare(self.tshark, product.default_binary(), path,
                                        with_flows=True)
        problems = [str(d) for d in result.differences] + result.failures
        self.assertEqual(problems, [], f"{result.differing} of {result.compared} frames differ")
        self.assertGreater(sum(result.both), 0)

    def random_options(self, chance):
        options = b""
        while len(options) < chance.choice((4, 8, 12, 20, 40)):
            kind = chance.choice((0, 1, 1, *LENGTHS))
            if kind < 2:
                options += bytes([kind])
                continue
            length = LENGTHS[kind] if chance.random() < 0.6 else chance.choice((0, 1, 2, 3, 5, 12))
            options += bytes([kind, length]) + chance.randbytes(max(0, length - 2))
        return options[:40]

    def cuts(self, seed, place):
        """A segment, then a SYN/ACK with another number and cut options, which prints reused_ports
        unless tshark fails; then data that fills the window, if the scale was learned."""
        chance = random.Random(seed)
        capture = CaptureBuilder()
        for pair in range(3000):
            options = self.random_options(chance)
            whole = packet(pair, True, 100, 777, SYN | ACK, 2, options)
            kept = 40 + chance.randrange(len(whole) - 40 + 1)
            capture.add(packet(pair, True, 50, 777, ACK, 9))
            place(capture, whole, kept)
            capture.add(packet(pair, False, 777, 200, ACK))
        self.check(capture)

    def test_cut_by_the_capture(self):
        self.cuts(1, lambda capture, whole, kept: capture.add(whole, 14 + kept))

    def test_cut_by_the_ip_length(self):
        def place(capture, whole, kept):
            capture.add(whole[:2] + struct.pack(">H", kept) + whole[4:kept])
        self.cuts(2, place)

    def test_cut_in_a_quote(self):
        self.cuts(3, lambda capture, whole, kept: capture.add(quoted(whole[:kept])))

    def test_window_scale_before_a_cut_is_learned(self):
        capture = CaptureBuilder()
        for pair, kept in enumerate(range(40, 53)):
            syn = packet(pair, True, 99, 0, SYN, 100, bytes((3, 3, 2, 4, 2, 2, 4, 5, 180, 1, 1, 1)))
            capture.add(syn, 14 + kept)
            capture.add(packet(pair, False, 776, 100, SYN | ACK, 100, bytes((3, 3, 2, 0))))
            capture.add(packet(pair, True, 100, 777, ACK, 100))
            data = packet(pair, False, 777, 100, ACK)
            for size in (100, 400):  # unscaled and scaled edge of the window
                capture.add(data[:2] + struct.pack(">H", 40 + size) + data[4:] + bytes(size))
                data = packet(pair, False, 777 + 100, 200, ACK)
                capture.add(packet(pair, True, 100, 877, ACK, 100))
        self.check(capture)

    def test_sack_without_a_block(self):
        """Alone, and before or behind options with blocks; with and without the ACK flag."""
        capture = CaptureBuilder()
        half = 1 << 31
        bare = [bytes([5, length]) + b"\x55" * (length - 2) for length in (2, 3, 9)]
        blocks = [(100, 200), (500, 999), (500, 1000), (500, 1001), (1500, 2000), (1400, 3000),
                  (1999, 3000), (2000, 3000), (5000, 6000), (4999, 5999), (5000, 6001),
                  (1500, 2000 + half), (1500, 1999 + half), (2000 + half, 3000)]
        pairs = [b""] + [self.sack(first) for first in blocks]
        pairs += [self.sack(first, second) for first in blocks for second in blocks]
        cases = [(options + bare[0], flags, 1000) for options in pairs for flags in (ACK, PSH)]
        cases += [(bare[1] + b"\1\1" + self.sack(blocks[0]), ACK, 1000)]
        cases += [(self.sack(blocks[4]) + self.sack(blocks[0]) + bare[0], ACK, 1000)]
        cases += [(short, flags, ack) for short in bare for flags in (ACK, PSH, SYN | ACK)
                  for ack in (0, 1, half - 1, half, half + 1, half + 5000, 2 * half - 1)]
        for pair, (options, flags, ack) in enumerate(cases):
            capture.add(packet(pair, True, 1000, 0, SYN))
            capture.add(packet(pair, False, PEER_BASE, 1001, SYN | ACK))
            capture.add(packet(pair, True, 1001, PEER_BASE + 1, ACK))
            number = PEER_BASE + ack if flags & ACK else ack
            capture.add(packet(pair, True, 1001, number, flags, 0, options))
            capture.add(quoted(packet(pair, True, 1500, number, SYN | ACK, 0, options)))
        self.check(capture)

    @staticmethod
    def sack(*relative_blocks):
        edges = [(PEER_BASE + edge) & 0xFFFFFFFF for block in relative_blocks for edge in block]
        return struct.pack(f">BB{len(edges)}I", 5, 2 + 4 * len(edges), *edges)


if __name__ == "__main__":
    unittest.main()
