"""The start of a large X: k-means++ and Lloyd's algorithm on a weighted sample, for which X is read once.

k-means++ itself reads X, or what it keeps of X, some times k; on a disk that takes longer than all of Lloyd's passes.
When it is taken depends on the size of X alone, not on where X lies: the same bits in memory and out of it.
"""

from __future__ import annotations

import numpy as np

from . import _distances
from ._greedy import kmeans_plusplus_rows
from ._iterate import lloyd
from ._own import own_blocks
from ._problem import Floats, Problem
from ._samples import as_samples

LARGE_BYTES = 1 << 28  # of X, or of what k-means++ keeps: more are sampled
KEPT_BYTES = {True: 21, False: 40}  # a sample, by k-means++ (float32 or not)
SAMPLES, SAMPLES_OF_A_CLUSTER = 1 << 20, 16  # expected, unless they take more than
SAMPLE_BYTES = 1 << 27
MAX_ITER, TOL = 100, 1e-4  # of Lloyd's algorithm among them


def is_large(problem: Problem) -> bool:
    """Say whether k-means++ is to draw from a sample of X."""
    kept = max(KEPT_BYTES[problem.dtype == np.float32], problem.samples.n_features * problem.dtype.itemsize)
    return kept * problem.samples.n_samples > LARGE_BYTES and problem.samples.n_samples > 2 * _size(problem)


def sampled_start(problem: Problem, rng: np.random.Generator) -> Floats:
    """Return n_clusters x n_features centroids of a sample of X.

    Each x is taken, independently, with probability p = m times its share, and weighs w / p: a lightweight coreset,
    whose sums are those of X in the mean, and which a small cluster far out is in. Memory: the sample, m = 2^20 rows or
    16 a cluster, and at most 128 MiB of them.
    """
    n, size, weight = problem.samples.n_samples, _size(problem), problem.weight
    total = float(n if weight is None else weight.sum())
    squares = problem.variance * problem.samples.n_features * total
    mean, rows, weights = problem.mean[np.newaxis], [], []
    for start, block in own_blocks(problem):
        chance = np.empty(len(block))
        nobody = np.zeros(len(block), np.int32)
        threads = problem.threads_for(float(block.size))
        _distances.own_squared_distances(block, mean, nobody, chance, problem.chunk, threads)
        lightweight_shares(chance, None if weight is None else weight[start : start + len(block)], total, squares)
        chance *= size
        drawn = np.flatnonzero(rng.random(len(block)) < chance)
        rows.append(block[drawn])
        weights.append(1.0 / np.minimum(chance[drawn], 1.0))
        if weight is not None:
            weights[-1] *= weight[start + drawn]
    sample = Problem(
        as_samples(np.concatenate(rows)), problem.n_clusters, np.concatenate(weights), problem.max_threads, "lloyd"
    )
    start_at = sample.samples.take(kmeans_plusplus_rows(sample, rng))
    return lloyd(sample, start_at, MAX_ITER, TOL, None).centroids


def lightweight_shares(squared: Floats, weight: Floats | None, total: float, squares: float) -> None:
    """Turn squared distances D^2 to the mean into w / 2 W + w D^2 / 2 sum(w D^2), the shares of a lightweight coreset.

    Source: O. Bachem, M. Lucic and A. Krause, "Scalable k-means clustering via lightweight coresets", KDD 2018.
    """
    squared /= 2.0 * squares if squares > 0.0 else 1.0
    squared += 0.5 / total
    if weight is not None:
        squared *= weight


def _size(problem: Problem) -> int:
    row_bytes = problem.samples.n_features * problem.dtype.itemsize
    return min(max(SAMPLES, SAMPLES_OF_A_CLUSTER * problem.n_clusters), max(SAMPLE_BYTES // row_bytes, 1))
