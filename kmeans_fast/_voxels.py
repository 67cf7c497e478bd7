"""Many points to few: one weighted mean a voxel, a cube of space. k-means on the means costs what they cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._predict import own_distances, predict
from ._result import KMeansResult
from ._samples import Samples, as_samples, raise_not_finite
from ._validate import as_floats, as_weight

Floats = NDArray[np.float64]
ROWS = 1 << 16  # samples sorted into voxels at once, whatever the machine: the same bits everywhere
MERGED = 1 << 20  # voxels of single blocks that wait to be added up


class Voxels(NamedTuple):
    """Samples of which those in one voxel have become one.

    Attributes
    ----------
    means : float64 array of shape (n_voxels, n_features)
    weights : float64 array of shape (n_voxels,)
        How many samples, or their summed weights.
    """

    means: Floats
    weights: Floats

    def expand(
        self, result: KMeansResult, X: Any, sample_weight: Any = None, n_threads: int | None = None
    ) -> KMeansResult:
        """Give the samples X that the voxels were made of to the centroids of a fit on the voxels.

        Returns
        -------
        KMeansResult
            Labels are those of `predict`; counts and inertia are measured on X. Centroids, restarts and history remain
            those of the fit: a sample near a border may be nearer to another centroid than the mean of its voxel, so a
            centroid is only nearly the mean of its samples.
        """
        samples = as_samples(X)
        weight = as_weight(sample_weight, samples.n_samples)
        labels = predict(samples, result.centroids, n_threads)
        squared = own_distances(samples, result.centroids, labels, n_threads)
        squared *= squared
        inertia = float(squared.sum() if weight is None else squared @ weight)
        counts = np.bincount(labels, minlength=len(result.centroids))
        seen = {"_X": samples.original, "feature_names": samples.feature_names}
        return replace(result, labels=labels, counts=counts, inertia=inertia, **seen)


class _Grid(NamedTuple):
    """Voxels over the range of the samples: the key of one counts along the features."""

    low: Floats
    size: Floats
    cells: NDArray[np.int64]
    whole: bool  # samples are integers: corners then are, too

    def keys(self, block: Floats) -> NDArray[np.int64]:
        at = np.floor((block - self.low) / self.size).astype(np.int64)
        keys: NDArray[np.int64] = np.ravel_multi_index(np.minimum(at, self.cells - 1).T, self.cells)
        return keys

    def corners(self, keys: NDArray[np.int64]) -> Floats:
        at = np.stack(np.unravel_index(keys, self.cells), axis=1)
        corners = self.low + at * np.where(np.isinf(self.size), 0.0, self.size)
        return np.floor(corners) if self.whole else corners


class _Sums(NamedTuple):
    """Keys in ascending order, summed weights, and weighted sums of what lies beyond the corner."""

    keys: NDArray[np.int64]
    weights: Floats
    sums: Floats

    @classmethod
    def of(cls, keys: NDArray[np.int64], weights: Floats | None, values: Floats) -> _Sums:
        unique, inverse = np.unique(keys, return_inverse=True)
        m = len(unique)
        sums = [np.bincount(inverse, column, m) for column in values.T]
        return cls(unique, np.bincount(inverse, weights, m).astype(np.float64), np.stack(sums, axis=1))

    @classmethod
    def merged(cls, parts: list[_Sums]) -> _Sums:
        keys, weights, sums = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return cls.of(keys, weights, sums)


def voxels(X: Any, size: Any, *, sample_weight: Any = None) -> Voxels:
    """Replace the samples in each voxel by their mean, and say how many they were.

    k-means on the means with these weights is k-means on the samples, but that those of one voxel stay together. The
    best such clustering is worse than the best of all by no more than n_features size^2 / 4 a sample; Lloyd's algorithm
    stops sooner on few means, at an inertia that is higher by 0.6% with 200 voxels a cluster, and 2% with 60
    (``python -m benchmarks.clouds``). ``kmeans(X, k, init=fit.centroids)`` goes on from there.

    Parameters
    ----------
    X : array-like, frame or source of shape (n_samples, n_features)
        Read twice, in blocks.
    size : float, or array-like of shape (n_features,)
        Edge of a voxel, in the units of X; the first one starts at the least value. Infinity does not divide a feature.
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    Voxels
        `means` and `weights`, in the order of the voxels along the features, the last one fastest; no empty ones.

    Raises
    ------
    ValueError
        If `size` is not positive, or so small that voxels can't be numbered; NaN or infinity in X.

    Notes
    -----
    Sums are taken from a voxel's corner on, in float64: exact for integers, and for the scaled integers of a LAS file,
    which are scaled after they are summed. Memory: 8 (n_features + 2) bytes a voxel, about three times while merging.

    Examples
    --------
    >>> from kmeans_fast import voxels
    >>> means, weights = voxels([[0.0], [0.2], [7.0]], 1.0)
    >>> means.ravel().tolist(), weights.tolist()
    ([0.1, 7.0], [2.0, 1.0])
    """
    samples = as_samples(X)
    weight = as_weight(sample_weight, samples.n_samples)
    scales, offsets = np.ones(samples.n_features), np.zeros(samples.n_features)
    stored = getattr(samples.source, "stored", None)
    if stored is not None:
        scales, offsets = stored.scales, stored.offsets
        samples = Samples(stored.source, X)
    grid = _grid(samples, _check_size(size, samples.n_features) / np.abs(scales), size)
    parts: list[_Sums] = []
    for start, block in samples.blocks(np.dtype(np.float64), ROWS):
        keys = grid.keys(block)
        beyond = block - grid.corners(keys)
        if weight is not None:
            mine = weight[start : start + len(block)]
            parts.append(_Sums.of(keys, mine, beyond * mine[:, np.newaxis]))
        else:
            parts.append(_Sums.of(keys, None, beyond))
        if sum(len(part.keys) for part in parts[1:]) > max(MERGED, len(parts[0].keys)):
            parts = [_Sums.merged(parts)]
    keys, weights, sums = _Sums.merged(parts)
    there = weights > 0
    means = grid.corners(keys[there]) + sums[there] / weights[there, np.newaxis]
    return Voxels(means * scales + offsets, weights[there])


def _check_size(size: Any, n_features: int) -> Floats:
    sizes = as_floats(size, "size")
    if sizes.shape not in ((), (n_features,)):
        raise ValueError(f"size has shape {sizes.shape} and must be a number or one a feature: {n_features}.")
    if not (sizes > 0).all():
        raise ValueError(f"size={size!r} must be > 0.")
    return np.broadcast_to(sizes, (n_features,))


def _grid(samples: Samples, sizes: Floats, size: Any) -> _Grid:
    low, high = np.full(samples.n_features, np.inf), np.full(samples.n_features, -np.inf)
    for _, block in samples.blocks(np.dtype(np.float64), ROWS):
        if not np.isfinite(block).all():
            raise_not_finite(samples)
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    with np.errstate(over="ignore"):
        cells = np.floor((high - low) / sizes) + 1
        if not np.prod(cells) < 2.0**62:
            raise ValueError(f"size={size!r} makes {np.prod(cells):.2g} voxels over X, which must be < 2**62.")
    return _Grid(low, sizes, cells.astype(np.int64), samples.source.dtype.kind in "iub")
