# SPDX-License-Identifier: BSD-3-Clause
"""Scenarios of connections that do not come to be, or end by a reset: sections 1 to 4, 6, 13,
24."""
from bed import Setup
from cases_path import JITTER
from ends import CLIENT, RESET, SERVER, Talk
from scenario import (NEAR, PROVEN, RAISES, Scenario, chain, chatter, forward)

BLOCKED = [Talk(port=8081, start=0.1 * i, patience=2.5) for i in range(3)]
REUSED = [*(Talk(source_port=40001 + i, close=SERVER) for i in range(4)),
          *(Talk(source_port=40001 + i, close=SERVER, start=1.0, patience=1.6) for i in range(3)),
          Talk(source_port=40004, close=SERVER, start=4.4)]
TUPLE = "ip saddr . tcp sport . ip daddr . tcp dport"
CLOSING_SET = """ set closing {
  type ipv4_addr . inet_service . ipv4_addr . inet_service
  flags dynamic,timeout
  timeout 3s
 }"""
TIME_WAIT = forward(f"tcp dport 8080 tcp flags & (fin | rst) != 0 add @closing {{ {TUPLE} }}",
                    f"tcp dport 8080 tcp flags & (syn | ack) == syn {TUPLE} @closing DROP",
                    extra=CLOSING_SET)
SYN_PROXY = (chain("prerouting", -300, "tcp dport 8080 tcp flags & (syn | ack) == syn notrack") +
             forward("tcp dport 8080 ct state invalid,untracked "
                     "synproxy mss 1460 wscale 7 timestamp sack-perm"))
SILENT_SERVER = chain("input", 0, "tcp dport 8081 drop")
REFUSING_SERVER = chain("input", 0, "tcp dport 8081 reject with icmp type port-unreachable")
# A client that hangs up in the middle of a download, and a server that does not know.
HANGS_UP = [Talk(down=3_000_000, patience=0.25, start=0.2 * i, pause=3.0, window=16_000)
            for i in range(3)]

SCENARIOS = [
    Scenario("syn-dropped", 1, RAISES, "SYNs to one port vanish in the firewall",
             Setup(talks=[*chatter(), *BLOCKED], rules=forward("tcp dport 8081 DROP")),
             expect={"syn_dropped": PROVEN}, drops=9, fast=True),
    Scenario("server-silent", 1, NEAR, "the SYNs pass, the server says nothing",
             Setup(talks=[*chatter(), *BLOCKED], end_rules={"s": SILENT_SERVER})),
    Scenario("syn-ack-dropped", 2, RAISES, "the server's SYN/ACKs vanish in the firewall",
             Setup(talks=[*chatter(), *BLOCKED],
                   rules=forward("tcp sport 8081 tcp flags & (syn | ack) == (syn | ack) DROP")),
             expect={"syn_ack_dropped": PROVEN}, drops=6),
    Scenario("syn-ack-lost-beyond", 2, NEAR, "SYN/ACKs pass both taps and are lost behind them",
             Setup(talks=[*chatter(), *BLOCKED],
                   outer={"client-down": "tcp sport 8081 tcp flags & (syn | ack) == (syn | ack) "
                                         "drop"})),
    Scenario("syn-reset", 3, RAISES, "the firewall answers SYNs with a reset",
             Setup(talks=[*chatter(), *BLOCKED],
                   rules=forward("tcp dport 8081 REJECT with tcp reset")),
             expect={"reset_by_firewall": PROVEN}, drops=3),
    Scenario("reset-midway", 3, RAISES, "the firewall resets towards both ends",
             Setup(talks=[*chatter(), *(Talk(up=120, down=1200, rounds=6, gap=0.2, start=0.1 * i,
                                             port=8081) for i in range(3))],
                   rules=forward("tcp sport 8081 ct original packets > 6 REJECT with tcp reset",
                                 "tcp dport 8081 ct original packets > 6 REJECT with tcp reset")),
             expect={"reset_by_firewall": PROVEN}, may={"closed_one_sided": PROVEN}, drops=3),
    Scenario("server-resets", 3, NEAR, "the server itself refuses: nobody listens there",
             Setup(talks=[*chatter(), *(Talk(port=8085, start=0.1 * i) for i in range(4)),
                          *(Talk(close=RESET, start=0.2 * i) for i in range(3))])),
    Scenario("reset-blocked", 3, RAISES, "clients' resets vanish, the server sends on",
             Setup(talks=[*chatter(port=8081), *HANGS_UP],
                   rules=forward("tcp dport 8080 tcp flags & rst == rst DROP")),
             expect={"reset_blocked": PROVEN}, drops=3),
    Scenario("icmp-rejected", 4, RAISES, "the firewall refuses by ICMP",
             Setup(talks=[*chatter(), *BLOCKED],
                   rules=forward("tcp dport 8081 REJECT with icmp type admin-prohibited")),
             expect={"rejected_by_icmp": PROVEN}, drops=3),
    Scenario("icmp-of-the-server", 4, NEAR, "the server refuses by ICMP, which passes",
             Setup(talks=[*chatter(), *BLOCKED], end_rules={"s": REFUSING_SERVER})),
    Scenario("connection-limit", 6, RAISES, "a sixth connection at a time is not let through",
             Setup(talks=[*(Talk(up=100, down=500, rounds=10, gap=0.32, start=0.05 * i,
                                 patience=9.0) for i in range(5)),
                          *(Talk(start=0.4 + 0.05 * i, patience=2.4) for i in range(8)),
                          *(Talk(start=4.6 + 0.05 * i) for i in range(2)),
                          # Another service is busier when no limit is reached.
                          *chatter(7, 8, 0.1, port=8081, start=4.2)],
                   rules=forward("tcp dport 8080 ct state new ct count over 5 DROP")),
             expect={"connection_limit": PROVEN}, parameters={"connection_limit": 5}, drops=16),
    Scenario("blocked-under-load", 6, NEAR, "a port is blocked, however many connections there are",
             Setup(talks=[*chatter(8, 10, 0.3), Talk(port=8081, patience=2.4),
                          Talk(port=8081, start=1.0, patience=2.4),
                          Talk(port=8081, start=4.0, patience=2.4)],
                   rules=forward("tcp dport 8081 DROP")),
             expect={"syn_dropped": PROVEN}, drops=6),
    Scenario("syn-proxy", 13, RAISES, "the firewall answers SYNs itself (SYN cookies)",
             Setup(talks=[*chatter(), *(Talk(down=30_000, start=0.1 * i) for i in range(4))],
                   rules=SYN_PROXY, state=dict(tcp_loose=0), unlogged=True,
                   commands=(("sysctl", "-qw", "net.ipv4.tcp_syncookies=1"),)),
             expect={"syn_proxy": PROVEN}, opaque=True),
    Scenario("syn-seen-late", 13, NEAR, "the inside mirror brings everything 12 ms late",
             of="mirror-late", may_doubts=JITTER,
             trust=("good", "reduced")),
    Scenario("tuple-reused", 24, RAISES, "a port taken again within 3 s of its close is dropped",
             Setup(talks=[*REUSED, *chatter(4, 24, 0.2, port=8081)], rules=TIME_WAIT),
             expect={"tuple_reuse_dropped": PROVEN}, parameters={"time_wait": 3.0}, drops=6),
    Scenario("tuple-reused-passes", 24, NEAR, "ports are taken again and let through",
             Setup(talks=[*REUSED, *chatter(4, 24, 0.2, port=8081, close=CLIENT)])),
]
