#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lists test sources for meson, which cannot glob: a new test file is picked up by its name.

usage: list_tests.py {cpp|programs|python} FOLDER [PATTERN]
  cpp       *.cpp that match PATTERN and have no main(), at any depth
  programs  *.cpp with a main(), directly in FOLDER
  python    test_*.py or *_test.py, directly in FOLDER
"""
import pathlib
import re
import sys

MAIN = re.compile(r"^int main\(", re.MULTILINE)


def listed(kind: str, folder: pathlib.Path, pattern: str) -> list[pathlib.Path]:
    if kind == "python":
        return [*folder.glob("test_*.py"), *folder.glob("*_test.py")]
    if kind == "programs":
        return [f for f in folder.glob("*.cpp") if MAIN.search(f.read_text())]
    return [f for f in folder.rglob(pattern) if not MAIN.search(f.read_text())]


def main() -> int:
    kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    pattern = sys.argv[3] if len(sys.argv) > 3 else "*.cpp"
    print("\n".join(sorted(str(f) for f in listed(kind, folder, pattern))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
