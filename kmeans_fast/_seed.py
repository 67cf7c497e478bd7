"""Where a run starts: greedy k-means++, random samples, a random partition, an array, a callable."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _distances, _seeding
from ._problem import Floats, Problem
from ._validate import as_floats, check_finite

METHODS = ("k-means++", "k-means||", "afk-mc2", "random", "random-partition")
LARGE = {"k-means||": "kmeans_parallel_rows", "afk-mc2": "afk_mc2_rows"}


def seed(problem: Problem, init: Any, rng: np.random.Generator | None) -> Floats:
    """Return n_clusters x n_features starting centroids."""
    if isinstance(init, np.ndarray):
        return np.array(init)
    assert rng is not None  # only an array needs none
    if callable(init):
        return as_start(init(problem.samples.original, problem.n_clusters, random_state=rng), problem, "init(...)")
    if init == "k-means++":
        return problem.samples.take(kmeans_plusplus_rows(problem, rng))
    if init in LARGE:
        from . import _seed_large  # loaded when it is used

        return problem.samples.take(getattr(_seed_large, LARGE[init])(problem, rng))
    if init == "random":
        return problem.samples.take(_random_rows(problem, problem.n_clusters, rng))
    return _random_partition(problem, rng)


def as_start(centroids: Any, problem: Problem, name: str = "init") -> Floats:
    """Check an array of starting centroids."""
    start = as_floats(centroids, name)
    expected = (problem.n_clusters, problem.samples.n_features)
    if start.shape != expected:
        raise ValueError(
            f"{name} has shape {start.shape} and must be (n_clusters, n_features) = {expected}; "
            f"the shape of the initial centers does not match."
        )
    check_finite(start, name)
    return start


def _random_rows(problem: Problem, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw distinct rows, in proportion to their weights."""
    weight = problem.weight
    if weight is None:
        return rng.choice(problem.samples.n_samples, count, replace=False).astype(np.intp)
    if 2 * count > np.count_nonzero(weight):  # nearly all of them: drawing again and again would not end soon
        return rng.choice(len(weight), count, replace=False, p=weight / weight.sum()).astype(np.intp)
    mass = np.add.reduceat(weight, np.arange(0, len(weight), problem.chunk))
    rows: dict[int, None] = {}
    for _ in range(64 * count):
        drawn = draw(mass, lambda start: weight[start : start + problem.chunk], problem.chunk, rng.random(1))
        rows[int(drawn[0])] = None
        if len(rows) == count:
            break
    else:  # a few weights outweigh the rest
        return rng.choice(len(weight), count, replace=False, p=weight / weight.sum()).astype(np.intp)
    return np.array(list(rows), np.intp)


def draw(mass: Floats, of_chunk: Callable[[int], Floats], chunk: int, uniform: Floats) -> NDArray[np.intp]:
    """Turn numbers in [0, 1) into rows in proportion to their mass, by the inverse of the cumulated mass.

    `mass` is that of each chunk; of_chunk(start) gives the masses of the samples of the chunk at row `start`.
    """
    cumulated = np.cumsum(mass)
    target = uniform * cumulated[-1]
    chunks = np.minimum(np.searchsorted(cumulated, target, side="right"), len(cumulated) - 1)
    rows = np.empty(len(uniform), np.intp)
    by_chunk = chunks.argsort(kind="stable")
    for mine in np.split(by_chunk, np.flatnonzero(np.diff(chunks[by_chunk])) + 1) if len(rows) else ():
        c = int(chunks[mine[0]])
        inside = of_chunk(c * chunk)
        summed = np.cumsum(inside)
        share = np.clip((target[mine] - (cumulated[c] - mass[c])) / mass[c], 0.0, 1.0)
        at = np.searchsorted(summed, share * summed[-1], side="right")
        past = np.minimum(at, len(inside) - 1)
        beyond = (at >= len(inside)) | (inside[past] == 0.0)
        if beyond.any():  # rounding: the last one that has any mass
            past[beyond] = np.flatnonzero(inside)[-1]
        rows[mine] = c * chunk + past
    return rows


def _random_partition(problem: Problem, rng: np.random.Generator) -> Floats:
    """Means of a random partition; a cluster that got nothing starts at a random sample."""
    engine = problem.engine()
    n, k = problem.samples.n_samples, problem.n_clusters
    problem.labels[:] = rng.integers(k, size=n, dtype=np.int32)
    start = problem.samples.take(_random_rows(problem, k, rng))
    means = np.empty_like(start)
    engine.begin(start, True)
    for row, block in problem.blocks():
        engine.visit(block, row, False)
    engine.finish(means)
    return means


