"""A problem whose samples are in an engine's blocks, and what makes passes over it: stand-ins for the loop.

`Spread` stands in for `_problem.Problem` and `Passes` for the compiled engine `_lloyd.Lloyd`: the loop of `_iterate.py`
does not see the difference. In this process are centroids, their sums and a few rows that were chosen, never the data.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _survey
from .._problem import ORIGIN_ROWS, Floats, Problem
from .._samples import Samples
from .._validate import invalid_weight, not_finite, too_few_weighted, too_large
from . import _block, _tree
from ._block import Pass, Survey
from ._engine import Blocks, Engine


class _Shape:
    """What the driver has of X: its shape and dtype, and a few rows that it asks for."""

    readers = 0

    def __init__(self, n_samples: int, blocks: Blocks, take: Callable[[NDArray[Any]], Floats]) -> None:
        self.shape, self.dtype, self.take = (n_samples, blocks.n_features), blocks.dtype, take

    def read(self, start: int, stop: int, out: NDArray[Any]) -> None:
        raise AssertionError("the samples are not here")


class Spread(Problem):
    """A problem whose samples are in an engine's blocks; see `_problem.Problem`."""

    def __init__(self, engine: Engine, blocks: Blocks, n_clusters: int, original: Any) -> None:
        self.spread, self.held = engine, blocks
        samples = Samples(_Shape(blocks.bounds[-1], blocks, self.take), original)
        self.labels = np.empty(1, np.int32)  # they are in the blocks
        self.passes: dict[bool, Passes] = {}
        self.serial = 0
        self.own = self
        super().__init__(samples, n_clusters, None, 1, "lloyd")

    def run(self, function: Callable[..., Any], join: Callable[[list[Any]], Any], *shared: Any) -> Any:
        """Call the function for each block and join the results."""
        return self.spread.reduce(self.spread.map(function, self.held.handles, *shared), join)

    def take(self, rows: NDArray[np.int64]) -> Floats:
        """Fetch a few rows, in ascending order."""
        return np.array([value for _, value in self.run(_block.take, _block.join_lists, rows)])

    def _survey(self) -> None:
        """Do what `Problem` does in one pass, where the blocks are."""
        n, d = self.samples.n_samples, self.samples.n_features
        sample = np.sort(self.take(np.arange(0, n, -(-n // ORIGIN_ROWS))).astype(self.dtype), axis=0)
        self.origin = sample[len(sample) // 2].astype(np.float64)
        if self.held.weighted:
            self._check_weight()
        nodes, most, n_weighted, bad = self.run(_block.survey, _block.join_surveys, self.origin)
        if bad is not None:
            row, column, value = bad
            raise not_finite("X", value, row, f"{column} ({self._where(row)})")
        sums = _tree.total(nodes)
        if self.n_clusters > n_weighted:
            raise too_few_weighted(self.n_clusters, n_weighted)
        total_weight = float(sums[-1])
        if not isfinite(total_weight):
            raise ValueError(f"sample_weight sums to {total_weight}, which must be finite.")
        parts, largest = sums[:-1].reshape(1, 2, d), np.array([most])
        figures = _survey.summary(parts, largest, total_weight)
        if not isfinite(figures[0]):
            raise too_large("X")
        self.take_survey(*figures, total_weight)
        single = self._dtype == np.float32
        self.known = Survey(self.n_clusters, self.origin, *figures, total_weight, single)

    def _check_weight(self) -> None:
        bad = self.run(_block.bad_weight, _block.first_of)
        if bad is not None:
            row, value = bad
            raise invalid_weight(value, f"{row} ({self._where(row)})")

    def _where(self, row: int) -> str:
        """Name the caller's block that holds a row."""
        block = int(np.searchsorted(self.held.bounds, row, side="right")) - 1
        return f"row {row - self.held.bounds[block]} of block {block}"

    def sums_are_exact(self, inertia: float) -> bool:
        """Say yes: they are taken afresh in every pass."""
        return True

    def n_slices(self) -> int:
        return 1

    def blocks(self, work_per_row: float | None = None) -> list[tuple[int, Any]]:
        """One visit makes a whole pass."""
        return [(0, None)]

    def small_block(self) -> None:
        return None

    def engine(self) -> Any:
        """Return what makes passes in the current dtype."""
        single = self._dtype == np.float32
        if single not in self.passes:
            self.passes[single] = Passes(self, single)
        return self.passes[single]

    def relocate(self, problem: Any, engine: Passes, centroids: Floats) -> int:
        """Give each empty cluster the sample farthest from its centroid, with its copies: see `_own.relocate`."""
        assert engine.last is not None
        d = self.samples.n_features
        empty = np.flatnonzero(engine.totals[:, d + 1] == 0.0)
        join = partial(_block.join_farthest, count=len(empty))
        far = self.run(_block.farthest, join, engine.last, len(empty))
        for (_, _, values, copies), label in zip(far, empty, strict=False):
            x = np.frombuffer(values, self.dtype).astype(np.float64) - self.origin
            for _, old, weight in sorted(copies):
                change = np.append(weight * x, (weight, weight > 0.0))
                engine.totals[old] -= change
                engine.totals[label] += change
            rows = np.array(sorted(row for row, _, _ in copies))
            engine.moved += ((rows, int(label)),)
            engine.n_changed += len(rows)
        return len(far)

    def inertia(self, problem: Any, centroids: Floats) -> float:
        """Sum w |x - c|^2 by direct differences."""
        nodes = self.run(_block.inertia, _tree.merge, self.engine().last, centroids)
        return float(_tree.total(nodes)[0])

    def counts(self, problem: Any) -> NDArray[np.int64]:
        """Count the samples of each cluster, those of weight 0 among them."""
        engine = self.engine()
        counted: NDArray[np.int64] = engine.totals[:, self.samples.n_features + 1].astype(np.int64)
        if counted.sum() < self.samples.n_samples:
            counted = self.run(_block.counts, _block.join_sums, engine.last)
        return counted


class Passes:
    """The contract of `_lloyd.Lloyd`: a visit makes a pass over all blocks, and Lloyd's `finish` does the rest here."""

    def __init__(self, problem: Spread, single: bool) -> None:
        self.problem, self.single = problem, single
        self.inner = Problem.engine(problem)
        self.totals = problem.sums[single][0]  # sums about the origin, weight and count by cluster
        self.n_changed = 0
        self.last: Pass | None = None
        self.moved: tuple[tuple[NDArray[np.int64], int], ...] = ()
        self.rounding = problem.rounding

    def reset(self) -> None:
        """Begin a new run: no sample has a label."""
        self.last, self.moved = None, ()

    def begin(self, centroids: Floats, all_new: bool) -> None:
        """Take the centroids; sums stay until the pass brings new ones."""
        kept = self.totals.copy()
        self.inner.begin(centroids, True)
        self.totals[:] = kept
        self.centroids = centroids.copy()

    def visit(self, block: Any, start: int, assign: bool = True) -> None:
        """Label and sum all samples; without `assign` their sums are what they were."""
        if assign:
            self.problem.serial += 1
            this = Pass(self.problem.serial, self.problem.known, self.single, self.centroids, self.moved)
            nodes, self.n_changed = self.problem.run(_block.make_pass, _block.join_passes, this, self.last)
            self.totals[:] = _tree.total(nodes)
            self.last, self.moved = this, ()

    def finish(self, new_centroids: Floats) -> None:
        """Move the centroids to the means and price the labels."""
        self.inner.rounding = self.rounding
        self.inner.finish(new_centroids)
        self.n_empty, self.inertia = self.inner.n_empty, self.inner.inertia
        self.centroid_shift = self.inner.centroid_shift

    def count_distances(self) -> int:
        """Blocks do not report them: a pass made again would count twice."""
        return 0
