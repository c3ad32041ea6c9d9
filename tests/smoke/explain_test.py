# SPDX-License-Identifier: BSD-3-Clause
"""`explain` end to end: which connection, what is drawn, pipes, mistakes, terminals."""
import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import termios
import unittest

from capture_files import (ACK, CLIENT, PROGRAM, PSH, SERVER, SYN, ReadTest, conversation, pcap,
                           segment)

CAPTURES = pathlib.Path(os.environ.get("TAPWITNESS_SOURCE", ".")).resolve() / "tests/captures"
STORY = str(CAPTURES / "story-firewall.pcap")
FLOW = "10.0.0.5:51000-93.184.216.34:80"


def many():
    """Two connections between one pair of hosts, a third elsewhere; the second has the hole."""
    quiet = ("10.0.0.5", 51001)
    frames = [(t - 5, f) for t, f in
              [(5.0, segment(quiet, SERVER, 1, 0, SYN)),
               (5.1, segment(SERVER, quiet, 1, 2, SYN | ACK)),
               (5.2, segment(quiet, SERVER, 2, 2, ACK))]]
    frames += [(t + 1, f) for t, f in conversation()]
    other = ("10.9.9.9", 1234)
    return frames + [(9.0, segment(other, SERVER, 1, 0, SYN))]


def streams(text: str):
    """The first column of a list of connections."""
    return [line.split()[0] for line in text.splitlines() if "->" in line][1:]


