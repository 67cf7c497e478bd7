"""The grid over the centroids against scoring every one: kernels alone, CPU time of one thread, turn by turn.

Dense passes over many clusters are timed on fewer samples. Then fits and predictions of very many clusters.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Case, make, quick

ROWS = ((2, 100), (2, 1000), (3, 256), (3, 1000), (3, 16_384), (3, 100_000))
N_SAMPLES, ROUNDS = 1_000_000, 5
DENSE_SCORES = 4e9  # of a dense pass; its samples are cut to that
HEADER = "d, k | dense, ns a sample | grid | ratio | building it, us a centroid | predict, ns a sample"


def grid_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Time every row; all labels are compared."""
    rows = []
    for d, k in ROWS:
        case = Case(N_SAMPLES, d, k, "blobs", "float32")
        rows.append(measure(quick(case) if options.quick else case, options.repeats or ROUNDS))
    return "\n".join([HEADER, *map(line, rows)]), rows


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """Least CPU seconds of the kernels over X, as nanoseconds a sample."""
    from kmeans_fast import _distances, predict
    from kmeans_fast._engines import make_grid
    from kmeans_fast._problem import score_shift

    X, centroids = make(case)
    n, d, k = *X.shape, len(centroids)
    centroids = np.ascontiguousarray(centroids, np.float64)
    shift = score_shift(centroids, X.dtype)
    packed = np.empty(_distances.packed_bytes(True, k, d), np.uint8)
    work = np.empty(_distances.work_bytes(True, k, d), np.uint8)
    _distances.pack(centroids, shift, packed)
    grid = make_grid(True, n, k, d, np.empty)
    some = X[: max(1, min(n, int(DENSE_SCORES / k)))]
    least = dict.fromkeys(("dense", "grid", "build", "predict"), np.inf)
    labels: dict[str, NDArray[np.int32]] = {"dense": np.empty(len(some), np.int32), "grid": np.empty(n, np.int32)}

    def clock(name: str, samples: int, call: Any, *arguments: Any) -> None:
        start = time.process_time()
        call(*arguments)
        least[name] = min(least[name], (time.process_time() - start) * 1e9 / samples)

    for _ in range(rounds):
        clock("build", k, grid.build, packed)
        clock("grid", n, _distances.assign, X, shift, packed, k, labels["grid"], work, 4096, 1, grid)
        clock("dense", len(some), _distances.assign, some, shift, packed, k, labels["dense"], work, 4096, 1)
    clock("predict", n, predict, X, centroids, 1)
    if not np.array_equal(labels["grid"][: len(some)], labels["dense"]):
        raise AssertionError(f"{case.name}: the grid gives other labels than scoring every centroid.")
    return {"d": d, "k": k, **least}


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    return (
        f"{row['d']}, {row['k']} | {row['dense']:.1f} | {row['grid']:.1f} | {row['dense'] / row['grid']:.1f} | "
        f"{row['build'] / 1e3:.1f} | {row['predict']:.0f}"
    )
