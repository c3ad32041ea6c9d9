#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints the sentences of an events file by time, for scripts/demo; exits 1 without any.

usage: tell_events.py FILE [VERDICT]
VERDICT: only episodes with this verdict.
"""
import json
import sys
import textwrap


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        events = [line for line in map(json.loads, file) if "sentence" in line]
    if len(sys.argv) > 2:
        events = [event for event in events if event["verdict"] == sys.argv[2]]
    for event in sorted(events, key=lambda event: event["time"]):
        print(textwrap.fill(f"{event['confidence'] if 'confidence' in event else 'open'}: "
                            f"{event['sentence']}", 96, initial_indent="  ",
                            subsequent_indent="    "))
    return 0 if events else 1


if __name__ == "__main__":
    sys.exit(main())
