# SPDX-License-Identifier: BSD-3-Clause
"""`read` end to end: outputs, several files, pipes, filters, limits, signals."""
import fcntl
import gzip
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time
import unittest

from capture_files import (ACK, CONVERSATION_FLAGS, PROGRAM, PSH, START, SYN, ReadTest,
                           conversation, pcap, pcap_header, pcap_record, pcapng, segment)


def repeats(count: int):
    """One connection in which one segment is sent `count` times more."""
    client, server = ("10.1.0.1", 40000), ("10.1.0.2", 80)
    frames = [(0.0, segment(client, server, 100, 0, SYN)),
              (0.01, segment(server, client, 500, 101, SYN | ACK)),
              (0.02, segment(client, server, 101, 501, ACK))]
    again = segment(client, server, 101, 501, PSH | ACK, b"z" * 10)
    return frames + [(1.0 + i, again) for i in range(count + 1)]


class Outputs(ReadTest):
    def setUp(self) -> None:
        super().setUp()
        self.capture = self.file("a.pcap", pcap(conversation()))

    def test_frames_are_number_and_flags(self):
        self.assertEqual(self.good("read", self.capture, "--frames", "-"), CONVERSATION_FLAGS)

    def test_events_tell_the_hole(self):
        lines = [json.loads(line)
                 for line in self.good("read", self.capture, "--events", "-").splitlines()]
        self.assertEqual(lines[0]["schema"], "tapwitness/events/2")
        holes = [line for line in lines[1:] if line["type"] == "hole"]
        self.assertEqual(len(holes), 1)
        hole = holes[0]
        self.assertEqual(hole["flow"], {"src": "10.0.0.5", "sport": 51000,
                                        "dst": "93.184.216.34", "dport": 80})
        self.assertEqual((hole["direction"], hole["seq_begin"], hole["seq_end"], hole["bytes"]),
                         ("s2c", 6001, 7001, 1000))
        self.assertEqual(hole["resolution"], "acknowledged_unseen")
        self.assertEqual(hole["time"], f"{START // 10**9}.044000000")
        self.assertEqual(hole["subject"][0]["frame"], 6)
        self.assertEqual(hole["evidence"][0]["frame"], 7)

    def test_flows_tell_the_connection(self):
        lines = [json.loads(line)
                 for line in self.good("read", self.capture, "--flows", "-").splitlines()]
        self.assertEqual(lines[0]["schema"], "tapwitness/flows/1")
        self.assertEqual(len(lines), 2)
        flow = lines[1]
        self.assertEqual(flow["packets"], {"c2s": 6, "s2c": 4})
        self.assertEqual(flow["bytes"], {"c2s": 78, "s2c": 2000})
        self.assertEqual(flow["missing_bytes"], {"c2s": 0, "s2c": 1000})
        self.assertEqual(flow["completeness"], 31)
        self.assertAlmostEqual(flow["initial_rtt"], 0.021)
        self.assertEqual(flow["flags"], {"c2s": {"ack_lost_segment": 1},
                                         "s2c": {"lost_segment": 1}})
        self.assertEqual(flow["last"], f"{START // 10**9}.121000000")

    def test_all_outputs_at_once(self):
        paths = {name: str(self.folder / name) for name in ("frames", "events", "flows")}
        text = self.good("read", self.capture, "--frames", "-", "--events", paths["events"],
                         "--flows", paths["flows"])
        self.assertEqual(text, CONVERSATION_FLAGS)
        for name in ("events", "flows"):
            with open(paths[name], encoding="utf-8") as file:
                self.assertEqual(len(file.readlines()), 2)

    def test_summary_answers_first(self):
        text = self.good("read", self.capture)
        lines = text.splitlines()
        self.assertIn("10 frames, 1 connection", lines[0])
        self.assertTrue(lines[1].startswith("Capture    missed 32.5 %: 1,000 bytes in 1 segment "
                                            "that the receivers have"), lines[1])
        self.assertEqual(lines[2], "Network    good: nothing was lost on either side of the tap")
        self.assertIn("server 93.184.216.34:80 sent 1,000 bytes that were not captured; the client "
                      "has them (ACK, frame 7): missed by the capture, not lost.", text)
        self.assertIn("host 93.184.216.34 and tcp port 80", text)
        self.assertNotIn("\x1b", text)

    def test_summary_of_a_clean_capture(self):
        frames = conversation()
        lost = (0.043, segment(("93.184.216.34", 80), ("10.0.0.5", 51000), 6001, 1079, ACK,
                               b"b" * 1000))
        text = self.good("read", self.file("clean.pcap", pcap(frames[:5] + [lost] + frames[5:])))
        self.assertEqual(text.splitlines()[1:4],
                         ["Capture    good: nothing that was acknowledged is missing",
                          "Network    good: nothing was lost on either side of the tap", ""])
        self.assertNotIn("What to try", text)

    def test_capture_without_frames(self):
        text = self.good("read", self.file("none.pcap", pcap([])))
        self.assertIn("0 frames", text)
        self.assertIn("No TCP segment was found", text)

    def test_drops_that_a_pcapng_admits_are_in_the_summary(self):
        text = self.good("read", self.file("d.pcapng", pcapng(conversation(), dropped=37)))
        self.assertIn("dropped 37 packets, as the file says", text)
        self.assertIn("eth0 (EN10MB): 37 packets dropped", text)


