"""Who looks on while a fit runs: a callback, a time limit, a progress bar, joined into the loop's one `Watch`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._iterate import Watch
from ._problem import Floats, Problem


@dataclass(frozen=True, eq=False)
class FitState:
    """What a callback sees after an iteration."""

    restart: int
    n_init: int
    iteration: int
    max_iter: int
    inertia: float
    n_changed: int
    n_samples: int
    centroid_shift: float
    elapsed: float
    centroids: NDArray[np.float64]
    shift_limit: float = 0.0  # the centroid_shift at which tol ends the restart
    n_distances: int = 0  # computed since the restart began, or since it went on in float64, or was resumed
    n_bytes: int = 0  # of X, which an iteration reads


Callback = Callable[[FitState], Any]


def make_watch(
    problem: Problem,
    restart: int,
    n_init: int,
    max_iter: int,
    tol: float,
    began: float,
    callback: Callback | None,
    max_time: float | None,
) -> Watch | None:
    """Join callback and time limit into one function that names the reason to stop, or ""; None if nobody looks."""
    if callback is None and max_time is None:
        return None
    samples, limit = problem.samples, (tol * problem.variance) ** 0.5
    n_bytes = samples.n_samples * samples.n_features * samples.source.dtype.itemsize

    def watch(iteration: int, inertia: float, changed: int, shift: float, centroids: Floats) -> str:
        elapsed = perf_counter() - began
        if callback is not None:
            state = FitState(
                restart,
                n_init,
                iteration,
                max_iter,
                inertia,
                changed,
                samples.n_samples,
                shift**0.5,
                elapsed,
                centroids.copy(),
                limit,
                problem.engine().count_distances(),
                n_bytes,
            )
            if callback(state):
                return "callback"
        return "max_time" if max_time is not None and elapsed >= max_time else ""

    return watch
