"""Lloyd's loop from one start: assign, update, until the labels stay.

The loop knows no algorithm: an engine with begin, visit and finish makes the passes (src/_lloyd.pyx).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ._problem import SHARE_AT_START, Engine, Floats, Problem
from ._samples import FLOAT32

MOVED_MUCH = 1 / 3  # past this share of changed labels it is cheaper to sum every sample afresh
STALLED = 3  # iterations without a lower inertia: rounding goes round in circles
STILL = 1e-24  # squared shift over the mean square of X that is rounding, not movement
WELL_CONDITIONED = 1e-4  # inertia over total squares above which the expanded form has 9 digits or more

CONVERGED = ("labels unchanged", "tol", "no decrease")  # reasons to stop by itself
STOPPED = ("callback", "max_time")  # reasons that end all restarts

Watch = Callable[[int, float, int, float, Floats], str]
"""Called after each iteration with (iteration, inertia, n_changed, squared shift, centroids); a reason ends the run."""


@dataclass
class Halt:
    """Where a loop stands between two passes: what the next one needs to have the same bits as without a halt."""

    centroids: Floats
    labelled_by: Floats  # the centroids of the last pass, of which the labels are
    sums: Floats | None  # of the slices, in which samples come and go; None: the next pass sums them afresh
    inertia_history: list[float]
    lowest: float
    stalled: int
    n_distances: int
    rounding: bool
    laps: int


class Keep(Protocol):
    """Who saves halts (_resume.py)."""

    def due(self) -> bool:
        """Say whether it is time to save."""

    def halted(self, halt: Halt) -> None:
        """Save."""


@dataclass
class Run:
    """Where one start led; its labels are in problem.labels."""

    centroids: Floats
    stop_reason: str = ""
    settled: bool = False  # the last pass was against these very centroids
    rounded: bool = False  # they are known to be float32 numbers
    rounding: bool | None = None  # whether the loop rounds means to float32; None: as the problem supposes
    laps: int = 0  # times that the loop went on because the last pass moved a label
    inertia: float = np.inf
    n_distances: int = 0
    n_tried: int = 0  # swaps (_improve.py)
    n_accepted: int = 0
    inertia_history: list[float] = field(default_factory=list)
    counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    labelled_by: Floats | None = None  # the centroids of the loop's last pass; None where some labels are not by them
    halt: Halt | None = None  # where to go on

    @property
    def converged(self) -> bool:
        """Whether it ended by itself."""
        return self.stop_reason in CONVERGED

    @property
    def n_iter(self) -> int:
        """Iterations made."""
        return len(self.inertia_history)


def lloyd(
    problem: Problem, start: Floats | Halt, max_iter: int, tol: float, watch: Watch | None, keep: Keep | None = None
) -> Run:
    """Run Lloyd's algorithm, price the result, and leave labels that are those of `predict`."""
    if isinstance(start, Halt):
        run = Run(start.centroids, n_distances=start.n_distances, inertia_history=start.inertia_history, halt=start)
        run.rounding, run.laps = start.rounding, start.laps
    else:
        run = Run(start)
        problem.refine(start, SHARE_AT_START)
    while True:
        loop(problem, run, max_iter, tol * problem.variance, watch, keep)
        unsummed = problem.refine(run.centroids)  # float32 has said all that it can
        if unsummed and run.n_iter < max_iter and run.stop_reason not in STOPPED:
            continue
        if not _finish(problem, run, unsummed) or run.stop_reason != "labels unchanged":
            return run
        if run.n_iter >= max_iter or run.laps >= STALLED:
            run.stop_reason = "max_iter" if run.n_iter >= max_iter else "no decrease"
            return run
        run.laps += 1


