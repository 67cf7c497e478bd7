"""FasterPAM of the package `kmedoids`, which is GPL-3: imported when it is used, and no part of this package."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._result import Restart

Matrix = NDArray[Any]


def draw(distances: Matrix, init: Any, n_clusters: int, rng: np.random.Generator) -> Matrix:
    """Return the medoids that a restart begins with: "random", those of "build", or given indices."""
    if not isinstance(init, str):
        return np.asarray(init)
    if init == "build":
        return np.asarray(_package().pam_build(distances, n_clusters).medoids)
    return rng.choice(len(distances), n_clusters, replace=False)


def descend(distances: Matrix, medoids: Matrix, max_iter: int) -> tuple[Matrix, Restart]:
    """Swap medoids until no swap helps; a pass at a time, since Ctrl-C is not seen within one."""
    fasterpam, passes, swaps = _package().fasterpam, 0, 1
    while swaps and passes < max_iter:
        run = fasterpam(distances, medoids.astype(np.uintp), max_iter=1, n_cpu=1)
        medoids, swaps, passes = run.medoids, run.n_swap, passes + 1
    medoids = np.sort(medoids).astype(np.int64)
    reason = "max_iter" if swaps else "no decrease"
    return medoids, Restart(inertia(distances[:, medoids]), passes, not swaps, reason)


def nearest(to_medoids: Matrix) -> NDArray[np.int32]:
    """Return the nearest medoid of each sample, the lowest index where several are."""
    return np.asarray(to_medoids.argmin(axis=1), np.int32)


def inertia(to_medoids: Matrix) -> float:
    """Sum the distances to the nearest medoids, in float64."""
    return float(to_medoids.min(axis=1).sum(dtype=np.float64))


def _package() -> Any:
    try:
        import kmedoids
    except ImportError:
        message = 'KMedoids needs the package kmedoids (GPL-3); install it with: pip install "kmeans_fast[medoids]"'
        raise ImportError(message) from None
    return kmedoids
