#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`tapwitness run` on every kind of port that needs no hardware and no huge pages."""

import collections
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import unittest

import live_support
import network
from live_support import (CAPTURES, LiveRun, STARTED, VethPair, comparable, frames_of, json_lines,
                          ip, needs_live, needs_root, number_after, read, run, temporary_folder,
                          with_microseconds)

GENERATOR = live_support.BUILD / "tests" / "support" / "generate_traffic"

# Timeouts off and no skew: then a file gives the same events live as with `read`.
CONFIGURATION = """
ports: [{{device: "pcap:{capture}"}}]
workers: {{cores: {cores}, distribution: {distribution}}}
analysis: {{direction_skew: 0ms}}
flows: {{max_per_worker: 200000, max_ipv6_per_worker: 50000, timeouts: {{enabled: false}}}}
outputs: {{events: {{path: "{folder}/events"}}, flows: {{path: "{folder}/flows"}}}}
"""


def generated(folder, *options):
    """A capture of generated traffic with microseconds."""
    subprocess.run([GENERATOR, "--out", folder / "nano.pcap", *options], check=True,
                   capture_output=True)
    with_microseconds(folder / "nano.pcap", folder / "traffic.pcap")
    return folder / "traffic.pcap"


# What a verdict consists of: it rests on time, and on what the ledger of a live run says, too.
FINDING = ("verdict", "cause", "confidence", "place", "side", "rule", "excluded", "possible",
           "asked", "lag", "cost", "sentence", "verdicts", "verdicts_complete")


@needs_live
class CaptureFilePort(unittest.TestCase):
    """net_pcap in a process that has no huge pages."""

    def setUp(self):
        self.folder = temporary_folder(self)

    def compare(self, capture, cores="[0]", distribution="auto", differing_share=0.0):
        """Runs the capture live; its outputs must be those of `read`, but for a share of the events
        where the times of the capture jump: how long an episode waits for evidence then depends on
        which frames a worker sees."""
        link = self.folder / "capture.pcap"
        link.unlink(missing_ok=True)
        link.symlink_to(capture)
        configuration = self.folder / "run.yaml"
        configuration.write_text(CONFIGURATION.format(
            capture=link, cores=cores, distribution=distribution, folder=self.folder))
        code, _, log = run("-c", configuration)
        self.assertEqual(0, code, log)
        skew = "--direction-skew=0ms"
        for output in ("events", "flows"):
            expected = comparable(read(capture, f"--{output}", "-", skew), FINDING)
            found = comparable((self.folder / output).read_text(), FINDING)
            if output == "events" and differing_share:
                missing = collections.Counter(expected) - collections.Counter(found)
                self.assertLessEqual(missing.total(), differing_share * len(expected),
                                     f"{list(missing)[:3]}")
            else:
                self.assertEqual(expected, found, f"{output} of {capture}:\n{log}")
        return log

    def project_captures(self):
        captures = sorted(CAPTURES.glob("*.pcap"))
        self.assertTrue(captures)
        for capture in captures:
            target = self.folder / ("micro-" + capture.name)
            with_microseconds(capture, target)
            yield target

    def test_one_worker_tells_what_read_tells(self):
        for capture in self.project_captures():
            with self.subTest(capture.name):
                self.compare(capture)

    def test_three_workers_behind_the_dispatcher_tell_what_read_tells(self):
        for capture in self.project_captures():
            with self.subTest(capture.name):
                self.compare(capture, cores="[0, 0, 0]")

    def test_hostile_traffic_over_three_workers(self):
        capture = generated(self.folder, "--packets", "60000", "--seed", "7", "--plain")
        log = self.compare(capture, cores="[0, 0, 0]", differing_share=0.002)
        self.assertIn("received 60,000 frames, analysed 60,000, lost by the capture 0", log)

    def test_hostile_tunnels_quotes_and_fragments_keep_to_their_connection(self):
        capture = generated(self.folder, "--packets", "60000", "--seed", "8")
        self.compare(capture, cores="[0, 0, 0]", differing_share=0.002)

    def test_a_dispatcher_may_feed_a_single_worker(self):
        capture = generated(self.folder, "--packets", "20000", "--profile", "realistic")
        self.compare(capture, cores="[0]", distribution="dispatcher")

    def test_a_sliced_file_is_analysed_by_its_ip_lengths(self):
        capture = generated(self.folder, "--packets", "20000", "--profile", "realistic",
                            "--snaplen", "96")
        self.compare(capture)

    def test_a_filter_is_counted(self):
        capture = self.folder / "in.pcap"
        with_microseconds(CAPTURES / "lost-segment.pcap", capture)
        code, output, log = run("--port", f"pcap:{capture}", "-f", "udp")
        self.assertEqual(0, code, log)
        self.assertEqual(1, len(json_lines(output)), "the schema and no event")
        frames = len(list(frames_of(capture)))
        self.assertIn(f"decode: filtered {frames}", log)

    def test_a_truncated_file_is_analysed_up_to_there(self):
        whole = generated(self.folder, "--packets", "1000")
        cut = self.folder / "cut.pcap"
        cut.write_bytes(whole.read_bytes()[:-7])
        code, _, log = run("--port", f"pcap:{cut}")
        self.assertEqual(0, code, log)
        self.assertIn("analysed 999", log)
        self.assertIn(" warning ", log)

    def test_an_empty_capture_ends_at_once(self):
        empty = self.folder / "empty.pcap"
        empty.write_bytes((CAPTURES / "lost-segment.pcap").read_bytes()[:24])
        code, output, log = run("--port", f"pcap:{empty}")
        self.assertEqual(0, code, log)
        self.assertEqual(1, len(json_lines(output)))

    def test_no_huge_pages_no_other_device_no_trace(self):
        capture = self.folder / "in.pcap"
        with_microseconds(CAPTURES / "lost-segment.pcap", capture)
        process = LiveRun("--port", f"pcap:{capture}")
        with process:
            self.assertEqual(0, process.wait(), process.log)
        left = pathlib.Path(f"/run/dpdk/tapwitness-{process.process.pid}")
        self.assertFalse(left.exists(), "EAL's files stay behind")


