"""Each sample and its own centroid, by direct differences: inertia, counts, and where empty clusters go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _distances, _lloyd
from ._problem import Floats, Problem


def own_squares(problem: Problem, centroids: Floats) -> Iterator[tuple[int, NDArray[Any], Floats]]:
    """Yield (first row, block, squared distance of each of its samples to its centroid)."""
    work = float(problem.samples.n_features)
    out = np.empty(problem.block_rows(work))
    for start, block in problem.blocks(work):
        squared, labels = out[: len(block)], problem.labels[start : start + len(block)]
        _distances.own_squared_distances(block, centroids, labels, squared, problem.chunk, problem.n_threads)
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
    chosen = _farthest(problem, centroids, len(empty))
    rows = problem.samples.take(chosen, problem.dtype)
    # Two of the farthest may be copies of each other: the first stands for both.
    _, first = np.unique(rows, axis=0, return_index=True)
    first = np.sort(first)
    targets = dict(zip((rows[i].tobytes() for i in first), empty, strict=False))
    if not targets:
        return 0
    threshold = min(_square(problem, centroids, int(chosen[i])) for i in first[: len(targets)])
    moves = []
    for start, block, squared in own_squares(problem, centroids):
        for i in np.flatnonzero(squared >= threshold):
            label = targets.get(block[i].tobytes())
            if label is not None:
                moves.append((block[i : i + 1].copy(), start + int(i), int(label)))
    for move in moves:
        engine.relabel(*move)
    return len(targets)


def _square(problem: Problem, centroids: Floats, i: int) -> float:
    out, row = np.empty(1), problem.samples.take([i], problem.dtype)
    label = problem.labels[i : i + 1]
    _distances.own_squared_distances(row, centroids, label, out, 1, 1)
    return float(out[0])


def _farthest(problem: Problem, centroids: Floats, count: int) -> NDArray[np.intp]:
    """Rows of the `count` samples farthest from their centroids and off them, farthest first; ties: lowest row."""
    rows, squares = np.empty(0, np.intp), np.empty(0)
    for start, _, squared in own_squares(problem, centroids):
        near = np.flatnonzero(squared > 0.0)
        if len(near) > count:
            limit = np.partition(squared[near], -count)[-count]
            near = near[squared[near] >= limit]
        rows, squares = np.append(rows, start + near), np.append(squares, squared[near])
        best = np.lexsort((rows, -squares))[:count]
        rows, squares = rows[best], squares[best]
    return rows
