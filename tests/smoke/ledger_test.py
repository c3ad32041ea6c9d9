# SPDX-License-Identifier: BSD-3-Clause
"""The drop accounting on real ports: what was offered is analysed or counted under a name, to the
frame, and what was found while frames were lost says so."""

import json
import pathlib
import socket
import subprocess
import time
import unittest

import network
from live_support import (CAPTURES, STARTED, LiveRun, VethPair, frames_of, json_lines, needs_live,
                          needs_root, number_after, temporary_folder)

# Nobody's protocol (local experimental), so that no stack answers.
FRAME = bytes.fromhex("020000000002" "020000000001" "88b5") + bytes(46)

CLIENT_PORT, OTHER_PORT = 50123, 50124


def from_port(port, capture):
    """The frames of a capture as of another connection."""
    for frame in frames_of(capture):
        yield frame.replace(CLIENT_PORT.to_bytes(2, "big"), port.to_bytes(2, "big"))


@needs_live
@needs_root
class KernelPort(unittest.TestCase):
    def setUp(self):
        self.pair = VethPair()
        self.pair.__enter__()
        self.addCleanup(self.pair.__exit__)

    def listen(self, *arguments):
        return LiveRun(*arguments, prefix=VethPair.inside(self.pair.right_space))

    def small_ring(self):
        """A port whose socket holds 512 frames."""
        return self.listen("--port", f"net_af_packet0,iface={self.pair.right},framecnt=512")

    def flood(self, count):
        """Sends as fast as it can; what the other end's kernel refuses was offered all the same."""
        with network.inside(self.pair.left_space):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with wire:
            wire.bind((self.pair.left, 0))
            for _ in range(count):
                try:
                    wire.send(FRAME)
                except OSError:
                    pass

    def test_what_the_kernel_dropped_is_counted_to_the_frame(self):
        offered = 60_000
        with self.small_ring() as live:
            live.wait_for(STARTED)
            with live.held():
                self.flood(offered)
            live.wait_for("the capture loses frames")
            live.wait_for("no loss since")
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        received = live.port_lines()[0]
        lost = live.report("port port0: never received")[0]
        socket_full = number_after(lost, "no room in the socket")
        self.assertGreater(socket_full, offered // 2)
        self.assertEqual(offered, number_after(received, "received") + socket_full +
                         number_after(lost, "no room in the kernel"), "\n".join(live.log))
        self.assertEqual(number_after(received, "received"), number_after(received, "analysed"))
        total = live.report("all ports")[0]
        self.assertIn("unaccounted for 0 ", total)
        self.assertNotIn("; 0 of", total)
        self.assertIn("polling stood still", total)

    def test_a_tagged_frame_the_kernel_has_no_use_for_is_not_lost(self):
        # The kernel gives us a copy, finds no VLAN device, and counts the frame as dropped.
        tagged = FRAME[:12] + bytes.fromhex("8100" "0007") + FRAME[12:]
        with self.listen("--iface", self.pair.right) as live:
            live.wait_for(STARTED)
            self.pair.send_frames([tagged] * 300)
            time.sleep(0.6)
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertEqual(300, number_after(live.port_lines()[0], "analysed"))
        self.assertIn("lost by the capture 0,", live.report("all ports")[0])

    def test_what_is_found_while_frames_are_lost_says_so(self):
        with self.small_ring() as live:
            live.wait_for(STARTED)
            with live.held():
                self.flood(2_000)
            live.wait_for("the capture loses frames")
            self.pair.send_frames(frames_of(CAPTURES / "lost-segment.pcap"))
            live.wait_for("no loss since")
            # Calm again: nothing speaks against the capture now.
            time.sleep(1)
            self.pair.send_frames(from_port(OTHER_PORT, CAPTURES / "lost-segment.pcap"))
            time.sleep(1)
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        events = json_lines(live.output)[1:]
        self.assertGreater(len(events), 1)
        before = [event for event in events if event["flow"]["sport"] == CLIENT_PORT]
        after = [event for event in events if event["flow"]["sport"] == OTHER_PORT]
        self.assertTrue(before and after, live.output)
        self.assertTrue(all("loss" in event["capture"] for event in before), live.output)
        self.assertFalse(any("loss" in event["capture"] for event in after), live.output)

    def test_a_link_that_fails_is_told_and_marked(self):
        with self.listen("--iface", self.pair.right) as live:
            live.wait_for(STARTED)
            self.pair.set_link("down")
            live.wait_for("link down")
            self.pair.set_link("up")
            live.wait_for("link up")
            self.pair.send_frames(frames_of(CAPTURES / "lost-segment.pcap"))
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertIn("changed 2 times", "\n".join(live.report("port right0: link")))
        events = json_lines(live.output)[1:]
        self.assertGreater(len(events), 0)
        self.assertIn("link", events[0]["capture"])


@needs_live
class Telemetry(unittest.TestCase):
    """What DPDK's tools can ask a running monitor."""

    def ask(self, prefix, *questions):
        told = subprocess.run(["dpdk-telemetry.py", "-f", prefix], text=True, check=True,
                              input="\n".join([*questions, "quit", ""]), timeout=30,
                              capture_output=True)
        return [next(iter(json.loads(line).values()))
                for line in told.stdout.splitlines() if line.startswith('{"/')]

    def test_numbers_are_those_of_the_report(self):
        configuration = temporary_folder(self) / "run.yaml"
        configuration.write_text('ports: [{device: net_null0, name: "span.0"}]\n'
                                 "workers: {poll: adaptive}\n"
                                 "outputs: {telemetry: {enabled: true}}\n")
        with LiveRun("-c", configuration) as live:
            live.wait_for(STARTED)
            prefix = f"tapwitness-{live.process.pid}"
            time.sleep(0.6)
            ledger, port, ports, worker, nobody, counters = self.ask(
                prefix, "/tapwitness/ledger", "/tapwitness/port,span.0", "/tapwitness/ports",
                "/tapwitness/worker,0", "/tapwitness/worker,1", "/tapwitness/counters")
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        last = number_after(live.port_lines()[0], "received")
        self.assertTrue(0 < ledger["received"] <= port["received"] <= last)
        self.assertLessEqual(ledger["unaccounted"], ledger["moved_while_read"] + 32)
        self.assertEqual({"span_0": "net_null"}, ports)
        self.assertEqual("net_null", port["driver"])
        self.assertGreaterEqual(worker["frames"], ledger["analysed"])
        self.assertIsNone(nobody)
        self.assertGreater(counters["decode_not_ip"], 0)

    def test_without_the_option_there_is_no_socket(self):
        with LiveRun("--port", "net_ring0") as live:
            live.wait_for(STARTED)
            prefix = pathlib.Path(f"/var/run/dpdk/tapwitness-{live.process.pid}")
            self.assertEqual([], list(prefix.glob("dpdk_telemetry*")))
            self.assertEqual(0, live.stop())


if __name__ == "__main__":
    unittest.main()
