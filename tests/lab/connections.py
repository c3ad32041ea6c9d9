# SPDX-License-Identifier: BSD-3-Clause
"""What is true of whole connections: never answered, reset by a third party, captured on one side
only, held up by a closed window, a SYN/ACK sent again."""
import dataclasses

from truth import Label
from wire_log import ACK, RST, SYN

HANDSHAKE, RESET, STALL, PATH = "handshake", "reset", "stall", "path"


def captured(emissions):
    return sorted((number, one) for one in emissions for passing in one.passings
                  for number in passing.captures)


@dataclasses.dataclass
class Connection:
    """One flow: what its ends sent."""
    client: list
    server: list

    def facts(self):
        """type of event: Label, for each that ought to be told."""
        found = {}
        from_client, from_server = captured(self.client), captured(self.server)
        syns = [one for _, one in from_client if one.segment.flags & SYN]
        if len(syns) > 1 and not from_server:
            found[HANDSHAKE] = Label("syn_unanswered")
        again = self.opened_again(from_server, from_client)
        if again and again.word == "ack_lost":
            found[HANDSHAKE] = again
        if any(one.foreign and one.segment.flags & RST for _, one in from_client + from_server):
            found[RESET] = Label("rst_by_third_party")
        if any(self.closes_window(side) for side in (from_client, from_server)):
            found[STALL] = Label("receiver_limited")
        # An answer that nobody captured is one side of a connection; no answer is none.
        if bool(from_client) != bool(from_server) and self.client and self.server:
            found[PATH] = Label("one_sided")
            found.pop(HANDSHAKE, None)
        return found

    def may_tell(self, kind):
        """What an event of this type may say where nothing has to be told."""
        if kind != HANDSHAKE:
            return None
        from_client, from_server = captured(self.client), captured(self.server)
        return self.opened_again(from_server, from_client) or \
            self.opened_again(from_client, from_server)

    @staticmethod
    def closes_window(side):
        return any(one.segment.window == 0 and one.segment.flags & ACK
                   and not one.segment.flags & (SYN | RST) for _, one in side)

    @staticmethod
    def opened_again(side, other):
        """A SYN, or SYN/ACK, captured again: what became of the first, and of its answer."""
        offers = [(number, one) for number, one in side if one.segment.flags & SYN]
        if len(offers) < 2:
            return None
        (first, original), (number, again) = offers[:2]
        if again is original:
            copies = [passing for passing in again.passings if passing.captures]
            return Label("duplicated_in_network" if len(copies) > 1 else "duplicated_by_mirror",
                         {"duplicated_by_mirror": "two identical frames"})
        if not original.arrivals:
            return Label("lost_after_tap")
        answers = [answer for at, answer in other if first < at < number
                   and answer.segment.flags & ACK]
        if not answers:
            return Label("ack_lost_unseen",
                         {"lost_after_tap": "no answer was captured before it came again"},
                         right=frozenset({"ack_lost", "spurious_retransmission"}))
        arrived = any(time < again.time for answer in answers for time in answer.arrivals)
        return Label("spurious_retransmission" if arrived else "ack_lost",
                     right=frozenset({"ack_lost", "spurious_retransmission"}))


def connections(truth):
    flows = {}
    for emission in truth.run.emissions:
        flow = flows.setdefault(emission.segment.flow, Connection([], []))
        (flow.client if emission.segment.c2s else flow.server).append(emission)
    return flows
