"""Lloyd's loop from one start: assign, update, until the labels stay.

The loop knows no algorithm: an engine with begin, visit and finish makes the passes (src/_lloyd.pyx).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ._problem import SHARE_AT_START, Engine, Floats, Problem

MOVED_MUCH = 1 / 3  # past this share of changed labels it is cheaper to sum every sample afresh
STALLED = 3  # iterations without a lower inertia: rounding goes round in circles
STILL = 1e-24  # squared shift over the mean square of X that is rounding, not movement
WELL_CONDITIONED = 1e-4  # inertia over total squares above which the expanded form has 9 digits or more

CONVERGED = ("labels unchanged", "tol", "no decrease")  # reasons to stop by itself
STOPPED = ("callback", "max_time")  # reasons that end all restarts

Watch = Callable[[int, float, int, float, Floats], str]
"""Called after each iteration with (iteration, inertia, n_changed, squared shift, centroids); a reason ends the run."""


@dataclass
class Run:
    """Where one start led; its labels are in problem.labels."""

    centroids: Floats
    stop_reason: str = ""
    settled: bool = False  # the last pass was against these very centroids
    rounded: bool = False  # they are known to be float32 numbers
    inertia: float = np.inf
    n_distances: int = 0
    n_tried: int = 0  # swaps (_improve.py)
    n_accepted: int = 0
    inertia_history: list[float] = field(default_factory=list)
    counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def converged(self) -> bool:
        """Whether it ended by itself."""
        return self.stop_reason in CONVERGED

    @property
    def n_iter(self) -> int:
        """Iterations made."""
        return len(self.inertia_history)


def lloyd(problem: Problem, centroids: Floats, max_iter: int, tol: float, watch: Watch | None) -> Run:
    """Run Lloyd's algorithm, price the result, and leave labels that are those of `predict`."""
    run = Run(centroids)
    problem.refine(centroids, SHARE_AT_START)
    loop(problem, run, max_iter, tol * problem.variance, watch)
    unsummed = problem.refine(run.centroids)  # float32 has said all that it can
    if unsummed and run.n_iter < max_iter and run.stop_reason not in STOPPED:
        loop(problem, run, max_iter, tol * problem.variance, watch)
        unsummed = False
    _finish(problem, run, unsummed)
    return run


def loop(problem: Problem, run: Run, max_iter: int, limit: float, watch: Watch | None) -> None:
    """Iterate until nothing changes, or a limit or `watch` ends it; labels are those before the last update."""
    engine, history = problem.engine(), run.inertia_history
    small = problem.small_block() if watch is None and problem.algorithm != "boxes" else None
    centroids, new = run.centroids, np.empty_like(run.centroids)
    lowest, stalled, fresh, reason = np.inf, 0, True, ""
    engine.reset()
    engine.rounding = problem.rounding
    while not reason:
        if problem.boxes_pay(run.n_iter):
            problem.use_boxes(engine)
        if small is not None and fresh:
            n_iter = engine.iterate(small, centroids, new, max_iter - run.n_iter, limit, history)
            fresh = n_iter == 1
            if n_iter % 2 == 0:
                centroids, new = new, centroids
        else:
            make_pass(problem, engine, centroids, fresh)
            engine.finish(new)
            history.append(engine.inertia)
        if engine.n_empty and problem.own.relocate(problem, engine, centroids):
            engine.finish(new)
        stalled = stalled + 1 if history[-1] >= lowest and problem.resolves(history[-1]) else 0
        lowest = min(lowest, history[-1])
        changed, shift = engine.n_changed, engine.centroid_shift
        if changed == 0:
            reason = "labels unchanged"
        elif shift <= limit:
            reason = "tol"
        elif stalled >= STALLED:
            reason = "no decrease"
        elif run.n_iter >= max_iter:
            reason = "max_iter"
        if watch is not None:
            reason = watch(run.n_iter, history[-1], changed, shift, new) or reason
        if reason and not fresh and not problem.sums_are_exact(history[-1]):
            # Samples that came and went left rounding behind: take the means afresh.
            make_pass(problem, engine, centroids, True, assign=False)
            engine.finish(new)
            still = STILL * problem.total_squares
            if reason == "labels unchanged" and engine.centroid_shift > still and run.n_iter < max_iter:
                reason = ""
        fresh = changed > MOVED_MUCH * problem.samples.n_samples
        centroids, new = new, centroids
    run.centroids, run.stop_reason = centroids, reason
    run.settled = changed == 0 and engine.centroid_shift == 0.0


def make_pass(problem: Problem, engine: Engine, centroids: Floats, fresh: bool, assign: bool = True) -> None:
    """Label every sample, or leave the labels, and sum them."""
    engine.begin(centroids, fresh)
    for start, block in problem.blocks():
        engine.visit(block, start, assign)


def _finish(problem: Problem, run: Run, unsummed: bool) -> None:
    """One last pass against the centroids as they are returned, so that labels, counts and inertia agree."""
    engine = problem.engine()
    run.settled = run.settled and not unsummed
    if problem.samples.result_dtype == np.float32:
        lowest = run.inertia_history[-1]
        harmless = problem.rounding_is_harmless(lowest, problem.most_squares)
        if not (harmless and engine.rounding):  # nearly always it is: else look closer
            weights = problem.totals[:, problem.samples.n_features]
            squares = float(weights @ np.einsum("jf,jf->j", run.centroids, run.centroids))
            harmless = problem.rounding_is_harmless(lowest, squares)
        run.rounded = harmless and not (engine.rounding and engine.n_empty)  # an empty cluster keeps its centroid
        if harmless and not engine.rounding:
            run.centroids, run.settled = run.centroids.astype(np.float32).astype(np.float64), False
        elif engine.rounding and not harmless:
            engine.rounding = run.settled = unsummed = False
            make_pass(problem, engine, run.centroids, True, assign=False)
            engine.finish(run.centroids)
    if not run.settled:
        unsummed |= problem.refine(run.centroids)
        engine = problem.engine()
        make_pass(problem, engine, run.centroids, unsummed)
        engine.finish(np.empty_like(run.centroids))
    run.n_distances += engine.count_distances()
    run.inertia = engine.inertia
    if run.inertia < WELL_CONDITIONED * problem.total_squares:
        run.inertia = problem.own.inertia(problem, run.centroids)
    run.counts = problem.own.counts(problem)
