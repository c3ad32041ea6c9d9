#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A full-duplex TAP: two monitor ports, each with one direction, are one tap. Real TCP between two
network namespaces, copied by a switch in a third one."""

import unittest

from live_support import (LiveRun, STARTED, json_lines, needs_live, needs_root, port_totals,
                          temporary_folder)
from network import Network, WebServer, needs_tools

CONFIGURATION = """
ports:
  - {{name: east, device: "iface:tapa", tap: uplink}}
  - {{name: west, device: "iface:tapb", tap: uplink}}
taps: {{uplink: {{direction_skew: 500ms}}}}
workers: {{cores: {cores}, poll: adaptive}}
flows: {{max_per_worker: 10000, max_ipv6_per_worker: 1000}}
outputs: {{events: {{path: "{folder}/events"}}, flows: {{path: "{folder}/flows"}}}}
"""


@needs_live
@needs_root
@needs_tools
class TapPair(unittest.TestCase):
    """client -- [w0] switch [w1] -- server; w0 in and out are copied to the monitor's tapa, tapb"""

    def setUp(self):
        self.folder = temporary_folder(self)
        self.network = network = Network(self, "c", "w", "s", "m")
        network.veth(("c", "c0"), ("w", "w0"))
        network.veth(("s", "s0"), ("w", "w1"))
        network.veth(("w", "copya"), ("m", "tapa"))
        network.veth(("w", "copyb"), ("m", "tapb"))
        network.address("c", "c0", "10.77.0.1/24")
        network.address("s", "s0", "10.77.0.2/24")
        # A small window: copies that pile up in the kernel would be lost before the monitor.
        network.run("c", "sysctl", "-qw", "net.ipv4.tcp_rmem=4096 16384 16384")
        network.run("w", "ip", "link", "add", "br0", "type", "bridge")
        for words in (("w0", "master", "br0"), ("w1", "master", "br0"), ("br0", "up")):
            network.run("w", "ip", "link", "set", *words)
        network.mirror("w", "w0", "ingress", "copya")
        network.mirror("w", "w0", "egress", "copyb")

    def watch(self, cores, transfers):
        """Flows and events of so many transfers, one after the other."""
        size = 1_000_000
        configuration = self.folder / "run.yaml"
        configuration.write_text(CONFIGURATION.format(cores=cores, folder=self.folder))
        web = WebServer(self, self.network, "s", size)
        with LiveRun("-c", configuration, prefix=self.network.prefix("m")) as live:
            live.wait_for(STARTED)
            for _ in range(transfers):
                self.assertEqual(web.hash, web.fetch("c", "10.77.0.2"))
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        totals = port_totals(live)
        self.assertEqual(0, totals["unaccounted"], live.log)
        self.assertEqual(totals["received"], totals["analysed"], live.log)
        flows = json_lines((self.folder / "flows").read_text())[1:]
        self.assertEqual(transfers, len(flows))
        for flow in flows:
            self.assertGreater(flow["bytes"]["s2c"], size)
            self.assertGreater(flow["packets"]["c2s"], 10)
        return flows, json_lines((self.folder / "events").read_text())[1:]

    def check(self, cores, transfers):
        flows, events = self.watch(cores, transfers)
        for flow in flows:
            self.assertEqual({"c2s": 0, "s2c": 0}, flow["missing_bytes"], flow)
        # A segment may be late or sent again; that one was acknowledged and never seen would be
        # the monitor's own mistake.
        self.assertEqual([], [event for event in events if event["type"] == "hole" and
                              not event["resolution"].startswith("filled")])

    def test_both_directions_of_a_connection_meet(self):
        self.check("[0]", 2)

    def test_both_directions_meet_behind_the_dispatcher(self):
        self.check("[0, 0]", 3)


if __name__ == "__main__":
    unittest.main()
