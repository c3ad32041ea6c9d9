#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`tapwitness run -c FILE` at SIGHUP: what changes live does, the rest is named, mistakes change
nothing, and no frame is lost by it."""

import signal
import time
import unittest

from live_support import (CAPTURES, LiveRun, STARTED, VethPair, counter, frames_of, json_lines,
                          needs_live, needs_root, port_totals, temporary_folder)

BASE = """
ports: [{{device: "{device}"}}]
workers: {{poll: adaptive}}
outputs: {{events: {{path: "{folder}/events"}}, flows: {{path: "{folder}/flows"}}}}
"""


class Reloading(unittest.TestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.file = self.folder / "run.yaml"

    def write(self, more="", device="net_ring0"):
        self.file.write_text(BASE.format(device=device, folder=self.folder) + more)

    def reload(self, live, expected):
        live.process.send_signal(signal.SIGHUP)
        live.wait_for(expected)

    def stop(self, live):
        self.assertEqual(0, live.stop(), "\n".join(live.log))
        totals = port_totals(live)
        self.assertEqual(0, totals["unaccounted"], "\n".join(live.log))
        return totals


@needs_live
class Reload(Reloading):

    def test_each_changed_key_is_told_with_both_values(self):
        self.write()
        with LiveRun("-c", self.file) as live:
            live.wait_for(STARTED)
            self.write("log: {level: debug, interval: 300ms}\n"
                       "flows: {timeouts: {embryonic: 2s}, max_per_worker: 5000}\n")
            self.reload(live, "reload: 3 in force, 1 after a restart")
            # The new interval, and a word only debugging tells.
            live.wait_for("taken up by every worker")
            live.wait_for("pps")
            self.stop(live)
        log = "\n".join(live.log)
        self.assertIn("reload: log.level: info -> debug", log)
        self.assertIn("reload: log.interval: 10s -> 300ms", log)
        self.assertIn("reload: flows.timeouts.embryonic: 5s -> 2s", log)
        self.assertIn("reload: flows.max_per_worker: 1000000 -> 5000: needs a restart, not in "
                      "force", log)

    def test_a_file_with_mistakes_changes_nothing(self):
        self.write()
        with LiveRun("-c", self.file) as live:
            live.wait_for(STARTED)
            self.write("log: {level: loud}\nfilter: udp\n")
            self.reload(live, "refused, everything stays as it was")
            self.write("filter: tcp prot 80\nlog: {level: error}\n")
            self.reload(live, "refused, everything stays as it was")
            self.file.unlink()
            self.reload(live, "refused, everything stays as it was")
            self.write()
            self.reload(live, "reload: 0 in force, 0 after a restart")
            self.stop(live)
        log = "\n".join(live.log)
        self.assertIn("run.yaml:5:14: log.level: loud", log)
        self.assertIn("tcp prot 80", log)

    def test_an_output_that_cannot_be_opened_changes_nothing(self):
        self.write()
        with LiveRun("-c", self.file) as live:
            live.wait_for(STARTED)
            self.file.write_text(self.file.read_text().replace("/flows", "/nowhere/flows")
                                 .replace("/events", "/other"))
            self.reload(live, "refused, everything stays as it was")
            self.stop(live)
        self.assertIn("nowhere/flows: cannot write: No such file", "\n".join(live.log))

    def test_a_key_that_needs_a_restart_is_named_each_time(self):
        self.write()
        with LiveRun("-c", self.file) as live:
            live.wait_for(STARTED)
            self.write("eal: {args: [--log-level=8]}\n")
            self.reload(live, "reload: 0 in force, 1 after a restart")
            self.reload(live, "reload: 0 in force, 1 after a restart")
            self.stop(live)

    def test_outputs_and_log_moved_away_are_begun_anew(self):
        log = self.folder / "log"
        self.write(f'log: {{path: "{log}"}}\n')
        with LiveRun("-c", self.file) as live:
            self.wait_until(lambda: log.exists() and STARTED in log.read_text())
            for name in ("events", "flows", "log"):
                (self.folder / name).rename(self.folder / (name + ".1"))
            live.process.send_signal(signal.SIGHUP)
            self.wait_until(lambda: log.exists() and "0 in force" in log.read_text())
            self.assertEqual(0, live.stop())
        for name in ("events", "flows"):
            for rotated in (name, name + ".1"):
                first = json_lines((self.folder / rotated).read_text())[0]
                self.assertTrue(first["schema"].startswith(f"tapwitness/{name}/"))
        self.assertIn("final report", log.read_text())
        self.assertNotIn("final report", (self.folder / "log.1").read_text())

    def test_outputs_that_were_not_moved_go_on(self):
        self.write()
        with LiveRun("-c", self.file) as live:
            live.wait_for(STARTED)
            inode = (self.folder / "events").stat().st_ino
            self.reload(live, "reload: 0 in force, 0 after a restart")
            self.stop(live)
        self.assertEqual(inode, (self.folder / "events").stat().st_ino)
        self.assertEqual(1, len(json_lines((self.folder / "events").read_text())))
        self.assertEqual([], [line for line in live.log if "begun anew" in line])

    def test_without_a_file_the_signal_stops(self):
        with LiveRun("--port", "net_ring0") as live:
            live.wait_for(STARTED)
            self.assertEqual(0, live.stop(signal.SIGHUP), "\n".join(live.log))
        self.assertIn("final report", "\n".join(live.log))

    def test_nothing_is_lost_by_it_under_load(self):
        # Two workers fed by a dispatcher: every thread is busy while settings change.
        load = "workers: {{cores: [0, 0]}}\nlog: {{interval: 0s}}\nfilter: \"{}\"\n"

        def written(expression):
            self.file.write_text('ports: [{device: "net_null0,size=128"}]\n' +
                                 load.format(expression))

        written("")
        with LiveRun("-c", self.file) as live:
            live.wait_for(STARTED)
            for i in range(20):
                written("ether host 00:00:00:00:00:01" if i % 2 == 0 else "")
                self.reload(live, "reload: 1 in force, 0 after a restart")
            totals = self.stop(live)
        self.assertGreater(totals["received"], 0)
        self.assertEqual(totals["received"],
                         totals["analysed"] + totals["ring_full"] + totals["queued"])
        filtered = counter(live, "decode.filtered")
        self.assertGreater(filtered, 0)
        self.assertLess(filtered, totals["analysed"])

    def wait_until(self, fact):
        deadline = time.monotonic() + 30
        while not fact():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


@needs_live
@needs_root
class ReloadOnTheWire(Reloading):

    def setUp(self):
        super().setUp()
        self.pair = VethPair()
        self.pair.__enter__()
        self.addCleanup(self.pair.__exit__)

    def test_a_new_filter_decides_from_the_next_burst_on(self):
        device = "iface:" + self.pair.right
        log = "log: {level: debug, interval: 50ms}\n"
        self.write(log, device)
        frames = list(frames_of(CAPTURES / "lost-segment.pcap"))
        sent = 0
        with LiveRun("-c", self.file, prefix=VethPair.inside(self.pair.right_space)) as live:
            live.wait_for(STARTED)
            for expression, times in (("", 1), ("udp", 2), ("", 1)):
                if sent != 0:
                    self.write(log + f'filter: "{expression}"\n', device)
                    self.reload(live, "taken up by every worker")
                for _ in range(times):
                    self.pair.send_frames(frames)
                    sent += len(frames)
                live.wait_for(f"{sent} frames analysed")
            totals = self.stop(live)
        self.assertEqual(2 * len(frames), counter(live, "decode.filtered"))
        self.assertEqual(4 * len(frames), totals["analysed"])


if __name__ == "__main__":
    unittest.main()
