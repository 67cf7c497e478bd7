"""How much nearer each sample is to its own cluster than to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .._need import need
from .._random import as_generator
from .._samples import as_samples, raise_not_finite
from .._validate import check_int
from ._check import labels_of
from ._colours import INK, palette

GAP = 0.02  # between clusters, as a share of the samples


def silhouette(
    X: Any, labels: ArrayLike, ax: Axes | None = None, *, max_samples: int = 5000, random_state: Any = 0
) -> Axes:
    """Draw a bar for each sample, sorted within its cluster: the silhouette, 1 at best, below 0 nearer to another one.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
    labels : int array-like of shape (n_samples,)
        -1 is an outlier, which is left out.
    ax : Axes, optional
        Where to draw; the current Axes if left out.
    max_samples : int
        Of more samples that many are drawn at random: all distances between them are computed.
    random_state : int, RandomState, Generator or None
        Which.

    Returns
    -------
    Axes
        A dashed line marks the mean.

    Raises
    ------
    ValueError, TypeError
        A shape is wrong, X is empty or not finite, or the number of clusters is not >= 2 and < n_samples.
    ImportError
        scikit-learn is missing.

    Notes
    -----
    Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis" (1987). Time
    grows with the square of max_samples; memory is that of `sklearn.metrics.silhouette_samples`, 1 GB at most.
    """
    silhouette_samples = need("sklearn.metrics", "silhouette", "sklearn").silhouette_samples
    samples = as_samples(X)
    labels, n_clusters = labels_of(labels, samples.n_samples)
    rows = np.flatnonzero(labels >= 0)
    if len(rows) > check_int(max_samples, "max_samples", 3):
        rows = np.sort(as_generator(random_state).choice(rows, max_samples, replace=False))
    labels, part = labels[rows], samples.take(rows)
    if not np.isfinite(part).all():
        raise_not_finite(as_samples(part))
    found = len(np.unique(labels))
    if not 2 <= found < len(rows):
        raise ValueError(f"labels has {found} clusters with samples and must have >= 2 and < {len(rows)}.")
    values = silhouette_samples(part, labels)
    ax = plt.gca() if ax is None else ax
    _bars(values, labels, n_clusters, ax)
    ax.axvline(values.mean(), color=INK, ls="--", lw=1)
    ax.set(xlabel=f"silhouette, mean {values.mean():.2f}", ylabel="cluster", xlim=(min(values.min() * 1.1, -0.05), 1))
    return ax


def _bars(values: Any, labels: Any, n_clusters: int, ax: Axes) -> None:
    """Fill each cluster's sorted values, cluster 0 on top, and name it at its middle."""
    bottom, middles, names = 0.0, [], []
    for j, colour in enumerate(palette(n_clusters)):
        own = np.sort(values[labels == j])[::-1]
        if len(own) == 0:
            continue
        edges = bottom + np.arange(len(own) + 1)
        ax.stairs(own, edges, orientation="horizontal", fill=True, color=colour, lw=0)
        middles.append(bottom + len(own) / 2)
        names.append(str(j))
        bottom = edges[-1] + GAP * len(values)
    ax.set_yticks(middles, names)
    ax.set_ylim(bottom, -GAP * len(values))
