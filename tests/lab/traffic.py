#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The two ends of the lab's conversations, over the kernel's own TCP.

usage: traffic.py serve ADDRESS PORT          prints "ready", serves until killed
       traffic.py drive ADDRESS PORT PLAN     PLAN: a JSON list of conversations, see Conversation
"""
import asyncio
import dataclasses
import json
import socket
import struct
import sys

HEADER = struct.Struct(">IIHBB")  # up, down, rounds, server closes first, unused
CHUNK = 65536


@dataclasses.dataclass
class Conversation:
    """`rounds` times: the client sends `up` bytes, the server answers with `down` bytes."""
    up: int = 100
    down: int = 1000
    rounds: int = 1
    gap: float = 0.0      # seconds the client thinks between rounds
    start: float = 0.0    # seconds after the start of the plan
    pause: float = 0.0    # seconds the client does not read, from the first byte on
    window: int = 0       # bytes of its receive buffer, 0 = the system's choice
    patience: float = 8.0  # seconds after which the client gives up
    server_closes: bool = False


async def receive(loop, sock, count):
    left = count
    while left > 0:
        data = await loop.sock_recv(sock, min(left, CHUNK))
        if not data:
            raise ConnectionResetError
        left -= len(data)


def small_writes(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)


async def exactly(loop, sock, size):
    """So many bytes; None where the connection ends before."""
    data = b""
    while len(data) < size:
        more = await loop.sock_recv(sock, size - len(data))
        if not more:
            return None
        data += more
    return data


async def answer(loop, sock):
    """One connection as the server sees it."""
    with sock:
        small_writes(sock)
        try:
            header = await exactly(loop, sock, HEADER.size)
            if header is None:
                return
            up, down, rounds, closes, _ = HEADER.unpack(header)
            for number in range(rounds):
                await receive(loop, sock, up - (HEADER.size if number == 0 else 0))
                await loop.sock_sendall(sock, bytes(down))
            if not closes:
                await loop.sock_recv(sock, 1)
        except OSError:
            pass  # the path's doing: what the lab is about


async def serve(address, port):
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        listener.setblocking(False)
        print("ready", flush=True)
        tasks = set()
        while True:
            sock, _ = await loop.sock_accept(listener)
            task = loop.create_task(answer(loop, sock))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def converse(loop, target, plan):
    await asyncio.sleep(plan.start)
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        if plan.window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, plan.window)
        small_writes(sock)
        await loop.sock_connect(sock, target)
        header = HEADER.pack(plan.up, plan.down, plan.rounds, plan.server_closes, 0)
        for number in range(plan.rounds):
            data = (header if number == 0 else b"").ljust(plan.up, b"\0")
            await loop.sock_sendall(sock, data)
            if number == 0 and plan.pause:
                await receive(loop, sock, 1)
                await asyncio.sleep(plan.pause)
                await receive(loop, sock, plan.down - 1)
            else:
                await receive(loop, sock, plan.down)
            await asyncio.sleep(plan.gap)
        if plan.server_closes:
            await loop.sock_recv(sock, 1)


async def drive(address, port, plans):
    """All conversations at once; prints how many came to their end."""
    loop = asyncio.get_running_loop()
    done = await asyncio.gather(
        *(asyncio.wait_for(converse(loop, (address, port), plan), plan.start + plan.patience)
          for plan in plans), return_exceptions=True)
    bad = [one for one in done if isinstance(one, BaseException)]
    for one in bad:
        if not isinstance(one, (OSError, asyncio.TimeoutError)):
            raise one
    print(len(done) - len(bad), flush=True)


def main():
    role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if role == "serve":
        asyncio.run(serve(address, port))
    else:
        asyncio.run(drive(address, port, [Conversation(**one) for one in json.loads(sys.argv[4])]))


if __name__ == "__main__":
    main()
