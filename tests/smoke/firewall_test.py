# SPDX-License-Identifier: BSD-3-Clause
"""`firewall` on captures, as an engineer runs it: the story, wrong input named, policies in CI."""
import hashlib
import json
import pathlib
import shutil
import subprocess
import unittest

from capture_files import ReadTest, address, pcap
from two_taps import CLIENT, Wire

SOURCE = pathlib.Path(__file__).resolve().parents[2]
STORY = [SOURCE / "tests" / "captures" / f"story-{side}.pcap" for side in ("outside", "inside")]


POLICY = """
networks: {web: [10.20.0.0/24]}
services: {app: tcp/8080}
policy: [{name: app, from: outside, destination: web, service: app, expect: pass}]
"""


class FirewallTest(ReadTest):
    def write(self, name, frames):
        return self.file(name, pcap(sorted(frames)))

    def captures(self, wire):
        return [self.write(f"{tap}.pcap", wire.taps[tap]) for tap in ("outside", "inside")]

    def firewall(self, outside, inside, *options):
        done = self.run_program("firewall", "--outside", str(outside), "--inside", str(inside),
                                *options)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def report(self, outside, inside, *options):
        code, out, error = self.firewall(outside, inside, "--json", "-", *options)
        self.assertEqual("", error)
        return code, json.loads(out)

    def doubts(self, report):
        return [doubt["name"] for doubt in report["confidence"]["doubts"]]



class Story(FirewallTest):
    def test_the_answer_that_never_left_is_one_finding_proven(self):
        code, report = self.report(*STORY)
        self.assertEqual(0, code)  # no policy: nothing to fail
        self.assertEqual(["packet_dropped"], [one["behaviour"] for one in report["findings"]])
        finding = report["findings"][0]
        self.assertEqual(("proven", 6, 6060), (finding["grade"], finding["cases"],
                                               finding["bytes"]))
        self.assertEqual("good", report["confidence"]["trust"])

    def test_the_text_says_it_first_and_draws_it(self):
        code, text, _ = self.firewall(*STORY)
        self.assertEqual(0, code)
        self.assertTrue(text.startswith("The capture is good."), text[:200])
        self.assertIn("did not pass 6 of the 10 packets", text)

    def test_the_bundle_is_what_wireshark_opens_and_the_report_names(self):
        if shutil.which("tshark") is None:
            self.skipTest("no tshark")
        bundle = self.folder / "proof.pcapng"
        _, report = self.report(*STORY, "--bundle", str(bundle))
        self.assertEqual(hashlib.sha256(bundle.read_bytes()).hexdigest(),
                         report["bundle"]["sha256"])
        fields = subprocess.run(
            ["tshark", "-r", str(bundle), "-T", "fields", "-e", "frame.interface_name",
             "-e", "tcp.len", "-e", "frame.comment"], capture_output=True, text=True,
            check=True).stdout.splitlines()
        cited = [line.split("\t") for line in fields if line.split("\t")[2]]
        self.assertIn("inside", [interface for interface, _, _ in cited])
        self.assertTrue(any("proven" in comment for _, _, comment in cited), fields)

    def test_every_conclusion_is_a_line(self):
        _, out, _ = self.firewall(*STORY, "--events", "-", "--json", "/dev/null")
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertIn("tapwitness/firewall-events/", lines[0]["schema"])
        settled = [line for line in lines[1:] if line["settled"]]
        self.assertTrue(settled)
        self.assertEqual({"lost_between"}, {line["kind"] for line in settled})


class Clean(FirewallTest):
    def test_nothing_is_held_against_a_firewall_that_passes_everything(self):
        code, report = self.report(*self.captures(Wire().usual()))
        self.assertEqual((0, []), (code, [one for one in report["findings"]
                                          if one["behaviour"] != "header_rewritten"]))
        self.assertEqual([], self.doubts(report))

    def test_one_file_with_two_interfaces_gives_the_same(self):
        if shutil.which("mergecap") is None:
            self.skipTest("no mergecap")
        outside, inside = self.captures(Wire().usual())
        both = self.folder / "both.pcapng"
        subprocess.run(["mergecap", "-I", "none", "-w", str(both), str(outside), str(inside)],
                       check=True)
        done = self.run_program("firewall", str(both), "--interfaces", "0,1", "--json", "-")
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        _, apart = self.report(outside, inside)
        together = json.loads(done.stdout)
        for key in ("findings", "parameters", "totals"):
            self.assertEqual(apart[key], together[key], key)


