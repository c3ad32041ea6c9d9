#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The long checks of live capture; see scripts/soak. Two processes, traffic_source and the monitor,
joined by net_memif: what the one made and what the other found must be the same numbers."""
import argparse
import contextlib
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "smoke"))
import live_support  # noqa: E402  (its folder is known only now)

FOLDER = live_support.BUILD / "soak"
HUGE_PAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
HUGE_PAGES_WANTED = 1024
BURST = 32
# Growth of resident memory that is not a leak: pages of tables touched late, buffers of the log.
GROWTH_MAX_KIB = 4096

MONITOR = """
ports: [{{device: "net_memif0,role=server,socket={name},rsize=14"}}]
workers: {{cores: {cores}, distribution: {distribution}, ring: {ring}}}
# Longer than any pause of this machine: an early ACK is not judged before its data comes, and a
# handshake in progress is not taken for one that was given up.
analysis: {{direction_skew: 10s}}
flows: {{{tables}timeouts: {{embryonic: 2m, closing: {closing}}}}}
outputs: {{events: {{path: "{folder}/events.jsonl"}}, flows: {{path: "{folder}/flows.jsonl"}}}}
log: {{interval: 1s}}
"""
# Long connections, so that records of them do not outweigh the packets.
TRAFFIC = ("--mix", "small", "--syn-flood", 1, "--ipv6", 200, "--patience-ms", 3000)
LONG = ("--rounds-min", 20, "--rounds-max", 200, "--faults", 5, "--fault", "reset-in-hole=50")
# Tables lie untouched in memory at first, and rte_hash takes its free entries in turn: resident
# memory grows until each was used once. For endurance they are small and connections short, so that
# this is over within minutes; what grows after that is a leak.
SMALL_TABLES = "max_per_worker: 150000, max_ipv6_per_worker: 50000, "
# Faults are few, because small tables provide details for few connections.
SHORT = ("--rounds-min", 5, "--rounds-max", 25, "--fault", "loss=1", "--fault", "reset-in-hole=5")


class Failed(Exception):
    """One sentence on what does not hold."""


def require(condition, sentence):
    if not condition:
        raise Failed(sentence)


def equal(expected, found, what):
    require(expected == found, f"{what}: {expected} scripted, {found} found")


@contextlib.contextmanager
def huge_pages(wanted):
    """Reserves huge pages, or none, and restores what was."""
    before = HUGE_PAGES.read_text()
    HUGE_PAGES.write_text(f"{wanted}\n")
    try:
        have = int(HUGE_PAGES.read_text())
        require(have == wanted or (wanted and have > wanted),
                f"{have} huge pages of 2 MiB instead of {wanted}")
        yield
    finally:
        HUGE_PAGES.write_text(before)


class Pair:
    """A monitor and a traffic_source, with their logs in a folder of their own."""

    def __init__(self, name, queues=1, huge=False, distribution=None, ring=4096, endurance=False,
                 **popen):
        self.folder = FOLDER / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = f"tapwitness-soak-{os.getpid()}-{name}"
        self.queues, self.huge = queues, huge
        cpus = sorted(os.sched_getaffinity(0))
        # Enough CPUs: one each. Otherwise the workers share the first, the source has the last.
        workers = cpus[:queues] if len(cpus) > queues + 1 else [cpus[0]] * queues
        self.source_cpu = cpus[-1]
        (self.folder / "run.yaml").write_text(MONITOR.format(
            name=self.socket, cores=workers, folder=self.folder, ring=ring,
            tables=SMALL_TABLES if endurance else "", closing="10s" if endurance else "30s",
            distribution=distribution or ("rss" if queues > 1 else "auto")))
        self.live = live_support.LiveRun("-c", self.folder / "run.yaml", **popen)

    def __enter__(self):
        self.live.__enter__()
        self.live.wait_for(live_support.STARTED)
        return self

    def __exit__(self, *reason):
        self.live.__exit__(*reason)
        (self.folder / "monitor.log").write_text("\n".join(self.live.log) + "\n")

    def source(self, *arguments, queues=None):
        device = f"net_memif0,role=client,socket={self.socket},rsize=14"
        pages = ["--huge-pages"] if self.huge else []
        return live_support.TrafficSource("--vdev", device, "--cpu", self.source_cpu, "--queues",
                                          queues or self.queues, *pages, *arguments)

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.live.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def finish(self, truth):
        (self.folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
        code = self.live.stop()
        require(code == 0, f"the monitor ended with {code}")


def check_frames(pair, truth):
    """Each frame has one fate, and the numbers are the truth."""
    totals = live_support.port_totals(pair.live)
    equal(truth["packets"], totals["received"], "frames received")
    equal(totals["received"], totals["analysed"] + totals["ring_full"],
          "frames analysed or dropped by name")
    equal(0, totals["queued"], "frames left in the queues")
    equal(0, totals["unaccounted"], "unaccounted frames")
    residual, allowed = live_support.worst_residual(pair.live), BURST * pair.queues
    require(residual <= allowed, f"residual of an interval: {residual}, at most {allowed}")
    return totals, residual


def check_findings(pair, truth):
    """Flags, missing bytes, connections."""
    for flag, count in truth["flags"].items():
        equal(count, live_support.counter(pair.live, "flag." + flag), flag)
    equal(truth["connections"], live_support.counter(pair.live, "flow.created"), "connections")
    lost = live_support.counter(pair.live, "event.flow_records_dropped")
    equal(0, lost, "flow records lost, so that missing bytes do not add up")
    equal(0, live_support.counter(pair.live, "tcp.details_exhausted"),
          "segments without a detail record, so that missing bytes do not add up")
    sums = live_support.flow_sums(pair.folder / "flows.jsonl")
    equal(truth["missing_bytes"], sums["missing_bytes"], "missing bytes")
    equal(truth["packets"], sums["packets"], "frames in flow records")
    for flag, count in truth["flags"].items():
        equal(count, sums["flags"][flag], f"{flag} in flow records")


def run_memif(packets, queues, huge, seed):
    name = f"memif-{queues}q-{'huge' if huge else 'ordinary'}"
    with Pair(name, queues=queues, huge=huge) as pair:
        source = pair.source("--packets", packets, "--seed", seed, *TRAFFIC, *LONG)
        truth = source.truth(timeout=packets / 20_000 + 60)
        require(truth["peer_took_all"], "the monitor did not take everything")
        pair.finish(truth)
    totals, residual = check_frames(pair, truth)
    equal(truth["packets"], totals["analysed"], "frames analysed")
    check_findings(pair, truth)
    flags = sum(truth["flags"].values())
    return {"name": name, "packets": truth["packets"], "bytes": truth["bytes"],
            "connections": truth["connections"], "flags": flags,
            "missing_bytes": truth["missing_bytes"], "seconds": truth["seconds"],
            "mpps": truth["packets"] / truth["seconds"] / 1e6, "residual": residual,
            "text": f"{truth['packets']:,} frames in {truth['seconds']:.0f} s "
                    f"({truth['packets'] / truth['seconds'] / 1e6:.2f} Mpps), all analysed; "
                    f"{truth['connections']:,} connections, {flags:,} flags and "
                    f"{truth['missing_bytes']:,} missing bytes as scripted; residual at most "
                    f"{residual} at any reading, 0 at the stop"}


def run_overload(packets, seed):
    """Slow workers behind a dispatcher with short rings: drops, each one counted."""
    environment = dict(os.environ, LD_PRELOAD=live_support.SLOW_WORKER, SLOW_WORKER_US="50")
    with Pair("overload", queues=2, distribution="dispatcher", ring=64, env=environment) as pair:
        source = pair.source("--packets", packets, "--seed", seed, *TRAFFIC, *LONG,
                             queues=1)
        truth = source.truth(timeout=packets / 20_000 + 60)
        pair.finish(truth)
    totals, residual = check_frames(pair, truth)
    require(totals["ring_full"] > 0, "nothing was dropped: this run proves nothing")
    equal(totals["analysed"], live_support.counter(pair.live, "decode.segments"), "segments")
    return {"name": "overload", "packets": truth["packets"], "analysed": totals["analysed"],
            "dropped": totals["ring_full"], "residual": residual,
            "text": f"{truth['packets']:,} frames = {totals['analysed']:,} analysed + "
                    f"{totals['ring_full']:,} without room in a worker's ring"}


def run_endurance(minutes, rate, seed):
    """Resident memory does not grow, and at the end everything adds up."""
    memory = []
    with Pair("endurance", endurance=True) as pair:
        source = pair.source("--packets", int(minutes * 60 * rate), "--rate", rate, "--seed", seed,
                             *TRAFFIC, *SHORT)
        started = time.monotonic()
        # A source that falls behind its rate gets half as much time again.
        while source.process.poll() is None:
            require(time.monotonic() - started < minutes * 90 + 60, "the source does not finish")
            memory.append(pair.resident_kib())
            time.sleep(1)
        truth = source.truth()
        (pair.folder / "resident_kib.json").write_text(json.dumps(memory) + "\n")
        pair.finish(truth)
    totals, _ = check_frames(pair, truth)
    equal(truth["packets"], totals["analysed"], "frames analysed")
    check_findings(pair, truth)
    # The first third is for what was never touched before.
    early, late = memory[:len(memory) // 3], memory[-len(memory) // 3:]
    require(early and late, "too short to say anything about memory")
    growth = max(late) - max(early)
    require(growth <= GROWTH_MAX_KIB, f"resident memory grew by {growth} KiB")
    return {"name": "endurance", "packets": truth["packets"], "seconds": truth["seconds"],
            "resident_kib": [max(early), max(late)],
            "text": f"{truth['seconds'] / 60:.1f} minutes, {truth['packets']:,} frames, all "
                    f"analysed and as scripted; resident memory {max(early):,} KiB in the first "
                    f"third, {max(late):,} KiB in the last"}


def arguments_of():
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description=__doc__.partition(" The long")[0] +
        " Logs, the truth and what was found stay in build/soak.")
    commands = parser.add_subparsers(dest="command", required=True)
    memif = commands.add_parser("memif", help="every frame and flag of 100 M accounted for, with "
                                "and without huge pages, one and two queues")
    memif.add_argument("--packets", type=int, default=100_000_000)
    memif.add_argument("--queues", type=int, choices=[1, 2], help="default: one, then two")
    memif.add_argument("--pages", choices=["huge", "ordinary"],
                       help="default: ordinary, then huge ones, which takes root")
    overload = commands.add_parser("overload", help="slow workers, short rings: drops by name")
    overload.add_argument("--packets", type=int, default=20_000_000)
    endurance = commands.add_parser("endurance", help="memory stays flat, counters add up")
    endurance.add_argument("--minutes", type=float, default=30)
    endurance.add_argument("--rate", type=int, default=100_000, help="frames a second")
    for command in (memif, overload, endurance):
        command.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def checks(options):
    """(name, function) of each run."""
    if options.command == "overload":
        return [("overload", lambda: run_overload(options.packets, options.seed))]
    if options.command == "endurance":
        return [("endurance", lambda: run_endurance(options.minutes, options.rate, options.seed))]
    rows = []
    for pages in [options.pages] if options.pages else ["ordinary", "huge"]:
        for queues in [options.queues] if options.queues else [1, 2]:
            def one(queues=queues, huge=pages == "huge"):
                reserve = huge_pages(HUGE_PAGES_WANTED) if huge else contextlib.nullcontext()
                with reserve:
                    return run_memif(options.packets, queues, huge, options.seed)
            rows.append((f"memif, {queues} queue{'s' * (queues > 1)}, {pages} pages", one))
    return rows


def main():
    options = arguments_of()
    FOLDER.mkdir(parents=True, exist_ok=True)
    failures = 0
    for name, check in checks(options):
        print(f"{name} ...", flush=True)
        result = {"name": name, "command": sys.argv[1:], "started": time.time(),
                  "load": os.getloadavg()[0]}
        try:
            result.update(check(), passed=True)
            print(f"  PASS: {result['text']}", flush=True)
        except (Failed, AssertionError, OSError) as problem:
            failures += 1
            result.update(passed=False, text=str(problem))
            print(f"  FAIL: {problem}", flush=True)
        with open(FOLDER / "results.jsonl", "a", encoding="utf-8") as results:
            results.write(json.dumps(result) + "\n")
    print("FAIL" if failures else "PASS")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
