#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The two ends of the firewall lab's conversations, over the kernel's own TCP, and what an end may
do besides: half-close, abort, take a port again, send segments that TCP would not.

usage: ends.py serve ADDRESS PORT...     prints "ready", serves until killed
       ends.py drive ADDRESS PLAN        PLAN: JSON, {"talks": [Talk…], "beat": PORT, "lead": S,
                                         "tail": S}; prints a JSON list, how each talk ended
"""
import asyncio
import dataclasses
import json
import pathlib
import random
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import forge  # noqa: E402
from traffic import exactly, receive, small_writes  # noqa: E402

HEADER = struct.Struct(">IIHBH")  # up, down, rounds, who closes, hundredths of a second it waits
CLIENT, SERVER, HALF, RESET = range(4)
BEAT_SECONDS = 0.15


@dataclasses.dataclass
class Talk:
    """`rounds` times: the client sends `up` bytes, the server answers with `down` bytes."""
    up: int = 100
    down: int = 1000
    rounds: int = 1
    gap: float = 0.0         # seconds the client thinks after each round
    gaps: tuple = ()         # the same, one by one
    start: float = 0.0       # seconds after the start of the plan
    patience: float = 8.0    # seconds after which the client gives up
    port: int = 8080
    address: str = ""        # of the server, where it is not everybody's
    source: str = ""         # address of the client
    source_port: int = 0
    pause: float = 0.0       # seconds the client does not read, from the first byte on
    window: int = 0          # bytes of its receive buffer, 0 = the system's choice
    close: int = CLIENT      # HALF: the client's FIN first, `wait` later an answer; RESET: aborted
    wait: float = 0.0        # seconds until the close (or, HALF, the answer)
    last_words: tuple = ()   # the client says so, one by one, before it closes
    forged: tuple = ()       # forge.Segment as words, sent before the close
    late: tuple = ()         # the same, after it


def filler(count):
    """Bytes that differ from packet to packet."""
    return random.Random(count).randbytes(count)


async def until_end(loop, sock):
    while await loop.sock_recv(sock, 65536):
        pass


async def answer(loop, sock):
    """One connection as the server sees it."""
    with sock:
        small_writes(sock)
        try:
            header = await exactly(loop, sock, HEADER.size)
            if header is None:
                return
            up, down, rounds, close, wait = HEADER.unpack(header)
            payload = filler(down)
            for number in range(rounds):
                await receive(loop, sock, up - (HEADER.size if number == 0 else 0))
                await loop.sock_sendall(sock, payload)
            if close == SERVER:
                await asyncio.sleep(wait / 100)
                return
            await until_end(loop, sock)
            if close == HALF:
                await asyncio.sleep(wait / 100)
                await loop.sock_sendall(sock, payload)
        except OSError:
            pass  # the firewall's doing: what the lab is about


async def listen(loop, address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        listener.setblocking(False)
        tasks = set()
        while True:
            sock, _ = await loop.sock_accept(listener)
            task = loop.create_task(answer(loop, sock))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def serve(address, ports):
    loop = asyncio.get_running_loop()
    listeners = [loop.create_task(listen(loop, address, port)) for port in ports]
    await asyncio.sleep(0)
    print("ready", flush=True)
    await asyncio.gather(*listeners)


def open_socket(talk):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if talk.window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, talk.window)
    if talk.source or talk.source_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((talk.source, talk.source_port))
    small_writes(sock)
    return sock


async def rounds(loop, sock, talk):
    header = HEADER.pack(talk.up, talk.down, talk.rounds, talk.close, int(talk.wait * 100))
    payload = filler(talk.up)
    for number in range(talk.rounds):
        await loop.sock_sendall(sock, header + payload[HEADER.size:] if number == 0 else payload)
        if number == 0 and talk.pause:
            await receive(loop, sock, 1)
            await asyncio.sleep(talk.pause)
            await receive(loop, sock, talk.down - 1)
        else:
            await receive(loop, sock, talk.down)
        await asyncio.sleep(talk.gaps[number] if number < len(talk.gaps) else talk.gap)


async def finish(loop, sock, talk):
    for words in talk.last_words:
        await loop.sock_sendall(sock, words.encode())
        await asyncio.sleep(0.1)
    if talk.close == HALF:
        sock.shutdown(socket.SHUT_WR)
        await receive(loop, sock, talk.down)
        await until_end(loop, sock)
    elif talk.close == SERVER:
        await until_end(loop, sock)
    elif talk.close == RESET:
        await asyncio.sleep(talk.wait)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def converse(loop, address, talk):
    await asyncio.sleep(talk.start)
    with open_socket(talk) as sock:
        await loop.sock_connect(sock, (talk.address or address, talk.port))
        await rounds(loop, sock, talk)
        numbers = forge.numbers(sock) if talk.forged or talk.late else None
        for words in talk.forged:
            await forge.send(numbers, forge.Segment(**words))
        await finish(loop, sock, talk)
    for words in talk.late:
        await forge.send(numbers, forge.Segment(**words))


async def outcome(loop, address, talk):
    try:
        await asyncio.wait_for(converse(loop, address, talk), talk.start + talk.patience)
    except (TimeoutError, asyncio.TimeoutError):
        return "gave up"
    except ConnectionResetError:
        return "reset"
    except OSError as error:
        return error.strerror
    return "done"


async def beat(loop, address, port, stopping):
    """A conversation of small exchanges that lasts as long as all others."""
    talk = Talk(port=port, rounds=60000, up=64, down=64)
    with open_socket(talk) as sock:
        await loop.sock_connect(sock, (address, port))
        header = HEADER.pack(talk.up, talk.down, talk.rounds, CLIENT, 0)
        first = True
        while not stopping.is_set():
            payload = filler(talk.up)
            await loop.sock_sendall(sock, header + payload[HEADER.size:] if first else payload)
            first = False
            await receive(loop, sock, talk.down)
            await asyncio.sleep(BEAT_SECONDS)


async def drive(address, plan):
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    beating = loop.create_task(beat(loop, address, plan["beat"], stopping)) \
        if plan["beat"] else None
    await asyncio.sleep(plan["lead"])
    done = await asyncio.gather(*(outcome(loop, address, Talk(**one)) for one in plan["talks"]))
    await asyncio.sleep(plan["tail"])
    stopping.set()
    if beating is not None:
        try:
            await asyncio.wait_for(beating, 2)
        except (OSError, TimeoutError, asyncio.TimeoutError):
            pass  # a scenario may take this one, too
    print(json.dumps(done), flush=True)


def main():
    role, address, *words = sys.argv[1:]
    if role == "serve":
        asyncio.run(serve(address, [int(word) for word in words]))
    else:
        asyncio.run(drive(address, json.loads(words[0])))


if __name__ == "__main__":
    main()
