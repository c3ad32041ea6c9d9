# SPDX-License-Identifier: BSD-3-Clause
"""The lab's scenarios, one row each: what the path does to real TCP, and under which settings."""
import dataclasses

from path import NFLOG_GROUP, PORT, Setup
from traffic import Conversation

SINGLE, BARE, MIXED, STORY = "single", "single, no timestamps", "mixed", "story"
# Right verdicts of a hundred, by kind (verdicts.md section 5).
GOALS = {SINGLE: 99.0, BARE: 95.0, MIXED: 97.0, STORY: 99.0}
NO_TIMESTAMPS = {"net.ipv4.tcp_timestamps": 0}
NO_SACK = {"net.ipv4.tcp_sack": 0}
NO_DSACK = {"net.ipv4.tcp_dsack": 0}
NO_TLP = {"net.ipv4.tcp_early_retrans": 0}
NO_RACK = {"net.ipv4.tcp_recovery": 0, "net.ipv4.tcp_early_retrans": 0}


@dataclasses.dataclass
class Scenario:
    name: str
    kind: str
    help: str
    setup: Setup
    fast: bool = False  # part of scripts/test


def usual():
    """Downloads, uploads, requests with small answers: about 2,500 data segments."""
    return [*(Conversation(down=220_000, start=0.06 * i) for i in range(10)),
            *(Conversation(up=180_000, down=200, start=0.03 + 0.12 * i) for i in range(4)),
            *(Conversation(up=300, down=2500, rounds=12, gap=0.01, start=0.05 * i,
                           server_closes=i % 2 == 0) for i in range(8))]


def last_words(count=40):
    """Answers with nothing behind them for a while: a lost ACK of their end makes the server send
    again."""
    return [Conversation(up=120, down=2600, rounds=3, gap=0.5, start=0.013 * i)
            for i in range(count)]


def hanging(count=24):
    """Requests some of whose answers will never come: the client gives up."""
    return [Conversation(up=200, down=5000, start=0.02 * i, patience=2.5, server_closes=True)
            for i in range(count)]


def faulty(*faults, plan=None, **options):
    return Setup(plan=plan or usual(), faults=faults, **options)


EATEN = f"""table inet lab {{
    chain in {{
        type filter hook input priority 0;
        tcp sport {PORT} meta length > 400 numgen random mod 100 < 3 \
            log group {NFLOG_GROUP} queue-threshold 1 drop
    }}
}}"""

