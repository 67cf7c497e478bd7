"""A fit before it starts: X surveyed, and what all restarts share."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _boxes, _distances, _lloyd, _own, _runtime, _survey
from ._algorithm import (
    BOXES_LATER,
    PASSES_BEFORE_BOXES,
    bounds_bytes,
    bounds_limit,
    choose,
    pays,
)
from ._engines import keep_boxes, make_engine
from ._log import log
from ._memory import Workspace, memory_limit
from ._samples import FLOAT32, FLOAT64, Samples, raise_not_finite

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]
Engine = _lloyd.Lloyd  # the only one so far

# Slices of the update step: each has sums of its own, added in order. More slices feed more threads.
MAX_SLICES = 64
MIN_SLICES = 8
SUMS_SHARE_OF_X = 1 / 64  # beyond MIN_SLICES the sums take no more than this share of X
MAX_MIN_SUMS_BYTES = 1 << 25  # where even MIN_SLICES take more than this, one slice serves

ORIGIN_ROWS = 15  # evenly spaced rows whose componentwise median is the origin of all sums

LABEL_BYTES = 4

SMALL_WORK = 1e6  # multiply-adds of a pass: below, 300 of them take less than a tenth of a second

EPS = 2.0**-52
ROUNDING_COST = 1e-6  # relative rise in inertia that rounding the centroids to float32 may cost
NEGLIGIBLE = 1e-10  # of the spread of a cluster

# Scores are kept in float32 while at least this share of the centroids lies further from its nearest
# other centroid than GAP times its norm: rounding then moves no border by more than 1% of a gap.
GAP = 0.005
SHARE_OF_GAPS = 0.99
SHARE_AT_START = 0.5  # random samples may lie near each other by chance; it is where they end that counts
GAP_SAMPLE = 512


class Problem:
    """X, weights, threads, and the buffers that fits of this k share."""

    own: Any = _own  # who looks at each sample and its own centroid
    labels: Labels
    totals: Floats  # a row a cluster: sums about the origin, weight, count, and two figures of the engine's own

    def __init__(
        self,
        samples: Samples,
        n_clusters: int,
        weight: Floats | None,
        n_threads: int | None,
        algorithm: str = "auto",
        max_bounds_memory: int | None = None,
    ) -> None:
        self.samples, self.n_clusters, self.weight = samples, n_clusters, weight
        n, d, itemsize = samples.n_samples, samples.n_features, samples.dtype.itemsize
        self.work_per_row = float(n_clusters * (samples.n_features + 2))
        self.max_threads = n_threads
        self.n_threads = self.threads_for(samples.n_samples * self.work_per_row)
        limit = memory_limit(samples.is_stream)
        self.memory = Workspace(n, limit)
        copied = bounds_bytes("boxes", n, d, n_clusters, itemsize)
        # Bounds may go to a scratch file, where blocks use them in order; not what takes the place of X.
        may_copy = copied + LABEL_BYTES * n <= limit
        self.algorithm = choose(algorithm, n, d, n_clusters, itemsize, max_bounds_memory, self.n_threads, may_copy)
        self._may_turn_to_boxes = algorithm == "auto" and may_copy and copied <= bounds_limit(max_bounds_memory, n)
        self._whole: list[tuple[int, NDArray[Any]]] | None  # X if it is a single chunk
        self._views: list[tuple[int, NDArray[Any]]] | None = None
        self.engines: dict[bool, Engine] = {}
        self.sums: dict[bool, Floats] = {}  # those of the slices, by engine
        self.orders: dict[bool, _boxes.Order] = {}
        self._box_threads = self.n_threads
        self.dtype = samples.dtype
        self._survey()

    def blocks(self, work_per_row: float | None = None) -> Iterable[tuple[int, NDArray[Any]]]:
        """Give (first row, block) of X in the dtype of the computation; by default in blocks for a pass."""
        if self._whole is not None:
            return self._whole
        if work_per_row is not None:
            return self.cut(self.block_rows(work_per_row))
        blocks = self._views or self.cut(self.block_rows())
        if isinstance(blocks, list):  # views serve every pass; converted blocks are made anew
            self._views = blocks
        return blocks

    def cut(self, rows: int) -> Iterable[tuple[int, NDArray[Any]]]:
        """Give (first row, block) of X in blocks of so many rows; what is mapped leaves memory after each."""
        blocks = self.samples.blocks(self._dtype, rows)
        return self.memory.dropping(blocks) if self.memory.spilled else blocks

    def small_block(self) -> NDArray[Any] | None:
        """Return X if it is native and so small that no signal need be looked for between its passes."""
        native = self.samples.native
        small = self.samples.n_samples * self.work_per_row < SMALL_WORK
        return native if small and native is not None and native.dtype == self._dtype else None

    def threads_for(self, work: float) -> int:
        """Threads for so many multiply-adds, n_threads at most: a team that is woken for little costs more."""
        return _runtime.choose_threads(self.max_threads, work)

    def team_for(self, work: float) -> int:
        """Threads for so many multiply-adds of those for whom scratch was made: no more than a pass has."""
        return min(self.n_threads, self.threads_for(work))

    def block_rows(self, work_per_row: float | None = None) -> int:
        """Rows of a block."""
        work = self.work_per_row if work_per_row is None else work_per_row
        if work_per_row is None and self.algorithm == "boxes":
            # An order belongs to its blocks, whatever the number of clusters; boxes look for signals themselves.
            return self.samples.block_rows(self.dtype, 1.0, self._box_threads)
        return self.samples.block_rows(self.dtype, work, self.n_threads)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64: what X is read in."""
        return self._dtype

    @dtype.setter
    def dtype(self, dtype: np.dtype[Any]) -> None:
        self._dtype, self.single = dtype, dtype == FLOAT32
        self.chunk = self.samples.chunk(dtype)  # rows of a task
        native, self._whole = self.samples.native, None
        if native is not None and len(native) <= self.chunk and native.dtype == dtype:
            self._whole = [(0, native)]
        self._views = None

    def _survey(self) -> None:
        """One pass: refuse NaN and infinity, find origin, variance and total squares."""
        n, d = self.samples.n_samples, self.samples.n_features
        step = -(-n // ORIGIN_ROWS)
        native = self.samples.native
        sample = self.samples.take(np.arange(0, n, step)) if native is None else native[::step].astype(np.float64)
        sample.sort(axis=0)
        self.origin = sample[len(sample) // 2]
        n_slices = min(MAX_SLICES, -(-n // self.chunk))
        parts, largest = np.zeros((n_slices, 3, d)), np.zeros(n_slices)
        threads = self.threads_for(3.0 * n * d)
        for start, block in self.blocks(float(d)):
            _survey.survey(block, start, self.origin, self.weight, parts, largest, self.chunk, threads)
        total_weight = float(n if self.weight is None else self.weight.sum())
        figures = _survey.summary(parts, largest, total_weight)
        if not isfinite(figures[0]):
            raise_not_finite(self.samples)
        self.surveyed = parts, total_weight
        self.take_survey(*figures, total_weight)

    def take_survey(self, total_squares: float, variance: float, most: float, total_weight: float) -> None:
        """Keep what a survey about `origin` found, and what follows from it."""
        self.total_squares, self.variance = total_squares, variance
        self.farthest = most**0.5  # no sample lies further from the origin
        # Centroids near the origin are rounded as they come, so that the last pass can be the one that counts.
        offset = total_weight * float(self.origin.dot(self.origin))
        self.most_squares = 2.1 * (offset + self.total_squares)  # above sum w |x|^2, and that of any means
        harmless = self.rounding_is_harmless(1e-3 * total_squares, offset)
        self.rounding = harmless and self.samples.result_dtype == FLOAT32
        # The squares of these would leave float32's range.
        if self.single and not 1e-30 < total_squares / total_weight < 1e30:
            self.dtype = FLOAT64

    @property
    def mean(self) -> Floats:
        """Weighted mean of X."""
        parts, total_weight = self.surveyed
        mean: Floats = self.origin + (parts[:, 0] / total_weight).sum(axis=0)
        return mean

    @property
    def radius(self) -> float:
        """Radius of a ball about the origin that holds X."""
        return float(np.linalg.norm(self.surveyed[0][:, 2].max(axis=0)))

    def rounding_is_harmless(self, inertia: float, squares: float) -> bool:
        """Say whether rounding centroids to float32 costs nothing that shows, given their weighted squares."""
        return squares * 2.0**-48 <= ROUNDING_COST * inertia

    def resolves(self, inertia: float) -> bool:
        """Say whether an inertia taken off the total squares still has its digits, which an outlier may have taken."""
        return 16 * EPS * self.total_squares <= 1e-9 * inertia

    def sums_are_exact(self, inertia: float) -> bool:
        """Say whether samples that left a cluster can have left only negligible rounding in its sums.

        One that is `farthest` away leaves at most an ulp of that, which must not show against the spread of a cluster.
        """
        spread = (inertia / self.samples.n_samples) ** 0.5
        return self.weight is None and EPS * self.farthest <= NEGLIGIBLE * spread

    def refine(self, centroids: Floats, share: float = SHARE_OF_GAPS) -> bool:
        """Go on in float64 if float32 does not tell these centroids apart; say whether that is new."""
        if not self.single or float32_resolves(centroids, share):
            return False
        self.dtype = FLOAT64  # from now on X is converted block by block
        log.info("float32 does not tell the centroids apart: going on in float64")
        return True

    def resume(self, dtype: str, algorithm: str) -> None:
        """Go on in this dtype, and by boxes if "auto" had turned to them."""
        if np.dtype(dtype) != self._dtype:
            self.dtype = np.dtype(dtype)
        if algorithm == "boxes" and self._may_turn_to_boxes:
            self.algorithm = "boxes"

    def engine(self) -> Engine:
        """Return the engine for the current dtype, with its buffers; made on first use."""
        if self.single not in self.engines:
            self.engines[self.single] = make_engine(self)
        return self.engines[self.single]

    def with_clusters(self, n_clusters: int) -> Problem:
        """Return the same problem for another number of clusters: another engine on the same labels."""
        other = copy(self)
        other.n_clusters = n_clusters
        other.work_per_row = float(n_clusters * (self.samples.n_features + 2))
        other.n_threads = self.threads_for(self.samples.n_samples * other.work_per_row)
        other._views, other.engines, other.sums = None, {}, {}
        return other

    def twin(self) -> Problem:
        """Return the same problem with labels and an engine of its own, for another thread."""
        other = self.with_clusters(self.n_clusters)
        vars(other).pop("labels", None)
        other.orders = {}  # it holds labels and bounds
        other.engine()
        return other

    def use_boxes(self, engine: Engine) -> None:
        """Label by boxes from the next pass on."""
        if self.algorithm != "boxes":
            log.info("going on by boxes")
        self.algorithm, self._views = "boxes", None
        keep_boxes(self, engine)

    def boxes_pay(self, n_iter: int) -> bool:
        """Say whether a run that has made so many passes should go on by boxes."""
        later = (
            self._may_turn_to_boxes and self.algorithm in ("lloyd", "grid", "codes") and n_iter >= PASSES_BEFORE_BOXES
        )
        return later and pays(BOXES_LATER, self.samples.n_samples, self.samples.n_features, self.n_clusters)

    def n_slices(self) -> int:
        n, d = self.samples.n_samples, self.samples.n_features
        slice_bytes = 8 * self.n_clusters * (d + 2)
        fitting = int(n * d * self.dtype.itemsize * SUMS_SHARE_OF_X) // slice_bytes
        floor = MIN_SLICES if MIN_SLICES * slice_bytes <= MAX_MIN_SUMS_BYTES else 1
        return min(max(fitting, floor), MAX_SLICES, -(-n // self.chunk))


def score_shift(centroids: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the origin of the scores: a function of the centroids alone, so that predict repeats a fit."""
    shift = np.empty(centroids.shape[1], dtype)
    _distances.score_shift(centroids, shift)
    return shift


def float32_resolves(centroids: Floats, share: float = SHARE_OF_GAPS) -> bool:
    """Say whether float32 scores keep the borders between these centroids apart.

    A score rounds by about eps |c|^2; what counts is that against the squared gap to the nearest other centroid. Equal
    centroids do not count: the lower index wins among them in any arithmetic.
    """
    step = -(-len(centroids) // GAP_SAMPLE)
    apart: float = _distances.share_apart(centroids, GAP, step)
    return apart >= share