def loop(
    problem: Problem, run: Run, max_iter: int, limit: float, watch: Watch | None, keep: Keep | None = None
) -> None:
    """Iterate until nothing changes, or a limit or `watch` ends it; labels are those before the last update."""
    engine, history = problem.engine(), run.inertia_history
    watched = watch is not None or keep is not None
    small = problem.small_block() if not watched and problem.algorithm != "boxes" else None
    centroids, new = run.centroids, np.empty_like(run.centroids)
    lowest, stalled, fresh, reason = np.inf, 0, True, ""
    engine.rounding = problem.rounding if run.rounding is None else run.rounding
    if run.halt is None:
        engine.reset()
    else:
        lowest, stalled, fresh = run.halt.lowest, run.halt.stalled, run.halt.sums is None
        _go_on(problem, run.halt)
        run.halt = None
    while not reason:
        if problem.boxes_pay(len(history)):
            problem.use_boxes(engine)
        if small is not None and fresh:
            n_iter = engine.iterate(small, centroids, new, max_iter - len(history), limit, history)
            fresh = n_iter == 1
            lowest = min(history[-n_iter:-1], default=lowest)
            if n_iter % 2 == 0:
                centroids, new = new, centroids
        else:
            make_pass(problem, engine, centroids, fresh)
            engine.finish(new)
            history.append(engine.inertia)
        relocated = engine.n_empty and problem.own.relocate(problem, engine, centroids)
        if relocated:
            engine.finish(new)
        stalled = stalled + 1 if history[-1] >= lowest and problem.resolves(history[-1]) else 0
        lowest = min(lowest, history[-1])
        changed, shift = engine.n_changed, engine.centroid_shift
        much = changed > MOVED_MUCH * problem.samples.n_samples
        if changed == 0:
            reason = "labels unchanged"
        elif shift <= limit:
            reason = "tol"
        elif stalled >= STALLED:
            reason = "no decrease"
        elif len(history) >= max_iter:
            reason = "max_iter"
        stop = "" if watch is None else watch(len(history), history[-1], changed, shift, new)
        # The labels of relocated samples are not those of a pass: such a halt waits for the next iteration.
        if keep is not None and not reason and not relocated and (stop or keep.due()):
            sums = None if much else problem.sums[problem.single]
            n_distances = run.n_distances + engine.count_distances()
            keep.halted(Halt(new, centroids, sums, history, lowest, stalled, n_distances, engine.rounding, run.laps))
        reason = stop or reason
        if reason and not fresh and not problem.sums_are_exact(history[-1]):
            # Samples that came and went left rounding behind: take the means afresh.
            make_pass(problem, engine, centroids, True, assign=False)
            engine.finish(new)
            still = STILL * problem.total_squares
            if reason == "labels unchanged" and engine.centroid_shift > still and run.n_iter < max_iter:
                reason = ""
        fresh = much
        centroids, new = new, centroids
    run.centroids, run.stop_reason = centroids, reason
    run.labelled_by = None if relocated else new
    run.settled = changed == 0 and engine.centroid_shift == 0.0


def _go_on(problem: Problem, halt: Halt) -> None:
    """Give samples the labels, and slices the sums, that they had when the loop was halted; bounds are made anew."""
    label(problem, halt.labelled_by)
    if halt.sums is not None:
        problem.sums[problem.single][:] = halt.sums


def label(problem: Problem, centroids: Floats) -> None:
    """Label every sample anew."""
    engine = problem.engine()
    engine.reset()
    make_pass(problem, engine, centroids, True)
    engine.finish(np.empty_like(centroids))


def make_pass(problem: Problem, engine: Engine, centroids: Floats, fresh: bool, assign: bool = True) -> None:
    """Label every sample, or leave the labels, and sum them."""
    engine.begin(centroids, fresh)
    for start, block in problem.blocks():
        engine.visit(block, start, assign)


def priced(problem: Problem, expanded: float, centroids: Floats) -> float:
    """Return the inertia that a pass against these centroids found, by direct differences where it has lost digits."""
    if expanded >= WELL_CONDITIONED * problem.total_squares:
        return expanded
    exact: float = problem.own.inertia(problem, centroids)
    return exact


def _finish(problem: Problem, run: Run, unsummed: bool) -> bool:
    """One last pass against the centroids as they are returned, so that labels, counts and inertia agree.

    Say whether it moved a label: where centroids are rounded otherwise than in the loop, or summed afresh, it may.
    """
    engine = problem.engine()
    run.settled = run.settled and not unsummed
    if problem.samples.result_dtype == FLOAT32:
        lowest = run.inertia_history[-1]
        harmless = problem.rounding_is_harmless(lowest, problem.most_squares)
        if not (harmless and engine.rounding):  # nearly always it is: else look closer
            weights = problem.totals[:, problem.samples.n_features]
            squares = float(weights @ np.einsum("jf,jf->j", run.centroids, run.centroids))
            harmless = problem.rounding_is_harmless(lowest, squares)
        run.rounding = harmless
        run.rounded = harmless and not (engine.rounding and engine.n_empty)  # an empty cluster keeps its centroid
        if harmless != engine.rounding:
            if harmless:
                run.centroids = run.centroids.astype(np.float32).astype(np.float64)
            else:
                engine.rounding = unsummed = False
                make_pass(problem, engine, run.centroids, True, assign=False)
                engine.finish(run.centroids)
            run.settled = False
            unsummed |= problem.refine(run.centroids)
    moved = False
    if not run.settled:
        engine = problem.engine()
        make_pass(problem, engine, run.centroids, unsummed)
        engine.finish(np.empty_like(run.centroids))
        moved = engine.n_changed > 0
    run.n_distances += engine.count_distances()
    run.inertia = priced(problem, engine.inertia, run.centroids)
    run.counts = problem.own.counts(problem)
    return moved
