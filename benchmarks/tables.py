"""Tables of rows: one line a competitor for the terminal, one line a case for the README."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import geometric_mean

from .competitors import BASELINE, COMPETITORS, OURS
from .results import Row

HEADER = (
    "competitor", "median ms", "min ms", "x sklearn", "target", "", "x best peer", "target", "",
    "inertia", "iter", "distances", "of peak", "B/sample", "remarks",
)  # fmt: skip
LEGEND = (
    "milliseconds, medians. A star: another inertia than scikit-learn's. x: a peer's time over kmeans_fast's; the "
    "best: of the fastest that ended as low. Of kmeans_fast: distances computed, in percent of samples x clusters x "
    "iterations (a last pass comes on top); 2 d operations for each of them, as a share of the multiply-adds that the "
    "machine makes in that time on as many threads (what bounds, boxes, codes or a grid decide does not count); memory "
    "beyond X at its peak, in bytes a sample."
)


def full_table(rows: list[Row]) -> str:
    """Every competitor of every case, losses included."""
    lines: list[Sequence[str]] = []
    for name, group in groupby(rows, key=lambda row: row.case.name):
        lines.append((name,))
        lines += [_line(row) for row in group]
    return align([HEADER, *lines])


def _line(row: Row) -> tuple[str, ...]:
    if not row.seconds:
        return ("  " + row.competitor, "failed: " + row.error)
    counts = [count for count in row.n_iter if count]
    n_iter = f"{sum(counts) / len(counts):.4g}" if counts else ""
    return (
        "  " + row.competitor,
        milliseconds(row.median),
        milliseconds(min(row.seconds)),
        times(row.ratio),
        times(row.target),
        row.verdict,
        times(row.ratio_best),
        times(row.target_best),
        row.verdict_best,
        f"{row.inertia:.7g}",
        n_iter,
        percent(row.distances_share),
        percent(row.peak_share),
        per_sample(row),
        "; ".join(row.marks),
    )


def markdown_table(rows: list[Row]) -> str:
    """One line a case, one column a competitor, then our own figures, for the README; * marks unequal quality."""
    present = [name for name in COMPETITORS if any(row.competitor == name for row in rows)]
    fits = all(row.job == "fit" for row in rows)
    head = ["n, d, k", *present, f"x {BASELINE}", "target", "x best"]
    head += ["target", "distances", "of peak", "B/sample"] if fits else [f"inertia / {BASELINE}'s"]
    lines = [head, ["---", *("---:" for _ in head[1:])]]
    for name, group in groupby(rows, key=lambda row: row.case.name):
        by_name = {row.competitor: row for row in group}
        ours, base = by_name.get(OURS), by_name.get(BASELINE)
        line = [name, *(_cell(by_name.get(peer)) for peer in present)]
        if ours and ours.seconds:
            line += [times(ours.ratio), _target(ours.target, ours.verdict), times(ours.ratio_best)]
            if fits:
                line += [_target(ours.target_best, ours.verdict_best), percent(ours.distances_share)]
                line += [percent(ours.peak_share), per_sample(ours)]
            elif base and base.seconds:
                line.append(f"{ours.inertia / base.inertia:.4f}")
        lines.append(line + [""] * (len(head) - len(line)))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _target(target: float | None, verdict: str) -> str:
    if target is None:
        return ""
    return f"{target:.3g}, missed" if verdict == "missed" else f"{target:.3g}"


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    if not row.seconds:
        return "failed"
    return milliseconds(row.median) + ("*" if "unequal quality" in row.marks else "")


def summary(rows: list[Row]) -> str:
    """Geometric mean of our ratios, and how many promises are kept."""
    ours = [row for row in rows if row.competitor == OURS and row.ratio is not None]
    if not ours:
        return ""
    means = geometric_mean([row.ratio for row in ours if row.ratio is not None])
    verdicts = [verdict for row in ours if (verdict := row.verdict)]
    kept = f"; targets met: {verdicts.count('met')} of {len(verdicts)}" if verdicts else ""
    return f"geometric mean over {len(ours)} rows: {means:.2f} x {BASELINE}{kept}"


def align(lines: Sequence[Sequence[str]]) -> str:
    """Pad columns: the first and the last to the left, figures to the right."""
    last = max(map(len, lines)) - 1
    wide = [line for line in lines if len(line) > 2]  # headings and failures don't set widths
    widths = [max((len(line[i]) for line in wide if i < len(line)), default=0) for i in range(last)]
    widths[0] = max(widths[0], *(len(line[0]) for line in lines if len(line) == 2), 0)
    text = []
    for line in lines:
        if len(line) <= 2:
            text.append("  ".join([line[0].ljust(widths[0]) if line[1:] else line[0], *line[1:]]))
            continue
        cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=False))]
        text.append("  ".join([*cells, *line[last:]]).rstrip())
    return "\n".join(text)


def milliseconds(seconds: float) -> str:
    """Write three significant digits or whole milliseconds: 0.0142, 3.97, 1260."""
    ms = 1e3 * seconds
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.3g}"


def percent(share: float | None) -> str:
    """Write a share with two significant digits at least: 0.42%, 7.5%, 95%."""
    return "" if share is None else f"{share:.0%}" if share >= 0.1 else f"{100 * share:.2g}%"


def per_sample(row: Row) -> str:
    """Write the bytes of memory that a sample takes beyond X."""
    return "" if row.bytes_per_sample is None else f"{row.bytes_per_sample:.1f}"


def times(ratio: float | None) -> str:
    """Write a ratio: two digits after the point below 10, one above, "" for none."""
    if ratio is None:
        return ""
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"
