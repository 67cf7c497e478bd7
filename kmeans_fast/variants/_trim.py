"""The loop of k-means--: Lloyd's passes, of which the farthest samples are left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _distances, _variants
from .._iterate import MOVED_MUCH, STALLED
from .._own import own_blocks
from .._problem import SHARE_AT_START, Floats, Labels, Problem
from .._samples import Samples
from ._base import Run
from ._passes import farthest_rows, make_pass
from ._trim_seeding import threshold

MARGIN = 0.7  # of the last threshold: beyond it the next one is looked for first
NEAR = 1.0 - 1e-6  # outdoes the rounding of a bound


class Trim:
    """What the restarts of a fit share: labels without and with -1, squared distances, and sums of what is kept."""

    def __init__(
        self, samples: Samples, n_clusters: int, weight: Floats | None, n_threads: int | None, budget: float
    ) -> None:
        self.problem = problem = Problem(samples, n_clusters, weight, n_threads)
        n, make = samples.n_samples, problem.memory.empty
        n_chunks = -(-n // samples.chunk(samples.dtype))
        self.weight, self.budget = weight, budget
        self.far, self.beyond = make(n, np.float64), make(n // 4 + 1, np.float64)
        self.kept, self.new = make(n, np.int32), make(n, np.int32)
        self.sums = make((problem.n_slices(), n_clusters, samples.n_features + 2), np.float64)
        self.totals, self.changed = make((n_chunks, 2), np.float64), make(n_chunks, np.int64)
        self.floor, self.complete = 0.0, True

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
        engine = problem.engine()
        engine.reset()
        make_pass(problem, engine, points, True, np.empty_like(points))
        self._measure(points)
        np.sqrt(self.far, out=self.far)  # two squares may have one root: the threshold is one of distances
        self.floor = 0.0
        limit, _ = self._cut()
        np.square(self.far, out=self.far)
        far = np.where(self.new >= 0, self.far, 0.0)
        inertia = float(far.sum() if self.weight is None else (far * self.weight).sum())
        return Run(centers, self.new.copy(), inertia, n_iter, reason, limit)

    def _loop(self, centers: Floats, n_iter: int, max_iter: int, tol: float) -> tuple[Floats, int, str]:
        """Label, leave out and move in turn until a limit; return centers, iterations and the reason to stop."""
        problem, engine, means = self.problem, self.problem.engine(), np.empty_like(centers)
        lowest, stalled, fresh, reason = np.inf, 0, True, ""
        engine.reset()
        engine.rounding = False
        self.floor, self.kept[:], self.sums[:] = 0.0, -1, 0.0
        while not reason:
            if problem.boxes_pay(n_iter):
                problem.use_boxes(engine)
            make_pass(problem, engine, centers, fresh, means)
            n_iter += 1
            self._measure(centers, engine.upper_bounds)
            _, changed = self._cut()
            kept, left = self.totals.sum(axis=0)
            objective = kept if self.complete else engine.inertia - left
            stalled = stalled + 1 if objective >= lowest and (self.complete or problem.resolves(objective)) else 0
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
            fresh = engine.n_changed > MOVED_MUCH * problem.samples.n_samples
            centers = new
        return centers, n_iter, reason

    def _measure(self, centers: Floats, upper: NDArray[np.float32] | None = None) -> None:
        """Set `far`, the squared distances; with upper bounds only where they may reach `floor`, elsewhere 0."""
        self.complete = upper is None or self.floor == 0.0
        rows = None if upper is None or self.complete else np.flatnonzero(upper >= NEAR * self.floor**0.5)
        if rows is not None and 2 * len(rows) < len(self.far):
            self.far[:] = 0.0
            for start, block in own_blocks(self.problem):
                first, last = np.searchsorted(rows, (start, start + len(block)))
                mine = rows[first:last]
                if len(mine):
                    self.far[mine] = self._squares(block[mine - start], self.problem.labels[mine], centers)
            reach = self.far >= self.floor
            if (np.count_nonzero(reach) if self.weight is None else self.weight[reach].sum()) > self.budget:
                return
        self.complete = True
        for start, block in own_blocks(self.problem):
            stop = start + len(block)
            self._squares(block, self.problem.labels[start:stop], centers, self.far[start:stop])

    def _squares(self, block: NDArray[Any], labels: Labels, centers: Floats, out: Floats | None = None) -> Floats:
        out = np.empty(len(block)) if out is None else out
        threads = self.problem.threads_for(float(block.size))
        _distances.own_squared_distances(block, centers, labels, out, self.problem.chunk, threads)
        return out

    def _cut(self) -> tuple[float, int]:
        """Set `new`, the labels with -1; return what no sample that keeps its label exceeds, and how many changed."""
        problem, chunk = self.problem, self.problem.samples.chunk(self.problem.samples.dtype)
        limit = self._limit()
        self.floor = MARGIN * limit if np.isfinite(limit) else 0.0
        threads = problem.threads_for(float(len(self.far)))
        _variants.cut(
            problem.labels, self.far, limit, self.weight, self.kept, self.new, self.totals, self.changed, chunk, threads
        )
        return limit, int(self.changed.sum())

    def _limit(self) -> float:
        """Return the threshold, looked for among what lies beyond `floor` if that is enough."""
        if self.floor > 0.0 and self.weight is None:
            m = _variants.collect(self.far, self.floor, self.beyond)
            if m > self.budget:
                return threshold(self.beyond[:m], None, self.budget)
        elif self.floor > 0.0 and self.weight is not None:
            rows = np.flatnonzero(self.far >= self.floor)
            if self.weight[rows].sum() > self.budget:
                return threshold(self.far[rows], self.weight[rows], self.budget)
        return threshold(self.far, self.weight, self.budget)

    def _sum(self) -> None:
        """Bring the sums from the labels `kept` to `new`."""
        problem = self.problem
        threads = problem.threads_for(float(problem.samples.n_samples * problem.samples.n_features))
        for start, block in problem.blocks():
            _variants.move(
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
            if not self.complete:
                self._measure(centers)
            far = np.where(self.kept >= 0, self.far, 0.0)
            rows = farthest_rows(far, self.weight, int(empty.sum()))
            new[np.flatnonzero(empty)[: len(rows)]] = self.problem.samples.take(rows)
        return new
