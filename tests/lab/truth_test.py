# SPDX-License-Identifier: BSD-3-Clause
"""The judge of the judge: what the lab calls true follows from the fate of the frames, and a
verdict that is not true is counted as wrong. No network, no root."""
import pathlib
import tempfile
import unittest

import score
import truth
import wire_log
from wire_log import ACK, FIN, SYN, Emission, Passing, Segment

MS = 10**6
CLIENT, SERVER = (b"\x0a\x4e\x00\x01", 50000), (b"\x0a\x4e\x00\x02", 8080)
BASE = {True: 2**32 - 700, False: 5000}  # the first wraps after some bytes


class Story:
    """One connection, written down frame by frame; data flows from the client (c2s) unless said.
    Positions count from the SYN, as in truth.Side."""

    def __init__(self):
        self.emissions, self.captured, self.frames, self.stamps = [], {}, [], {}
        for c2s in (True, False):
            self.frame(c2s, 0, 0, flags=SYN)

    def frame(self, c2s, position, length, at=0, flags=ACK, ack=0, sack=(), lost=None, missed=False,
              late=0, copies=1):
        """lost: "before" or "after" the tap; missed: the capture has no copy; late: ms that it
        comes late to the tap; copies: at the tap."""
        mine, theirs = BASE[c2s], BASE[not c2s]
        blocks = tuple(tuple((edge + theirs) % 2**32 for edge in block) for block in sack)
        ends = (*CLIENT, *SERVER) if c2s else (*SERVER, *CLIENT)
        segment = Segment(ends, CLIENT, c2s, (mine + position) % 2**32, (theirs + ack) % 2**32,
                          flags, length, 1000, blocks)
        emission = Emission(at * MS, segment, "deliver", [])
        for number in range(0 if lost == "before" else copies):
            passing = Passing((at + late + 1) * MS + number)
            if lost != "after":
                passing.arrivals = [passing.time + 5 * MS]
            emission.passings.append(passing)
            if not missed:
                self.frames.append((emission, passing))
        self.emissions.append(emission)
        return emission

    def data(self, position, length=100, **options):
        return self.frame(True, position, length, ack=1, **options)

    def ack(self, ack, **options):
        return self.frame(False, 1, 0, ack=ack, **options)

    def side(self):
        for number, (emission, passing) in enumerate(
                sorted(self.frames, key=lambda one: one[1].time), 1):
            passing.captures.append(number)
            self.captured[number] = (emission, passing)
            self.stamps[number] = passing.time
        self.emissions.sort(key=lambda one: one.time)
        return self.truth().sides[CLIENT, True]

    def truth(self):
        made = truth.Truth(self)
        for side in made.sides.values():
            side.data_transit, side.answer_transit = MS, 5 * MS
        return made


def hole_word(story, begin, end):
    return truth.hole_label(story.side(), begin, end).word


def repeat_word(story):
    side = story.side()
    found = list(truth.Truth.repeats(side))
    assert len(found) == 1, found
    return truth.repeat_label(side, *found[0]).word


