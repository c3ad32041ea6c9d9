#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Both directions of every connection reach one worker, however many there are and wherever frames
come from; and where they do not, the monitor says so."""

import os
import subprocess
import unittest

from live_support import (LiveRun, STARTED, TRAFFIC_SOURCE, TrafficSource, counter, json_lines,
                          needs_live, read, run, temporary_folder)

PACKETS = 20_000
CONFIGURATION = """
ports: [{{device: "{device}"}}]
workers: {{cores: {cores}, poll: adaptive, distribution: {distribution}}}
flows: {{max_per_worker: 50000, max_ipv6_per_worker: 10000, timeouts: {{enabled: false}}}}
outputs: {{flows: {{path: "{folder}/flows"}}}}
log: {{interval: 0s}}
"""
ONE_DIRECTION = "were seen in one direction only"


@needs_live
class Spread(unittest.TestCase):

    def setUp(self):
        self.folder = temporary_folder(self)
        self.name = f"tapwitness-spread-{os.getpid()}"

    def configuration(self, device, workers, distribution="auto"):
        path = self.folder / "run.yaml"
        # More workers than CPUs: repeats are allowed, and this must run anywhere.
        path.write_text(CONFIGURATION.format(device=device, cores=[0] * workers,
                                             distribution=distribution, folder=self.folder))
        return path

    def over_memif(self, workers, *arguments, distribution="auto"):
        device = f"net_memif0,role=server,socket={self.name}"
        with LiveRun("-c", self.configuration(device, workers, distribution)) as live:
            live.wait_for(STARTED)
            truth = TrafficSource("--vdev", f"net_memif0,role=client,socket={self.name}",
                                  "--linger-ms", 100, "--packets", PACKETS, "--rate", 50_000,
                                  "--connections", 2000,
                                  *arguments).truth()
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        return live, truth

    def assert_together(self, live, connections):
        self.assertEqual(connections, counter(live, "flow.created"), "\n".join(live.log))
        self.assertEqual(0, counter(live, "flow.one_sided"))
        self.assertFalse([line for line in live.log if ONE_DIRECTION in line])

    def test_behind_the_dispatcher_of_a_memif(self):
        for workers in (2, 4):
            with self.subTest(workers=workers):
                live, truth = self.over_memif(workers, "--seed", workers, "--queues", 1)
                self.assertTrue(any("fed by a dispatcher" in line for line in live.log))
                self.assert_together(live, truth["connections"])

    def test_behind_the_dispatcher_of_a_capture_file(self):
        capture = self.folder / "traffic.pcap"
        subprocess.run([TRAFFIC_SOURCE, "--pcap", capture, "--packets", str(PACKETS), "--seed",
                        "7", "--faults", "10"], check=True, timeout=60)
        connections = len(json_lines(read(capture, "--flows", "-"))) - 1
        for workers in (2, 4):
            with self.subTest(workers=workers), LiveRun(
                    "-c", self.configuration(f"pcap:{capture}", workers)) as live:
                self.assertEqual(0, live.wait(), "\n".join(live.log))
                self.assert_together(live, connections)

    def test_asymmetric_spreading_is_reported(self):
        live, truth = self.over_memif(2, "--queues", 2, "--split-directions", distribution="rss")
        self.assertGreater(counter(live, "flow.created"), truth["connections"])
        self.assertGreater(counter(live, "flow.one_sided"), truth["connections"] * 3 // 2)
        told = [line for line in live.log if ONE_DIRECTION in line]
        self.assertTrue(told, "\n".join(live.log))

    def test_a_mirror_of_one_direction_is_reported(self):
        capture = self.folder / "traffic.pcap"
        subprocess.run([TRAFFIC_SOURCE, "--pcap", capture, "--packets", "20000"], check=True,
                       timeout=60)
        configuration = self.configuration(f"pcap:{capture}", 1)
        text = configuration.read_text()
        for expression, reported in (("tcp or ip6", False), ("src net 10.0.0.0/8", True)):
            configuration.write_text(f"filter: '{expression}'\n{text}")
            code, _, log = run("-c", configuration)
            self.assertEqual(0, code, log)
            self.assertEqual(reported, ONE_DIRECTION in log, log)


if __name__ == "__main__":
    unittest.main()
