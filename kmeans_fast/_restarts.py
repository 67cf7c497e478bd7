"""Restarts: how many; one after the other, or side by side where one alone cannot keep the threads busy."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._iterate import STOPPED, Run
from ._log import log
from ._problem import Problem
from ._result import Restart
from ._validate import check_int

if TYPE_CHECKING:
    from ._resume import Keeper

MANY_RESTARTS = 10  # where a start is as good as chance makes it
GOOD_STARTS = ("k-means++", "k-means||", "afk-mc2", "two-level")
WORTH_A_THREAD = 2e5  # multiply-adds of a pass: below, handing restarts to a thread costs as much as making them
PASSES = 10  # of a restart, at a guess

Start = Callable[[], Any]  # centroids, or where to go on (_resume.py)
Fit = Callable[[Problem, Any, int], Run]


class Best:
    """Restarts in order, and the labels of the one with the lowest inertia, the first of equals."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.at = 0
        self.labels: NDArray[np.int32] | None = None

    def add(self, problem: Problem, run: Run, last: bool) -> None:
        """Add the next one, which left its labels in `problem`; they need not be copied if it is the last."""
        self.runs.append(run)
        if self.labels is None or run.inertia < self.runs[self.at].inertia:
            if last:
                self.labels = problem.labels
            else:
                self.copy_labels(problem)
            self.at = len(self.runs) - 1

    def copy_labels(self, problem: Problem) -> None:
        """Take the labels in `problem` for those of the best one."""
        if self.labels is None:
            self.labels = problem.memory.empty(len(problem.labels), np.int32)
        problem.memory.copy(self.labels, problem.labels)

    def found(self, dtype: np.dtype[Any]) -> dict[str, Any]:
        """Return what results say of the best one and of all; `dtype` is that of centroids that may be rounded."""
        run = self.runs[self.at]
        exact = run.centroids.astype(dtype, copy=False)
        return {
            "centroids": exact if run.rounded or (exact == run.centroids).all() else run.centroids,
            "inertia": run.inertia,
            "n_iter": run.n_iter,
            "converged": run.converged,
            "stop_reason": run.stop_reason,
            "counts": run.counts,
            "inertia_history": np.array(run.inertia_history),
            "restarts": tuple(
                Restart(r.inertia, r.n_iter, r.converged, r.stop_reason, r.n_tried, r.n_accepted) for r in self.runs
            ),
            "best_restart": self.at,
        }


def one_by_one(problem: Problem, restarts: Sequence[int], start: Start, fit: Fit, keep: Keeper | None = None) -> Best:
    """Run restarts until one is stopped; with `keep` those that are left."""
    best = Best()
    if keep is not None:
        best, start = keep.best, keep.start(start)
        restarts = restarts[len(best.runs) :]
    for restart in restarts:
        log.info("restart %d begins", restart + 1)
        run = fit(problem, start(), restart)
        log.info("restart %d ends: %s, iteration %d, inertia %g", restart + 1, run.stop_reason, run.n_iter, run.inertia)
        stopped = run.stop_reason in STOPPED
        if keep is not None and stopped:
            keep.save_pause()
        best.add(problem, run, restart == restarts[-1])
        if stopped:
            break
        if keep is not None:
            keep.ended(restart == restarts[-1])
    return best


def count_restarts(n_init: Any, init: Any, quality: str, stacklevel: int) -> int:
    """Check n_init and say how many restarts it asks for; init is a method's name, a callable or an array-like."""
    if not isinstance(n_init, str):
        n_init = check_int(n_init, "n_init", 1)
    elif n_init != "auto":
        raise ValueError(f"n_init={n_init!r} must be an int >= 1 or 'auto'.")
    count = n_restarts(n_init, init, quality)
    if n_init not in ("auto", count):
        message = f"n_init={n_init} with an array as init gives the same run each time; running it once."
        warnings.warn(message, RuntimeWarning, stacklevel)
    return count


def n_restarts(n_init: int | str, init: Any, quality: str) -> int:
    """Say how many restarts a checked n_init asks for."""
    if not isinstance(init, str) and not callable(init):
        return 1
    if not isinstance(n_init, str):
        return n_init
    return 1 if init in GOOD_STARTS or quality == "best" else MANY_RESTARTS


def n_workers(problem: Problem, n_init: int) -> int:
    """Say how many restarts should run side by side: 1 where a single one can use the threads, or is over too soon.

    Also where X is read in blocks: a pass through a file or a stream is one reader's.
    """
    work = problem.samples.n_samples * problem.work_per_row
    if n_init == 1 or problem.n_threads > 1 or work < WORTH_A_THREAD or problem.samples.is_stream:
        return 1
    return min(n_init, problem.threads_for(work * PASSES * n_init))


def side_by_side(problem: Problem, n_init: int, start: Start, fit: Fit, workers: int) -> Best | None:
    """Choose all starts, then run every `workers`-th one on a thread of its own; bits are those of `one_by_one`.

    None if one of them went on in float64: those that come after it would have begun so.
    """
    from concurrent.futures import CancelledError, ThreadPoolExecutor  # loaded when they are used

    stop = Event()
    starts = [start() for _ in range(n_init)]
    twins = [problem, *(problem.twin() for _ in range(workers - 1))]
    dtype = problem.dtype

    def share(first: int) -> Best:
        mine = range(first, n_init, workers)
        todo = iter(mine)

        def begin() -> Any:
            if stop.is_set():
                raise CancelledError
            return starts[next(todo)]

        return one_by_one(twins[first], mine, begin, fit)

    with ThreadPoolExecutor(workers - 1) as pool:
        try:
            others = [pool.submit(share, first) for first in range(1, workers)]
            shares = [share(0), *(other.result() for other in others)]
        except BaseException:  # Ctrl-C comes here, not to the threads
            stop.set()
            raise
    if any(twin.dtype != dtype for twin in twins):
        problem.dtype = dtype
        return None
    best = Best()
    best.runs = [shares[restart % workers].runs[restart // workers] for restart in range(n_init)]
    best.at = min(range(n_init), key=lambda restart: best.runs[restart].inertia)
    best.labels = shares[best.at % workers].labels
    return best
