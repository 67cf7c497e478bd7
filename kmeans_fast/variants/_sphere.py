"""The loop of spherical k-means: Lloyd's passes about centers of one norm."""

from __future__ import annotations

import numpy as np

from .._iterate import MOVED_MUCH, STALLED
from .._problem import SHARE_AT_START, Floats, Problem
from .._samples import Samples
from ._base import Run
from ._directions import Directions, to_unit
from ._passes import farthest_rows, make_pass


class Sphere:
    """What the restarts of a fit share: a problem whose passes label by the cosine, and one of unit rows to seed.

    With weights w / |x| the sums of a pass are those of w x / |x|, so that rows can be read as they are.
    """

    def __init__(self, samples: Samples, n_clusters: int, weight: Floats | None, n_threads: int | None) -> None:
        self.directions, self.weight = Directions(samples, n_threads), weight
        self.total_weight = float(samples.n_samples if weight is None else weight.sum())
        self.radius = self.directions.radius()
        self.seeding = self.problem = Problem(self.directions.unit, n_clusters, weight, n_threads)
        self.scale = 1.0  # the norm of centers in a pass
        if self.directions.readable(self.radius):
            each = (1.0 if weight is None else weight) / self.directions.norms
            self.problem, self.scale = Problem(samples, n_clusters, each, n_threads), self.radius

    def descend(self, centers: Floats, max_iter: int, tol: float) -> Run:
        """Run from one start; labels are those of the centers that are returned, as `predict` gives them."""
        problem, directions = self.problem, self.directions
        problem.refine(self.scale * centers, SHARE_AT_START)
        centers, n_iter, reason = self._loop(centers, 0, max_iter, tol)
        if problem.refine(self.scale * centers) and n_iter < max_iter:  # float32 has said all that it can
            centers, n_iter, reason = self._loop(centers, n_iter, max_iter, tol)
        result_dtype = directions.samples.result_dtype
        centers = centers.astype(result_dtype)
        points = self.scale * centers.astype(np.float64)
        problem.refine(points)
        engine = problem.engine()
        engine.reset()
        make_pass(problem, engine, points, True, np.empty_like(points))
        labels = problem.labels.copy()
        far = directions.own(centers, labels)
        inertia = float(far.sum() if self.weight is None else (far * self.weight).sum())
        return Run(centers, labels, inertia, n_iter, reason, self.radius)

    def _loop(self, centers: Floats, n_iter: int, max_iter: int, tol: float) -> tuple[Floats, int, str]:
        """Label and move in turn until a limit; return centers, iterations and the reason to stop."""
        problem, engine, means = self.problem, self.problem.engine(), np.empty_like(centers)
        lowest, stalled, fresh, reason = np.inf, 0, True, ""
        engine.reset()
        engine.rounding = False
        while not reason:
            if problem.boxes_pay(n_iter):
                problem.use_boxes(engine)
            make_pass(problem, engine, self.scale * centers, fresh, means)
            n_iter += 1
            new = self._moved(means, centers)
            d = centers.shape[1]
            sums = problem.totals[:, :d] + problem.totals[:, d : d + 1] * problem.origin
            objective = self.total_weight - float(np.einsum("jf,jf->", sums, centers))
            stalled = 0 if objective < lowest else stalled + 1
            lowest = min(lowest, objective)
            middle = sums.sum(axis=0) / self.total_weight
            if engine.n_changed == 0:
                reason = "labels unchanged"
            elif float(np.square(new - centers).sum()) <= tol * (1.0 - float(middle @ middle)) / d:
                reason = "tol"
            elif stalled >= STALLED:
                reason = "no decrease"
            elif n_iter >= max_iter:
                reason = "max_iter"
            if reason and not fresh:  # samples that came and went left rounding behind
                make_pass(problem, engine, self.scale * centers, True, means, assign=False)
                new = self._moved(means, centers)
            fresh = engine.n_changed > MOVED_MUCH * problem.samples.n_samples
            centers = new
        return centers, n_iter, reason

    def _moved(self, means: Floats, centers: Floats) -> Floats:
        """Return the directions of the means; empty clusters go to the samples farthest from their centers."""
        new = to_unit(means, centers)
        empty = np.flatnonzero(self.problem.totals[:, centers.shape[1] + 1] == 0.0)
        if len(empty):
            far = self.directions.own(centers, self.problem.labels)
            rows = farthest_rows(far, self.weight, len(empty))
            new[empty[: len(rows)]] = self.directions.unit.take(rows)
        return new
