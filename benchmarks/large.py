"""Very many samples, very many clusters: the time of a fit, against a smaller one of the same run.

Fits from random samples as start, `algorithm="auto"`. The last column is the time over that of the first row of its
group, per sample and cluster where clusters are what grows.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import short
from .memory import PeakMemory

# Samples, features, clusters of the rows of a group, and the iterations of each.
GROUPS = (
    ("samples", 10, ((1_000_000, 3, 1000), (100_000_000, 3, 1000))),
    ("clusters", 3, ((1_000_000, 3, 1000), (1_000_000, 3, 50_000))),
    ("clusters", 2, ((1_000_000, 128, 1000), (1_000_000, 128, 50_000))),
)
N_CENTRES, CENTRE_SPREAD, SPREAD, PIECE = 1000, 2.0, 0.6, 1_000_000
HEADER = "n, d, k | iterations | seconds | ns a sample and iteration | B/sample beyond X | time over the first row's"


def large_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Time every row as often as `--repeats` says; the first time pays for memory that nobody has touched."""
    rows: list[dict[str, Any]] = []
    for grows, max_iter, shapes in GROUPS:
        first: dict[str, Any] | None = None
        for n, d, k in shapes:
            if options.quick:
                n, k = max(n // 100, 10_000), max(k // 100, 10)
            row = measure(n, d, k, max_iter, options.repeats or 2)
            first = first or row
            row["ratio"] = row["ns"] / first["ns"] / (k / first["k"] if grows == "clusters" else 1)
            rows.append(row)
            print(line(row), flush=True)
    return "\n".join([HEADER, *map(line, rows)]), rows


def samples(n: int, d: int) -> NDArray[np.float32]:
    """Return n samples of N_CENTRES Gaussian blobs, made piece by piece."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0.0, CENTRE_SPREAD, (N_CENTRES, d)).astype(np.float32)
    X = np.empty((n, d), np.float32)
    for start in range(0, n, PIECE):
        piece = X[start : start + PIECE]
        rng.standard_normal(piece.shape, np.float32, piece)
        piece *= SPREAD
        piece += centres[rng.integers(N_CENTRES, size=len(piece))]
    return X


def measure(n: int, d: int, k: int, max_iter: int, rounds: int) -> dict[str, Any]:
    """Least seconds of a fit, and the peak of its memory."""
    from kmeans_fast import kmeans

    X = samples(n, d)
    start = X[np.random.default_rng(1).choice(n, k, replace=False)]
    least, peak = np.inf, 0
    for _ in range(rounds):
        with PeakMemory() as memory:
            began = time.perf_counter()
            result = kmeans(X, k, init=start, max_iter=max_iter, tol=0.0)
            least = min(least, time.perf_counter() - began)
        peak = max(peak, memory.bytes or 0)
    return {
        "n": n, "d": d, "k": k, "n_iter": result.n_iter, "algorithm": result.algorithm, "seconds": least,
        "ns": least * 1e9 / n / result.n_iter, "bytes": peak / n, "inertia": result.inertia,
    }  # fmt: skip


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    shape = f"{short(row['n'])}, {row['d']}, {short(row['k'])} {row['algorithm']}"
    return (
        f"{shape} | {row['n_iter']} | {row['seconds']:.2f} | {row['ns']:.1f} | {row['bytes']:.1f} | {row['ratio']:.2f}"
    )