SCENARIOS = [
    Scenario("clean", SINGLE, "nothing happens", faulty(), fast=True),
    Scenario("loss-before", SINGLE, "2 % of data lost before the tap",
             faulty("before,data,drop=0.02"), fast=True),
    Scenario("burst-before", SINGLE, "five segments in a row lost before the tap",
             faulty("before,data,drop=0.005,burst=5", seed=2)),
    Scenario("loss-after", SINGLE, "2 % of data lost behind the tap",
             faulty("after,data,drop=0.02", seed=3), fast=True),
    Scenario("burst-after", SINGLE, "five segments in a row lost behind the tap",
             faulty("after,data,drop=0.005,burst=5", seed=4)),
    Scenario("acks-before", SINGLE, "a third of the ACKs lost before the tap",
             faulty("before,ack,drop=0.3", seed=5, plan=last_words())),
    Scenario("acks-after", SINGLE, "a third of the ACKs lost between the tap and the sender",
             faulty("after,ack,drop=0.3", seed=6, plan=last_words()), fast=True),
    Scenario("doubled-before", SINGLE, "3 % of data doubled before the tap, 0.3 ms apart",
             faulty("before,data,duplicate=0.03,us=300", seed=7)),
    Scenario("doubled-late", SINGLE, "3 % of data doubled before the tap, 15 ms apart",
             faulty("before,data,duplicate=0.03,us=15000", seed=8)),
    Scenario("doubled-after", SINGLE, "3 % of data doubled behind the tap",
             faulty("after,data,duplicate=0.03,us=300", seed=9)),
    Scenario("overtaken-before", SINGLE, "3 % of data 1.5 ms late before the tap",
             faulty("before,data,delay=0.03,us=1500", seed=10), fast=True),
    Scenario("late-before", SINGLE, "2 % of data 9 ms late before the tap",
             faulty("before,data,delay=0.02,us=9000", seed=11)),
    Scenario("late-after", SINGLE, "2 % of data 9 ms late behind the tap",
             faulty("after,data,delay=0.02,us=9000", seed=12)),
    Scenario("mirror-loss", SINGLE, "the mirror loses 2 % of everything",
             faulty("mirror,drop=0.02", seed=13), fast=True),
    Scenario("mirror-bursts", SINGLE, "the mirror loses eight frames in a row",
             faulty("mirror,drop=0.004,burst=8", seed=14)),
    Scenario("mirror-double", SINGLE, "a SPAN session that copies both ports of the path",
             faulty(double_mirror=True, seed=15, plan=usual()[:4])),
    Scenario("mirror-repeats", SINGLE, "the mirror copies 3 % twice",
             faulty("mirror,data,duplicate=0.03,us=200", seed=16)),
    Scenario("mirror-skew", SINGLE, "the mirror brings the server's frames 20 ms late",
             faulty("mirror,s2c,delay=1,us=20000", seed=17, plan=usual()[:4])),
    Scenario("mirror-swaps", SINGLE, "the mirror brings 2 % of data 2 ms late",
             faulty("mirror,data,delay=0.02,us=2000", seed=18)),
    Scenario("loss-before-no-sack", SINGLE, "2 % before the tap, without SACK",
             faulty("before,data,drop=0.02", seed=19, sysctl=NO_SACK)),
    Scenario("loss-after-no-sack", SINGLE, "2 % behind the tap, without SACK",
             faulty("after,data,drop=0.02", seed=20, sysctl=NO_SACK)),
    Scenario("loss-after-no-dsack", SINGLE, "2 % behind the tap, without DSACK",
             faulty("after,data,drop=0.02", seed=21, sysctl=NO_DSACK)),
    Scenario("loss-after-no-rack", SINGLE, "2 % behind the tap, without RACK and tail loss probes",
             faulty("after,data,drop=0.02", seed=22, sysctl=NO_RACK)),
    Scenario("loss-before-no-tlp", SINGLE, "2 % before the tap, without tail loss probes",
             faulty("before,data,drop=0.02", seed=23, sysctl=NO_TLP)),
    Scenario("loss-before-ipv6", SINGLE, "2 % before the tap, IPv6",
             faulty("before,data,drop=0.02", seed=24, ipv6=True)),
    Scenario("loss-after-ipv6", SINGLE, "2 % behind the tap, IPv6",
             faulty("after,data,drop=0.02", seed=25, ipv6=True)),
    Scenario("mirror-repeats-ipv6", SINGLE, "the mirror copies 3 % twice, IPv6",
             faulty("mirror,data,duplicate=0.03,us=200", seed=26, ipv6=True)),
    Scenario("loss-before-bare", BARE, "2 % before the tap, no timestamps",
             faulty("before,data,drop=0.02", seed=27, sysctl=NO_TIMESTAMPS)),
    Scenario("loss-after-bare", BARE, "2 % behind the tap, no timestamps",
             faulty("after,data,drop=0.02", seed=28, sysctl=NO_TIMESTAMPS)),
    Scenario("overtaken-bare", BARE, "3 % 1.5 ms late before the tap, no timestamps",
             faulty("before,data,delay=0.03,us=1500", seed=29, sysctl=NO_TIMESTAMPS)),
    Scenario("mirror-loss-bare", BARE, "the mirror loses 2 %, no timestamps",
             faulty("mirror,drop=0.02", seed=30, sysctl=NO_TIMESTAMPS)),
    Scenario("acks-after-bare", BARE, "a third of the ACKs lost before the sender, no timestamps",
             faulty("after,ack,drop=0.3", seed=31, sysctl=NO_TIMESTAMPS, plan=last_words())),
    Scenario("loss-before-bare-ipv6", BARE, "2 % before the tap, IPv6, no timestamps",
             faulty("before,data,drop=0.02", seed=32, sysctl=NO_TIMESTAMPS, ipv6=True)),
    Scenario("mixed", MIXED, "1 % of every fault on both sides and in the mirror",
             faulty("before,data,drop=0.01", "before,data,duplicate=0.01,us=300",
                    "before,data,delay=0.01,us=1500", "before,ack,drop=0.01",
                    "after,data,drop=0.01", "after,ack,drop=0.01", "mirror,drop=0.01", seed=33),
             fast=True),
    Scenario("mixed-bare", MIXED, "the same without timestamps",
             faulty("before,data,drop=0.01", "before,data,duplicate=0.01,us=300",
                    "before,data,delay=0.01,us=1500", "before,ack,drop=0.01",
                    "after,data,drop=0.01", "after,ack,drop=0.01", "mirror,drop=0.01", seed=34,
                    sysctl=NO_TIMESTAMPS)),
    Scenario("black-hole", STORY, "answers of some connections vanish before the tap",
             faulty("before,s2c,data,quarter,drop=1", seed=35, plan=hanging())),
    Scenario("black-hole-after", STORY, "answers of some connections vanish behind the tap",
             faulty("after,s2c,data,quarter,drop=1", seed=36, plan=hanging())),
    Scenario("large-die", STORY, "large segments of the server vanish before the tap",
             faulty("before,s2c,large,quarter,drop=1", seed=37, plan=hanging())),
    Scenario("large-die-after", STORY, "large segments of the server vanish behind the tap",
             faulty("after,s2c,large,quarter,drop=1", seed=38, plan=hanging())),
    Scenario("forged-reset", STORY, "a third party resets the connections",
             faulty(seed=39, inject_reset=True, plan=usual()[:6])),
    Scenario("no-answer", STORY, "some SYNs are not answered",
             faulty("after,c2s,syn,quarter,drop=1", seed=40, plan=hanging(12))),
    Scenario("slow-reader", STORY, "the client stops reading for a second",
             faulty(seed=41, plan=[Conversation(down=120_000, pause=1.0, window=8192,
                                                start=0.05 * i) for i in range(4)])),
    Scenario("local-filter", STORY, "captured on the receiver, whose own filter eats 3 % of data",
             faulty(seed=42, capture_at="client", rules={"c": EATEN})),
    Scenario("one-direction", STORY, "the mirror copies the client's frames only",
             faulty(seed=43, mirror=("ingress",), plan=usual()[:6])),
    Scenario("other-direction", STORY, "the mirror copies the server's frames only",
             faulty("before,data,drop=0.01", seed=44, mirror=("egress",), plan=usual()[:6])),
]
