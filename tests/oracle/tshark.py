# SPDX-License-Identifier: BSD-3-Clause
"""The installed tshark as the judge: how it is called, and what its answer means.

One pass, IP and TCP reassembly off, every protocol above TCP, UDP and ICMP disabled, an own
configuration folder so that nobody's preferences leak in. Answers can be kept in a cache: they
depend on nothing but the file, the harness below and tshark's version.
"""

import gzip
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

# In the order of `tapwitness read --frames`.
FLAGS = (
    "retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order",
    "reused_ports", "lost_segment", "ack_lost_segment", "window_update", "window_full",
    "keep_alive", "keep_alive_ack", "duplicate_ack", "zero_window", "zero_window_probe",
    "zero_window_probe_ack",
)
FLAG_BIT = {name: 1 << index for index, name in enumerate(FLAGS)}

FACTS = (
    "frame.number", "frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ipv6.src",
    "ipv6.dst", "tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.completeness", "tcp.flags",
    "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.window_size_value", "tcp.hdr_len",
    "tcp.analysis.initial_rtt",
)

PREFERENCES = (
    "tcp.desegment_tcp_streams:FALSE", "ip.defragment:FALSE", "ipv6.defragment:FALSE",
    "tcp.check_checksum:FALSE",
)

# What tapwitness decodes: which protocol may follow which on the way to the TCP header, in
# tshark's names. A frame is compared only if every step of its stack is listed here; all other
# frames are "foreign" and listed apart. "" is the start of the frame.
OUR_STEPS = {
    "": "eth sll null raw ip ipv6",
    "eth": "ethertype llc",
    "sll": "ethertype",
    "ethertype": "vlan ieee8021ad ieee8021ah cmd vntag mpls pppoes ip ipv6",
    "vlan": "ethertype llc",
    "ieee8021ad": "ethertype",
    "ieee8021ah": "ethertype",
    "cmd": "ethertype",
    "vntag": "ethertype",
    "llc": "ip ipv6",
    "mpls": "ip ipv6 pwethheuristic pwethcw pwethnocw",
    "pwethheuristic": "pwethcw pwethnocw",
    "pwethcw": "eth",
    "pwethnocw": "eth",
    "pppoes": "ppp",
    "ppp": "ip ipv6",  # below PPPoE, L2TP or GRE: a PPP link is foreign
    "l2tp": "ppp",
    "teredo": "ipv6",
    "null": "ip ipv6",
    "raw": "ip ipv6",
    "ip": "tcp udp gre ip ipv6 icmp ah",
    "ipv6": "tcp udp gre ip ipv6 icmpv6 ah ipv6.hopopts ipv6.dstopts ipv6.routing ipv6.fraghdr",
    "ah": "tcp udp gre ip ipv6 icmp icmpv6 ipv6.dstopts ipv6.routing ipv6.fraghdr",
    "icmp": "ip",
    "icmpv6": "ipv6",
    "gre": "ip ipv6 eth ethertype mpls ppp wccp erspan",
    "wccp": "ip ipv6",
    "erspan": "eth",
    "udp": "vxlan geneve gtp l2tp teredo eth ip ipv6",  # VXLAN-GPE adds no name of its own
    "vxlan": "eth ip ipv6",
    "geneve": "eth ip ipv6",
    "gtp": "ip ipv6",
}
OUR_STEPS = {parent: frozenset(children.split()) for parent, children in OUR_STEPS.items()}
for _extension in ("ipv6.hopopts", "ipv6.dstopts", "ipv6.routing", "ipv6.fraghdr"):
    OUR_STEPS[_extension] = OUR_STEPS["ipv6"]

