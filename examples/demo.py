"""Cluster a photograph's colours and the tutorial's boards; write one page with the pictures.

    python examples/demo.py [--out demo.html] [--small]

Prints inertia, iterations and time beside scikit-learn's, from the same start in the same run, and
the page's path last. Nothing is downloaded: the photograph comes with scikit-learn.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import demo_page as html
import demo_sections as sections
import matplotlib as mpl
import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.datasets import load_sample_image
from tqdm import tqdm

from kmeans_fast import KMeansResult, __version__, kmeans
from kmeans_fast.datasets import init_board, init_board_gauss

Array = NDArray[Any]

MAX_ITER, TOL = 300, 1e-4  # for both libraries: their defaults
REPEATS = 5  # of each timed fit; the fastest counts
SMALL = 6  # --small takes every sixth row and column of pixels, a sixth of the clusters

# Six Gaussians that lie well apart, and a draw of six points that puts several into one of them.
SIX_APART, UNLUCKY_DRAW = 2122, 8

HEADINGS = ["data", "library", "iterations", "inertia", "ms", "ratio"]


class Case(NamedTuple):
    """One data set, fitted by both libraries from the same start: our result and the table rows."""

    X: Array
    result: KMeansResult
    rows: list[list[str]]


def watch(name: str, X: Array, n_clusters: int, **options: Any) -> KMeansResult:
    """Fit under a progress bar, which the callback moves after every iteration."""
    with tqdm(desc=f"{name:25}", unit=" iterations") as bar:

        def show(state: Any) -> None:
            bar.total = state.max_iter * state.n_init
            bar.set_postfix(inertia=f"{state.inertia:.4g}", refresh=False)
            bar.update()

        result = kmeans(X, n_clusters, callback=show, **options)
        bar.total = bar.n  # converged: what was done is all there was to do
        bar.refresh()
    return result


def timed(*fits: Callable[[], Any]) -> list[tuple[Any, float]]:
    """Fit by each in turn, a few times; return its last fit and the seconds of its fastest."""
    fitted, seconds = [None] * len(fits), [inf] * len(fits)
    for _ in range(REPEATS):
        for i, fit in enumerate(fits):
            begin = perf_counter()
            fitted[i] = fit()
            seconds[i] = min(seconds[i], perf_counter() - begin)
    return list(zip(fitted, seconds, strict=True))


def compare(name: str, X: Array, n_clusters: int) -> Case:
    """Fit X by both libraries from one k-means++ start, first under a progress bar, then timed."""
    start, _ = kmeans_plusplus(X, n_clusters, random_state=0)
    options: dict[str, Any] = {"init": start, "n_init": 1, "max_iter": MAX_ITER, "tol": TOL}
    watch(name, X, n_clusters, **options)
    (ours, seconds), (theirs, their_seconds) = timed(
        lambda: kmeans(X, n_clusters, **options), lambda: KMeans(n_clusters, **options).fit(X)
    )
    size = f"{len(X):,} x {X.shape[1]}, k={n_clusters}"
    rows = [
        [label, library, str(n_iter), f"{inertia:,.3f}", f"{1000 * took:,.2f}", f"{ratio:.1f}x"]
        for label, library, n_iter, inertia, took, ratio in (
            (name, "kmeans_fast", ours.n_iter, ours.inertia, seconds, their_seconds / seconds),
            (size, "scikit-learn", theirs.n_iter_, theirs.inertia_, their_seconds, 1),
        )
    ]
    return Case(X, ours, rows)


def restarts() -> str:
    """Fit one board from a bad random start and from k-means++, then ten times from each."""
    X, k = init_board_gauss(600, 6, random_state=SIX_APART), 6
    draw = np.random.default_rng(UNLUCKY_DRAW).choice(len(X), k, replace=False)
    bad = kmeans(X, k, init=X[draw])
    good = kmeans(X, k, init="k-means++", n_init=1, random_state=0)
    print(f"\nOne board, six clusters: the random start ends at inertia {bad.inertia:.3f},")
    print(f"k-means++ at {good.inertia:.3f}.")
    ten = {
        init: watch(f"10 restarts, {init}", X, k, init=init, n_init=10, random_state=0)
        for init in ("random", "k-means++")
    }
    for init, result in ten.items():
        inertias = " ".join(f"{restart.inertia:.1f}" for restart in result.restarts)
        print(f"10 restarts, {init}: {inertias}; the best was found {result.times_found} times.")
    return sections.starts(X, bad, good, ten)


def print_table(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    for row in [HEADINGS, *rows]:
        left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        print("  ".join(left + right).rstrip())


def figures(rows: list[list[str]], photo: KMeansResult) -> str:
    machine = (
        f"kmeans_fast {__version__} ({photo.isa}, threads for the photograph: {photo.n_threads}), "
        f"scikit-learn {sklearn.__version__}. The photograph is float32, the boards are float64."
    )
    print_table(rows)
    print(machine)
    return html.section(
        "The figures",
        "Both libraries start from the same centroids and stop by the same rule "
        f"(max_iter={MAX_ITER}, tol={TOL:g}). The fastest of {REPEATS} fits counts; the ratio is "
        "scikit-learn's time over each.",
        html.table(HEADINGS, rows),
        html.note(machine),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Cluster a photograph and the tutorial's boards.")
    parser.add_argument("--out", type=Path, default=Path("demo.html"), help="the page to write")
    parser.add_argument("--small", action="store_true", help="smaller data, for a quick look")
    options = parser.parse_args()
    mpl.use("agg")
    mpl.rcParams.update({"axes.edgecolor": "#9aa5ad", "axes.linewidth": 0.8})

    step = SMALL if options.small else 1
    pixels = load_sample_image("china.jpg")[::step, ::step]
    colours = pixels.reshape(-1, 3).astype(np.float32) / 255
    photo = compare("photograph", colours, 64 // step)
    uniform = compare("uniform board", init_board(200, random_state=1), 4)
    gauss = compare("Gaussian board", init_board_gauss(200, 3, random_state=58), 3)
    dense = compare("dense board", init_board(20_000 // step, random_state=3), 100 // step)
    rows = [row for case in (photo, uniform, gauss, dense) for row in case.rows]
    page = html.page(
        "k-means, fast",
        "What <code>kmeans_fast</code> does, in pictures made on this machine a moment ago: "
        "the colours of a photograph, boards of points, and what a start is worth.",
        [
            sections.photograph(pixels, photo.result),
            sections.boards((uniform.X, uniform.result), (gauss.X, gauss.result)),
            sections.dense_board(dense.X, dense.result),
            restarts(),
            figures(rows, photo.result),
        ],
    )
    options.out.write_text(page, encoding="utf-8")
    print(options.out.resolve())


if __name__ == "__main__":
    main()
