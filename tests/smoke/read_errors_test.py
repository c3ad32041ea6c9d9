# SPDX-License-Identifier: BSD-3-Clause
"""`read`, `list` and the command line refuse mistakes in one line, with the right exit code."""
import os
import struct
import subprocess
import unittest

from capture_files import (CONVERSATION_FLAGS, PROGRAM, ReadTest, conversation, pcap,
                           pcap_header)


class CommandLine(ReadTest):
    def test_no_command_prints_help_and_fails(self):
        result = self.run_program()
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"Usage: tapwitness", result.stdout)

    def test_unknown_command_names_the_nearest(self):
        self.refused("raed", says=["raed is no command", "did you mean read?"])
        self.refused("xyzzy", says="commands: read, explain, run, firewall, check, list")

    def test_command_of_another_version_is_known(self):
        self.refused("top", says="top is not part of this version")

    def test_control_characters_are_not_echoed(self):
        result = self.run_program("\x1b[2J")
        self.assertNotIn(b"\x1b", result.stderr)

    def test_unknown_option_points_to_help(self):
        self.refused("read", "--nonsense", "x", says="see tapwitness read --help")

    def test_help_and_version_succeed(self):
        for command in ([], ["read"], ["run"], ["check"], ["list"], ["list", "options"]):
            self.assertIn("Usage: " + " ".join(["tapwitness", *command]),
                          self.good(*command, "--help"))
        version = self.good("--version")
        self.assertRegex(version, r"^tapwitness \d+\.\d+\.\d+\n")
        self.assertRegex(version, r"\ncompiled by \w+ \d+")
        live = "DPDK" if os.environ.get("TAPWITNESS_LIVE", "0") == "1" else "built without live"
        self.assertIn(live, version)

    def test_run_without_dpdk_says_how_to_get_it(self):
        if os.environ.get("TAPWITNESS_LIVE", "0") == "1":
            self.skipTest("built with DPDK")
        self.refused("run", "-c", "x.yaml", says=["no live capture", "-Dlive=enabled"])


class Lists(ReadTest):
    def test_each_list_is_printed(self):
        self.assertIn("spurious_retransmission", self.good("list", "flags"))
        self.assertIn("decode.segments", self.good("list", "counters"))
        self.assertIn("vxlan", self.good("list", "layers"))
        self.assertIn("flows.timeouts.established", self.good("list", "options"))

    def test_default_configuration_is_yaml_with_comments(self):
        text = self.good("list", "options", "--yaml")
        self.assertIn("flows:", text)
        self.assertIn("#", text)

    def test_verdicts_are_listed_with_every_word_that_comes_with_them(self):
        text = self.good("list", "verdicts")
        for word in ("missed_by_capture", "sender_silent", "probable", "between the sender and",
                     "ack_of_unseen", "cut_short", "pmtu_black_hole"):
            self.assertIn(word, text)

    def test_what_to_list_is_required_and_known(self):
        self.refused("list", says="see tapwitness list --help")
        self.refused("list", "nonsense", says="see tapwitness list --help")


class Inputs(ReadTest):
    def test_file_is_required(self):
        self.refused("read", says="FILE is required")

    def test_missing_file(self):
        self.refused("read", "/nonexistent.pcap", says=["/nonexistent.pcap", "No such file"])

    def test_directory(self):
        self.refused("read", str(self.folder), says=[str(self.folder), "directory"])

    def test_empty_file(self):
        self.refused("read", self.file("e.pcap", b""), says=["e.pcap", "empty"])

    def test_text_file(self):
        self.refused("read", self.file("t.txt", b"hello world, this is no capture\n" * 9),
                     says=["t.txt", "expected a pcap or pcapng file"])

    def test_no_permission(self):
        path = self.file("secret.pcap", pcap(conversation()))
        os.chmod(path, 0)
        os.chmod(self.folder, 0o755)
        # Root may read everything, so somebody else tries.
        user = 65534 if os.geteuid() == 0 else None
        try:
            result = subprocess.run([PROGRAM, "read", path], user=user, capture_output=True,
                                    check=False, timeout=60)
        except PermissionError:
            self.skipTest(f"{PROGRAM} is out of reach for other users")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"secret.pcap: Permission denied", result.stderr)

    def test_header_cut_short(self):
        self.refused("read", self.file("h.pcap", pcap_header()[:20]), says="h.pcap")

    def test_empty_standard_input(self):
        self.refused("read", "-", says="standard input")

    def test_standard_input_twice(self):
        self.refused("read", "-", "-", says="only once")

    def test_mistake_in_the_last_file_is_found_before_the_first_is_read(self):
        good = self.file("good.pcap", pcap(conversation()))
        bad = self.file("bad.pcap", b"garbage" * 10)
        self.refused("read", good, bad, "--frames", "-", says="bad.pcap")


