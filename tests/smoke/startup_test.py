#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`tapwitness run` that cannot start says why in one line: what, where, and what to do."""

import glob
import os
import pathlib
import resource
import shutil
import subprocess
import unittest

import live_support
from live_support import (LiveRun, STARTED, needs_live, needs_root, run, temporary_folder)


def kernel_pci_device():
    """A PCI network card that belongs to the kernel; None if this host has none."""
    for folder in sorted(pathlib.Path("/sys/bus/pci/devices").glob("*")):
        network = (folder / "class").read_text().startswith("0x02")
        driver = folder / "driver"
        if network and driver.exists() and driver.resolve().name not in (
                "vfio-pci", "igb_uio", "uio_pci_generic", "mlx5_core", "mlx4_core", "mana"):
            return folder.name
    return None


class Refused(unittest.TestCase):

    def setUp(self):
        self.folder = temporary_folder(self)

    def refused(self, code, words, *arguments, **popen):
        found, output, log = run(*arguments, **popen)
        lines = [line for line in log.splitlines() if line.startswith("tapwitness: ")]
        self.assertEqual(code, found, log)
        self.assertEqual(1, len(lines), log)
        for text in (words,) if isinstance(words, str) else words:
            self.assertIn(text, lines[0])
        self.assertEqual("", output)

    def configured(self, text):
        path = self.folder / "run.yaml"
        path.write_text(text)
        return ("-c", path)


@needs_live
class Names(Refused):

    def test_a_driver_nearly_right(self):
        self.refused(2, "no driver is called net_memi; did you mean net_memif?",
                     "--port", "net_memi0,role=server")

    def test_an_argument_nearly_right(self):
        self.refused(2, ["run.yaml:1:18: ports[0].device", "no argument rolle; did you mean role?"],
                     *self.configured('ports: [{device: "net_memif0,rolle=server"}]'))

    def test_an_interface_nearly_right(self):
        self.refused(2, "there is no interface loo; did you mean lo?", "--iface", "loo")

    def test_a_key_nearly_right(self):
        self.refused(2, "did you mean workers?",
                     *self.configured("ports: [{device: net_ring0}]\nworker: {cores: [0]}"))


@needs_live
class Devices(Refused):

    def test_one_that_belongs_to_the_kernel(self):
        address = kernel_pci_device()
        if address is None:
            self.skipTest("no PCI network card of the kernel here")
        self.refused(2, ["belongs to the kernel driver", f"--bind=vfio-pci {address}"],
                     "--port", address)

    def test_a_socket_another_monitor_serves(self):
        device = f"net_memif0,role=server,socket=tapwitness-twice-{os.getpid()}"
        with LiveRun("--port", device) as first:
            first.wait_for(STARTED)
            self.refused(2, [f"served by process {first.process.pid} tapwitness", "socket=NAME"],
                         "--port", device)
            self.assertEqual(0, first.stop())

    @needs_root
    def test_a_driver_whose_package_is_missing(self):
        self.refused_without("net_memif", 2, ["the driver net_memif is not installed in",
                                              "apt install librte-net-memif2"],
                             "net_memif0,role=server")

    @needs_root
    def test_a_pool_driver_whose_package_is_missing(self):
        self.refused_without("mempool_ring", 3, "apt install librte-mempool-ring2", "net_ring0")

    def refused_without(self, missing, code, words, device):
        """As if the library `missing` were not there, for this one process."""
        drivers = glob.glob("/usr/lib/*/dpdk/pmds-*")
        self.assertEqual(1, len(drivers))
        rest = self.folder / "drivers"
        shutil.copytree(drivers[0], rest, symlinks=True)
        for library in rest.glob(f"librte_{missing}.so*"):
            library.unlink()
        script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", rest, drivers[0],
                               live_support.BINARY, "run", "--port", device],
                              capture_output=True, text=True, check=False,
                              timeout=live_support.DEADLINE_SECONDS)
        self.assertEqual(code, done.returncode, done.stderr)
        last = done.stderr.splitlines()[-1]
        for text in (words,) if isinstance(words, str) else words:
            self.assertIn(text, last)


@needs_live
class Outputs(Refused):

    def test_one_that_another_monitor_writes(self):
        events = self.folder / "events"
        with LiveRun("--port", "net_ring0", "--events", events) as first:
            first.wait_for(STARTED)
            before = events.read_text()
            self.refused(2, f"{events}: written by another process (pid {first.process.pid}, "
                         "tapwitness)", "--port", "net_ring0", "--events", events)
            self.assertEqual(before, events.read_text())
            self.assertEqual(0, first.stop())
        self.assertEqual(0, self.starts(events), "free once the first has gone")

    def starts(self, events):
        with LiveRun("--port", "net_ring0", "--events", events) as live:
            live.wait_for(STARTED)
            return live.stop()

    def test_two_in_one_file(self):
        out = self.folder / "out"
        self.refused(2, "each output has its own", "--port", "net_ring0",
                     "--events", out, "--flows", out)

    def test_a_folder_that_is_missing(self):
        self.refused(2, "nowhere/events: cannot write: No such file or directory",
                     "--port", "net_ring0", "--events", self.folder / "nowhere" / "events")

    def test_a_log_that_cannot_be_written(self):
        self.refused(2, "log.path: ", *self.configured(
            f'ports: [{{device: net_ring0}}]\nlog: {{path: "{self.folder}"}}'))

    def test_a_full_disk_is_known_at_once(self):
        self.refused(3, "/dev/full: cannot write: No space left on device",
                     "--port", "net_ring0", "--events", "/dev/full")

    @needs_root
    def test_a_folder_of_somebody_else(self):
        self.folder.chmod(0o755)
        self.refused(2, "events: cannot write: Permission denied", "--port", "net_ring0",
                     "--events", self.folder / "events", user=65534,
                     binary=live_support.for_everybody(self))


@needs_live
class Resources(Refused):

    def test_a_cpu_that_is_not_there(self):
        self.refused(2, ["CPU 1023 is not available", "allowed: "], *self.configured(
            "ports: [{device: net_ring0}]\nworkers: {cores: [0, 1023]}"))

    def test_more_workers_than_the_port_has_queues_and_no_dispatcher(self):
        self.refused(2, ["run.yaml:2:40: workers.distribution", "allowed here: auto, dispatcher"],
                     *self.configured("ports: [{device: net_ring0}]\n"
                                      "workers: {cores: [0, 0], distribution: rss}"))

    def test_more_memory_than_the_process_may_have(self):
        limit = 2_000_000_000
        self.refused(3, ["run.yaml:2:25: flows.max_per_worker", "more than this process may"],
                     *self.configured("ports: [{device: net_ring0}]\n"
                                      "flows: {max_per_worker: 9_000_000}"),
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))

    def test_packet_buffers_that_find_no_memory(self):
        self.refused(3, "MiB for", *self.configured(
            "ports: [{device: net_ring0}]\nflows: {max_per_worker: 1000, max_ipv6_per_worker: 1000}"
            "\neal: {args: [-m, '8']}"))


if __name__ == "__main__":
    unittest.main()
