#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""docker/Dockerfile holds together: its sources and packages exist, and the run-time image has each
library the binary links to and the parts DPDK loads by itself."""
import functools
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import dockerfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker/Dockerfile"
LOADED_AT_RUN_TIME = {"librte-mempool-ring23", "librte-bus-pci23", "librte-bus-vdev23",
                      "librte-net-pcap23", "librte-net-af-packet23", "librte-net-memif23"}


def runtime_packages() -> tuple[str, ...]:
    last = dockerfile.stages_of(DOCKERFILE.read_text())[-1]
    return tuple(p for s in last.steps if s.word == "RUN" for p in dockerfile.packages_of(s))


@functools.cache
def closure(packages: tuple[str, ...]) -> set[str]:
    """The packages and everything they depend on."""
    found = subprocess.run(["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests",
                            "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances",
                            *packages], capture_output=True, text=True, check=True).stdout
    name = re.compile(r"^(?:\s+(?:Pre)?Depends: )?([a-z0-9][a-z0-9.+-]+)$", re.MULTILINE)
    return set(name.findall(found))


def packages_linked(binary: str) -> dict[str, str]:
    """package -> library, for every shared library of the binary."""
    listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"=> (/\S+)", listed)
    # dpkg knows a library by the path it was packed with, before /lib became a link.
    names = [n for path in libraries for n in (path, os.path.realpath(path))]
    owners = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True).stdout
    owner_of = {path: owner.split(":")[0] for owner, path in
                re.findall(r"^(\S+): (/\S+)$", owners, re.MULTILINE)}
    return {owner_of.get(path, owner_of.get(os.path.realpath(path), f"no package has {path}")): path
            for path in libraries}


class Dockerfile(unittest.TestCase):
    def test_lint_finds_nothing(self):
        self.assertEqual([], dockerfile.errors_of(DOCKERFILE.read_text(), ROOT))

    @unittest.skipUnless(shutil.which("apt-cache"), "no apt-cache")
    def test_packages_exist(self):
        # After scripts/setup the lists may be gone again; installed packages are known anyway.
        if not subprocess.run(["apt-cache", "show", "debootstrap"], capture_output=True).stdout:
            self.skipTest("no package lists: apt-get update")
        shown = subprocess.run(["apt-cache", "show", "--no-all-versions", *runtime_packages()],
                               capture_output=True, text=True).stdout
        known = set(re.findall(r"^Package: (\S+)$", shown, re.MULTILINE))
        self.assertEqual(set(), set(runtime_packages()) - known)

    @unittest.skipUnless(os.environ.get("TAPWITNESS_LIVE") == "1", "needs the build with DPDK")
    def test_runtime_image_has_every_library(self):
        available = closure(runtime_packages())
        missing = {p: path for p, path in packages_linked(os.environ["TAPWITNESS"]).items()
                   if p not in available}
        self.assertEqual({}, missing)

    @unittest.skipUnless(os.environ.get("TAPWITNESS_LIVE") == "1", "needs the build with DPDK")
    def test_runtime_image_has_what_dpdk_loads_by_itself(self):
        self.assertEqual(set(), LOADED_AT_RUN_TIME - closure(runtime_packages()))


class Canary(unittest.TestCase):
    GOOD = 'FROM debian:bookworm AS build\nRUN true\nFROM debian:bookworm\n' \
           'COPY --from=build /a /a\nENTRYPOINT ["/a"]\n'
    PLANTED = {
        "fixed release": GOOD.replace("FROM debian:bookworm\n", "FROM debian\n"),
        "does not exist": GOOD.replace("--from=build /a", "no-such-file"),
        "no such stage": GOOD.replace("--from=build", "--from=biuld"),
        "JSON list": GOOD.replace('["/a"]', "/a"),
        "no ENTRYPOINT": GOOD.replace("ENTRYPOINT", "CMD"),
        "without --no-install-recommends": GOOD.replace(
            "RUN true", "RUN apt-get update && apt-get install -y x && rm -r /var/lib/apt/lists"),
        "not an instruction": GOOD.replace("RUN", "RUNN"),
        "absolute": GOOD.replace("RUN true", "WORKDIR a"),
    }

    def test_lint_accepts_what_is_right(self):
        self.assertEqual([], dockerfile.errors_of(self.GOOD, ROOT))

    def test_lint_finds_each_planted_mistake(self):
        for sentence, text in self.PLANTED.items():
            with self.subTest(sentence):
                self.assertIn(sentence, "\n".join(dockerfile.errors_of(text, ROOT)))

    @unittest.skipUnless(shutil.which("apt-cache"), "no apt-cache")
    def test_a_missing_library_would_be_found(self):
        self.assertNotIn("librte-hash23", closure(("libpcap0.8",)))


if __name__ == "__main__":
    unittest.main()
