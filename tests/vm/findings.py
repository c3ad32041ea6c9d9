# SPDX-License-Identifier: BSD-3-Clause
"""What a monitor in the guest said, and what `tapwitness read` says of the same frames."""
import collections
import json
import pathlib
import re
import subprocess

# Which of these a repeat is called depends on when it comes, and that is the sender's pace here.
BY_TIME = ("retransmission", "out_of_order")
ONLY_SYN = 1  # completeness
OF_REPEATS = ("fast_retransmission", "spurious_retransmission")


def connections(text: str) -> collections.Counter:
    """Flow records as a multiset, without what depends on time."""
    records = collections.Counter()
    for line in text.splitlines():
        flow = json.loads(line)
        if "schema" in flow:
            continue
        flags = []
        for side in ("c2s", "s2c"):
            counts = flow["flags"][side]
            repeats = sum(counts.get(name, 0) for name in BY_TIME)
            rest = sorted((name, count) for name, count in counts.items()
                          if name not in (*BY_TIME, *OF_REPEATS))
            flags.append((repeats, tuple(rest)))
        records[flow["src"], flow["sport"], flow["dst"], flow["dport"], flow["completeness"],
                flow["packets"]["c2s"], flow["packets"]["s2c"], flow["bytes"]["c2s"],
                flow["bytes"]["s2c"], flow["missing_bytes"]["c2s"], flow["missing_bytes"]["s2c"],
                tuple(flags)] += 1
    return records


def read_offline(binary: pathlib.Path, capture: pathlib.Path) -> collections.Counter:
    return connections(subprocess.run([binary, "read", capture, "--flows", "-"], check=True,
                                      capture_output=True, text=True, timeout=60).stdout)


def number(text: str) -> int:
    return int(text.replace(",", ""))


class MonitorLog:
    """Standard error of one run."""

    def __init__(self, text: str):
        self.lines = text.splitlines()
        at = next((index for index, line in enumerate(self.lines)
                   if "final report after" in line), len(self.lines))
        self.report = self.lines[at:]

    def lines_with(self, pattern: str) -> list[str]:
        return [line for line in self.lines if re.search(pattern, line)]

    def analysed(self) -> int:
        """Frames analysed by the latest interval."""
        for line in reversed(self.lines):
            found = re.search(r" ([\d,]+) frames? analysed, ", line)
            if found:
                return number(found.group(1))
        return 0

    def counter(self, name: str) -> int:
        """A counter of the final report: "created" of "flow: created 12, ...". 0 if not there."""
        group, _, item = name.partition(".")
        for line in self.report:
            found = re.search(rf"\b{group}: (?:.*, )?{item} ([\d,]+)", line)
            if found:
                return number(found.group(1))
        return 0

    def _of_port(self, start: str) -> str:
        for line in self.report:
            if start in line:
                return line.split(start, 1)[1]
        raise KeyError(f"the final report has no line with {start!r}")

    def received(self, port: str) -> int:
        """Frames the device handed over; the line must say that all were analysed."""
        line = self._of_port(f"port {port} (")
        received, analysed = (number(re.search(rf"\b{word} ([\d,]+)", line).group(1))
                              for word in ("received", "analysed"))
        if received != analysed:
            raise ValueError(f"port {port} ({line}")
        return received

    def lost(self, port: str) -> int:
        """Frames that the driver counts as never received, whatever became of them."""
        line = self._of_port(f"port {port}: never received: ").split(";")[0]
        return sum(number(found) for found in re.findall(r" ([\d,]*\d)\b", line))

    def by_queue(self, port: str) -> list[int]:
        return [number(part) for part in
                self._of_port(f"port {port}: by queue ").split(" + ")]