class Holes(unittest.TestCase):
    def test_a_frame_dropped_before_the_tap_is_lost_there(self):
        story = Story()
        story.data(1, at=1, lost="before")
        story.data(101, at=2)
        story.data(1, at=30)
        self.assertEqual("lost_before_tap", hole_word(story, 1, 101))

    def test_a_frame_that_only_the_mirror_lost_is_missed(self):
        story = Story()
        story.data(1, at=1, missed=True)
        story.data(101, at=2)
        story.ack(201, at=20)
        self.assertEqual("missed_by_capture", hole_word(story, 1, 101))

    def test_a_sack_proves_a_miss_as_an_ack_does(self):
        story = Story()
        story.data(1, at=1, lost="before")
        story.data(101, at=2, missed=True)
        story.data(201, at=3)
        story.ack(1, at=20, sack=((101, 301),))
        self.assertEqual("missed_by_capture", hole_word(story, 101, 201))

    def missed_and_sent_again(self, at=30):
        """Acknowledged at 9 ms, which S does not learn."""
        story = Story()
        story.data(1, at=1, missed=True)
        story.ack(101, at=8, lost="after")
        story.data(1, at=at)
        story.ack(101, at=at + 10, sack=((1, 101),))
        return story

    def test_missed_and_sent_again_within_the_skew_looks_like_data_behind_its_ack(self):
        label = truth.hole_label(self.missed_and_sent_again().side(), 1, 101)
        self.assertEqual("right", label.judge("missed_by_capture", "probable"))
        self.assertEqual("right", label.judge("reordered_in_capture", "probable"))
        self.assertEqual("wrong proven", label.judge("reordered_in_capture", "proven"))
        self.assertEqual("wrong", label.judge("lost_before_tap", "probable"))

    def test_beyond_the_skew_a_miss_is_a_miss(self):
        label = truth.hole_label(self.missed_and_sent_again(at=80).side(), 1, 101)
        self.assertEqual(("missed_by_capture", {}), (label.word, label.equal))

    def test_behind_a_segment_of_an_earlier_tick_a_miss_that_was_sent_again_is_a_miss(self):
        for sent_again, told in ((30, True), (8, False)):
            story = Story()
            story.data(1, at=1, missed=True)
            story.data(101, at=7)
            story.ack(201, at=8, lost="after")
            story.data(1, at=sent_again, late=1)
            label = truth.hole_label(story.side(), 1, 101)
            self.assertEqual(("missed_by_capture", told), (label.word, not label.equal))

    def test_missed_and_lost_behind_the_tap_looks_like_lost_before_it(self):
        story = Story()
        story.data(1, at=1, missed=True, lost="after")
        story.data(101, at=2)
        story.data(1, at=30)
        label = truth.hole_label(story.side(), 1, 101)
        self.assertEqual("right", label.judge("lost_before_tap", "probable"))
        self.assertEqual("wrong proven", label.judge("lost_before_tap", "proven"))

    def test_the_late_original_was_overtaken(self):
        story = Story()
        story.data(1, at=1, late=5)
        story.data(101, at=2)
        self.assertEqual("reordered_before_tap", hole_word(story, 1, 101))

    def test_what_never_came_was_never_recovered(self):
        story = Story()
        story.data(1, at=1, lost="before")
        story.data(101, at=2)
        self.assertEqual("never_recovered", hole_word(story, 1, 101))

    def test_a_hole_nobody_sent_is_none_of_the_networks(self):
        story = Story()
        story.data(1, at=1)
        story.frame(True, 102, 0, at=2, flags=FIN | ACK)
        self.assertEqual("never_sent", hole_word(story, 101, 102))


class Repeats(unittest.TestCase):
    def test_sent_again_because_it_was_lost_behind_the_tap(self):
        story = Story()
        story.data(1, at=1, lost="after")
        story.data(1, at=30)
        self.assertEqual("lost_after_tap", repeat_word(story))

    def test_sent_again_because_the_ack_was_lost(self):
        story = Story()
        story.data(1, at=1)
        story.ack(101, at=8, lost="after")
        story.data(1, at=200)
        self.assertEqual("ack_lost", repeat_word(story))

    def test_sent_again_while_the_ack_was_under_way(self):
        story = Story()
        story.data(1, at=1)
        story.ack(101, at=20)
        story.data(1, at=21)
        self.assertEqual("spurious_retransmission", repeat_word(story))

    def label_of_ack_held_up(self, at):
        story = Story()
        story.data(1, at=1)
        story.ack(101, at=10).passings[0].arrivals = [(at + 1) * MS]
        story.data(1, at=at)
        side = story.side()
        return truth.repeat_label(side, *list(truth.Truth.repeats(side))[0])

    def test_an_ack_held_up_until_after_the_repeat_looks_like_one_that_was_lost(self):
        label = self.label_of_ack_held_up(at=30)
        self.assertEqual("spurious_retransmission", label.word)
        self.assertEqual("right", label.judge("ack_lost", "probable"))
        self.assertEqual("wrong proven", label.judge("ack_lost", "proven"))

    def test_a_repeat_too_soon_for_any_ack_does_not_look_like_a_lost_ack(self):
        self.assertEqual("wrong", self.label_of_ack_held_up(at=12).judge("ack_lost", "probable"))

    def test_an_ack_that_died_before_the_tap_leaves_the_cause_open(self):
        story = Story()
        story.data(1, at=1)
        story.ack(101, at=8, lost="before")
        story.data(1, at=200)
        self.assertEqual("ack_lost_unseen", repeat_word(story))

    def test_a_run_in_which_a_host_sent_bytes_twice_is_told_from_a_clean_one(self):
        story = Story()
        story.data(1, at=1)
        story.data(101, at=2)
        story.side()
        self.assertFalse(story.truth().sent_twice())
        story = Story()
        story.data(1, at=1)
        story.data(1, at=30)
        story.side()
        self.assertTrue(story.truth().sent_twice())

    def test_two_copies_at_the_tap_are_the_networks(self):
        story = Story()
        story.data(1, at=1, copies=2)
        self.assertEqual("duplicated_in_network", repeat_word(story))


