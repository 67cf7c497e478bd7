"""Arguments of the pictures: an error is one sentence with name, value and rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._samples import Samples, as_samples, raise_not_finite

Floats = NDArray[np.float64]
Ints = NDArray[np.integer[Any]]


def samples_of(name: str, value: Any, n_features: int = 2) -> Samples:
    """Wrap an array or a frame of points, unread."""
    samples = as_samples(value, name)
    if samples.n_features != n_features:
        hint = "; plots.pairs draws more features" if name == "X" and samples.n_features > n_features else ""
        raise ValueError(f"{name} has shape {samples.source.shape} and must be (n, {n_features}){hint}.")
    return samples


def points(name: str, value: Any, n_features: int = 2) -> Floats:
    """Return finite points as float64; an array that is that already is not copied."""
    samples = samples_of(name, value, n_features)
    ((_, array),) = samples.blocks(np.dtype(np.float64), samples.n_samples)
    if not np.isfinite(array).all():
        raise_not_finite(samples, name)
    return array


def labels_of(labels: Any, n_samples: int, n_clusters: int | None = None) -> tuple[Ints, int]:
    """Check one label a sample, -1 for outliers; return them and the number of clusters."""
    array = np.asarray(labels)
    if array.shape != (n_samples,):
        raise ValueError(f"labels has shape {array.shape} and must be (n_samples,) = {(n_samples,)}.")
    if array.dtype.kind not in "iu":
        raise TypeError(f"labels has dtype {array.dtype} and must be integers.")
    low, high = int(array.min()), int(array.max())
    if n_clusters is None:
        n_clusters = high + 1
    if low < -1 or high >= n_clusters:
        wrong = low if low < -1 else high
        raise ValueError(f"labels has {wrong} and must be >= 0 and < n_clusters={n_clusters}, or -1 for an outlier.")
    return array, n_clusters