class Inputs(ReadTest):
    def setUp(self) -> None:
        super().setUp()
        self.whole = conversation() + conversation(("10.0.0.6", 1234), begin=1.0) + repeats(20)
        self.capture = self.file("a.pcap", pcap(self.whole))
        self.flags = self.good("read", self.capture, "--frames", "-")
        self.events = self.good("read", self.capture, "--events", "-")

    def test_standard_input_is_a_file_like_any(self):
        for option, expected in (("--frames", self.flags), ("--events", self.events)):
            self.assertEqual(self.good("read", "-", option, "-", stdin=pcap(self.whole)), expected)

    def test_standard_input_from_a_file(self):
        with open(self.capture, "rb") as file:
            result = subprocess.run([PROGRAM, "read", "-", "--frames", "-"], stdin=file,
                                    capture_output=True, check=True, timeout=60)
        self.assertEqual(result.stdout.decode(), self.flags)

    def test_gzip(self):
        path = self.file("a.pcap.gz", gzip.compress(pcap(self.whole)))
        self.assertEqual(self.good("read", path, "--frames", "-"), self.flags)

    def test_fifo(self):
        path = str(self.folder / "fifo")
        os.mkfifo(path)
        program = subprocess.Popen([PROGRAM, "read", path, "--frames", "-"],
                                   stdout=subprocess.PIPE)
        with open(path, "wb") as fifo:
            fifo.write(pcap(self.whole))
        self.assertEqual(program.communicate(timeout=60)[0].decode(), self.flags)
        self.assertEqual(program.returncode, 0)

    def test_several_files_are_one_capture(self):
        for cut in (1, 5, 6, len(self.whole) - 1):
            first = self.file("1.pcap", pcap(self.whole[:cut]))
            second = self.file("2.pcapng", pcapng(self.whole[cut:], dropped=0))
            with self.subTest(cut):
                self.assertEqual(self.good("read", first, second, "--frames", "-"), self.flags)
                self.assertEqual(self.good("read", first, second, "--events", "-"), self.events)

    def test_a_pipe_between_files(self):
        first = self.file("1.pcap", pcap(self.whole[:4]))
        third = self.file("3.pcap", pcap(self.whole[9:]))
        self.assertEqual(self.good("read", first, "-", third, "--frames", "-",
                                   stdin=pcap(self.whole[4:9])), self.flags)


class Selection(ReadTest):
    def setUp(self) -> None:
        super().setUp()
        other = conversation(("10.0.0.6", 1234))
        # Alternating frames of two connections.
        self.frames = [frame for pair in zip(conversation(), other) for frame in pair]
        self.capture = self.file("two.pcap", pcap(self.frames))

    def test_filter_keeps_frame_numbers(self):
        result = self.run_program("read", self.capture, "--frames", "-", "-f", "host 10.0.0.6")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, b"12\tlost_segment\n14\tack_lost_segment\n")

    def test_filter_that_misses_tagged_frames_warns(self):
        result = self.run_program("read", self.capture, "-f", "tcp")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"warning: ", result.stderr)
        self.assertIn(b"VLAN", result.stderr)

    def test_summary_says_what_the_filter_left_out(self):
        text = self.run_program("read", self.capture, "-f", "host 10.0.0.6").stdout.decode()
        self.assertIn("Filter: host 10.0.0.6 (10 of 20 frames match)", text)
        self.assertIn("did not match the filter", text)

    def test_a_filter_that_nothing_matches(self):
        text = self.run_program("read", self.capture, "-f", "host 192.0.2.1").stdout.decode()
        self.assertIn("No TCP segment was found", text)

    def test_layers_that_must_not_be_opened_are_not(self):
        tagged = [(t, f[:12] + b"\x81\x00\x00\x05" + f[12:]) for t, f in conversation()]
        path = self.file("vlan.pcap", pcap(tagged))
        self.assertEqual(self.good("read", path, "--frames", "-"), CONVERSATION_FLAGS)
        self.assertEqual(self.good("read", path, "--frames", "-", "--decap", "mpls,gre"), "")
        self.assertEqual(self.good("read", path, "--frames", "-", "--decap", "vlan"),
                         CONVERSATION_FLAGS)


