# SPDX-License-Identifier: BSD-3-Clause
"""What really happened to every frame of a run: the wire's log, joined over its links and with the
capture, as one Emission per frame a host sent."""
import collections
import dataclasses
import struct

SERVER_PORT_DEFAULT = 8080
FIN, SYN, RST, ACK = 1, 2, 4, 16
ETHERNET = 14


class TruthError(Exception):
    """The log contradicts itself or the capture: the lab is broken, not the product."""


@dataclasses.dataclass
class Segment:
    """The headers of one frame; numbers as on the wire."""
    ends: tuple       # source address and port, those of the target
    flow: tuple       # client address and port
    c2s: bool
    seq: int
    ack: int
    flags: int
    length: int       # payload bytes
    window: int
    sack: tuple = ()
    timestamp: int | None = None
    ip_id: int | None = None

    @property
    def space(self):
        """Sequence numbers it takes."""
        return self.length + bool(self.flags & SYN) + bool(self.flags & FIN)


def options_of(data):
    sack, timestamp = (), None
    while data and data[0] != 0:
        if data[0] == 1:
            data = data[1:]
            continue
        if len(data) < 2 or data[1] < 2:
            break
        kind, body = data[0], data[2:data[1]]
        if kind == 5:
            edges = struct.unpack(f">{len(body) // 4}I", body)
            sack = tuple(zip(edges[::2], edges[1::2]))
        elif kind == 8:
            timestamp = struct.unpack(">I", body[:4])[0]
        data = data[data[1]:]
    return sack, timestamp


def parse(frame, port=SERVER_PORT_DEFAULT):
    """The Segment in an Ethernet frame; None if there is none."""
    kind = struct.unpack_from(">H", frame, 12)[0]
    ip_id = None
    if kind == 0x0800 and frame[ETHERNET + 9] == 6:
        header = (frame[ETHERNET] & 15) * 4
        total, ip_id = struct.unpack_from(">HH", frame, ETHERNET + 2)
        total -= header
        source, target = frame[ETHERNET + 12:ETHERNET + 16], frame[ETHERNET + 16:ETHERNET + 20]
    elif kind == 0x86DD and frame[ETHERNET + 6] == 6:
        header = 40
        total = struct.unpack_from(">H", frame, ETHERNET + 4)[0]
        source, target = frame[ETHERNET + 8:ETHERNET + 24], frame[ETHERNET + 24:ETHERNET + 40]
    else:
        return None
    tcp = frame[ETHERNET + header:]
    sport, dport, seq, ack, offset, flags, window = struct.unpack_from(">HHIIBBH", tcp)
    sack, timestamp = options_of(tcp[20:(offset >> 4) * 4])
    c2s = dport == port
    return Segment((source, sport, target, dport), (source, sport) if c2s else (target, dport), c2s,
                   seq, ack, flags, total - (offset >> 4) * 4, window, sack, timestamp, ip_id)


@dataclasses.dataclass(eq=False)
class Crossing:
    """One frame entering one link: its fate, and when copies of it left."""
    time: int
    link: str
    fate: str
    head: str  # hexadecimal
    segment: Segment
    left: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(eq=False)
class Passing:
    """One copy of a frame at the tap."""
    time: int
    captures: list = dataclasses.field(default_factory=list)  # frame numbers in the capture
    arrivals: list = dataclasses.field(default_factory=list)  # times at the receiver


@dataclasses.dataclass(eq=False)
class Emission:
    """One frame a host sent (or a third party at the tap: foreign)."""
    time: int
    segment: Segment
    fate_before: str
    passings: list
    foreign: bool = False

    @property
    def arrivals(self):
        return [time for passing in self.passings for time in passing.arrivals]


