"""The points that `clusterability` tests: a sample of X, ties blurred, on the axes along which its box is smallest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_AXES = 50  # principal axes that are looked at: clusters stand out on the widest
FLAT = 1e-10  # of the largest variance: an axis with less is rounding


def draw(n_samples: int, weight: Floats | None, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
    """Choose the rows to look at, in order, and count those that there are."""
    if weight is None:
        if n_samples <= count:
            return np.arange(n_samples), n_samples
        return np.sort(rng.choice(n_samples, count, replace=False, shuffle=False)), n_samples
    there = np.flatnonzero(weight)
    if len(there) <= count:
        return there, len(there)
    odds = weight[there] / weight[there].sum()
    return np.sort(rng.choice(there, count, replace=False, p=odds, shuffle=False)), len(there)


def are_copies(distinct: Floats) -> bool:
    """Tell whether samples that are the same are copies of each other: some column has no other ties.

    Else, and in a single column, the ties are those of rounded values, which are data.
    """
    n, d = distinct.shape
    return d > 1 and any(len(np.unique(column)) == n for column in distinct.T)


def blurred(X: Floats, rng: np.random.Generator) -> Floats:
    """Spread tied values of a column evenly over the smallest step between its values."""
    for column in X.T:
        steps = np.diff(np.unique(column))
        if 0 < len(steps) < len(column) - 1:
            column += rng.uniform(-0.5, 0.5, len(column)) * steps.min()
    return X


def window(X: Floats) -> Floats:
    """Return X about its mean, on the axes along which its box is smallest: its own or the principal ones.

    Constant features go; so do principal axes beyond the first `MOST_AXES`.
    """
    X = X - X.mean(axis=0)
    X = X[:, np.ptp(X, axis=0) > 0]
    X = X / np.abs(X).max()  # squares neither overflow nor vanish
    if X.shape[1] > len(X):  # the same rotation from the smaller product
        values, vectors = np.linalg.eigh(X @ X.T)
        turned = vectors * np.sqrt(np.maximum(values, 0))
    else:
        values, vectors = np.linalg.eigh(X.T @ X)
        turned = X @ vectors
    kept = np.flatnonzero(values > FLAT * values[-1])[::-1][:MOST_AXES]
    turned = turned[:, kept]
    volumes = [np.log(np.ptp(points, axis=0)).sum() for points in (X, turned)]
    return X if len(kept) == X.shape[1] and volumes[0] <= volumes[1] else np.ascontiguousarray(turned)
