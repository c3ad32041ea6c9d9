# SPDX-License-Identifier: BSD-3-Clause
"""What `tapwitness firewall` says of a scenario's captures, beside what is true: the findings are
exactly the expected ones, and per packet nothing is proven that did not happen, nothing visible is
left out."""
import collections
import dataclasses
import json
import os
import shutil
import subprocess

import bed
import packets
from scenario import ANY, PROVEN

BINARY = os.environ.get("TAPWITNESS", str(bed.WIRE.parents[2] / "tapwitness"))
EXIT_CODES = (0, 1, 4)  # a report was made
GRADES = ("unproven", "probable", "proven")
DROPS = ("lost_between", "late_lost")  # facts that a packet entered and did not leave
# Those that name one without accusing anybody.
TOLD = ("unproven", "suppressed", "reset_origin", "icmp_error", "reset_blocked", "fragment_lost")


# What the inside file's clock is moved by, in seconds.
MOVED = {"offset": "0.35", "hours": "7200", "other": "86400"}
OTHER_RUN = "random-loss"


class ProductError(Exception):
    """The program gave no report."""


def clipped(text):
    return text.strip().replace("\n", " | ")[:300]


def prepare(scenario, captures, folder):
    """The files to be judged, as options: those of `captures`, after what the scenario does."""
    outside, inside = captures / "outside.pcap", captures / "inside.pcap"
    if scenario.files == "swapped":
        outside, inside = inside, outside
    elif scenario.files == "same":
        inside = folder / "copy.pcap"
        shutil.copy(outside, inside)
    elif scenario.files in MOVED:
        # A capture of another day has other connections, too.
        before = captures if scenario.files != "other" else captures.parent / OTHER_RUN
        inside = folder / "inside-moved.pcap"
        tool("editcap", "-F", "nsecpcap", "-t", MOVED[scenario.files], before / "inside.pcap",
             inside)
    elif scenario.files == "one":
        both = folder / "both.pcapng"
        tool("mergecap", "-F", "pcapng", "-I", "none", "-w", both, outside, inside)
        return [str(both)]
    return ["--outside", str(outside), "--inside", str(inside)]