def read_log(path, port=SERVER_PORT_DEFAULT):
    """Crossings in order of entry, and per link the ids in the order in which copies left."""
    crossings, order = {}, collections.defaultdict(list)
    ended = False
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[0] == "I":
                segment = parse(bytes.fromhex(words[5]), port)
                crossings[int(words[3])] = Crossing(int(words[1]), words[2], words[4], words[5],
                                                    segment)
            elif words[0] == "O":
                crossing = crossings[int(words[3])]
                crossing.left.append(int(words[1]))
                order[words[2]].append(crossing)
            else:
                ended = True
                if words[2] != "0":
                    raise TruthError(f"{path}: the wire itself lost {words[2]} frames")
    if not ended:
        raise TruthError(f"{path}: the wire did not end")
    return list(crossings.values()), order


def read_pcap(path):
    """(time in ns, bytes) of every frame of a capture, and its link type."""
    data = path.read_bytes()
    order = "<" if data[0] in (0xD4, 0x4D) else ">"
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[struct.unpack_from(order + "I", data)[0]]
    link_type = struct.unpack_from(order + "I", data, 20)[0]
    offset, frames = 24, []
    while offset + 16 <= len(data):
        seconds, parts, captured, _ = struct.unpack_from(order + "IIII", data, offset)
        frames.append((seconds * 10**9 + parts * unit, data[offset + 16:offset + 16 + captured]))
        offset += 16 + captured
    return frames, link_type


def align(left, entered, what):
    """For each entry of `entered` the index in `left` it is a copy of, or None: both are in order,
    every left one entered, and others (a third party's) may stand between."""
    at, found = 0, []
    for crossing in entered:
        if at < len(left) and left[at].head == crossing.head:
            found.append(at)
            at += 1
        else:
            found.append(None)
    if at != len(left):
        raise TruthError(f"{what}: {len(left) - at} frames did not get from one link to the next")
    return found


