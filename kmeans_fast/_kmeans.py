"""The public function: arguments in, restarts run, the best one out."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _runtime
from ._algorithm import ALGORITHMS
from ._iterate import Halt, Run, lloyd
from ._problem import Floats, Problem
from ._random import as_generator
from ._restarts import Best, count_restarts, n_workers, one_by_one, side_by_side
from ._result import ClusterWarning, KMeansResult, warn_of_empty_clusters
from ._samples import as_samples
from ._seed import as_start, check_method, seed
from ._validate import as_weight, check_choice, check_int, check_n_clusters, check_run, check_threads
from ._watch import Callback, make_watch

if TYPE_CHECKING:
    from ._improve import Pause
    from ._resume import Keeper

QUALITIES = ("standard", "best")


def kmeans(
    X: Any,
    n_clusters: int,
    *,
    init: Any = "k-means++",
    n_init: int | str = "auto",
    max_iter: int = 300,
    tol: float = 1e-4,
    sample_weight: Any = None,
    random_state: Any = None,
    quality: str = "standard",
    algorithm: str = "auto",
    max_bounds_memory: int | None = None,
    n_threads: int | None = None,
    callback: Callback | None = None,
    max_time: float | None = None,
    progress: bool | str = False,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 30.0,
) -> KMeansResult:
    """Cluster samples into `n_clusters` groups by Lloyd's algorithm.

    Parameters
    ----------
    X : array-like, frame, path or source of shape (n_samples, n_features)
        Real numbers of any dtype and layout: float16 to float64, integers, big-endian, strided, Fortran, read-only or
        memory-mapped arrays, pandas and polars frames. It is not modified, and copied whole by "boxes"
        alone: what is not a contiguous float32 or float64 array is converted 4 MB at a time, in every pass.
    n_clusters : int
        Number of clusters, from 1 to n_samples.
    init : {"k-means++", "k-means||", "afk-mc2", "two-level", "random", "random-partition"}, array or callable
        The start: greedy k-means++, k-means|| (5 rounds, each of which expects 2 n_clusters candidates), AFK-MC2
        (chains of 200 proposals, which end higher), k-means++ inside sqrt(n_clusters) coarse clusters, random
        samples, means of a random partition, an array of shape (n_clusters, n_features), or ``init(X, n_clusters,
        random_state=Generator)`` that returns one.
    n_init : int or "auto", default "auto"
        Restarts, of which the one with the lowest inertia is returned. "auto" is 10 for "random", "random-partition"
        and a callable unless ``quality="best"``, else 1.
    max_iter : int, default 300
        Iterations of a restart at most; with ``quality="best"`` of each descent.
    tol : float, default 1e-4
        Stop when the summed squared shift of the centroids is <= tol times the mean variance of the features; 0 goes on
        until no label changes.
    sample_weight : array-like of shape (n_samples,), optional
        Weights >= 0. An integer weight is the same as repetition, 0 the same as absence.
    random_state : int, RandomState, Generator or None
        The same value gives the same bits, whatever the number of threads.
    quality : {"standard", "best"}, default "standard"
        "best" goes on where Lloyd's algorithm ends: it moves some centroids across X at a time, iterates, and keeps
        what is better, until nothing is for a while or it has cost as much as some 5 restarts. It ends as low as the
        best of 10 restarts or lower, in less time; ``restarts`` says how many swaps were tried and kept.
    algorithm : {"auto", "lloyd", "codes", "hamerly", "elkan", "boxes", "grid"}, default "auto"
        "lloyd" computes every distance in every iteration; "codes" (8 features at most) does so in whole numbers of 16
        bits, and again where those leave a doubt; "hamerly" leaves out the samples whose label cannot have
        changed, "elkan" most distances of the others as well, "boxes" (8 features at most) all centroids that cannot
        be the nearest in a box of samples, "grid" (3 features at most) all that cannot be the nearest in a cell of a
        grid over the centroids, with the same labels. "auto" chooses by the size of the problem, and may
        turn to boxes during a long run; the result says what ran, and how many distances it computed.
    max_bounds_memory : int, optional
        Bytes that "auto" may spend on what saves distances and grows with n_samples: bounds, codes, or the ordered
        copy of "boxes". By default 48 a sample; 0 keeps to "lloyd". Another algorithm that needs more is refused.
    n_threads : int, optional
        Threads at most. By default what OpenMP (OMP_NUM_THREADS, threadpoolctl) and the container allow; small problems
        start none.
    callback : callable, optional
        Called with a FitState after every iteration; a true return value stops the fit.
    max_time : float, optional
        Seconds after which the best result so far is returned, with ``stop_reason="max_time"``.
    progress : bool or "auto", default False
        Draw a bar on standard error (extra "progress"); "auto" where that is a terminal and tqdm is there.
    checkpoint : path, optional
        File that the fit is saved to, and goes on from where it is there already: killed at any moment and called
        again, it ends in the same bits. It stays when the fit is over, and gives its result once more in a pass; of
        another problem it is refused. Restarts run one after the other. See docs/checkpoints.md.
    checkpoint_every : float, default 30
        Seconds between two savings; the end of the fit, `max_time` and `callback` save as well.

    Returns
    -------
    KMeansResult

    Raises
    ------
    TypeError
        For an argument of a wrong kind: sparse X, text, a float n_clusters.
    ValueError
        For a value out of range: NaN or infinity in X, n_clusters > n_samples, negative weights; for a checkpoint that
        is damaged or of another problem.
    OSError
        If the checkpoint cannot be read, or its folder not be written to. A disk that is full later gives a warning.

    Notes
    -----
    Memory beyond X: 4 bytes a sample for labels, 4 more for "codes" and every two features, 8 more for "hamerly", 8
    + 4 n_clusters more for "elkan", 7 + 4 n_features (float32) or 7 + 8 n_features more for "boxes", which keeps X
    in another order, 1 to 6.5 KB (float64: 2 to 13) a cluster and 16 MB at most, 2 bytes a sample, for "grid", 4
    more with several restarts; before, during k-means++, 21 (float32) or 40 (float64), or a sixteenth of X and 8 or
    12 if that is more; 4 more during k-means||, 8 more for ``quality="best"`` and another set of bounds; and
    O(n_clusters n_features), of which sums take at most 64 times the centroids and 1/64 of X, or 8 times the
    centroids.

    Source: S. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982).

    Examples
    --------
    >>> import numpy as np
    >>> from kmeans_fast import kmeans
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> r = kmeans(X, 2, random_state=0)
    >>> sorted(r.centroids.ravel().tolist()), r.inertia
    ([0.5, 10.5], 1.0)
    """
    result = fit(
        X,
        n_clusters,
        init,
        n_init,
        max_iter,
        tol,
        sample_weight,
        random_state,
        algorithm,
        n_threads,
        callback,
        max_time,
        quality,
        max_bounds_memory,
        progress,
        checkpoint,
        checkpoint_every,
    )
    filled = int(np.count_nonzero(result.counts))
    warn_of_empty_clusters(filled, n_clusters, result.converged, result.stop_reason, ClusterWarning, stacklevel=3)
    return result


def fit(
    X: Any,
    n_clusters: int,
    init: Any,
    n_init: int | str,
    max_iter: int,
    tol: float,
    sample_weight: Any,
    random_state: Any,
    algorithm: str,
    n_threads: int | None,
    callback: Callback | None,
    max_time: float | None = None,
    quality: str = "standard",
    max_bounds_memory: int | None = None,
    progress: bool | str = False,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 30.0,
) -> KMeansResult:
    """Do what `kmeans` does, but leave the warning of empty clusters to the caller; X may be Samples."""
    began = perf_counter()
    samples = as_samples(X)
    weight = as_weight(sample_weight, samples.n_samples)
    n_clusters = check_n_clusters(n_clusters, samples.n_samples, weight)
    max_iter, tol, max_time, checkpoint_every = check_run(max_iter, tol, max_time, callback, checkpoint_every)
    check_choice(algorithm, "algorithm", ALGORITHMS)
    check_choice(quality, "quality", QUALITIES)
    if max_bounds_memory is not None:
        max_bounds_memory = check_int(max_bounds_memory, "max_bounds_memory", 0)
    problem = Problem(samples, n_clusters, weight, check_threads(n_threads), algorithm, max_bounds_memory)
    check_method(init)
    if not isinstance(init, str) and not callable(init):
        init = as_start(init, problem)
    n_init = count_restarts(n_init, init, quality, stacklevel=4)
    draws = quality == "best" or not isinstance(init, np.ndarray) or random_state is not None
    rng = as_generator(random_state) if draws else None
    keep = None
    if checkpoint is not None:
        from ._resume import Keeper  # as the bar: loaded when it is used

        about = {"init": init, "n_init": n_init, "max_iter": max_iter, "tol": tol, "quality": quality}
        keep = Keeper(checkpoint, checkpoint_every, problem, rng, about | {"random_state": random_state})
    if progress is False:
        return _restart(problem, init, n_init, max_iter, tol, rng, quality, callback, max_time, began, keep)
    from ._progress import drawing

    with drawing(progress, callback) as both:
        return _restart(problem, init, n_init, max_iter, tol, rng, quality, both, max_time, began, keep)


def _restart(
    problem: Problem,
    init: Any,
    n_init: int,
    max_iter: int,
    tol: float,
    rng: np.random.Generator | None,
    quality: str,
    callback: Callback | None,
    max_time: float | None,
    began: float,
    keep: Keeper | None,
) -> KMeansResult:
    """Run restarts, by themselves or side by side."""
    deadline = None if max_time is None else began + max_time

    def start() -> Floats:
        return seed(problem, init, rng)

    def one(problem: Problem, begin: Floats | Halt | Pause, restart: int) -> Run:
        watch = make_watch(problem, restart, n_init, max_iter, tol, began, callback, max_time)
        first: Run | Pause = (
            lloyd(problem, begin, max_iter, tol, watch, keep)
            if isinstance(begin, (np.ndarray, Halt))
            else begin  # a search goes on from its checkpoint
        )
        if rng is None or (quality == "standard" and isinstance(first, Run)):
            assert isinstance(first, Run)
            return first
        from ._improve import improve  # loaded when it is used

        return improve(problem, first, rng, max_iter, tol, watch, deadline, keep)

    watched = callback is not None or deadline is not None or keep is not None
    workers = 1 if watched or quality == "best" or not isinstance(init, str) else n_workers(problem, n_init)
    best = None
    if workers > 1 and rng is not None:
        state = rng.bit_generator.state
        best = side_by_side(problem, n_init, start, one, workers)
        if best is None:
            rng.bit_generator.state = state
    best = best or one_by_one(problem, range(n_init), start, one, keep)
    return _result(problem, best, max(workers, problem.n_threads))


def _result(problem: Problem, best: Best, n_threads: int) -> KMeansResult:
    assert best.labels is not None
    return KMeansResult(
        **best.found(problem.samples.result_dtype),
        labels=best.labels,
        algorithm=problem.algorithm,
        n_distances=best.runs[best.at].n_distances,
        isa=_runtime.isa,
        compute_dtype="float32" if problem.single else "float64",
        n_threads=n_threads,
        memory=problem.memory.peak,
        _X=problem.samples.original,
        feature_names=problem.samples.feature_names,
    )
