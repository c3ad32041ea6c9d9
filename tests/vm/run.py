# SPDX-License-Identifier: BSD-3-Clause
"""Runs the monitor on emulated cards, one machine per card. Called by scripts/vm in a network
namespace of its own; ends with PASS or FAIL per card."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

import findings
import image
import machine
import nics
import wire

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
STARTED = "receiving; SIGINT or SIGTERM stops"
CONFIGURATION = """\
eal: {{args: [{eal}]}}
ports:
{ports}workers: {{cores: [0, 1], poll: adaptive, distribution: {distribution}}}
flows: {{max_per_worker: 20000, max_ipv6_per_worker: 2000, timeouts: {{enabled: false}}}}
outputs: {{flows: {{path: "{folder}/flows.jsonl"}}}}
log: {{interval: 100ms}}
"""
# Emulation without KVM is about twenty times slower.
BOOT_SECONDS = 240
START_SECONDS = 120
SILENCE_SECONDS = 10
STOP_SECONDS = 60


class Failed(Exception):
    """One expectation does not hold; the text says which, and what was there instead."""


def expect(true: bool, what: str) -> None:
    if not true:
        raise Failed(what)


def expect_equal(found, expected, what: str) -> None:
    expect(found == expected, f"{what}: {found}, not {expected}")


class Run:
    """One monitor in the guest: its configuration, then what the host does and checks."""

    def __init__(self, name: str, cards: int, check, distribution="auto", environment=()):
        self.name = name
        self.cards = cards
        self.check = check
        self.distribution = distribution
        self.environment = environment

    def write(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True)
        ports = "".join(
            f'  - {{name: port{index}, device: "{nics.address(index)}", tap: core}}\n'
            for index in range(self.cards))
        guest = f"/run/exchange/runs/{folder.name}"
        (folder / "monitor.yaml").write_text(CONFIGURATION.format(
            ports=ports, distribution=self.distribution, folder=guest, eal=""))
        (folder / "environment").write_text("".join(f"{line}\n" for line in self.environment))


class Outcome:
    """What a run left behind."""

    def __init__(self, folder: pathlib.Path, session):
        self.log = findings.MonitorLog((folder / "monitor.log").read_text())
        self.flows = findings.connections((folder / "flows.jsonl").read_text())
        self.exit_code = int((folder / "exit").read_text())
        self.session = session


def check_frames(nic: nics.Nic, cards: int, outcome: Outcome) -> None:
    """Every frame sent was received or is named as lost, and the report adds up."""
    log, session = outcome.log, outcome.session
    expect_equal(outcome.exit_code, 0, "exit code")
    sent = [len(session.frames)]
    if cards == 2:
        sent = [session.sides.count(0), session.sides.count(1)]
    for index in range(cards):
        name = f"port{index}"
        expect(log.lines_with(rf"port {name}: .*{nic.driver}"), f"{name} is not {nic.driver}")
        received, lost = log.received(name), log.lost(name)
        expect_equal(received + lost, sent[index],
                     f"{name}: received {received:,} and lost {lost:,} of the frames sent")
    expect(not log.lines_with(r"unaccounted for -?[1-9]"), "frames unaccounted for")


def check_together(nic: nics.Nic, cards: int, outcome: Outcome, by_rss: bool) -> None:
    """Both directions of each connection were on one worker, and the NIC did it if it can."""
    log, session = outcome.log, outcome.session
    check_frames(nic, cards, outcome)
    connections = sum(session.offline.values())
    expect_equal(sum(outcome.flows.values()), connections, "connections")
    expect_equal(log.counter("flow.created"), connections, "flow.created")
    expect_equal(log.counter("flow.one_sided"), session.one_sided, "flow.one_sided")
    if not by_rss:
        expect(log.lines_with("fed by a dispatcher"), "no dispatcher without RSS")
        return
    expect(not log.lines_with("fed by a dispatcher"), "a dispatcher in spite of RSS")
    for index in range(cards):
        name = f"port{index}"
        expect(log.lines_with(rf"port {name}: RSS over 2 queues, key 6D5A .*table, key, types$"),
               f"{name}: not everything was read back")
        expect(log.lines_with(rf"port {name}: RSS as set up: [1-9]"), f"{name}: no sample")
        # Half each, but for chance: connections differ in size.
        expect(min(log.by_queue(name)) > session.sides.count(0) // 4,
               f"{name}: by queue {log.by_queue(name)}")


def check_equal(outcome: Outcome) -> None:
    differing = outcome.session.offline - outcome.flows
    expect(not differing, f"{len(differing)} connections differ from `tapwitness read`, as "
                          f"{next(iter(differing), None)}")


def check_one_port(nic: nics.Nic, outcome: Outcome) -> None:
    check_together(nic, 1, outcome, nic.spreads)
    check_equal(outcome)


def check_tap_pair(nic: nics.Nic, outcome: Outcome) -> None:
    """Order across cards is poll order, so flags that depend on it may differ; packets and bytes
    of each direction may not."""
    check_together(nic, 2, outcome, nic.spreads)

    def amounts(flows):
        return sorted((*key[:4], *key[5:9]) for key in flows.elements())
    expect(amounts(outcome.flows) == amounts(outcome.session.offline),
           "packets and bytes of the directions differ from `tapwitness read`")


def check_altered_key(nic: nics.Nic, outcome: Outcome) -> None:
    """The driver uses another key and says so: a dispatcher does the work."""
    expect(outcome.log.lines_with(r"RSS key reads back as 6d5a56da\.\.\., not as written"),
           "the altered key was not noticed")
    check_together(nic, 1, outcome, by_rss=False)
    check_equal(outcome)


def check_hidden_key(nic: nics.Nic, outcome: Outcome) -> None:
    """The driver uses another key and lies: what arrives tells."""
    log = outcome.log
    check_frames(nic, 1, outcome)
    expect(log.lines_with(r"warn.* RSS not as set up"), "no warning of frames elsewhere")
    expect(any("RSS not as set up" in line for line in log.report), "the report is silent")
    connections = sum(outcome.session.offline.values())
    expect(log.counter("flow.one_sided") > connections // 4, "few connections are one-sided")
    expect(any("seen in one direction only" in line for line in log.report),
           "the report does not tell of one-sided connections")


def runs_of(nic: nics.Nic) -> list[Run]:
    runs = [Run("one-port", 1, check_one_port), Run("tap-pair", 2, check_tap_pair)]
    if nic.spreads:
        preload = f"LD_PRELOAD={ROOT / 'build/tests/vm/libaltered_key.so'}"
        runs += [Run("altered-key", 1, check_altered_key, environment=(preload,)),
                 Run("hidden-key", 1, check_hidden_key,
                     environment=(preload, "ALTERED_KEY=hidden"))]
    return runs


class Session:
    """All runs on one machine."""

    def __init__(self, nic: nics.Nic, work: pathlib.Path, capture: pathlib.Path):
        self.nic = nic
        self.binary = ROOT / "build" / "tapwitness"
        self.work = work
        self.exchange = work / "exchange"
        self.runs = runs_of(nic)
        self.cards = max(run.cards for run in self.runs)
        self.frames = wire.read_capture(capture)
        self.sides = wire.by_side(self.frames)
        self.offline = findings.read_offline(self.binary, capture)
        # Met in their first or last moments.
        self.one_sided = sum(count for key, count in self.offline.items()
                             if 0 in key[5:7] and key[4] != findings.ONLY_SYN)
        self.problems: list[str] = []

    def prepare(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self.exchange.mkdir(parents=True)
        (self.exchange / "session").write_text(f"{HERE / 'guest_session.sh'}\n")
        (self.exchange / "binary").write_text(f"{self.binary}\n")
        (self.exchange / "devices").write_text(
            "".join(f"{nics.address(index)}\n" for index in range(self.cards)))
        for number, run in enumerate(self.runs):
            run.write(self.exchange / "runs" / f"{number}-{run.name}")

    def execute(self, guest_image: image.Image, kvm: bool) -> None:
        self.prepare()
        arguments = [argument for index in range(self.cards)
                     for argument in self.nic.options(index)]
        with machine.Machine(guest_image, self.exchange, self.work / "console.log", arguments,
                             kvm) as guest:
            bound = self.exchange / "bound"
            guest.wait_for("the guest binds its cards", bound.exists, BOOT_SECONDS)
            drivers = bound.read_text()
            for index in range(self.cards):
                if f"{nics.address(index)} vfio-pci" not in drivers:
                    raise machine.MachineError(
                        f"{nics.address(index)} is not bound to vfio-pci: "
                        f"{(self.exchange / 'bound.log').read_text().strip()}")
            with contextlib.ExitStack() as stack:
                wires = [stack.enter_context(contextlib.closing(wire.Wire(index)))
                         for index in range(self.cards)]
                for number, run in enumerate(self.runs):
                    self.one(guest, wires, self.exchange / "runs" / f"{number}-{run.name}", run)
            guest.wait_off(STOP_SECONDS)

    def one(self, guest: machine.Machine, wires: list[wire.Wire], folder: pathlib.Path,
            run: Run) -> None:
        started = time.monotonic()
        log = folder / "monitor.log"

        def receiving():
            return (folder / "exit").exists() or log.exists() and STARTED in log.read_text()
        guest.wait_for(f"{run.name}: the monitor receives", receiving, START_SECONDS)
        if not (folder / "exit").exists():
            dropped = sum(one.dropped() for one in wires)
            wire.send(self.frames, wires[:run.cards], self.sides,
                      lambda: findings.MonitorLog(log.read_text()).analysed(), SILENCE_SECONDS)
            self.wait_until_silent(guest, log)
            if sum(one.dropped() for one in wires) != dropped:
                self.problems.append(f"{run.name}: the wire dropped frames: the machine is too "
                                     "slow for this test")
            (folder / "stop").touch()
        guest.wait_for(f"{run.name}: the monitor ends", (folder / "exit").exists, STOP_SECONDS)
        try:
            run.check(self.nic, Outcome(folder, self))
        except (Failed, KeyError, ValueError, AttributeError, OSError) as problem:
            self.problems.append(f"{run.name}: {problem} ({log.relative_to(ROOT)})")
        else:
            print(f"   {self.nic.name}: {run.name} holds, "
                  f"{time.monotonic() - started:.0f} s", flush=True)

    def wait_until_silent(self, guest: machine.Machine, log: pathlib.Path) -> None:
        """All frames sent are analysed, or none came for a while."""
        seen, deadline = -1, 0.0

        def silent():
            nonlocal seen, deadline
            now = findings.MonitorLog(log.read_text()).analysed()
            if now != seen:
                seen, deadline = now, time.monotonic() + SILENCE_SECONDS
            return seen == len(self.frames) or time.monotonic() > deadline
        guest.wait_for("the frames arrive", silent, 20 * SILENCE_SECONDS)


def make_capture(folder: pathlib.Path) -> pathlib.Path:
    capture = folder / "traffic.pcap"
    subprocess.run([ROOT / "build/tests/support/generate_traffic", "--out", capture, "--profile",
                    "realistic", "--connections", "200", "--packets", "20000", "--loss", "200"],
                   check=True, timeout=60)
    return capture


def main() -> int:
    wanted = sys.argv[1:] or [nic.name for nic in nics.NICS]
    folder = ROOT / "build" / "vm"
    folder.mkdir(parents=True, exist_ok=True)
    kvm = machine.has_kvm()
    if not kvm:
        print("vm: warning: no KVM here that runs any kernel: the processor is emulated too, which "
              "takes a minute per card")
    wire.silence_kernel()
    guest_image = image.made()
    capture = make_capture(folder)
    failed = 0
    for name in wanted:
        session = Session(nics.named(name), folder / name, capture)
        started = time.monotonic()
        try:
            session.execute(guest_image, kvm)
        except (machine.MachineError, subprocess.SubprocessError) as error:
            session.problems.append(f"{error} ({folder.relative_to(ROOT)}/{name}/console.log)")
        seconds = time.monotonic() - started
        for problem in session.problems:
            print(f"   {name}: {problem}")
        failed += bool(session.problems)
        print(f"{'FAIL' if session.problems else 'PASS'} {name} ({seconds:.0f} s)", flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
