# SPDX-License-Identifier: BSD-3-Clause
"""Takes acknowledged data segments out of a clean capture: exactly their bytes must be reported as
missed by the capture, and nothing as lost by the network."""
import random
import struct

import score
import wire_log

SHARE = 0.1
# Verdicts that speak of a fault of the network or its ends: none is true of a clean capture.
ACCUSING = {"lost_before_tap", "reordered_before_tap", "lost_after_tap", "ack_lost",
            "spurious_retransmission", "duplicated_in_network", "never_recovered",
            "sequence_overshoot", "rst_by_third_party", "unknown"}


def acknowledged_segments(frames, port):
    """Numbers of the data frames that a later frame of the other side acknowledges, with their
    flow, direction and range."""
    segments = [wire_log.parse(data, port) for _, data in frames]
    highest = {}
    for segment in segments:
        if segment.flags & wire_log.ACK:
            key = segment.flow, not segment.c2s
            best = highest.get(key, segment.ack)
            highest[key] = segment.ack if (segment.ack - best) % 2**32 < 2**31 else best
    for number, segment in enumerate(segments, 1):
        end = segment.seq + segment.length
        acknowledged = highest.get((segment.flow, segment.c2s), segment.seq)
        if segment.length > 0 and (acknowledged - end) % 2**32 < 2**31:
            yield number, segment


def without(capture, target, removed):
    """A copy of the capture without the frames with these numbers."""
    data = capture.read_bytes()
    out, offset, number = bytearray(data[:24]), 24, 0
    while offset + 16 <= len(data):
        number += 1
        end = offset + 16 + struct.unpack_from("<I", data, offset + 8)[0]
        if number not in removed:
            out += data[offset:end]
        offset = end
    target.write_bytes(out)


def ranges(segments):
    """Removed bytes as disjoint ranges: (client port, direction, first, one past the last)."""
    spans = sorted((segment.flow[1], segment.c2s, segment.seq, segment.seq + segment.length)
                   for segment in segments)
    joined = []
    for span in spans:
        if joined and joined[-1][:2] == span[:2] and joined[-1][3] == span[2]:
            joined[-1] = (*joined[-1][:3], span[3])
        else:
            joined.append(span)
    return joined


def reported(events):
    """What events call missed, the same way."""
    spans = sorted((event["flow"]["sport"], event["direction"] == "c2s", event["seq_begin"],
                    event["seq_begin"] + (event["seq_end"] - event["seq_begin"]) % 2**32)
                   for event in events if event.get("verdict") == "missed_by_capture")
    joined = []
    for span in spans:
        if joined and joined[-1][:2] == span[:2] and joined[-1][3] == span[2]:
            joined[-1] = (*joined[-1][:3], span[3])
        else:
            joined.append(span)
    return joined


def check(capture, folder, seed=0, count=None, port=wire_log.SERVER_PORT_DEFAULT):
    """"" or what is wrong with the report on `capture` less `count` acknowledged segments."""
    frames, _ = wire_log.read_pcap(capture)
    candidates = list(acknowledged_segments(frames, port))
    chosen = random.Random(seed).sample(candidates, count or max(1, int(len(candidates) * SHARE)))
    target = folder / "removed.pcap"
    without(capture, target, {number for number, _ in chosen})
    events = score.events_of(target)
    expected, told = ranges(segment for _, segment in chosen), reported(events)
    accused = [event for event in events if event.get("verdict") in ACCUSING]
    problems = []
    if expected != told:
        difference = sorted(set(expected) ^ set(told))
        problems.append(f"{bytes_of(expected)} bytes removed, {bytes_of(told)} reported as missed; "
                        f"first difference {difference[0]}")
    if accused:
        problems.append(f"{len(accused)} other verdicts, first {accused[0]['verdict']} in event "
                        f"{accused[0]['id']}")
    return "; ".join(problems)


def bytes_of(spans):
    return sum(end - begin for _, _, begin, end in spans)
