"""A stable order of labels: by size, by position, or as in an earlier fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._need import need
from ._predict import transform
from ._result import ClusterWarning
from ._validate import as_centroids

Order = NDArray[np.intp]


def label_order(by: Any, centroids: NDArray[Any], counts: NDArray[np.int64]) -> Order:
    """Return the old label of each new one; `KMeansResult.ordered` says what `by` may be."""
    position = tuple(centroids.T[::-1])  # lexsort's last key is the first to count
    if not isinstance(by, str):
        return _matched(centroids, np.lexsort((*position, -counts)), by)
    if by == "size":
        return np.lexsort((*position, -counts))
    if by == "position":
        return np.lexsort(position)
    raise ValueError(f"by={by!r} must be 'size', 'position' or an earlier fit.")


def _matched(centroids: NDArray[Any], by_size: Order, earlier: Any) -> Order:
    """Pair centroids so that the sum of their distances is the least (Kuhn 1955); those left over follow by size."""
    reference = as_centroids(getattr(earlier, "centroids", getattr(earlier, "cluster_centers_", earlier)), "by")
    if reference.shape[1] != centroids.shape[1]:
        raise ValueError(f"by has {reference.shape[1]} features and must have n_features={centroids.shape[1]}.")
    optimize = need("scipy.optimize", "matching to an earlier fit", "sklearn")
    mine, theirs = optimize.linear_sum_assignment(transform(np.asarray(centroids, np.float64), reference))
    lost = sorted(set(range(len(reference))) - set(theirs.tolist()))
    if lost:
        warnings.warn(
            f"{len(lost)} of the {len(reference)} earlier clusters have no counterpart among {len(centroids)} "
            f"(labels {', '.join(map(str, lost[:5]))}{', ...' * (len(lost) > 5)}): higher labels moved down.",
            ClusterWarning,
            stacklevel=4,
        )
    return np.concatenate([mine[np.argsort(theirs)], by_size[~np.isin(by_size, mine)]])
