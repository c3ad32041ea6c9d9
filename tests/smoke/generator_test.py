#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Millions of frames from another process, every one of them accounted for, and every flag that was
scripted found: no more, no less. tests/oracle/generator_truth_test.py proves the truth itself;
scripts/soak does this for longer."""

import os
import time
import unittest

from live_support import (LiveRun, STARTED, SLOW_WORKER, TrafficSource, counter, flow_sums,
                          needs_live, port_totals, temporary_folder)

PACKETS = 600_000
FAULTS = ("--faults", 10, "--fault", "reset-in-hole=30", "--syn-flood", 5, "--mix", "small",
          "--rounds-max", 30)
# The skew covers pauses of the monitor between an early ACK and its data.
MONITOR = """
ports: [{{device: "net_memif0,role=server,socket={name}{arguments}"}}]
workers: {{cores: {cores}, distribution: {distribution}, ring: {ring}}}
analysis: {{direction_skew: 5s}}
flows: {{max_per_worker: 300000, max_ipv6_per_worker: 100000, timeouts: {{embryonic: 1m}}}}
outputs: {{events: {{path: "{folder}/events"}}, flows: {{path: "{folder}/flows"}}}}
log: {{interval: 500ms}}
"""


@needs_live
class OverMemif(unittest.TestCase):

    def setUp(self):
        self.folder = temporary_folder(self)
        self.name = f"tapwitness-gen-{os.getpid()}-{self.id().rpartition('.')[2]}"[:80]

    def monitor(self, cores="[0]", distribution="auto", ring=4096, arguments="", **popen):
        (self.folder / "run.yaml").write_text(MONITOR.format(
            name=self.name, folder=self.folder, cores=cores, distribution=distribution, ring=ring,
            arguments=arguments))
        return LiveRun("-c", self.folder / "run.yaml", **popen)

    def source(self, *arguments, device=""):
        return TrafficSource("--vdev", f"net_memif0,role=client,socket={self.name}{device}",
                             "--linger-ms", 100, *arguments)

    def check_frames(self, live, truth):
        """The monitor's numbers are the truth, and add up."""
        totals = port_totals(live)
        self.assertEqual(truth["packets"], totals["received"], "\n".join(live.log))
        self.assertEqual(totals["received"], totals["analysed"] + totals["ring_full"])
        self.assertEqual(0, totals["queued"])
        self.assertEqual(0, totals["unaccounted"])
        return totals

    def check_findings(self, live, truth):
        sums = flow_sums(self.folder / "flows")
        self.assertEqual({name: count for name, count in truth["flags"].items() if count},
                         dict(sums["flags"]))
        self.assertEqual(truth["missing_bytes"], sums["missing_bytes"])
        self.assertEqual(truth["packets"], sums["packets"])
        # A connection of which each worker saw a direction would count twice.
        self.assertEqual(truth["connections"], counter(live, "flow.created"))
        self.assertEqual(0, counter(live, "event.flow_records_dropped"))
        self.assertEqual(truth["flags"], {name: counter(live, "flag." + name)
                                          for name in truth["flags"]})

    def run_lossless(self, *arguments, device="", **monitor):
        with self.monitor(**monitor) as live:
            live.wait_for(STARTED)
            truth = self.source("--packets", PACKETS, *FAULTS, *arguments, device=device).truth()
            self.assertTrue(truth["peer_took_all"])
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        totals = self.check_frames(live, truth)
        self.assertEqual(truth["packets"], totals["analysed"])
        self.check_findings(live, truth)
        return truth

    def test_one_queue(self):
        self.run_lossless("--seed", 1)

    def test_two_queues_whose_peer_keeps_connections_together(self):
        truth = self.run_lossless("--seed", 2, "--queues", 2, cores="[0, 0]", distribution="rss",
                                  device=",rsize=12", arguments=",rsize=12")
        for queue in truth["queues"]:
            self.assertGreater(queue["packets"], PACKETS // 3)

    def test_overloaded_workers_drop_by_name_and_nothing_else(self):
        environment = dict(os.environ, LD_PRELOAD=SLOW_WORKER, SLOW_WORKER_US="1000")
        with self.monitor(cores="[0, 0]", ring=64, env=environment) as live:
            live.wait_for(STARTED)
            truth = self.source("--packets", PACKETS // 4, "--seed", 3, *FAULTS).truth()
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        totals = self.check_frames(live, truth)
        self.assertGreater(totals["ring_full"], 0)
        self.assertGreater(totals["analysed"], 0)
        self.assertEqual(totals["analysed"], counter(live, "decode.segments"))

    def test_a_slow_worker_without_dispatcher_makes_the_sender_wait(self):
        environment = dict(os.environ, LD_PRELOAD=SLOW_WORKER, SLOW_WORKER_US="100")
        with self.monitor(env=environment) as live:
            live.wait_for(STARTED)
            truth = self.source("--packets", 100_000, "--seed", 4, *FAULTS).truth()
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertGreater(truth["refused"], 0)
        totals = self.check_frames(live, truth)
        self.assertEqual(truth["packets"], totals["analysed"])
        self.check_findings(live, truth)

    def test_peers_that_come_and_go_are_counted_on(self):
        sent = 0
        with self.monitor() as live:
            live.wait_for(STARTED)
            for seed in (6, 7, 8):
                live.wait_for("new (")
                sent += self.source("--packets", 50_000, "--seed", seed).truth()["packets"]
            live.wait_for("link down")
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.check_frames(live, {"packets": sent})

    def test_a_stopped_monitor_loses_only_what_its_peer_could_not_hand_over(self):
        with self.monitor() as live:
            live.wait_for(STARTED)
            # Without end: it is told to stop once the pause is over.
            source = self.source("--packets", 10**12, "--rate", 200_000, "--drop-refused",
                                 "--seed", 5, *FAULTS)
            live.wait_for("pps", but_not=" 0 new (")
            with live.held():
                time.sleep(1)  # what the test is about: a pause of one second
            source.process.terminate()
            truth = source.truth()
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertGreater(truth["refused"], 1000)
        totals = self.check_frames(live, truth)
        self.assertEqual(truth["packets"], totals["analysed"])
        self.assertNotIn("flags", truth, "dropped frames change what the rest looks like")


if __name__ == "__main__":
    unittest.main()
