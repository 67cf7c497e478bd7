"""Each sample and its own centroid, by direct differences: inertia, counts, and where empty clusters go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _distances, _lloyd
from ._problem import Floats, Problem

OWN_ROWS = 1 << 17  # samples whose distances are in memory at once


def own_squares(problem: Problem, centroids: Floats) -> Iterator[tuple[int, NDArray[Any], Floats]]:
    """Yield (first row, block, squared distance of each of its samples to its centroid)."""
    samples, dtype = problem.samples, problem.dtype
    rows = min(samples.n_samples, max(1, OWN_ROWS // problem.chunk) * problem.chunk)
    threads, out = problem.threads_for(float(rows * samples.n_features)), np.empty(rows)
    for start, block in samples.blocks(dtype, min(rows, problem.block_rows(float(samples.n_features)))):
        squared, labels = out[: len(block)], problem.labels[start : start + len(block)]
        _distances.own_squared_distances(block, centroids, labels, squared, problem.chunk, threads)
        if problem.weight is not None:
            squared[problem.weight[start : start + len(block)] == 0.0] = 0.0
        yield start, block, squared


def inertia(problem: Problem, centroids: Floats) -> float:
    """Sum w |x - c|^2 in float64, chunk after chunk, so that the cut into blocks does not show."""
    total, chunk = 0.0, problem.chunk
    for start, _, squared in own_squares(problem, centroids):
        if problem.weight is not None:
            squared *= problem.weight[start : start + len(squared)]
        for row in range(0, len(squared), chunk):
            total += float(squared[row : row + chunk].sum())
    return total


def counts(problem: Problem) -> NDArray[np.int64]:
    """Count the samples of each cluster, those of weight 0 among them."""
    counted = problem.totals[:, problem.samples.n_features + 1].astype(np.int64)
    if counted.sum() < problem.samples.n_samples:  # the update step counts positive weights alone
        counted = np.bincount(problem.labels, minlength=problem.n_clusters)
    return counted


def relocate(problem: Problem, engine: _lloyd.Lloyd, centroids: Floats) -> int:
    """Give each empty cluster the sample farthest from its centroid; return how many got one.

    Copies of that sample go with it, so that an integer weight is the same as repetition. With fewer distinct samples
    than clusters some stay empty.
    """
    empty = np.flatnonzero(problem.totals[:, problem.samples.n_features + 1] == 0.0)
    farthest = _farthest(problem, centroids, len(empty))
    if not farthest:
        return 0
    targets = dict(zip((row for _, _, row in farthest), empty, strict=False))
    threshold = -farthest[-1][0]
    moves = []
    for start, block, squared in own_squares(problem, centroids):
        for i in np.flatnonzero(squared >= threshold):
            label = targets.get(block[i].tobytes())
            if label is not None:
                moves.append((block[i : i + 1].copy(), start + int(i), int(label)))
    for move in moves:
        engine.relabel(*move)
    return len(targets)


def _farthest(problem: Problem, centroids: Floats, count: int) -> list[tuple[float, int, bytes]]:
    """(-square, row, bytes) of the `count` distinct samples farthest from their centroids and off them, farthest first.

    Ties: the lowest row. Of copies the first stands for all.
    """
    best: list[tuple[float, int, bytes]] = []
    for start, block, squared in own_squares(problem, centroids):
        floor = -best[-1][0] if len(best) == count else 0.0
        near = np.flatnonzero(squared > floor)
        near = near[np.argsort(-squared[near], kind="stable")]
        seen = {row for _, _, row in best}
        added = 0
        for i in near:
            row = block[i].tobytes()
            if row not in seen:
                seen.add(row)
                best.append((-float(squared[i]), start + int(i), row))
                added += 1
                if added == count:
                    break
        best = sorted(best, key=lambda entry: entry[:2])[:count]
    return best
