"""`make torture`: hostile input, interrupts, forks, failing memory and disks, by the thousand, with a table of figures.

    python torture                     # the counts that docs/reliability.md promises
    python torture --minutes 10        # as many as fit
    python torture --only kills fork --factor 0.1

Each trial runs in a process of its own, so that a crash or a hang is a row of the table and not the end of it.
"""

from __future__ import annotations

import argparse
import sys
from time import perf_counter

import answers
import damage
import fuzz
import memory
import processes
from campaign import Trial, run, work

TRIALS: list[Trial] = [*answers.TRIALS, *processes.TRIALS, *memory.TRIALS, *damage.TRIALS, *fuzz.TRIALS]


LEAST = 0.4  # seconds of a trial, however few are left


def main() -> int:
    """Run the trials asked for and print a line for each; 1 if one failed."""
    parser = argparse.ArgumentParser("torture", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, help="for all trials together; by default as long as the counts take")
    parser.add_argument("--factor", type=float, default=1.0, help="of the counts asked for")
    parser.add_argument("--only", nargs="+", help="words of the names of some")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        return work(next(t for t in TRIALS if t.name == given.worker), given.seed)
    chosen = [t for t in TRIALS if not given.only or any(word in t.name for word in given.only)]
    if not chosen:
        parser.error(f"--only={given.only} must name some of: {', '.join(t.name for t in TRIALS)}.")
    failed, deadline = 0, None if given.minutes is None else perf_counter() + 60 * given.minutes
    print(f"{'trial':28} {'cases':>8} {'of':>8} {'failed':>6} {'s':>6}  figures")
    for at, trial in enumerate(chosen):
        share = None if deadline is None else max(LEAST, (deadline - perf_counter()) / (len(chosen) - at))
        asked = max(1, round(trial.asked * given.factor))
        row = run(trial, asked, share, given.seed)
        print(
            f"{row.name:28} {row.cases:8} {'all' if trial.exhaustive else asked:>8} {sum(row.failures.values()):6} "
            f"{row.seconds:6.1f}  {row.figures}",
            flush=True,
        )
        for failure, times in row.failures.items():
            print(f"    {times} x " + failure.replace("\n", "\n    "))
        failed += bool(row.failures)
    print("no failure" if not failed else f"{failed} trials failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
