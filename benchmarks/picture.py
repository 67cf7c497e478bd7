"""One picture a suite: times and our ratio beside what was promised, times against n, k and d, inertia against time."""

from __future__ import annotations

from pathlib import Path
from statistics import mode
from typing import Any

from .cases import SCALES, Case
from .competitors import COMPETITORS, OURS
from .results import Row

ROW_HEIGHT = 0.42  # inches
MARKERS = "osD^v<>PX*hpd8"
PANELS_A_ROW = 3
LETTERS = {"n_samples": "n", "n_clusters": "k", "n_features": "d"}


def draw(rows: list[Row], suite: str, folder: Path, caption: str) -> str:
    """Write ``folder/SUITE.png`` and return its path; "" with a reason without Matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return "left out, it needs matplotlib"
    done = [row for row in rows if row.seconds]
    cases: list[Case] = list(dict.fromkeys(row.case for row in done))
    if not cases:
        return "left out, no row was measured"
    position = {case: len(cases) - 1 - i for i, case in enumerate(cases)}
    figure = Figure(figsize=(11, 1.8 + ROW_HEIGHT * len(cases)), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    for marker, name in zip(MARKERS, COMPETITORS, strict=True):
        mine = [row for row in done if row.competitor == name]
        if mine:
            x, y = [1e3 * row.median for row in mine], [position[row.case] for row in mine]
            first = name == OURS
            colour = "crimson" if first else None
            left.plot(x, y, marker, color=colour, ms=8 if first else 6, label=name, zorder=2 + first)
    left.set(xscale="log", xlabel="median time, ms")
    left.set_yticks(list(position.values()), [case.name for case in position])
    left.legend(fontsize="small", loc="best")
    ours = [row for row in done if row.competitor == OURS and row.ratio is not None]
    right.barh([position[row.case] for row in ours], [row.ratio or 0 for row in ours],
               color="crimson", height=0.55, label=f"{OURS} x scikit-learn")  # fmt: skip
    promised = [row for row in ours if row.target is not None]
    right.plot([row.target for row in promised], [position[row.case] for row in promised],
               "|", color="black", ms=16, mew=2, label="promised")  # fmt: skip
    right.axvline(1.0, color="grey", lw=1)
    right.set(xscale="log", xlabel="times as fast")
    right.set_visible(bool(ours))
    if ours:
        right.legend(fontsize="small", loc="best")
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
    return _written(figure, suite, folder, caption)


def draw_inertia(rows: list[Row], suite: str, folder: Path, caption: str) -> str:
    """Write ``folder/SUITE.png``: a panel a case, mean inertia against median time; left and low is better."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return "left out, it needs matplotlib"
    done = [row for row in rows if row.seconds and row.inertias]
    cases = list(dict.fromkeys(row.case for row in done))
    if not cases:
        return "left out, no row was measured"
    n_lines = -(-len(cases) // PANELS_A_ROW)
    figure = Figure(figsize=(12, 1.0 + 2.8 * n_lines), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(n_lines, PANELS_A_ROW, squeeze=False).ravel()
    shown = {}
    for axes, case in zip(panels, cases, strict=False):
        mine = [row for row in done if row.case == case]
        least = min(row.inertia for row in mine)
        for marker, name in zip(MARKERS, COMPETITORS, strict=True):
            for row in (row for row in mine if row.competitor == name):
                (shown[name],) = axes.plot(
                    [1e3 * row.median], [row.inertia / least], marker, color=f"C{list(COMPETITORS).index(name) % 10}",
                    ms=8, label=name,
                )  # fmt: skip
        axes.set(xscale="log", xlabel="median time, ms", title=case.name)
        axes.title.set_size("small")
        axes.xaxis.label.set_size("small")
        axes.grid(alpha=0.3)
    for axes in panels[len(cases) :]:
        axes.set_visible(False)
    figure.supylabel("mean inertia / lowest", fontsize="small")
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4, fontsize="small")
    return _written(figure, suite, folder, caption)


def draw_scaling(rows: list[Row], suite: str, folder: Path, caption: str) -> str:
    """Write ``folder/SUITE.png``: median time against n, k and d, a panel each, all axes logarithmic."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return "left out, it needs matplotlib"
    done = [row for row in rows if row.seconds]
    if not done:
        return "left out, no row was measured"
    figure = Figure(figsize=(13, 5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(SCALES), sharey=True)
    shown = {}
    # The point that the three sweeps share has the commonest value of each size.
    middle = {of: mode(getattr(row.case, of) for row in done) for of in SCALES}
    for axes, of in zip(panels, SCALES, strict=True):
        others = {name: size for name, size in middle.items() if name != of}
        for marker, name in zip(MARKERS, COMPETITORS, strict=True):
            mine = [
                (getattr(row.case, of), 1e3 * row.median)
                for row in done
                if row.competitor == name and all(getattr(row.case, key) == size for key, size in others.items())
            ]
            if mine:
                first = name == OURS
                colour = "crimson" if first else f"C{list(COMPETITORS).index(name) % 10}"
                (shown[name],) = axes.plot(
                    *zip(*sorted(mine), strict=True), f"{marker}-", color=colour, lw=2.5 if first else 1, label=name
                )
        fixed = ", ".join(f"{LETTERS[name]} = {size:,}" for name, size in others.items())
        axes.set(xscale="log", yscale="log", xlabel=f"{LETTERS[of]}, with {fixed}")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("median time, ms")
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=5, fontsize="small")
    return _written(figure, suite, folder, caption)


def _written(figure: Any, suite: str, folder: Path, caption: str) -> str:
    figure.suptitle(f"{suite}: {caption}", fontsize="small")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{suite}.png"
    figure.savefig(path, dpi=120)
    return str(path)
