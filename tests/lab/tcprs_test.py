# SPDX-License-Identifier: BSD-3-Clause
"""Verdicts agree with labels that somebody else gave: the TCPRS traces, where they are at hand."""
import contextlib
import io
import os
import pathlib
import unittest

import tcprs

SOURCE = pathlib.Path(os.environ.get("TAPWITNESS_SOURCE",
                                     pathlib.Path(__file__).resolve().parents[2]))
TRACES = SOURCE.parent / "shared" / "captures" / "tcprs"


class Labels(unittest.TestCase):
    @unittest.skipUnless(TRACES.is_dir(), f"{TRACES} is not here")
    def test_retransmissions_are_told_as_their_labels_say(self):
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            reached = tcprs.goals(tcprs.compare(TRACES))
        self.assertTrue(reached, told.getvalue())

    def test_a_label_that_no_event_meets_is_no_agreement(self):
        one = tcprs.Labelled("trace", 7, 100, 50, "1", provable=True, captured_before=True)
        event = {"type": "repeat", "seq_begin": 100, "seq_end": 150, "verdict": "lost_after_tap",
                 "subject": [{"frame": 7}]}
        with contextlib.redirect_stdout(io.StringIO()):
            tcprs.match([one], [{**event, "seq_begin": 300, "seq_end": 350}])
            self.assertFalse(tcprs.goals([one]))
            tcprs.match([one], [{**event, "verdict": "reordered_before_tap"}])
            self.assertFalse(tcprs.goals([one]))
            tcprs.match([one], [event])
            self.assertTrue(tcprs.goals([one]))


if __name__ == "__main__":
    unittest.main()
