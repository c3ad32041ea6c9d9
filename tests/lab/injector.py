# SPDX-License-Identifier: BSD-3-Clause
"""A third party in the path: watches a port of the switch and answers a server's data with a reset
towards the client that claims to come from the server."""
import socket
import struct
import threading

import network

FORGED_TTL, FORGED_ID, FORGED_WINDOW = 200, 0xBEEF, 0
DATA_FRAMES_BEFORE = 8


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def forged_reset(frame):
    """A reset right behind the data of `frame`, an Ethernet frame with IPv4."""
    header = (frame[14] & 15) * 4
    addresses = frame[26:34]
    tcp = frame[14 + header:]
    payload = struct.unpack(">H", frame[16:18])[0] - header - (tcp[12] >> 4) * 4
    sequence = (struct.unpack(">I", tcp[4:8])[0] + payload) & 0xFFFFFFFF
    segment = struct.pack(">4sIIBBHHH", tcp[:4], sequence, 0, 5 << 4, 4, FORGED_WINDOW, 0, 0)
    pseudo = addresses + struct.pack(">BBH", 0, 6, len(segment))
    segment = segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]
    packet = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), FORGED_ID, 0, FORGED_TTL, 6, 0)
    packet += addresses
    packet = packet[:10] + struct.pack(">H", checksum(packet)) + packet[12:]
    return frame[:14] + packet + segment


class ResetInjector:
    """Forges one reset per connection once the server has sent some data."""

    def __init__(self, space, device, port):
        with network.inside(space):
            self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                      socket.htons(network.ETH_P_ALL))
        self.wire.bind((device, network.ETH_P_ALL))
        self.wire.settimeout(0.1)
        self.port = port
        self.seen = {}
        self.stopping = False
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.stopping:
            try:
                frame, address = self.wire.recvfrom(65536)
            except TimeoutError:
                continue
            if address[2] != socket.PACKET_OUTGOING or frame[12:14] != b"\x08\x00":
                continue
            tcp = frame[14 + (frame[14] & 15) * 4:]
            if frame[23] != 6 or struct.unpack(">H", tcp[:2])[0] != self.port or len(tcp) < 500:
                continue
            client = tcp[2:4]
            self.seen[client] = self.seen.get(client, 0) + 1
            if self.seen[client] == DATA_FRAMES_BEFORE:
                self.wire.send(forged_reset(frame))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        self.wire.close()