# Left enabled besides, so that TCP below them is found and can be listed as foreign.
FOREIGN_CARRIERS = frozenset("""
    6lowpan aarp arcnet aruba_erm atm ax25 ayiya bacp batadv bssgp btbnep bthci_acl btl2cap btle
    capwap capwap.data cfp chdlc cip cmd docsis dvb_data_mpe edp enc esp etherip fc fcip fddi fr
    gfp gprs-ns gtpprime gtpv2 hci_h4 hsr ieee8021ah ieee8021cb infiniband ipcomp ipoib isl
    juniper l2tp lapb lisp lisp-data llcgprs loop macsec mint mip mp mpls_mac mptcp mux27010
    netanalyzer nflog nsh openflow openflow_v1 packetbb pflog pflog-old pktap ppi pppmux
    pppmuxcp prism prp pw.padding pwach pwcesopsn pwfr pwmcw radiotap rtmac sflow sndcp sstp
    symantec teredo tr trill tzsp udpcp udpencap udplite vjc vntag vxlan_gpe wccp wlan
    wlan_aggregate wlan_radio wlancap x25 xot zbee_nwk
""".split())
KEPT_PREFIXES = ("frame", "tcp.", "_ws.", "ip.", "ipv6.", "gtp.", "data")


class TsharkError(Exception):
    """tshark is missing or its answer cannot be understood."""


class Answer:
    """One TCP frame as tshark sees it."""

    __slots__ = ("frame", "mask", "columns")

    def __init__(self, line):
        self.columns = line.split("\t")
        if len(self.columns) != len(FACTS) + len(FLAGS):
            raise TsharkError(f"tshark printed {len(self.columns)} columns: {line!r}")
        self.frame = int(self.columns[0])
        self.mask = 0
        for index, value in enumerate(self.columns[len(FACTS):]):
            if value:
                self.mask |= 1 << index

    def fact(self, name):
        return self.columns[FACTS.index(name)]

    def stack(self):
        return stack_of(self.columns[2])

    def streams(self):
        return [int(number) for number in self.columns[9].split(",") if number]

    def connection(self):
        """Unordered pair of endpoints around the last TCP header: the addresses of the last IP
        header of the version that stands closest to it."""
        names = self.stack().split(":")
        versions = [name for name in names if name in ("ip", "ipv6")]
        version6 = bool(versions) and versions[-1] == "ipv6"
        source, destination = (5, 6) if version6 else (3, 4)
        ends = sorted((self.columns[address].split(",")[-1], self.columns[port].split(",")[-1])
                      for address, port in ((source, 7), (destination, 8)))
        return tuple(ends)

    def describe(self):
        source = "ip.src" if self.fact("ip.src") else "ipv6.src"
        destination = source.replace("src", "dst")
        words = [
            f"{self.fact(source)}:{self.fact('tcp.srcport')}",
            ">", f"{self.fact(destination)}:{self.fact('tcp.dstport')}",
            f"stream={self.fact('tcp.stream')}", letters(self.fact("tcp.flags")),
            f"seq={self.fact('tcp.seq_raw')}", f"ack={self.fact('tcp.ack_raw')}",
            f"len={self.fact('tcp.len')}", f"win={self.fact('tcp.window_size_value')}",
            f"time={self.fact('frame.time_epoch')}",
        ]
        if self.stack() not in ("eth:ethertype:ip:tcp", "eth:ethertype:ipv6:tcp"):
            words.append(self.stack())
        return " ".join(words)


def letters(flags_field):
    """0x0012 -> SA"""
    texts = []
    for text in flags_field.split(","):
        bits = int(text, 16) if text else 0
        texts.append("".join(letter for index, letter in enumerate("FSRPAUEC")
                             if bits >> index & 1) or "-")
    return ",".join(texts)


def stack_of(protocols):
    """frame.protocols up to its last TCP header."""
    names = protocols.split(":")
    while names and names[-1] != "tcp":
        names.pop()
    return ":".join(names)


_known_stacks = {}


def is_ours(stack):
    verdict = _known_stacks.get(stack)
    if verdict is None:
        names = stack.split(":")
        verdict = names[-1] == "tcp" and all(
            child in OUR_STEPS.get(parent, ()) for parent, child in zip([""] + names, names))
        _known_stacks[stack] = verdict
    return verdict