def tool(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise bed.LabError(f"{words[0]}: {done.stderr}")


@dataclasses.dataclass
class Said:
    report: dict
    facts: list
    exit_code: int
    errors: str

    def findings(self):
        """behaviour: best grade. What the policy wants is no finding against the firewall."""
        best = {}
        for one in self.report["findings"]:
            name = one["behaviour"]
            best[name] = max(best.get(name, "unproven"), one["grade"], key=GRADES.index)
        return best

    def doubts(self):
        return {one["name"] for one in self.report["confidence"]["doubts"]}

    def parameters(self, name):
        return [one for one in self.report["parameters"] if one["name"] == name]


def ask(scenario, captures, folder):
    """Runs the product; its report and facts."""
    report, events = folder / "report.json", folder / "events.jsonl"
    for path in (report, events):
        path.unlink(missing_ok=True)
    words = [BINARY, "firewall", *prepare(scenario, captures, folder), "--json", str(report),
             "--events", str(events), "--text", str(folder / "report.txt")]
    if scenario.policy:
        policy = folder / "policy.yaml"
        policy.write_text(scenario.policy, encoding="utf-8")
        words += ["-c", str(policy)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode not in EXIT_CODES or not report.exists():
        raise ProductError(f"exit {done.returncode}: {clipped(done.stderr)}")
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    facts = [one for one in map(json.loads, lines) if "kind" in one]
    return Said(json.loads(report.read_text(encoding="utf-8")), facts, done.returncode,
                done.stderr)


# --- what is wrong with it

def findings_wrong(scenario, said):
    found = said.findings()
    wrong = []
    for name, grade in scenario.expect.items():
        if name not in found:
            wrong.append(f"{name} is not said")
        elif grade != ANY and found[name] != grade:
            wrong.append(f"{name} is said to be {found[name]}, not {grade}")
    for name, grade in found.items():
        if name in scenario.expect:
            continue
        most = scenario.may.get(name)
        if most is None or most != ANY and GRADES.index(grade) > GRADES.index(most):
            wrong.append(f"{name} is said ({grade}), though it is not so")
    return wrong


def confidence_wrong(scenario, said):
    doubts, wrong = said.doubts(), []
    wrong += [f"doubt {name} is not said" for name in sorted(scenario.doubts - doubts)]
    wrong += [f"doubt {name} is said" for name in
              sorted(doubts - scenario.doubts - scenario.may_doubts)]
    trust = said.report["confidence"]["trust"]
    if trust not in scenario.trust:
        wrong.append(f"trust is {trust}, not {' or '.join(scenario.trust)}")
    return wrong


def parameters_wrong(scenario, said):
    wrong = []
    for name, truth in scenario.parameters.items():
        rows = said.parameters(name)
        if not rows:
            wrong.append(f"{name} was not learnt")
        elif not any(contains(row, truth) for row in rows):
            told = "; ".join(f"{row.get('low')}..{row.get('high')}" for row in rows)
            wrong.append(f"{name} is {truth}, told {told}")
    return wrong


def contains(row, truth):
    """An open end is a bracket, too; a rate is as good as what was sent lets it be."""
    low, high = row.get("low"), row.get("high")
    slack = 0.1 * truth if row["name"] == "policer_rate" else 1e-9
    return (low is not None or high is not None) and \
        (low is None or low <= truth + slack) and (high is None or high >= truth - slack)


def policy_wrong(scenario, said):
    if not scenario.policy:
        return []
    told = {row["name"]: row["result"] for row in said.report["policy"]}
    told.update({f"{row['name']}/{limit['name']}": limit["result"]
                 for row in said.report["policy"] for limit in row["limits"]})
    wrong = [f"rule {name!r}: {told.get(name)}, not {result}"
             for name, result in scenario.rows.items() if told.get(name) != result]
    if scenario.exit_code is not None and said.exit_code != scenario.exit_code:
        wrong.append(f"exit code {said.exit_code}, not {scenario.exit_code}")
    return wrong


def wrongs(scenario, said):
    return [*findings_wrong(scenario, said), *confidence_wrong(scenario, said),
            *parameters_wrong(scenario, said), *policy_wrong(scenario, said)]


# --- packet by packet

@dataclasses.dataclass
class Score:
    """Segments with sequence numbers that the firewall dropped and the capture saw enter; what the
    captures lack; and what was said of them."""
    visible: int = 0
    accused: int = 0       # of those, by a fact that it was lost
    proven: int = 0        # of those
    false_proven: list = dataclasses.field(default_factory=list)
    false_probable: list = dataclasses.field(default_factory=list)
    not_told: list = dataclasses.field(default_factory=list)
    missed: int = 0        # segments with data that one capture alone lacks and that both passed
    recognised: int = 0

    def add(self, other):
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def subjects(said, kinds, parts):
    """(tap, frame) that facts of those kinds are about: fact."""
    found = {}
    for fact in said.facts:
        if fact["kind"] in kinds:
            for cite in fact["cites"]:
                if cite["part"] in parts and cite.get("frame"):
                    found[cite["tap"], cite["frame"]] = fact
    return found


def numbers(said, kinds):
    """(tap of entry, client's port, sequence number) that facts of those kinds are about: one fact
    may stand for more copies than it cites."""
    return {("outside" if fact["way"] == "inward" else "inside", fact["flow"]["sport"],
             fact["packet"]["seq"]): fact for fact in said.facts if fact["kind"] in kinds}


def about(side, one):
    return side, one.sport if packets.is_inward(one) else one.dport, one.seq


def count_packets(truth, said):
    """Per packet: what the firewall dropped against what it is accused of."""
    score = Score()
    accused = {**numbers(said, DROPS), **subjects(said, DROPS, ("subject", "repeat"))}
    # Told, though nobody is accused: a reset connection, a fragment, a suppressed repeat.
    told = {**accused, **numbers(said, TOLD), **subjects(said, TOLD, ("subject", "repeat"))}
    dropped = {(side, one.frame) for side, one in truth.visible_drops()}
    dropped |= {(side, one.frame) for side in packets.SIDES for one in truth.entered_only[side]}
    for side, one in truth.visible_drops():
        score.visible += 1
        fact = accused.get((side, one.frame)) or accused.get(about(side, one))
        score.accused += fact is not None
        score.proven += fact is not None and fact["grade"] == PROVEN
        if (side, one.frame) not in told and about(side, one) not in told:
            score.not_told.append(f"{side} frame {one.frame}: {one}")
    for (side, frame), fact in subjects(said, DROPS, ("subject",)).items():
        if (side, frame) not in dropped:
            words = f"{side} frame {frame}: {fact['kind']} {fact['grade']} by {fact['proof']}"
            (score.false_proven if fact["grade"] == PROVEN else score.false_probable).append(words)
    count_misses(truth, said, score)
    return score


def count_misses(truth, said, score):
    """Segments with data that left and were captured where they entered, or the other way round."""
    recognised = {"outside": set(), "inside": set()}
    for kind, seen_at in (("missed_at_exit", 0), ("missed_at_entry", 1)):
        for side, frame in subjects(said, (kind,), ("subject", "left")):
            recognised[side].add((frame, seen_at))
    for side, other in (("outside", "inside"), ("inside", "outside")):
        twins = collections.defaultdict(list)
        for one in truth.perfect[other]:
            twins[one.key(packets.ALIKE)].append(one)
        for one in truth.missed[side]:
            pair = [twin for twin in twins[one.key(packets.ALIKE)] if twin.frame]
            if not one.segment or not one.payload or not pair:
                continue
            score.missed += 1
            score.recognised += any((twin.frame, seen_at) in recognised[other]
                                    for twin in pair for seen_at in (0, 1))


@dataclasses.dataclass
class Result:
    scenario: object
    wrong: list
    score: Score
    said: Said | None
    findings: dict


def judge(scenario, captures, folder):
    """Everything that is wrong with what the product says of one scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        said = ask(scenario, captures, folder)
    except (ProductError, subprocess.TimeoutExpired) as error:
        return Result(scenario, [str(error)], Score(), None, {})
    truth = packets.Truth(captures, scenario.alike)
    if "latency_spike" not in scenario.expect and truth.spikes():
        scenario = dataclasses.replace(scenario, may={**scenario.may, "latency_spike": ANY})
    wrong = wrongs(scenario, said)
    score = Score()
    if not scenario.opaque and not scenario.files:
        score = count_packets(truth, said)
        wrong += [f"proven, and false: {one}" for one in score.false_proven[:3]]
    return Result(scenario, wrong, score, said, said.findings())
