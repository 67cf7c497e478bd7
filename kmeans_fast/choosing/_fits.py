"""One pass of fits, and all that the methods need to know of each: labels of all samples are not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._own import own_blocks, own_squares
from .._problem import Floats
from .._samples import Samples
from ._sweep import Fit, Sweep


@dataclass
class Fits:
    """What is known of X and of its clustering into each k."""

    samples: Samples
    weight: Floats | None
    rows: NDArray[np.intp]  # a random sample of X, or all of it: what costs more than a pass is computed there
    keep_labels: bool
    inertia: dict[int, float] = field(default_factory=dict)
    masses: dict[int, Floats] = field(default_factory=dict)  # weight of each cluster
    centroids: dict[int, NDArray[Any]] = field(default_factory=dict)
    scatter: dict[int, Floats] = field(default_factory=dict)  # mean distance to each centroid
    sample_labels: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    labels: dict[int, NDArray[np.int32]] = field(default_factory=dict)  # only if they are kept

    def __post_init__(self) -> None:
        self.X = self.samples.take(self.rows)  # the sample, about its mean
        self.X -= self.X.mean(axis=0)
        self.sample_weight = np.ones(len(self.rows)) if self.weight is None else self.weight[self.rows]

    def run(self, sweep: Sweep, ks: Iterable[int], tick: Callable[[], object]) -> None:
        """Fit each k."""
        for fit in sweep.fits(ks):
            self.inertia[fit.k], self.masses[fit.k] = fit.inertia, fit.masses
            self.centroids[fit.k], self.scatter[fit.k] = fit.centroids, _scatter(fit)
            self.sample_labels[fit.k] = fit.labels[self.rows]
            if self.keep_labels:
                self.labels[fit.k] = fit.labels.copy()
            tick()


def sample_rows(n_samples: int, weight: Floats | None, most: int | None, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw `most` rows with a positive weight, ascending; all of them if there are no more."""
    n_positive = n_samples if weight is None else int(np.count_nonzero(weight))
    if most is not None and 2 * most < n_positive == n_samples:
        return np.sort(rng.choice(n_samples, most, replace=False, shuffle=False)).astype(np.intp)
    rows = np.arange(n_samples) if weight is None else np.flatnonzero(weight)
    if most is None or n_positive <= most:
        return rows.astype(np.intp)
    return np.sort(rng.choice(rows, most, replace=False)).astype(np.intp)


def _scatter(fit: Fit) -> Floats:
    """Mean distance of the samples of each cluster to its centroid."""
    problem, total = fit.problem, np.zeros(fit.k)
    for start, block in own_blocks(problem):
        rows = slice(start, start + len(block))
        distances = np.sqrt(own_squares(problem, fit.centroids, block, rows))
        if problem.weight is not None:
            distances *= problem.weight[rows]
        total += np.bincount(problem.labels[rows], distances, fit.k)
    mean: Floats = total / fit.masses
    return mean
