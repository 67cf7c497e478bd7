"""Greedy k-means++ that goes on where there are centroids already."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _batches, _distances, _seeding
from ._own import own_blocks, own_squares
from ._problem import Floats, Problem

MAX_CANDIDATES = 32


class Extension:
    """Adds samples to centroids, each the best of 2 + log(k) that are drawn by squared distance."""

    def __init__(self, problem: Problem) -> None:
        make, n, d = problem.memory.empty, problem.samples.n_samples, problem.samples.n_features
        q = min(2 + int(log(problem.n_clusters)), MAX_CANDIDATES)
        single = problem.dtype == np.float32
        self.problem = problem
        self.closest = make(n, problem.dtype)  # squared distance to the nearest centroid
        self.potential = make((-(-n // problem.chunk), q), np.float64)
        self.work = make(_distances.work_bytes(single, q, d) * problem.n_threads, np.uint8)
        self.n_threads = problem.team_for(2.0 * n * d * q)

    def add(self, centroids: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Return `count` more, or fewer if all samples lie on a centroid; problem.labels belong to the centroids."""
        problem, closest, q = self.problem, self.closest, self.potential.shape[1]
        for start, block in own_blocks(problem):
            rows = slice(start, start + len(block))
            closest[rows] = own_squares(problem, centroids, block, rows)
        threads = problem.team_for(float(len(closest)))
        mass, drawn = np.empty(len(self.potential)), np.empty(q, np.intp)
        _batches.sum_masses(closest, problem.weight, mass, problem.chunk, threads)
        added: list[NDArray[Any]] = []
        while len(added) < count and (total := float(np.cumsum(mass)[-1])) > 0.0:
            _batches.pick(closest, problem.weight, mass, problem.chunk, np.sort(rng.random((q,))) * total, drawn)
            candidates = problem.samples.take(drawn, problem.dtype)
            self._read(candidates, None)
            best = int(self.potential.sum(axis=0).argmin())
            mass = self.potential[:, best].copy()
            added.append(candidates[best])
            if len(added) < count:
                self._read(candidates[:0], candidates[best])
        return np.array(added, np.float64).reshape(-1, problem.samples.n_features)

    def _read(self, candidates: NDArray[Any], chosen: NDArray[Any] | None) -> None:
        """Lower the distances by those to a chosen sample; find what each candidate would leave of the potential."""
        problem = self.problem
        for start, block in problem.blocks(float(candidates.size + problem.samples.n_features)):
            _seeding.seed_round(
                block, start, chosen, 0, candidates, self.closest, None, problem.weight, self.potential, self.work,
                problem.chunk, self.n_threads,
            )  # fmt: skip
