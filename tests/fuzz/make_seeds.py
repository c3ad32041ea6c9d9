#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a first corpus for each fuzz target from capture files and example configurations.

usage: make_seeds.py OUT_DIR PATH...     PATH: a capture, a YAML file, or a folder of them
"""
import hashlib
import pathlib
import struct
import sys

FRAMES_PER_FILE_MAX = 40
FRAME_BYTES_MAX = 1500
FILE_BYTES_MAX = 32 * 1024
# LINKTYPE_ number -> position in LinkType (core/frame.hpp)
LINKS = {1: 0, 101: 1, 12: 1, 228: 1, 229: 1, 113: 2, 276: 3, 0: 4, 108: 5}


def pcap_frames(data: bytes):
    """(link type, bytes) of a classic capture file."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        captured = struct.unpack_from(order + "I", data, at + 8)[0]
        yield link, data[at + 16:at + 16 + captured]
        at += 16 + captured


def pcapng_frames(data: bytes):
    """The same of a pcapng file: interfaces and enhanced packets of every section."""
    at, order, links = 0, "<", []
    while at + 12 <= len(data):
        kind = data[at:at + 4]
        if kind == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12:
            return
        if kind == 1:
            links.append(struct.unpack_from(order + "H", data, at + 8)[0])
        elif kind == 6 and at + 28 <= len(data):
            interface, _, _, captured = struct.unpack_from(order + "IIII", data, at + 8)
            if interface < len(links):
                yield links[interface], data[at + 28:at + 28 + captured]
        at += length


def frames_of(data: bytes) -> list[tuple[int, bytes]]:
    """The first frames; hostile files may break any rule of their format, and just end then."""
    parse = pcapng_frames if data[:4] == b"\x0a\x0d\x0d\x0a" else pcap_frames
    frames = []
    try:
        for link, frame in parse(data):
            frames.append((LINKS.get(link, 6), frame[:FRAME_BYTES_MAX]))
            if len(frames) == FRAMES_PER_FILE_MAX:
                break
    except struct.error:
        pass
    return frames


def decode_seed(link: int, frame: bytes) -> bytes:
    return struct.pack(">BHBH", link, 0x1FF, 0, 0) + frame


def pipeline_seed(frames: list[tuple[int, bytes]]) -> bytes:
    seed = bytes([39, 19, 0x0B, 7])
    for link, frame in frames:
        # gap of 1 ms, raw record, link type, length, bytes, nothing cut
        seed += struct.pack(">BBBH", 3, 0x80, link, len(frame)) + frame + b"\0"
    return seed


class Corpus:
    def __init__(self, out: pathlib.Path) -> None:
        self.out = out
        self.count = 0

    def add(self, target: str, seed: bytes) -> None:
        folder = self.out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(seed).hexdigest()[:16]).write_bytes(seed)
        self.count += 1


def add_file(corpus: Corpus, path: pathlib.Path) -> None:
    if path.suffix in (".yaml", ".yml"):
        corpus.add("yaml_fuzz", path.read_bytes())
        return
    data = path.read_bytes()
    if len(data) <= FILE_BYTES_MAX:
        corpus.add("reader_fuzz", data)
    frames = frames_of(data)
    for link, frame in frames:
        corpus.add("decode_fuzz", decode_seed(link, frame))
    if frames:
        corpus.add("pipeline_fuzz", pipeline_seed(frames))


def main() -> int:
    corpus = Corpus(pathlib.Path(sys.argv[1]))
    for name in sys.argv[2:]:
        path = pathlib.Path(name)
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix in (".pcap", ".pcapng", ".cap", ".yaml", ".yml"):
                add_file(corpus, file)
    print(f"{corpus.count} seeds in {corpus.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
