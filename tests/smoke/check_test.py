#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`tapwitness check` as an operator meets it: exit codes, errors with their place, and an output
that is a configuration again."""
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import unittest

TAPWITNESS = os.environ.get("TAPWITNESS", "build/tapwitness")
SOURCE = pathlib.Path(os.environ.get("TAPWITNESS_SOURCE", "."))
LIVE = os.environ.get("TAPWITNESS_LIVE", "1") == "1"
NO_LIVE = "this build has no live capture"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "c.yaml"
        # An empty capture file: a device that is there on every host.
        self.capture = pathlib.Path(self.folder.name) / "empty.pcap"
        self.capture.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))

    def run_check(self, *arguments, **options):
        return subprocess.run([TAPWITNESS, "check", *map(str, arguments)], capture_output=True,
                              text=True, timeout=60, **options)

    def check(self, text: str, **options):
        self.path.write_text(text, encoding="utf-8")
        return self.run_check("-c", self.path, **options)

    def port(self) -> str:
        return f'ports: [{{device: "pcap:{self.capture}"}}]\n'

    def assert_refused(self, done, *patterns):
        """Exit 2, nothing on standard output, one line of error for each pattern."""
        self.assertEqual((2, ""), (done.returncode, done.stdout), done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(patterns), len(lines), done.stderr)
        for pattern, line in zip(patterns, lines):
            self.assertRegex(line, pattern)

    def findings(self, done, word: str) -> list[str]:
        return re.findall(rf"^#  {word} +(.*)$", done.stdout, re.MULTILINE)


class Refusals(Case):
    def test_missing_file(self):
        self.assert_refused(self.run_check("-c", self.path),
                            r"c\.yaml: .*No such file or directory")

    def test_folder(self):
        self.assert_refused(self.run_check("-c", self.folder.name), r": .*Is a directory")

    def test_empty_file(self):
        self.assert_refused(self.check(""), r"c\.yaml: ports: no port; allowed: at least one")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become nobody")
    def test_forbidden_file(self):
        self.path.write_text("", encoding="utf-8")
        self.path.chmod(0)
        os.chmod(self.folder.name, 0o755)
        done = self.run_check("-c", self.path, user=65534, group=65534, extra_groups=[])
        self.assert_refused(done, r"c\.yaml: .*Permission denied")

    def test_binary_file(self):
        self.path.write_bytes(bytes(range(256)) * 10)
        self.assert_refused(self.run_check("-c", self.path), r"c\.yaml:\d+:\d+: ")

    def test_every_mistake_has_place_value_and_what_is_allowed(self):
        done = self.check(self.port() +
                          "workers: {poll: lazy, cores: 2}\n"
                          "flows:\n"
                          "  max_per_worker: many\n"
                          "  timeouts: {embryonic: 5}\n"
                          "inlne: []\n")
        self.assert_refused(
            done,
            r"c\.yaml:2:17: workers\.poll: lazy is not allowed; allowed: busy \| adaptive",
            r"c\.yaml:2:30: workers\.cores: a single value is not allowed; allowed: a list",
            r"c\.yaml:4:19: flows\.max_per_worker: many is not allowed; allowed: 16\.\.500000000",
            r"c\.yaml:5:25: flows\.timeouts\.embryonic: 5 has no unit .*; allowed: 1ms\.\.1d",
            r"c\.yaml:6:1: inlne: unknown key; did you mean inline\?")

    def test_not_yaml(self):
        self.assert_refused(self.check("ports: [\n"), r"c\.yaml:\d+:\d+: not YAML: ")

    def test_a_feature_of_a_later_version(self):
        self.assert_refused(self.check(self.port() + 'outputs: {metrics: {listen: ":9461"}}\n'),
                            r"c\.yaml:2:29: outputs\.metrics\.listen: not in this version")

    def test_alias_bomb(self):
        bomb = "a: &a [x, x]\n" + "".join(f"b{i}: [*a, *a]\n" for i in range(50))
        self.assert_refused(self.check(bomb), r"c\.yaml:1:4: anchors and aliases are not allowed")

    def test_eal_arguments_that_are_ours(self):
        self.assert_refused(self.check(self.port() + "eal: {args: [-l, '0']}\n"),
                            r"c\.yaml:2:14: eal\.args\[0\]: -l is not allowed; cores come from")


class Answers(Case):
    def assert_runnable(self, done):
        if LIVE:
            self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        else:
            self.assertEqual(2, done.returncode)
            self.assertEqual([NO_LIVE], self.findings(done, "problem"))

    def test_a_file_port_can_run_on_every_host(self):
        self.assert_runnable(self.check(self.port()))

    def test_standard_output_is_the_same_configuration_again(self):
        first = self.check(self.port() + "workers: {cores: [0], poll: adaptive}\n"
                           "filter: host 10.0.0.1\ntaps: {port0: {vlan_key: true}}\n")
        self.assert_runnable(first)
        second = self.check(first.stdout)
        self.assert_runnable(second)
        body = [line for line in first.stdout.splitlines() if not line.startswith("#")]
        self.assertEqual(body, [line for line in second.stdout.splitlines() if line[:1] != "#"])
        self.assertIn("  poll: adaptive", body)
        self.assertIn("    vlan_key: true", body)
        self.assertIn("filter: \"host 10.0.0.1\"", body)

    def test_memory_follows_the_tables(self):
        def total(connections: int) -> float:
            done = self.check(self.port() + f"flows: {{max_per_worker: {connections}}}\n")
            return float(re.search(r"#   total +([\d.]+) MiB", done.stdout)[1])
        small, large = total(100_000), total(1_100_000)
        self.assertGreater(large - small, 100)
        self.assertLess(large - small, 400)

    def test_a_filter_libpcap_refuses(self):
        done = self.check(self.port() + 'filter: "tcp pot 80"\n')
        self.assertEqual(2, done.returncode)
        self.assertRegex("\n".join(self.findings(done, "problem")),
                         r"c\.yaml:2:9: filter \"tcp pot 80\"")

    def test_a_filter_that_loses_vlans_is_a_note(self):
        done = self.check(self.port() + "filter: tcp\n")
        self.assert_runnable(done)
        self.assertRegex("\n".join(self.findings(done, "note")),
                         r"c\.yaml:2:9: filter \"tcp\".*VLAN")

    def test_what_this_host_lacks_is_a_problem_with_its_place_and_fix(self):
        done = self.check('ports:\n  - device: "iface:nosuch0"\n  - device: "ff:1f.7"\n'
                          '  - device: "pcap:/nonexistent.pcap"\n'
                          "workers: {cores: [1023]}\n"
                          "outputs: {flows: {path: /nonexistent/flows.jsonl}}\n")
        self.assertEqual(2, done.returncode)
        problems = "\n".join(self.findings(done, "problem"))
        self.assertRegex(problems, r"c\.yaml:2:13: ports\[0\]\.device: .*no interface nosuch0")
        self.assertRegex(problems, r"c\.yaml:3:13: ports\[1\]\.device: .*no PCI device 0000:ff")
        self.assertRegex(problems, r"c\.yaml:4:13: ports\[2\]\.device: .*nonexistent\.pcap")
        self.assertRegex(problems, r"c\.yaml:5:19: workers\.cores\[0\]: this host has no CPU 1023")
        self.assertRegex(problems, r"c\.yaml:6:25: outputs\.flows\.path: /nonexistent/flows\.jsonl")
        self.assertIn("fix: choose from", done.stdout)
        self.assertRegex(done.stderr, r"^tapwitness: .*c\.yaml: cannot run here: \d+ problems")

    @unittest.skipUnless(LIVE, "asks the live devices")
    def test_what_run_would_refuse_check_refuses(self):
        done = self.check("ports: [{device: \"net_af_packet0,iface=lo,qpairs=4\"}]\n")
        self.assertEqual(2, done.returncode)
        self.assertRegex("\n".join(self.findings(done, "problem")), r"qpairs must be 1")

    def test_a_line_break_in_a_value_stays_in_its_comment(self):
        first = self.check('ports: [{device: "pcap:/nonexistent\\nports: []"}]\n')
        self.assertEqual(2, first.returncode)
        second = self.check(first.stdout)
        self.assertEqual(first.stdout.split("#")[0], second.stdout.split("#")[0])

    def test_without_a_file_the_host_is_shown(self):
        done = self.run_check()
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertRegex(done.stdout, r"(?m)^  ok +CPUs: ")
        self.assertNotRegex(done.stdout, r"(?m)^  problem ")
        self.assertEqual(not LIVE, NO_LIVE in done.stdout)

    def test_default_yaml_is_what_list_prints(self):
        done = subprocess.run([TAPWITNESS, "list", "options", "--yaml"], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(0, done.returncode)
        self.assertEqual((SOURCE / "config/default.yaml").read_text(encoding="utf-8"), done.stdout)

    def test_a_full_disk_is_not_silence(self):
        self.path.write_text(self.port(), encoding="utf-8")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([TAPWITNESS, "check", "-c", self.path], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(3, done.returncode)
        self.assertIn("No space left on device", done.stderr)


if __name__ == "__main__":
    unittest.main()
