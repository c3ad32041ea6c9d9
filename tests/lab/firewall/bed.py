# SPDX-License-Identifier: BSD-3-Clause
"""The firewall lab's network: real hosts, a real firewall, two SPAN sessions. One run leaves
outside.pcap and inside.pcap in a folder, and what is needed to know the truth about them.

  client c0 -- a0 [br0] a1 -- f0 firewall f1 -- b0 [br0] b1 -- s0 server
                    | mirror of a1           | mirror of b0
                    a2 (~~ wire ~~) m0       b2 (~~ wire ~~) m1            tcpdump on m0 and m1

Faults strike at seven places: either network beyond the taps, the firewall, either capture, the
SPAN port's own queue, the wiring.
"""
import dataclasses
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from path import (Cleanups, LabError, NFLOG_GROUP, SILENCE, WIRE, network, start,  # noqa: E402
                  stop, wait_line)

CLIENT, SERVER = "10.77.1.10", "10.77.2.10"
CLIENT_GATEWAY, SERVER_GATEWAY = "10.77.1.1", "10.77.2.1"
BEAT_PORT = 8099
SIDES = ("outside", "inside")
TAPPED = {"outside": ("a", "a1", "a2", "m0", "x"), "inside": ("b", "b0", "b2", "m1", "y")}
# Where a network beyond the taps loses packets: namespace and the interface they arrive at.
PLACES = {"client-up": ("a", "a0"), "client-down": ("c", "c0"),
          "server-up": ("s", "s0"), "server-down": ("b", "b1")}
HOSTS = {"net.ipv4.tcp_no_metrics_save": 1, "net.ipv4.conf.all.rp_filter": 0,
         "net.ipv4.conf.default.rp_filter": 0}
DRAIN_SECONDS = 0.15
KERNEL_HEADERS = f"/usr/include/{platform.machine()}-linux-gnu"


@dataclasses.dataclass
class Capture:
    """What becomes of one tap's copies on their way to the capture."""
    faults: tuple = ()      # of the wire, at the place "mirror"
    delay_ms: float = 0.0
    span: tuple = ()        # words of a tbf on the SPAN port: its own queue
    mirror: tuple = ("ingress", "egress")  # of the tapped port
    double: bool = False    # the other port of the switch is mirrored, too
    early: float = 0.0      # seconds before the end at which the capture stops
    snaplen: int = 0

    @property
    def wired(self):
        return bool(self.faults or self.delay_ms)

    @property
    def perfect(self):
        return not (self.wired or self.span or self.early or self.double or len(self.mirror) < 2)


@dataclasses.dataclass
class Setup:
    """One run: who talks, what the firewall does, what else goes wrong."""
    talks: list
    rules: str = ""                  # nft ruleset of the firewall
    state: dict = dataclasses.field(default_factory=dict)  # sysctl of its connection tracking
    rewrite: tuple = ()              # -D of rewrite.bpf.c on the firewall's inner interface
    commands: tuple = ()             # run in the firewall once its links are up: words
    events: tuple = ()               # (seconds after the start, namespace, words)
    program: tuple = ()              # a proxy that runs in the firewall: words
    outer: dict = dataclasses.field(default_factory=dict)   # of PLACES: nft statement
    hosts: dict = dataclasses.field(default_factory=dict)   # sysctl of both ends
    end_rules: dict = dataclasses.field(default_factory=dict)  # namespace: nft ruleset
    end_commands: tuple = ()         # (namespace, words)
    box: tuple | None = None         # the firewall is a wire with these faults, not a router
    box_ms: float = 1.0
    frozen: tuple = ()               # (seconds after the start, seconds): the box stands still
    network: tuple = ()              # faults of a wire between the client and its switch
    outside: Capture = dataclasses.field(default_factory=Capture)
    inside: Capture = dataclasses.field(default_factory=Capture)
    bypass: bool = False             # the server's packets take another path
    narrow: str = ""                 # "client", "server": that host is behind a router ...
    narrow_mtu: int = 1000           # ... whose link towards the firewall is that narrow
    address: str = SERVER            # that clients use
    ports: tuple = (8080, 8081)
    beat: bool = True                # an undisturbed conversation from start to end
    lead: float = 1.2                # seconds it goes on before the others: nothing is judged in
    tail: float = 1.5                # the first of a capture, nor in the last
    seed: int = 1
    unlogged: bool = False           # the firewall drops what NFLOG does not hear of

    def capture(self, side):
        return self.outside if side == "outside" else self.inside

    @property
    def perfect(self):
        return self.outside.perfect and self.inside.perfect