def kmeans_plusplus_rows(
    problem: Problem, rng: np.random.Generator, n_candidates: int | None = None
) -> NDArray[np.intp]:
    """Rows chosen by greedy k-means++.

    Each round draws 2 + log(k) candidates with probability proportional to the squared distance from the nearest chosen
    sample (times weight), and keeps the one that lowers the total most. Distances are direct differences, so a chosen
    sample is at distance 0 exactly and is never drawn again while others are left.

    Source: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007, whose conclusions
    have the greedy form.
    """
    n, k = problem.samples.n_samples, problem.n_clusters
    q = min(n_candidates or 2 + int(log(k)), 32)
    before = problem.memory.n_bytes
    rounds = _Rounds(problem, q)
    rows = np.empty(k, np.intp)
    rows[0], total = rounds.first(rng.random())
    for j in range(1, k):
        if total <= 0.0:  # fewer distinct samples than clusters: any other sample, each once
            rest = np.setdiff1d(np.arange(n) if problem.weight is None else np.flatnonzero(problem.weight), rows[:j])
            rows[j:] = rng.choice(rest, k - j, replace=False)
            break
        candidates = rounds.draw(rng.random(q))
        rows[j], total = rounds.keep_best(candidates)
    problem.memory.release(before)
    return rows


class _Rounds:
    """The state of greedy k-means++: squared distance of each sample to the nearest chosen one."""

    def __init__(self, problem: Problem, q: int) -> None:
        make, n, d = problem.memory.empty, problem.samples.n_samples, problem.samples.n_features
        self.problem, self.chunk = problem, problem.chunk
        self.single = problem.dtype == np.float32
        panel = _seeding.panel_size(self.single)
        self.closest = make(n, problem.dtype)
        self.improved = make(-(-n // panel), np.uint32)
        self.potential = make((-(-n // self.chunk), q), np.float64)
        self.work = make(_distances.work_bytes(self.single, q, d) * problem.n_threads, np.uint8)
        self.n_threads = problem.threads_for(2.0 * n * d * q)
        self.chunk_potential: Floats = np.empty(0)
        self.order = _order_by_value(problem) if n <= self.chunk else None

    def first(self, uniform: float) -> tuple[int, float]:
        """Draw the first sample in proportion to the weights; return its row and the total potential."""
        n, weight = self.problem.samples.n_samples, self.problem.weight
        starts = np.arange(0, n, self.chunk)
        self.closest.fill(1.0)
        if weight is None:
            self.chunk_potential = np.minimum(n - starts, self.chunk).astype(np.float64)
        else:
            self.chunk_potential = np.add.reduceat(weight, starts)
        row = int(self.draw(np.array([uniform]))[0])
        self.closest.fill(np.inf)
        chosen = self.problem.samples.take([row], self.problem.dtype)
        self._update_closest(chosen[0], None, 0)
        self._evaluate(chosen.repeat(self.potential.shape[1], axis=0))
        self.chunk_potential = self.potential[:, 0].copy()
        return row, float(self.chunk_potential.sum())

    def draw(self, uniform: Floats) -> NDArray[np.intp]:
        """Draw rows in proportion to weight and squared distance."""
        rows = draw(self.chunk_potential, self._mass, self.chunk, uniform)
        return rows if self.order is None else self.order[rows]

    def _mass(self, start: int) -> Floats:
        mass = self.closest[start : start + self.chunk].astype(np.float64)
        if self.problem.weight is not None:
            mass *= self.problem.weight[start : start + self.chunk]
        return mass if self.order is None else mass[self.order]

    def keep_best(self, rows: NDArray[np.intp]) -> tuple[int, float]:
        """Keep the candidate that lowers the potential most; return its row and the total left."""
        candidates = self.problem.samples.take(rows, self.problem.dtype)
        self._evaluate(candidates)
        totals = self.potential.sum(axis=0)
        best = int(totals.argmin())
        self.chunk_potential = self.potential[:, best].copy()
        self._update_closest(candidates[best], self.improved, 1 << best)
        return int(rows[best]), float(totals[best])

    def _evaluate(self, candidates: NDArray[Any]) -> None:
        problem = self.problem
        for start, block in problem.blocks(float(candidates.size)):
            _seeding.potentials(
                block, start, candidates, self.closest, problem.weight, self.potential, self.improved,
                self.work, self.chunk, self.n_threads,
            )  # fmt: skip

    def _update_closest(self, chosen: NDArray[Any], improved: NDArray[Any] | None, mask: int) -> None:
        problem = self.problem
        for start, block in problem.blocks(float(chosen.size)):
            _seeding.update_closest(
                block, start, chosen, improved, mask, self.closest, self.work, self.chunk, self.n_threads
            )


def _order_by_value(problem: Problem) -> NDArray[np.intp]:
    """Sort the samples of a small X (one chunk) by their bytes, any fixed order of values.

    Drawn along it, the start depends neither on the order of X nor on whether a sample is repeated or weighted; a large
    X would pay too much for the sorting.
    """
    (_, block), *_ = problem.blocks(1.0)
    rows = np.ascontiguousarray(block + 0.0)  # -0.0 is 0.0
    return rows.view(f"V{rows.shape[1] * rows.itemsize}").ravel().argsort(kind="stable")
