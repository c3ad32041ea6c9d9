#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What goes wrong while `tapwitness run` runs: it goes on, says what it lost, and the ledger still
adds up."""

import json
import os
import signal
import subprocess
import time
import unittest

import live_support
from live_support import (CAPTURES, LiveRun, STARTED, VethPair, counter, frames_of, ip, json_lines,
                          needs_live, needs_root, port_totals, temporary_folder, with_microseconds)

GENERATOR = live_support.BUILD / "tests" / "support" / "generate_traffic"
CLIENT_PORT = 50123
# Small tables are there and gone at once. Connections end soon after their last segment, and with
# them their episodes.
SOON = ("flows: {max_per_worker: 20000, max_ipv6_per_worker: 1000, "
        "timeouts: {embryonic: 50ms, established: 50ms, closing: 50ms}}\n")


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.file = self.folder / "run.yaml"

    def assert_adds_up(self, live):
        totals = port_totals(live)
        self.assertEqual(0, totals["unaccounted"], "\n".join(live.log))
        self.assertEqual(totals["received"],
                         totals["analysed"] + totals["ring_full"] + totals["queued"])
        return totals


@needs_live
@needs_root
class OnTheWire(Faults):

    def setUp(self):
        super().setUp()
        self.pair = VethPair()
        self.pair.__enter__()
        self.addCleanup(self.pair.__exit__)
        self.next_port = CLIENT_PORT

    def listen(self, more="", prefix=()):
        self.file.write_text(f'ports: [{{device: "iface:{self.pair.right}"}}]\n'
                             f'workers: {{poll: adaptive}}\n{SOON}{more}')
        return LiveRun("-c", self.file, prefix=[*VethPair.inside(self.pair.right_space), *prefix])

    def send_hole(self):
        """A connection of its own with one hole; how many frames that took."""
        self.next_port += 1
        frames = [frame.replace(CLIENT_PORT.to_bytes(2, "big"), self.next_port.to_bytes(2, "big"))
                  for frame in frames_of(CAPTURES / "lost-segment.pcap")]
        self.pair.send_frames(frames)
        return len(frames)


class FullDisk(OnTheWire):
    """Outputs on a file system of 64 KiB that only the monitor sees."""

    def start(self):
        disk = self.folder / "disk"
        disk.mkdir()
        more = f'outputs: {{events: {{path: "{disk}/events"}}, flows: {{path: "{disk}/flows"}}}}\n'
        script = 'mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@"'
        live = self.listen(more, prefix=["unshare", "-m", "sh", "-c", script, "sh", disk])
        self.addCleanup(live.__exit__)
        live.wait_for(STARTED)
        self.disk = f"/proc/{live.process.pid}/root{disk}"
        return live

    def fill(self):
        with open(self.disk + "/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass

    def text_of(self, name):
        with open(f"{self.disk}/{name}", encoding="utf-8") as file:
            return file.read()

    def wait_for_lines(self, name, count):
        deadline = time.monotonic() + 20
        while self.text_of(name).count("\n") < count:
            self.assertLess(time.monotonic(), deadline, self.text_of(name))
            time.sleep(0.05)

    def test_events_wait_for_space_and_none_is_lost(self):
        live = self.start()
        sent = self.send_hole()
        self.wait_for_lines("flows", 2)
        self.fill()
        # More than what is left of the page the file ends in.
        for _ in range(20):
            sent += self.send_hole()
        live.wait_for("flows: cannot write: No space left on device; the analysis goes on")
        os.unlink(self.disk + "/filler")
        live.wait_for("flows: writing again")
        self.wait_for_lines("flows", 1 + 21)
        events = json_lines(self.text_of("events"))
        flows = json_lines(self.text_of("flows"))
        self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertEqual(21, len(flows) - 1)
        self.assertEqual(21, sum(event["type"] == "hole" for event in events[1:]))
        self.assertEqual(sent, self.assert_adds_up(live)["analysed"])

    def test_a_disk_that_stays_full_costs_events_but_no_frame(self):
        live = self.start()
        self.fill()
        sent = sum(self.send_hole() for _ in range(20))
        live.wait_for("flows: cannot write: No space left on device; the analysis goes on")
        self.assertEqual(3, live.stop(), "\n".join(live.log))
        log = "\n".join(live.log)
        self.assertRegex(log, r"flows: [0-9]+ lines could not be written")
        totals = self.assert_adds_up(live)
        self.assertEqual(sent, totals["received"])
        self.assertEqual(sent, totals["analysed"])


class Interface(OnTheWire):

    def test_with_the_last_one_the_run_ends_and_says_why(self):
        with self.listen("log: {interval: 100ms}\n") as live:
            live.wait_for(STARTED)
            sent = self.send_hole()
            live.wait_for(f"{sent} frames analysed")
            ip("-n", self.pair.right_space, "link", "del", self.pair.right)
            live.wait_for("stopping: nothing more can arrive")
            self.assertEqual(3, live.wait(), "\n".join(live.log))
        self.assertEqual(sent, self.assert_adds_up(live)["analysed"])
        self.assertEqual(1, sum(e["type"] == "hole" for e in json_lines(live.output)[1:]))


class Stopped(OnTheWire):

    def test_a_second_of_standing_still_is_told(self):
        with self.listen("log: {interval: 100ms}\n") as live:
            live.wait_for(STARTED)
            os.kill(live.process.pid, signal.SIGSTOP)
            try:
                until = time.monotonic() + 1
                sent = 0
                while time.monotonic() < until:
                    sent += self.send_hole()
                    time.sleep(0.01)
            finally:
                os.kill(live.process.pid, signal.SIGCONT)
            live.wait_for(f"{sent:,} frames analysed")
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        totals = self.assert_adds_up(live)
        self.assertEqual(sent, totals["analysed"], "the socket's ring holds a second of this")
        self.assertRegex(live.report("all ports")[0], r"polling stood still .* (9..|1\.[0-9]+) m?s")


@needs_live
class SleepingReader(Faults):
    """`--events - |` something that does not read."""

    def setUp(self):
        super().setUp()
        subprocess.run([GENERATOR, "--out", self.folder / "nano.pcap", "--packets", "1500",
                        "--seed", "3", "--plain"], check=True, capture_output=True)
        with_microseconds(self.folder / "nano.pcap", self.folder / "traffic.pcap")
        self.file.write_text(
            f'ports: [{{device: "net_pcap0,rx_pcap={self.folder}/traffic.pcap,infinite_rx=1"}}]\n'
            f"{SOON}log: {{interval: 100ms}}\n")

    def test_it_neither_stops_the_capture_nor_the_program(self):
        log_path = self.folder / "log"
        with open(log_path, "w", encoding="utf-8") as log:
            monitor = subprocess.Popen([live_support.BINARY, "run", "-c", self.file],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        self.addCleanup(monitor.stdout.close)
        self.addCleanup(monitor.wait)
        self.addCleanup(monitor.kill)
        self.wait_until(lambda: "events lost" in log_path.read_text(), monitor)
        lines = log_path.read_text().count("pps")
        self.wait_until(lambda: log_path.read_text().count("pps") > lines + 3, monitor)
        monitor.terminate()
        self.assertEqual(3, monitor.wait(timeout=20), log_path.read_text())
        text = log_path.read_text()
        self.assertIn("standard output: nobody reads it fast enough; the analysis goes on", text)
        self.assertRegex(text, r"standard output: [0-9,]+ lines? could not be written")
        self.assertRegex(text, r"event: .*dropped [0-9,]+")
        self.assertRegex(text, r"all ports: .* unaccounted for 0 ")

    def test_when_it_wakes_it_finds_whole_lines(self):
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            monitor = subprocess.Popen([live_support.BINARY, "run", "-c", self.file],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        self.addCleanup(monitor.stdout.close)
        self.addCleanup(monitor.wait)
        self.addCleanup(monitor.kill)
        self.wait_until(lambda: "nobody reads it" in (self.folder / "log").read_text(), monitor)
        monitor.terminate()
        output = monitor.stdout.read()
        self.assertEqual(0, monitor.wait(timeout=20), (self.folder / "log").read_text())
        for line in output.decode().splitlines():
            json.loads(line)

    def wait_until(self, fact, monitor):
        deadline = time.monotonic() + 30
        while not fact():
            self.assertIsNone(monitor.poll(), "the monitor ended")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