class Judgement(unittest.TestCase):
    def test_what_the_frames_cannot_tell_apart_is_right_unless_proven(self):
        label = truth.Label("lost_after_tap", {"spurious_retransmission": "why"})
        self.assertEqual("right", label.judge("lost_after_tap", "proven"))
        self.assertEqual("right", label.judge("spurious_retransmission", "probable"))
        self.assertEqual("wrong proven", label.judge("spurious_retransmission", "proven"))
        self.assertEqual("wrong", label.judge("ack_lost", "probable"))
        self.assertEqual("unknown", label.judge("unknown", "none"))

    def event(self, verdict, confidence, begin=1, end=101):
        return {"id": 1, "type": "hole", "direction": "c2s",
                "flow": {"src": "10.78.0.1", "sport": 50000, "dst": "10.78.0.2", "dport": 8080},
                "seq_begin": (BASE[True] + begin) % 2**32, "seq_end": (BASE[True] + end) % 2**32,
                "subject": [{"frame": 3}], "verdict": verdict, "confidence": confidence}

    def judged(self, *events):
        story = Story()
        story.data(1, at=1, lost="before")
        story.data(101, at=2)
        story.data(1, at=30)
        story.side()
        return [row.judgement for row in score.Scorer(story.truth(), events).run().rows]

    def test_a_wrong_verdict_is_counted_as_wrong(self):
        self.assertEqual(["right"], self.judged(self.event("lost_before_tap", "proven")))
        self.assertEqual(["wrong proven"],
                         self.judged(self.event("reordered_before_tap", "proven")))

    def test_what_no_event_tells_is_counted(self):
        self.assertEqual(["not told"], self.judged())

    def test_bytes_called_missed_that_were_not_are_counted(self):
        story = Story()
        story.data(1, at=1, missed=True)
        story.data(101, at=2)
        story.ack(201, at=20)
        story.side()
        exact = score.Scorer(story.truth(), [self.event("missed_by_capture", "proven")]).run()
        self.assertTrue(exact.missed_exact)
        short = score.Scorer(story.truth(), [self.event("missed_by_capture", "proven", 1, 100)])
        self.assertFalse(short.run().missed_exact)


class Log(unittest.TestCase):
    """A lab that lost count says so instead of judging."""

    FRAME = bytes(12) + bytes.fromhex(
        "0800" "4500002800010000400600000a4e00010a4e0002" "c3501f90" "00000001" "00000000"
        "5010" "03e8" "0000" "0000")

    def run_of(self, log, frames=()):
        with tempfile.TemporaryDirectory(prefix="tapwitness-lab-") as name:
            folder = pathlib.Path(name)
            (folder / "wire.log").write_text(log)
            header = bytes.fromhex("4d3cb2a1020004000000000000000000a000000001000000")
            records = b"".join(bytes(8) + len(frame).to_bytes(4, "little") * 2 + frame
                               for frame in frames)
            (folder / "tap.pcap").write_bytes(header + records)
            return wire_log.Run(folder)

    def crossing(self, link, number):
        entered = f"I {number} {link} {number} deliver {self.FRAME.hex()}\n"
        return f"{entered}O {number} {link} {number}\n"

    def test_a_frame_is_followed_over_every_link(self):
        log = self.crossing("client", 1) + self.crossing("mirror", 2) + self.crossing("server", 3)
        run = self.run_of(log + "E 3 0\n", [self.FRAME])
        self.assertEqual([1], run.emissions[0].passings[0].captures)
        self.assertEqual([3], run.emissions[0].arrivals)

    def test_a_wire_that_lost_frames_itself_is_refused(self):
        with self.assertRaisesRegex(wire_log.TruthError, "itself lost 2"):
            self.run_of("E 3 2\n")

    def test_a_frame_that_vanished_between_links_is_refused(self):
        with self.assertRaisesRegex(wire_log.TruthError, "from client to server"):
            self.run_of(self.crossing("client", 1) + "E 1 0\n")

    def test_a_captured_frame_nobody_sent_is_refused(self):
        with self.assertRaises(wire_log.TruthError):
            self.run_of("E 0 0\n", [self.FRAME])


if __name__ == "__main__":
    unittest.main()
