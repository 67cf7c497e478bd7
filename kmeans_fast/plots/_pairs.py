"""More than three features: each pair of components against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import ArrayLike, NDArray

from .._samples import Samples, as_samples, raise_not_finite
from .._validate import check_int
from ._check import Floats, labels_of, points
from ._clusters import clusters

ROWS = 1 << 16  # of a block


def pairs(
    X: Any,
    labels: ArrayLike,
    centroids: Any = None,
    axes: Any = None,
    *,
    n_components: int = 3,
    size: float | None = None,
    rasterize: bool | None = None,
) -> NDArray[Any]:
    """Draw clusters in each pair of the first principal components, or of the features where they are as few.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        Two features or more.
    labels : int array-like of shape (n_samples,)
        -1 is an outlier.
    centroids : array-like of shape (n_clusters, n_features), optional
    axes : array of Axes of shape (n_components - 1, n_components - 1), optional
        Where to draw; made in the current figure if left out.
    n_components : int, default 3
        From 2 on; n_features where that is less.
    size, rasterize
        As for `clusters`, which draws each pair.

    Returns
    -------
    array of Axes of shape (n_components - 1, n_components - 1)
        Row i and column j show component i + 1 over component j; those above the diagonal are empty and hidden.

    Raises
    ------
    ValueError, TypeError
        A shape is wrong, X is empty or not finite, or a label is not that of a cluster.

    Notes
    -----
    Principal components (Pearson, "On lines and planes of closest fit", 1901) come from the covariance, summed block by
    block. Memory: 8 n_components bytes a sample, three times n_features^2 floats, and what `clusters` takes.
    """
    samples = as_samples(X)
    d = samples.n_features
    if d < 2:
        raise ValueError(f"X has shape {samples.source.shape} and must be (n_samples, >= 2).")
    centroids = None if centroids is None else points("centroids", centroids, d)
    labels, _ = labels_of(labels, samples.n_samples, None if centroids is None else len(centroids))
    m = min(check_int(n_components, "n_components", 2), d)
    mean, basis, names = _components(samples, m) if m < d else (np.zeros(d), np.eye(d), _features(X, d))
    flat = np.concatenate([(block - mean) @ basis for _, block in samples.blocks(np.dtype(np.float64), ROWS)])
    stars = None if centroids is None else (centroids - mean) @ basis
    if axes is None:
        axes = plt.gcf().subplots(m - 1, m - 1, squeeze=False, sharex="col", sharey="row")
    axes = np.atleast_2d(axes)
    if axes.shape != (m - 1, m - 1):
        raise ValueError(
            f"axes has shape {axes.shape} and must be {(m - 1, m - 1)}, a row and a column less than components."
        )
    for (i, j), ax in np.ndenumerate(axes):
        if j > i:
            ax.set_axis_off()
            continue
        pair = [j, i + 1]
        clusters(flat[:, pair], labels, None if stars is None else stars[:, pair], ax, size=size, rasterize=rasterize)
        ax.set_aspect("auto")
        if j == 0:
            ax.set_ylabel(names[i + 1])
        if i == m - 2:
            ax.set_xlabel(names[j])
    return np.asarray(axes)


def _components(samples: Samples, m: int) -> tuple[Floats, Floats, list[str]]:
    """Return the mean, the first m directions of most variance as columns, and their names with shares."""
    mean, squares = np.zeros(samples.n_features), np.zeros((samples.n_features,) * 2)
    for _, block in samples.blocks(np.dtype(np.float64), ROWS):
        mean += block.sum(axis=0) / samples.n_samples
    if not np.isfinite(mean).all():
        raise_not_finite(samples)
    for _, block in samples.blocks(np.dtype(np.float64), ROWS):
        squares += (block - mean).T @ (block - mean)
    variances, directions = np.linalg.eigh(squares)
    variances = np.maximum(variances, 0.0)  # rounding may leave less
    basis = directions[:, : -m - 1 : -1]
    basis = basis * np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(m)])  # a sign for good
    shares = variances[::-1][:m] / max(variances.sum(), np.finfo(float).tiny)
    return mean, basis, [f"component {i} ({share:.0%})" for i, share in enumerate(shares, start=1)]


def _features(X: Any, d: int) -> list[str]:
    columns = getattr(X, "columns", None)
    return [f"feature {i}" for i in range(d)] if columns is None else [str(name) for name in columns]
