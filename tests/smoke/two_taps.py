# SPDX-License-Identifier: BSD-3-Clause
"""TCP connections through a router as two perfect taps see them: for the tests of `firewall`."""
import struct

from capture_files import ACK, FIN, PSH, RST, SYN, address

SERVER = "10.20.0.10"
CLIENT = "203.0.113.7"


def total(data: bytes) -> int:
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value ^ 0xFFFF


class Wire:
    """What the taps outside and inside of a router see, with checksums as on a wire."""

    def __init__(self):
        self.taps = {"outside": [], "inside": []}
        self.ip_id = 0

    def frame(self, source, destination, seq, ack, flags, payload, ttl):
        ends = address(source[0]) + address(destination[0])
        tcp = struct.pack("!HHIIBBHHH", source[1], destination[1], seq, ack, 5 << 4, flags, 64240,
                          0, 0) + payload
        check = total(ends + struct.pack("!HH", 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), self.ip_id, 0x4000, ttl, 6, 0)
        ip = ip[:10] + struct.pack("!H", total(ip + ends)) + ends
        return bytes(6) + b"\x02" + bytes(5) + b"\x08\x00" + ip + tcp

    def send(self, time, source, destination, seq, ack, flags, payload=b"", taps=None):
        """Enters at the tap of its sender; leaves 50 us later at the other one."""
        self.ip_id = (self.ip_id + 1) % 65536 or 1
        ways = ["inside", "outside"] if source[0] == SERVER else ["outside", "inside"]
        for i, tap in enumerate(ways):
            if taps is None or tap in taps:
                self.taps[tap].append((time + i * 50e-6, self.frame(
                    source, destination, seq, ack, flags, payload, 64 - i)))

    def talk(self, begin, port, to, packets=1):
        """One packet and its answer each half second."""
        client, server = (CLIENT, port), (SERVER, to)
        c, s = port * 1000, port * 2000
        self.send(begin, client, server, c, 0, SYN)
        self.send(begin + .001, server, client, s, c + 1, SYN | ACK)
        self.send(begin + .002, client, server, c + 1, s + 1, ACK)
        c, s, time = c + 1, s + 1, begin
        for i in range(packets):
            time = begin + .01 + i / 2
            self.send(time, client, server, c, s, PSH | ACK, b"ask%04d" % i)
            self.send(time + .001, server, client, s, c + 7, PSH | ACK, b"answer%04d" % i)
            self.send(time + .002, client, server, c + 7, s + 10, ACK)
            c, s = c + 7, s + 10
        self.send(time + .01, client, server, c, s, FIN | ACK)
        self.send(time + .011, server, client, s, c + 1, FIN | ACK)
        self.send(time + .012, client, server, c + 1, s + 1, ACK)

    def dropped(self, begin, port, to):
        for late in (0, 1, 3):
            self.send(begin + late, (CLIENT, port), (SERVER, to), port, 0, SYN,
                      taps=["outside"])

    def refused(self, begin, port, to):
        client, server = (CLIENT, port), (SERVER, to)
        self.send(begin, client, server, port, 0, SYN, taps=["outside"])
        self.send(begin + .0001, server, client, 0, port + 1, RST | ACK, taps=["outside"])

    def usual(self):
        """Long enough that nothing to judge lies at an end of the capture."""
        self.talk(0, 40000, 8080, packets=24)
        for i in range(5):
            self.talk(3 + i / 10, 41000 + i, 8080)
        return self
