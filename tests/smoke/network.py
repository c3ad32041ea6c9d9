# SPDX-License-Identifier: BSD-3-Clause
"""Small networks out of network namespaces and veth pairs, made for one test and removed after it.
Nothing of the host is touched. Needs root."""

import contextlib
import ctypes
import hashlib
import os
import socket
import subprocess
import tempfile
import time
import unittest

SOL_PACKET, PACKET_AUXDATA = 263, 8
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
VLAN_VALID = 1 << 4  # TP_STATUS_VLAN_VALID
HTTP_PORT = 8000


def needs_tools(case):
    """Skips where a tool is missing that scripts/setup installs."""
    for tool in ("curl", "ethtool", "tc"):
        if subprocess.run(["which", tool], capture_output=True, check=False).returncode != 0:
            return unittest.skip(f"{tool} is not installed")(case)
    return case


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stderr}")
    return done.stdout


@contextlib.contextmanager
def inside(space):
    """This thread's new sockets belong to `space`."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", encoding="ascii") as home, \
            open(f"/run/netns/{space}", encoding="ascii") as there:
        if libc.setns(there.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(home.fileno(), 0)


class Network:
    """Namespaces by short names of the test's own; the kernel knows them with the process id."""

    def __init__(self, case, *names):
        self.spaces = {name: f"tw{os.getpid()}{name}" for name in names}
        for space in self.spaces.values():
            run("ip", "netns", "add", space)
            case.addCleanup(subprocess.run, ["ip", "netns", "del", space], check=False,
                            capture_output=True)
            # Neighbour discovery and the like would mix with the frames of the test.
            run("ip", "netns", "exec", space, "sysctl", "-qw",
                "net.ipv6.conf.default.disable_ipv6=1", "net.ipv6.conf.all.disable_ipv6=1")

    def prefix(self, name):
        return ["ip", "netns", "exec", self.spaces[name]]

    def run(self, name, *words):
        return run(*self.prefix(name), *words)

    def veth(self, left, right):
        """A veth pair between two (namespace, interface), both up, without any offload: the
        frames are those of a wire."""
        run("ip", "-n", self.spaces[left[0]], "link", "add", left[1], "type", "veth", "peer",
            "name", right[1], "netns", self.spaces[right[0]])
        for name, interface in (left, right):
            self.plain(name, interface)

    def plain(self, name, interface):
        run("ip", "-n", self.spaces[name], "link", "set", interface, "up")
        # What a device does not have cannot be turned off; that is no error.
        subprocess.run([*self.prefix(name), "ethtool", "-K", interface, "tx", "off", "tso", "off",
                        "gso", "off", "gro", "off"], capture_output=True, check=False)

    def address(self, name, interface, address):
        run("ip", "-n", self.spaces[name], "addr", "add", address, "dev", interface)

    def mirror(self, name, interface, direction, target):
        """Copies what arrives at ("ingress") or leaves by ("egress") the interface."""
        if "clsact" not in self.run(name, "tc", "qdisc", "show", "dev", interface):
            self.run(name, "tc", "qdisc", "add", "dev", interface, "clsact")
        self.run(name, "tc", "filter", "add", "dev", interface, direction, "protocol", "all",
                 "u32", "match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev",
                 target)

    def socket(self, name, interface):
        """Raw frames of an interface, VLAN tags put back where they were."""
        with inside(self.spaces[name]):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        wire.bind((interface, ETH_P_ALL))
        wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        return wire


def received(wire, count, seconds=3.0, silence=0.2):
    """The frames that arrive: `count`, and whatever follows within `silence`."""
    frames = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        wire.settimeout(silence if len(frames) >= count else seconds)
        try:
            data, ancillary, _, address = wire.recvmsg(65536, 64)
        except TimeoutError:
            break
        if address[2] == socket.PACKET_OUTGOING:
            continue
        for _, _, auxdata in ancillary:
            status, tci = int.from_bytes(auxdata[:4], "little"), auxdata[16:18]
            if status & VLAN_VALID:
                data = data[:12] + b"\x81\x00" + tci[::-1] + data[12:]
        frames.append(data)
    return frames


class WebServer:
    """One file of random bytes behind HTTP in a namespace, and curl in another."""

    def __init__(self, case, network, name, size):
        folder = tempfile.TemporaryDirectory(prefix="tapwitness-smoke-")
        case.addCleanup(folder.cleanup)
        content = os.urandom(size)
        self.hash = hashlib.sha256(content).hexdigest()
        self.network = network
        with open(f"{folder.name}/file", "wb") as file:
            file.write(content)
        self.process = subprocess.Popen(
            [*network.prefix(name), "python3", "-m", "http.server", "--directory", folder.name,
             str(HTTP_PORT)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"})
        case.addCleanup(self.stop)
        self.process.stdout.readline()  # "Serving HTTP on ..."

    def fetch(self, name, address, *options):
        """What curl in the namespace gets, as a hash."""
        done = subprocess.run(
            [*self.network.prefix(name), "curl", "-sS", "--max-time", "20", *options,
             f"http://{address}:{HTTP_PORT}/file"], capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"curl: {done.stderr.decode()}")
        return hashlib.sha256(done.stdout).hexdigest()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
