#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each header compiles alone, in the dialect of its folder: C++20 without exceptions and RTTI for
base and core, C++23 elsewhere. A header whose own source file includes it first was compiled alone
by the build (style_rules.own_header_first); this compiles the others."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIVE = os.environ.get("TAPWITNESS_LIVE", "1") == "1"
COMPILER = os.environ.get("CXX", "g++")


def flags_for(name: str) -> list[str]:
    flags = ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-march=x86-64-v2", "-x",
             "c++", "-I", "src", "-I", "tests"]
    if name.startswith(("src/base/", "src/core/")):
        return [*flags, "-std=c++20", "-fno-exceptions", "-fno-rtti"]
    flags.append("-std=c++23")
    if name.startswith("src/capture/dpdk/"):
        found = subprocess.run(["pkg-config", "--cflags", "libdpdk"], check=True,
                               capture_output=True, text=True).stdout.split()
        flags += [f.replace("-I", "-isystem", 1) if f.startswith("-I") else f for f in found
                  if not f.startswith("-march")]
    return flags


def compile_text(name: str, text: str) -> str:
    done = subprocess.run([COMPILER, *flags_for(name), "-"], input=text, cwd=ROOT,
                          capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{name}:\n{done.stderr[:1500]}"


def opens_its_source(header: pathlib.Path) -> bool:
    source = header.with_suffix(".cpp")
    if not source.exists():
        return False
    first = re.search(r'^#include ([<"][^>"]+[>"])', source.read_text(encoding="utf-8"),
                      re.MULTILINE)
    # Within src and within tests, names begin at that folder.
    own = "/".join(header.relative_to(ROOT).parts[1:])
    return first is not None and first[1] == f'"{own}"'


class Headers(unittest.TestCase):
    def test_each_header_compiles_alone(self):
        headers = sorted(str(f.relative_to(ROOT)) for folder in ("src", "tests")
                         for f in (ROOT / folder).rglob("*.hpp") if not opens_its_source(f))
        if not LIVE:
            headers = [h for h in headers if "dpdk" not in h]
        self.assertTrue(headers)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            # Twice: a header without #pragma once fails.
            found = pool.map(lambda h: compile_text(h, f'#include "{ROOT / h}"\n' * 2), headers)
            errors = [error for error in found if error]
        self.assertEqual([], errors, "\n".join(errors))

    def test_a_header_that_needs_another_is_found(self):
        text = "inline std::uint32_t planted() { return 0; }\n"
        self.assertIn("uint32_t", compile_text("src/base/planted.hpp", text))

    def test_a_source_that_opens_with_its_header_is_known(self):
        self.assertTrue(opens_its_source(ROOT / "src/core/taps/engine.hpp"))
        self.assertFalse(opens_its_source(ROOT / "src/base/check.hpp"))

    def test_core_has_no_exceptions(self):
        text = "inline void planted() { throw 1; }\n"
        self.assertIn("exception", compile_text("src/core/planted.hpp", text))


if __name__ == "__main__":
    unittest.main()
