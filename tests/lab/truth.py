# SPDX-License-Identifier: BSD-3-Clause
"""What a verdict ought to be, from the fate of every frame: for each range that was a hole in the
capture and each captured frame that repeats bytes, the true word, which other words the captured
frames cannot tell from it, and why.

No line here follows the product's rules: positions are plain integers counted from each side's SYN,
and what the receiver had is known, not inferred.
"""
import collections
import dataclasses

from wire_log import ACK, SYN, TruthError

MS = 10**6
MARGIN = 3 * MS        # between the arrival of an ACK and a repeat: closer is anybody's guess
MIRROR_WINDOW = 10 * MS  # copies closer than this count as the mirror's unless R reports them
TICK = 2 * MS          # apart, two timestamps of one host differ
SKEW = 50 * MS         # between the two directions of a capture, as `read` allows
CLEAN_AROUND = 10**10


@dataclasses.dataclass
class Label:
    """`word` is what happened. `equal`: words that fit the same captured frames; a verdict with
    one of those is right, but not if it claims to be proven."""
    word: str
    equal: dict = dataclasses.field(default_factory=dict)  # word: reason
    right: frozenset = frozenset()  # besides `word`: what verdicts.md itself calls it

    def judge(self, verdict, confidence):
        if verdict == self.word or verdict in self.right:
            return "right"
        if verdict in self.equal and confidence != "proven":
            return "right"
        if verdict in ("unknown", "none"):
            return "unknown"
        return "wrong proven" if confidence == "proven" else "wrong"


class Side:
    """One direction of one connection: what S sent, what R had, what was captured."""

    def __init__(self, emissions, answers, base, stamps):
        self.base = base
        self.stamps = stamps        # captured frame: its time in the capture
        self.data_transit = self.answer_transit = 0  # S to the tap, and back, at the fastest
        self.emissions = emissions  # of S, in time
        self.answers = answers      # of R
        self.captured = sorted(
            (number, emission, passing) for emission in emissions for passing in emission.passings
            for number in passing.captures)
        self.captured.sort(key=lambda one: one[0])
        self.captured_answers = sorted(
            ((number, emission, passing) for emission in answers for passing in emission.passings
             for number in passing.captures), key=lambda one: one[0])

    def position(self, number):
        """A sequence number as a distance from this side's SYN."""
        return (number - self.base + 2**31) % 2**32 - 2**31

    def span(self, segment):
        begin = self.position(segment.seq)
        return begin, begin + segment.space

    def data_span(self, segment):
        begin = self.position(segment.seq) + bool(segment.flags & SYN)
        return begin, begin + segment.length

    def units(self, begin, end):
        """[begin, end) cut where any segment begins or ends."""
        cuts = {begin, end}
        for emission in self.emissions:
            cuts.update(edge for edge in self.span(emission.segment) if begin < edge < end)
            low, high = self.data_span(emission.segment)
            cuts.update(edge for edge in (low, high) if begin < edge < end)
        cuts = sorted(cuts)
        return list(zip(cuts, cuts[1:]))

    def carriers(self, begin, end):
        return [one for one in self.emissions
                if self.span(one.segment)[0] <= begin and end <= self.span(one.segment)[1]
                and one.segment.space > 0]

    def has_data(self, begin, end):
        """Whether the unit is payload: SYN and FIN take a number and no byte."""
        return any(low <= begin and end <= high for low, high in
                   (self.data_span(one.segment) for one in self.carriers(begin, end)))

    def acknowledges(self, segment, begin, end):
        """Whether R says in this segment that it has the range."""
        if not segment.flags & ACK or segment.flags & SYN:
            return False
        if self.position(segment.ack) >= end:
            return True
        return any(self.position(low) <= begin and end <= self.position(high)
                   for low, high in segment.sack)

    def reports_duplicate(self, segment, begin, end):
        """A DSACK (RFC 2883) for bytes of the range."""
        if not segment.sack:
            return False
        low, high = (self.position(edge) for edge in segment.sack[0])
        within = high <= self.position(segment.ack)
        if not within and len(segment.sack) > 1:
            second = [self.position(edge) for edge in segment.sack[1]]
            within = second[0] <= low and high <= second[1]
        return within and low < end and begin < high

    def acknowledged_in_capture(self, begin, end, before=None):
        """The first captured frame of R that covers the range, if it stands before frame
        `before`."""
        for number, emission, passing in self.captured_answers:
            if before is not None and number >= before:
                return None
            if self.acknowledges(emission.segment, begin, end):
                return number, emission, passing
        return None

    def duplicate_reported(self, begin, end, repeat):
        """Whether R's DSACKs say that it had the bytes when frame `repeat` came: as many of them
        as copies were captured from that one on."""
        reports = sum(number > repeat and self.reports_duplicate(emission.segment, begin, end)
                      for number, emission, _ in self.captured_answers)
        copies = sum(number >= repeat and overlap(self, emission, begin, end)
                     for number, emission, _ in self.captured)
        return reports >= copies

    def first_capture(self, begin, end):
        for number, emission, passing in self.captured:
            low, high = self.span(emission.segment)
            if low <= begin and end <= high:
                return number, emission, passing
        return None


