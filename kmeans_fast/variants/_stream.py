"""One step of mini-batch k-means: centroids drift towards the means of a batch, starved ones start anew.

Source: D. Sculley, "Web-Scale K-Means Clustering", WWW 2010; reassignment and stopping as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._iterate import label as label_all
from .._iterate import make_pass, priced
from .._problem import SHARE_AT_START, SHARE_OF_GAPS, Floats, Problem
from .._samples import Samples, as_samples, raise_not_finite
from .._seed import random_rows

STARVED = 0.5  # of the median weight
STEPS_OF_K = 10  # samples per cluster between two looks for starved clusters


@dataclass
class Stream:
    """Centroids, and the weight of what each was given: float64, so that the millionth batch still moves them."""

    centroids: Floats
    weights: Floats
    dtype: np.dtype[Any]  # that they are shown in
    since_reassigned: int = 0

    def step(self, problem: Problem, rng: np.random.Generator, ratio: float, half_life: float | None) -> float:
        """Take in a batch; return its inertia against the centroids before.

        Cluster j with the weight v, that gets samples of weight w and mean m from a batch of total weight b::

            v <- v 2^(-b / half_life)
            c <- c + w / (v + w) (m - c);  v <- v + w
        """
        problem.refine(self.centroids, SHARE_AT_START)
        engine, means = problem.engine(), np.empty_like(self.centroids)
        engine.rounding = False
        make_pass(problem, engine, self.centroids, True)
        engine.finish(means)
        inertia, batch = engine.inertia, problem.totals[:, self.centroids.shape[1]]
        if half_life is not None:
            self.weights *= 0.5 ** (float(batch.sum()) / half_life)
        self.weights += batch
        rate = batch / np.where(self.weights > 0.0, self.weights, 1.0)
        means -= self.centroids
        means *= rate[:, None]
        self.centroids += means
        self.since_reassigned += problem.samples.n_samples
        if ratio > 0.0 and (self.since_reassigned >= STEPS_OF_K * len(batch) or not self.weights.all()):
            self.since_reassigned = 0
            self._reassign(problem, rng, ratio)
        return inertia

    def take_edits(self, shown: NDArray[Any]) -> None:
        """Take over what was changed by hand in the centroids as they are shown."""
        np.copyto(self.centroids, shown, where=shown != self.centroids.astype(self.dtype))

    def _reassign(self, problem: Problem, rng: np.random.Generator, ratio: float) -> None:
        """Put clusters with less than `ratio` of the largest weight on random samples of the batch.

        Not those that have STARVED of the median: in scikit-learn one large cluster makes most others look starved, and
        then takes what they had (1e5x128x1000 blobs: up to three times the inertia after an epoch). Half as many as
        there are samples at most; they get the least weight of the others, so that they stay a while.
        """
        limit = min(ratio * self.weights.max(), STARVED * np.median(self.weights))
        starved = np.flatnonzero(self.weights <= limit if limit == 0.0 else self.weights < limit)
        n = problem.samples.n_samples if problem.weight is None else np.count_nonzero(problem.weight)
        if len(starved) > n // 2:
            starved = np.sort(starved[np.argsort(self.weights[starved], kind="stable")[: n // 2]])
        if len(starved):
            self.centroids[starved] = problem.samples.take(random_rows(problem, len(starved), rng))
            others = np.ones(len(self.weights), bool)
            others[starved] = False
            self.weights[starved] = self.weights[others].min()


@dataclass
class Patience:
    """scikit-learn's end of the random scheme: the smoothed inertia of the batches no longer falls."""

    share: float  # of a batch in X
    most: int | None  # steps without improvement
    average: float | None = None
    least: float = np.inf
    waited: int = 0
    first: bool = True

    def ends(self, inertia: float) -> bool:
        """Look at the mean inertia of another batch."""
        if self.first:  # that of the start
            self.first = False
            return False
        if self.average is None:
            self.average = inertia
        else:
            self.average += min(1.0, 2.0 * self.share) * (inertia - self.average)
        self.waited = 0 if self.average < self.least else self.waited + 1
        self.least = min(self.least, self.average)
        return self.most is not None and self.waited >= self.most


class Batches:
    """Batches of X, drawn with replacement in proportion to the weights; each lies where the last one was."""

    def __init__(self, samples: Samples, weight: Floats | None, size: int, rng: np.random.Generator) -> None:
        self.samples, self.rng = samples, rng
        self.cumulated = None if weight is None else np.cumsum(weight)
        self.points = np.empty((size, samples.n_features), samples.dtype)

    def draw(self, k: int, n_threads: int | None) -> Problem:
        """Gather the next one."""
        size, native = len(self.points), self.samples.native
        if self.cumulated is None:
            rows = self.rng.integers(self.samples.n_samples, size=size)
        else:  # where sums are equal the last: the others weigh nothing
            mass = self.rng.random(size) * self.cumulated[-1]
            rows = np.searchsorted(self.cumulated, mass, side="right")
        if native is not None:
            np.take(native, rows, axis=0, out=self.points, mode="clip")
        else:
            self.points[...] = self.samples.take(np.sort(rows), self.samples.dtype)
        return part_of(self.samples, self.points, None, k, n_threads, "lloyd")


def part_of(
    samples: Samples, points: NDArray[Any], weight: Floats | None, k: int, n_threads: int | None, algorithm: str
) -> Problem:
    """Make a problem of some rows of X; where a value is not finite, the error names its place in X."""
    try:
        return Problem(as_samples(points), k, weight, n_threads, algorithm)
    except ValueError:
        raise_not_finite(samples)
        raise


def label(problem: Problem, centroids: Floats, share: float = SHARE_OF_GAPS) -> tuple[NDArray[np.int32], float]:
    """Return labels and inertia of the samples; with the default share labels are those of `predict`."""
    if problem.dtype != problem.samples.dtype:  # it was made for centroids nearer to each other
        problem = Problem(problem.samples, len(centroids), problem.weight, problem.max_threads, "lloyd")
    problem.refine(centroids, share)
    label_all(problem, centroids)
    return problem.labels, priced(problem, problem.engine().inertia, centroids)
