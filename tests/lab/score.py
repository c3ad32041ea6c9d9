# SPDX-License-Identifier: BSD-3-Clause
"""Compares the events of `tapwitness read` with the truth: every event is a row (true word,
verdict, confidence, judgement), and so is whatever should have been an event and was not."""
import collections
import dataclasses
import json
import os
import pathlib
import socket
import subprocess

import connections
import truth as truths

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TAPWITNESS", str(ROOT / "build" / "tapwitness"))
JUDGED = ("hole", "repeat")


@dataclasses.dataclass
class Row:
    word: str         # the truth
    verdict: str      # what was said; "no event"
    confidence: str
    judgement: str    # right, unknown, wrong, wrong proven, not told
    cause: str = ""
    where: str = ""   # for people: frames and bytes
    equal: str = ""   # why another word than the true one counts as right


@dataclasses.dataclass
class Score:
    rows: list = dataclasses.field(default_factory=list)
    missed_told: int = 0
    missed_least: int = 0   # bytes that an ACK in the capture proves missed
    missed_most: int = 0    # and those that could be called so

    @property
    def missed_exact(self):
        return self.missed_least <= self.missed_told <= self.missed_most

    def count(self, *judgements):
        return sum(row.judgement in judgements for row in self.rows)


def events_of(capture, binary=BINARY):
    done = subprocess.run([binary, "read", "--events", "-", str(capture)], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise truths.TruthError(f"{binary} read {capture}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()[1:]]


def flow_of(event, truth):
    """The connection's key in the truth: its client's end."""
    ends = [(packed(event["flow"][address]), event["flow"][port])
            for address, port in (("src", "sport"), ("dst", "dport"))]
    return next(end for end in ends if (end, True) in truth.sides or (end, False) in truth.sides)


def packed(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


class Scorer:
    def __init__(self, truth, events):
        self.truth, self.events = truth, events
        self.score = Score()
        self.told_holes = collections.defaultdict(list)   # side: spans
        self.told_facts = collections.defaultdict(list)   # flow: events
        self.told_repeats = set()                         # frames
        self.repeats = {}                                 # frame: (side, emission, passing)
        for side in truth.sides.values():
            for number, emission, passing in truth.repeats(side):
                self.repeats[number] = (side, emission, passing)

    def run(self):
        for event in self.events:
            side = self.side_of(event)
            if side is None:
                self.row(event, [(truths.Label("no such connection"), 1)], f"event {event['id']}")
            elif event["type"] not in JUDGED:
                self.told_facts[flow_of(event, self.truth)].append(event)
            elif event["type"] == "hole":
                self.hole(side, event)
            else:
                self.repeat(side, event)
        self.untold()
        for flow, connection in connections.connections(self.truth).items():
            self.facts(flow, connection, self.told_facts.get(flow, []))
        return self.score

    def facts(self, flow, connection, events):
        """What was told of a whole connection, beside what there was to tell."""
        facts = connection.facts()
        for event in events:
            label = facts.get(event["type"]) or connection.may_tell(event["type"]) or \
                truths.Label("nothing to tell")
            self.row(event, [(label, 1)], f"event {event['id']}, {event['type']} port {flow[1]}")
        for kind, label in facts.items():
            if not any(event["type"] == kind for event in events):
                self.score.rows.append(Row(label.word, "no event", "none", "not told",
                                           where=f"{kind} port {flow[1]}"))

    def side_of(self, event):
        flow = event["flow"]
        # A capture that misses the SYN may take either end for the client.
        for address, port, c2s in ((flow["src"], flow["sport"], True),
                                   (flow["dst"], flow["dport"], False)):
            side = self.truth.sides.get(((packed(address), port),
                                         c2s == (event["direction"] == "c2s")))
            if side is not None:
                return side
        return None

    def row(self, event, labels, where):
        """One row from the labels of everything the event stands for, with their bytes."""
        verdict, confidence = event.get("verdict", "none"), event.get("confidence", "none")
        # The part that weighs most names the row; the worst judged part judges it.
        label = max(labels, key=lambda pair: pair[1])[0]
        order = ("right", "unknown", "wrong", "wrong proven")
        judgement = max((one.judge(verdict, confidence) for one, _ in labels), key=order.index)
        self.score.rows.append(Row(label.word, verdict, confidence, judgement,
                                   event.get("cause", ""), where,
                                   label.equal.get(verdict, "")))

    def hole(self, side, event):
        begin, end = side.position(event["seq_begin"]), side.position(event["seq_end"])
        self.told_holes[id(side)].append((begin, end))
        units = side.units(begin, end)
        labels = [(truths.hole_label(side, *unit), unit[1] - unit[0]) for unit in units
                  if side.has_data(*unit) or len(units) == 1]
        if event.get("verdict") == "missed_by_capture":
            self.score.missed_told += end - begin - sum(
                high - low for low, high in units
                if side.carriers(low, high) and not side.has_data(low, high))
        if labels:
            frames = [one["frame"] for one in event["subject"] + event.get("evidence", [])]
            self.row(event, labels, f"event {event['id']}, {event['direction']} [{begin}..{end}) "
                                    f"port {event['flow']['sport']}, frames {frames}")

    def members(self, side, event):
        """The captured frames a repeat event is about."""
        numbers = [one["frame"] for one in event["subject"]]
        begin, end = side.position(event["seq_begin"]), side.position(event["seq_end"])
        found = []
        for number, (owner, emission, passing) in self.repeats.items():
            low, high = side.span(emission.segment)
            if owner is side and min(numbers) <= number <= max(numbers) and low < end and \
                    begin < high:
                found.append((number, emission, passing))
        return found

    def repeat(self, side, event):
        members = self.members(side, event)
        self.told_repeats.update(number for number, _, _ in members)
        labels = []
        spans = []
        for one in members:
            span = side.data_span(one[1].segment)
            # Bytes repeated twice make one event: its verdict says why it began. A proof has to
            # hold for all of it.
            if event.get("confidence") == "proven" or not truths.within(spans, span):
                labels.append((truths.repeat_label(side, *one), one[1].segment.length))
            spans = truths.merged(spans, span)
        begin, end = side.position(event["seq_begin"]), side.position(event["seq_end"])
        frames = [one["frame"] for one in event["subject"]]
        where = (f"event {event['id']}, {event['direction']} [{begin}..{end}) "
                 f"port {event['flow']['sport']}, frames {frames}")
        if labels:
            self.row(event, labels, where)
        elif any(side.has_data(*unit) for unit in side.units(begin, end)):
            self.row(event, [(truths.Label("not_repeated"), 1)], where)

    def untold(self):
        """Holes and repeats that no event stands for."""
        for key, side in self.truth.sides.items():
            for unit in self.truth.holes(side):
                label = truths.hole_label(side, *unit)
                data = unit[1] - unit[0]
                if label.word == "missed_by_capture":
                    self.score.missed_most += data
                    self.score.missed_least += data if not label.equal else 0
                elif "missed_by_capture" in label.equal:
                    self.score.missed_most += data
                if not truths.within(self.told_holes[id(side)], unit):
                    self.not_told(key, label, f"[{unit[0]}..{unit[1]})")
        for number, (side, emission, passing) in self.repeats.items():
            if number not in self.told_repeats:
                key = emission.segment.flow, emission.segment.c2s
                self.not_told(key, truths.repeat_label(side, number, emission, passing),
                              f"frame {number}")

    def not_told(self, key, label, where):
        (_, port), c2s = key
        self.score.rows.append(Row(label.word, "no event", "none", "not told",
                                   where=f"port {port} {'c2s' if c2s else 's2c'} {where}"))


def score(run, events):
    return Scorer(truths.Truth(run), events).run()


def matrix(rows):
    """Truth by verdict and confidence, as text."""
    marks = {"proven": "!", "probable": "?", "none": ""}
    cells = collections.Counter((row.word, row.verdict + marks.get(row.confidence, ""))
                                for row in rows)
    columns = sorted({verdict for _, verdict in cells})
    words = sorted({word for word, _ in cells})
    width = max((len(word) for word in words), default=5) + 2
    lines = [" " * width + "  ".join(f"{chr(97 + i)}" .rjust(5) for i in range(len(columns)))]
    for word in words:
        lines.append(word.ljust(width) + "  ".join(
            str(cells.get((word, verdict), "")).rjust(5) for verdict in columns))
    lines += ["columns: " + ", ".join(f"{chr(97 + i)} {verdict}" for i, verdict in
                                      enumerate(columns)) + "   (! proven, ? probable)"]
    return "\n".join(lines)


def unknown_causes(rows):
    return collections.Counter(row.cause or "none" for row in rows if row.judgement == "unknown")
