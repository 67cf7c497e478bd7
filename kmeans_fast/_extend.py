"""Greedy k-means++ that goes on where there are centroids already."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _seeding
from ._greedy import candidates_of_a_round
from ._own import own_blocks, own_squares
from ._problem import Floats, Problem
from ._rounds import Reading


class Extension:
    """Adds samples to centroids, each the best of 2 + log(k) that are drawn by squared distance."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        # Squared distances to the nearest centroid.
        self.closest = problem.memory.empty(problem.samples.n_samples, problem.dtype)
        self.reading = Reading(problem, candidates_of_a_round(problem.n_clusters))

    def add(self, centroids: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Return `count` more, or fewer if all samples lie on a centroid; problem.labels belong to the centroids."""
        problem, closest, potential = self.problem, self.closest, self.reading.potential
        for start, block in own_blocks(problem):
            rows = slice(start, start + len(block))
            closest[rows] = own_squares(problem, centroids, block, rows)
        threads = problem.team_for(float(len(closest)))
        mass, drawn = np.empty(len(potential)), np.empty(potential.shape[1], np.intp)
        _seeding.sum_masses(closest, problem.weight, mass, problem.chunk, threads)
        added: list[NDArray[Any]] = []
        while len(added) < count and (total := float(np.cumsum(mass)[-1])) > 0.0:
            _seeding.pick(closest, problem.weight, mass, problem.chunk, np.sort(rng.random(len(drawn))) * total, drawn)
            candidates = problem.samples.take(drawn, problem.dtype)
            self.reading.read(candidates, candidates[:0], 0, closest, None)
            best = int(potential.sum(axis=0).argmin())
            mass = potential[:, best].copy()
            added.append(candidates[best])
            if len(added) < count:
                self.reading.read(candidates[:0], candidates[best : best + 1], 0, closest, None)
        return np.array(added, np.float64).reshape(-1, problem.samples.n_features)
