"""k-medoids for any distance, by FasterPAM."""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._restarts import MANY_RESTARTS
from .._result import Restart
from .._sklearn_base import generator, wrap
from .._validate import check_n_clusters
from ._distance_matrix import as_distances, check_distances
from ._fasterpam import Matrix, descend, draw, inertia, nearest

if TYPE_CHECKING:
    from typing_extensions import Self


class KMedoids(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Clusters around samples, by any distance: the sum of distances to the nearest of k medoids is made small.

    Needs the package `kmedoids`, which is under the GPL-3 and no part of this one; it comes with
    ``pip install "kmeans_fast[medoids]"``.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters, from 1 to n_samples.
    metric : str or callable, default "euclidean"
        A metric of `sklearn.metrics.pairwise_distances`, ``metric(a, b)`` of two samples, or "precomputed": X is then
        the matrix of all distances, as of `kmeans_fast.barriers.travel_distance`.
    metric_params : dict, optional
        More arguments of the metric.
    init : {"random", "build"} or int array-like of shape (n_clusters,), default "random"
        The start: random samples, the greedy BUILD of PAM, or indices of samples.
    n_init : "auto" or int, default "auto"
        Restarts, of which the best is kept. "auto" is 10 for "random", else 1.
    max_iter : int, default 100
        Passes of a restart over all samples at most.
    random_state : int, RandomState, Generator or None, default None
        None draws from NumPy's global state, as in scikit-learn. The same value gives the same bits.

    Attributes
    ----------
    medoid_indices_ : int64 array of shape (n_clusters,)
        Rows of X that are the medoids, ascending.
    cluster_centers_ : array of shape (n_clusters, n_features)
        Their values; not for "precomputed".
    labels_ : int32 array of shape (n_samples,)
        The nearest medoid of each sample, the lowest where several are.
    inertia_ : float
        Sum of distances (not of squares) to the nearest medoid.
    n_iter_ : int
        Passes of the best restart.
    restarts_ : tuple of Restart
        Inertia and end of each restart.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Notes
    -----
    Memory: the matrix of distances, 8 bytes a pair (float32 X with a metric that keeps it, 4): n = 10000 takes 800 MB.
    A float32 or float64 matrix is used as it is, others are converted to float64. A pass takes time O(n^2), on one
    thread; Ctrl-C is seen between passes. FasterPAM knows no weights: repeat samples instead.

    E. Schubert and P. J. Rousseeuw, "Fast and eager k-medoids clustering", Information Systems 101 (2021).

    Examples
    --------
    >>> from kmeans_fast import KMedoids
    >>> model = KMedoids(2, metric="cityblock", random_state=0).fit([[0, 0], [0, 1], [1, 0], [9, 9], [9, 8], [8, 9]])
    >>> model.medoid_indices_.tolist(), model.inertia_
    ([0, 3], 4.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "metric": [str, callable],
        "metric_params": [dict, None],
        "init": [StrOptions({"random", "build"}), "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        metric: str | Callable[..., Any] = "euclidean",
        metric_params: dict[str, Any] | None = None,
        init: Any = "random",
        n_init: int | str = "auto",
        max_iter: int = 100,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.metric_params = metric_params
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Cluster X.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features); of shape (n_samples, n_samples) for "precomputed"
            Not modified.
        y : ignored

        Raises
        ------
        ImportError
            Without the package `kmedoids`.
        ValueError
            For NaN, parameters out of range, and a matrix of distances that is not square, finite, non-negative,
            symmetric, and zero on the diagonal.

        Warns
        -----
        ConvergenceWarning
            If there are fewer distinct samples than clusters, or max_iter passes did not do.
        """
        self._validate_params()
        samples = wrap(self, X, reset=True)
        n = samples.n_samples
        check_n_clusters(self.n_clusters, n)
        rng = generator(self.random_state)
        start, restarts = self._check_init(n)
        if self.metric == "precomputed":
            distances = as_distances(X)
        else:
            distances = np.ascontiguousarray(self._pairwise(X))
            check_distances(distances, f"metric={getattr(self.metric, '__name__', self.metric)!r}")
        runs: list[Restart] = []
        medoids, best = None, np.inf
        for _ in range(restarts):
            found, run = descend(distances, draw(distances, start, self.n_clusters, rng), self.max_iter)
            runs.append(run)
            if medoids is None or run.inertia < best:  # the first of equals
                medoids, best, self.n_iter_ = found, run.inertia, run.n_iter
        assert medoids is not None
        self.restarts_ = tuple(runs)
        self._keep(X, distances, medoids)
        return self

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Label each sample with its nearest medoid, the lowest index where several are.

        For "precomputed" X is the matrix of distances to the samples of the fit, shape (n_new, n_samples).
        """
        return nearest(self.transform(X))

    def transform(self, X: Any) -> Matrix:
        """Return the distances to the medoids, shape (n_new, n_clusters); X as in `predict`."""
        check_is_fitted(self)
        if self.metric == "precomputed":
            columns = np.shape(X)[1] if np.ndim(X) == 2 else None
            if columns != self.n_features_in_:
                raise ValueError(
                    f"X has shape {np.shape(X)} and must be (n_new, {self.n_features_in_}) for metric='precomputed': "
                    "distances to the samples of the fit."
                )
            wrap(self, X)
            to_medoids = np.asarray(X)[:, self.medoid_indices_]
            check_distances(to_medoids, "X", square=False)
            return to_medoids
        wrap(self, X)
        return self._pairwise(X, self.cluster_centers_)

    def __sklearn_tags__(self) -> Any:
        """Say that a precomputed X is pairwise."""
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags

    @property
    def _n_features_out(self) -> int:
        """Columns of `transform`, for ClassNamePrefixFeaturesOutMixin."""
        return len(self.medoid_indices_)

    def _pairwise(self, X: Any, Y: Any = None) -> Matrix:
        return np.asarray(pairwise_distances(X, Y, metric=self.metric, **(self.metric_params or {})))

    def _check_init(self, n_samples: int) -> tuple[Any, int]:
        """Return "random", "build" or checked indices, and the number of restarts."""
        if isinstance(self.init, str):
            auto = MANY_RESTARTS if self.init == "random" else 1
            return self.init, auto if self.n_init == "auto" else int(self.n_init) if self.init == "random" else 1
        start = np.asarray(self.init)
        if start.shape != (self.n_clusters,) or start.dtype.kind not in "iu":
            raise ValueError(
                f"init has shape {start.shape} and dtype {start.dtype} and must hold n_clusters={self.n_clusters} "
                "indices of samples."
            )
        if len(np.unique(start)) < len(start) or start.min() < 0 or start.max() >= n_samples:
            raise ValueError(f"init={start.tolist()} must be different indices from 0 to {n_samples - 1}.")
        return start, 1

    def _keep(self, X: Any, distances: Matrix, medoids: Matrix) -> None:
        self.medoid_indices_ = medoids
        to_medoids = distances[:, medoids]
        self.labels_ = nearest(to_medoids)
        self.inertia_ = inertia(to_medoids)
        if self.metric != "precomputed":
            self.cluster_centers_ = np.asarray(X)[medoids]
        filled = len(np.unique(self.labels_))
        if filled < self.n_clusters:
            message = f"X has only {filled} distinct samples, fewer than n_clusters={self.n_clusters}."
            warnings.warn(message, ConvergenceWarning, stacklevel=3)
        elif not any(run.converged for run in self.restarts_):
            message = f"No restart ended within max_iter={self.max_iter} passes."
            warnings.warn(message, ConvergenceWarning, stacklevel=3)
