#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A running `tapwitness firewall -c` on two interfaces says what it says of captures of the same
frames; over two workers as well, whose halves of a translated connection must find each other; and
it says when it has lost a port."""
import json
import subprocess
import time
import unittest

from capture_files import ACK, FIN, PSH, SYN, pcap
from live_support import BINARY, STARTED, LiveRun, needs_live, needs_root, temporary_folder
from network import Network, needs_tools
from two_taps import Wire

CONFIGURATION = """
ports:
  - {{name: out0, device: "iface:out", tap: outside}}
  - {{name: in0, device: "iface:in", tap: inside}}
workers: {{cores: {cores}, poll: adaptive}}
log: {{interval: 100ms}}
"""
CONNECTIONS = 24
TAPS = ("outside", "inside")


class Translated(Wire):
    """Connections through a firewall that changes the addresses and ports of both ends."""

    def __init__(self):
        super().__init__()
        self.begin = 0.0

    def pass_on(self, number, from_client, seq, ack, flags, payload=b"", taps=TAPS):
        ends = {"outside": (("203.0.113.7", 40000 + number), ("198.51.100.80", 443)),
                "inside": (("10.99.0.1", 2048 + 37 * number), ("10.20.0.10", 8443))}
        self.ip_id = self.ip_id % 65535 + 1
        for i, tap in enumerate(TAPS if from_client else TAPS[::-1]):
            if tap in taps:
                client, server = ends[tap]
                source, destination = (client, server) if from_client else (server, client)
                self.taps[tap].append((self.begin + i * 1e-3, self.frame(
                    source, destination, seq, ack, flags, payload, 64 - i)))
        self.begin += 3e-3

    def converse(self, number, loses):
        c, s = 1000 + 7919 * number, 9000 + 104729 * number
        self.pass_on(number, True, c, 0, SYN)
        self.pass_on(number, False, s, c + 1, SYN | ACK)
        self.pass_on(number, True, c + 1, s + 1, ACK)
        self.pass_on(number, True, c + 1, s + 1, PSH | ACK, b"request %04d" % number)
        answer = b"answer %04d" % number
        if loses:
            self.pass_on(number, False, s + 1, c + 13, PSH | ACK, answer, taps=("inside",))
            self.begin += 0.05
        self.pass_on(number, False, s + 1, c + 13, PSH | ACK, answer)
        self.pass_on(number, True, c + 13, s + 1 + len(answer), FIN | ACK)
        self.pass_on(number, False, s + 1 + len(answer), c + 14, FIN | ACK)
        self.pass_on(number, True, c + 14, s + 2 + len(answer), ACK)


@needs_live
@needs_root
@needs_tools
class Live(unittest.TestCase):

    def setUp(self):
        self.folder = temporary_folder(self)
        self.network = Network(self, "s", "m")
        self.sockets = {}
        for tap, name in (("outside", "out"), ("inside", "in")):
            self.network.veth(("s", name), ("m", name))
            self.sockets[tap] = self.network.socket("s", name)
            self.addCleanup(self.sockets[tap].close)

    def watch(self, cores, *arguments):
        configuration = self.folder / "live.yaml"
        configuration.write_text(CONFIGURATION.format(cores=cores))
        return LiveRun("-c", configuration, "--json", self.folder / "live.json", *arguments,
                       prefix=self.network.prefix("m"), command="firewall")

    def send(self, wire):
        """In real time; returns when all is sent."""
        frames = sorted((at, tap, data) for tap, taken in wire.taps.items() for at, data in taken)
        begin = time.monotonic()
        for at, tap, data in frames:
            time.sleep(max(0.0, begin + at - time.monotonic()))
            self.sockets[tap].send(data)

    def report(self):
        return json.loads((self.folder / "live.json").read_text())

    def of_captures(self, wire):
        for tap, frames in wire.taps.items():
            (self.folder / f"{tap}.pcap").write_bytes(pcap(sorted(frames, key=lambda one: one[0])))
        done = subprocess.run([BINARY, "firewall", "--outside", self.folder / "outside.pcap",
                               "--inside", self.folder / "inside.pcap", "--json", "-"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def translated(self, cores):
        wire = Translated()
        # Nothing to judge lies at an end of the capture.
        wire.converse(0, loses=False)
        wire.begin += 1.5
        for number in range(1, CONNECTIONS):
            wire.converse(number, loses=number % 4 == 1)
        wire.begin += 1.5
        wire.converse(CONNECTIONS, loses=False)
        with self.watch(cores) as live:
            live.wait_for(STARTED)
            time.sleep(1.2)
            self.send(wire)
            time.sleep(1.2)
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        said, expected = self.report(), self.of_captures(wire)
        self.assertEqual(CONNECTIONS + 1, said["totals"]["translated"], "\n".join(live.log))
        for key in ("conversations", "paired", "translated", "pairings", "outcomes", "facts",
                    "limits_reached"):
            self.assertEqual(expected["totals"][key], said["totals"][key], key)
        self.assertEqual({(one["behaviour"], one["grade"]) for one in expected["findings"]},
                         {(one["behaviour"], one["grade"]) for one in said["findings"]})

    def test_one_worker_says_what_captures_say_of_translated_connections(self):
        self.translated("[0]")

    def test_two_workers_say_the_same(self):
        self.translated("[0, 0]")

    def test_a_tap_that_is_lost_ends_the_run_and_is_said(self):
        wire = Translated()
        for number in range(3):
            wire.converse(number, loses=False)
        with self.watch("[0]") as live:
            live.wait_for(STARTED)
            self.send(wire)
            time.sleep(0.3)
            self.network.run("m", "ip", "link", "del", "in")
            live.wait_for("stopping: nothing more can arrive")
            self.assertEqual(3, live.wait(), "\n".join(live.log))
        self.assertEqual(3, self.report()["totals"]["translated"])


if __name__ == "__main__":
    unittest.main()
