# SPDX-License-Identifier: BSD-3-Clause
"""Segments that no TCP would send: out of the window, with flags that cannot be, after the close.
They carry the numbers of a real connection, which the kernel tells under TCP_REPAIR."""
import asyncio
import dataclasses
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "smoke"))

from injector import checksum  # noqa: E402

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
REPAIR_ON, REPAIR_OFF_SILENTLY = 1, -1
RECEIVE_QUEUE, SEND_QUEUE = 1, 2
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}
TTL, WINDOW = 64, 500


@dataclasses.dataclass
class Segment:
    flags: str = "PA"
    offset: int = 0       # of its number, from the next the client would send
    length: int = 100
    times: int = 1
    every: float = 0.3    # seconds between
    after: float = 0.0    # seconds before the first


@dataclasses.dataclass
class Numbers:
    """Of one connection, as its client counts."""
    source: tuple
    target: tuple
    sequence: int
    acknowledged: int


def numbers(sock):
    def of(queue):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        return sock.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) & 0xFFFFFFFF

    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_ON)
    try:
        return Numbers(sock.getsockname(), sock.getpeername(), of(SEND_QUEUE), of(RECEIVE_QUEUE))
    finally:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_SILENTLY)


def packet(of, segment, identification):
    """The IPv4 packet; the kernel adds its checksum."""
    addresses = socket.inet_aton(of.source[0]) + socket.inet_aton(of.target[0])
    flags = sum(FLAGS[letter] for letter in segment.flags)
    tcp = struct.pack(">HHIIBBHHH", of.source[1], of.target[1],
                      (of.sequence + segment.offset) & 0xFFFFFFFF, of.acknowledged, 5 << 4, flags,
                      WINDOW, 0, 0) + bytes(segment.length)
    pseudo = addresses + struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), identification, 0x4000, TTL,
                       socket.IPPROTO_TCP, 0) + addresses + tcp


async def send(of, segment):
    await asyncio.sleep(segment.after)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for number in range(segment.times):
            raw.sendto(packet(of, segment, 0x7000 + number), (of.target[0], 0))
            await asyncio.sleep(segment.every)
