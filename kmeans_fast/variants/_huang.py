"""Huang's algorithm for k-modes and k-prototypes: starts, passes, and the end, as the package kmodes has them.

A pass visits the samples in order, and each that moves changes the two prototypes at once. It ends when no sample
moves, or when a pass does not lower the cost.

Source: Z. Huang, "Extensions to the k-means algorithm for clustering large data sets with categorical values", Data
Mining and Knowledge Discovery 2(3), 1998.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _runtime
from .._modes import Prototypes
from .._problem import Floats, Labels
from ._base import Run

BLOCK_WORK = 2e8  # compared values of one call: Ctrl-C is seen between calls, well within a second
CHUNK = 1024  # of src/_modes.pyx: sums over blocks of whole chunks have one order

Codes = NDArray[np.int64]


class Start(NamedTuple):
    """Prototypes to begin with."""

    modes: Codes
    means: Floats


class Mixed:
    """Samples in codes and numbers, and what all restarts share."""

    def __init__(
        self,
        codes: NDArray[Any],
        numbers: Floats,
        offsets: NDArray[np.int64],
        n_clusters: int,
        gamma: float,
        weight: Floats | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.codes, self.numbers, self.weight = codes, numbers, weight
        self.n_samples, self.n_clusters, self.gamma, self.offsets = len(codes), n_clusters, gamma, offsets
        per_row = max(1, (codes.shape[1] + numbers.shape[1]) * n_clusters)
        self.n_threads = _runtime.choose_threads(n_threads, float(self.n_samples) * per_row)
        self.members = np.empty(self.n_samples, np.int32)
        self.prototypes = Prototypes(codes, numbers, weight, offsets, n_clusters, gamma, self.members)
        rows = max(1, int(BLOCK_WORK / per_row) // CHUNK) * CHUNK
        self.blocks = [(row, min(row + rows, self.n_samples)) for row in range(0, self.n_samples, rows)]

    def assign(self, labels: Labels) -> float:
        """Label each sample with the nearest prototype; returns the cost."""
        return sum(self.prototypes.assign(start, stop, labels, self.n_threads) for start, stop in self.blocks)

    def begin(self, start: Start, rng: np.random.Generator) -> None:
        """Make clusters of the samples nearest to each prototype."""
        self.prototypes.place(start.modes, start.means)
        self.assign(self.members)
        self.prototypes.clear()
        for first, last in self.blocks:
            self.prototypes.count(first, last)
        self.prototypes.settle()
        self._refill(rng)

    def walk(self, rng: np.random.Generator) -> int:
        """Visit every sample once; returns how many moved."""
        moves = 0
        for start, stop in self.blocks:
            while start < stop:
                start, moved = self.prototypes.walk(start, stop, self.n_threads)
                moves += moved
                self._refill(rng)
        return moves

    def far(self, row: int, closest: Floats, *, mode: Codes | None = None) -> Floats:
        """Lower `closest` to the distances from a sample, or from the given mode."""
        point = np.asarray(self.codes[row], np.int64) if mode is None else mode
        for start, stop in self.blocks:
            self.prototypes.lower(start, stop, point, self.numbers[row], closest, self.n_threads)
        return closest

    def _refill(self, rng: np.random.Generator) -> None:
        """Give each empty cluster a sample of the largest one, drawn at random."""
        for cluster in self.prototypes.empty_clusters():
            inside = self.members == self.prototypes.largest_cluster()
            if self.weight is not None:
                inside &= self.weight > 0.0
            self.prototypes.move(int(rng.choice(np.flatnonzero(inside))), int(cluster))


def descend(problem: Mixed, start: Start, max_iter: int, rng: np.random.Generator) -> Run:
    """Iterate from a start; labels are those of the prototypes that are returned."""
    labels = np.empty(problem.n_samples, np.int32)
    problem.begin(start, rng)
    cost = problem.assign(labels)
    costs, n_iter, reason = [cost], 0, ""
    while not reason:
        n_iter += 1
        moves = problem.walk(rng)
        before, cost = cost, problem.assign(labels)
        costs.append(cost)
        if moves == 0:
            reason = "labels unchanged"
        elif cost >= before:
            reason = "no decrease"
        elif n_iter >= max_iter:
            reason = "max_iter"
    modes, means = problem.prototypes.read()
    return Run(modes, labels, cost, n_iter, reason, (means, costs))
