"""Pictures of clusterings with matplotlib: each function takes Axes, draws, and returns them.

Nothing is computed here that a result does not hold already, and no figure is shown or saved.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    import matplotlib as mpl
    from matplotlib import pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ImportError('plots needs matplotlib; install it with: pip install "kmeans_fast[plot]"') from error

__all__ = ["clusters", "convergence", "palette", "voronoi"]

Floats = NDArray[np.float64]

# Okabe and Ito, "Color Universal Design" (2008): safe in all common kinds of colour blindness.
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
INK = "#222222"


class HasHistory(Protocol):
    """What ``convergence`` needs of a result."""

    @property
    def inertia_history(self) -> Any: ...


def palette(n_clusters: int) -> Floats:
    """Give each cluster a colour that can be told from the others without telling red from green.

    Up to 8 clusters have the colours of Okabe and Ito; more have their shades and tints, so that
    equal hues differ in lightness.

    Returns
    -------
    float64 array of shape (n_clusters, 3)
        Red, green and blue in [0, 1].
    """
    hue, level = np.arange(n_clusters) % len(OKABE_ITO), np.arange(n_clusters) // len(OKABE_ITO)
    colours = mpl.colors.to_rgba_array(OKABE_ITO)[hue, :3]
    # Levels run 0, 1, -1, 2, -2 ... of the way to white (tints) and to black (shades).
    steps = -(-n_clusters // len(OKABE_ITO)) // 2
    share = (level + 1) // 2 / max(steps, 1) * np.where(level % 2, 0.6, 0.55)
    target = np.where(level % 2, 1.0, 0.0)
    return np.asarray(colours + (target[:, None] - colours) * share[:, None])


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
    X, centroids, labels = _plane("X", X), _plane("centroids", centroids), np.asarray(labels)
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
    _stars(ax, centroids)
    ax.set_aspect("equal", adjustable="box")
    return ax


def voronoi(
    centroids: ArrayLike,
    ax: Axes | None = None,
    *,
    bounds: tuple[float, float, float, float] = (-1.0, 1.0, -1.0, 1.0),
    stars: bool = True,
) -> Axes:
    """Draw the cell of each centroid: the part of the frame that is nearer to it than to others.

    Parameters
    ----------
    centroids : array-like of shape (n_clusters, 2)
    ax : Axes, optional
        Where to draw; the current Axes if left out.
    bounds : (left, right, bottom, top)
        The frame that clips the cells; the board of `kmeans_fast.datasets` by default.
    stars : bool
        Mark the centroids.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        ``centroids`` is not two-dimensional, or the frame is empty.
    """
    centroids = _plane("centroids", centroids)
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
    )
    ax.add_collection(cells)
    if stars:
        _stars(ax, centroids)
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set_aspect("equal", adjustable="box")
    return ax


def convergence(result: HasHistory, ax: Axes | None = None) -> Axes:
    """Draw the inertia of every iteration of ``result``, a `kmeans_fast.KMeansResult`."""
    ax = plt.gca() if ax is None else ax
    history = np.asarray(result.inertia_history)
    ax.plot(np.arange(1, len(history) + 1), history, "o-", ms=4, color=OKABE_ITO[0])
    ax.set(xlabel="iteration", ylabel="inertia")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def _stars(ax: Axes, centroids: Floats) -> None:
    x, y = centroids.T
    size = 480 * max(len(x), 1) ** -0.4  # area in points^2: 280 for 4, 76 for 100
    ax.scatter(x, y, s=size, c=INK, marker="*", edgecolors="white", linewidths=0.9, zorder=3)


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


def _plane(name: str, value: ArrayLike) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}.shape={array.shape} must be (n, 2).")
    return array
