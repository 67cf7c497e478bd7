"""A block of samples and what is asked of it during a fit: survey, pass, farthest samples, inertia, counts.

Every answer is a function of the block and of the arguments alone. What a block remembers between passes, its labels
and bounds, saves time: where it is lost, with its worker or on a disk, it is computed again from the centroids before.
Sums are taken afresh in every pass, grain by grain (`_tree.py`), so that they do not depend on the past.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _own, _survey
from .._problem import Floats, Problem
from .._samples import BLOCK_BYTES, BLOCK_WORK, Samples, Source
from . import _tree

# A grain is summed on its own: longer ones have fewer sums to add, shorter ones move less when blocks are cut.
MIN_GRAIN, GRAIN_PER_CLUSTER = 8192, 4
MAX_GRAIN_BYTES = 1 << 26

BOUNDS_BYTES = 8  # a sample, for Hamerly's

Nodes = list[_tree.Node]
Far = tuple[float, int, bytes, list[tuple[int, int, float]]]  # -square, row, values, (row, label, weight) of all copies


def grain_rows(n_features: int, n_clusters: int) -> int:
    """Rows of a grain: a power of two, and a function of the shapes alone."""
    rows = MIN_GRAIN
    while rows < GRAIN_PER_CLUSTER * n_clusters:
        rows *= 2
    while rows > 256 and rows * n_features * 8 > MAX_GRAIN_BYTES:
        rows //= 2
    return rows


@dataclass(frozen=True)
class Survey:
    """What is known of X as a whole."""

    n_clusters: int
    origin: Floats
    total_squares: float = 0.0
    variance: float = 0.0
    most: float = 0.0
    total_weight: float = 0.0
    single: bool = False  # X fits in float32


@dataclass(frozen=True)
class Pass:
    """A pass against `centroids`: with the one before it, all that it takes to make it from nothing."""

    serial: int
    survey: Survey
    single: bool  # in float32
    centroids: Floats
    moved: tuple[tuple[NDArray[np.int64], int], ...] = ()  # rows given another label since the pass before


class Block:
    """Rows [first, first + n) of X, in whole grains, and their weights.

    The memory of a fit is in `problem`: it is not pickled, so a block that is spilled or sent comes back without.
    """

    def __init__(self, source: Source, weight: Floats | None, first: int, grain: int) -> None:
        self.source, self.weight, self.first, self.grain = source, weight, first, grain
        self._forget()

    def _forget(self) -> None:
        self.lock, self.stopped = RLock(), False
        self.fit: _Fit | None = None
        self.start: Any = None  # _start.Nearest

    def __getstate__(self) -> tuple[Any, ...]:
        return self.source, self.weight, self.first, self.grain

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.source, self.weight, self.first, self.grain = state
        self._forget()

    def __sizeof__(self) -> int:
        n, d = self.source.shape
        return n * (d * self.source.dtype.itemsize + 8 * (self.weight is not None) + 4 + BOUNDS_BYTES)

    def go_on(self) -> None:
        """Raise where nobody waits for the result any more: between two steps of a long call."""
        if self.stopped:
            raise InterruptedError

    def problem(self, survey: Survey) -> _Fit:
        """Return the memory of the fit."""
        if self.fit is None:
            self.fit = _Fit(self, survey)
        return self.fit


class _Fit(Problem):
    """A block as a problem: the whole's origin and figures, one thread, one slice, emptied after each grain."""

    def __init__(self, block: Block, survey: Survey) -> None:
        self.survey, self.serial = survey, -1
        n = block.source.shape[0]
        samples = Samples(block.source, None)
        super().__init__(samples, survey.n_clusters, block.weight, 1, "auto", BOUNDS_BYTES * n)
        self.block = block
        work = int(BLOCK_WORK / self.work_per_row)
        size = BLOCK_BYTES // (samples.n_features * 8)
        self.step = block.grain  # rows handed to the kernels at once
        while self.step > 256 and self.step > min(work, size):
            self.step //= 2
        self.scratch = np.empty((survey.n_clusters, samples.n_features))

    def _survey(self) -> None:
        s = self.survey
        self.origin = s.origin
        self.take_survey(s.total_squares, s.variance, s.most, s.total_weight)
        self.read_in(s.single)

    def read_in(self, single: bool) -> None:
        """Read X in float32, or else in float64."""
        self.dtype = np.dtype(np.float32 if single else np.float64)

    def n_slices(self) -> int:
        return 1

    def make_pass(self, centroids: Floats) -> tuple[Nodes, int]:
        """Label all samples; return sums, weights and counts by cluster, and how many labels changed."""
        engine = self.engine()
        nodes: Nodes = []
        engine.begin(centroids, True)
        sums = self.sums[self.dtype == np.float32][0]
        n, grain = self.samples.n_samples, self.block.grain
        for start, rows in self.samples.blocks(self.dtype, self.step):
            engine.visit(rows, start)
            self.block.go_on()
            stop = start + len(rows)
            if stop % grain == 0 or stop == n:
                _tree.push(nodes, (0, (self.block.first + stop - 1) // grain, sums.copy()))
                sums[:] = 0.0
        engine.finish(self.scratch)  # bounds refer to these centroids from now on
        return nodes, engine.n_changed

    def follow(self, this: Pass, before: Pass | None) -> None:
        """Make the labels those of the pass before `this`, with what was moved since."""
        self.read_in(this.single)
        if before is None:  # nothing has a label yet
            self.engine().reset()
        elif self.serial != before.serial:
            self.engine().reset()
            self.make_pass(before.centroids)
        self.serial = -1  # until a pass is complete
        first, n = self.block.first, self.samples.n_samples
        for rows, label in this.moved:
            for i in (rows - first)[(rows >= first) & (rows < first + n)]:
                self.engine().relabel(self.samples.take([i], self.dtype), int(i), label)

    def arrive(self, this: Pass) -> None:
        """Make the labels those of `this`."""
        if self.serial != this.serial:
            self.read_in(this.single)
            self.engine().reset()
            self.make_pass(this.centroids)
            self.serial = this.serial


def take(block: Block, rows: NDArray[np.int64]) -> list[tuple[int, Floats]]:
    """Return (row, values) of those rows that are here."""
    here = rows[(rows >= block.first) & (rows < block.first + block.source.shape[0])]
    values = Samples(block.source, None).take(here - block.first) if len(here) else ()
    return [(int(row), value) for row, value in zip(here, values, strict=True)]


def survey(block: Block, origin: Floats) -> tuple[Nodes, float, int, tuple[int, int, float] | None]:
    """Return sums of x, x^2 and weights by grain, the largest square, the number of weights, and the first NaN.

    x is taken about the origin, and the NaN is (row, column, value).
    """
    samples, d = Samples(block.source, None), len(origin)
    nodes: Nodes = []
    most, bad = 0.0, None
    weight, n_weighted = block.weight, samples.n_samples
    for start, rows in samples.blocks(samples.dtype, block.grain):
        stop = start + len(rows)
        parts, largest = np.zeros((1, 3, d)), np.zeros(1)
        _survey.survey(rows, start, origin, weight, parts, largest, samples.chunk(samples.dtype), 1)
        mass = float(len(rows) if weight is None else weight[start:stop].sum())
        if bad is None and not np.isfinite(parts[0, 1]).all() and not np.isfinite(rows).all():
            row, column = (int(i) for i in np.argwhere(~np.isfinite(rows))[0])
            bad = block.first + start + row, column, float(rows[row, column])
        most = max(most, float(largest[0]))
        _tree.push(nodes, (0, (block.first + start) // block.grain, np.append(parts[0, :2].ravel(), mass)))
    if weight is not None:
        n_weighted = int(np.count_nonzero(weight))
    return nodes, most, n_weighted, bad


def bad_weight(block: Block) -> tuple[int, float] | None:
    """Return the first weight that is not finite and >= 0, and its row."""
    assert block.weight is not None
    bad = np.flatnonzero(~((block.weight >= 0.0) & (block.weight < np.inf)))
    return (block.first + int(bad[0]), float(block.weight[bad[0]])) if len(bad) else None


def make_pass(block: Block, this: Pass, before: Pass | None) -> tuple[Nodes, int]:
    """Label and sum: see `_Fit.make_pass`."""
    with block.lock:
        fit = block.problem(this.survey)
        fit.follow(this, before)
        result = fit.make_pass(this.centroids)
        fit.serial = this.serial
        return result


def farthest(block: Block, this: Pass, count: int) -> list[Far]:
    """Return the `count` distinct samples farthest from the centroids that `this` gave them."""
    with block.lock:
        fit = block.problem(this.survey)
        fit.arrive(this)
        found = _own.farthest(fit, this.centroids, count, fit.engine().upper_bounds)
        weight = block.weight
        return [
            (
                square,
                block.first + row,
                values,
                [(block.first + i, int(fit.labels[i]), 1.0 if weight is None else float(weight[i])) for i in rows],
            )
            for square, row, values, rows in found
        ]


def inertia(block: Block, this: Pass, centroids: Floats) -> Nodes:
    """Sum w |x - c|^2 by direct differences, for the labels of `this`."""
    nodes: Nodes = []
    with block.lock:
        fit = block.problem(this.survey)
        fit.arrive(this)
        for start, rows in fit.samples.blocks(fit.dtype, block.grain):
            squared = _own.own_squares(fit, centroids, rows, slice(start, start + len(rows)))
            if block.weight is not None:
                squared *= block.weight[start : start + len(rows)]
            _tree.push(nodes, (0, (block.first + start) // block.grain, squared.sum(keepdims=True)))
    return nodes


def counts(block: Block, this: Pass) -> NDArray[np.int64]:
    """Count the samples of each cluster, those of weight 0 among them."""
    with block.lock:
        fit = block.problem(this.survey)
        fit.arrive(this)
        return np.bincount(fit.labels, minlength=fit.n_clusters)


def join_passes(results: list[tuple[Nodes, int]]) -> tuple[Nodes, int]:
    """Join what `make_pass` returns."""
    return _tree.merge([nodes for nodes, _ in results]), sum(changed for _, changed in results)


def join_surveys(results: list[Any]) -> Any:
    """Join what `survey` returns."""
    runs, most, n_weighted, bad = zip(*results, strict=True)
    return _tree.merge(runs), max(most), sum(n_weighted), next((one for one in bad if one is not None), None)


def join_farthest(results: list[list[Far]], count: int) -> list[Far]:
    """Join what `farthest` returns: copies of a sample may be in several blocks."""
    far: dict[bytes, Far] = {}
    for square, row, values, rows in (one for result in results for one in result):
        _, first, _, others = far.get(values, (square, row, values, []))
        far[values] = square, min(first, row), values, [*others, *rows]
    return sorted(far.values())[:count]


def join_lists(results: list[list[Any]]) -> list[Any]:
    """Concatenate."""
    return [one for result in results for one in result]


def join_sums(results: list[Any]) -> Any:
    """Add integers."""
    return sum(results)


def first_of(results: list[Any]) -> Any:
    """Return the first that is not None."""
    return next((one for one in results if one is not None), None)
