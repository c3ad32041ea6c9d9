# SPDX-License-Identifier: BSD-3-Clause
"""Scenarios of what the firewall changes in packets it lets through: sections 8 to 12,
14, 16."""
from bed import CLIENT_GATEWAY, SERVER_GATEWAY, Setup
from ends import Talk
from scenario import (ANY, MIXED, NEAR, PROBABLE, PROVEN, RAISES, Scenario, chain, chatter,
                      forward, usual)

SYN_BITS = "tcp flags & syn == syn"
SYN_ACK_BITS = "tcp flags & (syn | ack) == (syn | ack)"
LOW_MSS = tuple((name, ("ip", "route", "change", "default", "via", gateway, "advmss", "1200"))
                for name, gateway in (("c", CLIENT_GATEWAY), ("s", SERVER_GATEWAY)))
SHIFT = "SHIFT=1000000007"
LOSS_OF_DATA = {"client-down": "tcp sport 8080 meta length > 200 numgen inc mod 40 == 7 drop"}
ECN = {"net.ipv4.tcp_ecn": 1}
# The client's own packets carry a mark, as if a router before the tap were congested.
MARKED = {"c": chain("output", 0, "tcp dport 8080 ip ecn ect0 ip ecn set ce")}
ADDRESSES = frozenset({"source", "target", "sport", "dport"})
NAT = (chain("postrouting", 100, "oif f1 masquerade", kind="nat", family="ip") +
       chain("prerouting", -100, f"ip daddr {CLIENT_GATEWAY} tcp dport 8088 dnat to "
             "10.77.2.10:8080", kind="nat", family="ip"))
PROXY = chain("prerouting", -100, "iif f0 tcp dport 8080 redirect to :9000", kind="nat",
              family="ip")
SOCAT = ("socat", "TCP-LISTEN:9000,fork,reuseaddr,nodelay", "TCP:10.77.2.10:8080,nodelay")
# FTP's PORT command names the client's address; translation changes it, and its length.
FTP = ('table ip ftp {\n ct helper standard {\n  type "ftp" protocol tcp\n }\n chain c {\n'
       "  type filter hook prerouting priority 0\n"
       '  tcp dport 21 ct helper set "standard"\n }\n}\n' +
       chain("postrouting", 100, "oif f1 masquerade", kind="nat", family="ip"))
# Each with a port of its own: of one that is taken already another one is made, and the command may
# keep its length.
FTP_WORDS = [("NOOP\r\n", f"PORT 10,77,1,10,200,{10 + i}\r\n", "LIST\r\n", "QUIT\r\n")
             for i in range(4)]
# Without DF, so that a router in front of the firewall cuts what is too long for its link.
CUT = dict(narrow="client", narrow_mtu=1000, hosts={"net.ipv4.ip_no_pmtu_disc": 1})
# As a SPAN port of a host that joins what it receives.
OFFLOADS = ("tx", "on", "tso", "on", "gso", "on")
UPLOADS = [Talk(up=24_000, down=80, start=0.2 * i, patience=3.5) for i in range(3)]
FRAGMENTS = Setup(talks=[*UPLOADS, *chatter(4, 16, 0.2, port=8081)], **CUT)


def fragments(rule):
    return Setup(talks=[*UPLOADS, *chatter(4, 16, 0.2, port=8081)],
                 rules=chain("prerouting", -450, rule), **CUT)


