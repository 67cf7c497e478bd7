"""What a fit returns."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _details
from ._validate import check_int, check_real

SAME_INERTIA = 1e-6  # restarts whose inertia is this close, relatively, found the same clustering


class ClusterWarning(UserWarning):
    """Some clusters are empty: there are fewer distinct samples, or the fit was cut short."""


class Restart(NamedTuple):
    """How one restart ended, and how many swaps of a centroid quality="best" tried and kept."""

    inertia: float
    n_iter: int
    converged: bool
    stop_reason: str
    swaps_tried: int = 0
    swaps_accepted: int = 0


@dataclass(frozen=True, eq=False)
class KMeansResult:
    """A clustering: labels, centroids, counts and inertia agree with each other.

    Attributes
    ----------
    centroids : array of shape (n_clusters, n_features)
        Weighted means. float32 for float32 and float16 X, else float64; float64 as well where rounding to float32 would
        cost more than 1e-6 of the inertia (data far from the origin).
    labels : int32 array of shape (n_samples,)
        Index of the nearest centroid; ties go to the lowest.
    inertia : float
        Weighted sum of squared distances of the samples to their centroids.
    n_iter : int
        Iterations of the best restart; the one that found nothing to change counts.
    converged : bool
        Whether it ended by itself.
    stop_reason : str
        "labels unchanged", "tol", "no decrease", "max_iter", "max_time" or "callback".
    counts : int64 array of shape (n_clusters,)
        Samples of each cluster.
    inertia_history : float64 array of shape (n_iter,)
        Inertia of each iteration's labels against the centroids that made them; right to about 1e-15 of the total
        squares of X about its middle, which tells where a far outlier dwarfs the rest.
    restarts : tuple of Restart
        Inertia, iterations and end of every restart, in order.
    best_restart : int
        The restart that this result is from.
    algorithm, isa, compute_dtype : str
        What ran. `compute_dtype` is float64 for float32 X where float32 could not tell the centroids apart.
    n_distances : int
        Distances that the assignment steps of the best restart computed; n_samples x n_clusters a pass if nothing is
        pruned.
    n_threads : int
    memory : int
        Bytes allocated beyond X, labels included.
    feature_names : list of str or None
        Names of the columns of X, where they have names; a saved model keeps them.
    """

    centroids: NDArray[Any]
    labels: NDArray[np.int32]
    inertia: float
    n_iter: int
    converged: bool
    stop_reason: str
    counts: NDArray[np.int64]
    inertia_history: NDArray[np.float64]
    restarts: tuple[Restart, ...]
    best_restart: int
    algorithm: str
    isa: str
    compute_dtype: str
    n_distances: int
    n_threads: int
    memory: int
    _X: Any = field(repr=False)
    _index: Any = field(default=None, repr=False)  # of a pandas X, in a result that was pickled
    feature_names: list[str] | None = None

    @property
    def times_found(self) -> int:
        """How many restarts ended at the best inertia, up to 1e-6: 1 of 10 says that more restarts may pay."""
        limit = self.inertia * (1.0 + SAME_INERTIA)
        return max(1, sum(restart.inertia <= limit for restart in self.restarts))

    @property
    def distances(self) -> NDArray[np.float64]:
        """Distance of each sample to its centroid, shape (n_samples,); computed from X when asked for."""
        if not self._has_X:
            return np.asarray(self._X)
        from ._predict import own_distances

        return own_distances(self._X, self.centroids, self.labels, self.n_threads)

    @property
    def margins(self) -> NDArray[np.float64]:
        """How much farther the second-best centroid is than the sample's own, shape (n_samples,).

        Near 0 for a sample on a border between clusters; inf where there is one cluster alone. It takes n_samples *
        n_clusters distances, about as long as the fit, and 8 bytes a sample and some 10 MB; X must be at hand, which a
        pickled result does not carry.
        """
        if not self._has_X:
            raise ValueError("margins need X, which a pickled result does not carry; take them before it is pickled.")
        from ._predict import margins

        return margins(self._X, self.centroids, self.labels, self.n_threads)

    def outliers(self, fence: float = _details.FENCE) -> NDArray[np.bool_]:
        """Flag the samples that are far from their centroid for a member of their cluster, shape (n_samples,).

        Far is a distance beyond Q3 + `fence` * (Q3 - Q1), where Q1 and Q3 are the quartiles of the distances in the
        cluster: J. W. Tukey, "Exploratory Data Analysis" (1977), whose fences are at 1.5 ("outside") and 3 ("far out").
        Of a normal cluster in the plane 1 sample in 100 is beyond 1.5, 1 in 15,000 beyond 3. A cluster of one sample,
        or of samples at one distance, has none. Memory: 25 bytes a sample.
        """
        return _details.outliers(self.distances, self.labels, self.centroids, check_real(fence, "fence"))

    def groups(self, ids: Any = None) -> dict[int, Any]:
        """Return the ids of each cluster's samples, in the order of X, as a dict from label to array.

        Parameters
        ----------
        ids : array-like of shape (n_samples,), optional
            Names of the samples. Without it they are the index of a pandas X (as an Index), else the rows.

        Raises
        ------
        ValueError
            `ids` are not one a sample.

        Notes
        -----
        Memory: 16 bytes a sample, 8 in the end; ids that are text, or no array, once more.
        """
        names = self._names(ids)
        return dict(enumerate(self._members() if names is None else (names[rows] for rows in self._members())))

    def exemplars(self, n: int = 1, ids: Any = None) -> dict[int, Any]:
        """Return the ids of the `n` samples of each cluster that are nearest to its centroid, the nearest first.

        Of equally near ones the first in X comes first; a cluster of fewer samples gives them all. `ids` as in
        `groups`. Memory: 24 bytes a sample.
        """
        n, names, distances = check_int(n, "n", 1), self._names(ids), self.distances
        chosen = [rows[_details.nearest(distances[rows], n)] for rows in self._members()]
        return dict(enumerate(chosen if names is None else (names[rows] for rows in chosen)))

    def ordered(self, by: Any) -> KMeansResult:
        """Return the same clustering with its labels, centroids and counts in a stable order.

        Parameters
        ----------
        by : {"size", "position"}, KMeansResult, KMeans, Model or array of shape (m, n_features)
            "size": the largest cluster first; of equal ones the first by position.
            "position": by the first feature of the centroids, then by the next.
            An earlier fit, or its centroids: clusters are paired so that the sum of the distances between paired
            centroids is the least, and take the labels of their counterparts, so that cluster 3 stays cluster 3. New
            clusters get the next free labels, the largest first. Where there are fewer clusters than before, those
            after a gap move down, and a ClusterWarning says so.

        Returns
        -------
        KMeansResult
            `predict` of it gives its labels; only samples that are as near to two centroids stay where they were. It
            shares X. Memory: 4 bytes a sample; with an earlier fit 8 * n_clusters * m.

        Raises
        ------
        ImportError
            An earlier fit needs scipy, which the extra ``sklearn`` brings.
        ValueError
            `by` is something else, or has other features.

        Notes
        -----
        The pairing: H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
        Quarterly 2 (1955), as `scipy.optimize.linear_sum_assignment`, O(n_clusters^3).
        """
        from ._label_order import label_order

        order = label_order(by, self.centroids, self.counts)
        labels = np.argsort(order).astype(np.int32)[self.labels]
        return replace(self, centroids=self.centroids[order], labels=labels, counts=self.counts[order])

    def to_frame(self, ids: Any = None, backend: str | None = None, *, details: bool = False) -> Any:
        """Return a frame of id, label and distance to the centroid, one row a sample, in the order of X.

        Parameters
        ----------
        ids : array-like of shape (n_samples,), optional
            Names of the samples. Without it the index of a pandas X is kept; other X are numbered.
        backend : {"pandas", "polars", "pyarrow"}, optional
            Library of the frame; X's own if X is a frame, else pandas.
        details : bool, default False
            Add `margins` and `outliers()` as columns margin and outlier; margins take about as long as the fit.

        Raises
        ------
        ImportError
            The library is missing, or narwhals (extra "frames") for another than pandas.
        ValueError
            `ids` are not one a sample, or `backend` is something else.
        """
        from ._frames import label_frame

        if ids is not None:
            ids = _details.as_ids(ids, len(self.labels))
        columns = {"label": self.labels, "distance": self.distances}
        if details:
            columns |= {"margin": self.margins, "outlier": self.outliers()}
        return label_frame(self._X, self._index_of_X, ids, columns, backend)

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Label new samples with their nearest centroids, int32 of shape (n_samples,): see `kmeans_fast.predict`.

        Named columns must be those of the fit, in the same order.
        """
        from ._predict import predict
        from ._samples import as_samples

        samples = as_samples(X)
        if None not in (self.feature_names, samples.feature_names) and samples.feature_names != self.feature_names:
            raise ValueError(
                f"X has the columns {samples.feature_names} and must have {self.feature_names}, as the fit."
            )
        return predict(samples, self.centroids)

    def _members(self) -> list[NDArray[np.intp]]:
        return _details.members(self.labels, len(self.counts))

    @property
    def _has_X(self) -> bool:
        """Whether X is at hand: a result that was pickled carries its distances instead."""
        return not (isinstance(self._X, np.ndarray) and self._X.ndim == 1)

    @property
    def _index_of_X(self) -> Any:
        return _details.index_of(self._X) if self._has_X else self._index

    def _names(self, ids: Any) -> Any:
        """Return what names the samples: `ids`, the index of X, or None."""
        return self._index_of_X if ids is None else _details.as_ids(ids, len(self.labels))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle distances and index in place of X, which may be large or a file."""
        return self.__dict__ | {"_X": self.distances, "_index": self._index_of_X}

    def __repr__(self) -> str:
        """Say how it went in a line."""
        k, d = self.centroids.shape
        found = f", best of {len(self.restarts)} found {self.times_found}x" if len(self.restarts) > 1 else ""
        return (
            f"KMeansResult(n_clusters={k}, n_features={d}, n_samples={len(self.labels)}, "
            f"inertia={self.inertia:.6g}, n_iter={self.n_iter}, stop_reason={self.stop_reason!r}{found})"
        )


def warn_of_empty_clusters(
    filled: int, k: int, converged: bool, stop_reason: str, category: type[Warning], stacklevel: int
) -> None:
    """Warn if not all k clusters are filled: there are fewer distinct samples, or the fit was cut short."""
    if filled < k:
        message = (
            f"X has only {filled} distinct samples that can be told apart, fewer than n_clusters={k}; "
            "the other clusters are empty."
            if converged
            else f"{k - filled} of n_clusters={k} are empty: the fit ended by {stop_reason} "
            "before they were given samples."
        )
        warnings.warn(message, category, stacklevel)
