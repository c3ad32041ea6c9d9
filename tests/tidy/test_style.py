#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The style is true: every rule of style_rules.py over the tree, and a planted mistake for each."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import style_rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = (".cpp", ".hpp", ".def")


def tracked(*suffixes: str) -> list[str]:
    """Files below src and tests that belong to the tree; all of them where there is no git."""
    git = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src", "tests"], cwd=ROOT,
                         capture_output=True, text=True)
    if git.returncode == 0:
        listed = git.stdout.splitlines()
    else:
        listed = [str(f.relative_to(ROOT)) for folder in ("src", "tests")
                  for f in (ROOT / folder).rglob("*")]
    return sorted(f for f in listed if f.endswith(suffixes) and (ROOT / f).is_file())


def scripts() -> list[str]:
    files = [f for f in (ROOT / "scripts").iterdir() if f.is_file()]
    return sorted(str(f.relative_to(ROOT)) for f in [*files, ROOT / ".ci/run"])


def shebang(path: str) -> str:
    with open(ROOT / path, encoding="utf-8") as file:
        return file.readline()


class Tree(unittest.TestCase):
    def run_rules(self, rules, files) -> None:
        errors = []
        for path in files:
            text = (ROOT / path).read_text(encoding="utf-8")
            for rule in rules:
                errors += rule(path, text)
        self.assertEqual([], errors, "\n" + "\n".join(errors))

    def test_sources_follow_the_rules(self):
        self.run_rules(style_rules.RULES, tracked(*CPP))

    def test_scripts_follow_the_rules(self):
        files = [*tracked(".py"), *scripts()]
        self.run_rules([style_rules.columns, style_rules.file_length, style_rules.licence,
                        style_rules.banned_words], files)

    def test_clang_format_would_change_nothing(self):
        formatter = shutil.which("clang-format-14")
        if formatter is None:
            self.skipTest("clang-format-14 is not installed")
        files = tracked(".cpp", ".hpp")
        done = subprocess.run([ROOT / "scripts/format", "--check", *files], cwd=ROOT,
                              capture_output=True, text=True)
        differing = sorted({line.split(":")[0] for line in done.stderr.splitlines()
                            if "[-Wclang-format-violations]" in line})
        self.assertEqual((0, []), (done.returncode, differing), done.stderr[:2000])

    def test_shell_scripts_pass_shellcheck(self):
        checker = shutil.which("shellcheck")
        if checker is None:
            self.skipTest("shellcheck is not installed")
        files = [f for f in scripts() if "bash" in shebang(f)]
        done = subprocess.run([checker, *files], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout)

    def test_scripts_are_executable(self):
        self.assertEqual([], [f for f in scripts() if not os.access(ROOT / f, os.X_OK)])

    def test_every_source_is_in_its_meson_build(self):
        orphans = []
        for path in tracked(".cpp"):
            if not path.startswith("src/"):
                continue
            folder = (ROOT / path).parent
            while not (folder / "meson.build").is_file():
                folder = folder.parent
            # main.cpp belongs to the project's meson.build, not to a library.
            builds = [folder / "meson.build", ROOT / "meson.build"]
            name = (ROOT / path).relative_to(folder).as_posix()
            if not any(f"{name}'" in b.read_text() for b in builds):
                orphans.append(path)
        self.assertEqual([], orphans)

    def test_includes_follow_the_layers(self):
        done = subprocess.run([ROOT / "scripts/check-layers", ROOT / "src"], capture_output=True,
                              text=True)
        self.assertEqual(0, done.returncode, done.stderr)


class Canary(unittest.TestCase):
    """Each check must be able to fail."""

    PLANTED = {
        "columns": ("src/base/a.cpp", "// " + "x" * 98),
        "file_length": ("src/base/a.cpp", "\n" * 501),
        "licence": ("src/base/a.cpp", "// no licence\n"),
        "header_form": ("src/base/a.hpp", f"// {style_rules.SPDX}\n// A thing.\n\n#include <x>\n"),
        "own_header_first": ("src/base/a.cpp", '#include <vector>\n#include "base/a.hpp"\n'),
        "banned_words": ("src/base/a.cpp", "int x;  // " + "TO" + "DO: later\n"),
        "braces": ("src/base/a.cpp", "    if (x) y();\n"),
        "function_length": ("src/base/a.cpp", "int f(int a) {\n" + "    a++;\n" * 69 + "}\n"),
    }
    ALSO_WRONG = [
        ("banned_words", "src/core/a.cpp", "    std::mutex lock;\n"),
        ("banned_words", "src/app/a.cpp", '    std::printf("x");\n'),
        ("braces", "src/base/a.cpp", "    for (;;) work();\n"),
        ("braces", "src/base/a.cpp", "    } else if (x)\n"),
        ("braces", "src/base/a.cpp", "    } else\n"),
        ("function_length", "src/base/a.hpp",
         "class A {\n    void f() {\n" + "        a++;\n" * 69 + "    }\n};\n"),
    ]
    RIGHT = [
        ("banned_words", "src/app/a.cpp", '    const char* text = "printf(";  // not std::cout\n'),
        ("braces", "src/base/a.cpp", "    if (x) {\n"),
        ("braces", "src/base/a.cpp", "    } while (x);\n"),
        ("braces", "src/base/a.cpp", "    for (int i = 0; i < 1;\n         ++i) {\n"),
        ("function_length", "src/base/a.cpp", "int f(int a) {\n" + "    a++;\n" * 68 + "}\n"),
        ("function_length", "src/base/a.cpp", "int f() { return 1; }\n" + "\n" * 80 + "}\n"),
        ("function_length", "src/base/a.cpp",
         "    call(1,\n         2);\n" + "    a++;\n" * 80 + "    }\n"),
    ]

    def test_each_rule_finds_its_planted_mistake(self):
        rules = {rule.__name__: rule for rule in style_rules.RULES}
        self.assertEqual(set(rules), set(self.PLANTED))
        for name, path, text in [(n, *row) for n, row in self.PLANTED.items()] + self.ALSO_WRONG:
            with self.subTest(rule=name, text=text[:40]):
                self.assertTrue(rules[name](path, text))

    def test_rules_accept_what_is_right(self):
        rules = {rule.__name__: rule for rule in style_rules.RULES}
        for name, path, text in self.RIGHT:
            with self.subTest(rule=name, text=text[:40]):
                self.assertEqual([], rules[name](path, text))

    def check_layers(self, path: str, line: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder)
            for name in ("core/frame.hpp", "sinks/sink.hpp", path):
                file = source / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(line + "\n" if name == path else "")
            return subprocess.run([ROOT / "scripts/check-layers", source], capture_output=True,
                                  text=True)

    def test_layers_refuse_an_include_against_the_arrows(self):
        done = self.check_layers("core/planted.cpp", '#include "sinks/sink.hpp"')
        self.assertEqual(1, done.returncode)
        self.assertIn("src/core/planted.cpp:1: core must not include sinks/sink.hpp", done.stderr)

    def test_layers_refuse_dpdk_outside_its_folder(self):
        done = self.check_layers("sinks/planted.cpp", "#include <rte_mbuf.h>")
        self.assertEqual(1, done.returncode)

    def test_layers_refuse_a_clock_in_core(self):
        self.assertEqual(1, self.check_layers("core/planted.cpp", "#include <chrono>").returncode)

    def test_layers_accept_an_include_along_the_arrows(self):
        done = self.check_layers("sinks/planted.cpp", '#include "core/frame.hpp"')
        self.assertEqual(0, done.returncode, done.stderr)


if __name__ == "__main__":
    unittest.main()
