# SPDX-License-Identifier: BSD-3-Clause
"""Captures of other projects, beside this one: tapwitness equals the installed tshark on every
frame whose layers it decodes. Skipped, visibly, where they are not present. The first run asks
tshark about each file (minutes); its answers are kept below the build folder."""

import concurrent.futures
import os
import unittest

import captures
import comparison
import product
from tshark import Tshark

FOLDER = captures.shared_folder()
SHOWN = 30


@unittest.skipUnless(FOLDER, "the captures beside the project are not there (shared/captures)")
class SharedCaptures(unittest.TestCase):
    def check(self, *names, with_flows=True):
        tshark = Tshark(cache=captures.cache_folder())
        files = captures.find([FOLDER / name for name in names])
        self.assertTrue(files)
        total = comparison.Result()

        def one(path):
            return comparison.compare(tshark, product.default_binary(), path, with_flows)

        problems = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for result in pool.map(one, files):
                total.add(result)
                problems += [f"{result.path}: {d}" for d in result.differences] + result.failures
        print("\n".join("# " + line for line in comparison.summary(total).splitlines()))
        self.assertGreater(total.compared, 1000)
        shown = "\n".join(problems[:SHOWN])
        self.assertEqual(problems, [], f"{len(problems)} differences, the first:\n{shown}")

    def test_captures_of_98_projects(self):
        self.check("real")

    def test_labelled_retransmissions(self):
        self.check("tcprs")

    def test_malformed_and_truncated_captures(self):
        # Flags only: of broken files tshark prints impossible times (fractions above a second) and
        # guesses other record formats, which gives it other connections.
        self.check("hostile", with_flows=False)


if __name__ == "__main__":
    unittest.main()
