# SPDX-License-Identifier: BSD-3-Clause
"""Cuts a capture on which tapwitness and tshark differ down to the few frames that matter: first
to the connection of the first difference, then by leaving out ever smaller runs of frames."""

import gzip
import os
import struct
import tempfile
import time
from pathlib import Path

import comparison

PCAP_MAGICS = {0xA1B2C3D4, 0xA1B23C4D}
PCAPNG_SECTION = 0x0A0D0D0A
DIFFERENCES_MAX = 100_000
PCAPNG_PACKETS = {2, 3, 6}  # obsolete, simple and enhanced packet block


class CaptureFile:
    """A pcap or pcapng file as raw records: `pieces` is a list of (is_frame, bytes)."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if len(data) < 24:
            raise ValueError(f"{path}: no capture file")
        little = struct.unpack("<I", data[:4])[0]
        if little == PCAPNG_SECTION:
            self.pieces = list(self._pcapng(data))
        elif little in PCAP_MAGICS:
            self.pieces = list(self._pcap(data, "<"))
        elif struct.unpack(">I", data[:4])[0] in PCAP_MAGICS:
            self.pieces = list(self._pcap(data, ">"))
        else:
            raise ValueError(f"{path}: neither pcap nor pcapng")

    @staticmethod
    def _pcap(data, order):
        yield False, data[:24]
        offset = 24
        while offset + 16 <= len(data):
            captured = struct.unpack_from(order + "I", data, offset + 8)[0]
            if offset + 16 + captured > len(data):
                return
            yield True, data[offset:offset + 16 + captured]
            offset += 16 + captured

    @staticmethod
    def _pcapng(data):
        offset, order = 0, "<"
        while offset + 12 <= len(data):
            if struct.unpack_from("<I", data, offset)[0] == PCAPNG_SECTION:
                order = "<" if data[offset + 8:offset + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            kind, length = struct.unpack_from(order + "II", data, offset)
            if length < 12 or offset + length > len(data):
                return
            yield kind in PCAPNG_PACKETS, data[offset:offset + length]
            offset += length

    def write(self, path, frames):
        """Writes the frames whose numbers (from 1) are in `frames`, and everything else."""
        number = 0
        with open(path, "wb") as out:
            for is_frame, piece in self.pieces:
                number += is_frame
                if not is_frame or number in frames:
                    out.write(piece)


class Minimiser:
    def __init__(self, tshark, binary, path, seconds=120, read_options=()):
        self.tshark = tshark
        self.binary = binary
        self.read_options = read_options
        self.capture = CaptureFile(path)
        self.path = path
        self.seconds = seconds
        self.deadline = 0.0
        self.trials = 0
        self._folder = tempfile.TemporaryDirectory(prefix="tapwitness-minimise-")

    def differs(self, frames):
        """The number of the kept frame that is the first to differ, or None."""
        self.trials += 1
        trial = os.path.join(self._folder.name, "trial.pcap")
        self.capture.write(trial, set(frames))
        result = comparison.compare(self.tshark, self.binary, trial, keep=1,
                                    read_options=self.read_options)
        return frames[result.differences[0].frame - 1] if result.differences else None

    def run(self, out, frame=None):
        """Starts from the first difference at or after `frame`. Returns a sentence; the small
        capture is in `out` if there is such a difference."""
        result = comparison.compare(self.tshark, self.binary, self.path, keep=DIFFERENCES_MAX,
                                    read_options=self.read_options)
        result.differences = [difference for difference in result.differences
                              if difference.frame >= (frame or 0)]
        if not result.differences:
            return f"{self.path}: no difference, nothing to minimise"
        self.tshark.cache = None  # trials are not asked again
        self.deadline = time.monotonic() + self.seconds
        first = result.differences[0]
        kept = self._one_connection(first) or list(range(1, first.frame + 1))
        kept = self._without_runs(kept)
        self.capture.write(out, set(kept))
        return f"{out}: {len(kept)} frames after {self.trials} trials, from frames {spans(kept)}"

    def _one_connection(self, first):
        if first.connection is None:
            return None
        kept = [answer.frame for answer in self.tshark.answers(self.path, [])
                if answer.frame <= first.frame and answer.connection() == first.connection]
        last = self.differs(kept)
        return None if last is None else [frame for frame in kept if frame <= last]

    def _without_runs(self, kept):
        size = max(1, len(kept) // 2)
        while time.monotonic() < self.deadline:
            start, shorter = 0, False
            while start < len(kept) and time.monotonic() < self.deadline:
                candidate = kept[:start] + kept[start + size:]
                last = self.differs(candidate) if candidate else None
                if last is None:
                    start += size
                else:
                    kept = [frame for frame in candidate if frame <= last]
                    shorter = True
            if size == 1 and not shorter:
                break
            size = max(1, size // 2)
        return kept


def spans(numbers):
    """[1, 2, 3, 7] -> 1-3,7"""
    texts, start = [], None
    for index, number in enumerate(numbers):
        if start is None:
            start = number
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            texts.append(str(start) if start == number else f"{start}-{number}")
            start = None
    return ",".join(texts)
