"""Tables of rows: one line a competitor for the terminal, one line a case for the README."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import geometric_mean

from .competitors import BASELINE, COMPETITORS, OURS
from .results import Row

HEADER = (
    "competitor", "median ms", "min ms", "x sklearn", "target", "", "x best peer", "target", "",
    "inertia", "iter", "B/sample", "remarks",
)  # fmt: skip


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
    per_sample = "" if row.memory is None else f"{row.memory / row.case.n_samples:.1f}"
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
        per_sample,
        "; ".join(row.marks),
    )


def markdown_table(rows: list[Row]) -> str:
    """One line a case, one column a competitor, for the README; * marks unequal quality."""
    present = [name for name in COMPETITORS if any(row.competitor == name for row in rows)]
    random_job = any(row.job != "fit" for row in rows)
    quality = [f"inertia / {BASELINE}'s"] if random_job else []
    head = ["n, d, k", *(f"{name}, ms" for name in present)]
    head += [f"x {BASELINE}", "target", "", *quality, "x best peer"]
    lines = [head, ["---", *("---:" for _ in head[1:])]]
    for name, group in groupby(rows, key=lambda row: row.case.name):
        by_name = {row.competitor: row for row in group}
        ours, base = by_name.get(OURS), by_name.get(BASELINE)
        line = [name, *(_cell(by_name.get(peer)) for peer in present)]
        line += [times(ours.ratio if ours else None), times(ours.target if ours else None)]
        line.append(ours.verdict if ours else "")
        if random_job:
            both = ours and base and ours.seconds and base.seconds
            line.append(f"{ours.inertia / base.inertia:.4f}" if both and ours and base else "")
        line.append(times(ours.ratio_best if ours else None))
        lines.append(line)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


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


def times(ratio: float | None) -> str:
    """Write a ratio: two digits after the point below 10, one above, "" for none."""
    if ratio is None:
        return ""
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"
