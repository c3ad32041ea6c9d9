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
log: {{interval: 1s}}
"""
# Emulation without KVM is about twenty times slower.
BOOT_SECONDS = 240
START_SECONDS = 120
SEND_SECONDS = 120
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


def check_common(nic: nics.Nic, cards: int, outcome: Outcome) -> None:
    log, session = outcome.log, outcome.session
    expect_equal(outcome.exit_code, 0, "exit code")
    sent = [len(session.frames)]
    if cards == 2:
        sent = [session.sides.count(0), session.sides.count(1)]
    for index in range(cards):
        name = f"port{index}"
        expect(log.lines_with(rf"port {name}: .*{nic.driver}"), f"{name} is not {nic.driver}")
        received = log.port(name, "received")
        missed = log.port(name, "missed")
        expect_equal(received + missed, sent[index], f"{name}: received {received:,} and missed "
                                                     f"{missed:,} of the frames sent")
        expect_equal(log.port(name, "analysed"), received, f"{name}: analysed")
    expect(not log.lines_with("unaccounted"), "frames unaccounted for")
    expect_equal(sum(outcome.flows.values()), sum(session.offline.values()), "connections")
    expect_equal(log.counter("flow.created"), sum(session.offline.values()), "flow.created")
    if nic.spreads:
        expect(log.lines_with("RSS over 2 queues"), "RSS was not set up")
        expect(not log.lines_with("dispatcher on CPU"), "a dispatcher in spite of RSS")
    else:
        expect(log.lines_with("fed by a dispatcher"), "no dispatcher without RSS")


def check_one_port(nic: nics.Nic, outcome: Outcome) -> None:
    check_common(nic, 1, outcome)
    differing = outcome.session.offline - outcome.flows
    expect(not differing, f"{len(differing)} connections differ from `tapwitness read`, as "
                          f"{next(iter(differing), None)}")


def check_tap_pair(nic: nics.Nic, outcome: Outcome) -> None:
    """Order across cards is poll order, so flags that depend on it may differ; packets and bytes
    of each direction may not."""
    check_common(nic, 2, outcome)

    def amounts(flows):
        return sorted((*key[:4], *key[5:9]) for key in flows.elements())
    expect(amounts(outcome.flows) == amounts(outcome.session.offline),
           "packets and bytes of the directions differ from `tapwitness read`")


def runs_of(nic: nics.Nic) -> list[Run]:
    return [Run("one-port", 1, check_one_port), Run("tap-pair", 2, check_tap_pair)]


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
            wire.send(self.frames, wires[:run.cards], self.sides)
            guest.wait_for(f"{run.name}: the frames arrive", lambda: self.arrived(log),
                           SEND_SECONDS)
            if sum(one.dropped() for one in wires) != dropped:
                self.problems.append(f"{run.name}: the wire dropped frames: the machine is too "
                                     "slow for this test")
            (folder / "stop").touch()
        guest.wait_for(f"{run.name}: the monitor ends", (folder / "exit").exists, STOP_SECONDS)
        try:
            run.check(self.nic, Outcome(folder, self))
        except (Failed, KeyError, ValueError, OSError) as problem:
            self.problems.append(f"{run.name}: {problem} ({log.relative_to(ROOT)})")
        else:
            print(f"   {self.nic.name}: {run.name} holds, "
                  f"{time.monotonic() - started:.0f} s", flush=True)

    def arrived(self, log: pathlib.Path) -> bool:
        """All frames sent are analysed, or two intervals passed without a new one."""
        rates = findings.MonitorLog(log.read_text()).lines_with(r"frames? analysed, ")
        if rates and f"{len(self.frames):,} frames analysed" in rates[-1]:
            return True
        return len(rates) > 2 and all(", 0 new" in line for line in rates[-2:]) and any(
            ", 0 new" not in line for line in rates)


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
