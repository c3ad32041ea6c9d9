# SPDX-License-Identifier: BSD-3-Clause
"""Compares tapwitness with tshark on one capture, frame by frame and connection by connection."""

from collections import Counter
from decimal import Decimal

import product
from tshark import FLAGS, is_ours

SYN, FIN, RST, ACK = 2, 1, 4, 16


def names(mask):
    return ",".join(name for index, name in enumerate(FLAGS) if mask >> index & 1) or "none"


class Difference:
    """One frame on which the two disagree."""

    def __init__(self, frame, by_tshark, by_tapwitness, answer):
        self.frame = frame
        self.by_tshark = by_tshark
        self.by_tapwitness = by_tapwitness
        self.connection = answer.connection() if answer else None
        self.facts = answer.describe() if answer else "no TCP here for tshark"

    def __str__(self):
        return (f"frame {self.frame}: tshark {names(self.by_tshark)} | "
                f"tapwitness {names(self.by_tapwitness)} | {self.facts}")


class Result:
    """Everything one capture added to the comparison. Results can be summed."""

    def __init__(self, path=None):
        self.path = path
        self.files = 1 if path else 0
        self.unreadable = []  # (path, what both said)
        self.failures = []  # sentences: what must not happen whatever the frames say
        self.notes = []
        self.frames = 0  # with TCP, for tshark
        self.compared = 0
        self.both = [0] * len(FLAGS)
        self.only_tshark = [0] * len(FLAGS)
        self.only_tapwitness = [0] * len(FLAGS)
        self.differing = 0
        self.differences = []  # the first ones
        self.foreign = Counter()  # stack -> frames
        self.shared = 0  # our frames of connections that foreign frames had touched before
        self.shared_differing = 0
        self.streams = 0

    @property
    def agrees(self):
        return self.differing == 0 and not self.failures

    def add(self, other):
        self.files += other.files
        self.unreadable += other.unreadable
        self.failures += other.failures
        for name in ("frames", "compared", "differing", "shared", "shared_differing", "streams"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("both", "only_tshark", "only_tapwitness"):
            mine = getattr(self, name)
            for index, count in enumerate(getattr(other, name)):
                mine[index] += count
        self.foreign.update(other.foreign)

    def count(self, by_tshark, by_tapwitness):
        for index in range(len(FLAGS)):
            bit = 1 << index
            if by_tshark & by_tapwitness & bit:
                self.both[index] += 1
            elif by_tshark & bit:
                self.only_tshark[index] += 1
            elif by_tapwitness & bit:
                self.only_tapwitness[index] += 1


class Streams:
    """What tshark's rows say about each connection: completeness after the last packet and the
    initial round trip, to be compared with the flow records."""

    def __init__(self):
        self.completeness = {}
        self.initial_rtt = {}
        self.count = 0

    def add(self, answer):
        numbers = answer.streams()
        if len(numbers) != 1:
            return
        stream = numbers[0]
        fresh = stream >= self.count
        self.count = max(self.count, stream + 1)
        # tshark prints the value before the packet; what the packet adds is in its flags.
        printed = int(answer.fact("tcp.completeness"))
        self.completeness[stream] = printed | self._added(answer, fresh and printed == 0)
        if answer.fact("tcp.analysis.initial_rtt"):
            self.initial_rtt[stream] = Decimal(answer.fact("tcp.analysis.initial_rtt"))

    @staticmethod
    def _added(answer, fresh):
        flags = int(answer.fact("tcp.flags") or "0", 16)
        data = int(answer.fact("tcp.len") or "0") > 0
        if int(answer.fact("tcp.hdr_len") or "0") < 20:
            return 0
        if fresh:
            return 1 + 8 * data if flags & (SYN | ACK) == SYN else 0
        added = 0
        if flags & SYN:
            added |= 2 if flags & ACK else 0
        elif flags & ACK:
            added |= 8 if data else 4
        if flags & (FIN | ACK) == FIN | ACK:
            added |= 16
        return added | (32 if flags & RST else 0)

    def compare(self, flows):
        """Sentences about each connection on which the flow records disagree."""
        if len(flows) != self.count:
            yield f"{self.count} streams for tshark, {len(flows)} flow records"
        for stream, completeness in self.completeness.items():
            record = flows.get(stream)
            if record is None:
                yield f"stream {stream} has no flow record"
                continue
            if record["completeness"] != completeness:
                yield (f"stream {stream}: completeness {completeness} for tshark, "
                       f"{record['completeness']} in the flow record")
            rtt = self.initial_rtt.get(stream)
            if rtt is not None and record["initial_rtt"] != rtt:
                yield (f"stream {stream}: initial_rtt {rtt} for tshark, "
                       f"{record['initial_rtt']} in the flow record")


def compare(tshark, binary, path, with_flows=False, keep=20, read_options=()):
    result = Result(path)
    reading = product.read(binary, path, with_flows, read_options)
    remaining = dict(reading.masks)
    streams = Streams()
    touched = set()  # connections with a foreign frame so far
    problems = []
    for answer in tshark.answers(path, problems):
        result.frames += 1
        streams.add(answer)
        ours = remaining.pop(answer.frame, 0)
        stack = answer.stack()
        if not is_ours(stack):
            result.foreign[stack] += 1
            touched.add(answer.connection())
        elif touched and answer.connection() in touched:
            result.shared += 1
            result.shared_differing += ours != answer.mask
        else:
            result.compared += 1
            result.count(answer.mask, ours)
            if ours != answer.mask:
                note_difference(result, Difference(answer.frame, answer.mask, ours, answer), keep)
    for frame, mask in remaining.items():
        result.count(0, mask)
        note_difference(result, Difference(frame, 0, mask, None), keep)
    result.streams = streams.count
    judge_readability(result, reading, problems)
    if with_flows and reading.flows is not None and not result.foreign:
        sentences = list(streams.compare(reading.flows))
        result.failures += [f"{path}: {sentence}" for sentence in sentences[:keep]]
        if len(sentences) > keep:
            result.failures.append(f"{path}: {len(sentences) - keep} more such connections")
    return result


def note_difference(result, difference, keep):
    result.differing += 1
    if len(result.differences) < keep:
        result.differences.append(difference)


def judge_readability(result, reading, problems):
    if reading.exit_code == product.EXIT_OPERATOR_MISTAKE:
        said = reading.complaints[-1] if reading.complaints else "no reason given"
        if result.frames:
            result.failures.append(f"{result.path}: tshark finds {result.frames} TCP frames, "
                                   f"tapwitness refuses the file: {said}")
        else:
            result.unreadable.append((result.path, said))
    elif problems:
        result.notes.append(f"tshark: {problems[0]}")
    if any("ended by signal" in problem for problem in problems):
        result.failures.append(f"{result.path}: {problems[-1]}")


def summary(result):
    """The table people read."""
    lines = [f"{'flag':<26}{'both':>12}{'only tshark':>14}{'only tapwitness':>17}"]
    for index, name in enumerate(FLAGS):
        lines.append(f"{name:<26}{result.both[index]:>12}{result.only_tshark[index]:>14}"
                     f"{result.only_tapwitness[index]:>17}")
    lines.append(f"{result.files} files, {result.frames} TCP frames in {result.streams} streams, "
                 f"{result.compared} compared, {result.differing} differ")
    if result.foreign:
        total = sum(result.foreign.values())
        lines.append(f"{total} frames with TCP below layers that tapwitness does not decode, "
                     "not compared:")
        lines += [f"  {count:>8}  {stack}" for stack, count in result.foreign.most_common()]
    if result.shared:
        lines.append(f"{result.shared} frames of connections that such frames had touched before, "
                     f"not compared ({result.shared_differing} of them differ)")
    for path, said in result.unreadable:
        lines.append(f"unreadable: {path}: {said}")
    return "\n".join(lines)
