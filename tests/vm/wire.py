# SPDX-License-Identifier: BSD-3-Clause
"""The host's end of the cards' wires: TAP devices in a network namespace of our own, frames of a
capture sent into them as they are."""
import pathlib
import socket
import struct
import subprocess
import time

# Frames on their way at most. A card without a free descriptor makes QEMU stop reading from the TAP
# device; with RSS it then waits for the wrong queue's guest to say that there is room again (seen
# with 7.2: the card is deaf from there on). No card here has fewer descriptors than this.
FRAMES_ON_THE_WAY = 900
FRAMES_AT_ONCE = 32
QUEUE_FRAMES = 2 * FRAMES_ON_THE_WAY


def read_capture(path: pathlib.Path) -> list[bytes]:
    """Frames of a pcap file in this machine's byte order."""
    data = path.read_bytes()
    frames, offset = [], 24
    while offset < len(data):
        _, _, captured, wire = struct.unpack_from("=IIII", data, offset)
        if captured != wire:
            raise ValueError(f"{path}: frame {len(frames) + 1} is cut")
        frames.append(data[offset + 16:offset + 16 + captured])
        offset += 16 + captured
    return frames


def by_side(frames: list[bytes]) -> list[int]:
    """For each frame 0 if it comes from whoever spoke first on its connection, else 1."""
    first: dict[frozenset, tuple] = {}
    sides = []
    for frame in frames:
        sender, receiver = endpoints(frame)
        sides.append(int(first.setdefault(frozenset((sender, receiver)), sender) != sender))
    return sides


def endpoints(frame: bytes) -> tuple[tuple, tuple]:
    """(address, port) of both ends of a TCP frame without tags and extension headers."""
    kind = frame[12:14]
    if kind == b"\x08\x00":
        addresses, header = (frame[26:30], frame[30:34]), 14 + (frame[14] & 15) * 4
    elif kind == b"\x86\xdd":
        addresses, header = (frame[22:38], frame[38:54]), 54
    else:
        raise ValueError(f"EtherType {kind.hex()}")
    return ((addresses[0], frame[header:header + 2]), (addresses[1], frame[header + 2:header + 4]))


def silence_kernel() -> None:
    """The namespace's own IPv6 would send on every new device."""
    for scope in ("default", "all"):
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")


class Wire:
    def __init__(self, index: int):
        self.name = f"wire{index}"
        subprocess.run(["ip", "link", "set", self.name, "up", "arp", "off",
                        "txqueuelen", str(QUEUE_FRAMES)], check=True, timeout=10)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((self.name, 0))

    def dropped(self) -> int:
        """Frames that never reached the card: the emulator did not fetch them in time."""
        for line in pathlib.Path("/proc/self/net/dev").read_text().splitlines():
            name, _, numbers = line.partition(":")
            if name.strip() == self.name:
                return int(numbers.split()[11])
        raise OSError(f"{self.name} is gone")

    def close(self) -> None:
        self.socket.close()


def send(frames: list[bytes], wires: list[Wire], sides: list[int], arrived, seconds: float) -> None:
    """Each frame into the wire of its side (all into the first if there is one), no faster than
    arrived() counts them. Gives up after `seconds` without a frame arriving."""
    seen, deadline = 0, time.monotonic() + seconds
    for number, (frame, side) in enumerate(zip(frames, sides, strict=True)):
        while number % FRAMES_AT_ONCE == 0 and number - seen > FRAMES_ON_THE_WAY - FRAMES_AT_ONCE:
            now = arrived()
            if now != seen:
                seen, deadline = now, time.monotonic() + seconds
            elif time.monotonic() > deadline:
                return
            else:
                time.sleep(0.02)
        wires[side if len(wires) > 1 else 0].socket.send(frame)
