# SPDX-License-Identifier: BSD-3-Clause
"""Scenarios of a policy held against a real rulebase: one that does what it should, and those that
leak, block, answer the wrong way, lose, forget, were not tested or not seen well enough."""
from bed import Capture, Setup
from cases_flow import SILENCES
from cases_path import CONSEQUENCES
from ends import Talk
from scenario import (ANY, POLICY, PROVEN, STATEFUL, STRICT, Scenario, forward, usual)

ADMIN, WEB = "tcp dport 8081 DROP", "tcp dport 8082 REJECT with tcp reset"
TRAFFIC = [*usual(), *(Talk(port=8081, start=0.1 * i, patience=2.5) for i in range(3)),
           *(Talk(port=8082, start=0.1 * i) for i in range(3))]
PORTS = (8080, 8081, 8082)


def text(require, limits=""):
    """A policy for the lab's firewall; `limits` of the rule that lets the application pass."""
    limits = f", limits: {{{limits}}}" if limits else ""
    required = ", ".join(require)
    return f"""firewall: {{name: lab}}
networks: {{servers: 10.77.2.0/24}}
services: {{app: [tcp/8080, tcp/8099], admin: tcp/8081, web: tcp/8082, spare: tcp/8083}}
policy:
  - {{name: app passes, from: outside, to: inside, destination: servers, service: app,
     expect: pass{limits}}}
  - {{name: admin is silent, from: outside, to: inside, service: admin, expect: drop}}
  - {{name: web is refused, from: outside, to: inside, service: web, expect: reject,
     with: tcp-reset}}
  - {{name: spare passes, from: outside, to: inside, service: spare, expect: pass}}
default:
  - {{from: outside, to: inside, expect: drop}}
coverage: {{require_seen: [{required}]}}
"""


USUAL = text(["app passes", "admin is silent"])
GOOD = {"app passes": "pass", "admin is silent": "pass", "web is refused": "pass",
        "spare passes": "untested"}
SAID = {"syn_dropped": PROVEN, "reset_by_firewall": PROVEN}

SCENARIOS = [
    Scenario("policy-good", 0, POLICY, "the rulebase does what the policy says",
             Setup(talks=TRAFFIC, rules=forward(ADMIN, WEB), ports=PORTS), expect=SAID,
             policy=USUAL, rows=GOOD, exit_code=0, drops=6),
    Scenario("policy-untested", 0, POLICY, "a rule that must be seen had no traffic",
             of="policy-good", expect=SAID, policy=text(["app passes", "spare passes"]),
             rows=GOOD, exit_code=4, drops=6),
    Scenario("policy-leaky", 0, POLICY, "what should be dropped passes",
             Setup(talks=TRAFFIC, rules=forward(WEB), ports=PORTS),
             expect={"reset_by_firewall": PROVEN}, policy=USUAL,
             rows={**GOOD, "admin is silent": "fail"}, exit_code=1, drops=3),
    Scenario("policy-blocking", 0, POLICY, "what should pass is dropped from some ports",
             Setup(talks=[*TRAFFIC, *(Talk(source_port=41000 + i, patience=3.5)
                                      for i in range(2))],
                   rules=forward(ADMIN, WEB, "tcp sport 41000-41009 DROP"), ports=PORTS),
             expect=SAID, policy=USUAL, rows={**GOOD, "app passes": "fail"}, exit_code=1,
             drops=10),
    Scenario("policy-impolite", 0, POLICY, "what should be refused with a reset is dropped",
             Setup(talks=[*usual(), *(Talk(port=port, start=0.1 * i, patience=3.5)
                                      for i in range(2) for port in (8081, 8082))],
                   rules=forward(ADMIN, "tcp dport 8082 DROP"), ports=PORTS),
             expect={"syn_dropped": PROVEN}, policy=USUAL,
             rows={**GOOD, "web is refused": "fail"}, exit_code=1, drops=12, fast=True),
    Scenario("policy-loss", 0, POLICY, "it passes, and too much of it is lost",
             Setup(talks=TRAFFIC, ports=PORTS,
                   rules=forward(ADMIN, WEB, "tcp dport 8080 meta length > 200 numgen inc mod 20 "
                                             "== 7 DROP")),
             expect={**SAID, "packet_dropped": PROVEN},
             policy=text(["app passes"], 'loss: "<= 0.1%"'), rows={**GOOD, "app passes": "fail",
                                                          "app passes/loss": "fail"},
             exit_code=1, drops=12),
    Scenario("policy-idle", 0, POLICY, "an hour of silence was promised, 2 s are kept",
             Setup(talks=SILENCES, rules=forward(*STATEFUL),
                   state={**STRICT, "tcp_timeout_established": 2}),
             expect={"idle_timeout": PROVEN}, parameters={"idle_timeout": 2.0},
             policy=text(["app passes"], 'idle_timeout: ">= 1h"'),
             rows={"app passes": "fail", "app passes/idle_timeout": "fail",
                   "admin is silent": "untested"}, exit_code=1, drops=8),
    Scenario("taps-swapped", 0, POLICY, "the outside file was given as the inside, and vice versa",
             of="clean", files="swapped", doubts=frozenset({"taps_swapped"}), trust=("unusable",),
             policy=USUAL, exit_code=4),
    Scenario("policy-blind", 0, POLICY, "a tap that carries one direction: nothing is concluded",
             Setup(talks=TRAFFIC, rules=forward(ADMIN, WEB), ports=PORTS,
                   inside=Capture(mirror=("ingress",))),
             may={"reset_by_firewall": ANY, "syn_dropped": ANY},
             doubts=frozenset({"one_direction"}), may_doubts=CONSEQUENCES,
             trust=("unusable",), policy=USUAL,
             rows={"app passes": "inconclusive"}, exit_code=4, drops=6),
]
