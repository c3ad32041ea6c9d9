#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the benchmarks, prints their tables and keeps the raw numbers. See scripts/bench."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PACKET_BENCH = BUILD / "tests/bench/packet_bench"
ATTACK_BENCH = BUILD / "tests/bench/attack_bench"
PAIR_BENCH = BUILD / "tests/bench/pair_bench"
GENERATE = BUILD / "tests/support/generate_traffic"
TAPWITNESS = BUILD / "tapwitness"
HUGE_PAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")

# tshark told to work out the flags, which `read --frames` does, and as little else as it can.
TSHARK = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE",
          "-T", "fields", "-e", "frame.number", "-e", "tcp.analysis.flags"]
TSHARK_PROTOCOLS = {"frame", "eth", "ethertype", "vlan", "ip", "ipv6", "tcp"}
# Share of the ceiling the whole pipeline aims at.
GOALS = {10_000: 0.50, 100_000: 0.60, 1_000_000: 0.75}
PAIRS_GOAL = 5e6  # pairs matched per second and core


def text_of(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip()


def machine() -> dict:
    facts = dict(line.split(":", 1) for line in text_of(["lscpu"]).splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    return {
        "cpu": facts.get("Model name", "unknown"),
        "cpus": os.cpu_count(),
        "hypervisor": facts.get("Hypervisor vendor", "none"),
        "caches": ", ".join(f"{level} {facts[level + ' cache']}" for level in ("L2", "L3")
                            if level + " cache" in facts),
        "memory_gib": round(int(memory) / 2**20, 1),
        "huge_pages": int(HUGE_PAGES.read_text()) if HUGE_PAGES.exists() else 0,
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
        "version": text_of([str(TAPWITNESS), "--version"]).replace("\n", "; "),
        "commit": text_of(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def print_machine(facts: dict) -> None:
    print(f"{facts['cpu']}, {facts['cpus']} CPUs, {facts['caches']}, {facts['memory_gib']} GiB, "
          f"hypervisor {facts['hypervisor']}, {facts['huge_pages']} huge pages of 2 MiB")
    print(f"{facts['version']}, commit {facts['commit']}, {facts['date']}")
    if facts["load"] > 0.5:
        print(f"Load is {facts['load']:.1f}: others use this machine, so trust ratios, not rates.")


def spread(values: list[float], scale: float = 1e6, digits: int = 2) -> str:
    """median [min..max]"""
    low, middle, high = min(values), statistics.median(values), max(values)
    return " ".join([f"{middle / scale:8.{digits}f}",
                     f"[{low / scale:.{digits}f}..{high / scale:.{digits}f}]"])


def ratios(values: list[float], base: list[float]) -> list[float]:
    """Repetition by repetition: what disturbed one disturbed the other."""
    return [a / b for a, b in zip(values, base)]


def rows_of(program: pathlib.Path, arguments: list[str]) -> list[dict]:
    done = subprocess.run([str(program), *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def print_attacks(rows: list[dict]) -> None:
    print("\nTraffic made to be expensive to judge, one core, 1024 connections in turn")
    print(f"{'':32} {'Mpackets/s, median [min..max]':>32}  {'ns/packet':>9}  {'x calm':>7}")
    calm = rows[0]
    for row in rows:
        nanoseconds = 1e9 / statistics.median(row["rates"])
        factor = statistics.median(ratios(calm["rates"], row["rates"]))
        print(f"{row['name']:32} {spread(row['rates']):>32}  {nanoseconds:9.1f}  {factor:7.1f}")


def print_pairs(rows: list[dict]) -> None:
    print("\nTwins at two taps, one core, bursts of 32, 10,000 connections in random order")
    print("plain table: 40-byte keys inserted at one tap, found and erased at the other")
    print(f"{'':24} {'in flight':>9} {'Mpairs/s, median [min..max]':>32}  {'of plain':>10} "
          f"{'goal':>5}")
    for count in sorted({row["in_flight"] for row in rows}):
        group = [row for row in rows if row["in_flight"] == count]
        for row in group:
            share = statistics.median(ratios(row["rates"], group[0]["rates"]))
            goal = f"{PAIRS_GOAL / 1e6:.2f}" if row["name"] == "table of twins" else ""
            print(f"{row['name']:24} {count:9,} {spread(row['rates']):>32}  {share:10.2f} "
                  f"{goal:>5}")
        print()


def print_packet_path(rows: list[dict]) -> None:
    print("\nDecoding alone, one core, frames in the second-level cache")
    print(f"{'':34} {'Mpackets/s, median [min..max]':>32}  {'ns/packet':>9}")
    for row in (r for r in rows if r["flows"] == 0):
        nanoseconds = 1e9 / statistics.median(row["rates"])
        print(f"{row['name']:42} {spread(row['rates']):>24}  {nanoseconds:9.1f}")
    print("\nOne core, 64-byte frames, bursts of 32, connections in uniformly random order")
    print("look-up: keys and hashes given, one line of each connection touched; the first is the")
    print("ceiling of each number of connections")
    print(f"{'':24} {'flows':>9} {'Mpackets/s, median [min..max]':>32}  "
          f"{'of ceiling':>10} {'goal':>5}")
    for flows in sorted({r["flows"] for r in rows if r["flows"]}):
        group = [r for r in rows if r["flows"] == flows]
        ceiling = group[0]
        for row in group:
            share = statistics.median(ratios(row["rates"], ceiling["rates"]))
            goal = f"{GOALS[flows]:.2f}" if flows in GOALS and "pipeline" in row["name"] else ""
            rates = spread(row["rates"])
            print(f"{row['name']:24} {flows:9,} {rates:>32}  {share:10.2f} {goal:>5}")
        print()


def disable_other_protocols(folder: str) -> None:
    """tshark reads its configuration from here on: only what the flags need is dissected."""
    names = [line.split("\t")[2] for line in text_of(["tshark", "-G", "protocols"]).splitlines()]
    os.makedirs(f"{folder}/tshark")
    with open(f"{folder}/tshark/disabled_protos", "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names if name not in TSHARK_PROTOCOLS)
    os.environ["WIRESHARK_CONFIG_DIR"] = f"{folder}/tshark"


def timed(command: list[str], stdout=subprocess.DEVNULL) -> float:
    begin = time.monotonic()
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: exit code {done.returncode}: "
                 f"{done.stderr.decode(errors='replace')[-500:]}")
    return seconds


def readers(capture: str, part: str) -> list[tuple[str, list[str], str]]:
    """(name, command, which file it reads): the two of tapwitness first."""
    commands = [
        ("tapwitness read --frames", [str(TAPWITNESS), "read", capture, "--frames", "/dev/null"],
         "whole"),
        ("tapwitness read", [str(TAPWITNESS), "read", capture], "whole"),
        ("tcpdump -w /dev/null", ["tcpdump", "-r", capture, "-w", "/dev/null"], "whole"),
        ("argus -w /dev/null", ["argus", "-r", capture, "-w", "/dev/null"], "whole"),
        ("tcptrace -n", ["tcptrace", "-n", capture], "whole"),
        ("tshark, the same flags", [*TSHARK, "-r", part], "part"),
    ]
    return [row for row in commands if "/" in row[1][0] or shutil.which(row[1][0])]


def read_files(packets: int, part_packets: int, repeats: int, folder: str) -> list[dict]:
    capture, part = f"{folder}/whole.pcap", f"{folder}/part.pcap"
    disable_other_protocols(folder)
    print(f"\ngenerating {packets:,} packets ...", flush=True)
    timed([str(GENERATE), "--profile", "realistic", "--seed", "7", "--packets", str(packets),
           "--out", capture])
    timed(["tcpdump", "-r", capture, "-c", str(part_packets), "-w", part])
    rows = [{"name": name, "packets": packets if which == "whole" else part_packets,
             "seconds": [], "command": command} for name, command, which in readers(capture, part)]
    # The first repetition fills the page cache. tshark is slow, so it runs at most twice.
    for repeat in range(repeats + 1):
        for row in rows:
            slow = "tshark" in row["name"] and repeat > min(repeats, 2)
            if not slow:
                seconds = timed(row["command"])
                if repeat > 0:
                    row["seconds"].append(seconds)
    for row in rows:
        row["rates"] = [row["packets"] / s for s in row["seconds"]]
        row["command"] = " ".join(row["command"]).replace(folder + "/", "")
    return rows


def print_readers(rows: list[dict], capture_bytes: int) -> None:
    whole = rows[0]["packets"]
    print(f"Reading a file of {whole:,} packets ({capture_bytes / 2**20:.0f} MiB, in page cache), "
          "start of the program included")
    print(f"{'':28} {'packets':>10} {'Mpackets/s, median [min..max]':>32}  "
          f"{'tapwitness --frames is':>22}")
    first = statistics.median(rows[0]["rates"])
    for row in rows:
        factor = first / statistics.median(row["rates"])
        print(f"{row['name']:28} {row['packets']:10,} {spread(row['rates'], digits=3):>32}  "
              f"{factor:20.2f} x")
    part = next((r for r in rows if r["packets"] != whole), None)
    if part is not None:
        print(f"({part['name'].split(',')[0]} read only the first {part['packets']:,} packets; its "
              "rate falls with the length of a file)")


def arguments_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures one core's path of a packet, and `read` beside "
        "other tools. Ratios hold within one run; rates only on one machine.")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, smaller file")
    parser.add_argument("--only", choices=["packets", "attacks", "pairs", "read"],
                        help="one of the parts")
    parser.add_argument("--repeats", type=int, help="repetitions of each (default 7, quick 3)")
    parser.add_argument("--packets", type=int,
                        help="of the file (default 2,000,000, quick 200,000)")
    parser.add_argument("--huge", action="store_true",
                        help="reserve 1 GiB of huge pages for the run (root)")
    return parser.parse_args()


def main() -> int:
    options = arguments_of()
    repeats = options.repeats or (3 if options.quick else 7)
    packets = options.packets or (200_000 if options.quick else 2_000_000)
    huge_before = HUGE_PAGES.read_text() if options.huge else None
    if options.huge:
        HUGE_PAGES.write_text("768\n")
    result = {"schema": "tapwitness/bench/1", "machine": machine()}
    print_machine(result["machine"])
    try:
        if options.only in (None, "packets"):
            batches = "1" if options.quick else "4"
            result["packet_path"] = rows_of(
                PACKET_BENCH, ["--repeats", str(repeats), "--batches", batches])
            print_packet_path(result["packet_path"])
        if options.only in (None, "attacks"):
            result["attacks"] = rows_of(ATTACK_BENCH, [str(repeats)])
            print_attacks(result["attacks"])
        if options.only in (None, "pairs"):
            batches = "1" if options.quick else "4"
            result["pairs"] = rows_of(PAIR_BENCH, ["--repeats", str(repeats), "--batches", batches])
            print_pairs(result["pairs"])
        if options.only in (None, "read"):
            with tempfile.TemporaryDirectory(prefix="tapwitness-bench-") as folder:
                result["read"] = read_files(packets, max(packets // 10, 50_000), repeats,
                                            folder)
                print_readers(result["read"], os.path.getsize(f"{folder}/whole.pcap"))
    finally:
        if huge_before is not None:
            HUGE_PAGES.write_text(huge_before)
    out = BUILD / "bench.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nraw numbers: {out.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
