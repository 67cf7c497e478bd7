"""Where centroids began and where they ended."""

from __future__ import annotations

from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from ._check import points
from ._clusters import stars
from ._colours import INK, palette


def moves(start: Any, end: Any, ax: Axes | None = None) -> Axes:
    """Draw an arrow from the start of each centroid, a hollow circle, to its end, a star.

    Parameters
    ----------
    start : array-like of shape (n_clusters, 2)
        As ``init`` of the fit, or the first of the frames that `record` returns.
    end : array-like of shape (n_clusters, 2), or what has them as ``centroids``
        A `kmeans_fast.KMeansResult`, for example.
    ax : Axes, optional
        Where to draw, as over `clusters`; the current Axes if left out.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        ``start`` and ``end`` are not two lists of as many points.
    """
    start, end = points("start", start), points("end", getattr(end, "centroids", end))
    if len(start) != len(end):
        raise ValueError(f"start has {len(start)} centroids and must have as many as end, {len(end)}.")
    ax = plt.gca() if ax is None else ax
    x, y = start.T
    ax.quiver(x, y, *(end - start).T, angles="xy", scale_units="xy", scale=1, width=0.005, color=INK, zorder=2.5)
    ax.scatter(x, y, s=45, c=palette(len(start)), edgecolors=INK, linewidths=1.4, zorder=3)
    stars(end, ax)
    return ax
