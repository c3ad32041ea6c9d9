# SPDX-License-Identifier: BSD-3-Clause
"""What a scenario of the firewall lab is: a run, and exactly what has to be said of it. Besides,
the words in which firewall rules are written in the tables of cases_*.py."""
import dataclasses

from bed import NFLOG_GROUP, Setup
from ends import Talk
from packets import ALIKE

RAISES, NEAR, MIXED, GATE, STORY, POLICY = "raises", "near", "mixed", "gate", "story", "policy"
PROVEN, PROBABLE, ANY = "proven", "probable", "any"
LOG = f'log prefix "lab" group {NFLOG_GROUP} queue-threshold 1'


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    section: int             # of the catalogue; 0 = a single loss, or none
    kind: str
    help: str
    setup: Setup | None = None
    simulator: str = ""      # why no kernel makes it: tests/simulation does
    expect: dict = dataclasses.field(default_factory=dict)  # behaviour: grade of its best case
    may: dict = dataclasses.field(default_factory=dict)     # may be said besides: highest grade
    parameters: dict = dataclasses.field(default_factory=dict)  # name: value within the bracket
    doubts: frozenset = frozenset()   # about the capture; exactly these
    may_doubts: frozenset = frozenset()  # may be said besides
    trust: tuple = ("good",)          # of the capture: one of these
    drops: int = 0           # so many packets at least the firewall must really have dropped
    of: str = ""             # no run of its own: the captures of that scenario ...
    files: str = ""          # ... after this was done to them: see files.py
    changes: frozenset = frozenset()  # fields of packets.ALIKE that the firewall rewrites
    opaque: bool = False     # it ends connections: packets have no twins at the other tap
    policy: str = ""         # YAML
    rows: dict = dataclasses.field(default_factory=dict)  # rule: result
    exit_code: int | None = None
    fast: bool = False       # part of scripts/test

    @property
    def alike(self):
        return tuple(field for field in ALIKE if field not in self.changes)


def chain(hook, priority, *rules, kind="filter", family="inet", extra=""):
    """A table with one chain. DROP and REJECT in a rule tell NFLOG first."""
    lines = "\n".join(rules).replace("DROP", LOG + " drop").replace("REJECT", LOG + " reject")
    name = f"lab_{hook}_{abs(priority)}_{kind}"
    return (f"table {family} {name} {{\n{extra}\n chain c {{\n"
            f"  type {kind} hook {hook} priority {priority}\n{lines}\n }}\n}}\n")


def forward(*rules, extra=""):
    return chain("forward", 0, *rules, extra=extra)


STATEFUL = ("ct state invalid DROP", "ct state new tcp flags & (syn | ack) != syn DROP")
STRICT = {"tcp_loose": 0}


def usual():
    """Downloads, uploads, small requests: about 1,300 packets in a second."""
    return [*(Talk(down=120_000, start=0.08 * i) for i in range(4)),
            *(Talk(up=80_000, down=200, start=0.05 + 0.15 * i) for i in range(3)),
            *(Talk(up=300, down=2500, rounds=8, gap=0.04, start=0.07 * i,
                   close=i % 2) for i in range(6))]


def chatter(count=6, rounds=12, gap=0.15, **options):
    """Small requests, so that conversations are under way."""
    begin = options.pop("start", 0.0)
    return [Talk(up=200, down=900, rounds=rounds, gap=gap, start=begin + 0.05 * i, **options)
            for i in range(count)]
