# SPDX-License-Identifier: BSD-3-Clause
"""The same scenario seen by a running `tapwitness firewall -c` on the two mirror ports, while
tcpdump writes down the same packets: both must come to the same findings, and the running one must
say each within the time it waits for a packet and a second."""
import collections
import dataclasses
import json
import os
import pathlib
import threading
import time

import bed
import judge

STARTED = "receiving; SIGINT or SIGTERM stops"
WAIT_SECONDS = 1.0    # firewall.transit_max: how long a packet may take between the taps
LATE_SECONDS = 1.0    # a verdict may take so much longer
POLL_SECONDS = 0.02
CONFIGURATION = """
ports:
  - {name: out0, device: "iface:m0", tap: outside}
  - {name: in0, device: "iface:m1", tap: inside}
"""


class Monitor:
    """A running product in the monitor's namespace; what it writes is read as it appears."""

    def __init__(self, folder, policy, workers):
        self.folder = pathlib.Path(folder)
        self.workers = workers
        self.policy = policy
        self.arrived = []  # (wall clock, notice)
        self.log = []
        self.process = None
        self.stopped = None  # wall clock
        # The lab's own processes share one processor; the monitor has them all.
        self.processors = os.sched_getaffinity(0)
        self.ready = False
        self.started, self.stopping = threading.Event(), threading.Event()
        self.threads = []

    def start(self, laboratory):
        configuration = self.folder / "live.yaml"
        cores = sorted(self.processors) * self.workers
        workers = f"workers: {{cores: {cores[:self.workers]}, poll: adaptive}}\n"
        configuration.write_text(CONFIGURATION + workers + self.policy, encoding="utf-8")
        self.process = bed.start([*laboratory.net.prefix("m"), judge.BINARY, "firewall", "-c",
                                  configuration, "--json", self.folder / "live.json",
                                  "--events", self.folder / "live.jsonl", "--text",
                                  self.folder / "live.txt"],
                                 preexec_fn=lambda: os.sched_setaffinity(0, self.processors))
        laboratory.cleanups.callback(bed.stop, self.process)
        for reader in (self.read_log, self.follow):
            self.threads.append(threading.Thread(target=reader, daemon=True))
            self.threads[-1].start()
        if not self.started.wait(30) or not self.ready:
            raise bed.LabError("the monitor does not start: " + " | ".join(self.log[-3:]))

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            if STARTED in line:
                self.ready = True
                self.started.set()
        self.started.set()  # it ended

    def follow(self):
        path, part = self.folder / "live.jsonl", ""
        while not path.exists() and not self.stopping.wait(POLL_SECONDS):
            pass
        with open(path, encoding="utf-8") as file:
            while True:
                ended = self.stopping.wait(POLL_SECONDS)
                part += file.read()
                *lines, part = part.split("\n")
                now = time.time()
                self.arrived += [(now, json.loads(line)) for line in lines]
                if ended:
                    return

    def stop(self):
        self.stopped = time.time()
        self.process.terminate()
        self.process.wait(timeout=60)
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=10)

    def said(self):
        """As judge.ask has it, of the live run."""
        report = self.folder / "live.json"
        if self.process.returncode not in judge.EXIT_CODES or not report.exists():
            raise judge.ProductError(f"live: exit {self.process.returncode}: "
                                     f"{' | '.join(self.log[-3:])}")
        facts = [notice for _, notice in self.arrived if "kind" in notice and notice["settled"]]
        return judge.Said(json.loads(report.read_text(encoding="utf-8")), facts,
                          self.process.returncode, "\n".join(self.log))

    def delays(self):
        """Seconds from what decided a fact, or from the time its packet was waited for, to its
        first notice. What was told after the stop, the end of the capture decided."""
        found, seen = [], set()
        for now, notice in self.arrived:
            if "kind" in notice and notice["id"] not in seen:
                seen.add(notice["id"])
                due = max(float(notice["time"]) + WAIT_SECONDS, float(notice["decided"]))
                due = max(due, self.stopped) if now > self.stopped else due
                found.append(now - due)
        return found


@dataclasses.dataclass
class Live:
    wrong: list
    worst: float     # seconds beyond what is waited for
    notices: int


def captured(offline):
    """From when to when captures allow a judgement. The monitor began before them, and after their
    last frame its clock goes on: of what lies at their ends it knows more."""
    taps = offline.report["confidence"]["taps"]
    edge = WAIT_SECONDS + POLL_SECONDS
    return (max(float(tap["first"]) for tap in taps) + edge,
            min(float(tap["last"]) for tap in taps) - edge)


def packets_within(said, times):
    """How many packets of each kind facts tell of. Whether the tries of one sender are one fact or
    two depends on how far the clock had come when the next one entered."""
    last = {one["id"]: one for one in said.facts  # each is told twice, until it is settled
            if times[0] <= float(one["time"]) <= times[1]}
    packets = collections.Counter()
    for one in last.values():
        packets[one["kind"]] += one["attempts"]
    return dict(packets)


def compare(scenario, monitor, folder):
    """What the live run says that the captures do not, or the other way round; and how late."""
    offline = judge.ask(scenario, folder, folder)
    live = monitor.said()
    wrong = []
    if live.findings() != offline.findings():
        wrong.append(f"live {live.findings()}, from files {offline.findings()}")
    if live.doubts() != offline.doubts():
        wrong.append(f"doubts live {live.doubts()}, from files {offline.doubts()}")
    counts = [packets_within(one, captured(offline)) for one in (live, offline)]
    if counts[0] != counts[1]:
        wrong.append(f"packets live {counts[0]}, from files {counts[1]}")
    delays = monitor.delays()
    worst = max(delays, default=0.0)
    if worst > LATE_SECONDS:
        wrong.append(f"a verdict came {worst:.2f} s late")
    return Live([*wrong, *judge.wrongs(scenario, live)], worst, len(delays))


def run(scenario, folder, workers):
    monitor = Monitor(folder, scenario.policy, workers)
    bed.run(scenario.setup, folder, monitor)
    return compare(scenario, monitor, pathlib.Path(folder))