SCENARIOS = [
    Scenario("mss-clamped", 9, RAISES, "the MSS of SYNs and SYN/ACKs becomes 1200",
             Setup(talks=usual(), rules=forward(SYN_BITS + " tcp option maxseg size set 1200")),
             expect={"mss_clamped": PROVEN}, parameters={"mss_clamp": 1200}, fast=True),
    Scenario("mss-of-the-hosts", 9, NEAR, "the hosts themselves offer an MSS of 1200",
             Setup(talks=usual(), end_commands=LOW_MSS)),
    Scenario("options-stripped", 10, RAISES, "SACK and timestamps are taken off both SYNs",
             Setup(talks=usual(), rules=forward(SYN_BITS + " reset tcp option sack-perm",
                                                SYN_BITS + " reset tcp option timestamp")),
             expect={"options_stripped": PROVEN}, changes=frozenset({"tsval"})),
    Scenario("options-stripped-one-way", 10, RAISES, "SACK is taken off the SYN/ACK alone",
             Setup(talks=usual(), rules=forward(SYN_ACK_BITS + " reset tcp option sack-perm")),
             expect={"options_stripped_one_way": PROVEN}),
    Scenario("options-of-the-hosts", 10, NEAR, "the hosts themselves offer neither",
             Setup(talks=usual(), hosts={"net.ipv4.tcp_sack": 0, "net.ipv4.tcp_timestamps": 0})),
    Scenario("dscp-set", 11, RAISES, "every packet leaves with another DSCP",
             Setup(talks=usual(), rules=forward("tcp dport 8080 ip dscp set cs3")),
             expect={"header_rewritten": PROVEN}),
    Scenario("ttl-set", 11, RAISES, "every packet leaves with a TTL of 255",
             Setup(talks=usual(), rules=forward("ip ttl set 255")),
             expect={"header_rewritten": PROVEN}, doubts=frozenset({"ttl_falls_oddly"}),
             trust=("reduced",)),
    Scenario("mark-cleared", 11, RAISES, "congestion was marked, and the mark is taken off",
             Setup(talks=usual(), hosts=ECN, end_rules=MARKED,
                   rules=forward("ip ecn != not-ect ip ecn set not-ect")),
             expect={"congestion_mark_cleared": PROVEN}, may={"header_rewritten": PROVEN}),
    Scenario("mark-passes", 11, NEAR, "congestion was marked, and the mark passes",
             Setup(talks=usual(), hosts=ECN, end_rules=MARKED)),
    Scenario("payload-altered", 12, RAISES, "a byte of every tenth packet is another one",
             Setup(talks=usual(), rules=forward("tcp sport 8080 meta length > 500 "
                                                "numgen inc mod 10 == 4 @ih,800,8 set 0x58")),
             expect={"payload_altered": PROVEN}, changes=frozenset({"content"}), fast=True),
    Scenario("payload-altered-before", 12, NEAR, "a byte is altered before it reaches the tap",
             Setup(talks=usual(), outer={"server-down": "tcp sport 8080 meta length > 500 "
                                         "numgen inc mod 10 == 4 @ih,800,8 set 0x58"})),
    Scenario("payload-length", 12, RAISES, "FTP's PORT command names another address, and shorter",
             Setup(talks=[*chatter(), *(Talk(port=21, last_words=FTP_WORDS[i], start=0.3 * i)
                                        for i in range(4))],
                   rules=FTP, ports=(8080, 21)),
             expect={"payload_length_changed": PROVEN},
             changes=ADDRESSES | {"content", "payload", "seq", "ack"}),
    Scenario("translated", 14, NEAR, "addresses and ports are translated, and nothing else",
             Setup(talks=[*usual(), *(Talk(address=CLIENT_GATEWAY, port=8088, down=20_000,
                                           start=0.1 * i) for i in range(4))], rules=NAT),
             changes=ADDRESSES, fast=True),
    Scenario("proxy", 14, RAISES, "a proxy ends every connection and opens one of its own",
             Setup(talks=[*(Talk(up=400, down=30_000, rounds=3, gap=0.1, start=0.1 * i)
                            for i in range(5))],
                   rules=PROXY, program=SOCAT, unlogged=True),
             expect={"tcp_proxy": PROVEN}, opaque=True),
    Scenario("proxy-not-delivered", 14, MIXED, "a proxy acknowledges what the server never gets",
             Setup(talks=[*(Talk(up=400, down=3000, rounds=3, gap=0.1, start=0.1 * i)
                            for i in range(4)),
                          Talk(up=60_000, down=100, start=0.5, patience=3.5)],
                   rules=PROXY, program=SOCAT, unlogged=True,
                   outer={"server-up": "tcp dport 8080 meta length > 1400 drop"}),
             expect={"tcp_proxy": PROVEN, "acknowledged_not_delivered": PROVEN}, opaque=True),
    Scenario("fragments-dropped", 16, RAISES, "fragments are dropped, all of them",
             fragments("ip frag-off & 0x3fff != 0 DROP"),
             expect={"fragment_dropped": PROVEN}, drops=6),
    Scenario("first-fragment-only", 16, RAISES, "first fragments pass, later ones do not",
             fragments("ip frag-off & 0x1fff != 0 DROP"),
             expect={"first_fragment_only": PROVEN}, drops=6),
    Scenario("fragments-pass", 16, NEAR, "fragments pass as they are", FRAGMENTS),
    Scenario("fragments-joined", 16, RAISES, "fragments enter, the datagram leaves whole",
             simulator="Linux cuts a datagram again where it had been cut before it was joined",
             expect={"fragments_reassembled": ANY}),
    Scenario("resegmented", 14, RAISES, "the firewall joins segments and sends super-frames",
             Setup(talks=[Talk(down=200_000, start=0.1 * i) for i in range(4)], unlogged=True,
                   commands=(("ethtool", "-K", "f1", "gro", "on"),
                             ("ethtool", "-K", "f0", *OFFLOADS)),
                   end_commands=(("a", ("ethtool", "-K", "a2", *OFFLOADS)),)),
             expect={"resegmented": PROBABLE}, opaque=True,
             may_doubts=frozenset({"no_digest"}), trust=("good", "reduced")),
    Scenario("isn-rewritten", 8, RAISES, "the server's numbers are shifted, and SACK is translated",
             Setup(talks=usual(), rewrite=(SHIFT, "TRANSLATE=1"), outer=LOSS_OF_DATA),
             expect={"isn_rewritten": PROVEN}, changes=frozenset({"seq", "ack"})),
    Scenario("sack-untranslated", 8, RAISES, "the server's numbers are shifted, SACK stays behind",
             Setup(talks=usual(), rewrite=(SHIFT,), outer=LOSS_OF_DATA),
             expect={"isn_rewritten": PROVEN, "sack_not_translated": PROVEN},
             changes=frozenset({"seq", "ack"})),
    Scenario("isn-of-the-hosts", 8, NEAR, "SACK and losses, and numbers that are left alone",
             Setup(talks=usual(), outer=LOSS_OF_DATA)),
    Scenario("mss-raised", 9, RAISES, "the client asks for 1200, the server is told 1400",
             Setup(talks=usual(), rewrite=("MSS=1400",), end_commands=LOW_MSS[:1]),
             expect={"mss_raised": PROVEN}),
    Scenario("retransmission-suppressed", 0, RAISES, "repeats of what left before are not sent on",
             Setup(talks=[*chatter(4, 24, 0.15, port=8081),
                          *(Talk(up=9000, down=80, rounds=6, gap=0.1, start=0.15 * i, patience=4.0)
                            for i in range(4))],
                   rewrite=("SUPPRESS=1",), unlogged=True,
                   outer={"server-up": "tcp dport 8080 meta length > 200 numgen inc mod 29 == 9 "
                                       "drop"}),
             expect={"retransmission_suppressed": PROBABLE}, drops=4),
]
