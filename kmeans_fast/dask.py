"""KMeans on dask arrays and DataFrames: scikit-learn's interface on `kmeans_fast.distributed`."""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    import dask.array as da
    import distributed
    from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise ImportError(
        f'kmeans_fast.dask needs {error.name}; install it with: pip install "kmeans_fast[dask]"'
    ) from None

from . import _predict
from ._result import warn_of_empty_clusters
from ._samples import ArraySource, Samples
from .distributed import _fit
from .distributed._dask import DaskEngine, as_rows, columns_and_dtype, frame_dtype, is_frame, rows_whole


class KMeans(TransformerMixin, ClusterMixin, BaseEstimator):
    """k-means over the blocks of a dask collection; they stay on their workers.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means||", "random"}, array of shape (n_clusters, n_features) or callable, default "k-means||"
        The start: k-means|| whose candidates, weighted by what they win, `kmeans_fast.kmeans` clusters; distinct
        samples, drawn by weight; given centroids; or ``init(X, n_clusters, random_state=Generator)`` that returns them.
    n_init : "auto" or int, default "auto"
        Restarts, of which the best is kept; "auto" is 10 for "random" and a callable, else 1.
    max_iter : int, default 300
        Iterations of a restart at most.
    tol : float, default 1e-4
        Stop when the summed squared shift of the centroids is <= tol times the mean variance of the features.
    random_state : int, RandomState, Generator or None, default None
        The same value gives the same bits, whatever the workers and the blocks.
    callback : callable, optional
        Called in this process with a `kmeans_fast.FitState` after every iteration; a true return value stops the fit.
    checkpoint : path, optional
        File of this process that the fit is saved to, and goes on from to the same bits: see `kmeans_fast.kmeans`.
    checkpoint_every : float, default 30
        Seconds between two savings.
    client : distributed.Client, optional
        By default the current one, or threads of this process for as long as the fit takes.

    Attributes
    ----------
    cluster_centers_ : float32 or float64 array of shape (n_clusters, n_features)
        In this process.
    labels_ : dask array of shape (n_samples,), int32, or dask Series
        Equal to ``predict(X)``: lazy, in the blocks of X, and with its index if X is a DataFrame.
    inertia_ : float
        Weighted sum of squared distances to the nearest centroid.
    n_iter_ : int
        Iterations of the best restart.
    fit_ : kmeans_fast.distributed.Fit
        Everything about the fit.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a DataFrame whose column names are all strings.

    Notes
    -----
    The fit holds X in memory (or spilled) on the workers, as its own dtype, 12 bytes a sample beside it, and a copy of
    X where the caller holds it as well and its blocks do not end on whole grains (see docs/dask.md).

    Examples
    --------
    >>> import dask.array as da
    >>> from kmeans_fast.dask import KMeans
    >>> X = da.from_array([[0.0], [1.0], [10.0], [11.0]], chunks=2)
    >>> model = KMeans(n_clusters=2, random_state=0).fit(X)
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.inertia_, model.labels_.chunks
    ([0.5, 10.5], 1.0, ((2, 2),))
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means||",
        n_init: int | str = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        callback: Any = None,
        checkpoint: Any = None,
        checkpoint_every: float = 30.0,
        client: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.callback = callback
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.client = client

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> KMeans:
        """Cluster X.

        Parameters
        ----------
        X : dask array or DataFrame of shape (n_samples, n_features)
            Real numbers. Blocks may be empty, of any length, and of unknown length.
        y : ignored
        sample_weight : dask array or Series, or array-like, of shape (n_samples,), optional
            Weights >= 0, in the order of the rows, in any blocks.

        Raises
        ------
        TypeError
            If X is no dask collection, or not of real numbers.
        ValueError
            For a value out of range; NaN in X is named with its block and row.
        kmeans_fast.distributed.EngineLost
            If the scheduler is gone; the message says where the last checkpoint is.
        """
        _check(X)
        columns, _ = columns_and_dtype(X)
        with _engine(self.client) as engine:
            found = _fit.fit(
                engine,
                X,
                self.n_clusters,
                init=self.init,
                n_init=self.n_init,
                max_iter=self.max_iter,
                tol=self.tol,
                sample_weight=_lazy(sample_weight),
                random_state=self.random_state,
                callback=self.callback,
                checkpoint=self.checkpoint,
                checkpoint_every=self.checkpoint_every,
            )
        self.n_features_in_ = columns
        if is_frame(X) and all(isinstance(name, str) for name in X.columns):
            self.feature_names_in_ = np.array(list(X.columns), object)
        self.fit_, self.cluster_centers_ = found, found.centroids.copy()
        self.inertia_, self.n_iter_ = found.inertia, found.n_iter
        self.labels_ = self.predict(X)
        filled, k = int(np.count_nonzero(found.counts)), len(found.counts)
        warn_of_empty_clusters(filled, k, found.converged, found.stop_reason, ConvergenceWarning, stacklevel=3)
        return self

    def predict(self, X: Any) -> Any:
        """Label each sample with its nearest centroid: lazily for a dask collection, at once for anything else."""
        check_is_fitted(self)
        return self._lazily(X, _label) if _is_lazy(X) else _predict.predict(X, self.cluster_centers_)

    def transform(self, X: Any) -> Any:
        """Distances to all centroids, shape (n_samples, n_clusters): lazily for a dask collection."""
        check_is_fitted(self)
        return self._lazily(X, _distances) if _is_lazy(X) else _predict.transform(X, self.cluster_centers_)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the weighted sum of squared distances to the nearest centroids, with the bits of `inertia_`."""
        check_is_fitted(self)
        _check(X)
        self._check_columns(X)
        with _engine(self.client) as engine:
            return -_fit.price(engine, X, _lazy(sample_weight), np.ascontiguousarray(self.cluster_centers_, np.float64))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns of `transform`."""
        return _names(len(self.cluster_centers_))

    def _lazily(self, X: Any, function: Callable[..., Any]) -> Any:
        """Call a function of (block, centroids) for each block; what it makes of no rows tells Dask what to expect."""
        self._check_columns(X)
        centroids = self.cluster_centers_
        if is_frame(X):
            return X.map_partitions(function, centroids, meta=function(X._meta, centroids))
        meta = function(np.empty((0, X.shape[1]), X.dtype), centroids)
        rows, columns = X.chunks[0], meta.shape[1:]
        dropped = [] if columns else [1]
        return rows_whole(X).map_blocks(function, centroids, chunks=(rows, *columns), drop_axis=dropped, meta=meta)

    def _check_columns(self, X: Any) -> None:
        d, expected = columns_and_dtype(X)[0], self.cluster_centers_.shape[1]
        if d != expected:
            raise ValueError(
                f"X has {d} features, but KMeans is expecting {expected} features as input; they must be the same."
            )


@contextmanager
def _engine(client: Any) -> Iterator[DaskEngine]:
    """Use the given client, the current one, or for now threads of this process."""
    if client is None:
        try:
            client = distributed.get_client()
        except ValueError:
            with distributed.Client(processes=False, dashboard_address=None, set_as_default=False) as own:
                yield DaskEngine(own)
            return
    yield DaskEngine(client)


def _is_lazy(X: Any) -> bool:
    return hasattr(X, "dask") and (is_frame(X) or isinstance(X, da.Array))


def _check(X: Any) -> None:
    if not _is_lazy(X):
        raise TypeError(
            f"X is a {type(X).__name__} and must be a dask array or DataFrame: dask.array.from_array(X) makes one."
        )


def _lazy(weight: Any) -> Any:
    given = weight is None or hasattr(weight, "dask")
    return weight if given else da.from_array(np.asarray(weight, np.float64).ravel())


def _label(block: Any, centroids: NDArray[Any]) -> Any:
    """Labels: a Series of a DataFrame."""
    rows = _rows(block)
    labels = _predict.predict(rows, centroids, 1) if len(rows) else np.empty(0, np.int32)
    if rows is block:
        return labels
    import pandas

    return pandas.Series(labels, index=block.index, name="label")


def _distances(block: Any, centroids: NDArray[Any]) -> Any:
    """Distances to all centroids: a DataFrame of a DataFrame."""
    rows = _rows(block)
    if len(rows):
        distances = _predict.transform(rows, centroids, 1)
    else:
        distances = np.empty((0, len(centroids)), Samples(ArraySource(rows), None).result_dtype)
    if rows is block:
        return distances
    import pandas

    return pandas.DataFrame(distances, index=block.index, columns=_names(len(centroids)))


def _rows(block: Any) -> NDArray[Any]:
    return as_rows(block, frame_dtype(block)) if hasattr(block, "columns") else block


def _names(k: int) -> NDArray[Any]:
    return np.array([f"kmeans{j}" for j in range(k)], object)
