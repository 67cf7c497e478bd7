"""Where mini-batches start: on a random sample of X, by any method of `kmeans`, the best of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _kmeans
from .._problem import SHARE_AT_START, Floats, Problem
from .._samples import Samples
from .._seed import as_start, seed
from .._sklearn_base import with_random_state
from ._nested import Sample, draw_sample
from ._stream import label

# Up to so many clusters the start is searched for by swaps (quality="best") among so many samples.
MOST_SEARCHED, ROWS_OF_A_SEARCH, LEAST_SEARCH = 512, 16, 512
RANDOM_STARTS = 3  # as in scikit-learn, where a start is as good as chance makes it


@dataclass
class Starts:
    """The parameters of the estimator that say how to start."""

    init: Any
    n_init: int | str
    n_clusters: int
    n_threads: int | None
    rng: np.random.Generator

    def drawn(self, samples: Samples, weight: Floats | None, size: int) -> Floats:
        """Return centroids to begin with, from so many random samples."""
        if size < samples.n_samples:
            sample = draw_sample(samples, weight, size, self.rng)
            return self._best(sample.part(0, size, self.n_clusters, self.n_threads))
        return self._best(Problem(samples, self.n_clusters, weight, self.n_threads, "lloyd"))

    def searched(self, sample: Sample, first: int) -> Floats:
        """Return the start of nested batches: few samples show where centroids are too many and too few."""
        k, size = self.n_clusters, max(ROWS_OF_A_SEARCH * self.n_clusters, LEAST_SEARCH)
        if k > MOST_SEARCHED or not isinstance(self.init, str) or size > first:
            return self._best(sample.part(0, first, k, self.n_threads))
        part, n_init, threads = sample.part(0, size, k, self.n_threads), self._n_init(), self.n_threads
        result = _kmeans.fit(
            part.samples, k, self.init, n_init, 300, 1e-4, part.weight, self.rng, "auto", threads, None, quality="best"
        )
        start: Floats = result.centroids.astype(np.float64)
        return start

    def _best(self, problem: Problem) -> Floats:
        init = self.init
        if not (isinstance(init, str) or callable(init)):
            return seed(problem, as_start(init, problem), None)
        n_init = self._n_init()
        init = with_random_state(init) if callable(init) else init
        starts = [seed(problem, init, self.rng) for _ in range(n_init)]
        return starts[0] if n_init == 1 else min(starts, key=lambda start: label(problem, start, SHARE_AT_START)[1])

    def _n_init(self) -> int:
        by_chance = callable(self.init) or str(self.init).startswith("random")
        return int(self.n_init) if self.n_init != "auto" else RANDOM_STARTS if by_chance else 1
