#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The maximum lossless rate of live capture over net_memif, by binary search as in RFC 2544; see
scripts/bench lossless. memif pushes back and never drops, so a loss is a frame that the sender
could not hand over when its time had come: as on a mirror port, it is gone then."""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

import bench

sys.path.insert(0, str(bench.ROOT / "tests" / "smoke"))
import live_support  # noqa: E402  (its folder is known only now)

MONITOR = """
ports: [{{device: "net_memif0,role=server,socket={name},rsize=14"}}]
workers: {{cores: {cores}, distribution: {distribution}}}
outputs: {{events: {{path: "{folder}/events.jsonl"}}, flows: {{path: ""}}}}
"""
# What the smallest step may be, as a share of the rate.
RESOLUTION = 0.03


class Search:
    """One monitor, and trials against it."""

    def __init__(self, options, folder, number):
        self.options = options
        self.name = f"tapwitness-lossless-{os.getpid()}-{number}"
        self.trials = []
        cpus = sorted(os.sched_getaffinity(0))
        queues = options.queues
        workers = cpus[:queues] if len(cpus) > queues + 1 else [cpus[0]] * queues
        self.cpu = cpus[-1]
        configuration = pathlib.Path(folder, f"run{number}.yaml")
        configuration.write_text(MONITOR.format(
            name=self.name, cores=workers, folder=folder,
            distribution="rss" if queues > 1 else "auto"))
        self.live = live_support.LiveRun("-c", configuration)

    def __enter__(self):
        self.live.__enter__()
        self.live.wait_for(live_support.STARTED)
        return self

    def __exit__(self, *reason):
        self.live.__exit__(*reason)

    def send(self, packets, *arguments):
        """One trial's truth. Each has connections of its own."""
        device = f"net_memif0,role=client,socket={self.name},rsize=14"
        source = live_support.TrafficSource(
            *traffic(self.options, len(self.trials) + 1), "--vdev", device, "--queues",
            self.options.queues, "--cpu", self.cpu, "--packets", packets, "--linger-ms", 100,
            *arguments)
        truth = source.truth(timeout=self.options.seconds * 20 + 60)
        self.trials.append(truth)
        return truth

    def passes(self, rate):
        truth = self.send(int(rate * self.options.seconds), "--rate", int(rate), "--drop-refused")
        lossless = truth["refused"] == 0
        print(f"    {rate / 1e6:6.3f} Mpps: {'no loss' if lossless else 'loss'}"
              f" ({truth['refused']:,} of {truth['packets'] + truth['refused']:,} refused)",
              flush=True)
        return lossless

    def run(self):
        """The greatest rate that passed, and what back-pressure alone allows."""
        pushed = self.send(int(self.options.seconds * 1e6))
        low, high = 0.0, pushed["pps"] * 1.1
        while high - low > RESOLUTION * high and high > 1000:
            middle = (low + high) / 2
            if self.passes(middle):
                low = middle
            else:
                high = middle
        if self.live.stop() != 0:
            raise SystemExit("\n".join(self.live.log))
        self.check_sums()
        return low, pushed["pps"]

    def check_sums(self):
        """A rate counts only if the monitor analysed each frame that was handed over."""
        handed = sum(truth["packets"] for truth in self.trials)
        totals = live_support.port_totals(self.live)
        if not handed == totals["received"] == totals["analysed"]:
            raise SystemExit(f"handed over {handed:,} frames, {dict(totals)}:\n" +
                             "\n".join(self.live.log))


def traffic(options, seed):
    return ("--mix", options.mix, "--connections", options.connections, "--faults", 1,
            "--rounds-max", 100, "--seed", seed)


def own_maximum(options):
    """Frames a second that the generator makes when nobody has to take them."""
    source = live_support.TrafficSource(
        *traffic(options, 1), "--vdev", "net_null0", "--queues", options.queues, "--linger-ms", 0,
        "--packets", int(options.seconds * 4e6))
    return source.truth()["pps"]


def arguments_of():
    parser = argparse.ArgumentParser(prog="scripts/bench lossless", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one search, trials of one second")
    parser.add_argument("--searches", type=int, help="default 5, quick 1; the median counts")
    parser.add_argument("--seconds", type=float, help="of each trial (default 5, quick 1)")
    parser.add_argument("--queues", type=int, default=1)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--mix", choices=["small", "internet", "large"], default="small")
    options = parser.parse_args()
    options.searches = options.searches or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 5)
    return options


def main():
    options = arguments_of()
    facts = bench.machine()
    bench.print_machine(facts)
    print(f"\nLossless rate over net_memif, rings of 16384 frames, {options.queues} queue(s), "
          f"{options.connections:,} connections, {options.mix} frames")
    rows = {"generator alone": [], "with back-pressure": [], "lossless": []}
    with tempfile.TemporaryDirectory(prefix="tapwitness-lossless-") as folder:
        for number in range(options.searches):
            print(f"  search {number + 1} of {options.searches}", flush=True)
            rows["generator alone"].append(own_maximum(options))
            with Search(options, folder, number) as search:
                lossless, pushed = search.run()
            rows["with back-pressure"].append(pushed)
            rows["lossless"].append(lossless)
    print(f"\n{'':20} {'Mpackets/s, median [min..max]':>32}")
    for name, rates in rows.items():
        print(f"{name:20} {bench.spread(rates, digits=3):>32}")
    out = bench.BUILD / "bench-lossless.json"
    out.write_text(json.dumps({"schema": "tapwitness/bench-lossless/1", "machine": facts,
                               "options": vars(options), "rates": rows,
                               "lossless_pps": statistics.median(rows["lossless"])},
                              indent=1) + "\n")
    print(f"\nraw numbers: {out.relative_to(bench.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
