"""What an iteration of the variants costs beside one of KMeans, and k-medians beside NumPy and SciPy.

CPU milliseconds of one thread, the least of some rounds in turn: what iterations take beyond the first, of one start.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmeans_fast import KMeans, KMedians, SphericalKMeans, TrimmedKMeans

from .machine import timed

Array = NDArray[Any]

CASES = ((1_000_000, 2, 8), (1_000_000, 2, 100), (300_000, 32, 256), (60_000, 784, 10))  # n, d, k
MORE = 10  # iterations
ROUNDS = 3
CDIST_ROWS = 1 << 14  # whose distances stay in cache


def variants_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """One row a case."""
    rounds = options.repeats or ROUNDS
    records = [measure(n // 20 if options.quick else n, d, k, rounds) for n, d, k in CASES]
    names = list(records[0]["ms"])
    lines = ["| n, d, k | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for record in records:
        base = record["ms"]["KMeans"]
        cells = [f"{ms:.2f} ({base / ms:.2f})" for ms in record["ms"].values()]
        lines.append(f"| {record['n']:g}x{record['d']}x{record['k']} | " + " | ".join(cells) + " |")
    return "ms an iteration (share of the speed of KMeans)\n\n" + "\n".join(lines), records


def measure(n: int, d: int, k: int, rounds: int) -> dict[str, Any]:
    """Blobs that overlap, so that labels go on changing, away from the origin; float32."""
    rng = np.random.default_rng(0)
    X = 1 + np.abs(rng.uniform(2, 10, (k, d))[rng.integers(k, size=n)] + 3 * rng.normal(size=(n, d)))
    X = X.astype(np.float32)
    start = X[:k].copy()

    def fit(variant: Any, **parameters: Any) -> Callable[[int], Any]:
        return lambda n_iter: variant(k, init=start, max_iter=n_iter, n_threads=1, **parameters).fit(X)

    fits = {
        "KMeans": fit(KMeans, tol=0),
        "KMedians": fit(KMedians),
        "TrimmedKMeans": fit(TrimmedKMeans, n_outliers=0.01, tol=0),
        "SphericalKMeans": fit(SphericalKMeans, tol=0),
    }
    ms = dict.fromkeys(fits, np.inf)
    for _ in range(rounds):
        for name, run in fits.items():
            (one, first), (more, last) = timed(lambda run=run: run(1)), timed(lambda run=run: run(1 + MORE))
            ms[name] = min(ms[name], 1e3 * (more - one) / max(last.n_iter_ - first.n_iter_, 1))
    ms["cdist and NumPy"] = 1e3 * min(timed(lambda: median_iteration(X, start))[0] for _ in range(min(rounds, 2)))
    return {"n": n, "d": d, "k": k, "ms": ms}


def median_iteration(X: Array, centers: Array) -> Array:
    """One iteration of k-medians as one would write it: cdist block by block, then a median of each cluster."""
    from scipy.spatial.distance import cdist

    labels = np.concatenate(
        [
            cdist(X[first : first + CDIST_ROWS], centers, "cityblock").argmin(axis=1)
            for first in range(0, len(X), CDIST_ROWS)
        ]
    )
    return np.array([np.median(X[labels == j], axis=0) for j in np.unique(labels)])
