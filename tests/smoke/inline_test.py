#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Inline mode between two network namespaces: whatever one side sends reaches the other, the
analysis sees all of it, and the numbers add up."""

import re
import threading
import unittest

from live_support import (LiveRun, STARTED, json_lines, needs_live, needs_root, number_after,
                          port_totals, temporary_folder)
from network import Network, WebServer, needs_tools, received

CONFIGURATION = """
ports: [{{name: left, device: "{left}"}}, {{name: right, device: "{right}"}}]
inline: [[left, right]]
workers: {{cores: [0], poll: adaptive, ring: 8192}}
flows: {{max_per_worker: 10000, max_ipv6_per_worker: 1000}}
outputs: {{events: {{path: "{folder}/events"}}, flows: {{path: "{folder}/flows"}}}}
log: {{interval: 200ms}}
"""


def frame_of(number, size, tag=None):
    """A frame nobody else sends, told apart by its number."""
    vlan = b"" if tag is None else b"\x81\x00" + tag.to_bytes(2, "big")
    head = b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01" + vlan + b"\x88\xb5"
    body = number.to_bytes(4, "big")
    return head + body + bytes(number + i & 0xFF for i in range(size - len(head) - len(body)))


@needs_live
@needs_root
@needs_tools
class Inline(unittest.TestCase):
    """client [c0] -- [left] monitor [right] -- [s0] server"""

    def setUp(self):
        self.network = Network(self, "c", "m", "s")
        self.folder = temporary_folder(self)

    def join_by_veth(self):
        self.network.veth(("c", "c0"), ("m", "left"))
        self.network.veth(("s", "s0"), ("m", "right"))
        self.give_addresses()
        return self.monitor("iface:left", "iface:right")

    def give_addresses(self):
        self.network.address("c", "c0", "10.77.0.1/24")
        self.network.address("s", "s0", "10.77.0.2/24")

    def monitor(self, left, right):
        (self.folder / "run.yaml").write_text(
            CONFIGURATION.format(left=left, right=right, folder=self.folder))
        return LiveRun("-c", self.folder / "run.yaml", prefix=self.network.prefix("m"))

    def stop(self, live):
        self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertEqual(0, port_totals(live)["unaccounted"])
        self.assertEqual([], [line for line in live.report("inline") if "unaccounted" in line])

    def sums(self, live, direction):
        """The numbers of one direction, after they were added up."""
        line = live.report(f"inline {direction}: taken")[0]
        taken, sent_on, no_room, cut = (
            number_after(line, words)
            for words in ("taken", "sent on", "transmit queue", "not here whole"))
        self.assertEqual(taken, sent_on + no_room + cut, line)
        port = live.report(f"port {direction.split(' ')[0]} ")[0]
        self.assertEqual(taken, number_after(port, "received"), port)
        self.assertEqual(taken, number_after(port, "analysed") +
                         number_after(port, "worker's ring"), port)
        return {"taken": taken, "sent on": sent_on, "no room": no_room, "cut": cut,
                "lost": number_after(line, "lost in sending")}

    def check_transfer(self, live, size):
        web = WebServer(self, self.network, "s", size)
        live.wait_for(STARTED)
        self.assertEqual(web.hash, web.fetch("c", "10.77.0.2"))
        live.wait_for("inline right -> left")
        self.stop(live)
        both = [self.sums(live, "left -> right"), self.sums(live, "right -> left")]
        # On busy CPUs the kernel sends segments again, or one before another: both pass through
        # here as they are, and none may be missing.
        events = json_lines((self.folder / "events").read_text())[1:]
        self.assertEqual([], [event for event in events if event["type"] == "hole" and
                              event["resolution"] != "filled"])
        flows = json_lines((self.folder / "flows").read_text())[1:]
        self.assertEqual(1, len(flows))
        self.assertGreater(flows[0]["bytes"]["s2c"], size)
        self.assertEqual({"c2s": 0, "s2c": 0}, flows[0]["missing_bytes"])
        self.assertEqual(31, flows[0]["completeness"])
        self.assertGreaterEqual(both[1]["sent on"], flows[0]["packets"]["s2c"])
        times = r"[\d.]+ [num]?s \(half\), [\d.]+ [num]?s \(99 %\), [\d.]+ [num]?s \(all\)"
        for direction in ("left -> right", "right -> left"):
            self.assertRegex(live.report(f"inline {direction}: bursts")[0],
                             f"sent on within {times}; their frames had waited at most {times}")
        return both

    def test_a_file_passes_whole_between_two_interfaces(self):
        with self.join_by_veth() as live:
            for sums in self.check_transfer(live, 4_000_000):
                self.assertEqual((0, 0, 0), (sums["no room"], sums["cut"], sums["lost"]))

    def test_a_file_passes_whole_between_two_taps_of_the_kernel(self):
        with self.monitor("net_tap0,iface=c0", "net_tap1,iface=s0") as live:
            live.wait_for(STARTED)
            for name, interface in (("c", "c0"), ("s", "s0")):
                self.network.run("m", "ip", "link", "set", interface, "netns",
                                 self.network.spaces[name])
                self.network.plain(name, interface)
            self.give_addresses()
            self.check_transfer_of_running(live)

    def check_transfer_of_running(self, live):
        web = WebServer(self, self.network, "s", 2_000_000)
        self.assertEqual(web.hash, web.fetch("c", "10.77.0.2"))
        self.stop(live)
        for direction in ("left -> right", "right -> left"):
            self.assertGreater(self.sums(live, direction)["sent on"], 100)

    def test_frames_of_any_kind_pass_unchanged_once_and_in_order(self):
        sent = {"c": [], "s": []}
        for number in range(300):
            sent["c"].append(frame_of(number, 60 + number * 4))
            sent["s"].append(frame_of(1000 + number, 64 + number * 4, tag=number))
        with self.join_by_veth() as live:
            live.wait_for(STARTED)
            with self.network.socket("c", "c0") as client, \
                    self.network.socket("s", "s0") as server:
                for a, b in zip(sent["c"], sent["s"]):
                    client.send(a)
                    server.send(b)
                self.assertEqual(sent["s"], self.of_the_test(received(client, 300)))
                self.assertEqual(sent["c"], self.of_the_test(received(server, 300)))
            self.stop(live)
        for direction in ("left -> right", "right -> left"):
            # No loop: what was sent on did not come back to be sent on again.
            self.assertLess(self.sums(live, direction)["taken"], 320)

    @staticmethod
    def of_the_test(frames):
        return [frame for frame in frames if frame[12:14] == b"\x88\xb5" or
                frame[16:18] == b"\x88\xb5"]

    def test_what_the_host_itself_sends_on_a_bridged_interface_stays_on_its_side(self):
        with self.join_by_veth() as live:
            live.wait_for(STARTED)
            with self.network.socket("c", "c0") as client, \
                    self.network.socket("s", "s0") as server, \
                    self.network.socket("m", "left") as host:
                host.send(frame_of(1, 100))
                self.assertEqual([frame_of(1, 100)], self.of_the_test(received(client, 1)))
                client.send(frame_of(2, 100))
                self.assertEqual([frame_of(2, 100)], self.of_the_test(received(server, 1)))
            self.stop(live)

    def test_a_slow_side_drops_by_name_and_keeps_the_last_frame(self):
        with self.join_by_veth() as live:
            self.network.run("m", "tc", "qdisc", "add", "dev", "right", "root", "tbf", "rate",
                             "8mbit", "burst", "20kb", "limit", "10mb")
            live.wait_for(STARTED)
            with self.network.socket("c", "c0") as client, \
                    self.network.socket("s", "s0") as server:
                seen = []
                reader = threading.Thread(
                    target=lambda: seen.extend(self.of_the_test(received(server, 1 << 20))))
                reader.start()
                for number in range(3000):
                    client.send(frame_of(number, 1400))
                reader.join()
            self.stop(live)
        sums = self.sums(live, "left -> right")
        self.assertGreater(sums["no room"], 0)
        self.assertEqual(0, sums["lost"])
        arrived = len(seen)
        self.assertLessEqual(abs(sums["sent on"] - arrived), 20, "others' frames at most")
        self.assertEqual(sorted(seen), seen)

    def test_a_pair_that_cannot_be_is_refused_in_one_line(self):
        (self.folder / "run.yaml").write_text(
            "ports: [{name: a, device: net_ring0}]\ninline: [[a, b]]\n")
        with LiveRun("-c", self.folder / "run.yaml") as live:
            self.assertEqual(2, live.wait())
        self.assertTrue(re.search(r"run\.yaml:2:\d+: inline\[0\]: no port is called b",
                                  "\n".join(live.log)), live.log)


if __name__ == "__main__":
    unittest.main()
