"""Points in the colours of their clusters, centroids as stars."""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ._check import Floats, plane
from ._colours import INK, palette


def clusters(
    X: ArrayLike,
    labels: ArrayLike,
    centroids: ArrayLike,
    ax: Axes | None = None,
    *,
    size: float | None = None,
) -> Axes:
    """Draw points as dots in the colour of their cluster and centroids as stars.

    A million points take about a second: dots are one marker a cluster, stamped, and stay pixels in
    vector formats.

    Parameters
    ----------
    X : array-like of shape (n_samples, 2)
    labels : int array-like of shape (n_samples,)
    centroids : array-like of shape (n_clusters, 2)
    ax : Axes, optional
        Where to draw; the current Axes if left out.
    size : float, optional
        Diameter of a dot in typographic points; by default smaller for more samples.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        ``X`` or ``centroids`` is not two-dimensional, or ``labels`` does not match them.
    """
    X, centroids, labels = plane("X", X), plane("centroids", centroids), np.asarray(labels)
    if labels.shape != (len(X),):
        raise ValueError(f"labels.shape={labels.shape} must be (n_samples,)=({len(X)},).")
    if len(X) and not 0 <= labels.min() <= labels.max() < len(centroids):
        raise ValueError(f"labels must be >= 0 and < n_clusters={len(centroids)}.")
    ax = plt.gca() if ax is None else ax
    size = 14 * max(len(X), 1) ** -0.2 if size is None else size  # 5.6 for 100, 0.9 for 1e6
    ends = np.cumsum(np.bincount(labels, minlength=len(centroids)))[:-1]
    groups = np.split(X[np.argsort(labels, kind="stable")], ends)
    for group, colour in zip(groups, palette(len(centroids)), strict=True):
        ax.plot(*group.T, "o", ms=size, mew=0, color=colour, rasterized=True)
    stars(ax, centroids)
    ax.set_aspect("equal", adjustable="box")
    return ax


def stars(ax: Axes, centroids: Floats) -> None:
    """Mark the centroids; more of them are smaller."""
    x, y = centroids.T
    size = 480 * max(len(x), 1) ** -0.4  # area in points^2: 280 for 4, 76 for 100
    ax.scatter(x, y, s=size, c=INK, marker="*", edgecolors="white", linewidths=0.9, zorder=3)
