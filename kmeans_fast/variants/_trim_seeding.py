"""k-means++ that outliers cannot win: the farthest samples are left out of every draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _distances
from .._greedy import candidates_of_a_round
from .._problem import Floats, Problem

SAMPLE_ROWS = 1 << 14  # of which so many and SAMPLE_ROWS_OF_A_CLUSTER a cluster are looked at
SAMPLE_ROWS_OF_A_CLUSTER = 8


def threshold(far: Floats, weight: Floats | None, budget: float) -> float:
    """Return the least value above which the values weigh no more than `budget`: equal ones stay or go together."""
    if budget <= 0.0:
        return np.inf
    if weight is None:
        rank = len(far) - 1 - int(budget)
        return float(np.partition(far, rank)[rank]) if rank >= 0 else -np.inf
    order = (-far).argsort(kind="stable")
    over = np.flatnonzero(np.cumsum(weight[order]) > budget)
    return float(far[order[over[0]]]) if len(over) else -np.inf


def trimmed_plusplus(problem: Problem, budget: float, rng: np.random.Generator) -> Floats:
    """Choose samples by greedy k-means++ on some of them, with the farthest left out of draws and of what is compared.

    Source: A. Bhaskara, S. Vadgama, H. Xu, "Greedy sampling for approximate clustering in the presence of outliers",
    NeurIPS 2019, bounds what a far sample counts; here it counts nothing, as in the objective.
    """
    n, k, weight = problem.samples.n_samples, problem.n_clusters, problem.weight
    rows = np.arange(n)
    n_rows = SAMPLE_ROWS + SAMPLE_ROWS_OF_A_CLUSTER * k
    if n > n_rows:
        rows = np.sort(rng.choice(n, n_rows, replace=False))
        if weight is not None and np.count_nonzero(weight[rows]) < n_rows // 2:  # most are absent
            rows = np.flatnonzero(weight)
            rows = np.sort(rng.choice(rows, min(n_rows, len(rows)), replace=False))
    X = problem.samples.take(rows, problem.dtype)
    order = np.lexsort(X.T)  # by values, so that repetition and the order of X do not matter to a small X
    X = np.ascontiguousarray(X[order])
    w = np.ones(len(X)) if weight is None else weight[rows[order]]
    budget *= w.sum() / (n if weight is None else weight.sum())
    wanted = None if weight is None else w
    closest, mass = np.full(len(X), np.inf), w
    chosen: list[int] = []
    while len(chosen) < k:
        total = np.cumsum(mass)
        if total[-1] <= 0.0:  # fewer distinct samples than clusters: any other sample, each once
            rest = np.setdiff1d(np.flatnonzero(w), chosen)
            chosen += rng.choice(rest, k - len(chosen), replace=False).tolist()
            break
        uniform = rng.random(candidates_of_a_round(k)) * total[-1]
        drawn = np.minimum(np.searchsorted(total, uniform, side="right"), np.flatnonzero(mass)[-1])
        tried = np.minimum(_squares(problem, X, X[drawn]), closest[:, None])
        masses = [np.where(near <= threshold(near, wanted, budget), near * w, 0.0) for near in tried.T]
        best = int(np.argmin([mass.sum() for mass in masses]))
        chosen.append(int(drawn[best]))
        closest, mass = tried[:, best].copy(), masses[best]
    start: Floats = X[chosen].astype(np.float64)
    return start


def _squares(problem: Problem, X: NDArray[Any], points: NDArray[Any]) -> Floats:
    single, d = problem.dtype == np.float32, X.shape[1]
    threads = problem.threads_for(float(X.size * len(points)))
    out = np.empty((len(X), len(points)), X.dtype)
    work = np.empty(_distances.work_bytes(single, len(points), d) * threads, np.uint8)
    _distances.distances(X, np.ascontiguousarray(points), out, work, problem.chunk, threads)
    return np.square(out, dtype=np.float64)
