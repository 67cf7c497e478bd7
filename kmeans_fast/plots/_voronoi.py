"""The cells of centroids within a frame."""

from __future__ import annotations

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import ArrayLike

from ._check import Floats, points
from ._clusters import stars as draw_stars
from ._colours import palette


def voronoi(
    centroids: ArrayLike,
    ax: Axes | None = None,
    *,
    bounds: tuple[float, float, float, float] = (-1.0, 1.0, -1.0, 1.0),
    stars: bool = True,
    alpha: float = 1.0,
) -> Axes:
    """Draw the cell of each centroid: the part of the frame that is nearer to it than to others.

    Parameters
    ----------
    centroids : array-like or frame of shape (n_clusters, 2)
    ax : Axes, optional
        Where to draw; the current Axes if left out.
    bounds : (left, right, bottom, top)
        The frame that clips the cells; the board of `kmeans_fast.datasets` by default.
    stars : bool
        Mark the centroids.
    alpha : float
        How opaque cells are; below 1 for dots over them.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        ``centroids`` is not two-dimensional, or the frame is empty.
    """
    centroids = points("centroids", centroids)
    left, right, bottom, top = bounds
    if not (left < right and bottom < top):
        raise ValueError(f"bounds={bounds} must be (left, right, bottom, top) with an area.")
    ax = plt.gca() if ax is None else ax
    frame = np.array([[left, bottom], [right, bottom], [right, top], [left, top]], dtype=float)
    cells = PolyCollection(
        [_cell(j, centroids, frame) for j in range(len(centroids))],
        facecolors=palette(len(centroids)),
        edgecolors="white",
        linewidths=0.8,
        alpha=alpha,
    )
    ax.add_collection(cells)
    if stars:
        draw_stars(centroids, ax)
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set_aspect("equal", adjustable="box")
    return ax


def _cell(j: int, centroids: Floats, frame: Floats) -> Floats:
    """Clip the frame by the bisector with each other centroid, the nearest first."""
    here, cell = centroids[j], frame
    distances = np.hypot(*(centroids - here).T)
    for i in np.argsort(distances, kind="stable"):
        if len(cell) == 0 or distances[i] > 2 * np.hypot(*(cell - here).T).max():
            break  # a bisector farther than every corner cuts nothing off, nor do later ones
        if distances[i] == 0:
            if i < j:  # the same place: ties go to the lowest index
                cell = cell[:0]
            continue
        cell = _clip(cell, (here + centroids[i]) / 2, centroids[i] - here)
    return cell


def _clip(polygon: Floats, point: Floats, normal: Floats) -> Floats:
    """Keep the part of a convex polygon that is behind the line through ``point`` (Sutherland)."""
    ahead = (polygon - point) @ normal
    corners = []
    for i, (b, at_b) in enumerate(zip(polygon, ahead, strict=True)):
        a, at_a = polygon[i - 1], ahead[i - 1]  # the edge a to b
        if at_a * at_b < 0:
            corners.append(a + (b - a) * at_a / (at_a - at_b))
        if at_b <= 0:
            corners.append(b)
    return np.array(corners).reshape(-1, 2)
