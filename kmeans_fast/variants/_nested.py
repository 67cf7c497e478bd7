"""Nested batches: Lloyd's algorithm on a random sample that doubles, each part keeping its labels, sums and bounds.

A batch holds all earlier ones, so a sample counts once however often it is visited, and what is known of it (its label,
its bounds) is used again when the batch has grown: each part of the sample is a problem with an engine of its own.

Source: J. Newling and F. Fleuret, "Nested Mini-Batch K-Means", NIPS 2016. They grow when the median over clusters of
(standard error of the mean / way of the centroid) is above a limit; here both are summed over the clusters, which is
what the engine has at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._iterate import make_pass
from .._problem import SHARE_AT_START, Floats, Problem
from .._samples import Samples
from ._stream import part_of
from ._subset import RowsSource

RESIDUE = 0.25  # grow once centroids moved by less than this share of the squared error that their means have
MAX_ROUNDS = 50  # of one size
SAMPLE_BYTES = 1 << 27  # of the whole sample at most; twice that while it is put in order
SHARE_OF_X = 8  # the sample is a so-manieth of X at most, or two first batches


@dataclass
class Sample:
    """Random rows of X in random order, any beginning of which is a random sample of X."""

    samples: Samples
    points: NDArray[Any]
    weight: Floats | None

    def part(self, start: int, stop: int, k: int, n_threads: int | None) -> Problem:
        """Return some of them as a problem."""
        weight = None if self.weight is None else self.weight[start:stop]
        return part_of(self.samples, self.points[start:stop], weight, k, n_threads, "auto")


def draw_sample(samples: Samples, weight: Floats | None, size: int, rng: np.random.Generator) -> Sample:
    """Gather about `size` rows without repetition, none of weight 0.

    What is no array is read once, in order. Memory: twice the rows while they are put in order.
    """
    n = samples.n_samples
    if weight is None and 2 * size < n:
        rows = np.unique(rng.integers(n, size=size))  # memory of `size`, not of n; a few are drawn twice
    else:
        there = np.arange(n) if weight is None else np.flatnonzero(weight)
        rows = np.sort(rng.permutation(there)[:size])
    order, native = rng.permutation(len(rows)), samples.native
    if native is not None:
        points = np.take(native, rows[order], axis=0)
    else:
        points = np.empty((len(rows), samples.n_features), samples.dtype)
        RowsSource(samples, rows).read(0, len(rows), points)
        points = np.take(points, order, axis=0)
    return Sample(samples, points, None if weight is None else weight[rows[order]])


def sample_size(samples: Samples, first: int) -> int:
    """Return how many samples to grow to before all of X is looked at; 0 where that is not worth the copy."""
    room = SAMPLE_BYTES // (samples.n_features * samples.dtype.itemsize)
    size = min(max(samples.n_samples // SHARE_OF_X, 2 * first), max(room, first))
    if 2 * size > samples.n_samples:
        size = first
    return size if 2 * size <= samples.n_samples else 0


def grow(
    sample: Sample,
    centroids: Floats,
    first: int,
    n_threads: int | None,
    max_visits: int,
    report: Callable[[int, float], None],
) -> tuple[Floats, int, int]:
    """Iterate on the first samples, twice as many, ... all; return centroids, rounds and samples visited."""
    k, total, rounds, visits, at_size = len(centroids), len(sample.points), 0, 0, 0
    size = min(first, total)
    parts = [_begin(sample.part(0, size, k, n_threads), centroids)]
    while visits + size <= max_visits:
        new, inertia, weight, moved = _round(parts, centroids)
        centroids, rounds, visits, at_size = new, rounds + 1, visits + size, at_size + 1
        report(size, inertia / weight)
        # k means of n samples with the variance inertia/n have the squared error k inertia/n, weighted by their sizes.
        if moved <= RESIDUE * k * inertia / weight or at_size == MAX_ROUNDS:
            if size == total:
                break
            larger = min(2 * size, total)
            parts.append(_begin(sample.part(size, larger, k, n_threads), centroids))
            size, at_size = larger, 0
    return centroids, rounds, visits


def _begin(part: Problem, centroids: Floats) -> Problem:
    part.refine(centroids, SHARE_AT_START)
    part.engine().reset()
    part.labels[:] = -1
    return part


def _round(parts: list[Problem], centroids: Floats) -> tuple[Floats, float, float, float]:
    """Label every part; return the means of all, inertia, total weight, and the weighted squared way of the centroids.

    Clusters without samples keep their centroids.
    """
    d = centroids.shape[1]
    sums, weights, inertia, means = np.zeros_like(centroids), np.zeros(len(centroids)), 0.0, np.empty_like(centroids)
    for part in parts:
        engine = part.engine()
        make_pass(part, engine, centroids, bool(part.labels[0] < 0))
        engine.finish(means)
        means *= part.totals[:, d : d + 1]
        sums += means
        weights += part.totals[:, d]
        inertia += engine.inertia
    new = np.where(weights[:, None] > 0.0, sums / np.maximum(weights, np.finfo(float).tiny)[:, None], centroids)
    moved = float(weights @ np.square(new - centroids).sum(axis=1))
    return new, inertia, float(weights.sum()), moved
