# SPDX-License-Identifier: BSD-3-Clause
"""Small captures and a way to run the program, for the smoke tests of `read`. Written on its own,
so that it shares no mistake with the C++ builder."""
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("TAPWITNESS", "build/tapwitness")
START = 1_700_000_000_000_000_000  # ns

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("10.0.0.5", 51000), ("93.184.216.34", 80)


def address(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


def segment(source, destination, seq, ack, flags, payload=b"", window=64240) -> bytes:
    """An Ethernet frame with one TCP segment over IPv4."""
    tcp = struct.pack("!HHIIBBHHH", source[1], destination[1], seq % 2**32, ack % 2**32, 5 << 4,
                      flags, window, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0,
                     address(source[0]), address(destination[0]))
    return bytes(6) + b"\x02" + bytes(5) + b"\x08\x00" + ip + tcp


def pcap_header(link_type: int = 1) -> bytes:
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type)


def pcap_record(time_ns: int, frame: bytes) -> bytes:
    return struct.pack("<IIII", time_ns // 10**9, time_ns % 10**9, len(frame), len(frame)) + frame


def pcap(frames, link_type: int = 1) -> bytes:
    """`frames`: pairs of seconds after START and bytes."""
    return pcap_header(link_type) + b"".join(
        pcap_record(START + round(seconds * 1e9), frame) for seconds, frame in frames)


def conversation(client=CLIENT, server=SERVER, begin=0.0):
    """Handshake, a request, one of three segments of the answer never captured but acknowledged."""
    c, s = 1000, 5000
    steps = [
        (0.000, client, server, c, 0, SYN, b""),
        (0.020, server, client, s, c + 1, SYN | ACK, b""),
        (0.021, client, server, c + 1, s + 1, ACK, b""),
        (0.022, client, server, c + 1, s + 1, PSH | ACK, b"x" * 78),
        (0.042, server, client, s + 1, c + 79, ACK, b"a" * 1000),
        # 1000 bytes from s + 1001 on are missing here
        (0.044, server, client, s + 2001, c + 79, PSH | ACK, b"c" * 1000),
        (0.064, client, server, c + 79, s + 3001, ACK, b""),
        (0.100, client, server, c + 79, s + 3001, FIN | ACK, b""),
        (0.120, server, client, s + 3001, c + 80, FIN | ACK, b""),
        (0.121, client, server, c + 80, s + 3002, ACK, b""),
    ]
    return [(begin + t, segment(a, b, seq, ack, flags, data))
            for t, a, b, seq, ack, flags, data in steps]


# What tshark 4.0.17 prints as tcp.analysis flags on conversation().
CONVERSATION_FLAGS = "6\tlost_segment\n7\tack_lost_segment\n"


def pcapng(frames, dropped: int) -> bytes:
    """One interface "eth0" whose statistics admit `dropped` packets."""
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def option(code: int, value: bytes) -> bytes:
        return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"eth0") + option(9, b"\x09") +
                 option(0, b""))
    for seconds, frame in frames:
        time = START + round(seconds * 1e9)
        out += block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(frame),
                                    len(frame)) + frame)
    out += block(5, struct.pack("<III", 0, START >> 32, START & 0xFFFFFFFF) +
                 option(5, struct.pack("<Q", dropped)) + option(0, b""))
    return out


class ReadTest(unittest.TestCase):
    """Runs the program in a folder of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def run_program(self, *arguments, stdin=b"", timeout=60):
        return subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True,
                              timeout=timeout, check=False)

    def good(self, *arguments, stdin=b"") -> str:
        """Standard output of a run that must succeed and stay silent on standard error."""
        result = self.run_program(*arguments, stdin=stdin)
        self.assertEqual((result.returncode, result.stderr.decode()), (0, ""))
        return result.stdout.decode()

    def refused(self, *arguments, says=(), code=2, stdin=b"") -> None:
        """The operator's mistake: one line on standard error, nothing on standard output."""
        result = self.run_program(*arguments, stdin=stdin)
        error = result.stderr.decode()
        self.assertEqual(result.returncode, code, error)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(error.count("\n"), 1, error)
        self.assertTrue(error.startswith("tapwitness: "), error)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, error)