def kept_protocols():
    kept = {name for children in OUR_STEPS.values() for name in children}
    return kept | set(OUR_STEPS) | FOREIGN_CARRIERS | {"pcap", "pcapng", "pcap_pktdata"}


class Tshark:
    def __init__(self, program="tshark", cache=None, extra_options=()):
        self.program = program
        self.extra_options = tuple(extra_options)
        self.cache = Path(cache) if cache else None
        if self.cache:
            self.cache.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(prefix="tapwitness-oracle-")
        self.version = self._run(["--version"]).splitlines()[0]
        protocols = [line.split("\t")[2] for line in self._run(["-G", "protocols"]).splitlines()]
        kept = kept_protocols()
        disabled = sorted(name for name in set(protocols)
                          if name not in kept and not name.startswith(KEPT_PREFIXES))
        Path(self._folder.name, "disabled_protos").write_text("".join(f"{n}\n" for n in disabled))
        harness = "\n".join((self.version, *self._options(), *disabled))
        self._harness_digest = hashlib.sha256(harness.encode()).hexdigest()

    def _environment(self):
        return dict(os.environ, WIRESHARK_CONFIG_DIR=self._folder.name, TZ="UTC", LC_ALL="C.UTF-8")

    def _run(self, arguments):
        try:
            done = subprocess.run([self.program, *arguments], env=self._environment(), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise TsharkError(f"cannot run {self.program}: {error}") from error
        return done.stdout

    def _options(self):
        options = ["-n"]
        for preference in PREFERENCES:
            options += ["-o", preference]
        options += list(self.extra_options)
        # -Y hides frames without TCP from the output; every frame is analysed all the same.
        options += ["-Y", "tcp", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a",
                    "-E", "aggregator=,"]
        for name in FACTS:
            options += ["-e", name]
        for name in FLAGS:
            options += ["-e", f"tcp.analysis.{name}"]
        return options

    def answers(self, path, problems):
        """Yields an Answer for each TCP frame of the capture. What tshark complains about is
        appended to `problems` at the end."""
        entry = self._cache_entry(path)
        if entry and entry.exists():
            with gzip.open(entry, "rt", encoding="utf-8") as stored:
                problems.extend(line for line in stored.readline().rstrip("\n").split("\t") if line)
                for line in stored:
                    yield Answer(line.rstrip("\n"))
            return
        yield from self._ask(path, problems, entry)

    def _ask(self, path, problems, entry):
        lines = [] if entry else None
        with tempfile.TemporaryFile("w+") as complaints:
            process = subprocess.Popen(
                [self.program, "-r", str(path), *self._options()], env=self._environment(),
                stdout=subprocess.PIPE, stderr=complaints, encoding="utf-8", errors="replace")
            with process:
                for line in process.stdout:
                    if entry:
                        lines.append(line)
                    yield Answer(line.rstrip("\n"))
            complaints.seek(0)
            said = [line.strip() for line in complaints
                    if line.strip() and "Running as user" not in line]
        if process.returncode < 0:
            said.append(f"tshark ended by signal {-process.returncode}")
        problems.extend(said)
        if entry and process.returncode >= 0:
            self._store(entry, said, lines)

    def _cache_entry(self, path):
        if not self.cache:
            return None
        digest = hashlib.sha256(self._harness_digest.encode())
        with open(path, "rb") as capture:
            for block in iter(lambda: capture.read(1 << 20), b""):
                digest.update(block)
        return self.cache / f"{digest.hexdigest()[:40]}.tsv.gz"

    @staticmethod
    def _store(entry, problems, lines):
        with tempfile.NamedTemporaryFile(dir=entry.parent, delete=False) as unfinished:
            with gzip.open(unfinished, "wt", encoding="utf-8", compresslevel=3) as stored:
                stored.write("\t".join(text.replace("\t", " ") for text in problems) + "\n")
                stored.writelines(lines)
        os.replace(unfinished.name, entry)
