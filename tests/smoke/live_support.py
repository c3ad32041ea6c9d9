# SPDX-License-Identifier: BSD-3-Clause
"""Starts and stops `tapwitness run`, and makes what it listens to: capture files, a veth pair in
network namespaces of its own, frames on the wire."""

import collections
import contextlib
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import network

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TAPWITNESS_BUILD", ROOT / "build"))
BINARY = os.environ.get("TAPWITNESS", str(BUILD / "tapwitness"))
TRAFFIC_SOURCE = str(BUILD / "tests" / "generator" / "traffic_source")
SLOW_WORKER = str(BUILD / "tests" / "generator" / "libslow_worker.so")
CAPTURES = ROOT / "tests" / "captures"
STARTED = "receiving; SIGINT or SIGTERM stops"
DEADLINE_SECONDS = 60


def needs_live(case):
    return unittest.skipUnless(os.environ.get("TAPWITNESS_LIVE", "1") == "1",
                               "built without DPDK")(case)


def needs_root(case):
    return unittest.skipUnless(os.geteuid() == 0,
                               "network namespaces and packet sockets need root")(case)


class LiveRun:
    """One running monitor; its log is read line by line while it runs."""

    def __init__(self, *arguments, prefix=(), binary=BINARY, command="run", **popen):
        self.process = subprocess.Popen([*prefix, binary, command, *arguments], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **popen)
        self.log = []
        self.output = ""
        self.lines = queue.Queue()
        self.readers = [threading.Thread(target=self._read_log),
                        threading.Thread(target=self._read_output)]
        for reader in self.readers:
            reader.start()

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))
            self.lines.put(line)

    def _read_output(self):
        self.output = self.process.stdout.read()

    def wait_for(self, text, but_not=None):
        """Until a log line holds `text` and not `but_not`; fails with the log if the monitor ends
        first."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                line = self.lines.get(timeout=0.05)
                if text in line and (but_not is None or but_not not in line):
                    return
                continue
            if self.process.poll() is not None and self.lines.empty():
                break
        raise AssertionError(f"no line with {text!r}:\n" + "\n".join(self.log))

    def wait(self):
        try:
            code = self.process.wait(timeout=DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    @contextlib.contextmanager
    def held(self):
        """Every thread of the monitor stands still."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            tasks = list(pathlib.Path(f"/proc/{self.process.pid}/task").iterdir())
            while any((task / "stat").read_text().rsplit(")", 1)[1].split()[0] != "T"
                      for task in tasks):
                time.sleep(0.001)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.wait()

    def report(self, start):
        """The lines of the final report whose text begins with `start`."""
        texts = [line.split(" info ", 1)[-1] for line in self.log]
        first = next(i for i, text in enumerate(texts) if text.startswith("final report"))
        texts = texts[first:]
        return [text for text in texts if text.startswith(start)]

    def port_lines(self):
        """Of the final report: where the frames of each port went."""
        return [line for line in self.report("port ") if " = analysed " in line]


def number_after(text, words):
    """The number that follows `words`: "analysed 1,234 + ..." gives 1234."""
    tail = text.split(words + " ", 1)[1]
    return int(tail.split(" ", 1)[0].rstrip(",;").replace(",", ""))


def port_totals(live):
    """What the final report says of frames, summed over the ports. The only place that knows how
    it words them; a part that is not told is zero."""
    words = {"received": "received", "analysed": "= analysed", "ring_full": "worker's ring",
             "queued": "left in the receive queues", "unaccounted": "unaccounted for"}
    sums = collections.Counter()
    for line in live.port_lines():
        for name, told in words.items():
            sums[name] += number_after(line, told) if told + " " in line else 0
    return sums


def worst_residual(live):
    """The most frames that had no fate at any reading of the ledger, four times a second."""
    return number_after(live.report("all ports")[0], "never more than")


def counter(live, name):
    """A counter of the final report, named as in `tapwitness list counters`; 0 if not told."""
    group, _, rest = name.partition(".")
    for line in live.report(group + ": "):
        for part in line.partition(": ")[2].split(", "):
            if part.rpartition(" ")[0] == rest:
                return int(part.rpartition(" ")[2].replace(",", ""))
    return 0


