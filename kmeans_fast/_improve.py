"""quality="best": swaps of centroids that take a clustering out of the local minimum that Lloyd's algorithm ended in.

Breathing k-means: add a few centroids where k-means++ would, iterate a little, take as many away whose samples others
serve nearly as well, iterate until that settles, and keep it if it is better. A swap reaches across X, which no number
of Lloyd's iterations does, and it costs some passes where a restart costs a whole fit.

Sources: B. Fritzke, "The breathing k-means algorithm", 2020; S. Lattanzi and C. Sohler, "A better k-means++ algorithm
via local search", ICML 2019, whose draws by squared distance choose what is added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from . import _distances, _removal
from ._extend import Extension
from ._iterate import STOPPED, Run, Watch, label, lloyd, loop, priced
from ._problem import Floats, Problem, score_shift

SHARE = 0.1  # of the centroids that are swapped at once, to begin with
FEWEST, FEW = 3, 5  # swaps to begin with at least; from FEW on they fall by one, else by a third
GROWN_ITERATIONS = 8  # with the added centroids: enough for them to find their places
NEIGHBOURS = 4  # of a centroid that is taken away: they serve its samples, so they stay
HORIZON = 10.0  # a descent is given up if so many steps like its last would not reach the best inertia
CYCLES = 3  # through all numbers of swaps without a gain: then the search ends
STARTS = 5  # or when it has cost as many passes as so many starts
SEEDING_PASSES = 15  # of a start beside its iterations; much, since a small fit spends most of its time there
SWAP_PASSES = 3  # of a trial beside its iterations: k-means++, the losses
GAIN = 1e-6  # relative: a lesser one is no other clustering


@dataclass
class Pause:
    """Where a search stands between two swaps: the best so far, and what it took."""

    centroids: Floats
    labelled_by: Floats | None  # the centroids that its labels are by; None where some are not
    inertia: float
    history: list[float]
    n_iter: int  # of all trials, as what follows
    n_distances: int
    end: float  # passes after which the search is over
    passes: float = 0.0
    n_tried: int = 0
    n_accepted: int = 0
    at: int = 0  # among the numbers of swaps
    misses: int = 0


class Keep(Protocol):
    """Who saves pauses (_resume.py)."""

    def paused(self, pause: Pause) -> None:
        """Save, when it is time, and remember."""


def improve(
    problem: Problem,
    first: Run | Pause,
    rng: np.random.Generator,
    max_iter: int,
    tol: float,
    watch: Watch | None,
    deadline: float | None = None,
    keep: Keep | None = None,
) -> Run:
    """Return the best that the search finds from where `first` ended or paused; its labels are in problem.labels."""
    sizes = swap_counts(problem)
    if isinstance(first, Run):
        if not sizes or first.stop_reason in STOPPED:
            return first
        end = STARTS * (first.n_iter + SEEDING_PASSES)
        so_far = first.inertia, first.inertia_history, first.n_iter, first.n_distances
        best = Pause(first.centroids, first.centroids, *so_far, end)
    else:
        best = first
        assert best.labelled_by is not None  # else it is not saved
        label(problem, best.labelled_by)
    before = problem.memory.n_bytes
    search = _Search(problem, best, rng, max_iter, tol, watch, deadline)
    while not search.stopped and best.misses < CYCLES * len(sizes) and best.passes < best.end:
        if keep is not None:
            keep.paused(best)
        if search.swap(sizes[best.at]):
            best.misses = 0
        else:
            best.at, best.misses = (best.at + 1) % len(sizes), best.misses + 1
    run = search.finish()
    problem.memory.release(before)
    return run


def swap_counts(problem: Problem) -> list[int]:
    """Return how many centroids are swapped at once, ever fewer; none where there is nothing to search for."""
    n, k, weight = problem.samples.n_samples, problem.n_clusters, problem.weight
    most = min(max(FEWEST, int(SHARE * k)), k - 1, (n if weight is None else int(np.count_nonzero(weight))) - k)
    sizes = [most] if most >= 1 else []
    while sizes and sizes[-1] > 1:
        sizes.append(sizes[-1] - 1 if sizes[-1] <= FEW else sizes[-1] * 2 // 3)
    return sizes


class _Search:
    """Trials from the best clustering so far; `best` is kept up to date."""

    def __init__(
        self,
        problem: Problem,
        best: Pause,
        rng: np.random.Generator,
        max_iter: int,
        tol: float,
        watch: Watch | None,
        deadline: float | None,
    ) -> None:
        self.problem, self.rng, self.max_iter, self.tol, self.watch = problem, rng, max_iter, tol, watch
        self.late: Callable[..., str] | None = None
        if deadline is not None:
            self.late = lambda *_: "max_time" if perf_counter() >= deadline else ""
        self.limit = tol * problem.variance
        self.best = best
        self.labels: NDArray[np.int32] = problem.memory.empty(len(problem.labels), np.int32)
        problem.memory.copy(self.labels, problem.labels)
        self.stopped = ""
        self.extension = Extension(problem)
        self.n_bytes = problem.memory.n_bytes
        self.grown = problem

    def swap(self, count: int) -> bool:
        """Try so many swaps at once; say whether they are a gain."""
        problem, best = self.problem, self.best
        problem.memory.copy(problem.labels, self.labels)
        added = self.extension.add(best.centroids, count, self.rng)
        if len(added) == 0:
            self.stopped = "every sample is a centroid"
            return False
        best.n_tried += len(added)
        grown = self._grow(np.concatenate([best.centroids, added]))
        run = Run(np.delete(grown, self._least_useful(grown, len(added)), axis=0))
        if not self.stopped:
            self._iterate(problem, run, self.max_iter, self._watch(run))
        if self.stopped:
            return False
        best.n_iter += run.n_iter
        value = priced(problem, run.inertia_history[-1], run.centroids)
        if not value < best.inertia * (1.0 - GAIN):
            return False
        best.n_accepted += len(added)
        best.centroids, best.inertia, best.history = run.centroids, value, best.history + run.inertia_history
        best.labelled_by = run.labelled_by
        problem.memory.copy(self.labels, problem.labels)
        return True

    def finish(self) -> Run:
        """Let the best settle, and say how it was found."""
        best = self.best
        if self.stopped in STOPPED:
            run = lloyd(self.problem, best.centroids, 1, self.tol, None)
            run.stop_reason = self.stopped
        else:
            run = lloyd(self.problem, best.centroids, self.max_iter, self.tol, self._counting())
        run.inertia_history = best.history + run.inertia_history
        run.n_distances += best.n_distances
        run.n_tried, run.n_accepted = best.n_tried, best.n_accepted
        return run

    def _grow(self, centroids: Floats) -> Floats:
        """Iterate a little with more centroids."""
        if self.grown.n_clusters != len(centroids):
            self.problem.memory.release(self.n_bytes)
            self.grown = self.problem.with_clusters(len(centroids))
            if self.grown.algorithm == "elkan":
                self.grown.algorithm = "hamerly"  # n_clusters bounds a sample once are enough
        run = Run(centroids)
        self._iterate(self.grown, run, min(GROWN_ITERATIONS, self.max_iter), self.late)
        self.best.passes += SWAP_PASSES
        return run.centroids

    def _iterate(self, problem: Problem, run: Run, max_iter: int, watch: Watch | None) -> None:
        loop(problem, run, max_iter, self.limit, watch)
        self.stopped = run.stop_reason if run.stop_reason in STOPPED else ""
        self.best.passes += run.n_iter * problem.n_clusters / self.problem.n_clusters
        self.best.n_distances += problem.engine().count_distances()

    def _least_useful(self, centroids: Floats, count: int) -> list[int]:
        """Choose the centroids whose removal costs least, none beside another."""
        losses = self._losses(centroids)
        free, chosen = np.ones(len(losses), bool), []
        for j in losses.argsort(kind="stable"):
            if free[j]:
                chosen.append(int(j))
                free[j] = False
                if len(chosen) == count:
                    break
                if np.count_nonzero(free) - NEIGHBOURS >= count - len(chosen):
                    squares = ((centroids - centroids[j]) ** 2).sum(axis=1)
                    squares[j] = np.inf
                    free[squares.argsort(kind="stable")[:NEIGHBOURS]] = False
        return chosen

    def _losses(self, centroids: Floats) -> Floats:
        """Sum for each centroid how much farther the second nearest one is."""
        problem, (k, d) = self.grown, centroids.shape
        single = problem.dtype == np.float32
        shift = score_shift(centroids, problem.dtype)
        packed = np.empty(_distances.packed_bytes(single, k, d), np.uint8)
        work = np.empty(_distances.work_bytes(single, k, d) * problem.n_threads, np.uint8)
        losses = np.zeros((problem.n_slices(), k))
        _distances.pack(centroids, shift, packed)
        for start, block in problem.blocks():
            _removal.removal_losses(
                block, start, shift, packed, problem.weight, losses, work, problem.chunk, problem.n_threads
            )
        self.best.n_distances += problem.samples.n_samples * k
        total: Floats = losses.sum(axis=0)
        return total

    def _counting(self) -> Watch | None:
        """Return the caller's watch, for which the iterations count on."""
        watch, done = self.watch, self.best.n_iter
        return watch and (lambda iteration, *state: watch(done + iteration, *state))

    def _watch(self, run: Run) -> Watch | None:
        """Watch a descent: for the caller, and to end it where it leads to nothing better."""
        watch, history = self._counting(), run.inertia_history
        if self.problem.small_block() is not None:
            return watch  # it is over before Python could look

        def hopeless(iteration: int, inertia: float, changed: int, shift: float, centroids: Floats) -> str:
            reason = watch(iteration, inertia, changed, shift, centroids) if watch else ""
            if not reason and iteration > 2 and history[-1] - HORIZON * (history[-2] - history[-1]) > self.best.inertia:
                reason = "hopeless"
            return reason

        return hopeless
