# SPDX-License-Identifier: BSD-3-Clause
"""Scenarios of connections that are under way and what the firewall's state does to them: sections
0, 5, 7, 17, 18, 22, 23, 25."""
from bed import Setup
from ends import HALF, SERVER, Talk
from scenario import (ANY, NEAR, PROVEN, RAISES, STATEFUL, STORY, STRICT, Scenario,
                      chain, chatter, forward, usual)

# Late enough that a conversation which began long before has gone on all the while.
SILENCES = [Talk(rounds=4, gaps=(0.6, 1.1, 1.4, 0), start=0.1 * i) for i in range(5)] + \
           [Talk(rounds=3, gaps=(0.5, 2.6 + 0.3 * i, 0), start=1.2 + 0.05 * i, patience=4.9)
            for i in range(4)]
HALVES = [Talk(close=HALF, wait=0.4), Talk(close=HALF, wait=0.5, start=0.1),
          Talk(close=HALF, wait=2.4, patience=4.2), Talk(close=HALF, wait=2.6, patience=4.2)]
FORGED_FAR = ({"offset": 50_000_000, "times": 3},)
LATE_FINS = ({"flags": "FA", "length": 0, "after": 1.9, "times": 3},)
# What the seed's story lost: the answer of 1010 bytes, with 52 bytes of headers.
ANSWER_EATEN = forward("tcp sport 8080 meta length 1062 DROP")
NO_ICMP = chain("output", 0, "icmp type destination-unreachable drop")
NARROW_INSIDE = (("ip", "link", "set", "f1", "mtu", "1300"),)
# Sizes around the limit, so that it can be told where it is.
AROUND_1300 = [*(Talk(up=size - 52, down=80, start=0.1 * i)
                 for i, size in enumerate((900, 1100, 1200, 1260, 1290, 1298, 1300))),
               *(Talk(up=size - 52, down=80, start=0.1 * i, patience=4.0)
                 for i, size in enumerate((1302, 1320, 1400, 1500)))]
UPLOADS = [Talk(up=30_000, down=80, start=0.2 * i, patience=4.0) for i in range(3)]
POLICED = [Talk(down=140_000, start=0.1 * i, patience=9.0) for i in range(4)]

