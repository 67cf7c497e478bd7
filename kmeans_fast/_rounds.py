"""How the rounds of greedy k-means++ are played: on patches of space, on lists of improvements, or on all of X.

A kind of rounds has `closest` (squared distances by place) and `weight`, turns places into rows, begins with a first
sample, and plays on the proposals of the state (_greedy.py).
"""

from __future__ import annotations

from math import inf, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _batches, _distances, _seeding
from ._algorithm import MAX_FILTERED_FEATURES, MIN_FILTERED_FEATURES
from ._samples import even_rows

if TYPE_CHECKING:
    from ._greedy import Greedy
    from ._problem import Problem

MAX_STRETCH = 1 << 18  # samples that are put in order together

SIGNAL_WORK = 2e8  # samples that are looked at between two looks for a signal

LIST_BYTES = 12  # a sample, for lists of improvements,
LIST_SHARE = 1 / 16  # or this share of X
MAX_BATCH = 1024  # proposals of a batch; its distances to the chosen samples take no more than MAX_BETWEEN_BYTES
MAX_BETWEEN_BYTES = 1 << 25
LIST_STRETCH_BYTES = 1 << 22
MAX_SLICES = 16
MIN_FILTERED = 24  # proposals of a batch that pay for rounding samples (kmf_filter_tpl.h)
MIN_CHOSEN = 12  # with fewer, a proposal improves so many samples that all of them are priced at once
ROUNDS_OF_A_BATCH = 6  # fewer are not worth the pass
FALL_OF_A_BATCH = 0.4  # log of how far the potential may fall in a batch: further, too many proposals come to nothing


