"""The driver: arguments in, starts, restarts of the loop of `kmeans()` (`_iterate.py`) over an engine's blocks."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._iterate import Halt, Run, lloyd
from .._problem import Floats
from .._random import as_generator
from .._restarts import count_restarts, one_by_one
from .._result import Restart
from .._resume import Keeper
from .._seed import as_start, check_method, seed
from .._validate import check_int, check_n_clusters, check_run
from .._watch import Callback, make_watch
from . import _block, _start, _tree
from ._block import Pass
from ._engine import Engine, EngineLost
from ._spread import Spread


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit found; labels are those of `kmeans_fast.predict(block, centroids)`.

    Attributes
    ----------
    centroids : float32 or float64 array of shape (n_clusters, n_features)
        As those of `KMeansResult`.
    inertia, n_iter, converged, stop_reason, counts, inertia_history, restarts, best_restart
        As those of `KMeansResult`.
    """

    centroids: NDArray[Any]
    inertia: float
    n_iter: int
    converged: bool
    stop_reason: str
    counts: NDArray[np.int64]
    inertia_history: Floats
    restarts: tuple[Restart, ...]
    best_restart: int


def fit(
    engine: Engine,
    X: Any,
    n_clusters: int,
    *,
    init: Any = "k-means||",
    n_init: int | str = "auto",
    max_iter: int = 300,
    tol: float = 1e-4,
    sample_weight: Any = None,
    random_state: Any = None,
    callback: Callback | None = None,
    max_time: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 30.0,
) -> Fit:
    """Cluster what an engine can hold; arguments as those of `kmeans`, and `init` as that of `kmeans_fast.dask.KMeans`.

    A checkpoint is written by this process, and serves with any engine. The same arguments give the same bits with any
    engine, any number of its workers and any cut of X into blocks.

    Raises
    ------
    ValueError
        For a value out of range; a NaN is named with its block and row.
    EngineLost
        If the engine is gone; the message says where the last checkpoint is.
    """
    began = perf_counter()
    n_clusters = check_int(n_clusters, "n_clusters", 1)
    max_iter, tol, max_time, checkpoint_every = check_run(max_iter, tol, max_time, callback, checkpoint_every)
    check_method(init, _start.METHODS)
    n_init = count_restarts(n_init, init, "standard", stacklevel=4)
    rng = as_generator(random_state)
    blocks = engine.persist(X, sample_weight, lambda d: _block.grain_rows(d, n_clusters))
    problem = Spread(engine, blocks, check_n_clusters(n_clusters, blocks.bounds[-1]), X)
    if not isinstance(init, str) and not callable(init):
        init = as_start(init, problem)
    keep = None
    if checkpoint is not None:
        about = {"init": init, "n_init": n_init, "max_iter": max_iter, "tol": tol, "random_state": random_state}
        keep = Keeper(checkpoint, checkpoint_every, problem, rng, {"engine": "distributed", **about})

    def start() -> Floats:
        return _begin(problem, init, rng)

    def one(problem: Any, begin: Floats | Halt, restart: int) -> Run:
        watch = make_watch(problem, restart, n_init, max_iter, tol, began, callback, max_time)
        return lloyd(problem, begin, max_iter, tol, watch, keep)

    try:
        best = one_by_one(problem, range(n_init), start, one, keep)
    except EngineLost as error:
        if keep is None:
            raise
        path = keep.checkpoint.path
        where = f"the last checkpoint is {path}" if path.exists() else "it has saved no checkpoint yet"
        raise EngineLost(f"{error}; {where}") from error
    return Fit(**best.found(problem.samples.result_dtype))


def price(engine: Engine, X: Any, sample_weight: Any, centroids: Floats) -> float:
    """Return the weighted sum of squared distances to the nearest of the given centroids; X and errors as in `fit`."""
    k = len(centroids)
    blocks = engine.persist(X, sample_weight, lambda d: _block.grain_rows(d, k))
    problem = Spread(engine, blocks, 1, X)
    problem.known = replace(problem.known, n_clusters=k)
    problem.refine(centroids)
    this = Pass(0, problem.known, problem.dtype == np.float32, centroids)
    return float(_tree.total(problem.run(_block.inertia, _tree.merge, this, centroids))[0])


def _begin(problem: Spread, init: Any, rng: np.random.Generator) -> Floats:
    """Return starting centroids."""
    if not isinstance(init, str):
        return seed(problem, init, rng)
    method = _start.kmeans_parallel if init == "k-means||" else _start.random_samples
    return np.ascontiguousarray(method(problem.run, problem.known, int(rng.integers(2**63))), np.float64)
