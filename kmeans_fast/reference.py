"""K-means in pure NumPy, one screen long: what every kernel is held against.

The functions carry the names of the tutorial that most readers meet first; ``lloyd`` runs them from
given centroids. Everything is float64 and by the direct formula (x - c)^2; nothing here is clever,
fast or validated, and nothing else of the package is imported, so that no error elsewhere hides
in it.

Source: S. Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28 (1982) 129-137.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]

BLOCK = 2**18  # numbers in one (points, clusters, features) array of differences: bounds the memory


def cluster_points(X: Floats, centroids: Floats) -> tuple[Labels, Floats]:
    """Label each point with its nearest centroid (ties: the lowest), and give squared distances."""
    labels, distances = np.empty(len(X), dtype=np.int32), np.empty(len(X))
    rows = max(1, BLOCK // centroids.size)
    for start in range(0, len(X), rows):
        block = slice(start, start + rows)
        differences = X[block, None, :] - centroids
        squared = np.einsum("ijf,ijf->ij", differences, differences)
        labels[block] = squared.argmin(axis=1)
        distances[block] = squared.min(axis=1)
    return labels, distances


def relocate_empty(X: Floats, labels: Labels, distances: Floats, weights: Floats, n_clusters: int) -> Labels:
    """Give each empty cluster the point farthest from its centroid, while any lies off its own."""
    labels, distances = labels.copy(), np.where(weights > 0, distances, 0.0)
    for j in np.flatnonzero(np.bincount(labels, weights, minlength=n_clusters) == 0):
        farthest = distances.argmax()
        if distances[farthest] == 0:  # fewer distinct points than clusters
            break
        copies = (X[farthest] == X).all(axis=1)  # together: a weight of 2 equals a repeated point
        labels[copies], distances[copies] = j, 0.0
    return labels


def reevaluate_centers(X: Floats, labels: Labels, centroids: Floats, weights: Floats) -> Floats:
    """Move each centroid to the weighted mean of its points; without any it stays where it is."""
    means, k = np.array(centroids), len(centroids)
    mass = np.bincount(labels, weights, minlength=k)
    sums = np.stack([np.bincount(labels, weights * x, minlength=k) for x in X.T], axis=1)
    some = mass > 0
    means[some] = sums[some] / mass[some, None]
    return means


def has_converged(centroids: Floats, old_centroids: Floats) -> bool:
    """No centroid moved: the same labels give the same sums, bit for bit."""
    return np.array_equal(centroids, old_centroids)


def lloyd(
    X: ArrayLike, centroids: ArrayLike, max_iter: int = 300, sample_weight: ArrayLike | None = None
) -> tuple[Floats, Labels, float, int]:
    """Lloyd's algorithm from given centroids.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    centroids : array-like of shape (n_clusters, n_features)
        The start.
    max_iter : int
        Passes at most. As in scikit-learn, the pass that changes nothing counts as one.
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    centroids : float64 array of shape (n_clusters, n_features)
    labels : int32 array of shape (n_samples,)
        Nearest centroids, from a last pass with the final centroids, as is the inertia.
    inertia : float
        Weighted sum of squared distances.
    n_iter : int
    """
    X, centroids = np.asarray(X, dtype=np.float64), np.array(centroids, dtype=np.float64)
    weights = np.asarray(np.ones(len(X)) if sample_weight is None else sample_weight, dtype=float)
    n_iter, converged = 0, False
    while n_iter < max_iter and not converged:
        labels, distances = cluster_points(X, centroids)
        labels = relocate_empty(X, labels, distances, weights, len(centroids))
        old_centroids, centroids = centroids, reevaluate_centers(X, labels, centroids, weights)
        n_iter, converged = n_iter + 1, has_converged(centroids, old_centroids)
    labels, distances = cluster_points(X, centroids)
    return centroids, labels, float(np.sum(weights * distances)), n_iter


def find_centers(X: ArrayLike, n_clusters: int, random_state: int | None = None) -> tuple[Floats, Labels]:
    """Cluster X from ``n_clusters`` of its points, drawn at random: the tutorial's program."""
    X = np.asarray(X, dtype=np.float64)
    start = np.random.default_rng(random_state).choice(X, n_clusters, replace=False)
    centroids, labels, _, _ = lloyd(X, start)
    return centroids, labels
