# SPDX-License-Identifier: BSD-3-Clause
"""Runs `tapwitness read` on one capture and reads back its frame flags and flow records."""

import json
import os
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path

from tshark import FLAG_BIT

EXIT_OPERATOR_MISTAKE = 2


class ProductError(Exception):
    """The binary is missing, crashed, or printed what the format does not allow."""


class Reading:
    """What tapwitness said about one capture."""

    def __init__(self):
        self.exit_code = 0
        self.complaints = []
        self.masks = {}  # frame number -> flag bits, only frames with flags
        self.flows = None  # stream -> {"completeness": int, "initial_rtt": Decimal or None}


def default_binary():
    named = os.environ.get("TAPWITNESS")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "build" / "tapwitness"


def read(binary, capture, with_flows=False, options=()):
    reading = Reading()
    with tempfile.TemporaryDirectory(prefix="tapwitness-oracle-") as folder:
        flows = Path(folder, "flows.jsonl")
        command = [str(binary), "read", "--frames", "-", *options]
        if with_flows:
            command += ["--flows", str(flows)]
        try:
            done = subprocess.run([*command, str(capture)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors="replace")
        except OSError as error:
            raise ProductError(f"cannot run {binary}: {error}") from error
        if done.returncode not in (0, EXIT_OPERATOR_MISTAKE):
            raise ProductError(f"{capture}: tapwitness ended with {done.returncode}: "
                               f"{done.stderr.strip()[-500:]}")
        reading.exit_code = done.returncode
        reading.complaints = done.stderr.strip().splitlines()
        reading.masks = parse_frames(done.stdout)
        if with_flows and flows.exists():
            reading.flows = parse_flows(flows.read_text())
    return reading


def parse_frames(text):
    masks = {}
    previous = 0
    for line in text.splitlines():
        number, tab, names = line.partition("\t")
        if not tab or not number.isdigit():
            raise ProductError(f"--frames printed {line!r}, not NUMBER<TAB>FLAGS")
        frame = int(number)
        if frame <= previous:
            raise ProductError(f"--frames printed frame {frame} after frame {previous}")
        previous = frame
        mask = 0
        for name in names.split(","):
            if name not in FLAG_BIT or FLAG_BIT[name] < mask:
                raise ProductError(f"--frames printed {names!r}: unknown flag or wrong order")
            mask |= FLAG_BIT[name]
        masks[frame] = mask
    return masks


def parse_flows(text):
    flows = {}
    for line in text.splitlines():
        record = json.loads(line, parse_float=Decimal)
        if "stream" not in record:
            continue  # the schema line
        if record["stream"] in flows:
            raise ProductError(f"--flows printed stream {record['stream']} twice")
        rtt = record.get("initial_rtt")
        flows[record["stream"]] = {
            "completeness": record["completeness"],
            "initial_rtt": None if rtt is None else Decimal(rtt),
        }
    return flows