class Patches:
    """Rounds on patches of space, for few features (kmf_patches_tpl.h). Places follow their order."""

    in_order = True

    def __init__(self, state: Greedy) -> None:
        problem, make, single = state.problem, state.problem.memory.empty, state.single
        n, d, itemsize = problem.samples.n_samples, problem.samples.n_features, problem.dtype.itemsize
        self.state = state
        n_stretches = -(-n // MAX_STRETCH)
        panel = _seeding.panel_size(single)
        group = panel // 2  # panels
        size = -(-n // (n_stretches * panel * group)) * panel * group
        panels = size // panel
        tops = -(-panels // group // group) * group
        self.closest, self.order = make(n_stretches * size, problem.dtype), make(n_stretches * size, np.uint32)
        work, nobody = make(16 * size * problem.n_threads, np.uint8), np.empty(0, np.int32)
        self.batch = _batches.Patches(single, self.closest, nobody, None, work, size, d, problem.n_threads)
        box = (2 * d + 1) * itemsize
        self.batch.keep(
            make(n_stretches * size * d * itemsize, np.uint8),
            make(n_stretches * panels * box, np.uint8),
            make(n_stretches * tops * box, np.uint8),
            self.order,
            make((len(state.taken), n_stretches), np.float64),
        )
        given = None if state.by_value is None else state.by_value.astype(np.uint32)
        self.size = size
        for start, block in problem.samples.blocks(problem.dtype, min(size * problem.n_threads, n)):
            self.batch.patch(block, start, given, problem.team_for(32.0 * len(block)))
        self.weight = None
        if problem.weight is not None:
            self.weight = make(len(self.closest), np.float64)
            self.weight[:] = problem.weight[self.rows(np.minimum(np.arange(len(self.closest)), n - 1))]
            self.batch.weigh(self.weight.astype(problem.dtype))

    def rows(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the rows of X at these places."""
        return self.order[places].astype(np.intp) + places // self.size * self.size

    def settle(self) -> None:
        """Distances are always up to date."""

    def begin(self, place: NDArray[np.intp]) -> None:
        """Choose the first."""
        self.batch.propose(self.state.points(1))
        self.batch.choose(0)

    def play(self) -> None:
        """Play rounds with all proposals, or as many as leave room for signals."""
        state = self.state
        count = min(len(state.places), max(state.q, int(SIGNAL_WORK * state.m / len(self.closest))))
        self.batch.propose(state.points(count))
        work = 40.0 * len(self.closest) * state.q / state.m
        state.play(self.batch, count, state.problem.team_for(work))


class Lists:
    """Rounds on lists of what proposals improve (kmf_propose_tpl.h) if these are short enough, or else on all of X."""

    in_order = False

    def __init__(self, state: Greedy) -> None:
        problem, make, single = state.problem, state.problem.memory.empty, state.single
        n, d, k = problem.samples.n_samples, problem.samples.n_features, problem.n_clusters
        dtype, itemsize = problem.dtype, problem.dtype.itemsize
        self.state, self.weight = state, problem.weight
        self.closest, self.nearest = make(n, dtype), make(n, np.int32)
        self.closest.fill(inf)
        self.whole = Whole(self)
        self.centroids, self.n_known = make((k, d), dtype), 0
        n_stretches = -(-n * d * itemsize // (MAX_SLICES * LIST_STRETCH_BYTES)) * MAX_SLICES
        self.size = min(-(-n // (n_stretches * problem.chunk)) * problem.chunk, 1 << 16)
        n_slices = min(MAX_SLICES, -(-n // self.size))
        entry = itemsize + 4
        room = max(LIST_BYTES * n, LIST_SHARE * n * d * itemsize, 3 * entry * len(state.taken) * min(n, problem.chunk))
        n_blocks = int(room) // (entry * _batches.ENTRIES) + n_slices
        n_blocks = n_blocks // n_slices * n_slices
        self.capacity, self.waste = n_blocks * _batches.ENTRIES, n_slices * _batches.ENTRIES / 2
        most = min(MAX_BATCH, MAX_BETWEEN_BYTES // (k * itemsize), len(state.taken) * (k + 5))
        stride = self.max_batch = max(1, most // 32) * 32
        self.between, self.least, self.quarter = make(k * stride, dtype), make(k, dtype), make(k, dtype)
        self.packed = make(_distances.packed_bytes(single, stride, d), np.uint8)
        self.shift = problem.origin.astype(dtype)
        filtered = single and MIN_FILTERED_FEATURES <= d <= MAX_FILTERED_FEATURES
        filter_bytes = _distances.filter_bytes(single, stride, d)[0] if filtered else 0
        self.filter = make(filter_bytes, np.uint8) if filter_bytes else None
        self.work = make(_distances.work_bytes(single, stride, d) * problem.n_threads, np.uint8)
        work = make(_batches.work_bytes(single, self.size, k, stride, d) * problem.n_threads, np.uint8)
        self.batch = _batches.Lists(
            single, self.closest, self.nearest, problem.weight, work, self.size, d, problem.n_threads
        )
        self.batch.keep(
            make(self.capacity * itemsize, np.uint8),
            make(self.capacity, np.uint32),
            make(n_blocks, np.int32),
            make((n_slices, 3, stride), np.int32),
            make(n_slices, np.intp),
            make((n_slices, stride), np.float64),
            make((len(state.taken), n_slices), np.float64),
        )
        self.density = 1.0  # length of a list over n / m
        self.left = 0.0  # what a round leaves of the potential; 0: not known

    def rows(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the rows of X at these places."""
        return places

    def settle(self) -> None:
        """Bring the distances up to date."""
        self.whole.settle()

    def begin(self, place: NDArray[np.intp]) -> None:
        """Choose the first."""
        self.whole.late = place

    def play(self) -> None:
        """Play rounds with as many proposals as their lists have room for, or one round on all of X."""
        state, problem, n = self.state, self.state.problem, self.state.problem.samples.n_samples
        few = 2 * state.q
        greedy = state.wanted[state.m : state.m + 2].max() > 1  # a round of one may be the first of a batch
        room = inf if state.by_value is not None else 0.75 * self.capacity / (n * self.density / state.m + self.waste)
        left = min(self.left or 1.0 - 0.5 / state.m, 0.999)
        useful = state.q * max(ROUNDS_OF_A_BATCH, -FALL_OF_A_BATCH / log(left))
        if n < 1 << 32 and greedy and room >= ROUNDS_OF_A_BATCH * state.q:
            left_to_draw = 4 + 1.25 * state.wanted[state.m :].sum()  # some come to nothing
            count = int(min(room, useful, left_to_draw, self.max_batch))
            if 2 * len(state.places) < count:  # a draw costs less than a pass
                state.draw(count)
            count = min(count, len(state.places))
            self.settle()
            while count >= min(few, len(state.places)):
                if self._find(count):
                    used = self.batch.n_used
                    self.density = max(0.2, (used / count - self.waste) * state.m / n)
                    self.left = state.play(self.batch, count, problem.team_for(4.0 * used * state.q / count))
                    return
                self.density *= 2
                count //= 2
        self.whole.play()

    def _find(self, count: int) -> bool:
        """List what the first `count` proposals improve; False if there was no room for that."""
        state, problem = self.state, self.state.problem
        n, d = problem.samples.n_samples, problem.samples.n_features
        known = state.chosen[self.n_known : state.m]
        self.centroids[self.n_known : state.m] = problem.samples.take(known, state.dtype)
        self.n_known = state.m
        points = state.points(count, -(-count // 32) * 32)
        between = self.between[: state.m * len(points)].reshape(state.m, -1)
        _batches.quarter_squares(
            self.centroids[: state.m], points, count, between, self.least, self.quarter, self.work,
            problem.team_for(float(between.size * d)),
        )  # fmt: skip
        exact = points[:count].astype(np.float64)
        _distances.pack(exact, self.shift, self.packed)
        largest = float(((exact - self.shift) ** 2).sum(axis=1).max() ** 0.5) * (1 + 1e-6)
        filter = self.filter if count >= MIN_FILTERED and state.m >= MIN_CHOSEN else None
        if filter is not None and not _batches.filter_pack(exact, self.shift, filter, largest):
            filter = None
        self.batch.begin(points, count, self.packed, filter, self.shift, between, self.least, self.quarter, largest)
        threads, rows = problem.team_for(float(n) * count * d / 2), problem.block_rows(float(count * d))
        blocks = problem.samples.blocks(state.dtype, even_rows(rows, self.size, threads))
        return all(self.batch.find(block, start, threads) for start, block in blocks)


class Reading:
    """Passes over all of X that lower the distances by those to samples chosen late, and price candidates."""

    def __init__(self, problem: Problem, q: int) -> None:
        make, n, d = problem.memory.empty, problem.samples.n_samples, problem.samples.n_features
        single = problem.dtype == np.float32
        self.problem = problem
        self.potential = make((-(-n // problem.chunk), q), np.float64)  # what each candidate would leave, by chunks
        self.work = make(_distances.work_bytes(single, q, d) * problem.n_threads, np.uint8)
        self.n_threads = problem.team_for(2.0 * n * d * q)

    def read(
        self,
        candidates: NDArray[Any],
        late: NDArray[Any],
        label: int,
        closest: NDArray[Any],
        nearest: NDArray[np.int32] | None,
    ) -> None:
        """Read X once; `nearest` is kept where it is wanted, the first one late is called `label`."""
        problem = self.problem
        for start, block in problem.blocks(float(candidates.size + problem.samples.n_features)):
            _seeding.seed_round(
                block, start, late, label, candidates, closest, nearest, problem.weight, self.potential, self.work,
                problem.chunk, self.n_threads,
            )  # fmt: skip


class Whole:
    """Rounds that read all of X: the first ones, whose candidates improve nearly every sample.

    Samples that were chosen lower the distances when X is read for the next round, or at `settle`. A single candidate
    wins without being priced, so rounds of one read nothing.
    """

    def __init__(self, lists: Lists) -> None:
        self.lists, self.state = lists, lists.state
        self.reading = Reading(self.state.problem, len(self.state.taken))
        self.late = np.empty(0, np.intp)

    def play(self) -> None:
        """Play one round."""
        state = self.state
        q, m = state.q, state.m
        candidates, best = state.points(q), 0
        if q > 1:
            self._read(candidates)
            totals = self.reading.potential[:, :q].sum(axis=0)
            best = int(totals.argmin())
            state.total = float(totals[best])
        state.chosen[m], state.m = state.places[best], m + 1
        self.late = np.append(self.late, state.places[best])
        state.places, state.bar, state.now = state.places[q:], state.bar[q:], state.now[q:]
        apart = state.points(len(state.places)) - candidates[best]
        np.minimum(state.now, np.einsum("jf,jf->j", apart, apart), out=state.now)

    def settle(self) -> None:
        """Lower the distances by those to the samples chosen since they were."""
        if len(self.late):
            self._read(np.empty((0, self.state.problem.samples.n_features), self.state.dtype))

    def _read(self, candidates: NDArray[Any]) -> None:
        lists, problem = self.lists, self.state.problem
        late, self.late = problem.samples.take(self.late, problem.dtype), self.late[:0]
        self.reading.read(candidates, late, self.state.m - len(late), lists.closest, lists.nearest)