class Bed:
    def __init__(self, setup, folder, cleanups):
        self.setup, self.folder, self.cleanups = setup, pathlib.Path(folder), cleanups
        names = ["c", "a", "f", "b", "s", "m"]
        names += [TAPPED[side][4] for side in SIDES if setup.capture(side).wired]
        names += ["w"] if setup.network else []
        names += [{"client": "h", "server": "z"}[setup.narrow]] if setup.narrow else []
        self.net = network.Network(cleanups, *names)
        self.links()
        for side in SIDES:
            self.tap(side)
        self.hosts()
        if setup.box is None:
            self.router()
        if setup.bypass:
            self.second_path()
        if setup.narrow:
            self.narrow_path()
        for name, words in setup.end_commands:
            self.net.run(name, *words)
        for name, rules in setup.end_rules.items():
            self.nft(name, rules)
        self.faults_beyond()

    def links(self):
        first = ((("c", "c0"), ("w", "w0")), (("w", "w1"), ("a", "a0"))) if self.setup.network \
            else ((("c", "c0"), ("a", "a0")),)
        for left, right in (*first, (("a", "a1"), ("f", "f0")), (("f", "f1"), ("b", "b0")),
                            (("b", "b1"), ("s", "s0"))):
            self.net.veth(left, right)
        for name in ("a", "b"):
            space = self.net.spaces[name]
            network.run("ip", "-n", space, "link", "add", "br0", "type", "bridge",
                        "forward_delay", "0", "mcast_snooping", "0")
            for port in (f"{name}0", f"{name}1"):
                network.run("ip", "-n", space, "link", "set", port, "master", "br0")
            network.run("ip", "-n", space, "link", "set", "br0", "up")

    def tap(self, side):
        name, tapped, copy, monitor, between = TAPPED[side]
        capture = self.setup.capture(side)
        if capture.wired:
            self.net.veth((name, copy), (between, "x0"))
            self.net.veth((between, "x1"), ("m", monitor))
        else:
            self.net.veth((name, copy), ("m", monitor))
        if capture.span:
            self.net.run(name, "tc", "qdisc", "add", "dev", copy, "root", "tbf", *capture.span)
        ports = {"a": ("a1", "a0"), "b": ("b0", "b1")}[name]
        for port in ports if capture.double else (tapped,):
            for direction in capture.mirror:
                self.net.mirror(name, port, direction, copy)

    def sysctl(self, name, settings):
        if settings:
            self.net.run(name, "sysctl", "-qw", *(f"{k}={v}" for k, v in settings.items()))

    def hosts(self):
        width = 24 if self.setup.box is None else 16
        for name, device, address, gateway in (("c", "c0", CLIENT, CLIENT_GATEWAY),
                                               ("s", "s0", SERVER, SERVER_GATEWAY)):
            self.sysctl(name, {**HOSTS, **self.setup.hosts})
            self.net.address(name, device, f"{address}/{width}")
            if self.setup.box is None:
                self.net.run(name, "ip", "route", "add", "default", "via", gateway)

    def router(self):
        self.sysctl("f", {"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.rp_filter": 0,
                          "net.ipv4.conf.default.rp_filter": 0,
                          "net.ipv4.conf.all.send_redirects": 0})
        self.net.address("f", "f0", CLIENT_GATEWAY + "/24")
        self.net.address("f", "f1", SERVER_GATEWAY + "/24")
        for words in self.setup.commands:
            self.net.run("f", *words)
        if self.setup.rewrite:
            self.rewriting()
        if self.setup.rules:
            self.nft("f", self.setup.rules)
        # Only once connection tracking is in use does the namespace have its timeouts.
        self.sysctl("f", {f"net.netfilter.nf_conntrack_{k}": v
                          for k, v in self.setup.state.items()})

    def rewriting(self):
        program = self.folder / "rewrite.o"
        network.run("clang-19", "-O2", "-g", "-target", "bpf", f"-I{KERNEL_HEADERS}",
                    *(f"-D{one}" for one in self.setup.rewrite), "-c",
                    str(HERE / "rewrite.bpf.c"), "-o", str(program))
        self.net.run("f", "tc", "qdisc", "add", "dev", "f1", "clsact")
        for direction, section in (("egress", "tc/out"), ("ingress", "tc/in")):
            self.net.run("f", "tc", "filter", "add", "dev", "f1", direction, "bpf", "da", "obj",
                         str(program), "sec", section)

    def second_path(self):
        self.net.veth(("s", "s9"), ("c", "c9"))
        self.net.address("s", "s9", "10.77.9.2/24")
        self.net.address("c", "c9", "10.77.9.1/24")
        self.net.run("s", "ip", "route", "add", CLIENT, "via", "10.77.9.1")

    def narrow_path(self):
        """The host moves behind its old place, which becomes a router with a narrow link."""
        old, new, device, address, gateway = {
            "client": ("c", "h", "c0", CLIENT, CLIENT_GATEWAY),
            "server": ("s", "z", "s0", SERVER, SERVER_GATEWAY)}[self.setup.narrow]
        place = address.rsplit(".", 1)[0]
        router, host = f"{place}.129", f"{place}.130"
        self.net.veth((old, "n0"), (new, "n1"))
        self.sysctl(old, {"net.ipv4.ip_forward": 1, "net.ipv4.conf.n0.proxy_arp": 1,
                          f"net.ipv4.conf.{device}.proxy_arp": 1,
                          "net.ipv4.conf.all.send_redirects": 0})
        self.net.run(old, "ip", "addr", "flush", "dev", device)
        self.net.run(old, "ip", "addr", "add", f"{place}.2/24", "dev", device)
        self.net.run(old, "ip", "route", "add", "default", "via", gateway)
        self.net.run(old, "ip", "addr", "add", router + "/32", "dev", "n0")
        self.net.run(old, "ip", "route", "add", address, "dev", "n0")
        self.sysctl(new, {**HOSTS, **self.setup.hosts})
        self.net.run(new, "ip", "addr", "add", address + "/32", "dev", "n1")
        self.net.run(new, "ip", "addr", "add", host + "/32", "dev", "n1")
        self.net.run(new, "ip", "route", "add", router, "dev", "n1")
        self.net.run(new, "ip", "route", "add", "default", "via", router, "src", address)
        narrow = device if self.setup.narrow == "client" else "n0"
        self.net.run(old, "ip", "link", "set", narrow, "mtu", str(self.setup.narrow_mtu))

    @property
    def client_space(self):
        return "h" if self.setup.narrow == "client" else "c"

    @property
    def server_space(self):
        return "z" if self.setup.narrow == "server" else "s"

    def faults_beyond(self):
        for place, statement in self.setup.outer.items():
            name, device = PLACES[place]
            self.nft(name, f"table netdev lab {{\n chain {place.replace('-', '_')} {{\n"
                           f"  type filter hook ingress device {device} priority 0\n"
                           f"  {statement.replace('drop', 'counter drop')}\n }}\n}}\n")

    def nft(self, name, rules):
        done = subprocess.run([*self.net.prefix(name), "nft", "-f", "-"], input=rules, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise LabError(f"nft in {name}: {done.stderr}")

    # --- what runs

    def start_wire(self, space, link, faults, log):
        words = [*self.net.prefix(space), WIRE, "--log", self.folder / log, "--port", 8080,
                 "--seed", self.setup.seed, "--link", link]
        for fault in faults:
            words += ["--fault", fault]
        wire = start(words)
        self.cleanups.callback(stop, wire)
        wait_line(wire, wire.stdout, "ready")
        return wire

    def wires(self):
        """The box first, if the firewall is one."""
        started = []
        if self.setup.box is not None:
            started.append(self.start_wire("f", f"client:f0:f1:{int(self.setup.box_ms * 1000)}",
                                           self.setup.box, "box.log"))
        if self.setup.network:
            started.append(self.start_wire("w", "client:w0:w1:0", self.setup.network,
                                           "network.log"))
        for side in SIDES:
            capture = self.setup.capture(side)
            if capture.wired:
                started.append(self.start_wire(
                    TAPPED[side][4], f"mirror:x0:x1:{int(capture.delay_ms * 1000)}",
                    capture.faults, f"{side}.log"))
        return started

    def tcpdump(self, name, device, file, snaplen, *filters):
        process = start([*self.net.prefix(name), "tcpdump", "-i", device, "-w",
                         self.folder / file, "-U", "--immediate-mode", "-s", snaplen, "-B", 32768,
                         "-Z", "root", *filters])
        self.cleanups.callback(stop, process)
        wait_line(process, process.stderr, "listening on")
        return process

    def captures(self):
        nano = "--time-stamp-precision=nano"
        taps = {side: self.tcpdump("m", TAPPED[side][3], f"{side}.pcap",
                                   self.setup.capture(side).snaplen, nano) for side in SIDES}
        others = []
        if f"group {NFLOG_GROUP}" in self.setup.rules:
            others.append(self.tcpdump("f", f"nflog:{NFLOG_GROUP}", "dropped.pcap", 0))
        if not self.setup.perfect:
            for side in SIDES:
                name, tapped = TAPPED[side][:2]
                others.append(self.tcpdump(name, tapped, f"perfect-{side}.pcap", 0, nano))
        return taps, others

    def happen(self, begun, wires):
        """What is to happen at its time, while the talks go on: (seconds, deed) in order."""
        deeds = [(at, lambda n=name, w=words: self.net.run(n, *w))
                 for at, name, words in self.setup.events]
        if self.setup.frozen:
            at, seconds = self.setup.frozen
            deeds += [(at, lambda: wires[0].send_signal(signal.SIGSTOP)),
                      (at + seconds, lambda: wires[0].send_signal(signal.SIGCONT))]
        for at, deed in sorted(deeds, key=lambda one: one[0]):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            deed()

    def converse(self, wires, taps):
        """The talks, start to end; how each ended."""
        setup, script = self.setup, [sys.executable, HERE / "ends.py"]
        server = start([*self.net.prefix(self.server_space), *script, "serve", SERVER,
                        *setup.ports, BEAT_PORT])
        self.cleanups.callback(stop, server)
        wait_line(server, server.stdout, "ready")
        plan = {"talks": [dataclasses.asdict(one) for one in setup.talks],
                "beat": BEAT_PORT if setup.beat else 0, "lead": setup.lead,
                "tail": setup.tail}
        begun = time.monotonic() + setup.lead
        client = start([*self.net.prefix(self.client_space), *script, "drive", setup.address,
                        json.dumps(plan)])
        self.cleanups.callback(stop, client)
        self.happen(begun, wires)
        early = [side for side in SIDES if setup.capture(side).early]
        for side in early:
            # The end is when all talks are over and `tail` seconds have passed.
            longest = max(one.start + one.patience for one in setup.talks)
            time.sleep(max(0.0, begun + longest - setup.capture(side).early - time.monotonic()))
            self.end_capture(taps.pop(side))
        output, errors = client.communicate(timeout=60)
        if client.returncode != 0:
            raise LabError(f"talks: {errors}")
        for name in (self.client_space, self.server_space):
            self.nft(name, SILENCE)
        time.sleep(DRAIN_SECONDS)
        stop(server)
        return json.loads(output)

    @staticmethod
    def end_capture(process):
        """Ends it, and insists that it has all its interface had."""
        _, errors = stop(process)
        captured = re.search(r"(\d+) packets? captured", errors)
        received = re.search(r"(\d+) packets? received by filter", errors)
        if process.returncode != 0 or "\n0 packets dropped by kernel" not in "\n" + errors or \
                not captured or captured.group(1) != received.group(1):
            raise LabError(f"tcpdump lost packets: {errors}")

    def fault_counts(self):
        """How often each fault beyond the taps struck."""
        counts = {}
        for place in self.setup.outer:
            text = self.net.run(PLACES[place][0], "nft", "list", "table", "netdev", "lab")
            chain = text.split(f"chain {place.replace('-', '_')} ")[1].split("}")[0]
            counts[place] = sum(int(n) for n in re.findall(r"counter packets (\d+)", chain))
        return counts


def start_group(words):
    """A program with children of its own; nobody reads what they print."""
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True)


def end_group(process):
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=10)


def run(setup, folder, monitor=None):
    """Lets it happen. The folder then has the captures, and ends.json. `monitor` watches the same
    ports from before the first packet to after the last."""
    with Cleanups() as cleanups:
        # Two processors would reorder: the frames of one connection then leave from both.
        allowed = os.sched_getaffinity(0)
        cleanups.callback(os.sched_setaffinity, 0, allowed)
        os.sched_setaffinity(0, {max(allowed)})
        bed = Bed(setup, folder, cleanups)
        wires = bed.wires()
        taps, others = bed.captures()
        if setup.program:
            cleanups.callback(end_group, start_group([*bed.net.prefix("f"), *setup.program]))
            time.sleep(0.3)
        if monitor is not None:
            monitor.start(bed)
        ended = bed.converse(wires, taps)
        if monitor is not None:
            monitor.stop()
        for process in [*taps.values(), *others]:
            bed.end_capture(process)
        counts = bed.fault_counts()
        for wire in wires:
            stop(wire)
        (pathlib.Path(folder) / "ends.json").write_text(
            json.dumps({"ends": ended, "beyond": counts}), encoding="utf-8")
    return ended
