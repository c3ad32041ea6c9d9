# SPDX-License-Identifier: BSD-3-Clause
"""The lab's network: real TCP ends, a tapped switch between them, wires that do what the scenario
says, and a capture at the mirror. One run leaves tap.pcap and wire.log in a folder.

    client c0 ~~ wire ~~ t0 [switch] t1 ~~ wire ~~ s0 server          ~~ delay, faults, log
                          | mirror of t0
                          t2 ~~ wire ~~ m0 tcpdump
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "smoke"))

import network  # noqa: E402
import injector  # noqa: E402
from traffic import Conversation  # noqa: E402

BUILD = pathlib.Path(os.environ.get("TAPWITNESS_BUILD", HERE.parents[1] / "build"))
WIRE = BUILD / "tests" / "lab" / "wire"
PORT = 8080
CLIENT, SERVER = "10.78.0.1", "10.78.0.2"
CLIENT6, SERVER6 = "fd78::1", "fd78::2"
SNAPLEN = 160  # headers; the length comes from the IP header
NFLOG_GROUP = 5
SILENCE = """table inet silence {
    chain out {
        type filter hook output priority 0;
        meta l4proto tcp drop
    }
}"""
DRAIN_SECONDS = 0.15  # more than any delay of a scenario, both ways


class LabError(Exception):
    """The lab itself failed: nothing is known about the product."""


class Cleanups(contextlib.ExitStack):
    """What network.Network needs of a test case."""
    addCleanup = contextlib.ExitStack.callback


@dataclasses.dataclass
class Setup:
    """One run: who talks, over what path, with which faults."""
    plan: list = dataclasses.field(default_factory=lambda: [Conversation()])
    faults: tuple = ()
    seed: int = 1
    client_ms: float = 3.0       # one way, client to tap
    server_ms: float = 5.0       # one way, tap to server
    mirror_ms: float = 0.0
    sysctl: dict = dataclasses.field(default_factory=dict)
    ipv6: bool = False
    mirror: tuple = ("ingress", "egress")  # of the tapped port; one alone is an asymmetric capture
    double_mirror: bool = False  # both ports of the path are mirrored
    capture_at: str = "mirror"   # or "client", "server": on that host itself
    rules: dict = dataclasses.field(default_factory=dict)  # namespace: nft ruleset
    inject_reset: bool = False
    linger: float = 0.3          # seconds after the last conversation


def start(words, **options):
    return subprocess.Popen([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)


def wait_line(process, stream, text):
    for line in stream:
        if text in line:
            return
    raise LabError(f"{process.args}: ended without {text!r}: {process.stderr.read()}")


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        output = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()
    return output


class Path:
    def __init__(self, setup, folder, cleanups):
        self.setup, self.folder, self.cleanups = setup, pathlib.Path(folder), cleanups
        self.net = network.Network(cleanups, "c", "w", "t", "m", "s")
        self.links()
        self.switch()
        self.hosts()
        for name, rules in setup.rules.items():
            self.nft(name, rules)

    def links(self):
        for left, right in ((("c", "c0"), ("w", "w0")), (("w", "w1"), ("t", "t0")),
                            (("t", "t1"), ("w", "w2")), (("w", "w3"), ("s", "s0")),
                            (("t", "t2"), ("w", "w4")), (("w", "w5"), ("m", "m0"))):
            self.net.veth(left, right)

    def switch(self):
        space = self.net.spaces["t"]
        network.run("ip", "-n", space, "link", "add", "br0", "type", "bridge", "forward_delay", "0",
                    "mcast_snooping", "0")
        for port in ("t0", "t1"):
            network.run("ip", "-n", space, "link", "set", port, "master", "br0")
        network.run("ip", "-n", space, "link", "set", "br0", "up")
        for direction in self.setup.mirror:
            self.net.mirror("t", "t0", direction, "t2")
            if self.setup.double_mirror:
                self.net.mirror("t", "t1", direction, "t2")

    def hosts(self):
        settings = {"net.ipv4.tcp_no_metrics_save": 1, **self.setup.sysctl}
        for name, device, address, address6 in (("c", "c0", CLIENT, CLIENT6),
                                                ("s", "s0", SERVER, SERVER6)):
            self.net.run(name, "sysctl", "-qw", *(f"{k}={v}" for k, v in settings.items()))
            self.net.address(name, device, address + "/24")
            if self.setup.ipv6:
                self.net.run(name, "sysctl", "-qw", f"net.ipv6.conf.{device}.accept_dad=0",
                             f"net.ipv6.conf.{device}.router_solicitations=0",
                             f"net.ipv6.conf.{device}.disable_ipv6=0")
                self.net.run(name, "ip", "addr", "add", address6 + "/64", "dev", device, "nodad")

    def nft(self, name, rules):
        done = subprocess.run([*self.net.prefix(name), "nft", "-f", "-"], input=rules, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise LabError(f"nft: {done.stderr}")

    def start_wire(self):
        setup = self.setup
        words = [*self.net.prefix("w"), WIRE, "--log", self.folder / "wire.log", "--port", PORT,
                 "--seed", setup.seed]
        for name, near, far, delay in (("client", "w0", "w1", setup.client_ms),
                                       ("server", "w2", "w3", setup.server_ms),
                                       ("mirror", "w4", "w5", setup.mirror_ms)):
            words += ["--link", f"{name}:{near}:{far}:{int(delay * 1000)}"]
        for fault in setup.faults:
            words += ["--fault", fault]
        wire = start(words)
        self.cleanups.callback(stop, wire)
        wait_line(wire, wire.stdout, "ready")
        return wire

    def capture(self, name, device, file, snaplen, *options):
        tcpdump = start([*self.net.prefix(name), "tcpdump", "-i", device, "-w", self.folder / file,
                         "-U", "--immediate-mode", "-s", snaplen, "-B", 32768, "-Z", "root",
                         *options])
        self.cleanups.callback(stop, tcpdump)
        wait_line(tcpdump, tcpdump.stderr, "listening on")
        return tcpdump

    def captures(self):
        name, device = {"mirror": ("m", "m0"), "client": ("c", "c0"),
                        "server": ("s", "s0")}[self.setup.capture_at]
        found = [self.capture(name, device, "tap.pcap", SNAPLEN,
                              "--time-stamp-precision=nano", "tcp")]
        for space in self.setup.rules:
            found.append(self.capture(space, f"nflog:{NFLOG_GROUP}", f"dropped-{space}.pcap",
                                      0))  # nflog: messages longer than that end tcpdump
        return found

    def converse(self):
        """The conversations, start to end; how many came through."""
        address = SERVER6 if self.setup.ipv6 else SERVER
        script = [sys.executable, HERE / "traffic.py"]
        server = start([*self.net.prefix("s"), *script, "serve", address, PORT])
        self.cleanups.callback(stop, server)
        wait_line(server, server.stdout, "ready")
        plan = json.dumps([dataclasses.asdict(one) for one in self.setup.plan])
        client = start([*self.net.prefix("c"), *script, "drive", address, PORT, plan])
        self.cleanups.callback(stop, client)
        output, errors = client.communicate(timeout=60)
        if client.returncode != 0:
            raise LabError(f"traffic: {errors}")
        time.sleep(self.setup.linger)
        stop(server)
        self.quiet()
        return int(output)

    def quiet(self):
        """No host sends any more, and what is under way arrives: so that the wire's log and the
        capture end with the same frame."""
        for name in ("c", "s"):
            self.nft(name, SILENCE)
        time.sleep(DRAIN_SECONDS)


def run(setup, folder):
    """Runs the conversations of `setup`; how many came to their end."""
    with Cleanups() as cleanups:
        # Two processors would reorder: the frames of one connection then leave from both.
        allowed = os.sched_getaffinity(0)
        cleanups.callback(os.sched_setaffinity, 0, allowed)
        os.sched_setaffinity(0, {max(allowed)})
        # Ahead of what else that processor does: hosts and a wire that wait for it would stall.
        with contextlib.suppress(PermissionError):
            priority = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, -20)
            cleanups.callback(os.setpriority, os.PRIO_PROCESS, 0, priority)
        path = Path(setup, folder, cleanups)
        wire = path.start_wire()
        captures = path.captures()
        if setup.inject_reset:
            cleanups.enter_context(injector.ResetInjector(path.net.spaces["t"], "t0", PORT))
        complete = path.converse()
        for tcpdump in captures:
            _, errors = stop(tcpdump)
            if tcpdump.returncode != 0 or "\n0 packets dropped by kernel" not in "\n" + errors:
                raise LabError(f"tcpdump lost packets: {errors}")
        stop(wire)
        return complete
