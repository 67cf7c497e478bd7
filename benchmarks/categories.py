"""KModes and KPrototypes against the package kmodes, from the same start: CPU time of one thread.

An iteration is what a fit of three takes longer than one of one; both make the same ones, which is checked.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .machine import timed

CASES = ((10, 0, 8), (20, 0, 50), (5, 5, 8), (5, 5, 50))  # categories, numbers, clusters
ROUNDS = 3  # of ours; theirs takes seconds, and is measured once


def draw(n: int, m: int, d: int, k: int) -> np.ndarray:
    """Draw k groups that overlap: m categories of ten each as integers, then d numbers."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, k, n)
    categories = rng.integers(0, 10, (k, m))[groups]
    noise = rng.random((n, m)) < 0.6
    categories[noise] = rng.integers(0, 10, int(noise.sum()))
    numbers = rng.normal(size=(k, d))[groups] + rng.normal(size=(n, d))
    return np.column_stack([categories, numbers])


def ours(X: np.ndarray, m: int, start: np.ndarray, max_iter: int) -> Any:
    """Fit KModes or KPrototypes."""
    from kmeans_fast import KModes, KPrototypes

    if X.shape[1] == m:
        return KModes(len(start), init=start, max_iter=max_iter, n_threads=1).fit(X)
    categorical = list(range(m))
    return KPrototypes(len(start), categorical=categorical, init=start, max_iter=max_iter, n_threads=1).fit(X)


def theirs(X: np.ndarray, m: int, start: np.ndarray, max_iter: int) -> Any:
    """Fit that of kmodes; its start is in codes, and is changed in place."""
    from kmodes.kmodes import KModes
    from kmodes.kprototypes import KPrototypes

    codes = np.stack([np.searchsorted(np.unique(X[:, f]), start[:, f]) for f in range(m)], axis=1)
    if X.shape[1] == m:
        return KModes(len(start), init=codes, n_init=1, max_iter=max_iter, n_jobs=1).fit(X)
    model = KPrototypes(len(start), init=[start[:, m:].copy(), codes], n_init=1, max_iter=max_iter, n_jobs=1)
    return model.fit(X, categorical=list(range(m)))


def modes_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Time every case; n is 1e5, or 5000 with --quick."""
    records = [race(5_000 if options.quick else 100_000, m, d, k) for m, d, k in CASES]
    lines = [
        "| n, categories + numbers, k | a pass, ms | kmodes, ms | ratio | fit of 3, ms | kmodes, ms | ratio | same |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for case in records:
        times = [
            f"{mine * 1e3:.1f} | {theirs * 1e3:.0f} | {theirs / mine:.0f}"
            for mine, theirs in (case["each"], case["fit"])
        ]
        name = f"{case['n']}, {case['categories']} + {case['numbers']}, {case['k']}"
        lines.append(f"| {name} | {' | '.join(times)} | {'yes' if case['same'] else 'no'} |")
    return "\n".join(lines), records


def race(n: int, m: int, d: int, k: int) -> dict[str, Any]:
    """Time both, from the same start: an iteration, and a fit of three."""
    X = draw(n, m, d, k)
    start = X[np.random.default_rng(1).choice(n, k, replace=False)]
    one = min(timed(lambda: ours(X, m, start, 1))[0] for _ in range(ROUNDS))
    three, mine = min((timed(lambda: ours(X, m, start, 3)) for _ in range(ROUNDS)), key=lambda fit: fit[0])
    their_one, _ = timed(lambda: theirs(X, m, start, 1))
    their_three, other = timed(lambda: theirs(X, m, start, 3))
    iterations = max(1, mine.n_iter_ - 1)
    return {
        "n": n,
        "categories": m,
        "numbers": d,
        "k": k,
        "n_iter": [mine.n_iter_, other.n_iter_],
        "each": [(three - one) / iterations, (their_three - their_one) / iterations],
        "fit": [three, their_three],
        "same": bool(np.array_equal(mine.labels_, other.labels_) and np.isclose(mine.cost_, other.cost_, rtol=1e-10)),
    }