@needs_live
class VirtualPorts(unittest.TestCase):

    def start_and_stop(self, *arguments, number=signal.SIGTERM):
        with LiveRun(*arguments) as live:
            live.wait_for(STARTED)
            self.assertEqual(0, live.stop(number), "\n".join(live.log))
            json_lines(live.output)
            self.assertIn("unaccounted for 0 ", live.report("all ports")[0])
        return live

    def test_a_silent_ring_starts_and_stops(self):
        live = self.start_and_stop("--port", "net_ring0")
        self.assertIn("received 0 frames", live.report("port port0")[0])

    def test_interrupt_stops_like_terminate(self):
        self.start_and_stop("--port", "net_ring0", number=signal.SIGINT)

    def test_every_frame_of_an_endless_port_is_accounted_for(self):
        live = self.start_and_stop("--port", "net_null0")
        line = live.report("port port0")[0]
        received = number_after(line, "received")
        self.assertGreater(received, 0)
        self.assertEqual(received, number_after(line, "analysed"))

    def test_a_shortage_of_ring_room_is_counted(self):
        folder = temporary_folder(self)
        configuration = folder / "run.yaml"
        # Three busy threads on one CPU: the dispatcher gets ahead of its workers.
        configuration.write_text("""
ports: [{device: net_null0}, {device: net_null1}]
workers: {cores: [0, 0]}
log: {interval: 1s}
""")
        with LiveRun("-c", configuration) as live:
            live.wait_for("lost by the capture so far")
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        for line in live.port_lines():
            self.assertEqual(number_after(line, "received"),
                             number_after(line, "analysed") +
                             number_after(line, "worker's ring"), line)
        self.assertIn("unaccounted for 0 ", live.report("all ports")[0])

    def test_an_interval_line_tells_rates(self):
        folder = temporary_folder(self)
        (folder / "run.yaml").write_text("ports: [{device: net_null0}]\nlog: {interval: 200ms}\n")
        with LiveRun("-c", folder / "run.yaml") as live:
            live.wait_for("pps")
            self.assertEqual(0, live.stop())

    def test_memif_takes_every_frame_of_another_process(self):
        folder = temporary_folder(self)
        name = f"tapwitness-{os.getpid()}"
        self.addCleanup(shutil.rmtree, f"/run/dpdk/{name}-peer", ignore_errors=True)
        (folder / "run.yaml").write_text(
            f'ports: [{{device: "net_memif0,role=server,socket={name}"}}]\n'
            "log: {interval: 200ms}\n")
        with LiveRun("-c", folder / "run.yaml") as live:
            live.wait_for(STARTED)
            with self.sender(name) as peer:
                peer.stdin.write("set fwd txonly\nstart\n")
                peer.stdin.flush()
                live.wait_for("pps", but_not=" 0 new (")
                # The driver unmaps the ring under its reader when a peer goes away, so it must be
                # empty by then.
                peer.stdin.write("stop\n")
                peer.stdin.flush()
                live.wait_for(" 0 new (")
                told, _ = peer.communicate("quit\n", timeout=live_support.DEADLINE_SECONDS)
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        line = live.report("port port0")[0]
        sent = int(told.split("TX-packets: ")[1].split()[0])
        self.assertGreater(sent, 0)
        self.assertEqual(sent, number_after(line, "received"))
        self.assertEqual(sent, number_after(line, "analysed"))

    @staticmethod
    def sender(name):
        """testpmd at the other end of a memif, waiting for commands."""
        return subprocess.Popen(
            ["dpdk-testpmd", "--lcores", "0@0,1@1", "--no-huge", "-m", "256", "--no-pci",
             "--no-telemetry", "--no-shconf", "--file-prefix", name + "-peer",
             f"--vdev=net_memif0,role=client,socket={name}", "--", "-i", "--no-mlockall",
             "--total-num-mbufs=16384"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@needs_live
@needs_root
class InterfacePort(unittest.TestCase):
    """A kernel interface through net_af_packet, in network namespaces made for the test (root)."""

    def setUp(self):
        self.pair = VethPair()
        self.pair.__enter__()
        self.addCleanup(self.pair.__exit__)

    def listen(self, *arguments):
        return LiveRun("--iface", self.pair.right, *arguments,
                       prefix=VethPair.inside(self.pair.right_space))

    def test_frames_on_the_wire_give_the_events_of_their_capture(self):
        for name in ("lost-segment.pcap", "retransmission.pcap", "story-fin-overshoot.pcap"):
            with self.subTest(name):
                with self.listen() as live:
                    live.wait_for(STARTED)
                    self.pair.send_frames(frames_of(CAPTURES / name))
                    self.assertEqual(0, live.stop(), "\n".join(live.log))
                # All frames arrive at once here: what depends on time is another matter.
                timeless = ("time", "time_end", "resolution", "evidence", *FINDING)
                expected = comparable(read(CAPTURES / name, "--events", "-"), timeless)
                self.assertTrue(expected)
                self.assertEqual(expected, comparable(live.output, timeless))

    def test_two_capabilities_are_enough_without_root(self):
        capabilities = "-all,+net_raw,+net_admin"
        prefix = [*VethPair.inside(self.pair.right_space), "setpriv", "--reuid=65534",
                  "--regid=65534", "--clear-groups", f"--inh-caps={capabilities}",
                  f"--ambient-caps={capabilities}", f"--bounding-set={capabilities}"]
        with LiveRun("--iface", self.pair.right, prefix=prefix,
                     binary=live_support.for_everybody(self)) as live:
            live.wait_for(STARTED)
            self.pair.send_frames(frames_of(CAPTURES / "lost-segment.pcap"))
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertIn('"type":"hole"', live.output)

    def test_capabilities_of_the_file_are_enough_for_anybody(self):
        binary = live_support.for_everybody(self)
        subprocess.run(["setcap", "cap_net_raw,cap_net_admin+ep", binary], check=True)
        prefix = [*VethPair.inside(self.pair.right_space), "setpriv", "--reuid=65534",
                  "--regid=65534", "--clear-groups", "--inh-caps=-all"]
        with LiveRun("--iface", self.pair.right, prefix=prefix, binary=binary) as live:
            live.wait_for(STARTED)
            self.pair.send_frames(frames_of(CAPTURES / "lost-segment.pcap"))
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertIn('"type":"hole"', live.output)

    def test_an_interface_that_will_say_nothing_or_says_it_in_part_is_told(self):
        ip("-n", self.pair.right_space, "link", "set", self.pair.right, "mtu", "9000")
        ip("-n", self.pair.left_space, "link", "set", self.pair.left, "down")
        with self.listen() as live:
            live.wait_for(STARTED)
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        log = "\n".join(live.log)
        self.assertIn("right0 has no link partner", log)
        self.assertIn("right0 takes frames of 9018 bytes, of which the first 2048 or so", log)

    def test_several_workers_on_one_queue_are_fed_by_a_dispatcher(self):
        folder = temporary_folder(self)
        (folder / "run.yaml").write_text(f'ports: [{{device: "iface:{self.pair.right}"}}]\n'
                                         "workers: {cores: [0, 0], poll: adaptive}\n")
        with LiveRun("-c", folder / "run.yaml",
                     prefix=VethPair.inside(self.pair.right_space)) as live:
            live.wait_for(STARTED)
            self.pair.send_frames(frames_of(CAPTURES / "lost-segment.pcap"))
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        self.assertIn("2 workers on CPU 0, 0, fed by a dispatcher", "\n".join(live.log))
        self.assertIn('"type":"hole"', live.output)

    def test_a_real_conversation_is_followed_byte_by_byte(self):
        sent_bytes = 3_000_000
        folder = temporary_folder(self)
        with self.listen("--flows", str(folder / "flows")) as live:
            live.wait_for(STARTED)
            self.talk(sent_bytes)
            self.assertEqual(0, live.stop(), "\n".join(live.log))
        flows = [flow for flow in json_lines((folder / "flows").read_text())[1:]
                 if flow["dport"] == 7777]
        self.assertEqual(1, len(flows))
        # Segments arrive larger than any wire frame and cut by the ring: IP lengths count.
        self.assertGreaterEqual(flows[0]["bytes"]["c2s"], sent_bytes)
        self.assertEqual({"c2s": 0, "s2c": 0}, flows[0]["missing_bytes"])
        self.assertEqual(31, flows[0]["completeness"])
        self.assertTrue(flows[0]["client_known"] if "client_known" in flows[0] else True)

    def talk(self, sent_bytes):
        """One TCP connection from the left to the right end."""
        with network.inside(self.pair.right_space):
            server = socket.create_server(("10.77.0.2", 7777))
        with network.inside(self.pair.left_space):
            client = socket.socket()

        def serve():
            connection, _ = server.accept()
            with connection:
                while connection.recv(65536):
                    pass

        with server, client:
            thread = threading.Thread(target=serve)
            thread.start()
            client.connect(("10.77.0.2", 7777))
            client.sendall(bytes(sent_bytes))
            client.shutdown(socket.SHUT_WR)
            thread.join()
            while client.recv(65536):
                pass


@needs_live
class Mistakes(unittest.TestCase):
    """One line, the right exit code, nothing left running."""

    def refused(self, code, words, *arguments, **popen):
        found, output, log = run(*arguments, **popen)
        lines = [line for line in log.splitlines() if line.startswith("tapwitness: ")]
        self.assertEqual(code, found, log)
        self.assertEqual(1, len(lines), log)
        self.assertIn(words, lines[0])
        self.assertEqual("", output)

    def test_interface_that_does_not_exist(self):
        self.refused(2, "there is no interface nope0", "--iface", "nope0")

    def test_driver_that_does_not_exist(self):
        self.refused(2, "no driver is called net_typo", "--port", "net_typo0")

    def test_driver_that_refuses_gives_its_reason(self):
        self.refused(3, "Failed to connect socket", "--port",
                     f"net_memif0,role=client,socket=tapwitness-nobody-{os.getpid()}")

    def test_pci_device_that_does_not_exist(self):
        self.refused(2, "there is no PCI device 0000:fe:1f.7", "--port", "0000:fe:1f.7")

    def test_no_device_at_all(self):
        self.refused(2, "allowed: a PCI address", "--port", "eth0")

    def test_file_that_does_not_exist(self):
        self.refused(2, "No such file or directory", "--port", "pcap:/nonexistent.pcap")

    def test_file_that_is_no_capture(self):
        self.refused(2, "not a capture", "--port", f"pcap:{__file__}")

    def test_folder_for_a_file(self):
        self.refused(2, "not a regular file", "--port", "pcap:/tmp")

    def test_files_beside_live_ports(self):
        capture = CAPTURES / "lost-segment.pcap"
        self.refused(2, "bring their own time", "--port", f"pcap:{capture}", "--port", "net_ring0")

    def test_a_device_given_twice(self):
        self.refused(2, "net_ring0", "--port", "net_ring0", "--port", "net_ring0")

    def test_neither_configuration_nor_port(self):
        self.refused(2, "give either -c FILE or ports")

    def test_configuration_that_does_not_exist(self):
        self.refused(2, "/nonexistent.yaml", "-c", "/nonexistent.yaml")

    def test_filter_that_does_not_compile(self):
        self.refused(2, "filter", "--port", "net_ring0", "-f", "tcp prot 80")

    def test_output_that_cannot_be_written(self):
        self.refused(2, "/nonexistent/events", "--port", "net_ring0", "--events",
                     "/nonexistent/events")

    def test_cpu_that_is_not_there(self):
        folder = temporary_folder(self)
        (folder / "run.yaml").write_text(
            "ports: [{device: net_ring0}]\nworkers: {cores: [1023]}\n")
        self.refused(2, "CPU 1023 is not available", "-c", folder / "run.yaml")

    def test_rss_where_no_nic_is(self):
        folder = temporary_folder(self)
        (folder / "run.yaml").write_text("ports: [{device: net_ring0}]\n"
                                         "workers: {cores: [0, 0], distribution: rss}\n")
        self.refused(2, "allowed here: auto, dispatcher", "-c", folder / "run.yaml")

    def test_kernel_fan_out_is_refused(self):
        self.refused(2, "qpairs must be 1", "--port", "net_af_packet0,iface=lo,qpairs=2")

    @needs_root
    def test_no_permission_says_which(self):
        self.refused(2, "CAP_NET_RAW and CAP_NET_ADMIN", "--iface", "lo", user=65534,
                     binary=live_support.for_everybody(self))


if __name__ == "__main__":
    unittest.main()
