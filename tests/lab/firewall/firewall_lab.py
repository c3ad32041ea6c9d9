#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds `tapwitness firewall` against real firewalls: nftables, SYN proxies, NAT and TCP proxies of
this kernel between real hosts in network namespaces, two SPAN sessions, and faults at seven places.
Each scenario must give exactly its expected findings, and per packet no false proof.

Exit codes: 0 the goals are met, 1 they are not, 2 wrong arguments, 3 the lab cannot run here (root,
nftables, tcpdump)."""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bed  # noqa: E402
import cases_flow  # noqa: E402
import cases_path  # noqa: E402
import cases_policy  # noqa: E402
import cases_rewrite  # noqa: E402
import cases_setup  # noqa: E402
import judge  # noqa: E402
import live  # noqa: E402
import packets  # noqa: E402
from scenario import NEAR, PROVEN, RAISES  # noqa: E402

SCENARIOS = [*cases_path.SCENARIOS, *cases_setup.SCENARIOS, *cases_flow.SCENARIOS,
             *cases_rewrite.SCENARIOS, *cases_policy.SCENARIOS]
BY_NAME = {one.name: one for one in SCENARIOS}
SECTIONS = range(1, 26)
TOOLS = ("tcpdump", "nft", "ethtool", "tc", "conntrack", "socat", "editcap", "clang-19")
LAB_FAILED = (bed.LabError, packets.TruthError, AssertionError)
JOBS = 4
ATTEMPTS = 2  # of a run in which the lab itself failed, such as by a capture that lost packets


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/lab firewall", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these scenarios")
    parser.add_argument("--fast", action="store_true", help="only those of scripts/test")
    parser.add_argument("--list", action="store_true", help="the scenarios, and nothing else")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path,
                        help="keep captures, truth and reports there")
    parser.add_argument("--again", metavar="DIR", type=pathlib.Path,
                        help="judge what --keep kept, without running anything")
    parser.add_argument("--jobs", type=int, default=JOBS, metavar="N",
                        help=f"runs at a time: they mostly wait (default {JOBS})")
    parser.add_argument("--live", action="store_true",
                        help="a running monitor on the two mirror ports beside the captures: both "
                             "must say the same, and the running one in time")
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="of the running monitor, behind a dispatcher (default 1)")
    parser.add_argument("--capture-only", action="store_true",
                        help="run and check the captures against the truth; ask nobody")
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="what was said, and each packet nobody spoke of")
    options = parser.parse_args()
    for name in options.only:
        if name not in BY_NAME:
            parser.error(f"--only {name}: no such scenario, --list tells them")
        if options.live and not can_live(BY_NAME[name]):
            parser.error(f"--only {name}: not for --live: it is about files")
    if options.live and options.again:
        parser.error("--again: not with --live")
    return options


def can_live(scenario):
    """Captures that end early or are exchanged afterwards are about files."""
    return bool(scenario.setup) and not any(scenario.setup.capture(side).early or
                                            scenario.setup.capture(side).snaplen
                                            for side in bed.SIDES)


def chosen(options):
    return [one for one in SCENARIOS if (not options.only or one.name in options.only)
            and (not options.fast or one.fast)]


def cannot_run():
    """Why there is no lab here, or an empty text."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"not installed: {', '.join(missing)} (scripts/setup test installs them)"
    # A container may be root and still have no network of its own.
    name = f"tw{os.getpid()}probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"network namespaces are not permitted: {made.stderr.strip()}"
    rules = subprocess.run(["ip", "netns", "exec", name, "nft", "add", "table", "inet", "probe"],
                           capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return f"nftables is not permitted: {rules.stderr.strip()}" if rules.returncode else ""


def measure(scenario, folder):
    """Lets the scenario happen; its captures and truth are then in `folder`."""
    for attempt in range(ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            bed.run(scenario.setup, folder)
            return check_run(scenario, folder)
        except LAB_FAILED:
            if attempt + 1 == ATTEMPTS:
                raise


def check_run(scenario, folder):
    """What was to happen has happened."""
    truth = packets.Truth(folder, scenario.alike)
    if not scenario.opaque:
        truth.check_log(scenario.alike, scenario.setup.unlogged)
    truth.write()
    drops = len(truth.entered_only["outside"]) + len(truth.entered_only["inside"])
    if drops < scenario.drops:
        raise packets.TruthError(f"{drops} packets were dropped, not {scenario.drops} or more")
    if not scenario.drops and drops and not scenario.opaque and not scenario.setup.unlogged:
        raise packets.TruthError(f"{drops} packets were dropped, and none was to be")
    return truth


def happen(name, folder):
    """For a process of its own, whose number is in the names of its namespaces: why it did not
    happen, or an empty text, and the seconds it took."""
    started = time.monotonic()
    try:
        measure(BY_NAME[name], folder)
    except LAB_FAILED as error:
        (folder / "truth.json").unlink(missing_ok=True)
        return str(error) or type(error).__name__, time.monotonic() - started
    return "", time.monotonic() - started


def source(scenario):
    """Name of the scenario whose captures it judges."""
    return scenario.of or scenario.name


def runs(options, folder, pool):
    """Name of a run: what will be known of it. Each once, in the order of the table."""
    wanted = {source(one): None for one in chosen(options) if not one.simulator}
    if options.again is not None:
        return wanted
    return {name: pool.submit(happen, name, folder / name) for name in wanted}


def tell(result, seconds, verbose):
    score = result.score
    said = ", ".join(f"{name} {grade}" for name, grade in sorted(result.findings.items())) or "-"
    print(f"{'ok  ' if not result.wrong else 'FAIL'} {result.scenario.name:24} "
          f"{result.scenario.section:3} {score.accused:5}/{score.visible:<5} "
          f"{len(score.false_proven):3} {len(score.false_probable):3} "
          f"{score.recognised:5}/{score.missed:<5} {seconds:5.1f}  {said}", flush=True)
    for one in result.wrong:
        print(f"       {one}")
    if verbose:
        for one in [*score.not_told, *score.false_probable]:
            print(f"       {one}")
    sys.stdout.flush()


def tell_truth(scenario, truth, seconds):
    counts = [f"{name} {side} {len(rows[side])}" for name, rows in
              (("dropped", truth.entered_only), ("injected", truth.left_only),
               ("missed", truth.missed)) for side in bed.SIDES if rows[side]]
    print(f"ran  {scenario.name:24} {scenario.section:3} "
          f"{len(truth.captured['outside']):6} {len(truth.captured['inside']):6} {seconds:5.1f}  "
          f"{', '.join(counts) or '-'}", flush=True)


def uncovered():
    """Sections without a scenario that raises them, or without a near miss."""
    for section in SECTIONS:
        kinds = {one.kind for one in SCENARIOS if one.section == section}
        for kind in (RAISES, NEAR):
            if kind not in kinds:
                yield f"{section} has no {kind}"


def goals(results):
    """Prints each goal with what was reached; whether all were."""
    reached = []

    def goal(holds, text):
        reached.append(bool(holds))
        print(f"{'PASS' if holds else 'FAIL'}  {text}")

    right = [one for one in results if not one.wrong]
    goal(len(right) == len(results), f"exactly the expected findings in {len(right)} of "
                                     f"{len(results)} scenarios")
    total = judge.Score()
    perfect = judge.Score()
    for one in results:
        total.add(one.score)
        if one.said is not None and not one.score.missed and one.scenario.setup is not None and \
                one.scenario.setup.perfect:
            perfect.add(one.score)
    goal(not total.false_proven, f"{len(total.false_proven)} drops proven that did not happen "
                                 "(goal 0)")
    goal(not perfect.not_told, f"{perfect.visible - len(perfect.not_told)} of {perfect.visible} "
                               "visible drops told with perfect captures (goal all)")
    share = 100.0 * total.recognised / total.missed if total.missed else 100.0
    print(f"      {total.accused} of {total.visible} visible drops accused, {total.proven} "
          f"{PROVEN}; {len(total.false_probable)} probable that did not happen; "
          f"{total.recognised} of {total.missed} capture misses of data recognised "
          f"({share:.1f} %)")
    return all(reached)


def run_all(options, folder):
    """Whether the goals are met; None if the lab itself failed somewhere."""
    results, broken = [], []
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        waiting = runs(options, folder, pool)
        for scenario in chosen(options):
            if scenario.simulator or options.capture_only and scenario.of:
                continue
            run, place = waiting[source(scenario)], folder / source(scenario)
            error, seconds = run.result() if run else ("", 0.0)
            if error or not (place / "truth.json").exists():
                broken.append(scenario.name)
                print(f"lab  {scenario.name:24} {error or 'not run'}", flush=True)
            elif options.capture_only:
                tell_truth(scenario, packets.Truth(place, scenario.alike), seconds)
            else:
                result = judge.judge(scenario, place, folder / scenario.name)
                tell(result, seconds, options.verbose)
                results.append(result)
    reached = options.capture_only or goals(results)
    if broken:
        print(f"lab: {len(broken)} scenarios did not happen: {', '.join(broken)}", file=sys.stderr)
        return None
    return reached


def run_live(options, folder):
    """As run_all, with a running monitor: one at a time, it has a core of its own."""
    reached, broken = True, []
    for scenario in chosen(options):
        if not can_live(scenario):
            continue
        place = folder / scenario.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        started = time.monotonic()
        try:
            result = live.run(scenario, place, options.workers)
        except (judge.ProductError, *LAB_FAILED) as error:
            broken.append(scenario.name)
            print(f"lab  {scenario.name:24} {error}", flush=True)
            continue
        reached = reached and not result.wrong
        print(f"{'ok  ' if not result.wrong else 'FAIL'} {scenario.name:24} "
              f"{result.notices:6} notices, the last {result.worst:6.3f} s after its time "
              f"{time.monotonic() - started:5.1f}", flush=True)
        for one in result.wrong:
            print(f"       {one}")
    if broken:
        print(f"lab: {len(broken)} scenarios did not happen: {', '.join(broken)}", file=sys.stderr)
        return None
    print(f"{'PASS' if reached else 'FAIL'}  live and from files the same findings, each within "
          f"{live.LATE_SECONDS:.0f} s of its time")
    return reached


def list_all(options):
    for one in chosen(options):
        said = ", ".join(one.expect) or "nothing"
        where = f"simulator: {one.simulator}" if one.simulator else said
        print(f"{one.name:26} {one.section:3} {one.kind:7} {one.help}: {where}")
    for gap in uncovered():
        print(f"section {gap}")


def main():
    options = arguments()
    if options.list:
        list_all(options)
        return 0
    if options.again is None and cannot_run():
        print(f"lab: {cannot_run()}", file=sys.stderr)
        return 3
    try:
        with tempfile.TemporaryDirectory(prefix="tapwitness-lab-") as scratch:
            folder = options.again or options.keep or pathlib.Path(scratch)
            reached = (run_live if options.live else run_all)(options, folder)
            return {True: 0, False: 1, None: 3}[reached]
    except OSError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
