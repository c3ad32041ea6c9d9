#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the verdicts of `tapwitness read` with the labels of the TCPRS traces: DIR holds
NAME.pcap and labels.tsv (trace, frame, raw sequence number, payload length, reason, type).

Reasons 1 to 3 (bytes seen, spanned or acknowledged before) agree with any verdict that says "sent
again". Reasons 5 and 7 (the original was not captured) agree with lost_before_tap. A frame whose
bytes a copy had been captured of before, or an ACK had covered, is provable. Exit codes: 0 the
goals are met, 1 they are not, 2 wrong arguments, 3 a trace cannot be read."""
import argparse
import collections
import csv
import dataclasses
import pathlib
import sys

import score
import truth
import wire_log

SENT_AGAIN = {"lost_after_tap": "R lacked the first copy", "ack_lost": "R had told S",
              "spurious_retransmission": "R had it",
              "duplicated_by_mirror": "one frame, copied twice",
              "duplicated_in_network": "one segment, delivered twice"}
SEEN_BEFORE, NEVER_SEEN = ("1", "2", "3"), ("5", "7")
AGREEMENT, UNKNOWN = 99.0, 1.0  # per cent (verdicts.md section 5)


@dataclasses.dataclass
class Labelled:
    trace: str
    frame: int
    seq: int
    length: int
    reason: str
    provable: bool = False
    captured_before: bool = False  # every byte of it
    verdict: str = "no event"
    confidence: str = ""
    cause: str = ""
    why: str = ""

    @property
    def agrees(self):
        if self.reason in SEEN_BEFORE:
            return self.verdict in SENT_AGAIN
        return self.verdict == "lost_before_tap"


def labels_of(folder):
    by_trace = collections.defaultdict(list)
    with open(folder / "labels.tsv", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            by_trace[row["trace"]].append(Labelled(row["trace"], int(row["frame"]),
                                                   int(row["seq_raw"]), int(row["len"]),
                                                   row["reason"]))
    return by_trace


def describe(labelled, segments):
    """Fills in what the captured frames show of each labelled one."""
    base, seen, highest = {}, collections.defaultdict(list), {}
    wanted = {one.frame: one for one in labelled}
    for number, segment in enumerate(segments, 1):
        if segment is None:
            continue
        source = segment.ends
        start = base.setdefault(source, segment.seq)
        begin = (segment.seq - start + 2**31) % 2**32 - 2**31
        end = begin + segment.length
        if number in wanted:
            one = wanted[number]
            acknowledged = highest.get(source, begin)
            one.captured_before = truth.within(seen[source], (begin, end))
            one.provable = acknowledged >= end or any(low < end and begin < high
                                                      for low, high in seen[source])
            one.why = (("all" if one.captured_before else "some" if one.provable else "none") +
                       " of its bytes captured before" +
                       (", acknowledged before" if acknowledged >= end else ""))
        if segment.length:
            seen[source] = truth.merged(seen[source], (begin, end))
        back = (*source[2:], *source[:2])
        if segment.flags & wire_log.ACK and back in base:
            ack = (segment.ack - base[back] + 2**31) % 2**32 - 2**31
            highest[back] = max(ack, highest.get(back, ack))


def inside(event, one):
    """Whether the event is about these bytes."""
    size = (event["seq_end"] - event["seq_begin"]) % 2**32
    ahead = (one.seq - event["seq_begin"]) % 2**32
    behind = (event["seq_begin"] - one.seq) % 2**32
    return ahead < size or behind < one.length


def match(labelled, events):
    """Gives each labelled frame the verdict of the event it belongs to. A repeat that holds the
    frame speaks for it before a hole that its bytes closed."""
    for one in labelled:
        for event in events:
            numbers = [subject["frame"] for subject in event["subject"]]
            # A SYN or SYN/ACK sent again is told of its handshake.
            handshake = event["type"] == "handshake" and one.length == 0
            if not (handshake or "seq_end" in event and inside(event, one)):
                continue
            holds = event["type"] in ("repeat", "handshake") and \
                min(numbers) <= one.frame <= max(numbers)
            closed = event["type"] == "hole" and min(numbers) <= one.frame
            if holds or (closed and one.verdict == "no event"):
                one.verdict = event.get("verdict", "none")
                one.confidence = event.get("confidence", "")
                one.cause = event.get("cause", "")
                if holds:
                    break


def matrix(labelled):
    cells = collections.Counter((one.reason, one.verdict) for one in labelled)
    verdicts = sorted({verdict for _, verdict in cells})
    lines = []
    for reason in sorted({reason for reason, _ in cells}):
        told = ", ".join(f"{verdict} {cells[reason, verdict]}" for verdict in verdicts
                         if cells[reason, verdict])
        lines.append(f"reason {reason}: {told}")
    return "\n".join(lines)


def goals(labelled):
    reached = []

    def goal(holds, text):
        reached.append(holds)
        print(f"{'PASS' if holds else 'FAIL'}  {text}")

    provable = [one for one in labelled if one.provable and one.reason in SEEN_BEFORE]
    agree = sum(one.agrees for one in provable)
    goal(provable and 100 * agree >= AGREEMENT * len(provable),
         f"provable ones: {agree} of {len(provable)} agree, "
         f"{100 * agree / max(1, len(provable)):.2f} % (goal {AGREEMENT} %)")
    reordered = [one for one in labelled if one.captured_before and "reordered" in one.verdict]
    goal(not reordered, f"{len(reordered)} called reordered whose bytes were captured before "
                        "(goal 0)")
    unknown = [one for one in labelled if one.verdict in ("unknown", "none", "no event")]
    goal(100 * len(unknown) <= UNKNOWN * len(labelled),
         f"{len(unknown)} of {len(labelled)} unknown, "
         f"{100 * len(unknown) / max(1, len(labelled)):.2f} % (goal at most {UNKNOWN} %)")
    hidden = [one for one in labelled if one.reason in NEVER_SEEN]
    print(f"      originals not captured: {sum(one.agrees for one in hidden)} of {len(hidden)} "
          "called lost_before_tap")
    causes = collections.Counter(one.cause or one.verdict for one in unknown)
    print("      unknown by cause: " + (", ".join(f"{cause} {count}" for cause, count in
                                                  causes.most_common()) or "none"))
    return all(reached)


def compare(folder, only=None):
    """Every label, with what was said of it."""
    labelled = []
    for trace, group in sorted(labels_of(folder).items()):
        if only in (None, trace):
            capture = folder / f"{trace}.pcap"
            frames, _ = wire_log.read_pcap(capture)
            describe(group, [wire_log.parse(data) for _, data in frames])
            match(group, score.events_of(capture))
            labelled += group
    return labelled


def main():
    parser = argparse.ArgumentParser(prog="scripts/truth tcprs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path)
    parser.add_argument("--trace", metavar="NAME", help="only this one")
    options = parser.parse_args()
    if not (options.folder / "labels.tsv").is_file():
        parser.error(f"{options.folder}: no labels.tsv in it")
    try:
        labelled = compare(options.folder, options.trace)
    except (truth.TruthError, OSError) as error:
        print(f"tcprs: {error}", file=sys.stderr)
        return 3
    for one in labelled:
        if not one.agrees:
            print(f"{one.trace} frame {one.frame} reason {one.reason}: {one.verdict} "
                  f"{one.confidence} {one.cause}; {one.why}")
    print(matrix(labelled))
    return 0 if goals(labelled) else 1


if __name__ == "__main__":
    sys.exit(main())
