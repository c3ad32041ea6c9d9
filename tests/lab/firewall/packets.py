# SPDX-License-Identifier: BSD-3-Clause
"""What really happened to every packet of a run of the firewall lab, from captures that miss
nothing and from the firewall's own log: which entered and did not leave, which left and had not
entered, which a tap's capture lacks. Kept as truth.json beside the captures.

Nothing here follows the product's rules: packets are the same if their identification, numbers,
timestamps and payload are, or those of them that the scenario's firewall leaves alone.
"""
import collections
import dataclasses
import json
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from wire_log import FIN, RST, SYN, TruthError, options_of, read_pcap  # noqa: E402

ETHERNET, TCP, ICMP = 14, 6, 1
NFLOG_LINK, NFLOG_PAYLOAD, NFLOG_PREFIX = 239, 9, 10
SIDES = ("outside", "inside")
CLIENTS = "10.77.1."  # the client's network
SPIKE_FACTOR, SPIKE_PACKETS = 5, 3
SERVER_PORTS = {21, *range(8080, 8100)}


@dataclasses.dataclass(eq=False)
class Packet:
    time: int
    frame: int            # from 1, in its file
    source: str
    target: str
    protocol: int
    identification: int
    length: int           # of the IP packet
    fragment: int = 0     # offset in bytes
    more: bool = False
    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0
    payload: int = 0      # bytes
    content: bytes = b""  # as far as captured
    tsval: int | None = None
    sack: tuple = ()
    prefix: str = ""      # of the firewall's log

    @property
    def space(self):
        return self.payload + bool(self.flags & SYN) + bool(self.flags & FIN)

    @property
    def segment(self):
        return self.protocol == TCP and not self.fragment

    def key(self, alike):
        """What tells it from others: the fields of `alike` that a firewall may change are left
        out by the scenario."""
        return tuple(getattr(self, field) for field in alike)

    def __str__(self):
        letters = "".join(letter for bit, letter in enumerate("FSRPAUEC") if self.flags >> bit & 1)
        return f"{self.source}:{self.sport} > {self.target}:{self.dport} {letters} " \
               f"seq {self.seq} ack {self.ack} length {self.payload} id {self.identification}"


ALIKE = ("source", "target", "protocol", "identification", "fragment", "sport", "dport", "seq",
         "ack", "flags", "payload", "tsval", "content")


def packet_of(data, time, frame):
    """The Packet in the bytes of an IPv4 packet; None for anything else."""
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    header = (data[0] & 15) * 4
    length, identification, fragment = struct.unpack_from(">HHH", data, 2)
    one = Packet(time, frame, socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20]), data[9],
                 identification, length, (fragment & 0x1FFF) * 8, bool(fragment & 0x2000))
    body = data[header:length]
    if one.protocol != TCP or one.fragment or len(body) < 20:
        one.content, one.payload = body, length - header
        return one
    one.sport, one.dport, one.seq, one.ack, offset, one.flags = struct.unpack_from(">HHIIBB", body)
    offset = (offset >> 4) * 4
    one.payload, one.content = length - header - offset, body[offset:]
    one.sack, one.tsval = options_of(body[20:offset])
    return one


def packets(path):
    """The IPv4 packets of an Ethernet capture."""
    frames, link_type = read_pcap(path)
    if link_type != 1:
        raise TruthError(f"{path}: link type {link_type} is not Ethernet")
    found = (packet_of(data[ETHERNET:], time, number)
             for number, (time, data) in enumerate(frames, 1)
             if data[12:14] == b"\x08\x00")
    return [one for one in found if one is not None]


def logged(path):
    """The packets of a capture of NFLOG."""
    frames, link_type = read_pcap(path)
    if link_type != NFLOG_LINK:
        raise TruthError(f"{path}: link type {link_type} is not NFLOG")
    found = []
    for number, (time, data) in enumerate(frames, 1):
        offset, one, prefix = 4, None, ""
        while offset + 4 <= len(data):
            length, kind = struct.unpack_from("<HH", data, offset)
            if length < 4:
                break
            value = data[offset + 4:offset + length]
            if kind == NFLOG_PAYLOAD:
                one = packet_of(value, time, number)
            elif kind == NFLOG_PREFIX:
                prefix = value.rstrip(b"\0").decode()
            offset += (length + 3) & ~3
        if one is not None:
            one.prefix = prefix
            found.append(one)
    return found


def is_inward(one):
    """Whether it goes from the client to the server."""
    if one.segment and one.sport != one.dport:
        return one.dport in SERVER_PORTS
    return not one.target.startswith(CLIENTS)


