"""Clusters of three features."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import ArrayLike

from ._check import labels_of, points, samples_of
from ._clusters import dots, stars

MOST_DOTS_3D = 100_000  # matplotlib projects and sorts them at every turn


def clusters_3d(X: Any, labels: ArrayLike, centroids: Any = None, ax: Any = None, *, size: float | None = None) -> Any:
    """Draw points in space in the colour of their cluster, outliers as grey crosses, centroids as stars above them.

    Of more than 100,000 points that many are drawn, the same ones each time.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, 3)
    labels : int array-like of shape (n_samples,)
        -1 is an outlier.
    centroids : array-like of shape (n_clusters, 3), optional
    ax : Axes3D, optional
        Where to draw; a new one in the current figure if left out.
    size : float, optional
        Diameter of a dot in typographic points; by default smaller for more samples.

    Returns
    -------
    Axes3D

    Raises
    ------
    ValueError, TypeError
        A shape is wrong, X is empty or not finite, a label is not that of a cluster, or ``ax`` is flat.
    """
    samples = samples_of("X", X, 3)
    centroids = None if centroids is None else points("centroids", centroids, 3)
    labels, n_clusters = labels_of(labels, samples.n_samples, None if centroids is None else len(centroids))
    if getattr(ax, "name", "3d") != "3d":
        raise TypeError(f"ax={ax!r} must be made with projection='3d'.")
    if samples.n_samples > MOST_DOTS_3D:
        rows = np.sort(np.random.default_rng(0).choice(samples.n_samples, MOST_DOTS_3D, replace=False, shuffle=False))
        X, labels = samples.take(rows), labels[rows]
    ax = plt.axes(projection="3d") if ax is None else ax
    ax.computed_zorder = False  # or stars would vanish behind dots
    dots(points("X", X, 3), labels, n_clusters, ax, size)
    if centroids is not None:
        stars(centroids, ax, depthshade=False)
    return ax
