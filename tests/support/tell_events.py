#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tells the episodes of an events file in a sentence each, for scripts/demo; exits 1 without any.

usage: tell_events.py FILE
"""
import json
import sys

ENDINGS = {
    "filled": "They were captured later.",
    "filled_after_ack": "They were captured late, just after the receiver had acknowledged them.",
    "acknowledged_unseen": "The receiver acknowledged them: they exist, but never passed here.",
    "never": "They were never captured, and the receiver never acknowledged them.",
    "acknowledged": "The receiver acknowledged them afterwards.",
    "acknowledged_before": "The receiver had acknowledged them before.",
    "unknown_limit": "A limit of the monitor was reached: how it ended is unknown.",
}


def sentence(event: dict) -> str:
    flow = event["flow"]
    client = f"{flow['src']}:{flow['sport']}"
    server = f"{flow['dst']}:{flow['dport']}"
    ends = (client, server) if event["direction"] == "c2s" else (server, client)
    seconds = float(event["time_end"]) - float(event["time"])
    if event["type"] == "hole":
        what = f"{event['bytes']} bytes from {ends[0]} to {ends[1]} are missing"
    else:
        size = f"{event['bytes']} bytes" if event["bytes"] else "a segment without data"
        what = f"{size} from {ends[0]} to {ends[1]}: sent again"
    return f"{what} ({event['type']}, followed for {seconds:.1f} s). " \
           f"{ENDINGS.get(event['resolution'], event['resolution'])}"


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        events = [line for line in map(json.loads, file) if "type" in line]
    events.sort(key=lambda event: float(event["time"]))
    for number, event in enumerate(events, 1):
        print(f"  {number}. {sentence(event)}")
    return 0 if events else 1


if __name__ == "__main__":
    sys.exit(main())