class Run:
    """All emissions of a run and what the capture has of them."""

    def __init__(self, folder, capture_at="mirror", mirrored=("ingress", "egress"),
                 port=SERVER_PORT_DEFAULT, nflog=()):
        self.folder = folder
        crossings, left = read_log(folder / "wire.log", port)
        frames, _ = read_pcap(folder / "tap.pcap")
        self.dropped_inside = collections.Counter()
        for path in nflog:
            self.dropped_inside.update(nflog_packets(path))
        self.captured = {}  # frame number: (emission, passing)
        self.frames = frames
        self.stamps = {number: time for number, (time, _) in enumerate(frames, 1)}
        by_link = collections.defaultdict(list)
        for crossing in crossings:
            by_link[crossing.link, crossing.segment.c2s].append(crossing)
        self.emissions = []
        captures = CaptureOrder(frames, port)
        for c2s in (True, False):
            first, second = ("client", "server") if c2s else ("server", "client")
            passed = [one for one in left[first] if one.segment.c2s == c2s]
            seen = align(passed, by_link[second, c2s], f"from {first} to {second}")
            if capture_at == "mirror":
                joined = self.join(by_link[first, c2s], passed, by_link[second, c2s], seen)
                if ("ingress" if c2s else "egress") in mirrored:
                    copies = [one for one in left["mirror"] if one.segment.c2s == c2s]
                    captures.number(self.mirrored(joined, by_link["mirror", c2s], copies),
                                    self.captured, c2s)
            else:
                joined = self.join_at_host(by_link[first, c2s], by_link[second, c2s], seen,
                                           c2s == (capture_at == "client"))
                captures.number_all(joined, self.captured, c2s)
        if captures.left_over():
            raise TruthError(f"{captures.left_over()} captured frames are not in the wire's log")
        self.emissions.sort(key=lambda emission: emission.time)

    def join(self, sent, passed, second, seen):
        """Emissions with their passings of the tap; the passings in order, with their frames."""
        passings, rank = {}, collections.Counter()
        for crossing in sent:
            emission = Emission(crossing.time, crossing.segment, crossing.fate,
                                [Passing(time) for time in crossing.left])
            passings[crossing] = emission
            self.emissions.append(emission)
        joined = []
        for crossing, index in zip(second, seen):
            if index is None:
                emission = Emission(crossing.time, crossing.segment, "foreign",
                                    [Passing(crossing.time)], foreign=True)
                self.emissions.append(emission)
                passing = emission.passings[0]
            else:
                emission = passings[passed[index]]
                passing = emission.passings[rank[emission]]
                rank[emission] += 1
            passing.arrivals = list(crossing.left)
            joined.append((emission, passing, crossing.head))
        return joined

    def join_at_host(self, sent, second, seen, at_sender):
        """The same where the tap is one end: at the sender everything lies after it, at the
        receiver before it, but for what that host drops itself."""
        entered = iter(second[i] for i, index in enumerate(seen) if index is not None)
        joined = []
        for crossing in sent:
            copies = [next(entered) for _ in crossing.left]
            arrivals = [time for copy in copies for time in copy.left]
            if at_sender:
                passings = [Passing(crossing.time, [], arrivals)]
            else:
                passings = [Passing(time) for time in arrivals]
                for passing in passings:
                    packet = crossing.head[2 * ETHERNET:]
                    if self.dropped_inside[packet] > 0:
                        self.dropped_inside[packet] -= 1
                    else:
                        passing.arrivals = [passing.time]
            emission = Emission(crossing.time, crossing.segment, crossing.fate, passings)
            self.emissions.append(emission)
            joined += [(emission, passing, crossing.head) for passing in passings]
        joined.sort(key=lambda one: one[1].time)
        return joined

    @staticmethod
    def mirrored(joined, entered, left):
        """What left the mirror, in order, as (passing, head): of what passed the tap each frame
        entered it once, or twice."""
        copies = {}
        times = len(entered) // len(joined) if joined else 1
        expected = [one for one in joined for _ in range(times)]
        if len(expected) != len(entered):
            raise TruthError(f"{len(joined)} frames passed the tap, {len(entered)} were mirrored")
        for (emission, passing, head), crossing in zip(expected, entered):
            if head != crossing.head:
                raise TruthError("the mirror's frames are not those that passed")
            copies[crossing] = (emission, passing)
        return [(copies[one], one.head) for one in left]


class CaptureOrder:
    """Frame numbers of the capture, per direction in order."""

    def __init__(self, frames, port):
        self.numbers = {True: [], False: []}
        self.heads = {}
        for number, (_, data) in enumerate(frames, 1):
            self.numbers[parse(data, port).c2s].append(number)
            self.heads[number] = data.hex()
        self.used = 0

    def number(self, copies, captured, c2s):
        numbers = self.numbers[c2s]
        if len(numbers) != len(copies):
            raise TruthError(f"{len(copies)} frames left the mirror, {len(numbers)} were captured")
        for number, ((emission, passing), head) in zip(numbers, copies):
            if not self.heads[number].startswith(head[:2 * 120]):
                raise TruthError(f"frame {number} is not the one the mirror sent")
            passing.captures.append(number)
            captured[number] = (emission, passing)
            self.used += 1

    def number_all(self, joined, captured, c2s):
        self.number([((emission, passing), head) for emission, passing, head in joined], captured,
                    c2s)

    def left_over(self):
        return len(self.heads) - self.used


def nflog_packets(path):
    """Packets (hexadecimal, from the IP header, as far as the wire logs them) of a capture of
    dropped ones."""
    frames, link_type = read_pcap(path)
    if link_type != 239:
        raise TruthError(f"{path}: link type {link_type} is not NFLOG")
    for _, data in frames:
        offset = 4
        while offset + 4 <= len(data):
            length, kind = struct.unpack_from("<HH", data, offset)
            if length < 4:
                break
            if kind == 9:
                yield data[offset + 4:offset + length][:134 - ETHERNET].hex()
            offset += (length + 3) & ~3
