"""A start for very many clusters: sqrt(k) coarse clusters, and k-means++ inside each.

Costs some passes against sqrt(k) centroids, where k-means++ reads X against all k. Right from thousands of clusters on
and X in memory: vector quantisation, training of inverted files.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from ._greedy import kmeans_plusplus_rows
from ._iterate import lloyd
from ._own import own_blocks, own_squares
from ._problem import Floats, Problem
from ._samples import as_samples
from ._seed_large import fill

COARSE_ITERATIONS = 6  # the coarse cells need not be the best ones
MIN_CLUSTERS = 16  # below, the coarse clusters would be too few to be worth it

Rows = NDArray[np.intp]


def two_level_rows(problem: Problem, rng: np.random.Generator) -> Rows:
    """Rows chosen by k-means++ within each of sqrt(k) coarse clusters.

    A coarse cluster of inertia I gets a share of the k in proportion to I^(d / (d + 2)), which keeps the whole inertia
    least where that of a cluster falls as k^(-2 / d). Memory: 8 bytes a sample for the rows in the order of the coarse
    clusters, what the coarse fit takes, and a copy of the largest coarse cluster.

    Source of the exponent: P. Zador, "Asymptotic quantization error of continuous signals and the quantization
    dimension", IEEE Transactions on Information Theory 28 (1982).
    """
    k, weight = problem.n_clusters, problem.weight
    if k < MIN_CLUSTERS:
        return kmeans_plusplus_rows(problem, rng)
    before = problem.memory.n_bytes
    order, ends, wanted = _coarse(problem, isqrt(k), rng)
    chosen = []
    for start, end, count in zip(ends - np.diff(ends, prepend=0), ends, wanted.tolist(), strict=True):
        if count:
            rows = order[start:end]
            mass = None if weight is None else weight[rows]
            points = as_samples(problem.samples.take(rows, problem.dtype))
            inside = Problem(points, count, mass, problem.max_threads, "lloyd")
            chosen.append(rows[kmeans_plusplus_rows(inside, rng)])
    problem.memory.release(before)
    return fill(problem, np.concatenate(chosen), rng)


def _coarse(problem: Problem, k: int, rng: np.random.Generator) -> tuple[Rows, Rows, NDArray[np.int64]]:
    """Return the rows of positive weight cluster by cluster, where each of k clusters ends, and its share."""
    coarse = problem.with_clusters(k)
    run = lloyd(coarse, problem.samples.take(kmeans_plusplus_rows(coarse, rng)), COARSE_ITERATIONS, 0.0, None)
    labels, weight, inertia = coarse.labels, problem.weight, np.zeros(k)
    for start, block in own_blocks(coarse):
        here = slice(start, start + len(block))
        squares = own_squares(coarse, run.centroids, block, here).astype(np.float64)
        mass = squares if weight is None else squares * weight[here]
        inertia += np.bincount(labels[here], mass, k)
    order = np.argsort(labels, kind="stable")
    if weight is not None:
        order = order[weight[order] > 0.0]
    sizes = np.bincount(labels[order], minlength=k)
    return order, np.cumsum(sizes), shares(inertia, sizes, problem.n_clusters, problem.samples.n_features)


def shares(inertia: Floats, sizes: NDArray[np.int64], total: int, n_features: int) -> NDArray[np.int64]:
    """Cut `total` centroids among clusters, at least one and no more than its samples for each that has any."""
    urge = np.where(sizes > 0, inertia, 0.0) ** (n_features / (n_features + 2.0))
    given = (sizes > 0).astype(np.int64)
    while (left := min(total, int(sizes.sum())) - int(given.sum())) > 0:
        open_to = np.where(given < sizes, np.maximum(urge, 1e-300), 0.0)
        ideal = left * open_to / open_to.sum()
        more = np.minimum(ideal.astype(np.int64), sizes - given)
        if not more.any():  # what rounding left goes one by one to the largest remainders
            more[np.argsort(-ideal, kind="stable")[:left]] = 1
            more = np.minimum(more, sizes - given)
        given += more
    return given
