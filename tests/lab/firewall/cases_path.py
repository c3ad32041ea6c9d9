# SPDX-License-Identifier: BSD-3-Clause
"""Scenarios of order, copies and time, of paths and networks around the firewall, of captures that
miss something, and of all that at once: sections 15, 19, 20, 21 and the gates."""
from bed import Capture, Setup
from ends import Talk
from scenario import (ANY, GATE, MIXED, NEAR, PROBABLE, PROVEN, RAISES, Scenario, chatter, forward,
                      usual)

UNUSABLE, REDUCED = ("unusable",), ("reduced",)
LOSSY = "meta length > 200 numgen inc mod 40 == 7 DROP"
NETWORK_LOSS = "tcp dport 8080 numgen inc mod 31 == 7 drop"
NETWORK_LOSS_BACK = "tcp sport 8080 numgen inc mod 31 == 7 drop"
STREAM = [Talk(up=100, down=1200, rounds=150, gap=0.012, start=0.01 * i) for i in range(3)]


def captured(**sides):
    return Setup(talks=usual(), **sides)


def lossy(share, **options):
    return Capture(faults=(f"mirror,drop={share}",), **options)


# The wire that loses frames on their way to a capture is a program, and jitters like one.
JITTER = frozenset({"clock_offset", "mirror_skew", "sides_guessed"})
# Doubts that follow from a worse one.
CONSEQUENCES = frozenset({"capture_loss", "sides_guessed", "no_pairs"})