def unmatched(left, right, alike):
    """Packets of `left` without a twin in `right`, twins in order; and of `right` those over."""
    waiting = collections.defaultdict(collections.deque)
    for one in right:
        waiting[one.key(alike)].append(one)
    alone = []
    for one in left:
        queue = waiting[one.key(alike)]
        if queue:
            queue.popleft()
        else:
            alone.append(one)
    rest = [one for queue in waiting.values() for one in queue]
    return alone, sorted(rest, key=lambda one: one.time)


class Truth:
    """`entered_only[side]`: packets that the perfect tap there saw enter and the other one never
    saw leave; `left_only[side]`: those that left there and entered nowhere; `missed[side]`: what
    the capture of that tap lacks; `dropped`: what the firewall's log tells."""

    def __init__(self, folder, alike=ALIKE):
        self.folder = pathlib.Path(folder)
        self.captured = {side: packets(self.folder / f"{side}.pcap") for side in SIDES}
        self.perfect, self.missed = {}, {side: [] for side in SIDES}
        for side in SIDES:
            path = self.folder / f"perfect-{side}.pcap"
            self.perfect[side] = packets(path) if path.exists() else self.captured[side]
            if path.exists():
                self.missed[side] = self.lacks(side)
        log = self.folder / "dropped.pcap"
        self.dropped = logged(log) if log.exists() else []
        self.alike = alike
        self.compare(alike)

    def lacks(self, side):
        """Also numbers the perfect tap's packets as the capture has them."""
        waiting = collections.defaultdict(collections.deque)
        for one in self.captured[side]:
            waiting[one.key(ALIKE)].append(one)
        missing = []
        for one in self.perfect[side]:
            queue = waiting[one.key(ALIKE)]
            one.frame = queue.popleft().frame if queue else 0
            if not one.frame:
                missing.append(one)
        return missing

    def compare(self, alike):
        outside, inside = self.perfect["outside"], self.perfect["inside"]
        inward = [[one for one in side if is_inward(one)] for side in (outside, inside)]
        outward = [[one for one in side if not is_inward(one)] for side in (outside, inside)]
        self.entered_only, self.left_only = {}, {}
        self.entered_only["outside"], self.left_only["inside"] = unmatched(*inward, alike)
        self.entered_only["inside"], self.left_only["outside"] = unmatched(*reversed(outward),
                                                                           alike)

    def check_log(self, alike, unlogged):
        """The log and the taps tell the same, or the lab is broken."""
        entered = [*self.entered_only["outside"], *self.entered_only["inside"]]
        silent, unseen = unmatched(entered, self.dropped, alike)
        if unseen:
            raise TruthError(f"{len(unseen)} dropped packets left or never entered: {unseen[0]}")
        if silent and not unlogged:
            raise TruthError(f"{len(silent)} packets vanished without the firewall's log: "
                             f"{silent[0]}")

    def transits(self):
        """Nanoseconds between the taps, of every packet with a twin."""
        found = []
        for entry, leaving in (SIDES, SIDES[::-1]):
            twins = collections.defaultdict(collections.deque)
            for one in self.perfect[leaving]:
                twins[one.key(self.alike)].append(one)
            for one in self.perfect[entry]:
                queue = twins[one.key(self.alike)]
                if is_inward(one) == (entry == "outside") and queue:
                    found.append(queue.popleft().time - one.time)
        return sorted(found)

    def spikes(self):
        """Whether packets really took far longer than usual: the hosts of the lab share processors,
        and a firewall of software stands still at times."""
        transits = self.transits()
        usual = transits[len(transits) // 2] if transits else 0
        return sum(one > SPIKE_FACTOR * usual for one in transits) >= SPIKE_PACKETS

    def visible_drops(self):
        """Dropped segments that take sequence numbers and that the capture saw enter."""
        return [(side, one) for side in SIDES for one in self.entered_only[side]
                if one.segment and one.space and one.frame]

    def write(self):
        """truth.json: for people, and for what judges a kept run again."""
        def row(one):
            return {"frame": one.frame, "time": f"{one.time / 1e9:.9f}", "packet": str(one)}

        text = {"dropped": {side: [row(one) for one in self.entered_only[side]] for side in SIDES},
                "injected": {side: [row(one) for one in self.left_only[side]] for side in SIDES},
                "missed": {side: [row(one) for one in self.missed[side]] for side in SIDES},
                "log": [{**row(one), "prefix": one.prefix} for one in self.dropped]}
        (self.folder / "truth.json").write_text(json.dumps(text, indent=1), encoding="utf-8")


__all__ = ["ALIKE", "FIN", "RST", "SIDES", "SYN", "Packet", "Truth", "TruthError", "is_inward",
           "logged", "packets"]
