# SPDX-License-Identifier: BSD-3-Clause
"""What `read` says of each of the project's captures, word for word: summary, events, flows. A line
that changes is reviewed like code.

To write the files anew: TAPWITNESS=build/tapwitness python3 tests/golden/golden_test.py --update
"""
import os
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("TAPWITNESS_SOURCE",
                                     pathlib.Path(__file__).resolve().parents[2]))
PROGRAM = pathlib.Path(os.environ.get("TAPWITNESS", "build/tapwitness")).resolve()
CAPTURES = SOURCE / "tests" / "captures"
GOLDEN = SOURCE / "tests" / "golden"
VERSION = re.compile(r'"version":"[^"]*"')


def captures() -> list[pathlib.Path]:
    return sorted(path for path in CAPTURES.iterdir() if path.suffix in (".pcap", ".pcapng"))


def transcript(capture: pathlib.Path) -> str:
    """The commands and their standard output, as on a terminal of endless width."""
    text = ""
    for outputs in ((), ("--events", "-"), ("--flows", "-")):
        arguments = ["read", capture.name, *outputs]
        result = subprocess.run([PROGRAM, *arguments], cwd=CAPTURES, capture_output=True,
                                check=True, timeout=60)
        text += f"$ tapwitness {' '.join(arguments)}\n{result.stdout.decode()}\n"
    return VERSION.sub('"version":"..."', text)


def golden_file(capture: pathlib.Path) -> pathlib.Path:
    return GOLDEN / f"{capture.name}.txt"


class Golden(unittest.TestCase):
    maxDiff = None

    def test_output_is_as_reviewed(self):
        for capture in captures():
            with self.subTest(capture.name):
                self.assertEqual(transcript(capture), golden_file(capture).read_text())

    def test_every_file_here_has_its_capture(self):
        expected = {golden_file(capture).name for capture in captures()}
        self.assertEqual({path.name for path in GOLDEN.glob("*.txt")}, expected)
        self.assertGreater(len(expected), 10)


def update() -> None:
    for old in GOLDEN.glob("*.txt"):
        old.unlink()
    for capture in captures():
        golden_file(capture).write_text(transcript(capture))


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        unittest.main()
