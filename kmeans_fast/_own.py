"""Each sample and its own centroid, by direct differences: inertia, counts, and where empty clusters go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _distances, _lloyd

if TYPE_CHECKING:  # which imports this module
    from ._problem import Floats, Problem

OWN_ROWS = 1 << 17  # samples whose distances are in memory at once


def own_squares(problem: Problem, centroids: Floats, block: NDArray[Any], rows: NDArray[np.intp] | slice) -> Floats:
    """Squared distance of the samples of `block`, which are these rows of X, to their centroids; 0 where weight is."""
    threads, out = problem.threads_for(float(block.size)), np.empty(len(block))
    labels = np.ascontiguousarray(problem.labels[rows])
    _distances.own_squared_distances(block, centroids, labels, out, problem.chunk, threads)
    if problem.weight is not None:
        out[problem.weight[rows] == 0.0] = 0.0
    return out


def own_blocks(problem: Problem, n_points: int = 1) -> Iterable[tuple[int, NDArray[Any]]]:
    """Give (first row, block) of X in whole chunks of at most OWN_ROWS rows, to be held against so many points."""
    rows = max(1, OWN_ROWS // problem.chunk) * problem.chunk
    work = float(n_points * problem.samples.n_features)
    rows = min(rows, problem.samples.n_samples, problem.block_rows(work))
    return problem.cut(rows)


def inertia(problem: Problem, centroids: Floats) -> float:
    """Sum w |x - c|^2 in float64, chunk after chunk, so that the cut into blocks does not show."""
    total, chunk = 0.0, problem.chunk
    for start, block in own_blocks(problem):
        squared = own_squares(problem, centroids, block, slice(start, start + len(block)))
        if problem.weight is not None:
            squared *= problem.weight[start : start + len(squared)]
        for row in range(0, len(squared), chunk):
            total += float(squared[row : row + chunk].sum())
    return total


def counts(problem: Problem) -> NDArray[np.int64]:
    """Count the samples of each cluster, those of weight 0 among them."""
    counted = problem.totals[:, problem.samples.n_features + 1].astype(np.int64)
    # The update step counts positive weights alone.
    if problem.weight is not None and counted.sum() < problem.samples.n_samples:
        counted[:] = 0
        for start in range(0, problem.samples.n_samples, OWN_ROWS):
            counted += np.bincount(problem.labels[start : start + OWN_ROWS], minlength=problem.n_clusters)
            problem.memory.drop()
    return counted


def relocate(problem: Problem, engine: _lloyd.Lloyd, centroids: Floats) -> int:
    """Give each empty cluster the sample farthest from its centroid; return how many got one.

    Copies of that sample go with it, so that an integer weight is the same as repetition. With fewer distinct samples
    than clusters some stay empty.
    """
    empty = np.flatnonzero(problem.totals[:, problem.samples.n_features + 1] == 0.0)
    far = farthest(problem, centroids, len(empty), engine.upper_bounds)
    for (_, _, values, rows), label in zip(far, empty, strict=False):
        for row in sorted(rows):
            engine.relabel(np.frombuffer(values, problem.dtype)[np.newaxis], row, int(label))
    return len(far)


def farthest(
    problem: Problem, centroids: Floats, count: int, upper: NDArray[np.float32] | None
) -> list[tuple[float, int, bytes, set[int]]]:
    """(-square, row, values, rows of all copies) of the `count` distinct samples farthest from their centroids.

    None lies on its centroid. Ties: the lowest row. With upper bounds on the distances few have to be computed.
    """
    far: dict[bytes, tuple[float, set[int]]] = {}
    floor = 0.0  # the square of the last of `count` samples

    def look_at(block: NDArray[Any], start: int, chosen: NDArray[np.intp] | None) -> float:
        values = block if chosen is None else block[chosen]
        rows = slice(start, start + len(block)) if chosen is None else start + chosen
        squared = own_squares(problem, centroids, values, rows)
        size = count
        while True:  # more than `count` where samples have copies
            inside = np.flatnonzero((squared >= floor) & (squared > 0.0))
            complete = len(inside) <= size
            if not complete:
                inside = inside[squared[inside] >= np.partition(squared[inside], -size)[-size]]
            if complete or len({values[i].tobytes() for i in inside}) >= count:
                break
            size *= 4
        for i in inside:
            row = start + int(i if chosen is None else chosen[i])
            far.setdefault(values[i].tobytes(), (float(squared[i]), set()))[1].add(row)
        return sorted((square for square, _ in far.values()), reverse=True)[count - 1] if len(far) >= count else floor

    for start, block in own_blocks(problem):
        chosen = None
        if upper is not None:
            bound = np.square(upper[start : start + len(block)], dtype=np.float64) * (1.0 + 1e-6)
            if len(block) > count:
                floor = look_at(block, start, np.argpartition(-bound, count)[:count])
            chosen = np.flatnonzero(bound >= floor)
        if chosen is None or len(chosen):
            floor = look_at(block, start, chosen)
    return sorted((-square, min(rows), values, rows) for values, (square, rows) in far.items())[:count]
