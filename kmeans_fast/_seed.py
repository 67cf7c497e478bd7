"""Where a run starts: greedy k-means++, random samples, a random partition, an array, a callable."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._greedy import kmeans_plusplus_start
from ._problem import Floats, Problem
from ._validate import as_floats, check_finite

METHODS = ("k-means++", "k-means||", "afk-mc2", "two-level", "random", "random-partition")
FEW = 1 << 16  # samples that are never too many for k-means++
PARTITIONED = 1 << 20  # labels drawn at once
LARGE = {  # loaded when they are used
    "k-means||": ("_seed_large", "kmeans_parallel_rows"),
    "afk-mc2": ("_seed_large", "afk_mc2_rows"),
    "two-level": ("_seed_two_level", "two_level_rows"),
}


def seed(problem: Problem, init: Any, rng: np.random.Generator | None) -> Floats:
    """Return n_clusters x n_features starting centroids."""
    if isinstance(init, np.ndarray):
        return np.array(init)
    assert rng is not None  # only an array needs none
    if callable(init):
        start = init(problem.samples.original, problem.n_clusters, random_state=rng)
        return np.array(as_start(start, problem, "init(...)"))  # it may be a view of X, and the fit writes on its start
    if init == "k-means++":
        if problem.samples.n_samples > FEW:
            from ._seed_sample import is_large, sampled_start  # loaded when it is used

            if is_large(problem):
                return sampled_start(problem, rng)
        return kmeans_plusplus_start(problem, rng)
    if init in LARGE:
        module, rows = LARGE[init]
        return problem.samples.take(getattr(import_module(f".{module}", __package__), rows)(problem, rng))
    if init == "random":
        return problem.samples.take(random_rows(problem, problem.n_clusters, rng))
    return _random_partition(problem, rng)


def check_method(init: Any, methods: tuple[str, ...] = METHODS) -> None:
    """Check the name of a start; arrays and callables are not looked at."""
    if (init is None or np.isscalar(init)) and init not in methods:
        raise ValueError(f"init={init!r} must be one of {', '.join(map(repr, methods))}, an array or a callable.")


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


def random_rows(problem: Problem, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
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
    for first in range(0, n, PARTITIONED):  # a generator gives the same numbers in pieces
        stop = min(first + PARTITIONED, n)
        problem.labels[first:stop] = rng.integers(k, size=stop - first, dtype=np.int32)
        problem.memory.drop()
    start = problem.samples.take(random_rows(problem, k, rng))
    means = np.empty_like(start)
    engine.begin(start, True)
    for row, block in problem.blocks():
        engine.visit(block, row, False)
    engine.finish(means)
    return means