class Explain(ReadTest):
    def setUp(self) -> None:
        super().setUp()
        self.one = self.file("one.pcap", pcap(conversation()))
        self.many = self.file("many.pcap", pcap(many()))

    def explained(self, *arguments) -> str:
        return self.good("explain", *arguments)

    def mistaken(self, *arguments, says: str) -> str:
        """Standard output of a run that ends with one line about the operator's mistake."""
        result = self.run_program("explain", *arguments)
        error = result.stderr.decode()
        self.assertEqual(result.returncode, 2, error)
        self.assertEqual(error.count("\n"), 1, error)
        self.assertIn(says, error)
        self.assertLess(len(error), 400)
        return result.stdout.decode()

    def test_the_story_is_drawn(self):
        text = self.explained(STORY, "--ascii")
        for line in (
                "192.0.2.10:50123 -> 198.51.100.80:80",
                " 0.012100     4 | PSH seq 1 len 43 ack 1 -------+----------------------------->|",
                "20.023100     6 |<------------------------------+--------- FIN seq 1011 ack 44 |",
                "                |                        +20.000 s idle                        |"):
            self.assertIn(line + "\n", text)
        hole = next(line for line in text.splitlines() if line.endswith("1,010 bytes [1..1011) |"))
        self.assertLess(text.index(hole), text.index("+20.000 s idle"))
        self.assertIn("tcp.stream eq 0", text)

    def test_readme_shows_what_is_drawn(self):
        readme = (CAPTURES.parents[1] / "README.md").read_text(encoding="utf-8")
        command = "$ tapwitness explain tests/captures/story-firewall.pcap\n"
        shown = readme[readme.index(command) + len(command):].split("\n...\n")[0]
        drawn = subprocess.run([PROGRAM, "explain", "tests/captures/story-firewall.pcap"],
                               cwd=CAPTURES.parents[1], env={**os.environ, "LC_ALL": "C.UTF-8"},
                               capture_output=True, check=True, timeout=30).stdout.decode()
        self.assertEqual(drawn[:len(shown)], shown)

    def test_ends_in_any_order_and_with_or_without_ports(self):
        wanted = self.explained(self.many, "--stream", "1")
        self.assertIn("10.0.0.5:51000 -> 93.184.216.34:80", wanted)
        for flow in (FLOW, "93.184.216.34:80-10.0.0.5:51000", "10.0.0.5:51000 -> 93.184.216.34:80",
                     "10.0.0.5:51000 -- 93.184.216.34:80", "10.0.0.5:51000-93.184.216.34"):
            self.assertEqual(self.explained(self.many, "--flow", flow), wanted, flow)
        self.assertEqual(self.explained(self.one, "--flow", "93.184.216.34-10.0.0.5"),
                         self.explained(self.one))

    def test_several_that_fit_are_listed_the_worst_first(self):
        text = self.mistaken(self.many, "--flow", "10.0.0.5-93.184.216.34",
                             says="names 2 connections; choose with --stream N")
        self.assertEqual(streams(text), ["1", "0"])
        self.assertIn(f"tapwitness explain {self.many} --stream 1\n", text)

    def test_none_that_fits_offers_the_nearest(self):
        text = self.mistaken(self.many, "--flow", "10.0.0.5:51002-93.184.216.34:80",
                             says="10.0.0.5:51002-93.184.216.34:80 is no connection")
        self.assertEqual(streams(text), ["1", "0", "2"])
        text = self.mistaken(self.many, "--flow", "1.1.1.1-2.2.2.2", says="none has one")
        self.assertEqual(text, "")
        self.mistaken(self.many, "--flow", "1.1.1.1:1-[::1]:1", says="allowed: A:port-B:port")

    def test_without_a_choice_the_worst_are_listed(self):
        text = self.explained(self.many)
        self.assertIn("The worst connections", text)
        self.assertEqual(streams(text), ["1", "0", "2"])

    def test_an_episode_finds_its_connection(self):
        events = [json.loads(line) for line in
                  self.good("read", self.many, "--events", "-").splitlines()[1:]]
        hole = next(event for event in events if event["type"] == "hole")
        text = self.explained(self.many, "--episode", str(hole["id"]))
        self.assertIn("10.0.0.5:51000 -> 93.184.216.34:80", text)
        self.assertIn("[1001..2001)", text)
        self.mistaken(self.many, "--episode", "999", says="allowed: 1..")

    def test_numbers_are_those_of_read_with_the_same_arguments(self):
        # The filter's warning about encapsulations goes to standard error.
        arguments = (self.many, self.one, "-f", "host 10.0.0.5")
        read = self.run_program("read", *arguments, "--flows", "-").stdout.decode()
        flows = [json.loads(line) for line in read.splitlines()[1:]]
        self.assertEqual(len(flows), 2)
        for flow in flows:
            text = self.run_program("explain", *arguments, "--stream",
                                    str(flow["stream"])).stdout.decode()
            self.assertIn(f"{flow['src']}:{flow['sport']} ", text)
            self.assertIn(f"client     {flow['packets']['c2s']} segments", text)
            # Numbers of a filtered capture are not Wireshark's.
            self.assertNotIn("tcp.stream eq", text)
            self.assertIn(f"ip.addr == {flow['src']} && tcp.port == {flow['sport']}", text)

    def test_a_pipe_gives_the_same(self):
        with open(self.many, "rb") as file:
            piped = subprocess.run([PROGRAM, "explain", "-", "--flow", FLOW], stdin=file,
                                   capture_output=True, check=True, timeout=30)
        self.assertEqual(piped.stdout.decode().replace("capture    -", f"capture    {self.many}"),
                         self.explained(self.many, "--flow", FLOW))
        with open(self.many, "rb") as file:
            piped = subprocess.run([PROGRAM, "explain", "-", "--episode", "1"], stdin=file,
                                   capture_output=True, check=False, timeout=30)
        self.assertEqual(piped.returncode, 2)
        self.assertIn(b"standard input can be read only once", piped.stderr)

    def test_it_fits_a_ticket(self):
        text = self.explained(STORY)
        self.assertNotIn("`", text)
        self.assertNotIn("\t", text)
        self.assertNotIn("\033", text)
        for line in text.splitlines():
            if STORY not in line:  # a path is not broken
                self.assertLessEqual(len(line), 80)
            self.assertEqual(line, line.rstrip())

    def on_terminal(self, columns: int, **environment) -> str:
        main, side = pty.openpty()
        fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        program = subprocess.Popen([PROGRAM, "explain", STORY, "--ascii"], stdout=side,
                                   stderr=subprocess.DEVNULL,
                                   env={**os.environ, "TERM": "xterm", **environment})
        os.close(side)
        text = b""
        try:
            while piece := os.read(main, 65536):
                text += piece
        except OSError:  # the other end was closed
            pass
        os.close(main)
        self.assertEqual(program.wait(timeout=30), 0)
        return text.decode().replace("\r\n", "\n")

    def test_a_terminal_gets_its_width_and_colour(self):
        for columns in (72, 100):
            text = self.on_terminal(columns, NO_COLOR="1")
            self.assertNotIn("\033", text)
            widths = {len(line) for line in text.splitlines() if line.endswith("|")}
            self.assertEqual(widths, {columns})
        self.assertIn("\033[1;31m", self.on_terminal(100, NO_COLOR=""))

    def test_the_locale_chooses_the_characters(self):
        plain = {key: value for key, value in os.environ.items()
                 if key not in ("LC_ALL", "LC_CTYPE", "LANG")}
        for more, unicode in (({}, False), ({"LANG": "C.UTF-8"}, True),
                              ({"LANG": "C.UTF-8", "LC_ALL": "C"}, False),
                              ({"LC_CTYPE": "de_DE.utf8", "LANG": "C"}, True)):
            result = subprocess.run([PROGRAM, "explain", STORY], env={**plain, **more},
                                    capture_output=True, check=True, timeout=30)
            self.assertEqual("\u2500" in result.stdout.decode(), unicode, more)

    def test_long_stretches_are_folded(self):
        client, server = CLIENT, SERVER
        frames = list(conversation()[:3])
        for i in range(2000):
            frames.append((1 + i / 1000, segment(server, client, 5001 + i * 10, 1001, PSH | ACK,
                                                 b"0123456789")))
        path = self.file("long.pcap", pcap(frames))
        text = self.explained(path, "--ascii")
        self.assertLess(len(text.splitlines()), 60)
        self.assertRegex(text, r": +1,99\d segments, 19,9\d0 bytes, 2\.00 s, in order +:")
        self.assertGreater(len(self.explained(path, "--all").splitlines()), 2003)

    def test_mistakes_are_one_line(self):
        for arguments, says in (
                ((self.one, "--flow", "nonsense"), "--flow: nonsense is not allowed; allowed: "),
                ((self.one, "--flow", "10.0.0.5:99999-10.0.0.6:1"), "is not allowed"),
                ((self.one, "--flow", "x" * 5000), "is not allowed"),
                ((self.one, "--stream", "7"), "--stream: 7 is no connection of this capture; "
                                              "allowed: 0..0"),
                ((self.one, "--stream", "-1"), "--stream"),
                ((self.one, "--stream", "99999999999"), "allowed: 0..0"),
                ((self.one, "--episode", "0"), "allowed: a number from 1"),
                ((self.one, "--episode", "1", "--stream", "0"), "--stream"),
                ((self.many, "--stream", "0", "--flow", FLOW), "--stream: 0 is 10.0.0.5:51001"),
                (("/nowhere.pcap",), "/nowhere.pcap"), ((), "FILE")):
            self.mistaken(*arguments, says=says)

    def test_a_stream_settles_a_reused_pair(self):
        path = str(CAPTURES / "reused-ports.pcap")
        flow = "192.0.2.10:50123-198.51.100.80:80"
        self.mistaken(path, "--flow", flow, says="names 2 connections")
        first, second = (self.explained(path, "--flow", flow, "--stream", n) for n in "01")
        self.assertNotEqual(first, second)
        self.assertIn("[reused_ports]", second)

    def test_no_connection_is_said(self):
        empty = self.file("empty.pcap", pcap([]))
        result = self.run_program("explain", empty)
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"no TCP connection", result.stderr)


if __name__ == "__main__":
    unittest.main()
