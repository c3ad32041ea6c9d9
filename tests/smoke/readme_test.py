# SPDX-License-Identifier: BSD-3-Clause
"""The examples in README.md are what the program prints."""
import pathlib
import re
import shlex
import subprocess
import unittest

from capture_files import PROGRAM

SOURCE = pathlib.Path(__file__).resolve().parents[2]
# A command of ours that runs anywhere, and its output; "..." stands for lines left out.
EXAMPLE = re.compile(r"^```\n\$ tapwitness (.*)\n((?:(?!```).*\n)*)```$", re.MULTILINE)


class Readme(unittest.TestCase):
    def test_examples_are_what_the_program_prints(self):
        examples = EXAMPLE.findall((SOURCE / "README.md").read_text())
        self.assertGreaterEqual(len(examples), 2)
        for command, shown in examples:
            with self.subTest(command):
                result = subprocess.run([pathlib.Path(PROGRAM).resolve(), *shlex.split(command)],
                                        cwd=SOURCE, capture_output=True, check=True, timeout=60)
                self.compare(shown.splitlines(), result.stdout.decode().splitlines())

    def compare(self, shown: list[str], printed: list[str]) -> None:
        at, skipping = 0, False
        for line in shown:
            if line == "...":
                skipping = True
                continue
            while skipping and at < len(printed) and printed[at] != line:
                at += 1
            self.assertLess(at, len(printed), f"never printed: {line}")
            self.assertEqual(printed[at], line)
            at, skipping = at + 1, False
        if not skipping:
            self.assertEqual(at, len(printed), "more is printed than README shows")

    def test_a_wrong_example_is_noticed(self):
        with self.assertRaises(AssertionError):
            self.compare(["a", "...", "x"], ["a", "b", "c"])
        with self.assertRaises(AssertionError):
            self.compare(["a"], ["a", "b"])
        self.compare(["a", "...", "c"], ["a", "b", "c"])


if __name__ == "__main__":
    unittest.main()
