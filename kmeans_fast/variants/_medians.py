"""A problem in sums of absolute differences: passes that label, medians, where empty clusters go, and seeding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _distances, _l1, _runtime, _variants
from .._greedy import _order_by_value, candidates_of_a_round
from .._predict import finite_blocks
from .._problem import Floats, Labels, Problem
from .._samples import Samples
from .._seed import draw
from ._passes import farthest_rows

Array = NDArray[Any]

SLICES = 64  # of the labels, counted side by side
COLUMN_BYTES = 1 << 25  # columns of an X that is not read where it lies; one is taken in any case
MEDIANS_AT_ONCE = 1e8  # values of one call: Ctrl-C is seen between calls


class Medians:
    """What the restarts of a fit share: labels, the rows cluster by cluster, and scratch."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.dtype = problem, problem.dtype
        n, d, k = problem.samples.n_samples, problem.samples.n_features, problem.n_clusters
        make, single = problem.memory.empty, problem.dtype == np.float32
        self.labels, self.old = make(n, np.int32), make(n, np.int32)
        self.order, self.starts = make(n, np.int64), make(k + 1, np.int64)
        self.places = make((min(SLICES, -(-n // problem.chunk)), k), np.int64)
        self.totals = make(-(-n // problem.chunk), np.float64)
        self.work = make(_distances.work_bytes(single, k, d) * problem.n_threads, np.uint8)

    def reset(self) -> None:
        """Begin a run: no sample has a label."""
        self.labels[:] = -1

    def assign(self, centers: Array) -> float:
        """Label all samples; return the weighted sum of their distances, rounded as the samples are."""
        problem = self.problem
        self.old[:] = self.labels
        for start, block in problem.blocks():
            _l1.assign(
                block, start, centers, problem.weight, self.labels, self.totals, self.work, problem.chunk,
                problem.n_threads,
            )  # fmt: skip
        return float(self.totals.sum())

    def touched(self) -> NDArray[np.int64]:
        """Return the clusters that the last pass took samples from or gave some to."""
        flags = np.zeros(self.problem.n_clusters, np.uint8)
        _variants.touched(self.old, self.labels, flags)
        return np.flatnonzero(flags)

    def update(self, centers: Array, clusters: NDArray[np.int64]) -> None:
        """Move the centers of these clusters to their medians, and those of empty clusters to far samples."""
        problem = self.problem
        n, d = problem.samples.n_samples, problem.samples.n_features
        _l1.group(self.labels, problem.weight, self.places, self.order, self.starts, problem.threads_for(float(n)))
        threads = problem.threads_for(4.0 * n * d)
        sizes = np.diff(self.starts)
        largest = max(int(sizes.max()), 1)
        values = np.empty((threads, largest), self.dtype)
        weights = np.empty((threads, largest if problem.weight is not None else 0))
        for offset, columns, first, last in self._columns():
            _l1.medians(
                columns, first, last, self.order, self.starts, problem.weight, clusters, centers, offset, values,
                weights, threads,
            )  # fmt: skip
        empty = np.flatnonzero(sizes == 0)
        if len(empty):
            far = self._farthest(centers, len(empty))
            centers[empty[: len(far)]] = far

    def own_distances(self, centers: Array) -> Floats:
        """Return the distance of each sample to the center of its label, in float64."""
        return own_distances(self.problem.samples, self.dtype, centers, self.labels, self.problem.max_threads)

    def _columns(self) -> Iterator[tuple[int, Array, int, int]]:
        """Give (feature of column 0, some columns of X, first, last): where X lies, or converted, a few at a time."""
        samples, n, d = self.problem.samples, self.problem.samples.n_samples, self.problem.samples.n_features
        if samples.native is not None and samples.native.dtype == self.dtype:
            step = max(1, int(MEDIANS_AT_ONCE / n))
            for first in range(0, d, step):
                yield 0, samples.native, first, min(first + step, d)
            return
        step = min(max(1, COLUMN_BYTES // (n * self.dtype.itemsize)), d)
        for first in range(0, d, step):
            columns = np.empty((n, min(step, d - first)), self.dtype)
            for start, block in self.problem.blocks():
                columns[start : start + len(block)] = block[:, first : first + step]
            yield first, columns, 0, columns.shape[1]

    def _farthest(self, centers: Array, count: int) -> Array:
        """Return up to `count` distinct samples, those farthest from their centers."""
        rows = farthest_rows(self.own_distances(centers), self.problem.weight, count)
        return self.problem.samples.take(rows, self.dtype)


def own_distances(samples: Samples, dtype: Any, centers: Array, labels: Labels, n_threads: int | None) -> Floats:
    """Distance of each sample to the center of its label, in float64."""
    out, wide = np.empty(samples.n_samples), np.ascontiguousarray(centers, np.float64)
    threads = _runtime.choose_threads(n_threads, float(samples.n_samples * samples.n_features))
    rows, chunk = samples.block_rows(dtype, float(samples.n_features), threads), samples.chunk(dtype)
    for start, block in samples.blocks(dtype, rows):
        stop = start + len(block)
        _l1.own_distances(block, wide, labels[start:stop], out[start:stop], chunk, threads)
    return out


def nearest(samples: Samples, dtype: np.dtype[Any], centers: Array, n_threads: int | None) -> Labels:
    """Label each sample with its nearest center, in the arithmetic of `dtype`."""
    k, d = centers.shape
    threads = _runtime.choose_threads(n_threads, samples.n_samples * float(k * (d + 2)))
    chunk, points = samples.chunk(dtype), np.ascontiguousarray(centers, dtype)
    work = np.empty(_distances.work_bytes(dtype == np.float32, k, d) * threads, np.uint8)
    labels, totals = np.empty(samples.n_samples, np.int32), np.empty(-(-samples.n_samples // chunk))
    for start, block in finite_blocks(samples, dtype, float(k * (d + 2)), threads):
        _l1.assign(block, start, points, None, labels, totals, work, chunk, threads)
    return labels


def plusplus_rows(medians: Medians, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows chosen by greedy k-means++ with distances in place of their squares, which far outliers would win.

    Each round draws 2 + log(k) candidates by distance from the nearest chosen sample (times weight), and keeps the one
    that lowers the total most.

    Source: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007, section 5 for
    other powers of the distance.
    """
    problem = medians.problem
    n, k, weight, samples = problem.samples.n_samples, problem.n_clusters, problem.weight, problem.samples
    closest = np.ones(n, medians.dtype)  # the first is drawn by weight alone
    turned = _order_by_value(problem) if n <= problem.chunk else None
    potential = np.empty((len(medians.totals), candidates_of_a_round(k)))

    def masses(start: int) -> Floats:
        rows = slice(start, start + problem.chunk) if turned is None else turned
        mass = closest[rows].astype(np.float64)
        return mass if weight is None else mass * weight[rows]

    def read(late: Array | None, candidates: Array) -> Floats:
        out = np.empty((len(potential), len(candidates)))
        for start, block in problem.blocks():
            _l1.seed_round(
                block, start, late, candidates, closest, weight, out, medians.work, problem.chunk, problem.n_threads
            )
        return out

    mass = np.array([masses(start).sum() for start in range(0, n, problem.chunk)])
    chosen: list[int] = []
    while len(chosen) < k:
        if mass.sum() <= 0.0:  # fewer distinct samples than clusters: any other sample, each once
            every = np.arange(n) if weight is None else np.flatnonzero(weight)
            return np.append(chosen, rng.choice(np.setdiff1d(every, chosen), k - len(chosen), replace=False))
        uniform = rng.random(potential.shape[1] if chosen else 1)
        rows = draw(mass, masses, problem.chunk, uniform)
        rows = rows if turned is None else turned[rows]
        points = samples.take(rows, medians.dtype)
        best = int(read(None, points).sum(axis=0).argmin()) if chosen else 0
        if not chosen:
            closest[:] = np.inf
        chosen.append(int(rows[best]))
        mass = read(points[best], points[best : best + 1])[:, 0]
    return np.array(chosen, np.intp)
