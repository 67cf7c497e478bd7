"""Starts for many clusters: k-means|| and AFK-MC2, whose passes over X do not grow with k as those of k-means++ do.

k-means|| makes ROUNDS + 1 passes against some 2 k candidates, and its potentials are those of greedy k-means++. AFK-MC2
makes one against a single sample, then CHAIN k^2 / 2 distances however large X is; it ends near plain k-means++. Right
where passes over X are dear, on disk say: in memory greedy k-means++ is as quick up to a thousand clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _distances
from ._greedy import kmeans_plusplus_rows
from ._own import own_blocks
from ._problem import Floats, Problem, score_shift
from ._samples import as_samples
from ._seed import draw

# B. Bahmani et al. find five rounds that expect 2 k candidates each as good as k-means++.
ROUNDS = 5
OVERSAMPLING = 2.0
CHAIN = 200  # O. Bachem et al. find this as good as k-means++

Rows = NDArray[np.intp]


def kmeans_parallel_rows(problem: Problem, rng: np.random.Generator) -> Rows:
    """Rows chosen by k-means||.

    The first candidate is a random sample. Each of ROUNDS rounds takes every sample, independently, with probability
    min(1, OVERSAMPLING k w D^2 / sum(w D^2)), where D is the distance to the nearest candidate before the round. Of all
    candidates, each weighted by the samples that are nearest to it, greedy k-means++ chooses k.

    Source: B. Bahmani, B. Moseley, A. Vattani, R. Kumar and S. Vassilvitskii, "Scalable k-means++", VLDB 2012.
    """
    k, before = problem.n_clusters, problem.memory.n_bytes
    rows = _first(problem, rng)
    candidates = _Candidates(problem)
    candidates.add(rows)
    for _ in range(ROUNDS):
        drawn = candidates.sample(OVERSAMPLING * k, rng)
        candidates.add(drawn)
        rows = np.append(rows, drawn)
    mass = np.bincount(candidates.nearest, problem.weight, len(rows)).astype(np.float64)
    some = np.flatnonzero(mass)  # a copy of another candidate has no samples
    if len(some) > k:
        points = as_samples(problem.samples.take(rows[some], problem.dtype))
        some = some[kmeans_plusplus_rows(Problem(points, k, mass[some], problem.max_threads, "lloyd"), rng)]
    problem.memory.release(before)
    return fill(problem, rows[some], rng)


def afk_mc2_rows(problem: Problem, rng: np.random.Generator, chain: int = CHAIN) -> Rows:
    """Rows chosen by AFK-MC2.

    The first is a random sample c. Each other one is where a Markov chain of CHAIN proposals ends. They are drawn from
    q(x) = w D^2(x, c) / 2 sum(w D^2(., c)) + w / 2 sum(w), and y takes the place of x with probability
    min(1, w D^2(y) q(x) / w D^2(x) q(y)), D to the nearest chosen so far: a longer chain is nearer to k-means++.

    Source: O. Bachem, M. Lucic, S. H. Hassani and A. Krause, "Fast and provably good seedings for k-means", NIPS 2016.
    """
    n, k, d, weight = problem.samples.n_samples, problem.n_clusters, problem.samples.n_features, problem.weight
    dtype, before = problem.dtype, problem.memory.n_bytes
    rows, squares = np.empty(k, np.intp), problem.memory.empty(n, np.float64)
    rows[:1] = _first(problem, rng)
    for start, squared in squares_to(problem, problem.samples.take(rows[:1]), None):
        squares[start : start + len(squared)] = squared
    total = float(_sums(problem, squares).sum())
    if total > 0.0:
        squares *= 0.5 / total
    squares += 0.5 / (n if weight is None else float(weight.sum()))  # now q / w
    proposed = _draw(problem, squares, rng.random((k - 1) * chain)).reshape(k - 1, chain)
    chances, points, m = rng.random((k - 1, chain)), np.empty((k, d), dtype), 1
    points[0] = problem.samples.take(rows[:1], dtype)
    work = np.empty(_distances.work_bytes(dtype == np.float32, k, d) * problem.n_threads, np.uint8)
    for proposals, chance in zip(proposed, chances, strict=True):
        X, apart = problem.samples.take(proposals, dtype), np.empty((chain, m), dtype)
        threads = problem.team_for(float(apart.size * d))
        _distances.distances(X, points[:m], apart, work, -(-chain // threads), threads)
        ratio = apart.min(axis=1).astype(np.float64) ** 2 / squares[proposals]
        at = _walk(ratio.tolist(), chance.tolist())
        if ratio[at] > 0.0:  # else all proposals lie on chosen samples
            rows[m], points[m] = proposals[at], X[at]
            m += 1
    problem.memory.release(before)
    return fill(problem, rows[:m], rng)


def _walk(ratio: list[float], chance: list[float]) -> int:
    """Say where a chain ends: it moves from x to y with probability min(1, ratio(y) / ratio(x))."""
    at = 0
    for i in range(1, len(ratio)):
        if ratio[i] > chance[i] * ratio[at]:
            at = i
    return at


class _Candidates:
    """The nearest candidate of every sample, and its squared distance."""

    def __init__(self, problem: Problem) -> None:
        n = problem.samples.n_samples
        self.problem, self.count = problem, 0
        self.closest = problem.memory.empty(n, problem.dtype)
        self.nearest = problem.memory.empty(n, np.int32)
        self.closest.fill(np.inf)

    def add(self, rows: Rows) -> None:
        """Add candidates."""
        if len(rows) == 0:
            return
        points = self.problem.samples.take(rows)
        labels = Labels(self.problem, points)
        for start, squared in squares_to(self.problem, points, labels):
            here = slice(start, start + len(squared))
            closer = squared < self.closest[here]
            self.closest[here][closer] = squared[closer]
            self.nearest[here][closer] = labels.out[: len(squared)][closer] + self.count
        self.closest[rows] = 0.0  # where rounding gave one to its neighbour
        self.count += len(rows)

    def sample(self, expected: float, rng: np.random.Generator) -> Rows:
        """Take each sample with a probability in proportion to w D^2, so many in the mean or fewer."""
        problem, drawn = self.problem, []
        total = float(_sums(problem, self.closest).sum())
        if total <= 0.0:
            return np.empty(0, np.intp)
        for start in range(0, len(self.closest), problem.chunk):
            mass = _mass(problem, self.closest, start)
            drawn.append(start + np.flatnonzero(rng.random(len(mass)) * total < expected * mass))
        return np.concatenate(drawn)


class Labels:
    """The nearest of some points to each sample of a block."""

    def __init__(self, problem: Problem, points: Floats) -> None:
        self.problem, self.k = problem, len(points)
        single = problem.dtype == np.float32
        self.shift = score_shift(points, problem.dtype)
        self.packed = np.empty(_distances.packed_bytes(single, *points.shape), np.uint8)
        _distances.pack(points, self.shift, self.packed)
        self.threads = problem.threads_for(float(problem.samples.n_samples * points.size))
        self.work = np.empty(_distances.work_bytes(single, *points.shape) * self.threads, np.uint8)
        self.out = np.empty(0, np.int32)

    def of(self, block: NDArray[Any]) -> NDArray[np.int32]:
        """Label a block."""
        if len(self.out) < len(block):
            self.out = np.empty(len(block), np.int32)
        labels = self.out[: len(block)]
        _distances.assign(block, self.shift, self.packed, self.k, labels, self.work, self.problem.chunk, self.threads)
        return labels


def squares_to(problem: Problem, points: Floats, labels: Labels | None) -> Iterator[tuple[int, Floats]]:
    """Yield (first row, squared distance to the nearest of the points), a block of X after the other."""
    for start, block in own_blocks(problem, len(points)):
        nearest = np.zeros(len(block), np.int32) if labels is None else labels.of(block)
        squared, threads = np.empty(len(block)), problem.threads_for(float(block.size))
        _distances.own_squared_distances(block, points, nearest, squared, problem.chunk, threads)
        yield start, squared


def _mass(problem: Problem, values: NDArray[Any], start: int) -> Floats:
    """Weight times value for the samples of the chunk at `start`."""
    here = slice(start, start + problem.chunk)
    mass = values[here].astype(np.float64)
    return mass if problem.weight is None else mass * problem.weight[here]


def _sums(problem: Problem, values: NDArray[Any]) -> Floats:
    return np.array([_mass(problem, values, start).sum() for start in range(0, len(values), problem.chunk)])


def _draw(problem: Problem, values: NDArray[Any], uniform: Floats) -> Rows:
    """Turn numbers in [0, 1) into rows in proportion to weight times value."""
    mass = _sums(problem, values)
    return draw(mass, lambda start: _mass(problem, values, start), problem.chunk, uniform)


def _first(problem: Problem, rng: np.random.Generator) -> Rows:
    """Draw one row by weight."""
    return _draw(problem, np.broadcast_to(np.float64(1.0), problem.samples.n_samples), rng.random(1))


def fill(problem: Problem, rows: Rows, rng: np.random.Generator) -> Rows:
    """Add any others, each once: the samples that differ are fewer than the clusters, or the rounds drew too few."""
    missing = problem.n_clusters - len(rows)
    if missing == 0:
        return rows
    weight = problem.weight
    every = np.arange(problem.samples.n_samples) if weight is None else np.flatnonzero(weight)
    return np.append(rows, rng.choice(np.setdiff1d(every, rows), missing, replace=False))
