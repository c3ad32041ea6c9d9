# SPDX-License-Identifier: BSD-3-Clause
"""Finds capture files by their first bytes, and chooses a part of them the same way every time."""

import hashlib
import os
from pathlib import Path

# pcap in both byte orders and resolutions (and the "modified" one), pcapng, gzip.
MAGICS = {
    bytes.fromhex(text) for text in (
        "a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "a1b2cd34", "34cdb2a1", "0a0d0d0a")
}


def is_capture(path):
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError:
        return False
    return head in MAGICS or head[:2] == b"\x1f\x8b"


def find(arguments):
    """Files as named; folders searched for captures, in a stable order."""
    found = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            inside = sorted(Path(folder, name) for folder, _, files in os.walk(path)
                            for name in files)
            found += [file for file in inside if is_capture(file)]
        else:
            found.append(path)
    return found


def sample(paths, count):
    """`count` of the paths, always the same ones for the same names."""
    if count is None or count >= len(paths):
        return paths
    by_digest = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())
    chosen = set(by_digest[:count])
    return [path for path in paths if path in chosen]


def shared_folder():
    """The captures beside the project, which are not part of it; None if they are not there."""
    source = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
    named = os.environ.get("TAPWITNESS_CAPTURES")
    folder = Path(named) if named else source.parent / "shared" / "captures"
    return folder if folder.is_dir() else None


def cache_folder():
    """Where tshark's answers are kept between runs: below the build folder."""
    source = Path(os.environ.get("TAPWITNESS_SOURCE", Path(__file__).resolve().parents[2]))
    build = Path(os.environ.get("TAPWITNESS_BUILD", source / "build"))
    return build / "oracle-cache"
