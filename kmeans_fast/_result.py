"""What a fit returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SAME_INERTIA = 1e-6  # restarts whose inertia is this close, relatively, found the same clustering


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

    @property
    def times_found(self) -> int:
        """How many restarts ended at the best inertia, up to 1e-6: 1 of 10 says that more restarts may pay."""
        limit = self.inertia * (1.0 + SAME_INERTIA)
        return max(1, sum(restart.inertia <= limit for restart in self.restarts))

    @property
    def distances(self) -> NDArray[np.float64]:
        """Distance of each sample to its centroid, shape (n_samples,); computed from X when asked for."""
        if isinstance(self._X, np.ndarray) and self._X.ndim == 1:
            return self._X  # a result that was pickled carries its distances instead of X
        from ._predict import own_distances

        return own_distances(self._X, self.centroids, self.labels, self.n_threads)

    def to_frame(self, ids: Any = None, backend: str | None = None) -> Any:
        """Return a frame of id, label and distance to the centroid, one row a sample, in the order of X.

        Parameters
        ----------
        ids : array-like of shape (n_samples,), optional
            Names of the samples. Without it the index of a pandas X is kept; other X are numbered.
        backend : {"pandas", "polars", "pyarrow"}, optional
            Library of the frame; X's own if X is a frame, else pandas.
        """
        from ._frames import label_frame

        if ids is not None and len(ids) != len(self.labels):
            raise ValueError(f"ids has {len(ids)} entries and must have n_samples={len(self.labels)}.")
        return label_frame(self._X, ids, self.labels, self.distances, backend)

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Label new samples with their nearest centroids."""
        from ._predict import predict

        return predict(X, self.centroids)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle distances in place of X, which may be large or a file."""
        return self.__dict__ | {"_X": self.distances}

    def __repr__(self) -> str:
        """Say how it went in a line."""
        k, d = self.centroids.shape
        found = f", best of {len(self.restarts)} found {self.times_found}x" if len(self.restarts) > 1 else ""
        return (
            f"KMeansResult(n_clusters={k}, n_features={d}, n_samples={len(self.labels)}, "
            f"inertia={self.inertia:.6g}, n_iter={self.n_iter}, stop_reason={self.stop_reason!r}{found})"
        )
