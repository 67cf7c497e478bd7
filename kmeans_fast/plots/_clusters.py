"""Points in the colours of their clusters, centroids as stars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ._check import Floats, Ints, labels_of, points, samples_of
from ._colours import INK, palette_with_outliers

# More dots than this hide each other: a picture has some 250,000 pixels.
MOST_DOTS = 1_000_000


def clusters(
    X: Any,
    labels: ArrayLike,
    centroids: Any = None,
    ax: Axes | None = None,
    *,
    size: float | None = None,
    rasterize: bool | None = None,
) -> Axes:
    """Draw points as dots in the colour of their cluster, outliers as grey crosses, centroids as stars.

    A million points take a second or less: dots are one marker a cluster, stamped, and stay pixels in vector formats.
    More than a million are not drawn one by one but counted in pixels, which mix the colours of their points and are
    the stronger the more there are; 1e7 points take a second then, after two for loading datashader.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, 2)
    labels : int array-like of shape (n_samples,)
        -1 is an outlier.
    centroids : array-like of shape (n_clusters, 2), optional
        Without it no stars are drawn, and there are as many clusters as labels say.
    ax : Axes, optional
        Where to draw; the current Axes if left out.
    size : float, optional
        Diameter of a dot in typographic points; by default smaller for more samples.
    rasterize : bool, optional
        Count points in pixels (extra ``dense-plot``); by default above 1,000,000 points.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError, TypeError
        A shape is wrong, X is empty or not finite, or a label is not that of a cluster.
    ImportError
        datashader is needed and missing.

    Notes
    -----
    Memory: dots take 40 bytes a sample, a raster 21 MB and 80 bytes a pixel.
    """
    samples = samples_of("X", X)
    centroids = None if centroids is None else points("centroids", centroids)
    labels, n_clusters = labels_of(labels, samples.n_samples, None if centroids is None else len(centroids))
    ax = plt.gca() if ax is None else ax
    ax.set_aspect("equal", adjustable="box")
    if samples.n_samples > MOST_DOTS if rasterize is None else rasterize:
        from ._raster import raster

        raster(samples, labels, palette_with_outliers(n_clusters), ax)
    else:
        dots(points("X", X), labels, n_clusters, ax, size)
    if centroids is not None:
        stars(centroids, ax)
    return ax


def dots(X: Floats, labels: Ints, n_clusters: int, ax: Any, size: float | None = None) -> None:
    """Draw each cluster's points, and those with label -1 as crosses under them; X has a column an axis."""
    size = 14 * len(X) ** -0.2 if size is None else size  # 5.6 for 100, 0.9 for 1e6
    colours = palette_with_outliers(n_clusters)
    for j, group in groups(X, labels, n_clusters):
        marker, edge = ("o", 0.0) if j >= 0 else ("x", 0.25 * size)
        ax.plot(*group.T, marker, ms=size, mew=edge, color=colours[j], rasterized=True)


def groups(X: Floats, labels: Ints, n_clusters: int) -> Iterator[tuple[int, Floats]]:
    """Give each cluster's number and points in order; first those with label -1, if there are any."""
    ends = np.cumsum(np.bincount(labels + 1, minlength=n_clusters + 1))
    order = np.argsort(labels, kind="stable")
    for j, (start, stop) in enumerate(zip([0, *ends], ends, strict=False), start=-1):
        if j >= 0 or stop:
            yield j, X[order[start:stop]]


def stars(centroids: Floats, ax: Any, **style: Any) -> None:
    """Mark the centroids, many of them by smaller stars."""
    area = 480 * len(centroids) ** -0.4  # in points^2: 280 for 4, 76 for 100
    ax.scatter(*centroids.T, s=area, c=INK, marker="*", edgecolors="white", linewidths=0.9, zorder=3, **style)