class Options(ReadTest):
    def setUp(self) -> None:
        super().setUp()
        self.capture = self.file("a.pcap", pcap(conversation()))

    def test_two_outputs_on_standard_output(self):
        self.refused("read", self.capture, "--frames", "-", "--events", "-",
                     says="--frames and --events: only one output can be -")

    def test_two_outputs_to_one_file(self):
        path = str(self.folder / "out")
        self.refused("read", self.capture, "--flows", path, "--events", path, says=path)
        self.assertFalse(os.path.exists(path))

    def test_output_over_an_input(self):
        alias = str(self.folder / "alias")
        os.link(self.capture, alias)
        before = os.path.getsize(self.capture)
        for path in (self.capture, alias):
            self.refused("read", self.capture, "--frames", path, says="is a capture to be read")
        self.assertEqual(os.path.getsize(self.capture), before)

    def test_unwritable_output(self):
        self.refused("read", self.capture, "--events", "/nonexistent/e", says="/nonexistent/e")
        self.refused("read", self.capture, "--events", str(self.folder), says="directory")

    def test_a_mistake_truncates_no_output(self):
        path = self.file("keep.jsonl", b"keep me")
        self.refused("read", "/nonexistent", "--events", path)
        self.refused("read", self.capture, "-f", "no such filter", "--events", path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"keep me")

    def test_bad_filter(self):
        self.refused("read", self.capture, "-f", "tcp and and", says="tcp and and")

    def test_filter_without_meaning_on_this_link_type(self):
        raw = self.file("raw.pcap", pcap([], link_type=101))
        self.refused("read", raw, "-f", "ether host 1:2:3:4:5:6", says="ether host")

    def test_bad_values_say_what_is_allowed(self):
        for arguments in (["--max-flows", "0"], ["--max-flows", "many"], ["--max-flows", "-1"],
                          ["--direction-skew", "5"], ["--direction-skew", "1h"],
                          ["--timeouts", "established"], ["--timeouts", "idle=5s"],
                          ["--timeouts", "closing=never"], ["--decap", "vlan,ipx"]):
            with self.subTest(arguments):
                self.refused("read", self.capture, *arguments,
                             says=[arguments[0], "is not allowed; allowed: "])

    def test_full_disk_is_exit_3(self):
        self.refused("read", self.capture, "--frames", "/dev/full", code=3,
                     says="/dev/full: cannot write: No space left on device")

    def test_full_disk_leaves_other_outputs_alone(self):
        path = str(self.folder / "flows.jsonl")
        self.refused("read", self.capture, "--frames", "/dev/full", "--flows", path, code=3)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), 2)

    def test_summary_to_a_full_disk_is_exit_3(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([PROGRAM, "read", self.capture], stdout=full,
                                    stderr=subprocess.PIPE, check=False, timeout=60)
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"No space left", result.stderr)


class Damaged(ReadTest):
    def test_cut_short_is_analysed_up_to_there(self):
        whole = pcap(conversation())
        path = self.file("cut.pcap", whole[:-10])
        result = self.run_program("read", path, "--frames", "-")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, CONVERSATION_FLAGS.encode())
        self.assertEqual(result.stderr.count(b"\n"), 1)
        self.assertIn(b"warning: ", result.stderr)
        self.assertIn(b"cut.pcap", result.stderr)

    def test_summary_says_that_the_file_is_cut(self):
        path = self.file("cut.pcap", pcap(conversation())[:-10])
        result = self.run_program("read", path)
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"\nWarning: ", result.stdout)
        self.assertIn(b"warning: ", result.stderr)

    def test_corrupt_record_ends_the_file_but_not_the_run(self):
        corrupt = pcap(conversation()[:5]) + struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 0xFFFFFFF0)
        first = self.file("corrupt.pcap", corrupt + bytes(100))
        second = self.file("rest.pcap", pcap(conversation()[5:]))
        result = self.run_program("read", first, second, "--frames", "-")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, CONVERSATION_FLAGS.encode())
        self.assertIn(b"corrupt.pcap", result.stderr)


if __name__ == "__main__":
    unittest.main()
