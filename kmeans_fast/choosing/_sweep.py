"""Fits for rising k, each grown from the one before: what every method of choosing k looks at.

A large X is clustered on a random sample first, and what comes of it is iterated on all of X: that ends where the
whole would have, after a few passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Event
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._extend import Extension
from .._improve import improve
from .._iterate import Run, lloyd
from .._problem import Floats, Problem
from .._samples import Samples, as_samples
from .._seed import seed
from ._parallel import Stopped

MAX_ITER, TOL = 300, 1e-4
PILOT_TOL = 1e-5  # nearer to its end, so that all of X needs few passes
PILOT_ROWS, PILOT_SHARE = 1 << 14, 16  # the pilot has so many rows at least, and this part of X
PILOT_PAYS = 4  # where X has so many times its rows
SMALL = 20_000  # samples up to which quality="auto" is "best"
ROWS_OF_A_CLUSTER = 100  # that a pilot must have


class Fit(NamedTuple):
    """One clustering of a sweep; labels are valid until the next one."""

    k: int
    centroids: Floats
    inertia: float
    masses: Floats  # weight of each cluster
    problem: Problem  # its labels are those of this fit

    @property
    def labels(self) -> NDArray[np.int32]:
        """Cluster of each sample."""
        return self.problem.labels


class Sweep:
    """Clusters one X for rising k, by a warm and a fresh start and with quality="best" by a search from the better.

    Memory: that of `kmeans`, and for large X a 16th of X again.
    """

    def __init__(
        self,
        samples: Samples,
        k_max: int,
        weight: Floats | None,
        rng: np.random.Generator,
        n_threads: int | None,
        quality: str = "auto",
        stop: Event | None = None,
    ) -> None:
        self.rng, self.stop = rng, stop
        self.n_distinct: int | None = None  # samples that can be told apart, if a k needs more
        self.searches = quality == "best" or (quality == "auto" and samples.n_samples <= SMALL)
        self.whole = Problem(samples, k_max, weight, n_threads)
        pilot = _pilot(samples, k_max, weight, rng)
        self.pilot = self.whole if pilot is None else Problem(pilot[0], k_max, pilot[1], n_threads)
        for problem in (self.whole, self.pilot):
            problem.engine()  # labels and totals, which all k share
        self.extension = Extension(self.pilot)

    def fits(self, ks: Iterable[int]) -> Iterator[Fit]:
        """Fit each of the ascending `ks`; end early where X has no more distinct samples."""
        centroids = self.pilot.samples.take([_first_row(self.pilot.weight)])
        whole_bytes, pilot_bytes = self.whole.memory.n_bytes, self.pilot.memory.n_bytes
        asked = tuple(ks)
        for k in sorted({1, *asked}):  # 1 gives the labels that the first cluster added looks at
            self.whole.memory.release(whole_bytes)
            self.pilot.memory.release(pilot_bytes)
            added = self.extension.add(centroids, k - len(centroids), self.rng) if k > len(centroids) else centroids[:0]
            if len(centroids) + len(added) < k:
                self.n_distinct = len(centroids) + len(added)
                return
            problem = self.pilot.with_clusters(k)
            run = self._start(problem, np.concatenate([centroids, added]))
            centroids = run.centroids
            if self.pilot is not self.whole:
                problem = self.whole.with_clusters(k)
                run = self._lloyd(problem, centroids, TOL)
            if not run.counts.all():
                self.n_distinct = int(np.count_nonzero(run.counts))
                return
            masses = problem.totals[:, problem.samples.n_features].copy()
            if k in asked:
                yield Fit(k, run.centroids, run.inertia, masses, problem)

    def _start(self, problem: Problem, warm: Floats) -> Run:
        """Fit the pilot."""
        tol = TOL if self.pilot is self.whole else PILOT_TOL
        run = self._lloyd(problem, warm, tol)
        if len(warm) == 1:
            return run
        fresh = self._lloyd(problem, seed(problem, "k-means++", self.rng), tol)
        if run.inertia <= fresh.inertia:
            fresh = self._lloyd(problem, run.centroids, tol)  # for its labels
        return improve(problem, fresh, self.rng, MAX_ITER, tol, None) if self.searches else fresh

    def _lloyd(self, problem: Problem, centroids: Floats, tol: float) -> Run:
        self._watch()
        quick = self.stop is None or problem.small_block() is not None
        return lloyd(problem, centroids, MAX_ITER, tol, None if quick else self._watch)

    def _watch(self, *_: object) -> str:
        if self.stop is not None and self.stop.is_set():
            raise Stopped
        return ""


def _pilot(
    samples: Samples, k_max: int, weight: Floats | None, rng: np.random.Generator
) -> tuple[Samples, Floats | None] | None:
    """Draw the rows that a large X is first clustered on."""
    n = samples.n_samples
    size = max(PILOT_ROWS, n // PILOT_SHARE, ROWS_OF_A_CLUSTER * k_max)
    if n < PILOT_PAYS * size:
        return None
    rows = np.unique(rng.integers(n, size=size))  # repeated ones are few, and leave the sample random
    part = None if weight is None else weight[rows]
    if part is not None and np.count_nonzero(part) < size // 2:
        return None
    return as_samples(samples.take(rows, samples.dtype)), part


def _first_row(weight: Floats | None) -> int:
    return 0 if weight is None else int(np.flatnonzero(weight)[0])