SCENARIOS = [
    Scenario("clean", 0, NEAR, "nothing happens", Setup(talks=usual()), fast=True),
    Scenario("asymmetric", 15, RAISES, "what the server sends takes a path around the firewall",
             Setup(talks=chatter(6, 8, 0.15), bypass=True),
             expect={"asymmetric_path": PROBABLE}),
    Scenario("one-direction", 15, NEAR, "the inside tap has one direction only: its wiring",
             captured(inside=Capture(mirror=("ingress",))),
             doubts=frozenset({"one_direction"}), may_doubts=CONSEQUENCES, trust=UNUSABLE),
    Scenario("reordered", 19, RAISES, "3 % of data leaves the firewall 2 ms late",
             Setup(talks=usual(), box=("after,data,delay=0.03,us=2000",
                                       "before,data,delay=0.03,us=2000"), box_ms=0.5),
             expect={"reordered": PROVEN}),
    Scenario("reordered-before", 19, NEAR, "the same in the client's network, before the tap",
             Setup(talks=usual(), network=("before,data,delay=0.03,us=2000",))),
    Scenario("reordered-by-mirror", 19, NEAR, "the inside mirror brings 3 % of data 2 ms late",
             captured(inside=Capture(faults=("mirror,data,delay=0.03,us=2000",))),
             may={"reordered": PROBABLE}, may_doubts=JITTER,
             trust=("good", "reduced")),
    Scenario("duplicated", 20, RAISES, "4 % of data leaves the firewall twice",
             Setup(talks=usual(), box=("after,data,duplicate=0.04,us=200",
                                       "before,data,duplicate=0.04,us=200"), box_ms=0.5),
             expect={"duplicated": PROVEN}),
    Scenario("duplicated-by-mirror", 20, NEAR, "both ports of the switch are mirrored",
             captured(outside=Capture(double=True)),
             doubts=frozenset({"mirror_copies"}), trust=("good", "reduced")),
    Scenario("duplicated-before", 20, NEAR, "4 % of data is doubled in the client's network",
             Setup(talks=usual(), network=("before,data,duplicate=0.04,us=200",))),
    Scenario("latency-spike", 21, RAISES, "the firewall stands still for 150 ms",
             # Many, so that more than three packets of either way wait in it.
             Setup(talks=[*STREAM, *chatter(12, 60, 0.03)], box=(), box_ms=1.0,
                   frozen=(1.0, 0.15)),
             expect={"latency_spike": ANY}),
    Scenario("slow-throughout", 21, NEAR, "8 ms for everything, all the time",
             Setup(talks=STREAM, box=(), box_ms=8.0), may_doubts=JITTER,
             trust=("good", "reduced")),
    Scenario("client-network-loses", 0, NEAR, "3 % lost in the client's network, both ways",
             Setup(talks=usual(), outer={"client-up": NETWORK_LOSS,
                                         "client-down": NETWORK_LOSS_BACK})),
    Scenario("server-network-loses", 0, NEAR, "3 % lost in the server's network, both ways",
             Setup(talks=usual(), outer={"server-up": NETWORK_LOSS,
                                         "server-down": NETWORK_LOSS_BACK})),
    Scenario("both-networks-lose", 0, MIXED, "all lose: both networks and the firewall",
             Setup(talks=usual(), rules=forward(LOSSY),
                   outer={"client-up": NETWORK_LOSS, "server-down": NETWORK_LOSS_BACK}),
             expect={"packet_dropped": PROVEN}, drops=10),
    Scenario("outside-misses", 0, GATE, "the outside capture lacks 2 %",
             captured(outside=lossy(0.02)), doubts=frozenset({"capture_loss"}), may_doubts=JITTER,
             trust=REDUCED),
    Scenario("inside-misses", 0, GATE, "the inside capture lacks 2 %",
             captured(inside=lossy(0.02)), doubts=frozenset({"capture_loss"}), may_doubts=JITTER,
             trust=REDUCED),
    Scenario("both-miss", 0, GATE, "either capture lacks 3 %, and both networks lose",
             captured(outside=lossy(0.03), inside=lossy(0.03),
                      outer={"client-up": NETWORK_LOSS, "server-down": NETWORK_LOSS_BACK}),
             may={"packet_dropped": PROBABLE}, doubts=frozenset({"capture_loss"}),
             may_doubts=JITTER, trust=REDUCED),
    Scenario("both-miss-much", 0, GATE, "either capture lacks 30 %",
             captured(outside=lossy(0.3), inside=lossy(0.3)), may={"packet_dropped": PROBABLE},
             doubts=frozenset({"capture_loss"}), may_doubts=JITTER,
             trust=REDUCED),
    Scenario("all-at-once", 0, MIXED, "firewall, networks and both captures lose",
             Setup(talks=usual(), rules=forward(LOSSY), outside=lossy(0.01), inside=lossy(0.01),
                   outer={"client-up": NETWORK_LOSS, "server-down": NETWORK_LOSS_BACK}),
             expect={"packet_dropped": ANY}, doubts=frozenset({"capture_loss"}), may_doubts=JITTER,
             trust=REDUCED,
             drops=10),
    Scenario("span-overrun", 0, GATE, "the inside SPAN port is too slow for what it copies",
             captured(inside=Capture(span=("rate", "6mbit", "burst", "4kb", "limit", "30000"))),
             may={"packet_dropped": PROBABLE, "reordered": PROBABLE},
             doubts=frozenset({"capture_loss"}),
             may_doubts=JITTER | CONSEQUENCES, trust=REDUCED),
    Scenario("mirror-late", 0, GATE, "the inside mirror brings everything 12 ms late",
             captured(inside=Capture(delay_ms=12.0)),
             may_doubts=JITTER, trust=("good", "reduced")),
    Scenario("tail-cut", 0, GATE, "the inside capture ends a second before the outside one",
             Setup(talks=[*usual(), *chatter(4, 30, 0.1, patience=3.5)],
                   inside=Capture(early=1.0)), fast=True),
    Scenario("same-file", 0, GATE, "copies of one file were given for both taps", of="clean",
             files="same", doubts=frozenset({"same_capture"}), may_doubts=CONSEQUENCES,
             trust=UNUSABLE),
    Scenario("other-day", 0, GATE, "the inside file is of another run: no overlap in time",
             of="clean", files="other", doubts=frozenset({"no_overlap"}),
             may_doubts=CONSEQUENCES, trust=UNUSABLE),
    Scenario("clock-hours", 0, GATE, "the inside clock is two hours ahead", of="random-loss",
             files="hours", expect={"packet_dropped": PROVEN},
             doubts=frozenset({"clock_offset"}), trust=REDUCED, drops=15),
    Scenario("clock-offset", 0, GATE, "the inside clock is 0.35 s ahead", of="random-loss",
             files="offset", expect={"packet_dropped": PROVEN},
             doubts=frozenset({"clock_offset"}), trust=REDUCED, drops=15),
    Scenario("one-pcapng", 0, GATE, "both taps in one pcapng of two interfaces",
             of="random-loss", files="one", expect={"packet_dropped": PROVEN}, drops=15),
    Scenario("headers-only", 0, MIXED, "captures of 96 bytes a packet, and altered payload",
             Setup(talks=usual(), rules=forward("tcp sport 8080 meta length > 500 numgen inc mod "
                                                "10 == 4 @ih,800,8 set 0x58"),
                   outside=Capture(snaplen=96), inside=Capture(snaplen=96)),
             expect={"payload_altered": PROVEN}, changes=frozenset({"content"})),
    Scenario("loss-and-clamp", 0, MIXED, "drops, a clamped MSS and resets at once",
             Setup(talks=[*usual(), *(Talk(port=8081, start=0.1 * i) for i in range(3))],
                   rules=forward("tcp flags & syn == syn tcp option maxseg size set 1300",
                                 "tcp dport 8081 REJECT with tcp reset", LOSSY)),
             expect={"packet_dropped": PROVEN, "mss_clamped": PROVEN,
                     "reset_by_firewall": PROVEN}, parameters={"mss_clamp": 1300}, drops=15),
]
