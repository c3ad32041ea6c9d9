#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the unittest cases of Python files and reports them in TAP, one line per case, so that meson
and scripts/test count cases and not files.

usage: run_unittest.py FILE...
TEST_FILTER in the environment: only cases whose dotted name contains it.
"""
import importlib.util
import os
import pathlib
import sys
import time
import traceback
import unittest


class TapResult(unittest.TestResult):
    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.failed_subtests: list[str] = []

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.failed_subtests = []
        self.started = time.monotonic()

    def line(self, word: str, test: unittest.TestCase, note: str = "") -> None:
        self.number += 1
        seconds = time.monotonic() - self.started
        print(f"{word} {self.number} - {test.id()}{note}", flush=True)
        print(f"# {seconds:.2f} s", flush=True)

    def explain(self, error) -> None:
        # To standard error: meson shows that of a failed test, and keeps TAP's comments to itself.
        print(f"{self.number}: {''.join(traceback.format_exception(*error))}", file=sys.stderr,
              flush=True)

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.line("ok", test)

    def addFailure(self, test: unittest.TestCase, error) -> None:
        super().addFailure(test, error)
        self.line("not ok", test)
        self.explain(error)

    def addError(self, test: unittest.TestCase, error) -> None:
        super().addError(test, error)
        # setUpClass and module errors arrive without startTest.
        self.started = getattr(self, "started", time.monotonic())
        self.line("not ok", test)
        self.explain(error)

    def addSubTest(self, test, subtest, error) -> None:
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.failed_subtests.append(str(subtest))
            print(f"in {subtest}", file=sys.stderr, flush=True)
            self.explain(error)

    def stopTest(self, test: unittest.TestCase) -> None:
        if self.failed_subtests:
            self.line("not ok", test)
        super().stopTest(test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.started = getattr(self, "started", time.monotonic())
        self.line("ok", test, f" # SKIP {reason}")

    def addExpectedFailure(self, test: unittest.TestCase, error) -> None:
        super().addExpectedFailure(test, error)
        self.line("ok", test)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self.line("not ok", test)


def cases(suite: unittest.TestSuite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def load(path: pathlib.Path) -> unittest.TestSuite:
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main() -> int:
    wanted = os.environ.get("TEST_FILTER", "")
    suite = unittest.TestSuite()
    for name in sys.argv[1:]:
        suite.addTests(load(pathlib.Path(name).resolve()))
    chosen = unittest.TestSuite(c for c in cases(suite) if wanted in c.id())
    result = TapResult()
    chosen.run(result)
    print(f"1..{result.number}")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
