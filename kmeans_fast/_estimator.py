"""The estimator: scikit-learn's KMeans, parameter for parameter, on this library's core.

Here is only what scikit-learn asks of an estimator; every computation and every check of X is the
core's. X never goes through scikit-learn's check_array, which would copy it whole to change its
dtype or order.
"""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any, allow-untyped-decorators

from __future__ import annotations

from copy import copy
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from . import _kmeans, _predict
from ._result import KMeansResult, warn_of_empty_clusters
from ._samples import Samples
from ._seed import METHODS
from ._sklearn_base import ByCentroids, with_random_state, wrap
from ._sklearn_callbacks import CallbackSupportMixin, Watch, with_callbacks

ALGORITHMS = {"lloyd", "elkan", "auto"}  # scikit-learn's names; the core chooses, since all give the same clustering


class KMeans(
    CallbackSupportMixin,
    ByCentroids,
    BaseEstimator,
):
    """k-means with scikit-learn's interface; needs scikit-learn >= 1.6.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters and of centroids.
    init : {"k-means++", "k-means||", "afk-mc2", "two-level", "random", "random-partition"}, array-like or callable
        The start, by default "k-means++": a method's name, an array of shape (n_clusters, n_features), or
        ``init(X, n_clusters, random_state=RandomState)`` that returns one, with X as an array.
    n_init : "auto" or int, default "auto"
        Restarts, of which the best is kept. "auto" is 10 for "random", "random-partition" and a callable
        unless quality="best", else 1.
    max_iter : int, default 300
        Iterations of a restart at most.
    tol : float, default 1e-4
        Stop when the summed squared shift of the centroids is <= tol times the mean variance of
        the features.
    verbose : int, default 0
        1: a progress bar where standard error is a terminal and tqdm is there, else a line for each iteration; 2 and
        more: a line.
    random_state : int, RandomState, Generator or None, default None
        None draws from NumPy's global state, as in scikit-learn.
    copy_x : bool, default True
        Without effect: X is neither copied nor modified.
    algorithm : {"lloyd", "elkan", "auto"}, default "lloyd"
        All give the clustering of Lloyd's algorithm, bit for bit; how distances are saved is left to
        the core, and ``result_.algorithm`` says what ran. ``kmeans(..., algorithm=...)`` decides.
    quality : {"standard", "best"}, default "standard"
        "best" swaps centroids until that helps no more, from one start unless `n_init` says otherwise: a lower inertia
        than the best of 10 restarts. ``result_.restarts`` counts the swaps.
    max_bounds_memory : int, optional
        Bytes that may be spent on bounds, or on the ordered copy of few features; by default 48 a sample.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow.
    checkpoint : path, optional
        File that the fit is saved to, and goes on from where it is there already: see `kmeans`.
    checkpoint_every : float, default 30
        Seconds between two savings.

    Attributes
    ----------
    cluster_centers_ : array of shape (n_clusters, n_features)
        The centroids: float32 for float32 and float16 X, else float64 (see `KMeansResult`).
    labels_ : int32 array of shape (n_samples,)
        Equal to ``predict(X)``.
    inertia_ : float
        Weighted sum of squared distances to the nearest centroid.
    n_iter_ : int
        Iterations of the best restart.
    result_ : KMeansResult
        Everything about the fit. It refers to X, which stays in memory as long as `result_`.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Examples
    --------
    >>> from kmeans_fast import KMeans
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [10.0], [11.0]])
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.inertia_
    ([0.5, 10.5], 1.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions(set(METHODS)), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state", np.random.Generator],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions(ALGORITHMS)],
        "quality": [StrOptions(set(_kmeans.QUALITIES))],
        "max_bounds_memory": [Interval(Integral, 0, None, closed="left"), None],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "checkpoint": [str, PathLike, None],
        "checkpoint_every": [Interval(Real, 0, None, closed="left")],
    }

    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int | str = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        quality: str = "standard",
        max_bounds_memory: int | None = None,
        n_threads: int | None = None,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float = 30.0,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.quality = quality
        self.max_bounds_memory = max_bounds_memory
        self.n_threads = n_threads
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> KMeans:
        """Cluster X.

        Parameters
        ----------
        X : array-like, frame, path or source of shape (n_samples, n_features)
            Any real dtype and layout; files, streams of chunks (docs/sources.md). Read in blocks and not modified.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0: an integer weight is the same as repetition, 0 the same as absence.

        Raises
        ------
        TypeError
            For sparse X, text, and other things that are not real numbers.
        ValueError
            For NaN, infinity and wrong shapes; for a wrong parameter scikit-learn's
            InvalidParameterError, which is a TypeError too.

        Warns
        -----
        ConvergenceWarning
            If there are fewer distinct samples than clusters.
        """
        self._fit(wrap(self, X, reset=True), sample_weight)
        r = self.result_
        filled, k = int(np.count_nonzero(r.counts)), len(r.counts)
        warn_of_empty_clusters(filled, k, r.converged, r.stop_reason, ConvergenceWarning, stacklevel=3)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> NDArray[np.int32]:
        """Cluster X and return the labels; the same as ``fit(X).predict(X)``."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> NDArray[Any]:
        """Cluster X and return its distances; the same as ``fit(X).transform(X)``."""
        self.fit(X, sample_weight=sample_weight)
        return _predict.transform(X, self.cluster_centers_, self.n_threads)

    def ordered(self, by: Any) -> KMeans:
        """Return a copy whose labels are in a stable order: see `KMeansResult.ordered`."""
        check_is_fitted(self)
        model = copy(self)
        model._keep(self.result_.ordered(by))
        return model

    @with_callbacks
    def _fit(self, samples: Samples, sample_weight: Any) -> None:
        if self.verbose != 0 or self.copy_x is not True:  # what the core does not get to see
            self._validate_params()
        init = with_random_state(self.init) if callable(self.init) else self.init
        draws = callable(init) or isinstance(init, str)
        watch = Watch(self, samples.original, sample_weight)
        try:
            result = _kmeans.fit(
                samples,
                self.n_clusters,
                init=init,
                n_init=self.n_init,
                max_iter=self.max_iter,
                tol=self.tol,
                sample_weight=sample_weight,
                random_state=np.random if draws and self.random_state is None else self.random_state,
                algorithm="auto"
                if isinstance(self.algorithm, str) and self.algorithm in ALGORITHMS
                else self.algorithm,
                quality=self.quality,
                max_bounds_memory=self.max_bounds_memory,
                n_threads=self.n_threads,
                callback=watch if watch else None,
                progress=watch.drawn,
                checkpoint=self.checkpoint,
                checkpoint_every=self.checkpoint_every,
            )
        except (TypeError, ValueError):
            # If it is a parameter that the core has refused, let scikit-learn say so. Asking first
            # would take as long as a small fit.
            self._validate_params()
            raise
        self._keep(result)
        watch.close()

    def _keep(self, result: KMeansResult) -> None:
        self.cluster_centers_ = result.centroids.copy()  # which may be changed by hand
        self.labels_ = result.labels
        self.inertia_ = result.inertia
        self.n_iter_ = result.n_iter
        self.result_: KMeansResult = result
