#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Counts the test cases of a meson run, case by case, from its JUnit file.

usage: count_results.py BUILD_DIR     prints "N passed, N failed, N skipped" and names the failures
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def outcome(case: xml.Element) -> str:
    tags = {child.tag for child in case}
    if tags & {"failure", "error"}:
        return "failed"
    if "skipped" in tags or case.get("result") in ("skipped", "suppressed") \
            or case.get("status") == "notrun":
        return "skipped"
    return "passed"


def main() -> int:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    junit = pathlib.Path(sys.argv[1]) / "meson-logs" / "testlog.junit.xml"
    if not junit.exists():
        print("no test matched: meson wrote no result")
        return 1
    for suite in xml.parse(junit).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            result = outcome(case)
            counts[result] += 1
            if result == "failed":
                # "project.project:suite / folder/file 3 - file.Class.test" or gtest's own names.
                name = (case.get("name") or "").rpartition(" - ")[2].rpartition(" ")[2]
                print(f"failed: {(case.get('classname') or '').rpartition(' ')[2]} {name}")
    print(", ".join(f"{number} {word}" for word, number in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