SCENARIOS = [
    Scenario("random-loss", 0, RAISES, "every 40th packet with data vanishes in the firewall",
             Setup(talks=usual(), rules=forward("meta length > 200 numgen inc mod 40 == 7 DROP")),
             expect={"packet_dropped": PROVEN}, drops=15, fast=True),
    Scenario("eaten-answer", 0, STORY, "the 1010-byte answer enters at the inside and never leaves",
             Setup(talks=[*chatter(4, 16, 0.2, port=8081),
                          Talk(up=180, down=1010, close=SERVER, wait=2.0, start=0.3, patience=5.0),
                          Talk(down=30_000, port=8081, start=0.4)],
                   rules=ANSWER_EATEN),
             expect={"packet_dropped": PROVEN}, drops=3, fast=True),
    Scenario("idle-timeout", 5, RAISES, "the firewall forgets connections after 2 s, silently",
             Setup(talks=SILENCES, rules=forward(*STATEFUL),
                   state={**STRICT, "tcp_timeout_established": 2}),
             expect={"idle_timeout": PROVEN}, parameters={"idle_timeout": 2.0}, drops=8),
    Scenario("idle-timeout-reset", 5, RAISES, "the same, and whoever speaks then is reset",
             Setup(talks=SILENCES, state={**STRICT, "tcp_timeout_established": 2},
                   rules=forward("ct state invalid REJECT with tcp reset")),
             expect={"idle_timeout": PROVEN},
             parameters={"idle_timeout": 2.0}, drops=4),
    Scenario("lost-after-silence", 5, NEAR, "what comes after a silence is lost beyond the taps",
             Setup(talks=SILENCES,
                   outer={"server-up": "tcp dport 8080 tcp flags & psh == psh "
                                       "numgen inc mod 3 == 1 drop"})),
    Scenario("out-of-window", 7, RAISES, "segments far out of the window are dropped",
             Setup(talks=[*chatter(), *(Talk(forged=FORGED_FAR, start=0.2 * i)
                                        for i in range(3))],
                   rules=forward(*STATEFUL), state=STRICT),
             expect={"out_of_window_dropped": PROVEN}, drops=9),
    Scenario("out-of-window-passes", 7, NEAR, "the same, and a firewall that does not mind",
             Setup(talks=[*chatter(), *(Talk(forged=FORGED_FAR, start=0.2 * i)
                                        for i in range(3))])),
    Scenario("window-scale", 7, RAISES, "the window scale is taken off the SYN/ACK alone; what "
             "exceeds the window so misread is dropped",
             Setup(talks=[*chatter(4, 12, 0.2, port=8081),
                          *(Talk(down=900_000, pause=0.7, start=0.2 * i, patience=6.0)
                            for i in range(2))],
                   rules=chain("prerouting", -300, "tcp sport 8080 tcp flags & (syn | ack) == "
                               "(syn | ack) reset tcp option window") + forward(*STATEFUL),
                   state=STRICT),
             expect={"window_scale_mismatch": PROVEN, "options_stripped_one_way": PROVEN},
             drops=3),
    Scenario("pmtud-black-hole", 17, RAISES, "1300 bytes is the limit, and no ICMP says so",
             Setup(talks=[*AROUND_1300, *UPLOADS], commands=NARROW_INSIDE, rules=NO_ICMP,
                   unlogged=True),
             expect={"pmtud_black_hole": PROVEN}, parameters={"mtu": 1300}, drops=10),
    Scenario("pmtud-works", 17, NEAR, "1300 bytes is the limit, and ICMP says so",
             Setup(talks=[*AROUND_1300, *UPLOADS], commands=NARROW_INSIDE, unlogged=True),
             may={"too_big_told": ANY}, drops=1),
    Scenario("icmp-needed", 17, RAISES, "a router behind the firewall says what fits; the firewall "
             "drops its word",
             Setup(talks=[*chatter(4, 24, 0.2), *UPLOADS], narrow="server", narrow_mtu=1200,
                   rules=forward("icmp type destination-unreachable DROP")),
             expect={"icmp_needed_dropped": PROVEN}, drops=5),
    Scenario("icmp-passes", 17, NEAR, "the same, and the firewall lets it through",
             Setup(talks=[*chatter(4, 24, 0.2), *UPLOADS], narrow="server", narrow_mtu=1200)),
    Scenario("policer", 18, RAISES, "what exceeds 300 KiB/s, after 30 KiB, is dropped",
             Setup(talks=POLICED, rules=forward("tcp sport 8080 limit rate over 300 kbytes/second "
                                                "burst 30 kbytes DROP")),
             expect={"rate_limited": PROVEN}, parameters={"policer_rate": 300 * 1024}, drops=20),
    Scenario("loss-is-no-policer", 18, NEAR, "as many drops, whatever the rate",
             Setup(talks=POLICED, rules=forward("tcp sport 8080 meta length > 200 "
                                                "numgen inc mod 15 == 3 DROP")),
             expect={"packet_dropped": PROVEN}, drops=15),
    Scenario("shaper", 18, RAISES, "a queue of 40 KB in front of 4 Mbit/s: late, then lost",
             Setup(talks=POLICED, unlogged=True,
                   commands=(("tc", "qdisc", "add", "dev", "f0", "root", "tbf", "rate", "4mbit",
                              "burst", "4kb", "limit", "40000"),)),
             expect={"shaped": ANY}, drops=5),
    Scenario("one-side-closed", 22, RAISES, "the client is reset, the server never hears of it",
             Setup(talks=[*chatter(4, 16, 0.2), *(Talk(up=1200, rounds=2, port=8081,
                                                       start=0.2 * i) for i in range(3))],
                   rules=forward("tcp dport 8081 meta length > 700 REJECT with tcp reset")),
             expect={"closed_one_sided": PROVEN, "reset_by_firewall": PROVEN}, drops=3),
    Scenario("half-close-cut", 22, RAISES, "1 s after the first FIN the firewall forgets",
             Setup(talks=[*HALVES, *chatter(4, 16, 0.2, port=8081)], rules=forward(*STATEFUL),
                   state={**STRICT, "tcp_timeout_fin_wait": 1, "tcp_timeout_close_wait": 1}),
             expect={"half_close_cut": PROVEN}, parameters={"half_close_timeout": 1.0}, drops=2),
    Scenario("half-close-kept", 22, NEAR, "the same half-closes through a firewall that waits",
             Setup(talks=[*HALVES, *chatter(4, 16, 0.2, port=8081)], rules=forward(*STATEFUL),
                   state=STRICT)),
    Scenario("late-fins", 23, RAISES, "FINs repeated long after the close are dropped: benign",
             Setup(talks=[*chatter(4, 16, 0.2), *(Talk(late=LATE_FINS, start=0.1 * i)
                                                  for i in range(3))],
                   rules=forward(*STATEFUL), state={**STRICT, "tcp_timeout_time_wait": 1}),
             expect={"late_after_close": ANY}, drops=6),
    Scenario("late-fins-pass", 23, NEAR, "the same FINs, let through",
             Setup(talks=[*chatter(4, 16, 0.2), *(Talk(late=LATE_FINS, start=0.1 * i)
                                                  for i in range(3))])),
    Scenario("state-lost", 25, RAISES, "the firewall loses all its state at once, and stays up",
             Setup(talks=[*chatter(4, 30, 0.15, patience=4.5),
                          *chatter(4, 30, 0.15, patience=4.5, port=8081),
                          *(Talk(rounds=24, gap=0.15, start=2.6 + 0.1 * i) for i in range(3))],
                   rules=forward(*STATEFUL), state=STRICT, beat=False,
                   events=((2.0, "f", ("conntrack", "-F")),)),
             expect={"state_lost_at_once": PROVEN}, drops=16),
    Scenario("state-of-one-lost", 25, NEAR, "one connection's state is lost, the others go on",
             Setup(talks=[*chatter(7, 24, 0.15), Talk(rounds=24, gap=0.15, source_port=40010,
                                                      patience=4.0)],
                   rules=forward(*STATEFUL), state=STRICT,
                   events=((1.5, "f", ("conntrack", "-D", "-p", "tcp", "--orig-port-src",
                                       "40010")),)),
             expect={"packet_dropped": PROVEN}, drops=3),
    Scenario("packet-injected", 0, RAISES, "the firewall sends data of its own",
             simulator="no firewall of the kernel invents segments but resets and answers",
             expect={"packet_injected": ANY}),
]
