#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A policy run as CI does it: a good firewall passes, a leaky one fails with its rule and packets
named, a rule without traffic is said to be untested, a tap that cannot be judged by is
inconclusive; and what it writes is read back as JSON and XML."""
import json
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from capture_files import PROGRAM, address, pcap
from two_taps import SERVER, Wire

POLICY = """
firewall: {name: "<fw> & co"}
networks: {web: 10.20.0.0/24}
services: {app: tcp/8080, admin: tcp/22, old: tcp/80, spare: tcp/9}
policy:
  - {name: app passes, destination: web, service: app, expect: pass, limits: {loss: "<= 1%"}}
  - {name: "admin <is> silent", service: admin, expect: drop}
  - {name: old is refused, service: old, expect: reject, with: tcp-reset}
  - {name: spare passes, service: spare, expect: pass}
default: [{from: outside, expect: drop}, {from: inside, expect: pass}]
"""


class PolicyRun(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_policy(self, wire, policy=POLICY):
        """Exit code, the JSON report, the root of the XML, the text."""
        (self.folder / "p.yaml").write_text(policy)
        for tap, frames in wire.taps.items():
            frames.sort(key=lambda frame: frame[0])
            (self.folder / f"{tap}.pcap").write_bytes(pcap(frames))
        done = subprocess.run(
            [pathlib.Path(PROGRAM).resolve(), "firewall", "--outside", "outside.pcap", "--inside",
             "inside.pcap", "-c", "p.yaml", "--json", "r.json", "--junit", "r.xml", "--events",
             "e.jsonl", "--text", "-"],
            cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertIn(done.returncode, (0, 1, 4), done.stderr)
        self.text = done.stdout
        self.report = json.loads((self.folder / "r.json").read_text())
        self.junit = ElementTree.parse(self.folder / "r.xml").getroot()
        self.assertEqual(done.returncode, self.report["exit_code"])
        self.assertTrue(self.text.startswith(self.report["verdict"][:20]))
        return done.returncode

    def rows(self):
        return {row["name"]: row["result"] for row in self.report["policy"]}

    def cases(self):
        """name -> pass, failure, error or skipped."""
        return {case.get("name"): case[0].tag if len(case) else "pass"
                for case in self.junit.iter("testcase")}

    def good(self):
        wire = Wire().usual()
        for i in range(3):
            wire.dropped(3 + i / 7, 42000 + i, 22)
            wire.refused(4 + i / 7, 46000 + i, 80)
        return wire

    def test_a_good_firewall_passes(self):
        self.assertEqual(0, self.run_policy(self.good()), self.text)
        self.assertEqual({"app passes": "pass", "admin <is> silent": "pass",
                          "old is refused": "pass", "spare passes": "untested",
                          "default outside to inside": "untested",
                          "default inside to outside": "untested"}, self.rows())
        cases = self.cases()
        self.assertEqual("pass", cases["admin <is> silent"])
        self.assertEqual("skipped", cases["spare passes"])
        self.assertEqual("pass", cases["app passes: loss <= 1 %"])
        self.assertEqual([], self.report["why_exit"])

    def test_a_leaky_one_fails_with_the_rule_and_the_packets_named(self):
        wire = self.good()
        wire.talk(5, 43000, 22)
        self.assertEqual(1, self.run_policy(wire), self.text)
        self.assertEqual("fail", self.rows()["admin <is> silent"])
        leak = next(row for row in self.report["policy"] if row["name"] == "admin <is> silent")
        self.assertEqual((4, 1), (leak["connections"], leak["against"]))
        self.assertEqual(43000, leak["examples"][0]["flow"]["sport"])
        frames = leak["examples"][0]["first_frame"]
        self.assertEqual({"outside", "inside"}, set(frames))
        self.assertIn(f"outside {frames['outside']}", self.text)
        failure = self.junit.find(".//failure")
        self.assertEqual("policy_leak", failure.get("type"))
        self.assertIn("203.0.113.7:43000 -> 10.20.0.10:22", failure.text)
        self.assertEqual("tapwitness.<fw> & co.policy",
                         self.junit.find(".//testcase").get("classname"))

    def test_what_should_pass_and_is_dropped_fails(self):
        wire = self.good()
        wire.dropped(4, 44000, 8080)
        self.assertEqual(1, self.run_policy(wire), self.text)
        self.assertEqual("fail", self.rows()["app passes"])
        self.assertIn('rule "app passes" expects pass', self.text)

    def test_a_required_rule_without_traffic_is_inconclusive(self):
        self.assertEqual(4, self.run_policy(
            self.good(), POLICY + "coverage: {require_seen: [spare passes]}\n"), self.text)
        self.assertIn("spare passes", self.report["why_exit"][0])
        self.assertEqual(4, self.run_policy(
            self.good(), POLICY + "coverage: {require_seen: [app passes], min_connections: 99}\n"))
        self.assertEqual("untested", self.rows()["app passes"])

    def test_silence_where_a_reset_was_asked_for_fails(self):
        wire = self.good()
        wire.dropped(4, 45000, 80)
        self.assertEqual(1, self.run_policy(wire), self.text)
        self.assertEqual("fail", self.rows()["old is refused"])

    def test_a_tap_of_one_direction_is_inconclusive(self):
        wire = self.good()
        wire.taps["inside"] = [(time, frame) for time, frame in wire.taps["inside"]
                               if frame[30:34] == address(SERVER)]
        self.assertEqual(4, self.run_policy(wire), self.text)
        self.assertEqual({"inconclusive"}, set(self.rows().values()))
        self.assertIn("one_direction", [d["name"] for d in self.report["confidence"]["doubts"]])
        self.assertNotIn("failure", self.cases().values())
        self.assertIn("error", self.cases().values())

    def test_every_event_has_the_words_of_the_report(self):
        wire = self.good()
        wire.dropped(4, 44000, 8080)
        self.run_policy(wire)
        lines = [json.loads(line) for line in (self.folder / "e.jsonl").read_text().splitlines()]
        self.assertEqual("tapwitness/firewall-events/1", lines[0]["schema"])
        # What is settled last under an id is what the report counts.
        facts = {event["id"]: event for event in lines[1:]}
        kinds = [event["kind"] for event in facts.values()]
        self.assertEqual(self.report["totals"]["facts"],
                         {kind: kinds.count(kind) for kind in set(kinds)})
        for finding in self.report["findings"]:
            for fact in finding["evidence"]:
                event = facts[fact["id"]]
                self.assertEqual([event[key] for key in ("kind", "grade", "proof", "cites")],
                                 [fact[key] for key in ("kind", "grade", "proof", "cites")])


if __name__ == "__main__":
    unittest.main()
