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
    """What a callback sees after an iteration.

    Attributes
    ----------
    restart, n_init : int
        The restart, counted from 0, and how many there are.
    iteration, max_iter : int
        The iteration, counted from 1, and how many there may be.
    inertia : float
        Weighted sum of squared distances, of the labels of this iteration to the centroids that made them.
    n_changed, n_samples : int
        Samples that changed their label, and all.
    centroid_shift, shift_limit : float
        Root of the summed squared shift of the centroids, in units of X, and the one at which `tol` ends the restart.
    elapsed : float
        Seconds since the fit began.
    centroids : float64 array of shape (n_clusters, n_features)
        After the iteration; a copy.
    n_distances : int
        Computed since the restart began, or since it went on in float64, or was resumed.
    n_bytes : int
        Bytes of X, which an iteration reads.
    """

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
    shift_limit: float = 0.0
    n_distances: int = 0
    n_bytes: int = 0


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