class Limits(ReadTest):
    def test_a_full_table_is_said_and_counted(self):
        frames = []
        for i in range(200):
            frames += conversation(("10.2.0.1", 1000 + i), begin=i / 10)[:7]
        path = self.file("many.pcap", pcap(frames))
        result = self.run_program("read", path, "--flows", "-", "--max-flows", "16")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"limit reached: ", result.stderr)
        self.assertIn(b"the table holds 16 IPv4", result.stderr)
        summary = self.run_program("read", path, "--max-flows", "16").stdout.decode()
        self.assertIn("Limits reached", summary)
        self.assertEqual(self.run_program("read", path, "--flows", "-").stderr, b"")

    def test_nothing_ages_out_unless_asked(self):
        first, rest = conversation()[:6], conversation(begin=100_000.0)[6:]
        path = self.file("idle.pcap", pcap(first + rest))
        events = self.good("read", path, "--flows", "-")
        self.assertEqual(len(events.splitlines()), 2)

    def test_connections_age_out_when_asked(self):
        # Two hours of another connection's segments let the sweep come round often enough.
        client, server = ("10.3.0.1", 5000), ("10.3.0.2", 80)
        chatter = [(1.0 + i, segment(client, server, 1000 + 10 * i, 1, PSH | ACK, b"k" * 10))
                   for i in range(100_000)]
        frames = conversation()[:6] + chatter + conversation(begin=100_001.0)[6:]
        path = self.file("idle.pcap", pcap(frames))
        aged = self.good("read", path, "--flows", "-", "--timeouts", "established=300s")
        self.assertEqual(len(aged.splitlines()), 4)
        kept = self.good("read", path, "--flows", "-")
        self.assertEqual(len(kept.splitlines()), 3)


class Endings(ReadTest):
    def test_reader_that_goes_away_is_no_error(self):
        path = self.file("r.pcap", pcap(repeats(200_000)))
        for option in ("--frames", "--events", "--flows"):
            with self.subTest(option):
                program = subprocess.Popen([PROGRAM, "read", path, option, "-"],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                program.stdout.readline()
                program.stdout.close()
                self.assertEqual(program.stderr.read(), b"")
                program.stderr.close()
                self.assertEqual(program.wait(timeout=60), 0)

    def test_summary_into_a_closed_pipe_is_no_error(self):
        path = self.file("a.pcap", pcap(conversation()))
        read_end, write_end = os.pipe()
        os.close(read_end)
        result = subprocess.run([PROGRAM, "read", path], stdout=write_end,
                                stderr=subprocess.PIPE, check=False, timeout=60)
        os.close(write_end)
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def interrupted(self, option, silent: bool):
        program = subprocess.Popen([PROGRAM, "read", "-", *option], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        program.stdin.write(pcap_header())
        for seconds, frame in conversation()[:7]:
            program.stdin.write(pcap_record(START + round(seconds * 1e9), frame))
        program.stdin.flush()
        # The handler is in place before the first byte is taken.
        deadline = time.monotonic() + 30
        while self.pipe_bytes(program.stdin) != 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        program.send_signal(signal.SIGINT)
        if not silent:
            for seconds, frame in conversation()[7:]:
                program.stdin.write(pcap_record(START + round(seconds * 1e9), frame))
            program.stdin.close()
            program.stdin = None
        out, error = program.communicate(timeout=60) if not silent else self.wait_open(program)
        return program.returncode, out.decode(), error.decode()

    @staticmethod
    def pipe_bytes(pipe) -> int:
        buffer = bytearray(4)
        fcntl.ioctl(pipe.fileno(), termios.FIONREAD, buffer)
        return struct.unpack("i", buffer)[0]

    @staticmethod
    def wait_open(program):
        """The output of a program whose input stays open and silent."""
        out, error = program.stdout.read(), program.stderr.read()
        program.wait(timeout=60)
        program.stdin.close()
        program.stdout.close()
        program.stderr.close()
        return out, error

    def test_ctrl_c_ends_a_silent_pipe_with_a_summary(self):
        code, out, error = self.interrupted([], silent=True)
        self.assertEqual(code, 0)
        self.assertIn("Stopped by the operator", out)
        self.assertIn("7 frames", out)
        self.assertIn("stopped after 7 frames", error)

    def test_ctrl_c_flushes_outputs(self):
        code, out, _ = self.interrupted(["--frames", "-"], silent=True)
        self.assertEqual((code, out), (0, CONVERSATION_FLAGS))

    def test_what_a_stopped_capture_program_still_sends_counts(self):
        code, out, error = self.interrupted([], silent=False)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("10 frames", out)
        self.assertNotIn("Stopped", out)


class Terminal(ReadTest):
    def on_terminal(self, environment, *arguments) -> str:
        """Standard output of the program on a pseudo terminal of 70 columns."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 70, 0, 0))
        program = subprocess.Popen([PROGRAM, *arguments], stdout=follower,
                                   stderr=subprocess.DEVNULL,
                                   env={**os.environ, "TERM": "xterm", **environment})
        os.close(follower)
        text = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        os.close(leader)
        self.assertEqual(program.wait(timeout=60), 0)
        return text.decode()

    def test_colour_and_width_on_a_terminal(self):
        path = self.file("a.pcap", pcap(conversation()))
        text = self.on_terminal({"NO_COLOR": ""}, "read", path)
        self.assertIn("\x1b[1;31mCapture    missed ", text)
        plain = self.on_terminal({"NO_COLOR": "1"}, "read", path)
        self.assertNotIn("\x1b", plain)
        answer = [line for line in plain.splitlines() if line.startswith("Capture ")]
        self.assertTrue(answer)
        self.assertLessEqual(len(answer[0]), 70)


if __name__ == "__main__":
    unittest.main()