def hole_label(side, begin, end):
    """The truth about one unit that was not captured in its place."""
    carriers = side.carriers(begin, end)
    if not carriers:
        return Label("never_sent", right=frozenset({"sequence_overshoot"}))
    first = side.first_capture(begin, end)
    frame = first[0] if first else None
    missed = [passing for one in carriers for passing in one.passings
              if not passing.captures and (first is None or passing.time < first[2].time)]
    if missed:
        return missed_label(side, begin, end, first, missed)
    if first is None:
        return Label("never_recovered")
    if side.acknowledged_in_capture(begin, end, frame):
        return Label("reordered_in_capture")
    if first[1] is not carriers[0]:
        if carriers[0].passings:
            return Label("reordered_before_tap",
                         {"lost_before_tap": "a retransmission overtook the late original"})
        return Label("lost_before_tap")
    return overtaken_label(side, begin, end, first)


def overtaken_label(side, begin, end, first):
    """The original itself closed the hole: who put it behind others?"""
    frame, _, passing = first
    opener = next((one for one in side.captured
                   if one[0] < frame and side.span(one[1].segment)[0] >= end), None)
    if opener and passing.time < opener[2].time:
        return Label("reordered_in_capture",
                     {"reordered_before_tap": "two frames of one direction swapped in the mirror "
                                              "look like two swapped in the network"})
    return Label("reordered_before_tap")


def missed_label(side, begin, end, first, missed):
    """A copy passed the tap and was not captured."""
    frame = first[0] if first else None
    told = side.acknowledged_in_capture(begin, end, frame)
    if told:
        return Label("missed_by_capture", skewed(side, begin, end, told, first))
    delivered = any(passing.arrivals for passing in missed)
    if first is None:
        word = "missed_by_capture" if delivered else "missed_then_lost"
        return Label(word, {"never_recovered": "no captured ACK covers the bytes",
                            "missed_by_capture": "no captured ACK covers the bytes"})
    if delivered:
        return Label("missed_by_capture",
                     {"lost_before_tap": "no ACK of the missed copy was captured before the "
                                         "bytes were sent again",
                      "reordered_before_tap": "no ACK of the missed copy was captured"},
                     right=frozenset({"spurious_retransmission"}))
    return Label("missed_then_lost",
                 {"lost_before_tap": "missed by the capture and lost behind the tap: the same "
                                     "frames as a loss before the tap"})


def skewed(side, begin, end, told, first):
    """Whether missed bytes that were acknowledged and sent again all the same look like bytes that
    the capture has behind their ACK; R's report of a duplicate would then be of a copy that the
    network made. Not where a segment of S beyond them stands before that ACK, of an earlier tick
    than the repeat: this one then shows that it was sent again."""
    if first is None or side.stamps[first[0]] - side.stamps[told[0]] >= SKEW:
        return {}
    beyond = any(number < told[0] and side.span(one.segment)[0] >= end and one.segment.space > 0
                 and one.time + TICK <= first[1].time for number, one, _ in side.captured)
    return {} if beyond else {
        "reordered_in_capture": "missed, acknowledged, and sent again needlessly within the skew "
                                "between directions"}


def repeat_label(side, number, emission, passing):
    """The truth about one captured frame, some of whose bytes had been captured before. None if it
    carries nothing."""
    if any(other < number for other in passing.captures):
        return Label("duplicated_by_mirror")
    begin, end = side.span(emission.segment)
    twin = next((one for one in side.captured if one[1] is emission and one[0] < number), None)
    if twin:
        if side.duplicate_reported(begin, end, number):
            return Label("duplicated_in_network")
        equal = {"duplicated_by_mirror": "two identical frames, and no DSACK captured"}
        return Label("duplicated_in_network",
                     equal if passing.time - twin[2].time < MIRROR_WINDOW else {})
    earlier = [one for one in side.captured
               if one[0] < number and overlap(side, one[1], begin, end)]
    if all(one[1].time > emission.time for one in earlier):
        return Label("reordered_before_tap",
                     {"duplicated_in_network": "the original, behind its own retransmission"},
                     right=frozenset({"spurious_retransmission"}))
    if any(one[1].time > emission.time for one in earlier):
        return Label("spurious_retransmission",
                     {"lost_after_tap": "a copy that others overtook"})
    units = [unit for unit in side.units(begin, end)
             if any(low <= unit[0] and unit[1] <= high for low, high in
                    (side.span(one[1].segment) for one in earlier))]
    return resent_label(side, number, emission, units)


def overlap(side, emission, begin, end):
    low, high = side.span(emission.segment)
    return low < end and begin < high


