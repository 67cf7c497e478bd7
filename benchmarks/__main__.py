"""``python -m benchmarks``: run suites, print tables, write JSON and a picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .bisecting import barriers_suite, bisecting_suite
from .cases import CASES, QUALITY_CASES, SCALING_CASES, Case, quick, select
from .categories import modes_suite
from .choosing_k import choose_suite
from .cluster import cluster_suite
from .competitors import BASELINE, COMPETITORS, ESTIMATOR, OURS
from .grid import grid_suite
from .import_time import import_suite
from .large import large_suite
from .machine import available_cpus, describe
from .minibatch import coresets_suite, minibatch_suite
from .peak import fma_peaks, peak_suite
from .picture import draw, draw_inertia, draw_scaling
from .race import Settings, race
from .results import Row
from .tables import LEGEND, full_table, markdown_table, summary
from .variants import variants_suite

RACES: dict[str, Settings] = {
    "fixed": Settings(),
    "scaling": Settings(repeats=3, budget=5.0),
    "converge": Settings(n_iter=300, repeats=3),
    "seeding": Settings(job="seeding", repeats=3),
    "default-fit": Settings(job="default_fit"),
    "quality": Settings(job="quality"),
}
OTHERS: dict[str, Callable[[argparse.Namespace], tuple[str, list[dict[str, Any]]]]] = {
    "peak": peak_suite,
    "import": import_suite,
    "choose": choose_suite,
    "modes": modes_suite,
    "variants": variants_suite,
    "minibatch": minibatch_suite,
    "coresets": coresets_suite,
    "bisecting": bisecting_suite,
    "barriers": barriers_suite,
    "cluster": cluster_suite,
    "grid": grid_suite,
    "large": large_suite,
}
DEFAULT_SUITES = ["fixed", "scaling", "seeding", "quality", "import"]
PICTURES = {"scaling": draw_scaling, "seeding": draw_inertia, "quality": draw_inertia}
CASES_OF = {"scaling": SCALING_CASES, "quality": QUALITY_CASES}
BUSY = 0.1  # CPUs used by others above which times are not to be trusted
TWO_OF_US = [OURS, ESTIMATOR, BASELINE]
SLOW = ("converge", "default-fit")  # suites of minutes race against scikit-learn alone


def main() -> int:
    """Run the chosen suites; 0 even where targets are missed: the table is the result."""
    options = parse(sys.argv[1:])
    report: dict[str, Any] = {"machine": describe(options.threads), "suites": {}}
    print(headline(report["machine"]))
    for suite in options.suite or DEFAULT_SUITES:
        print(f"\n## {suite}", flush=True)
        if suite in OTHERS:
            text, records = OTHERS[suite](options)
            print(text)
            report["suites"][suite] = records
            continue
        rows = run_race(suite, options)
        if not rows:
            continue
        print(f"\n{full_table(rows)}\n\n{summary(rows)}")
        if options.markdown:
            print(f"\n{headline(report['machine'])}; {LEGEND if rows[0].job == 'fit' else 'milliseconds, medians.'}\n")
            print(markdown_table(rows))
        print(versions(rows))
        report["suites"][suite] = [row.to_json() for row in rows]
        print("picture:", PICTURES.get(suite, draw)(rows, suite, options.out, headline(report["machine"])))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "latest.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nresults: {path}")
    return 0


def run_race(suite: str, options: argparse.Namespace) -> list[Row]:
    """All chosen cases of one suite, with a line of progress for each."""
    settings = RACES[suite]
    able = [name for name, competitor in COMPETITORS.items() if competitor.can(settings.job)]
    names = options.competitors or (TWO_OF_US if suite in SLOW else able)
    settings = replace(settings, n_threads=options.threads, quick=options.quick)
    if options.budget:
        settings.budget = options.budget
    if options.repeats:
        settings.repeats = options.repeats
    rows: list[Row] = []
    peaks = fma_peaks(options.threads) if settings.job == "fit" else {}
    for case in chosen_cases(suite, options):
        measured = race(case, names, settings)
        rows += measured
        for row in measured:
            row.fma_peak = peaks.get((str(row.detail.get("isa")), case.dtype))
        busy = measured[0].busy_cpus if measured else 0.0
        if busy > BUSY:
            print(f"warning: other processes keep {busy:.1f} CPUs busy", file=sys.stderr)
        times = ", ".join(f"{r.competitor} {1e3 * r.median:.3g} ms" for r in measured if r.seconds)
        print(f"{case.name}: {times or 'nobody could run it'}", flush=True)
    skipped = [name for name in names if all(row.competitor != name for row in rows)]
    if skipped:
        print("skipped (not installed, or not made for these rows):", ", ".join(skipped))
    return rows


def chosen_cases(suite: str, options: argparse.Namespace) -> list[Case]:
    """Cases after --rows, --dtypes and --quick; a convergence run promises nothing row by row."""
    cases = select(options.rows or [], options.dtypes, CASES_OF.get(suite, CASES))
    if suite == "default-fit" and not options.rows:
        cases = [case for case in cases if case.default_fit]
    if suite == "seeding" and not options.rows:
        cases = [case for case in cases if case.kind == "blobs"]  # minutes; shape is what counts
    if suite == "converge":
        cases = [replace(case, vs_sklearn=None, vs_best=None) for case in cases]
    return [quick(case) for case in cases] if options.quick else cases


def headline(machine: dict[str, Any]) -> str:
    """Machine, threads and date in one line."""
    return (
        f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['threads']} threads, "
        f"{machine['system']}, Python {machine['python']}, {machine['date']}"
    )


def versions(rows: list[Row]) -> str:
    """Versions of the competitors and the BLAS kernels that their processes reported."""
    libraries = {f"{row.competitor} {row.version}".strip() for row in rows if row.seconds}
    kernels = {f"{row.competitor} {', '.join(row.blas)}" for row in rows if row.blas}
    return f"versions: {', '.join(sorted(libraries))}\nBLAS: {'; '.join(sorted(kernels)) or '-'}"


def parse(arguments: list[str]) -> argparse.Namespace:
    """Command line; see ``--help``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--suite", action="append", choices=[*RACES, *OTHERS], help="may be given several times")
    add("--rows", action="append", metavar="PART", help="cases whose name contains PART")
    add("--dtypes", nargs="+", default=["float32"], choices=["float32", "float64"])
    add("--competitors", nargs="+", choices=list(COMPETITORS), metavar="NAME")
    add("--repeats", type=int, metavar="N", help="rounds; the number of seeds of random suites")
    add("--budget", type=float, metavar="S", help="seconds a competitor and row")
    add("--threads", type=int, default=available_cpus(), metavar="N")
    add("--quick", action="store_true", help="a twentieth of the samples, to try it out")
    add("--markdown", action="store_true", help="also print the table for the README")
    add("--out", type=Path, default=Path(__file__).parent / "results", metavar="DIR")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
