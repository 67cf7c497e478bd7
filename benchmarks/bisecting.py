"""BisectingKMeans against scikit-learn's, and walking distances: CPU time of one thread."""

from __future__ import annotations

import argparse
from statistics import mean, median
from typing import Any

import numpy as np

from .machine import timed

CASES = ((2, 50), (32, 32))  # features, clusters
CITIES = ((2000, 40), (2000, 400), (5000, 40))  # points, pieces of each of five rivers
SEEDS = 30


def draw(n: int, d: int, k: int, dtype: Any) -> np.ndarray:
    """Draw k blobs that overlap a little."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal((n, d)) + 4 * rng.standard_normal((k, d))[rng.integers(k, size=n)]).astype(dtype)


def _pair(X: np.ndarray, k: int, seed: int) -> tuple[Any, Any]:
    from sklearn.cluster import BisectingKMeans as Theirs

    from kmeans_fast import BisectingKMeans

    ours = timed(lambda: BisectingKMeans(k, random_state=seed, n_threads=1).fit(X))
    return ours, timed(lambda: Theirs(k, random_state=seed).fit(X))


def bisecting_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Time both in turn, seed by seed; n is 1e5, or 5000 and three seeds with --quick."""
    import sklearn.cluster  # noqa: F401 # its threads are there before they are limited
    from threadpoolctl import threadpool_limits

    n, seeds = (5_000, 3) if options.quick else (100_000, SEEDS)
    records = []
    lines = [
        "| n, d, k, dtype | fit, ms | scikit-learn, ms | ratio | inertia / theirs | predict, ms | scikit-learn, ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (d, k), dtype in ((case, dtype) for case in CASES for dtype in (np.float32, np.float64)):
        X = draw(n, d, k, dtype)
        with threadpool_limits(1):
            runs = [_pair(X, k, seed) for seed in range(seeds)]
            ours, theirs = (1e3 * median(run[side][0] for run in runs) for side in (0, 1))
            lower = mean(run[0][1].inertia_ for run in runs) / mean(run[1][1].inertia_ for run in runs)
            predict = [1e3 * timed(lambda: runs[0][side][1].predict(X))[0] for side in (0, 1)]  # noqa: B023
        name = f"{n} x {d}, {k}, {np.dtype(dtype).name}"
        lines.append(
            f"| {name} | {ours:.3g} | {theirs:.3g} | {theirs / ours:.2f} | {lower:.4f} | {predict[0]:.3g} | "
            f"{predict[1]:.3g} |"
        )
        records.append({"case": name, "ms": ours, "sklearn_ms": theirs, "inertia_ratio": lower})
    return "\n".join(lines), records


def city(n: int, pieces: int) -> tuple[Any, list[Any], list[Any]]:
    """Draw points among five rivers that wander from south to north, with five bridges each."""
    rng = np.random.default_rng(0)
    points, rivers, bridges = 100 * rng.random((n, 2)), [], []
    for r in range(5):
        x = 20 * r + 10 + np.cumsum(rng.normal(0, 2, pieces + 1)) * (30 / pieces) ** 0.5
        river = np.column_stack([x, np.linspace(-5, 105, pieces + 1)])
        rivers.append(river)
        bridges += [(river[s] + river[s + 1]) / 2 for s in rng.choice(pieces, 5, replace=False)]
    return points, rivers, bridges


def barriers_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Time the distances of all pairs, and to 50 places."""
    from kmeans_fast.barriers import travel_distance

    records = []
    lines = ["| points, pieces of rivers | all pairs, s | to 50 places, s |", "|---|---:|---:|"]
    for n, pieces in CITIES[: 1 if options.quick else None]:
        map_ = city(n, pieces)
        whole, _ = timed(lambda: travel_distance(*map_, unreachable="inf"))  # noqa: B023
        some, _ = timed(lambda: travel_distance(*map_, to=map_[0][:50], unreachable="inf"))  # noqa: B023
        lines.append(f"| {n}, {5 * pieces} | {whole:.2f} | {some:.2f} |")
        records.append({"case": f"{n}, {5 * pieces}", "s": whole, "to_50_s": some})
    return "\n".join(lines), records