def resent_label(side, number, emission, units):
    """S sent these captured bytes again: did R have them, and could S know?"""
    lacked, late = False, False
    for begin, end in units:
        arrivals = [time for one in side.carriers(begin, end) if one.time < emission.time
                    for time in one.arrivals]
        lacked = lacked or not arrivals
        late = late or (bool(arrivals) and min(arrivals) > emission.time)
    begin, end = units[0][0], units[-1][1]
    if lacked:
        return Label("lost_after_tap")
    reported = side.duplicate_reported(begin, end, number)
    guess = {} if reported else {
        "lost_after_tap": "R had the bytes, and neither an ACK before nor a DSACK after says so"}
    if late:
        return Label("spurious_retransmission", guess)
    told = side.acknowledged_in_capture(begin, end, number)
    if told is None:
        # Whether an ACK died before the tap or none was sent, the frames are the same.
        lost = any(side.acknowledges(one.segment, begin, end) and one.time < emission.time
                   and not one.arrivals for one in side.answers)
        return Label("ack_lost_unseen" if lost else "spurious_retransmission", guess,
                     right=frozenset({"spurious_retransmission", "ack_lost"} if lost else ()))
    lag = side.stamps[number] - side.stamps[told[0]]
    return acknowledged_label(side, emission, begin, end, lag)


def acknowledged_label(side, emission, begin, end, lag):
    """An ACK for the bytes was captured `lag` before the repeat: had it, or a later one, reached
    S?"""
    covering = [one for one in side.answers if side.acknowledges(one.segment, begin, end)
                and one.passings and one.passings[0].time < emission.time]
    arrived = [min(one.arrivals) for one in covering if one.arrivals]
    if any(time <= emission.time for time in arrived):
        return Label("spurious_retransmission",
                     {"ack_lost": "S had been told; it cannot be seen that it was"})
    transit = side.answer_transit
    due = [one.passings[0].time + transit for one in covering]
    lost_in_time = [time for one, time in zip(covering, due)
                    if not one.arrivals and time < emission.time]
    near = any(abs(time - emission.time) < MARGIN for time in due)
    word = "ack_lost" if lost_in_time else "spurious_retransmission"
    other = {"ack_lost", "spurious_retransmission"} - {word}
    held_up = word == "spurious_retransmission" and lag > transit + side.data_transit
    equal = {"ack_lost": "the ACK or the repeat was held up for longer than the way to S and back "
                         "takes"} if held_up else {}
    return Label(word, equal, right=frozenset(other if near else ()))


class Truth:
    """All connections of a run."""

    def __init__(self, run):
        self.run = run
        flows = collections.defaultdict(list)
        for emission in run.emissions:
            flows[emission.segment.flow].append(emission)
        self.sides = {}
        for flow, emissions in flows.items():
            for c2s in (True, False):
                sent = [one for one in emissions if one.segment.c2s == c2s]
                answers = [one for one in emissions if one.segment.c2s != c2s]
                if sent:
                    side = Side(sent, answers, sent[0].segment.seq, run.stamps)
                    side.data_transit, side.answer_transit = transits(sent, answers)
                    self.sides[flow, c2s] = side

    def holes(self, side):
        """Units of payload that were a hole in the capture: later bytes of S, or R's ACK for them,
        were captured before them or without them."""
        if not side.captured:
            return
        start = side.span(side.captured[0][1].segment)[0]
        end = max(side.span(one.segment)[1] for one in side.emissions)
        for unit in side.units(start, end):
            if not side.has_data(*unit):
                continue
            first = side.first_capture(*unit)
            frame = first[0] if first else None
            later = any((frame is None or number < frame) and
                        side.span(one.segment)[0] >= unit[1] and one.segment.space > 0
                        for number, one, _ in side.captured)
            if later or side.acknowledged_in_capture(*unit, frame):
                yield unit

    @staticmethod
    def repeats(side):
        """Captured frames with payload some of which had been captured before."""
        seen = []
        for number, emission, passing in side.captured:
            begin, end = side.data_span(emission.segment)
            if begin < end and any(low < end and begin < high for low, high in seen):
                yield number, emission, passing
            if begin < end:
                seen = merged(seen, (begin, end))

    def sent_twice(self):
        """Whether any payload was captured more than once."""
        return any(True for side in self.sides.values() for _ in self.repeats(side))


def merged(spans, span):
    """Disjoint spans with one more."""
    apart = [one for one in spans if one[1] < span[0] or span[1] < one[0]]
    joined = [one for one in spans if not (one[1] < span[0] or span[1] < one[0])]
    begin = min([span[0], *(one[0] for one in joined)])
    end = max([span[1], *(one[1] for one in joined)])
    return sorted([*apart, (begin, end)])


def transits(sent, answers):
    """From S to the tap and from the tap to S, as the fastest frames took it."""
    there = [one.passings[0].time - one.time for one in sent if one.passings]
    back = [passing.arrivals[0] - passing.time for one in answers for passing in one.passings
            if passing.arrivals]
    return min(there, default=0), min(back, default=0)


def within(spans, unit):
    """Whether the unit lies in one of the spans."""
    return any(begin <= unit[0] and unit[1] <= end for begin, end in spans)