class TrafficSource:
    """One running traffic_source; `arguments` as on its command line."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [TRAFFIC_SOURCE, "--truth", "-", *map(str, arguments)], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def truth(self, timeout=DEADLINE_SECONDS):
        """Waits for its end: what it made, and which flags that must have raised."""
        try:
            output, errors = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        if self.process.returncode != 0:
            raise AssertionError(f"traffic_source ended with {self.process.returncode}: {errors}")
        return json.loads(output)


def flow_sums(path):
    """Sums over the records of a --flows file: records, missing bytes, each flag. Frame by frame
    counts, as the truth of traffic_source has them."""
    flags = collections.Counter()
    sums = {"records": 0, "missing_bytes": 0, "packets": 0, "flags": flags}
    with open(path, encoding="utf-8") as lines:
        next(lines)  # the schema
        for line in lines:
            record = json.loads(line)
            sums["records"] += 1
            sums["missing_bytes"] += sum(record["missing_bytes"].values())
            sums["packets"] += sum(record["packets"].values())
            for side in record.get("flags", {}).values():
                flags.update(side)
    return sums


def for_everybody(case):
    """A copy of the program that users other than root can reach."""
    folder = temporary_folder(case)
    folder.chmod(0o755)
    copy = folder / "tapwitness"
    shutil.copy(BINARY, copy)
    copy.chmod(0o755)
    return str(copy)


def run(*arguments, binary=BINARY, **popen):
    """A monitor that ends by itself: exit code, standard output, log."""
    done = subprocess.run([binary, "run", *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE_SECONDS, check=False, **popen)
    return done.returncode, done.stdout, done.stderr


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def comparable(text, without=()):
    """Objects of an output without what differs between runs by design: numbering, tap names,
    frame numbers, which a live run has none of, and sentences, which name frames."""
    found = []
    for item in json_lines(text)[1:]:
        for key in ("id", "stream", "tap", "capture", "sentence", *without):
            item.pop(key, None)
        for key in ("subject", "evidence"):
            for reference in item.get(key, []):
                reference.pop("frame", None)
                reference.pop("tap", None)
                for unwanted in without:
                    reference.pop(unwanted, None)
        found.append(json.dumps(item, sort_keys=True))
    return sorted(found)


def read(capture, *arguments):
    done = subprocess.run([BINARY, "read", str(capture), *arguments], capture_output=True,
                          text=True, timeout=DEADLINE_SECONDS, check=True)
    return done.stdout


def with_microseconds(source, target):
    """Copies a pcap with its times cut to microseconds, which is what net_pcap delivers."""
    data = pathlib.Path(source).read_bytes()
    magic = struct.unpack_from("<I", data)[0]
    if magic == 0xA1B2C3D4:
        pathlib.Path(target).write_bytes(data)
        return
    assert magic == 0xA1B23C4D, f"{source}: not a little-endian pcap"
    out = bytearray(struct.pack("<I", 0xA1B2C3D4) + data[4:24])
    offset = 24
    while offset < len(data):
        seconds, nanos, captured, wire = struct.unpack_from("<IIII", data, offset)
        out += struct.pack("<IIII", seconds, nanos // 1000, captured, wire)
        out += data[offset + 16:offset + 16 + captured]
        offset += 16 + captured
    pathlib.Path(target).write_bytes(out)


def frames_of(capture):
    """The frames of a little-endian pcap file."""
    data = pathlib.Path(capture).read_bytes()
    offset = 24
    while offset < len(data):
        captured = struct.unpack_from("<I", data, offset + 8)[0]
        yield data[offset + 16:offset + 16 + captured]
        offset += 16 + captured


def temporary_folder(case):
    folder = tempfile.TemporaryDirectory(prefix="tapwitness-smoke-")
    case.addCleanup(folder.cleanup)
    return pathlib.Path(folder.name)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class VethPair:
    """Two network namespaces of our own, joined by a veth pair: `left` (10.77.0.1) in namespace
    `left_space`, `right` (10.77.0.2) in `right_space`. Nothing of the host is touched."""

    def __init__(self):
        name = f"tw{os.getpid()}"
        self.left_space, self.right_space = name + "l", name + "r"
        self.left, self.right = "left0", "right0"

    def __enter__(self):
        ip("netns", "add", self.left_space)
        ip("netns", "add", self.right_space)
        ip("-n", self.left_space, "link", "add", self.left, "type", "veth", "peer", "name",
           self.right, "netns", self.right_space)
        for space, name, address in ((self.left_space, self.left, "10.77.0.1/24"),
                                     (self.right_space, self.right, "10.77.0.2/24")):
            # Neighbour discovery and the like would mix with the frames of the test.
            subprocess.run(["ip", "netns", "exec", space, "sysctl", "-qw",
                            f"net.ipv6.conf.{name}.disable_ipv6=1"], check=False,
                           capture_output=True)
            ip("-n", space, "addr", "add", address, "dev", name)
            ip("-n", space, "link", "set", name, "up")
        return self

    def __exit__(self, *_):
        for space in (self.left_space, self.right_space):
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)

    @staticmethod
    def inside(space):
        return ["ip", "netns", "exec", space]

    def set_link(self, state):
        """The cable, pulled or plugged in: the left end goes "down" or "up"."""
        ip("-n", self.left_space, "link", "set", self.left, state)

    def send_frames(self, frames):
        """Puts frames onto the left end: they arrive at the right one."""
        with network.inside(self.left_space):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with wire:
            wire.bind((self.left, 0))
            for frame in frames:
                wire.send(frame)
