#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Judges the verdicts of `tapwitness read` on real TCP: Linux' own in network namespaces of the
lab, over a wire that loses, doubles and delays frames on both sides of the tap and in the mirror,
and logs the fate of each. Prints what was true beside what was said.

Right is a verdict that is true, or one that the captured frames cannot tell from the truth and that
does not claim to be proven; --verbose tells which and why. Exit codes: 0 the goals are met, 1 they
are not, 2 wrong arguments, 3 the lab cannot run here (root, nftables, tcpdump)."""
import argparse
import collections
import dataclasses
import os
import pathlib
import shutil
import sys
import tempfile
import time

import path
import removal
import scenarios
import score
import truth
import wire_log

CLEAN_TRIES = 5


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/truth lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", action="append", metavar="NAME",
                        help="only this one; may be repeated")
    parser.add_argument("--fast", action="store_true", help="only those of scripts/test")
    parser.add_argument("--list", action="store_true", help="the scenarios, and nothing else")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path,
                        help="keep captures, logs and events there")
    parser.add_argument("--again", metavar="DIR", type=pathlib.Path,
                        help="judge what --keep kept, without running anything")
    parser.add_argument("--seed", type=int, default=0, help="added to each scenario's own")
    parser.add_argument("--verbose", action="store_true",
                        help="every wrong, unknown and equivalent verdict with its frames")
    options = parser.parse_args()
    known = {one.name for one in scenarios.SCENARIOS}
    for name in options.scenario or ():
        if name not in known:
            parser.error(f"--scenario {name}: no such scenario, --list tells them")
    return options


def chosen(options):
    return [one for one in scenarios.SCENARIOS
            if (not options.scenario or one.name in options.scenario)
            and (not options.fast or one.fast)]


def cannot_run():
    """Why there is no lab here, or an empty text."""
    missing = [tool for tool in ("tcpdump", "nft", "ethtool", "tc") if not shutil.which(tool)]
    if os.geteuid() != 0:
        return "network namespaces need root"
    return f"not installed: {', '.join(missing)}" if missing else ""


def measure(scenario, folder, seed=0):
    """Lets the scenario happen; its files are then in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    setup = dataclasses.replace(scenario.setup, seed=scenario.setup.seed + 1000 * seed)
    path.run(setup, folder)


def judge(scenario, folder):
    """The score of one scenario whose files are in `folder`."""
    setup = scenario.setup
    run = wire_log.Run(folder, setup.capture_at, setup.mirror, path.PORT,
                       sorted(folder.glob("dropped-*.pcap")))
    return run, score.score(run, score.events_of(folder / "tap.pcap"))


def happen(scenario, folder, seed=0):
    """Measures and judges. A clean run is made anew, a few times at most, where a host sent
    something twice all the same: on a machine that stalls, its timers do."""
    for _ in range(CLEAN_TRIES if scenario.name == "clean" else 1):
        measure(scenario, folder, seed)
        run, result = judge(scenario, folder)
        if not truth.Truth(run).sent_twice():
            break
    return run, result


def percent_right(rows):
    right = sum(row.judgement == "right" for row in rows)
    return 100.0 * right / len(rows) if rows else 100.0


def tell(scenario, run, result, seconds, verbose):
    rows = result.rows
    print(f"{scenario.name:22} {len(run.frames):6} {len(rows):6} {result.count('right'):6} "
          f"{result.count('unknown'):7} {result.count('wrong'):6} "
          f"{result.count('wrong proven'):6} {result.count('not told'):8} "
          f"{result.missed_told:8} {told_range(result):>15} {seconds:5.1f}", flush=True)
    shown = [row for row in rows if row.judgement != "right" or row.equal]
    for row in shown if verbose else [row for row in shown if row.judgement == "wrong proven"]:
        reason = f" ({row.equal})" if row.equal else ""
        print(f"    {row.judgement}: {row.word}, said {row.verdict} {row.confidence} "
              f"{row.cause}: {row.where}{reason}")


def told_range(result):
    least, most = result.missed_least, result.missed_most
    return (str(least) if least == most else f"{least}..{most}") + \
        ("" if result.missed_exact else " !")


def goals(scores):
    """Prints each goal with what was reached; whether all were."""
    reached = []

    def goal(holds, text):
        reached.append(holds)
        print(f"{'PASS' if holds else 'FAIL'}  {text}")

    by_kind = collections.defaultdict(list)
    for scenario, result in scores:
        by_kind[scenario.kind] += result.rows
    for kind, rows in by_kind.items():
        right = sum(row.judgement == "right" for row in rows)
        percent = percent_right(rows)
        goal(percent >= scenarios.GOALS[kind],
             f"{kind}: {right} of {len(rows)} right, {percent:.2f} % "
             f"(goal {scenarios.GOALS[kind]} %)")
    rows = [row for _, result in scores for row in result.rows]
    wrong = sum(row.judgement == "wrong proven" for row in rows)
    proven = sum(row.confidence == "proven" for row in rows)
    goal(wrong == 0, f"{wrong} of {proven} proven verdicts wrong (goal 0)")
    inexact = [scenario.name for scenario, result in scores if not result.missed_exact]
    goal(not inexact, f"bytes missed by the capture exact in {len(scores) - len(inexact)} of "
                      f"{len(scores)} scenarios{': not ' + ', '.join(inexact) if inexact else ''}")
    return all(reached)


def run_all(options, folder):
    scores, reached = [], True
    print(f"{'scenario':22} frames   rows  right unknown  wrong proven! not told   missed"
          "           truth     s")
    for scenario in chosen(options):
        started = time.monotonic()
        place = (options.again or folder) / scenario.name
        if options.again is not None and not place.is_dir():
            continue
        run, result = (judge(scenario, place) if options.again is not None else
                       happen(scenario, place, options.seed))
        tell(scenario, run, result, time.monotonic() - started, options.verbose)
        scores.append((scenario, result))
        if scenario.name == "clean":
            problems = removal.check(place / "tap.pcap", place, seed=options.seed)
            print(f"    acknowledged segments removed: {problems or 'exactly these bytes missed'}")
            reached = reached and not problems
    for kind in scenarios.GOALS:
        rows = [row for scenario, result in scores if scenario.kind == kind for row in result.rows]
        if rows:
            print(f"\n{kind}\n{score.matrix(rows)}")
            causes = score.unknown_causes(rows)
            print("unknown by cause: " + (", ".join(f"{cause} {count}" for cause, count in
                                                    causes.most_common()) or "none"))
    print()
    return goals(scores) and reached


def main():
    options = arguments()
    if options.list:
        for one in scenarios.SCENARIOS:
            print(f"{one.name:22} {one.kind:22} {one.help}")
        return 0
    if options.again is None and cannot_run():
        print(f"lab: {cannot_run()}", file=sys.stderr)
        return 3
    try:
        with tempfile.TemporaryDirectory(prefix="tapwitness-lab-") as scratch:
            return 0 if run_all(options, options.keep or pathlib.Path(scratch)) else 1
    except (path.LabError, wire_log.TruthError, AssertionError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
