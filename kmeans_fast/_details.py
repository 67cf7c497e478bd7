"""What a result says of single samples: their names, their clusters' members, the typical and the far ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDING = 16.0  # in eps of the coordinates: distances that differ by less are equal

FENCE = 1.5  # Tukey: "outside"


def index_of(X: Any) -> Any:
    """Return the index of a pandas X, else None."""
    return X.index if type(X).__module__.startswith("pandas") else None


def as_ids(ids: Any, n_samples: int) -> NDArray[Any]:
    """Turn the user's ids into an array; a list that mixes text and numbers keeps both."""
    array = np.asarray(ids)
    if array.dtype.kind in "US" and not isinstance(ids, np.ndarray):
        array = np.array(list(ids), dtype=object)
    if array.ndim != 1:
        raise ValueError(f"ids has shape {array.shape} and must be 1-dimensional.")
    if len(array) != n_samples:
        raise ValueError(f"ids has {len(array)} entries and must have n_samples={n_samples}.")
    return array


def members(labels: NDArray[np.int32], n_clusters: int) -> list[NDArray[np.intp]]:
    """Rows of each cluster, in order; 16 bytes a sample while it works, 8 in the end."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels, minlength=n_clusters))[:-1])


def nearest(distances: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Rows of the n smallest distances, the smallest first, the first of equals."""
    if len(distances) <= n:
        return np.argsort(distances, kind="stable")
    inside = np.flatnonzero(distances <= np.partition(distances, n - 1)[n - 1])
    return inside[np.argsort(distances[inside], kind="stable")[:n]]


def outliers(
    distances: NDArray[np.float64], labels: NDArray[np.int32], centroids: NDArray[Any], fence: float = FENCE
) -> NDArray[np.bool_]:
    """Flag distances beyond Q3 + fence (Q3 - Q1) of their cluster, by more than rounding (Tukey 1977)."""
    flags = np.zeros(len(labels), bool)
    eps = ROUNDING * np.finfo(centroids.dtype).eps
    for centroid, rows in zip(centroids, members(labels, len(centroids)), strict=True):
        if len(rows):
            mine = distances[rows]
            q1, q3 = np.quantile(mine, (0.25, 0.75))
            flags[rows] = mine > q3 + fence * (q3 - q1) + eps * (q3 + np.abs(centroid).max())
    return flags