class WrongInput(FirewallTest):
    def test_arguments_that_cannot_be(self):
        outside, inside = self.captures(Wire().usual())
        self.refused("firewall", says="give the captures of two taps")
        self.refused("firewall", "--outside", str(outside), says="--inside FILE is missing")
        self.refused("firewall", "--outside", str(outside), "--inside", str(outside),
                     says="both are")
        self.refused("firewall", str(outside), says="one interface only")
        self.refused("firewall", "--outside", "-", "--inside", str(inside), says="only once")
        self.refused("firewall", "--outside", str(outside), "--inside", str(inside),
                     "--clock-offset", "soon", says="auto, none")
        self.refused("firewall", "--outside", str(outside), "--inside", str(inside),
                     "--json", str(inside), says="is a capture to be read")

    def test_the_configuration_is_no_output(self):
        policy = self.file("policy.yaml", POLICY.encode())
        self.refused("firewall", "--outside", str(STORY[0]), "--inside", str(STORY[1]),
                     "-c", str(policy), "--json", str(policy), says="is the configuration")
        self.assertEqual(POLICY, pathlib.Path(policy).read_text(encoding="utf-8"))

    def test_a_report_may_take_the_place_of_the_one_it_is_compared_with(self):
        code, report = self.report(*STORY)
        path = self.file("report.json", json.dumps(report).encode())
        for _ in range(2):
            code, _, error = self.firewall(*STORY, "--json", str(path), "--compare", str(path))
            report = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
            # What went to a file only is summed up in a line.
            self.assertEqual((0, f"tapwitness: {report['verdict']}\n"), (code, error))
            self.assertEqual([], report["differences"])

    def test_a_wrong_report_to_compare_with_costs_no_output(self):
        path = self.file("report.json", b"kept")
        self.refused("firewall", "--outside", str(STORY[0]), "--inside", str(STORY[1]),
                     "--json", str(path), "--compare", str(STORY[0]), says="story-outside.pcap")
        self.assertEqual("kept", pathlib.Path(path).read_text(encoding="utf-8"))

    def test_a_path_that_cannot_be_written_is_told_before_anything_is_read(self):
        for output in ("text", "json", "junit", "html", "bundle", "events"):
            self.refused("firewall", "--outside", str(STORY[0]), "--inside", str(STORY[1]),
                         f"--{output}", "/nonexistent/x", says="/nonexistent/x: cannot write")

    def test_a_full_disk_is_told_for_every_output(self):
        for output in ("text", "json", "junit", "html", "bundle", "events"):
            code, _, error = self.firewall(*STORY, f"--{output}", "/dev/full")
            self.assertEqual(3, code, output)
            self.assertIn("/dev/full", error)

    def test_a_malformed_policy_is_refused_with_its_place(self):
        outside, inside = self.captures(Wire().usual())
        bad = self.file("bad.yaml", b"policy:\n  - {name: x, service: [htps]}\n"
                                    b"services: {https: tcp/443}\n")
        self.refused("firewall", "--outside", str(outside), "--inside", str(inside),
                     "-c", str(bad), says=["bad.yaml:2:", "htps", "https"])

    def test_the_same_traffic_twice_is_named(self):
        wire = Wire().usual()
        again = self.write("again.pcap", wire.taps["outside"])
        code, report = self.report(self.captures(wire)[0], again)
        self.assertEqual(4, code)
        self.assertEqual("unusable", report["confidence"]["trust"])
        self.assertIn("same_capture", self.doubts(report))

    def test_captures_of_other_times_are_named(self):
        wire = Wire().usual()
        outside, _ = self.captures(wire)
        other = Wire()
        for number in range(40):
            other.talk(10_000 + number / 10, 50_000 + number, 8080)
        code, report = self.report(outside, self.write("later.pcap", other.taps["inside"]))
        self.assertEqual(4, code)
        self.assertIn("no_overlap", self.doubts(report))
        self.assertEqual([], report["findings"])

    def test_a_tap_with_one_direction_is_one_doubt_and_no_finding(self):
        wire = Wire().usual()
        inside = [(time, data) for time, data in wire.taps["inside"]
                  if data[26:30] == address(CLIENT)]
        code, report = self.report(self.write("o.pcap", wire.taps["outside"]),
                                   self.write("i.pcap", inside))
        self.assertEqual(4, code)
        self.assertIn("one_direction", self.doubts(report))
        self.assertEqual([], report["findings"])

    def test_clocks_apart_are_measured_and_taken_out(self):
        wire = Wire().usual()
        outside, inside = self.captures(wire)
        late = self.write("late.pcap", [(time + 90, data) for time, data in wire.taps["inside"]])
        code, report = self.report(outside, late)
        self.assertEqual(0, code)
        self.assertIn("clock_offset", self.doubts(report))
        self.assertAlmostEqual(90, float(report["confidence"]["clock_offset"]), delta=1e-3)
        _, right = self.report(outside, inside)
        self.assertEqual(right["totals"]["paired"], report["totals"]["paired"])

    def test_taps_swapped_against_what_the_policy_says_are_named(self):
        wire = Wire().usual()
        outside, inside = self.captures(wire)
        code, report = self.report(inside, outside, "-c", self.file("p.yaml", POLICY.encode()))
        self.assertEqual(4, code)
        self.assertIn("taps_swapped", self.doubts(report))



if __name__ == "__main__":
    unittest.main()
