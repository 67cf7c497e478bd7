"""The loop of k-means--: Lloyd's passes, of which the farthest samples are left out."""

from __future__ import annotations

import numpy as np

from .. import _distances, _move
from .._own import own_blocks
from .._problem import SHARE_AT_START, Floats, Problem
from .._samples import Samples
from ._base import Run
from ._passes import STALLED, farthest_rows, make_pass
from ._trim_seeding import threshold

MARGIN = 0.7  # of the last threshold: above it the next one is looked for first


class Trim:
    """What the restarts of a fit share: labels without and with -1, squared distances, and sums of what is kept."""

    def __init__(
        self, samples: Samples, n_clusters: int, weight: Floats | None, n_threads: int | None, budget: float
    ) -> None:
        self.problem = problem = Problem(samples, n_clusters, weight, n_threads)
        n, make = samples.n_samples, problem.memory.empty
        self.weight, self.budget = weight, budget
        self.far = make(n, np.float64)
        self.kept, self.new = make(n, np.int32), make(n, np.int32)
        self.sums = make((problem.n_slices(), n_clusters, samples.n_features + 2), np.float64)
        self.floor = 0.0

    def descend(self, centers: Floats, max_iter: int, tol: float) -> Run:
        """Run from one start; labels and threshold are those of the centers that are returned."""
        problem = self.problem
        problem.refine(centers, SHARE_AT_START)
        centers, n_iter, reason = self._loop(centers, 0, max_iter, tol)
        if problem.refine(centers) and n_iter < max_iter:  # float32 has said all that it can
            centers, n_iter, reason = self._loop(centers, n_iter, max_iter, tol)
        centers = centers.astype(problem.samples.result_dtype)
        points = centers.astype(np.float64)
        problem.refine(points)
        problem.engine().reset()
        self._pass(points, np.empty_like(points), True)
        np.sqrt(self.far, out=self.far)  # two squares may have one root: the threshold is one of distances
        self.floor = 0.0
        limit = self._cut()
        np.square(self.far, out=self.far)
        return Run(centers, self.new.copy(), self._objective(), n_iter, reason, limit)

    def _loop(self, centers: Floats, n_iter: int, max_iter: int, tol: float) -> tuple[Floats, int, str]:
        problem, engine, means = self.problem, self.problem.engine(), np.empty_like(centers)
        lowest, stalled, fresh, reason = np.inf, 0, True, ""
        engine.reset()
        engine.rounding = False
        self.floor, self.kept[:], self.sums[:] = 0.0, -1, 0.0
        while not reason:
            if problem.boxes_pay(n_iter):
                problem.use_boxes(engine)
            self._pass(centers, means, fresh)
            self._cut()
            n_iter += 1
            changed = int(np.count_nonzero(self.new != self.kept))
            objective = self._objective()
            stalled = 0 if objective < lowest else stalled + 1
            lowest = min(lowest, objective)
            self._sum()
            new = self._moved(centers)
            if changed == 0:
                reason = "labels unchanged"
            elif float(np.square(new - centers).sum()) <= tol * problem.variance:
                reason = "tol"
            elif stalled >= STALLED:
                reason = "no decrease"
            elif n_iter >= max_iter:
                reason = "max_iter"
            if reason:  # samples that came and went left rounding behind
                self.new[:] = self.kept
                self.kept[:], self.sums[:] = -1, 0.0
                self._sum()
                new = self._moved(centers)
            fresh = engine.n_changed * 3 > problem.samples.n_samples
            centers = new
        return centers, n_iter, reason

    def _pass(self, centers: Floats, means: Floats, fresh: bool) -> None:
        """Label all samples, and set `far`."""
        problem = self.problem
        make_pass(problem, problem.engine(), centers, fresh, means)
        for start, block in own_blocks(problem):
            stop, threads = start + len(block), problem.threads_for(float(block.size))
            _distances.own_squared_distances(
                block, centers, problem.labels[start:stop], self.far[start:stop], problem.chunk, threads
            )

    def _cut(self) -> float:
        """Set `new`, the labels with -1; return what no sample that keeps its label exceeds.

        It is looked for among the samples near the last one or beyond, if they are enough.
        """
        far, weight = self.far, self.weight
        if self.floor > 0.0:
            rows = np.flatnonzero(far >= self.floor)
            some = None if weight is None else weight[rows]
            if (len(rows) if some is None else some.sum()) > self.budget:
                far, weight = far[rows], some
        limit = threshold(far, weight, self.budget)
        self.floor = MARGIN * limit if np.isfinite(limit) else 0.0
        np.copyto(self.new, self.problem.labels)
        self.new[self.far > limit] = -1
        return limit

    def _objective(self) -> float:
        far = np.where(self.new >= 0, self.far, 0.0)
        return float(far.sum() if self.weight is None else (far * self.weight).sum())

    def _sum(self) -> None:
        """Bring the sums from the labels `kept` to `new`."""
        problem = self.problem
        threads = problem.threads_for(float(problem.samples.n_samples * problem.samples.n_features))
        for start, block in problem.blocks():
            _move.move(
                block, start, self.kept, self.new, self.weight, problem.origin, self.sums, problem.chunk, threads
            )
        self.kept, self.new = self.new, self.kept

    def _moved(self, centers: Floats) -> Floats:
        """Return the means of what is kept; empty clusters go to the farthest samples that are kept."""
        d, sums = centers.shape[1], self.sums.sum(axis=0)
        empty = sums[:, d + 1] == 0.0
        weight = np.where(empty, 1.0, sums[:, d])
        new: Floats = np.where(empty[:, None], centers, self.problem.origin + sums[:, :d] / weight[:, None])
        if empty.any():
            far = np.where(self.kept >= 0, self.far, 0.0)
            rows = farthest_rows(far, self.weight, int(empty.sum()))
            new[np.flatnonzero(empty)[: len(rows)]] = self.problem.samples.take(rows)
        return new
